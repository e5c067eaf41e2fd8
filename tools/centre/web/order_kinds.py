"""Says what may be ordered on the screens, one small class a kind of order: where, for how long, why, by whose right,
in which words it is signed, and what it has done.

To add one: a class here with its sentences (`NAME.do`, `NAME.say`, `NAME.heading`), and a line in KINDS. Its form, its
list, its page, signing and sending are those of all (`orders`, `static/web/sign.js`); who may give it is the policy's
to say, and the cabinet's to enforce.

Light is never a second step: it is the safe side, and somebody may lie in the road. Darkening always is one, and so is
what is wide: the second step shows who is touched.
"""

from collections import Counter
from typing import Any, NamedTuple

from gateway.language import N_, NC_, NN_, Phrases, directives
from policy import document, rights
from tools.centre.control import gateways, orders
from tools.centre.control.drafts import addressed_feeders
from tools.centre.control.order_words import word as order_word
from tools.centre.registry.equipment import cabinet_of
from tools.centre.scope import grants
from tools.centre.store import sqlite_file
from tools.centre.web import words
from tools.centre.web.access import Commune
from tools.centre.web.limits import TOUCHED_STREETS_MAX, WIDE_LIGHTS
from tools.centre.web.page import picture
from wire import command, cose
from wire.command import Command

WORDS = Phrases({
    "light.do": NC_("button", "Light"),
    "light.say": N_("I sign: light {place} ({insee}) until {until} ({length}). Reason: {reason}. {author}."),
    "light.heading": N_("Lit until {until}"),
    "darken.do": NC_("button", "Darken"),
    "darken.say": N_("I sign: darken {place} ({insee}) until {until} ({length}). Reason: {reason}. {author}."),
    "darken.heading": N_("Darkened until {until}"),
    "end.do": NC_("button", "Give back to the policy"),
    "end.say": N_("I sign: back to the policy ({insee}). This ends “{place}”. {author}."),
    "end.heading": N_("Back to the policy"),
    "reason.end": N_("back to the policy"),
    "reason.accident": N_("accident"),
    "reason.search": N_("search for a person"),
    "reason.feast": N_("feast"),
    "reason.round": N_("round"),
    "reason.show": N_("fireworks or show"),
    "reason.works": N_("works"),
    "place.all": N_("all of {commune}"),
    "place.target": N_("feeder {target} of {commune}"),
    "place.group": N_("group {target} of {commune}"),
    "place.cabinet": N_("cabinet {gateway} of {commune}"),
    "choice.all": N_("The whole commune"),
    "where.target": N_("feeder {target}"),
    "where.cabinet": N_("cabinet {gateway}"),
    "choice.group": N_("group {target}"),
    "touched.lights": NN_("{count} light", "{count} lights"),
    "touched.none": N_("the register names no light there"),
    "touched.feeders": NN_("{count} feeder", "{count} feeders"),
    "touched.street": N_("{street} ({count})"),
    "street.none": N_("Without a street"),
    "more.streets": NN_("and {count} more street", "and {count} more streets"),
    "lasts.1800": N_("30 min"),
    "lasts.3600": N_("1 h"),
    "lasts.7200": N_("2 h"),
    "lasts.14400": N_("4 h"),
})  # fmt: skip


class Form(NamedTuple):
    """Holds what makes a command one of its kind: the fields of `wire.command.Command` of these names."""

    kind: int
    level: int | None = None
    values: tuple[tuple[int, int], ...] = ()

    @classmethod
    def of(cls, one: Command) -> "Form":
        return cls(one.kind, one.level, tuple(sorted((one.values or {}).items())))

    @property
    def text(self) -> str:
        """Returns `1,100,` or `5,,9=2`: what the script reads again from the bytes, to choose the sentence."""
        values = ";".join(f"{code}={value}" for code, value in self.values)
        return f"{self.kind},{'' if self.level is None else self.level},{values}"


class Place(NamedTuple):
    """Says what an order is for. gateway, target: as its bytes name it; label: as the sentence does; touched, parts:
    how much is there, and what; ended: the order that this one ends."""

    label: str
    gateway: str | None = None
    target: str | None = None
    touched: str = ""
    parts: tuple[str, ...] = ()
    is_wide: bool = False
    ended: orders.Order | None = None


class Asking(NamedTuple):
    """Holds who asks, about which commune, by which policy."""

    request: Any
    own: Commune
    control: sqlite_file.Connection
    policy: document.Policy

    def say(self, key: str, **values: object) -> str:
        return WORDS.text(key, self.request.language, **values)

    def template(self, key: str) -> str:
        """Returns a sentence whose values the script fills in from the bytes that are signed."""
        return self.say(key, **{name: f"{{{name}}}" for name in _FILLED})


