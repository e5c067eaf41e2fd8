"""Fifteen classes of faults that hurt users of known gateways, each as a story that ours must live through.

The evidence is in the docstrings (project#issue). Stories are told in virtual time with the whole gateway, nodes that
speak CoAP and the real warehouse. Here: classes 1 to 8, what happens to records; 9 to 15, what a gateway stands on and
who talks to it, are in test_bug_classes_around.py. What needs real sockets, processes or partitions is told elsewhere:

     2  kill -9 of real processes        tests/live/test_kill.py::test_kills_and_freezes_of_gateway_broker_and_ingest_lose_and_double_nothing
     3  cut without FIN or RST           tests/gateway/io/test_mqtt_siege.py::test_a_silent_cut_on_fibre_is_noticed_within_15_s
     7  what the MQTT client would do    tests/gateway/io/test_mqtt_acknowledgements.py::test_after_a_reconnection_no_more_than_the_receive_maximum_is_unacknowledged
     9  a real partition, full           tests/live/test_full_disk.py::test_a_full_partition_loses_nothing_unnamed_and_refuses_no_alarm
        the agent's log                  tests/gateway/io/test_log.py::test_a_flood_is_bounded_counted_and_told_and_hides_nobody_else
    10  files on a real file system      tests/tools/prove/test_prove_corrupt.py::test_it_always_starts_and_every_loss_is_reported
        every single write               tests/tools/prove/test_prove_powercut.py::test_nothing_acknowledged_is_lost_at_any_operation_looked_at
    11  a broker that floods             tests/gateway/io/test_mqtt_siege.py::test_memory_stays_while_a_broker_floods_and_the_agent_does_not_take
    12  forty real agents                tests/live/test_storm.py::test_gateways_outlive_a_broker_killed_and_one_that_hangs_up
    13  network namespaces               tests/live/test_bearers.py::test_mobile_carries_when_fibre_goes_and_nothing_is_lost
        a modem that never returns       tests/gateway/core/bearers/test_modem.py::test_bug_class_13_a_modem_that_needs_50_minutes_to_return_is_given_them
    14  expired, future, revoked         tests/gateway/io/test_mqtt_tls.py::test_what_the_broker_refuses_is_told_by_its_word
                                         tests/gateway/io/test_mqtt_tls.py::test_our_revocation_is_told_by_the_broker
        renewal under load               tests/gateway/io/test_mqtt_tls.py::test_renewal_under_load_loses_no_publication_and_says_nothing
        a process of 1970                tests/gateway/io/test_mqtt_tls.py::test_a_process_whose_whole_clock_is_wrong
"""  # noqa: E501

import re
from collections import Counter
from pathlib import Path

import pytest

from gateway.core import limits
from gateway.core.bearers.bearer import Bearer
from gateway.core.cabinet.cabinet import CabinetOptions
from gateway.core.cabinet.feeder import FeederOptions
from gateway.core.custody import recovery, segment
from gateway.core.gateway import Options
from tests.support.cabinet_world import NODES, CabinetWorld, holes
from tools.prove.cabinet import listed
from wire import event

pytestmark = pytest.mark.slow

MINUTE_MS, DAY_MS = 60_000, 86_400_000
SMALL = {"journal_bytes_max": 40_000, "alarm_reserve_bytes": 8_000, "segment_bytes_max": 4_000}


def test_each_test_named_in_the_table_above_exists(repository):
    named = re.findall(r"(tests/\S+\.py)::(test_\w+)", __doc__)
    assert len(named) == 15
    for path, name in named:
        assert f"def {name}(" in Path(repository, path).read_text(encoding="utf-8"), f"{path} has no {name}"


# --- 1: backlog -------------------------------------------------------------------------------------------------------


def explained_holes(world):
    """Positions of the journal that HOLE records in the warehouse name."""
    return sum(last - first + 1 for first, last in holes(world.warehouse))


@pytest.mark.parametrize(
    ("count", "segment_bytes", "batch_records"), [(2_000, 1_200, 1), (2_000, 1_200, 50), (35_000, 65_536, 20)]
)
def test_bug_class_01_backlog_lost_while_draining_after_an_outage(count, segment_bytes, batch_records):
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


