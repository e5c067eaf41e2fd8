"""Encodes and decodes the policy of a commune as a document: CBOR in, a `Policy` or all its faults out.

    { 1: 2, 2: version, 3: INSEE code, 4: valid from, 5: valid until, 6: [authority, text], 7: lighting,
      ? 8, ? 9, ? 10: heating, watering, presence, ? 11: [* [key, name, rights, until]] }
    lighting = { 1: [latitude_e4, longitude_e4], 2: [+ calendar], 3: [+ feeder], ? 4: [* limit] }
    feeder   = [name, kind, calendar index (of a permanent feeder without meaning), group]
    limit    = [target, kind, a, b, authority, text, first, last]

The schema is `policy.cddl`. A calendar has the form of `lighting_form`, with levels 0 and 100 only: it switches a
contactor, and no lamp would keep a level between. The meaning of limits is in `ceiling`. Sections
8 to 10 may hold anything that the CBOR subset allows: this release neither reads nor refuses them, and the holder of
the document's bytes keeps them. Other keys are refused: a misspelt section must not be ignored in silence.

All faults are reported at once, each with its path; a document with a fault yields no policy at all. No bytes raise.
Signatures and trust are in `keyset`; the holder of a policy decides what happens when it expires (the calendar goes on,
with an alarm).
"""

from collections import namedtuple

from policy import civil, lighting, lighting_form, limits
from policy.fault import Fault, Faults
from wire import cbor, cose
from wire.command import NAME_BYTES_MAX, POLICY_BYTES_MAX
from wire.faults import WireFault
from wire.line import is_line
from wire.topic import is_insee

# valid_from_s, valid_until_s: Unix seconds, `valid_until_s` not included. text: the decision ("Délibération
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
# key: 32 bytes, Ed25519. until_s: Unix seconds from which the key commands nothing any more; 0: no end of its own.
Operator = namedtuple("Operator", ("key", "name", "rights", "until_s"))

# Rights of an operator, as bits (`policy.rights`); ending a command requires the right for giving it.
OVERRIDE = 1
EMERGENCY = 2
TEST = 4
DIRECTIVE = 8  # send directives to nodes: drought, load shedding, exceptional days, weather
LIGHT = 16  # an emergency for a few hours at most, from now on: a key that lives in a telephone
HEAT = 32  # one room occupied for some hours of a day: a referent's key
DRY = 64  # one green space without water for some hours of a day: a referent's key
ALL_RIGHTS = OVERRIDE | EMERGENCY | TEST | DIRECTIVE | LIGHT | HEAT | DRY

FORMAT = 2
DEPTH_MAX = 10  # policy > lighting > calendars > calendar > programs > program > step: seven, and some room
ITEMS_MAX = 256  # in one array or map: more than any bound of `limits`

_NEEDED = {1, 2, 3, 4, 5, 6, 7}
_ALLOWED = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}

PERMANENT = 0  # the feeder is live by day too
SWITCHED = 1  # a contactor cuts it by day

DARK_WINDOW = 1  # dark from minute a to minute b of local time
NO_DARKENING = 2  # a command may not take the calendar's light below a %; 0: not lower it at all
DARK_BY_DAY = 3  # a command may not light between sunrise + a and sunset - b minutes
EXEMPTION = 4  # on these dates the limit of kind a does not bind the target

ALL = "*"

# site: a lighting.Site; calendars: lighting.Calendar each
Lighting = namedtuple("Lighting", ("site", "calendars", "feeders", "limits"))
FeederRule = namedtuple("FeederRule", ("name", "kind", "calendar", "group"))  # calendar: index
# target: ALL, a group or a feeder. first, last: YYYYMMDD of evenings, inclusive; 0: without a bound.
Limit = namedtuple("Limit", ("target", "kind", "a", "b", "authority", "text", "first", "last"))

_KEYS = {1, 2, 3, 4}
_MINUTE_MAX = 1439
_SMALL_TEXT = "give a text of 1 to {} bytes, without control characters"


def decode(payload):
    """Returns (Policy, ()) or (None, faults)."""
    data, fault = plain_map(payload, POLICY_BYTES_MAX)
    if fault is not None:
        return (None, (fault,))
    faults = Faults()
    _check(faults, data)
    if faults.count():
        return (None, faults.listed())
    operators = tuple(Operator(one[0], one[1], one[2], one[3]) for one in data.get(11, ()))
    policy = Policy(
        data[2], data[3], data[4], data[5], data[6][0], data[6][1], _lighting(data[7]), operators
    )
    return (policy, ())


