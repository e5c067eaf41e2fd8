"""Reads what the node of a green space told of it: its runs, when the next is expected, why it was watered or not."""

from collections.abc import Sequence
from typing import NamedTuple

from tools.centre.store import database
from tools.centre.web import states
from tools.centre.web.history import Told, decisions
from tools.centre.web.limits import DECISIONS_MAX
from tools.centre.web.spaces import Space
from wire import event

# What says why a zone was watered or not.
_REASONS = (event.WATERING_DONE, event.WATERING_SKIPPED, event.VALVE_SWITCHED)
# Rules of a programme that opens a valve (`watering.trade`), and what is decided when one begins.
_PROGRAMMES = ("balance", "depth")
_AT_ITS_BEGIN = ("satisfied", "rain")
_DAY_S = 86_400
# Shorter runs show the filling of the pipe, not the zone's flow (`watering.limits.CLEAN_S_MIN`).
_CLEAN_S = 180


class Run(NamedTuple):
    """Holds one watering of a zone. volume_ml: measured; None: the node has no meter."""

    end_unix_s: int
    open_s: int
    volume_ml: int | None

    @property
    def flow_ml_min(self) -> int | None:
        return None if self.volume_ml is None or self.open_s < _CLEAN_S else 60 * self.volume_ml // self.open_s


class Watered(NamedTuple):
    """Holds what a zone's node told of it: runs, the oldest first, when its next is expected, the latest decision."""

    runs: tuple[Run, ...]
    next_unix_s: int | None
    why: Told | None


def watered(told: Sequence[Told], space: Space, *, now_s: int) -> Watered:
    """Returns what a node told of one of its zones. told: the oldest first. Nothing is expected of what is broken."""
    zone = space.zone
    mine = [one for one in told if one.body.code in _REASONS and (zone is None or zone_of(one) == zone)]
    runs = tuple(
        Run(one.unix_s, _whole(one.body.detail[1]) or 0, _whole(one.body.detail[2]))
        for one in mine
        if one.body.code == event.WATERING_DONE
    )
    next_s = None if space.shown in states.GRAVE else _next(mine, now_s=now_s)
    return Watered(runs, next_s, mine[-1] if mine else None)


def _next(mine: Sequence[Told], *, now_s: int) -> int | None:
    """Returns when a zone's programme is expected to begin: a day after one of the last day. Of a programme that runs
    in cycles the first begins it."""
    begins: dict[tuple, int] = {}
    for one in mine:
        if one.unix_s <= now_s - _DAY_S:
            continue
        code, detail = one.body.code, one.body.detail
        if code == event.VALVE_SWITCHED and detail[1] and detail[2] in _PROGRAMMES:
            begins.setdefault((detail[2], detail[3]), one.unix_s)
        elif code == event.WATERING_SKIPPED and detail[1] in _AT_ITS_BEGIN:
            begins.setdefault((detail[1],), one.unix_s)
    return min((at + _DAY_S for at in begins.values()), default=None)


def _whole(value: object) -> int | None:
    return value if isinstance(value, int) else None


def zone_of(one: Told) -> int | None:
    named = one.body.code in _REASONS or one.body.code in (event.VALVE_FAILURE, event.FLOW_TOO_HIGH, event.FLOW_TOO_LOW)
    return one.body.detail[0] if named else None


def told_of(connection: database.Connection, node: bytes | None, *, now_s: int) -> list[Told]:
    """Returns the last events that a node told, the oldest first: of a drought level it tells once, when it changes."""
    return decisions(connection, node, DECISIONS_MAX, since_s=0, now_s=now_s)
