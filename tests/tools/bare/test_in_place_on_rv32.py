"""A node whose program runs in place from a ROMFS partition, on a bare 32-bit machine: its start by the `_boot` of an
interpreter of our own, an update over its link, power cuts in erases and writes of it, a damaged half."""

import re
import shutil

import pytest

from gateway.core.link.images import NodeImage
from tests.support.bare_board import BareBoard
from tests.support.signed_image import KEY, SIGNER
from tests.tools.bare.test_whole_node_on_rv32 import safe
from tools import mpy
from tools.bare import board, image, machine
from tools.firmware_modules import FIRMWARE
from tools.link import image as link_image
from tools.link import romfs
from tools.link.romfs import BLOCK_BYTES
from wire import cose, event
from wire.image import ROM_PIECE_BYTES, ROM_SUFFIX

pytestmark = [pytest.mark.services, pytest.mark.vm]
KIND = "thermostat"
A = romfs.BASE_BYTES
HALF_BYTES = (machine.ROM_BYTES - A) // 2
B = A + HALF_BYTES
# Hours and minutes of the product, in the seconds of a test.
QUICK = {
    "GOOD_START_MS = 600_000": "GOOD_START_MS = 1_000",
    "UPDATE_FIRST_MS = 900_000": "UPDATE_FIRST_MS = 500",
    "UPDATE_PACE_MS = 200": "UPDATE_PACE_MS = 0",
    "UPDATE_RESCUE_FIRST_MS = 10_000": "UPDATE_RESCUE_FIRST_MS = 500",
}
# The first line of ours behind the watchdog.
BEHIND = "    settled, kind = chosen_settings.settle(wdt, life, clock)\n"


@pytest.fixture(scope="module")
def quick(tmp_path_factory):
    """The folder of a firmware in which all that happens sooner."""
    folder = tmp_path_factory.mktemp("quick") / "firmware"
    shutil.copytree(FIRMWARE, folder, ignore=shutil.ignore_patterns("__pycache__"))
    limits = folder / "node" / "limits.py"
    text = limits.read_text(encoding="utf-8")
    for slow, fast in QUICK.items():
        assert text.count(f"\n{slow}\n") == 1, slow
        text = text.replace(f"\n{slow}\n", f"\n{fast}\n")
    limits.write_text(text, encoding="utf-8")
    return folder


def test_the_program_starts_in_place_and_takes_three_fifths_of_the_heap(elf, tmp_path):
    used = {}
    for name, rom in (("folder", None), ("place", board.rom_in_place(KIND))):
        folder = tmp_path / name
        folder.mkdir()
        with BareBoard(elf, folder, KIND, rom=rom) as node:
            node.start()
            node.until(lambda node=node: node.synced() >= 2)
            assert node.said[: len(safe(KIND))] == safe(KIND), "outputs first"
            assert not node.says("Traceback") and len(node.events(event.BOOT)) == 1
            used[name] = int(re.search(r"ready (\d+) bytes", "\n".join(node.said))[1])
    assert used["place"] * 5 < used["folder"] * 3, used


def test_a_node_with_less_memory_than_a_module_with_psram_says_so(elf, tmp_path):
    with BareBoard(elf, tmp_path, KIND, heap=600_000, rom=board.rom_in_place(KIND)) as node:
        node.start()
        node.until(lambda: node.says("ready"))
        assert node.says("little memory: has this module PSRAM?")


def test_without_a_file_system_outputs_stay_safe_and_the_console_says_why(elf, tmp_path):
    with BareBoard(elf, tmp_path, KIND, rom=board.rom_in_place(KIND)) as node:
        machine.make_memory(node.memory, b"\xff" * machine.FLASH_BYTES, machine.rom_in(node.memory))
        node.start()
        node.until(lambda: node.says("settings:"))
        assert node.said[: len(safe(KIND))] == safe(KIND)
        assert node.says("no file system") and not node.says(">>>")


def updated(elf, folder, quick, running=None):
    """A node that runs program 1 from half a, or the pieces `running`, beside a gateway that offers 2; all but two
    pieces of that are in half b, from an update that was cut short."""
    rom = bytearray(board.rom_in_place(KIND, firmware=quick))
    if running is not None:
        whole = b"".join(running[path] for path in sorted(running))
        rom[A : A + len(whole)] = whole
    pieces = romfs.pieces(link_image.node_files(quick, mpy.find_compiler(), KIND, in_place=True))
    manifest = link_image.manifest_of(pieces, 2, "0.2.0", KIND + ROM_SUFFIX)
    for path in list(pieces)[:-2]:
        at = B + int(path[:2]) * ROM_PIECE_BYTES
        rom[at : at + ROM_PIECE_BYTES] = pieces[path]
    last = B + HALF_BYTES - BLOCK_BYTES
    rom[last : last + 4 + len(manifest)] = len(manifest).to_bytes(4, "little") + manifest
    node = BareBoard(elf, folder, KIND, rom=bytes(rom), update_keys=[KEY.hex()])
    signed = cose.sign1_encode(manifest, cose.kid_of(KEY), cose.IMAGE_AAD, SIGNER.sign)
    node.images.set_images([NodeImage(KIND + ROM_SUFFIX, 2, "0.2.0", signed, tuple(pieces.values()))])
    return node


