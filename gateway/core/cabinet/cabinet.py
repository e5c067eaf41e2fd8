"""Decides what a cabinet's contactors must be: observations of the equipment in, contactor orders and watchdog pulses
out. A part of `gateway.core.gateway.Gateway`.

The shell reports an observation about once a second (`on_observation`), the gateway hands over connections and messages
of the classes `c` and `p`, and every `poll` decides anew what each contactor must be. Effects: `SetContactor` when a
demand changes and again every minute, `Watchdog` every CABINET_WATCHDOG_MS while the agent can answer for the
contactors. The pulses stop when no time and no photocell is left (rung `safety` of `basis`): then the timer relay drops
and the cabinet's own astronomical clock controls the street. If the agent hangs, dies or loses its power, the pulses
stop by themselves, for they are made in the same `poll` that decides.

After a start nothing moves until the time is known or CABINET_START_MS have passed: a restart by day must not light a
street. Events are reported as records of the gateway's own; what a person ordered is in the audit log as well.
"""

from collections.abc import Iterable
from itertools import chain
from typing import Any, NamedTuple

from gateway.core import limits
from gateway.core.cabinet import feeder as rules
from gateway.core.cabinet import node_orders, orders, reports, time_basis
from gateway.core.cabinet.alarms import UNKNOWN, AlarmFile, CabinetConditions, FeederWatch
from gateway.core.cabinet.audit import Audit, entries
from gateway.core.cabinet.equipment import AUTO, Observation, SetContactor, Watchdog
from gateway.core.cabinet.feeder import Feeder, FeederDemand, FeederOptions, LocalControl
from gateway.core.cabinet.lease import Lease
from gateway.core.cabinet.normal_power import LearntPowers, NormalPower
from gateway.core.cabinet.orders import CabinetPlace, Orders, Refusal
from gateway.core.cabinet.outcomes import Outcomes
from gateway.core.cabinet.policies import Policies, SignedPolicy
from gateway.core.cabinet.reports import CabinetReporter, GatewayServices
from gateway.core.cabinet.time_basis import Basis, TimeBasis
from gateway.core.custody.disk import SharedFolder
from gateway.core.deadlines import earliest
from gateway.core.link.downlink import OrdersByFeeder
from wire import command, event, topic
from wire.faults import WireFault

_ASSERT_MS = 60_000


class CabinetOptions(NamedTuple):
    """Describes what is wired and where.

    Without `has_watchdog` no other clock can take the contactors over, so `safety` keeps them closed."""

    latitude_e4: int
    longitude_e4: int
    feeders: tuple[FeederOptions, ...]
    has_watchdog: bool = False
    has_linky: bool = False
    has_switch: bool = False

    def nodes(self) -> dict[bytes, int]:
        """Return the feeder of each node, where it is configured."""
        return {node: index for index, feeder in enumerate(self.feeders) for node in feeder.nodes}


