"""Evaluates the heating policy: from a week of occupied hours, set-points and legal ceilings, all of them data, it
gives a room's set-point.

The heating day is the civil day. A programme is an ordered list of *rules*; the first that matches the date chooses a
*day*: a list of occupied spans, in minutes of the wall clock. A date that no rule matches is closed. Between two spans
a room is *empty*, and its set-point then depends on how long it is empty in all, which the programme knows from the
start: a night, a weekend, a holiday. An *exception* replaces the programme from one instant to another: closed, or
occupied. Empty hours before and after it count with it; where two meet, the later in the list holds. Wall clock times
follow `civil`: a span that begins in the spring gap begins at the change, one in the autumn fold at the first passage;
each happens once.

**Ceilings.** A set-point may not exceed what the law allows: `STATUTORY`, in every programme, and what a programme adds
to it. An *exemption* replaces the ceilings of one kind on its dates; its authority and text are recorded with it.
`allowed` returns the limit that binds, with its text. Frost protection is the node's and no set-point
(`heating.trade`).

Sources: code de l'énergie, articles R241-26 (19 °C while occupied), R241-27 (empty for 24 h and more: 16 °C; for 48 h
and more: 8 °C), R241-28 and R241-29 (who may have other limits, and on whose decision). The law limits the mean over a
building's rooms; here the limit binds each room's set-point, which is stricter.

Integers only, temperatures in 0.01 °C. Knows no clock (time is an argument) and no precedence of orders; the node
decides what to do when time is unknown. The plain-data form and its faults are in `heating_form`.
"""

from collections import namedtuple

from policy import civil
from policy.lighting import in_dates

OCCUPIED = 0
EMPTY_24H = 1
EMPTY_48H = 2
# Empty for less than a day: no article binds, but the ceiling of occupied rooms holds a fortiori.
EMPTY = 3

# from_min, to_min: minutes after 00:00 of the civil day, to_min up to 1440. setpoint_ck 0: the programme's comfort.
Span = namedtuple("Span", ("from_min", "to_min", "setpoint_ck"))
# weekdays: bit 0 = Monday. first, last: as in lighting.Rule. day: index.
Rule = namedtuple("Rule", ("weekdays", "first", "last", "day"))
Setpoints = namedtuple("Setpoints", ("comfort_ck", "empty_ck", "empty_24h_ck", "empty_48h_ck"))
# kind: OCCUPIED, EMPTY_24H, EMPTY_48H. first, last: inclusive dates, as in Rule.
Limit = namedtuple("Limit", ("kind", "limit_ck", "first", "last", "authority", "text"))
Programme = namedtuple("Programme", ("rules", "days", "setpoints", "ceilings", "exemptions"))

# setpoint_ck: the wished one; kind: of hour; reason: rule * 32 + span (from 1; 0: empty), plus 1024 · CLOSED or
# ORDERED; until_s: Unix second at which this may change; next_s, next_ck: when the room is next occupied,
# within LOOK_DAYS, and its set-point then (None, None: not that soon, or occupied now); empty_s: how long the room
# stays empty in all.
Wanted = namedtuple("Wanted", ("setpoint_ck", "kind", "reason", "until_s", "next_s", "next_ck", "empty_s"))
# The set-point after the ceilings, and the Limit that lowered it, or None.
Allowed = namedtuple("Allowed", ("setpoint_ck", "limit"))

STATUTORY = (
    Limit(OCCUPIED, 1900, 0, 0, "Code de l’énergie", "R241-26"),
    Limit(EMPTY_24H, 1600, 0, 0, "Code de l’énergie", "R241-27"),
    Limit(EMPTY_48H, 800, 0, 0, "Code de l’énergie", "R241-27"),
)
DEFAULT_SETPOINTS = Setpoints(1900, 1600, 1600, 800)
DEFAULT_PROGRAMME = Programme(
    (Rule(0b0011111, 0, 0, 0),), ((Span(8 * 60, 18 * 60, 0),),), DEFAULT_SETPOINTS, (), ()
)

# Exceptions: CLOSED is also a value of the directive EXCEPTION; ORDERED hours are occupied.
AS_USUAL = 0
CLOSED = 1
ORDERED = 2
# A Plan gets exceptions, even those that are over, as a tuple of (CLOSED or ORDERED, Unix second of its begin (0: long
# ago), Unix second of its end).

