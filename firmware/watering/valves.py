"""Owns the outputs (master valve, zones, pump), with a deadline on each opening. Must not depend on the scheduler.

Every OPEN carries a duration, and its deadline is enforced here: the ports call `tick` each turn, which shuts what is
past its deadline even if the scheduler never runs again. Nothing opens without a deadline, and none is longer than
OPEN_S_MAX.

There are two kinds of output. A *held* one (24 V AC solenoid, pump relay) is open as long as its bit is set, and shuts
by loss of power. A *latching* one stays where its last pulse left it, so its position is never assumed: after a start
each latching output is pulsed CLOSE twice before anything may open, one pulse at a time, with a gap in which the store
recharges.

    output    0 master, 1 to 8 the zones, 9 the pump
    turn      drive = valves.tick(now_ms=…); set the held outputs to drive.held; if drive.pulse, give it and call
              `observe_pulse`; give a coil's current to `observe_current`

A pulse lasts longer than a turn: `tick` returns it until `observe_pulse` is called. CLOSE pulses always go before OPEN
pulses.
"""

from collections import namedtuple

from watering import limits

MASTER = 0
PUMP = 9

# Hardware of one output: absent, held, latching.
ABSENT, HELD, LATCHING = range(3)

# held: bits of outputs to power. pulse: None, or (output, opens), to be given now.
ValveDrive = namedtuple("ValveDrive", ("held", "pulse"))


class Valves:
    """Holds the state of all outputs.

    `kinds`: for each output ABSENT, HELD or LATCHING; `gap_ms`: from the end of one pulse to the next.
    """

    def __init__(self, kinds, *, gap_ms: int, now_ms: int):
        self.kinds = kinds
        self._gap_ms = gap_ms
        self._deadline_ms = [None] * limits.OUTPUTS_MAX
        # Pulses that are due: the number of CLOSE, and bits for an OPEN.
        self.closing = bytearray([limits.BOOT_ROUNDS if kind == LATCHING else 0 for kind in kinds])
        self._open = 0  # bits
        # Outputs whose pulse could not be given: bits, until all the others that are due have had their turn.
        self.passed = 0
        self._next_ms = now_ms
        self.openings = [0] * limits.OUTPUTS_MAX
        # Outputs that were shut by their own deadline and not by the scheduler. The trade drains them into events.
        self.overrun = 0
        # True while a valve will be opened soon: the store of the pulses is charged for it.
        self.prepares = False
        self._currents = []
        self._drive = ValveDrive(0, None)

    def is_open(self, output: int) -> bool:
        """Returns True while the output is commanded open; only the meter shows whether water flows."""
        return self._deadline_ms[output] is not None

    def deadline_ms(self, output: int):
        """Returns when the output shuts by itself, or None."""
        return self._deadline_ms[output]

    def any_open(self) -> bool:
        return self._deadline_ms.count(None) < limits.OUTPUTS_MAX

    def ready(self) -> bool:
        """Returns False while a latching output may be open from before the start: nothing else may open yet."""
        return not any(self.closing)

    def latching_open(self) -> int:
        """Returns how many latching outputs would have to be pulsed shut now."""
        count = 0
        for output in range(limits.OUTPUTS_MAX):
            if self.kinds[output] == LATCHING and (self._deadline_ms[output] is not None or self.closing[output]):
                count += 1
        return count

    def open(self, output: int, for_s: int, *, now_ms: int) -> bool:
        """Opens for `for_s` seconds from now, or stays open for that long; the duration is cut to OPEN_S_MAX.

        Returns True unless the output is absent or not ready.
        """
        if self.kinds[output] == ABSENT or for_s <= 0 or self.closing[output]:
            return False
        if self._deadline_ms[output] is None:
            if not self.ready():
                return False
            self.openings[output] += 1
            self._open |= (1 << output) if self.kinds[output] == LATCHING else 0
        self._deadline_ms[output] = now_ms + 1000 * min(for_s, limits.OPEN_S_MAX)
        return True

    def close(self, output: int) -> None:
        """Shuts the output now. Does nothing if it is shut."""
        if self._deadline_ms[output] is None:
            return
        self._deadline_ms[output] = None
        if self.kinds[output] == LATCHING:
            # An OPEN that was not given yet needs no CLOSE, but it may be under way: one CLOSE, unless the OPEN was
            # just refused.
            was_refused = (self._open & self.passed) >> output & 1
            self._open &= ~(1 << output)
            self.closing[output] = max(1 - was_refused, self.closing[output])

    def close_again(self, output: int) -> None:
        """Pulses a shut latching output shut once more, because the meter shows that it is open."""
        if self.kinds[output] == LATCHING and self._deadline_ms[output] is None:
            self.closing[output] = max(1, self.closing[output])

    def tick(self, *, now_ms: int) -> ValveDrive:
        """Returns what the ports must do now. Enforces the deadlines by itself."""
        held = 0
        for output in range(limits.OUTPUTS_MAX if self.any_open() else 0):
            deadline = self._deadline_ms[output]
            if deadline is not None and now_ms >= deadline:
                self.overrun |= 1 << output
                self.close(output)
            elif deadline is not None and self.kinds[output] == HELD:
                held |= 1 << output
        pulse, drive = self._pulse(now_ms), self._drive
        # A new value is made only for a change: a turn in which nothing happens leaves no garbage.
        if pulse is not None or drive.pulse is not None or drive.held != held:
            drive = self._drive = ValveDrive(held, pulse)
        return drive

    def observe_pulse(self, output: int, opens: bool, *, now_ms: int) -> None:
        """Observes that this pulse has been given.

        If it is no longer wanted its contrary follows: a valve that was closed while its OPEN was being given still has
        its CLOSE due.
        """
        if opens:
            self._open &= ~(1 << output)
        elif self.closing[output]:
            self.closing[output] -= 1
        self._next_ms = now_ms + self._gap_ms

    def put_off(self, for_ms: int, output=None, *, now_ms: int) -> None:
        """Delays all pulses by `for_ms`: the ports cannot give one yet.

        `output`: its own pulse could not be given at all; it stays due and comes again after every other that is due.
        """
        if output is not None:
            self.passed |= 1 << output
        self._next_ms = now_ms + for_ms

    def observe_current(self, output: int, current_ma: int) -> None:
        """Observes what a coil drew 50 ms after it was powered, mA; kept until it is drained."""
        self._currents.append((output, current_ma))
        if len(self._currents) > limits.OUTPUTS_MAX:
            self._currents.pop(0)

    def drain_currents(self) -> list:
        """Returns [(output, mA)] since the last call."""
        drained, self._currents = self._currents, []
        return drained

    def wake_ms(self, now_ms: int):
        """Returns when `tick` has something to do, or None."""
        wake = None
        if not self._open and self.ready() and not self.any_open():
            return None  # nearly always
        for output in range(limits.OUTPUTS_MAX):
            deadline = self._deadline_ms[output]
            if deadline is not None and (wake is None or deadline < wake):
                wake = deadline
            if (self.closing[output] or self._open >> output & 1) and (wake is None or self._next_ms < wake):
                wake = max(now_ms, self._next_ms)
        return wake

    def _pulse(self, now_ms):
        if now_ms < self._next_ms:
            return None
        while True:
            # In rounds, so that a boot pulse waits neither for a neighbour's second one nor for one that cannot be
            # given.
            most = max(self.closing)
            for count in range(most, 0, -1):
                for output in range(limits.OUTPUTS_MAX):
                    if self.closing[output] == count and not self.passed >> output & 1:
                        return (output, False)
            if self._open and not most:
                for output in range(limits.OUTPUTS_MAX):
                    if (self._open & ~self.passed) >> output & 1:
                        return (output, True)
            if not self.passed:
                return None
            self.passed = 0


