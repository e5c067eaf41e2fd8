"""Whether a feeder's watts agree with its contactor, in one sentence and a verdict that a screen can colour.

For people only: the alarms are the agent's, which waits and remembers (`gateway/core/cabinet/alarms.py`). Half a
lamp, a twentieth of the feeder or 5 W, whichever is more, is no difference: mains voltage moves as much.
"""

from typing import NamedTuple

from gateway.core.status import FeederStatus
from gateway.show.explain.words import say

AGREE, DISAGREE, EARLY, UNKNOWN = "agree", "disagree", "early", "unknown"

_WARM_UP_S = 300  # as CABINET_WARM_UP_MS of gateway.core.limits
_DARK_SHARE, _DARK_W = 0.05, 3.0


class Watts(NamedTuple):
    """`brief`: the sentence without its figures, for where they stand already."""

    verdict: str
    sentence: str
    brief: str


def watts(feeder: FeederStatus, language: str) -> Watts:
    """Power against what is normal; the auxiliary contact first, for it is nearer to the contactor."""
    if feeder.feedback is not None and feeder.closed is not None and feeder.feedback != feeder.closed:
        key = "feedback.closed" if feeder.feedback else "feedback.open"
        return Watts(DISAGREE, say(key, language), say(key, language))
    if feeder.power_w is None:
        return Watts(UNKNOWN, say("watts.none", language), say("watts.none", language))
    verdict, key, rest = _judge(feeder.power_w, feeder)
    brief = say(f"watts.{key}", language, rest=round(rest))
    power = round(feeder.power_w)
    if feeder.closed is False or not feeder.normal_w:
        return Watts(verdict, say("watts.alone", language, power=power, verdict=brief), brief)
    values = {"power": power, "expected": round(feeder.normal_w), "verdict": brief}
    return Watts(verdict, say("watts.of", language, **values), brief)


def _judge(power_w: float, feeder: FeederStatus) -> tuple[str, str, float]:
    expected_w = feeder.normal_w
    if feeder.closed is False:
        is_dark = power_w <= max(_DARK_W, _DARK_SHARE * (expected_w or 0))
        return (AGREE, "off", 0) if is_dark else (DISAGREE, "burns", 0)
    if feeder.closed is None or not expected_w:
        return (UNKNOWN, "unjudged", 0)
    rest_w = expected_w - power_w
    if abs(rest_w) <= _tolerance_w(expected_w, feeder.lamps):
        return (AGREE, "agree", 0)
    if feeder.since_s is not None and feeder.since_s < _WARM_UP_S:
        return (EARLY, "early", 0)
    if power_w < _DARK_SHARE * expected_w:
        return (DISAGREE, "nothing", 0)
    return (DISAGREE, "less" if rest_w > 0 else "more", abs(rest_w))


def _tolerance_w(expected_w: float, lamps: int | None) -> float:
    half_a_lamp = expected_w / lamps / 2 if lamps and lamps > 0 else 0.1 * expected_w
    return max(5.0, 0.05 * expected_w, half_a_lamp)
