"""Plans the questions of a Modbus line, and keeps the answers' values with their age. It must hold no port.

Points that lie together share a question. Each question has its interval, and silent units are asked less and less
often: a unit that has not answered gets the unanswered question again, and no other before it has answered that one,
for a late answer is then still an answer to the question asked. A value that was read too
long ago is None. Written by one thread and read by others: each value is one tuple, replaced as a whole.
"""

from collections.abc import Callable, Iterable, Sequence
from fractions import Fraction
from typing import NamedTuple

from gateway.io.cabinet import limits, meters
from gateway.io.cabinet.wiring import REGISTERS, Bit, Meter, Number


class Question(NamedTuple):
    """Asks for `size` bits or registers of a unit by Modbus function 1 to 4, from `address` on."""

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
    """Chooses the next question of one line; all are due at once. The configuration bounds their number."""

    def __init__(self, questions: Iterable[Question], *, now_ms: int) -> None:
        self._due_ms = dict.fromkeys(questions, now_ms)
        self._units = {question.unit: _Unit() for question in self._due_ms}

    def next(self, *, now_ms: int) -> Question | None:
        """Returns the question that has been due for longest, or None."""
        due = [(at_ms, question) for question in self._due_ms if (at_ms := self._at_ms(question)) <= now_ms]
        return min(due)[1] if due else None

    def wait_ms(self, *, now_ms: int) -> int | None:
        """Returns the time until the next question is due; None when there is no question."""
        at_ms = [self._at_ms(question) for question in self._due_ms if self._is_open(question)]
        return max(0, min(at_ms) - now_ms) if at_ms else None

    def answered(self, question: Question, *, now_ms: int) -> None:
        """Notes that the unit has answered, even with a refusal."""
        unit = self._units[question.unit]
        unit.heard_ms, unit.failures, unit.retry_at_ms, unit.open = now_ms, 0, 0, None
        # On a line that is too slow for all of them, missed turns of a question are not made up for.
        self._due_ms[question] = max(self._due_ms[question] + question.every_ms, now_ms)

    def failed(self, question: Question, *, now_ms: int) -> None:
        """Notes that no answer came, or none that could be decoded."""
        unit = self._units[question.unit]
        delay_ms = limits.UNIT_RETRY_FIRST_MS << min(unit.failures, 16)
        unit.failures += 1
        unit.retry_at_ms = now_ms + min(delay_ms, limits.UNIT_RETRY_LAST_MS)
        unit.open = question

    def hurry(self, question: Question, *, now_ms: int) -> None:
        """Makes the question due now: something has changed."""
        self._due_ms[question] = now_ms

    def heard_ms(self, unit: int) -> int | None:
        """Returns when the unit last answered a question."""
        return self._units[unit].heard_ms if unit in self._units else None

    def failures(self) -> dict[int, int]:
        """Returns how many questions in a row each unit has not answered."""
        return {number: unit.failures for number, unit in self._units.items()}

    def _at_ms(self, question: Question) -> int:
        unit = self._units[question.unit]
        if not self._is_open(question):
            return 1 << 62  # waits for the question that its unit left unanswered
        return max(self._due_ms[question], unit.retry_at_ms)

    def _is_open(self, question: Question) -> bool:
        return self._units[question.unit].open in (None, question)


_Acceptor = Callable[[Sequence[int], int], None]


class Readings:
    """Keeps the values that were read. `absurd`: values of meters that were no number or out of range."""

    def __init__(self, points: Iterable[Bit | Number | Meter]) -> None:
        self.absurd = 0
        self._bits: dict[tuple[int, int, int], tuple[int, int]] = {}
        self._numbers: dict[Number, tuple[Fraction | None, int]] = {}
        self._measured: dict[tuple[Meter, str], tuple[int | None, int, int]] = {}
        self._acceptors: dict[Question, list[_Acceptor]] = {}
        self._plan(set(points))

    @property
    def questions(self) -> list[Question]:
        return list(self._acceptors)

    def accept(self, question: Question, values: Sequence[int], *, now_ms: int) -> None:
        """Accepts the answer to one of `questions`: as many bits or registers as it asks for."""
        for acceptor in self._acceptors[question]:
            acceptor(values, now_ms)

    def bit(self, point: Bit, *, now_ms: int) -> tuple[bool | None, int]:
        """Returns the value of a coil or an input, and when it was read (`now_ms` if never)."""
        raw, read_ms = self._bits.get((point.unit, point.function, point.address), (None, now_ms))
        known = raw is not None and now_ms - read_ms <= limits.READ_STALE_MS
        return (bool(raw) != point.inverted if known else None), read_ms

    def number(self, point: Number, *, now_ms: int) -> Fraction | None:
        """Returns a register's value in its natural unit."""
        value, read_ms = self._numbers.get(point, (None, now_ms))
        return value if now_ms - read_ms <= limits.READ_STALE_MS else None

    def measured(self, meter: Meter, name: str, *, now_ms: int) -> int | None:
        """Returns one value of a meter, by its name in FeederObservation."""
        value, read_ms, stale_ms = self._measured.get((meter, name), (None, now_ms, 0))
        return value if now_ms - read_ms <= stale_ms else None

    def _plan(self, points: set[Bit | Number | Meter]) -> None:
        for span in _spans([point for point in points if isinstance(point, Bit)]):
            self._add(Question(*span, limits.READ_EVERY_MS), self._accept_bits(*span[:3]))
        for point in points:
            if isinstance(point, Number):
                size = REGISTERS[point.kind]
                question = Question(point.unit, point.function, point.address, size, limits.READ_EVERY_MS)
                self._add(question, self._accept_number(point))
            elif isinstance(point, Meter):
                for block in meters.METERS[point.kind]:
                    question = Question(point.unit, block.function, block.address, block.size, block.every_ms)
                    self._add(question, self._accept_block(point, block))

    def _add(self, question: Question, acceptor: _Acceptor) -> None:
        self._acceptors.setdefault(question, []).append(acceptor)

    def _accept_bits(self, unit: int, function: int, first: int) -> _Acceptor:
        def accept(values: Sequence[int], now_ms: int) -> None:
            for address, value in enumerate(values, first):
                self._bits[unit, function, address] = value, now_ms

        return accept

    def _accept_number(self, point: Number) -> _Acceptor:
        def accept(values: Sequence[int], now_ms: int) -> None:
            value = meters.value_of(values, point.kind)
            self._numbers[point] = None if value is None else value * point.factor, now_ms

        return accept

    def _accept_block(self, meter: Meter, block: meters.Block) -> _Acceptor:
        stale_ms = limits.ENERGY_STALE_MS if block.every_ms > limits.READ_EVERY_MS else limits.READ_STALE_MS

        def accept(values: Sequence[int], now_ms: int) -> None:
            for name, value in meters.read(block, values).items():
                self._measured[meter, name] = value, now_ms, stale_ms
                self.absurd += value is None

        return accept


def _spans(points: list[Bit]) -> list[tuple[int, int, int, int]]:
    """Returns (unit, function, address, size) of questions that read these bits, close ones together."""
    spans: list[tuple[int, int, int, int]] = []
    for unit, function, address in sorted({(point.unit, point.function, point.address) for point in points}):
        if spans and spans[-1][:2] == (unit, function) and address - spans[-1][2] < limits.BITS_SPAN_MAX:
            spans[-1] = (unit, function, spans[-1][2], address - spans[-1][2] + 1)
        else:
            spans.append((unit, function, address, 1))
    return spans
