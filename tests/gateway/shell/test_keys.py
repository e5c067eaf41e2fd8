"""Key files of nodes: what is sound, what is said of the rest, what an operator, root and a full disk do to them."""

import errno
import os
import random
import stat
from itertools import pairwise
from pathlib import Path

import pytest

from gateway.core.link.sessions import NodeKey
from gateway.shell import keys as node_keys
from gateway.shell.keys import KeyFileError

NODE, OTHER = bytes.fromhex("7c1f0a2c01000001"), bytes.fromhex("7c1f0a2c01000002")
SECRET = bytes.fromhex("d1c2b3a4958677685a4b3c2d1e0f00ff")
KEY = NodeKey(NODE, b"\1\0\1", SECRET)
TWO = NodeKey(OTHER, b"\1\0\2", bytes(range(16)))

pytestmark = pytest.mark.skipif(os.name != "posix", reason="rights of files")


def put(folder, name, text, mode=0o600):
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    path.chmod(mode)
    return path


def silent(text, key=KEY):
    return key.master_secret.hex() not in text and repr(key.master_secret)[2:-1] not in text


def test_a_key_comes_back_and_only_its_owner_may_read_it(tmp_path):
    path = node_keys.write(tmp_path / "keys", KEY)
    assert path.name == "7c1f0a2c01000001.key" and node_keys.read(path) == KEY
    assert stat.S_IMODE(path.stat().st_mode) == 0o600 and stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert list(path.parent.iterdir()) == [path]
    assert node_keys.read_folder(path.parent)[:2] == ([KEY], [])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "node is not 16"),
        (b"\xff\xfe", "no TOML"),
        (SECRET.hex(), "no TOML"),
        (f'master_secret = "{SECRET.hex()}', "no TOML"),
        (f'{SECRET.hex()} = 1\nnode = "7c1f0a2c01000001"', "1 fields too many"),
        (node_keys.text(KEY) + "site = 1\n", "1 fields too many"),
        (node_keys.text(KEY).replace("7c1f", "7c"), "node is not 16"),
        (node_keys.text(KEY).replace('"010001"', '"01"'), "kid is not 4 or 6"),
        (node_keys.text(KEY).replace('"010001"', "10001"), "kid is not 4 or 6"),
        (node_keys.text(KEY).replace('00ff"', '00ff00"'), "master_secret is not 32"),
        (node_keys.text(KEY).replace("d1c2", "xxxx"), "master_secret is not 32"),
        (node_keys.text(KEY).replace('"d1', '["d1').replace('ff"', 'ff"]'), "master_secret is not 32"),
        (node_keys.text(KEY) + "#" * 5000 + "\nsite = 1", ""),
    ],
)
def test_a_fault_names_the_file_and_the_remedy_and_no_secret(tmp_path, text, words):
    path = put(tmp_path, "a.key", text)
    if not words:
        assert node_keys.read(path) == KEY, "bytes beyond the bound are not looked at"
        return
    with pytest.raises(KeyFileError) as fault:
        node_keys.read(path)
    assert words in str(fault.value) and str(path) in str(fault.value)
    assert silent(str(fault.value)) and silent(repr(fault.value)) and fault.value.__cause__ is None


def test_random_damage_never_shows_the_secret_and_raises_nothing_else():
    generator, whole = random.Random(5), node_keys.text(KEY).encode()
    sound = 0
    for _ in range(3000):
        data = bytearray(whole)
        for _ in range(generator.randrange(1, 4)):
            place = generator.randrange(len(data))
            data[place : place + generator.randrange(3)] = bytes((generator.randrange(256),))
        try:
            node_keys.parse(bytes(data), "name")
            sound += 1
        except KeyFileError as fault:
            assert SECRET.hex()[:12] not in str(fault)
    assert sound < 3000


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o660])
def test_what_others_may_read_is_refused_until_chmod_and_that_is_noticed(tmp_path, mode):
    path = put(tmp_path / "keys", "a.key", node_keys.text(KEY), mode)
    found = node_keys.read_folder(path.parent)
    assert found.keys == [] and "chmod 600" in found.faults[0] and silent(found.faults[0])
    before = node_keys.state(path.parent)
    path.chmod(0o600)
    assert node_keys.state(path.parent) != before, "the agent looks again"
    assert node_keys.read_folder(path.parent).keys == [KEY]