def encode(policy):
    """Returns the CBOR of a Policy; `decode(encode(p)) == (p, ())` for a sound one. Raises WireFault when it is too
    long."""
    data = {
        1: FORMAT,
        2: policy.version,
        3: policy.insee,
        4: policy.valid_from_s,
        5: policy.valid_until_s,
        6: [policy.authority, policy.text],
        7: _plain_lighting(policy.lighting),
    }
    if policy.operators:
        data[11] = [list(operator) for operator in policy.operators]
    return cbor.encode(data, POLICY_BYTES_MAX)


def plain_map(payload, bytes_max):
    """Returns (map, None) of a document's bytes, or (None, fault)."""
    try:
        data = cbor.decode(payload, bytes_max=bytes_max, items_max=ITEMS_MAX, depth_max=DEPTH_MAX)
    except WireFault as refused:
        remedy = f"give one CBOR map of at most {bytes_max} bytes, in deterministic encoding"
        return (None, Fault("", f"is not CBOR that we read ({refused.reason})", remedy))
    if not isinstance(data, dict):
        return (None, Fault("", "is not a map", "give the document, not its signature or a part of it"))
    return (data, None)


def keys_fault(keys):
    """Returns the fault of a list of public keys, in words, or None: each must be sound, and no two may have one short
    name."""
    for key in keys:
        if not cose.is_sound_key(key):
            return "has a key that is no Ed25519 public key"
    if len({cose.kid_of(key) for key in keys}) != len(keys):
        return "has the same key twice"
    return None


def check_line(faults, path, value, bytes_max):
    """Returns whether `value` is a line of text of at most `bytes_max` bytes; otherwise notes the fault."""
    if is_line(value, bytes_max):
        return True
    faults.add(path, "is not a short line of text", _SMALL_TEXT.format(bytes_max))
    return False


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
    _check_lighting(faults, data[7])
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
        if faults.sequence(f"operators[{i}]", operators[i], 4, 4):
            check_line(faults, f"operators[{i}].name", operators[i][1], limits.name_bytes_max)
            faults.integer(f"operators[{i}].rights", operators[i][2], 1, ALL_RIGHTS)
            if operators[i][3] != 0:
                faults.integer(f"operators[{i}].until_s", operators[i][3], limits.unix_min_s, limits.unix_max_s)
    if faults.count() == before:
        problem = keys_fault([operator[0] for operator in operators])
        if problem:
            faults.add("operators", problem, "give each operator a public key of their own, 32 bytes")


# --- the lighting section -------------------------------------------------------------------------------------


def _lighting(data):
    """Returns the Lighting of plain data in which `_check_lighting` found no fault."""
    site = lighting.Site(data[1][0], data[1][1], civil.PARIS)
    calendars = tuple(lighting_form.decode(calendar)[0] for calendar in data[2])
    feeders = tuple(FeederRule(one[0], one[1], one[2], one[3]) for one in data[3])
    bounds = tuple(
        Limit(one[0], one[1], one[2], one[3], one[4], one[5], one[6], one[7]) for one in data.get(4, ())
    )
    return Lighting(site, calendars, feeders, bounds)


def _plain_lighting(section):
    """Returns the plain data of a Lighting."""
    data = {
        1: [section.site.latitude_e4, section.site.longitude_e4],
        2: [lighting_form.encode(calendar) for calendar in section.calendars],
        3: [list(feeder) for feeder in section.feeders],
    }
    if section.limits:
        data[4] = [list(limit) for limit in section.limits]
    return data


def _check_lighting(faults, data):
    """Notes every fault of the plain data."""
    if not isinstance(data, dict) or not {1, 2, 3} <= set(data) <= _KEYS:
        faults.add("lighting", "is not a lighting section", "give a map with the keys 1 to 3, at most 4")
        return
    if faults.sequence("lighting.site", data[1], 2, 2):
        _coordinate(faults, "latitude", data[1][0], limits.latitude_min_e4, limits.latitude_max_e4)
        _coordinate(faults, "longitude", data[1][1], limits.longitude_min_e4, limits.longitude_max_e4)
    calendars = 0
    if faults.sequence("lighting.calendars", data[2], 1, limits.calendars_max):
        calendars = len(data[2])
        for i in range(calendars):
            calendar, found = lighting_form.decode(data[2][i])
            for fault in found:
                faults.add(f"lighting.calendars[{i}].{fault.path}", fault.problem, fault.remedy)
            if calendar is not None:
                _levels(faults, f"lighting.calendars[{i}].programs", calendar.programs)
    targets = _feeders(faults, data[3], calendars)
    if 4 in data and faults.sequence("lighting.limits", data[4], 0, limits.ceilings_max):
        for i in range(len(data[4])):
            _limit(faults, f"lighting.limits[{i}]", data[4][i], targets)


