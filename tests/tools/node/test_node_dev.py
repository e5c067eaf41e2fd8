"""One changed module onto a node at the bench, by mpremote as it is, at the prompt of a real MicroPython."""

import json

import pytest

from tests.support.prompt_chip import PromptChip
from tests.support.workbench import bocage
from tools import mpy
from tools.link.image import FIRMWARE
from tools.node.dev import with_source

pytestmark = [pytest.mark.vm, pytest.mark.slow]

NODE = "7c1f0a2c01000001"
MODULE = FIRMWARE / "lighting" / "photocell.py"
RTC_PLANNED = bytes([3, 0, 0])
FRAME = '  File "lighting/photocell.py", line {}, in observe'


@pytest.fixture
def bench(tmp_path, micropython):
    """A chip whose program is in folder `a`; `settings` are what its file has beside id and kind."""

    def make(console="ready\n", place="place_folder", **settings):
        folder = tmp_path / "flash"
        (folder / "a" / "lighting").mkdir(parents=True)
        (folder / "a" / "lighting" / "photocell.mpy").write_bytes(b"signed")
        plain = {"node": NODE, "kind": "streetlight", **settings}
        (folder / "settings.json").write_text(json.dumps(plain))
        return PromptChip(micropython, FIRMWARE, folder, lambda _folder: console, place), folder

    return make


def test_a_module_is_compiled_into_the_running_folder_and_the_node_started_anew(bench):
    chip, folder = bench("ready 1 bytes of heap used\n", trace=True)
    (folder / "a" / "lighting" / "photocell.py").write_text("# would be imported in its place")
    with chip:
        status, told = bocage("dev", MODULE, "--port", chip.path, "--seconds", 1)
    assert (status, chip.restarts) == (0, 2), told
    pushed = (folder / "a" / "lighting" / "photocell.mpy").read_bytes()
    assert pushed == mpy.compile_module(mpy.find_compiler(), MODULE, "lighting/photocell.py")
    assert not (folder / "a" / "lighting" / "photocell.py").exists()
    assert RTC_PLANNED in (folder / "rtc.bin").read_bytes(), "no step towards the rescue program"
    lines = told.splitlines()
    assert lines[0].startswith("a/lighting/photocell.mpy (") and NODE in lines[0]
    assert "ready 1 bytes of heap used" in lines and "no longer runs the signed program" in lines[-1]


def test_a_traceback_has_the_lines_of_the_source_and_its_exit_status(bench):
    source = MODULE.read_text().splitlines()
    number = next(place for place, line in enumerate(source, 1) if line.strip().startswith("class "))
    frame = FRAME.format(number)
    chip, _ = bench(f"Traceback (most recent call last):\n{frame}\nZeroDivisionError: \n", trace=True)
    with chip:
        status, told = bocage("dev", MODULE, "--port", chip.path, "--seconds", 1)
    assert status == 1 and f"{frame}\n    {source[number - 1].strip()}\n" in told


@pytest.mark.parametrize("trace", [None, False, "true"])
def test_a_node_that_may_stand_in_a_street_is_left_as_it_was(bench, trace):
    chip, folder = bench(**({} if trace is None else {"trace": trace}))
    with chip:
        status, told = bocage("dev", MODULE, "--port", chip.path, "--seconds", 1)
    assert status == 1 and "may be one of a street" in told and chip.restarts == 2
    assert (folder / "a" / "lighting" / "photocell.mpy").read_bytes() == b"signed"


def test_a_node_whose_program_runs_in_place_is_left_as_it_was(bench):
    chip, folder = bench(place="place_rom", trace=True)
    with chip:
        status, told = bocage("dev", MODULE, "--port", chip.path, "--seconds", 1)
    assert status == 1 and "runs its program in place" in told and chip.restarts == 2
    assert (folder / "a" / "lighting" / "photocell.mpy").read_bytes() == b"signed"


@pytest.mark.parametrize(
    "name", ["esp32/slots.py", "esp32/place_rom.py", "esp32/loader.py", "boards/boot_streetlight.py", "README.md"]
)
def test_what_is_no_module_of_a_program_is_refused(name, tmp_path):
    status, told = bocage("dev", FIRMWARE / name, "--port", tmp_path)
    assert status == 2 and "is no module of a node's program" in told


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ('  File "main.py", line 1, in <module>', '"""Runs a node on the chip'),
        ('  File "a/node/app.mpy", line 1, in poll', '"""Runs the node application'),
        ('  File "node/app.py", line 99999, in poll', None),
        ('  File "../secret.py", line 1, in <module>', None),
        ("ready", None),
    ],
)
def test_a_frame_names_its_source_line_where_there_is_one(line, shown):
    first, *rest = with_source(line)
    assert first == line and [bool(shown) and one.strip().startswith(shown) for one in rest] == [True] * bool(shown)
