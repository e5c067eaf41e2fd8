"""Evaluates the lighting policy: a calendar as data gives the level of a lamp at an instant.

Vocabulary, in the spirit of TALQ. The lighting day runs from local noon to local noon and has the date of its
*evening*. A calendar is an ordered list of *rules*; the first that matches the evening chooses a *program*; an evening
that no rule matches runs `DEFAULT_PROGRAM` (fail lit). A program is an ordered list of *steps*, written in the order of
the night; each has an instant (wall clock, sunset ± minutes, sunrise ± minutes) and a level in percent.

How a night is resolved:
1. Before the first step the level is 0.
2. **Of the steps whose instant has come, the one furthest down the list is in force.** Steps cross when
   nights are short ("22:00 dim" before sunset): the earlier-listed one then never acts, it is *overtaken* and
   listed as such.
3. **Daylight guard.** A level above 0 holds only in the dark: from sunset, or the program's earliest step
   before sunset, until sunrise, or the program's latest step after sunrise. Outside it counts as 0, unless
   the step says `by_day` (tunnels, tests).
4. Wall clock times follow `civil`: a step in the spring gap acts at the change, one in the autumn fold at the
   first passage; each acts once.
5. Where the sun does not set, no evening is dark; where it does not rise, all of it is.

Integers only. Knows no clock (time is an argument) and no precedence of orders; the node decides what to do when time
is unknown. The plain-data form and its faults are in `lighting_form`.
"""

from collections import namedtuple

from policy import civil, sun

CLOCK = 0  # minutes after 00:00: of the evening's date from 720 on, of the next morning below 720
SUNSET = 1  # minutes after (before, if negative) the evening's sunset
SUNRISE = 2  # likewise, the morning's sunrise

EVERY_DAY = 0b1111111  # bit 0 = Monday evening

Site = civil.Site
Step = namedtuple("Step", ("reference", "minutes", "level_percent", "by_day"))
# weekdays: bits as in EVERY_DAY; program: index. first, last: dates of the evening, inclusive: both 0 (any date),
# or month * 100 + day (every year, may wrap over New Year), or year * 10000 + month * 100 + day.
Rule = namedtuple("Rule", ("weekdays", "first", "last", "program"))
Calendar = namedtuple("Calendar", ("rules", "programs"))  # programs: tuples of steps
# until_s: Unix second before which the answer does not change.
Wanted = namedtuple("Wanted", ("level_percent", "reason", "until_s"))

# Where an instant stands to dusk and dawn (`Night.side`).
DAY, TWILIGHT, NIGHT = "day", "twilight", "night"

# A reason is one small integer, rule · 32 + step, so that it travels in every record of an actuator change.
NO_STEP = 0  # before the first step; steps count from 1
DAYLIGHT = 31  # the daylight guard keeps a lit step at 0
NO_RULE = 31  # no rule matched the evening

DEFAULT_PROGRAM = (Step(SUNSET, 0, 100, 0), Step(SUNRISE, 0, 0, 0))
DEFAULT_CALENDAR = Calendar((Rule(EVERY_DAY, 0, 0, 0),), (DEFAULT_PROGRAM,))
DIMMING_CALENDAR = Calendar(
    (Rule(EVERY_DAY, 0, 0, 0),),
    (
        (
            Step(SUNSET, 0, 100, 0),
            Step(CLOCK, 22 * 60, 70, 0),
            Step(CLOCK, 0, 40, 0),
            Step(CLOCK, 5 * 60 + 30, 100, 0),
            Step(SUNRISE, 0, 0, 0),
        ),
    ),
)

# Lamps are given new programs so far from dusk and dawn: a program that fails is gone back from before the street needs
# its light, and the dusk of a switched feeder has its starts and reports first.
RESTART_MARGIN_S = 3600
_NOON_S = 43200


def wanted(calendar, site, unix_s):
    """Returns the `Wanted` at one instant. For repeated calls use `Plan`."""
    return Plan(calendar, site).wanted(unix_s)


def reason_parts(reason):
    """Returns the parts of a reason: (rule index or NO_RULE, step number or NO_STEP or DAYLIGHT)."""
    return (reason >> 5, reason & 31)


