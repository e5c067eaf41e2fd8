"""Commands, leases, outcomes and bundles: round trips, and everything else is a WireFault with its field."""

import contextlib

import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.commune import MAYOR
from tests.support.drawn_messages import asks, commands, outcomes
from tests.support.examples import examples
from wire import command, cose, directive
from wire.command import DIRECTIVE, EMERGENCY, END, OVERRIDE, TEST_FEEDER, Command, Grant, Outcome
from wire.faults import WireFault

ID, OTHER = bytes(range(8)), bytes(range(8, 16))
SOUND = Command(
    ID, OVERRIDE, "Jeanne Martin", "Fête", 1_800_000_000, 1_800_003_600, "49135", "mairie-1", "bourg", 0, None, None
)
GRANT = Grant(ID, 900)

@given(commands())
def test_a_command_comes_back_and_is_plain_cbor(made):
    payload = command.encode_command(made)
    assert command.decode_command(payload) == made
    assert cbor2.loads(payload)[2] == made.id


@given(outcomes | asks)
def test_what_a_gateway_says_comes_back(made):
    assert command.decode_reply(command.encode_reply(made)) == made


@given(st.binary(min_size=8, max_size=8), st.integers(1, command.LEASE_S_MAX))
def test_a_grant_comes_back(nonce, duration_s):
    made = Grant(nonce, duration_s)
    assert command.decode_control(command.encode_grant(made)) == made


def test_a_signed_command_comes_back_as_its_bytes():
    signed = cose.sign1_encode(command.encode_command(SOUND), MAYOR.kid, cose.COMMAND_AAD, MAYOR.sign)
    assert command.decode_control(signed) == signed
    assert command.decode_control(memoryview(signed)) == signed


@pytest.mark.parametrize(("keyset", "policy"), [(None, None), (b"k", None), (None, b"p"), (b"k" * 2000, b"p" * 16000)])
def test_a_bundle_comes_back(keyset, policy):
    assert command.decode_bundle(command.encode_bundle(keyset, policy)) == (keyset, policy)


def test_the_longest_of_each_fits():
    longest = SOUND._replace(
        author="é" * 30, reason="x" * 60, not_before_s=2**32 - 2 - command.WINDOW_S_MAX, expires_s=2**32 - 1,
        gateway="g" * 32, target="t" * 24,
    )  # fmt: skip
    longest = longest._replace(not_before_s=longest.expires_s - command.WINDOW_S_MAX)
    payload = command.encode_command(longest)
    assert len(payload) <= command.COMMAND_BYTES_MAX
    signed = cose.sign1_encode(payload, MAYOR.kid, cose.COMMAND_AAD, MAYOR.sign)
    assert command.decode_control(signed) == signed
    said = Outcome(ID, "unmeasured", "w" * 24, "f" * 24, -(10**8), 2**32 - 1)
    assert command.decode_reply(command.encode_reply(said)) == said
    biggest = (bytes(command.SIGNED_KEYSET_BYTES_MAX), bytes(command.SIGNED_POLICY_BYTES_MAX))
    assert command.decode_bundle(command.encode_bundle(*biggest)) == biggest


def test_what_nodes_are_told_may_be_all_there_is_to_tell_at_every_limit():
    told = {code: low or high for code, (_, low, high) in directive.TABLE.items()}
    made = Command(
        ID, DIRECTIVE, "a" * 60, "r" * 60, 2**32 - 10_000, 2**32 - 1, "2A004", "g" * 32, "t" * 24, None, None, told
    )
    payload = command.encode_command(made)
    assert command.decode_command(payload) == made and len(payload) == 262 <= command.COMMAND_BYTES_MAX
    drought = made._replace(values={7: 2}, not_before_s=1, expires_s=1 + 366 * 86_400)
    assert command.decode_command(command.encode_command(drought)) == drought


