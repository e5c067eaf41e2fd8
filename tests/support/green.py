"""A small green space with the real trade on it, for tests: three zones, latching valves, a meter, June in Angers."""

import copy

from kinds import Start, irrigation
from node.settings import site
from policy import civil
from policy.fault import Faults
from simulator.checkers.water import WaterChecker
from simulator.plants.climate import Climate, DayWeather
from simulator.plants.green_space import GreenPorts, Site, TradeRunner
from simulator.plants.pipes import Pipes
from simulator.world.chance import Prng
from watering import settings as own_settings
from wire import directive, event

NODE = b"\x01\x02\x03\x04\x05\x06\x07\x08"
# Lawn under rotors, a bed on a slope under sprays, shrubs on drip; 20 mL a pulse.
PLAIN = {
    "site": [474700, -5500],
    "watering": [
        1,
        [
            [0, 0, 3, 2, 1, 10000, 20000, 0, 0, 1, 60],
            [1, 3, 6, 8, 0, 4000, 20000, 0, 0, 1, 60],
            [4, 2, 2, 2, 2, 8000, 8000, 0, 0, 1, 120],
        ],
        [[0, 127, 0, 0, 0, 300, 0, 7, 50]],
        [],
        [],
    ],
    "valves": [2, 2, 2, 2, 0],
    "supply": [5, 5, 0, 0],
    "meter": [20000, 60],
    "weather": [40, 2, 20, []],
}
DRY = DayWeather(1400, 2600, 450, 800, 20, 280, 5200, ())


class DryClimate(Climate):
    """The same dry June day, again and again."""

    def __init__(self):
        super().__init__(0, 0)

    def day(self, civil_day):
        return DRY


def plain(**changes):
    """PLAIN with other settings."""
    changed = copy.deepcopy(PLAIN)
    changed.update(changes)
    return changed


def programs(plain_settings, *items):
    """The same settings with these programs."""
    changed = copy.deepcopy(plain_settings)
    changed["watering"][2] = [list(item) for item in items]
    return changed


def unmetered(*items, gauge=0):
    """Settings without a meter, whose node looks at its weather and little else."""
    made = programs(plain(weather=[40, 2, gauge, []]), *items)
    del made["meter"]
    for zone in made["watering"][1]:
        zone[9] = 0
    return made


# One zone of lawn every day at five.
DAILY = [0, 127, 0, 0, 0, 300, 0, 1, 50]
ONE = programs(PLAIN, DAILY)


def own(settings=PLAIN):
    faults = Faults()
    # Not through the kind: its board has no output that holds a 24 V AC valve, which the trade knows to drive.
    found = own_settings.decode(faults, settings, site(faults, settings["site"]))
    assert not faults.count(), faults.listed()
    return found


class Green:
    """World, node and checker together. `date`: of the first day, which begins at local 00:00."""

    def __init__(self, settings=PLAIN, *, date=(2026, 6, 1), climate=None, law=(), flows=None, battery_mv=0, drought=0):
        self.own = own(settings)
        begin_s = civil.unix_from_local(civil.PARIS, civil.days_from_civil(*date), 0)
        zones = self.own.policy.zones
        self.pipes = Pipes(
            self.own.kinds,
            list(flows or [zone.flow_ml_min for zone in zones]),
            main_max=self.own.main_max_ml_min if self.own.pulse_ul else 60000,
            pulse_ul=self.own.pulse_ul,
        )
        self.site = Site(zones, self.pipes, climate or DryClimate(), Prng(1), begin_s)
        self.ports = GreenPorts(self.site, self.own.kinds, self.own.pulse_ms, battery_mv=battery_mv)
        self.ports.boost_mv = self.own.boost_mv
        self.checker = WaterChecker(self.pipes, list(law), powered_s=begin_s)
        self.desk = TradeRunner(self.ports, self.make)
        self.desk.directives = {} if drought is None else {directive.DROUGHT_LEVEL: drought}
        self._told = 0
        self.desk.watchers.append(self._look)

    def make(self, memory, now_ms):
        return irrigation.make_trade(self.own, Start(NODE, memory, now_ms, lambda below: 0))

    def _look(self, unix_s):
        for at_s, code, _, detail in self.desk.events[self._told :]:
            self.checker.announced(at_s, code, detail)
        self._told = len(self.desk.events)
        self.checker.check(unix_s)

    def run(self, *, hours=0, minutes=0, seconds=0):
        self.desk.run(3600 * hours + 60 * minutes + seconds)

    def cut(self, for_ms=5000, *, remembered=False):
        """A power cut, as the checker must know it too."""
        self._look(self.site.unix_s)
        self.checker.power(None)
        self.desk.watchers.remove(self._look)
        self.desk.power_cut(for_ms, remembered=remembered)
        self.desk.watchers.append(self._look)
        self._told = len(self.desk.events)
        self.checker.power(self.site.unix_s)

    def events(self, code):
        """[(local hour, minute, active, detail)] of a code."""
        found = []
        for at_s, one, active, detail in self.desk.events:
            if one == code:
                second = civil.local_from_unix(civil.PARIS, at_s).second
                found.append((second // 3600, second // 60 % 60, active, detail))
        return found

    def openings(self, zone=None):
        """(hour, minute, zone, rule) of openings of zones."""
        return [
            (hour, minute, detail[0], detail[2])
            for hour, minute, _, detail in self.events(event.VALVE_SWITCHED)
            if detail[1] and (detail[0] if zone is None else detail[0] == zone)
        ]

    def litres(self, zone):
        """What has really come out of a zone."""
        return self.pipes.zone_ul[zone] // 1_000_000


def skipped(green):
    """[(zone, why)] of what was not watered."""
    return [detail[:2] for _, _, _, detail in green.events(event.WATERING_SKIPPED)]
