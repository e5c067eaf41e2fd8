"""Judges whether an operator of a policy may give or end a command.

The centre asks before a person signs, so that a refusal is seen at once; the cabinet asks again, and its answer
decides. A right is a bit of `policy.document`. LIGHT is the least of them, made for a key that lives in the telephone
of an elected person: it lights (an emergency), for a while, from now on, and ends what it has lit itself. Nothing else
can be done with such a telephone when it is lost, and a night of light takes a new signature every few hours.

HEAT and DRY are a referent's: hours of `wire.directive`, for one node and within a day. The node itself enforces
limits, drought orders and frost protection against any order.
"""

from policy import document, limits
from wire import command, directive

_NEEDED = {
    command.OVERRIDE: document.OVERRIDE,
    command.EMERGENCY: document.EMERGENCY,
    command.TEST_FEEDER: document.TEST,
    command.DIRECTIVE: document.DIRECTIVE,
}
_OF_HOURS = {directive.OCCUPIED: document.HEAT, directive.DRY: document.DRY}
# Some hours of one civil day, the one of October that has 25 with them. Not in `limits`, which every lamp loads.
HOURS_S_MAX = 25 * 3600
_NODE_DIGITS = 16


def fault(operator, asked, unix_s):
    """Returns the word of `wire.command.WHY` for what keeps this operator from a command at `unix_s`, or None.

    `asked`: has the kind, target, values, not_before_s and expires_s of a command. Of an END only the key's own time is
    judged: `may_end` needs the command that it ends."""
    if operator.until_s and unix_s >= operator.until_s:
        return "key-lapsed"
    if asked.kind == command.END or operator.rights & _NEEDED[asked.kind]:
        return None
    if not _has_narrow(operator, asked):
        return "right"
    lasts_s = asked.expires_s - asked.not_before_s
    if asked.kind == command.EMERGENCY:
        is_late = asked.not_before_s > unix_s + limits.light_ahead_s_max
        return "light-only" if lasts_s > limits.light_s_max or is_late else None
    return "hours-only" if lasts_s > HOURS_S_MAX or not is_node(asked.target) else None


def may_end(operator, ended, *, is_own):
    """Returns whether this operator may end a command. `is_own`: the same key signed it.

    Ending another person's light darkens, and LIGHT orders no darkness."""
    if operator.rights & _NEEDED[ended.kind]:
        return True
    return _has_narrow(operator, ended) and (is_own or ended.kind == command.DIRECTIVE)


def is_bounded(operator, kind):
    """Returns whether the orders of this operator are few and displace no other's: all but an emergency by one who has
    that right."""
    return kind != command.EMERGENCY or not operator.rights & document.EMERGENCY


def is_node(target):
    """Returns whether the target of a DIRECTIVE is one node's id in hexadecimal."""
    if target is None or len(target) != _NODE_DIGITS:
        return False
    return all(letter in "0123456789abcdef" for letter in target)


def _has_narrow(operator, asked):
    """Returns whether the operator has the right to a narrow form of the command: to light, or to order hours."""
    if asked.kind == command.EMERGENCY:
        return bool(operator.rights & document.LIGHT)
    if asked.kind != command.DIRECTIVE or not asked.values:
        return False
    return all(operator.rights & _OF_HOURS.get(code, 0) for code in asked.values)
