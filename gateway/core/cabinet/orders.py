"""Holds the commands in hand: from signed bytes to what a feeder must do, and the outcome of each (ARCHITECTURE,
section 6).

A command is refused with a word when it is not signed by an operator of the policy in force with the right to it, is
meant for another commune or cabinet, has expired, arrives while there is no clock to judge its expiry, was retained by
a broker, or asks for what a limit of the policy forbids (`verification`). The same bytes a second time change nothing
and get their outcome reported again. An accepted command waits for its not-before time, holds until its expiry, and
then is over, also by the monotonic clock, for UTC may be put back. When another policy comes into force, every open
order is judged again.

An id is remembered until its command has expired, ended or not: a repeated command never runs twice. It knows no
contactor: what a feeder did comes back through `report`. Directives, which are for nodes, take the same way, with a
limit of their own.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple, Protocol

from gateway.core import limits
from gateway.core.cabinet import verification
from gateway.core.cabinet.policies import SignedPolicy, Verify
from gateway.core.cabinet.verification import ACTIVE, OVER, WAITING, CabinetPlace, Order, UnknownSigner
from policy import rights
from wire import command, cose, directive
from wire.faults import WireFault

__all__ = ["ACTIVE", "OVER", "WAITING", "CabinetPlace", "Order", "Orders", "Refusal"]

RECEIVED, APPLIED, MEASURED, REFUSED = "received", "applied", "measured", "refused"
EXPIRED, ENDED, UNMEASURED = "expired", "ended", "unmeasured"


# Reported of an order as a whole, these outcomes are final.
_FINAL = (EXPIRED, ENDED, REFUSED)


class Refusal(NamedTuple):
    """Holds why a command is refused. `is_reported`: its id could be read, and its author gets the outcome."""

    why: str
    is_reported: bool


class ReportOutcome(Protocol):
    """Reports an outcome of an order: `power_dw` in 0.1 W, `again` where it was reported before."""

    def __call__(
        self,
        order: bytes,
        outcome: str,
        why: str | None,
        feeder: int | None = None,
        power_dw: int | None = None,
        again: bool = False,
        *,
        now_ms: int,
    ) -> None: ...


class Orders:
    """Accepts, begins and ends orders. `report` is called for every outcome, once, and again when a command is
    repeated; `record(order, now_ms=…)` is called before anything is reported of a new order.
    """

    def __init__(self, place: CabinetPlace, verify: Verify, report: ReportOutcome, record: Callable[..., None]) -> None:
        self.place = place
        self._verify = verify
        self._report = report
        self._record = record
        self._orders: dict[bytes, Order] = {}
        # Ids of orders that are over and forgotten, until they expire (Unix s), with their last outcome.
        self._gone: dict[bytes, tuple[int, tuple[str, str | None]]] = {}
        self._unopened: dict[bytes, dict[str | None, tuple[str, str | None]]] = {}  # recovered, of unknown signers
        self.counters = {"received": 0, "refused": 0, "again": 0, "unreadable": 0}

    # --- in -----------------------------------------------------------------------------------------------------

    def accept(
        self, data: bytes, signed: SignedPolicy | None, *, is_retained: bool, unix_s: int | None, now_ms: int
    ) -> Order | Refusal | None:
        """Return the new order in signed bytes, or its refusal; None: nothing new."""
        try:
            order = verification.open_order(data, () if signed is None else (signed,), self.place, self._verify)
        except UnknownSigner as stranger:
            return self._refuse(None, stranger.why, now_ms)
        except WireFault as fault:
            return self._refuse(None, "too-long" if fault.reason == "too-long" else "malformed", now_ms)
        key = order.command.id
        known = self._orders.get(key)
        if known is not None and known.data != data:
            return self._refuse(None, "id-taken", now_ms)
        if known is not None:
            self._report_again(known, now_ms)
            return None
        if key in self._gone:
            self.counters["again"] += 1
            outcome, word = self._gone[key][1]
            self._report(key, outcome, word or "again", again=True, now_ms=now_ms)
            return None
        why = "retained" if is_retained else "clock" if unix_s is None else None
        if why is None and unix_s is not None:
            why = verification.refusal_of(order, signed, self.place, unix_s)
        if why is None and order.command.kind == command.END:
            return self._end(order, signed, now_ms)
        if why is None and not self._has_room(order, signed, now_ms):
            why = "full"
        if why is not None:
            return self._refuse(order, why, now_ms)
        self.counters["received"] += 1
        self._orders[key] = order
        self._record(order, now_ms=now_ms)
        self.report(order, RECEIVED, now_ms=now_ms)
        self.poll(unix_s=unix_s, now_ms=now_ms)
        return order

    def recover(self, entries: Iterable[dict[str, Any]], policies: list[SignedPolicy]) -> None:
        """Recover orders and their outcomes from the audit log of earlier starts. Nothing is reported; what cannot be
        read is counted. An order whose operator is in no policy in hand waits for a policy that names him
        (`reopen`)."""
        found: dict[str, bytes] = {}
        outcomes: dict[str, dict[str | None, tuple[str, str | None]]] = {}
        for entry in entries:
            try:
                _collect(entry, found, outcomes)
            except (KeyError, TypeError, ValueError):
                self.counters["unreadable"] += 1
        is_over = {key: outcomes.get(key, {}).get(None, ("", None))[0] in _FINAL for key in found}
        # Open orders come first: orders that are over must not take their places.
        for key in sorted(found, key=lambda key: is_over[key]):
            self._unopened[found[key]] = outcomes.get(key, {})
        self.reopen(policies)

    def reopen(self, policies: list[SignedPolicy]) -> None:
        """Try again to open recovered commands, after a policy has come."""
        names = {name: index for index, (name, _group) in enumerate(self.place.feeders)}
        for data, outcomes in list(self._unopened.items()):
            try:
                order = verification.open_order(data, policies, self.place, self._verify)
            except UnknownSigner:
                continue
            except WireFault:
                self.counters["unreadable"] += 1
                del self._unopened[data]
                continue
            del self._unopened[data]
            if order.command.kind == command.END or order.command.id in self._orders:
                continue
            order.reported = {names.get(name) if name is not None else None: word for name, word in outcomes.items()}
            if outcomes.get(None, ("", None))[0] in _FINAL:
                order.state = OVER
            if order.state == OVER or len(self._like(order)) >= _room_for(order):
                self._remember_gone(order)
            else:
                self._orders[order.command.id] = order

    def review(self, signed: SignedPolicy | None, unix_s: int, *, now_ms: int) -> None:
        """Judge every open order by another policy, with the feeders as that policy names them."""
        for order in self._orders.values():
            if order.state == OVER:
                continue
            order.feeders = verification.addressed(order.command, self.place)
            why = verification.refusal_of(order, signed, self.place, unix_s)
            if why is not None:
                order.state = OVER
                outcome, why = (EXPIRED, None) if why == "expired" else (REFUSED, why)
                self.report(order, outcome, why, now_ms=now_ms)

    def poll(self, *, unix_s: int | None, now_ms: int) -> None:
        """Begin orders whose time has come, end those that are over. Without a clock nothing begins; active orders end
        by the monotonic clock.
        """
        for order in self._orders.values():
            if order.state == OVER:
                continue
            self._bound(order, unix_s, now_ms)
            is_past = unix_s is not None and unix_s >= order.command.expires_s
            if is_past or (order.ends_ms is not None and now_ms >= order.ends_ms):
                order.state = OVER
                self.report(order, EXPIRED, now_ms=now_ms)
            elif order.state == WAITING and unix_s is not None and unix_s >= order.command.not_before_s:
                order.state = ACTIVE
                self._outdate(order, now_ms)
        if unix_s is not None and self._gone:
            self._gone = {key: gone for key, gone in self._gone.items() if gone[0] > unix_s}

    # --- queries ------------------------------------------------------------------------------------------------

    def in_force(self, feeder: int | None) -> tuple[Order | None, Order | None]:
        """Return what holds for a feeder now (None: for the whole cabinet): the emergency that lights it, and the
        centre's override or test. The latest of several wins (TALQ)."""
        emergency = override = None
        for order in self._orders.values():
            is_meant = order.command.target is None if feeder is None else feeder in order.feeders
            if order.state != ACTIVE or not is_meant:
                continue
            if order.is_emergency:
                emergency = order
            elif order.command.kind in (command.OVERRIDE, command.TEST_FEEDER):
                override = order
        return emergency, override

    def lowers(self, feeder: int) -> bool:
        """Return whether an order keeps the lamps of a feeder below what the policy gives."""
        _, override = self.in_force(feeder)
        return override is not None and override.lowers

    def known(self) -> list[Order]:
        """Return every order in hand, in the order of arrival."""
        return list(self._orders.values())

    def unopened(self) -> list[tuple[bytes, command.Command]]:
        """Return the recovered commands that no policy in hand vouches for, as (signed bytes, their content), not
        verified."""
        return list(_read(self._unopened))

    def next_s(self, unix_s: int) -> int | None:
        """Return the next UTC second at which an order begins or ends."""
        instants = [
            instant
            for order in self._orders.values()
            if order.state != OVER
            for instant in (order.command.not_before_s, order.command.expires_s)
            if instant > unix_s
        ]
        return min(instants, default=None)

    def deadline_ms(self) -> int | None:
        """Return when an order ends by the monotonic clock, which a change of UTC cannot postpone."""
        ends = [order.ends_ms for order in self._orders.values() if order.state != OVER and order.ends_ms is not None]
        return min(ends, default=None)

    # --- outcomes -----------------------------------------------------------------------------------------------

    def report(
        self,
        order: Order,
        outcome: str,
        why: str | None = None,
        feeder: int | None = None,
        power_dw: int | None = None,
        *,
        now_ms: int,
    ) -> None:
        """Report an outcome at one feeder (None: of the whole order), unless it was the last one reported."""
        if order.reported.get(feeder) != (outcome, why):
            order.reported[feeder] = (outcome, why)
            self._report(order.command.id, outcome, why, feeder, power_dw, now_ms=now_ms)

    # --- inside -------------------------------------------------------------------------------------------------

    def _refuse(self, order: Order | None, why: str, now_ms: int) -> Refusal:
        self.counters["refused"] += 1
        if order is not None:
            self._report(order.command.id, REFUSED, why, now_ms=now_ms)
        return Refusal(why, order is not None)

    def _report_again(self, known: Order, now_ms: int) -> None:
        self.counters["again"] += 1
        for feeder, (outcome, why) in known.reported.items():
            self._report(known.command.id, outcome, why or "again", feeder, again=True, now_ms=now_ms)

    def _end(self, order: Order, signed: SignedPolicy | None, now_ms: int) -> Refusal | None:
        """End an order, if the operator has the right to give such an order. An END takes no place; a repeated END
        finds nothing to end."""
        ended = self._orders.get(order.command.ends)
        if ended is None:
            return self._refuse(order, "unknown", now_ms)
        operator = verification.operator_of(order, signed)
        is_own = order.kid == ended.kid
        if operator is None or not rights.may_end(operator, ended.command, is_own=is_own):
            return self._refuse(order, "right", now_ms)
        is_new = ended.state != OVER
        if is_new:
            self._record(order, now_ms=now_ms)
            ended.state = OVER
            self.report(ended, ENDED, now_ms=now_ms)
        self._report(order.command.id, APPLIED, None if is_new else "again", again=not is_new, now_ms=now_ms)
        return None

    def _bound(self, order: Order, unix_s: int | None, now_ms: int) -> None:
        """Set its end on the monotonic clock, from the first good time on. An emergency whose end has come by a clock
        that was wrong continues to the right end, within the length it was given: light is the safe side."""
        if unix_s is None:
            return
        left_ms = 1000 * max(0, order.command.expires_s - unix_s)
        if order.ends_ms is None:
            order.ends_ms = now_ms + left_ms
            length_s = order.command.expires_s - order.command.not_before_s
            waits_s = max(0, order.command.not_before_s - unix_s)
            order.until_ms = now_ms + 1000 * (waits_s + length_s)
        elif order.is_emergency and order.until_ms is not None and now_ms + left_ms > order.ends_ms:
            order.ends_ms = min(now_ms + left_ms, order.until_ms)

    def _has_room(self, order: Order, signed: SignedPolicy | None, now_ms: int) -> bool:
        """Make room if need be. One person's orders never displace another's, and no order displaces an emergency."""
        alike = self._like(order)
        open_ones = [one for one in alike if one.state != OVER]
        operator = verification.operator_of(order, signed)
        is_bounded = operator is None or rights.is_bounded(operator, order.command.kind)
        if is_bounded and sum(one.kid == order.kid for one in open_ones) >= limits.ORDERS_OF_ONE_MAX:
            return False
        if len(alike) < _room_for(order):
            return True
        for one in alike:
            if one.state == OVER:
                self._remember_gone(self._orders.pop(one.command.id))
                return True
        displaced = next((one for one in open_ones if not one.is_emergency), None)
        if is_bounded or displaced is None:
            return False
        self.report(displaced, REFUSED, "full", now_ms=now_ms)
        self._remember_gone(self._orders.pop(displaced.command.id))
        return True

    def _like(self, order: Order) -> list[Order]:
        """Return the orders that share its limit: those for contactors, or those for nodes."""
        return [one for one in self._orders.values() if one.is_directive == order.is_directive]

    def _outdate(self, order: Order, now_ms: int) -> None:
        """End older weather of the same scope when newer has begun. A person's decision is only hidden by a later one,
        and holds again when that ends."""
        for one in self._like(order) if order.is_directive else ():
            is_older = one is not order and one.state == ACTIVE and one.command.target == order.command.target
            if is_older and one.command.values.keys() <= order.command.values.keys() - set(directive.DECISIONS):
                one.state = OVER
                self.report(one, ENDED, "later", now_ms=now_ms)

    def note_used(self, ids: set[bytes], *, now_ms: int) -> None:
        """Report these directives as applied: a node has received them."""
        for order in self._orders.values():
            if order.command.id in ids:
                self.report(order, APPLIED, now_ms=now_ms)

    def _remember_gone(self, order: Order) -> None:
        while len(self._gone) >= limits.ORDERS_GONE_MAX:
            del self._gone[min(self._gone, key=lambda key: self._gone[key][0])]
        last = order.reported.get(None, ("", None))
        self._gone[order.command.id] = order.command.expires_s, last if last[0] in _FINAL else (ENDED, None)


