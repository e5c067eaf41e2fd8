"""README.md's commands (those of the village are run, all others are parsed), its figures and its pictures."""

import os
import re
import shlex
import subprocess
import sys

import pytest

from tools import cli, command_line

_BLOCK = re.compile(r"(?:^    \S.*\n)+", re.MULTILINE)


@pytest.fixture(scope="module")
def blocks(repository):
    """The README's blocks of commands, in their order."""
    text = (repository / "README.md").read_text(encoding="utf-8")
    found = [re.sub("^    ", "", block, flags=re.MULTILINE) for block in _BLOCK.findall(text)]
    return [block for block in found if re.search(r"^(sudo )?bocage |^for ", block, re.MULTILINE)]


@pytest.fixture
def desk(repository, tmp_path):
    """Runs a text in the shell of a person who has `bocage` in their path, in an empty folder."""
    bocage = tmp_path / "bin" / "bocage"
    bocage.parent.mkdir()
    bocage.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m tools "$@"\n')
    bocage.chmod(0o755)
    folder = tmp_path / "desk"
    folder.mkdir()
    path = os.pathsep.join([str(bocage.parent), os.environ["PATH"]])
    modules = os.pathsep.join([str(repository / "firmware"), str(repository)])

    def run(text):
        return subprocess.run(
            ["sh", "-euc", text], cwd=folder, env={**os.environ, "PATH": path, "PYTHONPATH": modules},
            capture_output=True, text=True, check=False, timeout=120,
        )  # fmt: skip

    run.folder = folder
    return run


@pytest.mark.slow
def test_a_village_goes_from_the_sample_to_a_published_policy_and_an_order(blocks, desk):
    sequence, orders = (block for block in blocks if "policy sample" in block or "centre light" in block)
    done = desk(sequence)
    assert done.returncode == 0, done.stderr
    assert "en ordre" in done.stdout and "Nuit du mercredi 14/07/2027" in done.stdout
    assert (desk.folder / "control.db").stat().st_mode & 0o777 == 0o640
    (light,) = (line for line in orders.splitlines() if "centre light" in line)
    ordered = desk(light)
    # The order is kept, and the person is told what sends it.
    assert ordered.returncode == 1 and "bocage centre control" in ordered.stderr, ordered
    assert "recherche d'une personne" in desk("bocage centre commands --db control.db").stdout


def keep(understood, args):
    understood.append(args)
    return 0


def test_every_command_is_understood(blocks, monkeypatch):
    """The names of commands and their options are those that there are; nothing is run."""
    understood = []
    monkeypatch.setattr(command_line, "_run_module", lambda _program, _module, args, _words: keep(understood, args))
    lines = [line for block in blocks for line in block.splitlines()]
    commands = [command for line in lines for command in re.split(r" && |; (?:do )?", line) if "bocage " in command]
    for command in commands:
        words = shlex.split(command.partition(" > ")[0], comments=True)
        assert cli.main(words[words.index("bocage") + 1 :]) == 0, command
    assert len(understood) == len(commands) > 15


def test_its_pictures_are_there_and_load_at_once(repository):
    text = (repository / "README.md").read_text(encoding="utf-8")
    shown = re.findall(r'\]\(([\w/.-]+\.png)\)|src="([\w/.-]+\.png)"', text)
    paths = [repository / (plain or html) for plain, html in shown]
    assert len(paths) == 5 and all(path.is_file() for path in paths)
    assert max(path.stat().st_size for path in paths) <= 170_000


def test_its_figures_are_those_of_the_benchmarks(repository):
    """Both sides of each comparison are cells of a table of tools/FIGURES.md."""
    text = " ".join((repository / "README.md").read_text(encoding="utf-8").split())
    figures = (repository / "tools" / "FIGURES.md").read_text(encoding="utf-8")
    compared = re.findall(r"(\d+) (kWh|m³) where [^.]*?(\d+)\.", text)
    assert len(compared) == 2
    for ours, unit, peer in compared:
        cells = [f"| {amount} m³ |" if unit == "m³" else f"| {amount} |" for amount in (ours, peer)]
        assert all(cell in figures for cell in cells), cells
