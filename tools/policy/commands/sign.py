"""Signs a policy, or adds a signature to a key set.

example:
  bocage policy sign feneu.policy --key maire.key --keyset commune.keys --out feneu.signed
"""

import argparse
from pathlib import Path

from tools.policy import files, keys
from tools.policy.arguments import add_out, passphrase_prompt, write
from tools.policy.description import summary
from tools.policy.words import word


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path, metavar="FILE", help="of `compile` or `keyset change`")
    parser.add_argument("--key", type=Path, required=True, metavar="FILE", help="the signer's private key")
    parser.add_argument("--keyset", type=Path, metavar="FILE", help="the set in force: refuse a key that is not in it")
    add_out(parser)


def run(args: argparse.Namespace) -> int:
    found = files.load(args.file)
    in_force = files.load_keyset(args.keyset) if args.keyset else None
    signer = keys.load_signer(args.key, passphrase_prompt(args.lang))
    signed = keys.sign(found, signer, in_force)
    assert found.content is not None  # what has a fault is not signed
    print("\n".join(summary(found.content, args.lang)))
    write(args.out, signed, args.lang)
    print(word("signed_by", args.lang, kid=signer.kid.hex()))
    return 0
