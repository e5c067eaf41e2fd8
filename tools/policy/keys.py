"""Makes and loads the Ed25519 keys of people, and signs policies and key sets with them.

A private key is a PEM file (PKCS #8) that only its owner can read, under a passphrase if they wish; one that others may
read, or that a standard prints as an example, signs nothing. Beside it is the public key, one line to send to the
person who makes the set of keys:

    bocage-key 49135 8a88e3dd7409f195… Maire
    bocage-warehouse 4f1c0de2a7b99c01… Entrepôt du syndicat

The second line is of a warehouse, which is of no commune (`bocage centre receipt-key`).
A policy has one signature (COSE_Sign1); a new key set has those of several people (COSE_Sign), who may sign one after
the other. Only a sound file is signed, and where the set in force is given, only with a key of that set. Must not write
a private key over another file, and must not let a private key reach a message: keys are never printed.
"""

import os
import stat
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from gateway.language import reasons
from policy import document, keyset, limits
from policy.document import Policy
from policy.keyset import KeySet
from tools.policy.files import AuthorityFile
from tools.policy.words import Refused
from wire import cose, topic
from wire.line import is_line

PUBLIC_SUFFIX = ".pub"
_MARK = "bocage-key"
_WAREHOUSE_MARK = "bocage-warehouse"
_FILE_BYTES_MAX = 4096
_OF_OTHERS = stat.S_IRWXG | stat.S_IRWXO


class Member(NamedTuple):
    """Holds a person's public key, as the line of their file states it."""

    insee: str
    key: bytes
    name: str


class Warehouse(NamedTuple):
    """Holds the public key by which gateways know a warehouse's receipts."""

    key: bytes
    name: str


class Signer(NamedTuple):
    """Holds a private key ready to sign: its short name, its public half, and the signing function."""

    kid: bytes
    public_key: bytes
    sign: Callable[[bytes], bytes]


def make(path: Path, insee: str, name: str, passphrase: bytes | None) -> Member:
    """Makes a new pair of keys: the private one at `path`, the public one beside it. Refused when a file is already
    there."""
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
    """Returns the path of the public half: `maire.pub` for `maire.key`."""
    beside = path.with_suffix(PUBLIC_SUFFIX)
    return beside if beside != path else path.with_name(path.name + PUBLIC_SUFFIX)


def public_line(member: Member) -> str:
    return f"{_MARK} {member.insee} {member.key.hex()} {member.name}\n"


def load_member(path: Path) -> Member:
    """Returns the member in a `.pub` file."""
    try:
        text = _read(path).decode()
        mark, insee, key, name = text.strip().split(" ", 3)
        member = Member(insee, bytes.fromhex(key), name)
    except ValueError:
        raise Refused("not_public", path=path) from None
    sound = mark == _MARK and topic.is_insee(insee) and is_line(name, limits.name_bytes_max)
    if not sound or len(member.key) != cose.PUBLIC_KEY_BYTES:
        raise Refused("not_public", path=path)
    if not cose.is_sound_key(member.key):
        raise Refused("published", path=path)
    return member


def warehouse_line(warehouse: Warehouse) -> str:
    return f"{_WAREHOUSE_MARK} {warehouse.key.hex()} {warehouse.name}\n"


def load_warehouse(path: Path) -> Warehouse:
    """Returns the warehouse in a `.pub` file."""
    try:
        mark, key, name = _read(path).decode().strip().split(" ", 2)
        warehouse = Warehouse(bytes.fromhex(key), name)
    except ValueError:
        raise Refused("not_warehouse", path=path) from None
    sound = mark == _WAREHOUSE_MARK and is_line(name, limits.name_bytes_max)
    if not sound or not cose.is_sound_key(warehouse.key):
        raise Refused("not_warehouse", path=path)
    return warehouse


def load_signer(path: Path, ask: Callable[[Path], bytes]) -> Signer:
    """Returns the signer of a PEM file. `ask` is called for the passphrase where the key has one."""
    data = _read(path)
    try:
        try:
            private = serialization.load_pem_private_key(data, None)
        except TypeError:  # it is under a passphrase
            private = serialization.load_pem_private_key(data, ask(path))
    except (ValueError, TypeError):
        # The library's message is not repeated: it may quote the file.
        raise Refused("not_private", path=path) from None
    if not isinstance(private, Ed25519PrivateKey):
        raise Refused("not_private", path=path)
    if path.stat().st_mode & _OF_OTHERS:
        raise Refused("readable", path=path)
    public = private.public_key().public_bytes_raw()
    if not cose.is_sound_key(public):
        raise Refused("published", path=path)
    return Signer(cose.kid_of(public), public, private.sign)


