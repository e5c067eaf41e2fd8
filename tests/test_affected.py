"""`make quick ARGS=...`: what is chosen for a file or folder of a small tree, and of ours."""

import subprocess

import pytest

from tests.support.affected import affected, changed

TREE = {
    "firmware/wire/cbor.py": "",
    "gateway/core/custody/journal.py": "from wire import cbor\n",
    "gateway/show/page.html": "",
    "gateway/agent.py": "from gateway.core.custody.journal import Journal\n",
    "hardware/boards/lamp.toml": "",
    "tests/support/world.py": "from gateway.core.custody import (  # the real one\n    journal,\n)\n",
    "tests/wire/test_cbor.py": "from wire import cbor\n",
    "tests/gateway/test_agent.py": "import gateway.agent\n",
    "tests/gateway/core/custody/test_journal.py": "def test():\n    from gateway.core.custody import journal\n",
    "tests/gateway/core/custody/test_full.py": "from tests.support.world import World\n",
    "tests/gateway/core/test_drain.py": "from tests.support.world import World\n",
    "gateway/core/clock.py": "",
    "tests/support/clocks.py": "from gateway.core import clock\n",
    "tests/node/test_time.py": "from tests.support import clocks\n",
    "tests/gateway/show/test_page.py": "",
    "tests/tools/hardware/test_hardware.py": "",
}


@pytest.fixture
def tree(tmp_path):
    for name, text in TREE.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize(
    ("name", "chosen"),
    [
        ("firmware/wire", ["tests/wire/test_cbor.py"]),
        *((name, ["tests/gateway/core/custody/test_full.py", "tests/gateway/core/custody/test_journal.py"])
          for name in ("gateway/core/custody", "gateway/core/custody/journal.py")),
        ("gateway/core/clock.py", ["tests/node/test_time.py"]),
        ("gateway/agent.py", ["tests/gateway/test_agent.py"]),
        ("gateway/show/page.html", ["tests/gateway/show/test_page.py"]),
        ("hardware/boards", ["tests/tools/hardware/test_hardware.py"]),
        ("tests/support/world.py", ["tests/gateway/core/custody/test_full.py", "tests/gateway/core/test_drain.py"]),
        ("tests/wire", ["tests/wire/test_cbor.py"]),
    ],
)
def test_a_test_is_chosen_that_imports_what_changed_or_reaches_it_from_its_mirror(tree, name, chosen):
    assert sorted(affected([name], tree)) == [tree / name for name in chosen]


def test_changed_is_what_differs_from_main_and_what_git_does_not_know(tree):
    def git(*words):
        subprocess.run(["git", "-c", "user.name=a", "-c", "user.email=a@b", "-C", tree, *words], check=True)

    git("init", "--quiet", "--initial-branch=main")
    git("add", ".")
    git("commit", "--quiet", "-m", "one")
    assert changed(tree) == []
    git("checkout", "--quiet", "-b", "work")
    (tree / "gateway/agent.py").write_text("import gateway\n", encoding="utf-8")
    git("commit", "--quiet", "-am", "two")
    (tree / "firmware/wire/cbor.py").write_text("A = 1\n", encoding="utf-8")
    (tree / "gateway/new.py").touch()
    names = ["firmware/wire/cbor.py", "gateway/agent.py", "gateway/new.py"]
    assert sorted(changed(tree)) == [tree / name for name in names]
    chosen = ["tests/gateway/test_agent.py", "tests/wire/test_cbor.py"]
    assert sorted(affected(["changed"], tree)) == [tree / name for name in chosen]


def test_a_line_in_custody_wants_a_part_of_our_tests(repository):
    chosen = affected(["gateway/core/custody/journal.py"])
    assert repository / "tests/gateway/core/custody/test_journal.py" in chosen
    assert len(chosen) < len(list((repository / "tests").rglob("test_*.py"))) // 10
