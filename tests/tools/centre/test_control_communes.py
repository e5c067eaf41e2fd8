"""Key sets and policies of a commune: what is taken, what is refused and why, and what a gateway is sent of them."""

import pytest

from policy import document, keyset
from tests.support.commune import PUBLISHED
from tests.support.control_world import (
    AGENT,
    CLERK,
    DEPUTY,
    INSEE,
    MAYOR,
    NOW_S,
    STRANGER,
    key_set,
    new_file,
    policy,
    signed_keyset,
    signed_policy,
)
from tools.centre.control import communes
from tools.centre.control import file as control_file
from tools.centre.limits import POLICIES_KEPT_MAX
from wire import command, cose

PUBLISHED_OPERATOR = document.Operator(PUBLISHED.key, "exemple", document.EMERGENCY, 0)


@pytest.fixture
def connection(tmp_path):
    connection = new_file(tmp_path / "control.db")
    yield connection
    connection.close()


def accept_policy(connection, data):
    kept, faults = communes.accept_policy(connection, data, now_s=NOW_S)
    assert (kept is None) == bool(faults)
    return kept.policy.version if kept else faults[0].path


def accept_keyset(connection, data):
    kept, faults = communes.accept_keyset(connection, data, now_s=NOW_S)
    assert (kept is None) == bool(faults)
    return kept.version if kept else faults[0].path


def test_a_policy_is_kept_with_the_name_of_who_signed_it(connection):
    kept, _ = communes.accept_policy(connection, signed_policy(policy(2), CLERK), now_s=NOW_S)
    assert (kept.policy.version, kept.signer) == (2, "Greffe")
    assert communes.policy_in_force(connection, INSEE, now_s=NOW_S).version == 2


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (signed_policy(policy(2), STRANGER), keyset.STRANGER),
        (signed_policy(policy(2), AGENT), keyset.STRANGER),  # an operator commands, and signs no policy
        (signed_policy(policy(2))[:-1] + b"\0", keyset.SIGNATURE),
        (signed_policy(policy(2, insee="49007")), keyset.COMMUNE),
        (signed_policy(policy(1)), keyset.VERSION),
        (cose.sign1_encode(b"\xa0", MAYOR.kid, cose.POLICY_AAD, MAYOR.private.sign), ""),
        (signed_policy(policy(2)._replace(operators=(PUBLISHED_OPERATOR,))), "operators"),
        (cose.sign1_encode(b"x" * 9, MAYOR.kid, cose.COMMAND_AAD, MAYOR.private.sign), keyset.SIGNATURE),
        (b"", keyset.FORM),
        (b"\xd2" + bytes(100_000), keyset.FORM),
        (bytes(range(256)) * 400, keyset.FORM),
    ],
    ids=[
        "stranger", "operator", "torn", "foreign", "version", "content", "published", "other-use", "empty", "zeros",
        "nonsense",
    ],
)
def test_what_does_not_verify_changes_nothing_and_says_why(connection, data, why):
    assert accept_policy(connection, data) == why
    assert communes.policy_in_force(connection, INSEE, now_s=NOW_S).version == 1


def test_without_a_key_set_no_policy_is_taken(tmp_path):
    connection = control_file.open_to_write(str(tmp_path / "empty.db"))
    assert accept_policy(connection, signed_policy(policy())) == keyset.STRANGER
    connection.close()


def test_a_key_of_two_communes_signs_for_each(connection):
    other = key_set(insee="49007", holders=(MAYOR, STRANGER))
    assert accept_keyset(connection, keyset.encode(other)) == 1
    assert accept_policy(connection, signed_policy(policy(1, insee="49007"))) == 1
    assert accept_policy(connection, signed_policy(policy(2))) == 2
    # A key of the other commune only is a stranger's here.
    assert accept_policy(connection, signed_policy(policy(3), STRANGER)) == keyset.COMMUNE


def test_the_first_key_set_is_not_replaced_by_hand_and_may_be_given_again(connection):
    assert accept_keyset(connection, keyset.encode(key_set())) == 1
    assert accept_keyset(connection, keyset.encode(key_set(2))) == "keyset"
    assert accept_keyset(connection, b"nonsense") != 1
    assert communes.newest_keyset(connection, INSEE).version == 1


