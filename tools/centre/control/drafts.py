"""Turns a person's request into a signed command, after checks of the person's rights, the place, the time and the
limits.

The gateway makes the same checks, and its answer decides; here they come first, so that a person sees a refusal at
once. They use the policy in force as the centre holds it. A command for many feeders or for darkness has reasons to be
confirmed: the caller shows the feeders concerned before it has the command signed. Must use no clock, and no file but
the connection it is given.
"""

from typing import NamedTuple

from policy import ceiling, document, limits, rights
from tools.centre.control import communes, orders
from tools.centre.control.order_words import WORDS
from tools.centre.limits import COMMANDS_OF_ONE_MAX, CONFIRM_FEEDERS_MAX
from tools.centre.store import database, sqlite_file
from tools.command_line import Refused
from tools.policy import keys
from tools.policy.keys import Signer
from wire import command, cose
from wire.faults import WireFault
from wire.line import is_line

# The longest time that a command may be planned ahead: the window of an END of it must not exceed the longest window
# either.
AHEAD_S_MAX = command.WINDOW_S_MAX

# Reasons to have a command confirmed.
DARK = "confirm.dark"
LOWERED = "confirm.lowered"
MANY = "confirm.many"
LIMITED = "confirm.limited"


class NotAllowed(Refused):
    """Is raised when a request becomes no command: the sentence under `key` in `order_words`, with its values, says
    why."""

    def __init__(self, key: str, **values: object) -> None:
        self.key = key
        super().__init__(WORDS.messages[key], **values)


class Request(NamedTuple):
    """Holds what a person asks for; its fields are those of `wire.command.Command`."""

    kind: int
    insee: str
    gateway: str | None
    target: str | None
    level: int | None
    reason: str
    not_before_s: int
    expires_s: int
    values: dict[int, int] | None = None


class Draft(NamedTuple):
    """Holds a command before it is signed. `touched`: the feeders of the policy that it is for. `confirm`: reasons to
    confirm it. `limits`: (feeder, limit) where a limit forbids it; the cabinets that have these feeders will refuse,
    but it is not known here which cabinets those are."""

    command: command.Command
    touched: tuple[document.FeederRule, ...]
    confirm: tuple[str, ...] = ()
    limits: tuple[tuple[str, document.Limit], ...] = ()


def draft(connection: sqlite_file.Connection, request: Request, kid: bytes, new_id: bytes, *, now_s: int) -> Draft:
    """Returns a command by the operator with that key; NotAllowed says why there is none."""
    policy, operator = _operator(connection, request.insee, kid, now_s)
    _check_right(operator, request, now_s)
    _check_times(request, now_s)
    if request.kind == command.DIRECTIVE:
        return Draft(_directive(request, operator, new_id), ())
    touched = addressed_feeders(policy, request.target)
    if not touched or (request.kind == command.TEST_FEEDER and touched[0].name != request.target):
        names = ", ".join(_names(policy, with_groups=request.kind != command.TEST_FEEDER))
        raise NotAllowed("refused.target", target=request.target, names=names)
    limits = _limits(policy, touched, request, now_s)
    if len(limits) == len(touched):
        raise NotAllowed("refused.limit", authority=limits[0][1].authority, text=limits[0][1].text)
    one = command.Command(
        new_id, request.kind, operator.name, request.reason, request.not_before_s, request.expires_s,
        request.insee, request.gateway, request.target, request.level, None, request.values,
    )  # fmt: skip
    return Draft(one, touched, _confirmations(touched, request, limits), limits)


def _directive(request, operator, new_id):
    """Returns the command that carries a directive to nodes: it needs no feeder, and no limit of lighting applies to
    it."""
    if request.target is not None and not is_line(request.target, command.NAME_BYTES_MAX):
        raise NotAllowed("refused.scope", target=request.target)
    return command.Command(
        new_id, request.kind, operator.name, request.reason, request.not_before_s, request.expires_s,
        request.insee, request.gateway, request.target, None, None, request.values,
    )  # fmt: skip


def draft_end(
    connection: sqlite_file.Connection, order: orders.Order, reason: str, kid: bytes, new_id: bytes, *, now_s: int
) -> Draft:
    """Returns the end of a command, by an operator who could have given that command; NotAllowed says why there is
    none."""
    ended = order.command
    policy, operator = _operator(connection, ended.insee, kid, now_s)
    if ended.kind == command.END:
        raise NotAllowed("refused.end_of_end")
    if not rights.may_end(operator, ended, is_own=kid == order.kid):
        raise NotAllowed("refused.right", name=operator.name)
    if ended.expires_s <= now_s:
        raise NotAllowed("refused.over")
    if orders.ended_by(connection, ended.id) is not None:
        raise NotAllowed("refused.ended")
    one = command.Command(
        new_id, command.END, operator.name, reason, now_s, min(ended.expires_s, now_s + command.WINDOW_S_MAX),
        ended.insee, ended.gateway, None, None, ended.id, None,
    )  # fmt: skip
    return Draft(one, addressed_feeders(policy, ended.target))


