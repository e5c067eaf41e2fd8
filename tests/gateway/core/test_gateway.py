"""The gateway's decisions joined: answers wait for the flush, strangers meet silence, refusals are explained."""

import pytest

from gateway.core import limits
from gateway.core.custody import entry
from simulator.hosts.keys import WAREHOUSE, key_of, keys_of
from tests.support.gateway_world import (
    ANSWERS,
    EPOCH,
    GATEWAY,
    NODE,
    OTHER,
    GatewayWorld,
    Node,
    alarm,
    payload,
    reading,
)
from tools.centre.ingest.warehouse import Warehouse
from wire import coap_message, event, receipt, record
from wire.coap_message import CON
from wire.receipt import Receipt
from wire.record import Answer

CHANGED, UNAVAILABLE, NOT_FOUND = coap_message.CHANGED, coap_message.UNAVAILABLE, coap_message.NOT_FOUND


# --- answers only after the flush -----------------------------------------------------------------------------


def test_telemetry_is_flushed_within_the_commit_time_and_answered_only_when_the_flush_has_ended():
    world = GatewayWorld(commit_ms=500)
    world.wait(600)
    world.sync()  # the gateway's own boot record
    world.ask(payload(reading(1)))
    world.wait(499)
    assert world.journal_disk.pending == []
    world.wait(1)
    assert len(world.journal_disk.pending) == 1 and world.codes() == []
    world.sync()
    assert world.codes() == [CHANGED]


def test_an_alarm_is_flushed_at_once():
    world = GatewayWorld()
    world.ask(payload(alarm(1)), path=b"e")
    assert len(world.journal_disk.pending) == 1 and world.codes() == []
    world.sync()
    assert world.codes() == [CHANGED]


def test_records_that_came_after_the_flush_began_wait_for_the_next_one():
    world = GatewayWorld()
    world.ask(payload(alarm(1)))
    world.ask(payload(reading(2)), node=OTHER)
    world.sync()
    assert world.codes() == [CHANGED] and world.codes(OTHER) == []
    world.wait(500)
    world.sync()
    assert world.codes(OTHER) == [CHANGED]


def test_a_flush_that_fails_answers_nobody_until_another_succeeds():
    world = GatewayWorld()
    world.ask(payload(reading(1)))
    world.wait(500)
    world.journal_disk.sync_error = "simulated"
    world.sync()
    assert world.codes() == [] and "journal-sync-failed" in world.logs
    world.journal_disk.sync_error = None
    world.wait(1000)
    world.sync()
    assert world.codes() == [CHANGED]


def test_a_flush_slower_than_the_commit_second_gives_an_empty_acknowledgement_and_a_separate_answer():
    world = GatewayWorld()
    world.ask(payload(reading(1)))
    world.wait(3000)
    assert world.codes() == [] and len(world.sent) == 1
    assert coap_message.decode(world.sent[0].datagram).code == coap_message.EMPTY
    world.sync()
    assert world.codes() == [CHANGED]


def test_a_power_cut_before_the_answer_leaves_the_record_with_the_node():
    """Accepted, but only in memory: a fault of known gateways."""
    world = GatewayWorld()
    world.ask(payload(reading(1)))
    world.wait(500)
    world.journal_disk.power_cut("drop")
    world.start()
    assert world.codes() == [] and event.TELEMETRY not in {lane for lane, items in world.held().items() if items}


def test_a_question_without_a_record_is_answered_with_the_time_at_once():
    world = GatewayWorld()
    world.core.on_clock(1_790_000_000_000, 2, now_ms=world.now_ms)
    world.ask(b"")
    assert world.codes() == [CHANGED]
    assert record.decode_answer(world.node().payload) == Answer(1_790_000_000, 2, None, 0)


# --- duplicates, conflicts, the full journal ------------------------------------------------------------------


def test_a_node_that_repeats_itself_is_acknowledged_without_other_traffic_and_journaled_once():
    world = GatewayWorld(auto_sync=True)
    world.ask(payload(reading(1)))
    world.wait(500)
    world.ask(payload(reading(1)))  # a new message with the same record: its 2.04 was lost
    world.wait(500)
    assert world.codes() == [CHANGED, CHANGED]
    assert [item.record for item in world.held()[event.TELEMETRY]] == [reading(1)]


