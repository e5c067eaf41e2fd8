"""Ed25519 keys of people, as files: made here, read here, never printed.

A private key is a PEM file (PKCS #8) that its owner alone can read, under a passphrase if they wish. Beside it stands
the public one, a line to send to whoever makes the set of keys:

    bocage-key 49135 d75a980182b10ab7… Maire

Must not write a private key over another file, and must not let a private key reach a message.
"""

import os
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from policy import limits
from tools.policy.refused import Refused as Refused
from wire import cose, topic
from wire.line import is_line

PUBLIC_SUFFIX = ".pub"
_MARK = "bocage-key"
_FILE_BYTES_MAX = 4096


class Member(NamedTuple):
    """A person's public key, as the line of their file says."""

    insee: str
    key: bytes
    name: str


class Signer(NamedTuple):
    """What signing takes: the short name of the key, its public half, and the function."""

    kid: bytes
    public_key: bytes
    sign: Callable[[bytes], bytes]


def make(path: Path, insee: str, name: str, passphrase: bytes | None) -> Member:
    """A new pair of keys: the private one at `path`, the public one beside it. Refused when a file is there."""
    private = Ed25519PrivateKey.generate()
    member = Member(insee, private.public_key().public_bytes_raw(), name)
    encryption: serialization.KeySerializationEncryption = serialization.NoEncryption()
    if passphrase is not None:
        encryption = serialization.BestAvailableEncryption(passphrase)
    pem = private.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption)
    public = public_path(path)
    if public.exists():
        raise Refused("exists", path=public)
    _create(path, pem, 0o600)
    _create(public, public_line(member).encode(), 0o644)
    return member


def public_path(path: Path) -> Path:
    """`maire.key` has its public half in `maire.pub`."""
    beside = path.with_suffix(PUBLIC_SUFFIX)
    return beside if beside != path else path.with_name(path.name + PUBLIC_SUFFIX)


def public_line(member: Member) -> str:
    return f"{_MARK} {member.insee} {member.key.hex()} {member.name}\n"


def load_member(path: Path) -> Member:
    """The public key in a `.pub` file."""
    try:
        text = _read(path).decode()
        mark, insee, key, name = text.strip().split(" ", 3)
        member = Member(insee, bytes.fromhex(key), name)
    except ValueError:
        raise Refused("not_public", path=path) from None
    sound = mark == _MARK and topic.is_insee(insee) and is_line(name, limits.name_bytes_max)
    if not sound or not cose.is_sound_key(member.key):
        raise Refused("not_public", path=path)
    return member


def load_signer(path: Path, ask: Callable[[Path], bytes]) -> Signer:
    """The private key in a PEM file. `ask` is called for the passphrase of one that has one."""
    data = _read(path)
    try:
        try:
            private = serialization.load_pem_private_key(data, None)
        except TypeError:  # it is under a passphrase
            private = serialization.load_pem_private_key(data, ask(path))
    except (ValueError, TypeError):
        # What the library says is not repeated: it may quote the file.
        raise Refused("not_private", path=path) from None
    if not isinstance(private, Ed25519PrivateKey):
        raise Refused("not_private", path=path)
    public = private.public_key().public_bytes_raw()
    return Signer(cose.kid_of(public), public, private.sign)


def verify(public_key: bytes, signature: bytes, data: bytes) -> bool:
    """True when `signature` of `data` holds under `public_key` (Ed25519, RFC 8032); False for anything else.

    Whose key counts is the question of `policy.authority` and of a policy's operators; the gateway, which has a check
    of its own, decides last.
    """
    if not cose.is_sound_key(public_key):
        return False
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, data)
    except (InvalidSignature, ValueError):
        return False
    return True


def _create(path: Path, data: bytes, mode: int) -> None:
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
    except FileExistsError:
        raise Refused("exists", path=path) from None
    except OSError as error:
        raise Refused("write", path=path, why=error.strerror) from error


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(_FILE_BYTES_MAX)
    except OSError as error:
        raise Refused("read", path=path, why=error.strerror) from error
