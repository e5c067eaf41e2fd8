"""The twin of the cabinet's points (`gateway/io/cabinet`): looks and effects, on a simulated plant.

What is not wired, or does not answer, is None. Meters on the bus may fall silent, or answer garbage, which their
checksum finds: counted, not read. Must not decide anything, and must not see what no wire tells.
"""

from typing import Any, NamedTuple

from gateway.core.cabinet.points import FeederSeen, Seen, SetContactor, Watchdog
from simulator.cabinet.feeder import current_ma
from simulator.cabinet.linky import LinkyTwin
from simulator.cabinet.plant import Cabinet
from simulator.world.chance import Prng


class Wiring(NamedTuple):
    """Which points a cabinet has."""

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
    """Reads and moves one cabinet."""

    def __init__(self, cabinet: Cabinet, prng: Prng, wiring: Wiring = WHOLE) -> None:
        self.cabinet = cabinet
        self.wiring = wiring
        self.silent_meters: set[int] = set()
        self.garbage_permille = 0
        self.counters = {"looks": 0, "garbage": 0}
        self.linky = LinkyTwin(cabinet, prng.split("linky"))
        self._board_is_lost = False
        self._ordered: dict[int, bool] = {}
        self._prng = prng.split("bus")

    def look(self, *, now_ms: int) -> Seen:
        """Everything that is wired, now."""
        cabinet, wiring = self.cabinet, self.wiring
        cabinet.advance(now_ms)
        self.counters["looks"] += 1
        voltage_dv = cabinet.voltage_dv()
        return Seen(
            feeders=tuple(self._feeder(index, voltage_dv, now_ms) for index in range(len(cabinet.feeders))),
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
        """Do what the core has decided; False: the effect is not for a cabinet's points."""
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
        """The board with the contactors' relays falls off the bus, its outputs with it, and comes back: what was
        ordered stands, and no pulse is given meanwhile."""
        self._board_is_lost = is_lost
        if is_lost:
            self.cabinet.outputs_fall(now_ms=now_ms)
            return
        for feeder, closed in self._ordered.items():
            self.cabinet.order(feeder, closed, now_ms=now_ms)

    def forget_orders(self) -> None:
        """The shell has ended: nobody writes its orders any more."""
        self._ordered.clear()

    def _feeder(self, index: int, voltage_dv: int, now_ms: int) -> FeederSeen:
        feeder = self.cabinet.feeders[index]
        feedback = feeder.contactor.auxiliary if self.wiring.feedback else None
        if not self._meter_answers(index):
            return FeederSeen(feedback)
        power_dw = feeder.metered_dw(now_ms=now_ms)
        return FeederSeen(feedback, power_dw, feeder.energy_wh(), voltage_dv, current_ma(power_dw, voltage_dv))

    def _meter_answers(self, index: int) -> bool:
        """A meter lives on the mains that it measures."""
        if not self.wiring.meters or not self.cabinet.mains or index in self.silent_meters:
            return False
        is_garbage = self.garbage_permille > 0 and self._prng.chance(self.garbage_permille)
        self.counters["garbage"] += is_garbage
        return not is_garbage