# --- what is refused ---


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("id", ID[:7]), ("id", "textabcd"), ("id", None),
        ("kind", 0), ("kind", 6), ("kind", True), ("kind", "1"),
        ("author", ""), ("author", "a\nb"), ("author", "x" * 61), ("author", None), ("author", 7),
        ("reason", ""), ("reason", "é" * 31),
        ("not_before_s", -1), ("not_before_s", 2**32), ("not_before_s", None), ("not_before_s", True),
        ("expires_s", SOUND.not_before_s), ("expires_s", SOUND.not_before_s + command.WINDOW_S_MAX + 1),
        ("expires_s", None), ("expires_s", 2**40),
        ("insee", "4913"), ("insee", 49135), ("insee", None),
        ("gateway", "Mairie"), ("gateway", ""), ("gateway", 1), ("gateway", "a/b"),
        ("target", ""), ("target", "t" * 25), ("target", 3),
        ("level", 9), ("level", 101), ("level", None), ("level", True), ("level", -1),
        ("ends", OTHER), ("ends", b""),
    ],
)  # fmt: skip
def test_a_field_that_is_not_sound_is_refused_both_ways(field, value):
    bad = SOUND._replace(**{field: value})
    names = {"not_before_s": "not-before", "expires_s": "expires"}
    reason = f"command-{names.get(field, field)}"
    with pytest.raises(WireFault) as fault:
        command.encode_command(bad)
    assert fault.value.reason == reason
    with pytest.raises(WireFault) as fault:
        command.decode_command(raw(bad))
    # null stands for what is left out: an optional field says it by not being there
    assert fault.value.reason == ("command-fields" if field in ("level", "ends") and value is None else reason)


def raw(made, **changes):
    """The CBOR of a command by another encoder, whatever is in it."""
    fields = {1: 1, **dict(zip(range(2, 12), made[:10], strict=True))}
    if made.kind == END or made.ends is not None:
        fields[12] = made.ends
    if made.kind == END:
        del fields[11]
    fields |= {int(key[1:]): value for key, value in changes.items()}
    return cbor2.dumps(fields)


@pytest.mark.parametrize(
    ("kind", "changes", "reason"),
    [
        (EMERGENCY, {"level": 100}, "command-level"),
        (TEST_FEEDER, {"level": 100, "expires_s": SOUND.not_before_s + 300}, "command-level"),
        (TEST_FEEDER, {"level": None, "expires_s": SOUND.not_before_s + 301}, "command-expires"),
        (END, {"level": None, "target": None}, "command-ends"),
        (END, {"level": None, "ends": OTHER}, "command-target"),
        (EMERGENCY, {"level": None, "ends": OTHER}, "command-ends"),
        (OVERRIDE, {"values": {7: 1}}, "command-values"),
        (DIRECTIVE, {"level": None}, "command-values"),
        (DIRECTIVE, {"level": None, "values": {}}, "command-values"),
        (DIRECTIVE, {"level": None, "values": {7: 5}}, "command-values"),
        (DIRECTIVE, {"level": None, "values": {7: True}}, "command-values"),
        (DIRECTIVE, {"level": None, "values": {10: 0}}, "command-values"),
        (DIRECTIVE, {"level": None, "values": [7, 1]}, "command-values"),
        (DIRECTIVE, {"values": {7: 1}}, "command-level"),
        (DIRECTIVE, {"level": None, "values": {8: 200}, "expires_s": SOUND.not_before_s + 86_401}, "command-expires"),
        (DIRECTIVE, {"level": None, "values": {6: 9, 7: 2}, "expires_s": SOUND.expires_s + 7_201}, "command-expires"),
    ],
)
def test_each_kind_has_the_fields_that_it_needs(kind, changes, reason):
    with pytest.raises(WireFault) as fault:
        command.encode_command(SOUND._replace(kind=kind, **changes))
    assert fault.value.reason == reason


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"_1": 2}, "command-format"),
        ({"_1": True}, "command-format"),
        ({"_14": 1}, "command-fields"),
        ({"_13": None}, "command-fields"),
        ({"_11": None}, "command-fields"),
        ({"_12": None}, "command-fields"),
    ],
)
def test_a_map_of_another_form_is_refused(changes, reason):
    with pytest.raises(WireFault) as fault:
        command.decode_command(raw(SOUND, **changes))
    assert fault.value.reason == reason


