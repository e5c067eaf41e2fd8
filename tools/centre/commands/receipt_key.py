"""Writes the public key by which gateways know the warehouse's receipts, for the communes' key sets.

example:
  bocage centre receipt-key --db centre.db --name "Entrepôt du syndicat" --out entrepot.pub
"""

import argparse
from pathlib import Path

from gateway.language import N_, translate
from gateway.language.reasons import of_file
from tools.centre.arguments import add_warehouse
from tools.centre.ingest import receipts
from tools.centre.store import database
from tools.command_line import Refused, UsageError
from tools.policy import keys
from tools.policy.arguments import person_name


def add_receipt_key(parser: argparse.ArgumentParser) -> None:
    """Adds `--receipt-key`, the file of the private half."""
    text = N_("private key that signs receipts, made at the first start (default: the --db file with .receipts.pem)")
    parser.add_argument("--receipt-key", type=Path, metavar="FILE", help=text)


def receipt_key(args: argparse.Namespace) -> receipts.ReceiptKey:
    """Returns the key that signs receipts; it is made where there is none."""
    if args.receipt_key is None and database.is_server(args.db):
        raise UsageError(N_("--receipt-key: say in which file of this machine the key is, for --db is on a server"))
    path = args.receipt_key or receipts.default_path(args.db)
    try:
        return receipts.load_or_make(path)
    except OSError as error:
        raise Refused(N_("--receipt-key {path}: {why}"), path=path, why=of_file(error)) from error
    except receipts.Unusable as error:
        raise Refused(str(error), path=path) from error


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_warehouse(parser)
    add_receipt_key(parser)
    text = N_("what the people who sign the key set read, such as the warehouse's owner")
    parser.add_argument("--name", type=person_name, required=True, help=text)
    parser.add_argument("--out", type=Path, metavar="FILE.pub", help="the file to write (default: it is printed)")


def run(args: argparse.Namespace) -> int:
    line = keys.warehouse_line(keys.Warehouse(receipt_key(args).public, args.name))
    if args.out is None:
        print(line, end="")
        return 0
    try:
        args.out.write_text(line, encoding="utf-8")
    except OSError as error:
        raise Refused(N_("--out {path}: {why}"), path=args.out, why=of_file(error)) from error
    message = N_("to be named in each commune's key set (bocage policy keyset): {path}")
    print(translate(message, args.lang, path=args.out))
    return 0
