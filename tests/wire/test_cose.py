"""COSE messages against an independent encoder (cbor2) and another implementation's bytes; every damage is refused."""

import contextlib
from pathlib import Path

import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.io.crypto import verify_ed25519
from tests.support.commune import DEPUTY, MAYOR, SAFE, Person
from tests.support.examples import examples
from wire import cbor, cose
from wire.faults import WireFault

PUBLISHED = Path(__file__).parents[1] / "vectors/published_keys.txt"
AAD = cose.POLICY_AAD
BYTES_MAX = 4096
HEADER = cbor2.dumps({1: -8, 4: MAYOR.kid})


def sign1(payload=b"payload", person=MAYOR):
    return cose.sign1_encode(payload, person.kid, AAD, person.sign)


def sign(payload=b"payload", people=(MAYOR, DEPUTY)):
    return cose.sign_encode(payload, [(one.kid, one.sign) for one in people], AAD)


def holds(message, index=0, person=MAYOR, aad=AAD):
    signature = message.signatures[index].signature
    return verify_ed25519(person.key, signature, cose.to_be_signed(message, aad, index))


# --- what others write ---


@given(st.binary(max_size=300))
def test_a_sign1_is_what_rfc_9052_says_by_an_independent_encoder(payload):
    to_be_signed = cbor2.dumps(["Signature1", HEADER, AAD, payload])
    expected = cbor2.CBORTag(18, [HEADER, {}, payload, MAYOR.sign(to_be_signed)])
    data = sign1(payload)
    assert data == cbor2.dumps(expected)
    message = cose.sign1_decode(data, bytes_max=BYTES_MAX)
    assert (message.payload, message.protected, message.signatures[0].kid) == (payload, HEADER, MAYOR.kid)
    assert cose.to_be_signed(message, AAD) == to_be_signed
    assert holds(message)


@given(st.binary(max_size=300))
def test_a_sign_is_what_rfc_9052_says_by_an_independent_encoder(payload):
    signers = []
    for person in (MAYOR, DEPUTY):
        header = cbor2.dumps({1: -8, 4: person.kid})
        signers.append([header, {}, person.sign(cbor2.dumps(["Signature", b"", header, AAD, payload]))])
    data = sign(payload)
    assert data == cbor2.dumps(cbor2.CBORTag(98, [b"", {}, payload, signers]))
    message = cose.sign_decode(data, bytes_max=BYTES_MAX)
    assert holds(message, 0, MAYOR) and holds(message, 1, DEPUTY)
    assert not holds(message, 0, DEPUTY)


def test_another_implementation_writes_the_same_bytes(repository):
    lines = (repository / "tests" / "vectors" / "cose_ed25519.txt").read_text(encoding="utf-8").splitlines()
    vectors = [line for line in lines if line and not line.startswith("#")]
    assert len(vectors) == 2
    for line in vectors:
        given_, _, expected = line.partition(" => ")
        kind, aad, payload, seeds = given_.split()
        aad, payload = aad.replace("_", " ").encode(), bytes.fromhex(payload)
        people = [Person(bytes.fromhex(seed)) for seed in seeds.split(",")]
        if kind == "sign1":
            data = cose.sign1_encode(payload, people[0].kid, aad, people[0].sign)
            message = cose.sign1_decode(bytes.fromhex(expected), bytes_max=BYTES_MAX)
        else:
            data = cose.sign_encode(payload, [(one.kid, one.sign) for one in people], aad)
            message = cose.sign_decode(bytes.fromhex(expected), bytes_max=BYTES_MAX)
        assert data.hex() == expected
        assert all(holds(message, i, person, aad) for i, person in enumerate(people))


# --- signatures one after the other ---


def test_people_who_sign_one_after_the_other_make_the_same_message():
    first = cose.sign_decode(sign(people=(MAYOR,)), bytes_max=BYTES_MAX)
    second = cose.sign_append(first, DEPUTY.kid, AAD, DEPUTY.sign)
    assert second == sign(people=(MAYOR, DEPUTY))
    third = cose.sign_append(cose.sign_decode(second, bytes_max=BYTES_MAX), SAFE.kid, AAD, SAFE.sign)
    assert third == sign(people=(MAYOR, DEPUTY, SAFE))


def test_a_use_is_not_another():
    message = cose.sign1_decode(sign1(), bytes_max=BYTES_MAX)
    assert not holds(message, aad=cose.COMMAND_AAD)
    assert len({cose.POLICY_AAD, cose.COMMAND_AAD, cose.KEYS_AAD}) == 3


