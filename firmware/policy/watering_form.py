"""Checks and converts the plain-data form of a watering policy: lists, integers and short texts, ready for JSON or
CBOR.

    [1, zones, programs, bans, exemptions]
    zone       [use, plant, soil, slope %, emitter, area dm2, flow mL/min, efficiency %, group, metered, run max min]
    program    [kind, days, first, last, reference, minutes, anchor, zones, depth 0.1 mm]
               kind: 0 weekly, 1 every n days, 2 odd, 3 even, 4 once, 5 monthly
    ban        [level, uses, weekdays, from min, to min, authority, text]
    exemption  [uses, emitters, up to level, first, last, authority, text]

Field meanings are those of `watering`. All faults are reported at once, each with its path and a remedy; a document
with a fault yields no policy at all. Must not raise on any data, and must not guess a repair.
"""

from collections import namedtuple

from policy import civil, limits, watering
from policy.fault import Faults

version = 1

# The first five are the columns of `watering`; then the authority that forbids it, and its text.
Ban = namedtuple("Ban", ("level", "uses", "weekdays", "from_min", "to_min", "authority", "text"))
# up_to: the highest level that is lifted; first, last: full dates, inclusive. Neither type is in `watering`, which a
# chip loads: it does not need the authority, and most documents exempt nothing.
Exemption = namedtuple("Exemption", ("uses", "emitters", "up_to", "first", "last", "authority", "text"))

_ZONE = (
    ("use", 0, len(watering.USES) - 1),
    ("plant", 0, len(watering.PLANTS) - 1),
    ("soil", 0, len(watering.SOILS) - 1),
    ("slope", 0, limits.watering_slope_max_percent),
    ("emitter", watering.SPRAY, watering.DRIP),
    ("area", 1, limits.watering_area_max_dm2),
    ("flow", 1, limits.watering_flow_max_ml_min),
    ("efficiency", 0, 100),
    ("group", 0, limits.watering_zones_max - 1),
    ("metered", 0, 1),
    ("run_max", 1, limits.watering_run_max_min),
)
_EFFICIENCY_MIN = 30  # below it a zone needs a repair, not a programme
# days of a program by kind: (lowest, highest)
_DAYS = (
    (1, watering.EVERY_DAY),
    (1, limits.watering_interval_max_days),
    (0, 0),
    (0, 0),
    (limits.year_min * 10000 + 101, limits.year_max * 10000 + 1231),
    (1, (1 << 31) - 1),
)


def decode(data):
    """Returns (Watering, ()) or (None, faults)."""
    faults = Faults()
    _document(faults, data)
    if faults.count():
        return (None, faults.listed())
    zones = tuple(_zone(plain) for plain in data[1])
    programs = tuple(watering.Program(*plain) for plain in data[2])
    bans = tuple(Ban(*plain) for plain in data[3])
    exemptions = tuple(Exemption(*plain) for plain in data[4])
    return (watering.Watering(zones, programs, bans, exemptions), ())


def validate(data):
    """Returns all faults of the plain data, as a tuple of `Fault`; empty when it is sound."""
    return decode(data)[1]


