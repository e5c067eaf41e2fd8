"""The policy document: round trips, all faults at once, and nothing that raises."""

import copy

import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from policy import document, lighting, limits
from policy.document import FeederRule, Operator
from tests.support.commune import LIGHTING, ON_CALL, POLICY, PUBLISHED, SAFE
from tests.support.drawn_messages import policies
from tests.support.examples import examples
from wire import command

PLAIN = cbor2.loads(document.encode(POLICY))


def encoded(data):
    return cbor2.dumps(data, canonical=True)


def paths(data):
    policy, faults = document.decode(encoded(data))
    assert policy is None
    assert all(fault.problem and fault.remedy for fault in faults)
    return [fault.path for fault in faults]


def changed(value, *path):
    data = copy.deepcopy(PLAIN)
    at = data
    for key in path[:-1]:
        at = at[key]
    at[path[-1]] = value
    return data


def test_a_policy_comes_back():
    assert document.decode(document.encode(POLICY)) == (POLICY, ())


@given(policies())
def test_any_sound_policy_comes_back_and_is_deterministic_cbor(policy):
    payload = document.encode(policy)
    assert document.decode(payload) == (policy, ())
    assert payload == encoded(cbor2.loads(payload))


def test_later_sections_are_neither_read_nor_refused():
    data = changed({1: [21, 17], "eco": [[5, 1200], None, True]}, 8)
    data[9], data[10] = [], b"later"
    assert document.decode(encoded(data)) == (POLICY, ())


def test_a_policy_without_limits_and_operators_is_sound():
    bare = POLICY._replace(lighting=LIGHTING._replace(limits=()), operators=())
    assert document.decode(document.encode(bare)) == (bare, ())
    data = cbor2.loads(document.encode(bare))
    assert 11 not in data and 4 not in data[7]


@pytest.mark.parametrize(
    ("data", "path"),
    [
        (changed(1, 1), "format"),
        (changed(True, 1), "format"),
        (changed(0, 2), "version"),
        (changed(2**32, 2), "version"),
        (changed("4913", 3), "insee"),
        (changed(49135, 3), "insee"),
        (changed(limits.unix_min_s - 1, 4), "valid_from_s"),
        (changed("2027", 5), "valid_until_s"),
        (changed(POLICY.valid_from_s, 5), "valid_until_s"),
        (changed("Conseil", 6), "authority"),
        (changed(["", "x"], 6), "authority"),
        (changed(["x", "y\n"], 6), "text"),
        (changed(1, 12), ""),
        (changed(1, "lighting"), ""),
        (changed([], 7), "lighting"),
        (changed(1, 7, 5), "lighting"),
        (changed([475720], 7, 1), "lighting.site"),
        (changed(-5940, 7, 1, 0), "lighting.site.latitude"),
        (changed(475720, 7, 1, 1), "lighting.site.longitude"),
        (changed([], 7, 2), "lighting.calendars"),
        (changed([PLAIN[7][2][0]] * (limits.calendars_max + 1), 7, 2), "lighting.calendars"),
        (changed(128, 7, 2, 0, 1, 0, 0), "lighting.calendars[0].rules[0].weekdays"),
        (changed([], 7, 3), "lighting.feeders"),
        (changed(["bourg", 1, 0], 7, 3, 0), "lighting.feeders[0]"),
        (changed("", 7, 3, 0, 0), "lighting.feeders[0].name"),
        (changed("x" * 25, 7, 3, 0, 0), "lighting.feeders[0].name"),
        (changed("*", 7, 3, 0, 0), "lighting.feeders[0].name"),
        (changed("rd-768", 7, 3, 0, 0), "lighting.feeders[1].name"),
        (changed("rues", 7, 3, 1, 0), "lighting.feeders"),
        (changed(2, 7, 3, 0, 1), "lighting.feeders[0].kind"),
        (changed(2, 7, 3, 0, 2), "lighting.feeders[0].calendar"),
        (changed(None, 7, 3, 0, 3), "lighting.feeders[0].group"),
        (changed([PLAIN[7][4][0]] * (limits.ceilings_max + 1), 7, 4), "lighting.limits"),
        (changed(["parcs", 1], 7, 4, 0), "lighting.limits[0]"),
        (changed("jardins", 7, 4, 0, 0), "lighting.limits[0].target"),
        (changed(5, 7, 4, 0, 1), "lighting.limits[0].kind"),
        (changed(1440, 7, 4, 0, 2), "lighting.limits[0].a"),
        (changed(60, 7, 4, 0, 3), "lighting.limits[0].b"),
        (changed(100, 7, 4, 1, 2), "lighting.limits[1].a"),
        (changed(50, 7, 2, 0, 2, 0, 0, 2), "lighting.calendars[0].programs[0][0].level"),
        (changed(181, 7, 4, 2, 3), "lighting.limits[2].b"),
        (changed("", 7, 4, 0, 4), "lighting.limits[0].authority"),
        (changed("é" * 61, 7, 4, 0, 5), "lighting.limits[0].text"),
        (changed(20270229, 7, 4, 0, 6), "lighting.limits[0].first"),
        (changed(714, 7, 4, 0, 6), "lighting.limits[0].first"),
        (changed(20261231, 7, 4, 2, 7), "lighting.limits[2].last"),
        (changed(4, 7, 4, 3, 2), "lighting.limits[3].a"),
        (changed(0, 7, 4, 3, 7), "lighting.limits[3].first"),
        (changed([["k", "n", 1, 0]], 11), "operators"),
        (changed([[bytes(32), "n", 1, 0]], 11), "operators"),
        (changed([[PUBLISHED.key, "n", 1, 0]], 11), "operators"),
        (changed([[SAFE.key, "n", 1, 0], [SAFE.key, "m", 1, 0]], 11), "operators"),
        (changed([[SAFE.key, "n", 1]], 11), "operators[0]"),
        (changed("", 11, 0, 1), "operators[0].name"),
        (changed(128, 11, 0, 2), "operators[0].rights"),
        (changed(0, 11, 0, 2), "operators[0].rights"),
        (changed(limits.unix_min_s - 1, 11, 0, 3), "operators[0].until_s"),
        (changed(None, 11, 0, 3), "operators[0].until_s"),
    ],
)
def test_a_fault_is_told_with_its_path_and_a_remedy(data, path):
    assert path in paths(data)


