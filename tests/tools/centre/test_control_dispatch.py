"""What the control centre answers and sends, without a broker: leases, policies, commands."""

import pytest

from tests.support.control_world import (
    CLERK,
    INSEE,
    MAYOR,
    NOW_S,
    key_set,
    order,
    outcome,
    policy,
    put,
    signed_keyset,
    signed_policy,
)
from tests.support.dispatch_world import CAB1, CAB2, FOREIGN, LEASE_S, DispatchWorld, on
from tools.centre import limits
from tools.centre.control import communes, gateways
from tools.centre.store import database
from wire import command


@pytest.fixture
def world(tmp_path):
    world = DispatchWorld(tmp_path / "control.db")
    yield world
    world.close()


# --- leases -----------------------------------------------------------------------------------------------------


def test_an_ask_is_granted_what_it_asks_for_up_to_the_longest_lease(world):
    (answer,) = world.ask(duration_s=300)
    assert (answer.topic, answer.retain, answer.expiry_s) == ("tc/1/c/49135/cab-1", False, 300)
    assert command.decode_control(answer.payload) == command.Grant(b"nonce--1", 300)
    (answer,) = world.ask(nonce=b"nonce--2", duration_s=86_400)
    assert command.decode_control(answer.payload) == command.Grant(b"nonce--2", LEASE_S)
    (seen,) = gateways.list_gateways(world.connection)
    assert (seen.name, seen.granted_s, seen.asked_unix_s) == ("cab-1", LEASE_S, NOW_S)


def test_of_asks_that_waited_together_the_last_is_answered(world):
    said = [command.encode_reply(command.Ask(b"nonce--%d" % number, 300, 1, 1)) for number in (1, 2, 3)]
    answers = world.hear(*(on("r", CAB1, one) for one in said), on("r", CAB2, said[0]))
    assert [(one.topic, command.decode_control(one.payload).nonce) for one in answers] == [
        ("tc/1/c/49135/cab-1", b"nonce--3"),
        ("tc/1/c/49135/cab-2", b"nonce--1"),
    ]


def test_an_ask_that_was_overtaken_is_not_answered_any_more_and_one_that_comes_twice_is(world):
    world.ask(nonce=b"nonce--1")
    assert len(world.ask(nonce=b"nonce--1")) == 1, "the same message again"
    world.ask(nonce=b"nonce--2")
    assert world.ask(nonce=b"nonce--1") == []
    assert world.refused() == {"ask-stale": 1}


# --- policies ---------------------------------------------------------------------------------------------------


def publish(world, version, signer=MAYOR):
    with database.transaction(world.people):
        kept, faults = communes.accept_policy(world.people, signed_policy(policy(version), signer), now_s=world.now_s)
    assert kept, faults


def test_a_new_policy_goes_to_the_gateways_of_its_commune_retained(world):
    for name in (CAB1, CAB2, FOREIGN):
        world.ask(name)
    assert world.due() == []
    publish(world, 2)
    assert [(one.topic, one.retain, one.expiry_s) for one in world.due()] == [
        ("tc/1/p/49135/cab-1", True, None),
        ("tc/1/p/49135/cab-2", True, None),
    ]
    assert world.due() == []


def test_a_gateway_that_asks_with_an_older_version_is_sent_the_policy_with_its_grant(world):
    grant, bundle = world.ask(policy_version=0)
    assert command.decode_bundle(bundle.payload) == (None, signed_policy(policy(1)))
    assert bundle.topic == "tc/1/p/49135/cab-1" and grant.topic == "tc/1/c/49135/cab-1"


def test_a_gateway_that_goes_on_naming_the_older_version_is_sent_it_ever_more_rarely(world):
    sent = 0
    for number in range(24 * 60):
        sent += len(world.ask(nonce=b"%08d" % number, policy_version=0)) - 1
        world.sleep(60)
    assert 24 <= sent <= 24 + 8
    publish(world, 2)
    assert len(world.due()) == 1, "a newer one goes at once"


def test_a_broker_that_lost_our_session_may_have_lost_what_it_retained(world):
    world.ask(policy_version=0)
    assert len(world.ask(nonce=b"nonce--2", policy_version=0)) == 1
    world.dispatcher.on_connected(session_present=True)
    assert len(world.ask(nonce=b"nonce--3", policy_version=0)) == 1
    world.dispatcher.on_connected(session_present=False)
    assert len(world.ask(nonce=b"nonce--4", policy_version=0)) == 2


def test_a_later_key_set_goes_by_itself(world):
    world.ask()
    second = signed_keyset(key_set(2), (MAYOR, CLERK))
    with database.transaction(world.people):
        communes.accept_keyset(world.people, second, now_s=NOW_S)
    (bundle,) = world.due()
    assert command.decode_bundle(bundle.payload) == (second, signed_policy(policy(1)))


# --- commands ---------------------------------------------------------------------------------------------------


def test_a_command_goes_to_every_cabinet_of_its_commune_with_what_is_left_of_its_time(world):
    for name in (CAB1, CAB2, FOREIGN):
        world.ask(name)
    one = put(world.people, order(1, for_s=900))
    world.sleep(100)
    published = world.due()
    assert [(each.topic, each.payload, each.retain, each.expiry_s) for each in published] == [
        ("tc/1/c/49135/cab-1", one.signed, False, 800),
        ("tc/1/c/49135/cab-2", one.signed, False, 800),
    ]
    assert world.due() == []


