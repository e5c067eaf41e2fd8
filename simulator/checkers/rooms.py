"""Checks that (invariant 4) no room freezes by fault of control while heat is available, nor exceeds its ceiling.

Below 5 °C a room freezes. A legal ceiling may be exceeded by policy or command only with a recorded exemption.

Reads the air in the room, the health of its heater, its windows, and what the programme allows with true UTC. A room is
given the time its heater needs: it may be below 5 °C while it is heated at full power, or if it had been colder already
when heat came back. It freezes by fault of control when it is below 5 °C, heat is available, and is not given. A
ceiling is exceeded when the heating heats a room that is warmer than it may be: what sun and people do is no fault. A
room whose thermometer is silent is held to no ceiling, for no policy and no command heats it; there the heat is judged,
hour by hour: what keeps 12 °C by the room's own losses, or a tenth of its heater, and not much more. Reads the law's
numbers from its own table, not from the code under test, and closed days too: it walks from quarter to quarter of an
hour until people are there.
"""

from collections.abc import Sequence
from typing import NamedTuple

from policy import civil, heating
from simulator.plants.building import Room, Thermometer

EVERY_MS = 60_000
FREEZES_CK = 500
# Time from below 5 °C on: the trade samples its sensor once a minute, the sensor lags, a relay may not switch at once.
FROST_GRACE_S = 600
# Heating above a ceiling: a relay's cycle and the heat in a radiator overshoot.
CEILING_GRACE_S = 3600
CEILING_TOLERANCE_CK = 100
# An order reaches its node within a quarter of an hour; then a room that lacks this much is given heat.
ORDERED_GRACE_S = 1200
ORDERED_COLD_CK = 200
_COLD_HEAT_PERMILLE = 200
# Blind heat: the temperature that it keeps, its least share of the heater, and by how much it may miss: a heating is
# built for a round span, and a valve moves by steps of 5 %.
_BLIND_CK = 1200
_BLIND_PERMILLE = 100
_BLIND_OVER_PERCENT = 115
_BLIND_STEP_PERMILLE = 50
_BLIND_EVERY_S = 3600
_WALK_S = 900
_WALK_MAX_S = 2 * civil.day_s  # either way enough to know a long emptiness
# Code de l'énergie R241-26 and R241-27: (kind of hour, 0.01 °C).
_LAW = {heating.OCCUPIED: 1900, heating.EMPTY: 1900, heating.EMPTY_24H: 1600, heating.EMPTY_48H: 800}


# heating.CLOSED or ORDERED, the Unix seconds of its begin and of its end.
Exceptional = tuple[int, int, int]


class WatchedRoom(NamedTuple):
    """Describes one room under watch.

    `programme` as signed; `preheats_s`: how long before an occupied hour it may be heated for it; `ordered`: whether a
    command for comfort is in force now (it makes the room an occupied one); `thermometer`: the node's own, None: it
    never fails; `exceptions`: those that people entered, and may enter while the world runs.
    """

    name: str
    room: Room
    programme: heating.Programme
    preheats_s: int = 36 * 3600
    ordered: object = None
    thermometer: Thermometer | None = None
    exceptions: Sequence[Exceptional] = ()


