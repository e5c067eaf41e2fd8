"""The interface of a trade: the application brings time, order, lease and samples; the trade decides its outputs and
reports what happened.

`node.app` keeps identity, time, custody, link and precedence of orders, the same for every kind. A trade keeps one
piece of equipment safe and useful: it is a sans-IO machine of its own package (`lighting`, `heating`, `watering`), and
`kinds/<kind>.py` puts it together with its settings and its ports. A kind may leave out everything below that it has no
use for. A trade whose equipment wears with each loss of power has `powered()` too, called once at a start that followed
one.

Order of a turn: the shell applies `outputs` (what they are is between a trade and its ports), reads the ports, calls
`sample`, then `decide`, and applies `outputs` again. `decide` runs at every turn, many times a second when datagrams
arrive: it must be cheap when nothing has changed.
"""

from collections import namedtuple

# Words of `Trade.local`.
TEST = "test"
LOCK = "lock"

# What a trade may know of the present turn. `now_ms` grows; `unix_s` is UTC or None, ± `uncertainty_s`; `order` is the
# wire.node_order.NodeOrder in force or None; `order_expected` is true while one may be on its way; `directives` maps
# codes of `wire.directive` to the values that hold now; beside EXCEPTION stands EXCEPTION_ENDS, `now_ms` at its end.
Moment = namedtuple("Moment", ("now_ms", "unix_s", "uncertainty_s", "order", "order_expected", "directives"))

# What wakes a chip beside its timer: a pulse of a meter, a tip of a rain gauge, a hand at the button.
PULSE, RAIN, HAND = "pulse", "rain", "hand"


class Trade:
    """The base of all trades: a node that measures nothing and drives nothing. `kind` is the word in boot reports."""

    kind = ""
    # Codes of wire.directive that this kind asks its gateway for; empty: it never asks.
    directives = ()

    # True for a kind that sleeps deeply between its samples, with the settings it has.
    sleeps = False

    outputs = None
    # Grows with each change that a power cut must not take, of what `memory` says: a latch, a ban, a programme that is
    # over. The application has it written at once, within the budget of `node.checkpoint`.
    keeps = 0
    # What a technician at the node wants (node.panel): LOCK, everything off and shut in spite of any order; TEST, show
    # what you can for `test_ms`; None. The application sets it before `decide`. It goes before every order, and nothing
    # of it is left when it ends: no outcome of an order is measured meanwhile, no output held for what was shown.
    local = None
    test_ms = 60_000
    # Whether the node holds an order, in force or not: one rests while the gateway's lease is not held, and is not over
    # for that. The application sets it before `decide`.
    holds_order = False

    def sample(self, values, moment) -> None:
        """Observes one complete reading of the ports: {wire key: scaled integer}; None where the whole port is silent.
        A sensor that did not answer has no key."""

    def sense(self, values, moment) -> None:
        """Observes what the ports noticed between two samples and what cannot wait for the next: {wire key: scaled
        integer}. It may come at every turn, so it must be cheap."""

    def decide(self, moment) -> None:
        """Brings `outputs` up to date."""

    def drain_events(self) -> list:
        """Drains what happened since the last call: [(event code, active, detail)]."""
        return []

    def readings(self, moment) -> dict:
        """Returns the periodic telemetry record: {wire key: scaled integer}."""
        return {}

    def health(self, moment) -> dict:
        """Returns the readings that go with the hourly health record beside the node's own figures."""
        return {}

    def measured(self, moment):
        """Returns the power in 0.1 W (or 0) when what is measured shows that the order in force is obeyed; None: not
        (yet)."""
        return None

    def declines(self, moment):
        """Returns why the order in force means nothing to this kind (a word), or None."""
        return None

    def deadline_ms(self, now_ms):
        """Returns when `decide` must run again at the latest, or None."""
        return None

    def wants_sample_ms(self, now_ms):
        """Returns when the next sample is wanted, if sooner than the settings' period, or None (a pipe that may have
        burst)."""
        return None

    def memory(self, now_ms) -> bytes:
        """Returns what must survive a power cut, MEMORY_BYTES_MAX at most: hour meters, learned values, water balance.
        The shell writes it hourly and when `keeps` has grown, and gives it back when the trade is made. Outputs are
        never in it: they are recomputed."""
        return b""

    def may_write(self, now_ms) -> bool:
        """False while a write to flash, tenths of a second long, would be felt: a pulse is under way. Such a write
        waits, but not for long."""
        return True

    def may_sleep_until(self, moment):
        """Returns when the chip must be awake again, on the scale of `now_ms`, if it may sleep deeply from now on:
        every output shut, nothing under way, nothing watched. None: stay awake, as a kind on the mains always does."""
        return None

    def asleep(self, now_ms):
        """Returns what goes through a sleep: (as `memory`, what else would be lost with RAM, ASLEEP_BYTES_MAX at most).
        The trade is made with the first when the chip wakes, and `woken` gets the second."""
        return self.memory(now_ms), b""

    def woken(self, rest, slept_ms, by, *, now_ms) -> None:
        """Restores the trade after `slept_ms` of sleep, before any other call. Nothing was switched meanwhile, and
        waking must switch nothing. `by`: PULSE or RAIN, which is to be counted; HAND; None: the timer."""

    def is_sound(self, moment) -> bool:
        """False while what is measured contradicts the outputs, or equipment does not answer: a program on trial is not
        confirmed then (node.trial)."""
        return True

    def may_restart(self, moment) -> bool:
        """False while a restart would be felt: the shell then puts a planned one off."""
        return True


# Of flash.State: two slots of it, CRC and header, fit one small littlefs block.
MEMORY_BYTES_MAX = 192
# Of the image in RTC memory (node.sleep).
ASLEEP_BYTES_MAX = 480


def spread(node) -> int:
    """Returns a number of its own for each node, from its id: FNV-1a folded to 16 bits, the same on every
    interpreter."""
    value = 0x811C
    for byte in node:
        value = ((value ^ byte) * 0x0193) & 0xFFFF
    return value
