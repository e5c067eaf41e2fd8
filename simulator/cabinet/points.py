"""Simulates the points of a cabinet, as `gateway/io/cabinet` has them: sensors that are read, outputs that are driven.

`CabinetTwin` reads and drives a plant, `LinkyTwin` is its billing meter, `CabinetSide` does both in virtual time for
the agent that is attached. A point that is not wired, or does not answer, reads None. Meters on the bus may fall
silent, or answer garbage, which their checksum finds: it is counted, not read. Must not decide anything, and must not
use what no wire reports.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from gateway.core.cabinet import tic
from gateway.core.cabinet.equipment import FeederObservation, Linky, Observation, SetContactor, Watchdog
from simulator.plants.cabinet import Cabinet
from simulator.plants.feeder import POWER_FACTOR_PERCENT, current_ma
from simulator.world.chance import Prng
from simulator.world.time import World

_EVERY_MS = 60_000
_STALE_MS = 180_000
_STX, _ETX = b"\x02", b"\x03"


class LinkyTwin:
    """Reads the billing meter through the real decoder. `is_silent`: its wire is cut. `mode`: a word of `tic`.

    One frame a minute is enough for what changes in a cabinet. `noise_permille` of the frames have a byte changed on
    the way; the decoder refuses them, and after `_STALE_MS` without a whole one nothing is known. The meter is on the
    operator's side of the supply and silent without it.
    """

    def __init__(self, cabinet: Cabinet, prng: Prng, *, mode: str = tic.HISTORIQUE) -> None:
        self._cabinet = cabinet
        self._prng = prng
        self._mode = mode
        self._serial = f"0419{prng.randrange(100_000_000):08}"
        self._decoder = tic.TicDecoder(mode)
        self._next_ms = 0
        self._last: tuple[Linky | None, int] = (None, 0)
        self.is_silent = False
        self.noise_permille = 0

    def read(self, *, now_ms: int) -> Linky | None:
        """Returns the reading of the last whole frame, if it is not too old."""
        if now_ms >= self._next_ms and self._cabinet.mains and not self.is_silent:
            self._next_ms = now_ms + _EVERY_MS
            for frame in self._decoder.receive(self._on_the_way(self.frame())):
                found = tic.linky(frame)
                if found is not None:
                    self._last = (found, now_ms)
        linky, heard_ms = self._last
        return linky if now_ms - heard_ms <= _STALE_MS else None

    def frame(self) -> bytes:
        """Returns the frame that the meter sends now."""
        index = f"{self._cabinet.index_wh():09}"
        apparent = f"{10 * self._cabinet.power_dw() // POWER_FACTOR_PERCENT:05}"
        if self._mode == tic.HISTORIQUE:
            groups = [
                ("ADCO", self._serial),
                ("OPTARIF", "BASE"),
                ("ISOUSC", "15"),
                ("BASE", index),
                ("PTEC", "TH.."),
                ("IINST", "001"),
                ("PAPP", apparent),
                ("MOTDETAT", "000000"),
            ]
        else:
            groups = [
                ("ADSC", self._serial),
                ("VTIC", "02"),
                ("NGTF", "      BASE      "),
                ("LTARF", "      BASE      "),
                ("EAST", index),
                ("PREF", "03"),
                ("SINSTS", apparent),
                ("STGE", "003A0001"),
            ]
        return _STX + b"".join(self._group(label, value) for label, value in groups) + _ETX

    def _group(self, label: str, value: str) -> bytes:
        """Returns a group with its checksum: six bits of the sum, without the last separator in the historique mode."""
        separator = " " if self._mode == tic.HISTORIQUE else "\t"
        text = f"{label}{separator}{value}"
        covered = text if self._mode == tic.HISTORIQUE else text + separator
        checksum = chr(sum(covered.encode()) % 64 + 32)
        return f"\n{text}{separator}{checksum}\r".encode()

    def _on_the_way(self, frame: bytes) -> bytes:
        if not self.noise_permille or not self._prng.chance(self.noise_permille):
            return frame
        at = 1 + self._prng.randrange(len(frame) - 2)
        return frame[:at] + bytes((frame[at] ^ 1 << self._prng.randrange(6),)) + frame[at + 1 :]


class Wiring(NamedTuple):
    """Lists the points that a cabinet has."""

    feedback: bool = True
    meters: bool = True
    switch: bool = True
    door: bool = True
    mains: bool = True
    ups: bool = True
    temperature: bool = True
    photocell: bool = True
    linky: bool = True
    watchdog: bool = True


WHOLE = Wiring()


class CabinetTwin:
    """Reads and drives one cabinet."""

    def __init__(self, cabinet: Cabinet, prng: Prng, wiring: Wiring = WHOLE) -> None:
        self.cabinet = cabinet
        self.wiring = wiring
        self.silent_meters: set[int] = set()
        self.garbage_permille = 0
        self.counters = {"samples": 0, "garbage": 0}
        self.linky = LinkyTwin(cabinet, prng.split("linky"))
        self._board_is_lost = False
        self._ordered: dict[int, bool] = {}
        self._prng = prng.split("bus")

    def sample(self, *, now_ms: int) -> Observation:
        """Returns everything that is wired, now."""
        cabinet, wiring = self.cabinet, self.wiring
        cabinet.advance(now_ms)
        self.counters["samples"] += 1
        voltage_dv = cabinet.voltage_dv()
        return Observation(
            feeders=tuple([self._feeder(index, voltage_dv, now_ms) for index in range(len(cabinet.feeders))]),
            switch=cabinet.switch if wiring.switch else None,
            door_open=cabinet.door_open if wiring.door else None,
            mains=cabinet.mains if wiring.mains else None,
            ups_mv=cabinet.battery_mv if wiring.ups else None,
            temperature_ck=cabinet.temperature_ck() if wiring.temperature else None,
            photocell_lx=cabinet.lux() if wiring.photocell else None,
            linky=self.linky.read(now_ms=now_ms) if wiring.linky else None,
            in_hand=not self._board_is_lost,
        )

    def carry_out(self, effect: Any, *, now_ms: int) -> bool:
        """Applies what the core has decided; returns False for an effect that is not for a cabinet's points."""
        if isinstance(effect, SetContactor):
            self._ordered[effect.feeder] = effect.closed
            if not self._board_is_lost:
                self.cabinet.order(effect.feeder, effect.closed, now_ms=now_ms)
        elif isinstance(effect, Watchdog):
            if self.wiring.watchdog and not self._board_is_lost:
                self.cabinet.pulse(now_ms=now_ms)
        else:
            return False
        return True

    def lose_board(self, is_lost: bool, *, now_ms: int) -> None:
        """Takes the board with the contactors' relays off the bus, and its outputs with it, or brings it back.

        When it is back, what was ordered is applied; no pulse is given meanwhile.
        """
        self._board_is_lost = is_lost
        if is_lost:
            self.cabinet.outputs_fall(now_ms=now_ms)
            return
        for feeder, closed in self._ordered.items():
            self.cabinet.order(feeder, closed, now_ms=now_ms)

    def forget_orders(self) -> None:
        """Drops the orders of a shell that has ended: they are not written again."""
        self._ordered.clear()

    def _feeder(self, index: int, voltage_dv: int, now_ms: int) -> FeederObservation:
        feeder = self.cabinet.feeders[index]
        feedback = feeder.contactor.auxiliary if self.wiring.feedback else None
        if not self._meter_answers(index):
            return FeederObservation(feedback)
        power_dw = feeder.metered_dw(now_ms=now_ms)
        return FeederObservation(feedback, power_dw, feeder.energy_wh(), voltage_dv, current_ma(power_dw, voltage_dv))

    def _meter_answers(self, index: int) -> bool:
        """Returns True if the meter of a feeder answers: it needs the mains that it measures."""
        if not self.wiring.meters or not self.cabinet.mains or index in self.silent_meters:
            return False
        is_garbage = self.garbage_permille > 0 and self._prng.chance(self.garbage_permille)
        self.counters["garbage"] += is_garbage
        return not is_garbage


