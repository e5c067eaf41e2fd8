"""A commune's lighting policy: written as TOML, checked, looked at night by night, signed.

  bocage policy sample > feneu.toml                      a whole policy with comments, to start from
  bocage policy check feneu.toml                         every fault, with its line and what to write instead
  bocage policy night feneu.toml --date 2027-07-14       when each feeder is lit that night
  bocage policy keys new --commune 49135 --name Maire --out maire.key
  bocage policy keyset new --commune 49135 --member maire.pub --member adjoint.pub --member coffre.pub \\
      --out commune.keys
  bocage policy compile feneu.toml --out feneu.policy
  bocage policy sign feneu.policy --key maire.key --out feneu.signed
  bocage policy show feneu.signed --keyset commune.keys

Exit status: 0 done, 1 a fault in a file or a refusal, 2 a fault in the arguments.
"""

import argparse
import datetime
import sys
from pathlib import Path

from policy import limits
from tools.policy import actions
from tools.policy.refused import Refused
from wire import topic
from wire.line import is_line

_EXAMPLES = {
    "sample": "bocage policy sample > feneu.toml",
    "check": "bocage policy check feneu.toml",
    "night": "bocage policy night feneu.toml --date 2027-07-14",
    "compile": "bocage policy compile feneu.toml --out feneu.policy",
    "sign": "bocage policy sign feneu.policy --key maire.key --keyset commune.keys --out feneu.signed",
    "show": "bocage policy show feneu.signed --keyset commune.keys",
    "keys new": "bocage policy keys new --commune 49135 --name Maire --out maire.key",
    "keyset new": "bocage policy keyset new --commune 49135 --member maire.pub --member adjoint.pub"
    " --member coffre.pub --out commune.keys",
    "keyset change": "bocage policy keyset change --from commune.keys --remove Maire --add maire-2.pub"
    " --key adjoint.key --key coffre.key --out commune-2.keys",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The sub-commands of `bocage policy`."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    commands = parser.add_subparsers(dest="policy_command", required=True, metavar="COMMAND")
    _command(commands, "sample", "print a whole policy with comments, to start from", actions.sample)
    check = _command(commands, "check", "say every fault of a policy's text", actions.check)
    check.add_argument("file", type=Path, metavar="FILE.toml")
    check.add_argument("--json", action="store_true", help="for programs")
    night = _command(commands, "night", "say when each feeder is lit in one night", actions.night)
    night.add_argument("file", type=Path, metavar="FILE", help="TOML, compiled or signed")
    night.add_argument("--date", type=_date, required=True, metavar="YYYY-MM-DD", help="of the evening")
    night.add_argument("--json", action="store_true", help="for programs")
    compiling = _command(commands, "compile", "turn a policy's text into the document that is signed", actions.compile)
    compiling.add_argument("file", type=Path, metavar="FILE.toml")
    _out(compiling)
    sign = _command(commands, "sign", "sign a policy, or add a signature to a key set", actions.sign)
    sign.add_argument("file", type=Path, metavar="FILE", help="of `compile` or `keyset change`")
    sign.add_argument("--key", type=Path, required=True, metavar="FILE", help="the signer's private key")
    sign.add_argument("--keyset", type=Path, metavar="FILE", help="the set in force: refuse a key that is not in it")
    _out(sign)
    show = _command(commands, "show", "say what a policy or key set holds, and by whom it is signed", actions.show)
    show.add_argument("file", type=Path, metavar="FILE")
    show.add_argument("--keyset", type=Path, metavar="FILE", help="the set in force: check the signatures")
    _add_keys(commands)
    _add_keyset(commands)


def run(args: argparse.Namespace) -> int:
    """The exit status: 0 done, 1 a fault in a file or a refusal."""
    try:
        return args.action(args)
    except Refused as refused:
        print(f"bocage policy: {refused.text(args.lang)}", file=sys.stderr)
        return 1


def _add_keys(commands) -> None:
    keys = commands.add_parser("keys", help="keys of people").add_subparsers(
        dest="keys_command", required=True, metavar="COMMAND"
    )
    new = _command(keys, "new", "make a pair of keys for one person", actions.keys_new, "keys new")
    new.add_argument("--commune", type=_insee, required=True, metavar="INSEE", help="five characters, such as 49135")
    new.add_argument("--name", type=_name, required=True, help="of the person or office, as others will read it")
    new.add_argument("--encrypt", action="store_true", help="ask for a passphrase and keep the key under it")
    _out(new, "the private key; the public one is written beside it (.pub)")


def _add_keyset(commands) -> None:
    keyset = commands.add_parser("keyset", help="the set of keys of a commune").add_subparsers(
        dest="keyset_command", required=True, metavar="COMMAND"
    )
    new = _command(keyset, "new", "make a commune's first set of keys", actions.keyset_new, "keyset new")
    new.add_argument("--commune", type=_insee, required=True, metavar="INSEE", help="five characters, such as 49135")
    new.add_argument(
        "--member", type=Path, action="append", required=True, metavar="FILE.pub", help="once for each person"
    )
    new.add_argument(
        "--threshold",
        type=int,
        default=limits.threshold_min,
        help="how many must sign the next set (default: %(default)s)",
    )
    _out(new)
    change = _command(
        keyset, "change", "make the set that follows, signed by several", actions.keyset_change, "keyset change"
    )
    change.add_argument("--from", type=Path, required=True, dest="basis", metavar="FILE", help="the set in force")
    change.add_argument("--add", type=Path, action="append", default=[], metavar="FILE.pub")
    change.add_argument(
        "--remove", action="append", default=[], metavar="WHO", help="by name, or by short name in hexadecimal"
    )
    change.add_argument("--threshold", type=int, help="how many must sign the set after that (default: as before)")
    change.add_argument(
        "--key", type=Path, action="append", required=True, metavar="FILE", help="private key, once for each signer"
    )
    _out(change)


def _command(commands, name, text, action, full_name=None):
    parser = commands.add_parser(
        name,
        help=text,
        description=text[0].upper() + text[1:] + ".",
        epilog=f"example:\n  {_EXAMPLES[full_name or name]}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--lang", choices=("fr", "en"), default="fr", help="language (fr)")
    parser.set_defaults(action=action)
    return parser


def _out(parser, text="the file to write") -> None:
    parser.add_argument("--out", type=Path, required=True, metavar="FILE", help=text)


def _date(text: str) -> datetime.date:
    try:
        day = datetime.date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no date; give YYYY-MM-DD") from None
    if not limits.year_min < day.year < limits.year_max:
        raise argparse.ArgumentTypeError(f"give a year from {limits.year_min + 1} to {limits.year_max - 1}")
    return day


def _insee(text: str) -> str:
    if not topic.is_insee(text):
        raise argparse.ArgumentTypeError(f"{text!r} is no INSEE code; give five characters, such as 49135")
    return text


def _name(text: str) -> str:
    if not is_line(text, limits.name_bytes_max):
        raise argparse.ArgumentTypeError(f"give 1 to {limits.name_bytes_max} bytes, without space at an end")
    return text


def main() -> int:
    """`python -m tools.policy.cli`: the same without the rest of `bocage`."""
    parser = argparse.ArgumentParser(prog="bocage policy", description=__doc__)
    add_arguments(parser)
    return run(parser.parse_args())


if __name__ == "__main__":
    sys.exit(main())
