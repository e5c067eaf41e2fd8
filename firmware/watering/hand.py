"""A technician's test of an irrigation node: each zone for a minute, one after the other.

It asks nothing of soil, rain or programme, for he stands beside it; what is broken, what could not be shut again, and
what the law forbids at this hour keep a zone shut all the same. Makes jobs; `runs` carries them out.
"""

from watering import runs
from watering.cycles import Cut

RULE = "test"
ZONE_S = 60
# Between two zones: what a valve takes to shut, and a moment to walk.
_BETWEEN_S = 5
_GIVE_UP_S = 30


def test_ms(zones) -> int:
    """How long the test of so many zones takes."""
    return 1000 * (zones * (ZONE_S + _BETWEEN_S) + _GIVE_UP_S)


def jobs(zones, *, now_ms) -> list:
    """One for each zone, from 1."""
    found = []
    for zone in range(1, zones + 1):
        ready_ms = now_ms + 1000 * (zone - 1) * (ZONE_S + _BETWEEN_S)
        cut = Cut(ZONE_S, ZONE_S, 0)
        found.append(
            runs.Job(zone, cut, RULE, 0, ready_ms=ready_ms, give_up_ms=ready_ms + 1000 * _GIVE_UP_S)
        )
    return found
