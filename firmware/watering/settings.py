"""Decodes the settings of an irrigation node from plain data: its policy, what is wired, and its site.

    watering   the policy in plain form (policy.watering_form)
    valves     [master, zones …, pump]: 0 absent, 1 held (24 V AC or a relay), 2 latching; one item a zone, pump last
    supply     [master lead, master lag, pump lead, pump lag] in seconds; absent: all 0
    pulse      [pulse ms, gap ms] of latching outputs; absent: [100, 100]
    meter      [microlitres a pulse, L/min that the main gives at most]; absent: no meter
    battery    [mAh, mJ a pulse, boost capacitor mV] of a node that sleeps; absent: it is fed and stays awake
    fitted     the parts that are fitted, of those that the board can carry: "rain-contact", "wind"; absent: none
    rain       for the rain sensor's contact: [seconds that it must be wet to count, hours without watering after it
               was wet]; absent: [2, 24]. A node that has just woken counts what it finds
    soil       at most two of [zone, mV when dry, mV when wet, 0.1 % from which on nothing is lacking]; absent: no probe
    weather    [altitude m, height of the anemometer m, 0.01 mm a tip of the rain gauge, ET0 of 12 months or []]

Every fault is listed with its path and the remedy. Must not know pins: they belong to the board.
"""

from collections import namedtuple

from policy import watering, watering_form
from watering import limits, valves, weather

FIELDS = ("watering", "valves", "supply", "pulse", "meter", "battery", "soil", "weather", "fitted", "rain")

# supplies: (seconds of lead before the first zone, of lag after the last), of master and of pump; pulse_ul: of the
# meter, microlitres, 0 without one; capacity_mah: what the cell still holds when full, 0 where no valve needs a cell to
# shut; pulse_mj: of one pulse with losses; boost_mv: the capacitor's when charged; tip_cmm: rain of one tip of the
# gauge in 0.01 mm, 0 without one; climate: 12 months as in weather.LOIRE. One flat record: a type takes 100 bytes.
Own = namedtuple(
    "Own",
    (
        "site",
        "policy",
        "kinds",
        "supplies",
        "pulse_ms",
        "gap_ms",
        "pulse_ul",
        "main_max_ml_min",
        "capacity_mah",
        "pulse_mj",
        "boost_mv",
        "altitude_m",
        "wind_height_m",
        "tip_cmm",
        "climate",
        "fitted",
        "soil",
        "sleeps",
        "rain_on_s",
        "rain_off_h",
    ),
)
# If it is not wired, a contact is open, which reads as wet, and an anemometer reads as calm.
OPTIONS = (RAIN_CONTACT, WIND) = ("rain-contact", "wind")
# A soil probe in a zone: dry_mv is 0 %, wet_mv is 100 %, whichever is higher.
SoilProbe = namedtuple("SoilProbe", ("zone", "dry_mv", "wet_mv", "enough_permille"))

_NO_METER = (0, 1 << 30)
_NO_GAUGE = [0, 2, 0, []]
_RAIN = [2, 24]


def decode(faults, plain, site, reserve=(0, 0, 0)):
    """Returns Own, as far as it could be read.

    `reserve`: the store, as in `battery`, of a node whose settings name none.
    """
    policy, found = watering_form.decode(plain.get("watering"))
    for fault in found:
        faults.add("watering." + fault.path, fault.problem, fault.remedy)
    zones = 0 if policy is None else len(policy.zones)
    pulse = _numbers(faults, "pulse", plain.get("pulse", [100, 100]), (
        ("pulse", limits.PULSE_MS_MIN, limits.PULSE_MS_MAX), ("gap", limits.PULSE_GAP_MS_MIN, limits.PULSE_GAP_MS_MAX)
    ))  # fmt: skip
    # Only a sound policy gives the number of outputs; without it the remedy would be wrong, and might be followed.
    kinds = (valves.ABSENT,) * limits.OUTPUTS_MAX
    if policy is not None:
        kinds = _valves(faults, plain.get("valves"), zones, pulse)
    lead = (-limits.LEAD_S_MAX, limits.LEAD_S_MAX)
    names = ("master_lead", "master_lag", "pump_lead", "pump_lag")
    supply = _numbers(faults, "supply", plain.get("supply", [0, 0, 0, 0]), [(name, lead[0], lead[1]) for name in names])
    meter = _meter(faults, plain, policy)
    battery = _battery(faults, plain, kinds, reserve)
    place = _place(faults, plain.get("weather", _NO_GAUGE))
    fitted = _fitted(faults, plain.get("fitted", []))
    supplies = ((supply[0], supply[1]), (supply[2], supply[3]))
    soil = _soil(faults, plain.get("soil", []), zones)
    rain = _numbers(faults, "rain", plain.get("rain", _RAIN), (
        ("on", 0, limits.RAIN_ON_S_MAX), ("off", limits.RAIN_OFF_H_MIN, limits.RAIN_OFF_H_MAX)
    ))  # fmt: skip
    wired = (fitted, soil, "battery" in plain)
    return Own(site, _without_texts(policy), kinds, supplies, *pulse, *meter, *battery, *place, *wired, *rain)


def _without_texts(policy):
    """Returns the policy without the texts of its bans: the node applies them, its gateway explains them."""
    if policy is None:
        return None
    bans = tuple([tuple(ban[: watering.TO_MIN + 1]) for ban in policy.bans])
    return watering.Watering(policy.zones, policy.programs, bans, policy.exemptions)


