"""Defines the interface of a trade: the application brings time, order, directives and samples; the trade decides its
outputs and reports events.

`node.app` keeps identity, time, custody, link and precedence of orders, the same for every kind. A trade keeps one
piece of equipment safe and useful: it is a sans-IO machine of its own package (`lighting`, `heating`, `watering`), and
`kinds/<kind>.py` puts it together with its settings and its ports. A trade may leave out every method below that it
does not need. A trade whose equipment wears with each loss of power has `powered()` too, called once at a start that
followed one.

Order of a turn: the shell applies `outputs` (their form is agreed between a trade and its ports), reads the ports,
calls `sample`, then `decide`, and applies `outputs` again. `decide` runs at every turn before which something came, or
has become due (`decided_until_ms`), many times a second when datagrams arrive: it must be cheap when nothing has
changed.
"""

from collections import namedtuple

# Words of `Trade.local`.
TEST = "test"
LOCK = "lock"

# The facts of the present turn for a trade. `now_ms` only grows; `unix_s` is UTC or None, ± `uncertainty_s`; `order` is
# the wire.node_order.NodeOrder in force or None; `order_expected` is true while one may be on its way; `directives`
# maps codes of `wire.directive` to the values that hold now; under ENDS + a code of ENDING stands `now_ms` at its end.
Moment = namedtuple("Moment", ("now_ms", "unix_s", "uncertainty_s", "order", "order_expected", "directives"))

# What wakes a chip besides its timer: a pulse of a meter, a tip of a rain gauge, a press of the button.
PULSE, RAIN, HAND = "pulse", "rain", "hand"


class Trade:
    """Serves as the base of all trades: it measures nothing and drives nothing. `kind` is the word in boot reports."""

    kind = ""
    # Codes of wire.directive that this kind asks its gateway for; empty: it never asks.
    directives = ()

    # True for a kind that follows orders of light. Others are ordered hours by a directive, and answer no order.
    follows_orders = False

    # True for a kind that, with its settings, sleeps deeply between its samples; it follows no orders.
    sleeps = False

    outputs = None
    # Grows with each change of `memory` that a power cut must not destroy: a latch, a ban, the end of a programme. The
    # application has the memory written at once, within the budget of `node.checkpoint`.
    keeps = 0
    # The wish of a technician at the node (node.panel): LOCK, everything off and closed in spite of any order; TEST,
    # demonstrate the outputs for `test_ms`; None. The application sets it before `decide`. It precedes every order and
    # has no effect after its end: no outcome of an order is measured meanwhile, and no output is held because of a
    # test.
    local = None
    test_ms = 60_000
    # Until when, on the scale of `now_ms`, `decide` would change nothing if only time passed and samples came; None: it
    # runs at every turn. `decide` sets it, for a `moment` without an order, expected or in force; a sample that brings
    # something to decide ends it.
    decided_until_ms = None
    # A kind that may want a sample sooner than the settings' period (a pipe may have burst) has a method of `now_ms`
    # here, which returns when, or None.
    wants_sample_ms = None
    # Whether the order in force has nothing to change yet: it is applied later, or never.
    awaits = False

    def sample(self, values, moment) -> None:
        """Observes one complete reading of the ports: {wire key: scaled integer}; None where the whole port is silent.
        A sensor that did not answer has no key."""

    def sample_without_news(self, values, now_ms) -> bool:
        """Observes a reading as `sample` does and returns True, if only the latest figures change by it; else returns
        False, having observed nothing. It is asked while a decision holds, so that nearly all samples cost little."""
        return False

    def sense(self, values, moment) -> None:
        """Observes readings of the ports between two samples that cannot wait for the next: {wire key: scaled integer}.
        It may be called at every turn, so it must be cheap."""

    def decide(self, moment) -> None:
        """Brings `outputs` up to date."""

    def drain_events(self) -> list:
        """Drains the events since the last call: [(event code, active, detail)]."""
        return []

    def readings(self, moment) -> dict:
        """Returns the periodic telemetry record: {wire key: scaled integer}."""
        return {}

    def health(self, moment) -> dict:
        """Returns the readings that go with the hourly health record beside the node's own figures."""
        return {}

    def measured(self, moment):
        """Returns the power in 0.1 W (or 0) when measurements show that the order in force is obeyed; None: not
        (yet)."""
        return None

    def declines(self, moment):
        """Returns the word for why this kind declines the order in force, or None."""
        return None

    def deadline_ms(self, now_ms):
        """Returns when `decide` must run again at the latest, or None."""
        return None

    def memory(self, now_ms) -> bytes:
        """Returns the state that must survive a power cut, MEMORY_BYTES_MAX at most: hour meters, learned values, water
        balance. The shell writes it hourly and when `keeps` has grown, and passes it in when the trade is made. It
        never holds outputs: they are recomputed."""
        return b""

    def may_write(self, now_ms) -> bool:
        """Returns False while a write to flash, tenths of a second long, would disturb the equipment, such as during a
        pulse. Such a write waits, but not for long."""
        return True

    def may_sleep_until(self, moment):
        """Returns when the chip must be awake again, on the scale of `now_ms`, if it may sleep deeply from now on:
        every output is off, nothing is under way, nothing must be watched. None: stay awake, as a kind on the mains
        always does."""
        return None

    def asleep(self, now_ms):
        """Returns the state to keep through a sleep: (`memory`, the other state that RAM would lose, ASLEEP_BYTES_MAX
        at most). When the chip wakes the trade is made with the first, and `woken` gets the second."""
        return self.memory(now_ms), b""

    def woken(self, rest, slept_ms, by, *, now_ms) -> None:
        """Restores the trade after `slept_ms` of sleep, before any other call. Nothing was switched meanwhile, and
        waking must switch nothing. `by`: PULSE or RAIN, which the trade must count; HAND; None: the timer."""

    def is_sound(self, moment) -> bool:
        """Returns False while measurements contradict the outputs, or equipment does not answer: a program on trial is
        not confirmed then (node.trial)."""
        return True

    def may_restart(self, moment) -> bool:
        """Returns False while a restart would have a visible effect: the shell then postpones a planned one."""
        return True


# The memory in a flash.State: two slots of it, with CRC and header, fit one small littlefs block.
MEMORY_BYTES_MAX = 192
# The trade's part of the image in RTC memory (node.sleep).
ASLEEP_BYTES_MAX = 480


def spread(node) -> int:
    """Returns a number that spreads nodes apart, from the node id: FNV-1a folded to 16 bits, the same on every
    interpreter."""
    value = 0x811C
    for byte in node:
        value = ((value ^ byte) * 0x0193) & 0xFFFF
    return value
