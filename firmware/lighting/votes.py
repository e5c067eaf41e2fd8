"""A fault is declared when three of the last five samples agree, and ended when all that is remembered, three at least,
is healthy: a false alarm costs a van's journey."""

from lighting import limits


class Votes:
    """The last samples of one judgement. `verdict`: True (a fault), False (healthy), None (cannot be told)."""

    def __init__(self):
        self._kept = []

    def clear(self):
        self._kept.clear()

    def cast(self, is_bad):
        """One more sample; the verdict with it."""
        kept = self._kept
        kept.append(is_bad)
        if len(kept) > limits.SAMPLES_KEPT:
            kept.pop(0)
        bad = sum(1 for vote in kept if vote)
        if bad >= limits.VOTES:
            return True
        return False if bad == 0 and len(kept) >= limits.VOTES else None
