"""Which question to ask next on a Modbus line: each in its rhythm, units that say nothing ever more rarely.

A unit that has not answered is asked again the question that it left open, and no other before that one is answered: an
answer that comes too late is then still an answer to the question asked. Must hold no port and no clock.
"""

from collections.abc import Iterable
from typing import NamedTuple

from gateway.io.cabinet import limits


class Question(NamedTuple):
    """Read `size` bits or registers of a unit by Modbus function 1 to 4, from `address` on."""

    unit: int
    function: int
    address: int
    size: int
    every_ms: int


class _Unit:
    def __init__(self) -> None:
        self.heard_ms: int | None = None
        self.failures = 0
        self.retry_at_ms = 0
        self.open: Question | None = None


class Rounds:
    """The questions of one line; all are due at once. Their number is bounded by the configuration's."""

    def __init__(self, questions: Iterable[Question], *, now_ms: int) -> None:
        self._due_ms = dict.fromkeys(questions, now_ms)
        self._units = {question.unit: _Unit() for question in self._due_ms}

    def next(self, *, now_ms: int) -> Question | None:
        """The question that has been due for longest, or None."""
        due = [(at_ms, question) for question in self._due_ms if (at_ms := self._at_ms(question)) <= now_ms]
        return min(due)[1] if due else None

    def wait_ms(self, *, now_ms: int) -> int | None:
        """Until the next question is due; None when there is none at all."""
        at_ms = [self._at_ms(question) for question in self._due_ms if self._is_open(question)]
        return max(0, min(at_ms) - now_ms) if at_ms else None

    def answered(self, question: Question, *, now_ms: int) -> None:
        """Its unit has answered, be it with a refusal."""
        unit = self._units[question.unit]
        unit.heard_ms, unit.failures, unit.retry_at_ms, unit.open = now_ms, 0, 0, None
        # On a line that is too slow for all of them, what is overdue is not asked twice for it.
        self._due_ms[question] = max(self._due_ms[question] + question.every_ms, now_ms)

    def failed(self, question: Question, *, now_ms: int) -> None:
        """No answer, or none that could be understood."""
        unit = self._units[question.unit]
        delay_ms = limits.UNIT_RETRY_FIRST_MS << min(unit.failures, 16)
        unit.failures += 1
        unit.retry_at_ms = now_ms + min(delay_ms, limits.UNIT_RETRY_LAST_MS)
        unit.open = question

    def hurry(self, question: Question, *, now_ms: int) -> None:
        """Ask it now: something has changed."""
        self._due_ms[question] = now_ms

    def heard_ms(self, unit: int) -> int | None:
        """When the unit last answered a question."""
        return self._units[unit].heard_ms if unit in self._units else None

    def failures(self) -> dict[int, int]:
        """Questions in a row that each unit has not answered."""
        return {number: unit.failures for number, unit in self._units.items()}

    def _at_ms(self, question: Question) -> int:
        unit = self._units[question.unit]
        if not self._is_open(question):
            return 1 << 62  # waits for the one that its unit left open
        return max(self._due_ms[question], unit.retry_at_ms)

    def _is_open(self, question: Question) -> bool:
        return self._units[question.unit].open in (None, question)
