"""Runs a season of watering, April to September, with the node's trade and with a plain timer, in the same weather.

Eight zones of a park in Angers (lawns, beds, sports field, shrubs and young trees on drip), pipes and soil of
`simulator.plants`, whose parameters differ from those in the node's settings; synthetic weather from a seed
(`simulator/plants/climate.py`), of which the node observes what its board has sensors for. The timer waters fixed
minutes, three nights a week, for the mean demand of July, with no rain sensor. Both are run without drought and with a
summer of restrictions (alerte from 1 July, alerte renforcée in August).

    bocage bench watering --json
"""

import json

from simulator.estates.season import DROUGHTS, NAMES, Season, SeasonFigures
from tools.command_line import add_json, months

# The bounds: a third less water than the timer, stress on 5 % of the zone-days without restrictions, and no second in a
# forbidden hour.
USED_PERCENT_MAX = 67
STRESS_PERCENT_MAX = 5


def add_arguments(parser):
    parser.add_argument("--seed", type=int, default=1, help="of weather and soil (default 1)")
    parser.add_argument("--drought", choices=sorted(DROUGHTS), action="append", help="default: all of them")
    parser.add_argument("--months", type=months, default=(4, 9), help="first and last month (default 4-9)")
    add_json(parser)


def run(options):
    """Prints both seasons; the exit status is 0 when the bounds hold."""
    first, last = options.months
    rows, passed = {}, True
    for drought in options.drought or sorted(DROUGHTS):
        ours = Season(options.seed, drought, months=(first, last)).ours()
        timer = Season(options.seed, drought, months=(first, last)).timer()
        rows[drought] = {"ours": row(ours), "timer": row(timer)}
        passed = passed and holds(ours, timer, drought)
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
        "zone_days": figures.days * len(NAMES),
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
    well = 100 * ours.stress_days <= STRESS_PERCENT_MAX * ours.days * len(NAMES)
    return lawful and spared and (well or drought != "none")


def table(rows):
    """Prints the figures for a person."""
    names = list(next(iter(rows.values()))["ours"])
    print(f"{'drought':9}{'who':7}" + "".join(f"{name:>18}" for name in names))
    for drought, season in rows.items():
        for who, figures in season.items():
            print(f"{drought:9}{who:7}" + "".join(f"{figures[name]:>18}" for name in names))
