"""Why a feeder is as it is: one sentence, and the answer of each level of the precedence, from the strongest down.

    interlock > emergency > manual > command > policy > default (and what stands in for a clock)

The agent reports which rule moved the contactor; the words of the rule come from the signed policy, from the commands
it knows and from what is wired. Where contactor and policy do not agree both are said.
"""

from typing import NamedTuple

from gateway.core.status import CabinetStatus, FeederStatus, WishStatus
from gateway.language.figures import duration
from gateway.show.explain.calendar import CALENDAR, DEFAULT, Law, Wish, law_of, step_words, wish, wish_words
from gateway.show.explain.orders import OVERRIDE, TEST, asked_words, command_words, holding
from gateway.show.explain.words import say, say_or

_UNCERTAINTY_S_MAX = 3_600


def why(cabinet: CabinetStatus, feeder: FeederStatus, language: str) -> str:
    """One sentence."""
    deciding = asked_by(feeder, feeder.rule)
    if deciding is None:
        return feeder.because or say("why.unknown", language)
    words = sentence(cabinet, feeder, deciding, language)
    is_handed = cabinet.in_control is False and deciding.rule != "safety"  # which says so itself
    return say("why.handed", language, words=words) if is_handed else words


def why_briefly(cabinet: CabinetStatus, feeder: FeederStatus, language: str) -> str:
    """The same without the names of calendar and rule, or how long a test lasts, for a small screen that shows it."""
    deciding = asked_by(feeder, feeder.rule)
    if deciding is not None and deciding.rule == "manual" and deciding.said and cabinet.in_control is not False:
        return say("why.manual", language, order=deciding.said)
    wished = wished_now(cabinet, feeder)
    is_calm = feeder.rule == "policy" and cabinet.in_control is not False and cabinet.basis == "clock"
    if not is_calm or wished is None or wished.law.kind == DEFAULT or wished.wants_light != feeder.closed:
        return why(cabinet, feeder, language)
    words = say("permanent", language)
    if wished.law.kind == CALENDAR:
        words = step_words(wished.law, wished.rule, wished.step, language, is_numbered=False)
    version = cabinet.policy.version
    policy = say("policy.unnamed", language) if version is None else say("policy", language, version=version)
    return say("why.policy", language, policy=policy, words=words)


def sentence(cabinet: CabinetStatus, feeder: FeederStatus, asked: WishStatus, language: str) -> str:
    """What one rule says, with the rule's name in front."""
    if asked.rule in ("emergency", "command", "manual"):
        return say(f"why.{asked.rule}", language, order=asked_words(cabinet, feeder, asked, language))
    return bare(cabinet, feeder, asked, language)


def bare(cabinet: CabinetStatus, feeder: FeederStatus, asked: WishStatus, language: str) -> str:
    """What one rule says."""
    rule = asked.rule
    if rule == "interlock":
        return _interlock(feeder, asked, language)
    if rule in ("emergency", "command", "manual"):
        return asked_words(cabinet, feeder, asked, language)
    if rule == "photocell":
        lux = "why.photocell.none" if cabinet.lux is None else "why.photocell.lux"
        light = say_or(f"why.photocell.{asked.said}", "", language)
        cell = ", ".join(part for part in (say(lux, language, lux=cabinet.lux), light) if part)
        return say("why.photocell", language, cell=cell)
    if rule == "safety":
        return say("why.safety", language)
    if rule in ("policy", "default"):
        return policy_sentence(cabinet, feeder, language) or _as_told(cabinet, feeder, language)
    return feeder.because or say("why.other", language, rule=rule)


def asked_by(feeder: FeederStatus, rule: str | None) -> WishStatus | None:
    """What this rule asks of the feeder."""
    return next((asked for asked in feeder.considered if asked.rule == rule), None)


def wished_now(cabinet: CabinetStatus, feeder: FeederStatus) -> Wish | None:
    """What the policy wants now; None where time or policy is missing."""
    law = law_of(cabinet, feeder)
    if law is None or cabinet.unix_s is None:
        return None
    return wish(law, cabinet.unix_s, min(cabinet.uncertainty_s or 0, _UNCERTAINTY_S_MAX))


def policy_sentence(cabinet: CabinetStatus, feeder: FeederStatus, language: str) -> str | None:
    """The policy, its calendar, rule and step; None where they cannot be reckoned."""
    law = law_of(cabinet, feeder)
    wished = wished_now(cabinet, feeder)
    if law is None or wished is None:
        return None
    words = law_words(cabinet, law, wished, language)
    if cabinet.basis == "carried" and cabinet.uncertainty_s is not None:
        words = say("why.carried", language, words=words, uncertainty=duration(cabinet.uncertainty_s, language))
    is_moved = feeder.rule in ("policy", "default") and cabinet.in_control is not False
    if is_moved and feeder.closed is not None and feeder.closed != wished.wants_light:
        return say("why.differs", language, words=words, state=state_words(feeder.closed, language))
    return words


def state_words(closed: bool | None, language: str) -> str:
    return say("unknown_state" if closed is None else "lit" if closed else "dark", language)