def test_every_fault_is_told_at_once():
    data = changed("x", 3)
    data[2], data[7][3][0][2], data[11][0][2] = 0, 9, 999
    assert paths(data) == ["version", "insee", "lighting.feeders[0].calendar", "operators[0].rights"]


@pytest.mark.parametrize("key", range(1, 8))
def test_no_part_may_be_missing(key):
    assert paths({other: value for other, value in PLAIN.items() if other != key}) == [""]


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b"", "truncated"),
        (document.encode(POLICY) + b"\x00", "trailing"),
        (document.encode(POLICY)[:-1], "truncated"),
        (b"\x80", "map"),
        (b"\xfb" + bytes(8), "float"),
        (b"\x81" * 11 + b"\x00", "depth"),
        (b"\xa1\x01" * 11 + b"\x00", "depth"),
        (cbor2.dumps([0] * 300), "items"),
        (bytes(100_000), "too-long"),
        (b"\x9b" * 100_000, "too-long"),
    ],
)
def test_what_is_no_document_is_one_fault(payload, reason):
    policy, faults = document.decode(payload)
    assert policy is None and len(faults) == 1
    assert reason in faults[0].problem


def test_a_town_at_all_its_limits_fits():
    feeders = tuple(
        FeederRule(f"depart-{number:03}", 1, number % 12, f"groupe-{number % 40:02}")
        for number in range(limits.feeders_max)
    )
    operators = tuple(
        Operator(bytes([number + 2]) * 32, f"Personne {number}", 7, 0) for number in range(limits.operators_max)
    )
    town = POLICY._replace(
        lighting=LIGHTING._replace(
            calendars=(lighting.DEFAULT_CALENDAR,) * limits.calendars_max,
            feeders=feeders,
            limits=tuple(
                one._replace(target="*") for one in LIGHTING.limits[:1] * limits.ceilings_max
            ),
        ),
        operators=operators,
    )
    payload = document.encode(town)
    assert len(payload) < command.POLICY_BYTES_MAX
    assert document.decode(payload) == (town, ())


plain = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 2**34) | st.text(max_size=3) | st.binary(max_size=33),
    lambda inner: st.lists(inner, max_size=8) | st.dictionaries(st.integers(1, 11), inner, max_size=9),
    max_leaves=25,
)


@given(plain)
def test_no_data_raises_and_none_is_half_accepted(data):
    policy, faults = document.decode(encoded(data))
    assert (policy is None) == bool(faults)
    assert len(faults) <= limits.faults_max


@given(st.sampled_from(range(1, 12)), plain)
def test_one_part_of_any_kind_does_not_raise(key, value):
    policy, faults = document.decode(encoded(changed(value, key)))
    assert (policy is None) == bool(faults)


@given(st.sampled_from((1, 2, 3, 4)), plain)
def test_one_part_of_the_lighting_section_of_any_kind_does_not_raise(key, value):
    policy, faults = document.decode(encoded(changed(value, 7, key)))
    assert (policy is None) == bool(faults)


@examples(times=2)
@given(st.binary(max_size=200))
def test_no_bytes_raise(payload):
    assert document.decode(payload)[0] is None


def test_the_section_is_built_with_the_zone_of_paris():
    assert document._lighting(PLAIN[7]).site == LIGHTING.site
    assert document.decode(document.encode(POLICY))[0].operators == (
        Operator(ON_CALL.key, ON_CALL.name, document.ALL_RIGHTS, 0),
    )
