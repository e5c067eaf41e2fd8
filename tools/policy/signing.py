"""Signs policies and key sets, and makes the sets that follow one another.

A policy bears one signature (COSE_Sign1); a new key set those of several people (COSE_Sign), who may sign one after
the other. Only what is sound is signed, and only by a key that counts where the set in force is given.
"""

from collections.abc import Sequence

from policy import document, keyset, limits
from policy.document import Policy
from policy.keyset import KeySet
from tools.policy.files import Found
from tools.policy.keys import Member, Signer
from tools.policy.refused import Refused
from wire import cose


def first_set(insee: str, members: Sequence[Member], threshold: int) -> KeySet:
    """The set of keys that is installed by hand."""
    return _checked(KeySet(1, insee, threshold, ()), members)


def next_set(
    keys: KeySet, *, add: Sequence[Member], remove: Sequence[str], threshold: int | None
) -> KeySet:
    """The set that follows `keys`. `remove`: names, or short names in hexadecimal, of keys that leave."""
    leaving = {_named(keys, who) for who in remove}
    staying = [Member(keys.insee, key, name) for key, name in keys.keys if key not in leaving]
    basis = KeySet(keys.version + 1, keys.insee, threshold or keys.threshold, ())
    return _checked(basis, [*staying, *add])


def sign_set(following: KeySet, signers: Sequence[Signer], keys: KeySet) -> bytes:
    """The signed form of a key set that follows `keys`, by people whose keys are in it."""
    if not signers:
        raise Refused("no_signer")
    for i, signer in enumerate(signers):
        _check_member(signer, keys)
        if signer.kid in [other.kid for other in signers[:i]]:
            raise Refused("signed_already", kid=signer.kid.hex())
    pairs = [(signer.kid, signer.sign) for signer in signers]
    return cose.sign_encode(keyset.encode(following), pairs, cose.KEYS_AAD)


def sign(found: Found, signer: Signer, keys: KeySet | None) -> bytes:
    """The file with this signature: a policy is signed anew, a key set gets one signature more.

    `keys`: the set in force, when it is at hand; then a key that does not count is refused."""
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


def _checked(basis: KeySet, members: Sequence[Member]) -> KeySet:
    for member in members:
        if member.insee != basis.insee:
            raise Refused("member_elsewhere", name=member.name, insee=member.insee)
    problem = document.keys_fault([member.key for member in members])
    if problem:
        raise Refused("member_twice")
    if not limits.threshold_min <= basis.threshold <= len(members) <= limits.keys_max:
        raise Refused(
            "threshold", count=len(members), max=limits.keys_max, low=limits.threshold_min, value=basis.threshold
        )
    keys = tuple((member.key, member.name) for member in members)
    return KeySet(basis.version, basis.insee, basis.threshold, keys)


def _named(keys: KeySet, who: str) -> bytes:
    found = [key for key, name in keys.keys if who in (name, cose.kid_of(key).hex())]
    if len(found) != 1:
        raise Refused("no_member", who=who, names=", ".join(name for _, name in keys.keys))
    return found[0]


def _check_member(signer: Signer, keys: KeySet) -> None:
    if keyset.key_of(keys, signer.kid) is None:
        raise Refused("not_member", kid=signer.kid.hex(), version=keys.version)
