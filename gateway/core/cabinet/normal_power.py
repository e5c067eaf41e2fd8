"""Learns what a feeder draws without faults, night by night, so that one dark lamp of fourteen shows in the watts.

A night's figure is the median of its minutes, warm and without a fault. The first one is the normal power (until then
it is what is installed, lamps times watts). Later ones move it by an eighth, but only while they are within
half a lamp of it: a lamp that dies is never learnt. Above it, NORMAL_HIGHER_NIGHTS nights that agree mean new lamps,
and become the new normal; festive lights of a fortnight do not. In 0.1 W (dW).

The learnt power is written to the state disk after a night that changed it, a few times a year. A file that cannot be
read is learnt again; so is the power of another set of lamps: a change of their number or watts in the configuration
starts from nothing.
"""

import json

from gateway.core import limits
from gateway.core.custody.disk import NumberedFile, SharedFolder, parse_json

_MINUTES_MIN = 60
_MINUTES_MAX = 16 * 60
_FILE_BYTES_MAX = 4_096


class NormalPower:
    """Learns the normal power of one feeder. `dw`: in 0.1 W, None: nothing is known yet; `lamp_dw`: what one lamp of it
    draws. `lamps` 0: unknown, then a lamp counts as a tenth of the feeder."""

    def __init__(self, lamps: int, lamp_dw: int, learnt_dw: int | None) -> None:
        self.lamps = lamps
        self._installed_dw = lamps * lamp_dw or None
        self._learn(learnt_dw)
        self._minutes: list[int] = []
        self._minute = -1
        self._higher: list[int] = []  # the last nights' figures, all above what is known

    def _learn(self, learnt_dw: int | None) -> None:
        self.learnt_dw = learnt_dw
        self.dw = self._installed_dw if learnt_dw is None else learnt_dw
        self.lamp_dw = None if self.dw is None else max(1, self.dw // (self.lamps or 10))

    def is_lit(self, power_dw: int) -> bool:
        """Return whether so much power means that the feeder is lit."""
        if self.dw is None:
            return power_dw > limits.POWER_FLOOR_DW
        return power_dw > max(limits.POWER_FLOOR_DW, self.dw * limits.POWER_LIT_PERCENT // 100)

    def is_dark(self, power_dw: int) -> bool:
        """Return whether so little power means that the feeder is dark."""
        floor_dw = limits.POWER_FLOOR_DW
        return power_dw <= (
            floor_dw if self.dw is None else max(floor_dw, self.dw * limits.POWER_DARK_PERCENT // 100)
        )

    def lights(self, power_dw: int) -> bool | None:
        """Return whether a feeder with so much power is lit; None: neither lit nor dark."""
        return False if self.is_dark(power_dw) else True if self.is_lit(power_dw) else None

    def lamps_missing(self, power_dw: int) -> int:
        """Return how many lamps' power is missing, rounded, from 0.6 of one on; 0 while nothing is known."""
        if self.dw is None or self.lamp_dw is None:
            return 0
        missing = (10 * (self.dw - power_dw) + 4 * self.lamp_dw) // (10 * self.lamp_dw)
        return max(0, min(missing, self.lamps or missing))

    def observe(self, power_dw: int, *, now_ms: int) -> None:
        """Observe a reading of a warm feeder without a fault; one a minute counts."""
        minute = now_ms // 60_000
        if minute != self._minute and len(self._minutes) < _MINUTES_MAX:
            self._minute = minute
            self._minutes.append(power_dw)

    def end_of_night(self) -> bool:
        """Learn from the night, when the contactor has opened. Return True when the normal power has changed."""
        minutes, self._minutes = sorted(self._minutes), []
        if len(minutes) < _MINUTES_MIN:
            return False
        median_dw = minutes[len(minutes) // 2]
        before_dw = self.learnt_dw
        if self.learnt_dw is None:
            # Where the installed power is known, a first night with lamps missing must not count as normal.
            if self._installed_dw is None or 2 * self.lamps_missing(median_dw) < 1:
                self._learn(median_dw)
        elif self.lamp_dw is not None and 2 * abs(median_dw - self.learnt_dw) <= self.lamp_dw:
            self._learn(self.learnt_dw + (median_dw - self.learnt_dw) // 8)
        elif median_dw > self.learnt_dw:
            self._rise(median_dw)
            return self.learnt_dw != before_dw
        self._higher = []
        return self.learnt_dw != before_dw

    def _rise(self, median_dw: int) -> None:
        """Note a night above the normal power; enough of them that agree become the new normal."""
        assert self.lamp_dw is not None
        if self._higher and 2 * abs(median_dw - self._higher[-1]) > self.lamp_dw:
            self._higher = []
        self._higher.append(median_dw)
        if len(self._higher) >= limits.NORMAL_HIGHER_NIGHTS:
            self._learn(median_dw)
            self._higher = []


class LearntPowers:
    """Keeps the learnt power of every feeder, in 0.1 W, as one line of JSON."""

    def __init__(self, folder: SharedFolder) -> None:
        self._file = NumberedFile(folder, "normal", bytes_max=_FILE_BYTES_MAX)
        self.known: dict[str, int] = next(filter(None, map(_decode, self._file.restore())), {})

    @property
    def counters(self) -> dict[str, int]:
        return {"disk-errors": self._file.disk_errors}

    def save(self, learnt: dict[str, int | None]) -> None:
        """Write the learnt powers."""
        self.known = {name: dw for name, dw in learnt.items() if dw is not None}
        self._file.save(json.dumps(self.known).encode() + b"\n")


def _decode(data: bytes) -> dict[str, int]:
    """Return the powers in a whole line of ours, and nothing for any other data."""
    if not data.endswith(b"\n"):
        return {}
    try:
        known = parse_json(data)
    except ValueError:
        return {}
    if not isinstance(known, dict) or not all(type(dw) is int and dw > 0 for dw in known.values()):
        return {}
    return known
