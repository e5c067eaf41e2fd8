"""The water meter: pulses in, litres and flow out, each millilitre to the zone whose valve let it pass.

A counter that went back was made again, and what it says now is what came since; one that runs faster than a board
lets through counts as fast as that, which is a burst. Between two samples several valves may have been open: what came
is shared by how long each was open times what it usually passes. A zone whose water does not pass the meter gets
nothing, ever.
"""

from watering import limits


class Meter:
    """`pulse_ul`: microlitres a pulse (1 L a pulse is 1,000,000), 0 where there is no meter; `zones`: how many."""

    def __init__(self, pulse_ul: int, zones: int, *, now_ms: int):
        self._pulse_ul = pulse_ul
        self._count = None
        self._at_ms = now_ms
        self._rest_ul = 0
        # Of the last samples: pulses, and since the one before. Not instants, which take ten times the heap.
        self._pulses, self._spans_ms = [], []
        self._exposure = [0] * zones
        self._exposed_ms = now_ms
        self.refused = 0
        self.total_ml = 0
        self.zone_ml = [0] * zones
        # Of the last sample: mL and seconds, or None.
        self.delta_ml = None
        self.delta_ms = 0

    def present(self) -> bool:
        return self._pulse_ul > 0

    def expose(self, flows, *, now_ms: int) -> None:
        """`flows`: expected mL/min of each zone that has been open since the last call, 0 of the others."""
        elapsed_ms = now_ms - self._exposed_ms
        self._exposed_ms = now_ms
        if elapsed_ms > 0:
            for zone in range(len(flows)):
                if flows[zone]:
                    self._exposure[zone] += flows[zone] * elapsed_ms // 1000

    def restart(self) -> None:
        """Other valves than before: flow is measured anew."""
        if self._pulses:
            self.begin()

    def begin(self) -> None:
        """The flow is counted from the last sample on."""
        self._pulses, self._spans_ms = [0], [0]

    def sample(self, pulses, *, now_ms: int) -> None:
        """The counter's reading, or None where it is silent."""
        self.delta_ml = None
        if not self._pulse_ul or pulses is None:
            return
        self.delta_ms, self._at_ms = now_ms - self._at_ms, now_ms
        before, self._count = self._count, pulses
        if before is None:
            self.begin()
            return
        delta = pulses - before if pulses >= before else pulses
        most = limits.PULSES_PER_S_MAX * (1 + self.delta_ms // 1000)
        if not 0 <= delta <= most:
            self.refused += 1
            delta = most if delta > 0 else 0
        volume_ul = delta * self._pulse_ul + self._rest_ul
        self.delta_ml, self._rest_ul = volume_ul // 1000, volume_ul % 1000
        self.total_ml += self.delta_ml
        self._share(self.delta_ml)
        self._pulses.append(delta)
        self._spans_ms.append(self.delta_ms)
        if len(self._pulses) > limits.SAMPLES_KEPT:
            self._pulses.pop(0)
            self._spans_ms.pop(0)

    def flow_ml_min(self):
        """Mean flow of the last quarter of a minute, or None before there is one."""
        pulses = span_ms = 0
        for i in range(len(self._pulses) - 1, 0, -1):
            pulses += self._pulses[i]
            span_ms += self._spans_ms[i]
            enough_ms = 1000 * limits.FLOW_WINDOW_S * (1 if pulses >= limits.FLOW_PULSES_MIN else 2)
            if span_ms >= enough_ms:
                return pulses * self._pulse_ul * 60 // span_ms
        return None

    def take_zone_ml(self, zone: int) -> int:
        """What this zone has had since the last call, mL."""
        volume, self.zone_ml[zone] = self.zone_ml[zone], 0
        return volume

    def _share(self, volume_ml):
        whole = sum(self._exposure)
        if whole > 0:
            for zone in range(len(self._exposure)):
                self.zone_ml[zone] += volume_ml * self._exposure[zone] // whole
                self._exposure[zone] = 0
