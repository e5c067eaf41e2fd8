"""Keeps the node's clock: UTC with its uncertainty (ARCHITECTURE, section 3: time with its quality).

A node learns UTC from the gateway's answers and carries it on its own monotonic milliseconds, corrected by the
crystal's learned rate; the uncertainty starts with what the exchange left open and grows by what the rate leaves open.
Nothing is ever re-stamped: a record made before the first answer keeps its uptime, and one anchor record maps uptimes
to UTC afterwards.

There are two more sources, never better than the gateway. A clock chip on its battery gives the time of a cold boot,
and of weeks of sleep without a gateway, with a doubt that grows with its age since it was set; where the gateway has
another time, the gateway counts and the chip is reported as faulty. Deep sleep is measured by an oscillator that is off
by a per mille and more; its rate is learned separately.

Each answer may move the clock within the doubt, backwards as well as forwards. Decisions by the clock use `steady_s`,
which never goes back a second: without it a lamp that was lit at dusk reported it, got an answer half a second earlier,
and went dark.

**The crystal's rate.** Each answer of the gateway with a small enough doubt is a point: Unix time against our own
milliseconds, ± the doubt of the exchange. Two points with RATE_APART_S between them give a rate, ± (doubt of both) /
distance. The last points are kept: the rate is that of the whole span when the rates between neighbours agree with it,
else their median, so that one false point (a gateway that was wrong for an hour) has no effect.

The model behind it: a crystal's rate is a constant within ± 40 ppm (cut and load), and a swing with temperature of
± 10 ppm around it. Unlearned, the doubt of a carried time grows by CLOCK_DRIFT_PPM; learned, by the doubt of the
measurement and RATE_SWING_PPM, for it may have been learned at one end of the swing and be used at the other.
"""

from node import limits
from wire.record import HOLDOVER, SYNCED, UNSET, Stamp

DISAGREES = "disagrees"


