"""What one message does to the warehouse: rows, answers, refusals; and that a crash does nothing at all."""

import os
import sqlite3
import stat
import zlib

import pytest

from tests.support.centre_world import (
    ANSWER_TOPIC,
    EPOCH,
    EVENT_TOPIC,
    GATEWAY,
    NODE,
    NOW,
    TELEMETRY_TOPIC,
    answers,
    batch,
    fact,
    reading,
    readings,
    synced,
)
from tools.centre import limits
from tools.centre.control import file as control_file
from tools.centre.ingest import intake
from tools.centre.ingest.warehouse import Warehouse
from tools.centre.store import database
from tools.centre.store import schema as warehouse_file
from wire import cbor, event, receipt, record
from wire.receipt import Batch, Receipt, Rejected


@pytest.fixture
def warehouse():
    opened = Warehouse(":memory:")
    yield opened
    opened.close()


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
@pytest.mark.parametrize("schema", [control_file.SCHEMA, warehouse_file.SCHEMA], ids=["control", "warehouse"])
def test_a_file_is_for_its_owner_and_its_group_whatever_the_umask(of_sqlite, tmp_path, schema, umask):
    before = os.umask(umask)
    try:
        connection = database.open_to_write(schema, str(tmp_path / "centre.db"))
    finally:
        os.umask(before)
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
    connection.close()
    assert modes == dict.fromkeys(("centre.db", "centre.db-wal", "centre.db-shm"), 0o640)


@pytest.mark.parametrize("umask", [0o000, 0o077])
def test_the_lock_of_a_daemon_is_for_the_same_people(of_sqlite, tmp_path, umask):
    """Whoever reads the control file asks the lock whether a daemon serves it."""
    before = os.umask(umask)
    try:
        lock = control_file.DaemonLock(str(tmp_path / "control.db"), "broker:1883")
    finally:
        os.umask(before)
    lock.close()
    assert [stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()] == [0o640]


def take(warehouse, payload, topic=TELEMETRY_TOPIC):
    """What is answered, without the batches that a receipt names."""
    found = answers(warehouse.accept(topic, payload, **NOW))
    return [one._replace(batches=()) if isinstance(one, Receipt) else one for one in found]


def mark(position, lane="telemetry", epoch=EPOCH):
    return [Receipt(GATEWAY, epoch, lane, position, ())]


def refused(payload, first, last, why, lane="telemetry"):
    return [Rejected(GATEWAY, EPOCH, lane, Batch(first, last, receipt.digest_of(payload)), why)]


def pack_of(entry, positions=(0, 0, 0), lane="event"):
    """A payload whose one entry is not made by our encoder."""
    envelope = cbor.encode([2, EPOCH, lane, *positions, 0])
    return intake.deflate(cbor.encode([{-2: GATEWAY.hex() + "/", 0: "batch", 8: envelope}, entry], 16384))


# --- rows and receipts ---


def test_record_is_kept_digit_for_digit(warehouse):
    body = {1: -5, 2: 2301, 4: 4294967296, 6 + 256: -2137}
    take(warehouse, batch([reading(3, body, boot=9, stamp=synced(1_795_000_123, 7))]))
    assert list(warehouse.bodies()) == [((NODE, 9, 3), record.Stamp(1, 1_795_000_123, 7), record.encode_body(body))]
    (held,) = warehouse.held()
    assert (held.lane, held.insee, held.gateway, held.received_unix_s) == (
        "telemetry",
        "49007",
        "mairie-1",
        NOW["received_unix_s"],
    )


def test_receipt_passes_what_is_held_and_nothing_else(warehouse):
    assert take(warehouse, readings(0, 4)) == mark(5)
    assert take(warehouse, readings(8, 9)) == mark(5)
    assert take(warehouse, readings(5, 6)) == mark(7)
    assert take(warehouse, readings(7, 7)) == mark(10)
    assert len(list(warehouse.identities())) == 10


def test_batch_ahead_is_stored_in_full_at_once(warehouse):
    take(warehouse, readings(0, 0))
    take(warehouse, readings(5, 9))
    assert [sequence for _, _, sequence in warehouse.identities()] == [0, 5, 6, 7, 8, 9]
    assert warehouse.prefixes()[0].ahead == ((5, 9),)


def test_empty_batch_is_answered_with_the_prefix(warehouse):
    assert take(warehouse, batch([], 4)) == mark(4)
    take(warehouse, readings(4, 6, oldest=4))
    assert take(warehouse, batch([], 9, oldest=4)) == mark(7)
    assert warehouse.counters["records"] == 3


