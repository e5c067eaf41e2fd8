"""Encodes and decodes the warehouse's messages of topic class `a`: up to where it holds a gateway's records, or which
it rejects.

A watermark releases the gateway's journal; nothing else does. `next_position` is the first position of (epoch, lane)
that the warehouse does not hold: it changes in the same database transaction as the rows of the records below it. The
gateway keeps the maximum it has received, so a late or repeated watermark does no harm.
"""

from collections import namedtuple

from wire import cbor, event
from wire.faults import WireFault

Watermark = namedtuple("Watermark", ("epoch", "lane", "next_position"))
Rejected = namedtuple("Rejected", ("epoch", "lane", "first", "last", "reason"))

# Reasons for which the message and the centre's configuration disagree: the records themselves are sound. A gateway
# then holds the lane and raises an alarm; it must not quarantine a record.
CLASS = "class"
IDENTITY = "identity"
HOLD_REASONS = (CLASS, IDENTITY)

_WATERMARK = 1
_REJECTED = 2


def encode(message) -> bytes:
    """Returns a Watermark or a Rejected as CBOR."""
    if isinstance(message, Watermark):
        return cbor.encode([_WATERMARK, message.epoch, message.lane, message.next_position], 64)
    return cbor.encode(
        [_REJECTED, message.epoch, message.lane, message.first, message.last, message.reason], 128
    )


def decode(payload):
    """Returns a Watermark or a Rejected; raises WireFault for anything else."""
    fields = cbor.decode(payload)
    if not isinstance(fields, list) or len(fields) < 4:
        raise WireFault("watermark")
    kind, epoch, lane = fields[:3]
    if not isinstance(epoch, bytes) or len(epoch) != 8 or lane not in event.LANES:
        raise WireFault("watermark")
    if kind == _WATERMARK:
        return Watermark(epoch, lane, _position(fields[3]))
    if kind == _REJECTED and len(fields) >= 6 and isinstance(fields[5], str):
        first, last = _position(fields[3]), _position(fields[4])
        if first <= last:
            return Rejected(epoch, lane, first, last, fields[5])
    raise WireFault("watermark")


def _position(value) -> int:
    if not cbor.is_integer(value) or value < 0:
        raise WireFault("watermark")
    return value
