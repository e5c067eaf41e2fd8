"""Judges a command: signature, operator, right, place, time, law. It must keep nothing and report nothing."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from gateway.core.cabinet.policies import SignedPolicy, Verify
from policy import ceiling, document, rights
from wire import command, cose
from wire.command import Command

WAITING, ACTIVE, OVER = "waiting", "active", "over"


class CabinetPlace(NamedTuple):
    """Describes this cabinet: where it is, and its feeders as (name, group) in the order of the configuration."""

    insee: str
    gateway: str
    feeders: tuple[tuple[str, str], ...]


@dataclass
class Order:
    """Holds one accepted command. `ends_ms`: monotonic, at the latest; `until_ms`: never later, even if the clock is
    put back. `reported`: the last (outcome, why) reported by feeder (None: of the whole order).
    """

    command: Command
    data: bytes
    author: str
    kid: bytes
    feeders: tuple[int, ...]
    state: str = WAITING
    ends_ms: int | None = None
    until_ms: int | None = None
    reported: dict[int | None, tuple[str, str | None]] = field(default_factory=dict)

    @property
    def level_percent(self) -> int:
        """Returns the light that the order demands."""
        return int(self.command.level) if self.command.kind == command.OVERRIDE else 100

    @property
    def closes(self) -> bool:
        """Returns True when the order demands light."""
        return self.level_percent > 0

    @property
    def lowers(self) -> bool:
        """Returns True for a level between dark and full: lamps with a controller keep it, no contactor can."""
        return 0 < self.level_percent < 100

    @property
    def is_directive(self) -> bool:
        """Returns True when the order is for nodes, not for contactors."""
        return bool(self.command.kind == command.DIRECTIVE)

    @property
    def is_emergency(self) -> bool:
        return bool(self.command.kind == command.EMERGENCY)


class UnknownSigner(Exception):
    """Is raised when no operator of a policy has signed the command; `why` is a word of wire.command.WHY."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


def open_order(data: bytes, policies: Iterable[SignedPolicy], place: CabinetPlace, verify: Verify) -> Order:
    """Return the order in signed bytes, by an operator of one of these policies. UnknownSigner, or WireFault for
    nonsense.
    """
    message = cose.sign1_decode(data, bytes_max=command.SIGNED_COMMAND_BYTES_MAX)
    kid, signature, _ = message.signatures[0]
    operators = [one for signed in policies for one in signed.policy.operators if cose.kid_of(one.key) == kid]
    if not operators:
        raise UnknownSigner("stranger")
    if not verify(operators[0].key, signature, cose.to_be_signed(message, cose.COMMAND_AAD)):
        raise UnknownSigner("signature")
    asked = command.decode_command(message.payload)
    author = f"{asked.author} ({operators[0].name})"[:80]
    return Order(asked, data, author, kid, addressed(asked, place))


def addressed(asked: Command, place: CabinetPlace) -> tuple[int, ...]:
    """Return the feeders that a target names here: all, a group's, or one; none for directives."""
    if asked.kind == command.DIRECTIVE:
        return ()
    return tuple(index for index, names in enumerate(place.feeders) if asked.target is None or asked.target in names)


def operator_of(order: Order, signed: SignedPolicy | None) -> document.Operator | None:
    """Return the operator of this policy who signed the order."""
    operators = () if signed is None else signed.policy.operators
    return next((one for one in operators if cose.kid_of(one.key) == order.kid), None)


def refusal_of(order: Order, signed: SignedPolicy | None, place: CabinetPlace, unix_s: int) -> str | None:
    """Return the word for what forbids an order under this policy, now and for its whole duration; None: nothing.
    Of an END only scope and expiry are judged: `Orders` checks who may end it, where both orders are known."""
    asked = order.command
    operator = operator_of(order, signed)
    if operator is None:
        return "stranger"
    if asked.insee != place.insee or asked.gateway not in (None, place.gateway):
        return "scope"
    if unix_s >= asked.expires_s:
        return "expired"
    why = rights.fault(operator, asked, unix_s)
    if why is not None or asked.kind == command.END:
        return why
    if asked.not_before_s > unix_s + command.WINDOW_S_MAX:
        return "too-early"
    if order.is_directive:
        return None  # its nodes are known when they ask: kinds and groups may come later
    if not order.feeders:
        return "scope"
    assert signed is not None
    return None if order.is_emergency or not _breaks_limit(order, signed.policy.lighting, place, unix_s) else "limit"


def _breaks_limit(order: Order, rules: document.Lighting, place: CabinetPlace, unix_s: int) -> bool:
    first_s = max(unix_s, order.command.not_before_s)
    named = [_rule(rules, *place.feeders[index]) for index in order.feeders]
    broken = (ceiling.broken(rules, one, first_s, order.command.expires_s, order.level_percent) for one in named)
    return any(limit is not None for limit in broken)


def _rule(rules: document.Lighting, name: str, group: str) -> document.FeederRule:
    """Return the policy's line for a feeder; a feeder that it does not name is bound by the general limits."""
    found = next((rule for rule in rules.feeders if rule.name == name), None)
    return document.FeederRule(name, document.SWITCHED, 0, group) if found is None else found