# What a sentence that is signed may have.
_FILLED = ("place", "insee", "from", "until", "length", "reason", "author")


class Kind:
    """Describes one thing that may be ordered. `name`: in addresses and of its sentences; `trade`: who may see it, ""
    that of the order which it ends; `right`: in a policy's text; `forms`: the first to which the person's key has the
    right is signed; `lasts`: seconds that are offered; `reasons`: keys of sentences, `usual_reason` the one of what is
    no second step."""

    name = ""
    trade = ""
    right = ""
    forms: tuple[Form, ...] = ()
    lasts: tuple[int, ...] = ()
    reasons: tuple[str, ...] = ()
    usual_reason = ""
    is_dark = False

    def is_own(self, one: Command) -> bool:
        """Returns whether a command is of this kind."""
        return Form.of(one) in self.forms

    def choices(self, asking: Asking, word: str) -> list[tuple[str, str]]:
        """Returns the places to choose from: (word in an address, text). `word`: what the address has."""
        return []

    def found(self, asking: Asking, word: str) -> Place | None:
        """Returns the place that an address names; None: none, or several."""
        raise NotImplementedError

    def place(self, asking: Asking, gateway: str | None, target: str | None) -> Place:
        """Returns the place that an order's bytes name."""
        raise NotImplementedError

    def form_of(self, operator: document.Operator, place: Place, *, now_s: int) -> Form | None:
        """Returns the form that this operator's key may sign; None: it has not the right."""
        for form in self.forms:
            shortest = _Asked(form.kind, now_s, now_s + 1)
            if rights.fault(operator, shortest, now_s) is None:
                return form
        return None

    def is_second_step(self, place: Place) -> bool:
        return self.is_dark or place.is_wide

    def times(self, asking: Asking, place: Place) -> list[tuple[str, str]]:
        """Returns the times to choose from: (`+3600` seconds from now, or two Unix seconds such as
        `1795000000-1795018000`, the first left out for now; text)."""
        return [(f"+{one}", asking.say(f"lasts.{one}")) for one in self.lasts]

    def usual_time(self, place: Place) -> int:
        """Returns which of them is chosen before: a round takes half an hour, a whole commune is lit for more."""
        return 1 if self.is_second_step(place) else 0

    def heading(self, one: Command, language: str, *, now_s: int) -> str:
        """Returns what an order is: `Lit until 17:40, feeder bourg`."""
        until = words.moment(one.expires_s, language, now_s=now_s)
        where = self.where(one, language)
        return WORDS.text(f"{self.name}.heading", language, until=until) + (f", {where}" if where else "")

    def where(self, one: Command, language: str) -> str:
        """Returns the place of an order in short; "" for the whole commune."""
        key = "where.target" if one.target else "where.cabinet" if one.gateway else ""
        return key and WORDS.text(key, language, target=one.target, gateway=one.gateway)

    def outcome(self, asking: Asking, order: orders.Order) -> tuple[str, ...]:
        """Returns what was measured of it beside what cabinets have reported, in sentences."""
        return ()


class _Asked(NamedTuple):
    kind: int
    not_before_s: int
    expires_s: int