def test_a_duplicate_is_not_acknowledged_before_the_first_copy_is_durable():
    world = GatewayWorld()
    world.ask(payload(alarm(1)))  # its flush is under way
    again = world.nodes["after a restart"] = Node(NODE, 7)  # the same node under new keys, its outbox kept
    world.ask(payload(alarm(1)), node="after a restart")
    world.wait(600)
    assert world.codes() == [] and again.answers == []
    world.sync()
    assert world.codes() == [CHANGED] and [code for _, code in again.answers] == [CHANGED]


def fill_to_the_brim(world):
    """Telemetry that is not durable yet: nothing of it can be let go to make room."""
    number = 0
    while isinstance(world.core.journal.append(event.TELEMETRY, stored(reading(number), OTHER)), int):
        number += 1


def stored(made, node=NODE):
    return entry.encode(entry.Entry(node, record.encode(made)))


def test_a_full_journal_refuses_and_acknowledges_nothing_but_alarms_have_their_reserve():
    world = GatewayWorld(journal_bytes_max=40_001)
    fill_to_the_brim(world)
    world.ask(payload(reading(1)))
    assert world.codes() == [UNAVAILABLE] and "record-refused" in world.logs
    world.ask(payload(alarm(9000)), path=b"e")
    world.sync()
    assert world.codes() == [UNAVAILABLE, CHANGED]
    assert reading(1) not in [item.record for item in world.held()[event.TELEMETRY] if item.node == NODE]
    assert world.core.journal.bytes_held <= 40_001


def test_an_alarm_in_a_payload_that_is_refused_half_way_still_becomes_durable():
    world = GatewayWorld(journal_bytes_max=40_001)
    fill_to_the_brim(world)
    world.ask(payload(alarm(9000), reading(9001)))
    world.sync()
    assert world.codes() == [UNAVAILABLE], "the payload is not acknowledged"
    assert [item.record for item in world.held()[event.ALARM]] == [alarm(9000)]


# --- what is no record, and who is nobody ---------------------------------------------------------------------


def test_an_undecodable_payload_goes_up_raw_and_is_acknowledged():
    world = GatewayWorld()
    world.ask(b"\xff not a record")
    world.wait(500)
    assert world.codes() == []
    world.sync()
    assert world.codes() == [CHANGED]
    raw = [item for item in world.held()[event.EVENT] if item.record.body.code == event.RAW]
    assert [(item.node, item.record.body.detail[0], item.record.body.detail[2]) for item in raw] == [
        (GATEWAY, NODE, b"\xff not a record")
    ]
    assert b"ff206e6f7420" in kept(world)


def kept(world):
    """Everything in the store of what was refused."""
    disk = world.state_disk
    return b"".join(disk.read(name, 0, disk.size(name)) for name in disk.list())


def test_a_node_that_nobody_has_adopted_meets_silence_and_is_remembered_for_the_operator():
    world = GatewayWorld(auto_sync=True)
    world.core.on_keys([key_of(NODE)], now_ms=world.now_ms)
    world.ask(payload(alarm(1)), node=OTHER)
    world.wait(5000)
    assert world.sent == [] and world.codes(OTHER) == []
    assert event.ALARM not in {lane for lane, items in world.held().items() if items}
    assert world.core.link.counters["unknown-node"] == 1
    assert world.core.health(now_ms=world.now_ms)["unknown_nodes"][0]["kid"] == key_of(OTHER).kid.hex()


def test_a_node_is_adopted_while_the_agent_runs_and_taken_away_again():
    world = GatewayWorld(auto_sync=True)
    world.core.on_keys([], now_ms=world.now_ms)
    world.ask(payload(reading(1)))
    assert world.sent == []
    world.core.on_keys(keys_of([NODE, OTHER]), now_ms=world.now_ms)
    world.ask(payload(reading(2)), node=OTHER)
    world.wait(5000)
    assert world.codes(OTHER) == [CHANGED]
    world.core.on_keys(keys_of([NODE]), now_ms=world.now_ms)
    world.ask(payload(reading(3)), node=OTHER)
    world.wait(5000)
    assert world.codes(OTHER) == [CHANGED]


def test_a_request_in_the_clear_gets_no_word():
    world = GatewayWorld(auto_sync=True)
    options = [(coap_message.URI_PATH, b"t")]
    message = coap_message.Message(CON, coap_message.POST, 1, b"t", options, payload(reading(1)))
    world.receive(coap_message.encode(message), "somebody")
    world.wait(5000)
    assert world.sent == [] and world.core.link.counters["unprotected"] == 1
    assert event.TELEMETRY not in {lane for lane, items in world.held().items() if items}


