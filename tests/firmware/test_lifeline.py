"""How a life is told to the next one, and what is done before a restart of its own, with loader and guard as on a chip."""

import sys
import types

import pytest

from esp32 import crash, guard, rtc, slots
from node import limits
from tests.firmware.test_guard import Machine
from tests.firmware.test_rtc import Chip

ROOT = ("crash", "guard", "rtc")


@pytest.fixture
def lifeline(monkeypatch, in_folder):
    """The module, with its neighbours under the names that they have on the chip."""
    for name, module in zip(ROOT, (crash, guard, rtc), strict=True):
        monkeypatch.setitem(sys.modules, name, module)
    for name in ("slot_files", "lifeline"):
        module = __import__(f"esp32.{name}", fromlist=(name,))
        monkeypatch.setitem(sys.modules, name, module)
    return sys.modules["lifeline"]


class Board:
    """One chip through its resets. `live(cause)`: the Lifeline of its next start."""

    def __init__(self, module):
        self.module = module
        self.chip = Chip()
        self.resets = 0

    def live(self, cause, *, is_trial=False, is_rescue=False):
        machine = Machine(cause)
        machine.reset = self._reset
        machine.RTC = lambda: self.chip
        memory = rtc.Memory(self.chip)
        ended = guard.ended_by(machine, memory)
        guarding = guard.Guard(memory, guard.Store())
        guarded = guarding.begin(ended, is_trial=is_trial)._replace(is_rescue=is_rescue)
        self.confirmed = []
        start = types.SimpleNamespace(
            folder="a", is_rescue=is_rescue, boot=slots.Boot(0, is_trial, 0, 0), choose=lambda number: True,
            confirm=lambda number: self.confirmed.append(number) or True, guard=guarding, guarded=guarded,
            memory=memory, ended=ended,
        )  # fmt: skip
        return self.module.Lifeline(machine, start, now_ms=0)

    def _reset(self):
        self.resets += 1


def test_a_restart_of_ones_own_is_nobodys_fault_though_the_chip_says_hard(lifeline):
    board = Board(lifeline)
    board.live(Machine.PWRON_RESET).restart("update", now_ms=5000)
    life = board.live(Machine.HARD_RESET)
    assert life.cause == "planned" and not life.was_fault


@pytest.mark.parametrize(("reset", "word"), [("WDT_RESET", "watchdog"), ("HARD_RESET", "panic")])
def test_who_dies_before_the_first_turn_is_not_taken_for_the_restart_before_it(lifeline, reset, word):
    board = Board(lifeline)
    board.live(Machine.PWRON_RESET).restart("update", now_ms=5000)
    board.live(Machine.HARD_RESET)  # and hangs in its imports
    life = board.live(getattr(Machine, reset))
    assert life.cause == word and life.was_fault and life.past.task == "start"