class _OfFeeders(Kind):
    """Is for lights: of a commune, a cabinet, a group of feeders, a feeder; a street is the feeder that it hangs on."""

    trade = grants.LIGHTING
    right = "override"
    lasts = (1800, 3600, 7200, 14400)

    def choices(self, asking: Asking, word: str) -> list[tuple[str, str]]:
        sort, _, name = word.partition(":")
        if sort == "street" and (feeders := self._of_street(asking, name)):
            return [(f"feeder:{one}", asking.say("where.target", target=one)) for one in feeders]
        known = _known(asking)
        found = [("", asking.say("choice.all"))]
        for sort, key in (("group", "choice.group"), ("cabinet", "where.cabinet"), ("feeder", "where.target")):
            names = known[sort] if sort == "feeder" or len(known[sort]) > 1 else ()
            found += [(f"{sort}:{one}", asking.say(key, target=one, gateway=one)) for one in names]
        return found

    def found(self, asking: Asking, word: str) -> Place | None:
        sort, _, name = word.partition(":")
        if not word:
            return self.place(asking, None, None)
        if sort == "street":
            feeders = self._of_street(asking, name)
            return self.place(asking, None, feeders[0]) if len(feeders) == 1 else None
        if name not in _known(asking).get(sort, ()):
            return None
        return self.place(asking, name, None) if sort == "cabinet" else self.place(asking, None, name)

    def place(self, asking: Asking, gateway: str | None, target: str | None) -> Place:
        feeders = {one.name for one in addressed_feeders(asking.policy, target)}
        cabinet = None if gateway is None else cabinet_of(asking.own.insee, gateway)
        lights = [
            one.state
            for one in picture(asking.request, asking.own).lights
            if (target is None or one.state.feeder in feeders) and cabinet in (None, one.state.cabinet)
        ]
        streets = Counter(one.street or asking.say("street.none") for one in lights)
        parts = [asking.say("touched.street", street=street, count=count) for street, count in streets.items()]
        if len(parts) > TOUCHED_STREETS_MAX:
            parts[TOUCHED_STREETS_MAX:] = [asking.say("more.streets", count=len(parts) - TOUCHED_STREETS_MAX)]
        touched = [asking.say("touched.lights", count=len(lights)) if lights else asking.say("touched.none")]
        if gateway is None:
            touched.append(asking.say("touched.feeders", count=len(feeders)))
        is_whole = gateway is None and target is None
        is_wide = is_whole or len({one.cabinet for one in lights}) > 1 or len(lights) > WIDE_LIGHTS
        key = "all" if is_whole else "cabinet" if target is None else "target" if target in feeders else "group"
        label = asking.say(f"place.{key}", commune=asking.own.name, gateway=gateway, target=target)
        return Place(label, gateway, target, ", ".join(touched), tuple(parts), is_wide)

    def _of_street(self, asking: Asking, street: str) -> list[str]:
        """Returns the feeders of the policy on which a street's lights hang."""
        lights = picture(asking.request, asking.own).lights
        hung = {one.state.feeder for one in lights if one.state.street == street}
        return [one for one in _known(asking)["feeder"] if one in hung]


def _known(asking: Asking) -> dict[str, list[str]]:
    feeders = asking.policy.lighting.feeders
    return {
        "group": sorted({one.group for one in feeders}),
        "cabinet": [one.name for one in gateways.list_gateways(asking.control, asking.own.insee)],
        "feeder": sorted(one.name for one in feeders),
    }


class Light(_OfFeeders):
    """Lights: as an order within the policy's limits, or, by a key that has no right to that, as an emergency."""

    name = "light"
    forms = Form(command.OVERRIDE, 100), Form(command.EMERGENCY)
    reasons = ("accident", "search", "feast", "round")
    usual_reason = "round"


class Darken(_OfFeeders):
    """Darkens what the policy would light."""

    name = "darken"
    forms = (Form(command.OVERRIDE, 0),)
    reasons = ("works", "show")
    is_dark = True


class End(Kind):
    """Ends an order of any kind before its time: the policy decides again."""

    name = "end"
    forms = (Form(command.END),)
    usual_reason = "end"

    def found(self, asking: Asking, word: str) -> Place | None:
        order = _ordered(asking.control, word)
        if order is None or order.command.kind == command.END or order.command.insee != asking.own.insee:
            return None
        one, language, now_s = order.command, asking.request.language, asking.request.now_s
        if one.expires_s <= now_s or orders.ended_by(asking.control, one.id) is not None:
            return None
        kind = kind_of(one)
        label = f"{kind.heading(one, language, now_s=now_s)}, {one.author}"
        return kind.place(asking, one.gateway, one.target)._replace(label=label, target=None, ended=order)

    def times(self, asking: Asking, place: Place) -> list[tuple[str, str]]:
        assert place.ended is not None
        return [(f"-{place.ended.command.expires_s}", "")]

    def form_of(self, operator: document.Operator, place: Place, *, now_s: int) -> Form | None:
        assert place.ended is not None
        is_own = place.ended.kid == cose.kid_of(operator.key)
        may = rights.may_end(operator, place.ended.command.kind, is_own=is_own)
        return self.forms[0] if may and not 0 < operator.until_s <= now_s else None

    def is_second_step(self, place: Place) -> bool:
        return False  # its page stands behind a button that was the first


class _Other(Kind):
    """Is what only the command line gives."""

    def place(self, asking: Asking, gateway: str | None, target: str | None) -> Place:
        return Place("", gateway, target)

    def heading(self, one: Command, language: str, *, now_s: int) -> str:
        values = directives.text(one.values, language) if one.values else ""
        return ", ".join(part for part in (order_word(f"kind.{one.kind}", language, values=values), one.target) if part)


def _ordered(control: sqlite_file.Connection, word: str) -> orders.Order | None:
    try:
        return orders.get(control, bytes.fromhex(word))
    except ValueError:
        return None


KINDS: dict[str, Kind] = {one.name: one for one in (Light(), Darken(), End())}
_OTHER = _Other()


def kind_of(one: Command) -> Kind:
    """Returns the kind of a command."""
    return next((kind for kind in KINDS.values() if kind.is_own(one)), _OTHER)
