"""Describes in words what a policy or key set holds, whether its signatures hold, and one night of a policy.

Policies are shown in the language of the form (`sunset+15 on`), so that they can be compared with it. A night shows,
feeder by feeder, what a mayor wants to see before signing; it is computed by the code that runs in the cabinet, and its
times are those of the wall clock.
"""

import datetime
import itertools
from typing import Any, NamedTuple

from policy import ceiling, civil, document, keyset, lighting, sun
from policy.document import FeederRule, Limit, Policy
from policy.fault import Fault
from policy.keyset import KeySet
from policy.lighting import Calendar
from tools.policy.calendars import format_dates, format_rule, format_step
from tools.policy.compiler import RIGHTS
from tools.policy.files import AuthorityFile
from tools.policy.keys import verify
from tools.policy.words import clock, duration, moment, word
from wire import cose

_LIMIT_WORDS = {
    document.DARK_WINDOW: "dark",
    document.NO_DARKENING: "keep_lit",
    document.DARK_BY_DAY: "dark_by_day",
}
_EPOCH = datetime.date(1970, 1, 1)
_DAY_S = 86_400


def file_lines(found: AuthorityFile, keys: KeySet | None, language: str) -> list[str]:
    """Returns the lines that describe a file. `keys`: the set in force, against which signatures are checked."""
    shown = []
    for fault in found.faults:
        values = {"where": fault.path, "problem": fault.problem, "remedy": fault.remedy}
        shown.append(word("show.fault", language, **values))
    if isinstance(found.content, Policy):
        shown += _policy(found.content, language)
    elif isinstance(found.content, KeySet):
        shown += _keyset(found.content, language)
    return [*shown, "", *_signatures(found, keys, language)]


def summary(content: Policy | KeySet, language: str) -> list[str]:
    """Returns the few lines that a person reads before signing."""
    if isinstance(content, KeySet):
        return _keyset(content, language)
    return _policy(content, language)[:3]


def is_accepted(found: AuthorityFile, keys: KeySet) -> bool:
    """Returns True when a gateway with this set in force accepts the file."""
    return not _refusal(found, keys)


def _refusal(found: AuthorityFile, keys: KeySet) -> tuple:
    if isinstance(found.content, KeySet):
        return keyset.open_keyset(found.data, keys, verify)[1]
    return keyset.open_policy(found.data, keys, verify)[2]


def _signatures(found: AuthorityFile, keys: KeySet | None, language: str) -> list[str]:
    if found.message is None:
        return [word("show.unsigned", language)]
    shown = []
    for one in found.message.signatures:
        known = keyset.key_of(keys, one.kid) if keys else None
        name = known[1] if known else "?"
        shown.append(word("show.signature", language, kid=one.kid.hex(), name=name))
    if keys is None:
        return [*shown, word("show.unverified", language)]
    faults = _refusal(found, keys)
    if not faults:
        return [*shown, word("show.holds", language, version=keys.version)]
    return [*shown, *(word("show.refused", language, problem=_problem(fault, language)) for fault in faults)]


def _problem(fault: Fault, language: str) -> str:
    """Returns why a gateway would refuse the file; a fault of the content is given in its own words, untranslated."""
    key = f"refused.{fault.path}"
    return word(key, language) if fault.path in keyset.WORDS else f"{fault.path} {fault.problem}"


def _keyset(keys: KeySet, language: str) -> list[str]:
    head = word(
        "show.keyset", language, version=keys.version, insee=keys.insee, threshold=keys.threshold, count=len(keys.keys)
    )
    listed = [[f"  {cose.kid_of(key).hex()}  {key.hex()}  {name}" for key, name in some] for some in keys[3:]]
    return [head, *listed[0], word("show.warehouses", language, count=len(keys.warehouses)), *listed[1]]


def _policy(policy: Policy, language: str) -> list[str]:
    section = policy.lighting
    shown = [
        word("show.policy", language, version=policy.version, insee=policy.insee),
        f"  {policy.authority}, {policy.text}",
        word(
            "show.valid",
            language,
            first=moment(policy.valid_from_s, language),
            last=moment(policy.valid_until_s, language),
        ),
        word(
            "show.site",
            language,
            latitude=f"{section.site.latitude_e4 / 1e4:.4f}",
            longitude=f"{section.site.longitude_e4 / 1e4:.4f}",
        ),
    ]
    for i, calendar in enumerate(section.calendars):
        shown += ["", word("show.calendar", language, number=i + 1), *_calendar(calendar, language)]
        shown += _feeder_lines([one for one in section.feeders if _follows(one) and one.calendar == i], language)
    powered = _feeder_lines([one for one in section.feeders if not _follows(one)], language)
    if powered:
        shown += ["", word("show.permanent", language), *powered]
    if section.limits:
        shown += ["", word("show.limits", language), *(_limit(limit) for limit in section.limits)]
    if policy.operators:
        shown += ["", word("show.operators", language)]
        for operator in policy.operators:
            rights = " ".join(name for name, bit in RIGHTS.items() if operator.rights & bit)
            until = word("show.until", language, until=moment(operator.until_s, language)) if operator.until_s else ""
            kid = cose.kid_of(operator.key).hex()
            shown.append(f"  {kid}  {operator.key.hex()}  {operator.name}: {rights}{until}")
    return shown


def _follows(feeder: FeederRule) -> bool:
    """Returns whether a contactor follows the feeder's calendar; otherwise it is always powered."""
    return bool(feeder.kind == document.SWITCHED)


def _feeder_lines(feeders: list[FeederRule], language: str) -> list[str]:
    return [word("show.feeder", language, name=one.name, group=one.group) for one in feeders]


