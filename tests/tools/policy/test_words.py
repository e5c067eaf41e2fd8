"""The words of `bocage policy`: both languages, the same values in both, a remedy for what is wrong."""

import string

import pytest

from tools.policy import words

SAME_IN_BOTH = {"show.site"}


def fields(text):
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


@pytest.mark.parametrize("key", words.WORDS)
def test_both_languages_say_the_same_values(key):
    french, english = words.WORDS[key]
    assert french and english
    assert fields(french) == fields(english)
    assert french != english or key in SAME_IN_BOTH


def test_what_has_a_remedy_gives_it_from_the_values_of_the_fault():
    with_remedy = [key.removesuffix(".do") for key in words.WORDS if key.endswith(".do")]
    assert set(with_remedy) <= set(words.WORDS)


def test_instants_and_durations_are_told_as_people_write_them():
    assert words.moment(1_800_000_000, "fr") == "15/01/2027 à 09:00"
    assert words.moment(1_800_000_000, "en") == "2027-01-15 at 09:00"
    assert words.duration(30_300, "fr") == "8 h 25"
    assert words.duration(30_300, "en") == "8 h 25 min"
    assert words.clock(65) == "01:05"
