"""Models the pipes and valves of a green space: the true flow, apart from every command.

A held valve is open while its coil is powered; a latching one stays where its last good pulse left it, also through a
power cut. Faults: a valve that sticks open, a coil that is open or shorted, a zone's pipe that has burst, a leak before
or behind the master. The meter is before the master and counts what passes, in whole pulses. Volumes in microlitres,
advanced exactly from change to change.
"""

from watering.valves import ABSENT, HELD, LATCHING, MASTER, PUMP

# The current through a shorted latching coil: the bridge's current limit (hardware/nodes/irrigation.toml).
LIMITED_MA = 3200


class Pipes:
    """Models the pipes of one node.

    `flows`: the true flow of each zone, mL/min; `main_max`: the most that the main gives, mL/min.
    """

    def __init__(self, kinds: tuple[int, ...], flows: list[int], *, main_max: int, pulse_ul: int) -> None:
        self._kinds = kinds
        self.flows = flows
        self._main_max = main_max
        self._pulse_ul = pulse_ul
        self.open = [False] * len(kinds)
        self.stuck: set[int] = set()
        self.open_coil: set[int] = set()
        self.shorted: set[int] = set()
        # mL/min more than usual out of a zone's broken pipe; leaks before and behind the master.
        self.burst: dict[int, int] = {}
        self.leak_upstream = 0
        self.leak_downstream = 0
        self._at_ms = 0
        self._passed_ul = 0
        self.zone_ul = [0] * (len(flows) + 1)
        self.lost_ul = 0

    def flow_ml_min(self) -> int:
        """Returns the flow through the meter now."""
        return self._through(self._branches())

    def flowing(self) -> list[int]:
        """Returns the zones out of which water comes."""
        return [zone for zone, flow in enumerate(self._branches(), 1) if flow > 0]

    def pulses(self) -> int:
        """Returns the count of all pulses that the meter has given."""
        return self._passed_ul // self._pulse_ul if self._pulse_ul else 0

    def advance(self, now_ms: int) -> None:
        """Carries all volumes forward to now; call before anything changes."""
        elapsed_ms, self._at_ms = now_ms - self._at_ms, now_ms
        if elapsed_ms <= 0 or not (any(self.open) or self.leak_upstream or self.leak_downstream):
            return
        branches = self._branches()
        for zone, flow in enumerate(branches, 1):
            if flow:
                self.zone_ul[zone] += min(flow, self.flows[zone - 1]) * elapsed_ms // 60
                self.lost_ul += max(0, flow - self.flows[zone - 1]) * elapsed_ms // 60
        self._passed_ul += self._through(branches) * elapsed_ms // 60

    def hold(self, bits: int, now_ms: int) -> None:
        """Powers the held outputs whose bit is set."""
        self.advance(now_ms)
        for output, kind in enumerate(self._kinds):
            if kind == HELD and output not in self.stuck:
                self.open[output] = bool(bits >> output & 1) and output not in self.open_coil

    def pulse(self, output: int, opens: bool, now_ms: int) -> int:
        """Gives a pulse on a latching output; returns the coil's current in mA."""
        self.advance(now_ms)
        if output in self.open_coil:
            return 0
        if output in self.shorted:
            return LIMITED_MA
        if self._kinds[output] == LATCHING and output not in self.stuck:
            self.open[output] = opens
        return 1500

    def held_current_ma(self, output: int) -> int:
        """Returns the current of a powered coil at 50 ms."""
        if output in self.open_coil:
            return 0
        return 2500 if output in self.shorted else 260

    def power_off(self, now_ms: int) -> None:
        """Lets held valves shut; latching ones stay."""
        self.hold(0, now_ms)

    def _fed(self) -> bool:
        if self._kinds[MASTER] != ABSENT and not self.open[MASTER]:
            return False
        return self._kinds[PUMP] == ABSENT or self.open[PUMP]

    def _through(self, branches: list[int]) -> int:
        """Returns what passes the meter while so much flows out of the zones."""
        behind = self.leak_downstream if self.leak_downstream and self._fed() else 0
        return self.leak_upstream + sum(branches) + behind

    def _branches(self) -> list[int]:
        """Returns mL/min out of each zone; together no more than the main gives, unless a pipe is broken."""
        if not self._fed() or not any(self.open):
            return [0] * len(self.flows)
        wanted = [flow + self.burst.get(zone, 0) if self.open[zone] else 0 for zone, flow in enumerate(self.flows, 1)]
        whole = sum(wanted)
        if whole <= self._main_max:
            return wanted
        return [flow * self._main_max // whole for flow in wanted]
