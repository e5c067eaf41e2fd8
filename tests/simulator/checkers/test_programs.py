"""The checker of programs, told by hand what boards do and what is served."""

import pytest

from policy import civil, lighting
from simulator.checkers.programs import REPORTED_S, Board, ProgramsChecker, Rules

SITE = (474736, -5516)
EVENING = civil.days_from_civil(2026, 11, 24)
NIGHT = lighting.Night(lighting.DEFAULT_CALENDAR, lighting.Site(*SITE, civil.PARIS), EVENING)
NOON_S, HOUR_S = NIGHT.start_s, 3600
IMAGES = {6: {"main.py": b"old"}, 7: {"main.py": b"new"}}
DAY, DARK, FIRST, SECOND, THIRD = (bytes([number] * 8) for number in range(1, 6))


class World:
    def __init__(self):
        self.at_s = NOON_S
        self.flowing = []
        self.checker = ProgramsChecker(lambda: self.at_s, SITE, IMAGES, Rules(canaries=1, soak_s=7200, failures_max=1))
        for node, has_day in ((DAY, True), (DARK, False)):
            self.checker.watch(node, Board("lamp", "streetlight", has_day), 6)
        for node in (FIRST, SECOND, THIRD):
            self.checker.watch(node, Board("green", "irrigation", None, lambda: self.flowing), 6)

    def starts(self, node, number, files=None, *, is_rescue=False, cause="planned"):
        files = {f"b/{path}": data for path, data in (IMAGES[number] if files is None else files).items()}
        self.checker.started(node, number, {"b": None, **files}, is_rescue=is_rescue, cause=cause)

    def confirms(self, node):
        self.checker.offered(node, 7)
        self.starts(node, 7)
        self.checker.confirmed(node, 7)

    @property
    def found(self):
        return [what for what, _ in self.checker.violations]


@pytest.mark.parametrize(("at_s", "node", "found"), [
    (NOON_S, DAY, []),
    (NIGHT.sunset_s - HOUR_S + 300, DAY, ["is served outside its hours"]),
    (NIGHT.sunset_s + 2 * HOUR_S, DAY, ["is served outside its hours"]),
    (NOON_S, DARK, ["is served outside its hours"]),
    (NIGHT.sunset_s + 2 * HOUR_S, DARK, []),
    (NIGHT.sunrise_s - HOUR_S + 300, DARK, ["is served outside its hours"]),
])  # fmt: skip
def test_a_lamp_is_served_in_its_hours(at_s, node, found):
    world = World()
    world.at_s = at_s
    world.checker.offered(node, 7)
    assert world.found == found
    world.checker.restarts(node)
    assert len(world.found) == 2 * len(found)


def test_a_start_runs_one_whole_program_and_none_goes_back():
    world = World()
    world.starts(FIRST, 7, {"main.py": b"ne"})
    world.starts(SECOND, 6, is_rescue=True)
    assert world.found == ["runs no whole program"] * 2
    world.confirms(THIRD)
    world.starts(THIRD, 6)
    assert world.found[2:] == ["runs an older program than it has confirmed"]


def test_nothing_is_served_that_runs_already_and_no_restart_comes_in_a_watering():
    world = World()
    world.checker.offered(FIRST, 6)
    world.flowing.append(2)
    world.checker.restarts(FIRST)
    assert world.found == ["is served a program that is not newer", "restarts in a watering"]


def test_the_others_wait_for_the_canary_and_its_soak():
    world = World()
    world.confirms(FIRST)
    world.at_s += 7200
    world.checker.offered(SECOND, 7)
    assert world.found == []
    early = World()
    early.confirms(FIRST)
    early.at_s += 3600
    early.checker.offered(SECOND, 7)
    assert early.found == ["is served before the canaries have run it"]


@pytest.mark.parametrize("crashes", [False, True])
def test_soon_after_a_canary_has_failed_nobody_is_served(crashes):
    world = World()
    if crashes:
        world.confirms(FIRST)
        world.at_s += 3600
        world.starts(FIRST, 7, cause="crash")
    else:
        world.checker.offered(FIRST, 7)
        world.starts(FIRST, 7)
        world.starts(FIRST, 6)
    world.at_s += REPORTED_S + 1
    world.checker.offered(FIRST, 8)
    assert world.found == ["is served after too many failures"]


def test_after_the_canaries_one_failure_more_than_allowed_ends_it():
    world = World()
    world.confirms(FIRST)
    world.at_s += 7200
    for node, found in ((SECOND, []), (THIRD, ["is served after too many failures"])):
        world.checker.offered(node, 7)
        world.starts(node, 7)
        world.starts(node, 6)
        world.at_s += REPORTED_S + 1
        world.checker.offered(node, 7)
        assert world.found == found
