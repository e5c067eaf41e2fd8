"""What frees records: a receipt of the commune's warehouse for the very bytes that were sent, and nothing else."""

from random import Random

import pytest

from gateway.core import limits
from policy import keyset
from simulator.hosts.keys import WAREHOUSE, keyset_of
from simulator.world.disk import SimDisk
from tests.support.gateway_world import GATEWAY, INSEE, GatewayWorld, alarm, payload, reading
from tests.support.lit_world import CLERK, KEYS, MAYOR, STRANGER, LitWorld
from tools.centre.ingest.warehouse import Warehouse
from wire import cbor, command, cose, event, receipt
from wire.receipt import Batch, Receipt, Rejected

FAR = 1 << 40
LANES = len(event.BATCH_LANES)


class SentWorld(GatewayWorld):
    """Records of every lane are durable and sent, and the broker has acknowledged them."""

    def __init__(self, **options):
        super().__init__(auto_sync=True, window_max=20, **options)
        for first in (0, 4, 8):
            self.ask(payload(*(reading(sequence) for sequence in range(first, first + 4))))
            self.wait(1000)
        self.ask(payload(alarm(12)))
        self.connect()
        for _ in range(2):  # the questions, then the batches
            for publication in self.take_publications():
                self.core.on_puback(publication.token, 0, now_ms=self.now_ms)
            self.wait(limits.UPLINK_QUERY_WAIT_MS + 1)
        self.epoch = self.core.journal.streams()[-1].epoch

    def honest_answers(self):
        return [self.honest.receipt(FAR, stream.lane, stream.epoch) for stream in self.core.journal.streams()]

    def refusals(self):
        """The reasons that the gateway has reported."""
        self.wait(self.options.commit_ms)
        bodies = [item.record.body for item in self.held().get(event.EVENT, [])]
        return [body.detail for body in bodies if body.code == event.RECEIPT_REFUSED]

    def records(self):
        """What is held, but for these reports."""
        items = [item for lane in self.held().values() for item in lane]
        return {
            (item.node, item.record.boot, item.record.sequence)
            for item in items
            if getattr(item.record.body, "code", None) != event.RECEIPT_REFUSED
        }

    def evidence(self):
        return b"".join(self.state_disk.read(name, 0, 1 << 20) for name in self.state_disk.list() if "refused" in name)


def forged(message, kid=WAREHOUSE.kid, sign=STRANGER.sign):
    return receipt.encode(message, kid, sign)


def watermark(message):
    """As they were before receipts: 18 bytes that nobody has signed."""
    return cbor.encode([1, message.epoch, message.lane, FAR], 64)


def altered(message):
    other = [batch._replace(digest=receipt.digest_of(b"altered")) for batch in message.batches]
    return message._replace(batches=tuple(other))


def moved(message):
    return message._replace(batches=tuple(batch._replace(first=0, last=99) for batch in message.batches))


ATTACKS = {
    "watermark": (watermark, receipt.FORM),
    "unsigned": (lambda message: cose.sign1_decode(forged(message), bytes_max=9000).payload, receipt.FORM),
    "stranger": (lambda message: forged(message, STRANGER.kid), receipt.STRANGER),
    "impostor": (forged, receipt.SIGNATURE),
    "neighbour": (lambda message: message._replace(gateway=b"gateway2"), receipt.ADDRESSEE),
    "altered batch": (altered, None),
    "swallowed batch": (lambda message: message._replace(batches=()), None),
    "moved batch": (moved, None),
    "earlier prefix": (lambda message: message._replace(next_position=0), None),
}  # fmt: skip


@pytest.mark.parametrize("attack", ATTACKS)
def test_an_attack_frees_nothing_and_honest_receipts_do_afterwards(attack):
    world = SentWorld()
    before = world.records()
    assert len(before) == 14, "twelve readings, an alarm and the boot record"
    attempt, why = ATTACKS[attack]
    for message in world.honest_answers():
        world.hear(attempt(message))
    assert world.records() == before
    assert world.core.counters["messages-refused"] == (LANES if why else 0)
    assert world.core.receipts.counters.get(why or receipt.FORM, 0) == (LANES if why else 0)
    if why is not None:
        assert world.core.receipts.last_refused == (why, world.now_ms)
        assert world.refusals() == [[why]]
        assert world.evidence().count(b'"why": "message-%s"' % why.encode()) == LANES
    for message in world.honest_answers():
        world.hear(message)
    assert world.records() == set()


def test_a_rejection_that_is_forged_or_about_other_bytes_quarantines_nothing():
    world = SentWorld()
    before = world.records()
    for batch in (Batch(0, 9, bytes(16)), Batch(0, 0, bytes(16))):
        refusal = Rejected(GATEWAY, world.epoch, event.TELEMETRY, batch, "poison")
        world.hear(refusal)
        world.hear(forged(refusal))
    world.wait(2000)
    assert world.records() == before and world.core.uplink.counters["quarantined"] == 0


