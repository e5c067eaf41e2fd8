"""A seed gives one town, and it could be one: streets meet at corners, lights stand in them, no building in another."""

import math
from itertools import combinations

import pytest

from simulator.town import plan, streets
from simulator.town.names import Names, short
from simulator.town.plan import FeederWanted
from simulator.world.chance import Prng

CENTRE = {"latitude_e4": 475720, "longitude_e4": -5940}
SEEDS = (1, 5, 9)
TWO_CABINETS = [[FeederWanted(20), FeederWanted(20)], [FeederWanted(22, "levée")]]


def town(seed, cabinets=TWO_CABINETS):
    return plan.draw(Prng(seed), **CENTRE, cabinets=cabinets, greens=3)


def net(seed, lights):
    return streets.lay(Prng(seed), Names(Prng(seed)), metres=30 * lights)


def metres(one, other):
    (x0, y0), (x1, y1) = one, other
    return math.hypot((x1 - x0) * 111_320 * math.cos(math.radians(47.572)), (y1 - y0) * 111_320)


def cross(one, other):
    """Whether two segments cross, but for their ends."""

    def side(a, b, c):
        return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])

    (a, b), (c, d) = one, other
    return side(a, b, c) * side(a, b, d) < -1e-6 and side(c, d, a) * side(c, d, b) < -1e-6


def segments(street):
    return zip(street.line, street.line[1:], strict=False)


def test_a_seed_gives_one_town():
    assert town(1) == town(1)
    assert town(1) != town(2)


@pytest.mark.parametrize("seed", SEEDS)
def test_streets_cross_at_corners_only(seed):
    square, *others = net(seed, 120).streets
    for one, other in combinations(others, 2):
        ends = {*one.line, *other.line}
        for first in segments(one):
            for second in segments(other):
                assert {*first} & {*second} or not cross(first, second), (one.name, other.name)
        assert len(ends) > 2
    # From the square streets only leave.
    assert all(sum(cross(a, b) for a in segments(street) for b in segments(square)) <= 1 for street in others)


@pytest.mark.parametrize("seed", SEEDS)
def test_lights_stand_25_to_35_m_apart_in_the_mean(seed):
    laid = net(seed, 62)
    assert sum(streets.length_m(street.line) for street in laid.streets) / 62 == pytest.approx(30)


@pytest.mark.parametrize("seed", SEEDS)
def test_no_two_lights_stand_together_and_every_light_stands_in_its_street(seed):
    drawn = town(seed)
    lines = dict(drawn.streets)
    lights = [light for cabinet in drawn.cabinets for light in cabinet.lights]
    assert min(metres(one.at, other.at) for one, other in combinations(lights, 2)) > 5
    assert all(min(metres(light.at, point) for point in lines[light.street]) < 20 for light in lights)


def test_cabinets_have_the_feeders_that_were_wanted():
    drawn = town(1)
    counts = [[len(feeder.lights) for feeder in cabinet.feeders] for cabinet in drawn.cabinets]
    assert counts == [[20, 20], [22]]
    assert drawn.cabinets[1].feeders[0].name == "levée"
    assert len({feeder.name for feeder in drawn.cabinets[0].feeders}) == 2


def test_a_feeder_has_whole_streets_but_for_its_first_and_last():
    first, second = town(1).cabinets[0].feeders
    shared = {light.street for light in first.lights} & {light.street for light in second.lights}
    assert len(shared) <= 1


@pytest.mark.parametrize("seed", SEEDS)
def test_buildings_keep_off_each_other(seed):
    drawn = town(seed)
    big = [drawn.church, drawn.hall, drawn.school, *drawn.greens]
    for one, other in combinations(big, 2):
        reach = metres(one.at, one.outline[0]) + metres(other.at, other.outline[0])
        assert metres(one.at, other.at) > reach
    middles = [house[0] for house in drawn.houses]
    assert len(middles) > 50
    assert all(metres(middle, one.at) > 8 for middle in middles for one in big)


def test_names_are_never_given_twice():
    names = Names(Prng(3))
    given = [names.street("around") for _ in range(250)]
    assert len(set(given)) == len(given)
    assert short("rue du Port") == "port" and short("place du Bourg") == "bourg"


def test_a_hamlet_of_ten_lights_is_drawn_too():
    drawn = town(4, [[FeederWanted(10)]])
    assert len(drawn.cabinets[0].lights) == 10
