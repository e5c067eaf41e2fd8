"""Runs a broker as `bocage centre init` sets it up, with the accounts of the centre and of cabinets, for benchmarks;
and judges these by what a new warehouse holds.

Real are the authority, TLS 1.3 with a certificate for each client, the roles, persistence and every limit: Mosquitto
reads the files that an installed centre has, in a folder that stands for `/`. Only the cabinets' keys are made here,
where a real cabinet makes its own.
"""

import argparse
import getpass
import os
import socket
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from simulator.rig import postgresql
from simulator.rig.ports import free_port, listens
from simulator.rig.rig import Part, RigError, find_mosquitto
from tools.centre.broker import authority, installation
from tools.centre.broker.authority import Authority
from tools.centre.broker.files import Place, write
from tools.centre.mqtt import BrokerAddress
from tools.command_line import Refused, print_figures

_HOST = "localhost"
_POLL_S = 0.01


class InstalledBroker:
    """Makes the files of a centre in `folder`, with these cabinets (insee-name); `start` runs its Mosquitto. RigError
    without Mosquitto."""

    def __init__(self, folder: Path, cabinets: Iterable[str]) -> None:
        mosquitto = find_mosquitto()
        if mosquitto is None:
            raise RigError("no Mosquitto here: apt-get install mosquitto")
        self._place, self._port = Place(folder), free_port(socket.SOCK_STREAM)
        self._cabinets = folder / "cabinets"
        self._cabinets.mkdir(parents=True)
        now = installation.now()
        own = Authority(self._place.etc)
        self._place.etc.mkdir(parents=True)
        own.make("Bocage bench", now=now)
        for name in cabinets:
            key = authority.new_key()
            write(self._cabinets / f"{name}.key", authority.pem_of_key(key))
            write(self._cabinets / f"{name}.pem", own.issue(name, key.public_key(), now=now))
        # The roles are written for all who have a certificate by now.
        installation.install(self._place, [_HOST], port=self._port, now=now)
        file = folder / "mosquitto.conf"
        # As Debian's own file, which the centre's is included by; a service changes its user, a benchmark has none.
        file.write_text(
            f"user {getpass.getuser()}\npersistence true\npersistence_location {self._place.roles.parent}/\n"
            f"include_dir {self._place.broker_configuration.parent}\n",
            encoding="utf-8",
        )
        self._part = Part("broker", [mosquitto, "-c", str(file)], folder / "broker.log")

    @property
    def pid(self) -> int:
        return self._part.pid

    def start(self) -> None:
        """Starts Mosquitto, and returns when it listens. RigError when it ends instead."""
        self._part.start()
        while not listens(self._port):
            if not self._part.running():
                raise RigError("Mosquitto does not start")
            time.sleep(_POLL_S)

    def stop(self) -> None:
        self._part.stop()

    def account(self, name: str) -> BrokerAddress:
        """Returns the broker, with an account of the centre (`tools.centre.broker.roles`)."""
        return installation.address(self._place, name)

    def cabinet(self, name: str) -> BrokerAddress:
        """Returns the broker, with the account of a cabinet."""
        pair = self._cabinets / f"{name}.pem", self._cabinets / f"{name}.key"
        ca = Authority(self._place.etc).certificate
        return BrokerAddress(_HOST, self._port, name, str(ca), *map(str, pair))


def add_place(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--server", action="store_true", help="on PostgreSQL, a cluster that is made for it")
    parser.add_argument("--folder", type=Path, help="folder on the disk to use (default: of temporary files)")


def judged(name: str, args: argparse.Namespace, act: Callable[[Path, str, argparse.Namespace], dict[str, Any]]) -> int:
    """Prints the figures of `act`, in a folder and a warehouse of its own; the exit status is 0 when every record is
    held, once."""
    with tempfile.TemporaryDirectory(prefix=f"bocage-{name}-", dir=args.folder) as folder:
        try:
            with _place(Path(folder), args) as where:
                found = act(Path(folder), where, args)
        except RigError as error:
            raise Refused(str(error)) from error
    print_figures(found, as_json=args.json)
    return 0 if found["passed"] else 1


@contextmanager
def _place(folder: Path, args: argparse.Namespace) -> Iterator[str]:
    """Gives a place for a new warehouse."""
    server: postgresql.Server
    if args.server:
        with postgresql.temporary(Path(os.devnull), above=args.folder and str(args.folder)) as server:
            yield server.address()
    else:
        yield str(folder / "warehouse.db")
