"""Runs every level of the `bocage` command line: finds a sub-command in a table, parses its arguments and runs it.

A level is a module with a table `COMMANDS` of names and modules, as `tools.cli` for `bocage` and `tools.centre.cli` for
`bocage centre`. A name may have several words (`keys new`). The module behind a name is another level, or it has

    a docstring      its first line is shown in the list of its level, all of it is the help
    add_arguments    (parser), which fills an `argparse` parser
    run              (args) -> the exit status

So a new sub-command is one file and one line. Only the module that was chosen is imported; for a list the docstrings
are read from the files, which also works where a package is not installed. Every command has `--lang`, the language of
its help, its refusals and those of `argparse`: docstrings and the `help` of arguments are sentences of the catalogue
(`tools.package.catalogue`). Must stay quick and portable: it must not need POSIX, and must import none of our modules
but the catalogue of sentences.
"""

import argparse
import ast
import importlib
import importlib.util
import inspect
import json
import shutil
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import ModuleType
from typing import Any

from gateway.language import DEFAULT_LANGUAGE, LANGUAGES, N_, Message, arguments, plain, translate
from gateway.language.arguments import argument_fault

# The extras of pyproject.toml that bring a package. The remedy names the extra that is part of the command, if any.
EXTRAS = {
    "aiohttp": ("gateway",),
    "authlib": ("directory",),
    "axes": ("web",),
    "cbor2": ("gateway", "centre"),
    "django": ("web",),
    "gpiod": ("gateway",),
    "paho": ("gateway", "centre"),
    "prometheus_client": ("centre",),
    "pymodbus": ("gateway",),
    "littlefs": ("workshop",),
    "serial": ("gateway", "workshop"),
    "uvicorn": ("web",),
}
# Our own packages: a module missing from one of them is our bug.
_OURS = ("gateway", "heating", "kinds", "lighting", "links", "node", "policy", "simulator", "tools", "watering", "wire")


class Stop(Exception):
    """Stops a command with a sentence of the catalogue and its values, or with a text that is already one."""

    status = 1

    def __init__(self, message: Message, **values: object) -> None:
        # A text without values, an error of the system for instance, may contain braces.
        if isinstance(message, str) and not values:
            message = message.replace("{", "{{").replace("}", "}}")
        self.message = message
        self.values = values
        super().__init__(self.text("en"))

    def text(self, language: str) -> str:
        return translate(self.message, language, **self.values)


class UsageError(Stop):
    """Is raised when the arguments are at fault; the sentence names the argument and what to write instead."""

    status = 2


class Refused(Stop):
    """Is raised when a command cannot be done: a file, a peer or a rule prevents it."""


def run(program: str, commands: Mapping[str, str], words: Sequence[str], description: str) -> int:
    """Runs the command that `words` name, or lists the commands; returns the exit status. `program`: the words before
    these."""
    name = _chosen(commands, words)
    if name is None:
        return _run_group(program, commands, words, description)
    rest, program = list(words[len(name.split()) :]), f"{program} {name}"
    try:
        module = importlib.import_module(commands[name])
        parser = _parser(program, module) if hasattr(module, "run") else None
    except ModuleNotFoundError as error:
        return _report_missing(program, commands[name], rest, error)
    if parser is None:
        return run(program, module.COMMANDS, rest, module.__doc__ or "")
    return _run_module(program, module, parser.parse_args(rest), rest)


def listing(program: str, commands: Mapping[str, str]) -> str:
    """Returns the list of a level's commands, each with the first line of its docstring; those that are not installed
    are left out."""
    width = max(len(name) for name in commands)
    lines = [f"  {name:{width}}  {line}" for name, module in commands.items() if (line := first_line(module))]
    language = arguments.language()
    head, foot = N_("commands:"), N_("`{program} COMMAND --help` tells more.")
    return "\n".join([translate(head, language), *lines, "", translate(foot, language, program=program)])


def first_line(module: str) -> str:
    """Returns the first line of what a module's docstring says, without its full stop."""
    return help_text(docstring(module)).partition("\n")[0].rstrip(".")


def help_text(text: str | None) -> str:
    """Returns the docstring of a command in the language that was asked for, paragraph by paragraph; what is typed in
    examples stays."""
    language = arguments.language()
    found = []
    for paragraph in inspect.cleandoc(text or "").split("\n\n"):
        head, end, rest = paragraph.partition("\n")
        is_example = head in (N_("example:"), N_("examples:"))
        found.append(plain(head, language) + end + rest if is_example else plain(paragraph, language))
    return "\n\n".join(found)


def docstring(module: str) -> str:
    """Returns the docstring of a module without importing it; an empty text where there is no such file."""
    if module in sys.modules:
        return (sys.modules[module].__doc__ or "").strip()
    top, *rest = module.split(".")
    spec = importlib.util.find_spec(top)
    for folder in (spec.submodule_search_locations if spec else None) or ():
        path = Path(folder, *rest)
        for file in (path / "__init__.py", path.with_name(f"{path.name}.py")):
            if file.is_file():
                return ast.get_docstring(ast.parse(file.read_text(encoding="utf-8"))) or ""
    return ""


