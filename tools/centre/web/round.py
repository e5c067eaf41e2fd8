"""Leads a technician from fault to fault, street by street: a place at a time with what to bring, and what is measured.

A place is closed by measurement alone (`tools.centre.condition.visits`): who presses "done" claims it, and sees here
whether the node or the cabinet agrees. What was measured repaired within ROUND_S stays on the list, so that the day's
work can be counted. Communes of the person that lie side by side are walked as one, whichever of them was asked for;
links lead to the rounds of the others. Each thing works by plain forms and links; the watts of the place on the screen
are pushed.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from django.conf import settings
from django.http import Http404
from django.urls import reverse
from django.views.decorators.http import require_POST

from gateway.language import N_, NC_, NN_, Phrases, events
from gateway.language.figures import number
from tools.centre.condition import notes
from tools.centre.condition import words as fault_words
from tools.centre.condition.faults import Faults, StandingFault
from tools.centre.condition.groups import Group, group
from tools.centre.condition.visits import CLAIMED, ENDED_BY_DUSK, OPEN, REPAIRED, Standing
from tools.centre.condition.walk import Spot, in_walking_order, nearest_m
from tools.centre.limits import NOTE_TEXT_MAX, ROUND_NEAR_M, ROUND_S
from tools.centre.register.equipment import CABINET, LIGHT, Equipment, Key
from tools.centre.register.history import nearest
from tools.centre.register.register import Register
from tools.centre.web import words
from tools.centre.web.access import Commune, commune, communes, opened
from tools.centre.web.control import orderable_feeders
from tools.centre.web.faults import keep, key, led_to
from tools.centre.web.health import alone
from tools.centre.web.history import standing_of
from tools.centre.web.limits import ROWS_PER_PAGE
from tools.centre.web.page import Pager, picture, shown
from tools.centre.web.pictures import Light, Picture

WORDS = Phrases({
    "title": N_("Round in {commune}"),
    "progress": NN_("{done} of {count} measured as repaired", "{done} of {count} measured as repaired"),
    "none": N_("No fault is open here, and none ended within twelve hours: there is nobody to visit."),
    "state.open": NC_("visit", "To do"),
    "state.claimed": NC_("visit", "Done, not measured"),
    "state.repaired": NC_("visit", "Measured as repaired"),
    "to_do": N_("To do: {remedy}"),
    "others": NN_("{count} other fault of this cause", "{count} other faults of this cause"),
    "ordered": NC_("light", "Ordered"),
    "measured": NC_("light", "Measured"),
    "percent": N_("{percent} %"),
    "nothing": N_("not known"),
    "lamp": N_("Lamp"),
    "cabinet": NC_("column", "Cabinet"),
    "feeder": NC_("visit", "Feeder"),
    "hand": NC_("fault", "In hand"),
    "hand.of": NC_("fault", "{person}, {since}"),
    "claimed": N_("{person} said {when} that it is repaired."),
    "claimed.unheard": N_("Nothing was measured since: it is closed by a measurement alone."),
    "claimed.off": N_("Its lamp is off: it is judged when it is lit again."),
    "claimed.lit": N_("Its lamp is lit: its node judges it within half an hour."),
    "claimed.burning": N_("It is judged when it is to be dark: by day."),
    "against": N_("{person} said {when} that it is repaired, but at {at} its node still found the fault: {measured}."),
    "against.watts": N_("{power} W measured with {percent} % ordered"),
    "back": N_("It was measured as repaired {when}, and has come back."),
    "repaired": N_("Its own measurement found it repaired {when}."),
    "replaced": N_("Its node was replaced {when}; the new one has been heard since."),
    "go": NC_("button", "Go there"),
    "light": NC_("button", "Light its feeder"),
    "take": NC_("button", "Take in hand"),
    "done": NC_("button", "Done"),
    "failed": N_("Not repaired: why?"),
    "failed.do": NC_("button", "Not repaired"),
    "before": NC_("round", "Place before"),
    "after": NC_("round", "Next place"),
    "all": N_("All places, in walking order"),
    "street.none": N_("Without a street"),
    "faults": N_("All faults"),
    "light.all": NC_("button", "Light the whole commune"),
    "elsewhere": N_("Rounds of your other communes"),
    "elsewhere.one": NN_("{commune}: {count} open fault", "{commune}: {count} open faults"),
    "street": N_("{commune}, {street}"),
})  # fmt: skip
# The shape of a place on the list, beside its word.
_MARKS = {OPEN: "fault", CLAIMED: "pending", REPAIRED: "repaired"}
_STATES = (OPEN, CLAIMED, REPAIRED)  # a place is as its worst cause


class Cause(NamedTuple):
    """Holds a cause at a place, and how it stands."""

    group: Group
    standing: Standing

    @property
    def key(self) -> str:
        return key(self.group.first.node, self.group.first.begin)


class Stop(NamedTuple):
    """Holds a place to go to, with all that is or was broken there. equipment: what the register has of it."""

    where: StandingFault
    equipment: Equipment
    causes: tuple[Cause, ...]

    @property
    def state(self) -> str:
        return min((one.standing.state for one in self.causes), key=_STATES.index)

    @property
    def key(self) -> str:
        return self.causes[0].key

    @property
    def open(self) -> list[StandingFault]:
        """Returns the faults that last, by their causes."""
        return [one.group.first for one in self.causes if one.standing.state != REPAIRED]

    @property
    def street(self) -> str | None:
        return self.equipment.street or (None if self.where.place is None else self.where.place.street)

    def has(self, wanted: str) -> bool:
        return any(one.key == wanted for one in self.causes)


def round(request: Any, insee: str) -> Any:
    return _page(request, commune(request, insee), request.GET.get("stop", ""))


@require_POST
def note(request: Any, insee: str) -> Any:
    """Keeps what a technician says about a place, then leads back to it."""
    own = commune(request, insee)
    wanted = request.POST.get("stop", "")
    stops, here, _ = _stops(request, own)
    stop = next((one for one in stops if one.has(wanted)), None)
    if stop is None:
        raise Http404
    refused = keep(request, _commune_of(stop, here), [(one.node, one.begin) for one in stop.open])
    if refused:
        return _page(request, own, wanted, refused)
    return led_to(f"{reverse('round', args=[insee])}?stop={stop.key}")


def _page(request: Any, own: Commune, wanted: str, refused: str = "") -> Any:
    stops, here, elsewhere = _stops(request, own)
    chosen = next((n for n, one in enumerate(stops) if one.has(wanted)), None)
    if chosen is None:
        chosen = next((n for n, one in enumerate(stops) if one.state == OPEN), 0)
    asked = request.GET.get("page", "") or str(1 + chosen // ROWS_PER_PAGE)
    pager = Pager.of(asked, len(stops))
    now = None
    if stops:
        at = _commune_of(stops[chosen], here)
        now = _card(request, at, stops[chosen], picture(request, at)) | {"commune": at}
        now |= {"before": stops[chosen - 1].key if chosen else None}
        now |= {"after": stops[chosen + 1].key if chosen + 1 < len(stops) else None}
    return shown(
        request, "round.html", WORDS, commune=own, tab="faults",
        now=now,
        names=", ".join(one.name for one in here),
        several=len(here) > 1,
        rows=[_row(one, request) | {"at": _street(one, here, request.language)} for one in stops[pager.slice]],
        done=sum(one.state == REPAIRED for one in stops),
        found=len(stops),
        pager=pager,
        alone=alone(request, own),
        may_light_all=bool(stops and orderable_feeders(own, now_s=request.now_s)),
        elsewhere=[(one, elsewhere[one.insee]) for one in communes(request) if elsewhere[one.insee]],
        text_max=NOTE_TEXT_MAX,
        refused=refused,
        status=400 if refused else 200,
    )  # fmt: skip


# --- which places, in which order --------------------------------------------------------------------------------


def _stops(request: Any, own: Commune) -> tuple[list[Stop], list[Commune], Counter[str]]:
    """Returns the places with an open fault, or one that ended of late, in walking order: of a commune, and of those of
    the person beside it; these communes, its own first; and how many causes last in each other of the person."""
    now_s = request.now_s
    # All that the person may see: a cause may lie beyond the border.
    with opened(request.areas) as connection:
        known = Faults(connection)
        lasting, over = group(known.open()), group(known.ended(now_s - ROUND_S))
        register = Register(connection)
        here = [own, *_beside(own, communes(request), lasting, register, now_s)]
        insees = [one.insee for one in here]
        groups = [one for found in (*lasting, *over) for one in _apart(found) if any(map(one.is_of, insees))]
        others = [one.insee for one in communes(request) if one.insee not in insees]
        elsewhere = Counter(insee for insee in others for one in lasting if one.is_of(insee))
        firsts = notes.with_sent(notes.path_of(settings.BOCAGE.data), [one.first for one in groups])
        places: dict[Any, list[Cause]] = defaultdict(list)
        for one, first in zip(groups, firsts, strict=True):
            feeder = first.feeder if first.names_feeder else None
            where = first.subject if first.place is None else first.place.key
            stands = standing_of(connection, first, now_s=now_s)
            if stands.state != OPEN or not first.is_over:  # over by dusk or an exchange: nothing is to do
                places[where, feeder].append(Cause(one._replace(first=first), stands))
        found = [Stop(causes[0].group.first, _equipment(register, causes[0].group.first, now_s), tuple(causes))
                 for causes in places.values()]  # fmt: skip
    found.sort(key=lambda one: one.where.place.key if one.where.place else Key("", "", one.where.subject.hex()))
    return [found[n] for n in in_walking_order([_spot(one) for one in found])], here, elsewhere


def _beside(
    own: Commune, known: Iterable[Commune], lasting: list[Group], register: Register, now_s: int
) -> list[Commune]:
    """Returns the other communes that have a place to go to within ROUND_NEAR_M of one of this commune's."""
    others = [one for one in known if one.insee != own.insee]
    if not others:
        return []
    spots: dict[str, list[Spot]] = defaultdict(list)
    for found in lasting:
        for one in _apart(found):
            at = _equipment(register, one.first, now_s)
            spots[one.first.commune].append(Spot(None, at.longitude, at.latitude))
    return [one for one in others if nearest_m(spots[own.insee], spots[one.insee]) <= ROUND_NEAR_M]


