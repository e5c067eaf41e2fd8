"""Impossible hardware facts are refused with their reasons: pins, addresses, units, safe levels, keys and bounds."""

import copy
import tomllib

import pytest

from tests.conftest import ROOT
from tools.hardware import conflicts, files, schema

KINDS = sorted(path.stem for path in (ROOT / "hardware" / "nodes").glob("*.toml"))


def told(facts, kind):
    """The faults of one node, "path: problem; remedy"."""
    faults = conflicts.check_node(facts.nodes[kind], facts)
    return [f"{fault.path}: {fault.problem}; {fault.remedy}" for fault in faults]


# --- pins and the module ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pin", "psram", "word"),
    [
        *((pin, "quad", "strapping") for pin in (0, 3, 45, 46)),
        (19, "quad", "USB"),
        (20, "quad", "USB"),
        (43, "quad", "console"),
        (22, "quad", "does not exist"),
        (26, "quad", "flash"),
        (32, "quad", "flash"),
        (33, "octal", "octal PSRAM"),
        (37, "octal", "octal PSRAM"),
        (5, "quad", "dimming.pin already"),
    ],
)
def test_a_pin_that_cannot_be_used_is_refused_with_its_reason(facts, pin, psram, word):
    facts.nodes["streetlight"]["chip"]["psram"] = psram
    facts.nodes["streetlight"]["presence"]["pin"] = pin
    (fault,) = told(facts, "streetlight")
    assert fault.startswith(f"presence.pin: GPIO {pin} ") and word in fault


@pytest.mark.parametrize("pin", [1, 33, 37, 38, 47, 48])
def test_other_pins_are_accepted_without_octal_psram(facts, pin):
    facts.nodes["streetlight"]["presence"]["pin"] = pin
    assert told(facts, "streetlight") == []


@pytest.mark.parametrize(
    ("kind", "path", "value", "fault"),
    [
        ("streetlight", "relay.pin", 18, "relay.pin: GPIO 18 is high for a moment at power-up"),
        ("irrigation", "battery.pin", 14, "battery.pin: GPIO 14 belongs to ADC2, which the radio needs"),
        ("irrigation", "battery.pin", 33, "battery.pin: GPIO 33 has no analogue input"),
        ("irrigation", "wind.unit", 1, "wind.unit: pulse counter 1 is rain.unit already"),
        ("irrigation", "wind.unit", 4, "wind.unit: pulse counter 4 does not exist; this module has 4"),
        ("irrigation", "coil.address", 0x44, "coil.address: address 0x44 on i2c is air.address already"),
        ("irrigation", "coil.address", 0x39, "coil.address: 0x39 is none that the part can have; give one of 0x40"),
        ("irrigation", "zones.safe_level", 1, "zones.safe_level: is 1; give 0"),
        ("irrigation", "zones.safe_level", None, "zones.safe_level: is missing; an output needs the level"),
        ("irrigation", "pump.safe_level", None, "pump.safe_level: is missing; an output needs the level"),
        ("irrigation", "master.in2_pin", 40, "master.in2_pin: GPIO 40 is master.in1_pin already"),
        ("irrigation", "air.bus", "zones", "air.bus: 'zones' is no I2C bus of this node"),
        ("irrigation", "air.part", None, "air.part: is missing; name a file of hardware/parts"),
        ("irrigation", "coil.shunt_microohm", None, "coil.shunt_microohm: is missing"),
        ("thermostat", "room.part", "sht9", "room.part: 'sht9' is unknown; name a file of hardware/parts"),
        ("thermostat", "room.part", "ds18b20", "room.part: ds18b20 stands on onewire, not on i2c"),
        ("thermostat", "room.part", "veml7700", "room.part: veml7700 does not measure temp; name a part that does"),
        ("thermostat", "meter.baud", 4800, "meter.baud: 4800 is none that the part can have; give one of [9600]"),
        ("thermostat", "meter.fitted", "instead of boiler", "meter.fitted: 'boiler' is no use of this node"),
        ("thermostat", "meter.fitted", "sometimes", "meter.fitted: is 'sometimes'; give \"option\""),
        ("thermostat", "opentherm.uart", 0, "opentherm.uart: 0 is the console's; choose another"),
        ("thermostat", "return_water.prefix", "flow", "return_water.prefix: is that of flow"),
        ("thermostat", "pump.terminals", ["COM"], "pump.terminals: terminal J1.COM is relay.terminals already"),
        ("thermostat", "supply.connector", "J9", "presence.terminals: terminal J9.0V is the supply's already"),
        ("streetlight", "bus.uart", 1, "bus.uart: UART 1 is meter.uart already"),
        ("streetlight", "bus.enable_safe_level", None, "bus.enable_safe_level: is missing"),
        ("streetlight", "meter.front_end", None, "meter.front_end: is missing"),
        ("streetlight", "relay.active_level", 1, "relay.active_level: says what closed_level says"),
        ("streetlight", "chip.module", "esp8266", "chip.module: is not known; give one of esp32, esp32-s3"),
        ("streetlight", "chip.psram", "hexa", "chip.psram: is not what this module has"),
        ("streetlight", "led.use", "input", "led: is no output; every node has a use of this name and kind"),
        ("streetlight", "photocell_wide", None, ""),
        ("streetlight", "button", None, "button: is no input; every node has"),
    ],
)
def test_facts_that_contradict_one_another_are_refused(facts, kind, path, value, fault):
    place, name = facts.nodes[kind], path
    if "." in path:
        use, _, name = path.partition(".")
        place = place[use]
    if value is None:
        del place[name]
    else:
        place[name] = value
    said = told(facts, kind)
    if fault:
        assert any(line.startswith(fault) for line in said), said
    else:
        assert said == []


