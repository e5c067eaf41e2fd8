"""What one night of a policy will be, feeder by feeder: what a mayor wants to see before signing.

Asks the same code that runs in the cabinet. Times are the wall clock's.
"""

import datetime
import itertools
from typing import Any, NamedTuple

from policy import ceiling, civil, document, lighting, sun
from policy.document import FeederRule, Policy
from tools.policy import instants
from tools.policy.words import clock, duration, moment, word

_EPOCH = datetime.date(1970, 1, 1)
_DAY_S = 86_400


class Lit(NamedTuple):
    """Light from an instant to another, Unix seconds."""

    from_s: int
    to_s: int
    level_percent: int


class FeederNight(NamedTuple):
    """One feeder in one night. `rule`: the rule of its calendar that holds, `lighting.NO_RULE` for none."""

    feeder: FeederRule
    rule: int
    lit: tuple[Lit, ...]


def civil_day(day: datetime.date) -> int:
    return (day - _EPOCH).days


def of(policy: Policy, evening: int) -> list[FeederNight]:
    """All feeders in the lighting day of `evening`, a civil day."""
    section = policy.lighting
    nights = [lighting.Night(calendar, section.site, evening) for calendar in section.calendars]
    return [
        FeederNight(feeder, nights[feeder.calendar].rule, _lit(nights[feeder.calendar]))
        for feeder in section.feeders
    ]


def lines(policy: Policy, evening: int, calendars: tuple[str, ...], language: str) -> list[str]:
    """The night in words. `calendars`: their names where they are known."""
    first, last = _bounds(policy, evening)
    shown = [word("night.head", language, first=_date(evening, language), last=_date(evening + 1, language))]
    shown.append(_sun_line(policy, evening, language))
    if last - first != _DAY_S:
        shown.append(word("night.change", language, hours=(last - first) // 3600))
    if not policy.valid_from_s <= first < policy.valid_until_s:
        shown.append(word("night.outside", language))
    group = None
    width = max(len(one.feeder.name) for one in of(policy, evening))
    for one in of(policy, evening):
        heading = (one.feeder.group, one.feeder.calendar)
        if heading != group:
            group = heading
            index = one.feeder.calendar
            name = calendars[index] if calendars else str(index + 1)
            night = _night_text(policy, one)
            shown += ["", word("night.group", language, group=one.feeder.group, calendar=name, night=night)]
        shown.append(f"  {one.feeder.name:{width}}  {_spans(one.lit, language)}")
    return shown + _dark_lines(policy, evening, language)


def plain(policy: Policy, evening: int) -> dict[str, Any]:
    """The night for programs."""
    first, last = _bounds(policy, evening)
    return {
        "evening": (_EPOCH + datetime.timedelta(days=evening)).isoformat(),
        "from_unix_s": first,
        "to_unix_s": last,
        "feeders": [
            {
                "name": one.feeder.name,
                "group": one.feeder.group,
                "night": None if one.rule == lighting.NO_RULE else one.rule + 1,
                "lit": [
                    {"from_unix_s": lit.from_s, "to_unix_s": lit.to_s, "level_percent": lit.level_percent}
                    for lit in one.lit
                ],
            }
            for one in of(policy, evening)
        ],
    }


def _night_text(policy: Policy, one: FeederNight) -> str:
    if one.rule == lighting.NO_RULE:
        return "?"  # no rule matches: lit from sunset to sunrise
    return instants.rule_text(policy.lighting.calendars[one.feeder.calendar].rules[one.rule])


def _lit(night: lighting.Night) -> tuple[Lit, ...]:
    """Spans of one level each; a change of reason alone is none."""
    spans: list[Lit] = []
    changes = [*night.changes(), (night.end_s, 0, 0)]
    for (start_s, level, _), (end_s, _, _) in itertools.pairwise(changes):
        if spans and (spans[-1].to_s, spans[-1].level_percent) == (start_s, level):
            spans[-1] = Lit(spans[-1].from_s, end_s, level)
        elif level:
            spans.append(Lit(start_s, end_s, level))
    return tuple(spans)


def _spans(lit: tuple[Lit, ...], language: str) -> str:
    if not lit:
        return word("night.dark", language)
    parts = []
    for span in lit:
        key = "night.lit" if span.level_percent == 100 else "night.dimmed"
        parts.append(
            word(key, language, first=_time(span.from_s), last=_time(span.to_s), level=span.level_percent)
        )
    total = sum(span.to_s - span.from_s for span in lit)
    return f"{', '.join(parts)}  ({duration(total, language)})"


def _dark_lines(policy: Policy, evening: int, language: str) -> list[str]:
    """The windows in which a limit wants a feeder dark this night, by text."""
    found: dict[tuple[str, str, str], list[str]] = {}
    for feeder in policy.lighting.feeders:
        for first, last, limit in ceiling.dark_spans(policy.lighting, feeder, evening):
            if limit.kind == document.DARK_WINDOW:
                found.setdefault((_time(first), _time(last), limit.text), []).append(feeder.name)
    shown = [
        word("night.limit", language, feeders=", ".join(names), first=first, last=last, text=text)
        for (first, last, text), names in found.items()
    ]
    return ["", *shown] if shown else []


def _sun_line(policy: Policy, evening: int, language: str) -> str:
    site = policy.lighting.site
    dusk = sun.crossing_s(evening, site.latitude_e4, site.longitude_e4, rising=False)
    dawn = sun.crossing_s(evening + 1, site.latitude_e4, site.longitude_e4, rising=True)
    return word("night.sun", language, sunset=_time(dusk), sunrise=_time(dawn))


def _bounds(policy: Policy, evening: int) -> tuple[int, int]:
    zone = policy.lighting.site.zone
    return (
        civil.unix_from_local(zone, evening, _DAY_S // 2),
        civil.unix_from_local(zone, evening + 1, _DAY_S // 2),
    )


def _time(unix_s: int) -> str:
    return clock(civil.local_from_unix(civil.PARIS, unix_s).second // 60)


def _date(day: int, language: str) -> str:
    weekday = word("weekdays", language).split()[civil.weekday(day)]
    noon_s = civil.unix_from_local(civil.PARIS, day, _DAY_S // 2)
    return f"{weekday} {moment(noon_s, language).split()[0]}"
