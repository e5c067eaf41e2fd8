"""Manages the keys of a commune: who may sign its policies, how many must sign a new set of keys, and the opening of
what they signed.

    { 1: 2, 2: version, 3: INSEE code, 4: threshold, 5: [+ [key, name]], 6: [* [key, name]] }

Any one key of the set in force (5) signs policies; `threshold` of them together sign the next set, so that a lost or
stolen key is replaced without it. The first set is installed by hand. The warehouses (6) sign nothing but receipts
(`wire.receipt`): the commune's holders of keys decide whose receipts free a gateway's records.

`open_policy` and `open_keyset` verify the signature first and decode the content afterwards: a stranger's bytes are
parsed only as far as needed to find that the key is unknown. The caller passes `verify(public_key, signature, data) ->
bool` (`gateway.io.crypto`). No bytes raise. This module must not keep anything, and must not judge time: the holder of
a policy checks its version and validity.

A refusal has a stable word as the `path` of its first fault, for counters and events: FORM (not a signed message of
ours), STRANGER (a key that is not in the set in force), SIGNATURE (does not verify), TOO_FEW (signatures), COMMUNE
(another commune's), VERSION (not above the one in force). A fault of the content has its path in the content.
"""

from binascii import hexlify
from collections import namedtuple

from policy import document, limits
from policy.document import check_line, keys_fault, plain_map
from policy.fault import Fault, Faults
from wire import cbor, cose
from wire.command import KEYSET_BYTES_MAX, SIGNED_KEYSET_BYTES_MAX, SIGNED_POLICY_BYTES_MAX
from wire.faults import WireFault
from wire.topic import is_insee

FORM = "form"
STRANGER = "stranger"
SIGNATURE = "signature"
TOO_FEW = "too-few"
COMMUNE = "commune"
VERSION = "version-order"
WORDS = (FORM, STRANGER, SIGNATURE, TOO_FEW, COMMUNE, VERSION)

# keys, warehouses: ((public key of 32 bytes, name), …)
KeySet = namedtuple("KeySet", ("version", "insee", "threshold", "keys", "warehouses"))

FORMAT = 2
FIELDS = {1, 2, 3, 4, 5, 6}


def decode(payload):
    """Returns (KeySet, ()) or (None, faults)."""
    data, fault = plain_map(payload, KEYSET_BYTES_MAX)
    if fault is not None:
        return (None, (fault,))
    faults = Faults()
    _check(faults, data)
    if faults.count():
        return (None, faults.listed())
    keys, warehouses = [tuple([(one[0], one[1]) for one in data[field]]) for field in (5, 6)]
    return (KeySet(data[2], data[3], data[4], keys, warehouses), ())


def encode(keyset):
    """Returns the CBOR of a KeySet; `decode(encode(k)) == (k, ())` for a sound one."""
    keys, warehouses = [[list(one) for one in some] for some in (keyset.keys, keyset.warehouses)]
    data = {1: FORMAT, 2: keyset.version, 3: keyset.insee, 4: keyset.threshold, 5: keys, 6: warehouses}
    return cbor.encode(data, KEYSET_BYTES_MAX)


def key_of(keyset, kid):
    """Returns (public key, name) of the key with that short name, or None."""
    for key, name in keyset.keys:
        if cose.kid_of(key) == kid:
            return (key, name)
    return None


def _check(faults, data):
    if set(data) != FIELDS:
        faults.add("", "is not a key set", "give a map with the keys 1 to 6")
        return
    faults.integer("format", data[1], FORMAT, FORMAT)
    faults.integer("version", data[2], 1, limits.version_max)
    if not isinstance(data[3], str) or not is_insee(data[3]):
        faults.add("insee", "is not an INSEE code", "give the commune's five characters, such as 49135")
    if not faults.sequence("keys", data[5], 1, limits.keys_max):
        return
    if not faults.sequence("warehouses", data[6], 0, limits.warehouses_max):
        return
    # The threshold must be reachable with these keys.
    faults.integer("threshold", data[4], limits.threshold_min, max(limits.threshold_min, len(data[5])))
    if len(data[5]) < limits.threshold_min:
        faults.add("keys", "has one key only", f"give {limits.threshold_min} keys at least, better one more")
    before = faults.count()
    for path, some in (("keys", data[5]), ("warehouses", data[6])):
        for i in range(len(some)):
            if faults.sequence(f"{path}[{i}]", some[i], 2, 2):
                check_line(faults, f"{path}[{i}].name", some[i][1], limits.name_bytes_max)
    if faults.count() == before:
        # A person never signs receipts, and a warehouse never policies: all keys differ.
        problem = keys_fault([one[0] for one in data[5] + data[6]])
        if problem:
            faults.add("keys", problem, "give each person and each warehouse a public key of their own, 32 bytes")


# --- signed messages ------------------------------------------------------------------------------------------


def open_policy(data, keys, verify):
    """Returns (Policy, kid, ()) when one key of the KeySet `keys` signed it for this commune; else (None, None,
    faults)."""
    try:
        message = cose.sign1_decode(data, bytes_max=SIGNED_POLICY_BYTES_MAX)
    except WireFault as refused:
        return (None, None, (_no_message("a signed policy", refused),))
    fault = _unsound(message, cose.POLICY_AAD, keys, verify)
    if fault is not None:
        return (None, None, (fault,))
    policy, faults = document.decode(message.payload)
    if policy is None:
        return (None, None, faults)
    if policy.insee != keys.insee:
        return (None, None, (_other_commune(policy.insee, keys.insee),))
    return (policy, message.signatures[0].kid, ())


def open_keyset(data, keys, verify):
    """Returns (KeySet, ()) when enough keys of the set in force, `keys`, signed a later one; else (None, faults).

    Every signature must be valid and by a key of the set in force: a message with any other signature is refused."""
    try:
        message = cose.sign_decode(data, bytes_max=SIGNED_KEYSET_BYTES_MAX)
    except WireFault as refused:
        return (None, (_no_message("a signed key set", refused),))
    fault = _unsound(message, cose.KEYS_AAD, keys, verify)
    if fault is not None:
        return (None, (fault,))
    if len(message.signatures) < keys.threshold:
        problem = f"bears {len(message.signatures)} of {keys.threshold} signatures"
        return (None, (Fault(TOO_FEW, problem, f"have {keys.threshold} holders of keys sign it"),))
    later, faults = decode(message.payload)
    if later is None:
        return (None, faults)
    if later.insee != keys.insee:
        return (None, (_other_commune(later.insee, keys.insee),))
    if later.version <= keys.version:
        problem = f"has version {later.version}, in force is {keys.version}"
        return (None, (Fault(VERSION, problem, f"give a version from {keys.version + 1}"),))
    return (later, ())


def _unsound(message, aad, keys, verify):
    """Returns the fault of the first signature that is by an unknown key or does not verify, or None."""
    for i in range(len(message.signatures)):
        one = message.signatures[i]
        known = key_of(keys, one.kid)
        name = hexlify(one.kid).decode()
        if known is None:
            problem = f"is signed by the key {name}, not of the set in force (version {keys.version})"
            return Fault(STRANGER, problem, "have a holder of a key of the commune sign it")
        if not verify(known[0], one.signature, cose.to_be_signed(message, aad, i)):
            return Fault(SIGNATURE, f"does not hold under the key {name}", "send the file as it was signed")
    return None


def _no_message(what, refused):
    return Fault(FORM, f"is not {what} ({refused.reason})", "give the file that `bocage policy sign` wrote")


def _other_commune(found, ours):
    return Fault(COMMUNE, f"is of the commune {found}", f"give one of the commune {ours}")
