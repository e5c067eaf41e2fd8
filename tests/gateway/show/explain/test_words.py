"""Every word of an explanation is there in both languages, with the same values, and none is left over."""

import re
import string
from pathlib import Path

import pytest

from gateway.commands import explain
from gateway.show.explain import words

FOLDER = Path(words.__file__).parent


def fields(text):
    return sorted(name for _, name, _, _ in string.Formatter().parse(text) if name)


@pytest.mark.parametrize("key", words.WORDS)
def test_every_word_is_there_in_both_languages_with_the_same_values(key):
    french, english = words.WORDS[key]
    assert french.strip() and english.strip() and fields(french) == fields(english)
    assert not re.search(r"[^\s{}]:(?!\d)|[^\s][;!?]", re.sub(r"\{[^}]*\}", "", french))
    assert not re.search(r"\s[:;!?]", english)


def test_every_word_that_is_asked_for_is_in_the_table_and_none_is_left_over():
    sources = [*FOLDER.glob("*.py"), Path(explain.__file__)]
    source = "\n".join(path.read_text(encoding="utf-8") for path in sources if path.name != "words.py")
    asked = set(re.findall(r"""["']([a-z_]+(?:\.[a-z0-9_-]+)*)["']""", source))
    made = r"(weekday|month|label|level|verdict|none|kind|watts|act|when|at|why|limit)\..+|summer|winter"
    left_over = [key for key in words.WORDS if key not in asked and not re.fullmatch(made, key)]
    assert left_over == ["lamps", "lamps.one"]  # `counted`, of the page
