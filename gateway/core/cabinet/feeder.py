"""Decides what the contactor of a feeder must be, by which rule, and why (ARCHITECTURE, section 6, precedence).

    interlock > emergency > manual > command > policy > default; where no time is known: photocell, safety

The answer is computed anew at every poll from the clock, the sun, the policy and the orders; nothing is restored. A
command that lowers is for the lamps' own controllers, and leaves the contactor to the policy. A `permanent` feeder is
closed day and night by policy: its lamps have controllers of their own.

A technician can order two things on the local page: a feeder lit for a test, a feeder locked out. Both expire
on the monotonic clock, and with a restart. A lock-out keeps the agent from closing a contactor; it keeps neither a
person nor the hardware fallback from it, so it never replaces a padlock on the breaker.
"""

from typing import NamedTuple

from gateway.core import limits
from gateway.core.cabinet import time_basis
from gateway.core.cabinet.equipment import OFF, ON
from gateway.core.cabinet.orders import Order, Orders
from gateway.core.cabinet.time_basis import Basis
from policy import civil, document, lighting

INTERLOCK, EMERGENCY, MANUAL, COMMAND = "interlock", "emergency", "manual", "command"
POLICY, DEFAULT, PHOTOCELL, SAFETY = "policy", "default", "photocell", "safety"
RULES = (INTERLOCK, EMERGENCY, MANUAL, COMMAND, POLICY, DEFAULT, PHOTOCELL, SAFETY)
SWITCH_ON, SWITCH_OFF, LOCKED, PERMANENT = "switch-on", "switch-off", "locked", "permanent"


class FeederOptions(NamedTuple):
    """Describes a feeder as installed. `lamp_dw`: what one lamp draws, in 0.1 W; 0: to be learnt. `lamps` 0: unknown.
    `is_self_dimming`: the lamps dim during the night by themselves. `nodes`: ids of lamp controllers on this feeder."""

    name: str
    lamps: int
    lamp_dw: int
    has_meter: bool = True
    is_self_dimming: bool = False
    nodes: tuple[bytes, ...] = ()


class FeederDemand(NamedTuple):
    """Holds what a contactor must be. `reason`: from the policy an integer (`policy.lighting.reason_parts`), else
    a word or a name. `until_s`: UTC at which it may change by itself, where that is known.
    """

    closed: bool
    rule: str
    reason: int | str
    until_s: int | None = None
    order: Order | None = None


class LocalOrder(NamedTuple):
    """Holds when a technician's order ends (monotonic ms), and who gave it."""

    until_ms: int
    who: str


class LocalControl:
    """Holds the tests and lock-outs of each feeder."""

    def __init__(self) -> None:
        self.tests: dict[int, LocalOrder] = {}
        self.locks: dict[int, LocalOrder] = {}

    def test(self, feeder: int, seconds: int, who: str, *, now_ms: int) -> None:
        """Light a feeder for a while, at most LOCAL_TEST_S_MAX; 0 seconds ends the test."""
        self.tests[feeder] = LocalOrder(now_ms + 1000 * max(0, min(seconds, limits.LOCAL_TEST_S_MAX)), who)

    def lock(self, feeder: int, who: str, *, now_ms: int) -> None:
        self.locks[feeder] = LocalOrder(now_ms + limits.LOCAL_LOCK_MS, who)
        self.tests.pop(feeder, None)

    def unlock(self, feeder: int) -> None:
        self.locks.pop(feeder, None)

    def poll(self, *, now_ms: int) -> None:
        for held in (self.tests, self.locks):
            for feeder in [feeder for feeder, one in held.items() if now_ms >= one.until_ms]:
                del held[feeder]

    def deadline_ms(self) -> int | None:
        return min((one.until_ms for held in (self.tests, self.locks) for one in held.values()), default=None)


class Feeder:
    """Holds the policy's rules for one feeder; call `set_rules` when another policy comes into force."""

    def __init__(self, options: FeederOptions, site: lighting.Site) -> None:
        self.options = options
        self._site = site
        self.group = ""
        self.is_permanent = False
        self.has_rule = False
        self.plan = lighting.Plan(lighting.DEFAULT_CALENDAR, site)

    def set_rules(self, rules: document.Lighting | None) -> None:
        """Adopt the rules of the policy in force; a feeder that it does not name is lit from sunset to sunrise."""
        rule = None if rules is None else next((one for one in rules.feeders if one.name == self.options.name), None)
        self.has_rule = rule is not None
        self.is_permanent = rule is not None and rule.kind == document.PERMANENT
        self.group = "" if rule is None else rule.group
        site = self._site if rules is None else rules.site
        calendar = lighting.DEFAULT_CALENDAR if rules is None or rule is None else rules.calendars[rule.calendar]
        self.plan = lighting.Plan(calendar, site)

    def night(self, unix_s: int) -> tuple[tuple[int, int], ...]:
        """Return (from, level) of each change that the policy wants from the noon before to the noon after."""
        night = self.plan.night(unix_s)
        if self.is_permanent:
            return ((night.start_s, 100),)
        return tuple((at_s, level) for at_s, level, _reason in night.changes())

    def by_policy(self, basis: Basis) -> FeederDemand:
        """Return what the policy demands, or the fallback while the time is not known."""
        rule = POLICY if self.has_rule else DEFAULT
        if self.is_permanent:
            return FeederDemand(True, rule, PERMANENT)
        if basis.kind == time_basis.PHOTOCELL:
            return FeederDemand(bool(basis.is_dark), PHOTOCELL, time_basis.DARK if basis.is_dark else time_basis.BRIGHT)
        if basis.unix_s is None:
            return FeederDemand(True, SAFETY, SAFETY)
        # A carried clock is wrong by minutes: the brightest of the possible levels counts.
        doubt_s = basis.uncertainty_s if basis.uncertainty_s > limits.CLOCK_EXACT_S else 0
        wanted = self.plan.wanted(basis.unix_s, doubt_s)
        return FeederDemand(wanted.level_percent > 0, rule, wanted.reason, wanted.until_s)


def considered(
    index: int, feeder: Feeder, basis: Basis, *, switch: str | None, hand: LocalControl, orders: Orders, has_lease: bool
) -> list[FeederDemand | None]:
    """Return what each rule demands, from the highest down; None: nothing. The first demand holds, the policy always
    has one, and `gateway explain` shows them all."""
    emergency, override = orders.in_force(index)
    return [
        _interlock(index, switch, hand),
        _of_order(emergency, EMERGENCY),
        FeederDemand(True, MANUAL, hand.tests[index].who) if index in hand.tests else None,
        _of_order(override, COMMAND) if has_lease else None,
        feeder.by_policy(basis),
    ]


def _interlock(index: int, switch: str | None, hand: LocalControl) -> FeederDemand | None:
    if switch in (ON, OFF):
        return FeederDemand(switch == ON, INTERLOCK, SWITCH_ON if switch == ON else SWITCH_OFF)
    return FeederDemand(False, INTERLOCK, LOCKED) if index in hand.locks else None


def _of_order(order: Order | None, rule: str) -> FeederDemand | None:
    if order is None or order.lowers:
        return None
    return FeederDemand(order.closes, rule, order.author, order.command.expires_s, order)


def site_of(latitude_e4: int, longitude_e4: int) -> lighting.Site:
    """Return the site of a cabinet without a policy."""
    return lighting.Site(latitude_e4, longitude_e4, civil.PARIS)
