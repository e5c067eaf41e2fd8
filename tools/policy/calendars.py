"""`[[calendar]]`: nights in the order in which they are tried, to a `lighting.Calendar`.

    [[calendar]]
    name = "rues"
      [[calendar.night]]
      dates = ["07-14", "12-20..01-03"]      # optional, of the evening
      weekdays = "fri sat"                   # optional, of the evening
      steps = ["sunset on", "sunrise off"]   # from noon to noon

The last night has neither dates nor weekdays, so that every evening has one. Each pair of dates becomes one rule;
nights with the same steps share a program.
"""

from typing import NamedTuple

from policy import lighting, lighting_form, limits
from tools.policy import instants
from tools.policy.complaints import Complaints
from tools.policy.source_lines import Path
from tools.policy.table import Table, wrong_type
from wire.command import NAME_BYTES_MAX

# What `lighting_form` says of steps that are sound one by one, by the field that it names.
_ORDER = {"minutes": "step_order", "reference": "step_evening", "level": "step_lit"}


class NamedCalendar(NamedTuple):
    """`nights[i]` is the place, in the file, of the night behind rule i."""

    name: str
    calendar: lighting.Calendar
    nights: tuple[Path, ...]


class _Night(NamedTuple):
    path: Path
    weekdays: int
    dates: list[tuple[int, int]]
    steps: tuple[lighting.Step, ...]

    @property
    def always(self) -> bool:
        return self.weekdays == lighting.EVERY_DAY and (0, 0) in self.dates


def read(table: Table) -> NamedCalendar | None:
    """The calendar of one `[[calendar]]`, or None when it has a fault."""
    before = table.complaints.count()
    name = table.text("name", NAME_BYTES_MAX)
    nights = [_night(night) for night in table.tables("night", limits.lighting_rules_max, needed=True)]
    table.close()
    if table.complaints.count() > before or name is None:
        return None
    _check_reach(table, nights)
    calendar = _build(table, nights)
    if table.complaints.count() > before:
        return None
    return NamedCalendar(name, calendar, tuple(night.path for night in nights for _ in night.dates))


def _night(table: Table) -> _Night:
    weekdays = 0
    for path, value in table.items("weekdays", needed=False):
        weekdays |= _read(table.complaints, path, value, instants.weekdays) or 0
    dates = []
    for path, value in table.items("dates", needed=False):
        try:
            dates.append(instants.dates(value))
        except instants.Wrong as wrong:
            table.complaints.add(path, wrong.key, **wrong.values)
    steps = _steps(table)
    table.close()
    return _Night(table.path, weekdays or lighting.EVERY_DAY, dates or [(0, 0)], steps)


def _steps(table: Table) -> tuple[lighting.Step, ...]:
    before = table.complaints.count()
    places = table.items("steps")
    steps = [_read(table.complaints, path, value, instants.step) for path, value in places]
    if len(places) > limits.lighting_steps_max:
        table.complaints.add(places[limits.lighting_steps_max][0], "too_many", max=limits.lighting_steps_max)
    if table.complaints.count() > before:
        return ()
    program = [[one.reference, one.minutes, one.level_percent, one.by_day] for one in steps]
    for fault in lighting_form.validate([lighting_form.version, [[lighting.EVERY_DAY, 0, 0, 0]], [program]]):
        # Sound steps leave faults of their order only: "programs[0][step].field".
        number, field = fault.path.removeprefix("programs[0][").split("].")
        table.complaints.add(places[int(number)][0], _ORDER[field])
    return tuple(steps)


def _read(complaints: Complaints, path: Path, value, parse):
    """The value that a text says, or None after a complaint."""
    if not isinstance(value, str):
        wrong_type(complaints, path, value, "text")
        return None
    try:
        return parse(value)
    except instants.Wrong as wrong:
        complaints.add(path, wrong.key, **wrong.values)
        return None


def _check_reach(table: Table, nights: list[_Night]) -> None:
    """Every evening has a night, and every night an evening that can reach it."""
    for night in nights[:-1]:
        if night.always:
            table.complaints.add(nights[nights.index(night) + 1].path, "night_hidden")
            return
    if not nights[-1].always:
        table.complaints.add(nights[-1].path, "night_last")


def _build(table: Table, nights: list[_Night]) -> lighting.Calendar:
    programs: list[tuple[lighting.Step, ...]] = []
    rules = []
    for night in nights:
        if night.steps not in programs:
            programs.append(night.steps)
        for first, last in night.dates:
            rules.append(lighting.Rule(night.weekdays, first, last, programs.index(night.steps)))
    if len(rules) > limits.lighting_rules_max:
        table.add("night", "too_many_dates", count=len(rules), max=limits.lighting_rules_max)
    if len(programs) > limits.lighting_programs_max:
        table.add("night", "too_many_programs", count=len(programs), max=limits.lighting_programs_max)
    return lighting.Calendar(tuple(rules), tuple(programs))
