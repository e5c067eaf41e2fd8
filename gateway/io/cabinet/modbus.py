"""Serves the cabinet's Modbus line in a thread of its own: contactors first, then what is due to be read.

A silent unit costs the others half a second now and then (`readings`), and a contactor waits for one
exchange at most. An order for a coil holds until the next one: it is written as soon as the line is free, again every
second while the unit does not confirm it, and once more when the coil is read back with another value (a relay board
that restarted). A port on which no unit answers any more is opened again. It decides nothing.
"""

from collections.abc import Callable, Iterable
from threading import Lock
from typing import Any, NamedTuple

import serial

from gateway.io import clock
from gateway.io.cabinet import limits, rtu
from gateway.io.cabinet.readings import Question, Readings, Rounds
from gateway.io.cabinet.serial_thread import SerialThread
from gateway.io.cabinet.wiring import COIL, Bit, Meter, Number

Coil = tuple[int, int]  # unit, address


class Order(NamedTuple):
    """Is an order for a coil with its raw value: an inverted point has been inverted already."""

    on: bool
    ordered_ms: int
    retry_at_ms: int


class Coils:
    """Holds at most one order for each configured coil. `put_back`: how often a coil was read with another value."""

    def __init__(self) -> None:
        self.put_back = 0
        self._lock = Lock()
        self._wanted: dict[Coil, bool] = {}
        self._waiting: dict[Coil, Order] = {}

    def order(self, coil: Coil, on: bool, *, now_ms: int) -> None:
        with self._lock:
            self._wanted[coil] = on
            # Repeating an order that waits already does not make it younger.
            since_ms = self._waiting[coil].ordered_ms if coil in self._waiting else now_ms
            self._waiting[coil] = Order(on, since_ms, now_ms)

    def due(self, *, now_ms: int) -> tuple[Coil, Order] | None:
        """Returns the order that must be written now, if any."""
        with self._lock:
            due = ((coil, order) for coil, order in self._waiting.items() if order.retry_at_ms <= now_ms)
            return next(due, None)

    def written(self, coil: Coil, order: Order) -> None:
        """Notes that the unit has confirmed the order; a newer order continues to wait."""
        with self._lock:
            if self._waiting.get(coil) == order:
                del self._waiting[coil]

    def failed(self, coil: Coil, *, now_ms: int) -> None:
        """Notes a failed write. The unit's other orders wait too, or a dead board would keep the line to itself."""
        with self._lock:
            for other, order in self._waiting.items():
                if other[0] == coil[0]:
                    self._waiting[other] = order._replace(retry_at_ms=now_ms + limits.COIL_RETRY_MS)

    def found(self, coil: Coil, on: bool, *, now_ms: int) -> None:
        """Notes the value of a coil that was read back."""
        with self._lock:
            if coil in self._wanted and coil not in self._waiting and on != self._wanted[coil]:
                self.put_back += 1
                self._waiting[coil] = Order(self._wanted[coil], now_ms, now_ms)

    def waits_since_ms(self, coil: Coil) -> int | None:
        """Returns since when an order for this coil waits for its confirmation; None when none waits."""
        with self._lock:
            return self._waiting[coil].ordered_ms if coil in self._waiting else None


_PARITIES = {"none": serial.PARITY_NONE, "even": serial.PARITY_EVEN, "odd": serial.PARITY_ODD}


