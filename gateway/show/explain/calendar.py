"""A lighting calendar in a person's words: which rule of which calendar, which step, what it does and when."""

from typing import Any

from gateway.show.explain.moments import day, month_day
from gateway.show.explain.plan import CALENDAR, PERMANENT, Law, Wish
from gateway.show.explain.words import say
from policy import civil, lighting

_WEEK = 7


def wish_words(wish: Wish, language: str) -> str:
    """`calendrier n° 1, règle 2 (vendredi et samedi), pas 3 : extinction à 23:30`."""
    law = wish.law
    if law.kind == PERMANENT:
        return say("permanent", language)
    step = step_words(law, wish.rule, wish.step, language)
    if law.kind != CALENDAR:
        return say("default_calendar", language, step=step)
    return say("calendar", language, number=law.number, rule=rule_words(law.calendar, wish.rule, language), step=step)


def rule_words(calendar: Any, index: int, language: str) -> str:
    """`règle 2 (vendredi et samedi)`."""
    if index == lighting.NO_RULE:
        return say("rule.none", language)
    rule = calendar.rules[index]
    days = _days(rule.weekdays, language)
    if not rule.first:
        when = days
    elif rule.weekdays == lighting.EVERY_DAY:
        when = _dates(rule, language)
    else:
        when = say("days_and_dates", language, days=days, dates=_dates(rule, language))
    return say("rule", language, number=index + 1, when=when)


def step_words(law: Law, rule: int, step: int, language: str, *, is_numbered: bool = True) -> str:
    """`pas 3 : extinction à 23:30`; `step` as in a reason: its number, NO_STEP or DAYLIGHT."""
    if step == lighting.NO_STEP:
        return say("step.before", language)
    if step == lighting.DAYLIGHT:
        return say("step.daylight", language)
    program = lighting.DEFAULT_PROGRAM
    if rule != lighting.NO_RULE:
        program = law.calendar.programs[law.calendar.rules[rule].program]
    words = _act(program[step - 1], language)
    return say("step", language, number=step, words=words) if is_numbered else words


def _act(step: Any, language: str) -> str:
    kind = "dark" if step.level_percent == 0 else "lit" if step.level_percent == 100 else "dim"
    return say(f"act.{kind}", language, level=step.level_percent, when=_when(step, language))


def _when(step: Any, language: str) -> str:
    if step.reference == lighting.CLOCK:
        return say("when.clock", language, clock=minute_words(step.minutes))
    sun = "sunset" if step.reference == lighting.SUNSET else "sunrise"
    side = "" if step.minutes == 0 else ".after" if step.minutes > 0 else ".before"
    return say(f"when.{sun}{side}", language, minutes=abs(step.minutes))


def minute_words(minute: int) -> str:
    """A minute of the day as a clock shows it."""
    return f"{minute // 60 % 24:02}:{minute % 60:02}"


def _days(bits: int, language: str) -> str:
    if bits == lighting.EVERY_DAY:
        return say("days.all", language)
    found = [number for number in range(_WEEK) if bits >> number & 1]
    names = [say(f"weekday.{number}", language) for number in found]
    if len(found) > 2 and found[-1] - found[0] == len(found) - 1:
        return say("days.range", language, first=names[0], last=names[-1])
    return _listed(names, language)


def _listed(names: list[str], language: str) -> str:
    if len(names) < 2:
        return "".join(names)
    return say("days.and", language, first=", ".join(names[:-1]), last=names[-1])


def _dates(rule: Any, language: str) -> str:
    first, last = (_date(value, language) for value in (rule.first, rule.last))
    if rule.first == rule.last:
        return say("dates.one", language, first=first)
    return say("dates.range", language, first=first, last=last)


def _date(value: int, language: str) -> str:
    year, month, number = value // 10_000, value // 100 % 100, value % 100
    if year:
        return day(civil.days_from_civil(year, month, number), language)
    return month_day(month, number, language)
