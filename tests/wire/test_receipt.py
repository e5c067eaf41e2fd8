"""Receipts: what the warehouse signs comes back whole, and nothing else is opened."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.io.crypto import verify_ed25519
from tests.support.commune import UNKNOWN, WAREHOUSE
from tests.support.examples import examples
from wire import cbor, cose, event, receipt
from wire.faults import WireFault
from wire.receipt import Batch, Receipt, Rejected

GATEWAY, EPOCH, DIGEST = b"gateway1", bytes(range(8)), bytes(16)
KEYS = (WAREHOUSE.key,)
POSITIONS = st.integers(0, (1 << 53) - 1)
BATCHES = st.builds(
    lambda one, other, digest: Batch(min(one, other), max(one, other), digest),
    POSITIONS, POSITIONS, st.binary(min_size=16, max_size=16),
)  # fmt: skip
LANES = st.sampled_from(event.LANES)
FULL = Receipt(GATEWAY, EPOCH, event.TELEMETRY, 2**53, (Batch(2**53, 2**53 + 49, DIGEST),) * receipt.BATCHES_MAX)


def signed(message, person=WAREHOUSE):
    return receipt.encode(message, person.kid, person.sign)


def opened(data, keys=KEYS, gateway=GATEWAY):
    return receipt.opened(data, gateway, keys, verify_ed25519)


def refusal(data, keys=KEYS, gateway=GATEWAY):
    with pytest.raises(WireFault) as caught:
        opened(data, keys, gateway)
    return caught.value.reason


@given(LANES, POSITIONS, st.lists(BATCHES, max_size=20))
def test_a_receipt_comes_back(lane, position, batches):
    message = Receipt(GATEWAY, EPOCH, lane, position, tuple(batches))
    assert opened(signed(message)) == message


@given(LANES, BATCHES)
def test_a_rejection_comes_back(lane, batch):
    message = Rejected(GATEWAY, EPOCH, lane, batch, "quality")
    assert opened(signed(message)) == message


def test_the_fullest_receipt_fits_and_a_refusal_of_any_length_too():
    assert opened(signed(FULL)) == FULL
    message = Rejected(GATEWAY, EPOCH, event.ALARM, Batch(0, 0, DIGEST), "é" * 64)
    assert opened(signed(message)) == message


def test_only_a_warehouse_of_the_key_set_is_believed_about_this_gateway_alone():
    message = Receipt(GATEWAY, EPOCH, event.ALARM, 3, (Batch(0, 2, DIGEST),))
    assert refusal(signed(message, UNKNOWN)) == receipt.STRANGER
    assert refusal(signed(message), ()) == receipt.STRANGER
    assert refusal(receipt.encode(message, WAREHOUSE.kid, UNKNOWN.sign)) == receipt.SIGNATURE
    assert refusal(signed(message), gateway=b"gateway2") == receipt.ADDRESSEE
    assert opened(signed(message, UNKNOWN), (*KEYS, UNKNOWN.key)) == message


def test_what_the_warehouse_signed_for_another_use_is_no_receipt():
    payload = cbor.encode([1, GATEWAY, EPOCH, "alarm", 1, []], 100)
    for aad in (cose.COMMAND_AAD, cose.POLICY_AAD, cose.IMAGE_AAD):
        assert refusal(cose.sign1_encode(payload, WAREHOUSE.kid, aad, WAREHOUSE.sign)) == receipt.SIGNATURE


def test_no_bit_of_a_receipt_may_change():
    data = signed(Receipt(GATEWAY, EPOCH, event.ALARM, 3, (Batch(0, 2, DIGEST),)))
    for bit in range(len(data) * 8):
        damaged = bytearray(data)
        damaged[bit // 8] ^= 1 << bit % 8
        assert refusal(bytes(damaged)) in (receipt.FORM, receipt.STRANGER, receipt.SIGNATURE)


@pytest.mark.parametrize(
    "fields",
    [
        [],
        [1, GATEWAY, EPOCH, "alarm", 1],
        [3, GATEWAY, EPOCH, "alarm", 1, []],
        [1, GATEWAY[:7], EPOCH, "alarm", 1, []],
        [1, GATEWAY, "epoch", "alarm", 1, []],
        [1, GATEWAY, EPOCH, "urgent", 1, []],
        [1, GATEWAY, EPOCH, ["alarm"], 1, []],
        [1, GATEWAY, EPOCH, "alarm", -1, []],
        [1, GATEWAY, EPOCH, "alarm", True, []],
        [1, GATEWAY, EPOCH, "alarm", 1, None],
        [1, GATEWAY, EPOCH, "alarm", 1, [[0, 1]]],
        [1, GATEWAY, EPOCH, "alarm", 1, [[1, 0, DIGEST]]],
        [1, GATEWAY, EPOCH, "alarm", 1, [[0, 1, DIGEST[:15]]]],
        [2, GATEWAY, EPOCH, "alarm", [0, 1, DIGEST], 6],
        [2, GATEWAY, EPOCH, "alarm", [0, 1, DIGEST], "x" * 129],
        [2, GATEWAY, EPOCH, "alarm", 4, "why"],
    ],
)
def test_a_signed_message_of_another_form_is_refused(fields):
    payload = cbor.encode(fields, 200)
    assert refusal(cose.sign1_encode(payload, WAREHOUSE.kid, cose.RECEIPT_AAD, WAREHOUSE.sign)) == receipt.FORM


def test_what_is_not_cbor_is_refused_for_its_form_even_signed():
    for payload in (b"\xff", b"", b"\x9f\x01", b"\x86" + b"\x81" * 2000):
        signed_nonsense = cose.sign1_encode(payload, WAREHOUSE.kid, cose.RECEIPT_AAD, WAREHOUSE.sign)
        assert refusal(signed_nonsense) == receipt.FORM


@examples(times=2)
@given(st.binary(max_size=120), st.sampled_from((b"", b"\xd2\x84", signed(FULL)[:20])))
def test_any_bytes_are_refused_and_raise_nothing_else(tail, head):
    assert refusal(head + tail) in (receipt.FORM, receipt.STRANGER, receipt.SIGNATURE)


def test_a_digest_is_of_the_whole_payload():
    assert receipt.digest_of(b"batch") != receipt.digest_of(b"batch\0") and len(receipt.digest_of(b"")) == 16