def _commune_of(stop: Stop, here: Sequence[Commune]) -> Commune:
    """Returns where a place is; the round's own commune, for a cause beyond the border."""
    return next((one for one in here if one.insee == stop.where.commune), here[0])


def _apart(one: Group) -> list[Group]:
    """Returns what is gone to: a cause that a cabinet states, or each of the lights that failed together."""
    is_of_lights = all(fault.place is not None and fault.place.key.kind == LIGHT for fault in one.all)
    return [Group(fault, ()) for fault in one.all] if is_of_lights else [one]


def _equipment(register: Register, first: StandingFault, now_s: int) -> Equipment:
    """Returns what the register has of a place; its cabinet's position where it has none of its own."""
    found = None if first.place is None else nearest(register.history(first.place.key), now_s)
    found = found or Equipment()
    if found.longitude is not None or not first.cabinet:
        return found
    insee, _, name = first.cabinet.partition("-")
    cabinet = nearest(register.history(Key(insee, CABINET, name)), now_s) or Equipment()
    street = found.street or (None if first.place is None else first.place.street) or cabinet.street
    return found._replace(longitude=cabinet.longitude, latitude=cabinet.latitude, street=street)


def _spot(stop: Stop) -> Spot:
    street = None if stop.street is None else (stop.where.commune, stop.street)
    return Spot(street, stop.equipment.longitude, stop.equipment.latitude)


