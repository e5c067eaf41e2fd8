"""Records: round trips over all shapes, every vector, every bound, every reason, and the size of a street light's."""

import io
import re
from pathlib import Path

import cbor2
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.support.examples import examples
from tools.bench import street
from wire import cbor, event, limits, quantity, record
from wire.faults import WireFault
from wire.record import HOLDOVER, SYNCED, UNSET, Answer, EventBody, Record, Stamp

WIRE = Path(record.__file__).parent
VECTORS = Path(__file__).parent.parent / "vectors" / "records.txt"
# Raised by encoders about our own values; no bytes can bring them about.
REASONS_OF_ENCODERS = {"type", "integer-range"}

counts = st.integers(0, limits.SECONDS_MAX)
keys = st.integers(0, 256 * limits.CHANNELS_MAX - 1)
values = st.integers(-limits.READING_ABS_MAX, limits.READING_ABS_MAX)
readings = st.dictionaries(keys, values, min_size=1, max_size=limits.READINGS_MAX)
stamps = st.builds(Stamp, st.just(UNSET), counts, st.just(0)) | st.builds(
    Stamp, st.sampled_from((SYNCED, HOLDOVER)), counts, st.integers(0, limits.UNCERTAINTY_S_MAX)
)
scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(1 << 64), (1 << 64) - 1)
    | st.binary(max_size=60)
    | st.text(max_size=limits.TEXT_BYTES_MAX).filter(lambda text: len(text.encode()) <= limits.TEXT_BYTES_MAX)
)
nodes = st.none() | st.binary(min_size=limits.NODE_ID_BYTES, max_size=limits.NODE_ID_BYTES)
boots = st.tuples(st.none() | counts, st.none() | counts, scalars, scalars, scalars)
anchors = st.tuples(nodes, counts, counts, counts, counts)
gaps = st.tuples(nodes, counts, counts, st.none() | counts, scalars)
HOUSEKEEPING = {event.BOOT: boots, event.ANCHOR: anchors, event.GAP: gaps}
actives = st.sampled_from((None, True, False))
other_codes = st.integers(0, event.CODE_MAX).filter(lambda code: code not in HOUSEKEEPING)
events = st.builds(EventBody, other_codes, actives, st.none() | readings | st.lists(scalars, max_size=8)) | st.one_of(
    *[st.builds(EventBody, st.just(code), actives, detail.map(list)) for code, detail in sorted(HOUSEKEEPING.items())]
)
bodies = readings | events
records = st.builds(Record, st.integers(0, limits.BOOT_MAX), st.integers(0, limits.SEQUENCE_MAX), stamps, bodies)


def fault(payload):
    with pytest.raises(WireFault) as caught:
        record.decode_payload(payload)
    return caught.value.reason


def items_of(found):
    """A record in the plain types of an independent CBOR implementation, readings in the order of their keys."""
    body = found.body
    if isinstance(body, EventBody):
        body = [body.code, body.active] + ([] if body.detail is None else [_sorted(body.detail)])
    code = 0
    if found.stamp.quality != UNSET:
        code = 2 * found.stamp.uncertainty_s + {SYNCED: 1, HOLDOVER: 2}[found.stamp.quality]
    return [found.boot, found.sequence, found.stamp.seconds, code, _sorted(body)]


def _sorted(body):
    return dict(sorted(body.items())) if isinstance(body, dict) else body


def vectors():
    """Tuples (kind, bytes, meaning)."""
    for line in VECTORS.read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            left, meaning = line.split(" => ")
            kind, *groups = left.split()
            data = b""
            for group in groups:
                digits, _, times = group.partition("*")
                data += bytes.fromhex(digits.strip("-")) * int(times or 1)
            yield kind, data, meaning


def meaning_of(items):
    """What the vectors say of a record, from cbor2's items: nothing of ours takes part."""
    boot, sequence, seconds, code, body = items
    clock = f"{'synced' if code % 2 else 'holdover'} {seconds}~{(code - 1) // 2}" if code else f"unset {seconds}"
    if isinstance(body, dict):
        return f"{boot}/{sequence} {clock} {text_of(body)}"
    detail = text_of(body[2]) if len(body) == 3 else "-"
    return f"{boot}/{sequence} {clock} event {body[0]} {text_of(body[1])} {detail}"


def text_of(value):
    if isinstance(value, dict):
        return "{" + ",".join(f"{key}:{value[key]}" for key in sorted(value)) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(text_of, value)) + "]"
    if isinstance(value, bytes):
        return f"h'{value.hex()}'"
    if isinstance(value, str):
        return f'"{value}"'
    return {None: "null", True: "true", False: "false"}[value] if isinstance(value, bool | None) else str(value)


# --- vectors --------------------------------------------------------------------------------------


