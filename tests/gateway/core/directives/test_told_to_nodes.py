"""End to end in virtual time: what people say reaches nodes, holds, and ends, whatever is down."""

import pytest

from node.directives import Directives
from tests.support.lit_world import restart
from tests.support.told_world import (
    DROUGHT,
    DRY,
    EXCEPTION,
    OCCUPIED,
    OUTDOOR,
    SHED,
    ListeningTrade,
    ToldWorld,
    listening,
)
from wire import command, directive

DAY_S = 86_400


def told(world):
    return [post.told for post in world.posts]


def minutes(world, count):
    """Time passes; nodes and gateway live."""
    world.live(60 * count)


def test_a_drought_level_reaches_its_kind_within_a_quarter_of_an_hour_holds_and_expires():
    world = listening(posts=4, look_ms=60_000)
    world.tell({DROUGHT: 2}, target="irrigation", lasts_s=2 * 3600)
    minutes(world, 16)
    assert told(world) == [{DROUGHT: 2}, {}, {DROUGHT: 2}, {}]
    minutes(world, 100)
    assert told(world) == [{DROUGHT: 2}, {}, {DROUGHT: 2}, {}]
    minutes(world, 5)
    assert told(world) == [{}] * 4
    assert world.posts[0].takes == [(DROUGHT, 2), (DROUGHT, None)] and world.posts[1].takes == []
    assert [said[:2] for said in world.outcomes(1)] == [("received", None), ("applied", None), ("expired", None)]
    assert world.checker.looked > 100 and not world.checker.violations


def test_a_node_that_starts_is_told_with_its_first_exchange():
    world = listening(look_ms=60_000)
    world.tell({DROUGHT: 3, OUTDOOR: -250}, lasts_s=3600)
    post = world.posts[1]
    post.power_off()
    minutes(world, 1)
    post.power_on()
    world.live(20)
    assert post.told == {DROUGHT: 3, OUTDOOR: -250} and post.takes == [(DROUGHT, 3)]


def test_a_load_shed_ends_by_itself_without_any_network():
    world = listening(look_ms=60_000)
    world.say({SHED: 200}, lasts_s=3600, scope="thermostat")
    minutes(world, 16)
    assert told(world) == [{}, {SHED: 200}]
    world.away()
    minutes(world, 40)
    assert world.posts[1].told == {SHED: 200}
    minutes(world, 5)
    assert world.posts[1].told == {} and world.posts[1].takes == [(SHED, 200), (SHED, None)]
    assert not world.checker.violations


def test_a_load_shed_ends_in_a_node_whose_decision_holds(monkeypatch):
    """Nothing else comes, and nothing else is due, at the instant at which it ends."""
    plain = ListeningTrade.decide

    def holds(trade, moment):
        plain(trade, moment)
        trade.decided_until_ms = moment.now_ms + 1000 * DAY_S

    monkeypatch.setattr(ListeningTrade, "decide", holds)
    world = listening(look_ms=60_000)
    world.say({SHED: 200}, lasts_s=3600, scope="thermostat")
    minutes(world, 16)
    world.away()
    minutes(world, 45)
    assert world.posts[1].told == {} and world.posts[1].takes == [(SHED, 200), (SHED, None)]


def test_a_gateways_restart_changes_nothing_for_anybody():
    world = listening(look_ms=60_000)
    world.tell({DROUGHT: 2}, lasts_s=10 * DAY_S)
    world.say({EXCEPTION: 1}, lasts_s=3 * 3600)
    minutes(world, 16)
    for _ in range(3):
        restart(world)
        minutes(world, 16)
        assert told(world) == [{DROUGHT: 2, EXCEPTION: 1}] * 2
    late = world.posts[0]
    late.power_off()
    late.power_on()
    minutes(world, 2)
    assert late.told == {DROUGHT: 2, EXCEPTION: 1}
    assert world.posts[1].takes == [(DROUGHT, 2), (EXCEPTION, 1)], "told once, whatever restarted"
    minutes(world, 130)
    assert told(world) == [{DROUGHT: 2}] * 2 and not world.checker.violations


