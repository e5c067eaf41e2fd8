"""Puts a feeder's state into words from what is ordered, reported and measured, and judges whether they agree.

    ordered     what the gateway wants of the contactor; None while the cabinet's own clock has it
    reported    what the auxiliary contact says
    measured    what the watts say

A feeder is called lit or off only where contact or watts say so. An order that neither confirms is shown as an order;
one that either contradicts is a fault, with what contradicts it. The verdict is for people and holds at once; the
alarms are the agent's, which waits and remembers (`gateway/core/cabinet/alarms.py`). Half a lamp, a twentieth of the
feeder or 5 W, the greatest of them, counts as no difference: mains voltage varies as much. More watts than normal are
said and are no fault: festive lights burn for weeks.
"""

from typing import NamedTuple

from gateway.core import limits
from gateway.core.status import CabinetStatus, FeederStatus
from gateway.language import N_, NC_, Phrases

LIT, DARK, FAULT, UNCONFIRMED, UNKNOWN = "lit", "dark", "fault", "unconfirmed", "unknown"
AGREE, DISAGREE, MORE, EARLY, UNJUDGED = "agree", "disagree", "more", "early", "unknown"

# A contactor, its auxiliary contact and the next look at them take seconds.
_SETTLE_S = limits.ALARM_CONTACTOR_MS // 1000
_WARM_UP_S = limits.LAMPS_WARM_UP_MS // 1000

WORDS = Phrases({
    # the state; of a permanent feeder only its supply can be known
    "lit": NC_("feeder", "lit"),
    "dark": NC_("feeder", "off"),
    "powered": NC_("feeder", "powered"),
    "unpowered": NC_("feeder", "not powered"),
    "unknown": NC_("feeder", "state unknown"),
    "ordered": NC_("feeder", "ordered {state}"),
    "unconfirmed": N_("{order}, not confirmed"),
    "settling": N_("{order}, not confirmed yet"),
    "partly": N_("{order}, {power} W of {expected} W"),
    "contact": N_("{order}, contactor {contact}"),
    "contact.watts": N_("{order}, auxiliary contact {contact}, {power} W"),
    "contact.burns": N_("{order}, contactor {contact}, {power} W: {state}"),
    "burns": N_("{order}, {power} W: {state}"),
    "open": NC_("contact", "open"),
    "closed": NC_("contact", "closed"),
    # the watts
    "watts.of": N_("{power} W measured, {expected} W expected: {verdict}"),
    "watts.alone": N_("{power} W measured: {verdict}"),
    "watts.agree": N_("they agree"),
    "watts.early": N_("too early to judge, the lamps warm up"),
    "watts.less": N_("{rest} W are missing"),
    "watts.more": N_("{rest} W too many"),
    "watts.nothing": N_("next to nothing burns"),
    "watts.off": N_("contactor open, they agree"),
    "watts.burns": N_("it burns although the contactor is open"),
    "watts.dims": N_("the lamps dim by themselves"),
    "watts.unjudged": N_("normal power not known yet"),
    "watts.none": N_("power is not measured"),
    "feedback.closed": N_("the auxiliary contact says closed although the order is open"),
    "feedback.open": N_("the auxiliary contact says open although the order is closed"),
})  # fmt: skip


class State(NamedTuple):
    """Holds a state: its kind, a key of WORDS, and what the sentence names."""

    kind: str
    key: str
    ordered: bool | None = None
    contact: bool | None = None
    light: bool | None = None


def state_of(cabinet: CabinetStatus, feeder: FeederStatus) -> State:
    """Returns the state of a feeder."""
    ordered, contact, light = ordered_now(cabinet, feeder), feeder.reported, _light(feeder)
    if ordered is None:
        found = contact if light is None else light
        return State(UNKNOWN, "unknown") if found is None else _as_seen(found)
    is_settling = _is_younger(feeder, _SETTLE_S)
    against = [seen is not None and seen != ordered for seen in (contact, light)]
    if any(against):
        if is_settling:
            return State(UNCONFIRMED, "settling", ordered)
        key = "contact.burns" if all(against) else "burns" if against[1] else "contact"
        return State(FAULT, "contact.watts" if key == "contact" and light is not None else key, ordered, contact, light)
    if ordered and _is_partly_lit(feeder) and not _is_younger(feeder, _WARM_UP_S):
        return State(FAULT, "partly", ordered)
    if contact is None and light is None:
        return State(UNCONFIRMED, "settling" if is_settling else "unconfirmed", ordered)
    return _as_seen(ordered)


def is_wrong(cabinet: CabinetStatus, feeder: FeederStatus) -> bool:
    """Returns True when what is measured or reported contradicts the order, or watts are missing."""
    return state_of(cabinet, feeder).kind == FAULT or watts(cabinet, feeder, "en").verdict == DISAGREE


