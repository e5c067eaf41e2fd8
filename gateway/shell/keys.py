"""Stores the keys of nodes as files: one for each node that an operator has adopted, in the agent's folder `keys`.

    node = "7c1f0a2c01000001"            the node's id, minted at provisioning
    kid = "000001"                       its OSCORE id, two or three bytes, unique at a gateway
    master_secret = "…"                  32 hexadecimal digits that only this node and its gateway know

Only its owner may read a key file. A backup restores no key to another gateway, but a key may be given to the gateway
that takes over, for what the two sides agree on at each start is never on a disk. No text that this module shows holds
a secret.
"""

import os
import stat
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from gateway.core.link.sessions import NodeKey, check_keys
from gateway.io import files
from wire import limits
from wire.oscore_context import NODE_ID_BYTES

SUFFIX = ".key"
SECRET_BYTES = 16
_FIELDS = ("node", "kid", "master_secret")
_FILE_BYTES_MAX = 4096


class KeyFileError(Exception):
    """Reports what is wrong with a key file, and the remedy. It carries no secret."""


class UnreadableError(KeyFileError):
    """Reports that the disk did not let us read a file; it may the next time."""


class Found(NamedTuple):
    """Holds the keys of a folder, and what is wrong with other files there. `is_whole`: False when the disk did not let
    us read everything, so that missing keys may be there.
    """

    keys: list[NodeKey]
    faults: list[str]
    is_whole: bool = True


def read(path: Path, *, may_be_open: bool = False) -> NodeKey:
    """Returns the key that a file holds; KeyFileError. `may_be_open`: on a stick whose file system has no rights."""
    try:
        # A path that is not a file, such as a pipe without a writer, must not block the agent's loop.
        with os.fdopen(os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0)), "rb") as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode):
                raise KeyFileError(f"{path}: is no file; remove it")
            if os.name == "posix" and stat.S_IMODE(status.st_mode) & 0o077 and not may_be_open:
                raise KeyFileError(f"{path}: others may read it; say: chmod 600 {path}")
            data = file.read(_FILE_BYTES_MAX + 1)
    except OSError as error:
        raise UnreadableError(f"{path}: {error.strerror}") from error
    return parse(data, str(path))


def parse(data: bytes, name: str) -> NodeKey:
    """Returns the key in a key file's bytes; `name` appears in the words of a fault."""
    try:
        fields = tomllib.loads(data[:_FILE_BYTES_MAX].decode("utf-8"))
    except (ValueError, RecursionError):
        # The parser's message may quote the secret.
        raise KeyFileError(f"{name}: is no TOML text; make the key again") from None
    unknown = set(fields) - set(_FIELDS)
    if unknown:
        # The fields are not named: a person may have put the secret where a name belongs.
        raise KeyFileError(f"{name}: {len(unknown)} fields too many; there are {', '.join(_FIELDS)}")
    node = _bytes(fields, "node", (limits.NODE_ID_BYTES,), name)
    kid = _bytes(fields, "kid", NODE_ID_BYTES, name)
    return NodeKey(node, kid, _bytes(fields, "master_secret", (SECRET_BYTES,), name))


def text(key: NodeKey) -> str:
    """Returns the text of a key file for `key`. The caller must protect it from other users."""
    return f'node = "{key.node.hex()}"\nkid = "{key.kid.hex()}"\nmaster_secret = "{key.master_secret.hex()}"\n'


def read_folder(folder: Path) -> Found:
    """Returns every sound key of the folder; a damaged file costs its own node only. An absent folder is empty."""
    found, faults, is_whole = _scan(folder)
    keys: list[NodeKey] = []
    nodes: set[bytes] = set()
    kids: dict[bytes, NodeKey] = {}
    for path, key in found:
        clash = check_keys([kids[key.kid], key]) if key.kid in kids else []
        if key.node in nodes:
            clash = [f"node {key.node.hex()}: two keys; remove one"]
        faults += [f"{path}: {words}" for words in clash]
        if not clash:
            keys.append(key)
            nodes.add(key.node)
            kids[key.kid] = key
    return Found(keys, faults, is_whole)


def kept(found: Found, before: Iterable[NodeKey]) -> list[NodeKey]:
    """Returns the keys to use: those found, and where a part could not be read, those that were in force."""
    if found.is_whole:
        return found.keys
    nodes, kids = {key.node for key in found.keys}, {key.kid for key in found.keys}
    return [*found.keys, *(key for key in before if key.node not in nodes and key.kid not in kids)]


def write(folder: Path, key: NodeKey) -> Path:
    """Put a key into the folder, by rename; OSError, or KeyFileError if it conflicts with those that are there."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    files.give(folder)  # made by us, or by a person's `sudo mkdir`
    held = _scan(folder)[0]
    clash = check_keys([*(other for _, other in held if other.node != key.node), key])
    if clash:
        raise KeyFileError("; ".join(clash))
    path = folder / f"{key.node.hex()}{SUFFIX}"
    save(path, key, gives=True)
    _unlink(folder, {older for older, other in held if other.node == key.node and older != path})
    return path


def save(path: Path, key: NodeKey, *, gives: bool = False) -> None:
    """Write one key file that only its owner may read (`gateway.io.files`). OSError."""
    files.write(path, text(key).encode("ascii"), gives=gives)


def remove(folder: Path, node: bytes) -> bool:
    """Removes a node's key, under any file name, and a damaged one of its name; False if there is none.
    OSError.
    """
    usual = folder / f"{node.hex()}{SUFFIX}"
    paths = {path for path, key in _scan(folder)[0] if key.node == node}
    if usual.exists():
        paths.add(usual)
    _unlink(folder, paths)
    return bool(paths)


def state(folder: Path) -> frozenset[tuple[object, ...]]:
    """Returns a value that changes when the folder's files do; the agent compares it now and then."""
    seen: set[tuple[object, ...]] = set()
    try:
        entries: Iterable[os.DirEntry[str]] = os.scandir(folder)
        for entry in entries:
            status = entry.stat()
            # Not the time of writing: `chmod 600`, our own remedy, does not change it, nor does `cp -p`.
            seen.add((entry.name, status.st_ino, status.st_mode, status.st_size, status.st_ctime_ns))
    except OSError as error:
        seen.add((error.errno,))  # absent is not unreadable
    return frozenset(seen)


def _scan(folder: Path) -> tuple[list[tuple[Path, NodeKey]], list[str], bool]:
    """Returns the sound key files of the folder, the faults of the others and of the folder, and whether all were
    read."""
    found, faults, is_whole = [], [], True
    try:
        paths = sorted(path for path in folder.iterdir() if path.suffix == SUFFIX)
    except FileNotFoundError:
        return [], [], True
    except OSError as error:
        return [], [f"{folder}: {error.strerror}"], False
    for path in paths:
        try:
            found.append((path, read(path)))
        except KeyFileError as error:
            faults.append(str(error))
            is_whole = is_whole and not isinstance(error, UnreadableError)
    return found, faults, is_whole


def _unlink(folder: Path, paths: set[Path]) -> None:
    for path in paths:
        path.unlink()
    if paths:
        files.sync_folder(folder)


def _bytes(fields: dict[str, object], field: str, lengths: tuple[int, ...], name: str) -> bytes:
    wanted = " or ".join(str(2 * length) for length in lengths)
    value = fields.get(field)
    try:
        found = bytes.fromhex(value) if isinstance(value, str) else b""
    except ValueError:
        found = b""
    if len(found) not in lengths:
        raise KeyFileError(f"{name}: {field} is not {wanted} hexadecimal digits; make the key again")
    return found
