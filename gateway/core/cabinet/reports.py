"""Reports what happens in a cabinet: records of the gateway's own, lines of the audit log, fast copies over class `r`,
lines of the operator's log. It also turns an observation into readings: channel 0 is the cabinet, n its n-th feeder.

Alarms and changes are records. What a person ordered, and its outcome, are in the audit log as well, whose
head is reported to the centre once a day: from then on it cannot be shortened unnoticed. It must decide nothing.
"""

from collections import deque
from collections.abc import Callable
from typing import Any, NamedTuple

from gateway.core import limits
from gateway.core.cabinet.alarms import AlarmChange
from gateway.core.cabinet.audit import Audit
from gateway.core.cabinet.equipment import FeederObservation, Observation
from gateway.core.cabinet.policies import PolicyVerdict, SignedPolicy, Verify
from gateway.core.cabinet.time_basis import TimeBasis
from gateway.core.cabinet.verification import Order
from gateway.core.custody.disk import Disk
from gateway.core.own_records import OwnRecords
from gateway.core.wallclock import WallClock
from policy.keyset import KeySet
from wire import command, event, event_table, quantity, topic
from wire import limits as wire_limits
from wire.record import EventBody


class GatewayServices(NamedTuple):
    """Holds what the gateway provides to a cabinet: its records, clock, state disk, random source, log; `publish(kind,
    payload, expiry_s)` sends a message that nothing depends on. `keyset`: the commune's, installed by hand; None: no
    policy is accepted.
    """

    own: OwnRecords
    clock: WallClock
    disk: Disk
    verify: Verify
    keyset: KeySet | None
    random_below: Callable[[int], int]
    log: Callable[..., None]
    publish: Callable[[str, bytes, int], None]
    keep_refused: Callable[..., None]


class CabinetReporter:
    """Reports what happens, and decides nothing. `names` are those of the feeders."""

    def __init__(
        self, shared: GatewayServices, audit: Audit, time_basis: TimeBasis, names: list[str], *, now_ms: int
    ) -> None:
        self._shared = shared
        self._audit = audit
        self._time_basis = time_basis
        self._names = names
        self._head_at_ms = now_ms + limits.AUDIT_FIRST_HEAD_MS
        self._told_entries = 0
        self._unwritten: deque[tuple[str, dict[str, Any]]] = deque(maxlen=limits.AUDIT_WAITING_MAX)
        self._retry_ms = now_ms
        self._refusals: dict[str, tuple[int, int]] = {}  # by reason: when last reported, how many since

    def report(self, code: int, active: bool | None, detail: list[Any] | None, *, now_ms: int) -> None:
        """Report an event as a record of the gateway's own."""
        self._shared.own.report(EventBody(code, active, detail), now_ms=now_ms)

    def switched(self, feeder: int, closed: bool, rule: str, reason: int | str, *, now_ms: int) -> None:
        """Report that a contactor's demand has changed."""
        word = reason if isinstance(reason, int) else reason.encode()[:40].decode(errors="ignore")
        self.report(event.FEEDER_SWITCHED, None, [self._names[feeder], closed, rule, word], now_ms=now_ms)

    def verdicts(self, verdicts: list[AlarmChange], *, now_ms: int) -> None:
        """Report alarms that begin or end."""
        for verdict in verdicts:
            self.report(verdict.code, verdict.is_active, verdict.detail or None, now_ms=now_ms)
            self._shared.log(
                "cabinet-alarm", alarm=event_table.label(verdict.code), active=verdict.is_active, detail=verdict.detail
            )

    def outcome(
        self,
        order: bytes,
        outcome: str,
        why: str | None,
        feeder: int | None = None,
        power_dw: int | None = None,
        again: bool = False,
        *,
        now_ms: int,
    ) -> None:
        """Report the outcome of a command. With `again` it is sent only to the author of a repeated command, and not
        recorded."""
        name = None if feeder is None else self._names[feeder]
        reply = command.Outcome(order, outcome, why, name, power_dw, self._time_basis.unix_s(now_ms=now_ms))
        self._shared.publish(topic.OUTCOME, command.encode_reply(reply), limits.LEASE_S)
        if not again:
            values = {"id": order.hex(), "outcome": outcome, "why": why, "feeder": name, "power_dw": power_dw}
            self.audit("outcome", now_ms=now_ms, **values)
            self.report(event.COMMAND_OUTCOME, None, [order, outcome, why, name, power_dw], now_ms=now_ms)

    def accepted(self, order: Order, *, now_ms: int) -> None:
        """Write a new command to the audit log, before anything is reported of it."""
        self.audit("command", id=order.command.id.hex(), by=order.author, data=order.data.hex(), now_ms=now_ms)

    def refused(self, why: str, payload: bytes, *, now_ms: int) -> None:
        """Report a command whose id cannot be read, and keep it for an operator. Many at once are reported by their
        number."""
        self._shared.keep_refused(f"command-{why}", "centre", payload, now_ms=now_ms)
        count = self._count_refusal(f"command-{why}", now_ms)
        if count:
            self._shared.log("command-refused", why=why, count=count)
            self.report(event.COMMAND_OUTCOME, None, [None, "refused", why, None, None], now_ms=now_ms)
            self.audit("command-refused", why=why, bytes=len(payload), count=count, now_ms=now_ms)

    def bundle(self, verdict: PolicyVerdict, payload: bytes, *, now_ms: int) -> None:
        """Report whether a policy or a key set was accepted."""
        part, why, version = verdict.part, verdict.why, verdict.version
        if why is None:
            self._shared.log("policy-taken", part=part, version=version)
            self.audit("policy-taken", part=part, version=version, now_ms=now_ms)
            return
        self._shared.keep_refused(f"{part}-{why}", "centre", payload, now_ms=now_ms)
        if not self._count_refusal(f"{part}-{why}", now_ms):
            return
        self._shared.log("policy-refused", part=part, why=why, detail=verdict.detail)
        self.report(event.POLICY_REFUSED, None, [why, version], now_ms=now_ms)
        self.audit("policy-refused", part=part, why=why, version=version, now_ms=now_ms)

    def in_force(self, signed: SignedPolicy, *, now_ms: int) -> None:
        """Report that another policy is in force from now on."""
        policy = signed.policy
        detail = [policy.version, policy.valid_from_s, policy.valid_until_s, signed.kid]
        self.report(event.POLICY_TAKEN, None, detail, now_ms=now_ms)
        self.audit("policy-in-force", version=policy.version, kid=signed.kid.hex(), now_ms=now_ms)

    def by_hand(self, what: str, feeder: int, who: str, *, now_ms: int) -> None:
        """Report what a technician did at the cabinet."""
        name = self._names[feeder]
        self.report(event.LOCAL_ORDER, None, [what, name, who.encode()[:40].decode(errors="ignore")], now_ms=now_ms)
        self.audit(what, feeder=name, who=who, now_ms=now_ms)

    def audit(self, what: str, *, now_ms: int, **values: Any) -> None:
        """Write a line of the audit log. Lines that the card refuses wait, in order, and are tried again."""
        if self._unwritten or not self._write(what, values, now_ms):
            if not self._unwritten:
                self._retry_ms = now_ms + limits.AUDIT_RETRY_MS
                self._shared.log("audit-not-written", entry=what)
            self._unwritten.append((what, values))

    def poll(self, *, now_ms: int) -> None:
        """Try again to write what the card refused; report the audit log's head, if it is due and has moved."""
        if self._unwritten and now_ms >= self._retry_ms:
            self._retry_ms = now_ms + limits.AUDIT_RETRY_MS
            while self._unwritten and self._write(*self._unwritten[0], now_ms):
                self._unwritten.popleft()
        if now_ms < self._head_at_ms:
            return
        self._head_at_ms = now_ms + limits.AUDIT_HEAD_MS
        head = self._audit.head
        if head.entries != self._told_entries:
            self._told_entries = head.entries
            self.report(event.AUDIT_HEAD, None, [head.entries, bytes.fromhex(head.hash)], now_ms=now_ms)

    def deadline_ms(self) -> int:
        return min(self._head_at_ms, self._retry_ms) if self._unwritten else self._head_at_ms

    def _write(self, what: str, values: dict[str, Any], now_ms: int) -> bool:
        uptime_s = self._shared.clock.uptime_s(now_ms=now_ms)
        return self._audit.write(what, unix_s=self._time_basis.unix_s(now_ms=now_ms), uptime_s=uptime_s, **values)

    def _count_refusal(self, reason: str, now_ms: int) -> int:
        """Return how many there have been since the last report, with this one; 0: do not report it now."""
        told_ms, count = self._refusals.get(reason, (now_ms - limits.REFUSALS_EVERY_MS, 0))
        if now_ms - told_ms < limits.REFUSALS_EVERY_MS:
            self._refusals[reason] = (told_ms, count + 1)
            return 0
        self._refusals[reason] = (now_ms, 0)
        return count + 1


