"""Hardware facts: regenerating changes nothing, stale files are named, and a new kind of node is one file."""

import shutil

import pytest

from tests.conftest import ROOT
from tools.hardware import board_text, conflicts, files, generate, schema

KINDS = sorted(path.stem for path in (ROOT / "hardware" / "nodes").glob("*.toml"))
BUILDS = sorted(path.stem for path in (ROOT / "hardware" / "builds").glob("*.toml"))
BADGE = """
title = "Lecteur de badges"
title_en = "Badge reader"

[chip]
module = "esp32-s3"
psram = "quad"

[lock]
use = "output"
part = "relay-output"
description = "the door's lock, closed when the coil is idle"
description_fr = "la gâche, fermée au repos"
connector = "J1"
terminals = ["COM", "NO"]
pin = 4
closed_level = 1
safe_level = 0

[door]
use = "input"
part = "dry-contact"
description = "the door's contact"
description_fr = "le contact de porte"
pin = 5
pull = "up"
active_level = 0

[bus]
use = "uart"
part = "rs485"
description = "to the gateway"
description_fr = "vers la passerelle"
uart = 1
tx_pin = 6
rx_pin = 7

[i2c]
use = "i2c"
description = "the reader"
description_fr = "le lecteur"
scl_pin = 8
sda_pin = 1
hz = 100000

[button]
use = "input"
description = "the technician's button"
description_fr = "bouton du technicien"
pin = 9
pull = "up"
active_level = 0

[led]
use = "output"
description = "green when the badge is known"
description_fr = "vert si le badge est connu"
pin = LED_PIN
active_level = 1
safe_level = 0
"""


@pytest.fixture
def copied(repository, tmp_path):
    """A root with the sources and the generated files alone."""
    shutil.copytree(repository / "hardware", tmp_path / "hardware")
    for folder in ("boards", "drivers"):
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(repository / "firmware" / folder, tmp_path / "firmware" / folder, ignore=ignored)
    return tmp_path


def edit(path, before, after):
    text = path.read_text(encoding="utf-8")
    assert before in text
    path.write_text(text.replace(before, after, 1), encoding="utf-8")


# --- the command ----------------------------------------------------------------------------------


def test_regenerating_changes_nothing(repository):
    wanted = generate.texts(repository)
    assert len(wanted) == 3 * len(KINDS) + 2 * len(BUILDS)
    for path, text in wanted.items():
        assert path.read_text(encoding="utf-8") == text, f"{path}: run python -m tools.hardware.generate"
    assert generate.orphans(repository, wanted) == []


def test_a_stale_file_is_named_and_written_again(copied, capsys):
    edit(copied / "hardware/nodes/streetlight.toml", "pin = 4", "pin = 11")
    assert generate.main(["--check"], root=copied) == 1
    said = capsys.readouterr().err
    names = ("firmware/boards/streetlight.py", "firmware/boards/boot_streetlight.py", "hardware/nodes/streetlight.md")
    assert [line.partition(" ")[0] for line in said.splitlines()] == list(names)
    assert generate.main([], root=copied) == 0
    assert generate.main(["--check"], root=copied) == 0
    assert "RELAY_PIN = 11\n" in (copied / names[0]).read_text(encoding="utf-8")
    assert "(11, 0),  # relay\n" in (copied / names[1]).read_text(encoding="utf-8")
    assert "| 11 | relay | - | sortie |" in (copied / names[2]).read_text(encoding="utf-8")


def test_a_sheet_that_somebody_edited_is_stale(copied):
    edit(copied / "hardware/nodes/thermostat.md", "bas (0)", "haut (1)")
    assert generate.main(["--check"], root=copied) == 1


def test_a_missing_board_file_is_stale(copied):
    (copied / "firmware/boards/streetlight.py").unlink()
    assert generate.main(["--check"], root=copied) == 1
    assert not (copied / "firmware/boards/streetlight.py").exists()


def test_what_a_removed_node_left_behind_is_stale_and_goes(copied):
    (copied / "hardware/nodes/thermostat.toml").unlink()
    for build in (copied / "hardware/builds").glob("thermostat-*.toml"):
        build.unlink()
    assert generate.main(["--check"], root=copied) == 1
    assert generate.main([], root=copied) == 0
    assert not list(copied.rglob("*thermostat*"))
    assert (copied / "firmware/boards/__init__.py").exists()


def test_refused_facts_write_nothing(copied, capsys):
    edit(copied / "hardware/nodes/streetlight.toml", "pin = 4", "pin = 45")
    before = (copied / "firmware/boards/streetlight.py").read_bytes()
    assert generate.main([], root=copied) == 1
    assert "hardware/nodes/streetlight.toml: relay.pin: GPIO 45 is a strapping pin" in capsys.readouterr().err
    assert (copied / "firmware/boards/streetlight.py").read_bytes() == before


def test_every_fault_of_every_file_is_told_at_once(copied, capsys):
    edit(copied / "hardware/nodes/streetlight.toml", "hz = 1000\n", "hz = 50\n")
    edit(copied / "hardware/nodes/thermostat.toml", 'pull = "up"', 'pull = "maybe"')
    edit(copied / "hardware/parts/ds3231.toml", "bus =", "buss =")
    (copied / "hardware/parts/broken.toml").write_text("name = ", encoding="utf-8")
    assert generate.main([], root=copied) == 1
    said = capsys.readouterr().err
    assert "streetlight.toml: dimming.hz: is 50; give a whole number from 100 to 20000" in said
    assert "thermostat.toml: window.pull: is 'maybe'; give one of up, down, none" in said
    assert "ds3231.toml: bus: is missing" in said and "ds3231.toml: buss: is not known" in said
    assert "broken.toml: : cannot be read" in said


