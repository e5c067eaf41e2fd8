"""`policy.cddl` is the schema of what the code writes: checked by an independent validator of RFC 8610."""

import cbor2
import pytest
from cddl_verifier import Validator
from hypothesis import given

from policy import document, keyset
from tests.support.commune import DEPUTY, INSEE, KEYS, MAYOR, ON_CALL, POLICY, WAREHOUSE, signed_keyset, signed_policy
from tests.support.drawn_messages import asks, commands, outcomes, policies
from wire import command, cose, receipt
from wire.command import Command, Grant

SOUND = Command(bytes(8), command.OVERRIDE, "Jeanne", "Fête", 1, 2, INSEE, "mairie-1", "bourg", 100, None, None)
BATCHES = (receipt.Batch(0, 9, bytes(16)), receipt.Batch(10, 2**53, bytes(16)))
RECEIPT = receipt.Receipt(b"gateway1", b"epoch-01", "telemetry", 2**53, BATCHES)
REJECTED = receipt.Rejected(b"gateway1", b"epoch-01", "alarm", BATCHES[0], "class")
SIGNED = cose.sign1_encode(command.encode_command(SOUND), ON_CALL.kid, cose.COMMAND_AAD, ON_CALL.sign)
NEXT = signed_keyset(KEYS._replace(version=2), MAYOR, DEPUTY)


@pytest.fixture(scope="module")
def schema(repository):
    return Validator(repository / "firmware" / "policy" / "policy.cddl")


def valid(schema, rule, data):
    return schema.validate(data, root_type=rule).valid


@pytest.mark.parametrize(
    ("rule", "data"),
    [
        ("policy", document.encode(POLICY)),
        ("signed-policy", signed_policy()),
        ("keyset", keyset.encode(KEYS)),
        ("signed-keyset", NEXT),
        ("command", command.encode_command(SOUND)),
        ("signed-command", SIGNED),
        ("control", SIGNED),
        ("control", command.encode_grant(Grant(bytes(8), 900))),
        ("signed-receipt", receipt.encode(RECEIPT, WAREHOUSE.kid, WAREHOUSE.sign)),
        ("signed-receipt", receipt.encode(REJECTED, WAREHOUSE.kid, WAREHOUSE.sign)),
        ("bundle", command.encode_bundle(None, None)),
        ("bundle", command.encode_bundle(NEXT, signed_policy())),
    ],
)
def test_what_is_written_is_of_the_schema(schema, rule, data):
    found = schema.validate(data, root_type=rule)
    assert found.valid, [(one.path_text, one.message) for one in found.diagnostics]


@given(policies())
def test_any_policy_is(schema, policy):
    assert valid(schema, "policy", document.encode(policy))


@given(commands())
def test_any_command_is(schema, made):
    assert valid(schema, "command", command.encode_command(made))


@given(outcomes | asks)
def test_whatever_a_gateway_says_is(schema, said):
    assert valid(schema, "said", command.encode_reply(said))


@pytest.mark.parametrize(
    "change",
    [
        lambda data: data.update({1: 1}),
        lambda data: data.update({2: 0}),
        lambda data: data.update({3: "4913"}),
        lambda data: data.update({12: 1}),
        lambda data: data.pop(6),
        lambda data: data[7].update({5: 1}),
        lambda data: data[7][1].append(0),
        lambda data: data[7][2][0][1][0].pop(),
        lambda data: data[7][3][0].__setitem__(0, "x" * 25),
        lambda data: data[7][4][0].__setitem__(1, 5),
        lambda data: data[7][4][1].__setitem__(2, 100),
        lambda data: data[11][0].__setitem__(0, bytes(31)),
    ],
)
def test_schema_and_code_refuse_the_same(schema, change):
    data = cbor2.loads(document.encode(POLICY))
    change(data)
    payload = cbor2.dumps(data, canonical=True)
    assert document.decode(payload)[0] is None
    assert not valid(schema, "policy", payload)


def test_the_words_of_outcomes_are_those_of_the_code(repository):
    text = (repository / "firmware" / "policy" / "policy.cddl").read_text(encoding="utf-8")
    line = next(line for line in text.splitlines() if line.strip().startswith("outcome:"))
    assert tuple(line.split('"')[1::2]) == command.OUTCOMES
