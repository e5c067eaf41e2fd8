"""Explains why a feeder is as it is: one sentence, and each level of the precedence, from the strongest down.

    interlock > emergency > manual > command > policy > default (and the fallbacks without a clock)

The agent reports which rule moved the contactor; the words of the rule come from the signed policy, from the commands
that the agent knows and from the wiring. Where contactor and policy do not agree the sentence includes both.
"""

from typing import NamedTuple

from gateway.core.status import CabinetStatus, FeederStatus, WishStatus
from gateway.language.figures import duration
from gateway.show.explain.calendar import CALENDAR, DEFAULT, Law, Wish, law_of, step_words, wish, wish_words
from gateway.show.explain.orders import OVERRIDE, TEST, command_words, demand_words, holding, lowers
from gateway.show.explain.words import word, word_or

_UNCERTAINTY_S_MAX = 3_600


def why(cabinet: CabinetStatus, feeder: FeederStatus, language: str) -> str:
    """Returns in one sentence why the feeder is as it is."""
    deciding = demand_of(feeder, feeder.rule)
    if deciding is None:
        return feeder.because or word("why.unknown", language)
    words = named_sentence(cabinet, feeder, deciding, language)
    is_handed = cabinet.in_control is False and deciding.rule != "safety"  # whose sentence says so already
    return word("why.handed", language, words=words) if is_handed else words


def why_briefly(cabinet: CabinetStatus, feeder: FeederStatus, language: str) -> str:
    """Returns the same without the names of calendar and rule and without a test's time, for a small screen."""
    deciding = demand_of(feeder, feeder.rule)
    if deciding is not None and deciding.rule == "manual" and deciding.reason_text and cabinet.in_control is not False:
        return word("why.manual", language, order=deciding.reason_text)
    wished = wished_now(cabinet, feeder)
    is_calm = feeder.rule == "policy" and cabinet.in_control is not False and cabinet.basis == "clock"
    if not is_calm or wished is None or wished.law.kind == DEFAULT or wished.wants_light != feeder.ordered:
        return why(cabinet, feeder, language)
    words = word("permanent", language)
    if wished.law.kind == CALENDAR:
        words = step_words(wished.law, wished.rule, wished.step, language, is_numbered=False)
    version = cabinet.policy.version
    policy = word("policy.unnamed", language) if version is None else word("policy", language, version=version)
    return word("why.policy", language, policy=policy, words=words)


def named_sentence(cabinet: CabinetStatus, feeder: FeederStatus, demand: WishStatus, language: str) -> str:
    """Returns what one rule demands, with the rule's name in front."""
    if demand.rule in ("emergency", "command", "manual"):
        return word(f"why.{demand.rule}", language, order=demand_words(cabinet, feeder, demand, language))
    return plain_sentence(cabinet, feeder, demand, language)


def plain_sentence(cabinet: CabinetStatus, feeder: FeederStatus, demand: WishStatus, language: str) -> str:
    """Returns what one rule demands, without the rule's name."""
    rule = demand.rule
    if rule == "interlock":
        return _interlock(feeder, demand, language)
    if rule in ("emergency", "command", "manual"):
        return demand_words(cabinet, feeder, demand, language)
    if rule == "photocell":
        lux = "why.photocell.none" if cabinet.lux is None else "why.photocell.lux"
        light = word_or(f"why.photocell.{demand.reason_text}", "", language)
        cell = ", ".join(part for part in (word(lux, language, lux=cabinet.lux), light) if part)
        return word("why.photocell", language, cell=cell)
    if rule == "safety":
        return word("why.safety", language)
    if rule in ("policy", "default"):
        return policy_sentence(cabinet, feeder, language) or _by_status(cabinet, feeder, language)
    return feeder.because or word("why.other", language, rule=rule)


def demand_of(feeder: FeederStatus, rule: str | None) -> WishStatus | None:
    """Finds what this rule demands of the feeder."""
    return next((demand for demand in feeder.considered if demand.rule == rule), None)


def wished_now(cabinet: CabinetStatus, feeder: FeederStatus) -> Wish | None:
    """Computes what the policy demands now; None where time or policy is missing."""
    law = law_of(cabinet, feeder)
    if law is None or cabinet.unix_s is None:
        return None
    return wish(law, cabinet.unix_s, min(cabinet.uncertainty_s or 0, _UNCERTAINTY_S_MAX))


def policy_sentence(cabinet: CabinetStatus, feeder: FeederStatus, language: str) -> str | None:
    """Names the policy, its calendar, rule and step; None where they cannot be computed."""
    law = law_of(cabinet, feeder)
    wished = wished_now(cabinet, feeder)
    if law is None or wished is None:
        return None
    words = law_words(cabinet, law, wished, language)
    if cabinet.basis == "carried" and cabinet.uncertainty_s is not None:
        words = word("why.carried", language, words=words, uncertainty=duration(cabinet.uncertainty_s, language))
    is_moved = feeder.rule in ("policy", "default") and cabinet.in_control is not False
    if is_moved and feeder.ordered is not None and feeder.ordered != wished.wants_light:
        return word("why.differs", language, words=words, state=state_words(feeder.ordered, language))
    return words


def state_words(closed: bool | None, language: str) -> str:
    return word("unknown_state" if closed is None else "lit" if closed else "dark", language)