def _levels(faults, path, programs):
    """Notes each level between off and on."""
    for i in range(len(programs)):
        for j in range(len(programs[i])):
            level = programs[i][j].level_percent
            if level not in (0, limits.level_max_percent):
                faults.add(f"{path}[{i}][{j}].level", f"is {level}", "give 0 or 100: a contactor dims nothing")


def _coordinate(faults, name, value, low, high):
    faults.integer(f"lighting.site.{name}", value, low, high)


def _feeders(faults, feeders, calendars):
    """Checks the feeders and returns the names that a limit may have as its target."""
    names = []
    groups = []
    if faults.sequence("lighting.feeders", feeders, 1, limits.feeders_max):
        for i in range(len(feeders)):
            _feeder(faults, f"lighting.feeders[{i}]", feeders[i], calendars, names, groups)
    for i in range(len(names)):
        if names[i] in groups:
            faults.add("lighting.feeders", "has a group and a feeder of one name", "rename one of them")
    return names + groups


def _feeder(faults, path, feeder, calendars, names, groups):
    if not faults.sequence(path, feeder, 4, 4):
        return
    if _name(faults, f"{path}.name", feeder[0]):
        if feeder[0] in names:
            faults.add(f"{path}.name", "is another feeder's name too", "give each feeder a name of its own")
        names.append(feeder[0])
    faults.integer(f"{path}.kind", feeder[1], PERMANENT, SWITCHED)
    if calendars:
        faults.integer(f"{path}.calendar", feeder[2], 0, calendars - 1)
    if _name(faults, f"{path}.group", feeder[3]):
        groups.append(feeder[3])


def _name(faults, path, value):
    if not check_line(faults, path, value, NAME_BYTES_MAX):
        return False
    if value == ALL:
        faults.add(path, "is *", "give a name: * means all feeders")
        return False
    return True


def _limit(faults, path, limit, targets):
    if not faults.sequence(path, limit, 8, 8):
        return
    target, kind, a, b, authority, text, first, last = limit
    if not isinstance(target, str) or (target != ALL and target not in targets):
        faults.add(f"{path}.target", "is no feeder and no group", "give *, or the name of one")
    if faults.integer(f"{path}.kind", kind, DARK_WINDOW, EXEMPTION):
        _bounds(faults, path, kind, a, b)
    check_line(faults, f"{path}.authority", authority, limits.authority_bytes_max)
    check_line(faults, f"{path}.text", text, limits.text_bytes_max)
    dated = _date(faults, f"{path}.first", first)
    dated = _date(faults, f"{path}.last", last) and dated
    if dated and first and last and first > last:
        faults.add(f"{path}.last", f"is {last}, before first", "put the earlier date first")
    if dated and kind == EXEMPTION and not (first and last):
        faults.add(f"{path}.first", "leaves the exemption without an end", "give the first and the last date")


def _bounds(faults, path, kind, a, b):
    if kind == DARK_WINDOW:
        sound = faults.integer(f"{path}.a", a, 0, _MINUTE_MAX)
        if faults.integer(f"{path}.b", b, 0, _MINUTE_MAX) and sound and a == b:
            faults.add(f"{path}.b", f"is {b}, as a is", "end the dark window later than it begins")
        return
    high_a = high_b = limits.lighting_offset_max_min
    low_a = 0
    if kind == NO_DARKENING:
        high_a, high_b = 99, 0
    if kind == EXEMPTION:
        low_a, high_a, high_b = DARK_WINDOW, DARK_BY_DAY, 0
    faults.integer(f"{path}.a", a, low_a, high_a)
    faults.integer(f"{path}.b", b, 0, high_b)


def _date(faults, path, value):
    """Returns whether `value` is 0 or YYYYMMDD of a day that exists, within the years of the calendar."""
    if not faults.integer(path, value, 0, limits.year_max * 10000 + 1231):
        return False
    year, month, day = value // 10000, value // 100 % 100, value % 100
    if value == 0 or (limits.year_min <= year and civil.is_date(year, month, day)):
        return True
    faults.add(path, f"is {value}, no such date", "give 0, or YYYYMMDD of a day that exists")
    return False
