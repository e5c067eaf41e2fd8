"""One operation at a time in a half of a ROMFS partition: bounds, what is not there, a flash that fails."""

import pytest

from esp32.slot_rom import running_number
from tests.support.rom_medium import BLOCK, FIRST, HALF_BLOCKS, Halves
from wire import image

PIECES = (HALF_BLOCKS - 1) // 2


@pytest.fixture
def halves(monkeypatch):
    Halves.small(monkeypatch)
    return Halves()


def files_of(halves, slot=1):
    return halves.slot_files(slot, lambda number: ("chosen", number), lambda number: ("confirmed", number))


def test_a_manifest_reads_as_it_was_written_and_not_before_its_end(halves):
    files, manifest = files_of(halves), bytes(range(1, 200))
    assert files.do((image.BEGIN, image.MANIFEST_NAME)) == ""
    for at in range(0, len(manifest), 60):
        assert files.do((image.WRITE, manifest[at : at + 60])) == ""
        assert files.do((image.READ, image.MANIFEST_NAME, 0)) == b""
    assert files.do((image.END,)) == ""
    assert files.do((image.READ, image.MANIFEST_NAME, 0)) == manifest
    assert files.do((image.READ, image.MANIFEST_NAME, 150)) == manifest[150:]
    assert files.do((image.READ, image.MANIFEST_NAME, 300)) == b""


def test_a_piece_has_a_place_of_its_own_and_no_byte_beyond_it_is_written(halves):
    files = files_of(halves)
    before = bytes(halves.flash.data)
    assert files.do((image.BEGIN, image.rom_path(PIECES - 1))) == ""
    assert files.do((image.WRITE, b"x" * 2 * BLOCK)) == ""
    assert files.do((image.WRITE, b"y")) == "write"
    at = BLOCK * (FIRST + HALF_BLOCKS) + 2 * BLOCK * (PIECES - 1)
    assert halves.flash.data == before[:at] + b"x" * 2 * BLOCK + before[at + 2 * BLOCK :]
    assert files.do((image.READ, image.rom_path(PIECES - 1), 2 * BLOCK)) == b"", "as a file ends"


@pytest.mark.parametrize("path", [image.rom_path(PIECES), "main.py", "x.rom"])
def test_what_has_no_place_in_the_half_is_a_lack_of_space(halves, path):
    files = files_of(halves)
    assert files.do((image.BEGIN, path)) == image.SPACE
    assert files.do((image.READ, path, 0)) == b""
    assert files.do((image.WRITE, b"x")) == "write" and halves.medium.operations == 0


def test_a_cleared_half_has_no_header_and_the_other_is_untouched(halves):
    halves.flash.data[:] = b"\0" * len(halves.flash.data)
    assert files_of(halves).do((image.CLEAR,)) is True
    at = BLOCK * (FIRST + HALF_BLOCKS)
    assert halves.flash.data[at : at + BLOCK] == b"\xff" * BLOCK and not any(halves.flash.data[:at])


def test_a_flash_that_fails_is_a_result_and_no_exception(halves, monkeypatch):
    def fails(*_):
        raise OSError(5)

    files = files_of(halves)
    files.do((image.BEGIN, image.rom_path(1)))
    for name in ("readblocks", "writeblocks", "ioctl"):
        monkeypatch.setattr(halves.flash, name, fails)
    assert files.do((image.READ, image.rom_path(1), 0)) == b"" and running_number(halves.half(1)) == 0
    assert {files.do((image.WRITE, b"x")), files.do((image.CLEAR,))} == {"write"}
    assert files.do((image.CHOOSE, 4)) == ("chosen", 4) and files.do((image.CONFIRM, 4)) == ("confirmed", 4)


def test_an_erase_that_the_flash_refuses_is_told(halves, monkeypatch):
    monkeypatch.setattr(halves.flash, "ioctl", lambda operation, block: -5)
    assert files_of(halves).do((image.CLEAR,)) == "write"