class RoomsChecker:
    """Judges every room at each `check`, called at a regular pace.

    `violations`: strings, the first of each room and kind.
    """

    def __init__(self, watched: list[WatchedRoom]) -> None:
        self._watched = [(one, heating.Plan(one.programme, civil.PARIS)) for one in watched]
        self._since: dict[tuple[str, str], int] = {}
        # (Unix s, Ws, 0.01 °C outdoors) from which the hour's heat is counted.
        self._blind_from: dict[str, tuple[int, int | None, int]] = {}
        # For a room with exceptions: quarter of an hour, kind of it, when people come.
        self._walks: dict[str, tuple[int, int, int | None]] = {}
        self._reported: set[tuple[str, str]] = set()
        self.violations: list[str] = []
        self.checks = 0
        self.coldest_ck: dict[str, int] = {}

    def check(self, *, unix_s: int) -> None:
        """Judges every room now."""
        for watched, plan in self._watched:
            room = watched.room
            self.checks += 1
            air_ck = room.air_ck
            self.coldest_ck[watched.name] = min(self.coldest_ck.get(watched.name, air_ck), air_ck)
            available = not room.heater_dead
            given = room.demand_permille > _COLD_HEAT_PERMILLE or room.heater_stuck
            freezes = air_ck < FREEZES_CK and available and not given
            self._judge(watched.name, "freezes", freezes, FROST_GRACE_S, unix_s)
            is_blind = watched.thermometer is not None and watched.thermometer.absent
            self._check_blind(watched, is_blind, unix_s)
            self._judge(watched.name, "is cold in ordered hours", self._is_let_down(watched, unix_s), 0, unix_s)
            heats = not is_blind and room.demand_permille > 0 and not room.heater_stuck
            over = heats and air_ck > self._limit_ck(watched, plan, unix_s) + CEILING_TOLERANCE_CK
            self._judge(watched.name, "is heated above its ceiling", over, CEILING_GRACE_S, unix_s)

    def _is_let_down(self, watched: WatchedRoom, unix_s: int) -> bool:
        """Returns whether a room is cold though a person ordered it warm, in time to warm it, with heat to be had."""
        if not watched.exceptions:
            return False
        ordered = [one for one in watched.exceptions if one[0] == heating.ORDERED]
        if not any(from_s + ORDERED_GRACE_S <= unix_s < to_s for _, from_s, to_s in ordered):
            return False
        room, comfort_ck = watched.room, watched.programme.setpoints.comfort_ck
        is_able = not room.heater_dead and not room.window_open
        is_able = is_able and not (watched.thermometer is not None and watched.thermometer.absent)
        return is_able and room.demand_permille < _COLD_HEAT_PERMILLE and room.air_ck < comfort_ck - ORDERED_COLD_CK

    def _check_blind(self, watched: WatchedRoom, is_blind: bool, unix_s: int) -> None:
        """Judges the heat of each whole hour without a thermometer, but not the first.

        The first hour still follows the node's last reading.
        """
        room, name = watched.room, watched.name
        if not is_blind:
            self._blind_from.pop(name, None)
            return
        from_s, from_ws, from_ck = self._blind_from.setdefault(name, (unix_s + _BLIND_EVERY_S, None, 0))
        lasted_s = unix_s - from_s
        if lasted_s < (0 if from_ws is None else _BLIND_EVERY_S):
            return
        self._blind_from[name] = (unix_s, room.energy_ws, room.outdoor_ck)
        if from_ws is not None and (name, "blind") not in self._reported:
            mean_w, most_w = (room.energy_ws - from_ws) // lasted_s, _blind_w(room, min(from_ck, room.outdoor_ck))
            if mean_w > most_w:
                self._reported.add((name, "blind"))
                self.violations.append(f"{name} is heated blind with {mean_w} W, {most_w} W are enough, at {unix_s}")

    def _limit_ck(self, watched: WatchedRoom, plan: heating.Plan, unix_s: int) -> int:
        wanted = plan.wanted(unix_s)
        kind, next_s = wanted.kind, wanted.next_s
        if watched.exceptions:
            kind, next_s = self._walked(watched, plan, unix_s)
        soon = next_s is not None and next_s - unix_s <= watched.preheats_s
        if soon or (callable(watched.ordered) and watched.ordered()):
            kind = heating.OCCUPIED
        if not watched.programme.exemptions:
            return _LAW[kind]
        year, month, day = civil.civil_from_days(civil.local_from_unix(civil.PARIS, unix_s).civil_day)
        date = 10_000 * year + 100 * month + day
        exempted = heating.OCCUPIED if kind == heating.EMPTY else kind
        for exemption in watched.programme.exemptions:
            if exemption.kind == exempted and exemption.first <= date <= exemption.last and exemption.text:
                return exemption.limit_ck
        return _LAW[kind]

    def _walked(self, watched: WatchedRoom, plan: heating.Plan, unix_s: int) -> tuple[int, int | None]:
        """Returns (kind of hour, when people come) with the exceptions, computed once a quarter of an hour."""
        quarter = unix_s // _WALK_S
        if self._walks.get(watched.name, (-1, 0, None))[0] != quarter:
            self._walks[watched.name] = (quarter, *_walk(watched, plan, _WALK_S * quarter))
        return self._walks[watched.name][1:]

    def _judge(self, name: str, what: str, wrong: bool, grace_s: int, unix_s: int) -> None:
        if not wrong:
            if self._since:
                self._since.pop((name, what), None)
            return
        key = (name, what)
        since_s = self._since.setdefault(key, unix_s)
        if unix_s - since_s > grace_s and key not in self._reported:
            self._reported.add(key)
            self.violations.append(f"{name} {what} for {unix_s - since_s} s at {unix_s}")


def _walk(watched: WatchedRoom, plan: heating.Plan, at_s: int) -> tuple[int, int | None]:
    def is_there(instant_s: int) -> bool:
        for word, since_s, ends_s in watched.exceptions:
            if since_s <= instant_s < ends_s:
                return bool(word == heating.ORDERED)
        return bool(plan.peek(instant_s).kind == heating.OCCUPIED)

    if is_there(at_s):
        return heating.OCCUPIED, None
    steps = range(_WALK_S, _WALK_MAX_S + 1, _WALK_S)
    before_s = next((step for step in steps if is_there(at_s - step)), None)
    after_s = next((step for step in steps if is_there(at_s + step)), None)
    if before_s is None or after_s is None or before_s - _WALK_S + after_s >= 2 * civil.day_s:
        kind = heating.EMPTY_48H
    else:
        kind = heating.EMPTY_24H if before_s - _WALK_S + after_s >= civil.day_s else heating.EMPTY
    return kind, None if after_s is None else at_s + after_s


def _blind_w(room: Room, outdoor_ck: int) -> int:
    """Returns the heat that a room without a thermometer may be given, W."""
    data = room.data
    kept_w = (data.air_out_w_k + data.mass_out_w_k) * (_BLIND_CK - outdoor_ck) // 100
    least_w = data.heater_w * _BLIND_PERMILLE // 1000
    return max(kept_w, least_w) * _BLIND_OVER_PERCENT // 100 + data.heater_w * _BLIND_STEP_PERMILLE // 1000
