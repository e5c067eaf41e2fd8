"""Tells the state of each equipment of the register, and of each node that the register does not know: ok, fault,
unpowered, or unknown since.

What is known of an equipment is what its node last said, or else what its cabinet says of its feeder. The order is:

* a fault of its own, of its feeder or of its cabinet's supply: fault, since that began. A feeder without current, one
  that burns by day and a contactor that is stuck are faults of each of its lamps; lamps out that are only counted are
  not;
* the cabinet ordered its contactor open: unpowered, which is neither silence nor an alarm (the lamp has no mains). It
  stays so after the contactor closes until the lamp speaks, or SILENT_S have passed;
* its node, or its cabinet where it has none, was heard within SILENT_S: ok;
* all else: unknown, since it was last heard. A lamp without a node is unknown too while its feeder has lamps out.

It reads no clock and writes nothing.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from functools import partial
from itertools import chain
from typing import NamedTuple

from gateway.language import NC_
from tools.centre.condition.faults import Faults, StandingFault
from tools.centre.limits import SILENT_BATTERY_S, SILENT_S, STAMP_AHEAD_S_MAX, STAMP_UNIX_S_MIN
from tools.centre.register.equipment import CABINET, FEEDER, GREEN_SPACE, LIGHT, Key, cabinet_of, place_of_feeder
from tools.centre.register.register import nodes_of_commune
from tools.centre.store import database
from wire import event, event_table, record

OK, FAULT, UNPOWERED, UNKNOWN = "ok", "fault", "unpowered", "unknown"
WORDS = {
    OK: NC_("state", "ok"),
    FAULT: NC_("state", "fault"),
    UNPOWERED: NC_("state", "unpowered"),
    UNKNOWN: NC_("state", "unknown"),
}

_ALL_OUT = (event.FEEDER_FAILURE, event.FEEDER_UNEXPECTED_ON, event.CONTACTOR_STUCK)
_SOME_OUT = (event.LAMPS_LOST, event.CABLE_FAULT)
# While one of these stands, the contactors are not where the gateway ordered them.
_OTHER_HANDS = (event.HANDED_BACK, event.LOCAL_OVERRIDE)

# A range, and not an equality, of kinds: SQLite sorts what is in order already where a column of the order is given.
_EQUIPMENT = """SELECT insee, id, name, street, cabinet, feeder, node{} FROM equipment
    WHERE from_unix_s <= ? AND (until_unix_s IS NULL OR until_unix_s > ?) AND kind >= ? AND kind <= ? {}
    ORDER BY insee, kind, id"""
# So many rows at once stay in the processor's cache: a tenth faster than all, and than one by one.
_ROWS_EACH = 100
# When a record was made, by its own word where that can be, or else by its receipt.
_AT_S = f"""CASE WHEN quality != {record.UNSET} AND seconds >= {STAMP_UNIX_S_MIN}
    AND seconds <= received_unix_s + {STAMP_AHEAD_S_MAX} THEN seconds ELSE received_unix_s END"""
_HEARD = f"SELECT node, {_AT_S} FROM latest"
_FEEDERS = f"SELECT node, feeder, {_AT_S}, closed FROM feeders"


def silent_after_s(kind: str | None) -> int:
    """Returns how long equipment of a kind may say nothing before it is silent."""
    return SILENT_BATTERY_S if kind == GREEN_SPACE else SILENT_S


class State(NamedTuple):
    """Holds the state of an equipment, or of a node without one (kind and id None). since_unix_s: of the state; of ok,
    when it was last heard; None: never."""

    insee: str
    kind: str | None
    id: str | None
    name: str | None
    street: str | None
    cabinet: str | None
    feeder: str | None
    node: bytes | None
    state: str
    since_unix_s: int | None
    heard_unix_s: int | None
    fault: StandingFault | None

    @property
    def fault_label(self) -> str | None:
        """Returns `lampFailure`; None: no fault."""
        return None if self.fault is None else event_table.label(self.fault.code)

    @property
    def address(self) -> str:
        """Returns `49135-0117`, or the id of a node."""
        if self.kind is not None and self.id is not None:
            return Key(self.insee, self.kind, self.id).address
        return "" if self.node is None else self.node.hex()


class _Power(NamedTuple):
    """States what is known of the mains of a feeder: a fault that leaves it without, lamps out that are only counted,
    since when its contactor is known to be open, when it closed if that is recent, and whether its lamps are lit for
    all that its cabinet says."""

    fault: StandingFault | None
    lost: StandingFault | None
    opened_s: int | None
    closed_s: int | None
    is_lit: bool


_NOT_SWITCHED = _Power(None, None, None, None, False)


class States:
    """Answers for one instant on one connection: everything that the states depend on is read once. `insee`: of one
    commune alone, with the cabinets of others that its equipment hangs on. `nodes`: those that are asked
    for, None: all."""

    def __init__(self, connection: database.Connection, *, now_s: int, insee: str | None = None) -> None:
        self._connection = connection
        self._now_s = now_s
        self._insee = insee
        self.nodes = None if insee is None else nodes_of_commune(connection, insee)
        self._heard = dict(self._asked(_HEARD, "node"))
        self._gateways: dict[bytes, str] = {}
        self._cabinets: dict[str, int] = {}
        places: dict[bytes, list[str]] = defaultdict(list)  # a gateway may have been in several cabinets
        for identity, insee, name in connection.execute("SELECT id, insee, name FROM gateways"):
            cabinet = cabinet_of(insee, name)
            self._gateways[identity] = cabinet
            self._cabinets[cabinet] = max(self._cabinets.get(cabinet, 0), self._heard.get(identity, 0))
            places[identity].append(cabinet)
        self._contactors: dict[tuple[str, str], tuple[int, bool]] = {}
        for node, feeder, at_s, closed in self._asked(_FEEDERS, "node"):
            for cabinet in places.get(node, ()):
                place, stated = (cabinet, feeder), (at_s, bool(closed))
                self._contactors[place] = max(stated, self._contactors.get(place, stated))
        self._powers: dict[tuple[str, str], _Power] = {}
        self._sort_faults(Faults(connection).open(self.nodes))

    def of_equipment(self, kind: str) -> Iterable[State]:
        """Returns the state of each equipment of a kind that is in force, by commune and id."""
        return self._of_lights() if kind == LIGHT else self._of_others(kind)

    def of_strangers(self) -> Iterator[State]:
        """Returns the state of each node that serves no equipment on any day (of a commune: that its cabinets carry);
        cabinets of the register are not among them."""
        rows = self._connection.execute("SELECT DISTINCT node FROM equipment WHERE node IS NOT NULL")
        known = {node for (node,) in rows}
        rows = self._connection.execute("SELECT insee, id FROM equipment WHERE kind = ?", (CABINET,))
        cabinets = {cabinet_of(insee, id) for insee, id in rows}
        carried = dict(self._connection.execute("SELECT node, cabinet FROM serving ORDER BY since_unix_s DESC"))
        for node in sorted(self._heard.keys() - known):
            if self._gateways.get(node) not in cabinets:
                cabinet = carried.get(node, "")
                insee = cabinet.partition("-")[0]
                if self._insee not in (None, insee):
                    continue
                found = self._state(None, cabinet, None, node, None)
                yield State(insee, None, None, None, None, cabinet, None, node, *found)

    def is_switched(self, cabinet: str | None, feeder: str | None) -> bool:
        """Returns whether a cabinet has told of a contactor of this feeder."""
        return (cabinet, feeder) in self._contactors

    # --- inside -----------------------------------------------------------------------------------------------------

    def _asked(self, statement: str, column: str) -> Iterable[tuple]:
        """Returns the rows of a question about all nodes, or about those of the commune."""
        if self.nodes is None:
            return self._connection.execute(statement)
        return self._connection.among(f"{statement} WHERE {column} {{}}", self.nodes)

    def _equipment(self, kind: str, more: str = "") -> Iterator[tuple]:
        of_commune = ("", ()) if self._insee is None else ("AND insee = ?", (self._insee,))
        values = (self._now_s, self._now_s, kind, kind, *of_commune[1])
        found = self._connection.execute(_EQUIPMENT.format(more, of_commune[0]), values)
        return chain.from_iterable(iter(partial(found.fetchmany, _ROWS_EACH), []))

    def _of_lights(self) -> list[State]:
        # There are 60,000: each column and each page of new memory counts. What lights share is one string for all.
        faulty, last_s, silent_s, make = self._of_node, self._heard.get, self._now_s - SILENT_S, tuple.__new__
        fine: dict[tuple[str, str, str], tuple[str, str, str]] = {}  # the feeders that have their mains
        found: list[State] = []
        for insee, id, name, street, cabinet, feeder, node in self._equipment(LIGHT):
            place = fine.get((insee, cabinet, feeder))
            if place is None and self._has_mains((cabinet, feeder)):
                place = fine[insee, cabinet, feeder] = insee, cabinet, feeder
            heard_s = last_s(node, 0)
            if place is not None and heard_s >= silent_s and node not in faulty:
                # Nearly all: `_state` would answer the same.
                insee, cabinet, feeder = place
                own = (insee, LIGHT, id, name, street, cabinet, feeder, node, OK, heard_s, heard_s, None)
                found.append(make(State, own))
            else:
                state = self._state(LIGHT, cabinet, feeder, node, None)
                found.append(State(insee, LIGHT, id, name, street, cabinet, feeder, node, *state))
        return found

    def _of_others(self, kind: str) -> Iterator[State]:
        for insee, id, name, street, cabinet, feeder, node, zone in self._equipment(kind, ", zone"):
            if kind == CABINET:
                cabinet = cabinet_of(insee, id)
            elif kind == FEEDER:
                cabinet, feeder = place_of_feeder(insee, id, cabinet)
            found = self._state(kind, cabinet, feeder, node, zone)
            yield State(insee, kind, id, name, street, cabinet, feeder, node, *found)

    def _sort_faults(self, faults: Iterable[StandingFault]) -> None:
        self._of_feeder: dict[tuple[str, str | None], list[StandingFault]] = defaultdict(list)
        self._of_cabinet: dict[str, list[StandingFault]] = defaultdict(list)
        self._of_node: dict[bytes, list[StandingFault]] = defaultdict(list)
        for fault in faults:
            if fault.names_feeder:
                self._of_feeder[fault.cabinet, fault.feeder].append(fault)
            elif fault.subject in self._gateways:
                self._of_cabinet[self._gateways[fault.subject]].append(fault)
            else:
                self._of_node[fault.subject].append(fault)

    def _state(self, kind, cabinet, feeder, node, zone) -> tuple[str, int | None, int | None, StandingFault | None]:
        """Returns the state, since when, when it was heard, and the fault that is its cause."""
        is_switched = kind in (LIGHT, FEEDER)
        gateway = cabinet if kind == CABINET or (node is None and is_switched) else self._gateways.get(node)
        heard_s = self._heard.get(node) if gateway is None else self._cabinets.get(gateway)
        above, lost, opened_s, closed_s, is_lit = self._power((cabinet, feeder)) if is_switched else _NOT_SWITCHED
        fault = above or self._own_fault(kind, cabinet, feeder, node, zone, gateway)
        if fault is not None:
            return FAULT, fault.from_unix_s, heard_s, fault
        if opened_s is not None:
            return UNPOWERED, opened_s, heard_s, None
        if closed_s is not None and heard_s is not None and heard_s < closed_s:
            return UNPOWERED, heard_s, heard_s, None
        if kind == LIGHT and node is None and not is_lit:
            return UNKNOWN, None if lost is None else lost.from_unix_s, heard_s, lost
        is_silent = heard_s is None or heard_s < self._now_s - silent_after_s(kind)
        return UNKNOWN if is_silent else OK, heard_s, heard_s, None

    def _own_fault(self, kind, cabinet, feeder, node, zone, gateway) -> StandingFault | None:
        """Returns the oldest fault that an equipment has by itself."""
        if kind == FEEDER:
            own = self._of_feeder.get((cabinet, feeder))
        elif gateway is None:
            own = self._of_node.get(node)
            if own is not None and zone is not None:
                own = [one for one in own if one.zone in (None, 0, zone)]  # 0: the master valve
        else:
            own = None if kind == LIGHT else self._of_cabinet.get(gateway)
        return min(own, key=_from_s) if own else None

    def _power(self, place: tuple[str, str]) -> _Power:
        """Returns what is known of the mains of a cabinet's feeder; asked once for all its lamps."""
        found = self._powers.get(place)
        if found is None:
            found = self._powers[place] = self._power_of(place)
        return found

    def _has_mains(self, place: tuple[str, str]) -> bool:
        """Returns whether a feeder has its mains, as far as is known, and has had it for a while."""
        found = self._power(place)
        return found.fault is None and found.opened_s is None and found.closed_s is None

    def _power_of(self, place: tuple[str, str]) -> _Power:
        cabinet = place[0]
        of_cabinet, of_feeder = self._of_cabinet.get(cabinet), self._of_feeder.get(place)
        fault = self._first(of_cabinet, (event.SUPPLY_LOSS,)) or self._first(of_feeder, _ALL_OUT)
        lost = self._first(of_feeder, _SOME_OUT)
        stated = self._contactors.get(place)
        is_heard = self._cabinets.get(cabinet, 0) >= self._now_s - SILENT_S
        if stated is None or not is_heard or self._first(of_cabinet, _OTHER_HANDS) is not None:
            return _Power(fault, lost, None, None, False)
        at_s, is_closed = stated
        is_new = is_closed and at_s >= self._now_s - SILENT_S
        return _Power(fault, lost, None if is_closed else at_s, at_s if is_new else None, is_closed and lost is None)

    @staticmethod
    def _first(faults: list[StandingFault] | None, codes: tuple[int, ...]) -> StandingFault | None:
        if not faults:
            return None
        return min((one for one in faults if one.code in codes), key=_from_s, default=None)


def _from_s(fault: StandingFault) -> int:
    return fault.from_unix_s
