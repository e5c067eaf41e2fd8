"""A contactor: a coil that pulls, a main contact that follows it a little later, and an auxiliary contact that tells.

The auxiliary contact is linked to the main one, so it tells the truth also when the main contact is welded; it may
be dirty, and then says "open" for ever.
"""

from simulator.world.chance import Prng


class Contactor:
    """`is_closed` is the main contact. Time is an argument; `due_ms` says when it will move."""

    def __init__(self, prng: Prng) -> None:
        self.lag_ms = prng.between(12, 30)
        self.is_closed = False
        self.closings = 0
        self.auxiliary_is_dirty = False
        self._coil = False
        self._due_ms: int | None = None
        self._stuck: bool | None = None

    @property
    def is_faulty(self) -> bool:
        return self._stuck is not None

    @property
    def auxiliary(self) -> bool:
        """What the auxiliary contact tells: closed."""
        return self.is_closed and not self.auxiliary_is_dirty

    def drive(self, coil: bool, *, now_ms: int) -> None:
        """Voltage on the coil, or none."""
        if coil != self._coil:
            self._coil = coil
            self._due_ms = now_ms + self.lag_ms

    def due_ms(self) -> int | None:
        return self._due_ms

    def move(self, *, now_ms: int) -> None:
        """The contact follows the coil, if its time has come and nothing holds it."""
        if self._due_ms is not None and now_ms >= self._due_ms:
            self._due_ms = None
            if self._stuck is None:
                self._set(self._coil)
            elif self._stuck and self._coil:
                self._set(True)  # it welds at a closing, and then stays

    def stick(self, closed: bool, *, now_ms: int) -> None:
        """`closed`: the contacts weld, now or at the next closing. Otherwise the coil burns out: open for good."""
        self._stuck = closed
        if not closed:
            self._due_ms = None
            self._set(False)
        elif self._coil and not self.is_closed:
            self._due_ms = now_ms

    def mend(self, *, now_ms: int) -> None:
        """A new contactor, on the same coil wires."""
        self._stuck = None
        self.auxiliary_is_dirty = False
        self._due_ms = now_ms

    def _set(self, closed: bool) -> None:
        self.closings += closed and not self.is_closed
        self.is_closed = closed
