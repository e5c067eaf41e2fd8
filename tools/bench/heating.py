"""Runs a winter of heating on the plant models, with our thermostat and with plain ones: same room, weather and people.

1 November to 31 March (`simulator.plants.climate`), a step a minute, virtual time. Two rooms: a classroom with electric
heat behind a relay (school week, holidays, windows opened at the breaks), a small town hall with water heat behind a
0-10 V valve (weekdays and Saturday morning). Three thermostats each:

    ours       the node's own code (`heating.trade`), with the programme, TPI or PI, and the preheat and stop that it
               learns
    plain      hysteresis of 0.5 K either way and a fixed week that knows no holidays: 19 °C from two hours before the
               day until its end, 16 °C otherwise, as in most municipal buildings
    plain-8    the same thermostat with all that ours knows: the holidays, and 16 and 8 °C in long absences; its preheat
               stays at two hours. It shows what the learning adds to the programme

Columns: kWh; cold, K·h below the set-point in occupied hours (any shortfall), and the hours that lacked more than a
kelvin at the moment when people came; over, occupied hours above 20 °C (sun and people warm too); cycles of the relay,
or strokes of the valve (travel / 100 %). The set-points are 19 °C for all three: a thermostat that keeps a room colder
also saves by that.

    bocage bench heating --json
    bocage bench heating --svg week.svg
"""

import argparse
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

from gateway.language.arguments import whole
from heating import model
from heating.trade import Thermostat
from node.trade import Moment
from policy import civil, heating
from simulator.plants.building import CLASSROOM, TOWN_HALL, Room, RoomData, Thermometer
from simulator.plants.climate import Climate, Weather
from simulator.world.chance import Prng
from tools.command_line import add_json
from wire import quantity

YEAR = 2026
SEED = 1  # of the weather
STEP_S = 60
PEOPLE_CK = 1900
_OVER_CK = 2000
# Mean shortfall of an occupied hour: less than people feel (EN ISO 7730 allows ± 2 K for its widest class of offices).
COLD_K_MAX = 0.3
_MISSED_CK = 100
_PLAIN_BAND_CK = 50
_PLAIN_LEAD_MIN = 120
# The week in the picture: the first after Christmas, Monday to Sunday.
PICTURE_FROM = (2027, 1, 4)

_SCHOOL_DAY = (heating.Span(510, 990, 0),)
_HALL_DAY = (heating.Span(540, 1050, 0),)
_SATURDAY = (heating.Span(540, 720, 0),)
# Holidays as of a school of zone B, winter of 2026-27; the dates are examples.
SCHOOL = heating.Programme(
    (
        heating.Rule(127, 20261219, 20270103, 1),
        heating.Rule(127, 20270220, 20270307, 1),
        heating.Rule(0b0011011, 0, 0, 0),
    ),
    (_SCHOOL_DAY, ()),
    heating.DEFAULT_SETPOINTS,
    (),
    (),
)
HALL = heating.Programme(
    (
        heating.Rule(127, 1111, 1111, 2),
        heating.Rule(127, 1225, 1225, 2),
        heating.Rule(127, 101, 101, 2),
        heating.Rule(0b0011111, 0, 0, 0),
        heating.Rule(0b0100000, 0, 0, 1),
    ),
    (_HALL_DAY, _SATURDAY, ()),
    heating.DEFAULT_SETPOINTS,
    (),
    (),
)
WIDTH, HEIGHT, LEFT, TOP, PLOT = 1000, 380, 50, 46, 240
_LOW_C, _HIGH_C = -8, 24
_WEEK_S = 7 * 86400
_DAYS = ("lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche")


@dataclass
class Place:
    """Holds a room and its use."""

    name: str
    data: RoomData
    programme: heating.Programme
    is_water: bool
    people: int
    airing: tuple[tuple[int, int], ...]  # (minute of the day, minutes) with the window open, when people are there


PLACES = (
    Place("classroom", CLASSROOM, SCHOOL, False, 26, ((605, 10), (720, 15), (900, 10))),
    Place("town hall", TOWN_HALL, HALL, True, 4, ((545, 8),)),
)


@dataclass
class Figures:
    """Holds the figures of one thermostat in one room."""

    place: str
    thermostat: str
    kwh: int
    cold_kh: float
    occupied_h: int
    missed_starts: int
    over_h: int
    cycles: int
    coldest_c: float


class Point(NamedTuple):
    """Holds one point of the picture: seconds after Monday 0:00; temperatures in 0.01 °C."""

    second: int
    air_ck: int
    setpoint_ck: int
    demand_permille: int
    outdoor_ck: int
    occupied: bool