@pytest.mark.parametrize(("path", "code"), [(b"x", coap_message.POST), (b"t", coap_message.GET)])
def test_an_unknown_path_or_method_is_answered_and_journaled_nowhere(path, code):
    world = GatewayWorld(auto_sync=True)
    world.ask(payload(reading(1)), path=path, code=code)
    assert world.codes() == [NOT_FOUND] and event.TELEMETRY not in {
        lane for lane, items in world.held().items() if items
    }


# --- the centre -----------------------------------------------------------------------------------------------


def test_a_quarantined_record_is_replaced_by_a_gap_that_names_it():
    world = GatewayWorld(auto_sync=True)
    world.ask(payload(reading(7, boot=3)))
    world.wait(500)
    world.connect()
    for question in world.take_publications():
        world.core.on_puback(question.token, 0, now_ms=world.now_ms)
    epoch = world.core.journal.streams()[0].epoch
    world.mark(0, event.TELEMETRY, epoch)
    reason = "é" * 45  # the centre's word may be of any length and script
    world.reject(0, 0, reason, event.TELEMETRY, epoch)
    world.wait(500)
    gaps = [item.record.body.detail for item in world.held()[event.EVENT] if item.record.body.code == event.GAP]
    assert gaps == [[NODE, 3, 7, 7, "é" * 20]]
    assert not world.held()[event.TELEMETRY]
    assert b"quarantined-" in kept(world)


def test_the_explanation_of_a_quarantine_is_itself_taken_by_the_warehouse():
    world = GatewayWorld(auto_sync=True)
    world.ask(payload(reading(0)))
    world.wait(500)
    world.connect()
    for question in world.take_publications():
        world.core.on_puback(question.token, 0, now_ms=world.now_ms)
    epoch = world.core.journal.streams()[0].epoch
    world.mark(0, event.TELEMETRY, epoch)
    world.reject(0, 0, "poison!" + "é" * 41, event.TELEMETRY, epoch)
    world.wait(limits.UPLINK_QUERY_WAIT_MS)
    warehouse = Warehouse(":memory:", synchronous="OFF")
    for publication in world.take_publications():
        warehouse.accept(publication.topic, publication.payload, received_unix_s=1)
    assert [gap[:5] for gap in warehouse.gaps()] == [(NODE, 1, 0, 0, "poison!" + "é" * 16)]
    assert warehouse.counters.get("refused", 0) == 0


def test_messages_that_are_no_receipt_are_counted_and_kept():
    world = GatewayWorld(auto_sync=True)
    good = receipt.encode(Receipt(GATEWAY, EPOCH, event.ALARM, 1, ()), WAREHOUSE.kid, WAREHOUSE.sign)
    for name, data in ((ANSWERS, b"\x00"), ("tc/1/c/49007/cab-12", good), ("other", good), (ANSWERS, b"")):
        world.hear(data, name)
    assert world.core.counters["messages-refused"] == 4
    assert kept(world).count(b'"why": "message-') == 4


def test_reconnection_backs_off_with_jitter_and_a_stable_connection_resets_it():
    """A broker that accepts and kicks must not be stormed."""
    world = GatewayWorld(auto_sync=True)
    assert world.connects == 1
    for attempt in range(5):  # beyond, an attempt that waits for our answer would itself come to its end
        world.connect()
        world.core.on_disconnected("kicked", now_ms=world.now_ms)
        expected = limits.UPLINK_RECONNECT_FIRST_MS << attempt
        before = world.connects
        world.wait(expected // 2 - 1)
        assert world.connects == before
        world.wait(expected - expected // 2 + 1)
        assert world.connects == before + 1
    world.connect()
    world.wait(limits.UPLINK_STABLE_MS)
    world.core.on_disconnected("cut", now_ms=world.now_ms)
    before = world.connects
    world.wait(limits.UPLINK_RECONNECT_FIRST_MS)
    assert world.connects == before + 1


def test_every_start_reports_its_boot_under_a_new_identity():
    world = GatewayWorld(auto_sync=True)
    world.wait(1000)
    world.power_cut()
    world.wait(1000)
    boots = [(item.record.boot, item.record.body.detail[0]) for item in world.held()[event.EVENT]]
    assert boots == [(1, None), (2, 1)]


def test_who_was_heard_is_known():
    world = GatewayWorld(auto_sync=True)
    world.ask(payload(reading(1)))
    assert list(world.core.known_nodes.nodes()) == [NODE] and world.core.health(now_ms=world.now_ms)["nodes"] == 1
