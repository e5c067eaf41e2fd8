"""Receives records from the broker and stores them in the warehouse.

example:
  bocage centre ingest --db centre.db --broker mqtt.example.org:8883 --ca ca.pem --cert ingest.pem --key ingest.key
"""

import argparse
import ssl

from tools.centre.arguments import add_broker, add_warehouse, check_pair, check_trust, database_faults, parse_broker
from tools.centre.commands.receipt_key import add_receipt_key, receipt_key
from tools.command_line import UsageError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_warehouse(parser)
    add_broker(parser, "ingest-1")
    text = "of the session that receives alarms, where a certificate is one session (default: --{})"
    parser.add_argument("--alarms-cert", metavar="FILE", help=text.format("cert"))
    parser.add_argument("--alarms-key", metavar="FILE", help=text.format("key"))
    add_receipt_key(parser)


def run(args: argparse.Namespace) -> int:
    host, port = parse_broker(args.broker)
    check_trust(args)
    check_pair("alarms-", args.alarms_cert, args.alarms_key)
    from tools.centre.ingest import daemon  # needs paho-mqtt, which a fault in the arguments does not
    from tools.centre.mqtt import BrokerAddress

    account = BrokerAddress(host, port, args.client_id, args.ca, args.cert, args.key)
    alarms_pair = (args.alarms_cert, args.alarms_key) if args.alarms_cert else None
    try:
        with database_faults(args.db):
            daemon.run(args.db, receipt_key(args), daemon.accounts(account, alarms_pair))
    except ssl.SSLError as error:
        raise UsageError(f"--ca, --cert, --key, --alarms-cert, --alarms-key: {error}") from error
    return 0
