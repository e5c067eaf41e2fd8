"""The lighting section of a policy: the site, its calendars, its feeders and the limits that bind them.

    lighting = { 1: [latitude_e4, longitude_e4], 2: [+ calendar], 3: [+ feeder], ? 4: [* limit] }
    feeder   = [name, kind, calendar index, group]
    limit    = [target, kind, a, b, authority, text, first, last]

A calendar is in the form of `lighting_form`. What limits mean is in `ceiling`. Every fault is found at once,
with its path; `document` puts the section into its envelope. Must not raise whatever the data.
"""

from collections import namedtuple

from policy import civil, lighting, lighting_form, limits
from wire.command import NAME_BYTES_MAX
from wire.line import is_line

PERMANENT = 0  # the feeder is live by day too
SWITCHED = 1  # a contactor cuts it by day

DARK_WINDOW = 1  # dark from minute a to minute b of local time
NO_DARKENING = 2  # a command may not put out what the calendar lights
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


def build(data):
    """The Lighting of plain data in which `check` found no fault."""
    site = lighting.Site(data[1][0], data[1][1], civil.PARIS)
    calendars = tuple(lighting_form.decode(calendar)[0] for calendar in data[2])
    feeders = tuple(FeederRule(one[0], one[1], one[2], one[3]) for one in data[3])
    bounds = tuple(
        Limit(one[0], one[1], one[2], one[3], one[4], one[5], one[6], one[7]) for one in data.get(4, ())
    )
    return Lighting(site, calendars, feeders, bounds)


def plain(section):
    """The plain data of a Lighting."""
    data = {
        1: [section.site.latitude_e4, section.site.longitude_e4],
        2: [lighting_form.encode(calendar) for calendar in section.calendars],
        3: [list(feeder) for feeder in section.feeders],
    }
    if section.limits:
        data[4] = [list(limit) for limit in section.limits]
    return data


def check(faults, data):
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
            for fault in lighting_form.validate(data[2][i]):
                faults.add(f"lighting.calendars[{i}].{fault.path}", fault.problem, fault.remedy)
    targets = _feeders(faults, data[3], calendars)
    if 4 in data and faults.sequence("lighting.limits", data[4], 0, limits.ceilings_max):
        for i in range(len(data[4])):
            _limit(faults, f"lighting.limits[{i}]", data[4][i], targets)


def check_line(faults, path, value, bytes_max):
    """True when `value` is a short line of text; otherwise the fault is noted."""
    if is_line(value, bytes_max):
        return True
    faults.add(path, "is not a short line of text", _SMALL_TEXT.format(bytes_max))
    return False


def _coordinate(faults, name, value, low, high):
    faults.integer(f"lighting.site.{name}", value, low, high)


def _feeders(faults, feeders, calendars):
    """Checks the feeders; returns the names that a limit may have as its target."""
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
    if kind == NO_DARKENING:
        high_a = high_b = 0
    low_a = 0
    if kind == EXEMPTION:
        low_a, high_a, high_b = DARK_WINDOW, DARK_BY_DAY, 0
    faults.integer(f"{path}.a", a, low_a, high_a)
    faults.integer(f"{path}.b", b, 0, high_b)


def _date(faults, path, value):
    """True when `value` is 0 or YYYYMMDD of a day that exists, within the years of the calendar."""
    if not faults.integer(path, value, 0, limits.year_max * 10000 + 1231):
        return False
    year, month, day = value // 10000, value // 100 % 100, value % 100
    if value == 0 or (limits.year_min <= year and civil.is_date(year, month, day)):
        return True
    faults.add(path, f"is {value}, no such date", "give 0, or YYYYMMDD of a day that exists")
    return False
