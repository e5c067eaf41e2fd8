"""Models a green space: soil, pipes and weather, the ports of its irrigation node, and a runner for a trade.

`Plot` is a zone's root zone; `Site` is the world of one node; `GreenPorts` replaces the ports of `kinds.irrigation`;
`TradeRunner` runs a trade in virtual time as the node's shell does: sample when due, decide, apply, sleep until the
deadline. The node's clock may be wrong: the world's is not. Must not know why a valve is open.
"""

from collections.abc import Callable
from typing import Any

from node.trade import Moment
from policy import civil
from policy import watering as policy
from simulator.plants.climate import Climate
from simulator.plants.pipes import Pipes
from simulator.world.chance import Prng
from watering import inputs
from watering.settings import WIND
from watering.valves import HELD
from wire import quantity

# For slopes up to this in %: intake in % of that on flat ground, column of the surface table.
_SLOPES = ((3, 100, 0), (6, 80, 1), (12, 60, 2), (100, 40, 3))


class Plot:
    """Models one zone's soil, a bucket after FAO-56 with parameters of its own.

    The true field capacity, intake and distribution differ from the node's settings, by the seed: a node that is right
    only on its own model must be detected. Water beyond what the soil takes in stands on the surface; beyond what the
    surface holds it runs off; beyond field capacity it drains. Depths in 0.001 mm, quantised at each step.
    """

    def __init__(self, zone: policy.Zone, prng: Prng) -> None:
        self.zone = zone
        kc_percent, p_percent, root_mm = policy.PLANTS[zone.plant]
        capacity, wilting, intake_dmm_h, surface_dmm = policy.SOILS[zone.soil]
        _, percent, column = next(slope for slope in _SLOPES if zone.slope_percent <= slope[0])
        # Permille of millimetres are micrometres.
        self.total_um = (capacity - wilting) * root_mm * prng.between(880, 1120) // 1000
        self.readily_um = self.total_um * p_percent // 100
        self.kc_permille = 10 * kc_percent * prng.between(930, 1070) // 1000
        self._intake_um_h = intake_dmm_h * percent * prng.between(900, 1300) // 1000
        self._surface_um = 100 * surface_dmm[column] * prng.between(900, 1150) // 1000
        self._efficiency = policy.efficiency_percent(zone) + prng.between(-4, 6)
        self.depletion_um = self.readily_um // 2
        self.standing_um = 0
        self.drained_um = 0
        self.run_off_um = 0
        self.uneven_um = 0
        self.transpired_um = 0

    def stressed(self) -> bool:
        """Returns True when the plants take up less than they would: Ks < 1."""
        return self.depletion_um > self.readily_um

    def step(self, seconds: int, *, irrigation_um: int, rain_um: int, et0_um: int) -> None:
        """Runs `seconds` of the world: water onto the surface, into the soil, out of the leaves."""
        useful_um = irrigation_um * self._efficiency // 100
        self.uneven_um += irrigation_um - useful_um  # beside the plants, or twice where it was wet already
        self.standing_um += useful_um + rain_um
        infiltrated = min(self.standing_um, self._intake_um_h * seconds // 3600)
        self.standing_um -= infiltrated
        if self.standing_um > self._surface_um:
            self.run_off_um += self.standing_um - self._surface_um
            self.standing_um = self._surface_um
        wanted = et0_um * self.kc_permille // 1000
        if self.stressed():
            left = self.total_um - self.depletion_um
            wanted = wanted * left // (self.total_um - self.readily_um)
        self.transpired_um += wanted
        self.depletion_um += wanted - infiltrated
        if self.depletion_um < 0:
            self.drained_um -= self.depletion_um
            self.depletion_um = 0
        self.depletion_um = min(self.depletion_um, self.total_um)


_STEP_S = 600
# The rain of one tip of the gauge: 0.2 mm.
TIP_UM = 200
# The voltage of a cell that its charger keeps full.
CHARGED_MV = 4100


class Site:
    """Simulates the world of one node, from Unix second `begin_s` on."""

    def __init__(self, zones: tuple[Any, ...], pipes: Pipes, climate: Climate, prng: Prng, begin_s: int) -> None:
        self.pipes = pipes
        self.climate = climate
        self.plots = [Plot(zone, prng.split(number)) for number, zone in enumerate(zones, 1)]
        self.begin_s = begin_s
        self.soil_s = begin_s
        self.rain_um = 0
        self._had_ul = [0] * (len(zones) + 1)
        self.now_ms = 0

    @property
    def unix_s(self) -> int:
        return self.begin_s + self.now_ms // 1000

    def advance(self, now_ms: int) -> None:
        """Carries the pipes forward to `now_ms` of the world, and the soil to the last whole ten minutes."""
        end_s = self.begin_s + now_ms // 1000
        while True:
            step_s = _STEP_S - self.soil_s % _STEP_S
            if self.soil_s + step_s > end_s:
                break
            self._soil(step_s)
        self.pipes.advance(now_ms)
        self.now_ms = now_ms

    def weather(self) -> tuple[Any, int]:
        """Returns (the day's weather, second of the local day) now."""
        local = civil.local_from_unix(civil.PARIS, self.unix_s)
        return self.climate.day(local.civil_day), local.second

    def _soil(self, step_s: int) -> None:
        self.pipes.advance(1000 * (self.soil_s + step_s - self.begin_s))
        local = civil.local_from_unix(civil.PARIS, self.soil_s)
        day, second = self.climate.day(local.civil_day), local.second
        rain_um = day.rain_between_um(second, second + step_s)
        et0_um = day.evaporated_um(second, second + step_s)
        self.rain_um += rain_um
        for zone, plot in enumerate(self.plots, 1):
            # 1 mL on 1 dm2 is 0.1 mm: microlitres over dm2 and 10 are micrometres; the remainder waits.
            fallen_um = (self.pipes.zone_ul[zone] - self._had_ul[zone]) // (10 * plot.zone.area_dm2)
            self._had_ul[zone] += fallen_um * 10 * plot.zone.area_dm2
            plot.step(step_s, irrigation_um=fallen_um, rain_um=rain_um, et0_um=et0_um)
        self.soil_s += step_s


class GreenPorts:
    """Is the twin of `kinds.irrigation.Ports` on a Site.

    `silent`: keys of sensors that are broken or not fitted: no board measures the sun, and an anemometer is an option
    (`fitted`, as of watering.settings).
    """

    def __init__(
        self,
        site: Site,
        kinds: tuple[int, ...],
        pulse_ms: int,
        *,
        battery_mv: int = 0,
        boost_mv: int = 0,
        fitted: tuple[str, ...] = (WIND,),
    ) -> None:
        self.site = site
        self._kinds = kinds
        self._pulse_ms = pulse_ms
        self.battery_mv = battery_mv
        self.boost_mv = boost_mv
        self.silent = set() if WIND in fitted else {quantity.WIND_SPEED}
        # Outputs that a broken selector does not connect: their pulses cannot be given.
        self.unreachable: set[int] = set()
        self.wet_sensor = False
        self._under_way: tuple[int, bool] | None = None
        self._begun_ms = 0
        self._held = 0

    def safe(self) -> None:
        """Brings outputs to their safe state: held ones fall, latching ones wait for their pulses."""
        self._under_way = None
        self._held = 0
        self.site.pipes.power_off(self.site.now_ms)

    def apply(self, valves: Any, *, now_ms: int) -> None:
        """Applies one turn, as on the chip: held outputs at once, one pulse at a time."""
        drive = valves.tick(now_ms=now_ms)
        if drive.held != self._held:
            fresh, self._held = drive.held & ~self._held, drive.held
            self.site.pipes.hold(drive.held, self.site.now_ms)
            for output, kind in enumerate(self._kinds):
                if kind == HELD and fresh >> output & 1:
                    valves.observe_current(output, self.site.pipes.held_current_ma(output))
        if self._under_way is None and drive.pulse is not None and drive.pulse[0] in self.unreachable:
            valves.put_off(100, drive.pulse[0], now_ms=now_ms)
            valves.observe_current(drive.pulse[0], 0)
        elif self._under_way is None and drive.pulse is not None:
            self._under_way, self._begun_ms = drive.pulse, now_ms
        if self._under_way is not None and now_ms - self._begun_ms >= self._pulse_ms:
            output, opens = self._under_way
            self._under_way = None
            valves.observe_current(output, self.site.pipes.pulse(output, opens, self.site.now_ms))
            valves.observe_pulse(output, opens, now_ms=now_ms)

    def pulsing(self) -> bool:
        return self._under_way is not None

    def read(self) -> dict[int, int]:
        """Returns one reading of everything."""
        day, second = self.site.weather()
        values = {
            quantity.TEMPERATURE: day.temperature_ck(second),
            quantity.HUMIDITY: day.humidity(second),
            quantity.WIND_SPEED: day.wind_dms,
            inputs.METER_PULSES: self.site.pipes.pulses(),
            inputs.RAIN_TIPS: self.site.rain_um // TIP_UM,
        }
        if self.wet_sensor:
            values[inputs.RAIN_WET] = int(day.raining(second))
        if self.battery_mv:
            values[quantity.BATTERY] = self.battery_mv
            values[inputs.BOOST_MV] = self.boost_mv
        for key in self.silent:
            values.pop(key, None)
        return values


_SAMPLE_MS = 900_000


class TradeRunner:
    """Runs one trade in virtual time. `make(memory, now_ms)` makes it, at the start and after each power cut."""

    def __init__(self, ports: GreenPorts, make: Callable[[bytes, int], Any], *, step_s: int = 1) -> None:
        self.ports = ports
        self.site = ports.site
        self._make = make
        self._due_ms = 0
        self._step_ms = 1000 * step_s
        self.memory = b""
        self.events: list[tuple[int, int, bool | None, Any]] = []
        self.directives: dict[int, int] = {}
        # The node's time: seconds added to the world's, or None for no clock.
        self.clock_s: int | None = 0
        self.uncertainty_s = 1
        self.watchers: list[Callable[[int], None]] = []
        # True for a scheduler that never runs again: only the ports turn.
        self.frozen = False
        self.trade: Any = None
        self.power_on()

    def power_on(self) -> None:
        """Starts the node with safe outputs, then the trade with what it saved."""
        self.ports.safe()
        self.trade = self._make(self.memory, self.site.now_ms)
        self._due_ms = self.site.now_ms

    def power_cut(self, for_ms: int, *, remembered: bool = False) -> None:
        """Cuts power, which loses RAM; `remembered`: the hourly write came just before."""
        if remembered:
            self.memory = self.trade.memory(self.site.now_ms)
        self.ports.safe()
        self.trade = None
        self._world(self.site.now_ms + for_ms)
        self.power_on()

    def moment(self) -> Moment:
        now_ms = self.site.now_ms
        unix_s = None if self.clock_s is None else self.site.unix_s + self.clock_s
        return Moment(now_ms, unix_s, self.uncertainty_s, None, False, self.directives)

    def run(self, for_s: int) -> None:
        """Runs `for_s` seconds of the world."""
        end_ms = self.site.now_ms + 1000 * for_s
        while self.site.now_ms < end_ms:
            self._world(min(end_ms, self._next_ms()))
            self._turn()

    def _turn(self) -> None:
        now_ms = self.site.now_ms
        trade = self.trade
        if not self.frozen:
            if now_ms >= self._sample_at_ms():
                self._due_ms = now_ms + _SAMPLE_MS
                trade.sample(self.ports.read(), self.moment())
            trade.decide(self.moment())
            for code, active, detail in trade.drain_events():
                self.events.append((self.site.unix_s, code, active, detail))
        self.ports.apply(trade.outputs, now_ms=now_ms)

    def _next_ms(self) -> int:
        now_ms = self.site.now_ms
        if self.frozen:
            return now_ms + 100
        due_ms = min(self.trade.deadline_ms(now_ms), self._sample_at_ms())
        return max(due_ms, now_ms + 10) if self.ports.pulsing() else max(due_ms, now_ms + 1)

    def _sample_at_ms(self) -> int:
        wanted_ms = self.trade.wants_sample_ms(self.site.now_ms)
        return self._due_ms if wanted_ms is None else min(wanted_ms, self._due_ms)

    def _world(self, to_ms: int) -> None:
        """Carries the world on; its watchers are called every `look_s` while water flows."""
        if self.watchers:
            while self.site.now_ms + self._step_ms < to_ms and self.site.pipes.flow_ml_min():
                self.site.advance(self.site.now_ms + self._step_ms)
                self._seen()
        self.site.advance(to_ms)
        self._seen()

    def _seen(self) -> None:
        for watcher in self.watchers:
            watcher(self.site.unix_s)
