"""A valve box whole: the real watering trade and the real ports on the twin of its board, in turns of 10 ms while a
pulse is under way. Power may be cut at any millisecond: what latches stays where its coil left it.
"""

import importlib
import sys
import time

import boards.irrigation as board
from drivers.sensor import PENDING
from kinds import Start, irrigation
from node.trade import Moment
from policy import civil
from simulator.twins.board import Machine
from tests.support.green import NODE, own, plain

TURN_MS = 10
# A lawn, a bed on a slope that must soak in between, shrubs: some minutes of water each, no meter.
ZONES = [
    [0, 0, 0, 0, 1, 2000, 20000, 0, 0, 0, 60],
    [1, 3, 6, 8, 0, 4000, 20000, 0, 0, 0, 60],
    [4, 0, 0, 2, 2, 2000, 16000, 0, 0, 0, 120],
]
SHORT_MM = [0, 127, 0, 0, 0, 300, 0, 7, 25]  # at 05:00, 2.5 mm to each


def settings(zones=ZONES, program=SHORT_MM, **changes):
    """Latching valves at a master and at each zone."""
    made = plain(valves=[2] * (len(zones) + 1) + [0], weather=[40, 2, 0, []], **changes)
    del made["meter"]
    made["watering"][1:3] = [[list(zone) for zone in zones], [list(program)]]
    return made


class ValveBox:
    """`pulses`: (begun ms, ended ms, output, opens) as given by this node's ports, in world time."""

    def __init__(self, chosen=None, *, at_minutes=299, full_mv=0, charge_ms=0, turn_ms=TURN_MS):
        self.own = own(chosen or settings())
        self._turn_ms = turn_ms
        self.now_ms = 0
        self._begin_s = civil.unix_from_local(civil.PARIS, civil.days_from_civil(2026, 6, 1), 60 * at_minutes)
        self.machine = Machine(board, lambda: self.now_ms)
        self.parts = self.machine.parts
        self.parts["COIL"].current_ma, self.parts["COIL"].voltage_mv = 1500, 12_000
        self.parts["BATTERY"].millivolts = 4000
        self._full_mv, self._charge_ms = full_mv, charge_ms
        self.pulses = []
        self.events = []
        self.trade = None
        self.power_on()

    def valves(self):
        return [*self.parts["MASTER"], *self.parts["ZONES"]]

    def are_open(self):
        return [output for output, valve in enumerate(self.valves()) if valve.is_open]

    def power_on(self):
        """boot.py, then the ports and the trade as esp32/main begins them."""
        self.booted_ms = self.now_ms
        sys.modules["machine"] = self.machine
        try:
            sys.modules.pop("boards.boot_irrigation", None)
            importlib.import_module("boards.boot_irrigation")
        finally:
            del sys.modules["machine"]
            sys.modules.pop("boards.boot_irrigation", None)
        if not hasattr(time, "sleep_us"):
            time.sleep_us = lambda us: None
            try:
                self.ports = irrigation.Ports(self.own, board, self.machine, now_ms=self.now_ms)
            finally:
                del time.sleep_us
        self.trade = irrigation.make_trade(self.own, Start(NODE, b"", self.now_ms, lambda below: 0))
        self._due_ms = self.now_ms
        self._sampling = False
        self._before = None

    def power_cut(self, for_ms=1000):
        """No pin drives anything any more, and the selector lets go; the capacitor runs dry."""
        for pin in (board.MASTER_IN1_PIN, board.MASTER_IN2_PIN, board.ZONES_IN1_PIN, board.ZONES_IN2_PIN):
            self.machine.Pin(pin).value(0)
        self.parts["SELECTOR"].write(b"\xff")
        self.parts["CAPACITOR"].millivolts = 0
        self.trade = None
        self.now_ms += for_ms

    def run_to(self, end_ms):
        """Turns until this instant of the world; the last one is at it."""
        while True:
            self._turn()
            if self.now_ms >= end_ms:
                return
            self.now_ms = min(end_ms, self._next_ms())

    # --- inside ---------------------------------------------------------------------------------------------

    def _turn(self):
        trade, now_ms = self.trade, self.now_ms
        moment = Moment(now_ms, self._begin_s + now_ms // 1000, 1, None, False, {})
        if not self._sampling and now_ms >= self._sample_at_ms():
            self._sampling, self._due_ms = True, now_ms + 900_000
            self.ports.begin_sample(now_ms=now_ms)
        if self._sampling:
            values = self.ports.collect(now_ms=now_ms)
            if values is not PENDING:
                self._sampling = False
                trade.sample(dict(values), moment)
        trade.decide(moment)
        self.events += [(now_ms, *told) for told in trade.drain_events()]
        self.ports.apply(trade.outputs, now_ms=now_ms)
        self._note()
        if self._charge_ms and self.machine.levels[board.BOOST_PIN] == board.BOOST_ACTIVE_LEVEL:
            capacitor = self.parts["CAPACITOR"]
            capacitor.millivolts = min(
                self._full_mv, capacitor.millivolts + self._full_mv * self._turn_ms // self._charge_ms
            )

    def _note(self):
        """The pulse that the bridges are giving, seen from outside."""
        found = None
        for output, name in ((0, "MASTER"), (None, "ZONES")):
            bridge = self.parts[name + "_BRIDGE"]
            if bridge.in1.level or bridge.in2.level:
                low = [zone for zone in range(8) if not self.parts["SELECTOR"].outputs >> zone & 1]
                found = (low[0] + 1 if output is None else 0, bool(bridge.in1.level))
        if self._before is not None and found != self._before[1:]:
            self.pulses.append((self._before[0], self.now_ms, *self._before[1:]))
            self._before = None
        if found is not None and self._before is None:
            self._before = (self.now_ms, *found)

    def _sample_at_ms(self):
        wanted_ms = self.trade.wants_sample_ms(self.now_ms)
        return self._due_ms if wanted_ms is None else min(wanted_ms, self._due_ms)

    def _next_ms(self):
        """As the shell: at once again while a pulse is due, every 10 ms while a sample is under way."""
        now_ms = self.now_ms
        if self._sampling or self._before is not None or not self.trade.outputs.ready():
            return now_ms + self._turn_ms
        return max(now_ms + self._turn_ms, min(self.trade.deadline_ms(now_ms), self._sample_at_ms()))
