"""Holds what the commands of `bocage policy` share: arguments, reading a policy of any form, printing faults and
results."""

import argparse
import datetime
import getpass
import sys
from collections.abc import Callable
from pathlib import Path

from gateway.language import N_
from gateway.language.arguments import argument_fault
from policy import document, limits
from policy.document import Policy
from policy.keyset import KeySet
from tools.policy import files
from tools.policy.compiler import Compiled, compile_text
from tools.policy.words import Refused, word
from wire import topic
from wire.line import is_line

FAULTY = 1  # exit status: a fault in a file


def add_out(parser: argparse.ArgumentParser, text: str = "the file to write") -> None:
    parser.add_argument("--out", type=Path, required=True, metavar="FILE", help=text)


def add_commune(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--commune", type=_insee, required=True, metavar="INSEE", help="five characters, such as 49135")


def add_warehouse(parser: argparse.ArgumentParser, option: str) -> None:
    text = N_("a warehouse whose receipts count: the file of `bocage centre receipt-key`")
    parser.add_argument(option, type=Path, action="append", default=[], metavar="FILE.pub", help=text)


def _insee(text: str) -> str:
    if not topic.is_insee(text):
        raise argument_fault(N_("{text} is no INSEE code; give five characters, such as 49135"), text=repr(text))
    return text


def person_name(text: str) -> str:
    """Checks the name of a person or office; a type of argparse."""
    if not is_line(text, limits.name_bytes_max):
        raise argument_fault(N_("give 1 to {high} bytes, without space at an end"), high=limits.name_bytes_max)
    return text


def date(text: str) -> datetime.date:
    """Parses the date of an evening; a type of argparse."""
    try:
        day = datetime.date.fromisoformat(text)
    except ValueError:
        raise argument_fault(N_("{text} is no date; give YYYY-MM-DD"), text=repr(text)) from None
    if not limits.year_min < day.year < limits.year_max:
        low, high = limits.year_min + 1, limits.year_max - 1
        raise argument_fault(N_("give a year from {low} to {high}"), low=low, high=high)
    return day


def compiled_file(path: Path) -> Compiled:
    """Compiles the TOML file at `path`."""
    try:
        return compile_text(files.read(path).decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise Refused("not_text", path=path) from None


def policy_of(path: Path, language: str) -> tuple[Policy | None, tuple[str, ...]]:
    """Returns the policy of a TOML, compiled or signed file; None after its faults have been printed."""
    found = files.recognise(files.read(path))
    if found is not None:
        if not isinstance(found.content, Policy):
            raise Refused("not_policy", path=path)
        return found.content, ()
    compiled = compiled_file(path)
    if compiled.policy is None:
        print_faults(path, compiled, language)
    return compiled.policy, compiled.calendars


def print_faults(path: Path, compiled: Compiled, language: str) -> None:
    for one in compiled.faults:
        where = f" {one.where}:" if one.where else ""
        print(f"{path}:{one.line}:{where} {one.problem(language)}", file=sys.stderr)
        print(f"  {word('to_do', language, text=one.remedy(language))}", file=sys.stderr)
    print(word("faults", language, count=len(compiled.faults), path=path), file=sys.stderr)


def print_sound(path: Path, policy: Policy, language: str) -> None:
    print(
        word(
            "sound",
            language,
            path=path,
            version=policy.version,
            insee=policy.insee,
            nights=round((policy.valid_until_s - policy.valid_from_s) / 86_400),
            feeders=len(policy.lighting.feeders),
            bytes=len(document.encode(policy)),
        )
    )


def warn_of_missing_keys(made: KeySet, language: str) -> None:
    if len(made.keys) == made.threshold:
        print(word("keyset_spare", language, count=len(made.keys), threshold=made.threshold))
    if not made.warehouses:
        print(word("keyset_no_warehouse", language))


def write(path: Path, data: bytes, language: str) -> None:
    files.write(path, data)
    print(word("written", language, path=path, bytes=len(data)))


def passphrase_prompt(language: str) -> Callable[[Path], bytes]:
    """Returns a function that asks a person for the passphrase of a key."""
    return lambda path: getpass.getpass(word("ask_passphrase", language, path=path)).encode()
