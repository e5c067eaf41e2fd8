"""What will move a feeder next: the policy, the end of a test or of a command, whichever comes first and counts.

Looks from now to the end of the following night, with what is known now. Where nothing is known it says so: a hand
switch has no end, a photocell no calendar.
"""

from gateway.core.status import CabinetStatus, FeederStatus
from gateway.show.explain.moments import clock_near
from gateway.show.explain.orders import EMERGENCY, OVERRIDE, TEST, holding, wants_light
from gateway.show.explain.plan import PERMANENT, Law, law_of, night_of, wish
from gateway.show.explain.words import say

_HELD = ("interlock", "manual")


def next_words(cabinet: CabinetStatus, feeder: FeederStatus, language: str) -> str:
    """`extinction à 23:30`, from the state that the feeder is in now."""
    law, now_s = law_of(cabinet, feeder), cabinet.unix_s
    if cabinet.in_control is False:
        return say("next.handed", language)
    if feeder.rule == "interlock" and feeder.until_unix_s is None:
        return say("next.held", language)
    if law is None or now_s is None or feeder.closed is None:
        return say("next.unknown", language)
    held_s = _held_until_s(feeder, now_s)
    orders = [instant for one in cabinet.commands for instant in (one.not_before_s, one.expires_s)]
    instants = {held_s, *_changes(law, now_s), *orders}
    for at_s in sorted(instant for instant in instants if instant is not None and instant > now_s):
        if (held_s is None or at_s >= held_s) and at_s < _end_s(law, now_s):
            closed = _expected(cabinet, feeder, law, at_s)
            if closed != feeder.closed:
                return _words(closed, at_s, now_s, language)
    return say("next.permanent" if law.kind == PERMANENT and feeder.closed else "next.none", language)


def next_by_policy(law: Law, unix_s: int, now_s: int | None, language: str) -> str:
    """The same at any instant, by the policy alone."""
    closed = wish(law, unix_s).wants_light
    for at_s in _changes(law, unix_s):
        if wish(law, at_s).wants_light != closed:
            return _words(not closed, at_s, now_s if now_s is not None else unix_s, language)
    return say("next.permanent" if law.kind == PERMANENT else "next.none", language)


def _words(closed: bool, at_s: int, now_s: int, language: str) -> str:
    return say("next.lit" if closed else "next.dark", language, at=clock_near(at_s, now_s, language))


def _held_until_s(feeder: FeederStatus, now_s: int) -> int | None:
    """The end of a test or lock-out under way."""
    if feeder.rule == "manual" and feeder.test_left_s is not None:
        return now_s + feeder.test_left_s
    return feeder.until_unix_s if feeder.rule in _HELD else None


def _expected(cabinet: CabinetStatus, feeder: FeederStatus, law: Law, at_s: int) -> bool:
    """By what is known now: an emergency, a command under a lease that goes on, the policy."""
    kinds = ((EMERGENCY,), (OVERRIDE, TEST)) if cabinet.lease.held is not False else ((EMERGENCY,),)
    for some in kinds:
        command = holding(cabinet, feeder, some, at_s)
        if command is not None:
            return wants_light(command)
    return wish(law, at_s).wants_light


def _changes(law: Law, unix_s: int) -> list[int]:
    """When the policy may change its mind, up to the end of the following night."""
    if law.kind == PERMANENT:
        return []
    night = night_of(law, unix_s)
    following = night_of(law, night.end_s)
    return [at_s for at_s, _level, _reason in [*night.changes(), *following.changes()] if at_s > unix_s]


def _end_s(law: Law, unix_s: int) -> int:
    return int(night_of(law, night_of(law, unix_s).end_s).end_s)
