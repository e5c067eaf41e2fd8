"""Keeps the authority of each commune, its key sets and signed policies, and finds what a gateway lacks of them.

The first key set of a commune is given unsigned, as it is installed in the cabinets by hand; a later one is signed by
enough keys of the one before. A policy is signed by one key of the newest set. Versions only rise. All versions of a
key set are kept, because a gateway follows from each to the next: it is sent one step at a time, and the policy
together with the step whose keys verify it.

Its functions use a connection of `tools.centre.control.file`, in the caller's transaction, and no clock. Faults are
returned, all at once, with their remedy; sqlite3.Error passes to the caller.
"""

from binascii import hexlify
from functools import lru_cache
from typing import NamedTuple

from policy import document, keyset
from policy.fault import Fault
from tools.centre.limits import KEYSETS_KEPT_MAX, POLICIES_DECODED_MAX, POLICIES_KEPT_MAX
from tools.centre.store import sqlite_file
from tools.policy import keys
from wire import command, cose
from wire.faults import WireFault

Faults = tuple[Fault, ...]
_COSE_SIGN = b"\xd8\x62"


class SignedPolicy(NamedTuple):
    """Holds a policy, and the name of the holder of the key that signed it."""

    policy: document.Policy
    signer: str


class Bundle(NamedTuple):
    """Holds a payload for topic `p`, and the versions that a gateway holds once it has accepted the payload."""

    payload: bytes
    policy_version: int
    keyset_version: int


def newest_keyset(connection: sqlite_file.Connection, insee: str) -> keyset.KeySet | None:
    """Returns the key set in force, None for a commune without one."""
    row = connection.execute(
        "SELECT plain FROM keysets WHERE insee = ? ORDER BY version DESC LIMIT 1", (insee,)
    ).fetchone()
    return None if row is None else keyset.decode(row[0])[0]


def policy_in_force(connection: sqlite_file.Connection, insee: str, *, now_s: int) -> document.Policy | None:
    """Returns the newest policy whose validity has begun, even when it has ended; else the oldest kept. Gateways choose
    by the same rule."""
    policy = None
    for (signed,) in connection.execute(
        "SELECT signed FROM policies WHERE insee = ? ORDER BY version DESC", (insee,)
    ).fetchall():
        policy = _decoded(signed)
        if policy.valid_from_s <= now_s:
            break
    return policy


@lru_cache(maxsize=POLICIES_DECODED_MAX)
def _decoded(signed: bytes) -> document.Policy:
    """Returns the policy in bytes that were verified before they were kept. A list of fifty orders asks as often, and
    of 160 feeders that took 6 ms each time."""
    return document.decode(cose.sign1_decode(signed, bytes_max=command.SIGNED_POLICY_BYTES_MAX).payload)[0]


def held(connection: sqlite_file.Connection) -> list[str]:
    """Returns the INSEE codes of the communes that have a key set."""
    return [row[0] for row in connection.execute("SELECT DISTINCT insee FROM keysets ORDER BY insee")]


# --- what people give ---


def accept_keyset(
    connection: sqlite_file.Connection, data: bytes, *, now_s: int
) -> tuple[keyset.KeySet | None, Faults]:
    """Keeps a key set, the first of a commune unsigned or a later one signed. Giving the set in force again is no
    fault."""
    if data[: len(_COSE_SIGN)] == _COSE_SIGN:
        return _accept_signed_keyset(connection, data, now_s)
    plain, faults = keyset.decode(data)
    if plain is None:
        return None, faults
    current = newest_keyset(connection, plain.insee)
    if current is None:
        _keep_keyset(connection, plain, data, None, now_s)
    elif current != plain:
        problem = f"differs from version {current.version}, which is in force"
        return None, (Fault("keyset", problem, f"have {current.threshold} of its holders sign the new one"),)
    return plain, ()


def accept_policy(
    connection: sqlite_file.Connection, data: bytes, *, now_s: int
) -> tuple[SignedPolicy | None, Faults]:
    """Keeps a signed policy, if a key of its commune's set in force signed it and its version is higher than the one
    held."""
    try:
        kid = cose.sign1_decode(data, bytes_max=command.SIGNED_POLICY_BYTES_MAX).signatures[0].kid
    except WireFault as fault:
        remedy = "give the file that `bocage policy sign` wrote"
        return None, (Fault(keyset.FORM, f"is not a signed policy ({fault.reason})", remedy),)
    faults: Faults = (_stranger(kid),)
    # One person may hold a key of several communes: the commune whose set opens the policy is the one it is for.
    for insee in held(connection):
        current = newest_keyset(connection, insee)
        assert current is not None
        known = keyset.key_of(current, kid)
        if known is None:
            continue
        policy, _kid, faults = keyset.open_policy(data, current, keys.verify)
        if policy is not None:
            faults = _keep_policy(connection, policy, data, kid, now_s)
            return (None, faults) if faults else (SignedPolicy(policy, known[1]), ())
    return None, faults


