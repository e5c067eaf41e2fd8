"""The order of a round: streets kept together, walked from end to end, and the same for the same places."""

from itertools import pairwise
from math import dist

from simulator.world.chance import Prng
from tools.centre.condition.walk import Spot, in_walking_order


def test_streets_are_kept_together_and_each_is_walked_from_an_end():
    east = [Spot("port", x / 1000, 47.0) for x in (3, 1, 2, 4)]
    north = [Spot("bourg", 0.0045, 47.001 + y / 1000) for y in (2, 0, 1)]
    assert in_walking_order(east + north) in ([1, 2, 0, 3, 5, 6, 4], [4, 6, 5, 3, 0, 2, 1])


def test_what_has_no_position_comes_after_its_street_or_at_the_end():
    spots = [Spot("nowhere", None, None), Spot("port", 0.0, 47.0), Spot("port", None, None), Spot("port", 0.1, 47.0)]
    order = in_walking_order(spots)
    assert order[-1] == 0 and order[2] == 2
    assert in_walking_order([]) == [] and in_walking_order(spots[:1]) == [0]


def test_what_is_in_no_street_is_walked_to_by_itself():
    spots = [Spot(None, 0.0, 47.0), Spot("port", 0.001, 47.0), Spot(None, 0.002, 47.0), Spot("port", 0.0012, 47.0)]
    assert in_walking_order(spots) in ([0, 1, 3, 2], [2, 3, 1, 0])


def test_any_places_are_walked_once_and_by_a_shorter_way_than_by_name():
    prng = Prng("walk")
    for _ in range(30):
        corners = [(prng.between(0, 1000) / 1e5, 47 + prng.between(0, 1000) / 1e5) for _ in range(8)]
        spots = [
            Spot(street, corners[street][0] + prng.between(0, 99) / 1e5, corners[street][1])
            for street in (prng.randrange(8) for _ in range(30))
        ]
        order = in_walking_order(spots)
        assert sorted(order) == list(range(30)) and order == in_walking_order(spots)
        streets = [spots[n].street for n in order]
        assert sum(a != b for a, b in pairwise(streets)) == len(set(streets)) - 1
        by_name = sorted(range(30), key=lambda n: spots[n])
        assert length(spots, order) <= length(spots, by_name)


def length(spots, order):
    way = [(spots[n].longitude * 0.68, spots[n].latitude) for n in order]
    return sum(dist(a, b) for a, b in pairwise(way))
