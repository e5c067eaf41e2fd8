"""Models links that lose, double, delay and reorder: the radio of a street, and the fibre to the centre. Seeded."""

from collections.abc import Callable
from typing import Any, NamedTuple

from simulator.world.chance import Prng
from simulator.world.time import World


class LinkQuality(NamedTuple):
    """Describes one direction of a link, in permille and ms; `slow_permille` of datagrams take up to `slow_ms` more."""

    loss_permille: int
    double_permille: int
    delay_min_ms: int
    delay_max_ms: int
    slow_permille: int
    slow_ms: int


FIBRE = LinkQuality(0, 0, 4, 30, 0, 0)


class Radio:
    """Carries datagrams between one node and its gateway, both ways. `faults_on` False: a perfect link, to converge."""

    def __init__(self, world: World, prng: Prng, quality: LinkQuality) -> None:
        self._world = world
        self._prng = prng
        self._quality = quality
        self.faults_on = True
        self.sent = 0
        self.lost = 0

    def carry(self, datagram: bytes, deliver: Callable[..., None], *arguments: Any) -> None:
        """Calls `deliver(datagram, *arguments)` later: never, once or twice."""
        self.sent += 1
        # One number of 64 bits gives all that chance decides of a copy, by its remainders.
        rest, lost = divmod(self._prng.bits64(), 1000)
        if self.faults_on and lost < self._quality.loss_permille:
            self.lost += 1
            return
        rest, doubled = divmod(rest, 1000)
        self._carry_copy(rest, datagram, deliver, arguments)
        if self.faults_on and doubled < self._quality.double_permille:
            self._carry_copy(self._prng.bits64(), datagram, deliver, arguments)

    def _carry_copy(
        self, rest: int, datagram: bytes, deliver: Callable[..., None], arguments: tuple[Any, ...]
    ) -> None:
        quality = self._quality
        rest, delay_ms = divmod(rest, quality.delay_max_ms - quality.delay_min_ms + 1)
        rest, slow = divmod(rest, 1000)
        delay_ms += quality.delay_min_ms
        if self.faults_on and slow < quality.slow_permille:
            delay_ms += rest % quality.slow_ms
        self._world.after(delay_ms, deliver, datagram, *arguments)
