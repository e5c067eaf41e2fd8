"""What the centre's people tell nodes is a command like the others: judged, audited, told its outcome, ended."""

import pytest

from gateway.core import limits
from gateway.core.cabinet import audit
from gateway.core.link.link import NodeRequest
from tests.support import lit_world
from tests.support.lit_world import GARDENER, MAYOR, OPERATOR, PHONE, REFERENT, STRANGER, LitWorld, by_day, restart
from tests.support.told_world import DROUGHT, DRY, EXCEPTION, OCCUPIED, OUTDOOR, SHED
from wire import coap_message as messages
from wire import command, directive

NODE = bytes.fromhex("7c1f0a2c01000001")
RAIN = directive.RAIN_DAY


def tell(world, values, *, key=MAYOR, number=1, **changes):
    world.send(world.order(key, kind=command.DIRECTIVE, number=number, **{"values": values, **changes}))


def ask(world, kind="irrigation"):
    """{code: value} as a node is told; or the code of a refusal."""
    asked = NodeRequest(NODE, "peer", 1, messages.GET, (b"d",), b"", directive.encode_question(kind, directive.TABLE))
    code, payload = world.core.directive_service.answer(asked, now_ms=world.now_ms)
    world.turn()
    if code != messages.CONTENT:
        return code
    return {code: value for code, (value, _) in directive.decode(payload)[0].items()}


def test_it_is_received_told_and_expires_and_each_is_said_once_and_audited():
    world = by_day()
    tell(world, {DROUGHT: 2}, lasts_s=600)
    assert world.outcomes(1) == [("received", None, None)]
    assert ask(world) == ask(world) == {DROUGHT: 2}
    world.live(601)
    assert ask(world) == {}
    assert [one[0] for one in world.outcomes(1)] == ["received", "applied", "expired"]
    lines = [line["what"] for line in audit.entries(world.state_disk) if line.get("id") == (1).to_bytes(8, "big").hex()]
    assert lines == ["command", "outcome", "outcome", "outcome"]


def test_it_moves_no_contactor_and_needs_no_lease():
    world = LitWorld()
    world.until(world.at(0, 14))
    world.connect()
    tell(world, {SHED: 100})
    world.live(60)
    assert world.closed == [False, False] and ask(world) == {SHED: 100}


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"key": OPERATOR}, "right"),
        ({"insee": "49135"}, "scope"),
        ({"gateway": "other"}, "scope"),
        ({"after_s": -7200}, "expired"),
        ({"after_s": command.WINDOW_S_MAX + 10}, "too-early"),
    ],
)
def test_it_is_refused_like_any_command(changes, why):
    world = by_day()
    tell(world, {DROUGHT: 2}, **changes)
    assert world.outcomes(1) == [("refused", why, None)] and ask(world) == {}


def test_a_strangers_is_nobodys():
    world = by_day()
    tell(world, {DROUGHT: 2}, key=STRANGER)
    assert world.outcomes(1) == [] and ask(world) == {}


def test_the_brokers_own_and_a_repeated_one_change_nothing():
    world = by_day()
    data = world.order(MAYOR, kind=command.DIRECTIVE, values={DROUGHT: 2})
    world.send(data, retained=True)
    assert ask(world) == {}
    world.send(data)
    world.send(world.order(kind=command.END, number=2, ends=(1).to_bytes(8, "big")))
    world.send(data)
    assert ask(world) == {}, "an ended one that the broker repeats tells nobody anything"


def test_one_planned_for_later_waits_for_its_time():
    world = by_day()
    tell(world, {EXCEPTION: 1}, after_s=600, lasts_s=600)
    assert ask(world) == {}
    world.live(601)
    assert ask(world) == {EXCEPTION: 1}
    world.live(600)
    assert ask(world) == {}


HALL = NODE.hex()
DAY_S = 86_400


