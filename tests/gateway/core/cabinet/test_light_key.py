"""The key in a mayor's telephone lights the commune for four hours at most, and does nothing else.

Invariant 6: no order runs from a key that has not the right to it. The cabinet decides; the centre may be in a
stranger's hands.
"""

import pytest

from gateway.core import limits as gateway_limits
from policy import document, limits, rights
from tests.support.lit_world import AFTERNOON_S, MAYOR, PHONE, START_S, Key, LitWorld, bundle, by_day, by_night, policy
from tests.support.ordered_world import settled
from tools.centre.control import order_words
from wire import command, event

HOURS_S = limits.light_s_max
DEPUTYS = Key("téléphone de l'adjointe")


def refusals(world):
    return [detail[2] for _, detail in world.events(event.COMMAND_OUTCOME) if detail[1] == "refused"]


def ending(world, number, *, key=PHONE, ends=1):
    return world.order(key, kind=command.END, number=number, ends=ends.to_bytes(8, "big"))


def test_it_lights_the_whole_commune_for_four_hours_and_the_watts_are_measured():
    world = by_day()
    world.send(world.order(PHONE, lasts_s=HOURS_S))
    assert world.closed == [True, True]
    world.live(10)
    assert world.outcomes(1)[-2:] == [("measured", None, "bourg"), ("measured", None, "parc")]


def test_it_lights_one_feeder_or_the_cabinet_that_its_order_names():
    world = by_day()
    world.send(world.order(PHONE, target="parc", lasts_s=600))
    assert world.closed == [False, True]


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"lasts_s": HOURS_S + 1}, "light-only"),
        ({"after_s": limits.light_ahead_s_max + 1}, "light-only"),  # else 42 orders would light a week
        ({"kind": command.OVERRIDE, "level": 0}, "right"),
        ({"kind": command.OVERRIDE, "level": 100}, "right"),
        ({"kind": command.TEST_FEEDER, "target": "bourg", "lasts_s": 60}, "right"),
        ({"kind": command.DIRECTIVE, "values": {7: 4}}, "right"),
        ({"insee": "49135"}, "scope"),
        ({"gateway": "another"}, "scope"),
        ({"target": "place"}, "scope"),
    ],
)
def test_nothing_else_can_be_done_with_it_and_the_refusal_is_told_in_words(changes, why):
    world = by_day()
    before = (list(world.switched), list(world.closed))
    world.send(world.order(PHONE, **changes))
    world.live(5)
    assert (world.switched, world.closed) == before and refusals(world) == [why]
    told = {order_words.why(why, language) for language in ("fr", "en")}
    assert len(told) == 2 and why not in told


def test_a_clock_of_the_centre_that_is_minutes_ahead_delays_its_light_and_does_not_refuse_it():
    world = by_day()
    world.send(world.order(PHONE, after_s=limits.light_ahead_s_max, lasts_s=HOURS_S))
    assert world.closed == [False, False] and refusals(world) == []
    world.live(limits.light_ahead_s_max + 5)
    assert world.closed == [True, True]


def test_it_is_renewed_by_a_signature_every_four_hours_and_ends_when_nobody_renews():
    world = by_night()
    world.until(world.at(0, 22))  # the policy puts the street out from 22:30 to 05:30
    world.send(world.order(PHONE, lasts_s=HOURS_S))
    world.until(world.at(1, 1))
    world.send(world.order(PHONE, number=2, lasts_s=HOURS_S))
    world.until(world.at(1, 4, 55))
    assert world.closed[0] is True and refusals(world) == []
    world.until(world.at(1, 5, 5))
    assert world.closed[0] is False


def test_it_ends_its_own_light_but_nobody_elses_and_no_darkness_either():
    world = by_day()
    world.send(world.order(MAYOR, lasts_s=HOURS_S))
    world.send(world.order(PHONE, number=2, lasts_s=HOURS_S))
    world.send(ending(world, 3, ends=1))
    world.live(5)
    assert refusals(world) == ["right"] and world.closed == [True, True]
    world.send(ending(world, 4, ends=2))
    assert world.outcomes(4) == [("applied", None, None)] and world.closed == [True, True]
    world.send(ending(world, 5, key=MAYOR, ends=1))
    assert world.closed == [False, False]


def test_a_key_that_has_come_to_its_end_lights_and_ends_nothing():
    until_s = START_S + 4 * 3600
    lapsing = document.Operator(PHONE.public, PHONE.name, document.LIGHT, until_s)
    world = LitWorld(start_s=AFTERNOON_S, made=policy(operators=(lapsing,)))
    world.until(until_s - 10)
    world.send(world.order(PHONE, lasts_s=600))
    assert world.closed == [True, True]
    world.live(20)
    world.send(world.order(PHONE, number=2))
    world.send(ending(world, 3))
    world.live(5)
    assert refusals(world) == ["key-lapsed"] * 2
    assert world.closed == [True, True]  # its light was signed in time, and lasts


def test_a_lost_telephone_is_left_out_of_the_next_policy_and_its_light_ends_with_it():
    world = by_day()
    world.send(world.order(PHONE, lasts_s=HOURS_S))
    deputy = document.Operator(DEPUTYS.public, DEPUTYS.name, document.LIGHT, 0)
    world.give(bundle(policy(2, operators=(deputy,))))
    world.live(5)
    assert world.closed == [False, False] and world.outcomes(1)[-1] == ("refused", "stranger", None)
    world.send(world.order(PHONE, number=2))
    world.live(5)
    assert world.closed == [False, False]
    world.send(world.order(DEPUTYS, number=3))
    assert world.closed == [True, True]


def test_a_stolen_telephone_crowds_out_nobody():
    world = by_night()
    world.send(world.order(MAYOR, kind=command.OVERRIDE, number=1_000, target="bourg", level=0))
    for number in range(1, gateway_limits.ORDERS_MAX + 10):
        world.send(world.order(PHONE, number=number))
    world.live(5)
    too_many = gateway_limits.ORDERS_MAX + 9 - gateway_limits.ORDERS_OF_ONE_MAX
    assert refusals(world).count("full") == too_many
    world.send(world.order(MAYOR, number=2_000))
    world.live(5)
    assert ("applied", None, "bourg") in world.outcomes(2_000)


# --- invariant 6 ------------------------------------------------------------------------------------------------


def stolen():
    """A thief has the mayor's telephone and the centre: he sends what the key has no right to."""
    world = settled(posts=2, mapped=((0,), (1,)))
    for number, changes in enumerate(
        ({"kind": command.OVERRIDE, "level": 100}, {"lasts_s": 7 * 86_400}, {"target": "bourg", "lasts_s": 5 * 3600})
    ):
        world.send(world.order(PHONE, number=1_000 + number, **changes))
        world.live(300)
    return world


def test_the_checker_sees_no_order_of_a_stolen_telephone_run():
    world = stolen()
    assert world.checker.violations == [] and world.closed == [False, False]


def test_the_checker_catches_a_cabinet_that_does_not_look_at_rights(monkeypatch):
    monkeypatch.setattr(rights, "fault", lambda operator, asked, unix_s: None)
    world = stolen()
    assert any("which nobody ordered" in violation for violation in world.checker.violations)
