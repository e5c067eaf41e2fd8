"""The keys of a commune: who may sign its policies, and how many must sign a new set of keys.

    { 1: 1, 2: version, 3: INSEE code, 4: threshold, 5: [+ [key, name]] }

Any one key of the set in force signs policies; `threshold` of them together sign the set that follows, so
that a lost or stolen key is replaced without it. The first set is installed by hand. Nothing raises, whatever
the bytes; who signed is `authority`'s question.
"""

from collections import namedtuple

from policy import limits
from policy.document import keys_fault, plain_map
from policy.fault import Faults
from policy.section import check_line
from wire import cbor, cose
from wire.command import KEYSET_BYTES_MAX
from wire.topic import is_insee

# keys: ((public key of 32 bytes, name), …)
KeySet = namedtuple("KeySet", ("version", "insee", "threshold", "keys"))

FORMAT = 1


def decode(payload):
    """(KeySet, ()) or (None, faults)."""
    data, fault = plain_map(payload, KEYSET_BYTES_MAX)
    if fault is not None:
        return (None, (fault,))
    faults = Faults()
    _check(faults, data)
    if faults.count():
        return (None, faults.listed())
    return (KeySet(data[2], data[3], data[4], tuple((one[0], one[1]) for one in data[5])), ())


def encode(keyset):
    """The CBOR of a KeySet; `decode(encode(k)) == (k, ())` for a sound one."""
    keys = [list(key) for key in keyset.keys]
    data = {1: FORMAT, 2: keyset.version, 3: keyset.insee, 4: keyset.threshold, 5: keys}
    return cbor.encode(data, KEYSET_BYTES_MAX)


def key_of(keyset, kid):
    """(public key, name) of the key with that short name, or None."""
    for key, name in keyset.keys:
        if cose.kid_of(key) == kid:
            return (key, name)
    return None


def _check(faults, data):
    if set(data) != {1, 2, 3, 4, 5}:
        faults.add("", "is not a key set", "give a map with the keys 1 to 5")
        return
    faults.integer("format", data[1], FORMAT, FORMAT)
    faults.integer("version", data[2], 1, limits.version_max)
    if not isinstance(data[3], str) or not is_insee(data[3]):
        faults.add("insee", "is not an INSEE code", "give the commune's five characters, such as 49135")
    if not faults.sequence("keys", data[5], 1, limits.keys_max):
        return
    # So many that the threshold can be reached.
    faults.integer("threshold", data[4], limits.threshold_min, max(limits.threshold_min, len(data[5])))
    if len(data[5]) < limits.threshold_min:
        faults.add("keys", "has one key only", f"give {limits.threshold_min} keys at least, better one more")
    before = faults.count()
    for i in range(len(data[5])):
        if faults.sequence(f"keys[{i}]", data[5][i], 2, 2):
            check_line(faults, f"keys[{i}].name", data[5][i][1], limits.name_bytes_max)
    if faults.count() == before:
        problem = keys_fault([key[0] for key in data[5]])
        if problem:
            faults.add("keys", problem, "give each person a public key of their own, 32 bytes")
