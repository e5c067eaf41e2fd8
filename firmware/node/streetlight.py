"""What a streetlight's output must be now, and why (DESIGN sections 6 and 7).

Recomputed from order, clock, sun and calendar at every turn, never restored. The precedence of what this node
knows: emergency > override > policy > default. What an order wants comes first; `node.orders` says which one
holds, and of one node there is one at most. Below it is the ladder of time: a usable clock runs the calendar,
shifted to the safe side by the clock's uncertainty (of the levels that may be right, the brightest); no usable
clock lights the lamp, for "fail lit" costs a few kWh and "fail dark" costs a fall. There is no photocell on
this node yet.
"""

from collections import namedtuple

from node import limits, panel
from node.lamp import LampModel, LampWatch
from node.trade import Trade, spread
from policy import lighting
from wire import event, node_order, quantity

Output = namedtuple("Output", ("level_percent", "rule", "reason"))

# Rules that can cause a level, as they stand in `levelChanged` events, beside those of wire.node_order. `reason` is of
# the calendar an integer, of an order its id.
NO_TIME = "no-time"
CALENDAR = "calendar"
BOOT = "boot"

FAIL_SAFE_PERCENT = 100
# What lit the lamp by somebody's wish is not held when the wish is over.
_BY_HAND = tuple(node_order.RULES) + (panel.TEST, panel.LOCK)
_CERTAIN_S = 60


class Streetlight:
    """The lighting decision of one lamp. `stagger_s` spreads the lamps of a feeder against the inrush."""

    def __init__(self, plan: lighting.Plan, *, stagger_s: int):
        self._plan = plan
        self._stagger_s = stagger_s
        self._wanted = None
        self._from_s = 0

    def output(self, unix_s, uncertainty_s: int, order=None) -> Output:
        """The level at Unix time `unix_s` (None: unknown) known to ± `uncertainty_s`, under the order in force."""
        if order is not None:
            return Output(order.level_percent, order.rule, order.id)
        if unix_s is None or uncertainty_s > limits.UNCERTAINTY_USABLE_S:
            return Output(FAIL_SAFE_PERCENT, NO_TIME, 0)
        at_s = unix_s - self._stagger_s
        doubtful = uncertainty_s > _CERTAIN_S
        chosen = self._plan.brightest(at_s, uncertainty_s) if doubtful else self._at(at_s)
        return Output(chosen.level_percent, CALENDAR, chosen.reason)

    def _at(self, at_s):
        """The calendar's answer, asked again only when it may have changed (or the clock went back)."""
        if self._wanted is None or not self._from_s <= at_s < self._wanted.until_s:
            self._wanted = self._plan.wanted(at_s)
            self._from_s = at_s
        return self._wanted


class StreetlightTrade(Trade):
    """One lamp: what it must be now, whether it is, and what it has burnt. `own`: kinds.streetlight.Own."""

    kind = "streetlight"

    def __init__(self, own, start):
        self._light = Streetlight(
            lighting.Plan(own.calendar, own.site), stagger_s=spread(start.node) % limits.STAGGER_S
        )
        self._watch = LampWatch(LampModel(own.lamp[0], own.lamp[1], 300))
        self.outputs = Output(FAIL_SAFE_PERCENT, BOOT, 0)
        self._watch.commanded(FAIL_SAFE_PERCENT, now_ms=start.now_ms)
        self._lamp_ms = 1000 * int.from_bytes(start.memory[:4], "little")
        self._lamp_at_ms = start.now_ms
        self._starts = 0
        self._events = []
        self._meter = None
        self._meter_level = FAIL_SAFE_PERCENT
        self._agrees = None
        self._frequency = None

    def sample(self, values, moment):
        now_ms = moment.now_ms
        if values is not None:
            values = dict(values)
            self._frequency = values.pop(quantity.FREQUENCY, None)  # the mains' own: hourly with health is enough
        self._meter = values
        self._meter_level = self.outputs.level_percent
        power_dw = None if values is None else values.get(quantity.POWER)
        for code, begins in self._watch.sample(power_dw, now_ms=now_ms):
            readings = dict(values) if values else {}
            readings[quantity.LEVEL] = self.outputs.level_percent
            self._events.append((code, begins, readings))
        self._agrees = power_dw if self._watch.agrees(power_dw, now_ms=now_ms) else None

    def decide(self, moment):
        if self.local is not None:
            level_percent = 0 if self.local == panel.LOCK else FAIL_SAFE_PERCENT
            if (level_percent, self.local) != self.outputs[:2]:
                self._set_output(Output(level_percent, self.local, 0), moment.now_ms)
            return
        wanted = self._light.output(moment.unix_s, moment.uncertainty_s, moment.order)
        if wanted != self.outputs and not self._is_held(wanted, moment):
            self._set_output(wanted, moment.now_ms)

    def take_events(self):
        events = self._events
        self._events = []
        return events

    def readings(self, moment):
        # The level of the moment when the meter was read: a level of now beside watts of before would accuse the lamp.
        readings = dict(self._meter) if self._meter else {}
        readings[quantity.LEVEL] = self._meter_level
        readings[quantity.LAMP_HOURS] = self._lamp_s(moment.now_ms) // 3600
        return readings

    def health(self, moment):
        readings = {quantity.LAMP_STARTS: self._starts}
        if self._frequency is not None:
            readings[quantity.FREQUENCY] = self._frequency
        return readings

    def measured(self, moment):
        return self._agrees

    def is_sound(self, moment):
        return not self._watch.active

    def memory(self, now_ms):
        return min(self._lamp_s(now_ms), 0xFFFFFFFF).to_bytes(4, "little")

    def _is_held(self, wanted, moment):
        """An order is on its way, perhaps for light: no darker before it is known. What an order lit is not held."""
        by_order = wanted.rule in node_order.RULES or self.outputs.rule in _BY_HAND
        return not by_order and wanted.level_percent < self.outputs.level_percent and moment.order_expected

    def _set_output(self, wanted, now_ms):
        previous = self.outputs
        self._lamp_s(now_ms)
        self.outputs = wanted
        if wanted.level_percent and not previous.level_percent:
            self._starts += 1
        self._watch.commanded(wanted.level_percent, now_ms=now_ms)
        self._agrees = None
        detail = (wanted.level_percent, previous.level_percent, wanted.rule, wanted.reason)
        self._events.append((event.LEVEL_CHANGED, None, detail))

    def _lamp_s(self, now_ms):
        if self.outputs.level_percent:
            self._lamp_ms += now_ms - self._lamp_at_ms
        self._lamp_at_ms = now_ms
        return self._lamp_ms // 1000
