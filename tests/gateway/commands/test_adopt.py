"""`bocage gateway adopt`: keys brought, listed and taken away."""

import json
from types import SimpleNamespace

import pytest

from gateway.core.link.sessions import NodeKey
from gateway.shell import keys as node_keys
from tests.support.commands import run_command

NODE = "7c1f0a2c01000001"
SECRET = "d1c2b3a4958677685a4b3c2d1e0f00ff"
KEY = NodeKey(bytes.fromhex(NODE), b"\1\0\1", bytes.fromhex(SECRET))
OTHER = NodeKey(bytes.fromhex("7c1f0a2c01000002"), b"\1\0\2", bytes(16))


@pytest.fixture
def adopt(tmp_path, capsys):
    """adopt(keys…, remove=…) -> (status, standard output, standard error); never a secret in either."""

    def run(*keys, remove=(), language="en", as_json=False):
        files = []
        for key in keys:
            files.append(key if not isinstance(key, NodeKey) else tmp_path / f"{key.node.hex()}.key")
            if isinstance(key, NodeKey):
                node_keys.save(files[-1], key)
        config = SimpleNamespace(keys=tmp_path / "data" / "keys")
        removed = (f"--remove={one}" for one in remove)
        status = run_command("adopt", config, *files, *removed, lang=language, json=as_json)
        said = capsys.readouterr()
        assert SECRET not in said.out + said.err
        return status, said.out, said.err

    run.folder = tmp_path / "data" / "keys"
    return run


def test_nodes_are_adopted_listed_and_taken_away(adopt):
    assert adopt() == (0, "nodes adopted: 0\n", "")
    assert adopt(KEY, OTHER)[:2] == (
        0,
        f"node {NODE} adopted (kid 010001)\nnode 7c1f0a2c01000002 adopted (kid 010002)\n",
    )
    assert adopt()[1].splitlines() == [f"{NODE}  kid 010001", "7c1f0a2c01000002  kid 010002", "nodes adopted: 2"]
    assert adopt(remove=[NODE]) == (0, f"node {NODE} taken away\n", "")
    assert adopt(remove=[NODE])[0] == 1
    assert node_keys.read_folder(adopt.folder).keys == [OTHER]


def test_in_french(adopt):
    assert adopt(KEY, language="fr")[1] == f"nœud {NODE} adopté (kid 010001)\n"
    assert "nœuds adoptés : 1" in adopt(language="fr")[1]


def test_as_json_the_listing_holds_no_secret(adopt):
    status, out, _ = adopt(KEY, as_json=True)
    assert status == 0 and json.loads(out) == {"nodes": [{"node": NODE, "kid": "010001"}], "faults": []}


def test_one_bad_file_does_not_keep_the_others_out(adopt, tmp_path):
    bad = tmp_path / "bad.key"
    bad.write_text(SECRET, encoding="ascii")
    bad.chmod(0o600)
    status, _, err = adopt(bad, tmp_path / "absent.key", KEY)
    assert status == 1 and "no TOML" in err and "absent.key" in err
    assert node_keys.read_folder(adopt.folder).keys == [KEY]


def test_a_kid_that_another_node_has_is_refused_with_the_remedy(adopt):
    adopt(KEY)
    status, _, err = adopt(OTHER._replace(kid=KEY.kid))
    assert status == 1 and "give one another kid" in err
    assert node_keys.read_folder(adopt.folder).keys == [KEY]


def test_a_second_key_of_a_node_takes_the_place_of_the_first(adopt):
    adopt(KEY)
    newer = KEY._replace(kid=b"\1\0\3", master_secret=bytes(16))
    assert adopt(newer)[0] == 0 and node_keys.read_folder(adopt.folder).keys == [newer]


@pytest.mark.parametrize("name", ["", "xyz", "7c1f", "../../etc/passwd", NODE + "00"])
def test_an_id_that_is_none(adopt, name):
    adopt(KEY)
    status, _, err = adopt(remove=[name])
    assert status == 2 and "16 hexadecimal digits" in err and node_keys.read_folder(adopt.folder).keys == [KEY]


def test_faults_of_the_folder_are_told_whenever_it_is_listed(adopt):
    adopt(KEY)
    (adopt.folder / "spoilt.key").write_text("?", encoding="ascii")
    status, out, err = adopt()
    assert status == 1 and "nodes adopted: 1" in out and "chmod 600" in err
    assert json.loads(adopt(as_json=True)[1])["faults"]


def test_a_folder_that_cannot_be_written_is_told(adopt, tmp_path):
    (tmp_path / "data").write_text("", encoding="ascii")
    status, _, err = adopt(KEY)
    assert status == 1 and "bocage gateway adopt:" in err


def test_a_key_on_a_stick_whose_file_system_knows_no_rights_is_taken(adopt, tmp_path):
    path = tmp_path / "stick.key"
    node_keys.save(path, KEY)
    path.chmod(0o755)
    assert adopt(path)[0] == 0
    assert (adopt.folder / f"{KEY.node.hex()}.key").stat().st_mode & 0o077 == 0
