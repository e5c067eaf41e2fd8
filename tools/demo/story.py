"""Joins a simulated territory, its warehouse as a file, and what people do to it. One thread owns it all.

Nothing is drawn by the seed but the town, the lamps and the radio: what breaks is broken by hand (`tools.demo.faults`).
The ingest writes the file as it does everywhere, in virtual time; the roll-up follows every quarter of an hour.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

from policy import civil, lighting
from simulator.cabinet.commune import BEHUARD
from simulator.checkers.lighting import EVERY_MS
from simulator.options import HOUR_S, Options, districts
from simulator.report.result import Result
from simulator.territory import Territory
from tools.centre.condition.notes import Fetcher, path_of
from tools.centre.duty import rota
from tools.centre.duty.book import Message
from tools.centre.duty.desk import MAIL, SMS
from tools.centre.duty.rota import Person
from tools.centre.duty.sending import Configuration
from tools.centre.duty.watch import Watch
from tools.centre.limits import DUTY_MINUTES
from tools.centre.register.equipment import Version
from tools.centre.rollup.worker import Worker
from tools.centre.store import schema
from tools.demo import people, towns
from tools.demo.commune import File
from tools.demo.control import Dispatching, expecting
from tools.demo.pace import Snapshot

# The files of the story, and the web's own database.
WAREHOUSE, REGISTER, CONTROL, DATA, DUTY = "warehouse.db", "register.gpkg", "control.db", "web.sqlite3", "duty.db"
_ROLL_EVERY_MS = 900_000
# How often it is decided who is told, and for how long the bar shows what the last SMS would say.
_DUTY_EVERY_MS = 60_000
_TOLD_S = 1800
# The run begins with a cold boot of everything: lamps burn until their cabinet tells the time. No page shows that.
_SETTLED_MS = 600_000
# A roll-up takes so many days of nodes at a time; a small town has a few hundred marked.
_ROLL_DAYS = 500
# After all is mended: the longest that a report takes (`simulator.checkers.alarms.SOON_S`), a batch, a retry.
_QUIET_MS = 2_700_000


class Arriving:
    """Is a channel of which each message arrives: nothing leaves the machine, and the screens show what was sent."""

    def send(self, person: Person, message: Message, *, now_s: int) -> None:
        pass


@dataclass
class Struck:
    """Holds what was broken by hand. `kind`, `target`: words of `tools.demo.faults`; `mend` makes it as new; `waiting`
    counts the records that wait because of it; `unpowered`: lamps that it left without current; `cuts_off`: nothing
    comes from its cabinets meanwhile. `until_s`: when it was mended; `waited_max`: the most records that waited at once
    until then."""

    kind: str
    target: str
    from_s: int
    mend: Callable[[], None]
    waiting: Callable[[], int]
    unpowered: int
    cuts_off: bool
    until_s: int | None = None
    waited_max: int = 0


class Judged(NamedTuple):
    """Holds a judgement, and when it was made."""

    unix_s: int
    result: Result


class Story:
    """Runs a territory whose files are in `folder`; `file`: of a commune that stands in place of drawn towns."""

    def __init__(self, folder: Path, options: Options, file: File | None = None) -> None:
        self.path = str(folder / WAREHOUSE)
        drawn = {} if file is not None else towns.draw(options)
        wired = options if file is not None else towns.wired(options, drawn)
        self.territory = Territory(
            replace(wired, faults=False, until_dusk=False),
            warehouse=self.path,
            control=lambda world, broker: Dispatching(world, broker, str(folder / CONTROL), str(folder / DATA)),
            has_hall=True,
        )
        self._prepare_control()
        self.communes = towns.communes(self.territory, drawn, file)
        self.broken: list[Struck] = []  # of the whole evening, in their order
        self._connection = schema.open_to_write(self.path, "OFF")
        towns.write(self.territory, self.communes, folder / REGISTER, self._connection)
        for commune in self.communes:
            ground = json.dumps(towns.ground(commune), separators=(",", ":"))
            (folder / f"{commune.insee}.geojson").write_text(ground, encoding="utf-8")
        people.grant(self._connection, people.COMMUNE if file is None else file.insee)
        self._worker = Worker(self._connection)
        self._notes = Fetcher(path_of(str(folder / DATA)), self.path, self._connection, lambda *_, **__: None)
        place = districts(options)[0]
        site = lighting.Site(place.latitude_e4, place.longitude_e4, civil.PARIS)
        self._plan = lighting.Plan(lighting.DEFAULT_CALENDAR, site)
        with self.territory.sealed:
            self.territory.start()
        self.territory.world.every(_ROLL_EVERY_MS, self._roll)
        self.territory.world.every(EVERY_MS, self._count_waiting)
        self.run_until(_SETTLED_MS)
        self._first_dusk_ms = self.dusk_ms()
        data = str(folder / DATA)
        people.set_rota(rota.path_of(data), now_s=self.unix_s)
        nowhere = Configuration("", DUTY_MINUTES, {SMS: Arriving(), MAIL: Arriving()})
        self._duty = Watch(self.path, str(folder / DUTY), data, nowhere, lambda *_, **__: None, "OFF")
        self.territory.world.every(_DUTY_EVERY_MS, self._tell)

    def close(self) -> None:
        self._duty.close()
        self._notes.close()
        self.control.close()
        self._connection.close()
        self.territory.centre.warehouse.close()

    # --- time -------------------------------------------------------------------------------------------------------

    @property
    def now_ms(self) -> int:
        return self.territory.world.now_ms

    @property
    def unix_s(self) -> int:
        return self.territory.world.unix_s

    def run_until(self, end_ms: int) -> None:
        with self.territory.sealed:
            self.territory.world.run_until(end_ms)

    def dusk_ms(self) -> int:
        """Returns the next instant at which the policy lights the streets."""
        wanted = self._plan.wanted(self.unix_s)
        while wanted.level_percent > 0 or self._plan.wanted(wanted.until_s).level_percent == 0:
            wanted = self._plan.wanted(wanted.until_s)
        return self.now_ms + 1000 * (wanted.until_s - self.unix_s)

    # --- what there is to see ---------------------------------------------------------------------------------------

    def snapshot(self) -> Snapshot:
        territory = self.territory
        plant = territory.village.street.plant if territory.village is not None else None
        lit = sum(lamp.light_percent() > 0 for lamp in territory.lamps)
        power_dw = territory.streets.power_dw()
        if plant is not None:
            lit += sum(light.lit for light in plant.lights())
            power_dw += sum(feeder.power_dw(now_ms=plant.now_ms) for feeder in plant.feeders)
        waiting = sum(gateway.waiting() for gateway in territory.gateways)
        has_night = self.now_ms >= self._first_dusk_ms
        return Snapshot(lit, power_dw, waiting, len(self.struck), told=self._told(), has_night=has_night)

    def equipment(self) -> Iterator[Version]:
        """Returns the register."""
        return towns.versions(self.territory, self.communes)

    @property
    def struck(self) -> list[Struck]:
        """Returns what is broken now."""
        return [one for one in self.broken if one.until_s is None]

    def short_between(self, from_s: int, until_s: int) -> tuple[int, int]:
        """Returns the most sound lamps with a node that were to be lit at once within a time, and the most of these
        that were not; (0, 0) if no checker looked at the street in that time."""
        found = [one for one in self.territory.snapshots if from_s <= one.unix_s <= until_s]
        wanted = max((one.wanted for one in found), default=0)
        return wanted, max((one.wanted - one.lit for one in found), default=0)

    def enrol(self, insee: str, key: bytes, name: str, right: int) -> None:
        """Names a browser's key in the policy of a commune, as its key holder would."""
        self.control.enrol(insee, key, name, right)

    # --- the end ----------------------------------------------------------------------------------------------------

    def mend(self, one: Struck) -> None:
        one.waited_max = max(one.waited_max, one.waiting())
        one.until_s = self.unix_s
        one.mend()

    def mend_all(self) -> None:
        for one in self.struck:
            self.mend(one)

    def report(self) -> Judged:
        """Mends everything, lets time pass until all has been reported, and returns the judgement of the checkers."""
        self.mend_all()
        self.territory.calm()
        self.run_until(self.now_ms + _QUIET_MS)
        result = self.territory.judge()
        hours = -(-self.now_ms // (1000 * HOUR_S))
        result.options = replace(result.options, hours=hours)
        return Judged(self.unix_s, result)

    # --- inside -----------------------------------------------------------------------------------------------------

    def _count_waiting(self) -> None:
        for one in self.struck:
            one.waited_max = max(one.waited_max, one.waiting())

    def _tell(self) -> None:
        self._duty.turn(now_s=self.unix_s)

    def _told(self) -> tuple[str, str] | None:
        lately = self._duty.book.of_channel(SMS, since_s=self.unix_s - _TOLD_S)
        return (lately[0].person, lately[0].subject) if lately else None

    def _prepare_control(self) -> None:
        control, village = self.territory.control, self.territory.village
        assert isinstance(control, Dispatching) and village is not None
        self.control = control
        for insee, policy in {**self.territory.policies, BEHUARD.insee: village.street.policy}.items():
            control.install(insee, policy)
        control.on_order = expecting(self.territory)

    def _roll(self) -> None:
        self._notes.fetch(now_s=self.unix_s)
        self._worker.fill_calendar(now_s=self.unix_s)
        while self._worker.step(_ROLL_DAYS):
            pass
