"""Orders light and darkness: for a commune, a cabinet, a group of feeders, a feeder, and so for a street."""

from collections import Counter
from functools import partial
from typing import Any

from gateway.language import N_, NC_, NN_, Phrases
from tools.centre.control import gateways
from tools.centre.control.drafts import addressed_feeders
from tools.centre.register.equipment import cabinet_of
from tools.centre.scope import grants
from tools.centre.web import order_kind, pictures
from tools.centre.web.access import Commune
from tools.centre.web.limits import TOUCHED_STREETS_MAX, WIDE_LIGHTS
from tools.centre.web.order_kind import Asking, Form, Kind, Place
from tools.centre.web.page import picture
from wire import command

WORDS = Phrases(order_kind.WORDS.messages | {
    "light.do": NC_("button", "Light"),
    "light.say": N_("I sign: light {place} ({insee}) until {until} ({length}). Reason: {reason}. {author}."),
    "light.heading": N_("Light until {until}"),
    "darken.do": NC_("button", "Darken"),
    "darken.say": N_("I sign: darken {place} ({insee}) until {until} ({length}). Reason: {reason}. {author}."),
    "darken.heading": N_("Darken until {until}"),
    "lower.do": NC_("button", "Lower"),
    "lower.say": N_(
        "I sign: lower {place} ({insee}) to {level} % until {until} ({length}). Reason: {reason}. {author}."
    ),
    "lower.heading": N_("Lower to {level} % until {until}"),
    "reason.complaint": N_("complaint of a resident"),
    "reason.saving": N_("saving energy"),
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
    "choice.group": N_("group {target}"),
    "touched.lights": NN_("{count} light", "{count} lights"),
    "touched.none": N_("the register names no light there"),
    "touched.fixed": NN_(
        "{count} light there has no controller and stays as it is",
        "{count} lights there have no controller and stay as they are",
    ),
    "touched.feeders": NN_("{count} feeder", "{count} feeders"),
    "touched.street": N_("{street} ({count})"),
    "street.none": N_("Without a street"),
    "more.streets": NN_("and {count} more street", "and {count} more streets"),
})  # fmt: skip


class _OfFeeders(Kind):
    """Is for lights: of a commune, a cabinet, a group of feeders, a feeder; a street is the feeder that it hangs on."""

    words = WORDS
    trade = grants.LIGHTING
    right = "override"
    lasts = (1800, 3600, 7200, 14400)

    def choices(self, asking: Asking, word: str) -> list[tuple[str, str]]:
        sort, _, name = word.partition(":")
        if sort == "street" and (feeders := self._of_street(asking, name)):
            return [(f"feeder:{one}", self.say(asking.request, "where.target", target=one)) for one in feeders]
        known = _known(asking)
        found = [("", self.say(asking.request, "choice.all"))]
        for sort, key in (("group", "choice.group"), ("cabinet", "where.cabinet"), ("feeder", "where.target")):
            names = known[sort] if sort == "feeder" or len(known[sort]) > 1 else ()
            found += [(f"{sort}:{one}", self.say(asking.request, key, target=one, gateway=one)) for one in names]
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
        say = partial(self.say, asking.request)
        feeders = {one.name for one in addressed_feeders(asking.policy, target)}
        all_lights = lights_of(asking, gateway, target)
        lights = [one.state for one in all_lights if self.moves(one)]
        streets = Counter(one.street or say("street.none") for one in lights)
        parts = [say("touched.street", street=street, count=count) for street, count in streets.items()]
        if len(parts) > TOUCHED_STREETS_MAX:
            parts[TOUCHED_STREETS_MAX:] = [say("more.streets", count=len(parts) - TOUCHED_STREETS_MAX)]
        touched = [say("touched.lights", count=len(lights)) if lights else say("touched.none")]
        if len(lights) < len(all_lights):
            touched.append(say("touched.fixed", count=len(all_lights) - len(lights)))
        elif gateway is None:
            touched.append(say("touched.feeders", count=len(feeders)))
        is_whole = gateway is None and target is None
        is_wide = is_whole or len({one.cabinet for one in lights}) > 1 or len(lights) > WIDE_LIGHTS
        key = "all" if is_whole else "cabinet" if target is None else "target" if target in feeders else "group"
        label = say(f"place.{key}", commune=asking.own.name, gateway=gateway, target=target)
        return Place(label, gateway, target, ", ".join(touched), tuple(parts), is_wide)

    def moves(self, light: pictures.Light) -> bool:
        """Returns whether an order can move this light."""
        return True

    def _of_street(self, asking: Asking, street: str) -> list[str]:
        """Returns the feeders of the policy on which a street's lights hang."""
        lights = picture(asking.request, asking.own).lights
        hung = {one.state.feeder for one in lights if one.state.street == street}
        return [one for one in _known(asking)["feeder"] if one in hung]


def lights_of(asking: Asking, gateway: str | None, target: str | None) -> list[pictures.Light]:
    """Returns the lights of a place that the register names."""
    feeders = {one.name for one in addressed_feeders(asking.policy, target)}
    cabinet = None if gateway is None else cabinet_of(asking.own.insee, gateway)
    return [
        one
        for one in picture(asking.request, asking.own).lights
        if (target is None or one.state.feeder in feeders) and cabinet in (None, one.state.cabinet)
    ]


def lowers(one: command.Command) -> bool:
    """Returns whether a command is for a level between dark and full."""
    return bool(one.kind == command.OVERRIDE and 0 < one.level < 100)


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
    takes_light = is_dark = True


class Lower(_OfFeeders):
    """Lowers lamps that have a controller: no more light than the level, and less where the policy wants less."""

    name = "lower"
    levels = (70, 50, 30)
    forms = tuple(Form(command.OVERRIDE, level) for level in levels)
    reasons = ("complaint", "saving", "works", "show")
    takes_light = True

    def is_own(self, one: command.Command) -> bool:
        return lowers(one)

    def is_there(self, request: Any, own: Commune) -> bool:
        return any(self.moves(one) for one in picture(request, own).lights)

    def choices(self, asking: Asking, word: str) -> list[tuple[str, str]]:
        own = [one.state for one in picture(asking.request, asking.own).lights if self.moves(one)]
        feeders, cabinets = {one.feeder for one in own}, {one.cabinet for one in own}
        known = {f"group:{one.group}" for one in asking.policy.lighting.feeders if one.name in feeders} | {""}
        known |= {f"feeder:{one}" for one in feeders}
        known |= {f"cabinet:{one.name}" for one in gateways.list_gateways(asking.control, asking.own.insee)
                  if cabinet_of(asking.own.insee, one.name) in cabinets}  # fmt: skip
        return [one for one in super().choices(asking, word) if own and one[0] in known]

    def found(self, asking: Asking, word: str) -> Place | None:
        place = super().found(asking, word)
        is_there = place and any(self.moves(one) for one in lights_of(asking, place.gateway, place.target))
        return place if is_there else None

    def moves(self, light: pictures.Light) -> bool:
        return light.state.node is not None
