"""Who may say what a commune wants: signatures, key sets that follow one another, and every refusal by its word."""

import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.io.crypto import verify_ed25519
from policy import document, keyset, limits
from policy.keyset import COMMUNE, FORM, SIGNATURE, STRANGER, TOO_FEW, VERSION
from tests.support.commune import (
    DEPUTY,
    KEYS,
    MAYOR,
    NEW_MAYOR,
    ON_CALL,
    POLICY,
    PUBLISHED,
    SAFE,
    UNKNOWN,
    WAREHOUSE,
    signed_keyset,
    signed_policy,
)
from tests.support.examples import examples
from wire import command, cose

NEXT = KEYS._replace(version=2, keys=((NEW_MAYOR.key, NEW_MAYOR.name), *KEYS.keys[1:]))


def refusal(data, keys=KEYS):
    policy, kid, faults = keyset.open_policy(data, keys, verify_ed25519)
    assert policy is None and kid is None
    assert all(fault.problem and fault.remedy for fault in faults)
    return faults[0].path


def set_refusal(data, keys=KEYS):
    later, faults = keyset.open_keyset(data, keys, verify_ed25519)
    assert later is None
    assert all(fault.problem and fault.remedy for fault in faults)
    return faults[0].path


# --- policies ---


@pytest.mark.parametrize("person", [MAYOR, DEPUTY, SAFE])
def test_any_one_key_of_the_set_signs_a_policy(person):
    signed = signed_policy(person=person)
    assert keyset.open_policy(signed, KEYS, verify_ed25519) == (POLICY, person.kid, ())


def test_a_stranger_an_operator_and_another_use_are_refused():
    assert refusal(signed_policy(person=UNKNOWN)) == STRANGER
    assert refusal(signed_policy(person=ON_CALL)) == STRANGER
    assert refusal(signed_policy(aad=cose.COMMAND_AAD)) == SIGNATURE
    assert refusal(signed_policy(aad=cose.KEYS_AAD)) == SIGNATURE


def test_a_warehouse_signs_no_policy_and_no_key_set():
    assert refusal(signed_policy(person=WAREHOUSE)) == STRANGER
    assert set_refusal(signed_keyset(NEXT, MAYOR, WAREHOUSE)) == STRANGER


def test_the_name_of_a_key_is_not_the_key():
    forged = cose.sign1_encode(document.encode(POLICY), MAYOR.kid, cose.POLICY_AAD, UNKNOWN.sign)
    assert refusal(forged) == SIGNATURE


def test_another_communes_policy_is_refused_even_when_our_key_signed_it():
    assert refusal(signed_policy(POLICY._replace(insee="49007"))) == COMMUNE


def test_another_communes_key_is_a_stranger():
    theirs = KEYS._replace(insee="49007", keys=((UNKNOWN.key, "Maire"), (ON_CALL.key, "Adjoint")))
    assert refusal(signed_policy(), theirs) == STRANGER


def test_a_faulty_document_is_told_by_its_own_faults():
    assert refusal(signed_policy(POLICY._replace(version=0))) == "version"


def test_what_is_not_signed_is_refused_for_its_form():
    for data in (b"", document.encode(POLICY), signed_keyset(NEXT, MAYOR, DEPUTY), signed_policy() + b"\x00"):
        assert refusal(data) == FORM