OPEN_COIL, SHORT, CHANGED = "open-coil", "short", "coil-changed"


def coil_span_ma(kind: int):
    """Returns (least, most) mA of a sound coil.

    Limits for 24 V AC are OpenSprinkler's defaults. A latching coil is pulsed from a capacitor through some ohms and
    draws over an ampere for 50 ms; a shorted one draws what its bridge lets through.
    """
    if kind == LATCHING:
        return (limits.LATCH_OPEN_MA, limits.LATCH_SHORT_MA)
    return (limits.AC_OPEN_MA, limits.AC_SHORT_MA)


def judge_coil(kind: int, mean_ma: int, odd: int, current_ma: int):
    """Judges a coil by its current at 50 ms; returns (None when it is sound, else a word; new `mean_ma`; new `odd`).

    `mean_ma`: the learned mean, 0 unknown, which distinguishes "another current than last year" from "another valve
    than its neighbour"; `odd`: how often in a row the coil has drawn another current. The guard keeps both.
    """
    least, most = coil_span_ma(kind)
    if current_ma > most:
        return (SHORT, mean_ma, odd)
    if current_ma < least:
        return (OPEN_COIL, mean_ma, odd)
    if not mean_ma:
        return (None, current_ma, odd)
    if 100 * abs(current_ma - mean_ma) > limits.CHANGED_PERCENT * mean_ma:
        odd = min(limits.CHANGED_TIMES, odd + 1)
        return (CHANGED if odd >= limits.CHANGED_TIMES else None, mean_ma, odd)
    # An eighth of the difference: cold and warm copper differ by a fifth within a day. Rounded, so that it settles.
    return (None, mean_ma + (current_ma - mean_ma + 4) // 8, 0)
