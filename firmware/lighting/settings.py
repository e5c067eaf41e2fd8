"""Decodes a streetlight's own settings from plain data. Notes every fault with its path and the remedy.

    site            [latitude, longitude] in 10^-4 degree
    lamp            [nominal power, standby power] in 0.1 W
    calendar        lighting calendar in plain form (policy.lighting_form); absent: lit from sunset to sunrise
    output          "0-10v" (default), "relay" or "dali"
    dali            {"address": 0-63 (absent: the one gear on the bus), "curve": "log" or "linear"}
    feeder          "permanent" (default), or "switched": its cabinet cuts it by day
    fail_safe       level in % when neither time nor photocell helps (100)
    photocell       {"on_lx": 35, "off_lx": 55, "part": "bh1750" or "veml7700"}; absent: none is fitted
    presence        {"level": 100, "up_ms": 1000, "hold_s": 45, "down_s": 30, "per_hour": 240, "in_extinction": 0};
                    absent: no detector is fitted
    virtual_output  % of full power that is this street's 100 % (100)
    clo             constant light output: [[hours lit, %], …], up to the 100 % of the end of life
    lamp_hours      [YYYYMMDD, hours]: the hours that the lamp has burnt until that day: [today, 0] for a new lamp; the
                    old lamp's hours where the board is new. Sets the hours once and restarts the count of starts at 0.
                    The same entry, or one of an earlier day, never sets them again (correct a slip under its own day
                    or a later one). Absent: the board continues its own count
    gradient        change of light over change of power, in 10^-2 (100: a straight line)
    power_tolerance of the lamp's power in 0.1 W; 10 % of the nominal power at least
    voltage         [lowest, highest] of the mains in 0.1 V ([2070, 2530])
    warm_up_s       seconds before a lamp is judged (300)

Integers only, as everywhere on a node. All but site and lamp have defaults.
"""

from collections import namedtuple

from lighting import dali, limits
from policy import civil, lighting, lighting_form

FIELDS = (
    "site",
    "lamp",
    "calendar",
    "output",
    "dali",
    "feeder",
    "fail_safe",
    "photocell",
    "presence",
    "virtual_output",
    "clo",
    "lamp_hours",
    "gradient",
    "power_tolerance",
    "voltage",
    "warm_up_s",
)

Own = namedtuple("Own", FIELDS)
# `address`: as in lighting.dali. `up_ms`, `down_s`: the durations of the ramps. `part`: the driver.
Dali = namedtuple("Dali", ("address", "curve"))
Cell = namedtuple("Cell", ("on_lx", "off_lx", "part"))
Detector = namedtuple("Detector", ("level", "up_ms", "hold_s", "down_s", "per_hour", "in_extinction"))

VOLTS = "0-10v"
RELAY = "relay"
DALI = "dali"
OUTPUTS = (VOLTS, RELAY, DALI)
PERMANENT = "permanent"
SWITCHED = "switched"
PARTS = ("bh1750", "veml7700")

# name: (default, lowest, highest). A ramp up longer than 2 s would leave a passer-by in the dark.
_PRESENCE = (
    ("level", 100, 1, 100),
    ("up_ms", 1000, 0, 1500),
    ("hold_s", 45, 5, 3600),
    ("down_s", 30, 0, 300),
    ("per_hour", 240, 10, 360),
    ("in_extinction", 0, 0, 1),
)


def decode(faults, plain, site):
    """Returns Own, as far as it could be read; `site` is a policy.lighting.Site, or None if its fault is noted."""
    cell = _cell(faults, plain.get("photocell"))
    detector = _map(faults, "presence", plain.get("presence"), _PRESENCE)
    return Own(
        site=site,
        lamp=_pair(faults, "lamp", plain.get("lamp"), (1, 0), (100_000, 1000)),
        calendar=_calendar(faults, plain.get("calendar")),
        output=_word(faults, "output", plain.get("output", VOLTS), OUTPUTS),
        dali=_dali(faults, plain.get("dali", {})),
        feeder=_word(faults, "feeder", plain.get("feeder", PERMANENT), (PERMANENT, SWITCHED)),
        fail_safe=_integer(faults, "fail_safe", plain.get("fail_safe", 100), 1, 100),
        photocell=cell,
        presence=None if detector is None else Detector(*detector),
        virtual_output=_integer(faults, "virtual_output", plain.get("virtual_output", 100), 10, 100),
        clo=_clo(faults, plain.get("clo", ())),
        lamp_hours=_lamp_hours(faults, plain.get("lamp_hours")),
        gradient=_integer(faults, "gradient", plain.get("gradient", 100), 50, 300),
        power_tolerance=_integer(faults, "power_tolerance", plain.get("power_tolerance", 0), 0, 10_000),
        voltage=_voltage(faults, plain.get("voltage", (limits.VOLTAGE_LOW_DV, limits.VOLTAGE_HIGH_DV))),
        warm_up_s=_integer(faults, "warm_up_s", plain.get("warm_up_s", limits.WARM_UP_S), 0, 1800),
    )


