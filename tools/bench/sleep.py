"""Measures the consumption of a battery irrigation node: mAh a day, and the life of its cell with and without its
panel.

The real application runs in virtual time, asleep between its wakings (simulator/estates/sleeper.py), in weather from a
seed: June and December, with the gateway there or silent. Currents come from data sheets and from the measurements that
simulator/plants/battery.py names; none was measured on our board. `life` counts 80 % of the cell, in the dark.

    bocage bench sleep --json
"""

import json
import sys
from typing import Any

from gateway.language.arguments import whole
from kinds import irrigation
from policy import civil
from policy.fault import Faults
from simulator.estates.sleeper import SleeperStory
from simulator.hosts.deep_sleep import ClockChip
from simulator.plants.climate import Climate
from tools.command_line import add_json

CAPACITY_MAH = 2600
PANEL_MA = 150  # 0.8 W at 5.5 V
_USABLE_PERCENT = 80
# Lawn, bed and shrubs of a small square, every night at five by the balance.
_ZONES = [
    [0, 0, 3, 2, 1, 10000, 20000, 0, 0, 1, 60],
    [1, 3, 4, 4, 0, 4000, 20000, 0, 0, 1, 60],
    [4, 2, 2, 2, 2, 8000, 8000, 0, 0, 1, 120],
]
_PLAIN = {
    "site": [474700, -5500],
    "watering": [1, _ZONES, [[0, 127, 0, 0, 0, 300, 0, 7, 0]], [], []],
    "valves": [2, 2, 2, 2, 0],
    "supply": [5, 5, 0, 0],
    "meter": [20000, 60],
    "weather": [40, 2, 20, []],
    "battery": [CAPACITY_MAH, 1000, 12000],
}
# The goals: at most so many mAh a day in a summer with its gateway, and half a year in a dark winter.
SUMMER_MAH_MAX = 60
WINTER_DAYS_MIN = 180


def add_arguments(parser):
    parser.add_argument("--days", type=whole(1, 366), default=14, help="of each season (14)")
    parser.add_argument("--seed", type=int, default=1, help="of weather, radio and oscillator (1)")
    add_json(parser)


def season(month: int, days: int, seed: int, *, silent: bool = False) -> dict[str, Any]:
    """Returns the figures of so many days from the first of a month on."""
    faults = Faults()
    own = irrigation.decode(faults, _PLAIN)
    assert not faults.count(), faults.listed()
    first = civil.days_from_civil(2026, month, 1)
    begin_s = civil.unix_from_local(civil.PARIS, first, 0)
    story = SleeperStory(
        own, Climate(seed, first - 1), begin_s=begin_s, seed=seed, panel_ma=PANEL_MA, capacity_mah=CAPACITY_MAH
    )
    story.host.clock_chip = ClockChip(ppm=4)
    story.run(hours=2)
    story.until_asleep()
    story.gateway.silent = silent
    asleep, battery = story.host.asleep, story.battery
    assert asleep is not None, "a board that can sleep"
    before = (asleep.awake_ms, asleep.radio_ms, asleep.wakings, battery.drawn_uas)
    story.run(days=days)
    story.until_asleep()
    mah = (battery.drawn_uas - before[3]) / 3_600_000 / days
    return {
        "wakings_a_day": (asleep.wakings - before[2]) // days,
        "awake_s_a_day": (asleep.awake_ms - before[0]) // 1000 // days,
        "radio_s_a_day": (asleep.radio_ms - before[1]) // 1000 // days,
        "watered_l": sum(story.pipes.zone_ul) // 1_000_000,
        "mah_a_day": round(mah, 1),
        "life_days_in_the_dark": int(CAPACITY_MAH * _USABLE_PERCENT / 100 / mah),
        "taken_of_the_panel_mah_a_day": round(battery.gained_uas / 3_600_000 / days, 1),
        "charge_permille": battery.permille(),
        "boots": story.host.boots,
    }


def run(options) -> int:
    """Prints the seasons; the exit status is 0 when the bounds hold."""
    seasons = {
        "June": season(6, options.days, options.seed),
        "June, silent gateway": season(6, options.days, options.seed, silent=True),
        "December": season(12, options.days, options.seed),
    }
    passed = seasons["June"]["mah_a_day"] <= SUMMER_MAH_MAX
    passed = passed and seasons["December"]["life_days_in_the_dark"] >= WINTER_DAYS_MIN
    passed = passed and all(one["boots"] == 1 for one in seasons.values())
    if options.json:
        print(json.dumps({"days": options.days, "seed": options.seed, "seasons": seasons, "passed": passed}, indent=1))
    else:
        for name, figures in seasons.items():
            print(f"{name}: " + ", ".join(f"{key} {value}" for key, value in figures.items()))
        print("passed" if passed else "not passed", file=sys.stderr)
    return 0 if passed else 1
