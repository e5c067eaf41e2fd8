"""What a flow says: too low, too high, a burst, a leak behind shut valves. And what a zone's flow usually is.

Three rates are kept apart: *design* (the policy's), *instant* (the meter's), *historical* (the median of the last three
clean runs). A run is judged against the historical one, no further than `need` lets it drift from the first runs, and
against the design until there are three. A line that fills is not judged for 90 s, but a burst is looked for after 30:
what is found ends the water within a minute.

Returns verdicts; what follows from them (stop a zone, shut the master, latch) is the trade's.
"""

from watering import limits

LOW, HIGH, BURST, NO_FLOW, LEAK, LEAK_OVER = "low", "high", "burst", "no-flow", "leak", "leak-over"

_BUCKET_MS = 1000 * limits.LEAK_WITHIN_S


def nominal(history, design: int) -> int:
    """Expected flow of a zone, mL/min: the median of `history` (last clean runs) once there are enough of them."""
    if len(history) < limits.CLEAN_RUNS_MIN:
        return design
    return sorted(history)[len(history) // 2]


def remember(history, flow_ml_min: int) -> None:
    """Put a clean run into `history`; the oldest leaves."""
    history.append(flow_ml_min)
    if len(history) > limits.CLEAN_RUNS_MIN:
        history.pop(0)


class RunWatch:
    """Judges the flow while valves are open. `main_max_ml_min`: what the main can give at most."""

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
        """Other valves are open than before."""
        self._since_ms = now_ms
        self._wrong = None
        self._over_ms = None
        self._clean = True
        self._volume_ml = self._volume_ms = 0

    def sample(self, meter, expected: int, *, now_ms: int):
        """None, or (LOW | HIGH | BURST | NO_FLOW, flow). `expected`: of all open zones, mL/min."""
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
        """Mean flow since the line was full, if it was full for so long and nothing was wrong with it; else None."""
        if not self._clean or self._volume_ms < 1000 * for_s:
            return None
        return self._volume_ml * 60 * 1000 // self._volume_ms

    def _burst(self, flow, expected, age_ms, now_ms):
        """More than the main can give counts at once; half more than usual counts once the line has filled."""
        over = flow > self._main_max
        if age_ms >= 1000 * limits.BURST_SETTLE_S and 100 * flow > limits.BURST_PERCENT * expected:
            over = True
        if not over:
            self._over_ms = None
            return False
        if self._over_ms is None:
            self._over_ms = now_ms
        # `flow` is itself a mean of FLOW_WINDOW_S: what it says has lasted that long already.
        return now_ms - self._over_ms >= 1000 * (limits.BURST_FOR_S - limits.FLOW_WINDOW_S)


class LeakWatch:
    """Judges the flow while every valve is shut."""

    def __init__(self):
        self._from_ms = None
        # True once what flows cannot be a valve that is still closing.
        self.settled = False
        self._detections = 0
        self._volume_ml = 0
        self._buckets = 0
        self._bucket_ms = 0
        self._bucket_ml = 0
        self.leaking = False

    def opened(self) -> None:
        """A valve is open: nothing is known of leaks until all are shut again."""
        self._from_ms = None
        self.settled = False

    def sample(self, meter, *, now_ms: int):
        """None, or (LEAK, mL, seconds), or (LEAK_OVER, 0, seconds)."""
        if meter.delta_ml is None:
            return None
        self.settled = False
        if self._from_ms is None:
            self._from_ms = now_ms
            self._begin_bucket(now_ms)
            self._detections = self._volume_ml = self._buckets = 0
            return None
        if now_ms - self._from_ms < 1000 * limits.SPIN_DOWN_S:
            self._begin_bucket(now_ms)
            return None
        self.settled = True
        self._detections = self._detections + 1 if meter.delta_ml else 0
        self._volume_ml = self._volume_ml + meter.delta_ml if meter.delta_ml or self._detections else 0
        self._bucket_ml += meter.delta_ml
        found = self._judge(now_ms)
        if now_ms - self._bucket_ms >= _BUCKET_MS:
            self._buckets = self._buckets + 1 if self._bucket_ml else 0
            dry = self._bucket_ml == 0
            self._begin_bucket(now_ms)
            if dry and self.leaking:
                self.leaking = False
                return (LEAK_OVER, 0, limits.LEAK_WITHIN_S)
        return found

    def _judge(self, now_ms):
        if self.leaking:
            return None
        slow = self._buckets * limits.LEAK_WITHIN_S >= limits.NIGHT_LEAK_S
        if self._bucket_ml < limits.LEAK_ML and self._detections < limits.LEAK_DETECTIONS and not slow:
            return None
        self.leaking = True
        return (LEAK, max(self._volume_ml, self._bucket_ml), max(1, (now_ms - self._from_ms) // 1000))

    def _begin_bucket(self, now_ms):
        self._bucket_ms = now_ms
        self._bucket_ml = 0
