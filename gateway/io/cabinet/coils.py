"""Orders for Modbus coils: an order stands until the next one.

It is written as soon as the line is free, again every second while the unit does not take it, and once more when the
coil is read back otherwise (a relay board that restarted). Given by one thread, carried out by another. Must hold no
port.
"""

from threading import Lock
from typing import NamedTuple

from gateway.io.cabinet import limits

Coil = tuple[int, int]  # unit, address


class Order(NamedTuple):
    """Raw: an inverted point has been inverted already."""

    on: bool
    ordered_ms: int
    retry_at_ms: int


class Coils:
    """At most one order a coil of the configuration. `put_back`: how often a coil was found otherwise."""

    def __init__(self) -> None:
        self.put_back = 0
        self._lock = Lock()
        self._wanted: dict[Coil, bool] = {}
        self._waiting: dict[Coil, Order] = {}

    def order(self, coil: Coil, on: bool, *, now_ms: int) -> None:
        with self._lock:
            self._wanted[coil] = on
            # Repeating what waits already does not make it younger.
            since_ms = self._waiting[coil].ordered_ms if coil in self._waiting else now_ms
            self._waiting[coil] = Order(on, since_ms, now_ms)

    def due(self, *, now_ms: int) -> tuple[Coil, Order] | None:
        """What to write now."""
        with self._lock:
            due = ((coil, order) for coil, order in self._waiting.items() if order.retry_at_ms <= now_ms)
            return next(due, None)

    def written(self, coil: Coil, order: Order) -> None:
        """The unit has taken it; a newer order goes on waiting."""
        with self._lock:
            if self._waiting.get(coil) == order:
                del self._waiting[coil]

    def failed(self, coil: Coil, *, now_ms: int) -> None:
        """It has not. Whatever else waits for this unit waits too, or a dead board would keep the line to itself."""
        with self._lock:
            for other, order in self._waiting.items():
                if other[0] == coil[0]:
                    self._waiting[other] = order._replace(retry_at_ms=now_ms + limits.COIL_RETRY_MS)

    def found(self, coil: Coil, on: bool, *, now_ms: int) -> None:
        """What a coil was read back as."""
        with self._lock:
            if coil in self._wanted and coil not in self._waiting and on != self._wanted[coil]:
                self.put_back += 1
                self._waiting[coil] = Order(self._wanted[coil], now_ms, now_ms)

    def waits_since_ms(self, coil: Coil) -> int | None:
        """Since when an order for this coil waits to be taken; None when none does."""
        with self._lock:
            return self._waiting[coil].ordered_ms if coil in self._waiting else None
