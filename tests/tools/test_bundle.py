"""`tools.bundle`: a bundled program does what it did, keeps nothing that nobody reaches, and tells where a line was."""

import ast
import subprocess
import sys

import pytest

from tools import bundle, firmware_modules

PROGRAM = {
    "pack": "",
    "pack.base": (
        '"""What all use."""\n\nfrom collections import namedtuple\n\nPair = namedtuple("Pair", ("a", "b"))\n\n\n'
        "class Base:\n    word = 'base'\n\n    def told(self):\n        return self.word\n\n"
        "    def unused(self):\n        return hidden()\n\n\ndef hidden():\n    return 'nobody'\n"
    ),
    "pack.user": (
        "from pack import base, later\nfrom pack.base import (\n    Base,\n    Pair,\n)\n\n\n"
        "class User(Base):\n    def both(self, told=None):\n"
        "        return [f'{base.Pair(1, 2)!r} {self.told()}', Pair(3, told), [Base for Base in (1, 2)]]\n\n\n"
        "def shadow(base):\n    return base + later.LATER\n"
    ),
    "pack.later": "LATER = 5\n\n\ndef late():\n    return LATER\n",
    "pack.seldom": "from pack import base\n\n\ndef seldom():\n    return base.Base().told()\n",
    "main": (
        "from pack import user\n\nprint(user.User().both(), user.shadow(1))\n\n\n"
        "def rare():\n    from pack import seldom\n\n    return seldom.seldom()\n\n\nprint(rare())\n"
    ),
}


def run(program, folder):
    for name, text in program.items():
        path = folder / (name.replace(".", "/") + ("/__init__.py" if name == "pack" else ".py"))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    command = [sys.executable, "main.py"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True).stdout


def test_a_bundled_program_says_the_same(tmp_path):
    bundled = bundle.bundle(PROGRAM, ["main"]).modules
    assert set(bundled) == {"pack", "pack.seldom", "main", bundle.CORE}
    assert run(PROGRAM, tmp_path / "before") == run(bundled, tmp_path / "after")


def test_what_nobody_reaches_is_not_in_it():
    core = bundle.bundle(PROGRAM, ["main"]).modules[bundle.CORE]
    for gone in ("unused", "hidden", "late()"):
        assert gone not in core
    assert "def told" in core and "LATER__pack_later" not in core


def test_builtins_are_found_among_the_names_of_the_core():
    """MicroPython looks through the whole table for a name that is not in it, if the table is full."""
    words = {"pack.later": "LATER = 2\n\n\ndef late():\n    return max(len([LATER]), 1)\n"}
    program = {**PROGRAM, **words, "main": PROGRAM["main"] + "from pack import later\n\nprint(later.late())\n"}
    core = bundle.bundle(program, ["main"]).modules[bundle.CORE]
    assert core.split("\n")[0] == "from builtins import len, max"
    assert bundle.bundle(PROGRAM, ["main"]).modules[bundle.CORE].split("\n")[0] == ""  # it says none of them


def test_places_tell_where_a_line_of_the_core_was():
    bundled = bundle.bundle(PROGRAM, ["main"])
    lines = bundled.modules[bundle.CORE].split("\n")
    for first, name in bundled.places:
        for offset, line in enumerate(PROGRAM[name].split("\n")):
            if line.startswith(("class ", "def shadow")):
                word = line.split()[1].partition("(")[0].rstrip(":")
                assert f"{word}__{name.replace('.', '_')}" in lines[first - 1 + offset]
    assert bundled.where(bundled.places[1][0] + 3) == (bundled.places[1][1], 4)


@pytest.mark.parametrize(
    ("module", "text"),
    [
        ("pack.later", "import sys\nLATER = 5\nif sys.maxsize:\n    LATER = 6\n"),  # decides at its start
        ("pack.later", "LATER = 5\nprint(globals()['LATER'])\n"),  # looks itself up
    ],
)
def test_a_module_that_cannot_be_moved_stays(module, text, tmp_path):
    program = {**PROGRAM, module: text}
    bundled = bundle.bundle(program, ["main"]).modules
    assert module in bundled
    assert run(program, tmp_path / "before") == run(bundled, tmp_path / "after")


def test_a_module_that_is_passed_on_stays(tmp_path):
    program = {**PROGRAM, "main": "from pack import base, user\nx = base\nprint(x.Pair(1, 2), user.shadow(2))\n"}
    bundled = bundle.bundle(program, ["main"]).modules
    assert "pack.base" in bundled and "pack.user" not in bundled
    assert run(program, tmp_path / "before") == run(bundled, tmp_path / "after")


def test_a_module_that_is_let_go_stays():
    assert "pack.later" in bundle.bundle(PROGRAM, ["main"], ["pack.later"]).modules


@pytest.mark.slow
@pytest.mark.parametrize("kind", firmware_modules.kinds())
def test_each_kind_is_bundled_whole(kind):
    bundled = bundle.of_kind(kind)
    defined = {
        part.id if isinstance(part, ast.Name) else part.name
        for part in ast.walk(ast.parse(bundled.modules[bundle.CORE]))
        if isinstance(part, ast.FunctionDef | ast.ClassDef | ast.Name)
    }
    for name, text in bundled.modules.items():
        tree = compile(text.replace(" is 'pending'", " == 'pending'"), name, "exec", ast.PyCF_ONLY_AST)
        for part in ast.walk(tree):
            if isinstance(part, ast.Attribute) and isinstance(part.value, ast.Name) and part.value.id == bundle.CORE:
                assert part.attr in defined, (name, part.attr)
            if isinstance(part, ast.ImportFrom):
                assert part.module not in dict(bundled.places).values(), (name, part.module)
    # What the shell lets go is not held by the core.
    assert not set(firmware_modules.let_go()) & {name for _, name in bundled.places}