class ModbusPort(SerialThread):
    """Serves one line. Its points are given once; `write`, `in_hand`, `health` and methods of `readings` may be called
    from any thread. At the end outputs stay as they are."""

    def __init__(self, path: str, baud: int, parity: str, points: Iterable[Bit | Number | Meter]) -> None:
        super().__init__("cabinet-modbus")
        self._path, self._baud, self._parity = path, baud, _PARITIES[parity]
        self.readings = Readings(points)
        self._rounds = Rounds(self.readings.questions, now_ms=clock.monotonic_ms())
        self._coils = Coils()
        self.counters = dict.fromkeys(
            ("answers", "refusals", "silences", "garbage", "coils-written", "ports-silent"), 0
        )

    def write(self, point: Bit, on: bool) -> None:
        """Switch a coil, and keep it so."""
        self._coils.order((point.unit, point.address), on != point.inverted, now_ms=clock.monotonic_ms())
        self._wake.set()

    def in_hand(self, point: Bit, *, now_ms: int) -> bool:
        """Returns whether this coil can be switched: the thread is alive, its unit answers, no order has waited for
        long."""
        waits_since_ms = self._coils.waits_since_ms((point.unit, point.address))
        signs_ms = (self.alive_ms, self._rounds.heard_ms(point.unit), waits_since_ms or now_ms)
        return all(ms is not None and now_ms - ms <= limits.IN_HAND_MS for ms in signs_ms)

    def health(self) -> dict[str, Any]:
        """Returns plain data for the status: the port, the counters, questions in a row without answer by unit."""
        ours = {"state": self.state, "ports-lost": self.ports_lost, **self.counters}
        of_others = {"values-absurd": self.readings.absurd, "coils-put-back": self._coils.put_back}
        return {**ours, **of_others, "unanswered": self._rounds.failures()}

    # --- the thread -------------------------------------------------------------------------------------------------

    def _open(self) -> serial.Serial:
        # Exclusive: two programs that ask on one line get each other's answers.
        return serial.Serial(
            self._path, self._baud, parity=self._parity, exclusive=True, write_timeout=limits.RTU_WRITE_MS / 1000
        )

    def _talk(self, port: serial.Serial) -> str:
        heard_ms = clock.monotonic_ms()
        while not self._stop.is_set():
            self._beat()
            self._wake.clear()
            now_ms = clock.monotonic_ms()
            if (order := self._coils.due(now_ms=now_ms)) is not None:
                answered = self._write(port, *order)
            elif (question := self._rounds.next(now_ms=now_ms)) is not None:
                answered = self._ask(port, question)
            else:
                self._wake.wait(min(self._rounds.wait_ms(now_ms=now_ms) or limits.TICK_MS, limits.TICK_MS) / 1000)
                continue
            if answered:
                heard_ms = clock.monotonic_ms()
            elif clock.monotonic_ms() - heard_ms > limits.PORT_SILENT_MS:
                self.counters["ports-silent"] += 1
                return "nobody answers"
        return "closed"

    def _ask(self, port: serial.Serial, question: Question) -> bool:
        values = self._counted(lambda: rtu.read(port, *question[:4]))
        now_ms = clock.monotonic_ms()
        if values is None:
            self._rounds.failed(question, now_ms=now_ms)
            return False
        self._rounds.answered(question, now_ms=now_ms)
        if values:
            self.readings.accept(question, values, now_ms=now_ms)
            if question.function == COIL:
                for address, value in enumerate(values, question.address):
                    self._coils.found((question.unit, address), bool(value), now_ms=now_ms)
        return True

    def _write(self, port: serial.Serial, coil: Coil, order: Order) -> bool:
        written = self._counted(lambda: rtu.write_coil(port, *coil, order.on))
        now_ms = clock.monotonic_ms()
        if not written:
            self._coils.failed(coil, now_ms=now_ms)
            return written is not None
        self._coils.written(coil, order)
        self.counters["coils-written"] += 1
        for question in self.readings.questions:
            if question.unit == coil[0] and question.function == COIL:
                self._rounds.hurry(question, now_ms=now_ms)  # only reading it back proves it
        return True

    def _counted(self, exchange: Callable[[], list[int]]) -> list[int] | None:
        """Returns what an exchange yields, empty when it was refused; None without an answer."""
        try:
            values = exchange()
        except rtu.RefusedError:
            self.counters["refusals"] += 1
            return []
        except rtu.NoAnswerError as error:
            self.counters["garbage" if str(error) == rtu.GARBAGE else "silences"] += 1
            return None
        self.counters["answers"] += 1
        return values
