"""A lamp that no gateway answers for a month, in virtual time, its crystal off by 40 ppm."""

import functools

import pytest

from policy import civil, lighting, lighting_form
from tests.portable.node_day import World
from wire import event

DAYS = 30
GRACE_S = 120
CRYSTAL_PPM = 40
DAY_S = 86_400
EXTINCTION = [1, [[127, 0, 0, 0]], [[[1, 0, 100], [0, 1410, 0], [0, 300, 60], [2, 0, 0]]]]
# Looks often enough for its edges, tells rarely: what it would tell nobody hears.
QUIET = {"calendar": EXTINCTION, "sample_s": 1800, "telemetry_s": 21_600}
# What it knows of its own doubt: 50 ppm a day, and never more than a quarter of an hour.
DOUBT_S_A_DAY = 4.4


@functools.cache
def alone():
    """A world after the gateway was heard for an hour and then not for DAYS; the truth runs away from the node."""
    world = World(plain=QUIET, unix_s=86_400 * civil.days_from_civil(2026, 10, 20) + 36_000)
    world.power_on()
    world.run(3600)
    world.reachable = False
    for _ in range(DAYS):
        world.run(DAY_S)
        world._unix_ms += DAY_S * CRYSTAL_PPM // 1000
    return world


def off_the_plan(world):
    """[(seconds from the planned instant, day, level)] of each change of the output, and how many were planned."""
    own = world.settings.own
    calendar = lighting_form.decode(EXTINCTION)[0]
    first = lighting.evening_of(own.site, world.edges[0][0])
    planned = []
    for day in range(first, first + DAYS + 1):
        planned += [(at_s, level) for at_s, level, _ in lighting.Night(calendar, own.site, day).changes()[1:]]
    end_s = world.unix_s()
    planned = [one for one in planned if world.edges[1][0] + 3600 < one[0] < end_s - 3600]
    seen = [(at_s, level) for at_s, level, rule in world.edges[2:] if rule == "calendar"]
    return planned, seen[: len(planned)]


@pytest.mark.slow
def test_a_month_without_a_gateway_every_edge_comes_once_by_the_calendar_and_within_the_nodes_doubt():
    world = alone()
    planned, seen = off_the_plan(world)
    assert len(planned) > 4 * (DAYS - 2)
    assert [level for _, level in seen] == [level for _, level in planned]
    for (wanted_s, level), (at_s, _) in zip(planned, seen, strict=True):
        doubt_s = 60 + DOUBT_S_A_DAY * (wanted_s - planned[0][0]) / DAY_S
        # A doubt lights sooner and darkens later, by what it is; and the crystal may be off by as much again.
        assert -2 * doubt_s <= at_s - wanted_s <= 2 * doubt_s + 120, (level, at_s - wanted_s)
    assert {rule for _, _, rule in world.edges} == {"boot", "calendar"}
    dusks = [at_s - wanted_s for (wanted_s, level), (at_s, _) in zip(planned, seen, strict=True) if level == 100]
    assert len(dusks) >= DAYS - 1 and max(dusks) <= GRACE_S and min(dusks) >= -300, "never late at dusk"


@pytest.mark.slow
def test_a_month_without_a_gateway_is_one_boot_and_a_bounded_memory():
    world = alone()
    assert len(world.events(event.BOOT)) == 1
    assert len(world.node.waiting_sequences()) < 200
    assert world.node.is_sound(world.now_ms)
    world.reachable = True
    world.run(3600)
    assert world.unexplained() == [], "what was let go is named"
    assert world.node.waiting_sequences() == []
    made = [made.sequence for _, made, _ in world.made]
    assert made == list(range(len(made))) and len(made) > 4 * DAYS
