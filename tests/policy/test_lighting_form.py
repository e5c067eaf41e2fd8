"""The plain-data form: sound calendars survive it, faulty ones are told all their faults and never raise."""

import copy

import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from policy import lighting, lighting_form, limits

SOUND = [
    1,
    [[48, 0, 0, 1], [127, 20260714, 20260714, 0], [127, 1101, 229, 0], [127, 0, 0, 0]],
    [[[1, 0, 100], [0, 1410, 0], [0, 300, 100], [2, 0, 0]], [[1, -15, 100], [2, 15, 0]], [[0, 720, 100, 1]]],
]


def faults_of(change):
    data = copy.deepcopy(SOUND)
    change(data)
    return lighting_form.validate(data)


def test_a_sound_calendar_survives_the_trip():
    calendar, faults = lighting_form.decode(SOUND)
    assert faults == ()
    assert lighting_form.encode(calendar) == SOUND
    assert lighting_form.decode(lighting_form.encode(calendar)) == (calendar, ())


@pytest.mark.parametrize("calendar", [lighting.DEFAULT_CALENDAR, lighting.DIMMING_CALENDAR])
def test_the_built_in_calendars_are_sound(calendar):
    assert lighting_form.decode(lighting_form.encode(calendar)) == (calendar, ())


def put(value, *path):
    def change(data):
        for key in path[:-1]:
            data = data[key]
        data[path[-1]] = value

    return change


@pytest.mark.parametrize(
    ("change", "path"),
    [
        (put(2, 0), "version"),
        (put([], 1), "rules"),
        (put("x", 2), "programs"),
        (put([[127, 0, 0, 0]] * (limits.lighting_rules_max + 1), 1), "rules"),
        (put(0, 1, 0, 0), "rules[0].weekdays"),
        (put(128, 1, 0, 0), "rules[0].weekdays"),
        (put(True, 1, 0, 0), "rules[0].weekdays"),
        (put(3, 1, 0, 3), "rules[0].program"),
        (put(230, 1, 2, 2), "rules[2].last"),
        (put(20250229, 1, 1, 1), "rules[1].first"),
        (put(19990101, 1, 1, 1), "rules[1].first"),
        (put(0, 1, 2, 2), "rules[2].last"),
        (put(20260713, 1, 1, 2), "rules[1].last"),
        (put([1, 0], 2, 0, 0), "programs[0][0]"),
        (put(3, 2, 0, 0, 0), "programs[0][0].reference"),
        (put(181, 2, 0, 0, 1), "programs[0][0].minutes"),
        (put(1440, 2, 0, 1, 1), "programs[0][1].minutes"),
        (put(-1, 2, 0, 1, 1), "programs[0][1].minutes"),
        (put(101, 2, 0, 0, 2), "programs[0][0].level"),
        (put(50.0, 2, 0, 0, 2), "programs[0][0].level"),
        (put(2, 2, 2, 0, 3), "programs[2][0].by_day"),
        (put(1380, 2, 0, 2, 1), "programs[0][2].minutes"),
        (put(100, 2, 0, 3, 2), "programs[0][3].level"),
        (put([[2, -60, 50], [1, 0, 100], [0, 300, 0]], 2, 0), "programs[0][1].reference"),
        (
            put([[1, 0, 100]] + [[0, 720 + i, 50] for i in range(limits.lighting_steps_max)], 2, 0),
            "programs[0]",
        ),
    ],
)
def test_a_fault_is_told_with_its_path_and_a_remedy(change, path):
    faults = faults_of(change)
    assert path in [fault.path for fault in faults]
    assert all(fault.problem and fault.remedy for fault in faults)


def test_a_calendar_at_all_its_limits_leaves_room_for_the_envelope():
    rules = [[127, 20991231, 20991231, limits.lighting_programs_max - 1]] * limits.lighting_rules_max
    steps = [[1, minutes, 100, 1] for minutes in range(-180, -180 + limits.lighting_steps_max)]
    steps[1:] = [[0, 1000 + i, 100, 1] for i in range(limits.lighting_steps_max - 1)]
    data = [1, rules, [steps] * limits.lighting_programs_max]
    assert lighting_form.validate(data) == ()
    assert len(cbor2.dumps(data)) <= 824


def test_every_fault_is_told_at_once():
    def change(data):
        put(0, 1, 0, 0)(data)
        put(9, 1, 3, 3)(data)
        put(101, 2, 0, 0, 2)(data)
        put(7, 2, 1, 0, 0)(data)

    paths = {fault.path for fault in faults_of(change)}
    assert paths == {
        "rules[0].weekdays",
        "rules[3].program",
        "programs[0][0].level",
        "programs[1][0].reference",
    }


def test_complaints_are_bounded_and_the_rest_is_counted():
    noise = [1, [["", "", "", ""]] * limits.lighting_rules_max, [[["", "", ""]] * limits.lighting_steps_max]]
    faults = lighting_form.validate(noise)
    assert len(faults) == limits.faults_max
    total = (
        4 * limits.lighting_rules_max + 2 * limits.lighting_steps_max
    )  # a step of unknown reference has two
    assert faults[-1].problem == f"{total - len(faults) + 1} more faults"


atoms = [
    st.integers(-5, 1500),
    st.integers(),
    st.booleans(),
    st.none(),
    st.text(max_size=2),
    st.floats(),
    st.binary(max_size=2),
]
plain = st.recursive(
    st.one_of(atoms),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.integers(0, 3), inner, max_size=2),
    max_leaves=20,
)


@given(plain)
def test_no_data_raises_and_none_is_half_accepted(data):
    calendar, faults = lighting_form.decode(data)
    assert (calendar is None) == bool(faults)


@given(st.lists(st.integers(0, 3), min_size=1, max_size=5), plain)
def test_damage_anywhere_is_told_or_yields_a_sound_calendar(path, value):
    data = copy.deepcopy(SOUND)
    place = data
    for key in path[:-1]:
        if isinstance(place, list) and place and isinstance(place[key % len(place)], list):
            place = place[key % len(place)]
    place[path[-1] % len(place)] = value
    calendar, faults = lighting_form.decode(data)
    assert (calendar is None) == bool(faults)
    if calendar is not None:
        assert lighting_form.decode(lighting_form.encode(calendar)) == (calendar, ())
