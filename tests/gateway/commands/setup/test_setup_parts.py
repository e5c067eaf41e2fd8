"""The wizard stands on positions, devices, the file's form, its sentences."""

import re
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.commands.setup import draft as drafts
from gateway.commands.setup import files, machine, questions, site, words
from gateway.language import LANGUAGES

# --- where a cabinet may stand --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "47.5720, -0.5940", "47.5720,-0.5940", "47,5720 -0,5940", "47,5720; -0,5940", "47.572 N 0.594 W",
        "0.594 O 47.572 N",
        "47° 34' 19.2\" N, 0° 35' 38.4\" O", "47°34'19.2''N 0°35'38.4''W", "47.5720 / −0.5940", "  47.57204 -0.59401  ",
    ],
)  # fmt: skip
def test_a_position_is_read_as_people_write_it(text):
    assert site.parse(text) == (47.572, -0.594)


@pytest.mark.parametrize(
    "text", ["", "47.572", "a b", "47.5 N -0.5", "95 1", "1 181", "N 47 W 1", "47.5 N 1 N", "1 2 3"]
)
def test_what_is_no_position_is_refused(text):
    assert site.parse(text) is None


@pytest.mark.parametrize(
    ("position", "insee", "why"),
    [
        ((47.572, -0.594), "49135", None),
        ((41.9, 8.7), "2A004", None),
        ((51.05, 2.4), "59183", None),
        ((-0.594, 47.572), "49135", "site.swapped"),
        ((48.4, 4.5), "29019", None),
        ((48.4, -7.5), "29019", "site.sign"),
        ((-47.572, -0.594), "49135", "site.sign"),
        ((40.4, -3.7), "49135", "site.abroad"),
        ((16.2, -61.5), "49135", "site.elsewhere"),
        ((16.2, -61.5), "97105", None),
        ((16.2, 61.5), "97105", "site.sign"),
        ((-20.9, 55.5), "97411", None),
        ((-22.3, 166.4), "98818", None),
    ],
)
def test_a_cabinet_stands_in_france_and_in_its_part_of_it(position, insee, why):
    found = site.objection(*position, insee)
    assert (found and found[0]) == why
    if found:
        assert all(words.word(found[0], language, **found[1]) for language in LANGUAGES)


def test_overseas_the_agents_sun_does_not_reach_yet():
    assert drafts.site_objection(-20.9, 55.5, "97411")[0] == "site.overseas"


# --- what a machine has ---------------------------------------------------------------------------------------------


def test_ports_that_survive_a_reboot_come_first_and_none_twice(tmp_path):
    dev = tmp_path / "dev"
    (dev / "serial/by-id").mkdir(parents=True)
    for name in ("ttyUSB0", "ttyUSB1", "ttyAMA0", "gpiochip0", "tty1", "ttyS9x"):
        (dev / name).touch()
    (dev / "serial/by-id/usb-FTDI-port0").symlink_to("../../ttyUSB1")
    assert machine.serial_ports(tmp_path) == ["/dev/serial/by-id/usb-FTDI-port0", "/dev/ttyUSB0", "/dev/ttyAMA0"]
    assert machine.gpio_chips(tmp_path) == ["/dev/gpiochip0"]


def test_a_machine_without_devices_offers_none(tmp_path):
    assert machine.serial_ports(tmp_path) == machine.gpio_chips(tmp_path) == []


def test_interfaces_are_told_by_kind(tmp_path, monkeypatch):
    for name in ("lo", "eth0", "end0", "wwan0", "wwp0s20u4", "docker0", "wlan0"):
        (tmp_path / name).mkdir()
    monkeypatch.setattr(machine, "_NET", tmp_path)
    assert machine.interfaces() == (["end0", "eth0"], ["wwan0", "wwp0s20u4"])
    monkeypatch.setattr(machine, "_NET", tmp_path / "absent")
    assert machine.interfaces() == ([], [])


def test_an_image_is_not_started(tmp_path):
    assert not machine.runs_systemd(tmp_path)


# --- the file -------------------------------------------------------------------------------------------------------

names = st.from_regex(r"[a-z_]{1,8}", fullmatch=True)
texts = st.text(st.characters(codec="utf-8"), max_size=20)
numbers = st.one_of(st.booleans(), st.integers(-(2**60), 2**60), st.floats(allow_nan=False, allow_infinity=False))
values = st.one_of(numbers, texts, st.lists(texts, max_size=3))
tables = st.dictionaries(names, values, max_size=4)


@given(st.dictionaries(names, st.tuples(tables, st.lists(tables, min_size=1, max_size=2)), max_size=4))
def test_what_is_written_is_read_again(plain):
    document = {name: table | {"zz_list": items} for name, (table, items) in plain.items()}
    assert tomllib.loads(files.toml_text(document, lambda path: f"{path}\nsecond line")) == document


def test_a_value_that_no_configuration_has_is_our_mistake():
    with pytest.raises(TypeError):
        files.toml_text({"a": {"b": None}}, lambda _path: None)


def test_sections_stand_in_the_order_of_reading_and_carry_their_comment():
    document = {"uplink": {"broker": "x"}, "gateway": {"id": "1"}, "radio": {}}
    text = files.toml_text(document, lambda path: words.comment(path, "fr"))
    assert [line for line in text.splitlines() if line.startswith("[")] == ["[gateway]", "[uplink]", "[radio]"]
    assert "# Qui est cette armoire." in text and "peut être relancé" in text


# --- words ----------------------------------------------------------------------------------------------------------


def test_every_word_that_is_said_exists():

    source = "".join(path.read_text() for path in Path(questions.__file__).parent.glob("*.py"))
    said = set(re.findall(r'"((?:site|identity|keys|file|done|end|title|feeder|answers)\.[a-z_-]+)"', source))
    assert {key for key in said if not key.startswith("file.")} <= words.WORDS.messages.keys()
