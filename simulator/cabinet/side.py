"""A plant in virtual time, and the eyes of whoever controls it.

Wakes the plant when something is due in it, looks at it about as often as the shell does (more rarely while nothing
happens, to stay fast), carries out effects, and tells when the Pi loses or gets its voltage. Must not know what an
agent is: `attach` takes whoever wants to see.
"""

from collections.abc import Callable
from typing import Any

from gateway.core.cabinet.points import Seen
from simulator.cabinet.twin import CabinetTwin
from simulator.world.time import World

# The shell looks once a second; so do we when something has happened.
_BUSY_MS = 1_000


class CabinetSide:
    """A plant in a world, looked at every `quiet_ms` while nothing happens. `on_supply(there)` hears when the Pi loses
    or gets its voltage. `is_blind`: the thread that looks hangs, and nothing else does."""

    def __init__(self, world: World, twin: CabinetTwin, *, quiet_ms: int = 5_000) -> None:
        self.twin = twin
        self.plant = twin.cabinet
        self.on_supply: Callable[[bool], None] = lambda there: None
        self.is_blind = False
        self._world = world
        self._quiet_ms = quiet_ms
        self._on_seen: Callable[[Seen], None] | None = None
        self._look_at_ms: int | None = None
        self._wake_ms: int | None = None
        self._had_supply = self.plant.has_supply
        self.plant.on_change.append(lambda now_ms: self._look_by(now_ms + _BUSY_MS))
        self._arm()

    def attach(self, on_seen: Callable[[Seen], None]) -> None:
        """An agent lives: it looks, now and from now on."""
        self._on_seen = on_seen
        self._look_at_ms = None
        self._look_by(self._world.now_ms)

    def detach(self, *, lines_fall: bool) -> None:
        """It looks no more. `lines_fall`: its output lines go low with it; otherwise they stay as they are."""
        self._on_seen = None
        self.twin.forget_orders()
        if lines_fall:
            self.do(self.plant.outputs_fall)

    def carry_out(self, effect: Any) -> bool:
        """An effect of the core; False: not for a cabinet's points."""
        done = self.twin.carry_out(effect, now_ms=self._world.now_ms)
        if done:
            self._arm()
        return done

    def do(self, act: Callable[..., None], *arguments: Any) -> None:
        """Something happens to the plant, by one of its methods; whoever looks sees it within a second."""
        act(*arguments, now_ms=self._world.now_ms)
        self._look_by(self._world.now_ms + _BUSY_MS)
        self._arm()

    def _look_by(self, at_ms: int) -> None:
        if self._look_at_ms is None or at_ms < self._look_at_ms:
            self._look_at_ms = at_ms
            self._world.at(at_ms, self._look, at_ms)

    def _look(self, at_ms: int) -> None:
        if self._look_at_ms != at_ms or self._on_seen is None:
            return
        self._look_at_ms = None
        if not self.is_blind:
            self._on_seen(self.twin.look(now_ms=self._world.now_ms))
        self._look_by(self._world.now_ms + self._quiet_ms)
        self._arm()

    def _arm(self) -> None:
        """Wake the plant when something is due in it; tell of its supply."""
        if self.plant.has_supply != self._had_supply:
            self._had_supply = self.plant.has_supply
            # Not from within: an agent whose turn it is would lose its voltage in the middle of it.
            self._world.after(0, self._tell_supply, self._had_supply)
        due_ms = self.plant.deadline_ms()
        if self._wake_ms is None or due_ms < self._wake_ms:
            self._wake_ms = due_ms
            self._world.at(due_ms, self._wake, due_ms)

    def _tell_supply(self, there: bool) -> None:
        self.on_supply(there)

    def _wake(self, due_ms: int) -> None:
        if self._wake_ms == due_ms:
            self._wake_ms = None
            self.plant.advance(self._world.now_ms)
            self._arm()