def entries_of(kept: Iterable[bytes]) -> Iterator[dict[str, Any]]:
    """Yield signed commands that were kept elsewhere, in the form that `recover` accepts."""
    for data, asked in _read(kept):
        yield {"what": "command", "id": asked.id.hex(), "data": data.hex()}


def _read(signed: Iterable[bytes]) -> Iterator[tuple[bytes, command.Command]]:
    """Decode signed commands without verifying them. What cannot be read is left out."""
    for data in signed:
        try:
            message = cose.sign1_decode(data, bytes_max=command.SIGNED_COMMAND_BYTES_MAX)
            asked = command.decode_command(message.payload)
        except WireFault:
            continue
        yield data, asked


def _room_for(order: Order) -> int:
    return limits.DIRECTIVES_SIGNED_MAX if order.is_directive else limits.ORDERS_MAX


def _collect(
    entry: dict[str, Any], found: dict[str, bytes], outcomes: dict[str, dict[str | None, tuple[str, str | None]]]
) -> None:
    """Add one line of the audit log. KeyError, TypeError or ValueError when it has been damaged."""
    if entry["what"] == "command":
        found.setdefault(str(entry["id"]), bytes.fromhex(entry["data"]))
    elif entry["what"] == "outcome":
        feeder, outcome, why = entry.get("feeder"), entry["outcome"], entry.get("why")
        if not isinstance(outcome, str) or not all(one is None or isinstance(one, str) for one in (feeder, why)):
            raise ValueError("outcome")
        outcomes.setdefault(str(entry["id"]), {})[feeder] = (outcome, why)