# --- 2: accepted, but only in memory ----------------------------------------------------------------------------------


def test_bug_class_02_accepted_but_only_in_memory():
    """eclipse-mosquitto#3394, #3400, #3472, #2666: acknowledged, and gone after a kill; thin-edge.io#3083.

    200 rounds under load, each ended at a random instant by a power cut or a kill: what was acknowledged is stored.
    """
    world = CabinetWorld(2, nodes=6, journal_bytes_max=4_000_000)
    for number in range(200):
        world.fibre = number % 20 == 19
        world.run(world.random.randrange(1, 400), making=True)
        (world.power_cut if number % 2 else world.start)()
        assert world.unaccounted() == set(), f"round {number}"
    assert world.said.acknowledged_count() > 2_500
    world.assert_all_arrived()


# --- 3: deleted before confirmed --------------------------------------------------------------------------------------


def test_bug_class_03_deleted_before_it_is_confirmed():
    """nanomq#2432: the row is removed, then the link is silently cut while it is sent.

    Cuts without FIN or RST between sending and the watermark, and a broker that acknowledges and forgets: at every
    moment the journal or the warehouse holds the record.
    """
    world = CabinetWorld(3, nodes=3, segment_bytes_max=1_000)
    sent_in_vain = 0
    for number in range(60):
        world.fibre, world.wire = True, "good"
        world.say(world.random.randrange(1_000, 4_000))
        world.wire = ("silent", "forgetful")[number % 2]
        before = len(world.stored())
        for _ in range(4):
            world.say(world.random.randrange(100, 4_000))
            assert world.unaccounted() == set()
        sent_in_vain += len(world.unacked) if world.wire == "silent" else world.waiting()
        assert len(world.stored()) == before
        world.hang_up()
        if number % 3 == 0:
            world.power_cut()
        assert world.unaccounted() == set()
    assert sent_in_vain > 100
    world.assert_all_arrived()


# --- 4: overflow ------------------------------------------------------------------------------------------------------


def test_bug_class_04_silent_drop_on_overflow():
    """telegraf#5536, #17200 (19,268 dropped in one line), #802; thingsboard-gateway#959; Mosquitto as shipped.

    Five times what fits: alarms all stay, telemetry is let go, and the loss ledger and the gap records name exactly
    the identities that do not arrive.
    """
    world = CabinetWorld(4, nodes=6, **SMALL)
    while world.said.acknowledged_count() < 5_000:
        world.run(1_000, making=True)
        assert world.core.journal.bytes_held <= SMALL["journal_bytes_max"]
    world.fibre = True
    assert world.drain()
    missing = world.acknowledged() - world.stored()
    everybody = list(listed(world.state_disk))
    named = [identity for identity in everybody if identity[0].startswith(NODES)]
    assert len(missing) > 2_000
    assert len(named) == len(set(named)) and set(named) == missing
    assert all(world.warehouse.explained(*identity) for identity in missing)
    assert sum(world.core.health(now_ms=world.town.now_ms)["losses"].values()) == len(everybody)
    assert len(world.said.alarms()) > 50 and world.said.alarms() & missing == set()


# --- 5: configuration, upgrade, reconnection --------------------------------------------------------------------------

CHANGES = {
    "commit_ms": 0,
    "batch_age_ms": 0,
    "batch_records_max": 1,
    "window_max": 5,
    "segment_bytes_max": 4_000,
    "journal_bytes_max": 800_000,
    "alarm_reserve_bytes": 2_000,
    "ack_timeout_ms": 8_000,
    "reconnect_last_ms": 10_000,
    "bearers": (Bearer("lan"), Bearer("stick", True, 1_000_000, has_modem=True, has_modem_power=True)),
    "insee": "49135",
    "name": "cab-9",
    "gateway": bytes.fromhex("7c1f0a2cfe000009"),
    "allowed": frozenset(),
    "cabinet": CabinetOptions(475720, -5940, (FeederOptions("bourg", 14, 320),)),
    "groups": (("écoles", (bytes(8),)),),
}


