"""The [cabinet] part of gateway.toml: everything taken, every fault told at once with its place and remedy."""

import tomllib
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.config import cabinet as cabinet_config
from gateway.core import limits
from gateway.io.cabinet.wiring import COIL, INPUT, INPUT_REGISTER, Bit, CabinetWiring, FeederWiring, Gpio, Meter, Number

FULL = """
latitude = 47.5720
longitude = -0.5940
gpio = "/dev/gpiochip0"
modbus = "/dev/serial/by-id/usb-FTDI-if00"
modbus_baud = 19200
modbus_parity = "even"
linky = "/dev/ttyAMA0"
linky_mode = "standard"
watchdog = "gpio:22"
door = "gpio:5/pull-up"
mains = "gpio:6"
switch_on = "gpio:13"
switch_off = "!modbus:2/input:1"
photocell = "modbus:4/30001"
temperature = "modbus:4/30002:s16*0.1"
ups = "modbus:5/30010*0.01"

[[feeder]]
name = "bourg"
lamps = 14
lamp_watts = 32
contactor = "gpio:17"
feedback = "!gpio:27"
meter = "modbus:3/sdm120"

[[feeder]]
name = "église"
lamps = 6
contactor = "!modbus:1/coil:0"
"""


def plain(text=FULL):
    return tomllib.loads(text)


def faults(data):
    found = []
    assert cabinet_config.check(data, found) is None
    assert found
    return [fault.text("en") for fault in found]


def changed(field, value):
    data = plain()
    data[field] = value
    return data


def in_feeder(field, value):
    data = plain()
    data["feeder"][0][field] = value
    return data


def test_every_field_is_taken():
    found = []
    config = cabinet_config.check(plain(), found)
    assert found == []
    assert config == CabinetWiring(
        latitude_e4=475_720,
        longitude_e4=-5_940,
        feeders=(
            FeederWiring("bourg", 14, 32, Gpio(17), Gpio(27, inverted=True), Meter(3, "sdm120")),
            FeederWiring("église", 6, 0, Bit(1, COIL, 0, inverted=True)),
        ),
        gpio="/dev/gpiochip0",
        modbus="/dev/serial/by-id/usb-FTDI-if00",
        modbus_baud=19200,
        modbus_parity="even",
        linky="/dev/ttyAMA0",
        linky_mode="standard",
        watchdog=Gpio(22),
        door=Gpio(5, pull="pull-up"),
        mains=Gpio(6),
        switch_on=Gpio(13),
        switch_off=Bit(2, INPUT, 1, inverted=True),
        photocell=Number(4, INPUT_REGISTER, 0),
        temperature=Number(4, INPUT_REGISTER, 1, "s16", Fraction(1, 10)),
        ups=Number(5, INPUT_REGISTER, 9, "u16", Fraction(1, 100)),
    )
    assert len(list(config.points())) == 12


def test_a_minimal_cabinet_is_one_feeder():
    found = []
    data = {"latitude": 47, "longitude": -1, "gpio": "/dev/gpiochip0",
            "feeder": [{"name": "a", "lamps": 1, "contactor": "gpio:1"}]}  # fmt: skip
    config = cabinet_config.check(data, found)
    assert found == [] and config.latitude_e4 == 470_000 and config.linky is None
    assert config.modbus_baud == 9600 and config.linky_mode == "historique" and config.feeders[0].lamp_watts == 0