def verify(public_key: bytes, signature: bytes, data: bytes) -> bool:
    """Returns True when `signature` of `data` holds under `public_key` (Ed25519, RFC 8032); False for anything else.

    Which keys count is decided by `policy.keyset` and by a policy's operators; the gateway, which has a check of its
    own, decides last.
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
        raise Refused("write", path=path, why=reasons.of_file(error)) from error


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(_FILE_BYTES_MAX)
    except OSError as error:
        raise Refused("read", path=path, why=reasons.of_file(error)) from error


# --- what people sign ----------------------------------------------------------------------------------------------


def first_set(insee: str, members: Sequence[Member], warehouses: Sequence[Warehouse], threshold: int) -> KeySet:
    """Returns the set of keys that is installed by hand."""
    return _checked(KeySet(1, insee, threshold, (), ()), members, warehouses)


def next_set(
    keys: KeySet,
    *,
    add: Sequence[Member],
    remove: Sequence[str],
    add_warehouses: Sequence[Warehouse],
    remove_warehouses: Sequence[str],
    threshold: int | None,
) -> KeySet:
    """Returns the set that follows `keys`. `remove`: names, or short names in hexadecimal, of keys that leave."""
    leaving = {_named(keys.keys, who) for who in remove} | {_named(keys.warehouses, who) for who in remove_warehouses}
    staying = [Member(keys.insee, key, name) for key, name in keys.keys if key not in leaving]
    warehouses = [Warehouse(key, name) for key, name in keys.warehouses if key not in leaving]
    basis = KeySet(keys.version + 1, keys.insee, threshold or keys.threshold, (), ())
    return _checked(basis, [*staying, *add], [*warehouses, *add_warehouses])


def sign_set(following: KeySet, signers: Sequence[Signer], keys: KeySet) -> bytes:
    """Returns the signed form of a key set that follows `keys`, signed by people whose keys are in `keys`."""
    if not signers:
        raise Refused("no_signer")
    for i, signer in enumerate(signers):
        _check_member(signer, keys)
        if signer.kid in [other.kid for other in signers[:i]]:
            raise Refused("signed_already", kid=signer.kid.hex())
    pairs = [(signer.kid, signer.sign) for signer in signers]
    return cose.sign_encode(keyset.encode(following), pairs, cose.KEYS_AAD)


def sign(found: AuthorityFile, signer: Signer, keys: KeySet | None) -> bytes:
    """Returns the file with this signature: a policy is signed anew, a key set gets one more signature.

    `keys`: the set in force, or None; where it is given, a key that is not in it is refused."""
    if found.content is None:
        raise Refused("unsound", why=f"{found.faults[0].path}: {found.faults[0].problem}")
    if keys is not None:
        _check_member(signer, keys)
        if found.content.insee != keys.insee:
            raise Refused("other_commune", insee=found.content.insee, ours=keys.insee)
    if isinstance(found.content, Policy):
        return cose.sign1_encode(found.payload, signer.kid, cose.POLICY_AAD, signer.sign)
    if found.message is None:
        return cose.sign_encode(found.payload, [(signer.kid, signer.sign)], cose.KEYS_AAD)
    if any(one.kid == signer.kid for one in found.message.signatures):
        raise Refused("signed_already", kid=signer.kid.hex())
    if len(found.message.signatures) == cose.SIGNATURES_MAX:
        raise Refused("signed_enough", max=cose.SIGNATURES_MAX)
    return cose.sign_append(found.message, signer.kid, cose.KEYS_AAD, signer.sign)


def _checked(basis: KeySet, members: Sequence[Member], warehouses: Sequence[Warehouse]) -> KeySet:
    for member in members:
        if member.insee != basis.insee:
            raise Refused("member_elsewhere", name=member.name, insee=member.insee)
    if document.keys_fault([*(member.key for member in members), *(warehouse.key for warehouse in warehouses)]):
        raise Refused("member_twice")
    if len(warehouses) > limits.warehouses_max:
        raise Refused("warehouses", max=limits.warehouses_max)
    if not limits.threshold_min <= basis.threshold <= len(members) <= limits.keys_max:
        raise Refused(
            "threshold", count=len(members), max=limits.keys_max, low=limits.threshold_min, value=basis.threshold
        )
    keys = tuple((member.key, member.name) for member in members)
    return basis._replace(keys=keys, warehouses=tuple(map(tuple, warehouses)))


def _named(keys: Sequence[tuple[bytes, str]], who: str) -> bytes:
    found = [key for key, name in keys if who in (name, cose.kid_of(key).hex())]
    if len(found) != 1:
        raise Refused("no_member", who=who, names=", ".join(name for _, name in keys))
    return found[0]


def _check_member(signer: Signer, keys: KeySet) -> None:
    if keyset.key_of(keys, signer.kid) is None:
        raise Refused("not_member", kid=signer.kid.hex(), version=keys.version)
