"""Parses and formats `[[calendar]]`, the small language of nights: from text to the numbers of `policy.lighting` and
back.

    [[calendar]]
    name = "rues"
      [[calendar.night]]
      dates = ["07-14", "12-20..01-03"]      # optional, of the evening
      weekdays = "fri sat"                   # optional, of the evening
      steps = ["sunset on", "sunrise off"]   # from noon to noon

    step       "sunset on"   "sunset+15 on"   "23:00 off"   "12:00 on by-day"
    weekdays   "fri sat"   "mon..thu"
    dates      "07-14"   "2026-07-14"   "12-20..01-03"   "2026-12-20..2027-01-03"
    window     "01:00..12:00"   "sunrise+30..sunset-30"

Nights are tried in their order; the last one has neither dates nor weekdays, so that every evening has one. Each pair
of dates becomes one rule; nights with the same steps share a program. French words are read as well: "coucher+15
allumé", "23h00 éteint", "lun..jeu". A level between on and off is a fault, for a policy switches contactors, which dim
nothing; so is a night or a step that never acts. Text that is not understood raises Wrong with the key of the sentence
that says why; must not guess.
"""

import datetime
import re
from typing import Any, NamedTuple

from policy import civil, lighting, lighting_form, limits
from tools.policy.toml_source import Path, SourceFaults, Table, wrong_type
from wire.command import NAME_BYTES_MAX

_CLOCK = re.compile(r"(\d{1,2})(?::(\d{2})|h(\d{2})?)")
_SUN = re.compile(r"(sunset|sunrise|coucher|lever)(?:([+-])(\d{1,4}))?")
_SUN_NAMES = {
    "sunset": lighting.SUNSET,
    "coucher": lighting.SUNSET,
    "sunrise": lighting.SUNRISE,
    "lever": lighting.SUNRISE,
}
_LEVELS = {"on": 100, "allumé": 100, "allume": 100, "off": 0, "éteint": 0, "eteint": 0}
_PERCENT = re.compile(r"(\d{1,4})%")
_BY_DAY = ("by-day", "de-jour")
_WEEKDAYS = (
    ("mon", "lun", "monday", "lundi"),
    ("tue", "mar", "tuesday", "mardi"),
    ("wed", "mer", "wednesday", "mercredi"),
    ("thu", "jeu", "thursday", "jeudi"),
    ("fri", "ven", "friday", "vendredi"),
    ("sat", "sam", "saturday", "samedi"),
    ("sun", "dim", "sunday", "dimanche"),
)
_WEEKDAY_NUMBERS = {word: number for number, words in enumerate(_WEEKDAYS) for word in words}
_DATE = re.compile(r"(?:(\d{4})-)?(\d{2})-(\d{2})")
_SUN_WORDS = {lighting.SUNSET: "sunset", lighting.SUNRISE: "sunrise"}
# Faults that `lighting_form` can find in steps that are sound one by one, by the field that it names.
_ORDER = {"minutes": "step_order", "reference": "step_evening", "level": "step_lit"}


class Wrong(Exception):
    """Is raised for a text that is not of this language: the key of the sentence that says why, and its values."""

    def __init__(self, key: str, **values: Any) -> None:
        super().__init__(key)
        self.key = key
        self.values = values


def parse_step(text: str) -> lighting.Step:
    """Parses one step of a night."""
    words = text.lower().split()
    if not 2 <= len(words) <= 3 or (len(words) == 3 and words[2] not in _BY_DAY):
        raise Wrong("step", text=text)
    reference, minutes = _instant(words[0], text)
    return lighting.Step(reference, minutes, _level(words[1], text), int(len(words) == 3))


def parse_weekdays(text: str) -> int:
    """Returns the bits of `lighting.Rule.weekdays`; a weekday is that of the evening."""
    bits = 0
    for word in re.split(r"[\s,]+", text.strip().lower()):
        first, dots, last = word.partition("..")
        first, last = first.removesuffix("."), last.removesuffix(".")  # "ven. sam.", as a night shows it
        for one in (first, last) if dots else (first,):
            if one not in _WEEKDAY_NUMBERS:
                raise Wrong("weekday", text=one)
        number, end = _WEEKDAY_NUMBERS[first], _WEEKDAY_NUMBERS[last if dots else first]
        while number != end:
            bits |= 1 << number
            number = (number + 1) % 7
        bits |= 1 << end
    return bits


def parse_dates(value: object) -> tuple[int, int]:
    """Returns (first, last) of `lighting.Rule`, from a text or a date as TOML writes it."""
    if isinstance(value, datetime.datetime) or not isinstance(value, str | datetime.date):
        raise Wrong("dates", text=value)
    text = value.strip() if isinstance(value, str) else value.isoformat()
    first, dots, last = text.partition("..")
    start = _date(first.strip(), text)
    end = _date(last.strip(), text) if dots else start
    if (start < 10000) != (end < 10000):
        raise Wrong("dates_mixed", text=text)
    if start >= 10000 and end < start:
        raise Wrong("dates_order", text=text)
    return start, end


