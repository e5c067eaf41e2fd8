"""Numbers for what we send (RFC 8613 sections 5.2 and 7.2.1): each one once, through any power cut.

Numbers are taken from a block that was reserved on flash before. After a restart the sequence begins where
the reservation ended, so numbers are skipped but never repeated. The shell does three things: it gives the
reserved end it read at start, writes what `due` asks for, and says `reserved` when the write reads back. It
must give nothing it guesses: a lost store means a new context, with another ID Context.
"""

from collections import namedtuple

from wire.oscore_context import PARTIAL_IV_MAX

# One flash write for so many messages; a restart skips as many at most. 2^40 numbers bear 10^9 restarts.
BLOCK = 1024
# Asked for while so many are left: a write that fails is tried again without a gap in sending.
MARGIN = 64

# The effect: write `upto` where the reserved end stands, all of it or nothing.
Reserve = namedtuple("Reserve", ("upto",))


class SenderSequence:
    """The numbers of one context. `reserved_end`: what the store holds, 0 for a context that was never used. Every
    number below may be spent."""

    def __init__(self, reserved_end: int):
        assert 0 <= reserved_end <= PARTIAL_IV_MAX + 1
        self._next = reserved_end
        self._end = reserved_end

    def due(self):
        """Reserves when flash must be written, else None. It asks again until `reserved` is told."""
        if self._end - self._next > MARGIN or self._end > PARTIAL_IV_MAX:
            return None
        return Reserve(min(self._end + BLOCK, PARTIAL_IV_MAX + 1))

    def reserved(self, upto: int):
        """The shell wrote `upto` and read it back."""
        assert self._end <= upto <= PARTIAL_IV_MAX + 1
        self._end = upto

    def next_number(self):
        """Returns the next number, or None: nothing is reserved, so nothing may be sent."""
        if self._next >= self._end:
            return None
        number = self._next
        self._next = number + 1
        return number

    @property
    def is_exhausted(self) -> bool:
        """No number will ever come: the context is used up (section 7.2.1)."""
        return self._next > PARTIAL_IV_MAX
