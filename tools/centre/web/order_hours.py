"""Orders hours: a room is heated as if it were in use, a green space is kept dry; for one node, within a day.

What becomes of it is what the node measured: the temperature that was reached and when, the valves that stayed shut.
What it costs or saves is reckoned from the same node's last days in the warehouse, and told with these days.
"""

from collections import defaultdict
from collections.abc import Sequence
from functools import partial
from statistics import median
from typing import Any

from gateway.language import N_, NC_, NN_, Phrases
from gateway.language.figures import number
from policy import civil
from tools.centre.condition.usage import ENERGY, Usages
from tools.centre.control import orders
from tools.centre.register.equipment import GREEN_SPACE, ROOM
from tools.centre.scope import grants
from tools.centre.web import order_kind, words
from tools.centre.web.access import Commune, commune, opened
from tools.centre.web.history import Told, history
from tools.centre.web.limits import COST_DAYS
from tools.centre.web.order_kind import Asking, Field, Form, Kind, Place
from tools.centre.web.page import picture
from tools.centre.web.panel import sentence
from tools.centre.web.spaces import Space
from tools.centre.web.watered import told_of, watered, zone_of
from wire import command, directive, event, quantity
from wire.command import Command

WORDS = Phrases(order_kind.WORDS.messages | {
    "heat.do": NC_("button", "Heat at other hours"),
    "heat.say": N_("I sign: heat {place} ({insee}) from {from} to {until} ({length}). Reason: {reason}. {author}."),
    "heat.heading": N_("Heat, {begin} – {until}"),
    "dry.do": NC_("button", "Skip the watering"),
    "dry.say": N_("I sign: no watering of {place} ({insee}) from {from} to {until}. Reason: {reason}. {author}."),
    "dry.heading": N_("No watering, {begin} – {until}"),
    "field.day": N_("Which day?"),
    "field.from": N_("From what time?"),
    "field.to": N_("Until what time?"),
    "day.0": N_("today"),
    "day.1": N_("tomorrow"),
    "weekdays": N_("Mon. Tue. Wed. Thu. Fri. Sat. Sun."),
    "reason.hire": N_("the room is let"),
    "reason.meeting": N_("meeting"),
    "reason.feast": N_("feast"),
    "reason.fair": N_("fair or market"),
    "reason.works": N_("works"),
    "reason.play": N_("sports event"),
    "touched.room": N_("one room, at the set-point of its hours of use, which never passes the legal ceiling"),
    "touched.zones": NN_("{count} zone of one valve box", "{count} zones of one valve box"),
    "place.zones": NN_("{name} and {count} more zone of its valve box",
                       "{name} and {count} more zones of its valve box"),
    "heat.cost": N_(
        "To expect: about {kwh} kWh. In the last {days} days this room took {rate} kWh for each hour at its set-point,"
        " warming up included. An estimate: a colder day takes more."
    ),
    "heat.cost.none": N_("Not costed: the warehouse has no energy of this room in use in the last {days} days."),
    "dry.cost": NN_(
        "To expect: {litres} L less a day, the median of {count} day with water in the last {days} days."
        " An estimate: where it rains, nothing is saved.",
        "To expect: {litres} L less a day, the median of {count} days with water in the last {days} days."
        " An estimate: where it rains, nothing is saved.",
    ),
    "dry.cost.none": N_("Not costed: no water was measured here in the last {days} days."),
    "hours.waits": N_("Its node is told ahead, within a quarter of an hour where it is reached, and begins by itself."),
    "hours.silent": N_("Nothing has been heard from its node since the hours began ({begin})."),
    "heat.reached": N_("Measured: {degrees} ({clock}), for a set-point of {wanted}."),
    "heat.not_reached": N_("Not warm yet: {degrees} ({clock}), for a set-point of {wanted}."),
    "heat.missed": N_("Never warm: {degrees} at most, for a set-point of {wanted}."),
    "heat.told": N_("{clock}: {sentence}"),
    "dry.shut": N_("No valve was opened ({begin} – {end})."),
    "dry.opened": N_("A valve was opened all the same ({clock})."),
    "dry.skipped": NN_("A watering was skipped ({clock}): {count} zone.",
                       "A watering was skipped ({clock}): {count} zones."),
    "dry.litres": N_("Not given: about {litres} L, the median of days with water before."),
})  # fmt: skip
_DAYS = 7  # what a gateway accepts ahead (`command.WINDOW_S_MAX`), today with it
_STEP_MIN, _DAY_MIN = 30, 1440
_FROM_MIN, _TO_MIN = 18 * 60, 23 * 60
# A room is warm from so much under its set-point on, 0.01 K (`heating.limits.COMFORT_CK`).
_WARM_CK = 50
# What says why a room was not heated as ordered.
_HINDERS = (event.CEILING_APPLIED, event.LOAD_SHED, event.WINDOW_OPEN, event.HEATING_FAILURE, event.LOCAL_TEST)