# --- damage ---


@pytest.mark.parametrize("make", [sign1, sign])
def test_no_bit_may_change(make):
    data = make()
    decode = cose.sign1_decode if make is sign1 else cose.sign_decode
    for bit in range(len(data) * 8):
        damaged = bytearray(data)
        damaged[bit // 8] ^= 1 << bit % 8
        with contextlib.suppress(WireFault):
            message = decode(bytes(damaged), bytes_max=BYTES_MAX)
            people = (MAYOR, DEPUTY)[: len(message.signatures)]
            known = [one.kid == person.kid for one, person in zip(message.signatures, people, strict=True)]
            assert not all(known) or not all(holds(message, i, person) for i, person in enumerate(people))


def sign1_of(header=HEADER, unprotected=None, payload=b"p", signature=bytes(64), tag=18):
    return cbor2.dumps(cbor2.CBORTag(tag, [header, unprotected or {}, payload, signature]))


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "cose-tag"),
        (cbor2.dumps([HEADER, {}, b"p", bytes(64)]), "cose-tag"),
        (sign1_of(tag=98), "cose-tag"),
        (sign1_of(tag=17), "cose-tag"),
        (b"\xd2", "truncated"),
        (sign1_of() + b"\x00", "trailing"),
        (b"\xd2" + cbor2.dumps([HEADER, {}, b"p"]), "cose-form"),
        (b"\xd2" + cbor2.dumps({1: 2}), "cose-form"),
        (sign1_of(header={1: -8}), "cose-form"),
        (sign1_of(payload=None), "cose-payload"),
        (sign1_of(payload="text"), "cose-payload"),
        (sign1_of(unprotected={4: MAYOR.kid}), "cose-header"),
        (sign1_of(signature=bytes(63)), "cose-signature"),
        (sign1_of(signature=None), "cose-signature"),
        (sign1_of(header=b""), "truncated"),
        (sign1_of(header=cbor2.dumps([1])), "cose-algorithm"),
        (sign1_of(header=cbor2.dumps({4: MAYOR.kid})), "cose-algorithm"),
        (sign1_of(header=cbor2.dumps({1: -7, 4: MAYOR.kid})), "cose-algorithm"),
        (sign1_of(header=cbor2.dumps({1: -8})), "cose-kid"),
        (sign1_of(header=cbor2.dumps({1: -8, 4: b"11"})), "cose-kid"),
        (sign1_of(header=cbor2.dumps({1: -8, 4: "texttext"})), "cose-kid"),
        (sign1_of(header=cbor2.dumps({1: -8, 2: [42], 4: MAYOR.kid})), "cose-header"),
        (sign1_of(header=bytes(65)), "too-long"),
    ],
)
def test_a_sign1_of_another_form_is_refused(data, reason):
    with pytest.raises(WireFault) as fault:
        cose.sign1_decode(data, bytes_max=BYTES_MAX)
    assert fault.value.reason == reason


def sign_of(signers, protected=b"", payload=b"p", unprotected=None):
    return cbor2.dumps(cbor2.CBORTag(98, [protected, unprotected or {}, payload, signers]))


ONE = [HEADER, {}, bytes(64)]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (sign1_of(), "cose-tag"),
        (b"\xd8", "cose-tag"),
        (sign_of([]), "cose-signatures"),
        (sign_of({}), "cose-signatures"),
        (sign_of([ONE, ONE]), "cose-signatures"),
        (sign_of([ONE] * (cose.SIGNATURES_MAX + 1)), "cose-signatures"),
        (sign_of([ONE[:2]]), "cose-form"),
        (sign_of([b""]), "cose-form"),
        (sign_of([[{}, {}, bytes(64)]]), "cose-form"),
        (sign_of([[HEADER, {4: b"x"}, bytes(64)]]), "cose-header"),
        (sign_of([ONE], protected=HEADER), "cose-header"),
        (sign_of([ONE], unprotected={1: 1}), "cose-header"),
        (sign_of([ONE], payload=None), "cose-payload"),
        (sign_of([[HEADER, {}, bytes(65)]]), "cose-signature"),
    ],
)
def test_a_sign_of_another_form_is_refused(data, reason):
    with pytest.raises(WireFault) as fault:
        cose.sign_decode(data, bytes_max=BYTES_MAX)
    assert fault.value.reason == reason


