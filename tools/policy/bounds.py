"""`[[limit]]` and `[[exemption]]`: what neither calendar nor command may do, by which text, and where it does not hold.

    [[limit]]                              [[exemption]]
    target = "parcs"                       target = "parcs"
    dark = "01:00..12:00"                  limit = "dark"
    authority = "État"                     dates = "06-21"
    text = "Arrêté du …, article 2"        authority = "Maire de Feneu"
                                           text = "Arrêté municipal 2027-12"

A limit is one of `dark` (a window of the wall clock), `keep_lit = true` and `dark_by_day` (a window of the sun); `from`
and `until` are the dates of its first and last night, without bound when they are left out. An exemption's dates are
nights too; those without a year become one exemption for each year of the policy.
"""

from typing import Any

from policy import civil, document, limits
from policy.document import Limit
from tools.policy import instants
from tools.policy.complaints import Complaints
from tools.policy.source_lines import Path
from tools.policy.table import Table
from wire.command import NAME_BYTES_MAX

_KINDS = {
    "dark": document.DARK_WINDOW,
    "keep_lit": document.NO_DARKENING,
    "dark_by_day": document.DARK_BY_DAY,
}
_WINDOW_BYTES_MAX = 40


def read_limit(table: Table, targets: set[str]) -> list[Limit]:
    """The limit of one `[[limit]]`; an empty list when it has a fault."""
    before = table.complaints.count()
    target = _target(table, targets)
    kind, a, b = _window(table)
    authority, text = _by(table)
    first, last = _bound(table, "from"), _bound(table, "until")
    table.close()
    if first and last and last < first:
        table.add("until", "until_before")
    if table.complaints.count() > before:
        return []
    return [Limit(target, kind, a, b, authority, text, first, last)]


def read_exemption(table: Table, targets: set[str], years: range) -> list[Limit]:
    """The exemptions of one `[[exemption]]`; `years`: those of the policy, and the one before."""
    before = table.complaints.count()
    target = _target(table, targets)
    word = table.one_of("limit", tuple(_KINDS))
    authority, text = _by(table)
    spans = []
    for path, value in table.items("dates"):
        spans += _spans(table.complaints, path, value, years)
    table.close()
    if table.complaints.count() > before or word is None:
        return []
    return [
        Limit(target, document.EXEMPTION, _KINDS[word], 0, authority, text, first, last)
        for first, last in spans
    ]


def _target(table: Table, targets: set[str]) -> str | None:
    target = table.text("target", NAME_BYTES_MAX)
    if target is not None and target != document.ALL and target not in targets:
        table.add("target", "no_target", name=target, names=", ".join(sorted(targets)))
    return target


def _by(table: Table) -> tuple[str | None, str | None]:
    return table.text("authority", limits.authority_bytes_max), table.text("text", limits.text_bytes_max)


def _window(table: Table) -> tuple[int, int, int]:
    """(kind, a, b) of the one key that says what the limit is."""
    table.know(*_KINDS)
    given = [key for key in _KINDS if table.has(key)]
    if len(given) != 1:
        table.complaints.add(table.path, "limit_kind", words=", ".join(_KINDS))
        return 0, 0, 0
    key = given[0]
    if key == "keep_lit":
        table.true(key)
        return _KINDS[key], 0, 0
    parse = instants.clock_window if key == "dark" else instants.sun_window
    text = table.text(key, _WINDOW_BYTES_MAX)
    try:
        return (_KINDS[key], *(parse(text) if text is not None else (0, 0)))
    except instants.Wrong as wrong:
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


def _spans(complaints: Complaints, path: Path, value: Any, years: range) -> list[tuple[int, int]]:
    """Dates with a year as they are; without one, once for each year in which the day exists."""
    try:
        first, last = instants.dates(value)
    except instants.Wrong as wrong:
        complaints.add(path, wrong.key, **wrong.values)
        return []
    if first >= 10000:
        return [(first, last)]
    spans = [
        (_existing(year * 10000 + first, 1), _existing((year + (last < first)) * 10000 + last, -1))
        for year in years
    ]
    return [(start, end) for start, end in spans if start <= end]


def _existing(date: int, step: int) -> int:
    """29 February in a common year is the day after it for a beginning (step 1), the day before for an end."""
    year, month, day = date // 10000, date // 100 % 100, date % 100
    if civil.is_date(year, month, day):
        return date
    return date + 72 if step > 0 else date - 1
