"""A ROMFS image is as MicroPython's format says, and a VM mounts it."""

import subprocess

import pytest

from esp32 import place_rom
from tools.link import romfs
from tools.link.romfs import romfs_image
from wire import image


@pytest.mark.parametrize("length", [0, 1, 126, 127, 128, 200])
def test_an_image_begins_as_the_format_says_and_is_even(length):
    image = romfs_image({"a": bytes(length)})
    assert image.startswith(b"\xd2\xcd\x31") and len(image) % 2 == 0


@pytest.mark.every_vm
@pytest.mark.vm
def test_a_vm_mounts_an_image_of_ours(micropython, tmp_path):
    (tmp_path / "image").write_bytes(romfs_image({"deep/er/text": bytes(range(256)), "top": b"t"}))
    script = (
        "import vfs\nvfs.mount(vfs.VfsRom(open('image', 'rb').read()), '/rom')\n"
        "print(open('/rom/deep/er/text', 'rb').read() == bytes(range(256)), open('/rom/top').read())"
    )
    done = subprocess.run([micropython, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["True", "t"]


def test_a_program_in_pieces_is_its_image_with_the_header_last():
    files = {f"m{number}.mpy": bytes([number]) * 3000 for number in range(9)}
    pieces = romfs.pieces(files)
    assert list(pieces) == ["01.rom", "02.rom", "03.rom", "00.rom"]
    assert {len(data) for data in pieces.values()} == {8192}
    whole = b"".join(pieces[path] for path in sorted(pieces))
    assert whole.rstrip(b"\xff") == romfs_image(files)
    assert all(image.is_path(path) and image.rom_index(path) == int(path[:2]) for path in pieces)


@pytest.mark.parametrize("path", ["1.rom", "001.rom", "aa.rom", ".rom", "00.mpy", "", "-1.rom"])
def test_what_is_no_piece_has_no_place(path):
    assert image.rom_index(path) is None


@pytest.mark.parametrize(("size", "what"), [(0x40000, "program"), (0x44000, "program"), (0x45000, "manifest")])
def test_what_has_no_room_in_the_partition_is_named(size, what):
    """Half a has nothing, two blocks, the piece's two and one for the manifest."""
    program = romfs.pieces({"main.mpy": b"x"})
    with pytest.raises(romfs.RomFault, match=f"the {what} has"):
        romfs.partition({"boot.mpy": b""}, program, b"m" * 5000, size + 0x2000 * (what == "manifest"))


def test_the_tools_and_the_chip_agree_on_the_places():
    assert romfs.BLOCK_BYTES == place_rom.BLOCK_BYTES
    assert romfs.BASE_BYTES == place_rom.BASE_BLOCKS * place_rom.BLOCK_BYTES


def test_the_name_of_a_program_says_its_kind_and_how_it_is_stored():
    assert image.ROM_SUFFIX == place_rom.SUFFIX
    assert image.kind_of("water_meter" + place_rom.SUFFIX) == image.kind_of("water_meter") == "water_meter"