def test_jump_over_positions_that_the_gateway_lost_is_remembered(warehouse):
    take(warehouse, readings(0, 1))
    assert take(warehouse, readings(6, 6, oldest=5)) == mark(5)
    assert warehouse.counters["positions_skipped"] == 3


def test_streams_are_apart_by_epoch_and_lane(warehouse):
    assert take(warehouse, readings(0, 2)) == mark(3)
    assert take(warehouse, readings(0, 0, epoch=b"epoch-02")) == mark(1, epoch=b"epoch-02")
    alarm = batch([fact(50, event.LAMP_FAILURE, {1: 3}, active=True)], lane="alarm")
    assert take(warehouse, alarm, EVENT_TOPIC) == mark(1, "alarm")
    assert warehouse.records_by_lane() == {"alarm": 1, "event": 0, "telemetry": 3}


def test_batch_sent_again_changes_nothing_but_the_count(warehouse):
    take(warehouse, readings(0, 4))
    before = warehouse.digest()
    assert take(warehouse, readings(0, 4)) == mark(5)
    assert warehouse.digest() == before
    assert warehouse.counters["duplicates"] == 5


def test_duplicates_are_absorbed_in_a_batch_and_through_another_gateway(warehouse):
    take(warehouse, batch([reading(0), reading(0)]))
    warehouse.bind([NODE], "49007-mairie-2", alone=False, now_s=0)
    other = batch([reading(0)], gateway=b"gateway2")
    warehouse.accept("tc/1/t/49007/mairie-2", other, **NOW)
    assert warehouse.counters["records"] == 1
    assert warehouse.counters["duplicates"] == 2


def test_one_receipt_a_stream_for_a_group_names_each_batch_as_it_came(warehouse):
    payloads = [readings(first, first + 1) for first in (0, 2, 4)]
    alarm = batch([fact(50, event.LAMP_FAILURE, {1: 3}, active=True)], lane="alarm")
    group = [(TELEMETRY_TOPIC, payload) for payload in payloads]
    group[1:1] = [(EVENT_TOPIC, alarm), (TELEMETRY_TOPIC, batch([], 0))]
    named = tuple(Batch(2 * at, 2 * at + 1, receipt.digest_of(payload)) for at, payload in enumerate(payloads))
    assert answers(warehouse.accept_group(group, **NOW)) == [
        Receipt(GATEWAY, EPOCH, "telemetry", 6, named),
        Receipt(GATEWAY, EPOCH, "alarm", 1, (Batch(0, 0, receipt.digest_of(alarm)),)),
    ]


def test_a_receipt_that_is_full_is_followed_by_another(warehouse):
    group = [(TELEMETRY_TOPIC, readings(first, first)) for first in range(receipt.BATCHES_MAX + 2)]
    one, other = answers(warehouse.accept_group(group, **NOW))
    assert (len(one.batches), len(other.batches)) == (receipt.BATCHES_MAX, 2)
    assert (one.next_position, other.next_position) == (receipt.BATCHES_MAX, receipt.BATCHES_MAX + 2)


def test_oldest_streams_of_a_gateway_are_forgotten_and_restart_at_oldest(warehouse, monkeypatch):
    monkeypatch.setattr("tools.centre.ingest.prefix.STREAMS_PER_GATEWAY_MAX", 2)
    for number in range(3):
        payload = readings(5, 6, epoch=b"epoch-%02d" % number)
        warehouse.accept(TELEMETRY_TOPIC, payload, received_unix_s=number)
    assert [prefix.epoch for prefix in warehouse.prefixes()] == [b"epoch-01", b"epoch-02"]
    assert take(warehouse, readings(5, 6, oldest=5, epoch=b"epoch-00")) == mark(7, epoch=b"epoch-00")


# --- conflicts ---


@pytest.mark.parametrize(
    "other", [{"body": {6: 1}}, {"stamp": synced(1_790_000_005)}, {"stamp": synced(1_790_000_000, 9)}]
)
def test_same_identity_with_other_content_is_kept_beside_and_alarmed(warehouse, other):
    take(warehouse, batch([reading(0)]))
    assert take(warehouse, batch([reading(0, **other)], 1, oldest=0)) == mark(2)
    take(warehouse, batch([reading(0, **other)], 1, oldest=0))
    assert [held.conflicting for held in warehouse.held()] == [False, True]
    assert warehouse.counters["conflicts"] == 1
    assert warehouse.counters["duplicates"] == 1
    (alarm,) = warehouse.alarms()
    assert alarm[1:5] == ("clone", "49007-mairie-1", NODE.hex(), "body") and alarm.times == 2


