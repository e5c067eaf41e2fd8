"""D4i memory banks against published contents (tests/vectors/d4i.txt), and bytes that are not written."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lighting import dali_banks
from lighting.dali_banks import FIRST, Bank
from tests.support.examples import examples
from wire import quantity

CHANNEL = quantity.CHANNEL_STEP
FILE = Path(__file__).resolve().parent.parent / "vectors" / "d4i.txt"


def vectors():
    """[(bank, case, bytes from location 3 on, [(how, first, last, expected)])]."""
    found = []
    for line in FILE.read_text(encoding="utf-8").splitlines():
        if line.startswith("bank "):
            head, _, body = line.partition(": ")
            _, number, case = head.split()
            contents = [int(word, 16) for word in body.split()[FIRST:]]
            found.append((int(number), case, bytes(contents), []))
        elif line and not line.startswith("#"):
            how, first, last, expected = line.split(maxsplit=3)
            found[-1][3].append((how, int(first, 16), int(last, 16), expected))
    return found


VECTORS = vectors()
BANKS = {(number, case): data for number, case, data, _ in VECTORS}


def decoded(memory, how, first, last):
    kind, _, argument = how.partition(":")
    if kind == "scaled":
        return memory.scaled(first, last, int(argument))
    if kind == "text":
        return memory.text(first, last)
    if kind == "flag":
        return int(memory.is_set(first))
    if kind == "missing":
        return "-" if memory.raw(first, last) is None else "there"
    value = memory.value(first, last, int(argument) if kind == "highest" else None)
    if kind == "celsius" and isinstance(value, int):
        return dali_banks.temperature_ck(value) // 100
    return value


@pytest.mark.parametrize(("number", "case", "data", "values"), VECTORS, ids=lambda value: str(value)[:8])
def test_a_published_bank_means_what_was_published(number, case, data, values):
    memory = Bank(data)
    assert values
    for how, first, last, expected in values:
        assert str(decoded(memory, how, first, last)) == expected, (number, case, how, hex(first))


def test_all_banks_of_d4i_are_among_the_vectors():
    assert {number for number, _, _, _ in VECTORS} == set(dali_banks.LAST)
    for number, case, data, _ in VECTORS:
        if case == "sound":
            assert len(data) == dali_banks.LAST[number] + 1 - FIRST


def test_energy_and_power_become_whole_watt_hours_and_tenths_of_a_watt():
    assert dali_banks.readings(202, BANKS[202, "sound"]) == {quantity.ENERGY: 10_000, quantity.POWER: 10_000}
    assert dali_banks.readings(202, BANKS[202, "strange"]) == {}
    assert dali_banks.readings(203, BANKS[203, "sound"]) == {quantity.APPARENT_POWER: 10}
    assert dali_banks.readings(204, BANKS[204, "sound"]) == {quantity.LOAD_ENERGY: 0}


def test_diagnostics_of_gear_and_lamp():
    assert dali_banks.readings(205, BANKS[205, "sound"]) == {
        quantity.GEAR_HOURS: 1,
        quantity.GEAR_STARTS: 10,
        quantity.VOLTAGE: 2300,
        quantity.FREQUENCY: 5000,
        quantity.POWER_FACTOR: 90,
        quantity.TEMPERATURE + CHANNEL: 3000,
    }
    assert dali_banks.readings(206, BANKS[206, "sound"]) == {
        quantity.VOLTAGE + CHANNEL: 600,
        quantity.CURRENT + CHANNEL: 700,
        quantity.TEMPERATURE + 2 * CHANNEL: 10_000,
    }


def test_flags_have_words():
    gear, gear_mask = dali_banks.flags(205, BANKS[205, "sound"])
    lamp, lamp_mask = dali_banks.flags(206, BANKS[206, "sound"])
    assert gear_mask | lamp_mask == (1 << len(dali_banks.FLAGS)) - 1 and gear_mask & lamp_mask == 0
    words = [word for bit, word in enumerate(dali_banks.FLAGS) if (gear | lamp) >> bit & 1]
    assert words == ["gear", "undervoltage", "lamp-thermal-derating"]


def test_the_asset_record_and_the_ratings():
    asset = dali_banks.asset(BANKS[1, "sound"])
    assert asset == (7654321234567, 2, 21, 43, 1500, 100, 220, 250, 15000, 100, 1, 5, "Octarine", "Wizard's Staff")
    strange = dali_banks.asset(BANKS[1, "strange"])
    assert strange == (7654321234567, 2, None, None, None, None, None, None, None, None, None, None, None, None)
    assert dali_banks.ratings(BANKS[207, "sound"]) == (50_000, 3000, 500_000)
    assert dali_banks.ratings(BANKS[207, "strange"]) == (None, None, None)


def test_a_bank_of_another_format_is_no_asset_record():
    assert dali_banks.asset(b"\xff" * 40) is None
    assert dali_banks.asset(b"") is None


@pytest.mark.parametrize(
    ("scale", "value", "exponent", "expected"),
    [
        (0xFA, 1_500_000, 0, 2),
        (0xFA, 1_499_999, 0, 1),
        (6, 3, -1, 30_000_000),
        (7, 3, 0, "invalid"),
        (0xF9, 3, 0, "invalid"),
    ],
)
def test_a_scaled_value_is_rounded_once(scale, value, exponent, expected):
    memory = Bank(bytes((1, scale)) + value.to_bytes(6, "big"))
    assert memory.scaled(0x04, 0x0A, exponent) == expected


@examples(times=2)
@given(st.sampled_from(sorted(dali_banks.LAST)), st.binary(max_size=130))
def test_no_bytes_raise(bank, data):
    for key, value in dali_banks.readings(bank, data).items():
        assert isinstance(key, int) and isinstance(value, int)
    dali_banks.flags(205, data)
    dali_banks.ratings(data)
    asset = dali_banks.asset(data)
    assert asset is None or len(asset) == 14