def checked(connection: sqlite_file.Connection, signed: bytes, *, now_s: int) -> orders.Order:
    """Returns an order that was signed elsewhere, where it is one that would have been drafted here; NotAllowed says
    why it is not."""
    try:
        order = orders.opened(signed, now_s)
    except WireFault:
        raise NotAllowed("refused.malformed") from None
    asked = order.command
    if asked.kind == command.END:
        ended = orders.get(connection, asked.ends)
        if ended is None:
            raise NotAllowed("refused.command", id=asked.ends.hex())
        one = draft_end(connection, ended, asked.reason, order.kid, asked.id, now_s=now_s).command
        one = one._replace(not_before_s=asked.not_before_s, expires_s=asked.expires_s)
    else:
        request = Request(
            asked.kind, asked.insee, asked.gateway, asked.target, asked.level, asked.reason, asked.not_before_s,
            asked.expires_s, asked.values,
        )  # fmt: skip
        one = draft(connection, request, order.kid, asked.id, now_s=now_s).command
    _, operator = _operator(connection, asked.insee, order.kid, now_s)
    message = cose.sign1_decode(signed, bytes_max=command.SIGNED_COMMAND_BYTES_MAX)
    if not keys.verify(operator.key, message.signatures[0].signature, cose.to_be_signed(message, cose.COMMAND_AAD)):
        raise NotAllowed("refused.signature")
    if one != asked or asked.expires_s <= now_s:
        raise NotAllowed("refused.malformed")
    is_new = asked.kind != command.END and orders.get(connection, asked.id) is None
    if is_new and orders.count_open(connection, order.kid, now_s=now_s) >= COMMANDS_OF_ONE_MAX:
        raise NotAllowed("refused.full")
    return order


def addressed_feeders(policy: document.Policy, target: str | None) -> tuple[document.FeederRule, ...]:
    """Returns the feeders of a policy that a target names: all, those of a group, or one."""
    return tuple(one for one in policy.lighting.feeders if target is None or target in (one.name, one.group))


def sign_and_keep(connection: sqlite_file.Connection, one: Draft, signer: Signer, *, now_s: int) -> orders.Order:
    """Signs the command and keeps it in the file, from where the daemon sends it; NotAllowed when the commune has too
    many under way."""
    signed = cose.sign1_encode(command.encode_command(one.command), signer.kid, cose.COMMAND_AAD, signer.sign)
    try:
        with database.transaction(connection):
            orders.add(connection, signed, now_s=now_s)
    except orders.Full:
        raise NotAllowed("refused.full") from None
    return orders.Order(one.command, signed, signer.kid, now_s)


def _operator(connection, insee, kid, now_s):
    policy = communes.policy_in_force(connection, insee, now_s=now_s)
    if policy is None:
        raise NotAllowed("refused.no_policy", insee=insee)
    for operator in policy.operators:
        if cose.kid_of(operator.key) == kid:
            return policy, operator
    raise NotAllowed("refused.stranger", kid=kid.hex(), insee=insee, version=policy.version)


def _check_right(operator, request, now_s):
    why = rights.fault(operator, request, now_s)
    if why is not None:
        raise NotAllowed(f"refused.{why}", name=operator.name, hours=limits.light_s_max // 3600)


def _check_times(request, now_s):
    longest_s = command.window_s_max(request.kind, request.values)
    if not 0 < request.expires_s - request.not_before_s <= longest_s:
        raise NotAllowed("refused.duration", longest_s=longest_s)
    if request.expires_s <= now_s or request.not_before_s > now_s + AHEAD_S_MAX:
        raise NotAllowed("refused.ahead", days=AHEAD_S_MAX // 86_400)


def _limits(policy, touched, request, now_s):
    """Returns (feeder's name, Limit) of each feeder for which a limit forbids it; an emergency overrides every
    limit."""
    if request.kind == command.EMERGENCY:
        return ()
    first_s = max(now_s, request.not_before_s)
    level = 100 if request.level is None else request.level
    found = [(one.name, ceiling.broken(policy.lighting, one, first_s, request.expires_s, level)) for one in touched]
    return tuple((name, limit) for name, limit in found if limit is not None)


def _confirmations(touched, request, limits):
    if request.kind != command.OVERRIDE:
        return ()  # an emergency must need one tap only; a test concerns one feeder
    is_whole = request.gateway is None and request.target is None
    darkens = ((DARK, is_whole and request.level == 0), (LOWERED, is_whole and 0 < request.level < 100))
    reasons = (*darkens, (MANY, len(touched) > CONFIRM_FEEDERS_MAX), (LIMITED, bool(limits)))
    return tuple(reason for reason, holds in reasons if holds)


def _names(policy, *, with_groups):
    names = [feeder.name for feeder in policy.lighting.feeders]
    return sorted(set(names + [feeder.group for feeder in policy.lighting.feeders if with_groups]))
