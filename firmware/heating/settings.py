"""Decodes a thermostat's own settings from plain data. Notes every fault with its path and the remedy.

    output       "relay", "valve" or "opentherm"
    water        true where water carries the heat; absent: all but a relay
    cycle        [cycle, least on, least off] in s; absent: 600, 30, 30 for electric heat, 1800, 300, 300 for water
    programme    heating programme in plain form (policy.heating_form); absent: weekdays from 8:00 to 18:00 at 19 °C
    fallback_ck  set-point without a clock, 0.01 °C; absent: 17 °C
    safe_percent the least duty while the room is not measured, given in spite of `cycle`; absent: 10
    span_k       room less outdoors at full power in the coldest hour, K; absent: 30
    heater_w     rated power behind the relay, W: where there is no meter, energy is then counted by its on-time
    flow_max_ck, curve_percent   of a boiler: highest flow temperature (id 57), heating curve; absent: 70 °C, 120
    hot_water    true or false: whether the boiler may make hot water; absent: the boiler decides
    exercise_s   weekly stroke of the valve, each way; 0: none
    standby_ck   with a presence detector: by how much the set-point falls, 0.01 K, after 60 minutes of occupied hours
                 without a detection (the next one brings it back at once); 0: never; absent: 1 K
    window_slope true or false: whether an open window is also detected by the fall of the air; absent: true
    fitted       which options the board carries: "outdoor", "flow", "window", "presence", "meter" (the
                 energy of electric heaters; in the place of the boiler's bridge, so not with "opentherm")
"""

from collections import namedtuple

from heating import actuators, limits, model
from policy import heating_form
from policy import limits as policy_limits

FIELDS = (
    "output",
    "water",
    "cycle",
    "programme",
    "fallback_ck",
    "safe_percent",
    "span_k",
    "heater_w",
    "flow_max_ck",
    "curve_percent",
    "hot_water",
    "exercise_s",
    "standby_ck",
    "window_slope",
    "fitted",
)

OPTIONS = ("outdoor", "flow", "window", "presence", "meter")
# name: (lowest, highest)
_NUMBERS = {
    "fallback_ck": (policy_limits.setpoint_min_ck, 1900),
    "safe_percent": (5, 50),
    "span_k": (15, 60),
    "heater_w": (0, 100_000),
    "flow_max_ck": (3000, limits.FLOW_MAX_CK),
    "curve_percent": (20, 350),
    "exercise_s": (0, 600),
    "standby_ck": (0, limits.STANDBY_MAX_CK),
}

Own = namedtuple("Own", ("model", "hot_water", "fitted"))


def decode(faults, plain):
    """Returns Own, or None where it could not be read."""
    output = plain.get("output")
    if output not in model.OUTPUTS:
        faults.add("output", "is not known", "give relay, valve or opentherm")
        return None
    water = _truth(faults, plain, "water")
    numbers = {}
    for name in sorted(_NUMBERS):
        value = plain.get(name)
        if value is not None and faults.integer(name, value, _NUMBERS[name][0], _NUMBERS[name][1]):
            numbers[name] = value
    known = model.default(output, water)
    fitted = _fitted(faults, plain.get("fitted", []))
    if "meter" in fitted and output == model.OPENTHERM:
        faults.add("fitted", "has a meter in the place of the boiler's bridge", "leave it out, or give another output")
    made = model.HeatingModel(
        output=output,
        is_water=known.is_water,
        timing=_timing(faults, plain.get("cycle"), known.timing),
        programme=_programme(faults, plain.get("programme"), known.programme),
        zone=known.zone,
        no_time_ck=numbers.get("fallback_ck", known.no_time_ck),
        safe_permille=10 * numbers["safe_percent"] if "safe_percent" in numbers else known.safe_permille,
        span_ck=100 * numbers["span_k"] if "span_k" in numbers else known.span_ck,
        heater_w=numbers.get("heater_w", known.heater_w),
        curve_percent=numbers.get("curve_percent", known.curve_percent),
        flow_max_ck=numbers.get("flow_max_ck", known.flow_max_ck),
        stroke_s=numbers.get("exercise_s", known.stroke_s),
        standby_ck=numbers.get("standby_ck", limits.STANDBY_CK) if "presence" in fitted else 0,
        has_meter="meter" in fitted,
        window_slope=_truth(faults, plain, "window_slope") is not False,
    )
    return Own(made, _truth(faults, plain, "hot_water"), fitted)


def _truth(faults, plain, name):
    value = plain.get(name)
    if value not in (None, True, False):
        faults.add(name, "is not true or false", "give one of them, or leave it out")
    return value


def _timing(faults, value, known):
    if value is None or not faults.sequence("cycle", value, 3, 3):
        return known
    sound = faults.integer("cycle[0]", value[0], 120, 7200)
    for index in (1, 2):
        # At most half of the cycle each, or no duty would be possible between them.
        high = value[0] // 2 if sound else 3600
        sound = faults.integer(f"cycle[{index}]", value[index], 10, high) and sound
    return actuators.CycleTiming(1000 * value[0], 1000 * value[1], 1000 * value[2]) if sound else known


def _programme(faults, value, known):
    if value is None:
        return known
    programme, found = heating_form.decode(value)
    for fault in found:
        faults.add("programme." + fault.path, fault.problem, fault.remedy)
    return programme


def _fitted(faults, value):
    if not faults.sequence("fitted", value, 0, len(OPTIONS)):
        return ()
    for index in range(len(value)):
        if value[index] not in OPTIONS:
            faults.add(f"fitted[{index}]", "is not known", "give of " + ", ".join(OPTIONS))
    return tuple(value)
