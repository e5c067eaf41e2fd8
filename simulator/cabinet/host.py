"""Runs a simulated gateway with cabinet equipment, and everything that may happen to its agent.

Around the real core are a plant's `CabinetSide`, a card that may die, and a system clock that may be wrong. The agent
can be killed, frozen and unplugged. systemd is included as far as it matters: an agent that ends by an error of the
disk is started again.
"""

from collections.abc import Callable
from typing import Any

from gateway.core.custody.disk import Ticket
from gateway.core.gateway import Gateway, Log, Options
from simulator.cabinet.points import CabinetSide
from simulator.cabinet.system_clock import NOTHING, SystemClock
from simulator.hosts.gateway import GatewayHost
from simulator.world.broker import Broker
from simulator.world.chance import Prng
from simulator.world.disk import DyingDisk
from simulator.world.time import World

_RESTART_MS = 5_000
_PI_BOOT_MS = 20_000
_NTP_MS = 20_000


class CabinetHost(GatewayHost):
    """Runs one gateway with its cabinet.

    `on_knowledge(runs, worth)` is called at every change of whether an agent runs, and of what its last time of UTC is
    worth (a word of `system_clock`).
    """

    def __init__(
        self, world: World, prng: Prng, options: Options, broker: Broker, side: CabinetSide, clock: SystemClock
    ) -> None:
        super().__init__(world, prng, options, broker)
        self.journal_disk = DyingDisk(prng.split("card"), latency_ms=(2, 40), on_pending=self._pending)
        self.state_disk = DyingDisk(prng.split("state"), latency_ms=(2, 40), on_pending=self._state_pending)
        self.side = side
        self.system_clock = clock
        self.crashes = self.failed_starts = 0
        self.alarms: list[tuple[int, dict[str, Any]]] = []
        self.ntp_ms = _NTP_MS
        self._is_awake = False
        self._is_off = True
        self.on_knowledge: Callable[[bool, str], None] = lambda runs, worth: None
        self._known = (False, NOTHING)
        self._frozen: tuple[Gateway, list[tuple[Callable[..., None], tuple[Any, ...]]]] | None = None
        side.on_supply = self._on_supply

    # --- what the world does to it --------------------------------------------------------------------------

    def power_on(self) -> None:
        """Gives power, as `GatewayHost` does; an agent that is alive already continues."""
        if self.core is not None or self._frozen is not None:
            return
        if self._is_off:
            self._is_off = False
            self.system_clock.boot()
        super().power_on()

    def power_cut(self) -> None:
        """Cuts power, as `GatewayHost` does; the output lines fall."""
        self._is_off = True
        self._end()
        super().power_cut()
        self.side.detach(lines_fall=True)

    def kill(self, *, lines_fall: bool) -> None:
        """Ends the process at once; what it wrote is with the kernel. It stays away until `power_on`."""
        self._end()
        self._die()
        self.journal_disk.abandon()
        self.state_disk.abandon()
        self.side.detach(lines_fall=lines_fall)

    def freeze(self) -> None:
        """Makes the agent hang: it neither turns nor pulses; its lines stay, and events wait."""
        if self.core is not None:
            self._frozen, self.core = (self.core, []), None
            self.side.detach(lines_fall=False)
            self._note()

    def thaw(self) -> None:
        """Makes the agent continue where it was, and handle what has waited."""
        if self._frozen is not None:
            (self.core, waiting), self._frozen = self._frozen, None
            self._note()
            self.side.attach(self.observe)
            for function, arguments in waiting:
                self._awake(function, *arguments)

    def card(self, state: str) -> None:
        """Sets the state of the card that holds both folders: SOUND, ERRORS, STALLS or FULL of `world.disk`."""
        for disk in (self.journal_disk, self.state_disk):
            disk.become(state)

    # --- inside ---------------------------------------------------------------------------------------------

    def _end(self) -> None:
        self._frozen = None
        self._note(NOTHING, runs=False)

    def _note(self, worth: str | None = None, *, runs: bool | None = None) -> None:
        known = (self.core is not None if runs is None else runs, self._known[1] if worth is None else worth)
        if known != self._known:
            self._known = known
            self.on_knowledge(*known)

    def _on_supply(self, there: bool) -> None:
        if there:
            self._world.after(_PI_BOOT_MS, self.power_on)
        else:
            self.power_cut()

    def _start(self, life: int) -> None:
        if life == self._life:
            self._awake(self._start_core, life)

    def _start_core(self, life: int) -> None:
        self.boot += 1
        self._counted_from = self.metered_bytes
        core = self._make_core()
        core.start(now_ms=self._world.now_ms)
        self.core = core
        self._note(NOTHING)
        self._world.after(self.ntp_ms, self._set_clock, life)
        if core.bearers.budgets:
            self._count(life)
        self._wake_ms = None
        self.side.attach(self.observe)
        self._turn()

    def _set_clock(self, life: int) -> None:
        self._awake(self._ask_clock, life)

    def _ask_clock(self, life: int) -> None:
        if life != self._life or self.core is None:
            return
        word = self.system_clock.read(self._world.unix_ms, has_network=any(self.is_up.values()))
        if word.worth != NOTHING:
            self._note(word.worth)
        self.dispatch("on_clock", word.unix_ms, word.uncertainty_s)
        self._world.after(60_000 if word.unix_ms is not None else 5_000, self._set_clock, life)

    def _carry_out(self, effect: Any) -> None:
        if isinstance(effect, Log) and effect.what == "cabinet-alarm":
            self.alarms.append((self._world.unix_s, effect.values))
        if not self.side.carry_out(effect):
            super()._carry_out(effect)

    def _awake(self, function: Callable[..., None], *arguments: Any) -> None:
        """Calls the function, or keeps it for the thaw.

        An error of the disk that the core does not handle ends the agent; systemd starts another.
        """
        if self._frozen is not None:
            self._frozen[1].append((function, arguments))
        elif self._is_awake:
            function(*arguments)
        else:
            self._is_awake = True
            try:
                function(*arguments)
            except OSError:
                self.crashes += self.core is not None
                self.failed_starts += self.core is None
                self.kill(lines_fall=False)
                self._world.after(_RESTART_MS, self._restart, self._life)
            finally:
                self._is_awake = False

    def _restart(self, life: int) -> None:
        if life == self._life and self.side.plant.has_supply:
            self.power_on()

    # Everything that reaches the core goes through `_awake`.

    def dispatch(self, what: str, *values: Any) -> None:
        self._awake(super().dispatch, what, *values)

    def _wake(self, life: int, wake_ms: int) -> None:
        self._awake(super()._wake, life, wake_ms)

    def _synced(self, life: int, ticket: Ticket) -> None:
        self._awake(super()._synced, life, ticket)

    def _state_synced(self, life: int, ticket: Ticket) -> None:
        self._awake(super()._state_synced, life, ticket)

    def _count(self, life: int) -> None:
        self._awake(super()._count, life)
