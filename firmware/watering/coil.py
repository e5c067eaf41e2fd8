"""The current of a valve's coil at 50 ms: an open coil, a short, or one that is going.

What a coil draws is learned as its running mean, so that "another current than last year" can be told from "another
valve than its neighbour". Limits for 24 V AC are OpenSprinkler's defaults; a latching coil is pulsed from a capacitor
through some ohms and draws over an ampere for 50 ms; a shorted one what its bridge lets through. Holds no state: the
guard keeps two integers a coil.
"""

from watering import limits
from watering.valves import LATCHING

OPEN_COIL, SHORT, CHANGED = "open-coil", "short", "coil-changed"


def span_ma(kind: int):
    """(least, most) of a sound coil."""
    if kind == LATCHING:
        return (limits.LATCH_OPEN_MA, limits.LATCH_SHORT_MA)
    return (limits.AC_OPEN_MA, limits.AC_SHORT_MA)


def judge(kind: int, mean_ma: int, odd: int, current_ma: int):
    """(None when the coil is sound, else a word; `mean_ma`; `odd`), as they are now. `mean_ma`: as learned, 0 unknown;
    `odd`: how often in a row it has drawn something else."""
    least, most = span_ma(kind)
    if current_ma > most:
        return (SHORT, mean_ma, odd)
    if current_ma < least:
        return (OPEN_COIL, mean_ma, odd)
    if not mean_ma:
        return (None, current_ma, odd)
    if 100 * abs(current_ma - mean_ma) > limits.CHANGED_PERCENT * mean_ma:
        odd = min(limits.CHANGED_TIMES, odd + 1)
        return (CHANGED if odd >= limits.CHANGED_TIMES else None, mean_ma, odd)
    # An eighth of the difference: cold and warm copper differ by a fifth within a day. Rounded, so that it settles.
    return (None, mean_ma + (current_ma - mean_ma + 4) // 8, 0)
