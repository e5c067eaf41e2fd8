"""The rate of a node's crystal, learned from the gateway's time.

Each answer of the gateway that is sharp enough is a point: Unix milliseconds against our own, ± what the exchange left
open. Two points with RATE_APART_S between them give a rate, ± (doubt of both) / distance. The last points are kept: the
rate is that of the whole span when the single rates agree with it, else their median, so that one false point (a
gateway that was wrong for an hour) moves nothing.

The model that `timekeeper` counts on. A crystal's rate is a constant within ± 40 ppm (cut and load), and a swing with
temperature of ± 10 ppm around it. Unlearned, the doubt of a carried time grows by CLOCK_DRIFT_PPM; learned, by the
doubt
of the measurement and RATE_SWING_PPM, for it may have been learned at one end of the swing and be used at the other.
"""

from node import limits


class ClockRate:
    """`ppm`: positive when our clock runs fast; `doubt_ppm`: ±, None while nothing is learned."""

    def __init__(self, *, ppm=0, doubt_ppm=None):
        self.ppm = ppm
        self.doubt_ppm = doubt_ppm
        self._points = []

    def residual_ppm(self) -> int:
        """By how much a time that is carried with `ppm` may still run off."""
        if self.doubt_ppm is None:
            return limits.CLOCK_DRIFT_PPM
        return min(limits.CLOCK_DRIFT_PPM, self.doubt_ppm + limits.RATE_SWING_PPM)

    def forget_points(self) -> None:
        """The gateway's time was put right, or ours was asleep: what is learned stays, the points are worth nothing."""
        self._points = []

    def add(self, unix_s, at_ms, doubt_ms) -> bool:
        """A point: `unix_s` was the time at our `at_ms`. True when the rate changed."""
        if doubt_ms > limits.RATE_DOUBT_MS:
            return False
        points = self._points
        if points and at_ms - points[-1][1] < 1000 * limits.RATE_APART_S:
            return False
        points.append((unix_s, at_ms, doubt_ms))
        if len(points) > limits.RATE_POINTS:
            points.pop(0)
        if len(points) < 2:
            return False
        return self._learn()

    def _learn(self):
        points = self._points
        rates = sorted([_rate(points[index], points[index + 1]) for index in range(len(points) - 1)])
        ppm, doubt_ppm = rates[len(rates) // 2]
        whole, whole_doubt = _rate(points[0], points[-1])
        if abs(whole - ppm) <= doubt_ppm:
            ppm, doubt_ppm = whole, whole_doubt
        elif len(rates) < 3:
            return False  # of two that contradict one another none is believed
        if abs(ppm) > limits.RATE_PPM_MAX:
            return False
        changed = (ppm, doubt_ppm) != (self.ppm, self.doubt_ppm)
        self.ppm, self.doubt_ppm = ppm, doubt_ppm
        return changed


def _rate(first, last):
    """(ppm, ± ppm) between two points; integers, rounded outwards."""
    passed_ms = last[1] - first[1]
    off_ms = passed_ms - 1000 * (last[0] - first[0])
    return off_ms * 1_000_000 // passed_ms, (first[2] + last[2]) * 1_000_000 // passed_ms + 2
