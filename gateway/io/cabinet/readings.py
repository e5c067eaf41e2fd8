"""What has been read on a Modbus line: the questions that the points need, and the answers' values with their age.

Points that lie together share a question. A value that was read too long ago is None. Written by one thread and read by
others: each value is one tuple, put in its place as a whole. Must hold no port.
"""

from collections.abc import Callable, Iterable, Sequence
from fractions import Fraction

from gateway.io.cabinet import limits, meters
from gateway.io.cabinet.points import REGISTERS, Bit, Meter, Number
from gateway.io.cabinet.rounds import Question

_Taker = Callable[[Sequence[int], int], None]


class Readings:
    """`absurd`: values of meters that were no number or out of range."""

    def __init__(self, points: Iterable[Bit | Number | Meter]) -> None:
        self.absurd = 0
        self._bits: dict[tuple[int, int, int], tuple[int, int]] = {}
        self._numbers: dict[Number, tuple[Fraction | None, int]] = {}
        self._measured: dict[tuple[Meter, str], tuple[int | None, int, int]] = {}
        self._takers: dict[Question, list[_Taker]] = {}
        self._plan(set(points))

    @property
    def questions(self) -> list[Question]:
        return list(self._takers)

    def take(self, question: Question, values: Sequence[int], *, now_ms: int) -> None:
        """The answer to one of `questions`: as many bits or registers as it asks for."""
        for taker in self._takers[question]:
            taker(values, now_ms)

    def bit(self, point: Bit, *, now_ms: int) -> tuple[bool | None, int]:
        """What a coil or an input says, and when it was read (`now_ms` if never)."""
        raw, read_ms = self._bits.get((point.unit, point.function, point.address), (None, now_ms))
        known = raw is not None and now_ms - read_ms <= limits.READ_STALE_MS
        return (bool(raw) != point.inverted if known else None), read_ms

    def number(self, point: Number, *, now_ms: int) -> Fraction | None:
        """A register's value in its natural unit."""
        value, read_ms = self._numbers.get(point, (None, now_ms))
        return value if now_ms - read_ms <= limits.READ_STALE_MS else None

    def measured(self, meter: Meter, name: str, *, now_ms: int) -> int | None:
        """One value of a meter, by its name in FeederSeen."""
        value, read_ms, stale_ms = self._measured.get((meter, name), (None, now_ms, 0))
        return value if now_ms - read_ms <= stale_ms else None

    def _plan(self, points: set[Bit | Number | Meter]) -> None:
        for span in _spans([point for point in points if isinstance(point, Bit)]):
            self._add(Question(*span, limits.READ_EVERY_MS), self._take_bits(*span[:3]))
        for point in points:
            if isinstance(point, Number):
                size = REGISTERS[point.kind]
                question = Question(point.unit, point.function, point.address, size, limits.READ_EVERY_MS)
                self._add(question, self._take_number(point))
            elif isinstance(point, Meter):
                for block in meters.METERS[point.kind]:
                    question = Question(point.unit, block.function, block.address, block.size, block.every_ms)
                    self._add(question, self._take_block(point, block))

    def _add(self, question: Question, taker: _Taker) -> None:
        self._takers.setdefault(question, []).append(taker)

    def _take_bits(self, unit: int, function: int, first: int) -> _Taker:
        def take(values: Sequence[int], now_ms: int) -> None:
            for address, value in enumerate(values, first):
                self._bits[unit, function, address] = value, now_ms

        return take

    def _take_number(self, point: Number) -> _Taker:
        def take(values: Sequence[int], now_ms: int) -> None:
            value = meters.value_of(values, point.kind)
            self._numbers[point] = None if value is None else value * point.factor, now_ms

        return take

    def _take_block(self, meter: Meter, block: meters.Block) -> _Taker:
        stale_ms = limits.ENERGY_STALE_MS if block.every_ms > limits.READ_EVERY_MS else limits.READ_STALE_MS

        def take(values: Sequence[int], now_ms: int) -> None:
            for name, value in meters.read(block, values).items():
                self._measured[meter, name] = value, now_ms, stale_ms
                self.absurd += value is None

        return take


def _spans(points: list[Bit]) -> list[tuple[int, int, int, int]]:
    """(unit, function, address, size) of questions that read these bits, close ones together."""
    spans: list[tuple[int, int, int, int]] = []
    for unit, function, address in sorted({(point.unit, point.function, point.address) for point in points}):
        if spans and spans[-1][:2] == (unit, function) and address - spans[-1][2] < limits.BITS_SPAN_MAX:
            spans[-1] = (unit, function, spans[-1][2], address - spans[-1][2] + 1)
        else:
            spans.append((unit, function, address, 1))
    return spans