class Timekeeper:
    """Keeps UTC on top of the shell's monotonic milliseconds. `started_ms` is the instant of the boot on the same
    scale; `drift` and `sleep_drift`: (ppm, ± ppm) as learned in earlier boots, or None."""

    def __init__(self, *, started_ms: int, drift=None, sleep_drift=None):
        self._started_ms = started_ms
        self._set = False
        self._unix_ms = 0
        self._at_ms = 0
        self._uncertainty_ms = 0
        self._steady_s = 0  # the last one, counted from UNIX_S_MIN: an integer of 31 bits takes no heap
        self._from_gateway = False
        self._answered_ms = None  # when the gateway's time was accepted last, maybe before a sleep
        self.rate = ClockRate() if drift is None else ClockRate(ppm=drift[0], doubt_ppm=drift[1])
        self.sleep_drift = sleep_drift
        self._slept_ms = 0
        self._answer_doubt_ms = 0
        self.refused = 0
        self.steps = 0
        # The word of the clock chip's fault, or None.
        self.chip_fault = None

    def uptime_s(self, now_ms: int) -> int:
        return (now_ms - self._started_ms) // 1000

    def is_set(self) -> bool:
        return self._set

    def unix_s(self, now_ms: int):
        """Returns UTC in Unix seconds, or None while nothing is known."""
        if not self._set:
            return None
        return self._unix_at(now_ms) // 1000

    def steady_s(self, now_ms: int):
        """Returns `unix_s`, but never an earlier second than before unless the clock was wrong: it stands still while
        an answer has set the clock back, within the doubt."""
        if not self._set:
            return None
        unix_s = self._unix_at(now_ms) // 1000
        since_s = unix_s - limits.UNIX_S_MIN
        if since_s < self._steady_s:
            return limits.UNIX_S_MIN + self._steady_s
        self._steady_s = since_s
        return unix_s

    def uncertainty_s(self, now_ms: int) -> int:
        """Returns the ± seconds of `unix_s`, rounded up."""
        return (self._uncertainty_at(now_ms) + 999) // 1000

    def is_synced(self, now_ms: int) -> bool:
        """Returns whether the gateway's last answer is not older than SYNCED_FOR_MS."""
        return self._from_gateway and now_ms - self._answered_ms <= limits.SYNCED_FOR_MS

    def stamp(self, now_ms: int) -> Stamp:
        """Returns the Stamp of a record made now."""
        if not self._set:
            return Stamp(UNSET, self.uptime_s(now_ms), 0)
        return Stamp(SYNCED if self.is_synced(now_ms) else HOLDOVER, self.unix_s(now_ms), self.uncertainty_s(now_ms))

    def learn(self, answer, *, asked_ms: int, now_ms: int) -> bool:
        """Accepts the UTC of an answer to a request sent at `asked_ms`. Returns whether an anchor record is due.

        The gateway wrote its whole second between the two instants: the estimate is the middle, the doubt half the
        round trip and half a second. An answer with a larger doubt than the present one changes nothing.
        """
        if answer.unix_s is None:
            return False
        if not limits.UNIX_S_MIN <= answer.unix_s <= limits.UNIX_S_MAX:
            self.refused += 1
            return False
        half_ms = (now_ms - asked_ms) // 2
        uncertainty_ms = 1000 * answer.uncertainty_s + half_ms + 500
        # The second was written half a second ago on average, half the round trip before now.
        at_ms = now_ms - half_ms - 500
        first = not self._from_gateway
        apart_ms = abs(1000 * answer.unix_s - self._unix_at(at_ms)) if self._set else 0
        jumped = self._set and apart_ms > uncertainty_ms + self._uncertainty_at(now_ms)
        if first and self._set:
            self.chip_fault = DISAGREES if jumped else None
        if not jumped:
            self._learn_sleep(1000 * answer.unix_s, at_ms, uncertainty_ms)
        if not first and uncertainty_ms > self._uncertainty_at(now_ms):
            if not jumped:
                self._learn_rate(answer.unix_s, at_ms, uncertainty_ms, now_ms)
            return False
        if first or jumped:
            self._steady_s = 0
        if jumped:
            self.steps += 1
            self.rate.forget_points()
        self._set, self._from_gateway = True, True
        self._unix_ms = 1000 * answer.unix_s
        self._at_ms = self._answered_ms = at_ms
        self._uncertainty_ms = uncertainty_ms
        self._slept_ms, self._answer_doubt_ms = 0, uncertainty_ms
        self.rate.add(answer.unix_s, at_ms, uncertainty_ms)
        return first or jumped

    def carried(self, unix_s: int, uncertainty_s: int, *, now_ms: int) -> bool:
        """Observes a clock chip's time, at a cold boot or after a sleep. True when it is accepted: it is possible, and
        nothing better is known. A time that contradicts the gateway's is the chip's fault."""
        if uncertainty_s > limits.CARRIED_UNCERTAINTY_S_MAX:
            return False
        if not limits.UNIX_S_MIN <= unix_s <= limits.UNIX_S_MAX:
            self.refused += 1
            return False
        unix_ms, doubt_ms = 1000 * unix_s + 500, 1000 * max(uncertainty_s, 1)
        if self._set:
            carried_ms = self._uncertainty_at(now_ms)
            if abs(unix_ms - self._unix_at(now_ms)) > doubt_ms + carried_ms:
                self.chip_fault = DISAGREES
                return False
            if doubt_ms >= carried_ms:
                return False
            self._learn_sleep(unix_ms, now_ms, doubt_ms)
        self._set = True
        self._unix_ms, self._at_ms = unix_ms, now_ms
        self._uncertainty_ms = doubt_ms
        self._slept_ms, self._answer_doubt_ms = 0, doubt_ms
        return True

    def asleep(self, now_ms: int):
        """Returns the Asleep for `resume`, to be kept in memory that survives deep sleep."""
        unix_ms = self._unix_at(now_ms) if self._set else None
        from node.sleep import Asleep

        return Asleep(
            now_ms - self._started_ms,
            unix_ms,
            self._uncertainty_at(now_ms),
            self._slept_ms,
            self._answer_doubt_ms,
            now_ms - self._answered_ms if self._from_gateway else None,
        )

    def resume(self, asleep, slept_ms: int, *, now_ms: int) -> None:
        """Restores time and uptime after a sleep of `slept_ms` by the sleep's oscillator, and adds that oscillator's
        doubt."""
        true_ms = self.slept(slept_ms)
        self._started_ms = now_ms - asleep.uptime_ms - true_ms
        self._slept_ms = asleep.slept_ms + slept_ms
        self._answer_doubt_ms = asleep.answer_doubt_ms
        if asleep.unix_ms is None:
            return
        self._set, self._from_gateway = True, asleep.age_ms is not None
        if self._from_gateway:
            self._answered_ms = now_ms - asleep.age_ms - true_ms
        self._unix_ms, self._at_ms = asleep.unix_ms + true_ms, now_ms
        self._uncertainty_ms = asleep.uncertainty_ms + slept_ms * self.sleep_residual_ppm() // 1_000_000 + 1

    def slept(self, slept_ms: int) -> int:
        """Returns a sleep's true milliseconds, by the learned rate, when its oscillator has counted `slept_ms`."""
        ppm, _ = self.sleep_drift or (0, 0)
        return slept_ms - slept_ms * ppm // 1_000_000

    def sleep_for(self, true_ms: int) -> int:
        """Returns the milliseconds that the sleep's oscillator must count so that the node wakes before `true_ms` have
        passed, by as much as the oscillator may be off and no more."""
        ppm, _ = self.sleep_drift or (0, 0)
        true_ms -= true_ms * self.sleep_residual_ppm() // 1_000_000
        return max(0, true_ms + true_ms * ppm // 1_000_000)

    def sleep_residual_ppm(self) -> int:
        """Returns by how much a corrected sleep may still be off, in ppm: the margin of `sleep_for`."""
        if self.sleep_drift is None:
            return limits.SLEEP_PPM_MAX
        return min(limits.SLEEP_PPM_MAX, self.sleep_drift[1] + limits.SLEEP_SWING_PPM)

    # --- inside ---------------------------------------------------------------------------------------------

    def _unix_at(self, at_ms):
        passed_ms = at_ms - self._at_ms
        return self._unix_ms + passed_ms - passed_ms * self.rate.ppm // 1_000_000

    def _uncertainty_at(self, now_ms):
        return self._uncertainty_ms + (now_ms - self._at_ms) // 1000 * self.rate.residual_ppm // 1000

    def _learn_rate(self, unix_s, at_ms, doubt_ms, now_ms):
        """Adds a point to the rate. A changed rate applies from now on: the time carried until now stays as it was."""
        unix_ms, uncertainty_ms = self._unix_at(now_ms), self._uncertainty_at(now_ms)
        if self.rate.add(unix_s, at_ms, doubt_ms):
            self._unix_ms, self._at_ms, self._uncertainty_ms = unix_ms, now_ms, uncertainty_ms

    def _learn_sleep(self, unix_ms, at_ms, doubt_ms):
        """Learns the sleep oscillator's rate: the clock's error since the last answer is attributed to the sleep, whose
        share is a hundred times larger."""
        slept_ms = self._slept_ms
        doubt_ms += self._answer_doubt_ms
        if slept_ms < 1000 * limits.SLEEP_APART_S or doubt_ms * 1_000_000 // slept_ms > limits.SLEEP_SWING_PPM:
            return
        before_ppm = self.sleep_drift[0] if self.sleep_drift else 0
        ppm = before_ppm + (self._unix_at(at_ms) - unix_ms) * 1_000_000 // slept_ms
        if abs(ppm) > limits.SLEEP_PPM_MAX:
            return
        if self.sleep_drift:
            ppm = before_ppm + (ppm - before_ppm) // 2
        self.sleep_drift = (ppm, doubt_ms * 1_000_000 // slept_ms + 1)


# --- the crystal's rate ---------------------------------------------------------------------------------------


class ClockRate:
    """Learns the rate of the node's crystal. `ppm`: positive when our clock runs fast; `doubt_ppm`: ±, None while
    nothing is learned. `residual_ppm`: by how many ppm a time that is corrected by `ppm` may still drift."""

    def __init__(self, *, ppm=0, doubt_ppm=None):
        self._points = []
        self._follow(ppm, doubt_ppm)

    def _follow(self, ppm, doubt_ppm):
        self.ppm, self.doubt_ppm = ppm, doubt_ppm
        swing_ppm = limits.CLOCK_DRIFT_PPM if doubt_ppm is None else doubt_ppm + limits.RATE_SWING_PPM
        self.residual_ppm = min(limits.CLOCK_DRIFT_PPM, swing_ppm)

    def forget_points(self) -> None:
        """Drops the points after a correction of the gateway's time or a sleep; the learned rate stays."""
        self._points = []

    def add(self, unix_s, at_ms, doubt_ms) -> bool:
        """Adds a point, the time `unix_s` at our `at_ms`. Returns whether the rate changed."""
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
            return False  # two rates that contradict each other are both ignored
        if abs(ppm) > limits.RATE_PPM_MAX:
            return False
        changed = (ppm, doubt_ppm) != (self.ppm, self.doubt_ppm)
        self._follow(ppm, doubt_ppm)
        return changed


def _rate(first, last):
    """Returns (ppm, ± ppm) between two points; integers, rounded outwards."""
    passed_ms = last[1] - first[1]
    off_ms = passed_ms - 1000 * (last[0] - first[0])
    return off_ms * 1_000_000 // passed_ms, (first[2] + last[2]) * 1_000_000 // passed_ms + 2