def _integer(faults, path, value, low, high):
    faults.integer(path, value, low, high)
    return value


def _pair(faults, path, value, low, high):
    if not faults.sequence(path, value, 2, 2):
        return None
    for index in (0, 1):
        faults.integer(f"{path}[{index}]", value[index], low[index], high[index])
    return (value[0], value[1])


def _word(faults, path, value, words):
    if value not in words:
        faults.add(path, "is not known", "give one of " + ", ".join(words))
    return value


def _map(faults, path, value, fields):
    """Returns the values of `fields` in their order, with defaults; None when there is no such map."""
    if value is None:
        return None
    if not isinstance(value, dict):
        faults.add(path, "is not a map", "give an object, {} for the defaults")
        return None
    names = [field[0] for field in fields]
    for name in sorted(value):
        if name not in names:
            faults.add(f"{path}.{name}", "is not a setting", "give one of " + ", ".join(names))
    for name, default, low, high in fields:
        faults.integer(f"{path}.{name}", value.get(name, default), low, high)
    return [value.get(name, default) for name, default, low, high in fields]


def _calendar(faults, value):
    if value is None:
        return lighting.DEFAULT_CALENDAR
    calendar, found = lighting_form.decode(value)
    for fault in found:
        faults.add("calendar." + fault.path, fault.problem, fault.remedy)
    return calendar


def _dali(faults, value):
    if not isinstance(value, dict):
        faults.add("dali", "is not a map", "give an object, {} for the defaults")
        return None
    for name in sorted(value):
        if name not in ("address", "curve"):
            faults.add(f"dali.{name}", "is not a setting", "give address, curve")
    address = value.get("address", dali.BROADCAST)
    if address != dali.BROADCAST:
        faults.integer("dali.address", address, 0, dali.SHORT_MAX)
    curve = _word(faults, "dali.curve", value.get("curve", dali.LOGARITHMIC), (dali.LOGARITHMIC, dali.LINEAR))
    return Dali(address, curve)


def _cell(faults, value):
    if value is None:
        return None
    part = PARTS[0]
    if isinstance(value, dict):
        part = _word(faults, "photocell.part", value.get("part", PARTS[0]), PARTS)
        value = {name: value[name] for name in value if name != "part"}
    levels = (("on_lx", limits.CELL_ON_LX, 1, 1000), ("off_lx", limits.CELL_OFF_LX, 2, 2000))
    found = _map(faults, "photocell", value, levels)
    if found is None:
        return None
    if type(found[0]) is int and type(found[1]) is int and found[1] <= found[0]:
        faults.add("photocell.off_lx", "is not above on_lx", "give about one and a half times on_lx")
    return Cell(found[0], found[1], part)


def _clo(faults, value):
    """Returns ((hours, percent), …)."""
    if not faults.sequence("clo", value, 0, limits.CLO_POINTS_MAX):
        return ()
    before = faults.count()
    points = []
    for index, point in enumerate(value):
        found = _pair(faults, f"clo[{index}]", point, (0, 10), (limits.HOURS_MAX, 100))
        if found is not None:
            points.append(found)
    is_rising = all(points[index - 1][0] < points[index][0] for index in range(1, len(points)))
    if faults.count() == before and not is_rising:
        faults.add("clo", "has hours that do not rise", "list the points from the first hour on")
    return tuple(points)


def _lamp_hours(faults, value):
    """Returns the entry as (YYYYMMDD, hours); (0, 0) without one."""
    if value is None:
        return (0, 0)
    pair = _pair(faults, "lamp_hours", value, (20000101, 0), (20991231, limits.HOURS_MAX))
    if pair and type(pair[0]) is int and not civil.is_date(pair[0] // 10_000, pair[0] // 100 % 100, pair[0] % 100):
        faults.add("lamp_hours[0]", "is no date", "give YYYYMMDD of the day on which the lamp had these hours")
    return pair


def _voltage(faults, value):
    pair = _pair(faults, "voltage", value, (500, 500), (4500, 4500))
    if pair and type(pair[0]) is int and type(pair[1]) is int and pair[0] >= pair[1]:
        faults.add("voltage", "has no room", "give the lower voltage first, in 0.1 V")
    return pair
