"""Orders light and darkness: for a commune, a cabinet, a group of feeders, a feeder, and so for a street."""

from collections import Counter
from functools import partial

from gateway.language import N_, NC_, NN_, Phrases
from tools.centre.control import gateways
from tools.centre.control.drafts import addressed_feeders
from tools.centre.registry.equipment import cabinet_of
from tools.centre.scope import grants
from tools.centre.web import order_kind
from tools.centre.web.limits import TOUCHED_STREETS_MAX, WIDE_LIGHTS
from tools.centre.web.order_kind import Asking, Form, Kind, Place
from tools.centre.web.page import picture
from wire import command

WORDS = Phrases(order_kind.WORDS.messages | {
    "light.do": NC_("button", "Light"),
    "light.say": N_("I sign: light {place} ({insee}) until {until} ({length}). Reason: {reason}. {author}."),
    "light.heading": N_("Lit until {until}"),
    "darken.do": NC_("button", "Darken"),
    "darken.say": N_("I sign: darken {place} ({insee}) until {until} ({length}). Reason: {reason}. {author}."),
    "darken.heading": N_("Darkened until {until}"),
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
        cabinet = None if gateway is None else cabinet_of(asking.own.insee, gateway)
        lights = [
            one.state
            for one in picture(asking.request, asking.own).lights
            if (target is None or one.state.feeder in feeders) and cabinet in (None, one.state.cabinet)
        ]
        streets = Counter(one.street or say("street.none") for one in lights)
        parts = [say("touched.street", street=street, count=count) for street, count in streets.items()]
        if len(parts) > TOUCHED_STREETS_MAX:
            parts[TOUCHED_STREETS_MAX:] = [say("more.streets", count=len(parts) - TOUCHED_STREETS_MAX)]
        touched = [say("touched.lights", count=len(lights)) if lights else say("touched.none")]
        if gateway is None:
            touched.append(say("touched.feeders", count=len(feeders)))
        is_whole = gateway is None and target is None
        is_wide = is_whole or len({one.cabinet for one in lights}) > 1 or len(lights) > WIDE_LIGHTS
        key = "all" if is_whole else "cabinet" if target is None else "target" if target in feeders else "group"
        label = say(f"place.{key}", commune=asking.own.name, gateway=gateway, target=target)
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