def test_a_damaged_file_costs_its_own_node_only(tmp_path):
    node_keys.write(tmp_path, KEY)
    put(tmp_path, "b.key", "?")
    put(tmp_path, "notes.txt", "no key")
    put(tmp_path, "c.key.new", node_keys.text(TWO))  # a cut left it
    (tmp_path / "d.key").mkdir()
    found = node_keys.read_folder(tmp_path)
    assert found.keys == [KEY] and len(found.faults) == 2


def test_two_nodes_of_one_kid_and_two_keys_of_one_node(tmp_path):
    put(tmp_path, "a.key", node_keys.text(KEY))
    put(tmp_path, "b.key", node_keys.text(TWO._replace(kid=KEY.kid)))
    put(tmp_path, "c.key", node_keys.text(KEY._replace(kid=b"zz")))
    found = node_keys.read_folder(tmp_path)
    assert found.keys == [KEY] and len(found.faults) == 2
    assert "give one another kid" in found.faults[0] and "two keys" in found.faults[1]
    with pytest.raises(KeyFileError, match="another kid"):
        node_keys.write(tmp_path, TWO._replace(kid=KEY.kid))


def test_an_absent_folder_is_empty_and_one_that_cannot_be_read_is_a_fault(tmp_path):
    assert node_keys.read_folder(tmp_path / "none")[:2] == ([], [])
    assert node_keys.state(tmp_path / "none") == node_keys.state(tmp_path / "none") != node_keys.state(tmp_path)
    put(tmp_path, "file", "")
    found = node_keys.read_folder(tmp_path / "file")
    assert found.keys == [] and len(found.faults) == 1, "the agent goes on without"


def test_a_newer_key_of_a_node_takes_the_place_of_the_older_whatever_its_file_is_called(tmp_path):
    put(tmp_path, "brought-by-hand.key", node_keys.text(KEY))
    newer = KEY._replace(master_secret=bytes(16))
    node_keys.write(tmp_path, newer)
    assert node_keys.read_folder(tmp_path)[:2] == ([newer], [])


@pytest.mark.parametrize("name", ["7c1f0a2c01000001.key", "brought-by-hand.key"])
def test_a_key_that_is_taken_away_is_gone(tmp_path, name):
    put(tmp_path, name, node_keys.text(KEY))
    node_keys.write(tmp_path, TWO)
    before = node_keys.state(tmp_path)
    assert node_keys.remove(tmp_path, NODE) and not node_keys.remove(tmp_path, NODE)
    assert node_keys.read_folder(tmp_path)[:2] == ([TWO], []) and node_keys.state(tmp_path) != before


def test_a_damaged_key_can_be_taken_away(tmp_path):
    put(tmp_path, f"{NODE.hex()}.key", "?")
    assert node_keys.remove(tmp_path, NODE) and node_keys.read_folder(tmp_path)[:2] == ([], [])


def test_a_removal_is_on_the_disk(tmp_path, monkeypatch):
    node_keys.write(tmp_path, KEY)
    synced = []
    monkeypatch.setattr(os, "fsync", lambda handle: synced.append(os.fstat(handle).st_ino))
    assert node_keys.remove(tmp_path, NODE)
    assert synced == [tmp_path.stat().st_ino]