class Ours:
    """Runs the node's trade on the plant's sensors."""

    name = "ours"

    def __init__(self, place: Place, start_s: int) -> None:
        output = model.VALVE if place.is_water else model.RELAY
        made = model.default(output, place.is_water, place.programme)
        self._is_water = place.is_water
        self._start_s = start_s
        self.trade = Thermostat(made, b"", now_ms=0)
        self.lessons: list[tuple[int, ...]] = []
        self.moves = 0
        self._last = 0

    def step(self, unix_s: int, room_ck: int, outdoor_ck: int) -> int:
        """Returns the demand in 1/1000."""
        moment = Moment(1000 * (unix_s - self._start_s), unix_s, 1, None, False, {})
        values = {quantity.TEMPERATURE: room_ck, quantity.key(quantity.TEMPERATURE, 1): outdoor_ck}
        self.trade.sample(values, moment)
        self.trade.decide(moment)
        self.trade.drain_events()
        out: Any = self.trade.outputs
        demand = 10 * out.valve_percent if self._is_water else 1000 * out.on
        self.moves += abs(demand - self._last) if self._is_water else 1000 * (demand > self._last)
        self._last = demand
        return demand

    def setpoint_ck(self) -> int:
        return int(self.trade.setpoint_ck)


class Plain:
    """Applies hysteresis and a fixed lead. `knows`: it also knows the programme's holidays and long absences."""

    def __init__(self, place: Place, *, knows: bool) -> None:
        self.name = "plain-8" if knows else "plain"
        programme = place.programme
        if not knows:
            ordinary = tuple(rule for rule in programme.rules if rule.first == 0)
            setpoints = heating.Setpoints(1900, 1600, 1600, 1600)
            programme = heating.Programme(ordinary, programme.days, setpoints, (), ())
        self._plan = heating.Plan(programme, civil.PARIS)
        self._on = False
        self._setpoint_ck = 0
        self.moves = 0

    def step(self, unix_s: int, room_ck: int, outdoor_ck: int) -> int:
        wanted = self._plan.wanted(unix_s)
        setpoint_ck = wanted.setpoint_ck
        if wanted.next_s is not None and wanted.next_s - unix_s <= 60 * _PLAIN_LEAD_MIN:
            setpoint_ck = max(setpoint_ck, wanted.next_ck)
        self._setpoint_ck = setpoint_ck
        was = self._on
        if room_ck < setpoint_ck - _PLAIN_BAND_CK:
            self._on = True
        elif room_ck > setpoint_ck + _PLAIN_BAND_CK:
            self._on = False
        self.moves += 1000 * (self._on and not was)
        return 1000 if self._on else 0

    def setpoint_ck(self) -> int:
        return self._setpoint_ck


def winter(place: Place, thermostat: Any, weather: Any, start_s: int, days: int) -> tuple[Figures, list[Point]]:
    """Runs the winter of one room; returns its figures, and the points of the week in the picture."""
    room = Room(place.data, weather, start_ck=1700)
    sensor = Thermometer(room, Prng(f"{place.name} sensor"))
    plan = heating.Plan(place.programme, civil.PARIS)
    room.settle(start_s)
    drawn_s = civil.unix_from_local(civil.PARIS, civil.days_from_civil(*PICTURE_FROM), 0)
    cold_cks = occupied_s = over_s = missed = 0
    coldest_ck = room.air_ck
    was_occupied = False
    points: list[Point] = []
    for unix_s in range(start_s + STEP_S, start_s + days * civil.day_s, STEP_S):
        room.settle(unix_s)
        wanted = plan.wanted(unix_s)
        occupied = wanted.kind == heating.OCCUPIED
        minute = civil.local_from_unix(civil.PARIS, unix_s).second // 60
        room.people = place.people if occupied and not 720 <= minute < 810 else 0
        room.window_open = occupied and any(at <= minute < at + lasts for at, lasts in place.airing)
        air_ck = room.air_ck
        coldest_ck = min(coldest_ck, air_ck)
        if occupied:
            occupied_s += STEP_S
            cold_cks += max(0, PEOPLE_CK - air_ck) * STEP_S
            over_s += STEP_S * (air_ck > _OVER_CK)
            missed += not was_occupied and air_ck < PEOPLE_CK - _MISSED_CK
        was_occupied = occupied
        reading = sensor.read(unix_s)
        assert reading is not None
        room.demand_permille = thermostat.step(unix_s, reading, room.outdoor_ck)
        if drawn_s <= unix_s < drawn_s + 7 * civil.day_s and unix_s % 600 == 0:
            setpoint_ck = thermostat.setpoint_ck()
            points.append(Point(unix_s - drawn_s, air_ck, setpoint_ck, room.demand_permille, room.outdoor_ck, occupied))
    figures = Figures(
        place=place.name,
        thermostat=thermostat.name,
        kwh=room.energy_wh() // 1000,
        cold_kh=round(cold_cks / 360_000, 1),
        occupied_h=occupied_s // 3600,
        missed_starts=missed,
        over_h=over_s // 3600,
        cycles=thermostat.moves // 1000,
        coldest_c=coldest_ck / 100,
    )
    return figures, points


