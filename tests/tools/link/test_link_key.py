"""`bocage link key`: one key for one node, in a file of its own."""

import json
import stat

import pytest

from gateway.shell import keys as node_keys
from tools import cli

NODE = "7c1f0a2c01000001"


def mint(capsys, *words):
    status = cli.main(["link", "key", *map(str, words), "--lang", "en"])
    said = capsys.readouterr()
    return status, said.out, said.err


def test_a_key_is_minted_that_the_gateway_takes(tmp_path, capsys):
    status, out, err = mint(capsys, NODE, "--out", tmp_path)
    path = tmp_path / f"{NODE}.key"
    key = node_keys.read(path)
    assert status == 0 and out == "" and err == f"{path}: kid 010001\n"
    assert (key.node.hex(), key.kid.hex(), len(key.master_secret)) == (NODE, "010001", 16)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600 and list(tmp_path.iterdir()) == [path]


def test_the_settings_are_printed_only_when_asked_for_and_a_node_takes_them(tmp_path, capsys):
    _, out, err = mint(capsys, NODE, "--out", tmp_path, "--settings")
    key = node_keys.read(tmp_path / f"{NODE}.key")
    assert json.loads(out) == {"node": NODE, "kid": "010001", "master_secret": key.master_secret.hex()}
    assert key.master_secret.hex() not in err


def test_every_key_is_another(tmp_path, capsys):
    secrets = set()
    for number in range(20):
        mint(capsys, NODE, "--out", tmp_path / str(number))
        secrets.add(node_keys.read(tmp_path / str(number) / f"{NODE}.key").master_secret)
    assert len(secrets) == 20


def test_a_node_gets_one_key(tmp_path, capsys):
    mint(capsys, NODE, "--out", tmp_path)
    before = (tmp_path / f"{NODE}.key").read_bytes()
    status, out, err = mint(capsys, NODE, "--out", tmp_path, "--settings")
    assert status == 1 and out == "" and "one key" in err and (tmp_path / f"{NODE}.key").read_bytes() == before


def test_another_kid(tmp_path, capsys):
    assert mint(capsys, NODE, "--out", tmp_path, "--kid", "beef")[0] == 0
    assert node_keys.read(tmp_path / f"{NODE}.key").kid == b"\xbe\xef"


@pytest.mark.parametrize(
    "words", [("",), ("7c1f",), ("not hexadecimal!",), (NODE, "--kid", "01"), (NODE, "--kid", "zz")]
)
def test_an_id_that_is_none(tmp_path, capsys, words):
    status, out, err = mint(capsys, *words, "--out", tmp_path)
    assert status == 2 and out == "" and "hexadecimal digits" in err and list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written(tmp_path, capsys):
    (tmp_path / "file").write_text("", encoding="ascii")
    status, _, err = mint(capsys, NODE, "--out", tmp_path / "file")
    assert status == 1 and err.startswith("bocage link key: ")
