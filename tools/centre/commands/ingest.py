"""Receives records from the broker and stores them in the warehouse.

example:
  bocage centre ingest --db centre.db --broker mqtt.example.org:8883 --ca ca.pem --cert ingest.pem --key ingest.key
"""

import argparse
import ssl

from tools.centre.arguments import add_broker, add_warehouse, check_trust, database_faults, parse_broker
from tools.centre.commands.receipt_key import add_receipt_key, receipt_key
from tools.command_line import UsageError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_warehouse(parser)
    add_broker(parser, "ingest-1")
    parser.add_argument(
        "--share", default="ingest", help="group of ingests that divide the messages (default: %(default)s)"
    )
    add_receipt_key(parser)


def run(args: argparse.Namespace) -> int:
    host, port = parse_broker(args.broker)
    check_trust(args)
    from tools.centre.ingest import daemon  # needs paho-mqtt, which a fault in the arguments does not

    broker = daemon.BrokerShare(host, port, args.client_id, args.ca, args.cert, args.key, args.share)
    try:
        with database_faults(args.db):
            daemon.run(args.db, receipt_key(args), broker)
    except ssl.SSLError as error:
        raise UsageError(f"--ca, --cert, --key: {error}") from error
    return 0