def _accept_signed_keyset(connection, data, now_s):
    faults: Faults = (Fault(keyset.FORM, "is signed by no key of a set that is held", "give the first set before"),)
    for insee in held(connection):
        current = newest_keyset(connection, insee)
        again = connection.execute("SELECT 1 FROM keysets WHERE insee = ? AND signed = ?", (insee, data)).fetchone()
        if again:
            return current, ()
        later, found = keyset.open_keyset(data, current, keys.verify)
        if later is not None:
            payload = cose.sign_decode(data, bytes_max=command.SIGNED_KEYSET_BYTES_MAX).payload
            _keep_keyset(connection, later, payload, data, now_s)
            return later, ()
        # The faults reported are those of the commune that knows the signers.
        if found[0].path != keyset.STRANGER or len(held(connection)) == 1:
            faults = found
    return None, faults


def _keep_keyset(connection, one, plain, signed, now_s):
    connection.execute("INSERT INTO keysets VALUES (?, ?, ?, ?, ?)", (one.insee, one.version, plain, signed, now_s))
    _keep_newest(connection, "keysets", one.insee, KEYSETS_KEPT_MAX)


def _keep_policy(connection, policy, data, kid, now_s):
    before = _newest_version(connection, policy.insee)
    if policy.version <= before:
        problem = f"has version {policy.version}, held is {before}"
        return (Fault(keyset.VERSION, problem, f"give a version from {before + 1}"),)
    connection.execute("INSERT INTO policies VALUES (?, ?, ?, ?, ?)", (policy.insee, policy.version, data, kid, now_s))
    _keep_newest(connection, "policies", policy.insee, POLICIES_KEPT_MAX)
    return ()


def _keep_newest(connection, table, insee, kept_max):
    connection.execute(
        f"DELETE FROM {table} WHERE insee = ?1 AND version <="
        f" (SELECT version FROM {table} WHERE insee = ?1 ORDER BY version DESC LIMIT 1 OFFSET ?2)",
        (insee, kept_max),
    )


def _stranger(kid) -> Fault:
    name = hexlify(kid).decode()
    return Fault(keyset.STRANGER, f"is signed by the key {name}, of no commune's set", "give the key set: --keyset")


# --- what a gateway lacks ---


def bundle_for(
    connection: sqlite_file.Connection, insee: str, policy_version: int, keyset_version: int
) -> Bundle | None:
    """Returns the bundle for a gateway that holds these versions; None when it lacks nothing that it could verify.

    A gateway without any key set accepts nothing: the first set is installed by hand.
    """
    if keyset_version == 0:
        return None
    step = connection.execute(
        "SELECT version, signed FROM keysets WHERE insee = ? AND version > ? AND signed IS NOT NULL"
        " ORDER BY version LIMIT 1",
        (insee, keyset_version),
    ).fetchone()
    if step is None and policy_version >= _newest_version(connection, insee):
        return None  # the usual case
    policy = _policy_under(connection, insee, step[0] if step else keyset_version)
    if step is not None and policy is None:
        # This step removes the signer's key: the policy is sent before it, if the gateway lacks the policy.
        before = _policy_under(connection, insee, keyset_version)
        if before is not None and before[0] > policy_version:
            step, policy = None, before
    if step is None and policy is None:
        return None
    # The gateway's own set sent again changes nothing for it, and lets a gateway that was restored from an older copy
    # notice that.
    signed_keyset = step[1] if step else _signed_keyset(connection, insee, keyset_version)
    payload = command.encode_bundle(signed_keyset, policy[1] if policy else None)
    then_policy_version = max(policy_version, policy[0]) if policy else policy_version
    return Bundle(payload, then_policy_version, step[0] if step else keyset_version)


def _newest_version(connection, insee) -> int:
    return connection.execute("SELECT max(version) FROM policies WHERE insee = ?", (insee,)).fetchone()[0] or 0


def _signed_keyset(connection, insee, version):
    row = connection.execute(
        "SELECT signed FROM keysets WHERE insee = ? AND version = ?", (insee, version)
    ).fetchone()
    return row[0] if row else None


def _policy_under(connection, insee, keyset_version):
    """Returns (version, signed) of the newest policy, if a key of that version of the set signed it."""
    row = connection.execute(
        "SELECT version, signed, kid FROM policies WHERE insee = ? ORDER BY version DESC LIMIT 1", (insee,)
    ).fetchone()
    plain = connection.execute(
        "SELECT plain FROM keysets WHERE insee = ? AND version = ?", (insee, keyset_version)
    ).fetchone()
    if row is None or plain is None:
        return None
    one = keyset.decode(plain[0])[0]
    return row[:2] if keyset.key_of(one, row[2]) is not None else None