def measure(days: int = 151) -> tuple[list[Figures], list[Point]]:
    """Measures all rooms and thermostats; the points are those of ours in the classroom."""
    first_day = civil.days_from_civil(YEAR, 11, 1)
    start_s = civil.unix_from_local(civil.PARIS, first_day, 0)
    weather = Weather(Climate(SEED, first_day))
    found: list[Figures] = []
    drawn: list[Point] = []
    for place in PLACES:
        for thermostat in (Ours(place, start_s), Plain(place, knows=False), Plain(place, knows=True)):
            figures, points = winter(place, thermostat, weather, start_s, days)
            found.append(figures)
            drawn = drawn or points
    return found, drawn


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_json(parser)
    parser.add_argument("--svg", metavar="FILE", help="also draw the first school week of January")
    parser.add_argument("--days", type=whole(1, 366), default=151, help="days from 1 November on (151)")


def run(args: argparse.Namespace) -> int:
    """Returns 0 when ours uses less than the plain thermostat and keeps people warm (COLD_K_MAX), in both rooms."""
    found, points = measure(args.days)
    if args.svg:
        Path(args.svg).write_text(picture(points), encoding="utf-8")
    if args.json:
        print(json.dumps({"days": args.days, "rooms": [asdict(figures) for figures in found]}))
    else:
        print(f"{'room':12}{'thermostat':12}{'kWh':>7}{'cold K·h':>10}{'of h':>6}", end="")
        print(f"{'missed':>8}{'over h':>8}{'cycles':>8}")
        for one in found:
            print(
                f"{one.place:12}{one.thermostat:12}{one.kwh:>7}{one.cold_kh:>10}{one.occupied_h:>6}"
                f"{one.missed_starts:>8}{one.over_h:>8}{one.cycles:>8}"
            )
    held = True
    for place in PLACES:
        ours, plain = (next(f for f in found if f.place == place.name and f.thermostat == n) for n in ("ours", "plain"))
        held = held and ours.kwh < plain.kwh and ours.cold_kh <= COLD_K_MAX * ours.occupied_h
    return 0 if held else 1


# --- the picture of one week: no script, no font of its own ------------------------------------------------------


def picture(points: list[Point]) -> str:
    """Returns the picture of that week as SVG."""
    day = (WIDTH - LEFT) / 7
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
        'font-family="sans-serif" font-size="12">',
        "<title>Une semaine de classe en janvier : consigne, température, chauffe</title>",
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>',
        '<text x="50" y="18" font-size="15">Une semaine de classe en janvier : consigne (pointillé), '
        "pièce (trait plein), dehors (fin), chauffe (bas)</text>",
        '<text x="50" y="36" fill="#666">A school week in January: set-point (dashed), room (solid), outdoors (thin), '
        "heat (bottom); occupied hours shaded</text>",
    ]
    parts += [
        f'<rect x="{_x(start):.1f}" y="{TOP}" width="{_x(end) - _x(start):.1f}" height="{PLOT}" fill="#f3ead2"/>'
        for start, end in _spans(points)
    ]
    for celsius in range(_LOW_C + 3, _HIGH_C + 1, 5):
        y = _y(100 * celsius)
        parts.append(f'<line x1="{LEFT}" x2="{WIDTH}" y1="{y:.1f}" y2="{y:.1f}" stroke="#ddd"/>')
        parts.append(f'<text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{celsius} °C</text>')
    for index, name in enumerate(_DAYS):
        parts.append(f'<text x="{LEFT + (index + 0.5) * day:.1f}" y="{HEIGHT - 8}" text-anchor="middle">{name}</text>')
    bars = TOP + PLOT + 60
    parts.append(f'<path d="{_bars(points, bars)}" fill="#c0563b"/>')
    parts.append(_line([(p.second, p.outdoor_ck) for p in points], 'stroke="#5b7f9c" stroke-width="1"'))
    parts.append(_line([(p.second, p.setpoint_ck) for p in points], 'stroke="#333" stroke-dasharray="4 3"'))
    parts.append(_line([(p.second, p.air_ck) for p in points], 'stroke="#b3202c" stroke-width="2"'))
    return "\n".join([*parts, "</svg>", ""])


def _x(second: float) -> float:
    return LEFT + (WIDTH - LEFT) * second / _WEEK_S


def _y(value_ck: float) -> float:
    return TOP + PLOT * (_HIGH_C - value_ck / 100) / (_HIGH_C - _LOW_C)


def _line(pairs: list[tuple[int, int]], style: str) -> str:
    points = " ".join(f"{_x(second):.1f},{_y(value):.1f}" for second, value in pairs)
    return f'<polyline points="{points}" fill="none" {style}/>'


def _bars(points: list[Point], base: int) -> str:
    """Returns the path of the mean heat of each hour."""
    hours: dict[int, list[int]] = {}
    for point in points:
        hours.setdefault(point.second // 3600, []).append(point.demand_permille)
    width = (WIDTH - LEFT) / 168
    path = []
    for hour, given in sorted(hours.items()):
        height = 50 * sum(given) / len(given) / 1000
        if height > 0:
            path.append(f"M{_x(3600 * hour):.1f} {base}v{-height:.1f}h{width:.1f}V{base}z")
    return "".join(path)


def _spans(points: list[Point]) -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    start = None
    for point in points:
        if point.occupied and start is None:
            start = point.second
        elif not point.occupied and start is not None:
            found.append((start, point.second))
            start = None
    return found
