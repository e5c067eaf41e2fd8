"""Computes the commune's policy for a feeder at an instant from the signed document itself, and puts it into words.

The evaluation is the agent's (`policy.lighting`), on the bytes that the agent reports to be in force, so that an
explanation does not depend on the agent's conclusions. Without those bytes (none in force, a format of a newer agent) a
feeder runs sunset to sunrise where the site is known, and otherwise nothing is claimed. A night is computed once and
kept. Reads no clock.
"""

from functools import lru_cache
from typing import Any, NamedTuple

from gateway.core.status import CabinetStatus, FeederStatus
from gateway.show.explain.moments import day, month_day
from gateway.show.explain.words import word
from policy import ceiling, civil, document, lighting

PERMANENT, CALENDAR, DEFAULT = "permanent", "calendar", "default"


class Law(NamedTuple):
    """Holds the rules that a feeder runs by. `number`: of its calendar, from 1; None for the default. `rules`: the
    policy's lighting section and this feeder in it, for its limits; None without a policy."""

    kind: str
    calendar: Any
    number: int | None
    site: Any
    rules: tuple[Any, Any] | None = None


class Wish(NamedTuple):
    """Holds the level that is wanted at an instant. `rule` and `step` as in `policy.lighting`; `until_s`: of the next
    change."""

    law: Law
    level: int
    rule: int
    step: int
    until_s: int | None
    night: Any

    @property
    def wants_light(self) -> bool:
        return self.level > 0


@lru_cache(maxsize=4)
def policy_of(plain: bytes | None) -> Any:
    """Decodes these bytes to a `document.Policy`; None for none, or for one that this version cannot read."""
    if plain is None:
        return None
    return document.decode(plain)[0]


def law_of(cabinet: CabinetStatus, feeder: FeederStatus) -> Law | None:
    """Finds the rules that this feeder runs by; None where they are not known."""
    policy = policy_of(cabinet.policy_plain)
    if policy is None:
        # A policy that we cannot read is in force all the same: no other rules are claimed in its place.
        if cabinet.site is None or cabinet.policy.version is not None:
            return None
        return Law(DEFAULT, lighting.DEFAULT_CALENDAR, None, lighting.Site(*cabinet.site, civil.PARIS))
    section = policy.lighting
    found = next((one for one in section.feeders if one.name == feeder.name), None)
    if found is None:
        unnamed = document.FeederRule(feeder.name, document.SWITCHED, 0, feeder.group or "")
        return Law(DEFAULT, lighting.DEFAULT_CALENDAR, None, section.site, (section, unnamed))
    kind = PERMANENT if found.kind == document.PERMANENT else CALENDAR
    return Law(kind, section.calendars[found.calendar], found.calendar + 1, section.site, (section, found))


def wish(law: Law, unix_s: int, uncertainty_s: int = 0) -> Wish:
    """Computes what the law demands at this instant; with an uncertain clock the brightest possible level, as the agent
    does."""
    night = night_of(law, unix_s)
    if law.kind == PERMANENT:
        return Wish(law, 100, lighting.NO_RULE, lighting.NO_STEP, None, night)
    wanted = _plan(law.calendar, law.site).wanted(unix_s, uncertainty_s)
    rule, step = lighting.reason_parts(wanted.reason)
    return Wish(law, wanted.level_percent, rule, step, wanted.until_s, night)


def limits_of(law: Law, unix_s: int) -> list[Any]:
    """Lists the limits that bind the feeder in the night that holds this instant; exemptions are accounted for."""
    if law.rules is None:
        return []
    section, feeder = law.rules
    return list(ceiling.binding(section, feeder, lighting.evening_of(law.site, unix_s)))


def night_of(law: Law, unix_s: int) -> Any:
    """Finds the `lighting.Night` that holds this instant."""
    return _night(law.calendar, law.site, lighting.evening_of(law.site, unix_s))


@lru_cache(maxsize=128)
def _night(calendar: Any, site: Any, evening: int) -> Any:
    return lighting.Night(calendar, site, evening)


@lru_cache(maxsize=32)
def _plan(calendar: Any, site: Any) -> Any:
    return lighting.Plan(calendar, site)


_WEEK = 7


def wish_words(wish: Wish, language: str) -> str:
    """Puts a wish into words: `calendrier n° 1, règle 2 (vendredi et samedi), étape 3 : extinction à 23:30`."""
    law = wish.law
    if law.kind == PERMANENT:
        return word("permanent", language)
    step = step_words(law, wish.rule, wish.step, language)
    if law.kind != CALENDAR:
        return word("default_calendar", language, step=step)
    return word("calendar", language, number=law.number, rule=rule_words(law.calendar, wish.rule, language), step=step)


def rule_words(calendar: Any, index: int, language: str) -> str:
    """Puts a rule into words: `règle 2 (vendredi et samedi)`."""
    if index == lighting.NO_RULE:
        return word("rule.none", language)
    rule = calendar.rules[index]
    days = _days(rule.weekdays, language)
    if not rule.first:
        when = days
    elif rule.weekdays == lighting.EVERY_DAY:
        when = _dates(rule, language)
    else:
        when = word("days_and_dates", language, days=days, dates=_dates(rule, language))
    return word("rule", language, number=index + 1, when=when)


def step_words(law: Law, rule: int, step: int, language: str, *, is_numbered: bool = True) -> str:
    """Puts a step into words: `étape 3 : extinction à 23:30`; `step` as in a reason: its number, NO_STEP or
    DAYLIGHT."""
    if step == lighting.NO_STEP:
        return word("step.before", language)
    if step == lighting.DAYLIGHT:
        return word("step.daylight", language)
    program = lighting.DEFAULT_PROGRAM
    if rule != lighting.NO_RULE:
        program = law.calendar.programs[law.calendar.rules[rule].program]
    words = _act(program[step - 1], language)
    return word("step", language, number=step, words=words) if is_numbered else words


def _act(step: Any, language: str) -> str:
    return word("act.lit" if step.level_percent else "act.dark", language, when=_when(step, language))


def _when(step: Any, language: str) -> str:
    if step.reference == lighting.CLOCK:
        return word("when.clock", language, clock=minute_words(step.minutes))
    sun = "sunset" if step.reference == lighting.SUNSET else "sunrise"
    side = "" if step.minutes == 0 else ".after" if step.minutes > 0 else ".before"
    return word(f"when.{sun}{side}", language, minutes=abs(step.minutes))


def minute_words(minute: int) -> str:
    """Shows a minute of the day as a clock does."""
    return f"{minute // 60 % 24:02}:{minute % 60:02}"


def _days(bits: int, language: str) -> str:
    if bits == lighting.EVERY_DAY:
        return word("days.all", language)
    found = [number for number in range(_WEEK) if bits >> number & 1]
    names = [word(f"weekday.{number}", language) for number in found]
    if len(found) > 2 and found[-1] - found[0] == len(found) - 1:
        return word("days.range", language, first=names[0], last=names[-1])
    return _listed(names, language)


def _listed(names: list[str], language: str) -> str:
    if len(names) < 2:
        return "".join(names)
    return word("days.and", language, first=", ".join(names[:-1]), last=names[-1])


def _dates(rule: Any, language: str) -> str:
    first, last = (_date(value, language) for value in (rule.first, rule.last))
    if rule.first == rule.last:
        return word("dates.one", language, first=first)
    return word("dates.range", language, first=first, last=last)


def _date(value: int, language: str) -> str:
    year, month, number = value // 10_000, value // 100 % 100, value % 100
    if year:
        return day(civil.days_from_civil(year, month, number), language)
    return month_day(month, number, language)
