"""The sentences of `bocage policy`: a remedy for what is wrong, figures as people write them."""

from tools.policy import words


def test_what_has_a_remedy_gives_it_from_the_values_of_the_fault():
    with_remedy = [key.removesuffix(".do") for key in words.WORDS.messages if key.endswith(".do")]
    assert set(with_remedy) <= set(words.WORDS.messages)


def test_instants_and_durations_are_told_as_people_write_them():
    assert words.moment(1_800_000_000, "fr") == "15/01/2027 à 09:00"
    assert words.moment(1_800_000_000, "en") == "2027-01-15 at 09:00"
    assert words.duration(30_300, "fr") == "8 h 25"
    assert words.duration(30_300, "en") == "8 h 25 min"
    assert words.clock(65) == "01:05"
