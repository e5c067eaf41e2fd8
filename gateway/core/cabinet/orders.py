"""Commands in hand: from signed bytes to what a feeder must do, and what became of each (DESIGN section 6).

A command is refused with a word when it is not signed by an operator of the policy in force with the right to it, is
meant for another commune or cabinet, has expired, comes without a clock to judge that by, was retained by a broker,
or asks for what a limit of the policy forbids. The same id a second time changes nothing and is told its outcome
again. An accepted one waits for its not-before, holds until its expiry, and is over with it: also by the monotonic
clock, for UTC may be put back. Knows no contactor: what a feeder did comes back through `say`.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

from gateway.core.cabinet import limits
from gateway.core.cabinet.policies import Taken, Verify
from policy import ceiling, document
from wire import command, cose
from wire.command import Command
from wire.faults import WireFault

_RIGHT = {
    command.OVERRIDE: document.OVERRIDE,
    command.EMERGENCY: document.EMERGENCY,
    command.TEST_FEEDER: document.TEST,
}
RECEIVED, APPLIED, MEASURED, REFUSED = "received", "applied", "measured", "refused"
EXPIRED, ENDED, UNMEASURED = "expired", "ended", "unmeasured"
WAITING, ACTIVE, OVER = "waiting", "active", "over"


class Place(NamedTuple):
    """This cabinet: where it is, and its feeders as (name, group) in the order of the configuration."""

    insee: str
    gateway: str
    feeders: tuple[tuple[str, str], ...]


class Refusal(NamedTuple):
    """`is_told`: its author's id could be read, and has been told the outcome."""

    why: str
    is_told: bool


@dataclass
class Order:
    """One accepted command. `ends_ms`: monotonic, at the latest. `told`: the last outcome by feeder (None: of the
    whole).
    """

    command: Command
    data: bytes
    author: str
    kid: bytes
    feeders: tuple[int, ...]
    state: str = WAITING
    ends_ms: int | None = None
    told: dict[int | None, str] = field(default_factory=dict)

    @property
    def closes(self) -> bool:
        """Whether it wants light."""
        return self.command.kind != command.OVERRIDE or self.command.level > 0


Tell = Callable[[bytes, str, str | None, int | None, int | None], None]  # id, outcome, why, feeder, power in 0.1 W


