"""Drafts of commands: from a person's request to a signed command, through the checks of who, where, when and limits.

The same questions are asked by the gateway, whose word holds; here they are asked first, so that a person is told at
once. The policy is the one in force as the centre holds it. A wide or a dark command has reasons to be confirmed: the
caller shows what it touches before it has it signed. Knows no clock, and no file but the connection it is given.
"""

import sqlite3
from typing import NamedTuple

from policy import ceiling, document
from tools.centre.control import communes, orders
from tools.centre.control.order_words import WORDS
from tools.centre.limits import CONFIRM_FEEDERS_MAX
from tools.centre.store import database
from tools.command_line import Refused
from tools.policy.keys import Signer
from wire import command, cose
from wire.line import is_line

# Rights by the kind of command; ending one takes the right that it took to give it.
_RIGHTS = {
    command.OVERRIDE: document.OVERRIDE,
    command.EMERGENCY: document.EMERGENCY,
    command.TEST_FEEDER: document.TEST,
    command.DIRECTIVE: document.DIRECTIVE,
}
# A command may be planned so long ahead: what ends it must fit into the longest window too.
AHEAD_S_MAX = command.WINDOW_S_MAX

# Reasons to ask once more.
DARK = "confirm.dark"
MANY = "confirm.many"
LIMITED = "confirm.limited"


class NotAllowed(Refused):
    """Why a request becomes no command: the sentence under `key` in `order_words`, with its values."""

    def __init__(self, key: str, **values: object) -> None:
        self.key = key
        super().__init__(WORDS.messages[key], **values)


class Request(NamedTuple):
    """What a person asks for; fields as in `wire.command.Command`."""

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
    """A command before it is signed. `touched`: the feeders of the policy that it is for. `confirm`: why to ask again.
    `limits`: what forbids it for some of them, whose cabinets will refuse; which those are is not known here."""

    command: command.Command
    touched: tuple[document.FeederRule, ...]
    confirm: tuple[str, ...] = ()
    limits: tuple[tuple[str, document.Limit], ...] = ()


def draft(connection: sqlite3.Connection, request: Request, kid: bytes, new_id: bytes, *, now_s: int) -> Draft:
    """A command by the operator with that key; NotAllowed says what is in the way."""
    policy, operator = _operator(connection, request.insee, kid, now_s)
    _check_right(operator, request.kind)
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
    """The command that tells nodes something: it needs no feeder, and no limit of lighting is about it."""
    if request.target is not None and not is_line(request.target, command.NAME_BYTES_MAX):
        raise NotAllowed("refused.scope", target=request.target)
    return command.Command(
        new_id, request.kind, operator.name, request.reason, request.not_before_s, request.expires_s,
        request.insee, request.gateway, request.target, None, None, request.values,
    )  # fmt: skip


def draft_end(
    connection: sqlite3.Connection, ended: command.Command, reason: str, kid: bytes, new_id: bytes, *, now_s: int
) -> Draft:
    """The end of a command, by an operator who could have given it; NotAllowed says what is in the way."""
    policy, operator = _operator(connection, ended.insee, kid, now_s)
    if ended.kind == command.END:
        raise NotAllowed("refused.end_of_end")
    _check_right(operator, ended.kind)
    if ended.expires_s <= now_s:
        raise NotAllowed("refused.over")
    if orders.ended_by(connection, ended.id) is not None:
        raise NotAllowed("refused.ended")
    one = command.Command(
        new_id, command.END, operator.name, reason, now_s, min(ended.expires_s, now_s + command.WINDOW_S_MAX),
        ended.insee, ended.gateway, None, None, ended.id, None,
    )  # fmt: skip
    return Draft(one, addressed_feeders(policy, ended.target))


def addressed_feeders(policy: document.Policy, target: str | None) -> tuple[document.FeederRule, ...]:
    """The feeders of a policy that a target means: all, a group's, or one."""
    return tuple(one for one in policy.lighting.feeders if target is None or target in (one.name, one.group))


def sign_and_keep(connection: sqlite3.Connection, one: Draft, signer: Signer, *, now_s: int) -> orders.Order:
    """Sign it and keep it, from where the daemon sends it; NotAllowed when the commune has too many under way."""
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


def _check_right(operator, kind):
    if not operator.rights & _RIGHTS[kind]:
        raise NotAllowed("refused.right", name=operator.name)


def _check_times(request, now_s):
    longest_s = command.window_s_max(request.kind, request.values)
    if not 0 < request.expires_s - request.not_before_s <= longest_s:
        raise NotAllowed("refused.duration", longest_s=longest_s)
    if request.expires_s <= now_s or request.not_before_s > now_s + AHEAD_S_MAX:
        raise NotAllowed("refused.ahead", days=AHEAD_S_MAX // 86_400)


def _limits(policy, touched, request, now_s):
    """(feeder's name, Limit) of each feeder for which a limit forbids it; an emergency weighs more than all of them."""
    if request.kind == command.EMERGENCY:
        return ()
    first_s = max(now_s, request.not_before_s)
    lights = request.level != 0
    found = [(one.name, ceiling.broken(policy.lighting, one, first_s, request.expires_s, lights)) for one in touched]
    return tuple((name, limit) for name, limit in found if limit is not None)


def _confirmations(touched, request, limits):
    if request.kind != command.OVERRIDE:
        return ()  # an emergency is one tap; a test is one feeder
    is_dark_commune = request.level == 0 and request.gateway is None and request.target is None
    reasons = ((DARK, is_dark_commune), (MANY, len(touched) > CONFIRM_FEEDERS_MAX), (LIMITED, bool(limits)))
    return tuple(reason for reason, holds in reasons if holds)


def _names(policy, *, with_groups):
    names = [feeder.name for feeder in policy.lighting.feeders]
    return sorted(set(names + [feeder.group for feeder in policy.lighting.feeders if with_groups]))