def outcomes(node):
    return [made.detail for made in node.events(event.UPDATE)]


def test_an_update_arrives_over_the_link_and_is_confirmed_in_the_other_half(elf, tmp_path, quick):
    with updated(elf, tmp_path, quick) as node:
        before = machine.rom_in(node.memory)
        node.start()
        node.until(lambda: [2, "confirmed"] in outcomes(node))
        assert outcomes(node) == [[2, "ready"], [2, "confirmed"]] and not node.says("Traceback")
        node.cut()
        after = machine.rom_in(node.memory)
        assert after[:B] == before[:B], "base and running half are untouched"
        program = romfs.romfs_image(link_image.node_files(quick, mpy.find_compiler(), KIND, in_place=True))
        assert after[B : B + len(program)] == program


def test_three_crashes_lead_to_the_rescue_in_the_base_which_brings_the_next_program(elf, tmp_path, quick):
    crashing = tmp_path / "crashing"
    shutil.copytree(quick, crashing)
    main = crashing / "esp32" / "main.py"
    text = main.read_text(encoding="utf-8")
    assert text.count(BEHIND) == 1
    main.write_text(text.replace(BEHIND, BEHIND + '    raise ValueError("of this version")\n'), encoding="utf-8")
    running = romfs.pieces(link_image.node_files(crashing, mpy.find_compiler(), KIND, in_place=True))
    with updated(elf, tmp_path, quick, running) as node:
        node.start()
        node.until(lambda: [2, "confirmed"] in outcomes(node))
        assert [made.detail for made in node.events(event.RESCUE_MODE)] == [["starts"]]
        assert sum(line.startswith("crash: ValueError") for line in node.said) == 3


@pytest.mark.parametrize("cut", [30, 60, 90])
def test_a_power_cut_in_an_erase_or_a_write_leaves_a_node_that_starts_and_gets_there(elf, tmp_path, quick, cut):
    with updated(elf, tmp_path, quick) as node:
        node.start(cut=cut)
        with pytest.raises(machine.MachineFault, match="ended with 0"):
            node.until(lambda: [2, "confirmed"] in outcomes(node))
        node.cut()
        node.records.clear()
        node.start()
        node.until(lambda: [2, "confirmed"] in outcomes(node))
        assert not node.says("Traceback")


def test_a_damaged_half_gives_way_to_the_other_after_a_reset(elf, tmp_path, quick):
    rom = bytearray(board.rom_in_place(KIND, firmware=quick))
    rom[B : B + HALF_BYTES] = rom[A : A + HALF_BYTES]
    at = rom.index(b"M\x06", rom.index(b"app.mpy", A, B))
    rom[at] = 0  # no .mpy any more, after half of the program was imported
    with BareBoard(elf, tmp_path, KIND, rom=bytes(rom)) as node:
        node.start()
        node.until(lambda: node.says("ready"))
        safes = [at for at, line in enumerate(node.said) if line == safe(KIND)[0]]
        assert len(safes) == 2, "one reset, after which outputs are safe first again"
        assert len([line for line in node.said if "Traceback" in line]) == 1


def test_names_of_a_half_that_was_imported_change_with_its_erase(elf, tmp_path):
    """Why a fallback between halves needs a reset: what the interpreter calls a name is the flash itself."""
    source = tmp_path / "module.py"
    source.write_text("a_rather_long_name = 7\n")
    half = romfs.romfs_image({"module.mpy": mpy.compile_module(mpy.find_compiler(), source, "module.py")})
    script = (
        f"import sys, vfs\npart = vfs.rom_ioctl(2, 0)\nvfs.mount(vfs.VfsRom(memoryview(part)[{A}:]), '/a')\n"
        "sys.path.insert(0, '/a')\nimport module\nname = [n for n in dir(module) if n[:2] == 'a_'][0]\n"
        f"print('first', name)\npart.ioctl(6, {A // BLOCK_BYTES})\nprint('then', name == 'a_rather_' + 'long_name')\n"
    )
    rom = bytearray(A + len(half))
    base = romfs.romfs_image({"boot.py": script.encode(), **image.chip("machine")})
    rom[: len(base)], rom[A:] = base, half
    memory = tmp_path / "memory"
    machine.make_memory(memory, b"", bytes(rom))
    with machine.Machine(elf, b"", memory=memory) as made:
        said = made.until(machine.PROMPT)
    assert b"first a_rather_long_name" in said and b"then False" in said, said