class _OfNode(Kind):
    """Is for the room or the green space of one node. `kind`: of its equipment."""

    words = WORDS
    kind = ""

    def is_there(self, request: Any, own: Commune) -> bool:
        return bool(_spaces(request, own, self.kind))

    def choices(self, asking: Asking, word: str) -> list[tuple[str, str]]:
        return [(one.id, one.name) for one in _spaces(asking.request, asking.own, self.kind)]

    def found(self, asking: Asking, word: str) -> Place | None:
        found = next((one for one in _spaces(asking.request, asking.own, self.kind) if one.id == word), None)
        if found is None or found.state.node is None:
            return None
        insee, _, gateway = (found.state.cabinet or "").partition("-")
        return self.place(asking, gateway if insee == asking.own.insee else None, found.state.node.hex())

    def place(self, asking: Asking, gateway: str | None, target: str | None) -> Place:
        served = _served(asking.request, asking.own, self.kind, target)
        touched, parts = self.touched(asking.request, served)
        return Place(self.named(asking.request, served) or target or "", gateway, target, touched, parts)

    def touched(self, request: Any, served: Sequence[Space]) -> tuple[str, tuple[str, ...]]:
        """Returns what an order moves in short, and each by name."""
        raise NotImplementedError

    def named(self, request: Any, served: Sequence[Space]) -> str:
        return served[0].name if served else ""

    def heading(self, one: Command, request: Any) -> str:
        begin, until = (words.moment(at, request.language, now_s=request.now_s) for at in _bounds(one))
        where = self.where(one, request)
        return self.say(request, f"{self.name}.heading", begin=begin, until=until) + (f", {where}" if where else "")

    def where(self, one: Command, request: Any) -> str:
        served = _served(request, commune(request, one.insee), self.kind, one.target)
        return self.named(request, served) or one.target or ""

    def outcome(self, asking: Asking, order: orders.Order) -> tuple[str, ...]:
        one = order.command
        served = _served(asking.request, asking.own, self.kind, one.target)
        ended_by = orders.ended_by(asking.control, one.id)
        end = None if ended_by is None else orders.get(asking.control, ended_by)
        begin_s, end_s = one.not_before_s, one.expires_s if end is None else end.made_unix_s
        if not served or end_s <= begin_s:
            return ()
        if asking.request.now_s < begin_s:
            place = self.place(asking, one.gateway, one.target)
            return self.say(asking.request, "hours.waits"), self.cost(asking, place, f"{begin_s}-{end_s}")
        return tuple(self.became(asking, served, begin_s, end_s))

    def became(self, asking: Asking, served: Sequence[Space], begin_s: int, end_s: int) -> list[str]:
        """Returns what the node measured in these hours, in sentences."""
        raise NotImplementedError

    def silent(self, request: Any, begin_s: int) -> str:
        return self.say(request, "hours.silent", begin=words.moment(begin_s, request.language, now_s=request.now_s))


