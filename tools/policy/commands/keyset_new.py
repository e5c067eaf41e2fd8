"""Makes a commune's first set of keys.

example:
  bocage policy keyset new --commune 49135 --member maire.pub --member adjoint.pub --member coffre.pub
      --warehouse entrepot.pub --out commune.keys
"""

import argparse
from pathlib import Path

from gateway.language import N_
from policy import keyset, limits
from tools.policy import keys
from tools.policy.arguments import add_commune, add_out, add_warehouse, warn_of_missing_keys, write
from tools.policy.words import word


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_commune(parser)
    parser.add_argument(
        "--member", type=Path, action="append", required=True, metavar="FILE.pub", help="once for each person"
    )
    add_warehouse(parser, "--warehouse")
    text = N_("how many must sign the next set (default: %(default)s)")
    parser.add_argument("--threshold", type=int, default=limits.threshold_min, help=text)
    add_out(parser)


def run(args: argparse.Namespace) -> int:
    members = [keys.load_member(path) for path in args.member]
    warehouses = [keys.load_warehouse(path) for path in args.warehouse]
    made = keys.first_set(args.commune, members, warehouses, args.threshold)
    write(args.out, keyset.encode(made), args.lang)
    print(word("keyset_install", args.lang, path=args.out))
    warn_of_missing_keys(made, args.lang)
    return 0
