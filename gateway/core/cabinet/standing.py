"""The alarms that stand, on the state disk: a restart neither forgets to end one nor begins it a second time.

One line of JSON a file, `standing-<number>`, the newest that can be read. Written when an alarm begins, changes or
ends. What cannot be read is judged anew: then an alarm may be said twice.
"""

import json
from typing import Any

from gateway.core.cabinet.conditions import Conditions
from gateway.core.cabinet.folder import Folder
from gateway.core.cabinet.watch import FeederWatch

_FILES_KEPT = 2
_BYTES_MAX = 65_536


class Standing:
    """See the module. `resume` once, then `keep` after every change."""

    def __init__(self, folder: Folder) -> None:
        self._folder = folder
        self._number = 0
        self._kept: dict[str, Any] = {}
        self.counters = {"disk-errors": 0, "damaged-files": 0}

    def resume(self, conditions: Conditions, watches: list[FeederWatch]) -> None:
        """What stood when the last life ended."""
        try:
            files = self._files()
            self._number = max((number for number, _name in files), default=0)
            lines = [self._folder.read(name, _BYTES_MAX) for _number, name in reversed(files)]
        except OSError:
            self.counters["disk-errors"] += 1
            return
        for line in lines:
            try:
                self._take(json.loads(line), conditions, watches)
                return
            except (ValueError, KeyError, TypeError, AttributeError):
                self.counters["damaged-files"] += 1

    def keep(self, conditions: Conditions, watches: list[FeederWatch]) -> None:
        """Persist, if anything has changed."""
        plain = {
            "conditions": {str(code): detail for code, detail in conditions.active.items()},
            "feeders": {watch.name: watch.standing() for watch in watches},
        }
        if plain == self._kept:
            return
        self._kept = plain
        self._number += 1
        try:
            self._folder.keep(f"standing-{self._number:08}", json.dumps(plain).encode() + b"\n")
            for number, name in self._files():
                if number <= self._number - _FILES_KEPT:
                    self._folder.delete(name)
        except OSError:
            self.counters["disk-errors"] += 1

    def _take(self, plain: Any, conditions: Conditions, watches: list[FeederWatch]) -> None:
        known = {int(code): list(detail) for code, detail in plain["conditions"].items()}
        by_name = {watch.name: watch for watch in watches}
        for name, standing in plain["feeders"].items():
            if name in by_name:
                by_name[name].resume(standing)
        conditions.resume(known)
        self._kept = plain

    def _files(self) -> list[tuple[int, str]]:
        return self._folder.numbered("standing", 8)