class Heat(_OfNode):
    """Has a room heated as in its hours of use, and warm when they begin."""

    name = "heat"
    trade = grants.HEATING
    right = "heat"
    kind = ROOM
    forms = (Form(command.DIRECTIVE, None, ((directive.OCCUPIED, 1),)),)
    reasons = ("hire", "meeting", "feast")
    usual_reason = "meeting"

    def fields(self, asking: Asking) -> tuple[Field, ...]:
        day, from_min, to_min = _hours(asking.request)
        say = partial(self.say, asking.request)
        days = tuple((str(one), _day(asking.request, one)) for one in _days(asking.request))
        begins = range(_first_min(asking.request, day) or 0, _DAY_MIN, _STEP_MIN)
        ends = range(from_min + _STEP_MIN, _DAY_MIN + 1, _STEP_MIN)
        return (
            Field("day", say("field.day"), days, str(day)),
            Field("from", say("field.from"), tuple((str(one), _clock(one)) for one in begins), str(from_min)),
            Field("to", say("field.to"), tuple((str(one), _clock(one)) for one in ends), str(to_min)),
        )

    def times(self, asking: Asking, place: Place) -> list[tuple[str, str]]:
        day, from_min, to_min = _hours(asking.request)
        begin_s, end_s = (_instant_s(asking.request, day, one) for one in (from_min, to_min))
        return [(f"{begin_s}-{end_s}", "")]

    def touched(self, request: Any, served: Sequence[Space]) -> tuple[str, tuple[str, ...]]:
        return self.say(request, "touched.room"), ()

    def cost(self, asking: Asking, place: Place, time: str) -> str:
        """Divides what the room's heating took in its last days by the hours at the set-point of its hours of use."""
        request, (begin, end) = asking.request, time.split("-")
        node, now_s, language = bytes.fromhex(place.target or ""), request.now_s, request.language
        since_s = now_s - COST_DAYS * civil.day_s
        with opened(asking.own.areas) as connection:
            used = Usages(connection, ENERGY, (since_s, now_s), insee=asking.own.insee).of((node, 0))
            keys = quantity.TEMPERATURE, (quantity.SETPOINT,)
            points = history(connection, node, None, None, *keys, since_s=since_s, now_s=now_s).points
        wanted = [one.wanted for one in points if one.wanted is not None]
        at_most = sum(one >= max(wanted) - _WARM_CK for one in wanted)
        # Each reading stands for its part of the time of which the energy is known.
        hours = at_most / len(wanted) * used.covered_s / 3600 if wanted else 0
        if not used.amount or hours < 1:
            return self.say(request, "heat.cost.none", days=COST_DAYS)
        rate = used.amount / hours / 1000
        kwh = number(rate * (int(end) - int(begin)) / 3600, language, 0)
        return self.say(request, "heat.cost", kwh=kwh, days=COST_DAYS, rate=number(rate, language, 1))

    def became(self, asking: Asking, served: Sequence[Space], begin_s: int, end_s: int) -> list[str]:
        request, node, now_s = asking.request, served[0].state.node, asking.request.now_s
        with opened(asking.own.areas) as connection:
            known = history(
                connection, node, None, None, quantity.TEMPERATURE, (quantity.SETPOINT,),
                since_s=begin_s, now_s=min(now_s, end_s),
            )  # fmt: skip
        points = [
            (one.unix_s, one.measured, one.wanted)
            for one in known.points
            if one.unix_s >= begin_s and one.measured is not None and one.wanted is not None
        ]
        if not points:
            return [self.silent(request, begin_s)]
        wanted_ck = max(wanted for _, _, wanted in points)
        warm = next((one for one in points if one[1] >= wanted_ck - _WARM_CK), None)
        key = "reached" if warm else "not_reached" if now_s < end_s else "missed"
        best = warm or (points[-1] if now_s < end_s else max(points, key=lambda one: one[1]))
        found = [
            self.say(
                request, f"heat.{key}", degrees=_degrees(best[1], request), wanted=_degrees(wanted_ck, request),
                clock=words.moment(best[0], request.language, now_s=now_s),
            )
        ]  # fmt: skip
        hinders = [one for one in known.told if one.body.code in _HINDERS and one.body.active is not False]
        for one in hinders:
            at = words.moment(one.unix_s, request.language, now_s=now_s)
            found.append(self.say(request, "heat.told", clock=at, sentence=sentence(one, request.language)))
        return found


class KeepDry(_OfNode):
    """Keeps a green space without water for a day: all zones of a valve box, since its node holds the hours."""

    name = "dry"
    trade = grants.WATERING
    right = "dry"
    kind = GREEN_SPACE
    forms = (Form(command.DIRECTIVE, None, ((directive.DRY, 1),)),)
    reasons = ("fair", "play", "works")
    usual_reason = "fair"
    asks = "field.day"

    def times(self, asking: Asking, place: Place) -> list[tuple[str, str]]:
        request = asking.request
        ends = [(one, _instant_s(request, one, _DAY_MIN)) for one in range(_DAYS)]
        # Today from now on.
        begins = ["0", *(str(_instant_s(request, one, 0)) for one in range(1, _DAYS))]
        return [(f"{begin}-{end_s}", _day(request, one)) for begin, (one, end_s) in zip(begins, ends, strict=True)]

    def usual_time(self, place: Place) -> int:
        return 1

    def named(self, request: Any, served: Sequence[Space]) -> str:
        if len(served) < 2:
            return super().named(request, served)
        return self.say(request, "place.zones", name=served[0].name, count=len(served) - 1)

    def touched(self, request: Any, served: Sequence[Space]) -> tuple[str, tuple[str, ...]]:
        return self.say(request, "touched.zones", count=len(served)), tuple(one.name for one in served)

    def cost(self, asking: Asking, place: Place, time: str) -> str:
        request = asking.request
        served = _served(request, asking.own, self.kind, place.target)
        litres, days = _median_l(self._told(asking, served), served, before_s=request.now_s)
        if not days:
            return self.say(request, "dry.cost.none", days=COST_DAYS)
        shown = number(litres, request.language, 0)
        return self.say(request, "dry.cost", litres=shown, count=days, days=COST_DAYS)

    def became(self, asking: Asking, served: Sequence[Space], begin_s: int, end_s: int) -> list[str]:
        request, now_s = asking.request, asking.request.now_s
        until_s = min(now_s, end_s)
        at = partial(words.moment, language=request.language, now_s=now_s)
        if (served[0].state.heard_unix_s or 0) < begin_s:
            return [self.silent(request, begin_s)]
        told = self._told(asking, served)
        inside = [one for one in told if begin_s <= one.unix_s < end_s]
        opened_at = [one.unix_s for one in inside if one.body.code == event.VALVE_SWITCHED and one.body.detail[1]]
        if opened_at:
            return [self.say(request, "dry.opened", clock=at(opened_at[0]))]
        found = [self.say(request, "dry.shut", begin=at(begin_s), end=at(until_s))]
        skipped = [one for one in inside if one.body.code == event.WATERING_SKIPPED and one.body.detail[1] == "order"]
        if skipped:
            zones = {zone_of(one) for one in skipped}
            found.append(self.say(request, "dry.skipped", clock=at(skipped[0].unix_s), count=len(zones)))
            litres, days = _median_l(told, served, before_s=begin_s)
            if days:
                found.append(self.say(request, "dry.litres", litres=number(litres, request.language, 0)))
        return found

    def _told(self, asking: Asking, served: Sequence[Space]) -> list[Told]:
        with opened(asking.own.areas) as connection:
            return told_of(connection, served[0].state.node if served else None, now_s=asking.request.now_s)