def test_digest_does_not_depend_on_which_of_two_conflicting_came_first(warehouse):
    other = Warehouse(":memory:")
    pair = [batch([reading(0)]), batch([reading(0, {6: 1})])]
    for payload in pair:
        take(warehouse, payload)
    for payload in reversed(pair):
        take(other, payload)
    assert warehouse.digest() == other.digest()
    take(other, batch([reading(1)]))
    assert warehouse.digest() != other.digest()


# --- who speaks ---


def test_gateway_is_bound_by_its_first_word_and_a_stranger_is_refused(warehouse):
    take(warehouse, readings(0, 1))
    impostor = batch([reading(7)], 3, gateway=b"impostor")
    assert take(warehouse, impostor)[0] == refused(impostor, 3, 3, "identity")[0]._replace(gateway=b"impostor")
    moved = warehouse.accept("tc/1/t/49007/mairie-2", readings(2, 3), **NOW)
    assert [publication.topic for publication in moved] == ["tc/1/a/49007/mairie-2"]
    assert warehouse.counters["refused.identity"] == 2
    assert warehouse.counters["records"] == 2
    assert {(alarm.kind, alarm.cabinet, alarm.subject, alarm.detail) for alarm in warehouse.alarms()} == {
        ("identity", "49007-mairie-1", "49007-mairie-1", b"impostor".hex()),
        ("identity", "49007-mairie-1", "49007-mairie-2", GATEWAY.hex()),
    }


@pytest.mark.parametrize("person", [0, 1], ids=["ingest", "another-process"])
def test_operator_unbinds_a_replaced_gateway_which_is_refused_from_then_on(tmp_path, person):
    ingest, *_ = processes = [Warehouse(str(tmp_path / "w.db")) for _ in range(2)]
    assert [take(ingest, readings(0, last)) for last in (0, 1)] == [mark(1), mark(2)]
    assert [processes[person].unbind("49007", "mairie-1") for _ in range(2)] == [True, False]
    assert take(ingest, batch([reading(2)], gateway=b"gateway2"))[0].next_position == 1
    assert take(ingest, readings(0, 3)) == refused(readings(0, 3), 0, 3, "identity") and not ingest.gateways()[0][3]


def test_lane_in_the_wrong_class_is_refused(warehouse):
    assert take(warehouse, readings(0, 1), EVENT_TOPIC) == refused(readings(0, 1), 0, 1, "class")
    event_batch = batch([fact(0, event.ANCHOR, [None, 1, 1, 1_790_000_000, 1])], lane="event")
    assert take(warehouse, event_batch) == refused(event_batch, 0, 0, "class", "event")
    assert warehouse.counters["records"] == 0


def test_topic_that_is_none_of_ours_is_kept_for_an_operator(warehouse):
    assert warehouse.accept("tc/1/t/4900/x", readings(0, 0), **NOW) == []
    assert [(row[0], row[1]) for row in warehouse.refused()] == [("tc/1/t/4900/x", "topic")]


# --- bytes that cannot be taken ---


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b"", "deflate-truncated"),
        (b"\xff" * 40, "deflate"),
        (readings(0, 0)[:-3], "deflate-truncated"),
        (readings(0, 0) + b"x", "trailing"),
        (intake.deflate(b"\x01"), "pack-shape"),
        (bytes(300_000), "too-long"),
    ],
)
def test_damaged_payload_is_counted_and_kept(warehouse, payload, reason):
    warehouse.accept(TELEMETRY_TOPIC, payload, **NOW)
    assert warehouse.counters["refused." + reason] == 1
    ((topic, kept_reason, length, kept, _),) = warehouse.refused()
    assert (topic, kept_reason, length) == (TELEMETRY_TOPIC, reason, len(payload))
    assert kept == payload[: limits.REFUSED_PAYLOAD_BYTES_MAX]


def test_damage_behind_the_envelope_is_answered_with_its_positions(warehouse):
    payload = readings(10, 59)[:-40]
    assert take(warehouse, payload) == refused(payload, 10, 59, "deflate-truncated")


def test_zip_bomb_is_refused_without_inflating_it(warehouse, monkeypatch):
    compressor = zlib.compressobj(9, wbits=-15)
    bomb = b"".join(compressor.compress(bytes(1 << 20)) for _ in range(64)) + compressor.flush()
    assert len(bomb) < 100_000
    inflated = []
    real = zlib.decompressobj

    def watched(wbits):
        inner = real(wbits)

        class Watch:
            eof, unused_data = False, b""

            def decompress(self, data, length_max):
                inflated.append(len(inner.decompress(data, length_max)))
                return bytes(inflated[-1])

        return Watch()

    monkeypatch.setattr(intake.zlib, "decompressobj", watched)
    assert take(warehouse, bomb) == []
    assert warehouse.counters["refused.too-long"] == 1
    assert 0 < sum(inflated) < 300_000