@pytest.mark.parametrize(
    ("data", "start"),
    [
        (changed("latitude", 48.9 + 10), "[cabinet] latitude: is 58.9; give degrees from 41.0 to 52.0"),
        (changed("longitude", 47.57), "[cabinet] longitude: is 47.57; give degrees from -6.0 to 10.0"),
        (changed("latitude", None), "[cabinet] latitude: is missing; give"),
        (changed("latitude", True), "[cabinet] latitude: is True; give"),
        (changed("latitude", float("nan")), "[cabinet] latitude: is nan; give"),
        (changed("gpio", "gpiochip0"), "[cabinet] gpio: is 'gpiochip0'; give an absolute path"),
        (changed("modbus_baud", 9601), "[cabinet] modbus_baud: is 9601; give one of 1200, "),
        (changed("modbus_baud", True), "[cabinet] modbus_baud: is True; give one of"),
        (changed("modbus_parity", "mark"), "[cabinet] modbus_parity: is 'mark'; give one of none, even, odd"),
        (changed("linky_mode", "tempo"), "[cabinet] linky_mode: is 'tempo'; give one of historique, standard"),
        (changed("linky", "/dev/serial/by-id/usb-FTDI-if00"), "[cabinet] linky: is the port of modbus as well; give"),
        (changed("watchdog", "modbus:1/coil:3"), "[cabinet] watchdog: is 'modbus:1/coil:3'; give \"gpio:22\""),
        (changed("door", "gpio:5000"), "[cabinet] door: is 'gpio:5000'; give"),
        (changed("door", "modbus:4/30001"), "[cabinet] door: is 'modbus:4/30001'; give"),
        (changed("photocell", "gpio:4"), "[cabinet] photocell: is 'gpio:4'; give \"modbus:4/30001\""),
        (changed("photocell", 4), "[cabinet] photocell: is 4; give"),
        (changed("dor", "gpio:4"), "[cabinet] dor: is not a field; remove it; known are door, feeder, gpio"),
        (changed("feeder", []), "[cabinet] feeder: is not a list of tables; write one [[cabinet.feeder]]"),
        (changed("feeder", None), "[cabinet] feeder: is missing; write one [[cabinet.feeder]]"),
        (changed("feeder", [{}] * 30), f"[cabinet] feeder: has 30 entries; give at most {limits.CABINET_FEEDERS_MAX}"),
        (in_feeder("name", ""), "[cabinet] feeder[0].name: is ''; give the feeder's name in the policy"),
        (in_feeder("name", "é" * 13), "[cabinet] feeder[0].name: is"),
        (in_feeder("name", " a"), "[cabinet] feeder[0].name: is ' a'; give"),
        (in_feeder("name", "a\nb"), "[cabinet] feeder[0].name: is 'a\\nb'; give"),
        (in_feeder("name", "église"), "[cabinet] feeder[1].name: 'église' is taken; give each feeder a name"),
        (in_feeder("lamps", 0), "[cabinet] feeder[0].lamps: is 0; give an integer from 1 to"),
        (in_feeder("lamps", None), "[cabinet] feeder[0].lamps: is missing; give an integer"),
        (in_feeder("lamp_watts", -1), "[cabinet] feeder[0].lamp_watts: is -1; give an integer from 0 to"),
        (in_feeder("contactor", None), '[cabinet] feeder[0].contactor: is missing; give "gpio:17"'),
        (in_feeder("contactor", "modbus:1/input:0"), "[cabinet] feeder[0].contactor: is 'modbus:1/input:0'; give"),
        (in_feeder("meter", "modbus:3/sdm999"), "[cabinet] feeder[0].meter: is 'modbus:3/sdm999'; give"),
        (in_feeder("lamp", 3), "[cabinet] feeder[0].lamp: is not a field; remove it; known are contactor, feedback"),
        (in_feeder("contactor", "gpio:22"), "[cabinet] feeder[0].contactor: is that of watchdog as well"),
        (in_feeder("feedback", "gpio:17"), "[cabinet] feeder[0].feedback: is that of feeder[0].contactor as well"),
    ],
)  # fmt: skip
def test_a_fault_is_told_with_its_place_and_remedy(data, start):
    (fault,) = faults(data)
    assert fault.startswith(start), fault


def test_two_feeders_do_not_share_a_meter_or_a_coil():
    data = plain()
    data["feeder"][1] |= {"meter": "modbus:3/sdm120"}
    data["feeder"].append({"name": "c", "lamps": 1, "contactor": "modbus:1/coil:0"})
    assert faults(data) == [
        "[cabinet] feeder[1].meter: is that of feeder[0].meter as well; give each a point of its own",
        "[cabinet] feeder[2].contactor: is that of feeder[1].contactor as well; give each a point of its own",
    ]


def test_a_point_needs_its_port():
    data = plain()
    del data["gpio"], data["modbus"]
    assert faults(data) == [
        '[cabinet] gpio: is missing, and watchdog needs it; give its device, as "/dev/gpiochip0"',
        '[cabinet] modbus: is missing, and switch_off needs it; give its device, as "/dev/serial/by-id/…"',
    ]


def test_a_port_that_is_written_wrongly_is_told_once():
    (fault,) = faults(changed("gpio", "gpiochip0"))
    assert fault.startswith("[cabinet] gpio: is 'gpiochip0'; give an absolute path")


def test_all_faults_are_told_at_once():
    data = changed("latitude", "x") | {"modbus_baud": 1}
    data["feeder"] = [{"name": 5, "meter": "?"}, 7]
    assert [fault.split(":")[0] for fault in faults(data)] == [
        "[cabinet] latitude", "[cabinet] modbus_baud", "[cabinet] feeder",
    ]  # fmt: skip
    data["feeder"] = [{"name": 5, "meter": "?"}]
    assert len(faults(data)) == 6


def test_a_section_that_is_none_is_a_fault():
    assert faults([1]) == ["[cabinet]: is not a section; write [cabinet] on a line of its own"]


def test_faults_of_others_are_kept():
    found = ["[uplink] broker: is missing; give"]
    assert cabinet_config.check(plain(), found) is not None and len(found) == 1


@given(st.integers(410_000, 520_000))
def test_degrees_are_taken_as_they_are_written(latitude_e4):
    data = plain()
    data["latitude"] = tomllib.loads(f"x = {latitude_e4 // 10_000}.{latitude_e4 % 10_000:04}")["x"]
    assert cabinet_config.check(data, []).latitude_e4 == latitude_e4


_ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12) | st.dates(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=5,
)


@given(st.sampled_from([*plain(), "feeder.name", "feeder.lamps", "feeder.meter", "feeder.contactor"]), _ANYTHING)
def test_no_value_raises(field, value):
    table, _, inner = field.partition(".")
    data = in_feeder(inner, value) if inner else changed(table, value)
    found = []
    config = cabinet_config.check(data, found)
    assert (config is None) == bool(found)
    assert all(fault.place.startswith("[cabinet]") and fault.text("fr") for fault in found)