def parse_clock_window(text: str) -> tuple[int, int]:
    """Returns "01:00..12:00" as minutes of the day, the second not included."""
    first, dots, last = text.strip().lower().partition("..")
    if not dots or not _CLOCK.fullmatch(first.strip()) or not _CLOCK.fullmatch(last.strip()):
        raise Wrong("window", text=text)
    start, end = _minutes(first.strip()), _minutes(last.strip())
    if start == end:
        raise Wrong("window_empty", text=text)
    return start, end


def parse_sun_window(text: str) -> tuple[int, int]:
    """Returns "sunrise+30..sunset-30" as (minutes after sunrise, minutes before sunset)."""
    first, dots, last = text.strip().lower().partition("..")
    start, end = _SUN.fullmatch(first.strip()), _SUN.fullmatch(last.strip())
    if not dots or start is None or end is None:
        raise Wrong("sun_window", text=text)
    if _SUN_NAMES[start.group(1)] != lighting.SUNRISE or _SUN_NAMES[end.group(1)] != lighting.SUNSET:
        raise Wrong("sun_window", text=text)
    after, before = _offset(start), -_offset(end)
    if after < 0 or before < 0:
        raise Wrong("sun_window", text=text)
    return after, before


def _instant(word: str, text: str) -> tuple[int, int]:
    if _CLOCK.fullmatch(word):
        return lighting.CLOCK, _minutes(word)
    found = _SUN.fullmatch(word)
    if found is None:
        raise Wrong("step", text=text)
    return _SUN_NAMES[found.group(1)], _offset(found)


def _minutes(word: str) -> int:
    found = _CLOCK.fullmatch(word)
    assert found is not None
    hour, minute = int(found.group(1)), int(found.group(2) or found.group(3) or 0)
    if hour > 23 or minute > 59:
        raise Wrong("time", text=word)
    return hour * 60 + minute


def _offset(found: re.Match[str]) -> int:
    minutes = int(found.group(3) or 0)
    if minutes > limits.lighting_offset_max_min:
        raise Wrong("offset", value=minutes, max=limits.lighting_offset_max_min)
    return -minutes if found.group(2) == "-" else minutes


def _level(word: str, text: str) -> int:
    if word in _LEVELS:
        return _LEVELS[word]
    found = _PERCENT.fullmatch(word)
    if found is None:
        raise Wrong("step", text=text)
    level = int(found.group(1))
    if level not in (0, limits.level_max_percent):
        raise Wrong("level", value=level)
    return level


def _date(word: str, text: str) -> int:
    found = _DATE.fullmatch(word)
    if found is None:
        raise Wrong("dates", text=text)
    year, month, day = (int(part or 0) for part in found.groups())
    # 29 February may stand in a rule of every year: in a common year no evening has that date.
    if not civil.is_date(year or 2000, month, day):
        raise Wrong("no_date", text=word)
    if year and not limits.year_min <= year <= limits.year_max:
        raise Wrong("year", value=year, low=limits.year_min, high=limits.year_max)
    return year * 10000 + month * 100 + day


def format_rule(rule: lighting.Rule, language: str) -> str:
    """Returns the text of a rule's evenings: dates and weekdays, `*` for all."""
    days = "" if rule.weekdays == lighting.EVERY_DAY else format_weekdays(rule.weekdays, language)
    return " ".join(part for part in (format_dates(rule.first, rule.last), days) if part) or "*"


def format_step(step: lighting.Step) -> str:
    """Returns the text of a step, as `parse_step` reads it."""
    if step.reference == lighting.CLOCK:
        instant = f"{step.minutes // 60:02}:{step.minutes % 60:02}"
    else:
        instant = _SUN_WORDS[step.reference] + (f"{step.minutes:+}" if step.minutes else "")
    return f"{instant} {'on' if step.level_percent else 'off'}" + (f" {_BY_DAY[0]}" if step.by_day else "")


def format_weekdays(bits: int, language: str) -> str:
    """Returns the text of weekdays, `ven. sam.` or `fri sat`, as `parse_weekdays` reads it."""
    names = [f"{words[1]}." if language == "fr" else words[0] for words in _WEEKDAYS]
    return " ".join(name for number, name in enumerate(names) if bits & 1 << number)


def format_dates(first: int, last: int) -> str:
    """Returns the text of dates, as `parse_dates` reads it; in the dates of a limit 0 is no bound."""
    if first == last:
        return _format_date(first)
    return f"{_format_date(first)}..{_format_date(last)}"


def _format_date(date: int) -> str:
    if not date:
        return ""
    year = f"{date // 10000}-" if date >= 10000 else ""
    return f"{year}{date // 100 % 100:02}-{date % 100:02}"


# --- the calendars of a file --------------------------------------------------------------------------------------


class NamedCalendar(NamedTuple):
    """`nights[i]` is the place, in the file, of the night behind rule i, `evenings[i]` that of its dates."""

    name: str
    calendar: lighting.Calendar
    nights: tuple[Path, ...]
    evenings: tuple[Path, ...]