@pytest.mark.parametrize(
    "entry",
    [
        {0: "gap", 8: cbor.encode([None, {"a": 1}])},
        {0: "event²", 4: True},
        {0: "temp.²", 2: 5},
        {0: "energy." + "9" * 5000, 2: 5},
        {0: "nobody", 4: True},
    ],
)
def test_hostile_entry_is_refused_and_never_raises(warehouse, entry):
    opening = {-2: NODE.hex() + "/", "q": 0, "boot": 1, "seq": 1, "up": 3, -3: 0}
    (answer,) = take(warehouse, pack_of({**opening, **entry}), EVENT_TOPIC)
    assert (answer.epoch, answer.lane, *answer.batch[:2]) == (EPOCH, "event", 0, 0)
    assert warehouse.counters["refused"] == 1


def test_position_that_no_database_holds_is_refused(warehouse):
    huge = (1 << 64) - 2
    assert take(warehouse, batch([reading(0)], huge)) == []
    assert warehouse.counters["refused"] == 1


def test_every_single_byte_change_is_survived(warehouse):
    pack = intake.inflate(batch([reading(0), fact(1, event.GAP, [None, 1, 0, 5, "full"])]))
    for index in range(len(pack)):
        for change in (0x01, 0x20, 0xFF):
            damaged = bytearray(pack)
            damaged[index] ^= change
            assert isinstance(
                intake.prepare(TELEMETRY_TOPIC, intake.deflate(bytes(damaged))),
                (intake.PreparedBatch, intake.RefusedMessage),
            )


def test_refused_ring_keeps_the_newest_rows_and_bytes(warehouse, monkeypatch):
    monkeypatch.setattr("tools.centre.ingest.refusals.REFUSED_ROWS_MAX", 5)
    monkeypatch.setattr("tools.centre.ingest.refusals.REFUSED_BYTES_MAX", 250)
    for number in range(8):
        warehouse.accept(TELEMETRY_TOPIC, b"\xff%d" % number, **NOW)
    assert [row[3] for row in warehouse.refused()] == [b"\xff%d" % number for number in range(3, 8)]
    for number in range(4):
        warehouse.accept(TELEMETRY_TOPIC, b"\xff%d" % number + bytes(98), **NOW)
    assert [row[3][:2] for row in warehouse.refused()] == [b"\xff2", b"\xff3"]
    assert warehouse.counters["refused"] == 12


# --- crashes and other processes ---


@pytest.mark.parametrize("step", ["_store_statements", "_prefixes.extend", "_write_counted"])
def test_crash_inside_the_transaction_leaves_nothing(tmp_path, monkeypatch, step):
    path = str(tmp_path / "w.db")
    warehouse = Warehouse(path)
    take(warehouse, readings(0, 1))
    before = (warehouse.digest(), warehouse.counters, warehouse.prefixes())

    def crash(*_args):
        raise KeyboardInterrupt

    *owner, method = step.split(".")
    monkeypatch.setattr(getattr(warehouse, owner[0]) if owner else warehouse, method, crash)
    with pytest.raises(KeyboardInterrupt):
        warehouse.accept(TELEMETRY_TOPIC, readings(2, 9), **NOW)
    again = Warehouse(path)
    assert (again.digest(), again.counters, again.prefixes()) == before
    monkeypatch.undo()
    assert take(warehouse, readings(2, 9)) == mark(10)


def test_two_processes_share_one_prefix(tmp_path):
    one, two = (Warehouse(str(tmp_path / "w.db")) for _ in range(2))
    assert take(one, readings(0, 2)) == mark(3)
    assert take(two, readings(6, 8)) == mark(3)
    assert take(one, readings(3, 5)) == mark(9)
    assert take(two, batch([], 9, oldest=0)) == mark(9)
    assert one.digest() == two.digest()


def test_file_of_somebody_else_is_left_alone(of_sqlite, tmp_path):
    path = str(tmp_path / "other.db")
    other = sqlite3.connect(path)
    other.execute("CREATE TABLE theirs (x)")
    other.commit()
    with pytest.raises(sqlite3.DatabaseError, match="not a warehouse"):
        Warehouse(path)
    assert other.execute("SELECT count(*) FROM sqlite_master").fetchone() == (1,)


def test_custody_needs_full_synchronous(of_sqlite, tmp_path):
    warehouse = Warehouse(str(tmp_path / "w.db"))
    assert warehouse._connection.execute("PRAGMA synchronous").fetchone() == (2,)
    assert warehouse._connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_answers_go_to_the_gateways_own_topic(warehouse):
    (publication,) = warehouse.accept(TELEMETRY_TOPIC, readings(0, 0), **NOW)
    assert publication.topic == ANSWER_TOPIC
