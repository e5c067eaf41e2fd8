"""Runs our thermostat in the range of rooms and thermometers: alone, with a window open, and with a heater that dies.

Without people or sun. The rooms are `simulator.plants.building.ROOM_RANGE`: 35 m2 and 2.6 kW, light to heavy,
thermometers with a lag of 0 to 480 s, convector, water radiator and air heater. The week is heated from 8 to 18 h on
weekdays; outdoors it is 0 to 4 °C. The columns of four weeks that begin on a Monday:

    false      windows taken for open, where none is
    no heat    minutes of occupied hours without heat for that reason
    cold       occupied hours below 18 °C, from the second week on
    over       the highest that the air reaches above the set-point in occupied hours, as the mean of ten minutes, K
    mondays    the air at 8 h on the four Mondays after 62 h of emptiness, °C
    late       mornings that the node reported as cold (event preheatFailure)
    seen       openings of half an hour that are seen within 16 minutes: five each at -5, 0 and 5 °C outdoors
    kWh        of the four weeks
    accused    heating failures (event heatingFailure) that healthy heaters are accused of, in all these weeks and days
    dead       minutes until a heater that dies on a Thursday, in the preheat or at 10 h, is reported: the longest of
               deaths at -5, 0 and 5 °C outdoors

    bocage bench rooms
"""

import argparse
import json
from dataclasses import asdict, dataclass, field
from typing import Any

from gateway.language.arguments import whole
from heating import model
from heating.trade import Thermostat
from node.trade import Moment
from policy import civil, heating
from simulator.plants.building import ROOM_RANGE, HeatedRoom, RangedRoom, Room
from simulator.plants.lamps import Air
from simulator.world.chance import Prng
from tools.command_line import add_json
from wire import event

STEP_S = 30
_SAMPLE_S = 60
_SETPOINT_CK = 1900
_COLD_CK = 1800
_MEAN_CK, _SWING_CK = 200, 200
# Outdoors at the openings, and their instants: days after the first Monday, minute of the day.
OUTDOORS_CK = (-500, 0, 500)
_OPENINGS = ((2, 600), (2, 840), (3, 540), (3, 780), (4, 960))
OPEN_S = 1800
# A heater's deaths, told like openings; a day later its report has failed.
_DEATHS = ((3, 420), (3, 600))
_DEAD_MAX_MIN = 1440
SEEN_S = 960
SEEN_PERCENT = 90
OVER_K_MAX = 0.5


@dataclass
class Figures:
    """Holds the figures of one room."""

    room: str
    false_windows: int = 0
    no_heat_min: int = 0
    cold_h: float = 0.0
    over_k: float = 0.0
    mondays_c: list[float] = field(default_factory=list)
    late: int = 0
    openings: int = 0
    seen: int = 0
    wh: int = 0
    accused: int = 0
    dead_min: int = 0


class LivedRoom:
    """Runs the node's own trade on one room of the range, a step every STEP_S."""

    def __init__(self, room: RangedRoom, start_s: int, mean_ck: int, swing_ck: int) -> None:
        emitter = room.emitter
        made = model.default(emitter.output, emitter.is_water)
        self.unix_s = self._start_s = start_s
        air = Air(latitude_e4=474700, longitude_e4=-5500, mean_ck=mean_ck, swing_ck=swing_ck)
        self.room = Room(room.data, air, start_ck=1700)
        self._ports = HeatedRoom(self.room, made, Prng("range"), lambda: self.unix_s, contact=False)
        self._ports.power_on()
        self.trade = Thermostat(made, b"", now_ms=0)
        self._sampled_s = start_s - _SAMPLE_S

    def step(self) -> list[tuple[int, Any, Any]]:
        """Lives on by STEP_S and returns the events of it."""
        self.unix_s += STEP_S
        self._ports.settle()
        now_ms = 1000 * (self.unix_s - self._start_s)
        moment = Moment(now_ms, self.unix_s, 1, None, False, {})
        if self.unix_s - self._sampled_s >= _SAMPLE_S:
            self._sampled_s = self.unix_s
            self.trade.sample(self._ports.read(), moment)
        self.trade.decide(moment)
        self._ports.apply(self.trade.outputs, now_ms=now_ms)
        found: list[tuple[int, Any, Any]] = self.trade.drain_events()
        return found


def first_monday() -> int:
    return civil.unix_from_local(civil.PARIS, civil.days_from_civil(2026, 11, 30), 0)


