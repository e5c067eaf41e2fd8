"""Reads and writes policies and key sets, signed or not, and recognises by its content what a file is.

Must not decide whether a signature counts.
"""

import os
from pathlib import Path
from typing import NamedTuple

from gateway.language import reasons
from policy import document, keyset
from policy.document import Policy
from policy.fault import Fault
from policy.keyset import KeySet
from tools.policy.words import Refused
from wire import cbor, cose
from wire.command import (
    KEYSET_BYTES_MAX,
    POLICY_BYTES_MAX,
    SIGNED_KEYSET_BYTES_MAX,
    SIGNED_POLICY_BYTES_MAX,
)
from wire.cose import Signed
from wire.faults import WireFault

_READ_BYTES_MAX = 1_048_576


class AuthorityFile(NamedTuple):
    """Holds a file that was recognised. `content` is None when it has `faults`; `message` is its signed form, None when
    unsigned."""

    data: bytes
    content: Policy | KeySet | None
    payload: bytes
    message: Signed | None
    faults: tuple[Fault, ...]


def load(path: Path) -> AuthorityFile:
    """Returns the file at `path`; Refused when it is neither a policy nor a key set."""
    found = recognise(read(path))
    if found is None:
        raise Refused("not_ours", path=path)
    return found


def recognise(data: bytes) -> AuthorityFile | None:
    """Returns the policy or key set in these bytes; None when they are neither."""
    try:
        if data[:1] == b"\xd2":
            message = cose.sign1_decode(data, bytes_max=SIGNED_POLICY_BYTES_MAX)
            return _content(data, message.payload, message)
        if data[:2] == b"\xd8\x62":
            message = cose.sign_decode(data, bytes_max=SIGNED_KEYSET_BYTES_MAX)
            return _content(data, message.payload, message)
        return _content(data, data, None)
    except WireFault:
        return None


def load_keyset(path: Path) -> KeySet:
    """Returns the key set in a file, signed or not: a file on the person's own disk is trusted."""
    found = load(path)
    if not isinstance(found.content, KeySet):
        raise Refused("not_keyset", path=path)
    return found.content


def read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(_READ_BYTES_MAX)
    except OSError as error:
        raise Refused("read", path=path, why=reasons.of_file(error)) from error


def write(path: Path, data: bytes) -> None:
    """Replaces the file as a whole, or leaves it as it was."""
    beside = path.with_name(f".{path.name}.new")
    try:
        with beside.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    except OSError as error:
        raise Refused("write", path=path, why=reasons.of_file(error)) from error


def _content(data: bytes, payload: bytes, message: Signed | None) -> AuthorityFile | None:
    plain = cbor.decode(
        payload,
        bytes_max=max(POLICY_BYTES_MAX, KEYSET_BYTES_MAX),
        items_max=document.ITEMS_MAX,
        depth_max=document.DEPTH_MAX,
    )
    if not isinstance(plain, dict) or not cbor.is_integer(plain.get(2)):  # 2 is the key of the version in both
        return None
    kind = keyset if set(plain) == keyset.FIELDS else document
    content, faults = kind.decode(payload)
    return AuthorityFile(data, content, payload, message, faults)
