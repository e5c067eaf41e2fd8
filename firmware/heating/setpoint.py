"""Decides the present set-point, its rule and its reason: by the programme, or a safe set-point without a clock.

Load shedding and ceilings then lower it. Frost, windows and a dead sensor take precedence over it, in `heating.trade`.

A usable clock runs the programme; one that is uncertain by more than a minute gives the warmest set-point that may be
right. Without a clock the room is held at a safe comfort. Only two latches are kept, each for one span: a preheat that
has begun continues, an early stop stays stopped. Both aim at what the ceilings will allow at that hour: a programme may
ask for a temperature by an exemption that has ended by then.
"""

from collections import namedtuple

from heating import limits
from heating.preheat import lead_max_s
from node.limits import UNCERTAINTY_USABLE_S
from policy import heating
from wire import directive

# Rules of a set-point, as `setpointChanged` events carry them. `reason` is an integer for the programme
# (policy.heating.reason_text), or the text of a ceiling.
PROGRAMME = "programme"
PREHEAT = "preheat"
EARLY_STOP = "early-stop"
NO_TIME = "no-time"
SHED = "load-shed"
CEILING = "ceiling"

# wished_ck: before the ceiling lowered it; limit: the Limit, or None. wanted: the programme's Wanted, or None without a
# clock. is_plain: the programme alone decides (a preheat may be learned from).
Choice = namedtuple("Choice", ("setpoint_ck", "rule", "reason", "wished_ck", "limit", "wanted", "is_plain"))


