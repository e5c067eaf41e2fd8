"""Groups faults by their cause: what one cabinet says hides what follows from it, and cabinets that lose the same thing
at the same time lose it together. Pure.

Within a cabinet, as `gateway.core.cabinet.alarms` orders causes: no supply; a contactor that stays open; a feeder
without current; a cable cut. A fault that stands below such a cause and began since (or up to CAUSE_AHEAD_S before, for
a node notices and reports on its own) follows from it. Where no cabinet states a cause, lamps of one feeder with the
same fault that began together are one. Across cabinets of a commune, a lost supply or a bearer that is down, begun
within TOGETHER_S, are one: a village without mains.
"""

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping
from typing import NamedTuple

from tools.centre.condition.faults import StandingFault, latest_first
from tools.centre.condition.fold import fields
from tools.centre.limits import CAUSE_AHEAD_S, LAMPS_TOGETHER_MIN, TOGETHER_S
from wire import event

_OF_FEEDER = (event.CONTACTOR_STUCK, event.FEEDER_FAILURE, event.CABLE_FAULT)
# What follows from a feeder or cabinet without power, at the feeder and at what it feeds. A door or a valve does not.
_FOLLOWING = frozenset((
    *_OF_FEEDER, event.LAMPS_LOST, event.LAMP_FAILURE, event.METER_FAILURE, event.GEAR_COMM_FAILURE,
    event.POWER_TOO_LOW, event.VOLTAGE_TOO_LOW, event.CABINET_METER_FAILURE, event.DIMMING_FAILURE,
    event.CYCLING_FAILURE, event.GEAR_FAILURE,
))  # fmt: skip
_ACROSS = (event.SUPPLY_LOSS, event.BEARER_FAILURE)


class Group(NamedTuple):
    """Holds faults of one cause. `first` states the cause; `others` follow from it, or state the same elsewhere."""

    first: StandingFault
    others: tuple[StandingFault, ...]

    @property
    def all(self) -> tuple[StandingFault, ...]:
        return (self.first, *self.others)

    def is_of(self, commune: str) -> bool:
        """Returns whether a commune has one of its faults: a cause in the next one may put out lamps of this one."""
        return any(fault.commune == commune for fault in self.all)


def group(faults: Iterable[StandingFault]) -> list[Group]:
    """Returns each fault in one group, the group with the latest cause first."""
    found = _across(_by_feeder(_below(list(faults))))
    return sorted(found, key=lambda one: latest_first(one.first))


def lights_behind(one: Group, lights: Mapping[tuple[str | None, str | None], int]) -> int:
    """Returns how many lights a cause that puts lights out stands before. lights: of each feeder, by its cabinet and
    name, and of each cabinet (None)."""
    if one.first.code == event.SUPPLY_LOSS:
        return sum(lights.get((fault.cabinet, None), 0) for fault in one.all if fault.code == event.SUPPLY_LOSS)
    if one.first.code not in (event.FEEDER_FAILURE, event.CONTACTOR_STUCK, event.FEEDER_UNEXPECTED_ON):
        return 0
    return lights.get((one.first.cabinet, one.first.feeder), 0)


def _below(faults: list[StandingFault]) -> list[Group]:
    """Puts what follows from a cause of its cabinet under that cause."""
    causes: dict[tuple[str, str | None], list[StandingFault]] = defaultdict(list)
    for fault in faults:
        if (rank := _rank(fault)) is not None:
            causes[fault.cabinet, None if rank == 0 else fault.feeder].append(fault)
    under: dict[tuple[bytes, tuple[int, int]], list[StandingFault]] = defaultdict(list)
    tops: list[StandingFault] = []
    for fault in faults:
        cause = _cause(fault, [*causes.get((fault.cabinet, None), ()), *causes.get((fault.cabinet, fault.feeder), ())])
        if cause is None:
            tops.append(fault)
        else:
            under[cause.node, cause.begin].append(fault)
    return [Group(top, tuple(_descendants(top, under))) for top in tops]


def _descendants(fault, under):
    for one in under.get((fault.node, fault.begin), ()):
        yield one
        yield from _descendants(one, under)


def _rank(fault: StandingFault) -> int | None:
    """Returns the place of a cause in the order above; None: nothing follows from it."""
    if fault.code == event.SUPPLY_LOSS:
        return 0
    if fault.code not in _OF_FEEDER or fault.feeder is None:
        return None
    if fault.code == event.CONTACTOR_STUCK and fields(fault.code, fault.detail).get("ordered") is not True:
        return None  # it stays closed: lamps burn
    return 1 + _OF_FEEDER.index(fault.code)


def _cause(fault: StandingFault, causes: list[StandingFault]) -> StandingFault | None:
    """Returns the highest cause from which the fault follows."""
    own = _rank(fault)
    possible = [
        (rank, cause.from_unix_s, cause)
        for cause in causes
        if (rank := _rank(cause)) is not None
        and fault.code in _FOLLOWING
        and (own is None or rank < own)
        and fault.from_unix_s >= cause.from_unix_s - CAUSE_AHEAD_S
        and (cause.until_unix_s is None or fault.from_unix_s <= cause.until_unix_s)
    ]
    return min(possible, key=lambda one: one[:2])[2] if possible else None


def _by_feeder(groups: list[Group]) -> list[Group]:
    """Joins single faults of one code that began together at several nodes of one feeder."""

    def alike(one: Group) -> Hashable:
        fault = one.first
        if one.others or fault.place is None or fault.feeder is None or fault.code not in _FOLLOWING:
            return None
        return None if _rank(fault) is not None else (fault.code, fault.cabinet, fault.feeder)

    return _together(groups, alike, LAMPS_TOGETHER_MIN)


def _across(groups: list[Group]) -> list[Group]:
    """Joins what cabinets of one commune lost together."""

    def alike(one: Group) -> Hashable:
        fault = one.first
        if fault.code not in _ACROSS:
            return None
        return fault.code, fault.cabinet.partition("-")[0], fields(fault.code, fault.detail).get("bearer")

    return _together(groups, alike, 2)


def _together(groups: list[Group], alike: Callable[[Group], Hashable], least: int) -> list[Group]:
    """Joins groups that are alike and begin within TOGETHER_S of the one before, where there are at least so many."""
    joined: list[Group] = []
    rows: dict[Hashable, list[Group]] = defaultdict(list)
    for one in groups:
        key = alike(one)
        if key is None:
            joined.append(one)
        else:
            rows[key].append(one)
    for found in rows.values():
        found.sort(key=lambda one: (one.first.from_unix_s, one.first.node, one.first.begin))
        run = [found[0]]
        for one in found[1:]:
            if one.first.from_unix_s - run[-1].first.from_unix_s > TOGETHER_S:
                joined += _joined(run, least)
                run = []
            run.append(one)
        joined += _joined(run, least)
    return joined


def _joined(groups: list[Group], least: int) -> list[Group]:
    """Returns the groups as one, where there are at least so many."""
    if len(groups) < least:
        return groups
    first, *rest = [fault for one in groups for fault in one.all]
    return [Group(first, tuple(rest))]