class Cabinet:
    """Joins the parts of a cabinet: one owner, one thread. Public for the status: feeders, demands, orders, lease,
    policies."""

    def __init__(
        self, options: CabinetOptions, shared: GatewayServices, *, insee: str, gateway: str, now_ms: int
    ) -> None:
        self.options = options
        self._shared = shared
        self._insee, self._gateway = insee, gateway
        self._started_ms = now_ms
        self.time_basis = TimeBasis(shared.clock)
        folder = SharedFolder(shared.disk, "cabinet")
        self.policies = Policies(folder, shared.keyset, shared.verify)
        self.audit = Audit(folder)
        self.lease = Lease(shared.random_below)
        self.hand = LocalControl()
        self.conditions = CabinetConditions()
        site = rules.site_of(options.latitude_e4, options.longitude_e4)
        self.feeders = [Feeder(one, site) for one in options.feeders]
        self._normals = LearntPowers(folder)
        self.watches = [_watch(one, self._normals) for one in options.feeders]
        self._alarm_file = AlarmFile(folder)
        self._alarm_file.restore(self.conditions, self.watches)
        self.demands: list[FeederDemand | None] = [None] * len(self.feeders)
        self.since_ms = [now_ms] * len(self.feeders)
        self.basis = Basis(time_basis.SAFETY)
        self.seen: Observation | None = None
        self._seen_ms = now_ms
        self.switch: str | None = None  # the last position that was read
        self._has_supply = True
        self._as_found: list[bool | None] = [None] * len(self.feeders)  # contactors, before a test took them over
        self.in_control = False
        self.signed_policy: SignedPolicy | None = None
        names = [one.name for one in options.feeders]
        self._reporter = CabinetReporter(shared, self.audit, self.time_basis, names, now_ms=now_ms)
        self.orders = Orders(self._place(), shared.verify, self._reporter.outcome, self._reporter.accepted)
        self.outcomes = Outcomes(self.orders, [one.nodes for one in options.feeders])
        self._has_lease = False
        self._pulse_ms = now_ms
        self._assert_ms = now_ms + _ASSERT_MS
        self._report_at_ms: int | None = None
        self.counters = {"observations": 0, "switched": 0}

    # --- events -------------------------------------------------------------------------------------------------

    def start(self, *, kept: list[bytes] | None = None, now_ms: int) -> None:
        """Restore the state of an earlier start: the policy in force, the orders that were given. `kept`: signed
        commands that the audit log may have dropped."""
        self._follow(self.policies.in_force(None), now_ms)
        try:
            found = chain(entries(self._shared.disk), orders.entries_of(kept or []))
            self.orders.recover(found, self.policies.held())
        except OSError as error:
            self._shared.log("audit-unreadable", error=str(error))

    def on_observation(self, seen: Observation, *, now_ms: int) -> None:
        """Observe all wired equipment at once."""
        self.seen, self._seen_ms = seen, now_ms
        self.counters["observations"] += 1
        self.time_basis.photocell.observe(seen.photocell_lx, now_ms=now_ms)
        self.switch = seen.switch or self.switch
        self._has_supply = self._has_supply if seen.mains is None else seen.mains
        for index, (watch, feeder) in enumerate(zip(self.watches, self.feeders, strict=True)):
            verdicts = watch.observe(
                seen.feeders[index],
                self._expected(index),
                has_supply=self._has_supply,
                has_meter=feeder.options.has_meter,
                has_light=not feeder.is_permanent,
                is_lowered=self.orders.lowers(index),
                now_ms=now_ms,
            )
            self._reporter.verdicts(verdicts, now_ms=now_ms)
        self._reporter.verdicts(self.conditions.observe(self._conditions(seen, now_ms), now_ms=now_ms), now_ms=now_ms)
        self._alarm_file.save(self.conditions, self.watches)
        self.outcomes.observe(seen, self.watches, now_ms=now_ms)

    def on_connected(self, *, now_ms: int) -> None:
        self.lease.ask_now(now_ms=now_ms)

    def on_control(self, payload: bytes, *, is_retained: bool, now_ms: int) -> None:
        """Receive a message of class `c`: a lease, or a signed command."""
        try:
            message = command.decode_control(payload)
        except WireFault as fault:
            why = "too-long" if fault.reason == "too-long" else "malformed"
            self._reporter.refused(why, payload, now_ms=now_ms)
            return
        if isinstance(message, command.Grant):
            self.lease.accept(message, now_ms=now_ms)
            return
        result = self.orders.accept(
            message,
            self.signed_policy,
            is_retained=is_retained,
            unix_s=self.time_basis.unix_s(now_ms=now_ms),
            now_ms=now_ms,
        )
        if isinstance(result, Refusal) and not result.is_reported:
            self._reporter.refused(result.why, payload, now_ms=now_ms)

    def on_bundle(self, payload: bytes, *, now_ms: int) -> None:
        """Receive a message of class `p`: key set and policy of the commune."""
        unix_s = self.time_basis.unix_s(now_ms=now_ms)
        for verdict in self.policies.accept(payload, unix_s=unix_s):
            self._reporter.bundle(verdict, payload, now_ms=now_ms)
            if verdict.why is None:
                self.lease.ask_now(now_ms=now_ms)  # the centre learns at once what is held
                self.orders.reopen(self.policies.held())

    def test(self, feeder: int, seconds: int, who: str, *, now_ms: int) -> str | None:
        """Light a feeder for a while, as a technician asks at the cabinet; return the word of a refusal, or None."""
        if feeder in self.hand.locks:
            return "locked"
        if not self.in_control and self.seen is not None:
            self._as_found = [one.feedback for one in self.seen.feeders]
        self.hand.test(feeder, seconds, who, now_ms=now_ms)
        self._reporter.by_hand("test" if seconds > 0 else "test-end", feeder, who, now_ms=now_ms)
        return None

    def test_all(self, seconds: int, who: str, *, now_ms: int) -> str | None:
        """Light each feeder that is not locked, as `test` does; zero seconds end the tests under way."""
        chosen = self.hand.tests.keys() if seconds <= 0 else set(range(len(self.feeders))) - self.hand.locks.keys()
        for feeder in sorted(chosen):
            self.test(feeder, seconds, who, now_ms=now_ms)
        return None if chosen or seconds <= 0 else "locked"

    def lock(self, feeder: int, who: str, *, now_ms: int) -> str | None:
        """Keep a feeder open, as a technician asks at the cabinet."""
        self.hand.lock(feeder, who, now_ms=now_ms)
        self._reporter.by_hand("lock", feeder, who, now_ms=now_ms)
        return None

    def unlock(self, feeder: int, who: str, *, now_ms: int) -> str | None:
        self.hand.unlock(feeder)
        self._reporter.by_hand("unlock", feeder, who, now_ms=now_ms)
        return None

    # --- poll -------------------------------------------------------------------------------------------------------

    def poll(self, *, is_metered: bool, now_ms: int) -> list[Any]:
        """Decide; return contactor orders and watchdog pulses."""
        unix_s = self.time_basis.unix_s(now_ms=now_ms)
        self._follow(self.policies.in_force(unix_s), now_ms)
        if now_ms - self._seen_ms > limits.CABINET_BLIND_MS:
            self.seen = None  # an observation so old does not count any more
            self.time_basis.photocell.observe(None, now_ms=now_ms)
        self.basis = self.time_basis.basis(now_ms=now_ms)
        self.hand.poll(now_ms=now_ms)
        self.orders.poll(unix_s=unix_s, now_ms=now_ms)
        self._ask(is_metered, now_ms)
        self._reporter.poll(now_ms=now_ms)
        effects: list[Any] = []
        if self._is_starting(now_ms):
            self.in_control = False
            return effects
        knows = self.basis.kind != time_basis.SAFETY or bool(self.hand.tests)
        is_in_hand = self.seen is None or self.seen.in_hand
        self.in_control = is_in_hand and (knows or not self.options.has_watchdog)
        again = now_ms >= self._assert_ms
        if again:
            self._assert_ms = now_ms + _ASSERT_MS
        has_lease = self.lease.is_usable(now_ms=now_ms)
        for index in range(len(self.feeders)):
            if self._decide(index, has_lease, now_ms) or again:
                demand = self.demands[index]
                assert demand is not None
                effects.append(SetContactor(index, demand.closed))
        self.outcomes.observe_demands(self.demands, has_lease=has_lease, in_control=self.in_control, now_ms=now_ms)
        if self.in_control and self.options.has_watchdog and now_ms >= self._pulse_ms:
            self._pulse_ms = now_ms + limits.CABINET_WATCHDOG_MS
            effects.append(Watchdog())
        self._report(unix_s, now_ms)
        return effects

    def orders_for_nodes(self, feeders: Iterable[int | None], *, now_ms: int) -> OrdersByFeeder | None:
        """Return the orders in force for nodes behind these feeders (None: any); None while they are not known."""
        unix_s = self.time_basis.unix_s(now_ms=now_ms)
        return node_orders.wanted(
            self.orders, self.lease, feeders, unix_s=unix_s, started_ms=self._started_ms, now_ms=now_ms
        )

    def audit_local(self, what: str, *, now_ms: int, **values: Any) -> None:
        """Write a line of the audit log about an act at the cabinet that is not about a feeder."""
        self._reporter.audit(what, now_ms=now_ms, **values)

    def lease_left_s(self, *, now_ms: int) -> int | None:
        """Return the seconds left of the centre's lease, while it is usable."""
        return self.lease.left_s(now_ms=now_ms) if self.lease.is_usable(now_ms=now_ms) else None

    def deadline_ms(self, *, now_ms: int) -> int | None:
        """Return when `poll` is due at the latest. What is due at a UTC instant is converted to milliseconds of our
        clock."""
        is_starting = self._is_starting(now_ms)
        next_ms = None
        unix_s = self.time_basis.unix_s(now_ms=now_ms)
        unix_ms = self._shared.clock.carried_ms(now_ms=now_ms)
        if unix_s is not None and unix_ms is not None:
            instants = [demand.until_s for demand in self.demands if demand is not None]
            next_s = earliest([self.orders.next_s(unix_s), *instants])
            next_ms = None if next_s is None else now_ms + max(1, 1000 * next_s - unix_ms)
        return earliest(
            (
                next_ms,
                self.hand.deadline_ms(),
                self.lease.deadline_ms(now_ms=now_ms),
                self._reporter.deadline_ms(),
                self.orders.deadline_ms(),
                self._started_ms + limits.CABINET_START_MS if is_starting else self._assert_ms,
                None if is_starting else self._report_at_ms,
                self._pulse_ms if self.in_control and self.options.has_watchdog and not is_starting else None,
            )
        )

    def health(self) -> dict[str, int]:
        """Return the counters of every part."""
        parts = (
            ("", self.counters),
            ("order-", self.orders.counters),
            ("lease-", self.lease.counters),
            ("policy-", self.policies.counters),
            ("audit-", self.audit.counters),
            ("normal-", self._normals.counters),
        )
        return {f"{prefix}{name}": count for prefix, counters in parts for name, count in counters.items()}

    # --- inside -------------------------------------------------------------------------------------------------

    def _is_starting(self, now_ms: int) -> bool:
        """Return whether nothing may move yet: no time is known, or the hand switch has not been read. This lasts
        CABINET_START_MS at most."""
        if now_ms - self._started_ms >= limits.CABINET_START_MS:
            return False
        is_blind = self.options.has_switch and self.switch is None
        return is_blind or (self.basis.kind == time_basis.SAFETY and not self.hand.tests)

    def _decide(self, index: int, has_lease: bool, now_ms: int) -> bool:
        """Decide for one feeder; return whether its contactor's order changes."""
        feeder = self.feeders[index]
        considered = rules.considered(
            index, feeder, self.basis, switch=self.switch, hand=self.hand, orders=self.orders, has_lease=has_lease
        )
        demand = next(filter(None, considered))
        if demand.rule == rules.SAFETY and self.options.has_watchdog and self.hand.tests:
            # A test of one feeder takes all feeders from the cabinet's own clock: the others stay as they were found.
            demand = demand._replace(closed=self._as_found[index] is not False)
        before, self.demands[index] = self.demands[index], demand
        if before is not None and before.closed == demand.closed:
            return False
        self.since_ms[index] = now_ms
        self.counters["switched"] += 1
        if before is not None and not demand.closed and self.watches[index].normal.end_of_night():
            known = zip(self.feeders, self.watches, strict=True)
            self._normals.save({_lamps(one.options): watch.normal.learnt_dw for one, watch in known})
        self._reporter.switched(index, demand.closed, demand.rule, demand.reason, now_ms=now_ms)
        return True

    def _expected(self, index: int) -> bool | None:
        """Return what the contactor must be; None where we do not control it."""
        demand = self.demands[index]
        is_ours = self.in_control or (demand is not None and demand.rule == rules.INTERLOCK)
        return None if demand is None or not is_ours else demand.closed

    def _follow(self, signed: SignedPolicy | None, now_ms: int) -> None:
        """Put another policy in force, if it differs."""
        if signed is self.signed_policy:
            return
        self.signed_policy = signed
        lighting = None if signed is None else signed.policy.lighting
        self.time_basis.valid_until_s = None if signed is None else signed.policy.valid_until_s
        for feeder in self.feeders:
            feeder.set_rules(lighting)
        self.orders.place = self._place()
        if signed is not None:
            self._reporter.in_force(signed, now_ms=now_ms)
        unix_s = self.time_basis.unix_s(now_ms=now_ms)
        if unix_s is not None:
            self.orders.review(signed, unix_s, now_ms=now_ms)

    def _place(self) -> CabinetPlace:
        return CabinetPlace(self._insee, self._gateway, tuple((one.options.name, one.group) for one in self.feeders))

    def _ask(self, is_metered: bool, now_ms: int) -> None:
        held = self.policies.newest_version, self.policies.keyset_version
        ask = self.lease.ask(*held, is_metered=is_metered, now_ms=now_ms)
        if ask is not None:
            self._shared.publish(topic.OUTCOME, command.encode_reply(ask), ask.duration_s)
        has_lease = self.lease.is_held(now_ms=now_ms)
        if has_lease != self._has_lease:
            self._has_lease = has_lease
            left_s = self.lease.left_s(now_ms=now_ms)
            self._reporter.report(event.LEASE_CHANGED, has_lease, [left_s], now_ms=now_ms)
            self._reporter.audit("lease", now_ms=now_ms, held=has_lease)

    def _conditions(self, seen: Observation, now_ms: int) -> dict[int, list[Any] | None]:
        unix_s = self.time_basis.unix_s(now_ms=now_ms)
        policy = None if self.signed_policy is None else self.signed_policy.policy
        expired: list[Any] | None = UNKNOWN
        if policy is None or unix_s is not None:
            is_over = policy is not None and unix_s is not None and unix_s >= policy.valid_until_s
            expired = [policy.version] if policy is not None and is_over else None
        overridden = self.switch if self.switch not in (None, AUTO) else None
        stuck = self.time_basis.photocell.stuck
        # Without the supply, the Linky meter has no voltage either: that is one cause.
        is_linky_silent = self.options.has_linky and seen.linky is None and self._has_supply
        is_switch_unread = self.options.has_switch and seen.switch is None and self._has_supply
        silent = ["switch"] if is_switch_unread else ["linky"] if is_linky_silent else None
        return {
            event.SUPPLY_LOSS: UNKNOWN if seen.mains is None else None if seen.mains else [],
            event.DOOR_OPEN: UNKNOWN if seen.door_open is None else [] if seen.door_open else None,
            event.LOCAL_OVERRIDE: None if overridden is None else [overridden],
            event.TIME_FALLBACK: None if self.basis.kind == time_basis.CLOCK else [self.basis.kind],
            event.POLICY_EXPIRED: expired,
            event.HANDED_BACK: None if self.in_control else [],
            event.PHOTOCELL_FAILURE: None if stuck is None else [stuck],
            event.CABINET_METER_FAILURE: silent,
        }

    def _report(self, unix_s: int | None, now_ms: int) -> None:
        """Report the readings of every meter on the quarter hour, or a quarter hour after the last."""
        if self._report_at_ms is not None and now_ms < self._report_at_ms:
            return
        if self._report_at_ms is not None and self.seen is not None:
            closed = [demand is not None and demand.closed for demand in self.demands]
            for readings in reports.readings(self.seen, closed):
                self._shared.own.append(readings, now_ms=now_ms)
        period_s = limits.CABINET_TELEMETRY_S
        self._report_at_ms = now_ms + 1000 * (period_s if unix_s is None else period_s - unix_s % period_s)


def _watch(options: FeederOptions, normals: LearntPowers) -> FeederWatch:
    normal = NormalPower(options.lamps, options.lamp_dw, normals.known.get(_lamps(options)))
    return FeederWatch(options.name, normal, is_self_dimming=options.is_self_dimming)


def _lamps(options: FeederOptions) -> str:
    """Return a key of the feeder's name and lamps: with other lamps, the learnt power is worth nothing."""
    return f"{options.name} {options.lamps}x{options.lamp_dw}"
