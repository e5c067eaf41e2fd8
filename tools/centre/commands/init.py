"""Makes this machine the centre of a territory: its own authority, a broker with TLS 1.3, a role each, the services.

Give the names and addresses by which cabinets reach it. It may be given again: what is there stays, what is missing is
made, what ends soon is renewed. With --root it is a trial, and nothing of the system is touched.

example:
  sudo bocage centre init centre.example.fr
  sudo bocage centre init centre.example.fr --ingests 2      # two processes share the reception of records
  sudo bocage centre init centre.example.fr --db postgresql:///bocage
"""

import argparse
import re
from pathlib import Path

from gateway.language import N_, translate
from tools.centre.arguments import add_root, add_server, check_server, database_faults
from tools.centre.commands.web import AT
from tools.centre.limits import INGESTS_MAX
from tools.command_line import UsageError

# IANA: secure-mqtt.
_PORT = 8883
_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.:-]{0,251}[A-Za-z0-9])?")
_RUNS = N_("The centre runs; cabinets reach it at {name}:{port}.")
_WRITTEN = N_("The files are written; start the broker with them (sudo systemctl restart mosquitto).")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("names", nargs="+", metavar="NAME", help="name or address of this machine, as cabinets see it")
    parser.add_argument("--port", type=int, default=_PORT, help="another port, for a trial (default: %(default)s)")
    parser.add_argument("--ingests", type=int, metavar="COUNT", help="processes that share the reception of records")
    add_server(parser, "where the warehouse is to be (default: a file, or where it is)")
    add_root(parser)


def run(args: argparse.Namespace) -> int:
    for name in args.names:
        if not _NAME.fullmatch(name):
            raise UsageError(N_("{name} is no name and no address of a machine"), name=repr(name))
    if not 0 < args.port < 65536:
        raise UsageError(N_("--port {port}: give 1 to 65535"), port=args.port)
    if args.port != _PORT and args.root == Path("/"):
        raise UsageError(N_("--port is for a trial (--root): the services use {port}"), port=_PORT)
    if args.ingests is not None and not 0 < args.ingests <= INGESTS_MAX:
        raise UsageError(N_("--ingests {count}: give 1 to {most}"), count=args.ingests, most=INGESTS_MAX)
    check_server(args)
    from tools.centre.broker import installation, screens  # needs paho-mqtt, which a fault in the arguments does not
    from tools.centre.broker.files import Place

    place = Place(args.root)
    with installation.faults(), database_faults(args.db or ""):
        if args.db is not None and args.db != place.warehouse:
            installation.use_server(place, args.db)
        installation.install(place, args.names, port=args.port, now=installation.now(), count=args.ingests)
    print(translate(_RUNS if installation.start(place) else _WRITTEN, args.lang, name=args.names[0], port=args.port))
    print(translate(N_("What each cabinet is given: {path}"), args.lang, path=place.etc / "authority.pem"))
    print(translate(AT, args.lang, origin=screens.origin(place)))
    return 0
