"""Makes a pair of keys for one person.

example:
  bocage policy keys new --commune 49135 --name Maire --out maire.key
"""

import argparse
import getpass
from pathlib import Path

from tools.policy import keys
from tools.policy.arguments import add_commune, add_out, person_name
from tools.policy.words import Refused, word
from wire import cose


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_commune(parser)
    parser.add_argument("--name", type=person_name, required=True, help="of the person or office, as others read it")
    parser.add_argument("--encrypt", action="store_true", help="ask for a passphrase and keep the key under it")
    add_out(parser, "the private key; the public one is written beside it (.pub)")


def run(args: argparse.Namespace) -> int:
    passphrase = _new_passphrase(args.out, args.lang) if args.encrypt else None
    member = keys.make(args.out, args.commune, args.name, passphrase)
    print(word("key_made", args.lang, path=args.out))
    print(word("key_public", args.lang, public=member.key.hex()))
    print(word("key_kid", args.lang, kid=cose.kid_of(member.key).hex()))
    print(word("key_send", args.lang, path=keys.public_path(args.out)))
    return 0


def _new_passphrase(path: Path, language: str) -> bytes:
    first = getpass.getpass(word("ask_passphrase", language, path=path))
    if getpass.getpass(word("ask_again", language)) != first:
        raise Refused("passphrases")
    return first.encode()