def state_text(cabinet: CabinetStatus, feeder: FeederStatus, language: str) -> str:
    """Puts the state into words: `éteint`, or `commandé allumé, 0 W : éteint`."""
    state = state_of(cabinet, feeder)

    def light(lit: bool | None) -> str:
        keys = ("unpowered", "powered") if feeder.is_permanent else ("dark", "lit")
        return WORDS.text(keys[bool(lit)], language)

    if state.kind in (LIT, DARK):
        return light(state.kind == LIT)
    return WORDS.text(
        state.key,
        language,
        order=WORDS.text("ordered", language, state=light(state.ordered)),
        contact=WORDS.text("closed" if state.contact else "open", language),
        state=light(state.light),
        power=round(feeder.power_w or 0),
        expected=round(feeder.normal_w or 0),
    )


def wrong_text(cabinet: CabinetStatus, feeder: FeederStatus, language: str) -> str:
    """Puts into words what contradicts the order: the state, or the watts that are missing."""
    if state_of(cabinet, feeder).kind == FAULT:
        return state_text(cabinet, feeder, language)
    return watts(cabinet, feeder, language).sentence


def ordered_now(cabinet: CabinetStatus, feeder: FeederStatus) -> bool | None:
    """Returns the order that the contactor must follow; None while the gateway does not have it."""
    is_ours = cabinet.in_control is not False or feeder.rule == "interlock"
    return feeder.ordered if is_ours else None


def age_s(cabinet: CabinetStatus, feeder: FeederStatus) -> int | None:
    """Returns for how long a state as it was ordered has lasted; what contradicts an order has an age of its own."""
    is_ours = ordered_now(cabinet, feeder) is not None and state_of(cabinet, feeder).kind in (LIT, DARK)
    return feeder.since_s if is_ours and feeder.since_s is not None and feeder.since_s >= 0 else None


class Watts(NamedTuple):
    """Holds the verdict on a feeder's watts. `brief`: the sentence without figures, for places that show them
    already."""

    verdict: str
    sentence: str
    brief: str


def watts(cabinet: CabinetStatus, feeder: FeederStatus, language: str) -> Watts:
    """Compares power with the normal power; the auxiliary contact first, for it is nearer to the contactor."""
    ordered = ordered_now(cabinet, feeder)
    if feeder.reported is not None and ordered is not None and feeder.reported != ordered:
        words = WORDS.text("feedback.closed" if feeder.reported else "feedback.open", language)
        return Watts(EARLY if state_of(cabinet, feeder).kind == UNCONFIRMED else DISAGREE, words, words)
    if feeder.power_w is None:
        words = WORDS.text("watts.none", language)
        return Watts(UNJUDGED, words, words)
    verdict, key, rest = _judge(feeder.power_w, feeder, ordered)
    brief = WORDS.text(f"watts.{key}", language, rest=round(rest))
    power = round(feeder.power_w)
    if feeder.ordered is False or not feeder.normal_w:
        return Watts(verdict, WORDS.text("watts.alone", language, power=power, verdict=brief), brief)
    values = {"power": power, "expected": round(feeder.normal_w), "verdict": brief}
    return Watts(verdict, WORDS.text("watts.of", language, **values), brief)


# --- inside ---------------------------------------------------------------------------------------------------------


def _as_seen(is_lit: bool) -> State:
    return State(LIT, "lit") if is_lit else State(DARK, "dark")


def _light(feeder: FeederStatus) -> bool | None:
    """Returns whether light is measured: without watts a permanent feeder says nothing, its lamps may be off by
    themselves; and with an open contactor each watt is light."""
    if feeder.is_permanent:
        return feeder.measured or None
    is_some = feeder.ordered is False and feeder.power_w is not None
    return True if feeder.measured is None and is_some else feeder.measured


def _is_partly_lit(feeder: FeederStatus) -> bool:
    return feeder.power_w is not None and feeder.measured is None and bool(feeder.normal_w) and not feeder.dims


def _is_younger(feeder: FeederStatus, than_s: int) -> bool:
    """Returns whether the order has been given less than so long ago."""
    return feeder.since_s is not None and feeder.since_s < than_s


def _judge(power_w: float, feeder: FeederStatus, ordered: bool | None) -> tuple[str, str, float]:
    expected_w = feeder.normal_w
    is_early = _is_younger(feeder, _SETTLE_S)
    if ordered is False:
        if feeder.measured is False:
            return (AGREE, "off", 0)
        return (EARLY, "early", 0) if is_early else (DISAGREE, "burns", 0)
    if ordered is None or not expected_w:
        return (UNJUDGED, "unjudged", 0)
    rest_w = expected_w - power_w
    if abs(rest_w) <= _tolerance_w(expected_w, feeder.lamps):
        return (AGREE, "agree", 0)
    if feeder.dims and (feeder.is_permanent or feeder.measured is not False):
        return (UNJUDGED, "dims", 0)
    if feeder.measured is False and not is_early:
        return (DISAGREE, "nothing", 0)
    if _is_younger(feeder, _WARM_UP_S):
        return (EARLY, "early", 0)
    return (DISAGREE, "less", rest_w) if rest_w > 0 else (MORE, "more", -rest_w)


def _tolerance_w(expected_w: float, lamps: int | None) -> float:
    half_a_lamp = expected_w / lamps / 2 if lamps and lamps > 0 else 0.1 * expected_w
    return max(5.0, 0.05 * expected_w, half_a_lamp)
