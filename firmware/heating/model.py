"""Holds the properties of one heating and its room as one value, with defaults."""

from collections import namedtuple

from heating import actuators, limits
from policy import civil, heating

RELAY = "relay"
VALVE = "valve"
OPENTHERM = "opentherm"
OUTPUTS = (RELAY, VALVE, OPENTHERM)

# Key in a sample while the output does not accept its level; below 0, where no quantity of the wire is.
OUTPUT_SILENT = -1

# output: of OUTPUTS. is_water: water carries the heat (slower, and a valve may stick). zone: civil.Zone. no_time_ck:
# the set-point of a node without a clock. safe_permille: the least duty while the room is not measured. span_ck: the
# difference between room and outdoors at full power in the coldest hour. heater_w: rated power behind the relay, 0
# unknown. curve_percent, flow_max_ck: of a boiler. stroke_s: of the weekly exercise, 0 none. standby_ck: how much lower
# the set-point may be while the detector reports nothing, 0: no standby. has_meter: the energy of electric heaters is
# metered. window_slope: an open window is also detected by the fall of the air.
HeatingModel = namedtuple(
    "HeatingModel",
    (
        "output",
        "is_water",
        "timing",
        "programme",
        "zone",
        "no_time_ck",
        "safe_permille",
        "span_ck",
        "heater_w",
        "curve_percent",
        "flow_max_ck",
        "stroke_s",
        "standby_ck",
        "has_meter",
        "window_slope",
    ),
)


def default(output, is_water=None, programme=heating.DEFAULT_PROGRAMME):
    """Returns the HeatingModel of an output, with defaults for all other fields."""
    water = output != RELAY if is_water is None else is_water
    return HeatingModel(
        output=output,
        is_water=water,
        timing=actuators.WATER_CYCLE if water else actuators.ELECTRIC_CYCLE,
        programme=programme,
        zone=civil.PARIS,
        no_time_ck=1700,
        safe_permille=100,
        span_ck=3000,
        heater_w=0,
        curve_percent=120,
        flow_max_ck=limits.FLOW_DEFAULT_MAX_CK,
        stroke_s=60 if water and output != OPENTHERM else 0,
        standby_ck=0,
        has_meter=False,
        window_slope=True,
    )


def dead_s(model):
    """Returns the dead time in s that a new node starts from."""
    return 1200 if model.is_water else 300
