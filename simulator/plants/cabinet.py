"""Models the physical cabinet, in integers and from one seed.

It has supply, hand switch, watchdog relay, astronomical clock, feeders, door, photocell, and the battery that bridges a
failure of the mains.

What moves a coil: without mains nothing; else the hand switch, if it is not on AUTO; else the agent's output line while
the watchdog relay is pulled in; else the astronomical clock. Time is an argument and never goes back: every method
first carries out what is due. `deadline_ms` returns when something will happen by itself. Knows no agent code.
"""

from collections.abc import Callable
from typing import NamedTuple

from gateway.core.cabinet.equipment import AUTO, ON
from policy import sun
from simulator.plants.fallback import AstronomicalClock, Programme, WatchdogRelay
from simulator.plants.feeder import Feeder, FeederData, Light
from simulator.plants.lamps import Air
from simulator.world.chance import Prng

# Sun's elevation in 0.01° and the light of a clear sky in lx, linear in between: twilight as it is measured.
_SKY = (
    (-1200, 0), (-800, 1), (-600, 4), (-500, 10), (-400, 22), (-300, 50), (-200, 125), (-100, 320),
    (0, 700), (300, 2_400), (600, 5_800), (1_000, 11_000), (2_000, 26_000), (4_000, 60_000), (6_500, 100_000),
)  # fmt: skip
_STEP_S = 20
_HEADLAMP_LX = 3_000


