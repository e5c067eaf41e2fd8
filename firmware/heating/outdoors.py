"""How cold it is outside, as far as anybody says: the node's own sensor first, then what the gateway tells."""

from heating import limits
from heating.boiler import OUTDOOR_KEY
from policy import civil
from wire import directive

_WINTER_MONTHS = (11, 12, 1, 2, 3)


class Outdoors:
    """`seen`: (0.01 °C, since when) of the node's own sensor, or None where there never was one."""

    def __init__(self):
        self.seen = None

    def sample(self, values, *, now_ms):
        if OUTDOOR_KEY in values:
            self.seen = (values[OUTDOOR_KEY], now_ms)

    def temperature_ck(self, moment):
        """0.01 °C, or None."""
        if self.seen is not None and moment.now_ms - self.seen[1] < limits.OUTDOOR_SILENT_MS:
            return self.seen[0]
        return moment.directives.get(directive.OUTDOOR_TEMPERATURE)


def is_winter(choice, moment):
    """Without a clock it is."""
    if choice.wanted is None:
        return True
    return civil.civil_from_days(moment.unix_s // civil.day_s)[1] in _WINTER_MONTHS
