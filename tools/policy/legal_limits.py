"""Reads `[[limit]]` and `[[exemption]]`: what neither calendar nor command may do, by which legal text, and the
exceptions; checks the calendars against them.

    [[limit]]                              [[exemption]]
    target = "parcs"                       target = "parcs"
    dark = "01:00..12:00"                  limit = "dark"
    authority = "État"                     dates = "06-21"
    text = "Arrêté du …, article 2"        authority = "Maire de Feneu"
                                           text = "Arrêté municipal 2027-12"

A limit is one of `dark` (a window of the wall clock), `keep_lit = true` and `dark_by_day` (a window of the sun). With
`keep_lit`, no command lowers the light, or with `least = 50` none below 50 %. `from` and `until` are the dates of its
first and last night, without bound when they are left out. An exemption's dates are nights too; those without a year
become one exemption for each year of the policy.

`check` compares the calendars with the limits, on every night of a policy's validity: a calendar that lights a feeder
where a limit wants it dark is a fault of the step that lights it, shown with the text that forbids it. A feeder that is
always powered breaks such a limit every night: no contactor keeps it. Limits on commands alone (`NO_DARKENING`,
`DARK_BY_DAY`) do not apply to calendars.
"""

import functools
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from policy import ceiling, civil, document, lighting, limits
from policy.document import FeederRule, Lighting, Limit
from tools.policy.calendars import NamedCalendar, Wrong, parse_clock_window, parse_dates, parse_sun_window
from tools.policy.toml_source import InstantValue, Path, SourceFaults, Table
from tools.policy.words import clock
from wire.command import LEVEL_MIN, NAME_BYTES_MAX

_KINDS = {
    "dark": document.DARK_WINDOW,
    "keep_lit": document.NO_DARKENING,
    "dark_by_day": document.DARK_BY_DAY,
}
_WINDOW_BYTES_MAX = 40
_NAMES_SHOWN = 3


def read_limit(table: Table, targets: set[str]) -> list[Limit]:
    """Returns the limit of one `[[limit]]`; an empty list when it has a fault."""
    before = table.faults.count()
    target = _target(table, targets)
    kind, a, b = _window(table)
    authority, text = _by(table)
    first, last = _bound(table, "from"), _bound(table, "until")
    table.close()
    if first and last and last < first:
        table.add("until", "until_before")
    if table.faults.count() > before:
        return []
    return [Limit(target, kind, a, b, authority, text, first, last)]


def read_exemption(table: Table, targets: set[str], years: range) -> list[Limit]:
    """Returns the exemptions of one `[[exemption]]`; `years`: those of the policy, and the year before."""
    before = table.faults.count()
    target = _target(table, targets)
    word = table.one_of("limit", tuple(_KINDS))
    authority, text = _by(table)
    spans = []
    for path, value in table.items("dates"):
        spans += _spans(table.faults, path, value, years)
    table.close()
    if table.faults.count() > before or word is None:
        return []
    return [
        Limit(target, document.EXEMPTION, _KINDS[word], 0, authority, text, first, last)
        for first, last in spans
    ]


def _target(table: Table, targets: set[str]) -> str | None:
    target = table.text("target", NAME_BYTES_MAX)
    # Without any name a fault says already that there is no group.
    if targets and target is not None and target != document.ALL and target not in targets:
        table.add("target", "no_target", name=target, names=", ".join(sorted(targets)))
    return target


def _by(table: Table) -> tuple[str | None, str | None]:
    return table.text("authority", limits.authority_bytes_max), table.text("text", limits.text_bytes_max)


def _window(table: Table) -> tuple[int, int, int]:
    """Returns (kind, a, b) from the one key that states the kind of limit."""
    table.allow(*_KINDS)
    given = [key for key in _KINDS if table.has(key)]
    if len(given) != 1:
        table.faults.add(table.path, "limit_kind", words=", ".join(_KINDS))
        return 0, 0, 0
    key = given[0]
    if key == "keep_lit":
        table.true(key)
        least = table.integer("least", LEVEL_MIN, 99) if table.has("least") else 0
        return _KINDS[key], least or 0, 0
    parse = parse_clock_window if key == "dark" else parse_sun_window
    text = table.text(key, _WINDOW_BYTES_MAX)
    try:
        return (_KINDS[key], *(parse(text) if text is not None else (0, 0)))
    except Wrong as wrong:
        table.add(key, wrong.key, **wrong.values)
        return 0, 0, 0


