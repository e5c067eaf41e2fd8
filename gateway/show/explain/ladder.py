"""What each level of the precedence said about a feeder, from the strongest down, and whose word counted.

    interlock > emergency > manual > command > policy > default (and what stands in for a clock)
"""

from typing import NamedTuple

from gateway.core.status import CabinetStatus, FeederStatus, WishStatus
from gateway.show.explain.calendar import wish_words
from gateway.show.explain.orders import OVERRIDE, TEST, command_words, holding
from gateway.show.explain.plan import DEFAULT
from gateway.show.explain.why import asked_by, bare, policy_words, why, wished_now
from gateway.show.explain.words import say

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
