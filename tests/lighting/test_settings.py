"""A streetlight's settings: files of today, defaults, and every fault named at once."""

import pytest

import kinds
from lighting import settings
from policy import lighting
from policy.fault import Faults

TODAY = {"site": [474736, -5516], "lamp": [360, 6]}
KIND = kinds.load("streetlight")


def decoded(**more):
    faults = Faults()
    return KIND.decode(faults, {**TODAY, **more}), [(fault.path, fault.problem) for fault in faults.listed()]


def test_a_file_of_today_is_a_dimmed_lamp_without_extras():
    own, faults = decoded()
    assert not faults
    assert own.calendar == lighting.DEFAULT_CALENDAR
    assert (own.output, own.feeder, own.fail_safe, own.virtual_output, own.gradient) == (
        "0-10v",
        "permanent",
        100,
        100,
        100,
    )
    assert own.photocell is None and own.presence is None and own.clo == ()


def test_an_empty_map_means_fitted_with_the_defaults():
    own, faults = decoded(photocell={}, presence={}, output="dali")
    assert not faults
    assert own.photocell == settings.Cell(35, 55, "bh1750")
    assert own.presence == settings.Detector(100, 1000, 45, 30, 240, 0)
    assert own.dali == settings.Dali(127, "log")


def test_everything_can_be_said():
    own, faults = decoded(
        output="dali",
        dali={"address": 5, "curve": "linear"},
        feeder="switched",
        photocell={"on_lx": 20, "off_lx": 40, "part": "veml7700"},
        presence={"level": 80, "hold_s": 60, "in_extinction": 1},
        clo=[[0, 80], [20000, 100]],
        lamp_hours=[20261124, 12_000],
        gradient=115,
        voltage=[2000, 2600],
    )
    assert not faults
    assert own.dali == (5, "linear") and own.presence.level == 80 and own.clo == ((0, 80), (20000, 100))
    assert own.lamp_hours == (20261124, 12_000)


@pytest.mark.parametrize(
    ("more", "path"),
    [
        ({"output": "dmx"}, "output"),
        ({"output": []}, "output"),
        ({"feeder": 1}, "feeder"),
        ({"fail_safe": 0}, "fail_safe"),
        ({"dali": 7}, "dali"),
        ({"dali": {"address": 64}}, "dali.address"),
        ({"dali": {"curve": "exp"}}, "dali.curve"),
        ({"dali": {"adress": 1}}, "dali.adress"),
        ({"photocell": True}, "photocell"),
        ({"photocell": {"part": "ldr"}}, "photocell.part"),
        ({"photocell": {"on_lx": 60}}, "photocell.off_lx"),
        ({"photocell": {"on_lx": "dark"}}, "photocell.on_lx"),
        ({"presence": []}, "presence"),
        ({"presence": {"up_ms": 1600}}, "presence.up_ms"),
        ({"presence": {"hold": 3}}, "presence.hold"),
        ({"clo": 5}, "clo"),
        ({"clo": [[0, 80], [0, 90]]}, "clo"),
        ({"clo": [[0, 5]]}, "clo[0][1]"),
        ({"clo": [[n, 90] for n in range(9)]}, "clo"),
        ({"lamp_hours": 5}, "lamp_hours"),
        ({"lamp_hours": [20260231, 0]}, "lamp_hours[0]"),
        ({"lamp_hours": [3, 0]}, "lamp_hours[0]"),
        ({"lamp_hours": ["today", 0]}, "lamp_hours[0]"),
        ({"lamp_hours": [20261124, -1]}, "lamp_hours[1]"),
        ({"voltage": [2500, 2000]}, "voltage"),
        ({"voltage": [2500]}, "voltage"),
        ({"gradient": 0}, "gradient"),
        ({"power_tolerance": -1}, "power_tolerance"),
        ({"warm_up_s": 1.5}, "warm_up_s"),
        ({"calendar": [1, [], []]}, "calendar.rules"),
        ({"lamp": [0, 6]}, "lamp[0]"),
    ],
)
def test_a_fault_names_its_field(more, path):
    assert path in [found for found, _ in decoded(**more)[1]]


def test_all_faults_are_told_at_once():
    faults = decoded(output="x", feeder="y", presence={"level": 0}, clo=[[1]])[1]
    assert {path for path, _ in faults} == {"output", "feeder", "presence.level", "clo[0]"}
