"""The normal power of each feeder on the state disk: one line of JSON a file, `normal-<number>`, the newest that can
be read.

Written after a night that changed it, so a few times a year once it is learnt. What cannot be read is learnt again;
so is what was learnt of another set of lamps: whoever changes their number or watts in the configuration begins anew.
"""

import json

from gateway.core.cabinet.folder import Folder

_FILES_KEPT = 2
_BYTES_MAX = 4_096


class Normals:
    """`known`: learnt power by feeder in 0.1 W."""

    def __init__(self, folder: Folder) -> None:
        self._folder = folder
        self._number = 0
        self.known: dict[str, int] = {}
        self.counters = {"disk-errors": 0}
        try:
            for number, name in reversed(self._files()):
                self._number = max(self._number, number)
                if not self.known:
                    self.known = _decode(folder.read(name, _BYTES_MAX))
        except OSError:
            self.counters["disk-errors"] += 1

    def keep(self, learnt: dict[str, int | None]) -> None:
        """Persist what is known."""
        self.known = {name: dw for name, dw in learnt.items() if dw is not None}
        self._number += 1
        name = f"normal-{self._number:08}"
        try:
            self._folder.keep(name, json.dumps(self.known).encode() + b"\n")
            for number, old in self._files():
                if number <= self._number - _FILES_KEPT:
                    self._folder.delete(old)
        except OSError:
            self.counters["disk-errors"] += 1

    def _files(self) -> list[tuple[int, str]]:
        return self._folder.numbered("normal", 8)


def _decode(data: bytes) -> dict[str, int]:
    """Nothing for anything but a whole line of ours."""
    if not data.endswith(b"\n"):
        return {}
    try:
        known = json.loads(data)
    except ValueError:
        return {}
    if not isinstance(known, dict) or not all(type(dw) is int and dw > 0 for dw in known.values()):
        return {}
    return known