def reason_text(reason):
    """Returns the reason in words, for logs and people; rules and steps count from 1."""
    rule, step = reason_parts(reason)
    place = "no rule" if rule == NO_RULE else f"rule {rule + 1}"
    if step == NO_STEP:
        return f"{place}, before its first step"
    if step == DAYLIGHT:
        return f"{place}, daylight"
    return f"{place}, step {step}"


class Plan:
    """Evaluates a calendar at a site. The current lighting day is resolved once: after that an answer is a scan."""

    def __init__(self, calendar, site):
        self._calendar = calendar
        self._site = site
        self._night = None
        self._wanted = None  # the last answer, for this doubt and from this instant on
        self._doubt_s = self._from_s = 0

    def wanted(self, unix_s, doubt_s=0):
        """Returns the `Wanted` at `unix_s`, which may jump either way; of those that may be right at ± `doubt_s` the
        brightest: a doubt about the time is decided on the safe side. Its `until_s` is right for a doubt that does not
        grow. While it holds it is the same object: nothing is computed or allocated."""
        held = self._wanted
        if held is None or doubt_s != self._doubt_s or not self._from_s <= unix_s < held.until_s:
            held = self._brightest(unix_s, doubt_s) if doubt_s else self.night(unix_s).wanted(unix_s)
            self._wanted, self._doubt_s, self._from_s = held, doubt_s, unix_s
        return held

    def _brightest(self, unix_s, uncertainty_s):
        chosen = self.night(unix_s).wanted(unix_s)
        until_s = chosen.until_s
        other_s = unix_s - uncertainty_s
        while other_s <= unix_s + uncertainty_s:
            other = self.night(other_s).wanted(other_s)
            if other.level_percent > chosen.level_percent:
                chosen = other
            # A level that ends inside the window leaves it later by the uncertainty; one that begins after it enters
            # earlier by the uncertainty.
            inside = other.until_s <= unix_s + uncertainty_s
            until_s = min(until_s, other.until_s + (uncertainty_s if inside else -uncertainty_s))
            other_s = other.until_s
        return Wanted(chosen.level_percent, chosen.reason, until_s)

    def night(self, unix_s):
        """Returns the `Night` that holds this instant."""
        if self._night is None or not self._night.start_s <= unix_s < self._night.end_s:
            self._night = Night(self._calendar, self._site, evening_of(self._site, unix_s))
        return self._night


def evening_of(site, unix_s):
    """Returns the civil day of the evening whose lighting day holds this instant."""
    local = civil.local_from_unix(site.zone, unix_s)
    return local.civil_day if local.second >= _NOON_S else local.civil_day - 1


