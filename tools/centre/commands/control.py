"""Serves leases, policies and commands to gateways.

example:
  bocage centre control --db control.db --broker mqtt.example.org:8883 --ca ca.pem --cert control.pem --key control.key
"""

import argparse
import ssl
from pathlib import Path

from gateway.language import N_
from tools.centre.arguments import add_broker, add_file, check_trust, database_faults, parse_broker
from tools.centre.limits import LEASE_S, LEASE_S_MAX, LEASE_S_MIN
from tools.command_line import Refused, UsageError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_file(parser, "the control file, an SQLite file")
    add_broker(parser, "control-1")
    text = N_("longest lease that is granted, in seconds (default: %(default)s)")
    parser.add_argument("--issued", type=Path, metavar="FOLDER", help="certificates that the authority has signed")
    parser.add_argument("--web", metavar="FILE", help="`--data` of `bocage centre web`: orders that people sign there")
    parser.add_argument("--lease-s", type=int, default=LEASE_S, metavar="S", help=text)


def run(args: argparse.Namespace) -> int:
    host, port = parse_broker(args.broker)
    check_trust(args)
    if not LEASE_S_MIN <= args.lease_s <= LEASE_S_MAX:
        message = N_("--lease-s {value}: give {low} to {high} seconds")
        raise UsageError(message, value=args.lease_s, low=LEASE_S_MIN, high=LEASE_S_MAX)
    from tools.centre import mqtt  # needs paho-mqtt, which a fault in the arguments does not
    from tools.centre.control import daemon
    from tools.centre.control.file import Busy

    address = mqtt.BrokerAddress(host, port, args.client_id, args.ca, args.cert, args.key)
    try:
        with database_faults(args.db):
            daemon.run(args.db, address, lease_s=args.lease_s, issued=args.issued, web=args.web)
    except ssl.SSLError as error:
        raise UsageError(f"--ca, --cert, --key: {error}") from error
    except Busy:
        raise Refused(N_("--db {path}: another `bocage centre control` serves this file"), path=args.db) from None
    return 0