# The shell samples once a second; after a change, so does this.
_BUSY_MS = 1_000


class CabinetSide:
    """Samples a plant in a world, every `quiet_ms` while nothing happens.

    `on_supply(there)` is called when the Pi loses or gets its voltage. `is_blind`: the thread that samples hangs, and
    nothing else does.
    """

    def __init__(self, world: World, twin: CabinetTwin, *, quiet_ms: int = 5_000) -> None:
        self.twin = twin
        self.plant = twin.cabinet
        self.on_supply: Callable[[bool], None] = lambda there: None
        self.is_blind = False
        self._world = world
        self._quiet_ms = quiet_ms
        self._on_observation: Callable[[Observation], None] | None = None
        self._sample_at_ms: int | None = None
        self._sampled_ms = -1
        self._wake_ms: int | None = None
        self._had_supply = self.plant.has_supply
        self.plant.on_change.append(lambda now_ms: self._sample_by(now_ms + _BUSY_MS))
        self._arm()

    def attach(self, on_observation: Callable[[Observation], None]) -> None:
        """Samples the plant for an agent, now and from now on."""
        self._on_observation = on_observation
        self._sample_at_ms = None
        self._sample_by(self._world.now_ms)

    def detach(self, *, lines_fall: bool) -> None:
        """Ends the sampling for the agent. `lines_fall`: the output lines go low with it; else they stay."""
        self._on_observation = None
        self.twin.forget_orders()
        if lines_fall:
            self.do(self.plant.outputs_fall)

    def carry_out(self, effect: Any) -> bool:
        """Applies an effect of the core; returns False if it is not for a cabinet's points.

        A pulse between two samples brings one: pulses and samples then fall together, as where a shell samples each
        second, and an agent decides once for both.
        """
        now_ms = self._world.now_ms
        done = self.twin.carry_out(effect, now_ms=now_ms)
        if done:
            self._arm()
            if isinstance(effect, Watchdog) and now_ms != self._sampled_ms:
                self._sample_by(now_ms)
        return done

    def do(self, act: Callable[..., None], *arguments: Any) -> None:
        """Calls a method of the plant; an attached agent observes the change within a second."""
        act(*arguments, now_ms=self._world.now_ms)
        self._sample_by(self._world.now_ms + _BUSY_MS)
        self._arm()

    def _sample_by(self, at_ms: int) -> None:
        if self._sample_at_ms is None or at_ms < self._sample_at_ms:
            self._sample_at_ms = at_ms
            self._world.at(at_ms, self._sample, at_ms)

    def _sample(self, at_ms: int) -> None:
        if self._sample_at_ms != at_ms or self._on_observation is None:
            return
        self._sample_at_ms = None
        self._sampled_ms = self._world.now_ms
        self._sample_by(self._sampled_ms + self._quiet_ms)  # before a wake at that instant is asked for
        if not self.is_blind:
            self._on_observation(self.twin.sample(now_ms=self._sampled_ms))
        self._arm()

    def _arm(self) -> None:
        """Schedules the plant's next deadline, and reports a change of its supply."""
        if self.plant.has_supply != self._had_supply:
            self._had_supply = self.plant.has_supply
            # Not from within: an agent whose turn is running would lose its voltage in the middle of it.
            self._world.after(0, self._report_supply, self._had_supply)
        due_ms = self.plant.deadline_ms()
        if self._wake_ms is None or due_ms < self._wake_ms:
            self._wake_ms = due_ms
            self._world.at(due_ms, self._wake, due_ms)

    def _report_supply(self, there: bool) -> None:
        self.on_supply(there)

    def _wake(self, due_ms: int) -> None:
        if self._wake_ms == due_ms:
            self._wake_ms = None
            self.plant.advance(self._world.now_ms)
            self._arm()