class Untouchable(bytes):
    """Bytes that fail the test when one of them is read."""

    def __getitem__(self, index):
        raise AssertionError("was read")


@pytest.mark.parametrize("decode", [cose.sign1_decode, cose.sign_decode])
def test_a_long_message_is_refused_before_it_is_read(decode):
    with pytest.raises(WireFault, match="too-long"):
        decode(Untouchable(b"\xd2" * 100_000), bytes_max=20_000)


@examples(times=2)
@given(st.one_of(st.binary(max_size=200), st.binary(max_size=60).map(lambda tail: b"\xd2\x84" + tail)))
def test_nonsense_raises_a_wire_fault_or_nothing(data):
    for decode in (cose.sign1_decode, cose.sign_decode):
        with contextlib.suppress(WireFault):
            decode(data, bytes_max=BYTES_MAX)


def test_the_overheads_are_bounds_that_hold():
    payload = bytes(20_000)
    assert len(sign1(payload)) <= len(payload) + cose.SIGN1_OVERHEAD_BYTES
    people = [Person(number) for number in range(10, 10 + cose.SIGNATURES_MAX)]
    bound = cose.SIGN_HEAD_BYTES + cose.SIGNER_BYTES * cose.SIGNATURES_MAX
    assert len(sign(payload, people)) <= len(payload) + bound
    cose.sign_decode(sign(payload, people), bytes_max=len(payload) + bound)


# --- keys under which anybody can sign ---

P = 2**255 - 19
D = -121665 * pow(121666, -1, P) % P
L = 2**252 + 27742317777372353535851937790883648493


def edwards_sum(one, other):
    (x, y), (u, v) = one, other
    cross = D * x * y * u * v % P
    return (x * v + y * u) * pow(1 + cross, -1, P) % P, (y * v + x * u) * pow(1 - cross, -1, P) % P


def edwards_multiple(count, point):
    total = (0, 1)
    while count:
        if count & 1:
            total = edwards_sum(total, point)
        point = edwards_sum(point, point)
        count >>= 1
    return total


def x_of(y):
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * pow(2, (P - 1) // 4, P) % P
    return x if (x * x - square) % P == 0 else None


def test_the_keys_of_small_order_are_those_of_the_curve():
    """A point times the group's large prime has an order that divides 8; there are eight such points."""
    found = set()
    for y in range(2, 40):
        x = x_of(y)
        if x is not None:
            generator = edwards_multiple(L, (x, y))
            found |= {edwards_multiple(count, generator) for count in range(8)}
    assert len(found) == 8
    for _, y in found:
        for sign_bit in (0, 1 << 255):
            assert not cose.is_sound_key((y | sign_bit).to_bytes(32, "little"))
    assert {y for _, y in found} == set(cose._SMALL_ORDER)


def test_keys_whose_private_half_is_published_are_no_keys():
    """Also negated: whoever knows a private scalar knows its opposite."""
    seeds = [line.split()[2] for line in PUBLISHED.read_text().splitlines() if line and not line.startswith("#")]
    for seed in seeds:
        key = Person(bytes.fromhex(seed)).key
        assert not cose.is_sound_key(key)
        assert not cose.is_sound_key(key[:-1] + bytes([key[-1] ^ 0x80]))
    assert 8 * len(set(seeds)) == len(cose._PUBLISHED) == 56


@pytest.mark.parametrize("key", [bytes(32), b"\x01" + bytes(31), bytes(31), bytes(33), b"\xff" * 32, None, "a" * 32])
def test_what_is_no_key_is_told(key):
    assert not cose.is_sound_key(key)


def test_a_signature_under_zeros_proves_nothing():
    # S = 0 and R = A satisfy the equation for one message in four or so under the point of order 4.
    forged = bytes(64)
    assert not any(verify_ed25519(bytes(32), forged, bytes([i])) for i in range(64))


@pytest.mark.parametrize("person", [MAYOR, DEPUTY, SAFE])
def test_real_keys_are_sound(person):
    assert cose.is_sound_key(person.key)
    assert len(cose.kid_of(person.key)) == cose.KID_BYTES


def test_the_decoder_takes_views_of_a_buffer():
    assert cose.sign1_decode(memoryview(bytearray(sign1())), bytes_max=BYTES_MAX).payload == b"payload"
    assert cbor.decode(memoryview(b"\x01")) == 1
