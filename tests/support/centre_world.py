"""Batches for the tests of the centre: what a gateway would send, made from positions."""

from tools.centre.ingest.intake import deflate
from wire import event, senml
from wire.record import EventBody, Record, Stamp

GATEWAY = bytes.fromhex("6761746577617931")
NODE = bytes.fromhex("00000000000000a1")
EPOCH = b"epoch-01"
TELEMETRY_TOPIC = "tc/1/t/49007/mairie-1"
EVENT_TOPIC = "tc/1/e/49007/mairie-1"
ANSWER_TOPIC = "tc/1/a/49007/mairie-1"
NOW = {"received_unix_s": 1_795_000_000}


def synced(seconds, uncertainty_s=1):
    return Stamp(1, seconds, uncertainty_s)


def unset(uptime_s):
    return Stamp(0, uptime_s, 0)


def reading(sequence, body=None, *, node=NODE, boot=1, stamp=None):
    """A telemetry record; by default what it says follows from its sequence."""
    body = {6: 2000 + sequence, 4: 10 * sequence} if body is None else body
    return senml.Item(node, Record(boot, sequence, stamp or synced(1_790_000_000 + sequence), body))


def fact(sequence, code, detail, *, active=None, node=NODE, boot=1, stamp=None):
    """An event record."""
    body = EventBody(code, active, detail)
    return senml.Item(node, Record(boot, sequence, stamp or synced(1_790_000_000 + sequence), body))


def batch(items, first=0, *, oldest=None, waiting=0, gateway=GATEWAY, epoch=EPOCH, lane=event.TELEMETRY):
    """The payload of one message; `oldest` is `first` unless told."""
    oldest = first if oldest is None else oldest
    last = first + len(items) - 1
    return deflate(senml.encode_pack(senml.Batch(gateway, epoch, lane, first, last, oldest, waiting, items)))


def readings(first, last, *, oldest=0, **options):
    """The payload of positions `[first, last]`, whose records have their position as sequence."""
    return batch([reading(position) for position in range(first, last + 1)], first, oldest=oldest, **options)


def answers(found):
    """What is answered on the topic of the one gateway."""
    assert {answer.topic for answer in found} <= {ANSWER_TOPIC}
    return [answer.message for answer in found]