def _calendar(calendar: Calendar, language: str) -> list[str]:
    shown = []
    for rule in calendar.rules:
        steps = ", ".join(format_step(step) for step in calendar.programs[rule.program])
        shown.append(f"  {format_rule(rule, language)}: {steps}")
    return shown


def _limit(limit: Limit) -> str:
    when = f" [{format_dates(limit.first, limit.last)}]" if limit.first or limit.last else ""
    if limit.kind == document.EXEMPTION:
        what = f"exemption {_LIMIT_WORDS[limit.a]}"
    elif limit.kind == document.DARK_WINDOW:
        what = f"dark {clock(limit.a)}..{clock(limit.b)}"
    elif limit.kind == document.DARK_BY_DAY:
        what = f"dark_by_day sunrise+{limit.a}..sunset-{limit.b}"
    else:
        what = f"keep_lit, least {limit.a} %" if limit.a else "keep_lit"
    return f"  {limit.target}: {what}{when} ({limit.authority}, {limit.text})"


# --- one night -----------------------------------------------------------------------------------------------------


class LitSpan(NamedTuple):
    """Describes a closed contactor from one instant to another, Unix seconds."""

    from_s: int
    to_s: int


class FeederNight(NamedTuple):
    """Holds one feeder in one night. `rule`: the index of the rule of its calendar that holds; None for a feeder that
    is always powered, `lighting.NO_RULE` where none holds."""

    feeder: FeederRule
    rule: int | None
    lit: tuple[LitSpan, ...]


def civil_day(day: datetime.date) -> int:
    return (day - _EPOCH).days


def feeder_nights(policy: Policy, evening: int) -> list[FeederNight]:
    """Returns every feeder's night in the lighting day of `evening`, a civil day."""
    section = policy.lighting
    nights = [lighting.Night(calendar, section.site, evening) for calendar in section.calendars]
    always = (LitSpan(*_bounds(policy, evening)),)
    return [
        FeederNight(feeder, nights[feeder.calendar].rule, _lit(nights[feeder.calendar]))
        if _follows(feeder)
        else FeederNight(feeder, None, always)
        for feeder in section.feeders
    ]


def night_lines(policy: Policy, evening: int, calendars: tuple[str, ...], language: str) -> list[str]:
    """Returns the lines that describe a night. `calendars`: their names where they are known."""
    first, last = _bounds(policy, evening)
    shown = [word("night.head", language, first=_date(evening, language), last=_date(evening + 1, language))]
    shown.append(_sun_line(policy, evening, language))
    if last - first != _DAY_S:
        shown.append(word("night.change", language, hours=(last - first) // 3600))
    if not policy.valid_from_s <= first < policy.valid_until_s:
        shown.append(word("night.outside", language))
    group = None
    width = max(len(one.feeder.name) for one in feeder_nights(policy, evening))
    for one in feeder_nights(policy, evening):
        heading = one.feeder.group
        if one.rule is not None:
            name = calendars[one.feeder.calendar] if calendars else str(one.feeder.calendar + 1)
            night = _night_text(policy, one, language)
            heading = word("night.group", language, group=one.feeder.group, calendar=name, night=night)
        if heading != group:
            group = heading
            shown += ["", heading]
        text = word("night.permanent", language) if one.rule is None else _spans(one.lit, language)
        shown.append(f"  {one.feeder.name:{width}}  {text}")
    return shown + _dark_lines(policy, evening, language)


def plain_night(policy: Policy, evening: int) -> dict[str, Any]:
    """Returns the night as data for programs."""
    first, last = _bounds(policy, evening)
    return {
        "evening": (_EPOCH + datetime.timedelta(days=evening)).isoformat(),
        "from_unix_s": first,
        "to_unix_s": last,
        "feeders": [
            {
                "name": one.feeder.name,
                "group": one.feeder.group,
                "kind": "permanent" if one.rule is None else "switched",
                "night": None if one.rule in (None, lighting.NO_RULE) else one.rule + 1,
                "lit": [{"from_unix_s": lit.from_s, "to_unix_s": lit.to_s} for lit in one.lit],
            }
            for one in feeder_nights(policy, evening)
        ],
    }


def _night_text(policy: Policy, one: FeederNight, language: str) -> str:
    """Returns which evenings the rule in force is for, as the policy names them."""
    if one.rule == lighting.NO_RULE:
        return word("night.none", language)  # lit from sunset to sunrise
    text = format_rule(policy.lighting.calendars[one.feeder.calendar].rules[one.rule], language)
    return text if text != "*" else word("night.others" if one.rule else "night.every", language)


def _lit(night: lighting.Night) -> tuple[LitSpan, ...]:
    """Returns the spans in which the contactor is closed; a change of the reason alone begins no new span."""
    spans: list[LitSpan] = []
    changes = [*night.changes(), (night.end_s, 0, 0)]
    for (start_s, level, _), (end_s, _, _) in itertools.pairwise(changes):
        if level and spans and spans[-1].to_s == start_s:
            spans[-1] = LitSpan(spans[-1].from_s, end_s)
        elif level:
            spans.append(LitSpan(start_s, end_s))
    return tuple(spans)


def _spans(lit: tuple[LitSpan, ...], language: str) -> str:
    if not lit:
        return word("night.dark", language)
    parts = [word("night.lit", language, first=_time(span.from_s), last=_time(span.to_s)) for span in lit]
    total = sum(span.to_s - span.from_s for span in lit)
    return f"{', '.join(parts)}  ({duration(total, language)})"


def _dark_lines(policy: Policy, evening: int, language: str) -> list[str]:
    """Returns the windows in which a limit wants a feeder dark this night, by text."""
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