def test_a_later_key_set_needs_enough_of_its_holders_and_a_higher_version(connection):
    later = key_set(2, (MAYOR, AGENT))
    assert accept_keyset(connection, signed_keyset(later, (MAYOR,))) == keyset.TOO_FEW
    assert accept_keyset(connection, signed_keyset(later, (MAYOR, STRANGER))) == keyset.STRANGER
    assert accept_keyset(connection, signed_keyset(key_set(1), (MAYOR, CLERK))) == keyset.VERSION
    signed = signed_keyset(later, (MAYOR, CLERK))
    assert accept_keyset(connection, signed) == 2
    assert accept_keyset(connection, signed) == 2, "the same file again is no fault"
    # The clerk's key is out of the set: what it signs counts no more.
    assert accept_policy(connection, signed_policy(policy(2), CLERK)) == keyset.STRANGER


def test_of_policies_the_newest_that_has_begun_is_in_force(connection):
    accept_policy(connection, signed_policy(policy(2, valid_from_s=NOW_S + 100)))
    assert communes.policy_in_force(connection, INSEE, now_s=NOW_S + 99).version == 1
    assert communes.policy_in_force(connection, INSEE, now_s=NOW_S + 100).version == 2
    assert communes.policy_in_force(connection, INSEE, now_s=NOW_S - 10**6).version == 1
    assert communes.policy_in_force(connection, "49007", now_s=NOW_S) is None


def test_the_newest_versions_are_kept(connection):
    for version in range(2, POLICIES_KEPT_MAX + 4):
        accept_policy(connection, signed_policy(policy(version)))
    versions = [row[0] for row in connection.execute("SELECT version FROM policies ORDER BY version")]
    assert versions == list(range(4, POLICIES_KEPT_MAX + 4))


# --- what a gateway lacks ---------------------------------------------------------------------------------------


def sent(connection, policy_version, keyset_version):
    """(policy, key set) of the bundle as bytes, and the versions then held; None for no bundle."""
    bundle = communes.bundle_for(connection, INSEE, policy_version, keyset_version)
    if bundle is None:
        return None
    signed_keys, signed = command.decode_bundle(bundle.payload)
    return signed_keys, signed, bundle.policy_version, bundle.keyset_version


def test_a_gateway_behind_is_sent_the_newest_policy(connection):
    accept_policy(connection, signed_policy(policy(2)))
    assert sent(connection, 0, 1) == (None, signed_policy(policy(2)), 2, 1)
    assert sent(connection, 1, 1) == (None, signed_policy(policy(2)), 2, 1)
    assert sent(connection, 2, 1) is None
    assert sent(connection, 9, 1) is None, "one that is ahead of us is not sent back"
    assert communes.bundle_for(connection, "49007", 0, 1) is None


def test_a_gateway_without_keys_or_with_a_set_that_we_do_not_know_is_sent_nothing(connection):
    assert accept_keyset(connection, signed_keyset(key_set(2), (MAYOR, CLERK))) == 2
    assert sent(connection, 0, 0) is None
    assert sent(connection, 0, 7) is None


def test_key_sets_are_sent_one_step_at_a_time_with_the_policy_that_the_step_verifies(connection):
    second = signed_keyset(key_set(2, (MAYOR, DEPUTY)), (MAYOR, CLERK))
    third = signed_keyset(key_set(3, (DEPUTY, AGENT)), (MAYOR, DEPUTY))
    assert (accept_keyset(connection, second), accept_keyset(connection, third)) == (2, 3)
    newest = signed_policy(policy(2), AGENT)
    assert accept_policy(connection, newest) == 2
    assert sent(connection, 1, 1) == (second, None, 1, 2)
    assert sent(connection, 1, 2) == (third, newest, 2, 3)
    assert sent(connection, 1, 3) == (third, newest, 2, 3)
    assert sent(connection, 2, 3) is None


def test_a_policy_whose_signer_goes_out_with_the_next_step_is_sent_before_it(connection):
    newest = signed_policy(policy(2), CLERK)
    assert accept_policy(connection, newest) == 2
    second = signed_keyset(key_set(2, (MAYOR, DEPUTY)), (MAYOR, CLERK))
    assert accept_keyset(connection, second) == 2
    assert sent(connection, 1, 1) == (None, newest, 2, 1)
    assert sent(connection, 2, 1) == (second, None, 2, 2)
    assert sent(connection, 2, 2) is None
