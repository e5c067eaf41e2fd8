"""Answers which program a gateway or a node runs: what its last start stated."""

from typing import NamedTuple

from tools.centre.store import bodies, database
from wire import event

_BOOT = f"""SELECT body, seconds, received_unix_s FROM records
    WHERE node = ? AND boot = (SELECT max(boot) FROM records WHERE node = ?)
    AND lane = {event.LANES.index(event.EVENT)} ORDER BY sequence LIMIT 3"""


class Program(NamedTuple):
    """Holds a version, when its last start was by the clock that stated it, and when that was received; None: not
    known."""

    version: str | None
    started_unix_s: int | None
    received_unix_s: int | None


def program(connection: database.Connection, node: bytes | None) -> Program:
    """Returns what the last start of a gateway or a node stated; nothing of an equipment that has none."""
    for body, seconds, received_s in connection.execute(_BOOT, (node, node)).fetchall():
        found = bodies.decode_told(body)
        if found.code == event.BOOT and found.detail[4] is not None:
            return Program(str(found.detail[4]), seconds, received_s)
    return Program(None, None, None)
