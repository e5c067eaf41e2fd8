"""Runs a season of watering, April to September, with the node's trade and with a plain timer, in the same weather.

Eight zones of a park in Angers (lawns, beds, sports field, shrubs and young trees on drip), pipes and soil of
`simulator.plants`, whose parameters differ from those in the node's settings; synthetic weather from a seed
(`simulator/plants/climate.py`), of which the node observes what its board has sensors for. The timer waters fixed
minutes, three nights a week, for the mean demand of July, with no rain sensor. Both are run without drought and with a
summer of restrictions (alerte from 1 July, alerte renforcée in August).

    bocage bench watering --svg season.svg
"""

import json
from pathlib import Path

from policy import civil
from simulator.estates.season import DROUGHTS, NAMES, SHOWN_ZONE, Season, SeasonFigures
from tools.command_line import add_json, months

# The bounds: a third less water than the timer, stress on 5 % of the zone-days without restrictions, and no second in a
# forbidden hour.
USED_PERCENT_MAX = 67
STRESS_PERCENT_MAX = 5

_WIDTH, _HEIGHT, _LEFT, _TOP = 1040, 520, 60, 50
_PANEL, _GAP = 190, 50


def add_arguments(parser):
    parser.add_argument("--seed", type=int, default=1, help="of weather and soil (default 1)")
    parser.add_argument("--drought", choices=sorted(DROUGHTS), action="append", help="default: all of them")
    parser.add_argument("--months", type=months, default=(4, 9), help="first and last month (default 4-9)")
    parser.add_argument("--svg", type=Path, help="write a picture of one zone's season here")
    add_json(parser)


def run(options):
    """Prints both seasons; the exit status is 0 when the bounds hold."""
    first, last = options.months
    rows, passed, shown = {}, True, None
    for drought in options.drought or sorted(DROUGHTS):
        ours = Season(options.seed, drought, months=(first, last)).ours()
        timer = Season(options.seed, drought, months=(first, last)).timer()
        rows[drought] = {"ours": row(ours), "timer": row(timer)}
        passed = passed and holds(ours, timer, drought)
        shown = shown or ours
    if options.svg and shown is not None:
        options.svg.write_text(svg(shown), encoding="utf-8")
    if options.json:
        print(json.dumps({"seed": options.seed, "months": [first, last], "seasons": rows, "passed": passed}, indent=1))
    else:
        table(rows)
    return 0 if passed else 1


def row(figures: SeasonFigures) -> dict:
    """Returns the figures of one season as plain data."""
    return {
        "water_m3": figures.used_l // 1000,
        "stress_zone_days": figures.stress_days,
        "of_them_banned": figures.stress_days_banned,
        "zone_days": len(figures.days) * len(NAMES),
        "drained_m3": figures.drained_l // 1000,
        "run_off_m3": figures.run_off_l // 1000,
        "forbidden_min": figures.forbidden_s // 60,
        "violations": len(figures.violations),
    }


def holds(ours: SeasonFigures, timer: SeasonFigures, drought: str) -> bool:
    """Returns True when the season keeps the project's promises. Under restrictions plants may suffer: the law decides
    that."""
    lawful = not ours.violations and not ours.forbidden_s
    spared = 100 * ours.used_l <= USED_PERCENT_MAX * timer.used_l
    well = 100 * ours.stress_days <= STRESS_PERCENT_MAX * len(ours.days) * len(NAMES)
    return lawful and spared and (well or drought != "none")


def table(rows):
    """Prints the figures for a person."""
    names = list(next(iter(rows.values()))["ours"])
    print(f"{'drought':9}{'who':7}" + "".join(f"{name:>18}" for name in names))
    for drought, season in rows.items():
        for who, figures in season.items():
            print(f"{drought:9}{who:7}" + "".join(f"{figures[name]:>18}" for name in names))


def svg(figures: SeasonFigures) -> str:
    """Draws the depletion of one zone over the season, rain and watering, as one self-contained SVG."""
    days = figures.days
    step = (_WIDTH - _LEFT - 20) / len(days)
    deepest = max(1, max(day.depletion_dmm for day in days))
    highest = max(1, max(max(day.rain_dmm, day.irrigated_dmm) for day in days))
    below = _TOP + _PANEL + _GAP
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" font-family="sans-serif"'
        ' font-size="13">',
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="white"/>',
        f'<text x="{_LEFT}" y="24" font-size="17">Une saison d’arrosage, zone {SHOWN_ZONE} ({NAMES[SHOWN_ZONE - 1]})'
        " / A season of watering</text>",
        f'<text x="{_LEFT}" y="{_TOP - 6}">manque d’eau du sol, mm (0 en haut) / soil water depletion, mm</text>',
        f'<text x="{_LEFT}" y="{below - 6}">pluie (bleu), arrosage (vert), mm / rain (blue), watering (green)</text>',
    ]
    points = []
    for number, day in enumerate(days):
        x = _LEFT + number * step
        points.append(f"{x:.1f},{_TOP + day.depletion_dmm * _PANEL / deepest:.1f}")
        for value, colour, shift in ((day.rain_dmm, "#3b7dd8", 0.0), (day.irrigated_dmm, "#3f9b57", 0.45)):
            if value:
                height = value * _PANEL / highest
                parts.append(
                    f'<rect x="{x + shift * step:.1f}" y="{below + _PANEL - height:.1f}" width="{0.45 * step:.1f}"'
                    f' height="{height:.1f}" fill="{colour}"/>'
                )
        year, month, date = civil.civil_from_days(day.civil_day)
        if date == 1:
            parts.append(f'<line x1="{x:.1f}" y1="{_TOP}" x2="{x:.1f}" y2="{below + _PANEL}" stroke="#d8e1e8"/>')
            parts.append(f'<text x="{x + 3:.1f}" y="{below + _PANEL + 18}">{date}/{month}/{year}</text>')
    parts.append(f'<polyline points="{" ".join(points)}" fill="none" stroke="#a8552b" stroke-width="1.5"/>')
    for top, peak in ((_TOP, deepest), (below, highest)):
        parts.append(f'<rect x="{_LEFT}" y="{top}" width="{_WIDTH - _LEFT - 20}" height="{_PANEL}" fill="none"'
                     ' stroke="#8aa0ad"/>')  # fmt: skip
        parts.append(
            f'<text x="{_LEFT - 6}" y="{top + 12}" text-anchor="end">{0 if top == _TOP else peak // 10}</text>'
        )
        parts.append(
            f'<text x="{_LEFT - 6}" y="{top + _PANEL}" text-anchor="end">{peak // 10 if top == _TOP else 0}</text>'
        )
    parts.append("</svg>")
    return "\n".join(parts) + "\n"
