"""A node with two OTA partitions on a bare 32-bit machine, under a stand-in for the boot loader of ESP-IDF: the image
of an interpreter arrives over its link, is tried, and is confirmed or gone back from. What runs is one ELF.
"""

import shutil

import pytest

from gateway.core.link.images import NodeImage
from tests.support.bare_board import BareBoard
from tests.support.ota_chip import application
from tests.support.signed_image import KEY, SIGNER
from tests.tools.bare.test_in_place_on_rv32 import KIND, outcomes, quick
from tools.bare import board, image
from tools.link import image as link_image
from tools.link import interpreter as made
from tools.link.romfs import BLOCK_BYTES
from wire import cose, interpreter

pytestmark = [pytest.mark.services, pytest.mark.vm]
__all__ = ("quick",)  # a fixture
# As tests/support/bare_partitions.py has them.
OTA_1, BLOCKS = 660, 40
PRODUCT = interpreter.product("VIRT_RV32", 6)
WORD = interpreter.WORD


@pytest.fixture
def node(elf, tmp_path, quick, repository, monkeypatch):
    """A node beside a gateway that offers interpreter 3, of which all but the piece with the header is there."""
    monkeypatch.setattr(interpreter, "PIECE_BYTES", 8192)
    firmware = tmp_path / "firmware"
    shutil.copytree(quick, firmware)
    constants = firmware / "wire" / "interpreter.py"
    text = constants.read_text(encoding="utf-8")
    assert text.count("PIECE_BYTES = 32 * 1024") == 1
    constants.write_text(text.replace("PIECE_BYTES = 32 * 1024", "PIECE_BYTES = 8192"), encoding="utf-8")
    twin = image.compiled(repository / "tests" / "support" / "bare_partitions.py", "esp32.py")
    rom = bytearray(board.rom_in_place(KIND, {**board.beside_base(KIND, firmware), "esp32.mpy": twin}, firmware))
    pieces = made.pieces(application(3, bytes_max=12_000))
    manifest = link_image.manifest_of(pieces, 3, "v1.26.3", PRODUCT)
    at = BLOCK_BYTES * OTA_1
    rom += b"\xff" * (at + BLOCK_BYTES * BLOCKS - len(rom))
    rom[at + 8192 : at + 16_384] = pieces["01.rom"]
    last = at + BLOCK_BYTES * (BLOCKS - 1)
    rom[last : last + 4 + len(manifest)] = len(manifest).to_bytes(4, "little") + manifest
    with BareBoard(elf, tmp_path, KIND, rom=bytes(rom), update_keys=[KEY.hex()]) as made_node:
        signed = cose.sign1_encode(manifest, cose.kid_of(KEY), cose.IMAGE_AAD, SIGNER.sign)
        made_node.images.set_images([NodeImage(PRODUCT, 3, "v1.26.3", signed, tuple(pieces.values()))])
        yield made_node


def starts(node):
    return [line for line in node.said if line.startswith("boot loader: ")]


def test_an_interpreter_arrives_over_the_link_is_tried_by_the_program_and_confirmed(node):
    node.start()
    node.until(lambda: [3, "confirmed", WORD] in outcomes(node))
    assert outcomes(node) == [[3, "ready", WORD], [3, "confirmed", WORD]] and not node.says("Traceback")
    node.cut()
    node.start()
    node.until(lambda: len(starts(node)) == 3 and node.says("ready"))
    assert starts(node) == ["boot loader: ota_0", "boot loader: ota_1", "boot loader: ota_1"]


def test_a_power_cut_in_its_trial_leads_back_and_the_former_one_tells(node):
    node.start()
    node.until(lambda: len(starts(node)) == 2)
    node.cut()
    node.start()
    node.until(lambda: [3, "fell-back", WORD] in outcomes(node))
    assert starts(node) == ["boot loader: ota_0", "boot loader: ota_1", "boot loader: ota_0"]
    assert not node.says("Traceback")
