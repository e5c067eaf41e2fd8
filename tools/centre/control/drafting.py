"""From what a person wants to a signed command: who they are, what it touches, what stands in its way.

The same questions are asked by the gateway, whose word holds; here they are asked first, so that a person is told at
once. The policy is the one in force as the centre holds it. A wide or a dark command has reasons to be confirmed: the
caller shows what it touches before it has it signed. Knows no clock, and no file but the connection it is given.
"""

import sqlite3
from typing import NamedTuple

from policy import ceiling, document
from tools.centre.control import communes, orders
from tools.centre.limits import CONFIRM_FEEDERS_MAX
from tools.centre.store import database
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


class Refused(Exception):
    """`key` is a sentence of `tools.centre.control.order_words`, `values` what stands in it."""

    def __init__(self, key: str, **values: object) -> None:
        super().__init__(key)
        self.key = key
        self.values = values


class Wanted(NamedTuple):
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
    """`touched`: the feeders of the policy that it is for. `confirm`: why to ask once more, empty for nothing.
    `limits`: what forbids it for some of them, whose cabinets will refuse; which those are is not known here."""

    command: command.Command
    touched: tuple[document.FeederRule, ...]
    confirm: tuple[str, ...] = ()
    limits: tuple[tuple[str, document.Limit], ...] = ()


def draft(connection: sqlite3.Connection, wanted: Wanted, kid: bytes, new_id: bytes, *, now_s: int) -> Draft:
    """A command by the operator with that key; Refused with what is in the way."""
    policy, operator = _operator(connection, wanted.insee, kid, now_s)
    _check_right(operator, wanted.kind)
    _check_times(wanted, now_s)
    if wanted.kind == command.DIRECTIVE:
        return Draft(_directive(wanted, operator, new_id), ())
    touched = addressed(policy, wanted.target)
    if not touched or (wanted.kind == command.TEST_FEEDER and touched[0].name != wanted.target):
        names = ", ".join(_names(policy, with_groups=wanted.kind != command.TEST_FEEDER))
        raise Refused("refused.target", target=wanted.target, names=names)
    limits = _limits(policy, touched, wanted, now_s)
    if len(limits) == len(touched):
        raise Refused("refused.limit", authority=limits[0][1].authority, text=limits[0][1].text)
    one = command.Command(
        new_id, wanted.kind, operator.name, wanted.reason, wanted.not_before_s, wanted.expires_s,
        wanted.insee, wanted.gateway, wanted.target, wanted.level, None, wanted.values,
    )  # fmt: skip
    return Draft(one, touched, _confirmations(touched, wanted, limits), limits)


def _directive(wanted, operator, new_id):
    """What nodes are told needs no feeder, and no limit of lighting is about it."""
    if wanted.target is not None and not is_line(wanted.target, command.NAME_BYTES_MAX):
        raise Refused("refused.scope", target=wanted.target)
    return command.Command(
        new_id, wanted.kind, operator.name, wanted.reason, wanted.not_before_s, wanted.expires_s,
        wanted.insee, wanted.gateway, wanted.target, None, None, wanted.values,
    )  # fmt: skip


def draft_end(
    connection: sqlite3.Connection, ended: command.Command, reason: str, kid: bytes, new_id: bytes, *, now_s: int
) -> Draft:
    """The end of a command, by whoever could have given it; Refused with what is in the way."""
    policy, operator = _operator(connection, ended.insee, kid, now_s)
    if ended.kind == command.END:
        raise Refused("refused.end_of_end")
    _check_right(operator, ended.kind)
    if ended.expires_s <= now_s:
        raise Refused("refused.over")
    if orders.ended_by(connection, ended.id) is not None:
        raise Refused("refused.ended")
    one = command.Command(
        new_id, command.END, operator.name, reason, now_s, min(ended.expires_s, now_s + command.WINDOW_S_MAX),
        ended.insee, ended.gateway, None, None, ended.id, None,
    )  # fmt: skip
    return Draft(one, addressed(policy, ended.target))


def addressed(policy: document.Policy, target: str | None) -> tuple[document.FeederRule, ...]:
    """The feeders of a policy that a target means: all, a group's, or one."""
    return tuple(one for one in policy.lighting.feeders if target is None or target in (one.name, one.group))


def give(connection: sqlite3.Connection, one: Draft, signer: Signer, *, now_s: int) -> orders.Kept:
    """Sign it and keep it, from where the daemon sends it; Refused when the commune has too many under way."""
    signed = cose.sign1_encode(command.encode_command(one.command), signer.kid, cose.COMMAND_AAD, signer.sign)
    try:
        with database.transaction(connection):
            orders.add(connection, signed, now_s=now_s)
    except orders.Full:
        raise Refused("refused.full") from None
    return orders.Kept(one.command, signed, signer.kid, now_s)


def _operator(connection, insee, kid, now_s):
    policy = communes.policy_in_force(connection, insee, now_s=now_s)
    if policy is None:
        raise Refused("refused.no_policy", insee=insee)
    for operator in policy.operators:
        if cose.kid_of(operator.key) == kid:
            return policy, operator
    raise Refused("refused.stranger", kid=kid.hex(), insee=insee, version=policy.version)


def _check_right(operator, kind):
    if not operator.rights & _RIGHTS[kind]:
        raise Refused("refused.right", name=operator.name)


def _check_times(wanted, now_s):
    longest_s = command.window_s_max(wanted.kind, wanted.values)
    if not 0 < wanted.expires_s - wanted.not_before_s <= longest_s:
        raise Refused("refused.duration", longest_s=longest_s)
    if wanted.expires_s <= now_s or wanted.not_before_s > now_s + AHEAD_S_MAX:
        raise Refused("refused.ahead", days=AHEAD_S_MAX // 86_400)


def _limits(policy, touched, wanted, now_s):
    """(feeder's name, Limit) of each feeder for which a limit forbids it; an emergency weighs more than all of them."""
    if wanted.kind == command.EMERGENCY:
        return ()
    first_s = max(now_s, wanted.not_before_s)
    lights = wanted.level != 0
    found = [(one.name, ceiling.broken(policy.lighting, one, first_s, wanted.expires_s, lights)) for one in touched]
    return tuple((name, limit) for name, limit in found if limit is not None)


def _confirmations(touched, wanted, limits):
    if wanted.kind != command.OVERRIDE:
        return ()  # an emergency is one tap; a test is one feeder
    is_dark_commune = wanted.level == 0 and wanted.gateway is None and wanted.target is None
    reasons = ((DARK, is_dark_commune), (MANY, len(touched) > CONFIRM_FEEDERS_MAX), (LIMITED, bool(limits)))
    return tuple(reason for reason, holds in reasons if holds)


def _names(policy, *, with_groups):
    names = [feeder.name for feeder in policy.lighting.feeders]
    return sorted(set(names + [feeder.group for feeder in policy.lighting.feeders if with_groups]))