@pytest.mark.slow
def test_no_bit_of_a_signed_policy_may_change():
    signed = signed_policy()
    for bit in range(len(signed) * 8):
        damaged = bytearray(signed)
        damaged[bit // 8] ^= 1 << bit % 8
        assert refusal(bytes(damaged)) in (FORM, STRANGER, SIGNATURE)


def test_a_stranger_is_not_verified_and_nobodys_content_is_read_before_the_signature():
    asked = []

    def verify(key, signature, data):
        asked.append(key)
        return False

    nonsense = cose.sign1_encode(b"\xff" * 50, MAYOR.kid, cose.POLICY_AAD, MAYOR.sign)
    assert keyset.open_policy(nonsense, KEYS, verify)[2][0].path == SIGNATURE
    assert asked == [MAYOR.key]
    keyset.open_policy(signed_policy(person=UNKNOWN), KEYS, verify)
    assert asked == [MAYOR.key]


@pytest.mark.parametrize(
    "nonsense", [bytes(100_000), b"\xd2" * 100_000, b"\xd8\x62" * 50_000, b"\xd2\x84" + b"\x81" * 99_998]
)
def test_a_hundred_kilobytes_of_nonsense_are_refused(nonsense):
    assert refusal(nonsense) == FORM
    assert set_refusal(nonsense) == FORM


@examples(times=2)
@given(st.binary(max_size=200), st.sampled_from((b"", b"\xd2\x84", b"\xd8\x62\x84\x40\xa0")))
def test_nonsense_is_refused_and_raises_nothing(tail, head):
    assert refusal(head + tail) in (FORM, STRANGER, SIGNATURE)
    assert set_refusal(head + tail) in (FORM, STRANGER, SIGNATURE)


# --- sets of keys ---


def test_a_key_set_comes_back():
    assert keyset.decode(keyset.encode(KEYS)) == (KEYS, ())
    assert keyset.key_of(KEYS, DEPUTY.kid) == (DEPUTY.key, DEPUTY.name)
    assert keyset.key_of(KEYS, UNKNOWN.kid) is None


@pytest.mark.parametrize("pair", [(MAYOR, DEPUTY), (DEPUTY, SAFE), (SAFE, MAYOR)])
def test_any_two_replace_a_lost_key(pair):
    assert keyset.open_keyset(signed_keyset(NEXT, *pair), KEYS, verify_ed25519) == (NEXT, ())


def test_after_the_replacement_the_lost_key_signs_nothing_and_the_new_one_does():
    assert refusal(signed_policy(person=MAYOR), NEXT) == STRANGER
    assert keyset.open_policy(signed_policy(person=NEW_MAYOR), NEXT, verify_ed25519)[0] == POLICY
    third = NEXT._replace(version=3)
    assert set_refusal(signed_keyset(third, MAYOR, DEPUTY), NEXT) == STRANGER


def test_a_later_set_names_other_warehouses_or_none():
    for warehouses in ((), ((UNKNOWN.key, "Nouvel entrepôt"),)):
        later = KEYS._replace(version=2, warehouses=warehouses)
        assert keyset.open_keyset(signed_keyset(later, MAYOR, SAFE), KEYS, verify_ed25519) == (later, ())


def test_one_is_not_enough_nor_one_twice():
    assert set_refusal(signed_keyset(NEXT, MAYOR)) == TOO_FEW
    assert set_refusal(signed_keyset(NEXT, MAYOR, MAYOR)) == FORM


def test_a_signature_that_proves_nothing_spoils_the_rest():
    assert set_refusal(signed_keyset(NEXT, MAYOR, DEPUTY, UNKNOWN)) == STRANGER
    assert set_refusal(signed_keyset(NEXT, MAYOR, DEPUTY, NEW_MAYOR)) == STRANGER
    payload = keyset.encode(NEXT)
    forged = cose.sign_encode(payload, [(MAYOR.kid, MAYOR.sign), (DEPUTY.kid, UNKNOWN.sign)], cose.KEYS_AAD)
    assert set_refusal(forged) == SIGNATURE


def test_a_set_never_goes_back():
    for version in (1, 2):
        assert set_refusal(signed_keyset(NEXT._replace(version=version), DEPUTY, SAFE), NEXT) == VERSION
    skipped = NEXT._replace(version=9)
    assert keyset.open_keyset(signed_keyset(skipped, DEPUTY, SAFE), NEXT, verify_ed25519) == (skipped, ())


def test_another_commune_another_use_and_another_form_are_refused():
    assert set_refusal(signed_keyset(NEXT._replace(insee="49007"), MAYOR, DEPUTY)) == COMMUNE
    assert set_refusal(signed_keyset(NEXT, MAYOR, DEPUTY, aad=cose.POLICY_AAD)) == SIGNATURE
    assert set_refusal(keyset.encode(NEXT)) == FORM
    assert set_refusal(signed_policy()) == FORM


@pytest.mark.slow
def test_no_bit_of_a_signed_set_may_change():
    signed = signed_keyset(NEXT, MAYOR, DEPUTY)
    for bit in range(len(signed) * 8):
        damaged = bytearray(signed)
        damaged[bit // 8] ^= 1 << bit % 8
        assert set_refusal(bytes(damaged)) in (FORM, STRANGER, SIGNATURE)


def test_the_threshold_is_that_of_the_set_in_force():
    three = KEYS._replace(threshold=3)
    assert set_refusal(signed_keyset(NEXT, MAYOR, DEPUTY), three) == TOO_FEW
    assert keyset.open_keyset(signed_keyset(NEXT, MAYOR, DEPUTY, SAFE), three, verify_ed25519)[0] == NEXT


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"version": 0}, "version"),
        ({"insee": "x"}, "insee"),
        ({"threshold": 1}, "threshold"),
        ({"threshold": 4}, "threshold"),
        ({"keys": KEYS.keys[:1]}, "keys"),
        ({"keys": ()}, "keys"),
        ({"keys": KEYS.keys * 3}, "keys"),
        ({"keys": (*KEYS.keys, (MAYOR.key, "autre"))}, "keys"),
        ({"keys": (*KEYS.keys, (bytes(32), "zéro"))}, "keys"),
        ({"keys": (*KEYS.keys, (PUBLISHED.key, "exemple"))}, "keys"),
        ({"keys": (*KEYS.keys, (b"short", "court"))}, "keys"),
        ({"keys": (*KEYS.keys, (UNKNOWN.key, ""))}, "keys[3].name"),
        ({"keys": (*KEYS.keys, (UNKNOWN.key,))}, "keys[3]"),
        ({"warehouses": ((UNKNOWN.key, ""),)}, "warehouses[0].name"),
        ({"warehouses": ((UNKNOWN.key,),)}, "warehouses[0]"),
        ({"warehouses": ((bytes(32), "zéro"),)}, "keys"),
        ({"warehouses": (*KEYS.warehouses, (WAREHOUSE.key, "encore"))}, "keys"),
        ({"warehouses": ((MAYOR.key, "Maire"),)}, "keys"),
        ({"warehouses": tuple((bytes([9 + place]) * 32, "w") for place in range(5))}, "warehouses"),
    ],
)
def test_a_fault_of_a_key_set_is_told_with_its_path(changes, path):
    decoded, faults = keyset.decode(keyset.encode(KEYS._replace(**changes)))
    assert decoded is None
    assert path in [fault.path for fault in faults]


@pytest.mark.parametrize(
    "payload", [b"", b"\xa0", b"\x80", cbor2.dumps({1: 1, 2: 1, 3: "49135", 4: 2}), bytes(100_000)]
)
def test_what_is_no_key_set_is_one_fault(payload):
    decoded, faults = keyset.decode(payload)
    assert decoded is None and len(faults) == 1


def test_the_largest_set_fits():
    people = tuple((bytes([2 + number]) * 32, "é" * 30) for number in range(limits.keys_max))
    warehouses = tuple((bytes([20 + number]) * 32, "é" * 30) for number in range(limits.warehouses_max))
    largest = KEYS._replace(threshold=limits.keys_max, keys=people, warehouses=warehouses)
    assert len(keyset.encode(largest)) <= command.KEYSET_BYTES_MAX
    assert keyset.decode(keyset.encode(largest)) == (largest, ())


def test_every_refusal_is_a_word_of_the_table():
    assert {FORM, STRANGER, SIGNATURE, TOO_FEW, COMMUNE, VERSION} == set(keyset.WORDS)
