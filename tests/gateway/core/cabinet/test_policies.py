"""The commune's word: only its own keys, never backwards, kept over power cuts."""

import pytest

from policy import document, keyset
from tests.support.commune import PUBLISHED
from tests.support.gateway_world import INSEE
from tests.support.lit_world import (
    CLERK,
    DEPUTY,
    KEYS,
    MAYOR,
    START_S,
    STRANGER,
    LitWorld,
    bundle,
    policy,
    signed_policy,
)
from wire import command, cose, event


def refused(world):
    world.live(2)
    return [detail[0] for _, detail in world.events(event.POLICY_REFUSED)]


def in_force(world):
    world.live(1)
    return world.cabinet.signed_policy.policy.version


def next_keys(version=2, insee=INSEE):
    """The mayor's key is lost: another one takes its place."""
    members = ((STRANGER.public, "nouveau maire"), (DEPUTY.public, "a"), (CLERK.public, "s"))
    return keyset.KeySet(version, insee, 2, members, ())


def signed_keys(made, *keys):
    return cose.sign_encode(keyset.encode(made), [(key.kid, key.sign) for key in keys], cose.KEYS_AAD)


def test_a_newer_policy_replaces_the_one_in_force_and_says_whose_key_signed_it():
    world = LitWorld()
    world.give(bundle(policy(3), DEPUTY))
    assert in_force(world) == 3
    assert world.events(event.POLICY_TAKEN)[-1] == (
        None, [3, START_S - 86_400, START_S + 365 * 86_400, DEPUTY.kid],
    )  # fmt: skip


@pytest.mark.parametrize(
    ("payload", "why"),
    [
        (bundle(policy(0x10), STRANGER), "stranger"),
        (bundle(policy(1, authority="Conseil"), MAYOR), "older"),
        (bundle(policy(2, insee="49135"), MAYOR), "commune"),
        (command.encode_bundle(None, signed_policy(policy(2))[:-1] + b"\x00"), "signature"),
        (bundle(policy(2, operators=(document.Operator(PUBLISHED.key, "x", document.EMERGENCY, 0),))), "content"),
        (command.encode_bundle(None, b"\xd2\x84"), "form"),
        (bytes(100_000), "too-long"),
        (b"\xff", "malformed"),
        (b"", "malformed"),
    ],
)
def test_what_is_not_the_communes_word_changes_nothing_and_says_why(payload, why):
    world = LitWorld()
    world.give(payload)
    assert in_force(world) == 1 and refused(world) == [why]


def test_the_policy_that_is_held_comes_again_with_every_connection_and_is_no_event():
    world = LitWorld()
    for _ in range(3):
        world.give(bundle(policy()))
    assert refused(world) == [] and len(world.events(event.POLICY_TAKEN)) == 1


def test_versions_do_not_go_back_over_a_power_cut():
    world = LitWorld()
    world.give(bundle(policy(7)))
    world.power_cut()
    world.tell_clock()
    assert in_force(world) == 7
    world.give(bundle(policy(6)))
    assert in_force(world) == 7 and refused(world) == ["older"]


def test_a_policy_of_next_week_waits_beside_the_one_in_force_also_over_a_power_cut():
    world = LitWorld()
    world.give(bundle(policy(2, valid_from_s=START_S + 7200)))
    world.give(bundle(policy(3, valid_from_s=START_S + 3600)))
    assert in_force(world) == 1
    world.power_cut()
    world.tell_clock()
    assert in_force(world) == 1
    world.live(3600)
    assert in_force(world) == 3


def test_a_policy_that_has_expired_goes_on_and_an_alarm_says_so():
    world = LitWorld(made=policy(valid_until_s=START_S + 3600))
    world.live(3700)
    assert in_force(world) == 1 and ("policyExpired", True) in world.alarms()
    world.give(bundle(policy(2)))
    world.live(10)
    assert world.alarms()[-1] == ("policyExpired", False)


def test_a_damaged_file_bars_older_versions_and_may_be_mended_by_the_same():
    world = LitWorld()
    world.give(bundle(policy(2)))
    world.live(2)
    _damage(world)
    world.start()
    world.tell_clock()
    assert in_force(world) == 1
    world.give(bundle(policy(2)))
    assert in_force(world) == 2


def _damage(world):
    name = "policy-0000000002"
    data = bytearray(world.state_disk.read(name, 0, 100_000))
    data[40] ^= 1
    world.state_disk.delete(name)
    world.state_disk.append(name, bytes(data))


def test_two_of_three_keys_replace_a_lost_one():
    world = LitWorld()
    world.give(command.encode_bundle(signed_keys(next_keys(), DEPUTY, CLERK), None))
    world.give(bundle(policy(2), MAYOR))
    assert refused(world) == ["stranger"]
    world.give(bundle(policy(2), STRANGER))
    assert in_force(world) == 2
    world.power_cut()
    world.tell_clock()
    assert (in_force(world), world.cabinet.policies.keyset_version) == (2, 2)


def test_a_policy_outlives_the_key_that_signed_it_and_a_restart():
    world = LitWorld()
    world.give(bundle(policy(2), MAYOR))
    world.give(command.encode_bundle(signed_keys(next_keys(), DEPUTY, CLERK), None))
    world.power_cut()
    world.tell_clock()
    assert (in_force(world), world.cabinet.policies.keyset_version) == (2, 2)
    world.give(bundle(policy(3), MAYOR))
    assert in_force(world) == 2 and refused(world) == ["stranger"]


@pytest.mark.parametrize(
    ("payload", "why"),
    [
        (signed_keys(next_keys(), DEPUTY), "too-few"),
        (signed_keys(next_keys(), DEPUTY, STRANGER), "stranger"),
        (signed_keys(next_keys(1), DEPUTY, CLERK), "version-order"),
        (signed_keys(next_keys(insee="49135"), DEPUTY, CLERK), "commune"),
        (signed_keys(next_keys(), DEPUTY, CLERK)[:-1] + b"\x00", "signature"),
    ],
)
def test_one_key_alone_replaces_nobody(payload, why):
    world = LitWorld()
    world.give(command.encode_bundle(payload, None))
    assert refused(world) == [why] and world.cabinet.policies.keyset == KEYS


def test_the_key_set_in_force_comes_again_with_the_bundle_without_an_event():
    world = LitWorld()
    keys = signed_keys(next_keys(), DEPUTY, CLERK)
    for version in (2, 3):
        world.give(command.encode_bundle(keys, signed_policy(policy(version), STRANGER)))
    assert in_force(world) == 3 and refused(world) == []
