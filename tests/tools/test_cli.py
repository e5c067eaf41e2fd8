"""The `bocage` command: one command's import only, one clear line for what is missing, exit statuses."""

import subprocess
import sys
import types

import pytest

from tools import cli


@pytest.fixture
def command(monkeypatch):
    """Puts a made-up command in the table, which does `run`."""

    def make(run=lambda args: args.seed):
        module = types.ModuleType("made_up_command", "Does what the test says.")
        module.add_arguments = lambda parser: parser.add_argument("--seed", type=int)
        module.run = run
        monkeypatch.setitem(sys.modules, "made_up_command", module)
        entry = cli.Command("made_up_command", "gateway", "does", "made --seed 3")
        monkeypatch.setitem(cli.COMMANDS, "made", entry)

    return make


def missing(monkeypatch, absent, extra="gateway"):
    """The command `made` cannot be imported because `absent` is not there."""

    def refuse(name):
        raise ModuleNotFoundError(f"No module named {absent!r}", name=absent)

    monkeypatch.setitem(cli.COMMANDS, "made", cli.Command("made_up.command", extra, "does", "made"))
    monkeypatch.setattr(cli.importlib, "import_module", refuse)


def test_alone_it_prints_an_example_for_each_command(capsys):
    assert cli.main([]) == 0
    printed = capsys.readouterr().out
    for name, command in cli.COMMANDS.items():
        assert command.example.split()[0] == name
        assert f"bocage {command.example}" in printed


def test_it_tells_its_version(capsys):
    assert cli.main(["--version"]) == 0
    assert capsys.readouterr().out.startswith("bocage ")


def test_an_unknown_command_is_refused_with_those_there_are(capsys):
    with pytest.raises(SystemExit) as ended:
        cli.main(["simm"])
    assert ended.value.code == 2
    printed = capsys.readouterr().err
    assert "no command 'simm'" in printed
    assert all(name in printed for name in cli.COMMANDS)


def test_a_command_gets_its_arguments_and_its_status_is_returned(command):
    command()
    assert cli.main(["made", "--seed", "7"]) == 7


def test_the_help_of_a_command_is_its_docstring_and_its_example(command, capsys):
    command()
    with pytest.raises(SystemExit) as ended:
        cli.main(["made", "--help"])
    assert ended.value.code == 0
    printed = capsys.readouterr().out
    assert "Does what the test says." in printed
    assert "bocage made --seed 3" in printed


def test_an_interrupted_command_ends_as_shells_say_it(command):
    def run(args):
        raise KeyboardInterrupt

    command(run=run)
    assert cli.main(["made"]) == cli.INTERRUPTED


@pytest.mark.parametrize(
    ("absent", "extra", "remedy"),
    [
        ("serial", "gateway", "bocage[gateway]"),
        ("paho.mqtt", "centre", "bocage[centre]"),
        ("cbor2", "simulator", "bocage[gateway]"),
        ("pvlib", "dev", "bocage[dev]"),
    ],
)
def test_a_missing_extra_is_one_line_with_its_remedy(monkeypatch, capsys, absent, extra, remedy):
    missing(monkeypatch, absent, extra)
    assert cli.main(["made"]) == 1
    printed = capsys.readouterr().err
    assert printed.count("\n") == 1
    assert f"pip install '{remedy}'" in printed


@pytest.mark.parametrize("absent", ["made_up", "made_up.command"])
def test_a_command_that_is_not_installed_is_one_line(monkeypatch, capsys, absent):
    missing(monkeypatch, absent)
    assert cli.main(["made"]) == 1
    assert "this installation has no made_up.command" in capsys.readouterr().err


@pytest.mark.parametrize("absent", ["wire.cobr", "gateway.nothing"])
@pytest.mark.parametrize("extra", ["gateway", "dev"])
def test_a_wrong_import_of_ours_is_not_hidden(monkeypatch, absent, extra):
    missing(monkeypatch, absent, extra)
    with pytest.raises(ModuleNotFoundError):
        cli.main(["made"])


def test_help_imports_no_command(repository):
    program = "import sys; from tools import cli; cli.main([]); print(*sys.modules, file=sys.stderr)"
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, cwd=repository, capture_output=True, text=True, check=True, timeout=60)
    loaded = set(done.stderr.split())
    assert "tools.cli" in loaded
    assert not loaded & {command.module for command in cli.COMMANDS.values()}
    assert not loaded & {"asyncio", "simulator", "gateway", "paho", "serial", "sqlite3", "socket"}
