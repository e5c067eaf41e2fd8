"""Writes sentences, times and figures in the reader's language. A template has none of its own.

`{% say "lights.none" street=name %}` writes the sentence of that key, from the words of the screen (`page.shown`) or
of the frame; its values are escaped by Django, for the result is no HTML.
"""

from typing import Any

from django import template
from django.utils.safestring import mark_safe

from gateway.language.figures import duration, number
from gateway.language.values import value_text as value_of_detail
from tools.centre.condition.words import fault_text
from tools.centre.limits import SILENCE_S_MAX, SILENT_S
from tools.centre.register.words import value_text
from tools.centre.web import words
from tools.centre.web.spaces import Space
from tools.centre.web.states import FAULT, MARKS, Shown

register = template.Library()


@register.simple_tag(takes_context=True)
def say(context: Any, key: str, **values: object) -> str:
    return words.text(context["words"], key, context["language"], **values)


@register.simple_tag
def clock(unix_s: int) -> str:
    """Writes `17:04`, in the civil time of France."""
    return words.clock(unix_s)


@register.simple_tag(takes_context=True)
def ago(context: Any, unix_s: int | None) -> str:
    """Writes `il y a 3 min`."""
    return words.ago(unix_s, context["language"], now_s=context["now_s"])


@register.simple_tag(takes_context=True)
def since(context: Any, unix_s: int | None, shown: Shown | None = None) -> str:
    """Writes `depuis 17:04`, with the day where it is another; of a fault, which is stated once it has lasted for some
    minutes, `depuis 17:04 au plus tard`."""
    return words.since(unix_s, context["language"], now_s=context["now_s"], is_latest=shown == FAULT)


@register.simple_tag(takes_context=True)
def moment(context: Any, unix_s: int | None) -> str:
    """Writes `hier 23:05`, in the civil time of France."""
    return words.moment(unix_s, context["language"], now_s=context["now_s"])


@register.simple_tag(takes_context=True)
def watts(context: Any, power_dw: int | None) -> str:
    return words.watts(power_dw, context["language"])


@register.simple_tag(takes_context=True)
def degrees(context: Any, temperature_ck: int | None) -> str:
    """Writes `16,1 °C`."""
    return "" if temperature_ck is None else value_of_detail("temperature_ck", temperature_ck, context["language"])


@register.simple_tag(takes_context=True)
def decimal(context: Any, value: float | None, factor: int, digits: int) -> str:
    """Writes a value divided by its factor, in the reader's figures."""
    return "" if value is None else number(value / factor, context["language"], digits)


@register.simple_tag(takes_context=True)
def rated(context: Any, power_dw: int | None) -> str:
    """Writes the power that the register has: `35 W`."""
    return "" if power_dw is None else value_text("power_dw", power_dw, context["language"])


@register.simple_tag(takes_context=True)
def state(context: Any, shown: Shown, level_percent: int | None = None) -> str:
    """Writes the word of a state, of a light with its level where it is dimmed."""
    return words.state(shown, context["language"], level_percent)


@register.simple_tag(takes_context=True)
def stale(context: Any, unix_s: int | None) -> str:
    """Returns the class of a value that is older than a silence, or of unknown age."""
    return "stale" if unix_s is None or unix_s < context["now_s"] - SILENT_S else ""


@register.simple_tag(takes_context=True)
def late(context: Any, seconds: int) -> str:
    """Writes how far behind a cabinet is; nothing within a report and its way."""
    return duration(seconds, context["language"]) if seconds > SILENCE_S_MAX else ""


@register.simple_tag(takes_context=True)
def fault(context: Any, label: str) -> str:
    """Writes the name of a fault by its label on the wire."""
    return fault_text(label, context["language"])


@register.inclusion_tag("web/mark.html")
def mark(shown: Shown) -> dict[str, str]:
    """Draws the shape of a state; the word stands beside it."""
    return {"state": shown, "shape": mark_safe(MARKS[shown])}


@register.simple_tag
def gauge(space: Space) -> str:
    """Draws what a room or a green space measures; the figures stand beside it."""
    return mark_safe(space.gauge)
