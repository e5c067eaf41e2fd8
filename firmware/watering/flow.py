"""Measures the water and judges its flow: too low, too high, a burst, a leak behind shut valves.

Three rates are kept apart: *design* (the policy's), *instant* (the meter's), *historical* (the median of the last three
clean runs). A run is judged against the historical rate, which `balance` keeps within a limit of the first runs, and
against the design until there are three runs. A line that fills is not judged for 90 s, but a burst is judged after 30,
so that the water ends within a minute of it.

Returns verdicts; `guard` decides what follows from them (stop a zone, shut the master, latch).
"""

from watering import limits


class WaterMeter:
    """Turns pulses into litres and flow, and assigns each millilitre to the zone whose valve let it pass.

    A counter that went back has restarted, and its reading is what came since. A counter that runs faster than a board
    lets through counts at that limit, which is a burst. Between two samples several valves may have been open: the
    water is shared by how long each was open times its usual flow. A zone whose water does not pass the meter never
    gets a share.

    `pulse_ul`: microlitres a pulse (1 L a pulse is 1,000,000), 0 where there is no meter; `zones`: how many. `at_ms`,
    `count`, `total_ml` and `refused` go through a deep sleep (watering.sleep_image).
    """

    def __init__(self, pulse_ul: int, zones: int, *, now_ms: int):
        self._pulse_ul = pulse_ul
        self.count = None
        self.at_ms = now_ms
        self._rest_ul = 0
        # The last samples: their pulses, and the time since the sample before. Instants would take ten times the heap.
        self._pulses, self._spans_ms = [], []
        self._exposure = [0] * zones
        self._exposed_ms = now_ms
        self.refused = 0
        self.total_ml = 0
        self.zone_ml = [0] * zones
        # The last sample: mL and ms, or None.
        self.delta_ml = None
        self.delta_ms = 0

    def present(self) -> bool:
        return self._pulse_ul > 0

    def expose(self, flows, *, now_ms: int) -> None:
        """Observes which zones have been open since the last call: {index of the zone: its expected mL/min}."""
        elapsed_ms = now_ms - self._exposed_ms
        self._exposed_ms = now_ms
        if elapsed_ms > 0:
            for zone in flows:
                self._exposure[zone] += flows[zone] * elapsed_ms // 1000

    def restart(self) -> None:
        """Restarts the measurement of flow: other valves are open than before."""
        if self._pulses:
            self.begin()

    def begin(self) -> None:
        """Measures the flow from the last sample on."""
        self._pulses, self._spans_ms = [0], [0]

    def sample(self, pulses, *, now_ms: int) -> None:
        """Observes the counter's reading; None means that it is silent."""
        self.delta_ml = None
        if not self._pulse_ul or pulses is None:
            return
        self.delta_ms, self.at_ms = now_ms - self.at_ms, now_ms
        before, self.count = self.count, pulses
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
        """Returns the mean flow of the last quarter of a minute, or None before there is one."""
        pulses = span_ms = 0
        for i in range(len(self._pulses) - 1, 0, -1):
            pulses += self._pulses[i]
            span_ms += self._spans_ms[i]
            enough_ms = 1000 * limits.FLOW_WINDOW_S * (1 if pulses >= limits.FLOW_PULSES_MIN else 2)
            if span_ms >= enough_ms:
                return pulses * self._pulse_ul * 60 // span_ms
        return None

    def drain_zone_ml(self, zone: int) -> int:
        """Drains the mL that this zone has received since the last call."""
        volume, self.zone_ml[zone] = self.zone_ml[zone], 0
        return volume

    def _share(self, volume_ml):
        whole = sum(self._exposure)
        if whole > 0:
            for zone in range(len(self._exposure)):
                self.zone_ml[zone] += volume_ml * self._exposure[zone] // whole
                self._exposure[zone] = 0


LOW, HIGH, BURST, NO_FLOW, LEAK, LEAK_OVER = "low", "high", "burst", "no-flow", "leak", "leak-over"

_BUCKET_MS = 1000 * limits.LEAK_WITHIN_S


