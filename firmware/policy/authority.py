"""Whose word counts: opens signed policies and key sets against the key set in force.

The signature comes first, then the content: bytes of a stranger are not parsed further than to see that they
are a stranger's. `verify(public_key, signature, data) -> bool` is the caller's (`gateway.io.crypto`). Nothing
raises, whatever the bytes. Must not keep anything, and must not judge time: versions of policies and validity
are their holder's.

A refusal has stable words as the `path` of its first fault, for counters and events: FORM (not a signed
message of ours), STRANGER (a key that is not of the set in force), SIGNATURE (does not hold), TOO_FEW
(signatures), COMMUNE (another commune's), VERSION (not above the one in force). A fault of the content has
its own path within it.
"""

from binascii import hexlify

from policy import document, keyset
from policy.fault import Fault
from wire import cose
from wire.command import SIGNED_KEYSET_BYTES_MAX, SIGNED_POLICY_BYTES_MAX
from wire.faults import WireFault

FORM = "form"
STRANGER = "stranger"
SIGNATURE = "signature"
TOO_FEW = "too-few"
COMMUNE = "commune"
VERSION = "version-order"
WORDS = (FORM, STRANGER, SIGNATURE, TOO_FEW, COMMUNE, VERSION)


def open_policy(data, keys, verify):
    """(Policy, kid, ()) when one key of the KeySet `keys` signed it for this commune; else (None, None,
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
    """(KeySet, ()) when enough keys of the set in force, `keys`, signed a later one; else (None, faults).

    Every signature must be by a key of the set in force and hold: a signature that proves nothing is
    refused."""
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
    later, faults = keyset.decode(message.payload)
    if later is None:
        return (None, faults)
    if later.insee != keys.insee:
        return (None, (_other_commune(later.insee, keys.insee),))
    if later.version <= keys.version:
        problem = f"has version {later.version}, in force is {keys.version}"
        return (None, (Fault(VERSION, problem, f"give a version from {keys.version + 1}"),))
    return (later, ())


def _unsound(message, aad, keys, verify):
    """The fault of the first signature that is a stranger's or does not hold, or None."""
    for i in range(len(message.signatures)):
        one = message.signatures[i]
        known = keyset.key_of(keys, one.kid)
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