def encode(policy):
    """Returns the plain data of a Watering; `decode(encode(w))[0] == w` for a sound one."""
    zones = [list(zone[:-1]) + [zone.run_max_s // 60] for zone in policy.zones]
    rest = [[list(item) for item in part] for part in (policy.programs, policy.bans, policy.exemptions)]
    return [version, zones] + rest


def _zone(plain):
    items = list(plain)
    items[-1] = 60 * items[-1]
    return watering.Zone(*items)


def _document(faults, data):
    if not faults.sequence("watering", data, 5, 5):
        return
    faults.integer("version", data[0], version, version)
    found = faults.count()
    zones = 0
    if faults.sequence("zones", data[1], 1, limits.watering_zones_max):
        zones = len(data[1])
        for i in range(zones):
            _check_zone(faults, f"zones[{i}]", data[1][i])
    parts = (
        ("programs", limits.watering_programs_max, lambda path, item: _check_program(faults, path, item, zones)),
        ("bans", limits.watering_bans_max, lambda path, item: _check_ban(faults, path, item)),
        ("exemptions", limits.watering_exemptions_max, lambda path, item: _check_exemption(faults, path, item)),
    )
    for place in range(3):
        name, most, check = parts[place]
        items = data[2 + place]
        if faults.sequence(name, items, 0, most):
            for i in range(len(items)):
                check(f"{name}[{i}]", items[i])
    if faults.count() == found:
        _check_crise(faults, data[1], data[3])


def _check_crise(faults, zones, bans):
    """Checks that the document says what the prefecture's order forbids at "crise" to the uses that it alone decides
    on."""
    ordered = 0
    for ban in bans:
        if ban[0] == watering.CRISE:
            ordered |= ban[1]
    for use in range(len(watering.USES)):
        asked = watering.BY_ORDER & ~ordered & 1 << use
        if asked and any(zone[0] == use for zone in zones):
            faults.add(
                "bans",
                f"do not say what is forbidden to {watering.USES[use]} at crise",
                f"add the prefecture's order: [{watering.CRISE}, {asked}, {watering.EVERY_DAY}, from min, to min, "
                "authority, text]",
            )


def _check_zone(faults, path, zone):
    if not faults.sequence(path, zone, len(_ZONE), len(_ZONE)):
        return
    sound = True
    for i in range(len(_ZONE)):
        name, low, high = _ZONE[i]
        sound = faults.integer(f"{path}.{name}", zone[i], low, high) and sound
    if not sound:
        return
    if zone[7] and zone[7] < _EFFICIENCY_MIN:
        faults.add(f"{path}.efficiency", f"is {zone[7]}", f"give 0 (the emitter's) or {_EFFICIENCY_MIN} to 100")
    # 600 mm/h on the ground is a burst pipe, 0.2 mm/h has no effect: one of the two numbers is in another unit.
    rate_dmm_h = 60 * zone[6] // zone[5]
    if not 2 <= rate_dmm_h <= 6000:
        faults.add(f"{path}.flow", f"gives {rate_dmm_h} tenths of mm/h on this area", "check flow (mL/min), area (dm2)")


def _check_program(faults, path, program, zones):
    if not faults.sequence(path, program, 9, 9):
        return
    kind, days, first, last, reference, minutes, anchor, mask, depth = program
    if faults.integer(f"{path}.kind", kind, watering.WEEKLY, watering.MONTHLY):
        low, high = _DAYS[kind]
        if faults.integer(f"{path}.days", days, low, high) and kind == watering.ONCE:
            _date(faults, f"{path}.days", days)
    _season(faults, path, first, last)
    if faults.integer(f"{path}.reference", reference, watering.CLOCK, watering.SUNSET):
        reach = limits.watering_offset_max_min
        clock = reference == watering.CLOCK
        faults.integer(f"{path}.minutes", minutes, 0 if clock else -reach, 1439 if clock else reach)
    faults.integer(f"{path}.anchor", anchor, watering.START, watering.FINISH)
    faults.integer(f"{path}.zones", mask, 1, (1 << max(1, zones)) - 1)
    faults.integer(f"{path}.depth", depth, 0, limits.watering_depth_max_dmm)


def _season(faults, path, first, last):
    for name, value in (("first", first), ("last", last)):
        if not faults.integer(f"{path}.{name}", value, 0, 1231):
            return
        # 29 February exists in leap years, and a season may begin on it.
        if value and not civil.is_date(2000, value // 100, value % 100):
            faults.add(f"{path}.{name}", f"is {value}, no such date", "give 0 or MMDD of a day that exists")
    if (first == 0) != (last == 0):
        faults.add(f"{path}.last", "is given alone", "give first and last, or both as 0")


def _check_ban(faults, path, ban):
    if not faults.sequence(path, ban, 7, 7):
        return
    faults.integer(f"{path}.level", ban[0], watering.NONE, watering.CRISE)
    faults.integer(f"{path}.uses", ban[1], 1, watering.EVERY_USE)
    faults.integer(f"{path}.weekdays", ban[2], 1, watering.EVERY_DAY)
    begins = faults.integer(f"{path}.from", ban[3], 0, 1439)
    if faults.integer(f"{path}.to", ban[4], 0, 1440) and begins and ban[3] == ban[4]:
        faults.add(f"{path}.to", "is equal to from", "give 0 and 1440 for the whole day")
    _texts(faults, path, ban[5], ban[6])


def _check_exemption(faults, path, exemption):
    if not faults.sequence(path, exemption, 7, 7):
        return
    faults.integer(f"{path}.uses", exemption[0], 1, watering.EVERY_USE)
    faults.integer(f"{path}.emitters", exemption[1], 1, watering.EVERY_EMITTER)
    faults.integer(f"{path}.up_to", exemption[2], watering.VIGILANCE, watering.CRISE)
    sound = _date(faults, f"{path}.first", exemption[3])
    if _date(faults, f"{path}.last", exemption[4]) and sound and exemption[3] > exemption[4]:
        faults.add(f"{path}.last", f"is {exemption[4]}, before first", "put the earlier date first")
    _texts(faults, path, exemption[5], exemption[6])


def _date(faults, path, value):
    if not faults.integer(path, value, limits.year_min * 10000 + 101, limits.year_max * 10000 + 1231):
        return False
    if civil.is_date(value // 10000, value // 100 % 100, value % 100):
        return True
    faults.add(path, f"is {value}, no such date", "give YYYYMMDD of a day that exists")
    return False


def _texts(faults, path, authority, text):
    """Checks that a restriction or an exemption names its authority and its text."""
    for name, value, most in (
        ("authority", authority, limits.authority_bytes_max),
        ("text", text, limits.text_bytes_max),
    ):
        if not isinstance(value, str) or not 1 <= len(value.encode()) <= most:
            faults.add(f"{path}.{name}", "is not a text of use", f"give 1 to {most} bytes of text")
