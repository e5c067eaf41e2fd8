"""Whether the calendars keep within the limits, on every night of a policy's validity.

A calendar that lights a feeder where a limit wants it dark is a fault of the step that lights it, told with the text
that forbids it. Limits on commands alone (`NO_DARKENING`, `DARK_BY_DAY`) are not the calendar's.
"""

import functools
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from policy import ceiling, document, lighting
from policy.document import FeederRule, Lighting, Limit
from tools.policy.calendars import NamedCalendar
from tools.policy.complaints import Complaints, Moment
from tools.policy.words import clock

_NAMES_SHOWN = 3


class Breach(NamedTuple):
    """Light where a limit wants none: the step that lights, and from when, Unix seconds."""

    limit: Limit
    reason: int
    unix_s: int


def check(
    complaints: Complaints, section: Lighting, calendars: Sequence[NamedCalendar], evenings: range
) -> None:
    """Complains once for each step and limit, with the first night and how many there are."""
    for feeders in _alike(section):
        found: dict[tuple[Limit, int], list[int]] = {}
        for evening in evenings:
            for breach in breaches(section, feeders[0], evening):
                found.setdefault((breach.limit, breach.reason), []).append(breach.unix_s)
        names = ", ".join(feeder.name for feeder in feeders[:_NAMES_SHOWN])
        for (limit, reason), instants in found.items():
            rule, number = lighting.reason_parts(reason)
            complaints.add(
                (*calendars[feeders[0].calendar].nights[rule], "steps", number - 1),
                "breach",
                feeders=f"{names}…" if len(feeders) > _NAMES_SHOWN else names,
                when=Moment(instants[0]),
                nights=len(instants),
                first=clock(limit.a),
                last=clock(limit.b),
                text=limit.text,
                authority=limit.authority,
            )


def breaches(section: Lighting, feeder: FeederRule, evening: int) -> Iterator[Breach]:
    """What the calendar lights in the dark windows of one lighting day: one breach for each step and window."""
    windows = [
        span for span in ceiling.dark_spans(section, feeder, evening) if span[2].kind == document.DARK_WINDOW
    ]
    if not windows:
        return
    changes = _changes(section.calendars[feeder.calendar], section.site, evening)
    for i, (start_s, level, reason) in enumerate(changes[:-1]):
        for first_s, last_s, limit in windows:
            if level and max(start_s, first_s) < min(changes[i + 1][0], last_s):
                yield Breach(limit, reason, max(start_s, first_s))


@functools.lru_cache(maxsize=8192)  # feeders of one calendar ask for the same nights
def _changes(calendar: lighting.Calendar, site: lighting.Site, evening: int) -> list[tuple[int, int, int]]:
    """(from, level, reason) of a lighting day, and its end."""
    night = lighting.Night(calendar, site, evening)
    return [*night.changes(), (night.end_s, 0, 0)]


def _alike(section: Lighting) -> list[list[FeederRule]]:
    """Feeders with one calendar and the same limits: what holds for the first holds for all."""
    alike: dict[tuple, list[FeederRule]] = {}
    for feeder in section.feeders:
        aimed = tuple(limit for limit in section.limits if ceiling.aims(limit, feeder))
        alike.setdefault((feeder.calendar, aimed), []).append(feeder)
    return list(alike.values())
