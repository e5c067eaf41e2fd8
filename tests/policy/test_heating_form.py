"""The plain-data form of a heating programme: what it says is what is run, and each fault is named with its place."""

import pytest

from policy import heating, heating_form

SOUND = [
    1,
    [[127, 20261219, 20270103, 1], [0b0011011, 0, 0, 0]],
    [[[510, 720], [810, 990, 1850]], []],
    [1900, 1600, 1600, 800],
    [[0, 1800, 0, 0, "Conseil municipal", "Délibération 2026-41"]],
    [[0, 2200, 20261101, 20270331, "Préfet", "Arrêté 2026-12"]],
]


def altered(change):
    data = [list(part) if isinstance(part, list) else part for part in SOUND]
    change(data)
    return data


def test_a_sound_programme_comes_back_as_it_went():
    programme, faults = heating_form.decode(SOUND)
    assert faults == ()
    assert heating_form.encode(programme) == SOUND
    assert programme.days[0][1] == heating.Span(810, 990, 1850)


def test_the_default_programme_has_a_plain_form():
    plain = heating_form.encode(heating.DEFAULT_PROGRAMME)
    assert heating_form.decode(plain)[0] == heating.DEFAULT_PROGRAMME


@pytest.mark.parametrize(
    ("change", "path"),
    [
        (lambda d: d.__setitem__(0, 2), "version"),
        (lambda d: d.pop(), "programme"),
        (lambda d: d.__setitem__(1, []), "rules"),
        (lambda d: d.__setitem__(1, [[0, 0, 0, 0]]), "rules[0].weekdays"),
        (lambda d: d.__setitem__(1, [[127, 0, 0, 2]]), "rules[0].day"),
        (lambda d: d.__setitem__(1, [[127, 20261301, 20261302, 0]]), "rules[0].first"),
        (lambda d: d.__setitem__(1, [[127, 20270103, 20261219, 0]]), "rules[0].last"),
        (lambda d: d.__setitem__(2, [[[600, 500]]] * 2), "days[0][0].to"),
        (lambda d: d.__setitem__(2, [[[600, 700], [690, 800]]] * 2), "days[0][1].from"),
        (lambda d: d.__setitem__(2, [[[600, 1441]]] * 2), "days[0][0].to"),
        (lambda d: d.__setitem__(2, [[[600, 700, 3500]]] * 2), "days[0][0].setpoint"),
        (lambda d: d.__setitem__(3, [1900, 1600, 1700, 800]), "setpoints"),
        (lambda d: d.__setitem__(3, [1900, 1600, 1600, 400]), "setpoints[3]"),
        (lambda d: d.__setitem__(5, [[0, 2200, 0, 0, "Préfet", "Arrêté"]]), "exemptions[0].first"),
        (lambda d: d.__setitem__(5, [[0, 2200, 20261101, 20270331, "", "Arrêté"]]), "exemptions[0].authority"),
        (lambda d: d.__setitem__(5, [[0, 2200, 20261101, 20270331, "Préfet", "é" * 61]]), "exemptions[0].text"),
        (lambda d: d.__setitem__(4, [[3, 1800, 0, 0, "a", "b"]]), "ceilings[0].kind"),
    ],
)
def test_each_fault_is_named_with_its_place_and_a_remedy(change, path):
    faults = heating_form.validate(altered(change))
    assert path in [fault.path for fault in faults]
    assert all(fault.problem and fault.remedy for fault in faults)
    assert heating_form.decode(altered(change))[0] is None


@pytest.mark.parametrize("data", [None, 7, "x", [], [1, 2, 3, 4], [1, [None], [[None]], [True] * 4, {}, 3.5]])
def test_whatever_is_given_it_never_raises(data):
    assert heating_form.decode(data)[0] is None
    assert heating_form.validate(data)
