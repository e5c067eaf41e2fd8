"""`bocage centre`: the ingest, questions to its warehouse, and the control centre. Arguments and words, no work."""

import argparse
import json
import sqlite3
import ssl
import sys
from pathlib import Path

from tools.centre import export
from tools.centre.arguments import UsageError, add_broker, add_command, check_trust, parse_broker, parse_gateway
from tools.centre.control import arguments as control_arguments
from tools.centre.ingest.warehouse import Warehouse
from tools.centre.store.archive import Archive
from wire import limits

_EXAMPLES = {
    "ingest": "bocage centre ingest --db centre.db --broker mqtt.example.org:8883"
    " --ca ca.pem --cert ingest.pem --key ingest.key",
    "stats": "bocage centre stats --db centre.db --json",
    "export": "bocage centre export --db centre.db --format csv --node 0011223344556677 > lamp.csv",
    "unbind": "bocage centre unbind --db centre.db --gateway 49007-mairie-1",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The sub-commands of `bocage centre`."""
    commands = parser.add_subparsers(dest="centre_command", required=True, metavar="COMMAND")
    ingest = _command(commands, "ingest", "take records from the broker into the warehouse")
    add_broker(ingest, "ingest-1")
    ingest.add_argument(
        "--share", default="ingest", help="group of ingests that divide the messages (default: %(default)s)"
    )
    stats = _command(commands, "stats", "what the warehouse holds, and what it lacks")
    stats.add_argument("--json", action="store_true", help="for programs")
    exporting = _command(commands, "export", "records as SenML JSON (RFC 8428) or CSV, on stdout")
    exporting.add_argument("--format", choices=("senml", "csv"), default="senml")
    exporting.add_argument("--node", metavar="HEX", help="one node only, by its id of 16 hexadecimal digits")
    unbind = _command(commands, "unbind", "let another gateway take a name, after a replacement or a move")
    unbind.add_argument("--gateway", required=True, metavar="INSEE-NAME", help="as in its certificate")
    control_arguments.add_commands(commands)


def run(args: argparse.Namespace) -> int:
    """The exit status: 0 done, 1 the world refused, 2 the arguments did."""
    commands = {"ingest": _ingest, "stats": _stats, "export": _export, "unbind": _unbind}
    try:
        return commands.get(args.centre_command, _control)(args)
    except UsageError as error:
        print(f"bocage centre: {error}", file=sys.stderr)
        return 2
    except sqlite3.Error as error:
        print(f"bocage centre: --db {args.db}: {error}", file=sys.stderr)
        return 1
    except BrokenPipeError:
        # The reader of the export has seen enough; keep the interpreter from flushing into the closed pipe.
        sys.stdout = None
        return 0


def _command(commands, name, text):
    return add_command(commands, name, text, _EXAMPLES[name], "the warehouse, an SQLite file")


def _ingest(args) -> int:
    host, port = parse_broker(args.broker)
    check_trust(args)
    # Imported here: the other commands work where paho-mqtt is not installed.
    try:
        from tools.centre.ingest import ingest
    except ModuleNotFoundError as error:
        raise UsageError(f"{error.name or error}: the ingest needs paho-mqtt 2.1 or later; install it") from error
    broker = ingest.Broker(host, port, args.client_id, args.ca, args.cert, args.key, args.share)
    try:
        ingest.run(args.db, broker)
    except ssl.SSLError as error:
        raise UsageError(f"--ca, --cert, --key: {error}") from error
    return 0


def _control(args) -> int:
    """The commands of the control centre, which need the package cryptography."""
    try:
        from tools.centre.control import cli as control_cli
        from tools.centre.control import order_cli
    except ModuleNotFoundError as error:
        raise UsageError(f"{error.name or error}: the control centre needs it; install 'bocage[centre]'") from error
    commands = {
        "control": control_cli.run_control,
        "policy": control_cli.run_policy,
        "commands": control_cli.run_commands,
        "gateways": control_cli.run_gateways,
    }
    return commands.get(args.centre_command, order_cli.run)(args)


def _open(args) -> Archive:
    if not Path(args.db).is_file():
        raise UsageError(f"--db {args.db}: no such file; `bocage centre ingest` makes it")
    return Archive.open(args.db)


def _stats(args) -> int:
    archive = _open(args)
    figures = statistics(archive)
    archive.close()
    if args.json:
        print(json.dumps(figures, indent=2))
        return 0
    for name in ("records", "duplicates", "conflicts", "refused", "gaps", "missing"):
        print(f"{name:<12}{figures[name]:>12}")
    for lane, count in figures["records_by_lane"].items():
        print(f"  {lane:<10}{count:>12}")
    for gateway in figures["gateways"]:
        print(f"gateway {gateway['insee']}-{gateway['name']}  {gateway['id']}")
        for prefix in gateway["prefixes"]:
            ahead = "".join(f"  ahead {first}-{last}" for first, last in prefix["ahead"])
            print(f"  {prefix['epoch']} {prefix['lane']:<10}{prefix['next_position']:>12}{ahead}")
    for alarm in figures["alarms"]:
        print(f"alarm {alarm['kind']} {alarm['subject']} x{alarm['times']}")
    return 0


def statistics(archive: Archive) -> dict:
    """What `stats --json` prints. `missing` counts identities that neither came nor are explained."""
    prefixes = archive.prefixes()
    return {
        **archive.counters,
        "records_by_lane": archive.records_by_lane(),
        "gaps": len(archive.gaps()),
        "missing": sum(last - first + 1 for _, _, first, last in archive.missing_all()),
        "gateways": [
            {
                "id": identity.hex(),
                "insee": insee,
                "name": name,
                "bound": bound,
                "prefixes": [
                    {
                        "epoch": prefix.epoch.hex(),
                        "lane": prefix.lane,
                        "next_position": prefix.next_position,
                        "ahead": prefix.ahead,
                    }
                    for prefix in prefixes
                    if (prefix.gateway, prefix.insee, prefix.name) == (identity, insee, name)
                ],
            }
            for identity, insee, name, bound in archive.gateways()
        ],
        "alarms": [
            {"kind": kind, "subject": subject, "first_unix_s": first, "last_unix_s": last, "times": times}
            for kind, subject, first, last, times in archive.alarms()
        ],
    }


def _export(args) -> int:
    node = None
    if args.node is not None:
        try:
            node = bytes.fromhex(args.node)
        except ValueError:
            node = b""
        if len(node) != limits.NODE_ID_BYTES:
            raise UsageError(f"--node {args.node}: give the id's 16 hexadecimal digits")
    write = export.write_csv if args.format == "csv" else export.write_senml
    archive = _open(args)
    write(archive, sys.stdout, node)
    archive.close()
    return 0


def _unbind(args) -> int:
    insee, name = parse_gateway("--gateway", args.gateway)
    _open(args).close()
    warehouse = Warehouse(args.db)
    found = warehouse.unbind(insee, name)
    warehouse.close()
    if not found:
        raise UsageError(f"--gateway {args.gateway}: no such gateway is bound; see `bocage centre stats`")
    return 0


def main() -> int:
    """`python -m tools.centre.cli`: the same without the rest of `bocage`."""
    parser = argparse.ArgumentParser(prog="bocage centre", description=__doc__)
    add_arguments(parser)
    return run(parser.parse_args())


if __name__ == "__main__":
    sys.exit(main())
