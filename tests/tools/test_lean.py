"""What a bundled program does without: names of what never changes, tables of defaults."""

import ast

import pytest

from tools import lean

CORE = """\
import struct
SIZE__a = struct.calcsize("<IH")
PAIR__a = (1, (2, b"x"), None)
LONG__a = PAIR__a + (SIZE__a,)
ONE__a, TWO__a = range(2)
TABLE__a = {1: SIZE__a}
ODD__a = 0.5
SAID__a = "a word that is long"
LOST__a = None
TEXT__a = "in a text"
OFTEN__a = 1
OFTEN__a = 2

def told__a(value):
    if value is LOST__a:
        return LONG__a, TWO__a
    return f"{TEXT__a} {value}", SAID__a, -ONE__a, TABLE__a, ODD__a, OFTEN__a
"""
OTHER = "import core\n\ndef f():\n    return core.PAIR__a[1], core.told__a(core.LOST__a)\n"


def run(core, other):
    here: dict = {}
    exec(core, here)
    module = type("core", (), {name: staticmethod(v) if callable(v) else v for name, v in here.items()})
    there: dict = {"__builtins__": {**__builtins__, "__import__": lambda *_: module}}  # type: ignore[dict-item]
    exec(other, there)
    return here["told__a"](None), here["told__a"](7), there["f"]()


def test_constants_stand_where_they_are_used_and_the_program_says_the_same():
    core, others = lean.without_names(CORE, {"other": OTHER}, "core")
    assert run(core, others["other"]) == run(CORE, OTHER)
    bound = [target for s in ast.parse(core).body if isinstance(s, ast.Assign) for target in s.targets]
    names = {part.id for target in bound for part in ast.walk(target) if isinstance(part, ast.Name)}
    # A table is one object, a float has another width on a chip, what is compared by `is` or stands in a text is named.
    assert names == {"TABLE__a", "ODD__a", "LOST__a", "TEXT__a", "OFTEN__a"}
    assert core.count("\n") == CORE.count("\n") and "core.PAIR" not in others["other"]


@pytest.mark.parametrize(
    ("head", "left"),
    [
        ("def f(a, *, b=1):", "def f(a, b=1):"),
        ("def f(a, *, b=1, c):", "def f(a, c, b=1):"),
        ("def f(*, b=(1, 2)):", "def f(b=(1, 2)):"),
        ("def f(a=0, *, b=1):", "def f(a=0, b=1):"),
        ("def f(a, *, b):", "def f(a, *, b):"),  # costs nothing
        ("def f(a=0, *, b, c=1):", "def f(a=0, b=None, c=1):"),  # no place for b without
        ("def f(*a, b=1):", "def f(*a, b=1):"),
        ("def f(a, b=1):", "def f(a, b=1):"),
    ],
)
def test_defaults_of_arguments_by_name_need_no_table(head, left):
    assert lean.without_stars(f"x = 1\n{head}\n    return b\n") == f"x = 1\n{left}\n    return b\n"


def test_lines_stay_where_they_are():
    head = "class C:\n    def f(\n        self,\n        *,\n        b=1,\n        c,\n    ):\n"
    text = head + '        """Why."""\n        return b, c\n'
    left = lean.without_stars(text)
    assert left.split("\n")[1] == "    def f(self, c, b=1):" and left.split("\n")[8] == text.split("\n")[8]
    assert "*" not in left and left.count("\n") == text.count("\n")


def test_a_decorator_behind_the_head_stays():
    text = "def f(*, b=1):\n    @keep\n    def g():\n        return b\n    return g\n"
    assert lean.without_stars(text) == text.replace("*, ", "")