# --- what is shown of them ---------------------------------------------------------------------------------------


def _row(stop: Stop, request: Any) -> dict[str, Any]:
    language = request.language
    return {
        "key": stop.key,
        "state": stop.state,
        "mark": _MARKS[stop.state],
        "street": stop.street,
        "name": stop.equipment.post or fault_words.short_text(stop.where, language),
        "causes": [_told(one, request) for one in stop.causes],
        "lamp": stop.equipment.lamp,
        "power_dw": stop.equipment.power_dw,
        "cabinet": stop.where.cabinet,
        "feeder": stop.where.feeder,
    }


def _street(stop: Stop, here: Sequence[Commune], language: str) -> str:
    """Returns the heading that a place stands under: its street, with its commune where the round has several."""
    street = stop.street or WORDS.text("street.none", language)
    name = _commune_of(stop, here).name
    return street if len(here) == 1 else WORDS.text("street", language, commune=name, street=street)


def _told(cause: Cause, request: Any) -> dict[str, Any]:
    first, language = cause.group.first, request.language
    return {
        "state": cause.standing.state,
        "sentence": fault_words.sentence(first, language),
        "from_unix_s": first.from_unix_s,
        "remedy": None if first.is_over else events.remedy(first.code, language),
        "others": [fault_words.short_text(other, language) for other in cause.group.others],
        "notes": [(one.written_unix_s, one.author, fault_words.deed_text(one, language)) for one in first.notes],
    }


