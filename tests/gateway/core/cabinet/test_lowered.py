"""Orders of a level between dark and full, and of light where lamps burn dimmed: which lamps follow, which refuse, and
what counts as measured."""

import pytest

from gateway.core.cabinet import outcomes
from lighting import settings
from policy import document
from tests.support.lit_world import ORDINARY, bundle, restart
from tests.support.ordered_world import by_night, keep_lease, levels, rules, settled
from wire import event
from wire.record import EventBody, Record, Stamp

HALF = 6 + 354 // 2
DARK, FULL = (lambda level: 6 if level else 0), (lambda level: 360 if level else 6)


def of_feeder(world, name="bourg", number=1):
    return [(outcome, why) for outcome, why, feeder in world.outcomes(number) if feeder == name]


def at_lamp(post):
    return [tuple(detail[1:3]) for detail in post.events(event.COMMAND_OUTCOME)]


def lowered(level=50, **options):
    world = by_night(mapped=((0, 1),), **options)
    world.override(level=level, target="bourg")
    return world


def test_a_street_is_lowered_measured_lamp_by_lamp_and_given_back():
    world = lowered()
    world.live(5)
    assert levels(world) == [50, 50] and rules(world) == ["override"] * 2 and world.closed == [True, True]
    assert of_feeder(world) == [("applied", None)]
    keep_lease(world, 180)
    assert of_feeder(world) == [("applied", None), ("measured", None)]
    power = [detail[4] for _, detail in world.events(event.COMMAND_OUTCOME) if detail[1] == "measured"]
    assert power[-1] == 2 * HALF
    world.end(1)
    world.live(5)
    assert levels(world) == [100, 100] and rules(world) == ["calendar"] * 2
    assert world.checker.violations == [] and world.checker.begins == 2


def test_an_agent_that_restarts_while_lamps_are_measured_measures_on_and_counts_what_was():
    world = lowered()
    world.posts[1].draws = FULL
    keep_lease(world, 120)
    assert [at_lamp(post)[-1][0] for post in world.posts] == ["measured", "applied"]
    restart(world)
    world.live(30)
    world.lease()
    world.posts[0].draws, world.posts[1].draws = FULL, world.posts[0].draws
    for post in world.posts:
        post.ask()
    keep_lease(world, 120)
    assert of_feeder(world) == [("measured", None)], "since the restart"
    assert world.checker.violations == [] and world.checker.begins == 2


@pytest.mark.slow
def test_a_lamp_that_is_dark_before_and_after_a_restart_leaves_its_street_unmeasured(monkeypatch):
    monkeypatch.setattr(outcomes.limits, "OUTCOME_LAMPS_MS", 200_000)
    world = lowered()
    world.posts[1].draws = DARK
    world.live(60)
    assert of_feeder(world) == [("applied", None)]
    restart(world)
    keep_lease(world, 300)
    assert of_feeder(world) == [("unmeasured", "watts")], "since the restart"


@pytest.mark.slow
@pytest.mark.parametrize("draws", [DARK, FULL], ids=["dark", "full"])
def test_a_lamp_that_goes_dark_or_stays_at_full_leaves_its_street_unmeasured(draws, monkeypatch):
    monkeypatch.setattr(outcomes.limits, "OUTCOME_LAMPS_MS", 200_000)
    world = lowered()
    world.posts[1].draws = draws
    keep_lease(world, 300)
    assert at_lamp(world.posts[0])[-1] == ("measured", None) and at_lamp(world.posts[1])[-1] == ("applied", None)
    assert of_feeder(world) == [("applied", None), ("unmeasured", "watts")]
    assert draws is FULL or world.posts[1].events(event.LAMP_FAILURE), "a dark lamp is a fault"


def lit_while_lowered(world):
    """The street is ordered to full light while an earlier order keeps it at half."""
    keep_lease(world, 180)
    world.override(2, level=100, target="bourg")
    world.live(5)
    assert levels(world) == [100, 100] and of_feeder(world, number=2) == [("applied", None)]


def test_light_is_measured_once_each_dimmed_lamp_has_risen():
    world = lowered()
    lit_while_lowered(world)
    keep_lease(world, 180)
    assert of_feeder(world, number=2) == [("applied", None), ("measured", None)]
    power = [detail[4] for _, detail in world.events(event.COMMAND_OUTCOME) if detail[1] == "measured"]
    assert power[-1] == 2 * 360


