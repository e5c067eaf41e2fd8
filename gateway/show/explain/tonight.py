"""A night of one feeder, noon to noon, as rows for people: what changes when, why, and where commands end.

From the policy's own calendar; where that cannot be reckoned, from the levels that the agent tells. Nothing is
shown for a night that nobody can know.
"""

from typing import NamedTuple

from gateway.core.status import CabinetStatus, CommandStatus, FeederStatus
from gateway.show.explain.calendar import rule_words, step_words
from gateway.show.explain.orders import command_words, is_over
from gateway.show.explain.orders import concerns as concerns_feeder
from gateway.show.explain.plan import CALENDAR, PERMANENT, Law, law_of, night_of
from gateway.show.explain.words import say
from policy import civil, lighting


class Row(NamedTuple):
    """From `unix_s` on this level; `level` None: the end of a command, whose words are in `words`."""

    unix_s: int
    level: int | None
    words: str


class Tonight(NamedTuple):
    """start_s, end_s: noon and noon. `notes`: steps that do nothing that night, the rule that was chosen."""

    start_s: int
    end_s: int
    rows: tuple[Row, ...]
    notes: tuple[str, ...]


def tonight(cabinet: CabinetStatus, feeder: FeederStatus, unix_s: int | None, language: str) -> Tonight | None:
    """The lighting day that holds this instant; None where it is not known."""
    law = law_of(cabinet, feeder)
    if law is not None and unix_s is not None:
        return _reckoned(cabinet, feeder, law, unix_s, language)
    return _told(feeder)


def _reckoned(cabinet: CabinetStatus, feeder: FeederStatus, law: Law, unix_s: int, language: str) -> Tonight:
    night = night_of(law, unix_s)
    notes: list[str] = []
    if law.kind == PERMANENT:
        rows = [Row(night.start_s, 100, say("permanent", language))]
    else:
        rows = [Row(at_s, level, _reason(law, reason, language)) for at_s, level, reason in night.changes()]
        if law.kind == CALENDAR:
            notes.append(rule_words(law.calendar, night.rule, language))
        notes += [say("overtaken", language, number=number) for number in night.overtaken]
    ends = [
        Row(command.expires_s, None, say("night.end_of", language, order=command_words(command, unix_s, language)))
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


def _told(feeder: FeederStatus) -> Tonight | None:
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