def policy_words(cabinet: CabinetStatus, language: str) -> str:
    """`politique n° 4 (Conseil municipal de Feneu, Délibération 2026-41)`."""
    policy = cabinet.policy
    if policy.version is None:
        return say("policy.unnamed", language)
    source = ", ".join(part for part in (policy.authority, policy.text) if part)
    return say("policy.by" if source else "policy", language, version=policy.version, by=source)


def law_words(cabinet: CabinetStatus, law: Law, wished: Wish, language: str) -> str:
    """The policy and the words of its calendar; for a feeder without one what stands in."""
    if law.kind == DEFAULT and law.rules is None:
        return say("why.default", language)
    return say("why.policy", language, policy=policy_words(cabinet, language), words=wish_words(wished, language))


def _interlock(feeder: FeederStatus, asked: WishStatus, language: str) -> str:
    if asked.said in ("switch-on", "switch-off"):
        return say(f"why.{asked.said}", language)
    if asked.said == "locked" or feeder.locked_by:
        return say("why.locked", language, who=feeder.locked_by or say("order.nobody", language))
    return say("why.interlock", language)


def _as_told(cabinet: CabinetStatus, feeder: FeederStatus, language: str) -> str:
    """A policy that cannot be read here: in the agent's own words."""
    if cabinet.policy.version is None:
        return say("why.default", language)
    told = say("unreadable", language, because=feeder.because) if feeder.because else say("why.unknown", language)
    return say("why.policy", language, policy=policy_words(cabinet, language), words=told)


# `ignored` stands above the level that decides and was not followed: a lease that has run out, a command just come.
DECIDES, OVERRULED, AGREES, IGNORED, SILENT = "decides", "overruled", "agrees", "ignored", "silent"

LEVELS = ("interlock", "emergency", "manual", "command", "policy", "default")
_RULES_OF = {"default": ("default", "photocell", "safety")}


class Rung(NamedTuple):
    """One level: its word, what it says, and whether that counted."""

    level: str
    answer: str
    verdict: str


def ladder(cabinet: CabinetStatus, feeder: FeederStatus, language: str) -> list[Rung]:
    """Every level with its answer. The one that decides is the agent's word; below it stands what was overruled."""
    place = next((number for number, level in enumerate(LEVELS) if feeder.rule in _rules(level)), None)
    rungs = []
    for number, level in enumerate(LEVELS):
        asked = next((one for rule in _rules(level) if (one := asked_by(feeder, rule)) is not None), None)
        answer = _answer(cabinet, feeder, level, asked, language)
        if number == place:
            rungs.append(Rung(level, answer or why(cabinet, feeder, language), DECIDES))
        elif answer is None:
            rungs.append(Rung(level, _nothing(cabinet, feeder, level, language), SILENT))
        else:
            is_below = place is not None and number > place
            wants = asked.wants if asked is not None else None
            rungs.append(Rung(level, answer, _verdict(is_below, wants, feeder.closed)))
    return rungs


def _rules(level: str) -> tuple[str, ...]:
    return _RULES_OF.get(level, (level,))


def _verdict(is_below: bool, wants: bool | None, closed: bool | None) -> str:
    if not is_below:
        return IGNORED
    return AGREES if wants is not None and wants == closed else OVERRULED


def _answer(
    cabinet: CabinetStatus, feeder: FeederStatus, level: str, asked: WishStatus | None, language: str
) -> str | None:
    """What a level asks for; None where it asks for nothing."""
    if level == "policy":
        return _policy(cabinet, feeder, asked, language)
    if asked is not None:
        return bare(cabinet, feeder, asked, language)
    if level != "command":
        return None
    command = holding(cabinet, feeder, (OVERRIDE, TEST), cabinet.unix_s)
    if command is None:
        return None
    words = command_words(command, cabinet.unix_s, language)
    return say("rests", language, order=words) if cabinet.lease.held is False else words


def _policy(cabinet: CabinetStatus, feeder: FeederStatus, asked: WishStatus | None, language: str) -> str | None:
    if feeder.rule in ("photocell", "safety") and cabinet.policy.version is not None:
        return say("policy.blind", language, policy=policy_words(cabinet, language))
    if cabinet.policy.version is None:
        return None
    wished = wished_now(cabinet, feeder)
    if wished is None:
        return None if asked is None else bare(cabinet, feeder, asked, language)
    if wished.law.kind == DEFAULT:
        return None
    return say("policy.short", language, version=cabinet.policy.version, words=wish_words(wished, language))


def _nothing(cabinet: CabinetStatus, feeder: FeederStatus, level: str, language: str) -> str:
    """In place of an answer."""
    version = cabinet.policy.version
    wished = wished_now(cabinet, feeder)
    is_unnamed = version is not None and wished is not None and wished.law.kind == DEFAULT
    if level == "interlock" and cabinet.switch is None:
        return say("none.interlock.unwired", language)
    if level == "policy" and is_unnamed:
        return say("none.policy.feeder", language, version=version)
    if level == "policy" and version is not None:
        return policy_words(cabinet, language)
    if level == "default" and (version is None or is_unnamed):
        return say("none.default.sun", language)
    return say(f"none.{level}", language)
