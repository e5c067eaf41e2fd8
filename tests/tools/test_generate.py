"""Board facts: regenerating changes nothing, stale files are named, and pins that cannot be used are refused."""

import copy
import tomllib

import pytest

from tools import generate


@pytest.fixture
def facts(repository):
    return tomllib.loads((repository / generate.SOURCE).read_text(encoding="utf-8"))


@pytest.fixture
def copied(repository, tmp_path):
    """A root with the source and the generated files alone."""
    for name in (generate.SOURCE, generate.BOARD, generate.BOOT):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes((repository / name).read_bytes())
    return tmp_path


def test_regenerating_changes_nothing(repository):
    for path, text in generate.texts(repository).items():
        assert path.read_text(encoding="utf-8") == text


def test_a_stale_file_is_named_and_written_again(copied, capsys):
    source = copied / generate.SOURCE
    source.write_text(source.read_text(encoding="utf-8").replace("pin = 4", "pin = 10"), encoding="utf-8")
    assert generate.main(["--check"], root=copied) == 1
    told = capsys.readouterr().err
    assert generate.BOARD in told and generate.BOOT in told
    assert generate.main([], root=copied) == 0
    assert generate.main(["--check"], root=copied) == 0
    assert "RELAY_PIN = 10\n" in (copied / generate.BOARD).read_text(encoding="utf-8")
    assert "SAFE = ((10, 0), (5, 0))" in (copied / generate.BOOT).read_text(encoding="utf-8")


def test_a_missing_board_file_is_stale(copied):
    (copied / generate.BOARD).unlink()
    assert generate.main(["--check"], root=copied) == 1
    assert not (copied / generate.BOARD).exists()


def test_the_full_light_of_a_plain_output_is_a_high_pin(facts, copied):
    facts["dimming"]["inverted"] = False
    text = generate.boot_text(facts, (copied / generate.BOOT).read_text(encoding="utf-8"))
    assert "SAFE = ((4, 0), (5, 1))" in text


@pytest.mark.parametrize(
    ("pin", "psram", "word"),
    [
        *((pin, "none", "strapping") for pin in (0, 3, 45, 46)),
        (19, "none", "USB"),
        (20, "none", "USB"),
        (22, "none", "does not exist"),
        (26, "none", "flash"),
        (32, "none", "flash"),
        (33, "octal", "octal PSRAM"),
        (37, "octal", "octal PSRAM"),
        (5, "none", "dimming.pin already"),
    ],
)
def test_a_pin_that_cannot_be_used_is_refused_with_its_reason(facts, pin, psram, word):
    facts["chip"]["psram"] = psram
    facts["meter"]["rx_pin"] = pin
    (fault,) = generate.faults(facts)
    assert fault.startswith(f"meter.rx_pin: GPIO {pin} ") and word in fault


@pytest.mark.parametrize("pin", [1, 21, 33, 37, 38, 47, 48])
def test_other_pins_are_accepted_without_octal_psram(facts, pin):
    facts["meter"]["rx_pin"] = pin
    assert generate.faults(facts) == []


@pytest.mark.parametrize("path", sorted(generate._FACTS))
@pytest.mark.parametrize("value", [None, "4", -1, 1 << 40])
def test_a_fact_that_is_missing_or_out_of_range_is_named(facts, path, value):
    changed = copy.deepcopy(facts)
    *folders, name = path.split(".")
    place = changed
    for folder in folders:
        place = place[folder]
    if value is None:
        del place[name]
    else:
        place[name] = value
    assert [fault.partition(":")[0] for fault in generate.faults(changed)] == [path]


def test_refused_facts_write_nothing(copied, capsys):
    source = copied / generate.SOURCE
    before = (copied / generate.BOARD).read_bytes()
    source.write_text(source.read_text(encoding="utf-8").replace("pin = 4", "pin = 45"), encoding="utf-8")
    assert generate.main([], root=copied) == 1
    assert "strapping" in capsys.readouterr().err
    assert (copied / generate.BOARD).read_bytes() == before


def test_a_boot_file_without_its_frame_is_refused(facts):
    with pytest.raises(ValueError, match="frame"):
        generate.boot_text(facts, "print('mine')\n")


def test_the_calibration_is_that_of_the_reference_circuit(facts):
    """ESPHome's figures for the same circuit: 15873 counts per V measured, 251213 per A, 596 to 623 per W."""
    volts, amperes, watts, energy = generate.calibration(facts["meter"]["front_end"])
    assert abs(volts / 1000 - 15883.3) < 0.1
    assert abs(amperes / 1000 - 251213.46) < 0.1
    assert abs(watts / 1000 - 623.4) < 0.1
    assert abs(energy / watts - 3_600_000_000 / 419430.4 / 1000) < 0.001


def test_the_line_to_the_gateway_has_a_uart_of_its_own(facts):
    facts["bus"]["uart"] = facts["meter"]["uart"]
    (fault,) = generate.faults(facts)
    assert fault.startswith("bus.uart: is the meter's")
