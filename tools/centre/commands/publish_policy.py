"""Checks a signed policy, or a commune's keys, and has them sent to its cabinets.

example:
  bocage centre policy publish --db control.db --policy feneu.policy --keyset feneu.keys
"""

import argparse
import sys
import time

from gateway.language import N_
from policy.fault import Fault
from tools.centre.arguments import add_file, database_faults
from tools.centre.control import communes, file, gateways
from tools.centre.control.order_words import word
from tools.centre.store import database, sqlite_file
from tools.command_line import UsageError
from wire import command


class _NotAccepted(Exception):
    """Is raised for a file that is not accepted; holds its faults."""

    def __init__(self, path: str, faults: tuple[Fault, ...]) -> None:
        super().__init__(path)
        self.path = path
        self.faults = faults


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_file(parser, "the control file, an SQLite file")
    parser.add_argument("--policy", metavar="FILE", help="as `bocage policy sign` wrote it")
    text = N_("the commune's keys: the first set as in the cabinets, a later one signed by its holders")
    parser.add_argument("--keyset", metavar="FILE", help=text)


def run(args: argparse.Namespace) -> int:
    """Checks the files and keeps them; the daemon publishes."""
    if args.policy is None and args.keyset is None:
        raise UsageError(N_("--policy, --keyset: give one of them, or both"))
    files = {path: _read(field, path) for field, path in (("--keyset", args.keyset), ("--policy", args.policy)) if path}
    with database_faults(args.db):
        connection = file.open_to_write(args.db)
        try:
            with database.transaction(connection):  # both or neither
                lines = _keep(connection, args, files)
        except _NotAccepted as refused:
            print(word("policy.refused", args.lang, file=refused.path), file=sys.stderr)
            for fault in refused.faults:
                print(f"  {fault.path}: {fault.problem}; {fault.remedy}", file=sys.stderr)
            return 1
        finally:
            connection.close()
    print("\n".join(lines))
    if file.serving_daemon(args.db) is None:
        print(word("policy.no_daemon", args.lang), file=sys.stderr)
    return 0


def _read(field: str, path: str) -> bytes:
    """Returns a file's bytes, at most one byte more than the longest that can be accepted."""
    try:
        with open(path, "rb") as opened:
            return opened.read(command.SIGNED_POLICY_BYTES_MAX + 1)
    except OSError as error:
        raise UsageError(f"{field} {path}: {error.strerror}") from error


def _keep(connection: sqlite_file.Connection, args: argparse.Namespace, files: dict[str, bytes]) -> list[str]:
    now_s = int(time.time())
    lines = []
    if args.keyset:
        one, faults = communes.accept_keyset(connection, files[args.keyset], now_s=now_s)
        if one is None:
            raise _NotAccepted(args.keyset, faults)
        names = ", ".join(name for _, name in one.keys)
        lines.append(word("policy.keyset", args.lang, insee=one.insee, version=one.version, names=names))
    if args.policy:
        held, faults = communes.accept_policy(connection, files[args.policy], now_s=now_s)
        if held is None:
            raise _NotAccepted(args.policy, faults)
        values = {"version": held.policy.version, "insee": held.policy.insee, "name": held.signer}
        lines.append(word("policy.kept", args.lang, authority=held.policy.authority, text=held.policy.text, **values))
        version = held.policy.version
        seen = gateways.list_gateways(connection, held.policy.insee)
        # After the centre has lost its control file: gateways refuse a version that they already hold.
        ahead = [one.name for one in seen if one.policy_version is not None and one.policy_version >= version]
        if ahead:
            lines.append(word("policy.ahead", args.lang, names=", ".join(ahead), version=version))
    return lines
