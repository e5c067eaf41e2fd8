"""Gives the sender sequence numbers (RFC 8613 sections 5.2 and 7.2.1): each one once, through any power cut.

Numbers come from a block that was reserved on disk before. After a restart the sequence begins where the reservation
ended, so numbers are skipped but never repeated. The caller does three things: it gives the reserved end that it read
at start, writes what `due` asks for, and calls `reserved` when the write reads back. It must not guess a reserved end:
a lost store means a new context, with another ID Context.
"""

from collections import namedtuple

from wire.oscore_context import PARTIAL_IV_MAX

# One write for so many messages; a restart skips at most as many. 2^40 numbers last for 10^9 restarts.
BLOCK = 1024
# A new block is asked for when this many are left: a write that fails is tried again without a gap in sending.
MARGIN = 64

# The effect: write `upto` in place of the reserved end, atomically.
Reserve = namedtuple("Reserve", ("upto",))


class SenderSequence:
    """Gives the numbers of one context. `reserved_end`: the stored end, 0 for a context that was never used. Every
    number below it may have been used."""

    def __init__(self, reserved_end: int):
        assert 0 <= reserved_end <= PARTIAL_IV_MAX + 1
        self._next = reserved_end
        self._end = reserved_end

    def due(self):
        """Returns a Reserve when the store must be written, else None; it asks again until `reserved` is called."""
        if self._end - self._next > MARGIN or self._end > PARTIAL_IV_MAX:
            return None
        return Reserve(min(self._end + BLOCK, PARTIAL_IV_MAX + 1))

    def reserved(self, upto: int):
        """Notes that the caller wrote `upto` and read it back."""
        assert self._end <= upto <= PARTIAL_IV_MAX + 1
        self._end = upto

    def next_number(self):
        """Returns the next number; None when nothing is reserved, so nothing may be sent."""
        if self._next >= self._end:
            return None
        number = self._next
        self._next = number + 1
        return number

    @property
    def is_exhausted(self) -> bool:
        """True when the context is used up: no number will ever come again (section 7.2.1)."""
        return self._next > PARTIAL_IV_MAX
