"""States for how many days each class of facts is kept, and lets a person decide otherwise.

    readings   records of what was measured: hours and days are made of them
    rooms      temperatures by hour: of dwellings and classrooms they show habits; by day they stay
    hours      all figures by hour; by day they stay
    events     records of events and alarms, faults with what people noted, gaps and anchors
    apart      what is kept apart and nobody has decided on: as long as readings, which most of it would be

Defaults are those of `limits`, with their reasons. What is made of readings, or gives them their time, is kept at least
as long as they are.
"""

from collections.abc import Mapping

from gateway.language import N_
from tools.centre.limits import KEPT_DAYS_MIN, KEPT_EVENTS_DAYS, KEPT_HOURS_DAYS, KEPT_READINGS_DAYS, KEPT_ROOMS_DAYS
from tools.centre.store import database
from tools.command_line import UsageError

READINGS, ROOMS, HOURS, EVENTS, APART = "readings", "rooms", "hours", "events", "apart"
DEFAULTS = {
    READINGS: KEPT_READINGS_DAYS,
    ROOMS: KEPT_ROOMS_DAYS,
    HOURS: KEPT_HOURS_DAYS,
    EVENTS: KEPT_EVENTS_DAYS,
}
_SET = """INSERT INTO retention VALUES (?, ?, 0) ON CONFLICT (class) DO UPDATE SET days = excluded.days"""


def kept_days(connection: database.Connection) -> dict[str, int]:
    """Returns for how many days each class is kept."""
    days = DEFAULTS | dict(connection.execute("SELECT class, days FROM retention"))
    return {**days, APART: days[READINGS]}


def keep(connection: database.Connection, days: Mapping[str, int]) -> None:
    """Keeps these classes for so many days from now on. UsageError where they do not fit each other."""
    with database.transaction(connection):
        wanted = kept_days(connection) | dict(days)
        for name in DEFAULTS:
            kept = wanted[name]
            if kept < KEPT_DAYS_MIN:
                message = N_("--{name}: at least {days} days, for what comes late")
                raise UsageError(message, name=name, days=KEPT_DAYS_MIN)
            if kept < wanted[READINGS]:
                message = N_("--{name}: at least {days} days, as long as --readings")
                raise UsageError(message, name=name, days=wanted[READINGS])
        connection.executemany(_SET, list(days.items()))
