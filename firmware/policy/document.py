"""The policy of a commune as a document: CBOR in, a `Policy` or all its faults out.

    { 1: 1, 2: version, 3: INSEE code, 4: valid from, 5: valid until, 6: [authority, text], 7: lighting,
      ? 8, ? 9, ? 10: heating, watering, presence, ? 11: [* [key, name, rights]] }

The schema is `policy.cddl`; the lighting section is in `section`. Sections 8 to 10 may hold whatever the CBOR
subset allows: this release neither reads nor refuses them, and whoever keeps the document's bytes keeps them.
Other keys are refused: a misspelt section must not be silently without effect.

A document with a fault yields no policy at all. Nothing raises, whatever the bytes. Signatures and trust are
in `authority`; what holds when a policy expires is its holder's (the calendar goes on, and an alarm says so).
"""

from collections import namedtuple

from policy import limits, section
from policy.fault import Fault, Faults
from policy.section import (
    ALL,
    DARK_BY_DAY,
    DARK_WINDOW,
    EXEMPTION,
    NO_DARKENING,
    PERMANENT,
    SWITCHED,
    FeederRule,
    Lighting,
    Limit,
    check_line,
)
from wire import cbor, cose
from wire.command import POLICY_BYTES_MAX
from wire.faults import WireFault
from wire.topic import is_insee

# valid_from_s, valid_until_s: Unix seconds, the second not included. text: the decision ("Délibération
# 2026-41").
Policy = namedtuple(
    "Policy",
    (
        "version",
        "insee",
        "valid_from_s",
        "valid_until_s",
        "authority",
        "text",
        "lighting",
        "operators",
    ),
)
Operator = namedtuple("Operator", ("key", "name", "rights"))  # key: 32 bytes, Ed25519

# Rights of an operator, as bits; ending a command takes the right that it took to give it.
OVERRIDE = 1
EMERGENCY = 2
TEST = 4
DIRECTIVE = 8  # tell nodes what holds for them: drought, load shedding, days, weather
ALL_RIGHTS = OVERRIDE | EMERGENCY | TEST | DIRECTIVE

FORMAT = 1
DEPTH_MAX = 10  # policy > lighting > calendars > calendar > programs > program > step: seven, and some room
ITEMS_MAX = 256  # in one array or map: more than any bound of `limits`

_NEEDED = {1, 2, 3, 4, 5, 6, 7}
_ALLOWED = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}

__all__ = (
    "ALL",
    "ALL_RIGHTS",
    "DARK_BY_DAY",
    "DARK_WINDOW",
    "DIRECTIVE",
    "EMERGENCY",
    "EXEMPTION",
    "FORMAT",
    "NO_DARKENING",
    "OVERRIDE",
    "PERMANENT",
    "SWITCHED",
    "TEST",
    "FeederRule",
    "Lighting",
    "Limit",
    "Operator",
    "Policy",
    "decode",
    "encode",
    "keys_fault",
    "plain_map",
)


def decode(payload):
    """(Policy, ()) or (None, faults)."""
    data, fault = plain_map(payload, POLICY_BYTES_MAX)
    if fault is not None:
        return (None, (fault,))
    faults = Faults()
    _check(faults, data)
    if faults.count():
        return (None, faults.listed())
    operators = tuple(Operator(one[0], one[1], one[2]) for one in data.get(11, ()))
    policy = Policy(
        data[2], data[3], data[4], data[5], data[6][0], data[6][1], section.build(data[7]), operators
    )
    return (policy, ())


def encode(policy):
    """The CBOR of a Policy; `decode(encode(p)) == (p, ())` for a sound one. WireFault when it is too long."""
    data = {
        1: FORMAT,
        2: policy.version,
        3: policy.insee,
        4: policy.valid_from_s,
        5: policy.valid_until_s,
        6: [policy.authority, policy.text],
        7: section.plain(policy.lighting),
    }
    if policy.operators:
        data[11] = [list(operator) for operator in policy.operators]
    return cbor.encode(data, POLICY_BYTES_MAX)


def plain_map(payload, bytes_max):
    """(map, None) of a document's bytes, or (None, fault)."""
    try:
        data = cbor.decode(payload, bytes_max=bytes_max, items_max=ITEMS_MAX, depth_max=DEPTH_MAX)
    except WireFault as refused:
        remedy = f"give one CBOR map of at most {bytes_max} bytes, in deterministic encoding"
        return (None, Fault("", f"is not CBOR that we read ({refused.reason})", remedy))
    if not isinstance(data, dict):
        return (None, Fault("", "is not a map", "give the document, not its signature or a part of it"))
    return (data, None)


def keys_fault(keys):
    """What is wrong with a list of public keys, in words, or None: no two may be found under one short
    name."""
    for key in keys:
        if not cose.is_sound_key(key):
            return "has a key that is no Ed25519 public key"
    if len({cose.kid_of(key) for key in keys}) != len(keys):
        return "has the same key twice"
    return None


def _check(faults, data):
    missing = _NEEDED - set(data)
    if missing:
        faults.add("", f"lacks the keys {sorted(missing)}", "give all of 1 to 7")
        return
    for key in sorted([key for key in data if cbor.is_integer(key) and key not in _ALLOWED]):
        faults.add("", f"has the key {key}", "leave out what this format has not")
    if any(not cbor.is_integer(key) for key in data):
        faults.add("", "has a key that is no integer", "leave out what this format has not")
    faults.integer("format", data[1], FORMAT, FORMAT)
    faults.integer("version", data[2], 1, limits.version_max)
    if not isinstance(data[3], str) or not is_insee(data[3]):
        faults.add("insee", "is not an INSEE code", "give the commune's five characters, such as 49135")
    _validity(faults, data[4], data[5])
    if faults.sequence("authority", data[6], 2, 2):
        check_line(faults, "authority", data[6][0], limits.authority_bytes_max)
        check_line(faults, "text", data[6][1], limits.text_bytes_max)
    section.check(faults, data[7])
    if 11 in data:
        _operators(faults, data[11])


def _validity(faults, first_s, until_s):
    sound = faults.integer("valid_from_s", first_s, limits.unix_min_s, limits.unix_max_s)
    if not faults.integer("valid_until_s", until_s, limits.unix_min_s, limits.unix_max_s) or not sound:
        return
    if until_s <= first_s:
        faults.add("valid_until_s", "is not after valid_from_s", "let the policy end after it begins")


def _operators(faults, operators):
    if not faults.sequence("operators", operators, 0, limits.operators_max):
        return
    before = faults.count()
    for i in range(len(operators)):
        if faults.sequence(f"operators[{i}]", operators[i], 3, 3):
            check_line(faults, f"operators[{i}].name", operators[i][1], limits.name_bytes_max)
            faults.integer(f"operators[{i}].rights", operators[i][2], 1, ALL_RIGHTS)
    if faults.count() == before:
        problem = keys_fault([operator[0] for operator in operators])
        if problem:
            faults.add("operators", problem, "give each operator a public key of their own, 32 bytes")
