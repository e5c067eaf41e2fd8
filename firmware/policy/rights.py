"""Judges whether an operator of a policy may give or end a command.

The centre asks before a person signs, so that a refusal is seen at once; the cabinet asks again, and its answer
decides. A right is a bit of `policy.document`. LIGHT is the least of them, made for a key that lives in the telephone
of an elected person: it lights (an emergency), for a while, from now on, and ends what it has lit itself. Nothing else
can be done with such a telephone when it is lost, and a night of light takes a new signature every few hours.
"""

from policy import document, limits
from wire import command

_NEEDED = {
    command.OVERRIDE: document.OVERRIDE,
    command.EMERGENCY: document.EMERGENCY,
    command.TEST_FEEDER: document.TEST,
    command.DIRECTIVE: document.DIRECTIVE,
}


def fault(operator, asked, unix_s):
    """Returns the word of `wire.command.WHY` for what keeps this operator from a command at `unix_s`, or None.

    `asked`: has the kind, not_before_s and expires_s of a command. Of an END only the key's own time is judged:
    `may_end` needs the command that it ends."""
    if operator.until_s and unix_s >= operator.until_s:
        return "key-lapsed"
    if asked.kind == command.END or operator.rights & _NEEDED[asked.kind]:
        return None
    if asked.kind != command.EMERGENCY or not operator.rights & document.LIGHT:
        return "right"
    is_long = asked.expires_s - asked.not_before_s > limits.light_s_max
    return "light-only" if is_long or asked.not_before_s > unix_s + limits.light_ahead_s_max else None


def may_end(operator, kind, *, is_own):
    """Returns whether this operator may end a command of this kind. `is_own`: the same key signed it.

    Ending another person's light darkens, and LIGHT orders no darkness."""
    if operator.rights & _NEEDED[kind]:
        return True
    return is_own and kind == command.EMERGENCY and bool(operator.rights & document.LIGHT)


def is_bounded(operator, kind):
    """Returns whether the orders of this operator are few and displace no other's: all but an emergency by one who has
    that right."""
    return kind != command.EMERGENCY or not operator.rights & document.EMERGENCY