class Photocell:
    """Measures the sky through what is in front of the cell: clouds of the hour, dirt, a plant, a headlamp."""

    def __init__(self, prng: Prng, *, latitude_e4: int, longitude_e4: int) -> None:
        self._prng = prng
        self._latitude_e4, self._longitude_e4 = latitude_e4, longitude_e4
        self._step = self._hour = -1
        self._sky_lx = self._clouds_permille = 0
        self.clear_permille = 1000  # share of the light that passes its window: 1000 is clean, 100 dirty
        self.is_covered = False
        self.is_dazzled = False

    def lux(self, unix_s: int) -> int:
        """Returns the light now at a sound cell behind its window."""
        if self.is_covered:
            return 0
        if unix_s // _STEP_S != self._step:
            self._step = unix_s // _STEP_S
            self._sky_lx = self._sky(_STEP_S * self._step) * self._clouds(unix_s // 3600) // 1000
        return self._sky_lx * self.clear_permille // 1000 + (_HEADLAMP_LX if self.is_dazzled else 0)

    def _sky(self, unix_s: int) -> int:
        height = sun.elevation_cdeg(unix_s, self._latitude_e4, self._longitude_e4)
        below = _SKY[0]
        for above in _SKY[1:]:
            if height < above[0]:
                return below[1] + (above[1] - below[1]) * max(0, height - below[0]) // (above[0] - below[0])
            below = above
        return below[1]

    def _clouds(self, hour: int) -> int:
        if hour != self._hour:
            self._hour = hour
            self._clouds_permille = self._prng.split(hour).between(250, 1000)
        return self._clouds_permille


# A lead battery of 12 V: floating on its charger, at rest and full, empty.
_FLOAT_MV, _FULL_MV, _EMPTY_MV = 13_650, 12_750, 10_800
_CHARGE_TIMES = 8


class Ups:
    """Carries the Pi and its relays for `runtime_ms`; charges eight times slower than it drains."""

    def __init__(self, runtime_ms: int) -> None:
        self._runtime_ms = self._left_ms = runtime_ms
        self._charging = True
        self._at_ms = 0

    @property
    def is_empty(self) -> bool:
        return self._left_ms == 0 and not self._charging

    def due_ms(self) -> int | None:
        """Returns the instant at which it will be empty."""
        return None if self._charging or not self._left_ms else self._at_ms + self._left_ms

    def move(self, *, now_ms: int) -> None:
        elapsed_ms = now_ms - self._at_ms
        self._at_ms = now_ms
        if self._charging:
            self._left_ms = min(self._runtime_ms, self._left_ms + elapsed_ms // _CHARGE_TIMES)
        else:
            self._left_ms = max(0, self._left_ms - elapsed_ms)

    def mains(self, there: bool, *, now_ms: int) -> None:
        """Gives the charger its mains, or takes it away."""
        self.move(now_ms=now_ms)
        self._charging = there

    def voltage_mv(self) -> int:
        resting = _EMPTY_MV + (_FULL_MV - _EMPTY_MV) * self._left_ms // self._runtime_ms
        if not self._charging:
            return resting
        return _FLOAT_MV if self._left_ms == self._runtime_ms else resting + 600


HAND, AGENT, CLOCK = "hand", "agent", "clock"
# The power of the Pi, its relays and the router.
_OWN_DW = 80
_DWMS_PER_WH = 36_000_000


class CabinetData(NamedTuple):
    """Holds the data of a cabinet as installed.

    The astronomical clock is programmed with the ordinary hours; at the start of the run it is `clock_error_ms` ahead,
    and it gains `clock_drift_ppm`.
    """

    latitude_e4: int
    longitude_e4: int
    feeders: tuple[FeederData, ...]
    programme: Programme
    clock_error_ms: int = 0
    clock_drift_ppm: int = 0
    battery_min: int = 45
    index_wh: int = 0


class Cabinet:
    """Models one street cabinet. `on_change(now_ms)` is called after every change of light."""

    def __init__(self, data: CabinetData, prng: Prng, *, start_unix_s: int) -> None:
        self.data = data
        self.feeders = [Feeder(feeder, prng.split(f"feeder-{feeder.name}")) for feeder in data.feeders]
        self.mains = True
        self.switch = AUTO
        self.door_open = False
        place = {"latitude_e4": data.latitude_e4, "longitude_e4": data.longitude_e4}
        self.photocell = Photocell(prng.split("clouds"), **place)
        self.on_change: list[Callable[[int], None]] = []
        self._air = Air(**place, mean_ck=1150, swing_ck=650)
        self._prng = prng.split("supply")
        self._base_dv = self._prng.around(2320, 15)
        self._start_unix_ms = 1000 * start_unix_s
        self._now_ms = 0
        self._own_dwms = 0
        self._outputs = [False] * len(self.feeders)
        self._relay = WatchdogRelay()
        self._battery = Ups(60_000 * data.battery_min)
        self._clock = AstronomicalClock(
            data.programme,
            **place,
            set_unix_ms=self._start_unix_ms,
            error_ms=data.clock_error_ms,
            drift_ppm=data.clock_drift_ppm,
        )
        self._clock_lit, self._clock_until_ms = False, 0
        self._due_ms: int | None = None  # None: to be computed
        self._shown: tuple[Light, ...] = ()
        self._step(0)
        # A cabinet is not switched on for the first time when the run starts: its contactors are where they should be.
        for feeder in self.feeders:
            feeder.contactor.move(now_ms=feeder.contactor.due_ms() or 0)
        self._step(0)

    # --- what the agent does ------------------------------------------------------------------------------------

    def order(self, feeder: int, closed: bool, *, now_ms: int) -> None:
        """Sets an output line of the agent; one that is as it was, as each minute, moves nothing."""
        self._reach(now_ms)
        if self._outputs[feeder] != closed:
            self._outputs[feeder] = closed
            self._step(now_ms)

    def pulse(self, *, now_ms: int) -> None:
        """Gives one edge on the agent's watchdog line."""
        self.advance(now_ms)
        was_pulled = self._relay.is_pulled
        if self.has_supply:
            self._relay.pulse(now_ms=now_ms)
            self._due_ms = None
        if self._relay.is_pulled != was_pulled:
            self._step(now_ms)

    def outputs_fall(self, *, now_ms: int) -> None:
        """Sets the output lines low: the board is reset or without supply."""
        self.advance(now_ms)
        self._outputs = [False] * len(self.feeders)
        self._step(now_ms)

    # --- what the world does ------------------------------------------------------------------------------------

    def turn_switch(self, position: str, *, now_ms: int) -> None:
        """Turns the hand switch: AUTO, ON, OFF."""
        self.advance(now_ms)
        self.switch = position
        self._step(now_ms)

    def set_mains(self, there: bool, *, now_ms: int) -> None:
        """Switches the operator's supply."""
        self.advance(now_ms)
        self.mains = there
        self._battery.mains(there, now_ms=now_ms)
        self._step(now_ms)

    def set_door(self, is_open: bool, *, now_ms: int) -> None:
        self.advance(now_ms)
        self.door_open = is_open

    def fail_lamp(self, feeder: int, lamp: int, *, now_ms: int) -> None:
        self.advance(now_ms)
        self.feeders[feeder].cable.fail(lamp)
        self._step(now_ms)

    def cut_cable(self, feeder: int, before: int, *, now_ms: int) -> None:
        """Cuts the cable of a feeder: lamps from number `before` on are lost; 0: all."""
        self.advance(now_ms)
        self.feeders[feeder].cable.cut(before)
        self._step(now_ms)

    def trip_breaker(self, feeder: int, *, now_ms: int) -> None:
        self.advance(now_ms)
        self.feeders[feeder].breaker_is_tripped = True
        self._step(now_ms)

    def stick_contactor(self, feeder: int, closed: bool, *, now_ms: int) -> None:
        """Makes its contacts weld (`closed`), or its coil burn out."""
        self.advance(now_ms)
        self.feeders[feeder].contactor.stick(closed, now_ms=now_ms)
        self._step(now_ms)

    def slow_contactor(self, feeder: int, lag_ms: int, *, now_ms: int) -> None:
        """Makes a contactor follow its coil that much later: dirt and age."""
        self.advance(now_ms)
        self.feeders[feeder].contactor.lag_ms = lag_ms

    def bridge_contactor(self, feeder: int, *, now_ms: int) -> None:
        """Puts a wire past a contactor: the lamps burn, whether it is open or closed."""
        self.advance(now_ms)
        self.feeders[feeder].is_bridged = True
        self._step(now_ms)

    def mend(self, feeder: int, *, now_ms: int) -> None:
        """Makes contactor, breaker, cable and lamps as new."""
        self.advance(now_ms)
        mended = self.feeders[feeder]
        mended.contactor.mend(now_ms=now_ms)
        mended.cable.mend()
        mended.breaker_is_tripped = mended.is_bridged = False
        self._step(now_ms)

    # --- what there is to see -----------------------------------------------------------------------------------

    @property
    def has_supply(self) -> bool:
        """Returns True while the Pi and the relay have voltage, from mains or battery."""
        return self.mains or not self._battery.is_empty

    @property
    def battery_mv(self) -> int:
        return self._battery.voltage_mv()

    def in_charge(self) -> str:
        """Returns the source that the coils follow: HAND, AGENT or CLOCK."""
        if self.switch != AUTO:
            return HAND
        return AGENT if self._relay.is_pulled else CLOCK

    def lights(self) -> tuple[Light, ...]:
        """Returns the light of each feeder, with the equipment that hinders it."""
        whole = "mains" if not self.mains else "switch" if self.switch != AUTO else None
        return tuple(Light(feeder.lit(), whole or feeder.hindered()) for feeder in self.feeders)

    def voltage_dv(self) -> int:
        """Returns the mains voltage at this moment, 0.1 V."""
        return self._base_dv + self._prng.randrange(9) - 4 if self.mains else 0

    def temperature_ck(self) -> int:
        """Returns the temperature inside in 0.01 °C: the air plus the heat of the electronics."""
        return self._air.temperature_ck(self.unix_s) + 450

    def lux(self) -> int:
        return self.photocell.lux(self.unix_s)

    def power_dw(self) -> int:
        """Returns the power through the operator's meter now."""
        own_dw = _OWN_DW if self.mains else 0
        return own_dw + sum(feeder.power_dw(now_ms=self._now_ms) for feeder in self.feeders)

    def index_wh(self) -> int:
        """Returns the index of the operator's meter."""
        return self.data.index_wh + self._own_dwms // _DWMS_PER_WH + sum(feeder.energy_wh() for feeder in self.feeders)

    @property
    def now_ms(self) -> int:
        return self._now_ms

    @property
    def unix_ms(self) -> int:
        return self._start_unix_ms + self._now_ms

    @property
    def unix_s(self) -> int:
        return self.unix_ms // 1000

    # --- time ---------------------------------------------------------------------------------------------------

    def deadline_ms(self) -> int:
        """Returns the next instant at which something happens by itself."""
        if self._due_ms is None:
            dues = [self._relay.due_ms(), self._battery.due_ms(), self._clock_until_ms]
            dues += [feeder.contactor.due_ms() for feeder in self.feeders]
            self._due_ms = min([due for due in dues if due is not None])
        return self._due_ms

    def advance(self, now_ms: int) -> None:
        """Lets time pass up to now, one event after the other."""
        self._reach(now_ms)
        self._carry(now_ms)

    def _reach(self, now_ms: int) -> None:
        """Lets happen what is due up to now; the caller goes on to now itself."""
        assert now_ms >= self._now_ms, "time goes forward"
        while (due_ms := self.deadline_ms()) <= now_ms:
            self._step(max(due_ms, self._now_ms))

    def _step(self, now_ms: int) -> None:
        """Carries everything forward to `now_ms`, at which something may happen, and lets it happen."""
        self._carry(now_ms)
        self._due_ms = None
        self._relay.move(now_ms=now_ms)
        if not self.has_supply:
            self._relay.drop()
        if now_ms >= self._clock_until_ms:
            self._clock_lit = self._clock.is_lit(self.unix_ms)
            self._clock_until_ms = self._clock.until_ms(self.unix_ms) - self._start_unix_ms
        for index, feeder in enumerate(self.feeders):
            feeder.contactor.drive(self._coil(index), now_ms=now_ms)
            feeder.contactor.move(now_ms=now_ms)
            feeder.feed(self.mains, voltage_dv=self._base_dv, now_ms=now_ms)
        shown = self.lights()
        if shown != self._shown:
            self._shown = shown
            for tell in self.on_change:
                tell(now_ms)

    def _carry(self, now_ms: int) -> None:
        """Carries energy and charge forward to `now_ms`: time alone moves nothing before the next deadline."""
        if now_ms == self._now_ms:
            return
        if self.mains:
            self._own_dwms += _OWN_DW * (now_ms - self._now_ms)
        self._now_ms = now_ms
        for feeder in self.feeders:
            feeder.settle(now_ms=now_ms)
        self._battery.move(now_ms=now_ms)

    def _coil(self, index: int) -> bool:
        if not self.mains:
            return False
        if self.switch != AUTO:
            return self.switch == ON
        if self._relay.is_pulled:
            return self._outputs[index]
        return self._clock_lit or not self.feeders[index].data.switched