def test_a_cabinet_that_is_named_is_sent_to_before_it_ever_spoke(world):
    put(world.people, order(1, gateway="cab-9"))
    assert world.commands() == [((INSEE, "cab-9"), order(1).id)]


def test_a_cabinet_that_comes_back_is_sent_what_it_has_not_answered_and_no_other(world):
    for name in (CAB1, CAB2):
        world.ask(name)
    put(world.people, order(1))
    assert len(world.commands()) == 2
    world.say(CAB1, outcome(order(1), "refused", why="limit"))
    world.sleep(60)
    for name in (CAB1, CAB2):
        world.hear(on("s", name, b"online"))
    assert world.commands() == [(CAB2, order(1).id)]
    world.sleep(60)
    assert world.commands() == [], "one that is silent is left in peace"


def test_a_cabinet_that_comes_back_within_a_moment_is_not_sent_it_twice_and_not_forgotten(world):
    put(world.people, order(1, gateway="cab-1"))
    assert len(world.commands()) == 1
    world.ask(CAB1)
    assert world.commands() == []
    world.sleep(limits.RESEND_S_MIN)
    assert len(world.commands()) == 1


def test_one_that_asks_and_never_answers_is_sent_the_command_ever_more_rarely(world):
    put(world.people, order(1, for_s=86_400))
    sent = 0
    for number in range(23 * 60):
        world.ask(CAB1, nonce=b"%08d" % number)
        sent += len(world.commands())
        world.sleep(60)
    assert 20 <= sent <= 35


def test_nothing_is_sent_after_the_expiry(world):
    put(world.people, order(1, for_s=60))
    world.sleep(60)
    world.ask(CAB1)
    assert world.commands() == []


def test_after_a_new_connection_everything_without_a_word_is_sent_again(world):
    world.ask(CAB1)
    put(world.people, order(1))
    assert len(world.commands()) == 1
    world.dispatcher.on_connected(session_present=True)
    assert len(world.commands()) == 1
    world.start()
    assert len(world.commands()) == 1, "and after a restart"


def test_a_cabinet_that_was_cut_off_or_restarts_is_asked_once_more_for_words_that_may_be_lost(world):
    for name in (CAB1, CAB2):
        world.ask(name)
    numbers = (1, 2, 3)
    first, second, third = (put(world.people, order(n)).command for n in numbers)
    world.due()
    for name in (CAB1, CAB2):
        world.say(name, *(outcome(one, "received") for one in (first, second, third)))
    world.say(CAB1, outcome(first, "applied", feeder="bourg"), outcome(third, "ended"))
    world.due()
    world.sleep(60)
    world.hear(on("s", CAB1, b"online"))
    assert world.commands(room=1) == [(CAB1, first.id)] and world.commands() == [(CAB1, second.id)]
    world.hear(on("s", CAB1, b"online", retained=True))
    world.hear(on("s", CAB1, b"offline"))
    assert world.commands() == []
    world.hear(on("s", CAB1, b"online"))
    put(world.people, order(4, kind=command.END, ends=first.id))
    assert world.commands() == [(CAB1, second.id)], "what is ended is left in peace"


def test_after_a_new_connection_gateways_are_asked_once_more_for_words_that_may_be_lost(world):
    numbers = (1, 2, 3, 4)
    received, applied, measured, refused = (put(world.people, order(n, gateway="cab-1")).command for n in numbers)
    world.say(CAB1, outcome(refused, "refused", why="limit"))
    for one in (received, applied, measured):
        world.say(CAB1, outcome(one, "received"))
    for one, feeder in ((applied, "bourg"), (applied, "ecole"), (measured, "bourg")):
        world.say(CAB1, outcome(one, "applied", feeder=feeder))
    for one in (applied, measured):
        world.say(CAB1, outcome(one, "measured", feeder="bourg"))
    world.due()
    world.dispatcher.on_connected(session_present=True)
    assert world.commands() == [(CAB1, received.id), (CAB1, applied.id), (CAB1, measured.id)]
    assert world.commands() == []
    put(world.people, order(5, kind=command.END, ends=received.id))
    world.dispatcher.on_connected(session_present=True)
    assert world.commands() == [(CAB1, applied.id), (CAB1, measured.id)], "what is ended is left in peace"
    world.sleep(3600)
    world.dispatcher.on_connected(session_present=True)
    assert world.commands() == [], "and what is over"


def test_more_than_there_is_room_for_waits_for_the_next_turn(world):
    for number in range(5):
        world.ask((INSEE, f"cab-{number}"))
    put(world.people, order(1))
    assert [len(world.commands(room=2)) for _ in range(4)] == [2, 2, 1, 0]


def test_what_ends_a_command_goes_only_where_that_was_sent(world):
    for name in (CAB1, CAB2):
        world.ask(name)
    put(world.people, order(1))
    world.due()
    said = [((order(1).id, CAB1), None), ((order(1).id, CAB2), "No matching subscribers")]
    world.dispatcher.on_acknowledged(said, now_s=NOW_S)
    put(world.people, order(2, kind=command.END, ends=order(1).id))
    assert world.commands() == [(CAB1, order(2).id)]
    world.sleep(60)
    world.ask(CAB2, nonce=b"nonce--2")
    assert world.commands() == [], "what was ended is sent no more"
