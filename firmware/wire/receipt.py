"""Encodes, signs and opens the warehouse's messages of topic class `a`: which batches it has received and how far it
holds a stream, or which batch it rejects.

A receipt frees records of the gateway's journal; nothing else does. So it is signed (COSE_Sign1, Ed25519) with the
warehouse's own key, and the broker that carries it is not trusted:

* it names the gateway, so that no other gateway's receipt has an effect;
* it names each batch by its positions and its digest, that of the MQTT payload as the gateway sent it: what was altered
  or swallowed on the way is in no receipt;
* `next_position` is the first position of (gateway, epoch, lane) that the warehouse does not hold: it changes in the
  same database transaction as the rows of the records below it.

A receipt that comes late or twice does no harm. What a hostile broker can still do is to delay, and to write records of
its own into the warehouse.
"""

from collections import namedtuple
from hashlib import sha256

from wire import cbor, cose, event, limits
from wire.faults import WireFault

# batches: a tuple of Batch, the batches that this receipt answers; none for a question (an empty batch).
Receipt = namedtuple("Receipt", ("gateway", "epoch", "lane", "next_position", "batches"))
# The positions of a batch, both included, and the digest of its payload.
Batch = namedtuple("Batch", ("first", "last", "digest"))
Rejected = namedtuple("Rejected", ("gateway", "epoch", "lane", "batch", "reason"))

# Reasons for which the message and the centre's configuration disagree, or for which it is too much for one day: the
# records themselves are sound. A gateway then holds the lane and raises an alarm; it must not quarantine a record.
CLASS = "class"
IDENTITY = "identity"
QUOTA = "quota"
HOLD_REASONS = (CLASS, IDENTITY, QUOTA)

# Of a refusal to open: not in our form, by a key that is not the warehouse's, not as it was signed, not for this
# gateway.
FORM = "form"
STRANGER = "stranger"
SIGNATURE = "signature"
ADDRESSEE = "addressee"

DIGEST_BYTES = 16
# A gateway has at most 100 batches under way (its setting `window`); some are sent twice.
BATCHES_MAX = 128
BYTES_MAX = 8192

_RECEIPT = 1
_REJECTED = 2
_EPOCH_BYTES = 8
_REASON_BYTES_MAX = 128
_DEPTH_MAX = 3  # message > batches > batch


def digest_of(payload) -> bytes:
    """Returns the digest of a batch, given the payload of its MQTT message: half of a SHA-256."""
    return sha256(payload).digest()[:DIGEST_BYTES]


def encode(message, kid: bytes, sign) -> bytes:
    """Returns a Receipt or a Rejected, signed. `sign(bytes)` returns the 64-byte signature of the key whose short name
    is `kid` (`wire.cose.kid_of`)."""
    if isinstance(message, Receipt):
        fields = [_RECEIPT, *message[:4], [list(batch) for batch in message.batches]]
    else:
        fields = [_REJECTED, *message[:3], list(message.batch), message.reason]
    return cose.sign1_encode(cbor.encode(fields, BYTES_MAX), kid, cose.RECEIPT_AAD, sign)


def opened(data: bytes, gateway: bytes, keys, verify):
    """Returns the Receipt or Rejected in signed bytes; raises WireFault unless one of the public keys `keys` signed it
    for this gateway. `verify(public_key, signature, data)` returns whether a signature holds."""
    try:
        signed = cose.sign1_decode(data, bytes_max=BYTES_MAX + cose.SIGN1_OVERHEAD_BYTES)
    except WireFault:
        raise WireFault(FORM)
    kid, signature, _ = signed.signatures[0]
    known = [key for key in keys if cose.kid_of(key) == kid]
    if not known:
        raise WireFault(STRANGER)
    if not verify(known[0], signature, cose.to_be_signed(signed, cose.RECEIPT_AAD)):
        raise WireFault(SIGNATURE)
    message = decode(signed.payload)
    if message.gateway != gateway:
        raise WireFault(ADDRESSEE)
    return message


def decode(payload: bytes):
    """Returns the Receipt or Rejected in a signed payload; raises WireFault for anything else."""
    try:
        fields = cbor.decode(payload, bytes_max=BYTES_MAX, items_max=BATCHES_MAX, depth_max=_DEPTH_MAX)
    except WireFault:
        raise WireFault(FORM)
    if not isinstance(fields, list) or len(fields) != 6:
        raise WireFault(FORM)
    kind, gateway, epoch, lane, fourth, fifth = fields
    if not _is_bytes(gateway, limits.NODE_ID_BYTES) or not _is_bytes(epoch, _EPOCH_BYTES):
        raise WireFault(FORM)
    if lane not in event.BATCH_LANES:
        raise WireFault(FORM)
    if kind == _RECEIPT and isinstance(fifth, list):
        return Receipt(gateway, epoch, lane, _position(fourth), tuple([_batch(entry) for entry in fifth]))
    if kind == _REJECTED and isinstance(fifth, str) and len(fifth.encode()) <= _REASON_BYTES_MAX:
        return Rejected(gateway, epoch, lane, _batch(fourth), fifth)
    raise WireFault(FORM)


def _batch(fields) -> Batch:
    if not isinstance(fields, list) or len(fields) != 3 or not _is_bytes(fields[2], DIGEST_BYTES):
        raise WireFault(FORM)
    batch = Batch(_position(fields[0]), _position(fields[1]), fields[2])
    if batch.first > batch.last:
        raise WireFault(FORM)
    return batch


def _is_bytes(value, length) -> bool:
    return isinstance(value, bytes) and len(value) == length


def _position(value) -> int:
    if not cbor.is_integer(value) or value < 0:
        raise WireFault(FORM)
    return value
