"""One feeder of a cabinet: breaker, contactor, cable with lamps, and the energy that goes out."""

from typing import NamedTuple

from simulator.cabinet.cable import Cable
from simulator.cabinet.contactor import Contactor
from simulator.world.chance import Prng

POWER_FACTOR_PERCENT = 95
_DWMS_PER_WH = 36_000_000


class FeederData(NamedTuple):
    """As installed. `switched` False: a permanent feeder, which nobody opens but by hand."""

    name: str
    lamps: int
    lamp_w: int
    switched: bool = True


class Light(NamedTuple):
    """What a feeder gives the street. `hindered`: why the equipment could not do otherwise (a word), or None."""

    lit: int
    hindered: str | None


class Feeder:
    """Energy is carried forward by `settle`: call it before anything changes."""

    def __init__(self, data: FeederData, prng: Prng) -> None:
        self.data = data
        self.contactor = Contactor(prng.split("contactor"))
        self.cable = Cable(prng.split("cable"), lamps=data.lamps, lamp_dw=10 * data.lamp_w)
        self.breaker_is_tripped = False
        self.is_bridged = False  # somebody has put a wire past the contactor
        self.inrush_max_ma = 0
        self._prng = prng.split("meter")
        self._fed_since_ms: int | None = None
        self._settled_ms = 0
        self._energy_dwms = 0

    @property
    def is_fed(self) -> bool:
        """Its lamps have voltage."""
        return self._fed_since_ms is not None

    def lit(self) -> int:
        """Lamps that give light."""
        return self.cable.able if self.is_fed else 0

    def hindered(self) -> str | None:
        """What of its own equipment stands between an order and the light."""
        if self.contactor.is_faulty or self.is_bridged:
            return "contactor"
        if self.breaker_is_tripped:
            return "breaker"
        return None if self.cable.able else "cable"

    def settle(self, *, now_ms: int) -> None:
        """Carry the energy forward to now."""
        if self._fed_since_ms is not None:
            since = self._fed_since_ms
            self._energy_dwms += self.cable.energy_dwms(self._settled_ms - since, now_ms - since)
        self._settled_ms = now_ms

    def feed(self, mains: bool, *, voltage_dv: int, now_ms: int) -> None:
        """Give voltage to the lamps, or take it, as breaker and contactor stand. Settled before."""
        fed = mains and (self.contactor.is_closed or self.is_bridged) and not self.breaker_is_tripped
        if fed and self._fed_since_ms is None:
            self._fed_since_ms = now_ms
            self.inrush_max_ma = max(self.inrush_max_ma, self.cable.inrush_ma(voltage_dv))
        elif not fed:
            self._fed_since_ms = None

    def power_dw(self, *, now_ms: int) -> int:
        """Drawn now, truly."""
        return 0 if self._fed_since_ms is None else self.cable.power_dw(now_ms - self._fed_since_ms)

    def metered_dw(self, *, now_ms: int) -> int:
        """What a meter says: the truth and its noise of a fifth of a percent."""
        true_dw = self.power_dw(now_ms=now_ms)
        noise_dw = true_dw // 500
        return true_dw - noise_dw + self._prng.randrange(2 * noise_dw + 1) if noise_dw else true_dw

    def energy_wh(self) -> int:
        """Since the start of the run, as settled."""
        return self._energy_dwms // _DWMS_PER_WH


def current_ma(power_dw: int, voltage_dv: int) -> int:
    """Of LED drivers at that power."""
    return 100_000 * power_dw // (POWER_FACTOR_PERCENT * max(1, voltage_dv))
