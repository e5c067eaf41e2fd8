"""Reports on the commune that has a cabinet only: rows of the text, its JSON, and its band in the picture.

`heading` and `rows` are for `simulator.report.text`, `band` for `simulator.report.picture`. Judges nothing.
"""

from collections.abc import Callable
from html import escape
from typing import Any

from gateway.language import N_, NC_, Phrases
from simulator.cabinet.commune import BEHUARD
from simulator.cabinet.village import CONTACTOR, DOOR, EMERGENCY, FEEDERS, LAMP, Happening, VillageReport

_WORDS = Phrases(
    {
        "title": N_("{commune} ({inhabitants} inhabitants, one cabinet, no lamp touched)"),
        LAMP: N_("lamp fails, feeder {feeder}"),
        CONTACTOR: N_("contactor welds, feeder {feeder}"),
        DOOR: N_("door of the cabinet opened"),
        EMERGENCY: N_("emergency light by the mayor"),
        "lit": N_("{feeder}, {lamps} lamps, lit (policy)"),
        "hindered": N_("contactor welded"),
        "street": N_("street dark or lit wrongly 2 min, lamp and mains sound"),
        "never": NC_("report", "never"),
        "ordered": N_("emergency: from order to light, measured"),
        "alarms": N_("alarms of the cabinet, one for each cause"),
        "alarms.figures": N_("{reported} of {expected}; false alarms: {false}"),
        "used": N_("energy by the meter"),
        "picture": N_("{commune}, feeders lit (line: emergency)"),
    }
)
_LIT, _UNLIT, _URGENT = "#f2b824", "#d8e1e8", "#c23030"
_BAND, _GAP = 14, 6


def heading(happenings: tuple[Happening, ...], language: str) -> list[tuple[int, str]]:
    """Returns (seconds after the start, words) of each happening, for the list before a run."""
    return [(one.at_s, f"{BEHUARD.name} {_words(one, language)}") for one in happenings]


def rows(report: VillageReport, language: str) -> list[tuple[str, str]]:
    """Returns (name, value) lines of the report; the first is the title and has no value."""

    def words(key: str, **values: object) -> str:
        return _WORDS.text(key, language, **values)

    commune, alarms = report.commune, report.alarms
    found = [(words("title", commune=commune.name, inhabitants=commune.inhabitants), "")]
    for feeder, counted in zip(FEEDERS, report.counted, strict=True):
        value = f"{_clock(counted.lit_ms)} ({_clock(counted.wanted_ms)})"
        # A feeder that no order could switch is no defect of the policy: the row gives the reason for the difference.
        value += f", {words('hindered')}" if counted.unjudged_ms else ""
        found.append((words("lit", feeder=feeder.name, lamps=feeder.lamps), value))
    found.append((words("street"), str(len(report.violations) or words("never"))))
    if report.ordered is not None:
        lit_ms, power_dw = report.ordered.lit_ms, report.ordered.measured_dw
        light = "–" if lit_ms is None else f"{_decimal((lit_ms - report.ordered.at_ms) / 1000, language)} s"
        found.append((words("ordered"), f"{light}, {'–' if power_dw is None else f'{power_dw // 10} W'}"))
    figures = words("alarms.figures", reported=alarms.reported, expected=alarms.expected, false=alarms.false)
    found.append((words("alarms"), figures))
    found.append((words("used"), f"{_decimal(sum(report.true_wh) / 1000, language)} kWh"))
    return found


def faults(report: VillageReport) -> list[str]:
    """Returns every violated invariant of the commune, as its checker words it."""
    found = [*report.violations[:10], *(f"{report.commune.name}: {fault}" for fault in report.alarms.faults[:10])]
    if report.ordered is not None and report.ordered.lit_ms is None:
        found.append(f"{report.commune.name}: the emergency light was not lit")
    elif report.ordered is not None and report.ordered.measured_dw is None:
        found.append(f"{report.commune.name}: the emergency light was not measured")
    return found


def as_json(report: VillageReport) -> dict[str, Any]:
    """Returns the figures for programs; the key set only grows."""
    ordered = report.ordered
    return {
        "commune": report.commune.insee,
        "lit_s": [_seconds(counted.lit_ms) for counted in report.counted],
        "wanted_s": [_seconds(counted.wanted_ms) for counted in report.counted],
        "unjudged_s": [_seconds(counted.unjudged_ms) for counted in report.counted],
        "violations": len(report.violations),
        "worst_s": report.worst_s,
        "alarm_causes": report.alarms.expected,
        "alarms_told": report.alarms.reported,
        "alarms_false": report.alarms.false,
        "order_to_light_ms": None if ordered is None or ordered.lit_ms is None else ordered.lit_ms - ordered.at_ms,
        "order_measured_dw": None if ordered is None else ordered.measured_dw,
        "kwh": sum(report.true_wh) / 1000,
    }


def band_height() -> int:
    """Returns the height that `band` needs, in the picture's units."""
    return len(FEEDERS) * (_BAND + _GAP)


def band(
    report: VillageReport, x_of: Callable[[int], float], *, top: int, begin: int, end: int, language: str
) -> list[str]:
    """Draws one bar a feeder in SVG, lit where it was, under a title at `top`; `x_of(unix_s)` places an instant."""
    left, right = x_of(begin), x_of(end)
    title = _WORDS.text("picture", language, commune=report.commune.name)
    parts = [f'<text x="{left:.1f}" y="{top - 6}">{escape(title)}</text>']
    for index, feeder in enumerate(FEEDERS):
        y = top + index * (_BAND + _GAP)
        parts.append(f'<text x="{left - 8:.1f}" y="{y + 12}" text-anchor="end">{escape(feeder.name)}</text>')
        parts.append(_bar(left, right, y, _UNLIT))
        for spell in report.spells:
            if spell.feeder == index:
                from_s, to_s = max(begin, spell.from_ms // 1000), min(end, spell.to_ms // 1000)
                if from_s < to_s:
                    parts.append(_bar(x_of(from_s), x_of(to_s), y, _LIT))
    if report.ordered is not None:
        from_x, to_x = x_of(report.ordered.at_ms // 1000), x_of(report.ordered.to_s)
        y = top + band_height() - _GAP + 2
        parts.append(f'<line x1="{from_x:.1f}" y1="{y}" x2="{to_x:.1f}" y2="{y}" stroke="{_URGENT}" stroke-width="3"/>')
    return parts


def _bar(from_x: float, to_x: float, y: int, colour: str) -> str:
    return f'<rect x="{from_x:.1f}" y="{y}" width="{to_x - from_x:.1f}" height="{_BAND}" fill="{colour}"/>'


def _words(one: Happening, language: str) -> str:
    return _WORDS.text(one.what, language, feeder="" if one.feeder is None else FEEDERS[one.feeder].name)


def _decimal(value: float, language: str) -> str:
    return f"{value:.1f}".replace(".", "," if language == "fr" else ".")


def _clock(ms: int) -> str:
    hours, seconds = divmod(_seconds(ms), 3600)
    return f"{hours} h {seconds // 60:02} min {seconds % 60:02} s"


def _seconds(ms: int) -> int:
    """Rounds to the nearest second: contactors take some milliseconds."""
    return (ms + 500) // 1000
