"""Simulates the smallest commune of a territory: one cabinet, three feeders of plain lamps, a night with faults.

The seed draws lamps that fail, a contactor that welds, a door that is opened; the mayor orders light at one in the
morning through the broker, signed. Runs in the territory's world; its checkers stand apart. The lines of the report and
the picture are in `simulator.report.village`.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from policy import civil, sun
from simulator.cabinet.commune import BEHUARD, Commune, Night, signed_by_telephone
from simulator.cabinet.street import Setup, Street
from simulator.cabinet.system_clock import SystemClock
from simulator.checkers.alarms import AlarmVerdict, Bodies, Cause, alarms_of, judge_cabinet
from simulator.checkers.street import Counted, Order
from simulator.hosts.centre import Control
from simulator.plants.fallback import Programme
from simulator.plants.feeder import FeederData
from simulator.world.broker import Broker
from simulator.world.chance import Prng
from simulator.world.time import World
from wire import event, record

GATEWAY_ID = bytes.fromhex("7c1f0a2cfeff0124")
FEEDERS = (FeederData("bourg", 14, 32), FeederData("levée", 9, 45), FeederData("chapelle", 6, 28))
ORDINARY = Programme(0, 22 * 60 + 30, 5 * 60 + 30)
_ALL_NIGHT = Programme()
NIGHTS = (Night(714, 714, _ALL_NIGHT), Night(1224, 1224, _ALL_NIGHT))

LAMP, CONTACTOR, DOOR, EMERGENCY = "lamp", "contactor", "door", "emergency"
_HOUR_S = 3600
_OFF_S, _EMERGENCY_S, _EMERGENCY_LASTS_S = 22 * _HOUR_S + 1800, _HOUR_S, _HOUR_S
_EVENING_S = 4 * _HOUR_S
# The time that a report may take: lamps are counted for ten minutes, a contactor is awaited for ten seconds; the time
# between samples is added.
_LAMPS_SOON_S, _SOON_S = 900, 60
# Half the shell's simulated rate of sampling: it is one of four cabinets in its world. Never above ALARM_INSTANT_MS
# (15 s): lamps that went out together would not be recognised as a cable.
_LOOK_MS = 10_000


class Happening(NamedTuple):
    """Holds one happening, in seconds after the start; `feeder`: an index, or None. `lamp`: its index on the feeder."""

    what: str
    at_s: int
    to_s: int | None
    feeder: int | None = None
    lamp: int | None = None


class Ordered(NamedTuple):
    """Holds the times of the emergency light: ordered, lit everywhere (Unix ms); and the power measured, 0.1 W.

    None: never.
    """

    at_ms: int
    to_s: int
    lit_ms: int | None
    measured_dw: int | None


class Spell(NamedTuple):
    """Holds a time for which a feeder was lit, from and to in Unix ms."""

    feeder: int
    from_ms: int
    to_ms: int


class VillageReport(NamedTuple):
    """Holds what the report and the picture show of the commune."""

    commune: Commune
    happenings: tuple[Happening, ...]
    counted: tuple[Counted, ...]
    violations: tuple[str, ...]
    worst_s: int
    alarms: AlarmVerdict
    ordered: Ordered | None
    true_wh: tuple[int, ...]
    spells: tuple[Spell, ...]

    @property
    def is_good(self) -> bool:
        lit = self.ordered is None or (self.ordered.lit_ms is not None and self.ordered.measured_dw is not None)
        return lit and not self.violations and not self.alarms.faults


def draw(start_unix_s: int, faults_s: int, prng: Prng) -> tuple[Happening, ...]:
    """Draws what happens in the first `faults_s`; omits a happening that would not be over by then."""
    day = civil.local_from_unix(civil.PARIS, start_unix_s).civil_day
    dusk_s = sun.crossing_s(day, BEHUARD.latitude_e4, BEHUARD.longitude_e4, rising=False) or start_unix_s
    dusk_s -= start_unix_s
    midnight_s = civil.unix_from_local(civil.PARIS, day + 1, 0) - start_unix_s
    off_s = midnight_s - 24 * _HOUR_S + _OFF_S
    dark, welded = prng.pick(2, len(FEEDERS))
    if prng.chance(500):
        dark, welded = welded, dark
    found = []
    if off_s - dusk_s > _EVENING_S:  # in summer there is time for no more than a door
        lamps = prng.pick(prng.between(1, 3), FEEDERS[dark].lamps)
        # At intervals, so that they count as lamps and not as a cable; with time to be counted before the street is put
        # out.
        slot_s = (off_s - dusk_s - 2 * _HOUR_S) // len(lamps)
        for number, lamp in enumerate(lamps):
            at_s = dusk_s + _HOUR_S // 2 + number * slot_s + prng.randrange(600)
            found.append(Happening(LAMP, at_s, None, dark, lamp))
        mended_s = midnight_s + 9 * _HOUR_S + prng.randrange(2 * _HOUR_S)
        found.append(Happening(CONTACTOR, dusk_s + _HOUR_S + prng.randrange(2 * _HOUR_S), mended_s, welded))
    opened_s = midnight_s - 5 * _HOUR_S + prng.randrange(2 * _HOUR_S)
    found.append(Happening(DOOR, opened_s, opened_s + 300 + prng.randrange(1200)))
    ordered_s = midnight_s + _EMERGENCY_S
    found.append(Happening(EMERGENCY, ordered_s, ordered_s + _EMERGENCY_LASTS_S))
    inside = [one for one in found if one.at_s > 0 and (one.to_s or one.at_s + _LAMPS_SOON_S) < faults_s]
    return tuple(sorted(inside, key=lambda one: one.at_s))


class Village:
    """Runs the commune in a world.

    `start` once, `report` at the end. `host` is a gateway among the territory's others.
    """

    def __init__(
        self, world: World, prng: Prng, broker: Broker, control: Control, happenings: tuple[Happening, ...]
    ) -> None:
        self.happenings = happenings
        self._world = world
        self._control = control
        self._start_s = world.unix_s
        error_s = prng.between(-90, 90)
        setup = Setup(
            BEHUARD, FEEDERS, ORDINARY, GATEWAY_ID, NIGHTS, clock_error_ms=1000 * error_s, observe_ms=_LOOK_MS
        )
        self.street = Street(world, prng, broker, setup, SystemClock())
        self.host = self.street.host
        self._lit_since: list[int | None] = [None] * len(FEEDERS)
        self._spells: list[Spell] = []
        self._ordered: Ordered | None = None
        self._played: list[list[int | None]] = []
        self.street.plant.on_change.append(lambda now_ms: self._observe_light())
        self._observe_light()

    def start(self) -> None:
        """Starts the gateway and schedules the happenings."""
        self.host.power_on()
        for one in self.happenings:
            self._world.at(1000 * one.at_s, self._apply, one)

    def play(self, begin: tuple[Any, ...], end: tuple[Any, ...]) -> Callable[[], None]:
        """Does something to the plant that no story foresaw; returns what undoes it. Each is a method with arguments.

        What the cabinet reports meanwhile is not judged; its light is.
        """
        span: list[int | None] = [self._world.unix_s, None]
        self._played.append(span)
        self.street.side.do(*begin)

        def undo() -> None:
            self.street.side.do(*end)
            span[1] = self._world.unix_s + _LAMPS_SOON_S

        return undo

    def report(self, bodies: Bodies) -> VillageReport:
        """Judges the commune at the end of the run, with what has reached the warehouse."""
        self.street.finish()
        rows = [row for row in bodies if row[0][0] == GATEWAY_ID]
        found, checker = alarms_of(GATEWAY_ID, rows), self.street.checker
        spells = [*self._spells]
        for index, since_ms in enumerate(self._lit_since):
            if since_ms is not None:
                spells.append(Spell(index, since_ms, self._world.unix_ms))
        return VillageReport(
            BEHUARD,
            self.happenings,
            tuple(checker.counted()),
            tuple(f"{BEHUARD.name}: {violation}" for violation in checker.violations),
            max(checker.worst_dark_s, checker.worst_burning_s),
            judge_cabinet(self._causes(), [one for one in found if not self._is_played(one.unix_s)]),
            None if self._ordered is None else self._ordered._replace(measured_dw=_measured(rows)),
            tuple(feeder.energy_wh() for feeder in self.street.plant.feeders),
            tuple(spells),
        )

    # --- inside -------------------------------------------------------------------------------------------------

    def _is_played(self, unix_s: int) -> bool:
        return any((from_s or 0) <= unix_s and (to_s is None or unix_s <= to_s) for from_s, to_s in self._played)

    def _apply(self, one: Happening) -> None:
        plant, do = self.street.plant, self.street.side.do
        if one.what == LAMP:
            do(plant.fail_lamp, one.feeder, one.lamp)
        elif one.what == CONTACTOR:
            do(plant.stick_contactor, one.feeder, True)
            self._world.at(1000 * (one.to_s or 0), do, plant.mend, one.feeder)
        elif one.what == DOOR:
            do(plant.set_door, True)
            self._world.at(1000 * (one.to_s or 0), do, plant.set_door, False)
        else:
            self._order(self._start_s + (one.to_s or 0))

    def _order(self, to_s: int) -> None:
        """Signs an order as the mayor and sends it by the control centre."""
        now_s = self._world.unix_s
        data = signed_by_telephone(BEHUARD, 1, "recherche d’une personne", from_s=now_s, to_s=to_s)
        self._control.send(BEHUARD.insee, self.street.setup.name, data)
        self.street.expect(Order(None, True, now_s, to_s))
        self._ordered = Ordered(self._world.unix_ms, to_s, None, None)
        self._observe_light()

    def _observe_light(self) -> None:
        now_ms = self.street.plant.unix_ms
        for index, light in enumerate(self.street.plant.lights()):
            since_ms = self._lit_since[index]
            if light.lit and since_ms is None:
                self._lit_since[index] = now_ms
            elif not light.lit and since_ms is not None:
                self._lit_since[index] = None
                self._spells.append(Spell(index, since_ms, now_ms))
        ordered = self._ordered
        if ordered is not None and ordered.lit_ms is None and all(light.lit for light in self.street.plant.lights()):
            self._ordered = ordered._replace(lit_ms=now_ms)

    def _causes(self) -> list[Cause]:
        """Returns the causes that alarms must report."""
        causes = []
        lamps = [one for one in self.happenings if one.what == LAMP]
        if lamps:
            first = lamps[0]
            name = FEEDERS[first.feeder or 0].name
            at_s = self._start_s + first.at_s
            causes.append(Cause(event.LAMPS_LOST, name, at_s, None, _LAMPS_SOON_S, len(lamps)))
        for one in self.happenings:
            to_s = None if one.to_s is None else self._start_s + one.to_s
            if one.what == CONTACTOR:
                # It shows when the street is put out.
                day = civil.local_from_unix(civil.PARIS, self._start_s).civil_day
                off_s = civil.unix_from_local(civil.PARIS, day, _OFF_S)
                causes.append(Cause(event.CONTACTOR_STUCK, FEEDERS[one.feeder or 0].name, off_s, to_s, _SOON_S))
            elif one.what == DOOR:
                causes.append(Cause(event.DOOR_OPEN, None, self._start_s + one.at_s, to_s, _SOON_S))
        return causes


def _measured(rows: list[tuple[tuple[bytes, int, int], record.Stamp, bytes]]) -> int | None:
    """Returns the power of all feeders under emergency light, by the outcomes in the warehouse, or None."""
    powers = []
    for _, _, body in rows:
        said = record.decode_body(body)
        if isinstance(said, record.EventBody) and said.code == event.COMMAND_OUTCOME:
            _, outcome, _, _, power_dw = said.detail
            if outcome == "measured" and power_dw is not None:
                powers.append(power_dw)
    return sum(powers) if powers else None