@pytest.mark.slow
def test_a_lamp_that_stays_dimmed_leaves_the_light_of_its_street_unmeasured(monkeypatch):
    monkeypatch.setattr(outcomes.limits, "OUTCOME_LAMPS_MS", 200_000)
    world = lowered()
    world.posts[1].draws = lambda level: HALF if level else 6
    lit_while_lowered(world)
    keep_lease(world, 300)
    assert at_lamp(world.posts[0])[-1] == ("measured", None) and at_lamp(world.posts[1])[-1] == ("applied", None)
    assert of_feeder(world, number=2) == [("applied", None), ("unmeasured", "watts")]


def test_light_from_dark_is_measured_by_the_meter_of_the_feeder():
    world = settled(mapped=((0, 1),))
    world.until(world.at(0, 16))
    world.lease()
    world.live(40)
    world.override(level=100, target="bourg")
    world.live(5)
    assert of_feeder(world) == [("applied", None), ("measured", None)]


def test_a_feeder_without_controllers_refuses_and_its_contactor_stays():
    world = by_night(mapped=((0, 1),))
    switched = list(world.switched)
    world.override(level=50)
    world.live(5)
    assert of_feeder(world, "parc") == [("refused", "no-dimming")] and of_feeder(world) == [("applied", None)]
    assert world.switched == switched


@pytest.mark.slow
def test_a_lamp_on_a_relay_refuses_and_keeps_its_light():
    world = settled(posts=1, mapped=((0,),))
    (post,) = world.posts
    post.settings = post.settings._replace(own=post.settings.own._replace(output=settings.RELAY))
    post.power_on()
    world.until(world.at(0, 20) - 40)
    world.lease()
    world.live(40)
    world.override(level=50, target="bourg")
    world.live(5)
    assert (post.level, post.rule) == (100, "calendar")
    assert at_lamp(post)[-1] == of_feeder(world)[-1] == ("refused", "no-dimming")


def test_it_never_lights_what_the_policy_wants_dark():
    world = settled(mapped=((0, 1),))
    world.until(world.at(0, 16))
    world.lease()
    world.live(40)
    world.override(level=50, lasts_s=4 * 3600)
    keep_lease(world, 300)
    assert levels(world) == [0, 0] and world.closed == [False, False]
    assert at_lamp(world.posts[0]) == [("received", None)] and of_feeder(world) == [], "darkness shows no level"


@pytest.mark.parametrize(("least", "level", "why"), [(50, 50, None), (50, 30, "limit"), (0, 70, "limit")])
def test_the_least_of_the_policy_binds_an_order(least, level, why):
    limit = document.Limit("rues", document.NO_DARKENING, least, 0, "Conseil", "2026-42", 0, 0)
    rules = ORDINARY.lighting._replace(limits=(limit,))
    world = settled(posts=1, mapped=((0,),))
    world.give(bundle(ORDINARY._replace(version=2, lighting=rules)))
    world.override(level=level, target="bourg")
    assert world.outcomes(1)[-1] == (("received", None, None) if why is None else ("refused", why, None))


@pytest.mark.slow
def test_a_later_order_an_emergency_and_a_lost_lease_are_named():
    world = lowered()
    world.live(5)
    world.emergency(2, lasts_s=60)
    world.live(5)
    assert levels(world) == [100, 100] and of_feeder(world)[-1] == ("refused", "emergency")
    world.live(70)
    assert levels(world) == [50, 50] and of_feeder(world)[-1] == ("applied", None)
    world.override(3, level=70, target="bourg")
    world.live(5)
    assert levels(world) == [70, 70] and of_feeder(world)[-1] == ("refused", "later")


@pytest.mark.slow
def test_fewer_watts_by_order_are_no_fault_of_the_street():
    world = lowered(30)
    world.draw[0] = 1400  # of 4480
    keep_lease(world, 900)
    assert not world.events(event.CABLE_FAULT) and not world.events(event.LAMPS_LOST)


def test_what_no_honest_node_says_of_an_order_is_ignored():
    world = settled(posts=1, mapped=((0,),))
    world.override(level=50, target="bourg", lasts_s=36_000)
    world.live(15)
    id, told = (1).to_bytes(8, "big"), of_feeder(world)
    for detail in (
        None, [], ["measured"] * 5, [b"", "measured", None, None, 1], [id, "melted", None, None, None],
        [id, "refused", "x" * 100, None, None], [id, "refused", ["a"], None, None], [id, "measured", None, None, 1e3],
        [id, "measured", None, None, 10**12], [id, "measured", None, None, -5], [id, ["measured"], None, None, 1],
        [id, "measured", None, None, True],
    ):  # fmt: skip
        made = Record(1, 1, Stamp(0, 0, 0), EventBody(event.COMMAND_OUTCOME, None, detail))
        world.core.cabinet.outcomes.observe_node(world.posts[0].node_id, made)
        world.live(1)
        assert of_feeder(world) == told, detail