def live(name: str, weeks: int) -> Figures:
    """Runs one room for so many weeks without people, sun or windows."""
    found = Figures(name)
    lived = LivedRoom(ROOM_RANGE[name], first_monday(), _MEAN_CK, _SWING_CK)
    first_min, last_min = heating.DEFAULT_PROGRAMME.days[0][0][:2]
    was_occupied = False
    airs: list[int] = []
    is_paused = False
    cold_s = over_ck = no_heat_s = 0
    for second in range(0, (7 * weeks + 1) * civil.day_s, STEP_S):
        for code, active, _ in lived.step():
            if code == event.WINDOW_OPEN:
                is_paused = active
                found.false_windows += active
            found.late += code == event.PREHEAT_FAILURE and active
            found.accused += code == event.HEATING_FAILURE and active
        day, minute = divmod(second // 60, 1440)
        occupied = day % 7 < 5 and first_min <= minute < last_min
        air_ck = lived.room.air_ck
        airs.append(air_ck)
        if len(airs) > 600 // STEP_S:
            airs.pop(0)
        if occupied:
            if not was_occupied and day and day % 7 == 0:
                found.mondays_c.append(air_ck / 100)
            over_ck = max(over_ck, sum(airs) // len(airs) - _SETPOINT_CK)
            cold_s += STEP_S * (air_ck < _COLD_CK and second >= 7 * civil.day_s)
            no_heat_s += STEP_S * is_paused
        was_occupied = occupied
    found.cold_h, found.over_k, found.no_heat_min = round(cold_s / 3600, 1), over_ck / 100, no_heat_s // 60
    found.wh = lived.room.energy_wh()
    return found


def air_out(name: str, outdoor_ck: int) -> list[bool]:
    """Opens the window five times for half an hour; returns which were seen within SEEN_S."""
    start_s = first_monday()
    lived = LivedRoom(ROOM_RANGE[name], start_s, outdoor_ck, 0)
    found: list[bool] = []
    for day, minute in _OPENINGS:
        opens_s = start_s + day * civil.day_s + 60 * minute
        while lived.unix_s < opens_s:
            lived.step()
        lived.room.window_open = True
        found.append(False)
        while lived.unix_s < opens_s + OPEN_S:
            for code, active, _ in lived.step():
                found[-1] = found[-1] or (code == event.WINDOW_OPEN and active and lived.unix_s - opens_s <= SEEN_S)
        lived.room.window_open = False
    return found


def die(name: str, outdoor_ck: int, day: int, minute: int) -> tuple[int, int]:
    """Lets the heater die; returns how often it was accused before, and minutes until its death is reported."""
    start_s = first_monday()
    lived = LivedRoom(ROOM_RANGE[name], start_s, outdoor_ck, 0)
    dies_s = start_s + day * civil.day_s + 60 * minute
    accused = 0
    while lived.unix_s < dies_s + 60 * _DEAD_MAX_MIN:
        lived.room.heater_dead = lived.unix_s >= dies_s
        for code, active, _ in lived.step():
            if code == event.HEATING_FAILURE and active:
                if lived.room.heater_dead:
                    return accused, (lived.unix_s - dies_s) // 60
                accused += 1
    return accused, _DEAD_MAX_MIN


def measure(name: str, weeks: int) -> Figures:
    """Measures one room."""
    found = live(name, weeks)
    for outdoor_ck in OUTDOORS_CK:
        for death in _DEATHS:
            accused, dead_min = die(name, outdoor_ck, *death)
            found.accused += accused
            found.dead_min = max(found.dead_min, dead_min)
    openings = [seen for outdoor_ck in OUTDOORS_CK for seen in air_out(name, outdoor_ck)]
    found.openings, found.seen = len(openings), sum(openings)
    return found


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_json(parser)
    parser.add_argument("--room", metavar="TEXT", default="", help="only rooms whose name contains it (all)")
    parser.add_argument("--weeks", type=whole(1, 20), default=4, help="weeks without windows (4)")


def run(args: argparse.Namespace) -> int:
    """Returns 0 when nothing is imagined, SEEN_PERCENT are seen, and no room overshoots by more than OVER_K_MAX."""
    rooms = [name for name in ROOM_RANGE if args.room in name]
    if not args.json:
        print(f"{'room':28}{'false':>6}{'no heat':>8}{'cold h':>7}{'over':>6}  {'mondays':26}", end="")
        print(f"{'late':>5}{'seen':>7}{'kWh':>6}{'accused':>8}{'dead':>6}")
    found = []
    for name in rooms:
        one = measure(name, args.weeks)
        found.append(one)
        if not args.json:
            mondays = " ".join(f"{celsius:.1f}" for celsius in one.mondays_c)
            print(
                f"{name:28}{one.false_windows:6}{one.no_heat_min:8}{one.cold_h:7}{one.over_k:6.2f}  {mondays:26}"
                f"{one.late:5}{one.seen:4}/{one.openings}{one.wh // 1000:6}"
                f"{one.accused:8}{one.dead_min:6}",
                flush=True,
            )
    seen, openings = sum(one.seen for one in found), sum(one.openings for one in found)
    if args.json:
        print(json.dumps({"weeks": args.weeks, "rooms": [asdict(one) for one in found]}))
    else:
        print(f"{sum(one.false_windows for one in found)} windows imagined, {seen} of {openings} openings seen")
    held = not any(one.false_windows or one.accused or one.over_k > OVER_K_MAX for one in found)
    return 0 if held and 100 * seen >= SEEN_PERCENT * openings else 1
