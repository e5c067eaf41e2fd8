"""The number of a gateway's start, which names its own records and is never used twice (ARCHITECTURE, section 3).

It is counted, on the card. But the card may come from a backup, which knows nothing of the starts since: a number is
also at least the minutes that the system clock has counted since 2026. While that clock is not set, and for two starts
within a minute, it is the count alone.
"""

_EPOCH_UNIX_S = 1_767_225_600  # 2026-01-01
# A clock that claims more is not believed: it would use the numbers up.
_MINUTES_MAX = 100 * 366 * 1440


def number_after(last: int | None, unix_s: int) -> int:
    """The number of a start at this time of the system clock, good or not; `last`: of the one before, if known."""
    minutes = (unix_s - _EPOCH_UNIX_S) // 60
    counted = (last or 0) + 1
    return max(counted, minutes) if minutes <= _MINUTES_MAX else counted
