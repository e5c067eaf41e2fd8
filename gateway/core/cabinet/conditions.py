"""Conditions of the cabinet as a whole: supply, door, hand switch, time, policy, photocell, its meters.

Each begins and ends once, after it has been so for a while; who is told is the owner's. A condition whose input cannot
be read (UNKNOWN) stays as it is.
"""

from typing import Any

from gateway.core.cabinet import limits
from gateway.core.cabinet.watch import Held, Verdict
from wire import event

_SECOND_MS = 1_000
_HOLD_MS = {
    event.SUPPLY_LOSS: limits.SUPPLY_MS,
    event.DOOR_OPEN: limits.DOOR_MS,
    event.LOCAL_OVERRIDE: _SECOND_MS,
    event.TIME_FALLBACK: 60 * _SECOND_MS,  # a start without a network finds the time in the first minute
    event.POLICY_EXPIRED: 0,
    event.HANDED_BACK: 60 * _SECOND_MS,
    event.PHOTOCELL_FAILURE: 0,
    event.CABINET_METER_FAILURE: limits.METER_SILENT_MS,
}


UNKNOWN: list[Any] = ["unknown"]


class Conditions:
    """`active` maps the codes that stand to their details."""

    def __init__(self) -> None:
        self._held = {code: Held(for_ms) for code, for_ms in _HOLD_MS.items()}
        self.active: dict[int, list[Any]] = {}

    def look(self, is_so: dict[int, list[Any] | None], *, now_ms: int) -> list[Verdict]:
        """For each code its detail while it is so, else None. Returns what begins, ends, or goes on with other
        words.
        """
        verdicts = []
        for code, detail in is_so.items():
            if detail is UNKNOWN:
                self._held[code].settle()
                continue
            stands = self._held[code].look(detail is not None, now_ms=now_ms)
            before = self.active.get(code)
            if stands and detail is not None and detail != before:
                self.active[code] = detail
                verdicts.append(Verdict(code, True, detail))
            elif not stands and before is not None:
                del self.active[code]
                verdicts.append(Verdict(code, False, before))
        return verdicts

    def resume(self, active: dict[int, list[Any]]) -> None:
        """Go on from what stood before a restart."""
        self.active = {code: detail for code, detail in active.items() if code in self._held}
        for code in self.active:
            self._held[code].is_so = True