@pytest.mark.parametrize(("kind", "data", "meaning"), list(vectors()))
def test_a_vector_is_decoded_as_it_says(kind, data, meaning):
    decode = record.decode_payload if kind == "payload" else record.decode_answer
    if meaning.startswith("fault "):
        with pytest.raises(WireFault) as caught:
            decode(data)
        assert caught.value.reason == meaning[6:]
        return
    if kind == "answer":
        said = cbor2.loads(data)
        assert meaning == f"{text_of(said[0])}~{said[1]}"
        assert record.decode_answer(data) == Answer(*(said if len(said) > 2 else [*said, None, 0])[:4])
        return
    stream, sequence = io.BytesIO(data), []
    while stream.tell() < len(data):
        sequence.append(cbor2.CBORDecoder(stream, read_size=1).decode())
    assert meaning == " | ".join(map(meaning_of, sequence))
    found = decode(data)
    assert [items_of(one) for one in found] == sequence
    assert b"".join(map(record.encode, found)) == data


def test_the_vectors_cover_every_reason_of_the_decoders():
    used = set()
    for module in ("cbor", "record"):
        source = (WIRE / f"{module}.py").read_text(encoding="utf-8")
        for call in re.findall(r"(?:WireFault|_bounded)\(([^\n]*)\)", source):
            used |= set(re.findall(r'"([a-z0-9-]+)"', call))
    covered = {meaning[6:] for _, _, meaning in vectors() if meaning.startswith("fault ")}
    assert {"float", "indefinite", "boot", "event-detail"} <= used  # the expression above still finds them
    assert covered == used - REASONS_OF_ENCODERS


# --- round trips ----------------------------------------------------------------------------------


@examples(times=4)
@given(records)
def test_a_record_comes_back_from_its_bytes(made):
    try:
        payload = record.encode(made)
    except WireFault as refused:
        assert refused.reason == "too-long"
        return
    assert payload == cbor2.dumps(items_of(made))
    assert record.decode_payload(payload) == [made]
    assert repr(record.decode_payload(payload)[0].body) == repr(_in_order(made.body))


def _in_order(body):
    if isinstance(body, EventBody) and isinstance(body.detail, dict):
        return EventBody(body.code, body.active, _sorted(body.detail))
    return _sorted(body)


@given(st.lists(records.filter(lambda made: len(cbor2.dumps(items_of(made))) < 128), min_size=1, max_size=8))
def test_a_payload_of_many_records_comes_back(made):
    assert record.decode_payload(b"".join(map(record.encode, made))) == made


@given(bodies)
def test_a_body_has_one_form(body):
    encoded = record.encode_body(body)
    assert record.decode_body(encoded) == body
    assert record.encode_body(record.decode_body(encoded)) == encoded


@given(readings, st.randoms(use_true_random=False))
def test_the_order_in_which_readings_were_taken_does_not_show(body, random):
    entries = list(body.items())
    random.shuffle(entries)
    assert record.encode_body(dict(entries)) == record.encode_body(body)


def test_a_tuple_of_details_comes_back_as_a_list():
    body = EventBody(event.LEVEL_CHANGED, None, (70, 100, "policy", 3))
    assert record.decode_body(record.encode_body(body)).detail == [70, 100, "policy", 3]


# --- arbitrary and damaged bytes ------------------------------------------------------------------


def check_any(payload):
    try:
        found = record.decode_payload(payload)
    except WireFault as refused:
        assert refused.reason
        return
    assert b"".join(map(record.encode, found)) == bytes(payload)


@examples(times=16)
@given(st.binary(max_size=80))
@example(b"\x85" * 80)
@example(b"\x81" * 1024)
def test_any_bytes_give_records_of_these_very_bytes_or_a_fault(payload):
    check_any(payload)


@examples(times=8)
@given(
    st.lists(
        st.integers(-1, 1 << 33)
        | scalars
        | readings
        | st.dictionaries(keys | st.text(max_size=3), scalars, max_size=3)
        | st.lists(scalars | readings | st.lists(scalars, max_size=5), max_size=5),
        min_size=4,
        max_size=6,
    )
)
def test_any_cbor_near_a_record_gives_records_or_a_fault(items):
    check_any(cbor2.dumps(items))


@examples(times=8)
@given(records, st.data())
def test_a_changed_byte_gives_another_record_or_a_fault(made, data):
    payload = bytearray(cbor2.dumps(items_of(made)))
    payload[data.draw(st.integers(0, len(payload) - 1))] ^= data.draw(st.integers(1, 255))
    check_any(payload)


# --- bounds ---------------------------------------------------------------------------------------


def test_a_payload_holds_as_many_records_as_the_bound_and_no_more():
    one = record.encode(Record(1, 1, Stamp(UNSET, 1, 0), {1: 1}))
    assert len(record.decode_payload(one * limits.RECORDS_PER_PAYLOAD_MAX)) == limits.RECORDS_PER_PAYLOAD_MAX
    assert fault(one * (limits.RECORDS_PER_PAYLOAD_MAX + 1)) == "records"


