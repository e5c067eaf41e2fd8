"""Small territories for several test files, and a story told by hand instead of drawn. Runs that nobody changes are shared."""

from functools import cache

from simulator.options import HOUR_S, Cut, Drawn, Options
from simulator.territory import Territory

SMALL = Options(lamps=12, hours=24)


@cache
def ordinary():
    """(territory, result) of the small territory with its own seed; do not change either."""
    return live_through(SMALL)


@cache
def untroubled():
    """The same without any fault but the radio's; do not change either."""
    return live_through(Options(lamps=12, hours=24, faults=False))


def live_through(options, drawn=None):
    """Run one; returns (territory, result)."""
    territory = Territory(options, drawn)
    return territory, territory.run()


def cut(what, from_h, to_h, cabinet=None):
    """Something is away between two hours after the start."""
    return Cut(what, cabinet, int(from_h * HOUR_S), int(to_h * HOUR_S))


def story(*cuts, dead=(), stuck=()):
    """`dead` and `stuck`: (lamp's index, hours after the start)."""
    return Drawn(list(cuts), [(lamp, at_h * HOUR_S) for lamp, at_h in dead], [(lamp, at_h * HOUR_S) for lamp, at_h in stuck])