def test_without_a_clock_since_its_start_a_gateway_says_so_and_nodes_keep_what_they_have():
    world = listening(look_ms=60_000)
    world.say({DROUGHT: 4}, lasts_s=5 * 3600)
    minutes(world, 16)
    world.clock = False
    restart(world, clock=False)
    minutes(world, 60)
    assert told(world) == [{DROUGHT: 4}] * 2
    assert world.core.directive_service.directives.counters["unknown-time"] > 0
    world.clock = True
    world.tell_clock()
    minutes(world, 20)
    assert world.core.directive_service.directives.counters["answered"] > 0 and told(world) == [{DROUGHT: 4}] * 2


def test_what_the_centre_ends_ends_at_the_next_question():
    world = listening(look_ms=60_000)
    world.tell({DROUGHT: 3}, lasts_s=5 * DAY_S)
    minutes(world, 16)
    world.send(world.order(kind=command.END, number=99, ends=(1).to_bytes(8, "big")))
    minutes(world, 16)
    assert told(world) == [{}] * 2
    assert world.outcomes(1)[-1][0] == "ended" and world.outcomes(99)[-1][0] == "applied"


def test_a_year_of_drought_outlives_the_audit_log(monkeypatch):
    monkeypatch.setattr("gateway.core.limits.AUDIT_FILE_BYTES_MAX", 4_000)
    monkeypatch.setattr("gateway.core.limits.AUDIT_FILES_MAX", 2)
    world = listening(look_ms=600_000)
    world.tell({DROUGHT: 2}, lasts_s=300 * DAY_S)
    for number in range(2, 40):
        world.tell({OUTDOOR: 10 * number}, number=number, lasts_s=3600)
    world.live(5)
    restart(world)
    names = [name for name in world.state_disk.list() if name.startswith("audit")]
    assert len(names) <= 3 and "audit-00000001.log" not in names
    minutes(world, 16)
    assert all(post.told[DROUGHT] == 2 for post in world.posts)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(1, 4))
def test_with_a_third_of_all_datagrams_lost_and_restarts_nothing_holds_past_its_expiry(seed):
    world = ToldWorld(seed, posts=4, look_ms=60_000)
    stormy(world, seed)
    assert world.checker.looked > 1_000 and not world.checker.violations
    assert told(world) == [{}] * 4


@pytest.mark.slow
def test_the_checker_sees_a_node_that_counts_from_the_answer(monkeypatch):
    accept = Directives._accept

    def late(self, payload, now_ms):
        self._asked_ms = now_ms + 60_000
        accept(self, payload, now_ms)

    monkeypatch.setattr(Directives, "_accept", late)
    world = ToldWorld(1, posts=4, look_ms=60_000)
    stormy(world, 1)
    assert world.checker.violations


@pytest.mark.slow
def test_the_checker_sees_a_gateway_that_always_says_an_hour(monkeypatch):
    monkeypatch.setattr("gateway.core.directives.directives._left_s", lambda *_: 3600)
    world = ToldWorld(1, posts=4, look_ms=60_000)
    stormy(world, 1)
    assert world.checker.violations


def stormy(world, seed):
    """Hours of telling with a bad air, nodes and gateway that restart; then peace."""
    world.until(world.at(0, 14))
    world.connect()
    for post in world.posts:
        post.power_on()
    world.loss_percent = 33
    chance = world.air_random
    for number in range(1, 13):
        lasts_s = chance.randrange(300, 5_000)
        code = chance.choice((DROUGHT, SHED, EXCEPTION, OCCUPIED, DRY))
        what = {code: 1 + chance.randrange(2 if code in (DROUGHT, SHED) else 1)}
        after_s = chance.randrange(3_000) if code in directive.HOURS else 0
        if chance.randrange(2):
            target = chance.choice((None, "irrigation", "thermostat"))
            world.tell(what, number=number, lasts_s=lasts_s, target=target, after_s=after_s)
        else:
            assert world.say(what, number=500 + number, lasts_s=lasts_s) is None
        minutes(world, chance.randrange(5, 25))
        if chance.randrange(4) == 0:
            restart(world)
            world.connect()
        if chance.randrange(4) == 0:
            chance.choice(world.posts).power_on()
    world.loss_percent = 0
    minutes(world, 140)  # hours that were told last begin up to 50 minutes later, and last up to 84