def test_bug_class_05a_store_wiped_by_a_change_of_configuration():
    """thingsboard-gateway#2124: the database recreated; EdgeX: items dropped when the pipeline's hash changes.

    A full queue, and every setting changed, one after the other: all of it is held each time, and drains.
    """
    assert set(CHANGES) == set(Options._fields)
    world = CabinetWorld(5, nodes=4)
    for _ in range(30):
        world.say()
    kept = world.acknowledged()
    assert len(kept) > 400
    for name, value in CHANGES.items():
        assert getattr(world.core._options, name) != value
        world.change(**{name: value})
        assert world.held() == kept, name
    world.assert_all_arrived()


def test_bug_class_05b_store_wiped_by_a_downgrade_or_an_upgrade(monkeypatch):
    """As above. A later version's files are left as they are by this one, and are all read when that one is back."""

    def be_later():
        for module, name, value in ((segment, "VERSION", 3), (segment, "VERSION_VOIDS", 4)):
            monkeypatch.setattr(module, name, value)
        monkeypatch.setattr(recovery, "VERSION_VOIDS", 4)

    with monkeypatch.context():
        be_later()
        world = CabinetWorld(6, nodes=4, segment_bytes_max=2_000)
        for _ in range(20):
            world.say()
        later = world.held()
        files = {name: world.journal_disk.read(name, 0, 1 << 20) for name in world.journal_disk.list()}
    monkeypatch.undo()
    report = world.start()
    assert len(report.newer) > 5 and report.quarantined == []
    for _ in range(20):
        world.say()
    assert len(world.held()) > 200 and world.held() & later == set()
    for name in report.newer:
        assert world.journal_disk.read(name, 0, 1 << 20) == files[name]
    be_later()
    world.start()
    assert world.held() == world.acknowledged()
    world.assert_all_arrived()


def test_bug_class_05c_store_wiped_by_time_and_reboots():
    """aws-greengrass-shadow-manager#208: gone on day 20 offline. Here 30 days offline, with a reboot every day."""
    world = CabinetWorld(7, nodes=3)
    for day in range(30):
        for _ in range(8):
            world.say(DAY_MS // 8)
        (world.power_cut if day % 2 else world.start)()
        assert world.unaccounted() == set(), f"day {day}"
    assert world.said.acknowledged_count() > 2_000
    world.assert_all_arrived()


# --- 6: duplicates ----------------------------------------------------------------------------------------------------


def test_bug_class_06_duplicates():
    """thingsboard-gateway#2098; telegraf#15868, #16500, PR#17247; paho.mqtt.python PR#698.

    1,000 reconnections forced at random instants, some with a restart: much is sent twice, each record counts once.
    """
    world = CabinetWorld(8, nodes=3, batch_records_max=5, reconnect_last_ms=1_000, rtt_ms=60)
    world.fibre = True
    while world.connects < 1_000:
        world.run(world.random.randrange(1, 1_500), making=world.random.randrange(8) == 0)
        world.hang_up()
        if world.random.randrange(50) == 0:
            world.start()
    world.assert_all_arrived()
    assert world.warehouse.counters["duplicates"] > 200, "the run tried nothing"
    energy = Counter(identity for identity, _, _ in world.warehouse.bodies())
    assert world.said.acknowledged_count() > 300 and set(energy.values()) == {1}


# --- 7: order and window ----------------------------------------------------------------------------------------------


def test_bug_class_07_reordering_burst_and_a_window_ignored_on_reconnection():
    """paho.mqtt.python#492, PR#698; paho.mqtt.golang#731; wirepas/gateway PR#173.

    A backlog, and 100 connections each with a Receive Maximum of its own: never more is unacknowledged, that much is
    used, and what a node said arrives in its order within a lane.
    """
    world = CabinetWorld(9, nodes=3, batch_records_max=2, reconnect_last_ms=1_000, journal_bytes_max=2_000_000)
    for _ in range(150):
        world.say()
    seen = set()
    for _ in range(100):
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


# --- 8: recovery and its pace -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("hours", "quarters"), [(13, 1), (168, 4)])
def test_bug_class_08_never_recovers_or_drains_too_slowly(hours, quarters):
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