def _chosen(commands: Mapping[str, str], words: Sequence[str]) -> str | None:
    return next((name for name in commands if name.split() == list(words[: len(name.split())])), None)


def _run_group(program: str, commands: Mapping[str, str], words: Sequence[str], description: str) -> int:
    """Prints the help or the errors of a level; for `bocage policy keys`, of the commands that begin with `keys`."""
    under = {name.partition(" ")[2]: module for name, module in commands.items() if name.split()[:1] == list(words[:1])}
    if under:
        return run(f"{program} {words[0]}", under, words[1:], "")
    parser = argparse.ArgumentParser(
        prog=program,
        usage=translate(N_("{program} COMMAND [options]"), arguments.language(), program=program),
        description=help_text(description),
        epilog=listing(program, commands),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    # `choices` would print the list twice; a word that gets here is no command.
    parser.add_argument("command", nargs="?", help=argparse.SUPPRESS)
    found = parser.parse_args(words).command  # ends here for --help
    message = N_("there is no command {name}; there are {names}") if found else N_("give a command; there are {names}")
    parser.error(translate(message, arguments.language(), name=repr(found), names=", ".join(commands)))


def _parser(program: str, module: ModuleType) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=program, description=help_text(module.__doc__), formatter_class=argparse.RawDescriptionHelpFormatter
    )
    module.add_arguments(parser)
    with suppress(argparse.ArgumentError):  # the command has a --lang of its own
        parser.add_argument("--lang", choices=LANGUAGES, default=DEFAULT_LANGUAGE, help="language (fr)")
    for action in parser._actions:
        if action.help and action.help != argparse.SUPPRESS:
            action.help = plain(action.help, arguments.language())
    return parser


def _run_module(program: str, module: ModuleType, args: argparse.Namespace, words: Sequence[str]) -> int:
    try:
        return int(module.run(args))
    except Stop as stop:
        print(f"{program}: {stop.text(arguments.language())}", file=sys.stderr)
        return stop.status
    except ModuleNotFoundError as error:  # some packages are imported only when they are needed
        return _report_missing(program, module.__name__, words, error)


def _report_missing(program: str, module: str, words: Sequence[str], missing: ModuleNotFoundError) -> int:
    """Prints one line for a person who lacks a package; with --help, prints the command's help all the same."""
    text = _remedy(program, module, missing)
    if {"-h", "--help"} & set(words):
        print(f"{help_text(docstring(module))}\n\n{text}")
        return 0
    print(f"{program}: {text}", file=sys.stderr)
    return 1


def _remedy(program: str, module: str, missing: ModuleNotFoundError) -> str:
    """Returns the sentence for a missing package. A missing module of our own, other than the command's, is a bug and
    is raised."""
    absent = missing.name or ""
    if f"{module}.".startswith(f"{absent}."):
        return translate(N_("this installation has no {module}"), arguments.language(), module=module)
    top = absent.partition(".")[0]
    if top in _OURS:
        raise missing
    extras = EXTRAS.get(top, ("dev",))  # benchmarks and proofs may need any package of the extra `dev`
    extra = next((word for word in program.split() if word in extras), extras[0])
    message = N_("the Python package {package} is missing; in a checkout: {pip} install --editable '.[{extra}]'")
    return translate(message, arguments.language(), package=repr(top), pip=f"{sys.executable} -m pip", extra=extra)


# --- arguments that many commands have ---------------------------------------------------------------------------


def months(text: str) -> tuple[int, int]:
    """Parses the first and last month of one year, as in 4-9; a type of argparse."""
    first, dash, last = text.partition("-")
    if dash and first.isdecimal() and last.isdecimal() and 1 <= int(first) <= int(last) <= 12:
        return int(first), int(last)
    raise argument_fault(N_("{text} is no pair of months; give the first and the last, as in 4-9"), text=repr(text))


def executable(text: str) -> str:
    """Checks that a program can be started; a type of argparse."""
    if shutil.which(text) is None:
        raise argument_fault(N_("{text} is no program that can be started"), text=text)
    return text


def add_json(parser: argparse.ArgumentParser, text: str = N_("one JSON object instead of a table")) -> None:
    """Adds `--json`, for a program that reads the result."""
    parser.add_argument("--json", action="store_true", help=text)


def print_figures(figures: Mapping[str, Any], *, as_json: bool) -> None:
    """Prints the figures of a benchmark or a proof: a line each, or one JSON object."""
    if as_json:
        print(json.dumps(figures, indent=1))
        return
    width = max(len(name) for name in figures) + 1
    for name, value in figures.items():
        print(f"{name:{width}} {value:,.2f}" if isinstance(value, float) else f"{name:{width}} {value}")