NO_RULE = 31
# A time without occupation that reaches beyond this many days, either way, is longer than 48 h in any case.
LOOK_DAYS = 3
# Of now and of the next span, each for two kinds of hours: a turn asks for no more.
_LIMITS_KEPT_MAX = 4
_HOUR_S = 3600


def reason_text(reason):
    """Returns the reason in words, for logs and people; rules and spans count from 1."""
    source = ("", "exception: closed, ", "ordered hours, ")[reason >> 10]
    rule, span = (reason & 1023) >> 5, reason & 31
    place = "no rule" if rule == NO_RULE else f"rule {rule + 1}"
    return f"{source}{place}, span {span}" if span else f"{source}{place}, empty"


class Plan:
    """Evaluates a programme in a zone. The answer is kept until its `until_s`: until then another call costs a
    comparison."""

    def __init__(self, programme, zone):
        self._programme = programme
        self._zone = zone
        self._kept = None
        self._kept_from_s = 0
        self._kept_exceptions = ()
        self._limits = {}  # {(kind of hour, quarter of an hour): its lowest limit}

    def wanted(self, unix_s, exceptions=()):
        """Returns the `Wanted` at this instant; time may jump either way."""
        kept = self._kept
        if kept is None or exceptions != self._kept_exceptions or not self._kept_from_s <= unix_s < kept.until_s:
            kept = self._kept = self._resolve(unix_s, exceptions)
            self._kept_from_s = unix_s
            self._kept_exceptions = exceptions
        return kept

    def peek(self, unix_s, exceptions=()):
        """Returns the `Wanted` at another instant, which is not kept."""
        return self._resolve(unix_s, exceptions)

    def warmest(self, unix_s, uncertainty_s, exceptions=()):
        """Returns the `Wanted` with the highest set-point of those that may be right at `unix_s` ± `uncertainty_s`."""
        chosen = self._resolve(unix_s, exceptions)
        for other_s in (unix_s - uncertainty_s, unix_s + uncertainty_s):
            other = self._resolve(other_s, exceptions)
            if other.setpoint_ck > chosen.setpoint_ck:
                chosen = other
        return chosen

    def allowed(self, setpoint_ck, kind, unix_s):
        """Returns the `Allowed` set-point under the ceilings of this kind of hour. When `unix_s` is None no date can be
        checked: no exemption applies, and the strictest ceiling without dates binds."""
        # A limit is kept for its quarter of an hour: midnight begins one. A room is decided for now and for its next
        # span, in turn.
        place = (kind, None if unix_s is None else unix_s // 900)
        if place not in self._limits:
            if len(self._limits) >= _LIMITS_KEPT_MAX:
                self._limits.clear()
            self._limits[place] = self._lowest_at(OCCUPIED if kind == EMPTY else kind, unix_s)
        lowest = self._limits[place]
        if lowest is None or setpoint_ck <= lowest.limit_ck:
            return Allowed(setpoint_ck, None)
        return Allowed(lowest.limit_ck, lowest)

    def _lowest_at(self, kind, unix_s):
        """Returns the lowest limit of one kind in force, or None: only the exemption of the day, or else all ceilings.
        """
        programme, date = self._programme, None
        if unix_s is not None:
            date = civil.civil_from_days(civil.local_from_unix(self._zone, unix_s).civil_day)
        for exemption in programme.exemptions:
            if exemption.kind == kind and date is not None and _dated(exemption, date):
                return exemption
        lowest = None
        for limits in (STATUTORY, programme.ceilings):
            for limit in limits:
                is_in_force = limit.kind == kind and (limit.first == 0 or (date is not None and _dated(limit, date)))
                if is_in_force and (lowest is None or limit.limit_ck < lowest.limit_ck):
                    lowest = limit
        return lowest

    def _resolve(self, unix_s, exceptions):
        local = civil.local_from_unix(self._zone, unix_s)
        today = local.civil_day
        ended_s = coming = None
        for span in self._spans(today, exceptions):
            start_s, end_s, setpoint_ck, reason = span
            if start_s <= unix_s < end_s:
                return Wanted(setpoint_ck, OCCUPIED, reason, self._bound(end_s, today), None, None, 0)
            if end_s <= unix_s:
                ended_s = end_s
            elif coming is None:
                coming = span
        # The days around are resolved only as far as the nearest span on each side: each costs a chip milliseconds.
        day = today
        while ended_s is None and day > today - LOOK_DAYS:
            day -= 1
            spans = self._spans(day, exceptions)
            ended_s = spans[-1][1] if spans else None
        day = today
        while coming is None and day < today + LOOK_DAYS:
            day += 1
            spans = self._spans(day, exceptions)
            coming = spans[0] if spans else None
        if coming is None:
            return self._empty(unix_s, today, exceptions, ended_s, None, None)
        return self._empty(unix_s, today, exceptions, ended_s, coming[0], coming[2])

    def _empty(self, unix_s, today, exceptions, ended_s, next_s, next_ck):
        setpoints = self._programme.setpoints
        # Without an occupied span within LOOK_DAYS on one side, the room is empty for longer than 48 h in any case.
        empty_s = LOOK_DAYS * civil.day_s
        if ended_s is not None and next_s is not None:
            empty_s = next_s - ended_s
        kind, setpoint_ck = EMPTY, setpoints.empty_ck
        if empty_s >= 48 * _HOUR_S:
            kind, setpoint_ck = EMPTY_48H, setpoints.empty_48h_ck
        elif empty_s >= 24 * _HOUR_S:
            kind, setpoint_ck = EMPTY_24H, setpoints.empty_24h_ck
        reason = _rule_index(self._programme, today) << 5
        until_s = self._bound(next_s, today)
        for word, since_s, ends_s in exceptions:
            if since_s <= unix_s < ends_s:  # an empty hour: no ORDERED one
                reason += word << 10
                until_s = min(until_s, ends_s)
        return Wanted(setpoint_ck, kind, reason, until_s, next_s, next_ck, empty_s)

    def _bound(self, end_s, today):
        midnight_s = civil.unix_from_local(self._zone, today + 1, 0)
        return midnight_s if end_s is None or end_s > midnight_s else end_s

    def _spans(self, day, exceptions):
        """Returns [(start, end, set-point, reason)] of one civil day, in Unix seconds, in order, none empty."""
        spans = self._usual(day)
        for word, since_s, ends_s in exceptions:
            found, setpoint_ck = [], self._programme.setpoints.comfort_ck
            # The other hours of a day in which it begins or ends are as usual.
            for span in spans:
                if span[0] < since_s:
                    found.append((span[0], min(since_s, span[1]), span[2], span[3]))
                if span[1] > ends_s:
                    found.append((max(ends_s, since_s, span[0]), span[1], span[2], span[3]))
                if span[0] < ends_s and since_s < span[1]:
                    setpoint_ck = max(setpoint_ck, span[2])
            from_s, to_s = max(since_s, self._at(day, 0)), min(ends_s, self._at(day, 1440))
            if word == ORDERED and from_s < to_s:
                reason = (word << 10) + (_rule_index(self._programme, day) << 5) + 1
                found.append((from_s, to_s, setpoint_ck, reason))
            spans = sorted(found)
        return spans

    def _usual(self, day):
        rule = _rule_index(self._programme, day)
        if rule == NO_RULE:
            return []
        found = []
        for number, span in enumerate(self._programme.days[self._programme.rules[rule].day], 1):
            start_s, end_s = self._at(day, span.from_min), self._at(day, span.to_min)
            if start_s < end_s:
                setpoint_ck = span.setpoint_ck or self._programme.setpoints.comfort_ck
                found.append((start_s, end_s, setpoint_ck, (rule << 5) + number))
        return found

    def _at(self, day, minutes):
        return civil.unix_from_local(self._zone, day, 60 * minutes)


def _rule_index(programme, day):
    year, month, date = civil.civil_from_days(day)
    bit = 1 << civil.weekday(day)
    for index in range(len(programme.rules)):
        rule = programme.rules[index]
        if rule.weekdays & bit and in_dates(rule.first, rule.last, year, month * 100 + date):
            return index
    return NO_RULE


def _dated(limit, date):
    return in_dates(limit.first, limit.last, date[0], date[1] * 100 + date[2])
