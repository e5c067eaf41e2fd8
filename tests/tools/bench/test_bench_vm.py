"""`bocage bench vm`: what it changes in MicroPython's sources stands there once, or it says so and builds nothing."""

import shutil
import subprocess

import pytest

from tools import cli
from tools.bench import vm
from tools.command_line import Refused


def tree_with(folder, change, text):
    path = folder / change.path
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("change", vm.CHANGES, ids=lambda change: change.path)
def test_a_line_of_the_port_is_changed_where_it_stands(tmp_path, change):
    path = tree_with(tmp_path, change, f"before\n{change.old}\nafter\n")
    vm.apply(tmp_path, change)
    assert path.read_text(encoding="utf-8") == f"before\n{change.new}\nafter\n"


@pytest.mark.parametrize("text", ["", "{0}\n{0}\n", "{1}\n"], ids=["not there", "twice", "changed already"])
def test_sources_of_another_version_are_refused_and_left_as_they_are(tmp_path, text):
    change = vm.CHANGES[0]
    path = tree_with(tmp_path, change, text.format(change.old, change.new))
    with pytest.raises(vm.BuildFault, match=r"main\.c.*1\.25"):
        vm.apply(tmp_path, change)
    assert path.read_text(encoding="utf-8") == text.format(change.old, change.new)


@pytest.mark.skipif(shutil.which("gcc") is None, reason="no gcc")
def test_what_counts_is_a_program_of_c(tmp_path):
    command = ["gcc", "-Wall", "-Werror", "-c", str(vm.COUNTED_C), "-o", str(tmp_path / "counted.o")]
    assert subprocess.run(command, check=False, capture_output=True).returncode == 0


def test_a_folder_without_sources_is_told_with_the_remedy(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(vm.shutil, "which", lambda name: name)
    words = ["bench", "vm", "--sources", str(tmp_path), "--out", str(tmp_path / "vm")]
    assert cli.main(words) == 1
    assert "apt-get source micropython mbedtls" in capsys.readouterr().err
    monkeypatch.setattr(vm.shutil, "which", lambda name: None)
    assert cli.main(words) == 1
    assert "apt-get install" in capsys.readouterr().err


def test_where_the_sources_are_installed_packages_a_benchmark_of_a_vm_says_so(tmp_path):
    vm.require_checkout()
    with pytest.raises(Refused, match="checkout"):
        vm.require_checkout(tmp_path / "firmware")