class SetpointLadder:
    """Decides the set-point of one room by the ladder; time may jump either way.

    `preheat` is a heating.preheat.Preheat.
    """

    def __init__(self, model, preheat):
        self._model = model
        self._plan = heating.Plan(model.programme, model.zone)
        self._preheat = preheat
        self._preheats_s = None  # the start of the span that is preheated for
        self._stops_s = None  # the end of the span that stops early
        self._kept_s = None  # the end of a span without early stop: the room had got too cold
        self._closed = self._ordered = None  # policy.heating: the present exceptions, or the last
        self._exceptions = ()
        self._known_s = None  # since when the begin of a closure would have been noticed

    def decide(self, moment, room_ck, outdoor_ck) -> Choice:
        """Returns the Choice of now. room_ck, outdoor_ck: 0.01 °C, or None."""
        wanted = self._wanted(moment)
        if wanted is None:
            setpoint_ck, rule, kind, reason = self._model.no_time_ck, NO_TIME, heating.OCCUPIED, 0
        else:
            setpoint_ck, rule, kind = self._programme(wanted, moment.unix_s, room_ck, outdoor_ck)
            reason = wanted.reason
        is_plain = wanted is not None
        shed_ck = moment.directives.get(directive.LOAD_SHED, 0)
        if shed_ck > 0 and setpoint_ck > limits.FROST_OFF_CK:
            setpoint_ck = max(limits.FROST_OFF_CK, setpoint_ck - shed_ck)
            rule, reason, is_plain = SHED, shed_ck, False
        wished_ck = setpoint_ck
        setpoint_ck, limit = self._plan.allowed(setpoint_ck, kind, moment.unix_s if wanted is not None else None)
        if limit is not None:
            rule, reason = CEILING, limit.text
        return Choice(setpoint_ck, rule, reason, wished_ck, limit, wanted, is_plain)

    def _wanted(self, moment):
        """Returns the programme's Wanted, or None without a usable clock."""
        if moment.unix_s is None or moment.uncertainty_s > UNCERTAINTY_USABLE_S:
            return None
        exceptions = self._exceptions = self._exceptional(moment)
        if moment.uncertainty_s > limits.UNCERTAIN_S:
            return self._plan.warmest(moment.unix_s, moment.uncertainty_s, exceptions)
        return self._plan.wanted(moment.unix_s, exceptions)

    def _exceptional(self, moment):
        """Returns the exceptions for the Plan: a closure, and hours that a person has ordered, which are occupied."""
        if self._known_s is None:
            self._known_s = moment.unix_s
        directives = moment.directives
        if not self._exceptions and directive.EXCEPTION not in directives and directive.OCCUPIED not in directives:
            return ()  # nearly always
        closed, ordered = self._closed, self._ordered = self._closure(moment), self._hours(moment)
        return tuple([one for one in (closed, ordered) if one is not None])

    def _closure(self, moment):
        """Returns the closure of now, or the last one: (heating.CLOSED, since when, until when).

        The directive gives no begin: a closure that is in force at a start may have lasted for long. "Closed for
        long" is then assumed, the cooler of what may be right.
        """
        unix_s, last = moment.unix_s, self._closed
        if moment.directives.get(directive.EXCEPTION, heating.AS_USUAL) == heating.AS_USUAL:
            return _past(last, unix_s)
        ends_s = _ends_s(moment, directive.EXCEPTION, last)
        if last is not None and last[2] > unix_s - limits.EXCEPTION_MOVES_S:
            return last if ends_s == last[2] else (heating.CLOSED, last[1], ends_s)
        # From now on, for the hours before were used.
        is_known = unix_s - self._known_s >= limits.EXCEPTION_KNOWN_S
        return (heating.CLOSED, unix_s if is_known else 0, ends_s)

    def _hours(self, moment):
        """Returns the hours that a person has ordered, to come or of now, or the last: (heating.ORDERED, from, to)."""
        minute = moment.directives.get(directive.OCCUPIED)
        if minute is None:
            return _past(self._ordered, moment.unix_s)
        return (heating.ORDERED, 60 * minute, _ends_s(moment, directive.OCCUPIED, self._ordered))

    def _programme(self, wanted, unix_s, room_ck, outdoor_ck):
        """Returns (set-point, rule, kind of hour) by the programme, with its preheat and its early end."""
        if wanted.kind == heating.OCCUPIED:
            self._preheats_s = None
            if self._stops(wanted, unix_s, room_ck, outdoor_ck):
                return self._model.programme.setpoints.empty_ck, EARLY_STOP, heating.OCCUPIED
            return wanted.setpoint_ck, PROGRAMME, heating.OCCUPIED
        self._stops_s = None
        if wanted.next_s is None or wanted.next_s <= unix_s:
            self._preheats_s = None
        elif self._preheats_s != wanted.next_s:
            self._preheats_s = None
            left_s = wanted.next_s - unix_s
            if room_ck is not None and left_s <= lead_max_s(wanted.empty_s):
                next_ck = self._allowed_ck(wanted.next_ck, heating.OCCUPIED, wanted.next_s)
                is_warmer = next_ck > self._allowed_ck(wanted.setpoint_ck, wanted.kind, unix_s)
                if is_warmer and left_s <= self._preheat.lead_s(next_ck, room_ck, outdoor_ck, wanted.empty_s):
                    self._preheats_s = wanted.next_s
        if self._preheats_s is not None:
            return self._allowed_ck(wanted.next_ck, heating.OCCUPIED, wanted.next_s), PREHEAT, heating.OCCUPIED
        return wanted.setpoint_ck, PROGRAMME, wanted.kind

    def _stops(self, wanted, unix_s, room_ck, outdoor_ck):
        """Returns True while an early stop holds. It ends when the room is colder than it may be."""
        ends_s = wanted.until_s
        if ends_s - unix_s > limits.STOP_MAX_S or room_ck is None:
            self._stops_s = None
            return False
        setpoint_ck = self._allowed_ck(wanted.setpoint_ck, heating.OCCUPIED, unix_s)
        if self._stops_s == ends_s:
            if room_ck < setpoint_ck - limits.COMFORT_CK - limits.RISE_SEEN_CK:
                self._stops_s = None
                self._kept_s = ends_s
        elif (
            self._kept_s != ends_s
            and self._preheat.may_stop(setpoint_ck, room_ck, outdoor_ck, ends_s - unix_s)
            and self._is_last(setpoint_ck, ends_s)
        ):
            self._stops_s = ends_s
        return self._stops_s is not None

    def _is_last(self, setpoint_ck, ends_s):
        """Returns True if the hours after the end are cooler: no other span follows, nor the same one past midnight."""
        after = self._plan.peek(ends_s, self._exceptions)
        after_ck = self._allowed_ck(after.setpoint_ck, after.kind, ends_s)
        return after.kind != heating.OCCUPIED and after_ck < setpoint_ck

    def _allowed_ck(self, setpoint_ck, kind, unix_s):
        return self._plan.allowed(setpoint_ck, kind, unix_s).setpoint_ck


def _past(last, unix_s):
    """Returns an exception that has ended or was cancelled: its past remains."""
    return last if last is None or last[2] <= unix_s else (last[0], last[1], unix_s)


def _ends_s(moment, code, last):
    """Returns the Unix second at which a directive of ENDING ends.

    Each renewal, every quarter of an hour, moves it by some seconds: a preheat for it is for the same hour.
    """
    ends_s = moment.unix_s + (moment.directives[directive.ENDS + code] - moment.now_ms) // 1000
    is_same = last is not None and abs(ends_s - last[2]) <= limits.EXCEPTION_MOVES_S
    return last[2] if is_same else ends_s
