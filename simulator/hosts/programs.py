"""Gives a simulated board two places for its program: the twin of `esp32.loader` and `esp32.lifeline`.

The choice of the place, the guard, the trial, the update and the work on files are the real ones, on a flash that loses
its power at any operation. Only what a program *is* differs: every number runs the code under test, and its `Behaviour`
says what is wrong with it. There is no rescue program here: no behaviour leads to it.
"""

from collections.abc import Callable, Sequence
from enum import Enum
from typing import Any, Protocol

from esp32 import guard, rtc, slots
from esp32.slot_files import SlotFiles, running_number
from node import limits
from node.app import Node
from node.settings import Settings
from node.trial import Trial
from node.updating import Updating
from simulator.hosts.deep_sleep import RtcBytes
from simulator.world.flash import Medium
from wire import event

# As `esp32.lifeline` has them: the time that is carried over a planned restart, and its doubt.
_RESTART_S, _RESTART_DOUBT_S = 4, 30
# A program that tires ends so long after its start, when it has been confirmed.
TIRES_MS = 3_600_000


class Behaviour(Enum):
    """States what a program does."""

    WELL = "well"
    CRASHES = "crashes"  # as soon as it starts
    DEAF = "deaf"  # it never sends
    BLIND = "blind"  # it never has a sample: it cannot be confirmed
    TIRES = "tires"  # it crashes an hour after each start


class Witness(Protocol):
    """Watches a board: the checker of programs."""

    def started(self, node: bytes, number: int, files: dict[str, Any], *, is_rescue: bool, cause: str) -> None: ...

    def confirmed(self, node: bytes, number: int) -> None: ...

    def restarts(self, node: bytes) -> None:
        """A restart of the board's own follows."""