def test_a_payload_has_as_many_bytes_as_the_bound_and_no_more():
    def made(size):
        return Record(1, 1, Stamp(UNSET, 1, 0), EventBody(event.RAW, None, [None, "x", bytes(size)]))

    overhead = len(record.encode(made(1000))) - 1000
    longest = made(limits.CBOR_BYTES_MAX - overhead)
    payload = record.encode(longest)
    assert len(payload) == limits.CBOR_BYTES_MAX
    assert record.decode_payload(payload) == [longest]
    assert fault(payload + b"\x00") == "too-long"
    with pytest.raises(WireFault, match="too-long"):
        record.encode(made(limits.CBOR_BYTES_MAX - overhead + 1))


def test_an_uncertainty_beyond_a_day_is_written_as_a_day():
    made = Record(1, 1, Stamp(HOLDOVER, 5, 10 * limits.UNCERTAINTY_S_MAX), {1: 1})
    assert record.decode_payload(record.encode(made))[0].stamp == Stamp(HOLDOVER, 5, limits.UNCERTAINTY_S_MAX)


@given(stamps)
def test_quality_and_uncertainty_come_back_from_their_code(stamp):
    code = record.quality_code(stamp)
    assert 0 <= code <= record.QUALITY_CODE_MAX
    assert record.stamp_from_code(stamp.seconds, code) == stamp


def test_a_synchronised_clock_within_eleven_seconds_takes_one_byte():
    assert record.quality_code(Stamp(SYNCED, 0, 11)) < 24 <= record.quality_code(Stamp(SYNCED, 0, 12))


@given(
    st.none() | counts,
    st.integers(0, limits.UNCERTAINTY_S_MAX),
    st.none() | st.integers(0, limits.LEASE_S_MAX),
    st.integers(0, limits.WAITING_MAX),
)
def test_an_answer_comes_back(unix_s, uncertainty_s, lease_s, waiting):
    answer = Answer(unix_s, uncertainty_s, lease_s, waiting)
    payload = record.encode_answer(answer)
    assert payload == cbor2.dumps(list(answer))
    assert record.decode_answer(payload) == answer
    assert record.decode_answer(cbor2.dumps([*answer, "newer"])) == answer


@given(st.none() | counts, st.integers(0, limits.UNCERTAINTY_S_MAX))
def test_an_answer_of_two_elements_lends_nothing_and_nothing_waits(unix_s, uncertainty_s):
    assert record.decode_answer(cbor2.dumps([unix_s, uncertainty_s])) == Answer(unix_s, uncertainty_s, None, 0)


@pytest.mark.parametrize("more", [[-1], [limits.LEASE_S_MAX + 1], [True], [None, -1], [None, 256], [None, None]])
def test_an_answer_with_a_lease_or_a_count_that_cannot_be_is_refused(more):
    with pytest.raises(WireFault, match="answer"):
        record.decode_answer(cbor2.dumps([1_790_000_000, 0, *more]))


@examples(times=6)
@given(st.binary(max_size=24))
def test_any_bytes_give_an_answer_or_a_fault(payload):
    try:
        answer = record.decode_answer(payload)
    except WireFault:
        return
    assert record.decode_answer(record.encode_answer(answer)) == answer


# --- lanes and sizes ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "lane"),
    [
        ({1: 1}, "telemetry"),
        (EventBody(event.LAMP_FAILURE, True, None), "alarm"),
        (EventBody(100, None, None), "alarm"),  # newer than this gateway
        (EventBody(event.GAP, None, [None, 1, 1, None, "lost"]), "event"),
        (EventBody(200, None, None), "event"),
    ],
)
def test_the_body_tells_the_lane(body, lane):
    assert record.lane(Record(1, 1, Stamp(UNSET, 1, 0), body)) == lane


def test_a_street_light_says_eight_readings_in_48_bytes():
    sizes = [len(record.encode(item.record)) for item in street.street(lamps=200)]
    assert all(len(item.record.body) == 8 for item in street.street())
    assert max(sizes) <= 48


def test_the_worst_of_a_street_light_is_48_bytes():
    worst = street.worst_case()
    assert len(worst.body) == 8 and worst.body[quantity.ENERGY] == (1 << 32) - 1
    assert len(record.encode(worst)) == len(cbor2.dumps(items_of(worst))) == 48


def test_a_kept_buffer_of_one_datagram_takes_record_after_record():
    writer = cbor.Writer(bytearray(limits.DATAGRAM_BYTES_MAX))
    made = [item.record for item in street.street(lamps=5)]
    for one in made:
        record.write(writer, one)
    assert record.decode_payload(writer.view()) == made


def test_a_record_that_does_not_fit_can_be_dropped_from_the_buffer():
    writer = cbor.Writer(bytearray(60))
    small = Record(1, 1, Stamp(UNSET, 1, 0), {1: 1})
    record.write(writer, small)
    kept = writer.length
    with pytest.raises(WireFault, match="too-long"):
        record.write(writer, Record(1, 2, Stamp(UNSET, 1, 0), dict.fromkeys(range(8), 1 << 40)))
    writer.length = kept
    assert record.decode_payload(bytes(writer.view())) == [small]
