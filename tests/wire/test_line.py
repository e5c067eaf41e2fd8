"""Short lines of text: what may stand in a log, and what may not."""

import pytest

from wire.line import is_line


@pytest.mark.parametrize("text", ["a", "Délibération 2026-41", "x" * 24, "é" * 12, "水の", "a  b"])
def test_a_line_is_taken(text):
    assert is_line(text, 24)


@pytest.mark.parametrize(
    "value",
    ["", " a", "a ", "x" * 25, "é" * 13, "a\nb", "a\tb", "a\x00", "a\x7f", "a\x85b", "a\u2028b", "a\u202eb", "\ud800",
     b"a", None, 1, True, ["a"]],
)  # fmt: skip
def test_anything_else_is_not(value):
    assert not is_line(value, 24)