def test_a_referents_hours_are_told_ahead_to_that_node_alone_survive_a_restart_and_may_be_given_back():
    world = by_day()
    begins_s = world.unix_s + DAY_S
    tell(world, {OCCUPIED: 1}, key=REFERENT, target=HALL, after_s=DAY_S, lasts_s=5 * 3600)
    assert ask(world, "thermostat") == {OCCUPIED: begins_s // 60}
    assert [one[0] for one in world.outcomes(1)] == ["received", "applied"]
    restart(world)
    world.live(30)
    assert ask(world, "thermostat") == {OCCUPIED: begins_s // 60}
    world.connect()
    world.send(world.order(REFERENT, kind=command.END, number=2, ends=(1).to_bytes(8, "big")))
    assert ask(world, "thermostat") == {} and world.outcomes(1)[-1][0] == "ended"


@pytest.mark.parametrize(
    ("key", "values", "changes", "why"),
    [
        (GARDENER, {DRY: 1}, {}, None),
        (REFERENT, {OCCUPIED: 1}, {"target": "thermostat"}, "hours-only"),
        (REFERENT, {OCCUPIED: 1}, {"target": None}, "hours-only"),
        (REFERENT, {OCCUPIED: 1}, {"lasts_s": 25 * 3600 + 1}, "hours-only"),
        (REFERENT, {OCCUPIED: 1}, {"after_s": 8 * DAY_S}, "too-early"),
        (REFERENT, {DRY: 1}, {}, "right"),
        (GARDENER, {OCCUPIED: 1}, {}, "right"),
        (GARDENER, {DRY: 1, DROUGHT: 0}, {}, "right"),
        (GARDENER, {DROUGHT: 0}, {}, "right"),
        (PHONE, {OCCUPIED: 1}, {}, "right"),
        (STRANGER, {OCCUPIED: 1}, {}, ""),
    ],
)
def test_a_referents_key_orders_hours_of_its_trade_for_one_node_within_a_day_and_nothing_else(
    key, values, changes, why
):
    world = by_day()
    tell(world, values, key=key, **{"target": HALL, **changes})
    assert bool(ask(world)) == (why is None)
    if why:
        assert world.outcomes(1) == [("refused", why, None)]


@pytest.mark.parametrize("key", [REFERENT, GARDENER])
@pytest.mark.parametrize(("kind", "level"), [(command.OVERRIDE, 0), (command.EMERGENCY, None)])
def test_a_referents_key_moves_no_contactor(key, kind, level):
    world = by_day()
    world.send(world.order(key, kind=kind, level=level, number=1))
    assert world.outcomes(1) == [("refused", "right", None)]


def test_a_referent_ends_hours_of_its_trade_and_no_light():
    world = by_day()
    tell(world, {DRY: 1}, key=MAYOR, target=HALL, number=1)
    world.send(world.order(REFERENT, kind=command.END, number=2, ends=(1).to_bytes(8, "big")))
    assert world.outcomes(2)[-1][:2] == ("refused", "right") and ask(world)
    world.send(world.order(GARDENER, kind=command.END, number=3, ends=(1).to_bytes(8, "big")))
    assert ask(world) == {}


def test_newer_weather_ends_the_older_and_a_decision_is_only_hidden():
    world = by_day()
    tell(world, {OUTDOOR: 100, RAIN: 5}, number=1)
    tell(world, {DROUGHT: 2}, number=2, lasts_s=7200)
    tell(world, {OUTDOOR: 200, RAIN: 6}, number=3)
    tell(world, {DROUGHT: 3}, number=4, lasts_s=600)
    tell(world, {OUTDOOR: 300}, number=5, target="thermostat")
    told = ask(world)
    assert told.pop(directive.WEATHER_DAY) and told == {OUTDOOR: 200, RAIN: 6, DROUGHT: 3}
    assert world.outcomes(1)[-1] == ("ended", "later", None)
    assert world.outcomes(3)[-1][0] == "applied"
    world.live(601)
    assert ask(world)[DROUGHT] == 2


def test_a_key_that_is_taken_out_of_the_policy_tells_nobody_anything_any_more():
    world = by_day()
    tell(world, {DROUGHT: 2})
    assert ask(world) == {DROUGHT: 2}
    others = tuple(one for one in lit_world.OPERATORS if one.key != MAYOR.public)
    world.give(lit_world.bundle(lit_world.policy(2, operators=others)))
    assert ask(world) == {} and world.outcomes(1)[-1][:2] == ("refused", "stranger")


def test_directives_and_orders_do_not_take_each_others_room(monkeypatch):
    monkeypatch.setattr(limits, "ORDERS_OF_ONE_MAX", 100)
    world = by_day()
    for number in range(1, limits.DIRECTIVES_SIGNED_MAX + 2):
        tell(world, {DROUGHT: number % 5}, number=number)
    assert world.outcomes(limits.DIRECTIVES_SIGNED_MAX)[0][0] == "received"
    assert world.outcomes(limits.DIRECTIVES_SIGNED_MAX + 1) == [("refused", "full", None)]
    world.send(world.order(kind=command.OVERRIDE, number=900, level=100))
    assert world.outcomes(900)[0][0] == "received"


def test_after_a_restart_it_is_told_again_and_said_to_be_so_no_second_time():
    world = by_day()
    tell(world, {DROUGHT: 2}, lasts_s=300 * 86_400)
    assert ask(world) == {DROUGHT: 2}
    for _ in range(3):
        restart(world)
        world.lease()
        assert ask(world) == {DROUGHT: 2}
        assert world.outcomes(1) == []


def test_while_no_policy_vouches_for_it_it_is_kept_and_told_to_nobody():
    world = by_day()
    tell(world, {DROUGHT: 2}, lasts_s=300 * 86_400)
    world.turn()
    policies = [name for name in world.state_disk.list() if name.startswith("policy")]
    for name in [*policies, *[name for name in world.state_disk.list() if name.startswith("audit")]]:
        world.state_disk.delete(name)
    world.state_disk.sync((), "gone for good")
    world.state_disk.complete("gone for good")
    for _ in range(2):
        restart(world)
        assert ask(world) == {}
    world.give(lit_world.bundle(lit_world.ORDINARY))
    assert ask(world) == {DROUGHT: 2}
