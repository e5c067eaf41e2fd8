"""What gateways say to the control centre: kept by feeder, counted when it is none of ours, within bounds."""

import sqlite3

import pytest

from tests.support.control_world import INSEE, NOW_S, order, outcome, put, signed_order
from tests.support.dispatch_world import CAB1, CAB2, FOREIGN, DispatchWorld, on
from tools.centre import limits
from tools.centre.control import gateways, orders
from tools.centre.control.dispatch import Message
from tools.centre.store import database
from wire import command


@pytest.fixture
def world(tmp_path):
    world = DispatchWorld(tmp_path / "control.db")
    yield world
    world.close()


def test_outcomes_are_kept_by_gateway_and_feeder_in_their_order(world):
    one = put(world.people, order(1)).command
    world.say(
        CAB1,
        outcome(one, "received"),
        outcome(one, "applied", feeder="bourg"),
        outcome(one, "measured", feeder="bourg", power_dw=4480, unix_s=NOW_S + 2),
        outcome(one, "refused", feeder="ecole", why="interlock"),
    )
    world.say(CAB2, outcome(one, "refused", why="stranger"))
    assert [(said.gateway, said.feeder, said.outcome, said.why, said.power_dw) for said in world.words(one)] == [
        ("cab-1", None, "received", None, None),
        ("cab-1", "bourg", "applied", None, None),
        ("cab-1", "bourg", "measured", None, 4480),
        ("cab-1", "ecole", "refused", "interlock", None),
        ("cab-2", None, "refused", "stranger", None),
    ]


def test_a_word_that_comes_twice_is_kept_once_and_one_that_comes_back_is_the_latest(world):
    one = put(world.people, order(1)).command
    applied = outcome(one, "applied", feeder="bourg")
    world.say(CAB1, applied, applied, outcome(one, "applied", feeder="bourg", why="again"))
    assert [said.outcome for said in world.words(one)] == ["applied"]
    world.say(CAB1, outcome(one, "refused", feeder="bourg", why="manual"), applied)
    assert [said.outcome for said in world.words(one)] == ["refused", "applied"]
    assert world.refused() == {"outcome-repeated": 2}


def test_what_was_said_before_and_lost_is_kept_when_it_is_said_again(world):
    one = put(world.people, order(1)).command
    world.say(CAB1, outcome(one, "measured", feeder="bourg", why="again"))
    assert [(said.outcome, said.why) for said in world.words(one)] == [("measured", None)]


def test_words_on_what_is_not_theirs_are_counted_and_change_nothing(world):
    here = put(world.people, order(1, gateway="cab-1")).command
    stranger = order(99)
    world.say(CAB2, outcome(here, "applied", feeder="bourg"))
    world.say(FOREIGN, outcome(here, "applied", feeder="bourg"))
    world.say(CAB1, outcome(stranger, "applied", feeder="bourg"))
    world.say(CAB1, command.Outcome(None, "refused", "malformed", None, None, None))
    assert world.words(here) == []
    assert world.refused() == {
        "outcome-foreign": 2,
        "outcome-unknown-command": 1,
        "outcome-unreadable-command": 1,
    }


def test_a_gateway_that_invents_feeders_is_kept_within_bounds(world):
    one = put(world.people, order(1)).command
    for number in range(limits.OUTCOMES_PER_GATEWAY_MAX + 5):
        world.say(CAB1, outcome(one, "applied", feeder=f"f{number}"))
    assert len(world.words(one)) == limits.OUTCOMES_PER_GATEWAY_MAX
    assert world.refused() == {"outcome-full": 5}


HOSTILE = (b"", b"\x00", b"\xff" * 9, b"[1,2]", b"\x85\x02\x48", b"\x9f" * 40, bytes(100_000), b"\xa1\x01\x02")


def test_hostile_bytes_are_counted_and_do_no_harm(world):
    world.ask(CAB1)
    put(world.people, order(1))
    noise = [on(kind, CAB1, payload) for kind in "rs" for payload in HOSTILE]
    topics = ("", "tc/1/c/49135/cab-1", "tc/2/r/49135/cab-1", "tc/1/s/x/y")
    noise += [Message(topic, b"online", False) for topic in topics]
    noise.append(on("r", CAB1, command.encode_reply(command.Ask(b"nonce--9", 300, 1, 1)), retained=True))
    assert world.hear(*noise) == []
    assert sum(world.refused().values()) == len(noise)
    assert world.refused()["retained"] == 1 and world.refused()["state"] == len(HOSTILE)
    assert all("payload" not in more for _, more in world.logged)
    assert len(world.ask(CAB1, nonce=b"nonce--2")) == 1 and len(world.commands()) == 1


def test_a_refusal_is_logged_once_a_minute_and_counted_each_time(world):
    for _ in range(100):
        world.hear(on("s", CAB1, b"maybe"))
        world.sleep(1)
    logged = [more for what, more in world.logged if what == "refused"]
    assert len(logged) == 2 and world.refused() == {"state": 100}


def test_more_gateways_than_there_is_room_for_are_counted_and_not_served(world, monkeypatch):
    monkeypatch.setattr(gateways, "GATEWAYS_MAX", 2)
    assert len(world.ask(CAB1)) == len(world.ask(CAB2)) == 1
    assert world.ask((INSEE, "cab-3")) == []
    assert world.refused() == {"gateways-full": 1} and len(gateways.list_gateways(world.connection)) == 2


def test_a_state_is_kept_with_the_time_of_its_change(world):
    world.hear(on("s", CAB1, b"online", retained=True))
    assert gateways.list_gateways(world.connection)[0].heard_unix_s is None
    world.sleep(50)
    world.hear(on("s", CAB1, b"online"))
    world.sleep(50)
    world.hear(on("s", CAB1, b"offline"))
    (seen,) = gateways.list_gateways(world.connection)
    assert (seen.online, seen.online_unix_s) == (False, NOW_S + 100)
    assert seen.heard_unix_s == NOW_S + 50, "neither what was retained nor the broker's word for it is its own"
    assert [what for what, _ in world.logged] == ["gateway-online", "gateway-offline"]


def test_what_is_long_over_is_let_go(world):
    one = put(world.people, order(1)).command
    world.say(CAB1, outcome(one, "received"))
    world.due()
    world.sleep(3600 + limits.COMMANDS_KEPT_S + 3601)
    world.due()
    assert orders.latest(world.connection, 9) == [] and world.words(one) == []


def test_what_the_disk_refuses_is_not_answered(world):
    world.connection.execute("PRAGMA busy_timeout = 0")
    with database.transaction(world.people), pytest.raises(sqlite3.OperationalError):
        world.ask(CAB1)
    assert gateways.list_gateways(world.connection) == []
    assert len(world.ask(CAB1)) == 1, "it comes again, and is no stale one"


def test_a_signed_command_decodes_as_the_gateway_will():
    assert command.decode_control(signed_order(order(1))) == signed_order(order(1))
