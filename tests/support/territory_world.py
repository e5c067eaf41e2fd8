"""Small territories for several test files, stories told by hand; a run that nobody changes is shared.

But for the shared one they lack the commune that has a cabinet and no nodes: its day costs as much as ten lamps do.
"""

from dataclasses import replace
from functools import cache

from simulator.options import HOUR_S, Cut, Drawn, Options
from simulator.territory import Part, Territory
from simulator.world.chance import Prng

SMALL = Options(lamps=12, hours=24)
# What is cut, how often at most, and for how long at least and at most (s).
_HARSH = (("power", 14, 5, 7200), ("fibre", 8, 3, 18_000), ("ingest", 4, 30, 7200), ("broker", 5, 20, 600),
          ("hostile", 2, 600, 3600), ("stolen", 1, 600, 1800))  # fmt: skip


@cache
def ordinary():
    """(territory, result) of the small territory with its own seed and the commune; do not change either."""
    territory = Territory(SMALL)
    return territory, territory.run()


def with_nodes(options, drawn=None):
    """A territory of the cabinets that have nodes."""
    return Territory(options, drawn, Part(0, options.cabinets, False))


def live_through(options, drawn=None):
    """Run one; returns (territory, result)."""
    territory = with_nodes(options, drawn)
    return territory, territory.run()


def reportable(result):
    """The result with one hour of the commune in it: a report tells of it."""
    return replace(result, villages=_commune())


@cache
def _commune():
    return Territory(Options(cabinets=1, lamps=1, hours=1, until_dusk=False)).run().villages


def cut(what, from_h, to_h, cabinet=None):
    """Something is away between two hours after the start."""
    return Cut(what, cabinet, int(from_h * HOUR_S), int(to_h * HOUR_S))


def harsh(options):
    """Cuts of everything, short and long, one after the other and at once, and three broken lamps."""
    prng = Prng(f"harsh-{options.seed}")
    end_s = options.hours * HOUR_S
    cuts = []
    for what, count, shortest_s, longest_s in _HARSH:
        for _ in range(count):
            cabinet = prng.randrange(3) if what in ("power", "fibre", "stolen") else None
            from_s = prng.between(600, end_s - longest_s - 600)
            to_s = from_s + prng.between(shortest_s, longest_s)
            beside = [old for old in cuts if (old.what, old.cabinet) == (what, cabinet)]
            # What is away already cannot be cut.
            if all(to_s < old.from_s or old.to_s < from_s for old in beside):
                cuts.append(Cut(what, cabinet, from_s, to_s))
    opened = prng.split("opened")
    opened_s = opened.between(600, end_s - 2400)
    cuts.append(Cut("opened", opened.randrange(3), opened_s, opened_s + 1800))
    first, second, third = prng.pick(3, options.lamps)
    return story(*cuts, dead=[(first, 5), (second, 9)], stuck=[(third, 3)])


def story(*cuts, dead=(), stuck=()):
    """`dead` and `stuck`: (lamp's index, hours after the start)."""
    dead_lamps, stuck_relays = ([(lamp, at_h * HOUR_S) for lamp, at_h in faults] for faults in (dead, stuck))
    return Drawn(list(cuts), dead_lamps, stuck_relays)