def test_a_missing_field_is_refused():
    whole = cbor2.loads(raw(SOUND))
    for key in range(1, 11):
        part = {other: value for other, value in whole.items() if other != key}
        with pytest.raises(WireFault):
            command.decode_command(cbor2.dumps(part))


@pytest.mark.parametrize(
    "payload",
    [
        b"", cbor2.dumps([1, ID]), cbor2.dumps([2, ID, 900]), cbor2.dumps([True, ID, 900]),
        cbor2.dumps([1, ID[:7], 900]),
        cbor2.dumps([1, ID, 0]), cbor2.dumps([1, ID, command.LEASE_S_MAX + 1]), cbor2.dumps([1, ID, True]),
        cbor2.dumps({1: ID}), cbor2.dumps([1, ID, 900, 0]), b"\xd3" * 20, bytes(100_000), b"\xd2" * 100_000,
    ],
)  # fmt: skip
def test_control_of_another_form_is_refused(payload):
    with pytest.raises(WireFault):
        command.decode_control(payload)


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ([], "reply-kind"), ([3, ID], "reply-kind"), ([True, ID, 900, 0, 0], "reply-kind"), ("x", "reply-kind"),
        ([1, ID, "received"], "reply-kind"),
        ([1, ID[:7], "received", None, None, None, None], "reply-id"),
        ([1, ID, "delivered", None, None, None, None], "reply-outcome"),
        ([1, ID, None, None, None, None, None], "reply-outcome"),
        ([1, ID, "refused", "w" * 25, None, None, None], "reply-why"),
        ([1, ID, "measured", None, "", None, None], "reply-feeder"),
        ([1, ID, "measured", None, None, 10**8 + 1, None], "reply-power"),
        ([1, ID, "measured", None, None, True, None], "reply-power"),
        ([1, ID, "measured", None, None, None, -1], "reply-time"),
        ([2, ID, 0, 0, 0], "reply-duration"), ([2, "x", 1, 0, 0], "reply-nonce"),
        ([2, ID, 1, -1, 0], "reply-version"), ([2, ID, 1, 0, None], "reply-version"),
    ],
)  # fmt: skip
def test_what_is_said_in_another_form_is_refused(fields, reason):
    with pytest.raises(WireFault) as fault:
        command.decode_reply(cbor2.dumps(fields))
    assert fault.value.reason == reason


def test_a_word_of_a_later_release_is_carried():
    said = command.decode_reply(cbor2.dumps([1, ID, "refused", "moon-phase", None, None, None]))
    assert said.why == "moon-phase" and said.why not in command.WHY


@pytest.mark.parametrize(
    "fields", [[], [None], [None, None, None], [b"", None], ["k", None], [None, bytes(17_000)], {}]
)
def test_a_bundle_of_another_form_is_refused(fields):
    with pytest.raises(WireFault):
        command.decode_bundle(cbor2.dumps(fields))


DECODERS = (command.decode_command, command.decode_control, command.decode_reply, command.decode_bundle)


@examples(times=2)
@given(st.binary(max_size=120))
def test_nonsense_raises_a_wire_fault_or_nothing(payload):
    for decode in DECODERS:
        with contextlib.suppress(WireFault):
            decode(payload)


plain = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**64), 2**64 - 1) | st.text(max_size=4) | st.binary(max_size=9),
    lambda inner: st.lists(inner, max_size=8) | st.dictionaries(st.integers(0, 13), inner, max_size=12),
    max_leaves=14,
)


@given(plain)
def test_sound_cbor_of_any_other_meaning_raises_a_wire_fault_or_nothing(value):
    payload = cbor2.dumps(value, canonical=True)
    for decode in DECODERS:
        with contextlib.suppress(WireFault):
            decode(payload)


@pytest.mark.parametrize("decode", DECODERS)
def test_a_hundred_kilobytes_are_refused_by_their_length(decode):
    for nonsense in (bytes(100_000), b"\x9b" * 100_000, b"\xd2" * 100_000):
        with pytest.raises(WireFault, match="too-long"):
            decode(nonsense)
