"""What a node was answered for stays, whatever ends, fills or changes: stories of the whole gateway.

The docstrings name the faults of known gateways (project#issue) that these stories are about.
"""

import pytest

from gateway.core.bearers.bearer import Bearer
from gateway.core.cabinet.cabinet import CabinetOptions
from gateway.core.cabinet.feeder import FeederOptions
from gateway.core.custody import recovery, segment
from gateway.core.gateway import Options
from simulator.hosts.keys import keyset_of
from tests.support.cabinet_world import NODES, CabinetWorld
from tools.prove.cabinet import listed

pytestmark = pytest.mark.slow
MINUTE_MS, DAY_MS = 60_000, 86_400_000
SMALL = {"journal_bytes_max": 40_000, "alarm_reserve_bytes": 8_000, "segment_bytes_max": 4_000}


def test_what_was_answered_for_outlives_100_kills_and_power_cuts():
    """eclipse-mosquitto#3394, #3400, #3472, #2666: acknowledged, and gone after a kill; thin-edge.io#3083.

    100 rounds under load, each ended at a random instant by a power cut or a kill: what was acknowledged is stored.
    """
    world = CabinetWorld(2, nodes=6, journal_bytes_max=4_000_000)
    for number in range(100):
        world.fibre = number % 20 == 19
        world.run(world.random.randrange(1, 400), making=True)
        (world.power_cut if number % 2 else world.start)()
        assert world.unaccounted() == set(), f"round {number}"
    assert world.said.acknowledged_count() > 1_250
    world.assert_all_arrived()


def test_a_cut_between_sending_and_the_receipt_loses_nothing():
    """nanomq#2432: the row is removed, then the link is silently cut while it is sent.

    Cuts without FIN or RST between sending and the receipt, and a broker that acknowledges and forgets: at every
    moment the journal or the warehouse holds the record.
    """
    world = CabinetWorld(3, nodes=3, segment_bytes_max=1_000)
    sent_in_vain = 0
    for number in range(30):
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
    assert sent_in_vain > 50
    world.assert_all_arrived()


def test_an_overflow_keeps_every_alarm_and_names_what_it_lets_go():
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
    "fair_use_percent": 50,
    "cabinet": CabinetOptions(475720, -5940, (FeederOptions("bourg", 14, 320),)),
    "groups": (("écoles", (bytes(8),)),),
    "keyset": keyset_of("49135"),
}


def test_a_change_of_any_setting_keeps_the_queue():
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


def test_files_of_a_later_version_wait_for_it(monkeypatch):
    """As above. A later version's files are left as they are by this one, and are all read when that one is back.

    That one leaves the files of this one as they are: each version drains its own.
    """

    later_version = segment.VERSION + 1

    def be_later():
        for module in (segment, recovery):
            monkeypatch.setattr(module, "VERSION", later_version)

    with monkeypatch.context():
        be_later()
        world = CabinetWorld(6, nodes=4, segment_bytes_max=2_000)
        for _ in range(20):
            world.say()
        later = world.held()
        files = {name: world.journal_disk.read(name, 0, 1 << 20) for name in world.journal_disk.list()}
    monkeypatch.undo()
    report = world.start()
    assert len(report.other_versions) > 5 and report.quarantined == []
    for _ in range(20):
        world.say()
    assert len(world.held()) > 200 and world.held() & later == set()
    for name in report.other_versions:
        assert world.journal_disk.read(name, 0, 1 << 20) == files[name]
    be_later()
    world.start()
    assert world.held() == later
    world.fibre = True
    assert world.drain()
    monkeypatch.undo()
    world.start()
    assert world.held() == world.acknowledged() - later
    world.assert_all_arrived()


def test_thirty_days_away_with_a_reboot_each_day_lose_nothing():
    """aws-greengrass-shadow-manager#208: gone on day 20 offline. Here 30 days offline, with a reboot every day."""
    world = CabinetWorld(7, nodes=3)
    for day in range(30):
        for _ in range(8):
            world.say(DAY_MS // 8)
        (world.power_cut if day % 2 else world.start)()
        assert world.unaccounted() == set(), f"day {day}"
    assert world.said.acknowledged_count() > 2_000
    world.assert_all_arrived()
