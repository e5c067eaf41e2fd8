"""Runs the updates of a node that holds two things, its program and its interpreter, as if they were one: it has the
methods of `node.updating.Updating` and of `slot_rom.SlotRom`. Only a chip with two OTA partitions loads it (`ota`).

One of the two is under way at a time, so each restart tries one thing, and what fails is known. While neither is, the
one whose question is due first asks. An interpreter is judged on trial as a program is: the same program must reach its
gateway, apply its outputs and sample under it (`node.trial`). The rescue asks for an interpreter too, for it may be the
one to blame; but never for the running one again, which the boot loader checks at each start. It decides nothing else.
"""

import sys

from place import Half
from slot_rom import SlotRom, running_number

from node.sender import sooner
from wire import interpreter
from wire.interpreter import WORD

_COUNT = 4  # of a block device


def open_two(program, files, choice, updating, *, implementation=sys.implementation):
    """Returns the TwoUpdates. `program`, `files`: Updating and SlotRom of the program; `choice`: an ota.Choice;
    `updating` returns an Updating, to which it adds what both have."""
    number = running_number(_half(choice.running))
    other = updating(
        product=interpreter.product(implementation._build, implementation._mpy),
        number=number,
        floor=max(choice.floor, number),
        failed=choice.failed,
        is_rescue=False,
    )
    rom = SlotRom(_half(choice.other), choice.choose, choice.confirm, interpreter.PIECE_BYTES)
    outcomes = [(choice.given_up, "fell-back", WORD)] if choice.given_up else []
    return TwoUpdates((program, other), (files, rom), number, 1 if choice.is_trial else 0, outcomes)


class TwoUpdates:
    """Holds both, as (program, interpreter). `number`: of the running interpreter, 0: it came by USB. `at`: the index
    of the one under way, or on trial. `outcomes`: the first outcomes to report."""

    def __init__(self, both, files, number, at, outcomes):
        self.number = number
        self._both = both
        self._files = files
        self._at = at
        self._outcomes = outcomes

    @property
    def wants_restart(self):
        return self._both[self._at].wants_restart

    def ask_at(self, at_ms):
        for one in self._both:
            one.ask_at(at_ms)

    def poll(self, may_restart, *, now_ms):
        """Lets the other one ask where that is due first, and does what is due."""
        if self.is_idle():
            mine = self._both[self._at].deadline_ms(now_ms)
            if sooner(mine, self._both[1 - self._at].deadline_ms(now_ms)) != mine:
                self._at = 1 - self._at
        self._both[self._at].poll(may_restart, now_ms=now_ms)

    def is_ours(self, happened):
        return self._both[self._at].is_ours(happened)

    def handle(self, happened, now_ms):
        self._both[self._at].handle(happened, now_ms)

    def on_result(self, operation, result, *, now_ms):
        self._both[self._at].on_result(operation, result, now_ms=now_ms)

    def next_operation(self):
        return self._both[self._at].next_operation()

    def do(self, operation):
        """Does one operation for the one under way, as SlotRom does."""
        return self._files[self._at].do(operation)

    def drain_outcomes(self):
        """Drains the outcomes to report; those of an interpreter have a third item."""
        if self._outcomes:
            outcomes, self._outcomes = self._outcomes, ()
            return outcomes
        outcomes = self._both[self._at].drain_outcomes()
        return [outcome + (WORD,) for outcome in outcomes] if self._at and outcomes else outcomes

    def deadline_ms(self, now_ms):
        mine = self._both[self._at].deadline_ms(now_ms)
        return sooner(mine, self._both[1 - self._at].deadline_ms(now_ms)) if self.is_idle() else mine

    def is_idle(self):
        return not self._outcomes and self._both[self._at].is_idle()

    def rest_ms(self, now_ms):
        mine = self._both[self._at].rest_ms(now_ms)
        others = self._both[1 - self._at].rest_ms(now_ms)
        if mine is None or not self.is_idle():
            return mine
        return None if others is None else min(mine, others)


def _half(partition):
    """Returns all of a partition as a place for one image."""
    return Half(partition, 0, partition.ioctl(_COUNT, 0))