def test_a_stranger_is_reported_once_an_hour_and_cannot_fill_the_journal():
    world = SentWorld()
    for _ in range(1000):
        world.hear(forged(Receipt(GATEWAY, world.epoch, event.ALARM, FAR, ()), STRANGER.kid))
    world.wait(limits.RECEIPT_REFUSED_PERIOD_MS)
    world.hear(b"nonsense")
    world.hear(forged(Receipt(GATEWAY, world.epoch, event.ALARM, FAR, ()), STRANGER.kid))
    assert world.refusals() == [[receipt.STRANGER], [receipt.FORM], [receipt.STRANGER]]


def test_a_replayed_receipt_does_not_hide_that_the_warehouse_is_silent():
    world = SentWorld()
    for message in world.honest_answers():
        world.hear(message)
    counted = world.core.uplink.counters["receipts"]
    for message in world.honest_answers():
        world.hear(message)
    assert world.core.uplink.counters["receipts"] == counted


def test_receipts_that_a_broker_had_queued_cannot_empty_a_restored_journal():
    """A card is copied, time goes on, the card fails and the copy is put in: the broker still has every receipt.

    The alarm goes again at once, in the very bytes for which the warehouse has signed: it holds it, and it is freed."""
    world = SentWorld()
    copy = {name: world.journal_disk.read(name, 0, 1 << 20) for name in world.journal_disk.list()}
    queued = world.honest_answers()
    restored = GatewayWorld(seed=2)
    restored.journal_disk = SimDisk(Random(3))
    for name, data in copy.items():
        restored.journal_disk.put(name, data)
    restored.auto_sync = True
    restored.start()
    restored.wait(1000)
    restored.connect()
    for message in queued:
        restored.hear(message)
    held = {lane: len(items) for lane, items in restored.held().items()}
    assert held == {"alarm": 0, "event": 2, "telemetry": 12, "surplus": 0}
    warehouse = Warehouse(":memory:", synchronous="OFF")
    for _ in range(20):
        for publication in restored.take_publications():
            restored.core.on_puback(publication.token, 0, now_ms=restored.now_ms)
            for answer in warehouse.accept(publication.topic, publication.payload, received_unix_s=1):
                restored.hear(answer.message)
        restored.wait(2000)
    assert warehouse.counters["records"] == 15 and not any(restored.held().values())


def test_batches_that_arrive_altered_are_reported_once_there_are_several():
    world = SentWorld(batch_records_max=1)
    for place in range(limits.ALTERED_BATCHES_MIN):
        assert world.core.receipts.last_refused is None
        world.hear(Receipt(GATEWAY, world.epoch, event.TELEMETRY, place + 1, (Batch(place, place, bytes(16)),)))
    assert world.refusals() == [["altered"]] and world.core.receipts.last_refused[0] == "altered"
    assert len(world.held()[event.TELEMETRY]) == 12


def test_the_honest_receipts_of_before_a_reconnection_are_no_alteration():
    world = SentWorld(batch_records_max=1)
    late = world.honest_answers()
    world.connect()
    world.wait(limits.UPLINK_QUERY_WAIT_MS)
    for message in (*late, *late):
        world.hear(message)
    assert world.records() == set() and world.core.receipts.counters["altered"] == 0


@pytest.mark.parametrize("keys", [None, keyset_of(INSEE)._replace(warehouses=())])
def test_without_a_warehouse_in_the_key_set_nothing_is_freed(keys):
    world = SentWorld(keyset=keys)
    before = world.records()
    for message in world.honest_answers():
        world.hear(message)
    assert world.records() == before and world.core.receipts.counters["no-warehouse"] == LANES
    assert world.core.receipts.last_refused is None, "nobody has tried anything"


def test_a_later_key_set_replaces_the_warehouses_key_at_once():
    world = LitWorld()
    later = KEYS._replace(version=2, warehouses=((STRANGER.public, "Nouvel entrepôt"),))
    signed = cose.sign_encode(keyset.encode(later), [(key.kid, key.sign) for key in (MAYOR, CLERK)], cose.KEYS_AAD)
    message = Receipt(GATEWAY, bytes(8), event.EVENT, 0, ())
    old, new = message, forged(message, STRANGER.kid)
    world.hear(new)
    world.hear(old)
    assert world.core.counters["messages-refused"] == 1
    world.give(command.encode_bundle(signed, None))
    world.hear(new)
    world.hear(old)
    assert world.core.counters["messages-refused"] == 2
    world.power_cut()
    world.hear(new)
    world.hear(old)
    assert world.core.counters["messages-refused"] == 1, "the later set is kept on the card"