# --- a new kind -----------------------------------------------------------------------------------


def test_a_new_kind_of_node_is_one_file(copied, capsys):
    path = copied / "hardware/nodes/badge.toml"
    for pin, reason in (
        (43, "is the console's UART: the boot loader speaks there; choose another"),
        (4, "is lock.pin already; choose another"),
        (3, "is a strapping pin: its level at reset chooses how the chip boots; choose another"),
        (22, "does not exist on the ESP32-S3-WROOM-1-N8R2; choose another"),
    ):
        path.write_text(BADGE.replace("LED_PIN", str(pin)), encoding="utf-8")
        assert generate.main([], root=copied) == 1
        assert capsys.readouterr().err == f"hardware/nodes/badge.toml: led.pin: GPIO {pin} {reason}\n"
    path.write_text(BADGE.replace("LED_PIN", "10"), encoding="utf-8")
    assert generate.main([], root=copied) == 0
    board = (copied / "firmware/boards/badge.py").read_text(encoding="utf-8")
    constants = {}
    exec(board, constants)
    assert (constants["KIND"], constants["LOCK_PIN"], constants["LOCK_CLOSED_LEVEL"]) == ("badge", 4, 1)
    assert {"BUS_UART", "I2C_SCL_PIN", "BUTTON_PIN", "LED_PIN"} <= set(constants)
    assert constants["BUS_ENABLE_PIN"] is None, "it has none, and the firmware need not ask"
    boot = (copied / "firmware/boards/boot_badge.py").read_text(encoding="utf-8")
    assert "SAFE = (\n    (4, 0),  # lock\n    (10, 0),  # led\n)" in boot
    sheet = (copied / "hardware/nodes/badge.md").read_text(encoding="utf-8")
    assert sheet.index("gâche, fermée au repos") < sheet.index("closed when the coil is idle")


@pytest.mark.parametrize("kind", KINDS)
def test_every_board_is_read_the_same_way(repository, kind):
    constants = {}
    exec((repository / "firmware" / "boards" / f"{kind}.py").read_text(encoding="utf-8"), constants)
    assert constants["KIND"] == kind
    everyone = ("BUS_UART", "BUS_TX_PIN", "BUS_RX_PIN", "BUS_ENABLE_PIN", "I2C_SCL_PIN", "I2C_SDA_PIN", "I2C_HZ")
    everyone += ("BUTTON_PIN", "BUTTON_ACTIVE_LEVEL", "LED_PIN", "LED_ACTIVE_LEVEL")
    assert {name: type(constants[name]) for name in everyone} == dict.fromkeys(everyone, int)


def test_every_driver_belongs_to_a_part_and_every_part_to_a_node_or_an_alternative(repository, all_facts):
    """The rest of firmware/drivers is no part's."""
    of_parts = {part["driver"] for part in all_facts.parts.values()} - {""}
    shared = {"__init__", "crc", "i2c_bus", "sensor", "temperature", *schema.STAND_INS}
    assert of_parts == {path.stem for path in (repository / "firmware" / "drivers").glob("*.py")} - shared
    used = {use.get("part") for node in all_facts.nodes.values() for use in files.uses(node).values()}
    places = {(all_facts.parts[name]["bus"], *all_facts.parts[name].get("measures", ())) for name in used - {None}}
    others = set(all_facts.parts) - used
    assert all((all_facts.parts[name]["bus"], *all_facts.parts[name]["measures"]) in places for name in others)


def test_a_file_whose_name_no_module_can_have_is_refused(copied, capsys):
    shutil.copy(copied / "hardware/nodes/thermostat.toml", copied / "hardware/nodes/Bad-name.toml")
    assert generate.main(["--check"], root=copied) == 1
    assert "Bad-name.toml: : has a name that no module can have" in capsys.readouterr().err


# --- texts ------------------------------------------------------------------------------------------


def test_a_plain_output_is_safe_at_the_level_that_its_file_says(facts):
    node = facts.nodes["streetlight"]
    node["dimming"]["inverted"], node["dimming"]["safe_level"] = False, 1
    assert "    (5, 1),  # dimming\n" in board_text.boot_text("streetlight", node)


def test_the_calibration_is_that_of_the_reference_circuit(facts):
    """ESPHome's figures for the same circuit: 15873 counts per V measured, 251213 per A, 596 to 623 per W."""
    volts, amperes, watts, energy = board_text.calibration(facts.nodes["streetlight"]["meter"]["front_end"])
    assert abs(volts / 1000 - 15883.3) < 0.1
    assert abs(amperes / 1000 - 251213.46) < 0.1
    assert abs(watts / 1000 - 623.4) < 0.1
    assert abs(energy / watts - 3_600_000_000 / 419430.4 / 1000) < 0.001


@pytest.mark.parametrize("kind", KINDS)
def test_a_sheet_names_every_pin_terminal_part_and_safe_level_in_both_languages(repository, facts, kind):
    french, english = (repository / "hardware" / "nodes" / f"{kind}.md").read_text(encoding="utf-8").split("\n---\n")
    node = facts.nodes[kind]
    for half, low in ((french, "bas (0)"), (english, "low (0)")):
        for name, use in files.uses(node).items():
            for pin, _way in conflicts.pins(use).values():
                assert f"| {pin} | {name} |" in half
            for terminal in use.get("terminals", ()):
                assert terminal in half
            if "part" in use:
                assert facts.parts[use["part"]]["name"] in half
        safe = board_text.safe_outputs(node)
        assert half.count(low) == sum(level == 0 for _pin, level, _name, _key in safe)
