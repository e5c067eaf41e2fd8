"""What has waited goes up: whole, once, in its order, and in time. The whole gateway with nodes and the real warehouse.

The docstrings name the faults of known gateways (project#issue) that these stories are about.
"""

from collections import Counter

import pytest

from gateway.core import limits
from tests.support.cabinet_world import NODES, CabinetWorld, holes
from wire import event

pytestmark = pytest.mark.slow
MINUTE_MS, DAY_MS = 60_000, 86_400_000


def explained_holes(world):
    """Positions of the journal that HOLE records in the warehouse name."""
    return sum(last - first + 1 for first, last in holes(world.warehouse))


@pytest.mark.parametrize(
    ("count", "segment_bytes", "batch_records"), [(2_000, 1_200, 1), (1_000, 1_200, 50), (5_000, 10_000, 20)]
)
def test_an_outage_over_many_segments_and_epochs_drains_whole(count, segment_bytes, batch_records):
    """thingsboard/thingsboard#4447: of 35,000 events 29,970 deleted unsent; thingsboard-gateway#1507, #158.

    An outage over many segments and three epochs, a power cut in the middle of the drain: every identity arrives.
    """
    world = CabinetWorld(
        1, nodes=10, segment_bytes_max=segment_bytes, batch_records_max=batch_records, journal_bytes_max=8_000_000
    )
    for epoch in range(1, 4):
        while world.said.acknowledged_count() < epoch * count // 3:
            world.run(500, making=True)
        world.power_cut()
    assert len(world.segments()) >= 9 and len(world.held()) >= count
    world.fibre = True
    while len(world.stored()) < count // 3:
        world.run(500, making=False)
    assert world.waiting() > 0
    world.power_cut()
    world.assert_all_arrived()
    # A cut may take a file that no sync had ended for and leave a later one: nobody was answered, and it is said.
    assert world.warehouse.counters.get("positions_skipped", 0) == explained_holes(world)
    assert len(world.segments()) <= len(event.LANES), "space comes back"


def test_150_reconnections_leave_each_record_once():
    """thingsboard-gateway#2098; telegraf#15868, #16500, PR#17247; paho.mqtt.python PR#698.

    150 reconnections forced at random instants, some with a restart: much is sent twice, each record counts once.
    """
    world = CabinetWorld(8, nodes=3, batch_records_max=5, reconnect_last_ms=1_000, rtt_ms=60)
    world.fibre = True
    while world.connects < 150:
        world.run(world.random.randrange(1, 1_500), making=world.random.randrange(8) == 0)
        world.hang_up()
        if world.random.randrange(50) == 0:
            world.start()
    world.assert_all_arrived()
    assert world.warehouse.counters["duplicates"] > 30, "the run tried nothing"
    energy = Counter(identity for identity, _, _ in world.warehouse.bodies())
    assert world.said.acknowledged_count() > 50 and set(energy.values()) == {1}


def test_order_and_window_hold_over_fifty_reconnections():
    """paho.mqtt.python#492, PR#698; paho.mqtt.golang#731; wirepas/gateway PR#173.

    A backlog, and 50 connections each with a Receive Maximum of its own: never more is unacknowledged, that much is
    used, and what a node said arrives in its order within a lane.
    """
    world = CabinetWorld(9, nodes=3, batch_records_max=2, reconnect_last_ms=1_000, journal_bytes_max=2_000_000)
    for _ in range(150):
        world.say()
    seen = set()
    for _ in range(50):
        world.receive_max = world.random.choice((1, 2, 5, 20))
        world.fibre = True
        before = world.connects
        while world.connects == before:
            world.run(200, making=False)
        world.run(world.random.randrange(700), making=True)
        most = world.unacked_most[world.line]
        assert most <= world.receive_max
        seen.add((world.receive_max, most))
        world.hang_up()
    assert {(1, 1), (2, 2), (5, 5)} <= seen
    world.assert_all_arrived()
    for of_node in {(identity[:2], world.said.lanes[identity]) for identity in world.said.lanes}:
        order = [i[2] for i in world.arrived if i[0].startswith(NODES) and (i[:2], world.said.lanes[i]) == of_node]
        assert order and order == sorted(order), "out of order"


@pytest.mark.parametrize(("hours", "quarters"), [(13, 1), (168, 4)])
def test_days_away_drain_at_pace_and_an_alarm_passes_all_of_it(hours, quarters):
    """thingsboard-gateway#1483, #2132; mosquitto#3002; nanomq#1980 (not drained in 12 h); telegraf#16314, #16615.

    After 13 hours and after 7 days away it drains whole, at least 8 batches in a round trip (the window of telemetry is
    12), and an alarm said meanwhile passes all of it.
    """
    rtt_ms = 400
    world = CabinetWorld(
        10, nodes=6, alarmers=1, rtt_ms=rtt_ms, batch_records_max=5, batch_age_ms=60_000, journal_bytes_max=4_000_000
    )
    for _ in range(4 * hours // quarters):
        world.say(quarters * 15 * MINUTE_MS)
    waiting = world.waiting()
    assert waiting > 900
    world.fibre = True
    while not world.arrived:
        world.run(100, making=False)
    begun_ms, before, live = world.town.now_ms, world.batches, 0
    assert begun_ms - DAY_MS * hours // 24 < limits.UPLINK_RECONNECT_LAST_MS + limits.UPLINK_QUERY_WAIT_MS
    while world.waiting() > 100:
        assert world.town.now_ms - begun_ms < DAY_MS // 24, "it never recovers"
        world.alarm()
        live += 1
        world.run(2 * rtt_ms, making=False)
    round_trips = (world.town.now_ms - begun_ms) / rtt_ms
    assert (world.batches - before) / round_trips >= 8
    alarms = [i for i in world.said.alarms() if world.said.made_ms(i) >= begun_ms]
    assert len(alarms) == live > 3
    assert max(world.arrived_ms[i] - world.said.made_ms(i) for i in alarms) <= rtt_ms // 2 + 2 * 30
    world.assert_all_arrived()
