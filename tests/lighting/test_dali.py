"""Frames of IEC 62386-102, and the dimming curve against its formula and published points."""

from decimal import Decimal

import pytest

from lighting import dali


@pytest.mark.parametrize(
    ("step", "frame"),
    [
        # as the bridge's maker publishes them: al-dali-pi, DALI/Address_Read_Power.py and DALI/DALI_Monitor.py
        (dali.special(dali.DTR1, 4), 0xC304),
        (dali.special(dali.DTR0, 3), 0xA303),
        (dali.command(2, dali.READ_MEMORY_LOCATION), 0x05C5),
        (dali.command(0, dali.QUERY_ACTUAL_LEVEL), 0x01A0),
        (dali.arc_power(dali.BROADCAST, 254), 0xFEFE),
        # as dali_py prints a recording (SevenLab)
        (dali.command(dali.BROADCAST, dali.OFF), 0xFF00),
        (dali.command(63, dali.QUERY_STATUS), 0x7F90),
        (dali.arc_power(5, 128), 0x0A80),
    ],
)
def test_a_frame_is_what_others_send(step, frame):
    assert step.frame == frame


def test_only_configuration_goes_out_twice_and_only_queries_are_answered():
    assert dali.command(0, dali.ENABLE_WRITE_MEMORY)[1:] == (True, False)
    assert dali.command(0, dali.OFF)[1:] == (False, False)
    assert dali.command(0, dali.QUERY_STATUS)[1:] == (False, True)
    assert dali.command(0, dali.READ_MEMORY_LOCATION)[1:] == (False, True)
    assert dali.special(dali.DTR0, 0)[1:] == (False, False)


@pytest.mark.parametrize("address", [-1, 64, 128])
def test_an_address_that_is_none_is_our_own_bug(address):
    with pytest.raises(AssertionError):
        dali.command(address, dali.OFF)


def light(level):
    """% of light of a level on the standard curve."""
    return Decimal(10) ** (Decimal(level - 1) * 3 / 253 - 1)


@pytest.mark.parametrize(
    ("level", "percent"),
    [(1, "0.1"), (10, "0.128"), (127, "3.12"), (229, "50.53"), (244, "76.11"), (254, "100")],
)
def test_the_formula_is_the_published_curve(level, percent):
    """Points of the curve that users of two gateways print (Lunatone DALI Cockpit, LogicMachine)."""
    assert abs(light(level) - Decimal(percent)) < Decimal(percent) / 200


@pytest.mark.parametrize("percent", range(1, 101))
def test_each_percent_has_the_nearest_level_of_the_curve(percent):
    """Nearest on the curve's own logarithmic scale: no other level is a smaller step for the eye."""
    level = dali.level_of(percent, dali.LOGARITHMIC)
    ratio = [abs((light(other) / percent).ln()) for other in range(1, 255)]
    assert ratio[level - 1] == min(ratio)


def test_off_is_off_and_full_is_full_on_either_curve():
    for curve in (dali.LOGARITHMIC, dali.LINEAR):
        assert dali.level_of(0, curve) == 0 and dali.level_of(100, curve) == 254
        assert dali.percent_of(0, curve) == 0 and dali.percent_of(254, curve) == 100
        assert dali.percent_of(255, curve) is None
    assert [dali.level_of(percent, dali.LINEAR) for percent in (1, 50, 99)] == [3, 127, 251]


@pytest.mark.parametrize("curve", [dali.LOGARITHMIC, dali.LINEAR])
def test_a_level_read_back_is_the_percent_that_was_told(curve):
    for percent in range(1, 99):
        level = dali.level_of(percent, curve)
        back = dali.percent_of(level, curve)
        assert dali.level_of(back, curve) == level
        assert back == min(other for other in range(1, 101) if dali.level_of(other, curve) == level)


def test_what_is_lit_is_at_least_one_percent():
    assert dali.percent_of(1, dali.LOGARITHMIC) == 1
    assert [dali.percent_of(level, dali.LOGARITHMIC) for level in range(1, 255)] == sorted(
        dali.percent_of(level, dali.LOGARITHMIC) for level in range(1, 255)
    )