def readings(seen: Observation, closed: list[bool]) -> list[dict[int, int]]:
    """Return the readings of each record to make, none of them empty, each within wire.limits.READINGS_MAX."""
    groups = [_of_cabinet(seen)]
    groups += [_of_feeder(index + 1, feeder, closed[index]) for index, feeder in enumerate(seen.feeders)]
    records: list[dict[int, int]] = [{}]
    for group in groups:
        if len(records[-1]) + len(group) > wire_limits.READINGS_MAX:
            records.append({})
        records[-1].update(group)
    return [record for record in records if record]


def _of_cabinet(seen: Observation) -> dict[int, int]:
    linky = seen.linky
    return _present(
        0,
        {
            quantity.ENERGY: None if linky is None else linky.index_wh,
            quantity.APPARENT_POWER: None if linky is None else linky.apparent_va,
            quantity.TEMPERATURE: seen.temperature_ck,
            quantity.BATTERY: seen.ups_mv,
            quantity.ILLUMINANCE: seen.photocell_lx,
        },
    )


def _of_feeder(channel: int, feeder: FeederObservation, is_closed: bool) -> dict[int, int]:
    return _present(
        channel,
        {
            quantity.POWER: feeder.power_dw,
            quantity.ENERGY: feeder.energy_wh,
            quantity.VOLTAGE: feeder.voltage_dv,
            quantity.CURRENT: feeder.current_ma,
            quantity.LEVEL_ORDERED: 100 if is_closed else 0,
            quantity.LEVEL_REPORTED: None if feeder.feedback is None else 100 if feeder.feedback else 0,
        },
    )


def _present(channel: int, values: dict[int, int | None]) -> dict[int, int]:
    return {quantity.key(code, channel): value for code, value in values.items() if value is not None}
