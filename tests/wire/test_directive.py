"""What a gateway tells nodes: it comes back, within its bounds, and whatever else comes is refused with a reason."""

import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.examples import examples
from wire import command, directive, limits
from wire.faults import WireFault


def bounds(code):
    """Of a value in an answer: hours are told with the minute at which they begin."""
    return (0, limits.SECONDS_MAX // 60) if code in directive.HOURS else directive.TABLE[code][1:]


HELD = st.fixed_dictionaries(
    {},
    optional={
        code: st.tuples(st.integers(*bounds(code)), st.integers(0, directive.FOR_S_MAX)) for code in directive.TABLE
    },
)
OVERHEAD_BYTES = 50  # CoAP, OSCORE with both nonces, tag (node.limits)


@given(HELD)
def test_an_answer_comes_back_and_is_plain_cbor(held):
    payload = directive.encode(held)
    assert directive.decode(payload) == (held, 0)
    assert {code: tuple(pair) for code, pair in cbor2.loads(payload).items()} == held


def test_all_codes_at_their_longest_fit_one_datagram():
    low_high = {code: bounds(code) for code in directive.TABLE}
    held = {code: (low if low < 0 else high, directive.FOR_S_MAX) for code, (low, high) in low_high.items()}
    payload = directive.encode(held)
    assert len(payload) == 121 <= limits.DIRECTIVES_BYTES_MAX <= limits.DATAGRAM_BYTES_MAX - OVERHEAD_BYTES


@pytest.mark.parametrize(
    ("plain", "reason"),
    [
        ([], "directive-shape"),
        ({"7": [1, 1]}, "directive-shape"),
        ({7: 1}, "directive-shape"),
        ({7: [1]}, "directive-shape"),
        ({7: [1, 2, 3]}, "directive-shape"),
        ({7: [5, 60]}, "directive-value"),
        ({7: [-1, 60]}, "directive-value"),
        ({7: [True, 60]}, "directive-value"),
        ({7: [None, 60]}, "directive-value"),
        ({7: [1, -1]}, "directive-duration"),
        ({7: [1, directive.FOR_S_MAX + 1]}, "directive-duration"),
        ({7: [1, "60"]}, "directive-duration"),
        ({8: [2.5, 60]}, "float"),
        ({code: [0, 0] for code in range(17, 34)}, "items"),
    ],
)
def test_what_is_not_sound_is_refused_with_its_reason(plain, reason):
    with pytest.raises(WireFault) as fault:
        directive.decode(cbor2.dumps(plain, canonical=True))
    assert fault.value.reason == reason


@examples(times=2)
@given(st.binary(max_size=200))
def test_no_bytes_raise_anything_else(payload):
    try:
        directive.decode(payload)
    except WireFault as fault:
        assert fault.reason
    try:
        directive.decode_question((payload, b"c=" + payload, b"k=" + payload))
    except WireFault as fault:
        assert fault.reason == "directive-question"


def test_codes_of_tomorrow_are_counted_and_cost_nothing_else():
    payload = cbor2.dumps({7: [2, 60], 13: "whatever", 63: [1, 2, 3]}, canonical=True)
    assert directive.decode(payload) == ({7: (2, 60)}, 2)


def test_nobody_sends_what_the_peer_refuses():
    hours = {11: (-1, 60)}, {12: (limits.SECONDS_MAX, 60)}
    for held in ({7: (5, 60)}, {13: (0, 0)}, {7: (1, directive.FOR_S_MAX + 1)}, *hours):
        with pytest.raises(WireFault):
            directive.encode(held)


@given(st.sets(st.sampled_from(sorted(directive.TABLE))), st.sampled_from(("irrigation", "thermostat", "a")))
def test_a_question_comes_back(codes, kind):
    query = directive.encode_question(kind, codes)
    assert directive.decode_question(query) == (kind, tuple(sorted(codes)))
    assert sum(map(len, query)) <= len(kind) + 8


def test_a_question_without_kind_or_codes_wants_all_and_parts_of_tomorrow_are_ignored():
    assert directive.decode_question(()) == (None, None)
    assert directive.decode_question((b"v=2", b"k=streetlight", b"")) == ("streetlight", None)


@pytest.mark.parametrize(
    "query", [b"k=", b"k=" + 17 * b"a", b"k=A", b"k=a b", b"c=", b"c=x", b"c=" + 17 * b"f", b"c=-1"]
)
def test_a_question_that_makes_no_sense_is_refused(query):
    with pytest.raises(WireFault, match="directive-question"):
        directive.decode_question((query,))


def test_each_code_has_a_longest_time_and_several_have_the_shortest_of_theirs():
    assert set(command.DIRECTIVE_S_MAX) | set(directive.HOURS) == set(directive.TABLE)
    assert command.directive_s_max((directive.DROUGHT_LEVEL, directive.WIND_SPEED)) == 3 * 3600
