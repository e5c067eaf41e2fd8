"""The commune with only a cabinet in the report of a run, French or English, in its JSON and in its picture.

`heading` and `rows` are for `simulator.report.text`, `band` for `simulator.report.picture`; they say what `story.Told`
holds and judge nothing.
"""

from collections.abc import Callable
from html import escape
from typing import Any

from simulator.cabinet.commune import BEHUARD
from simulator.cabinet.village import CONTACTOR, DOOR, EMERGENCY, FEEDERS, LAMP, Happening, Told

_WORDS = {
    "fr": {
        "inhabitants": "habitants",
        "cabinet": "une armoire, aucune lampe équipée",
        LAMP: "lampe morte, départ",
        CONTACTOR: "contacteur soudé, départ",
        DOOR: "porte de l’armoire ouverte",
        EMERGENCY: "éclairage d’urgence du maire",
        "lit": "allumé (consigne)",
        "lamps": "lampes",
        "hindered": "contacteur soudé",
        "street": "rue sombre ou allumée à tort plus de 2 min",
        "never": "jamais",
        "ordered": "urgence : de l’ordre à la lumière, mesurée",
        "alarms": "alarmes de l’armoire, une par cause",
        "false": "fausses alarmes",
        "used": "énergie au compteur",
        "picture": "départs allumés (trait : urgence)",
    },
    "en": {
        "inhabitants": "inhabitants",
        "cabinet": "one cabinet, no lamp touched",
        LAMP: "lamp dies, feeder",
        CONTACTOR: "contactor welds, feeder",
        DOOR: "door of the cabinet opened",
        EMERGENCY: "emergency light by the mayor",
        "lit": "lit (policy)",
        "lamps": "lamps",
        "hindered": "contactor welded",
        "street": "street dark or burning against policy for over 2 min",
        "never": "never",
        "ordered": "emergency: from order to light, measured",
        "alarms": "alarms of the cabinet, one for each cause",
        "false": "false alarms",
        "used": "energy by the meter",
        "picture": "feeders lit (line: emergency)",
    },
}
_LIT, _UNLIT, _URGENT = "#f2b824", "#d8e1e8", "#c23030"
_BAND, _GAP = 14, 6


def heading(happenings: tuple[Happening, ...], language: str) -> list[tuple[int, str]]:
    """(seconds after the start, words) of what will happen, for the list before a run."""
    return [(one.at_s, f"{BEHUARD.name} {_words(one, language)}") for one in happenings]


def rows(told: Told, language: str) -> list[tuple[str, str]]:
    """(name, value) lines of the report; the first has no value: it is the title."""
    words, commune = _WORDS[language], told.commune
    found = [(f"{commune.name} ({commune.inhabitants} {words['inhabitants']}, {words['cabinet']})", "")]
    for feeder, counted in zip(FEEDERS, told.counted, strict=True):
        name = f"{feeder.name}, {feeder.lamps} {words['lamps']}, {words['lit']}"
        value = f"{_clock(counted.lit_ms)} ({_clock(counted.wanted_ms)})"
        # A feeder that nobody could switch is no defect of the policy's hand: say why it differs.
        found.append((name, value + (f", {words['hindered']}" if counted.unjudged_ms else "")))
    found.append((words["street"], str(len(told.violations) or words["never"])))
    if told.ordered is not None:
        lit_ms, power_dw = told.ordered.lit_ms, told.ordered.measured_dw
        light = "–" if lit_ms is None else f"{(lit_ms - told.ordered.at_ms) / 1000:.1f} s"
        found.append((words["ordered"], f"{light}, {'–' if power_dw is None else f'{power_dw // 10} W'}"))
    alarms = told.alarms
    found.append((words["alarms"], f"{alarms.told}/{alarms.causes}, {words['false']} {alarms.false}"))
    found.append((words["used"], f"{sum(told.true_wh) / 1000:.1f} kWh"))
    return found


def faults(told: Told) -> list[str]:
    """Every violated invariant of the commune, as its checker words it."""
    found = [*told.violations[:10], *(f"{told.commune.name}: {fault}" for fault in told.alarms.faults[:10])]
    if told.ordered is not None and told.ordered.lit_ms is None:
        found.append(f"{told.commune.name}: the emergency light was not lit")
    elif told.ordered is not None and told.ordered.measured_dw is None:
        found.append(f"{told.commune.name}: the emergency light was not measured")
    return found


def as_json(told: Told) -> dict[str, Any]:
    """What a program reads; the key set only grows."""
    ordered = told.ordered
    return {
        "commune": told.commune.insee,
        "lit_s": [_seconds(counted.lit_ms) for counted in told.counted],
        "wanted_s": [_seconds(counted.wanted_ms) for counted in told.counted],
        "unjudged_s": [_seconds(counted.unjudged_ms) for counted in told.counted],
        "violations": len(told.violations),
        "worst_s": told.worst_s,
        "alarm_causes": told.alarms.causes,
        "alarms_told": told.alarms.told,
        "alarms_false": told.alarms.false,
        "order_to_light_ms": None if ordered is None or ordered.lit_ms is None else ordered.lit_ms - ordered.at_ms,
        "order_measured_dw": None if ordered is None else ordered.measured_dw,
        "kwh": sum(told.true_wh) / 1000,
    }


def band_height() -> int:
    """What `band` needs, in the picture's units."""
    return len(FEEDERS) * (_BAND + _GAP)


def band(told: Told, x_of: Callable[[int], float], *, top: int, begin: int, end: int, language: str) -> list[str]:
    """SVG parts: one bar a feeder, lit where it was, under a title at `top`; `x_of(unix_s)` places an instant."""
    left, right = x_of(begin), x_of(end)
    title = f"{told.commune.name}, {_WORDS[language]['picture']}"
    parts = [f'<text x="{left:.1f}" y="{top - 6}">{escape(title)}</text>']
    for index, feeder in enumerate(FEEDERS):
        y = top + index * (_BAND + _GAP)
        parts.append(
            f'<text x="{left - 5:.1f}" y="{y + 11}" text-anchor="end" font-size="10">{escape(feeder.name)}</text>'
        )
        parts.append(_bar(left, right, y, _UNLIT))
        for spell in told.spells:
            if spell.feeder == index:
                from_s, to_s = max(begin, spell.from_ms // 1000), min(end, spell.to_ms // 1000)
                if from_s < to_s:
                    parts.append(_bar(x_of(from_s), x_of(to_s), y, _LIT))
    if told.ordered is not None:
        from_x, to_x = x_of(told.ordered.at_ms // 1000), x_of(told.ordered.to_s)
        y = top + band_height() - _GAP + 2
        parts.append(f'<line x1="{from_x:.1f}" y1="{y}" x2="{to_x:.1f}" y2="{y}" stroke="{_URGENT}" stroke-width="3"/>')
    return parts


def _bar(from_x: float, to_x: float, y: int, colour: str) -> str:
    return f'<rect x="{from_x:.1f}" y="{y}" width="{to_x - from_x:.1f}" height="{_BAND}" fill="{colour}"/>'


def _words(one: Happening, language: str) -> str:
    said = _WORDS[language][one.what]
    return said if one.feeder is None else f"{said} {FEEDERS[one.feeder].name}"


def _clock(ms: int) -> str:
    hours, seconds = divmod(_seconds(ms), 3600)
    return f"{hours} h {seconds // 60:02} min {seconds % 60:02} s"


def _seconds(ms: int) -> int:
    """To the nearest: contactors take some milliseconds."""
    return (ms + 500) // 1000
