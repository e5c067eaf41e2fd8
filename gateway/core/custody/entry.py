"""Encodes what one journal position holds: a record as its node encoded it, and who made it.

The journal stores opaque bytes; this module defines their form, which is fixed because a journal outlives the agent
that wrote it: `version (1 byte) · node (8 bytes) · record`. The record is kept as it came, so that the warehouse
gets what the node sent, digit for digit.
"""

from typing import NamedTuple

from wire import limits, record
from wire.faults import WireFault
from wire.senml import Item

_VERSION = 1
_HEAD = 1 + limits.NODE_ID_BYTES


class Entry(NamedTuple):
    """Holds one record of one node, encoded."""

    node: bytes
    data: bytes


def encode(entry: Entry) -> bytes:
    return bytes([_VERSION]) + entry.node + entry.data


def decode(payload: bytes) -> Item:
    """Return the record at a journal position; WireFault when this version cannot read it."""
    if len(payload) <= _HEAD or payload[0] != _VERSION:
        raise WireFault("entry")
    records = record.decode_payload(payload[_HEAD:])
    if len(records) != 1:
        raise WireFault("entry")
    return Item(payload[1:_HEAD], records[0])