def _numbers(faults, path, value, bounds):
    """Returns the integers if each lies within its named bounds; zeros where there is a fault."""
    if not faults.sequence(path, value, len(bounds), len(bounds)):
        return [0] * len(bounds)
    sound = True
    for i in range(len(bounds)):
        name, low, high = bounds[i]
        sound = faults.integer(f"{path}.{name}", value[i], low, high) and sound
    return list(value) if sound else [0] * len(bounds)


def _valves(faults, value, zones, pulse):
    """Returns the kind of each output, OUTPUTS_MAX of them."""
    kinds = [valves.ABSENT] * limits.OUTPUTS_MAX
    if not faults.sequence("valves", value, zones + 2, zones + 2):
        return tuple(kinds)
    latching = 0
    for i in range(zones + 2):
        least = valves.HELD if 1 <= i <= zones else valves.ABSENT
        most = valves.HELD if i == zones + 1 else valves.LATCHING
        if faults.integer(f"valves[{i}]", value[i], least, most):
            kinds[valves.PUMP if i == zones + 1 else i] = value[i]
            latching += value[i] == valves.LATCHING
    boot_ms = latching * (limits.SELECT_MS + pulse[0] + pulse[1])
    if boot_ms > limits.BOOT_CLOSE_MS:
        most_ms = limits.BOOT_CLOSE_MS
        remedy = f"shorten them: all latching valves are pulsed shut within {most_ms} ms of a start"
        faults.add("pulse", f"takes {boot_ms} ms for {latching} latching valves", remedy)
    return tuple(kinds)


def _meter(faults, plain, policy):
    if "meter" not in plain:
        for i in range(0 if policy is None else len(policy.zones)):
            if policy.zones[i].metered:
                faults.add(f"watering.zones[{i}].metered", "is 1 without a meter", "give 0, or the meter")
        return _NO_METER
    bounds = (("pulse", 100, 100_000_000), ("main_max", 1, 2000))
    pulse_ul, main = _numbers(faults, "meter", plain["meter"], bounds)
    if not pulse_ul:
        return _NO_METER
    most_ml_min = 1000 * main
    for i in range(0 if policy is None else len(policy.zones)):
        zone = policy.zones[i]
        pulses = 1000 * zone.flow_ml_min // pulse_ul
        least = limits.METER_PULSES_PER_MIN_MIN
        if zone.metered:
            most_ml_min = max(most_ml_min, zone.flow_ml_min)
            if pulses < least:
                remedy = f"take a meter of less a pulse: {least} a minute show a burst in time"
                faults.add("meter.pulse", f"gives {pulses} pulses a minute at the flow of zone {i + 1}", remedy)
    # The meter's input must count a burst: beyond its filter's limit a board counts no flow at all.
    per_min = limits.METER_HEADROOM * 1000 * most_ml_min
    least_ul = -(-per_min // (60 * limits.PULSES_PER_S_MAX))
    if pulse_ul < least_ul:
        remedy = f"{limits.PULSES_PER_S_MAX} are counted: take a meter of {least_ul} uL a pulse or more"
        faults.add("meter.pulse", f"gives {per_min // (60 * pulse_ul)} pulses a second at twice what may flow", remedy)
    return (pulse_ul, 1000 * main)


def _battery(faults, plain, kinds, reserve):
    if "battery" not in plain:
        return reserve
    bounds = (("capacity", 100, 100_000), ("pulse", 1, 20_000), ("boost", limits.BOOST_MV_MIN, limits.BOOST_MV_MAX))
    found = _numbers(faults, "battery", plain["battery"], bounds)
    for output in range(limits.OUTPUTS_MAX):
        if kinds[output] == valves.HELD:
            faults.add(f"valves[{output}]", "is held on a battery", "a battery holds no coil: use a latching valve")
    return found


def _soil(faults, value, zones):
    if not faults.sequence("soil", value, 0, limits.SOIL_PROBES_MAX):
        return ()
    found = []
    bounds = (("zone", 1, max(1, zones)), ("dry", 0, 3300), ("wet", 0, 3300), ("enough", 100, 1000))
    for i in range(len(value)):
        probe = SoilProbe(*_numbers(faults, f"soil[{i}]", value[i], bounds))
        if probe.zone and abs(probe.wet_mv - probe.dry_mv) < limits.SOIL_SPAN_MV_MIN:
            faults.add(f"soil[{i}]", "says the same dry and wet", "measure both: in air, and in soil just watered")
        found.append(probe)
    return tuple(found)


def _fitted(faults, value):
    if not faults.sequence("fitted", value, 0, len(OPTIONS)):
        return ()
    for index in range(len(value)):
        if value[index] not in OPTIONS:
            faults.add(f"fitted[{index}]", "is not known", "give of " + ", ".join(OPTIONS))
    return tuple(value)


def _place(faults, value):
    """Returns (altitude, height of the anemometer, tip, climate)."""
    if not faults.sequence("weather", value, 4, 4):
        return (0, 1, 0, weather.LOIRE)
    names = (("altitude", 0, 3000), ("wind_height", 1, 20), ("tip", 0, 200))
    altitude, height, tip = _numbers(faults, "weather", list(value[:3]), names)
    climate = weather.LOIRE
    if faults.sequence("weather.et0", value[3], 0, 12) and len(value[3]):
        if faults.sequence("weather.et0", value[3], 12, 12):
            for month in range(12):
                faults.integer(f"weather.et0[{month}]", value[3][month], 0, limits.ET0_CMM_MAX)
        climate = tuple(value[3])
    return (altitude, max(1, height), tip, climate)