class Programs:
    """Holds the programs of one board. `behaves(number)`: what each does; `keys`: who may sign them."""

    def __init__(
        self, node: bytes, medium: Medium, behaves: Callable[[int], Behaviour], keys: Sequence[bytes], witness: Witness
    ) -> None:
        self._node = node
        self.medium = medium
        self._behaves = behaves
        self._keys = tuple(keys)
        self._witness = witness
        self._chip = RtcBytes()
        self._time: tuple[int, int] | None = None  # Unix s and doubt, for the life after a planned restart
        self._has_crashed = False
        self.ended = guard.POWER
        self.number = 0

    def lose_power(self) -> None:
        """Erases what is not on flash."""
        self.medium.cut_at = None
        self._chip, self._time, self._has_crashed, self.ended = RtcBytes(), None, False, guard.POWER

    # --- a start --------------------------------------------------------------------------------------------------

    def start(self) -> bool:
        """Chooses the program as the loader does; returns False when it crashes at once, and a reset follows."""
        memory = rtc.Memory(self._chip)
        self._store = slots.Store(open_file=self.medium.open)
        self._boot = slots.begin(self._store)
        self._guard = guard.Guard(memory, guard.Store(open_file=self.medium.open))
        self._guarded = self._guard.begin(self.ended, is_trial=self._boot.is_trial)
        self._folder = slots.FOLDERS[self._boot.slot]
        self.number = running_number(self._folder, open_file=self.medium.open)
        inside = {name: data for name, data in self.medium.files.items() if name.startswith(self._folder + "/")}
        self.cause = "power-on" if self.ended == guard.POWER else "crash" if self._has_crashed else "planned"
        is_rescue = self._guarded.is_rescue
        self._witness.started(self._node, self.number, inside, is_rescue=is_rescue, cause=self.cause)
        self._behaviour = self._behaves(self.number)
        self.ended = guard.RESET
        return self._behaviour is not Behaviour.CRASHES

    def open(self, link: Any, settings: Settings, product: str, random_below: Callable[[int], int], now_ms: int) -> Any:
        """Returns the node's Updating of this life."""
        boot = self._boot
        self._started_ms = now_ms
        self._trial = Trial(is_trial=boot.is_trial, now_ms=now_ms)
        self._is_good = self._has_reported = False
        self._confirm_at_ms = now_ms
        self._files = SlotFiles(
            slots.FOLDERS[1 - boot.slot],
            lambda number: slots.choose(self._store, boot.slot, number),
            lambda number: slots.confirm(self._store, boot.slot, number),
            open_file=self.medium.open,
            files=self.medium,
        )
        wait_ms = limits.UPDATE_RESCUE_FIRST_MS if self._has_crashed else limits.UPDATE_FIRST_MS
        self._updating = Updating(
            link,
            peer=settings.gateway,
            product=product,
            keys=self._keys,
            number=self.number,
            floor=max(boot.floor, self.number),
            failed=boot.failed,
            is_rescue=False,
            random_below=random_below,
            first_ms=None if boot.is_trial else now_ms + wait_ms + random_below(wait_ms),
        )
        return self._updating

    def begun(self, node: Node, now_ms: int) -> None:
        """Reports the last life, and gives the node the time of its end."""
        if self._time is not None and self._guarded.last == guard.PLANNED:
            node.time.carried(self._time[0] + _RESTART_S, self._time[1] + _RESTART_DOUBT_S, now_ms=now_ms)
        self._time = None
        if self._has_crashed:
            node.report_event(event.CRASH, None, ("crash", None, None, TIRES_MS // 1000, None), now_ms=now_ms)
        self._has_crashed = False
        if self._guarded.last == guard.TRIAL and not self._boot.is_trial and self._boot.failed:
            node.report_event(event.UPDATE, None, (self._boot.failed, "fell-back"), now_ms=now_ms)

    # --- turns ----------------------------------------------------------------------------------------------------

    @property
    def is_deaf(self) -> bool:
        return self._behaviour is Behaviour.DEAF

    def sampled(self, values: Any) -> None:
        """Observes a sample of the ports."""
        self._trial.sampled(None if self._behaviour is Behaviour.BLIND else values)

    def turn(self, node: Node, now_ms: int) -> bool:
        """Does the work on flash after a turn; returns whether a reset follows. Raises flash.Cut."""
        self._trial.applied(True)
        if node.reach.has_exchanged:
            self._trial.exchanged()
        while (operation := self._updating.next_operation()) is not None:
            self._updating.on_result(operation, self._files.do(operation), now_ms=now_ms)
        if self._updating.wants_restart:
            self._plan(node, now_ms)
            return True
        if self._behaviour is Behaviour.TIRES and not self._trial.is_trial and now_ms - self._started_ms >= TIRES_MS:
            self._has_crashed = True
            return True
        if self._trial.is_trial:
            return self._judge(node, now_ms)
        if not self._is_good and self._trial.is_good_start(now_ms):
            self._is_good = True
            self._guard.healthy()
        return False

    def _judge(self, node: Node, now_ms: int) -> bool:
        is_sound = node.is_sound(now_ms)
        if now_ms >= self._confirm_at_ms and self._trial.may_confirm(is_sound=is_sound, now_ms=now_ms):
            self._confirm_at_ms = now_ms + 60_000
            if self._files.do(("confirm", self.number)):
                self._trial.is_trial = False
                self._is_good = True
                self._guard.healthy()
                self._updating.ask_at(now_ms + limits.UPDATE_CHECK_MS)
                node.report_event(event.UPDATE, None, (self.number, "confirmed"), now_ms=now_ms)
                self._witness.confirmed(self._node, self.number)
        elif self._trial.is_over(now_ms):
            if not self._has_reported:
                self._has_reported = True
                lacks = self._trial.missing(is_sound=is_sound).split(",")[0]
                node.report_event(event.UPDATE, None, (self.number, "no-" + lacks), now_ms=now_ms)
            if node.may_restart(now_ms):
                self._carry(node, now_ms)
                return True
        return False

    def _plan(self, node: Node, now_ms: int) -> None:
        self._guard.planned()
        self._witness.restarts(self._node)
        self._carry(node, now_ms)

    def _carry(self, node: Node, now_ms: int) -> None:
        if node.time.is_set():
            self._time = node.time.unix_s(now_ms), node.time.uncertainty_s(now_ms)