def test_a_key_is_on_the_disk_before_its_name_is(tmp_path, monkeypatch):
    happened = []
    monkeypatch.setattr(os, "fsync", lambda handle: happened.append(stat.S_ISDIR(os.fstat(handle).st_mode)))
    real = type(tmp_path).replace
    monkeypatch.setattr(type(tmp_path), "replace", lambda path, to: (happened.append("renamed"), real(path, to)))
    node_keys.write(tmp_path, KEY)
    assert happened == [False, "renamed", True]


def test_a_disk_that_is_full_leaves_the_old_key(tmp_path, monkeypatch):
    node_keys.write(tmp_path, KEY)

    def full(handle):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        node_keys.write(tmp_path, KEY._replace(master_secret=bytes(16)))
    assert node_keys.read_folder(tmp_path)[:2] == ([KEY], [])
    monkeypatch.undo()
    node_keys.write(tmp_path, TWO)
    assert len(node_keys.read_folder(tmp_path).keys) == 2


@pytest.mark.root
def test_what_root_brings_belongs_to_the_agent(tmp_path):
    """`sudo bocage gateway adopt`: the agent runs as somebody else and could not read root's file."""
    if os.geteuid() != 0:
        pytest.skip("not root")
    data = tmp_path / "data"
    data.mkdir()
    os.chown(data, 4321, 4322)
    path = node_keys.write(data / "keys", KEY)
    for made in (path, path.parent):
        assert (made.stat().st_uid, made.stat().st_gid) == (4321, 4322)


def test_the_folder_is_looked_at_again_when_a_file_comes_changes_or_goes(tmp_path):
    states = [node_keys.state(tmp_path)]
    path = node_keys.write(tmp_path, KEY)
    states.append(node_keys.state(tmp_path))
    old = put(tmp_path, "old.key", node_keys.text(TWO))
    os.utime(old, (0, 0))  # as `cp -p` leaves it
    states.append(node_keys.state(tmp_path))
    old.unlink()
    states.append(node_keys.state(tmp_path))
    node_keys.write(tmp_path, KEY._replace(master_secret=bytes(16)))
    states.append(node_keys.state(tmp_path))
    path.unlink()
    states.append(node_keys.state(tmp_path))
    assert all(one != other for one, other in pairwise(states))


def test_no_repr_shows_a_secret():
    for text in (repr(KEY), str(KEY), f"{KEY}", repr([KEY]), repr(node_keys.Found([KEY], []))):
        assert silent(text)


# --- what a disk or a person may do to the folder -----------------------------------------------------------------


@pytest.mark.timeout(30)
def test_what_is_no_file_or_nested_without_end_costs_its_own_node_only(tmp_path):
    node_keys.save(tmp_path / "good.key", KEY)
    os.mkfifo(tmp_path / "pipe.key", 0o600)
    deep = tmp_path / "deep.key"
    deep.write_text("a=" + "[" * 4000)
    deep.chmod(0o600)
    found = node_keys.read_folder(tmp_path)
    assert found.keys == [KEY] and len(found.faults) == 2 and found.is_whole


def test_what_the_disk_keeps_back_stays_in_force_and_what_it_gives_does_not(tmp_path, monkeypatch):
    node_keys.save(tmp_path / f"{KEY.node.hex()}.key", KEY)
    assert node_keys.kept(node_keys.read_folder(tmp_path), [KEY, TWO]) == [KEY], "the other was taken away"

    def refuse(*_):
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(os, "open", refuse)
    found = node_keys.read_folder(tmp_path)
    assert found.keys == [] and not found.is_whole and node_keys.kept(found, [KEY]) == [KEY]
    monkeypatch.setattr(Path, "iterdir", refuse)
    found = node_keys.read_folder(tmp_path)
    assert not found.is_whole and node_keys.kept(found, [KEY, TWO]) == [KEY, TWO]


def test_an_absent_folder_and_one_that_cannot_be_read_are_two_things(tmp_path, monkeypatch):
    absent = node_keys.state(tmp_path / "keys")

    def refuse(_folder):
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(os, "scandir", refuse)
    assert node_keys.state(tmp_path / "keys") != absent
