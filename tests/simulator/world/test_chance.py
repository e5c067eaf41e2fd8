"""Seeded chance: the published generator, streams that do not disturb each other, draws within their bounds."""

from collections import Counter

import pytest

from simulator.world.chance import Prng


def test_it_is_splitmix64():
    prng = Prng(0)
    prng._state = 1234567  # the state of the published example
    assert [prng.bits64() for _ in range(5)] == [
        6457827717110365317,
        3203168211198807973,
        9817491932198370423,
        4593380528125082431,
        16408922859458223821,
    ]


def test_a_seed_gives_the_same_stream_and_another_seed_another():
    def draws(seed):
        prng = Prng(seed)
        return [prng.bits64() for _ in range(20)]

    assert draws(7) == draws(7)
    assert draws(7) != draws(8)


def test_a_stream_split_off_depends_on_the_seed_and_the_name_only():
    untouched, used = Prng(7), Prng(7)
    for _ in range(5):
        used.bits64()
    assert untouched.split("radio").bits64() == used.split("radio").bits64()
    names = ["radio", "plant", "board", "boot-1", "boot-11"]
    assert len({Prng(7).split(name).bits64() for name in names}) == len(names)
    assert Prng(7).split("a").split("b").bits64() != Prng(7).split("b").split("a").bits64()


def test_splitting_does_not_move_the_stream():
    plain, split = Prng(7), Prng(7)
    split.split("a")
    assert plain.bits64() == split.bits64()


def test_between_reaches_both_ends_evenly():
    prng = Prng(1)
    drawn = Counter(prng.between(-3, 3) for _ in range(7000))
    assert sorted(drawn) == list(range(-3, 4))
    assert all(850 < times < 1150 for times in drawn.values())


@pytest.mark.parametrize("permille", [0, 10, 120, 500, 1000])
def test_chance_is_met_as_often_as_it_says(permille):
    prng = Prng(permille)
    met = sum(prng.chance(permille) for _ in range(20_000)) / 20
    spread = 4 * (permille * (1000 - permille) / 20_000) ** 0.5
    assert abs(met - permille) <= spread


def test_around_has_its_deviation_and_stays_within_its_bound():
    prng = Prng(3)
    drawn = [prng.around(1000, 100) for _ in range(20_000)]
    mean = sum(drawn) / len(drawn)
    deviation = (sum((value - mean) ** 2 for value in drawn) / len(drawn)) ** 0.5
    assert abs(mean - 1000) < 5
    assert 90 < deviation < 110
    assert max(abs(value - 1000) for value in drawn) <= 350
    assert {prng.around(5, 0) for _ in range(10)} == {5}


def test_pick_gives_different_numbers_in_order_and_no_more_than_there_are():
    prng = Prng(1)
    for _ in range(100):
        chosen = prng.pick(3, 12)
        assert chosen == sorted(set(chosen))
        assert len(chosen) == 3
        assert set(chosen) <= set(range(12))
    assert prng.pick(9, 4) == [0, 1, 2, 3]
