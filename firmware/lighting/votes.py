"""A fault is declared when three of the last five samples agree, and ended when all that is remembered, three at least,
is healthy: a false alarm costs a van's journey."""

from lighting import limits

# Nothing is remembered: what is, is bits below a leading one, the newest lowest.
EMPTY = 1
_FULL = 1 << limits.SAMPLES_KEPT


def cast(votes, code, is_bad):
    """One more sample for `code` into `votes`, a map of what `cast` keeps. The verdict with it: True (a fault), False
    (healthy), None (cannot be told)."""
    kept = votes.get(code, EMPTY)
    kept = _FULL | (kept << 1 | bool(is_bad)) & (_FULL - 1) if kept & _FULL else kept << 1 | bool(is_bad)
    votes[code] = kept
    bad = sum(kept >> place & 1 for place in range(limits.SAMPLES_KEPT) if kept >> place > 1)
    if bad >= limits.VOTES:
        return True
    return False if bad == 0 and kept >> limits.VOTES else None