def _card(request: Any, own: Commune, stop: Stop, whole: Picture) -> dict[str, Any]:
    """Returns the place on the screen: what a row has, what is measured now, and what became of a claim."""
    place, at = stop.where.place, stop.equipment
    id = place.key.id if place is not None and place.key[:2] == (own.insee, LIGHT) else None
    n = next((n for n, one in enumerate(whole.lights) if one.id == id), None)
    light = None if n is None else whole.lights[n]
    taken = next((one.taken for one in stop.open if one.taken is not None), None)
    return _row(stop, request) | {
        "n": n,
        "light": light,
        "is_measured": light is not None and light.state.node is not None and _is_new(light, stop),
        "taken": taken,
        "may_light": stop.state != REPAIRED and stop.where.feeder in orderable_feeders(own, now_s=request.now_s),
        "way": _way(request, at),
        "count": sum(len(one.group.first.notes) for one in stop.causes),
        "said": [text for one in stop.causes if (text := " ".join(_said(one, stop, light, request)))],
    }


def _way(request: Any, at: Equipment) -> str:
    """Returns the address that opens the maps of the person's device: a geo URI (RFC 5870), or, of one by Apple, which
    opens none, the link that its Maps takes (Apple URL Scheme Reference, "Map Links"). "" where no position is known.
    """
    if at.longitude is None or at.latitude is None:
        return ""
    there = f"{at.latitude:.6f},{at.longitude:.6f}"
    is_apple = re.search("iPhone|iPad|Macintosh", request.headers.get("User-Agent", ""))
    return f"https://maps.apple.com/?daddr={there}" if is_apple else f"geo:{there}?q={there}"


def _is_new(light: Light, stop: Stop) -> bool:
    """Returns whether a measurement says something of a place as it is: one before its repair does not."""
    ended_s = max(one.standing.unix_s or 0 for one in stop.causes)
    return stop.state != REPAIRED or (light.figures.measured_unix_s or 0) >= ended_s


def _said(cause: Cause, stop: Stop, light: Light | None, request: Any) -> Iterable[str]:
    """Yields what measurements say of a cause, and of who said that it is repaired."""
    language, now_s = request.language, request.now_s

    def say(name: str, unix_s: int | None = None, **values: object) -> str:
        when = words.moment(unix_s, language, now_s=now_s)
        return words.text(WORDS, name, language, when=when, **values)

    known = cause.standing
    if known.state == REPAIRED:
        twin = any(_is_alike(cause, one) for one in stop.causes)
        yield say("back" if twin else "repaired", known.unix_s)
    elif known.claim is not None and known.against is not None:
        power = number((known.against.power_dw or 0) / 10, language, 1)
        told = say("against.watts", power=power, percent=known.against.level_percent)
        at = words.clock(known.against.unix_s)
        yield say("against", known.claim.written_unix_s, person=known.claim.author, at=at, measured=told)
    elif known.claim is not None:
        yield say("claimed", known.claim.written_unix_s, person=known.claim.author)
        is_heard = light is not None and (light.figures.measured_unix_s or 0) >= known.claim.written_unix_s
        level = None if light is None or not is_heard else light.figures.level_percent
        if cause.group.first.is_replaced:
            yield say("replaced", cause.group.first.until_unix_s)
        elif cause.group.first.code in ENDED_BY_DUSK:
            yield say("claimed.burning")
        else:
            yield say("claimed.unheard" if level is None else "claimed.lit" if level else "claimed.off")


def _is_alike(over: Cause, other: Cause) -> bool:
    """Returns whether the same fault stands again."""
    if other.standing.state == REPAIRED:
        return False
    return (over.group.first.code, over.group.first.zone) == (other.group.first.code, other.group.first.zone)