class _Night(NamedTuple):
    """Holds a night of the file. `dates`: (place, first, last)."""

    path: Path
    weekdays: int
    dates: list[tuple[Path, int, int]]
    steps: tuple[lighting.Step, ...]

    @property
    def always(self) -> bool:
        return self.weekdays == lighting.EVERY_DAY and not self.dates[0][1]


def read(table: Table) -> NamedCalendar | None:
    """Returns the calendar of one `[[calendar]]`; None when it has a fault."""
    before = table.faults.count()
    name = table.text("name", NAME_BYTES_MAX)
    nights = [_night(night) for night in table.tables("night", limits.lighting_rules_max, needed=True)]
    table.close()
    if table.faults.count() > before or name is None:
        return None
    if not nights[-1].always:
        table.faults.add(nights[-1].path, "night_last")
    calendar = _build(table, nights)
    if table.faults.count() > before:
        return None
    places = [(night.path, place) for night in nights for place, _, _ in night.dates]
    return NamedCalendar(name, calendar, *(tuple(column) for column in zip(*places, strict=True)))


def _night(table: Table) -> _Night:
    weekdays = 0
    for path, value in table.items("weekdays", needed=False):
        weekdays |= _read(table.faults, path, value, parse_weekdays) or 0
    dates = []
    for path, value in table.items("dates", needed=False):
        try:
            dates.append((path, *parse_dates(value)))
        except Wrong as wrong:
            table.faults.add(path, wrong.key, **wrong.values)
    steps = _steps(table)
    table.close()
    return _Night(table.path, weekdays or lighting.EVERY_DAY, dates or [(table.path, 0, 0)], steps)


def _steps(table: Table) -> tuple[lighting.Step, ...]:
    before = table.faults.count()
    places = table.items("steps")
    steps = [_read(table.faults, path, value, parse_step) for path, value in places]
    if len(places) > limits.lighting_steps_max:
        table.faults.add(places[limits.lighting_steps_max][0], "too_many", max=limits.lighting_steps_max)
    if table.faults.count() > before:
        return ()
    program = [[one.reference, one.minutes, one.level_percent, one.by_day] for one in steps]
    for fault in lighting_form.validate([lighting_form.version, [[lighting.EVERY_DAY, 0, 0, 0]], [program]]):
        # Sound steps leave faults of their order only: "programs[0][step].field".
        number, field = fault.path.removeprefix("programs[0][").split("].")
        table.faults.add(places[int(number)][0], _ORDER[field])
    return tuple(steps)


def _read(faults: SourceFaults, path: Path, value, parse):
    """Returns the value of a text, or None after a fault."""
    if not isinstance(value, str):
        wrong_type(faults, path, value, "text")
        return None
    try:
        return parse(value)
    except Wrong as wrong:
        faults.add(path, wrong.key, **wrong.values)
        return None


def _build(table: Table, nights: list[_Night]) -> lighting.Calendar:
    programs: list[tuple[lighting.Step, ...]] = []
    rules = []
    for night in nights:
        if night.steps not in programs:
            programs.append(night.steps)
        for _, first, last in night.dates:
            rules.append(lighting.Rule(night.weekdays, first, last, programs.index(night.steps)))
    if len(rules) > limits.lighting_rules_max:
        table.add("night", "too_many_dates", count=len(rules), max=limits.lighting_rules_max)
    if len(programs) > limits.lighting_programs_max:
        table.add("night", "too_many_programs", count=len(programs), max=limits.lighting_programs_max)
    return lighting.Calendar(tuple(rules), tuple(programs))


# --- what never acts ----------------------------------------------------------------------------------------------

_DAYS = 1461  # four years: each day of the year, 29 February with them, on several weekdays


def check_acts(faults: SourceFaults, named: NamedCalendar, site: lighting.Site, evenings: range) -> None:
    """Adds a fault for each night that no evening takes, because those before it do, and for each step that acts on
    none of its night's evenings: overtaken by a later step, or lit by day. `evenings`: those of the policy; a calendar
    goes on after them, so that four years are looked at in any case."""
    calendar = named.calendar
    taken: set[int] = set()
    acted: dict[Path, set[int]] = {path: set() for path in named.nights}
    lengths = (len(calendar.programs[rule.program]) for rule in calendar.rules)
    steps = dict(zip(named.nights, lengths, strict=True))
    for evening in range(evenings.start, evenings.start + max(len(evenings), _DAYS)):
        rule = lighting.matching_rule(calendar, evening)
        path = named.nights[rule]
        taken.add(rule)
        if len(acted[path]) < steps[path]:
            changes = lighting.Night(calendar, site, evening).changes()
            numbers = {lighting.reason_parts(reason)[1] for _, _, reason in changes}
            acted[path] |= numbers - {lighting.NO_STEP, lighting.DAYLIGHT}
        elif len(taken) == len(calendar.rules) and all(len(acted[one]) == steps[one] for one in acted):
            return
    for rule in set(range(len(calendar.rules))) - taken:
        faults.add(named.evenings[rule], "never_night")
    for path, numbers in acted.items():
        if any(named.nights[rule] == path for rule in taken):
            for number in set(range(1, steps[path] + 1)) - numbers:
                faults.add((*path, "steps", number - 1), "never_step")
