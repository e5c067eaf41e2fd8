"""`tools.squeeze`: what is folded, what must stay, and that a folded program does what it did."""

import subprocess
import sys

import pytest

from tools import firmware_modules
from tools.squeeze import squeeze, squeezed

PROGRAM = {
    "pack": "",
    "pack.limits": "A_MS = 60 * 1000\nB = A_MS - 1\nWORD = 'short'\nLONG = 'longer than ten'\nPAIR = (1, A_MS)\n",
    "pack.user": (
        "from pack import limits\nfrom pack.limits import (\n    B,\n    WORD,\n)\n\n"
        "def f(x):\n    return (x + limits.A_MS, B, WORD, limits.LONG, limits.PAIR)\n"
    ),
    "main": "from pack import user\nprint(user.f(-1))\nprint(__import__('sys')._getframe().f_lineno)\n",
}


def run(program, tmp_path):
    for name, text in program.items():
        path = tmp_path / (name.replace(".", "/") + ("/__init__.py" if name == "pack" else ".py"))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return subprocess.run(
        [sys.executable, "main.py"], cwd=tmp_path, capture_output=True, text=True, check=True
    ).stdout


def test_a_folded_program_says_the_same_and_keeps_its_lines(tmp_path):
    folded = squeeze(PROGRAM)
    assert folded["pack.limits"].split("\n")[:2] == ["", ""]
    assert "(x + 60000, 59999, 'short'," in folded["pack.user"]
    assert all(folded[name].count("\n") == text.count("\n") for name, text in PROGRAM.items())
    assert run(PROGRAM, tmp_path / "before") == run(folded, tmp_path / "after")


def test_a_module_of_nothing_but_constants_is_not_imported():
    folded = squeeze({"pack": "", "pack.limits": "A = 1\n", "main": "from pack import limits\nprint(limits.A)\n"})
    assert folded["main"] == "\nprint(1)\n" and folded["pack.limits"].strip() == ""


@pytest.mark.parametrize(
    "user",
    [
        "import m\nprint(getattr(m, 'A'))\n",  # passed on as a value
        "import m\nx = m\n",
        "import m\nprint(f'{m.A}')\n",
        "def f():\n    import m as kind\n    kind = kind or None\n    return kind.A\n",
    ],
)
def test_what_may_be_asked_for_at_run_time_stays(user):
    assert "A = 1" in squeeze({"m": "A = 1\n", "main": user})["m"]


@pytest.mark.parametrize(
    "text",
    [
        "A = 1\nA = 2\nprint(A)\n",
        "A = 1\ndef f(A):\n    return A\n",
        "A = 1\ndef f():\n    global A\n    A = 2\nf()\nprint(A)\n",
        "A = 1\nfor A in (1, 2):\n    pass\n",
        "A = True\nprint(A)\n",
        "A = 1.5\nprint(A)\n",
    ],
)
def test_a_name_that_is_bound_twice_or_is_no_small_value_stays(text):
    assert squeeze({"m": text})["m"] == text


def test_a_negative_constant_keeps_its_precedence():
    assert squeeze({"m": "A = -1\nprint(A ** 2)\n"})["m"] == "\nprint((-1) ** 2)\n"


def test_a_contract_with_older_files_is_asked_at_run_time():
    folded = squeeze({"guard": "POWER = 'power'\n", "main": "import guard\nprint(guard.POWER)\n"})
    assert folded == {"guard": "POWER = 'power'\n", "main": "import guard\nprint(guard.POWER)\n"}


@pytest.mark.slow
@pytest.mark.parametrize("kind", firmware_modules.kinds())
def test_every_program_still_compiles_and_loses_a_third_of_its_names(kind):
    modules = firmware_modules.needed(kind)
    before = sum(path.read_text(encoding="utf-8").count("limits.") for path in modules.values())
    folded = squeezed(modules)
    for name, text in folded.items():
        compile(text.replace(" is 'pending'", " == 'pending'"), name, "exec")
    assert sum(text.count("limits.") for text in folded.values()) < before // 5
