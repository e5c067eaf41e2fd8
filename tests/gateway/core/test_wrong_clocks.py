"""No timer trusts the wall clock: whatever it says, connections, batches and arrivals happen at the same moments."""

from datetime import UTC, datetime
from functools import cache

import pytest

from tests.support.cabinet_world import NODES, CabinetWorld
from tools.prove.cabinet import START_UNIX_S

pytestmark = pytest.mark.slow
MINUTE_MS, DAY_MS = 60_000, 86_400_000


def unix_ms(*moment):
    return int(1_000 * datetime(*moment, tzinfo=UTC).timestamp())


def leap(now_ms):
    return now_ms + DAY_MS * (365 * 10 if now_ms // MINUTE_MS % 2 else -365 * 10)


CLOCKS = {
    "none": lambda now_ms: None,
    "1970": lambda now_ms: now_ms,
    "ten-years-ahead": lambda now_ms: unix_ms(2036, 11, 25) + now_ms,
    "ten-years-behind": lambda now_ms: unix_ms(2016, 11, 25) + now_ms,
    "leaping-ten-years-each-minute": lambda now_ms: unix_ms(2026, 11, 25) + leap(now_ms),
    "night-of-summer-time": lambda now_ms: unix_ms(2026, 3, 29, 0, 50) + now_ms,
    "night-of-winter-time": lambda now_ms: unix_ms(2026, 10, 25, 0, 50) + now_ms,
}


def good(now_ms):
    return 1_000 * START_UNIX_S + now_ms


@cache
def life_by(clock):
    """An outage, a drain, a flapping hour under a clock: ((identity, ms of its arrival) of all, ms of connections)."""
    world = CabinetWorld(14, nodes=3, latency_ms=(5, 5), batch_age_ms=20_000)
    connected = []
    for minute in range(90):
        told = clock(world.town.now_ms)
        world.core.on_clock(told, 1, now_ms=world.town.now_ms)
        if minute in (20, 40, 60):
            world.hang_up()
        world.fibre = minute >= 10
        before = world.connects
        world.say(MINUTE_MS)
        connected.append(world.connects - before)
    arrived = [(identity, world.arrived_ms[identity]) for identity in world.arrived if identity[0].startswith(NODES)]
    world.assert_all_arrived()
    return arrived, connected


@pytest.mark.parametrize("name", CLOCKS)
def test_by_any_clock_everything_happens_at_the_same_moments(name):
    """iotedge#4062 (1970), #1815; lf-edge/eve PR#3447 (retry timers stuck), PR#1456; thin-edge.io#3157, mosquitto#1877,
    chirpstack-gateway-bridge#210.

    Whatever the clock says, connections, batches and arrivals happen at the very same moments as with a good one.
    """
    arrived, connected = life_by(good)
    assert len(arrived) > 800 and sum(connected) == 4
    assert life_by(CLOCKS[name]) == (arrived, connected)