# --- inside -------------------------------------------------------------------------------------------------------


def _spaces(request: Any, own: Commune, kind: str) -> list[Space]:
    """Returns those of a commune that have a node, by name."""
    found = [one for one in picture(request, own).spaces if one.kind == kind and one.state.node is not None]
    return sorted(found, key=lambda one: one.name)


def _served(request: Any, own: Commune, kind: str, target: str | None) -> list[Space]:
    """Returns what the node of this id serves, by zone."""
    found = [one for one in _spaces(request, own, kind) if one.state.node and one.state.node.hex() == target]
    return sorted(found, key=lambda one: (one.zone or 0, one.name))


def _bounds(one: Command) -> tuple[int, int]:
    return one.not_before_s, one.expires_s


def _hours(request: Any) -> tuple[int, int, int]:
    """Returns what an address asks for, or the nearest that may be ordered: a day from today on, and minutes."""
    day = _nearest(request.GET.get("day"), _days(request), 1)
    first_min = _first_min(request, day) or 0
    from_min = _nearest(request.GET.get("from"), range(first_min, _DAY_MIN, _STEP_MIN), _FROM_MIN)
    to_min = _nearest(request.GET.get("to"), range(from_min + _STEP_MIN, _DAY_MIN + 1, _STEP_MIN), _TO_MIN)
    return day, from_min, to_min


def _nearest(text: str | None, known: Sequence[int], usual: int) -> int:
    asked = int(text) if text and text.isascii() and text.isdigit() and len(text) < 5 else usual
    return min(known, key=lambda one: abs(one - asked))


def _days(request: Any) -> list[int]:
    """Returns the days from today, 0, on which hours may still begin."""
    return [one for one in range(_DAYS) if _first_min(request, one) is not None]


def _first_min(request: Any, day: int) -> int | None:
    """Returns the first minute of a day, 0 for today, at which hours may begin; None: that day has none any more."""
    if day:
        return 0
    minute = civil.local_from_unix(civil.PARIS, request.now_s).second // 60
    first_min = (minute // _STEP_MIN + 1) * _STEP_MIN
    return first_min if first_min < _DAY_MIN else None


def _instant_s(request: Any, day: int, minute: int) -> int:
    today = civil.local_from_unix(civil.PARIS, request.now_s).civil_day
    return int(civil.unix_from_local(civil.PARIS, today + day, 60 * minute))


def _clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


def _day(request: Any, day: int) -> str:
    """Returns `today`, `tomorrow`, `Sat. 5 Dec.`"""
    if day < 2:
        return WORDS.text(f"day.{day}", request.language)
    at_s = _instant_s(request, day, 720)
    weekday = civil.weekday(civil.local_from_unix(civil.PARIS, at_s).civil_day)
    name = WORDS.text("weekdays", request.language).split()[weekday]
    return f"{name} {words.day(at_s, request.language, now_s=request.now_s)}"


def _degrees(temperature_ck: int, request: Any) -> str:
    return f"{number(temperature_ck / 100, request.language, 1)} °C"


def _median_l(told: Sequence[Told], served: Sequence[Space], *, before_s: int) -> tuple[float, int]:
    """Returns the median of the litres of the days with water in the last COST_DAYS, and how many these are."""
    days: dict[int, float] = defaultdict(float)
    for space in served:
        for run in watered(told, space, now_s=before_s).runs:
            if before_s - COST_DAYS * civil.day_s <= run.end_unix_s < before_s:
                days[civil.local_from_unix(civil.PARIS, run.end_unix_s).civil_day] += (run.volume_ml or 0) / 1000
    litres = [one for one in days.values() if one]
    return (median(litres), len(litres)) if litres else (0, 0)
