"""Computes the civil calendar and legal local time in integers.

Days are counted from 1970-01-01 ("civil day"), in the proleptic Gregorian calendar; a civil day and a second
of the day are kept apart, so that arithmetic stays in the chip's 31-bit small integers. Summer time is data,
not code: a `Zone` holds two offsets and a rule. Must not read a clock and must not know a time zone database.

Local time has two ambiguous hours a year. They are resolved here, the same for every caller:
* the spring gap (02:00-03:00 does not exist): the instant of the change, 03:00 summer time;
* the autumn fold (02:00-03:00 happens twice): the first passage, still in summer time.
So `unix_from_local` never goes backwards when local time goes forwards: a programme's steps keep their order.

Sources: directive 2000/84/EC (last Sundays of March and October, 01:00 UTC); the day count is the usual count
of days in a year that starts in March.
"""

from collections import namedtuple

day_s = 86400

# Zone(standard_s, summer_s, rule): offsets east of UTC in seconds; rule is None, or the two changes of a year, start
# before end (northern hemisphere), each (month, weekday, seconds): the last such weekday (0 = Monday) of the month, at
# that second of the UTC day. Plain tuples, since a type for them would cost a chip 90 bytes each.
Zone = namedtuple("Zone", ("standard_s", "summer_s", "rule"))
# Site(latitude_e4, longitude_e4, zone): north and east in 10^-4 degree; its Zone, in which noon must be in daylight.
Site = namedtuple("Site", ("latitude_e4", "longitude_e4", "zone"))
# Local(civil_day, second, offset_s): local date as a day count, second of that day, offset in force.
Local = namedtuple("Local", ("civil_day", "second", "offset_s"))

EU_SUMMER_TIME = ((3, 6, 3600), (10, 6, 3600))
_MONTH, _WEEKDAY, _UTC_S = 0, 1, 2
PARIS = Zone(3600, 7200, EU_SUMMER_TIME)
UTC = Zone(0, 0, None)
# The zone and the day of the last question, and the offset all that day: most questions are about today. In the two
# months of changes nothing is kept.
_kept = (None, 0, 0)


def days_from_civil(year, month, day):
    """Returns the civil day of a date. The caller checks that `month` is 1-12 and `day` 1-31 (`is_date`)."""
    march_year = year if month > 2 else year - 1
    march_month = month - 3 if month > 2 else month + 9
    leap_days = march_year // 4 - march_year // 100 + march_year // 400
    return 365 * march_year + leap_days + (153 * march_month + 2) // 5 + day - 719469


def civil_from_days(civil_day):
    """Returns (year, month, day) of a civil day."""
    era, day_of_era = divmod(civil_day + 719468, 146097)
    # The leap days before this day are subtracted first, so that only years of 365 days remain.
    year_of_era = (day_of_era - day_of_era // 1460 + day_of_era // 36524 - day_of_era // 146096) // 365
    day_of_year = day_of_era - (365 * year_of_era + year_of_era // 4 - year_of_era // 100)
    march_month = (5 * day_of_year + 2) // 153
    day = day_of_year - (153 * march_month + 2) // 5 + 1
    month = march_month + 3 if march_month < 10 else march_month - 9
    return (era * 400 + year_of_era + (1 if month <= 2 else 0), month, day)


def weekday(civil_day):
    """Returns the weekday of a civil day: 0 for Monday … 6 for Sunday."""
    return (civil_day + 3) % 7


def is_date(year, month, day):
    """Returns whether the date exists."""
    if not 1 <= month <= 12 or not 1 <= day <= 31:
        return False
    return civil_from_days(days_from_civil(year, month, day)) == (year, month, day)


def change_day(year, change):
    """Returns the civil day on which `change` falls in `year`."""
    last = days_from_civil(year + change[_MONTH] // 12, change[_MONTH] % 12 + 1, 1) - 1
    return last - (weekday(last) - change[_WEEKDAY]) % 7


def offset_s(zone, utc_day, utc_s):
    """Returns the offset in force at an instant given as (UTC day, second of that day)."""
    global _kept
    if zone.rule is None:
        return zone.standard_s
    if _kept[1] == utc_day and _kept[0] is zone:
        return _kept[2]
    year, month, _ = civil_from_days(utc_day)
    start, end = zone.rule
    if month not in (start[_MONTH], end[_MONTH]):
        offset = zone.summer_s if start[_MONTH] < month < end[_MONTH] else zone.standard_s
        _kept = (zone, utc_day, offset)
        return offset
    if (utc_day, utc_s) < (change_day(year, start), start[_UTC_S]):
        return zone.standard_s
    if (utc_day, utc_s) < (change_day(year, end), end[_UTC_S]):
        return zone.summer_s
    return zone.standard_s


def local_from_unix(zone, unix_s):
    """Returns the `Local` time at a Unix instant."""
    utc_day, utc_s = divmod(unix_s, day_s)
    offset = offset_s(zone, utc_day, utc_s)
    shift, second = divmod(utc_s + offset, day_s)
    return Local(utc_day + shift, second, offset)


def unix_from_local(zone, civil_day, second):
    """Returns the Unix instant of a local time. `second` counts from 00:00 of `civil_day` by the wall clock and may be
    outside 0-86399. Gap: the instant of the change. Fold: the first passage."""
    first = _shifted(civil_day, second - zone.summer_s)
    if offset_s(zone, first[0], first[1]) == zone.summer_s:
        return first[0] * day_s + first[1]
    second_passage = _shifted(civil_day, second - zone.standard_s)
    if offset_s(zone, second_passage[0], second_passage[1]) == zone.standard_s:
        return second_passage[0] * day_s + second_passage[1]
    # Neither offset is in force at the instant that it gives: the wall clock skips this time.
    start = zone.rule[0]
    return change_day(civil_from_days(second_passage[0])[0], start) * day_s + start[_UTC_S]


def _shifted(civil_day, second):
    shift, rest = divmod(second, day_s)
    return (civil_day + shift, rest)
