"""The gateway's health in short: the lines of `gateway status`, and the cabinet's meter and battery."""

from gateway.language.figures import number
from gateway.show.page.html import Child, Safe, join, tag
from gateway.show.page.view import View
from gateway.show.report import headline, sections
from gateway.show.words import word

# Feeders, alarms and faults have screens of their own.
_ELSEWHERE = ("feeder", "alarms", "faults")


def health(view: View) -> Safe:
    """The screen's body."""
    rows = [
        (word(f"label.{label}", view.language), tag("ul", [tag("li", part) for part in parts]))
        for label, parts in sections(view.status, view.language)
        if label not in _ELSEWHERE
    ]
    rows += [(view.say(f"health.{name}"), tag("ul", tag("li", value))) for name, value in _measured(view)]
    return join(
        tag("p", headline(view.status, view.language), class_="notice plain"),
        tag("dl", [join(tag("dt", label), tag("dd", value)) for label, value in rows]),
    )


def _measured(view: View) -> list[tuple[str, Child]]:
    found: list[tuple[str, Child]] = []
    cabinet = view.cabinet
    if cabinet is not None and cabinet.linky:
        index_wh, apparent_va = cabinet.linky.get("index_wh"), cabinet.linky.get("apparent_va")
        values = {
            "index": "?" if not isinstance(index_wh, int) else f"{index_wh // 1000:,}".replace(",", "\u202f"),
            "apparent": "?" if apparent_va is None else apparent_va,
            "mode": cabinet.linky.get("mode") or "?",
        }
        found.append(("linky", view.say("health.linky.value", **values)))
    if cabinet is not None and cabinet.ups_v is not None:
        volts = number(cabinet.ups_v, view.language)
        found.append(("ups", view.say("health.ups.value", volts=volts)))
    version = view.status.version
    return [*found, ("version", version)] if version else found