def nominal(history, design: int) -> int:
    """Returns the expected flow of a zone, mL/min.

    It is the median of `history` (last clean runs) once there are enough of them, and the design before that.
    """
    if len(history) < limits.CLEAN_RUNS_MIN:
        return design
    return sorted(history)[len(history) // 2]


def remember(history, flow_ml_min: int) -> None:
    """Appends a clean run to `history` and drops the oldest."""
    history.append(flow_ml_min)
    if len(history) > limits.CLEAN_RUNS_MIN:
        history.pop(0)


class RunWatch:
    """Judges the flow while valves are open. `main_max_ml_min`: the most that the main can give."""

    def __init__(self, main_max_ml_min: int):
        self._main_max = main_max_ml_min
        self._since_ms = None
        self._wrong = None
        self._wrong_ms = 0
        self._over_ms = None
        self._clean = True
        self._volume_ml = 0
        self._volume_ms = 0

    def begin(self, *, now_ms: int) -> None:
        """Restarts the judgement because other valves are open than before."""
        self._since_ms = now_ms
        self._wrong = None
        self._over_ms = None
        self._clean = True
        self._volume_ml = self._volume_ms = 0

    def sample(self, meter, expected: int, *, now_ms: int):
        """Returns None, or (LOW | HIGH | BURST | NO_FLOW, flow). `expected`: mL/min of all open zones together."""
        if self._since_ms is None or meter.delta_ml is None:
            return None
        age_ms = now_ms - self._since_ms
        flow = meter.flow_ml_min()
        if flow is None:
            return None
        if self._burst(flow, expected, age_ms, now_ms):
            self._clean = False
            return (BURST, flow)
        if age_ms < 1000 * limits.SETTLE_S:
            return None
        self._volume_ml += meter.delta_ml
        self._volume_ms += meter.delta_ms
        wrong = None
        if 100 * flow < limits.LOW_PERCENT * expected:
            wrong = LOW if flow else NO_FLOW
        elif 100 * flow > limits.HIGH_PERCENT * expected:
            wrong = HIGH
        if wrong is not None:
            self._clean = False
        if wrong != self._wrong:
            self._wrong, self._wrong_ms = wrong, now_ms
        if wrong is None or now_ms - self._wrong_ms < 1000 * limits.WRONG_FOR_S:
            return None
        return (wrong, flow)

    def clean_ml_min(self, for_s: int = limits.CLEAN_S_MIN):
        """Returns the mean flow since the line was full, or None.

        It is None unless the line was full for at least `for_s` and nothing was wrong with it.
        """
        if not self._clean or self._volume_ms < 1000 * for_s:
            return None
        return self._volume_ml * 60 * 1000 // self._volume_ms

    def _burst(self, flow, expected, age_ms, now_ms):
        """Detects a burst by the flow.

        A flow above what the main can give counts at once; half more than usual counts once the line is full.
        """
        over = flow > self._main_max
        if age_ms >= 1000 * limits.BURST_SETTLE_S and 100 * flow > limits.BURST_PERCENT * expected:
            over = True
        if not over:
            self._over_ms = None
            return False
        if self._over_ms is None:
            self._over_ms = now_ms
        # `flow` is itself a mean over FLOW_WINDOW_S: the flow has already lasted that long.
        return now_ms - self._over_ms >= 1000 * (limits.BURST_FOR_S - limits.FLOW_WINDOW_S)


class LeakWatch:
    """Judges the flow while every valve is shut. Its public fields go through a deep sleep (watering.sleep_image)."""

    def __init__(self):
        self.from_ms = None
        # True once the flow cannot be that of a valve that is still closing.
        self.settled = False
        self.detections = 0
        self.volume_ml = 0
        self.buckets = 0
        self.bucket_ms = 0
        self.bucket_ml = 0
        self.leaking = False

    def observe_open(self) -> None:
        """Resets the watch, for nothing shows a leak while a valve is open."""
        self.from_ms = None
        self.settled = False

    def sample(self, meter, *, now_ms: int):
        """Returns None, (LEAK, mL, seconds) or (LEAK_OVER, 0, seconds)."""
        if meter.delta_ml is None:
            return None
        self.settled = False
        if self.from_ms is None:
            self.from_ms = now_ms
            self._begin_bucket(now_ms)
            self.detections = self.volume_ml = self.buckets = 0
            return None
        if now_ms - self.from_ms < 1000 * limits.SPIN_DOWN_S:
            self._begin_bucket(now_ms)
            return None
        self.settled = True
        self.detections = self.detections + 1 if meter.delta_ml else 0
        self.volume_ml = self.volume_ml + meter.delta_ml if meter.delta_ml or self.detections else 0
        self.bucket_ml += meter.delta_ml
        found = self._judge(now_ms)
        if now_ms - self.bucket_ms >= _BUCKET_MS:
            self.buckets = self.buckets + 1 if self.bucket_ml else 0
            dry = self.bucket_ml == 0
            self._begin_bucket(now_ms)
            if dry and self.leaking:
                self.leaking = False
                return (LEAK_OVER, 0, limits.LEAK_WITHIN_S)
        return found

    def _judge(self, now_ms):
        if self.leaking:
            return None
        slow = self.buckets * limits.LEAK_WITHIN_S >= limits.NIGHT_LEAK_S
        if self.bucket_ml < limits.LEAK_ML and self.detections < limits.LEAK_DETECTIONS and not slow:
            return None
        self.leaking = True
        return (LEAK, max(self.volume_ml, self.bucket_ml), max(1, (now_ms - self.from_ms) // 1000))

    def _begin_bucket(self, now_ms):
        self.bucket_ms = now_ms
        self.bucket_ml = 0
