"""Evaluates the limits of a policy: when light is forbidden on a feeder, or darkness by command, and by which text.

Limits bind the calendar and commands alike: the compiler checks them before a policy is signed, the gateway before it
obeys a command. Like calendars they belong to lighting days, from noon to noon: a limit or an exemption dated 14 July
holds until noon of the 15th.

* DARK_WINDOW: no light from minute `a` to minute `b` of the wall clock, over midnight if `b` is before `a`.
* NO_DARKENING: a command may not take what the calendar lights below `a` %; if `a` is 0, it may not lower it at all.
* DARK_BY_DAY: no light by command from sunrise + `a` to sunset - `b` minutes.
* EXEMPTION: on its dates the limits of kind `a` do not bind its target.

An interlock or an emergency may take precedence over a limit (ARCHITECTURE, section 6): the caller decides that.
Integers only; knows no clock.
"""

from policy import civil, lighting, sun
from policy.document import ALL, DARK_BY_DAY, DARK_WINDOW, EXEMPTION, NO_DARKENING

_NOON_S = 43200
_DAY_MIN = 1440


def aims(limit, feeder):
    """Returns whether the Limit applies to the FeederRule."""
    return limit.target in (ALL, feeder.name, feeder.group)


def binding(section, feeder, evening):
    """Returns the limits of the Lighting that bind a FeederRule in the lighting day of `evening`, a civil day."""
    year, month, day = civil.civil_from_days(evening)
    date = year * 10000 + month * 100 + day
    in_force = [one for one in section.limits if aims(one, feeder) and _dated(one, date)]
    exempted = [one.a for one in in_force if one.kind == EXEMPTION]
    return [one for one in in_force if one.kind != EXEMPTION and one.kind not in exempted]


def dark_spans(section, feeder, evening):
    """Returns [(from_s, to_s, Limit)], the spans in which light is forbidden in the lighting day of `evening`, in Unix
    seconds; `to_s` is not included."""
    spans = []
    for limit in binding(section, feeder, evening):
        if limit.kind == DARK_WINDOW:
            spans += _window_spans(section, evening, limit)
        elif limit.kind == DARK_BY_DAY:
            spans += _day_spans(section, evening, limit)
    return [span for span in spans if span[0] < span[1]]


def broken(section, feeder, first_s, last_s, level_percent):
    """Returns the first Limit that a command for this FeederRule would break between two instants (`last_s` not
    included), or None. level_percent: of the command; 100 lights, and less lowers what the calendar gives."""
    site = section.site
    for evening in range(lighting.evening_of(site, first_s), lighting.evening_of(site, last_s - 1) + 1):
        if level_percent == 100:
            for start_s, end_s, limit in dark_spans(section, feeder, evening):
                if start_s < last_s and first_s < end_s:
                    return limit
        else:
            for limit in binding(section, feeder, evening):
                if limit.kind == NO_DARKENING and level_percent < (limit.a or 100):
                    return limit
    return None


def _dated(limit, date):
    return limit.first <= date and (not limit.last or date <= limit.last)


def _window_spans(section, evening, limit):
    """Returns the spans of a window of the wall clock in one lighting day: one, or two when noon is inside it."""
    first, last = (limit.a - 720) % _DAY_MIN, (limit.b - 720) % _DAY_MIN or _DAY_MIN
    pieces = ((first, last),) if first < last else ((0, last), (first, _DAY_MIN))
    return [(_after_noon(section, evening, a), _after_noon(section, evening, b), limit) for a, b in pieces]


def _after_noon(section, evening, minutes):
    return civil.unix_from_local(section.site.zone, evening, _NOON_S + minutes * 60)


def _day_spans(section, evening, limit):
    """Returns the spans of a DARK_BY_DAY limit in one lighting day: its afternoon and its morning."""
    site = section.site
    dusk = sun.crossing_s(evening, site.latitude_e4, site.longitude_e4, rising=False)
    dawn = sun.crossing_s(evening + 1, site.latitude_e4, site.longitude_e4, rising=True)
    assert dusk is not None and dawn is not None  # the section's sites are in France
    noon, next_noon = _after_noon(section, evening, 0), _after_noon(section, evening, _DAY_MIN)
    return [(noon, dusk - limit.b * 60, limit), (dawn + limit.a * 60, next_noon, limit)]
