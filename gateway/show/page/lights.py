"""Reads the lights that a technician may choose from: a part of the commune's register, as a file at the cabinet.

    bocage centre register export lights.csv --db centre.db --commune 49135 --kind light --lang en

makes it; of its columns `id`, `street`, `node` and `cabinet` are read. Lights of other cabinets are left out where it
has those of this one. It is read when it has changed; one that cannot be read, or has other columns, is logged and
counts as none: then a light is typed. It must not decide what a node serves.
"""

import csv
import os
from collections.abc import Callable
from typing import NamedTuple

_FILE_BYTES_MAX = 1_048_576
# What a phone still scrolls through; a cabinet has tens of lights.
LIGHTS_MAX = 500
_COLUMNS = {"id", "street", "node", "cabinet"}


class Light(NamedTuple):
    """Is one light of the register. `node`: the id of its node in hex, "" for none."""

    id: str
    street: str
    node: str


class Lights:
    """Holds the lights of one file; `path` None: there is none."""

    def __init__(self, path: str | None, log: Callable[..., None]) -> None:
        self._path, self._log = path, log
        self._state: tuple[int, int] | None = None
        self._known: list[Light] = []

    def of_cabinet(self, name: str) -> list[Light]:
        """Returns the lights of a cabinet (49135-bourg), LIGHTS_MAX at most, in the order of the file."""
        if self._path is None:
            return []
        try:
            found = os.stat(self._path)
            state = (found.st_mtime_ns, found.st_size)
            if state != self._state:
                self._state, self._known = state, []
                self._known = _read(self._path, name)
        except (OSError, ValueError, csv.Error) as error:
            self._log("lights-unreadable", path=self._path, error=str(error)[:100])
        return self._known

    def serving(self, node: str, name: str) -> Light | None:
        """Returns the light at which the register has this node."""
        return next((light for light in self.of_cabinet(name) if light.node == node), None)


def _read(path: str, cabinet: str) -> list[Light]:
    with open(path, newline="", encoding="utf-8-sig") as file:
        rows = csv.DictReader(file.read(_FILE_BYTES_MAX).splitlines(), restval="")
        if not set(rows.fieldnames or ()) >= _COLUMNS:
            raise ValueError("export it with --lang en")
        read = [(row["cabinet"], Light(row["id"], row["street"], row["node"].lower())) for row in rows if row["id"]]
    own = [light for of, light in read if of == cabinet]
    return (own or [light for _, light in read])[:LIGHTS_MAX]