class Night:
    """Resolves one lighting day, from noon to noon: its bounds, and the changes inside it.

    start_s, end_s, sunset_s, sunrise_s: Unix seconds; sunset and sunrise are cut to the bounds. rule: index of the rule
    in force, or NO_RULE. overtaken: numbers (from 1) of the steps that never act in this night because a later one has
    acted before."""

    def __init__(self, calendar, site, evening):
        self.start_s = civil.unix_from_local(site.zone, evening, _NOON_S)
        self.end_s = civil.unix_from_local(site.zone, evening + 1, _NOON_S)
        self.rule = matching_rule(calendar, evening)
        steps = DEFAULT_PROGRAM
        if self.rule != NO_RULE:
            steps = calendar.programs[calendar.rules[self.rule].program]
        length = self.end_s - self.start_s
        sunset, sunrise = self._sun(site, evening, length)
        self.sunset_s = self.start_s + sunset
        self.sunrise_s = self.start_s + sunrise
        instants = [self._instant(site, evening, step, sunset, sunrise, length) for step in steps]
        self.overtaken = tuple(
            i + 1 for i in range(len(steps)) if i + 1 < len(steps) and min(instants[i + 1 :]) <= instants[i]
        )
        self._changes = self._resolve(steps, instants, _dark(steps, instants, sunset, sunrise), length)

    def wanted(self, unix_s):
        """Returns the `Wanted` at an instant in [start_s, end_s)."""
        assert self.start_s <= unix_s < self.end_s
        second = unix_s - self.start_s
        current = self._changes[0]
        for change in self._changes:
            if change[0] > second:
                return Wanted(current[1], current[2], self.start_s + change[0])
            current = change
        return Wanted(current[1], current[2], self.end_s)

    def side(self, unix_s, margin_s):
        """Returns DAY or NIGHT where the sun is up, or down, for `margin_s` on both sides of an instant of this day;
        else TWILIGHT."""
        if unix_s < self.sunset_s - margin_s or unix_s >= self.sunrise_s + margin_s:
            return DAY
        return NIGHT if self.sunset_s + margin_s <= unix_s < self.sunrise_s - margin_s else TWILIGHT

    def changes(self):
        """Returns all changes of the night, [(unix_s, level_percent, reason)], the first at `start_s`."""
        return [(self.start_s + second, level, reason) for second, level, reason in self._changes]

    def _sun(self, site, evening, length):
        """Returns the seconds after `start_s` of sunset and sunrise; a night without one of them follows point 5."""
        dusk = sun.crossing_s(evening, site.latitude_e4, site.longitude_e4, rising=False)
        dawn = sun.crossing_s(evening + 1, site.latitude_e4, site.longitude_e4, rising=True)
        middle = (self.start_s // 2) + (self.end_s // 2)
        dark = sun.elevation_cdeg(middle, site.latitude_e4, site.longitude_e4) < 9000 - sun.sunset_zenith_cdeg
        sunset = (0 if dark else length) if dusk is None else dusk - self.start_s
        sunrise = length if dawn is None else dawn - self.start_s
        return (_within(sunset, length), _within(sunrise, length))

    def _instant(self, site, evening, step, sunset, sunrise, length):
        if step.reference == SUNSET:
            return _within(sunset + step.minutes * 60, length)
        if step.reference == SUNRISE:
            return _within(sunrise + step.minutes * 60, length)
        day = evening if step.minutes >= 720 else evening + 1
        return _within(civil.unix_from_local(site.zone, day, step.minutes * 60) - self.start_s, length)

    def _resolve(self, steps, instants, dark, length):
        """Returns the changes of the night, [(second, level, reason)], ascending, each different from the one
        before."""
        seconds = sorted({0, dark[0], dark[1]} | set(instants))
        changes = []
        for second in seconds:
            if second == length:
                continue
            level, number, by_day = 0, NO_STEP, 0
            for i in range(len(steps)):
                if instants[i] <= second:
                    level, number, by_day = steps[i].level_percent, i + 1, steps[i].by_day
            if level and not by_day and not dark[0] <= second < dark[1]:
                level, number = 0, DAYLIGHT
            change = (second, level, self.rule * 32 + number)
            if not changes or changes[-1][1:] != change[1:]:
                changes.append(change)
        return changes


def matching_rule(calendar, evening):
    """Returns the index of the first rule that matches the evening of this civil day, or NO_RULE."""
    year, month, day = civil.civil_from_days(evening)
    bit = 1 << civil.weekday(evening)
    for i in range(len(calendar.rules)):
        rule = calendar.rules[i]
        if rule.weekdays & bit and in_dates(rule.first, rule.last, year, month * 100 + day):
            return i
    return NO_RULE


def in_dates(first, last, year, month_day):
    """Returns whether a date is within the bounds of a Rule."""
    if first == 0:
        return True
    date = month_day if first < 10000 else year * 10000 + month_day
    if first <= last:
        return first <= date <= last
    return date >= first or date <= last


def _dark(steps, instants, sunset, sunrise):
    """Returns the daylight guard's window, widened by the program's own steps before sunset and after sunrise."""
    if sunset >= sunrise:
        return (0, 0)  # the midnight sun: there is no dusk to widen
    opens, closes = sunset, sunrise
    for i in range(len(steps)):
        if steps[i].reference == SUNSET:
            opens = min(opens, instants[i])
        if steps[i].reference == SUNRISE:
            closes = max(closes, instants[i])
    return (opens, closes)


def _within(second, length):
    return min(length, max(0, second))
