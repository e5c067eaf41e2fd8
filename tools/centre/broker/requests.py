"""Reads the requests for renewal that control has kept (`tools.centre.control.renewals`), and has the authority sign
them.

Root's part: the files come from a process that speaks with the network, so their content is data and their names are
those of cabinets only.
"""

import datetime
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from tools.centre.broker.authority import Authority
from tools.centre.broker.files import Place
from tools.centre.limits import RENEWAL_ASKS_S, RENEWAL_S_MAX, REQUEST_BYTES_MAX
from tools.command_line import Refused
from wire import topic as topics


class Request(NamedTuple):
    """Holds what a cabinet asks: its name, its request (PEM), since when it asks, and when it asked last."""

    name: str
    pem: bytes
    first_unix_s: int
    last_unix_s: int

    def is_waiting(self, now: datetime.datetime) -> bool:
        return now.timestamp() - self.last_unix_s <= RENEWAL_ASKS_S

    def is_in_vain(self, now: datetime.datetime) -> bool:
        return self.is_waiting(now) and now.timestamp() - self.first_unix_s > RENEWAL_S_MAX


def read(place: Place) -> Iterator[Request]:
    """Yields the requests that are kept; what is none is passed over."""
    for path in sorted(place.requests.glob("*.json")):
        insee, _, gateway = path.stem.partition("-")
        if not topics.is_insee(insee) or not topics.is_gateway_name(gateway):
            continue
        try:
            found = json.loads(_text(path))
            times = int(found["first_unix_s"]), int(found["last_unix_s"])
            yield Request(path.stem, str(found["request"]).encode(), *times)
        except (OSError, ValueError, KeyError, TypeError):
            continue


def sign(place: Place, *, now: datetime.datetime) -> tuple[list[str], list[Refused]]:
    """Has every request that waits signed; returns the names that were renewed, and why others were not. OSError."""
    own, renewed, refused = Authority(place.etc), [], []
    for one in read(place):
        try:
            if one.is_waiting(now) and own.renew(one.name, one.pem, now=now) is not None:
                renewed.append(one.name)
        except Refused as fault:
            refused.append(fault)
    return renewed, refused


def _text(path: Path) -> bytes:
    """Returns what a file holds; of a link or a pipe, nothing that could be waited for."""
    handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(handle, "rb") as file:
        return file.read(2 * REQUEST_BYTES_MAX) or b""
