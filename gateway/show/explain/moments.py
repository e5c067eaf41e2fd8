"""Puts instants and dates into words, by French legal time, and parses the `--at TIME` that a person types.

Summer time is `policy.civil`'s. On the autumn night an hour passes twice: such an instant is shown with "summer
time" or "winter time" after it. Typed without an offset it is the first passage; a time in the spring gap is the
moment of the change; both are noted in the answer. Reads no clock: now is an argument.
"""

import re
from typing import NamedTuple

from gateway.show.explain.words import word
from policy import civil

ZONE = civil.PARIS
GAP, FOLD = "gap", "fold"

_DAYS = {"hier": -1, "yesterday": -1, "aujourd'hui": 0, "aujourd’hui": 0, "today": 0, "demain": 1, "tomorrow": 1}
_CLOCK = r"(?P<hour>[0-9]{1,2})(?: ?[:h] ?(?P<minute>[0-9]{2})?)(?::(?P<second>[0-9]{2}))?"
_OFFSET = r"(?P<offset>Z|[+-][0-9]{2}:?[0-9]{2})?"
_FORMS = tuple(
    re.compile(form + _OFFSET, re.IGNORECASE)
    for form in (
        _CLOCK,
        rf"(?P<word>{'|'.join(_DAYS)})[ ,T]+(?:à |at )?{_CLOCK}",
        rf"(?P<year>[0-9]{{4}})-(?P<month>[0-9]{{2}})-(?P<day>[0-9]{{2}})[ ,T]+{_CLOCK}",
        rf"(?P<day>[0-9]{{1,2}})/(?P<month>[0-9]{{1,2}})/(?P<year>[0-9]{{4}})[ ,T]+{_CLOCK}",
    )
)
_YEARS = (1970, 2090)


class At(NamedTuple):
    """Holds an instant as typed. `note`: None, GAP (there is no such time that night) or FOLD (it passes twice)."""

    unix_s: int
    note: str | None


def parse(text: str, unix_s: int) -> At:
    """Parses `23:00` (today), `demain 05:30`, `2026-07-14T02:00`, `14/07/2026 02:00`, also with `+02:00`.
    ValueError."""
    typed = " ".join(text.split())
    found = next((match for form in _FORMS if (match := form.fullmatch(typed))), None)
    if found is None:
        raise ValueError(f"{text!r} is no time")
    fields = found.groupdict()
    hour, minute, second = (int(fields[name] or 0) for name in ("hour", "minute", "second"))
    if hour > 23 or minute > 59 or second > 59:
        raise ValueError(f"{text!r} is no time of the day")
    civil_day, second_of_day = _day(fields, unix_s), 3600 * hour + 60 * minute + second
    offset = fields["offset"]
    if offset:
        return At(civil_day * civil.day_s + second_of_day - _offset_s(offset), None)
    at_s = civil.unix_from_local(ZONE, civil_day, second_of_day)
    if civil.local_from_unix(ZONE, at_s)[:2] != (civil_day, second_of_day):
        return At(at_s, GAP)
    return At(at_s, FOLD if is_twice(at_s) else None)


def is_twice(unix_s: int) -> bool:
    """Returns True when the wall clock shows this time twice that night."""
    here = civil.local_from_unix(ZONE, unix_s)[:2]
    return any(civil.local_from_unix(ZONE, unix_s + shift)[:2] == here for shift in (-3600, 3600))


def clock(unix_s: int, language: str) -> str:
    """Returns `23:30`; in the hour that passes twice with its offset in words."""
    local = civil.local_from_unix(ZONE, unix_s)
    shown = f"{local.second // 3600:02}:{local.second // 60 % 60:02}"
    if not is_twice(unix_s):
        return shown
    return f"{shown} ({word('summer' if local.offset_s == ZONE.summer_s else 'winter', language)})"


def date(unix_s: int, language: str) -> str:
    """Returns `jeudi 26 novembre 2026`."""
    return day(civil.local_from_unix(ZONE, unix_s).civil_day, language)


def day(civil_day: int, language: str) -> str:
    year, month, number = civil.civil_from_days(civil_day)
    weekday = word(f"weekday.{civil.weekday(civil_day)}", language)
    return f"{weekday} {month_day(month, number, language)} {year}"


def month_day(month: int, number: int, language: str) -> str:
    """Returns `14 juillet`, `1er juin`."""
    first = number == 1 and language == "fr"
    return f"{'1er' if first else number} {word(f'month.{month}', language)}"


def date_and_clock(unix_s: int, language: str) -> str:
    return f"{date(unix_s, language)}, {clock(unix_s, language)}"


def stamp(unix_s: int) -> str:
    """Returns `2026-11-26 23:30:05`, for lists; in the hour that passes twice with its offset."""
    local = civil.local_from_unix(ZONE, unix_s)
    year, month, number = civil.civil_from_days(local.civil_day)
    hour, minute, second = local.second // 3600, local.second // 60 % 60, local.second % 60
    shown = f"{year}-{month:02}-{number:02} {hour:02}:{minute:02}:{second:02}"
    return f"{shown} +{local.offset_s // 3600:02}:00" if is_twice(unix_s) else shown


def clock_near(unix_s: int, now_s: int | None, language: str) -> str:
    """Returns the time alone within the next or last 20 hours, where it cannot be mistaken for another day's; else with
    the date."""
    if now_s is not None and abs(unix_s - now_s) < 72_000:
        return clock(unix_s, language)
    return date_and_clock(unix_s, language)


def _day(fields: dict[str, str | None], unix_s: int) -> int:
    if fields.get("year"):
        year, month, number = (int(fields[name] or 0) for name in ("year", "month", "day"))
        if not _YEARS[0] <= year <= _YEARS[1] or not civil.is_date(year, month, number):
            raise ValueError("no such date")
        return civil.days_from_civil(year, month, number)
    word = fields.get("word")
    return civil.local_from_unix(ZONE, unix_s).civil_day + (_DAYS[word.lower()] if word else 0)


def _offset_s(offset: str) -> int:
    if offset in ("Z", "z"):
        return 0
    seconds = 3600 * int(offset[1:3]) + 60 * int(offset[-2:])
    return -seconds if offset[0] == "-" else seconds
