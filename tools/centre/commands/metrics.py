"""Serves the centre's figures as OpenMetrics: ingests, broker, roll-up, disk, certificates, backup.

On this machine only, unless --bind says otherwise: there is no password.

example:
  bocage centre metrics --db warehouse.db --broker localhost:8883 --ca ca.pem --cert metrics.pem --key metrics.key
"""

import argparse
import signal
import ssl
import threading

from tools.centre.arguments import add_broker, add_root, add_warehouse, check_trust, parse_broker
from tools.command_line import UsageError

_BIND = "127.0.0.1:9465"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_warehouse(parser)
    add_broker(parser, "metrics-1")
    parser.add_argument("--bind", default=_BIND, metavar="HOST:PORT", help="where it listens (default: %(default)s)")
    add_root(parser)


def run(args: argparse.Namespace) -> int:
    host, port = parse_broker(args.broker)
    bind = parse_broker(args.bind, "--bind")
    check_trust(args)
    from tools.centre.broker import installation, metrics
    from tools.centre.broker.files import Place
    from tools.centre.mqtt import BrokerAddress, log

    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    address = BrokerAddress(host, port, args.client_id, args.ca, args.cert, args.key)
    with installation.faults():
        try:
            broker = metrics.BrokerFigures(address)
        except ssl.SSLError as error:
            raise UsageError(f"--ca, --cert, --key: {error}") from error
        served = metrics.serve(metrics.CentreCollector(Place(args.root), args.db, broker), bind)
    log("serving", bind=f"{served[0]}:{served[1]}")
    ended.wait()
    broker.close()
    return 0