def policy_words(cabinet: CabinetStatus, language: str) -> str:
    """Returns `politique n° 4 (Conseil municipal de Feneu, Délibération 2026-41)`."""
    policy = cabinet.policy
    if policy.version is None:
        return word("policy.unnamed", language)
    source = ", ".join(part for part in (policy.authority, policy.text) if part)
    return word("policy.by" if source else "policy", language, version=policy.version, by=source)


def law_words(cabinet: CabinetStatus, law: Law, wished: Wish, language: str) -> str:
    """Names the policy with the words of its calendar; for a feeder without one the default."""
    if law.kind == DEFAULT and law.rules is None:
        return word("why.default", language)
    return word("why.policy", language, policy=policy_words(cabinet, language), words=wish_words(wished, language))


def _interlock(feeder: FeederStatus, demand: WishStatus, language: str) -> str:
    if demand.reason_text in ("switch-on", "switch-off"):
        return word(f"why.{demand.reason_text}", language)
    if demand.reason_text == "locked" or feeder.locked_by:
        return word("why.locked", language, who=feeder.locked_by or word("order.no_author", language))
    return word("why.interlock", language)


def _by_status(cabinet: CabinetStatus, feeder: FeederStatus, language: str) -> str:
    """Repeats the agent's own words, for a policy that cannot be read here."""
    if cabinet.policy.version is None:
        return word("why.default", language)
    reported = word("unreadable", language, because=feeder.because) if feeder.because else word("why.unknown", language)
    return word("why.policy", language, policy=policy_words(cabinet, language), words=reported)


# `ignored`: above the deciding level, yet without effect: an expired lease, a command just received.
DECIDES, OVERRULED, AGREES, IGNORED, SILENT = "decides", "overruled", "agrees", "ignored", "silent"

LEVELS = ("interlock", "emergency", "manual", "command", "policy", "default")
_RULES_OF = {"default": ("default", "photocell", "safety")}


class Rung(NamedTuple):
    """Describes one level of the precedence: its name, its answer, and whether that counted."""

    level: str
    answer: str
    verdict: str


def ladder(cabinet: CabinetStatus, feeder: FeederStatus, language: str) -> list[Rung]:
    """Lists every level with its answer. The agent reports which one decides; those below it are overruled."""
    place = next((number for number, level in enumerate(LEVELS) if feeder.rule in _rules(level)), None)
    rungs = []
    for number, level in enumerate(LEVELS):
        demand = next((one for rule in _rules(level) if (one := demand_of(feeder, rule)) is not None), None)
        answer = _answer(cabinet, feeder, level, demand, language)
        if number == place:
            rungs.append(Rung(level, answer or why(cabinet, feeder, language), DECIDES))
        elif answer is None:
            rungs.append(Rung(level, _nothing(cabinet, feeder, level, language), SILENT))
        else:
            is_below = place is not None and number > place
            wants = demand.wants if demand is not None else None
            rungs.append(Rung(level, answer, _verdict(is_below, wants, feeder.ordered)))
    return rungs


def _rules(level: str) -> tuple[str, ...]:
    return _RULES_OF.get(level, (level,))


def _verdict(is_below: bool, wants: bool | None, closed: bool | None) -> str:
    if not is_below:
        return IGNORED
    return AGREES if wants is not None and wants == closed else OVERRULED


def _answer(
    cabinet: CabinetStatus, feeder: FeederStatus, level: str, demand: WishStatus | None, language: str
) -> str | None:
    """Returns what a level demands; None where it demands nothing."""
    if level == "policy":
        return _policy(cabinet, feeder, demand, language)
    if demand is not None:
        return plain_sentence(cabinet, feeder, demand, language)
    if level != "command":
        return None
    command = holding(cabinet, feeder, (OVERRIDE, TEST), cabinet.unix_s)
    if command is None:
        return None
    words = command_words(command, cabinet.unix_s, language)
    key = "rests" if cabinet.lease.held is False else "lowers" if lowers(command) else None
    return words if key is None else word(key, language, order=words)


def _policy(cabinet: CabinetStatus, feeder: FeederStatus, demand: WishStatus | None, language: str) -> str | None:
    if feeder.rule in ("photocell", "safety") and cabinet.policy.version is not None:
        return word("policy.blind", language, policy=policy_words(cabinet, language))
    if cabinet.policy.version is None:
        return None
    wished = wished_now(cabinet, feeder)
    if wished is None:
        return None if demand is None else plain_sentence(cabinet, feeder, demand, language)
    if wished.law.kind == DEFAULT:
        return None
    return word("policy.short", language, version=cabinet.policy.version, words=wish_words(wished, language))


def _nothing(cabinet: CabinetStatus, feeder: FeederStatus, level: str, language: str) -> str:
    """Returns why a level demands nothing."""
    version = cabinet.policy.version
    wished = wished_now(cabinet, feeder)
    is_unnamed = version is not None and wished is not None and wished.law.kind == DEFAULT
    if level == "interlock" and cabinet.switch is None:
        return word("none.interlock.unwired", language)
    if level == "policy" and is_unnamed:
        return word("none.policy.feeder", language, version=version)
    if level == "policy" and version is not None:
        return policy_words(cabinet, language)
    if level == "default" and (version is None or is_unnamed):
        return word("none.default.sun", language)
    return word(f"none.{level}", language)
