"""`bocage sim`: one object a run for programs, French for people, status 3 for a fault, nothing that needs POSIX."""

import json
import os
import subprocess
import sys
import xml.etree.ElementTree as ElementTree

import pytest

from lighting.decision import Demand, LightDecision
from simulator import cli as simulator_cli
from tools import cli

# From 16:00 on: the run goes on until dusk. In one process: what a test plants is in this one only.
BRIEF = ["sim", "--lamps", "3", "--hours", "1", "--processes", "1"]


def sim(capsys, *words):
    """(exit status, standard output) of a brief run."""
    status = cli.main([*BRIEF, *words])
    return status, capsys.readouterr().out


def refused(capsys, *words):
    """What is said about arguments that cannot be."""
    with pytest.raises(SystemExit) as ended:
        cli.main(["sim", *words])
    assert ended.value.code == 2
    return capsys.readouterr().err


@pytest.fixture
def dark(monkeypatch):
    """Street lights that never burn."""
    monkeypatch.setattr(LightDecision, "decide", lambda *_: Demand(0, "calendar", 0))


@pytest.mark.slow
def test_for_programs_it_prints_one_object(capsys):
    status, out = sim(capsys, "--json", "--seed", "7")
    assert status == 0
    assert out.count("\n") == 1
    figures = json.loads(out)
    assert figures["seed"] == 7
    assert len(figures["digest"]) == 32
    numbers = ("node_hours", "wall_s", "made", "delivered", "duplicated", "lost", "gaps_explained", "longest_wait_s")
    assert all(isinstance(figures[name], int | float) for name in numbers)
    assert figures["made"] == figures["delivered"] + figures["waiting"] > 0


@pytest.mark.slow
def test_for_several_seeds_it_prints_an_object_each_and_a_seed_has_its_digest(capsys):
    _, out = sim(capsys, "--json", "--seed", "4", "--seeds", "2")
    runs = [json.loads(line) for line in out.splitlines()]
    assert [run["seed"] for run in runs] == [4, 5]
    assert runs[0]["digest"] != runs[1]["digest"] == json.loads(sim(capsys, "--json", "--seed", "5")[1])["digest"]


@pytest.mark.slow
def test_it_speaks_french_unless_asked_for_english(capsys):
    _, french = sim(capsys)
    _, english = sim(capsys, "--lang", "en")
    assert "Territoire simulé · graine 1" in french
    assert "rien de perdu" in french
    assert "Simulated territory · seed 1" in english
    assert "nothing lost" in english


@pytest.mark.slow
@pytest.mark.usefixtures("dark")
def test_a_violated_invariant_is_exit_status_3_and_is_told(capsys):
    status, out = sim(capsys, "--json", "--hours", "2", "--seeds", "5")
    assert status == 3 and len(out.splitlines()) == 1, "it stops at the first seed with a fault"
    figures = json.loads(out)
    assert figures["good"] is False
    assert figures["lighting_violations"] == 3
    assert " dark for " in figures["faults"][0]
    status, out = sim(capsys, "--hours", "2")
    assert status == 3
    assert "DÉFAUT" in out


@pytest.mark.slow
def test_it_draws_the_picture(capsys, tmp_path):
    path = tmp_path / "night.svg"
    status, out = sim(capsys, "--svg", str(path))
    assert status == 0
    assert out.splitlines()[-1] == f"La nuit en image : {path}"
    assert ElementTree.parse(path).getroot().tag.endswith("svg")


@pytest.mark.slow
def test_its_options_reach_the_run(capsys):
    figures = json.loads(sim(capsys, "--json", "--no-faults", "--loss", "0", "--calendar", "all-night")[1])
    assert (figures["lamps"], figures["hours"]) == (3, 1)
    lossy = json.loads(sim(capsys, "--json", "--no-faults", "--loss", "400", "--calendar", "all-night")[1])
    assert lossy["digest"] != figures["digest"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--lamps", "2"], "'2' is no whole number from 3 to 6000"),
        (["--hours", "0"], "'0' is no whole number from 1 to 1440"),
        (["--loss", "401"], "'401' is no whole number from 0 to 400"),
        (["--seeds", "0"], "'0' is no whole number from 1 to"),
        (["--lamps", "many"], "'many' is no whole number"),
        (["--seed", "x"], "--seed"),
        (["--calendar", "moon"], "invalid choice: 'moon'"),
        (["--season", "de"], "invalid choice: 'de'"),
        (["--svg", "no/such/folder/night.svg"], "no/such/folder/night.svg"),
        (["--svg", "."], "cannot be a file"),
    ],
)
def test_arguments_that_cannot_be_are_explained_before_anything_runs(capsys, words, said):
    assert said in refused(capsys, "--lang", "en", *words)


def test_arguments_that_cannot_be_are_explained_in_french(capsys):
    assert "--hours : '0' n’est pas un nombre entier de 1 à 1440" in refused(capsys, "--hours", "0")
    assert "le dossier n’existe pas" in refused(capsys, "--svg", "no/such/folder/night.svg")


def test_its_help_has_an_example_and_every_option(capsys):
    with pytest.raises(SystemExit) as ended:
        cli.main(["sim", "--help"])
    out = capsys.readouterr().out
    assert ended.value.code == 0
    assert "bocage sim --seed 7" in out
    assert all(option in out for option in ("--seeds", "--hours", "--lamps", "--loss", "--svg", "--json", "--lang"))


def test_progress_is_drawn_over_one_line(capsys):
    simulator_cli._progress(3600, 7200)
    simulator_cli._progress(7200, 7200)
    told = capsys.readouterr().err
    assert told.count("\r") == 2
    assert told.count("\n") == 1
    assert "█" * 40 in told


POSIX_MODULES = ("fcntl", "resource", "pwd", "grp", "termios", "tty", "pty", "syslog")
POSIX_CALLS = (
    "fsync",
    "fdatasync",
    "sync",
    "fork",
    "getuid",
    "geteuid",
    "getgid",
    "statvfs",
    "mkfifo",
    "uname",
    "setsid",
    "killpg",
    "posix_fallocate",
    "sched_getaffinity",
    "O_DIRECTORY",
)
ELSEWHERE = f"""
import os, sys
for name in {POSIX_MODULES}:
    sys.modules[name] = None
import signal
for name in {POSIX_CALLS}:
    if hasattr(os, name):
        delattr(os, name)
for name in ("SIGKILL", "SIGHUP", "SIGALRM"):
    delattr(signal, name)
from tools import cli
status = cli.main(["sim", "--lamps", "3", "--hours", "1", "--json"])
forbidden = ("gateway.io", "simulator.rig.rig", "simulator.hosts.vm", "simulator.rig.live", "paho", "serial")
allowed = ("gateway.io", "gateway.io.crypto")
loaded = [
    name for name in sys.modules
    if name.startswith(forbidden) and name not in allowed and sys.modules[name] is not None
]
print(status, loaded)
"""


@pytest.mark.slow
def test_it_runs_where_nothing_of_posix_is_and_loads_nothing_of_the_real_gateway(repository):
    path = os.pathsep.join([str(repository / "firmware"), str(repository)])
    environment = {**os.environ, "PYTHONPATH": path, "PYTHONIOENCODING": "cp1252:strict"}
    done = subprocess.run(
        [sys.executable, "-c", ELSEWHERE], env=environment, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "0 []"