class Orders:
    """See the module. `tell(id, outcome, why, feeder, power_dw)` is called for every outcome, once."""

    def __init__(self, place: Place, verify: Verify, tell: Tell) -> None:
        self.place = place
        self._verify = verify
        self._tell = tell
        self._orders: dict[bytes, Order] = {}
        self.counters = {"received": 0, "refused": 0, "again": 0}

    # --- in -----------------------------------------------------------------------------------------------------

    def take(
        self, data: bytes, taken: Taken | None, *, is_retained: bool, unix_s: int | None, now_ms: int
    ) -> Order | Refusal:
        """The order behind signed bytes, or its refusal."""
        try:
            order, why = self._judge(data, taken, is_retained=is_retained, unix_s=unix_s)
        except WireFault as fault:
            order, why = None, "too-long" if fault.reason == "too-long" else "malformed"
        if order is None:
            assert why is not None
            self.counters["refused"] += 1
            return Refusal(why, False)
        known = self._orders.get(order.command.id)
        if known is not None and known.data != data:
            self.counters["refused"] += 1
            return Refusal("id-taken", False)
        if known is not None:
            self.counters["again"] += 1
            for feeder, outcome in known.told.items():
                self._tell(order.command.id, outcome, "again", feeder, None)
            return known
        if why is None and len(self._orders) >= limits.ORDERS_MAX and not self._forget_over():
            why = "full"
        if why is not None:
            self.counters["refused"] += 1
            self._tell(order.command.id, REFUSED, why, None, None)
            return Refusal(why, True)
        self.counters["received"] += 1
        self._orders[order.command.id] = order
        self._say(order, RECEIVED)
        self._accept(order, unix_s, now_ms)
        return order

    def recover(self, data: bytes, told: dict[int | None, str], taken: Taken | None) -> None:
        """An order of an earlier life, from the audit log; verified again. Nothing is told."""
        try:
            order, why = self._judge(data, taken, is_retained=False, unix_s=None, is_recovery=True)
        except WireFault:
            return
        if order is not None and why is None and len(self._orders) < limits.ORDERS_MAX:
            order.told.update(told)
            order.state = OVER if told.get(None) in (EXPIRED, ENDED) else WAITING
            self._orders[order.command.id] = order

    def poll(self, *, unix_s: int | None, now_ms: int) -> None:
        """Begin what has come, end what is over. Without a clock nothing begins; what runs ends by the monotonic
        clock.
        """
        for order in self._orders.values():
            if order.state == OVER:
                continue
            if unix_s is not None and order.ends_ms is None:
                order.ends_ms = now_ms + 1000 * max(0, order.command.expires_s - unix_s)
            is_past = unix_s is not None and unix_s >= order.command.expires_s
            if is_past or (order.ends_ms is not None and now_ms >= order.ends_ms):
                order.state = OVER
                self._say(order, EXPIRED)
            elif order.state == WAITING and unix_s is not None and unix_s >= order.command.not_before_s:
                order.state = ACTIVE

    # --- what others ask ----------------------------------------------------------------------------------------

    def emergency(self, feeder: int) -> Order | None:
        """The emergency that lights a feeder now; the latest of several."""
        return self._latest(feeder, (command.EMERGENCY,))

    def override(self, feeder: int) -> Order | None:
        """The override or test of the centre that holds for a feeder; the latest of several wins (TALQ)."""
        return self._latest(feeder, (command.OVERRIDE, command.TEST_FEEDER))

    def known(self) -> list[Order]:
        """Every order in hand, in the order of arrival."""
        return list(self._orders.values())

    def next_s(self, unix_s: int) -> int | None:
        """The next UTC second at which one begins or ends."""
        instants = [
            instant
            for order in self._orders.values()
            if order.state != OVER
            for instant in (order.command.not_before_s, order.command.expires_s)
            if instant > unix_s
        ]
        return min(instants, default=None)

    # --- what became of it --------------------------------------------------------------------------------------

    def say(
        self, order: Order, outcome: str, why: str | None = None, feeder: int | None = None, power_dw: int | None = None
    ) -> None:
        """Tell an outcome of one feeder, unless it was the last one told."""
        key = outcome if why is None else f"{outcome} {why}"
        if order.told.get(feeder) != key:
            order.told[feeder] = key
            self._tell(order.command.id, outcome, why, feeder, power_dw)

    def _say(self, order: Order, outcome: str) -> None:
        self.say(order, outcome)

    # --- inside -------------------------------------------------------------------------------------------------

    def _judge(
        self, data: bytes, taken: Taken | None, *, is_retained: bool, unix_s: int | None, is_recovery: bool = False
    ) -> tuple[Order | None, str | None]:
        """The order with the word against it, if any; no order where nobody can be named. WireFault for nonsense."""
        message = cose.sign1_decode(data, bytes_max=command.SIGNED_COMMAND_BYTES_MAX)
        operators = () if taken is None else taken.policy.operators
        kid, signature, _ = message.signatures[0]
        operator = next((one for one in operators if cose.kid_of(one.key) == kid), None)
        if operator is None:
            return None, "stranger"
        if not self._verify(operator.key, signature, cose.to_be_signed(message, cose.COMMAND_AAD)):
            return None, "signature"
        asked = command.decode_command(message.payload)
        feeders = self._addressed(asked)
        order = Order(asked, data, f"{asked.author} ({operator.name})"[:80], kid, feeders)
        return order, None if is_recovery else self._against(order, operator, taken, is_retained, unix_s)

    def _against(
        self, order: Order, operator: document.Operator, taken: Taken | None, is_retained: bool, unix_s: int | None
    ) -> str | None:
        asked = order.command
        if is_retained:
            return "retained"
        if asked.insee != self.place.insee or asked.gateway not in (None, self.place.gateway):
            return "scope"
        if asked.kind != command.END and not operator.rights & _RIGHT[asked.kind]:
            return "right"
        if unix_s is None:
            return "clock"
        if unix_s >= asked.expires_s:
            return "expired"
        if asked.kind == command.END:
            ended = self._orders.get(asked.ends)
            if ended is None:
                return "unknown"
            # Whoever could have ordered it may end it.
            return None if operator.rights & _RIGHT.get(ended.command.kind, 0) else "right"
        if not order.feeders:
            return "scope"
        if asked.kind == command.EMERGENCY:
            return None
        assert taken is not None
        rules = taken.policy.lighting
        named = [_rule(rules, *self.place.feeders[index]) for index in order.feeders]
        first_s = max(unix_s, asked.not_before_s)
        broken = (ceiling.broken(rules, one, first_s, asked.expires_s, order.closes) for one in named)
        return "limit" if any(limit is not None for limit in broken) else None

    def _accept(self, order: Order, unix_s: int | None, now_ms: int) -> None:
        if order.command.kind == command.END:
            ended = self._orders[order.command.ends]
            if ended.state != OVER:
                ended.state = OVER
                self._say(ended, ENDED)
            order.state = OVER
            self._say(order, APPLIED)
            return
        self.poll(unix_s=unix_s, now_ms=now_ms)

    def _addressed(self, asked: Command) -> tuple[int, ...]:
        return tuple(
            index for index, names in enumerate(self.place.feeders) if asked.target is None or asked.target in names
        )

    def _latest(self, feeder: int, kinds: tuple[int, ...]) -> Order | None:
        found = None
        for order in self._orders.values():
            if order.state == ACTIVE and order.command.kind in kinds and feeder in order.feeders:
                found = order
        return found

    def _forget_over(self) -> bool:
        """Make room: the oldest that is over. Its id is refused by its expiry if it comes again."""
        for key, order in self._orders.items():
            if order.state == OVER:
                del self._orders[key]
                return True
        return False


def _rule(rules: document.Lighting, name: str, group: str) -> document.FeederRule:
    """The policy's line for a feeder; one that it does not name is bound by what binds everything."""
    found = next((rule for rule in rules.feeders if rule.name == name), None)
    return document.FeederRule(name, document.SWITCHED, 0, group) if found is None else found
