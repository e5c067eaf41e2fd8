"""Lines of a TOML text: every key and item that `tomllib` finds has the line on which it is written."""

import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.policy.commands.sample import SAMPLE
from tools.policy.toml_source import lines_of

HARD = (Path(__file__).parents[2] / "vectors" / "hard.toml").read_text(encoding="utf-8")


def paths(value, path=()):
    if path:
        yield path, value
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield from paths(item, (*path, key))


@pytest.mark.parametrize("source", [HARD, SAMPLE.read_text(encoding="utf-8"), "", "a=1", "a.b.c=1\na.b.d=2"])
def test_every_value_has_a_line_and_nothing_else_has(source):
    found = lines_of(source)
    expected = dict(paths(tomllib.loads(source)))
    assert set(found) == set(expected)
    lines = source.split("\n")
    for path, line in found.items():
        key = next(part for part in reversed(path) if isinstance(part, str))
        around = "\n".join(lines[:line])
        assert key.replace('"', r"\"") in around


@pytest.mark.parametrize(
    ("path", "text"),
    [
        (("top",), "top = 1"),
        (('quoted "key" é',), "'x'"),
        (("literal key", "inner"), "a # b"),
        (("long",), 'long = """'),
        (("lines", 0), "lines = ["),
        (("lines", 1), "with a comment"),
        (("lines", 2, 2), "   3,"),
        (("lines", 3, "b", "c", 0), "[true]"),
        (("table", "sub", "dotted.name", "y"), "y = {z"),
        (("list", 0, "sub", "deep"), "deep = 1"),
        (("list", 0, "inner", 1), "[[list.inner]]"),
        (("list", 0, "inner", 1, "n"), "n = 2"),
        (("list", 1, "name"), "second"),
        (("list", 1, "inner", 0, "n"), "n = 3"),
    ],
)
def test_the_line_is_the_one_on_which_it_stands(path, text):
    assert text in HARD.split("\n")[lines_of(HARD)[path] - 1]


# --- any document ---

WORDS = ["a", "b-1", '"q k"', "'l.k'", "x_y"]
SCALARS = ["1", "-2.5", "true", '"t # [x]"', "'l, ]'", '"""m\n]] = """', "'''r\n#'''", "2027-01-01", "07:32:00", '""']
blanks = st.sampled_from(["", " ", "  # c ] } = [x]\n", "\n", "\n\n "])
scalars = st.sampled_from(SCALARS)
inline_tables = st.lists(st.tuples(st.sampled_from(WORDS), scalars), max_size=3, unique_by=lambda pair: pair[0]).map(
    lambda pairs: "{" + ", ".join(f"{key} = {value}" for key, value in pairs) + "}"
)
values = st.recursive(
    scalars | inline_tables,
    lambda inner: st.tuples(st.lists(inner, max_size=4), blanks).map(
        lambda drawn: "[" + drawn[1] + f"{drawn[1]},{drawn[1]}".join(drawn[0]) + drawn[1] + "]"
    ),
    max_leaves=8,
)
pairs = st.lists(st.tuples(st.sampled_from(WORDS), values), max_size=4, unique_by=lambda pair: pair[0])
headers = st.sampled_from(["", "[[list]]", "[[ list ]] # c", "[table.%d]", "[list.%d]", "[ t . %d ]"])


@given(st.lists(st.tuples(headers, pairs, blanks), max_size=6))
def test_the_places_are_those_of_any_document(parts):
    source = ""
    for number, (header, drawn, blank) in enumerate(parts):
        source += (header % number if "%" in header else header) + "\n"
        source += "".join(f"{key} = {value}\n" for key, value in drawn) + blank + "\n"
    try:
        expected = dict(paths(tomllib.loads(source)))
    except tomllib.TOMLDecodeError:
        return  # a key twice, or a list's table before the list
    found = lines_of(source)
    assert set(found) == set(expected)
    assert all(1 <= line <= source.count("\n") + 1 for line in found.values())
