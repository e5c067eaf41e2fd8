"""The table of quantities: unique, standard units, and labels that lead back to their key."""

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from wire import limits, quantity, quantity_table

# RFC 8428 section 12.1, copied by hand. Those that it marks as not recommended are left out.
SENML_UNITS = {
    *("m", "kg", "s", "A", "K", "cd", "mol", "Hz", "rad", "sr", "N", "Pa", "J", "W", "C", "V", "F", "Ohm"),
    *("S", "Wb", "T", "H", "Cel", "lm", "lx", "Bq", "Gy", "Sv", "kat", "m2", "m3", "m/s", "m/s2", "m3/s"),
    *("W/m2", "cd/m2", "bit", "bit/s", "lat", "lon", "pH", "dB", "dBW", "count", "/", "%RH", "%EL", "EL"),
    *("1/s", "S/m"),
}
# RFC 8798: the units that section 2 adds, and the secondary units of section 3.
SECONDARY_UNITS = {
    *("B", "VA", "VAs", "var", "vars", "J/m", "kg/m3"),
    *("ms", "min", "h", "MHz", "kW", "kVA", "kvar", "Ah", "Wh", "kWh", "varh", "kvarh", "kVAh", "Wh/km", "KiB"),
    *("GB", "Mbit/s", "B/s", "MB/s", "mV", "mA", "dBm", "ug/m3", "mm/h", "m/h", "ppm", "/100", "/1000", "hPa"),
    *("mm", "cm", "km", "km/h"),
}
# What one would ask of a light, a room or a garden: one byte a key.
COMMON = (
    *("power", "voltage", "current", "energy", "level-ordered", "temp", "pf", "lamp-hours", "lux", "humidity"),
    *("setpoint", "duty", "co2", "occupancy", "volume", "flow", "soil", "rain", "battery", "rssi"),
)


def test_codes_and_names_are_unique():
    assert len(quantity_table.BY_CODE) == len(quantity_table.BY_NAME) == len(quantity_table.TABLE)


@pytest.mark.parametrize("entry", quantity_table.TABLE, ids=lambda entry: entry.name)
def test_an_entry_is_sane(entry):
    assert 0 < entry.code < quantity.CHANNEL_STEP
    # RFC 8428 section 4.5.1: what a name may hold; no dot, which separates the channel.
    assert re.fullmatch(r"[a-z][a-z0-9-]*", entry.name)
    assert not re.fullmatch(r"q[0-9]+", entry.name)
    assert entry.unit in SENML_UNITS | SECONDARY_UNITS
    assert -6 <= entry.exponent <= 0
    assert entry.low < entry.high
    assert max(abs(entry.low), entry.high) <= limits.READING_ABS_MAX


def test_common_quantities_have_keys_of_one_byte():
    assert all(quantity_table.BY_NAME[name].code < 24 for name in COMMON)


def test_each_constant_names_its_row():
    constants = {value for name, value in vars(quantity).items() if name.isupper() and isinstance(value, int)} - {
        quantity.CHANNEL_STEP
    }
    assert constants == set(quantity_table.BY_CODE)


def test_the_contract_of_the_first_codes_never_changes():
    """Records of these are in warehouses: a new scale is a new code."""
    scales = [(entry.code, entry.name, entry.unit, entry.exponent) for entry in quantity_table.TABLE[:8]]
    assert scales == [
        (1, "power", "W", -1),
        (2, "voltage", "V", -1),
        (3, "current", "A", -3),
        (4, "energy", "Wh", 0),
        (5, "level-ordered", "/", -2),
        (6, "temp", "Cel", -2),
        (7, "pf", "/", -2),
        (8, "lamp-hours", "h", 0),
    ]


@given(st.integers(0, quantity.CHANNEL_STEP * limits.CHANNELS_MAX - 1))
def test_a_label_leads_back_to_its_key(key):
    label = quantity_table.label(key)
    assert re.fullmatch(r"[a-zA-Z0-9][a-zA-Z0-9.:/_-]*", label)
    assert quantity_table.key_from_label(label) == key


def test_labels_of_a_channel_and_of_an_unknown_quantity():
    assert quantity_table.label(quantity.TEMPERATURE) == "temp"
    assert quantity_table.label(quantity.key(quantity.TEMPERATURE, 1)) == "temp.1"
    assert quantity_table.label(quantity.key(77)) == "q77"
    assert quantity_table.label(quantity.key(77, 63)) == "q77.63"


@pytest.mark.parametrize(
    "name",
    [
        *("", ".", ".1", "temp.", "temp.0", "temp.01", "temp.-1", "temp.1.1", "temp.x", "temp. 1", "Temp"),
        *("q", "q6", "q256", "q077", "q-1", "qq", "x77", "q77.0", "temp.1000", "q" + "7" * 5000),
        *("temp.\u00b2", "temp.\u0663", "q\u0667\u0667", "q7\u00b9", "temp." + "9" * 5000),  # digits of others
    ],
)
def test_a_label_of_nobody_is_none(name):
    assert quantity_table.key_from_label(name) is None


@given(st.text(alphabet="tempq.0123456789\u00b2\u0663-", max_size=12) | st.text())
@example("temp.63")
@example("q255")
def test_any_text_is_the_label_of_its_key_or_of_none(name):
    key = quantity_table.key_from_label(name)
    assert key is None or quantity_table.label(key) == name


def test_the_range_is_inclusive_and_an_unknown_quantity_has_none():
    on_channel = quantity.key(quantity.TEMPERATURE, 3)
    assert [quantity_table.in_range(on_channel, value) for value in (-5001, -5000, 12500, 12501)] == [
        False,
        True,
        True,
        False,
    ]
    assert quantity_table.in_range(quantity.key(77), 1 << 60)
