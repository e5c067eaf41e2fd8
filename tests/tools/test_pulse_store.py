"""What the irrigation board stores for a pulse is enough for a coil, is back before the next, and a short is seen: the
figures of hardware/nodes/irrigation.toml against those that the firmware lives by."""

import tomllib

import pytest

from kinds import irrigation
from policy.fault import Faults
from tests.conftest import ROOT
from tests.support.green import plain
from watering import limits

NODE = tomllib.loads((ROOT / "hardware" / "nodes" / "irrigation.toml").read_text(encoding="utf-8"))
FARAD = NODE["capacitor"]["microfarad"] / 1e6
FULL_V, CHARGE_A = NODE["boost"]["full_mv"] / 1000, NODE["boost"]["charge_ma"] / 1000
# DRV8871, SLVSCY9: it stops below 6.1 V (VUVLO), and regulates between 59 and 69 kV over R_ILIM (VILIM).
STOPS_V, LIMIT_LEAST = 6.1, 59 / 64
COIL_OHM = 6
CHARGED = 0.9  # of kinds.irrigation and watering.lockouts


def pulsed(for_ms):
    """(volts left, ms during which the bridge worked, charge that the coil took) of a pulse from a full capacitor."""
    volts, worked_ms, taken = FULL_V, 0, 0.0
    for _ in range(10 * for_ms):
        amperes = volts / COIL_OHM if volts > STOPS_V else 0
        worked_ms += 0.1 if amperes else 0
        taken += amperes * 1e-4
        volts = min(FULL_V, volts + (CHARGE_A - amperes) * 1e-4 / FARAD)
    return volts, worked_ms, taken


def test_a_coil_of_six_ohm_has_its_voltage_for_as_long_as_latching_coils_want():
    assert pulsed(100)[1] >= 50
    assert pulsed(50)[1] == pytest.approx(50, abs=0.2)


@pytest.mark.parametrize("pulse_ms", [50, 100])
def test_the_capacitor_is_full_again_before_the_next_valve(pulse_ms):
    """Nine latching valves are shut within the boot's two seconds, each from a capacitor that is charged."""
    volts = pulsed(pulse_ms)[0]
    again_ms = 1000 * (CHARGED * FULL_V - volts) * FARAD / CHARGE_A
    assert again_ms <= 100 + limits.SELECT_MS
    assert 9 * (pulse_ms + 100 + limits.SELECT_MS) <= limits.BOOT_CLOSE_MS


def test_from_empty_it_is_charged_before_it_is_looked_at():
    """Also from a cold cell, whose converter gives a fifth."""
    assert 1000 * FULL_V * FARAD / (CHARGE_A / 5) < limits.CHARGE_MS


def test_what_settings_without_a_battery_reckon_for_a_pulse_covers_one_of_100_ms():
    faults = Faults()
    own = irrigation.decode(faults, plain())
    assert not faults.count() and (own.capacity_mah, own.boost_mv, own.sleeps) == (2600, 12_000, False)
    stored_mj = 1000 * FARAD * FULL_V**2 / 2
    assert stored_mj > 600, "a pulse of 9 V, 1.5 A, 50 ms"
    added_mj = 100 * CHARGE_A * FULL_V
    assert own.pulse_mj >= (stored_mj + added_mj) * 1.05


def test_a_short_lies_between_what_a_coil_draws_and_what_the_bridge_lets_through():
    for name in ("zones", "master"):
        assert LIMIT_LEAST * NODE[name]["limit_ma"] > limits.LATCH_SHORT_MA * 1.1
    assert limits.LATCH_SHORT_MA > 1.2 * 1000 * FULL_V / COIL_OHM


def test_the_shunt_tells_a_short_and_an_open_coil():
    """INA226, SBOS547: 2.5 uV a count, 15 bits, an offset of 10 uV."""
    shunt_uohm = NODE["coil"]["shunt_microohm"]
    assert 32_767 * 2.5 * 1000 / shunt_uohm > 2 * max(NODE["zones"]["limit_ma"], limits.LATCH_SHORT_MA)
    assert 10 * 1000 / shunt_uohm < limits.LATCH_OPEN_MA / 100