def _bound(table: Table, key: str) -> int:
    day = table.day(key, needed=False)
    if day is None:
        return 0
    if not limits.year_min <= day.year <= limits.year_max:
        table.add(key, "year", value=day.year, low=limits.year_min, high=limits.year_max)
        return 0
    return day.year * 10000 + day.month * 100 + day.day


def _spans(faults: SourceFaults, path: Path, value: Any, years: range) -> list[tuple[int, int]]:
    """Returns the (first, last) dates of a text: as they are when they have a year; otherwise once for each year in
    which the day exists."""
    try:
        first, last = parse_dates(value)
    except Wrong as wrong:
        faults.add(path, wrong.key, **wrong.values)
        return []
    if first >= 10000:
        return [(first, last)]
    spans = [
        (_existing(year * 10000 + first, 1), _existing((year + (last < first)) * 10000 + last, -1))
        for year in years
    ]
    return [(start, end) for start, end in spans if start <= end]


def _existing(date: int, step: int) -> int:
    """Returns the date; for 29 February in a common year, the day after it for a beginning (step 1), the day before for
    an end."""
    year, month, day = date // 10000, date // 100 % 100, date % 100
    if civil.is_date(year, month, day):
        return date
    return date + 72 if step > 0 else date - 1


# --- calendars held against them -----------------------------------------------------------------------------------


class Breach(NamedTuple):
    """Describes light where a limit wants none: the step that lights, and the first instant, in Unix seconds."""

    limit: Limit
    reason: int
    unix_s: int


def check(
    faults: SourceFaults,
    section: Lighting,
    calendars: Sequence[NamedCalendar],
    places: Mapping[FeederRule, Path],
    evenings: range,
) -> None:
    """Adds one fault for each step and limit, with the first night and the number of nights. `places`: of the
    feeders."""
    for feeders in _alike(section):
        found: dict[tuple[Limit, int], list[int]] = {}
        for evening in evenings:
            for breach in breaches(section, feeders[0], evening):
                found.setdefault((breach.limit, breach.reason), []).append(breach.unix_s)
        names = ", ".join(feeder.name for feeder in feeders[:_NAMES_SHOWN])
        for (limit, reason), instants in found.items():
            rule, number = lighting.reason_parts(reason)
            path, key = places[feeders[0]], "breach_permanent"
            if feeders[0].kind == document.SWITCHED:
                path, key = (*calendars[feeders[0].calendar].nights[rule], "steps", number - 1), "breach"
            faults.add(
                path,
                key,
                feeders=f"{names}…" if len(feeders) > _NAMES_SHOWN else names,
                when=InstantValue(instants[0]),
                nights=len(instants),
                first=clock(limit.a),
                last=clock(limit.b),
                text=limit.text,
                authority=limit.authority,
            )


def breaches(section: Lighting, feeder: FeederRule, evening: int) -> Iterator[Breach]:
    """Returns the light that the calendar, or a contactor that is always closed, gives in the dark windows of one
    lighting day: one breach for each step and window."""
    windows = [
        span for span in ceiling.dark_spans(section, feeder, evening) if span[2].kind == document.DARK_WINDOW
    ]
    if not windows:
        return
    changes = _changes(section.calendars[feeder.calendar], section.site, evening)
    if feeder.kind == document.PERMANENT:
        changes = [(changes[0][0], 100, lighting.NO_STEP), changes[-1]]
    for i, (start_s, level, reason) in enumerate(changes[:-1]):
        for first_s, last_s, limit in windows:
            if level and max(start_s, first_s) < min(changes[i + 1][0], last_s):
                yield Breach(limit, reason, max(start_s, first_s))


@functools.lru_cache(maxsize=8192)  # feeders of one calendar ask for the same nights
def _changes(calendar: lighting.Calendar, site: lighting.Site, evening: int) -> list[tuple[int, int, int]]:
    """Returns (from, level, reason) of each change in a lighting day, and the end of the day."""
    night = lighting.Night(calendar, site, evening)
    return [*night.changes(), (night.end_s, 0, 0)]


def _alike(section: Lighting) -> list[list[FeederRule]]:
    """Groups feeders that have the same calendar and the same limits: what holds for the first of a group holds for
    all."""
    alike: dict[tuple, list[FeederRule]] = {}
    for feeder in section.feeders:
        aimed = tuple(limit for limit in section.limits if ceiling.aims(limit, feeder))
        alike.setdefault((feeder.kind, feeder.calendar, aimed), []).append(feeder)
    return list(alike.values())
