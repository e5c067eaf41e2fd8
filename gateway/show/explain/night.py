"""Makes rows of one feeder's night, noon to noon: what changes when and why, where commands end, what comes next.

The rows come from the policy's own calendar; where that cannot be computed, from the levels that the agent reports.
An unknown night has no rows. The next change is searched from now to the end of the following
night, among the policy, the end of a test and of commands: a hand switch has no end, a photocell no calendar.
"""

from typing import NamedTuple

from gateway.core.status import CabinetStatus, CommandStatus, FeederStatus
from gateway.show.explain.calendar import CALENDAR, PERMANENT, Law, law_of, night_of, rule_words, step_words, wish
from gateway.show.explain.moments import clock_near
from gateway.show.explain.orders import EMERGENCY, OVERRIDE, TEST, command_words, holding, is_over, lowers, wants_light
from gateway.show.explain.orders import concerns as concerns_feeder
from gateway.show.explain.words import word
from policy import civil, lighting


class Row(NamedTuple):
    """Describes a change at `unix_s` to a level; `level` None: the end of a command, which `words` names."""

    unix_s: int
    level: int | None
    words: str


class Tonight(NamedTuple):
    """Holds a night from noon (`start_s`) to noon (`end_s`). `notes`: steps without effect that night, the rule that
    was chosen."""

    start_s: int
    end_s: int
    rows: tuple[Row, ...]
    notes: tuple[str, ...]


def tonight(cabinet: CabinetStatus, feeder: FeederStatus, unix_s: int | None, language: str) -> Tonight | None:
    """Finds the lighting day that holds this instant; None where it is not known."""
    law = law_of(cabinet, feeder)
    if law is not None and unix_s is not None:
        return _reckoned(cabinet, feeder, law, unix_s, language)
    return _by_status(feeder)


def _reckoned(cabinet: CabinetStatus, feeder: FeederStatus, law: Law, unix_s: int, language: str) -> Tonight:
    night = night_of(law, unix_s)
    notes: list[str] = []
    if law.kind == PERMANENT:
        rows = [Row(night.start_s, 100, word("permanent", language))]
    else:
        rows = [Row(at_s, level, _reason(law, reason, language)) for at_s, level, reason in night.changes()]
        if law.kind == CALENDAR:
            notes.append(rule_words(law.calendar, night.rule, language))
        notes += [word("overtaken", language, number=number) for number in night.overtaken]
    ends = [
        Row(command.expires_s, None, word("night.end_of", language, order=command_words(command, unix_s, language)))
        for command in cabinet.commands
        if _ends_within(command, feeder, night.start_s, night.end_s) and command.expires_s is not None
    ]
    return Tonight(night.start_s, night.end_s, tuple(sorted([*rows, *ends], key=_when)), tuple(notes))


def _ends_within(command: CommandStatus, feeder: FeederStatus, start_s: int, end_s: int) -> bool:
    is_held = concerns_feeder(command, feeder) and not is_over(command)
    return is_held and command.expires_s is not None and start_s <= command.expires_s < end_s


def _reason(law: Law, reason: int, language: str) -> str:
    rule, step = lighting.reason_parts(reason)
    return step_words(law, rule, step, language)


def _by_status(feeder: FeederStatus) -> Tonight | None:
    if not feeder.night:
        return None
    start_s = feeder.night[0][0]
    zone = civil.PARIS
    local = civil.local_from_unix(zone, start_s)
    noon = civil.day_s // 2
    evening = local.civil_day if local.second >= noon else local.civil_day - 1
    end_s = civil.unix_from_local(zone, evening + 1, noon)
    rows = tuple(Row(at_s, level, "") for at_s, level in feeder.night if at_s < end_s)
    return Tonight(civil.unix_from_local(zone, evening, noon), end_s, rows, ())


def _when(row: Row) -> int:
    return row.unix_s


_HELD = ("interlock", "manual")


def next_words(cabinet: CabinetStatus, feeder: FeederStatus, language: str) -> str:
    """Puts the next change into words: `extinction à 23:30`, from the state that the feeder is in now."""
    law, now_s = law_of(cabinet, feeder), cabinet.unix_s
    if cabinet.in_control is False:
        return word("next.handed", language)
    if feeder.rule == "interlock" and feeder.until_unix_s is None:
        return word("next.held", language)
    if law is None or now_s is None or feeder.ordered is None:
        return word("next.unknown", language)
    held_s = _held_until_s(feeder, now_s)
    orders = [instant for one in cabinet.commands for instant in (one.not_before_s, one.expires_s)]
    instants = {held_s, *_changes(law, now_s), *orders}
    for at_s in sorted(instant for instant in instants if instant is not None and instant > now_s):
        if (held_s is None or at_s >= held_s) and at_s < _end_s(law, now_s):
            closed = _expected(cabinet, feeder, law, at_s)
            if closed != feeder.ordered:
                return _words(closed, at_s, now_s, language)
    return word("next.permanent" if law.kind == PERMANENT and feeder.ordered else "next.none", language)


def next_by_policy(law: Law, unix_s: int, now_s: int | None, language: str) -> str:
    """Puts the next change after any instant into words, by the policy alone."""
    closed = wish(law, unix_s).wants_light
    for at_s in _changes(law, unix_s):
        if wish(law, at_s).wants_light != closed:
            return _words(not closed, at_s, now_s if now_s is not None else unix_s, language)
    return word("next.permanent" if law.kind == PERMANENT else "next.none", language)


def _words(closed: bool, at_s: int, now_s: int, language: str) -> str:
    return word("next.lit" if closed else "next.dark", language, at=clock_near(at_s, now_s, language))


def _held_until_s(feeder: FeederStatus, now_s: int) -> int | None:
    """Finds the end of a test or lock-out under way."""
    if feeder.rule == "manual" and feeder.test_left_s is not None:
        return now_s + feeder.test_left_s
    return feeder.until_unix_s if feeder.rule in _HELD else None


def _expected(cabinet: CabinetStatus, feeder: FeederStatus, law: Law, at_s: int) -> bool:
    """Computes a state from what is known now: an emergency, a command under a lease that continues, the policy."""
    kinds = ((EMERGENCY,), (OVERRIDE, TEST)) if cabinet.lease.held is not False else ((EMERGENCY,),)
    for some in kinds:
        command = holding(cabinet, feeder, some, at_s)
        if command is not None and not lowers(command):
            return wants_light(command)
    return wish(law, at_s).wants_light


def _changes(law: Law, unix_s: int) -> list[int]:
    """Lists the changes of the policy, up to the end of the following night."""
    if law.kind == PERMANENT:
        return []
    night = night_of(law, unix_s)
    following = night_of(law, night.end_s)
    return [at_s for at_s, _level, _reason in [*night.changes(), *following.changes()] if at_s > unix_s]


def _end_s(law: Law, unix_s: int) -> int:
    return int(night_of(law, night_of(law, unix_s).end_s).end_s)
