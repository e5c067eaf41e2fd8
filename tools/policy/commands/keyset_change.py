"""Makes the set of keys that replaces the one in force, signed by several people.

example:
  bocage policy keyset change --from commune.keys --remove Maire --add maire-2.pub --key adjoint.key
      --key coffre.key --out commune-2.keys
"""

import argparse
from pathlib import Path

from gateway.language import N_
from tools.policy import files, keys
from tools.policy.arguments import add_out, add_warehouse, passphrase_prompt, warn_of_missing_keys, write
from tools.policy.words import word


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--from", type=Path, required=True, dest="basis", metavar="FILE", help="the set in force")
    parser.add_argument("--add", type=Path, action="append", default=[], metavar="FILE.pub")
    text = N_("by name, or by short name in hexadecimal")
    parser.add_argument("--remove", action="append", default=[], metavar="WHO", help=text)
    add_warehouse(parser, "--add-warehouse")
    parser.add_argument("--remove-warehouse", action="append", default=[], metavar="WHO", help=text)
    parser.add_argument("--threshold", type=int, help="how many must sign the set after that (default: as before)")
    text = N_("private key, once for each signer")
    parser.add_argument("--key", type=Path, action="append", required=True, metavar="FILE", help=text)
    add_out(parser)


def run(args: argparse.Namespace) -> int:
    in_force = files.load_keyset(args.basis)
    following = keys.next_set(
        in_force,
        add=[keys.load_member(path) for path in args.add],
        remove=args.remove,
        add_warehouses=[keys.load_warehouse(path) for path in args.add_warehouse],
        remove_warehouses=args.remove_warehouse,
        threshold=args.threshold,
    )
    signers = [keys.load_signer(path, passphrase_prompt(args.lang)) for path in args.key]
    write(args.out, keys.sign_set(following, signers, in_force), args.lang)
    print(word("signatures", args.lang, count=len(signers), threshold=in_force.threshold))
    if len(signers) < in_force.threshold:
        print(word("signatures_more", args.lang, path=args.out))
    warn_of_missing_keys(following, args.lang)
    return 0
