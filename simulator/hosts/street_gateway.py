"""Runs a gateway that drives the contactors of its streets and reads their meters; the lamps have controllers of their
own. Its points are what an estate wires (`Points`)."""

from typing import Any, Protocol

from gateway.core.cabinet.equipment import Observation, SetContactor
from gateway.core.gateway import Options
from simulator.hosts.gateway import GatewayHost
from simulator.world.broker import Broker
from simulator.world.chance import Prng
from simulator.world.time import World

# A shell samples each second; here, so soon after something has changed, and so often while nothing does.
_BUSY_MS, _QUIET_MS = 1_000, 30_000


class Points(Protocol):
    """Declares what is wired in a cabinet: the contactors and the meters of its feeders."""

    def sample(self) -> Observation: ...

    def set_contactor(self, feeder: int, closed: bool) -> None: ...

    def release(self) -> None:
        """Lets all contactors go to rest: nothing drives them any more."""


class StreetGateway(GatewayHost):
    """Runs the gateway and its `points`, which are set before its power is on."""

    points: Points

    def __init__(self, world: World, prng: Prng, options: Options, broker: Broker) -> None:
        super().__init__(world, prng, options, broker)
        self._sample_ms: int | None = None

    def sample_soon(self) -> None:
        """Samples the points within a second, for something has changed there."""
        self._sample_by(self._world.now_ms + _BUSY_MS)

    def _start(self, life: int) -> None:
        super()._start(life)
        self._sample_by(self._world.now_ms)

    def _die(self) -> None:
        super()._die()
        self._sample_ms = None
        self.points.release()

    def _carry_out(self, effect: Any) -> None:
        if isinstance(effect, SetContactor):
            self.points.set_contactor(effect.feeder, effect.closed)
        else:
            super()._carry_out(effect)

    def _sample_by(self, at_ms: int) -> None:
        if self.core is not None and (self._sample_ms is None or at_ms < self._sample_ms):
            self._sample_ms = at_ms
            self._world.at(at_ms, self._sample, self._life, at_ms)

    def _sample(self, life: int, at_ms: int) -> None:
        if life == self._life and self._sample_ms == at_ms:
            self._sample_ms = None
            self._sample_by(at_ms + _QUIET_MS)
            self.observe(self.points.sample())
