"""Every sentence of an explanation is asked for somewhere, and every one that is asked for is there."""

import re
from pathlib import Path

from gateway.commands import explain
from gateway.show.explain import words

FOLDER = Path(words.__file__).parent


def test_every_word_that_is_asked_for_is_in_the_table_and_none_is_left_over():
    sources = [*FOLDER.glob("*.py"), Path(explain.__file__)]
    source = "\n".join(path.read_text(encoding="utf-8") for path in sources if path.name != "words.py")
    asked = set(re.findall(r"""["']([a-z_]+(?:\.[a-z0-9_-]+)*)["']""", source))
    made = r"(weekday|month|label|level|verdict|none|kind|watts|act|when|at|why|limit)\..+|summer|winter"
    left_over = [key for key in words.WORDS.messages if key not in asked and not re.fullmatch(made, key)]
    assert left_over == ["lamps"]  # of the page
