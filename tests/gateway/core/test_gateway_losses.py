"""The gateway lets go and says so: a full journal, a damaged one, a record the centre refuses, all in the ledger."""

import pytest

from gateway.core import limits
from gateway.core.custody import entry, ledger
from gateway.core.custody.journal import Stream, Void
from tests.support.gateway_world import GATEWAY, NODE, OTHER, GatewayWorld, alarm, payload, reading, unpack
from tests.support.told_world import DROUGHT, here
from wire import event, record

CHANGED = 0x44
SMALL = {"journal_bytes_max": 40_000, "alarm_reserve_bytes": 8000, "segment_bytes_max": 4000}


def fill(world, count, *, first=0):
    """Two nodes say so many records each; [(node, sequence)] of those acknowledged."""
    acknowledged = []
    for number in range(first, first + count):
        for node in (NODE, OTHER):
            before = len(world.codes(node))
            world.ask(payload(reading(number)), node=node)
            world.wait(500)
            if world.codes(node)[before:] == [CHANGED]:
                acknowledged.append((node, number))
    return acknowledged


def listed(world):
    found = []
    for line in ledger.entries(world.state_disk):
        if "sequences" in line and line["node"] != GATEWAY.hex():  # gap records that were put together
            found += [(bytes.fromhex(line["node"]), number) for number in ledger.expand(line["sequences"])]
    assert len(found) == len(set(found)), "listed twice"
    return set(found)


def held(world):
    """{(node, sequence)} of telemetry, and a predicate: covered by a gap record."""
    items = world.held()
    gaps = [item.record.body.detail for item in items[event.EVENT] if item.record.body.code == event.GAP]
    telemetry = {(item.node, item.record.sequence) for item in items.get(event.TELEMETRY, [])}
    return telemetry, lambda node, sequence: any(gap[0] == node and gap[2] <= sequence <= gap[3] for gap in gaps)


@pytest.mark.slow
def test_a_full_journal_goes_on_taking_records_and_every_acknowledged_one_is_held_or_listed_and_explained():
    world = GatewayWorld(auto_sync=True, **SMALL)
    acknowledged = fill(world, 800)
    telemetry, is_explained = held(world)
    missing = set(acknowledged) - telemetry
    assert len(acknowledged) > 1500 and len(missing) > 300
    assert missing == listed(world)
    assert all(is_explained(*who) for who in missing)
    health = world.core.health(now_ms=world.now_ms)
    assert health["losses"] == world.core.ledger.totals and sum(health["losses"].values()) == len(missing)
    assert health["thinning"]["segments-thinned"] > 0 and health["wear"]["bytes_written"] > 40_000
    world.ask(payload(alarm(9000)), path=b"e")
    assert world.codes()[-1] == CHANGED


def test_an_inventory_that_the_state_folder_refuses_is_counted_where_the_technician_looks():
    world = GatewayWorld(auto_sync=True)
    world.state_disk.sync_error = "simulated"
    world.ask(payload(reading(0)))
    world.wait(20_000)
    assert world.core.health(now_ms=world.now_ms)["inventory"]["disk-errors"] > 0


def test_a_directive_that_the_state_folder_lost_is_written_again():
    world = GatewayWorld(auto_sync=True)
    world.state_disk.sync_error = "simulated"
    directives = world.core.directive_service.directives
    assert directives.accept(here({DROUGHT: 1}, 1_800_000_000), now_ms=world.now_ms) is None
    world.wait(1000)
    world.state_disk.sync_error = None
    world.wait(2 * limits.DIRECTIVES_RETRY_MS)
    assert directives.is_safe


@pytest.mark.slow
def test_the_same_after_power_cuts():
    world = GatewayWorld(seed=3, auto_sync=True, **SMALL)
    acknowledged = []
    for life in range(4):
        acknowledged += fill(world, 250, first=250 * life)
        world.power_cut()
        world.nodes.clear()
        world.wait(5000)
    telemetry, is_explained = held(world)
    missing = set(acknowledged) - telemetry
    assert len(missing) > 300
    assert missing == listed(world) and all(is_explained(*who) for who in missing)


@pytest.mark.slow
def test_a_thinned_queue_is_drained_and_what_goes_up_is_all_that_is_held():
    world = GatewayWorld(auto_sync=True, **SMALL)
    fill(world, 600)
    telemetry, _ = held(world)
    world.connect()
    arrived = set()
    for _ in range(3000):
        published = world.take_publications()
        if not published:
            world.wait(1000)
            published = world.take_publications()
        for publication in published:
            batch = unpack(publication)
            if batch.lane == event.TELEMETRY:
                arrived |= {(item.node, item.record.sequence) for item in batch.items}
            world.core.on_puback(publication.token, 0, now_ms=world.now_ms)
            end = max(batch.last + 1, batch.oldest)
            world.mark(end, batch.lane, batch.epoch)
        if not world.core.health(now_ms=world.now_ms)["waiting"]:
            break
    assert world.core.health(now_ms=world.now_ms)["waiting"] == 0
    assert arrived == telemetry


def test_a_hole_in_the_journal_is_listed_by_its_positions_once():
    world = GatewayWorld(auto_sync=True)
    fill(world, 20)
    (name,) = [name for name in world.journal_disk.list() if "telemetry" in name]
    data = bytearray(world.journal_disk.read(name, 0, 10_000))
    data[300] ^= 1
    world.journal_disk.put(name, bytes(data))
    for _ in range(3):  # each connection begins afresh
        world.connect()
        for publication in world.take_publications():
            batch = unpack(publication)
            world.core.on_puback(publication.token, 0, now_ms=world.now_ms)
            world.mark(max(batch.last + 1, batch.oldest), batch.lane, batch.epoch)
        world.wait(6000)
    holes = [line for line in ledger.entries(world.state_disk) if line["why"] == "journal-damaged"]
    assert [(line["lane"], line["count"], line["epoch"]) for line in holes] == [
        ("telemetry", 1, world.core._start.epoch.hex())
    ]


def test_a_record_the_centre_refuses_is_listed_with_its_word():
    world = GatewayWorld(auto_sync=True)
    world.ask(payload(reading(0)))
    world.wait(500)
    epoch = world.core._start.epoch
    world.connect()
    for question in world.take_publications():
        world.core.on_puback(question.token, 0, now_ms=world.now_ms)
    world.mark(0, event.TELEMETRY, epoch)
    world.reject(0, 0, "too-odd", event.TELEMETRY, epoch)
    world.wait(2000)
    lines = [line for line in ledger.entries(world.state_disk) if line["why"] == "quarantined: too-odd"]
    assert [(line["node"], line["boot"], line["sequences"]) for line in lines] == [(NODE.hex(), 1, "0")]


def test_what_explains_a_loss_is_stored_in_a_full_journal():
    world = GatewayWorld(**SMALL)
    journal = world.core.journal
    data = entry.encode(entry.Entry(GATEWAY, record.encode(alarm(1))))
    while isinstance(journal.append(event.ALARM, data), int):
        pass
    gap = record.EventBody(event.GAP, None, [NODE, 1, 0, 0, "why"])
    assert world.core.own.explain(gap, now_ms=world.now_ms) is not None


@pytest.mark.slow
def test_voids_are_read_as_voids_through_the_gateway():
    world = GatewayWorld(auto_sync=True, **SMALL)
    fill(world, 600)
    stream = Stream(world.core._start.epoch, event.TELEMETRY)
    items = world.core.journal.read(stream, 0, count_max=1000, bytes_max=1 << 20)
    assert any(isinstance(item, Void) for item in items)
