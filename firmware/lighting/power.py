"""What a healthy lamp draws at a level: the model that faults are measured against.

TALQ (powerLightGradient): g is the change of light over the change of power, both in %, with 100 % of light at 100 %
of power: P% = 100 - (100 - L%) / g. A gradient of 1 is a straight line from standby to nominal; above 1 the driver
loses efficiency when it is dimmed. Never below the standby.
"""

from collections import namedtuple

# Powers in 0.1 W. gradient_percent: 100 · g. floor_percent: the least light that the gear can give (0-10 V: 10 %).
# tolerance_dw: what is neither too high nor too low.
LampModel = namedtuple(
    "LampModel", ("nominal_dw", "standby_dw", "warm_up_s", "gradient_percent", "floor_percent", "tolerance_dw")
)


def lamp_model(nominal_dw, standby_dw, warm_up_s=300, gradient_percent=100, floor_percent=0, tolerance_dw=0):
    """A LampModel; the tolerance is 10 % of the nominal power at least."""
    return LampModel(
        nominal_dw, standby_dw, warm_up_s, gradient_percent, floor_percent, max(tolerance_dw, nominal_dw // 10)
    )


def expected_dw(model, level_percent):
    """Power of a healthy lamp whose gear is told this level, in 0.1 W."""
    if level_percent == 0:
        return model.standby_dw
    missing = 100 - max(level_percent, model.floor_percent)
    part = max(0, model.gradient_percent - missing)
    return model.standby_dw + (model.nominal_dw - model.standby_dw) * part // model.gradient_percent
