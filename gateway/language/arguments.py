"""Gives every command line its sentences about wrong arguments, in the language that `--lang` asks for.

`argparse` speaks English, and it finds a fault before a command knows its language. So `language_of` looks for `--lang`
first, and lends `argparse` the catalogue for as long as the command runs. It stands here because the simulator, which
imports nothing of the tools' command line, has arguments too.
"""

import argparse
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from gateway.language import DEFAULT_LANGUAGE, LANGUAGES, N_, translate

# What argparse says of arguments; it looks each sentence up in the module's own `_`.
_ARGPARSE = (
    N_("%(prog)s: error: %(message)s\n"),
    N_("argument %(argument_name)s: %(message)s"),
    N_("the following arguments are required: %s"),
    N_("unrecognized arguments: %s"),
    N_("invalid choice: %(value)r (choose from %(choices)s)"),
    N_("invalid %(type)s value: %(value)r"),
    N_("expected one argument"),
    N_("expected at least one argument"),
    N_("not allowed with argument %s"),
    N_("one of the arguments %s is required"),
    N_("ambiguous option: %(option)s could match %(matches)s"),
    N_("usage: "),
    N_("options"),
    N_("positional arguments"),
    N_("show this help message and exit"),
)
_language = DEFAULT_LANGUAGE


@contextmanager
def language_of(words: Sequence[str]) -> Iterator[None]:
    """Says faults, argparse's too, in the language that `--lang` asks for, as long as the context lasts."""
    global _language
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument("--lang", nargs="?")
    asked = parser.parse_known_args(words)[0].lang
    before = _language, argparse._  # type: ignore[attr-defined]
    _language = asked if asked in LANGUAGES else DEFAULT_LANGUAGE
    argparse._ = _argparse_text  # type: ignore[attr-defined]
    try:
        yield
    finally:
        _language, argparse._ = before  # type: ignore[attr-defined]


def language() -> str:
    """Returns the language of the command that runs."""
    return _language


def _argparse_text(text: str) -> str:
    return translate(text, _language) if text in _ARGPARSE else text


def argument_fault(message: str, **values: object) -> argparse.ArgumentTypeError:
    """Returns the exception for the `type` of an argument to raise."""
    return argparse.ArgumentTypeError(translate(message, _language, **values))


def whole(low: int, high: int) -> Callable[[str], int]:
    """Returns a type of argparse: an integer from `low` to `high`."""

    def read(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            value = low - 1
        if not low <= value <= high:
            message = N_("{text} is no whole number from {low} to {high}")
            raise argument_fault(message, text=repr(text), low=low, high=high)
        return value

    return read