def test_alternatives_may_share_what_two_parts_may_not(facts):
    node = facts.nodes["streetlight"]
    assert node["meter"]["tx_pin"] == node["dali"]["tx_pin"]
    node["dali"]["fitted"] = "option"
    said = told(facts, "streetlight")
    assert [line.partition(":")[0] for line in said] == ["dali.tx_pin", "dali.rx_pin", "dali.uart"]


def test_several_faults_of_a_node_are_told_together(facts):
    node = facts.nodes["irrigation"]
    node["battery"]["pin"], node["wind"]["unit"], node["pump"]["pin"] = 14, 0, 0
    paths = [line.partition(":")[0] for line in told(facts, "irrigation")]
    assert paths == ["pump.pin", "battery.pin", "wind.pin", "wind.unit"]


def test_a_plain_esp32_cannot_drive_from_its_input_pins_nor_pull_them(facts):
    node = facts.nodes["streetlight"]
    node["chip"] = {"module": "esp32", "psram": "quad"}
    node["relay"]["pin"], node["presence"]["pin"] = 34, 35
    said = "\n".join(told(facts, "streetlight"))
    assert "relay.pin: GPIO 34 can only be an input" in said
    assert "presence.pin: GPIO 35 has no pull resistor of its own: give pull = none and fit one" in said


def test_a_small_module_counts_no_pulses(facts):
    facts.modules["esp32-s3"]["pulse_counters"] = 0
    said = told(facts, "irrigation")
    assert any(line.startswith("flow.unit: pulse counter 0 does not exist; this module has 0") for line in said)


def test_a_module_without_psram_is_refused_with_the_reason(facts):
    facts.nodes["water_meter"]["chip"]["psram"] = "none"
    assert told(facts, "water_meter") == [
        "chip.psram: is none, and a node's program takes 300 kB of heap, which only PSRAM has room for; "
        "give one of quad, octal, and take such a module"
    ]


# --- the files by themselves ------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("value", [None, "4", -1, 1 << 40, []])
def test_a_fact_that_is_missing_or_out_of_bounds_is_named(facts, kind, value):
    """Every number of every use, one after the other."""
    for name, use in files.uses(facts.nodes[kind]).items():
        fields = schema.USES[use["use"]].fields
        for key, field in fields.items():
            if field.kind != schema.WHOLE or key not in use or (value is None and not field.needed):
                continue
            changed = copy.deepcopy(facts.nodes[kind])
            if value is None:
                del changed[name][key]
            else:
                changed[name][key] = value
            assert [fault.path for fault in files.check_node(changed)] == [f"{name}.{key}"]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("[x]\n", "x.use: is None; give one of output, pwm"),
        ('[x]\nuse = "laser"\n', "x.use: is 'laser'; give one of output"),
        ("x = 4\n", "x: is not a table; write [x]"),
        ('[X-Y]\nuse = "output"\n', "X-Y: is no name for a constant"),
        ('[x]\nuse = "output"\npin = true\n', "x.pin: is True; give a whole number from 0 to 48"),
        ('[x]\nuse = "output"\nconnector = "J1"\n', "x.connector: stands without its terminals"),
        ('[x]\nuse = "output"\ncolour = "red"\n', "x.colour: is not known; known are use"),
        ('[x]\nuse = "output"\ndescription = "a\\nb"\n', "x.description: is 'a\\nb'; give a text"),
        ("title = 3\n", "title: is 3; give a text"),
        ('[x]\nuse = "device"\nneeds = ["warmth"]\n', "x.needs: 'warmth' is no quantity; give names of wire.quantity"),
    ],
)
def test_a_node_file_is_judged_key_by_key(text, fault):
    said = [f"{found.path}: {found.problem}; {found.remedy}" for found in files.check_node(tomllib.loads(text))]
    assert any(line.startswith(fault) for line in said), said


def test_a_part_of_i2c_has_addresses_and_speaks_both_languages(facts):
    part = facts.parts["pcf8574"]
    assert list(files.check_part(part)) == []
    del part["addresses"], part["power_on_fr"]
    assert [fault.path for fault in files.check_part(part)] == ["addresses", "power_on"]
    facts.parts["ds3231"]["driver"] = "ds9999"
    (fault,) = conflicts.check_part(facts.parts["ds3231"], {"ds3231": frozenset(("Ds3231",))})
    assert fault.path == "driver" and "no module of firmware/drivers" in fault.problem
    (fault,) = conflicts.check_part(facts.parts["bh1750"], {"bh1750": frozenset(("Light",))})
    assert (fault.path, fault.problem) == ("driver", "'bh1750' has no class Bh1750")


@pytest.mark.parametrize(
    ("listed", "numbers"),
    [
        ([], []),
        ([4, "6-8"], [4, 6, 7, 8]),
        (["3-3"], [3]),
        (["8-6"], None),
        ("6-8", None),
        ([True], None),
        (["a-b"], None),
    ],
)
def test_lists_of_numbers_and_ranges(listed, numbers):
    assert files.expand(listed) == numbers
