"""From journal entries straight to the SenML pack of a batch: byte for byte what `wire.senml` writes, faster.

A plain telemetry record needs no decoding. CBOR has one encoding for one integer, here and in the pack, so
its integers are copied as they stand into the bytes that `wire.senml` writes around them: a *template*, made
once for each shape (which readings, clock set or not) from what `wire.senml` itself writes for a record of
that shape. What this module knows of SenML is therefore nothing; what it knows of a record is the expression
below, which takes only what `wire.record` accepts: shortest integers, keys that ascend, nothing that follows.

Everything else (events, integers of 64 bits, other versions, garbage) goes the long way through `entry` and
`wire.senml`, whose WireFault is the caller's sign that a record cannot be read.
"""

import re
from binascii import hexlify
from typing import NamedTuple

from gateway.core import limits
from gateway.core.custody import entry
from wire import limits as wire_limits
from wire import senml
from wire.faults import WireFault
from wire.record import SYNCED, UNSET, Record, Stamp

# CBOR integers in their shortest form (RFC 8949 section 4.2.1): unsigned and signed up to 32 bits, up to 16, and
# keys of readings (wire.record: below 256 · CHANNELS_MAX).
_TAIL_32 = rb"(?:\x00[\x01-\xff]|[\x01-\xff].).."
_UNSIGNED = rb"(?:[\x00-\x17]|\x18[\x18-\xff]|\x19[\x01-\xff].|\x1a" + _TAIL_32 + rb")"
_SIGNED = rb"(?:[\x00-\x17\x20-\x37]|[\x18\x38][\x18-\xff]|[\x19\x39][\x01-\xff].|[\x1a\x3a]" + _TAIL_32 + rb")"
_SHORT = rb"(?:[\x00-\x17]|\x18[\x18-\xff]|\x19[\x01-\xff].)"
_KEY = rb"(?:[\x00-\x17]|\x18[\x18-\xff]|\x19[\x01-\x3f].)"

_PLAIN = re.compile(
    rb"\x01(.{8})"  # entry: version 1, node
    rb"\x85(%b)(%b)(%b)(%b)"  # record: boot, sequence, seconds, quality code
    rb"([\xa1-\xb7]|\xb8\x18)((?:%b%b){1,24})" % (_UNSIGNED, _UNSIGNED, _UNSIGNED, _SHORT, _KEY, _SIGNED),
    re.DOTALL,
)
_READING = re.compile(rb"(%b)(%b)" % (_KEY, _SIGNED), re.DOTALL)
_CLOCK_UNSET = b"\x00"

# Stand-ins for what a template leaves open, none of which occurs in a label or a unit.
_NODE_MARK = b"\xee" * wire_limits.NODE_ID_BYTES
_QUALITY_MARK = 0x5A5B
_MARK = 0x5A5A5A00


class Template(NamedTuple):
    """`form % (first value, node in hex, seconds, quality code unless unset, sequence, boot, other values…)`."""

    form: bytes
    entries: int


class Packer:
    """Writes batches; keeps the templates of the shapes it has met, PACK_SHAPES_MAX at most."""

    def __init__(self) -> None:
        self._templates: dict[tuple[bytes, ...], Template | None] = {}

    def convert(self, payload: bytes) -> tuple[bytes, int]:
        """One journal entry as it stands in a pack, and how many SenML records that is.

        WireFault when this version cannot read it, with the reason of `entry.decode`.
        """
        plain = _PLAIN.fullmatch(payload)
        if plain is not None:
            node, boot, sequence, seconds, quality, count, body = plain.groups()
            keys, values = zip(*_READING.findall(body), strict=True)
            is_unset = quality == _CLOCK_UNSET
            shape = (_CLOCK_UNSET if is_unset else b"", count, *keys)
            template = self._templates.get(shape) or self._learn(shape)
            if template is not None:
                first, *others = values
                stamp = (seconds,) if is_unset else (seconds, quality)
                return template.form % (first, hexlify(node), *stamp, sequence, boot, *others), template.entries
        return senml.encode_item(entry.decode(payload))

    def _learn(self, shape: tuple[bytes, ...]) -> Template | None:
        """The template of a shape; None when `wire.record` would refuse it."""
        if shape in self._templates:
            return None
        if len(self._templates) >= limits.PACK_SHAPES_MAX:
            self._templates.clear()
        made = self._templates[shape] = _template(shape)
        return made


def assemble(batch: senml.Batch, entries: int) -> bytes:
    """The pack of a batch whose items are converted already; `entries` is the sum of their SenML records."""
    pack = senml.encode_head(batch, entries) + b"".join(batch.items)
    if len(pack) > wire_limits.BATCH_BYTES_MAX:
        raise WireFault("too-long")
    return pack


def _template(shape: tuple[bytes, ...]) -> Template | None:
    unset, count, *encoded = shape
    keys = [int.from_bytes(key[1:] or key, "big") for key in encoded]
    if len(keys) != (count[-1] if len(count) > 1 else count[0] & 0x1F) or keys != sorted(set(keys)):
        return None
    values = [_MARK + place for place in range(len(keys))]
    boot, sequence, seconds = (_MARK + len(keys) + place for place in range(3))
    stamp = Stamp(UNSET if unset else SYNCED, seconds, _QUALITY_MARK // 2)
    made = Record(boot, sequence, stamp, dict(zip(keys, values, strict=True)))
    form, entries = senml.encode_item(senml.Item(_NODE_MARK, made))
    marks = [_wide(values[0]), hexlify(_NODE_MARK), _wide(seconds)]
    marks += [] if unset else [b"\x19" + _QUALITY_MARK.to_bytes(2, "big")]
    marks += map(_wide, (sequence, boot, *values[1:]))
    assert sorted(marks, key=form.index) == marks and all(form.count(mark) == 1 for mark in marks)
    form = form.replace(b"%", b"%%")
    for mark in marks:
        form = form.replace(mark, b"%b")
    return Template(form, entries)


def _wide(value: int) -> bytes:
    return b"\x1a" + value.to_bytes(4, "big")
