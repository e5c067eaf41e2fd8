"""What became of a command: which feeders follow it, what is awaited, and what is never claimed."""

import pytest

from tests.support.control_world import INSEE, NOW_S, new_file, order, outcome, put
from tools.centre.control import gateways, orders, progress
from tools.centre.control.progress import lines, plain
from wire import command


class World:
    def __init__(self, connection):
        self.connection = connection

    def give(self, one, *, cabinets=("cab-1",)):
        for name in cabinets:
            gateways.note_seen(self.connection, INSEE, name, is_own=True, now_s=NOW_S)
        self.kept = put(self.connection, one)
        return self

    def send(self, *names, problem=None):
        for name in names:
            orders.note_sent(self.connection, self.kept.command.id, name, problem, now_s=NOW_S)
        return self

    def say(self, name, word, feeder=None, **more):
        said = outcome(self.kept.command, word, feeder=feeder, **more)
        assert orders.accept_outcome(self.connection, INSEE, name, said, now_s=NOW_S) is None
        return self

    def now(self, now_s=NOW_S):
        return progress.progress_of(self.connection, self.kept, now_s=now_s)

    def verdict(self, now_s=NOW_S):
        """(follows, nothing more is awaited)"""
        found = self.now(now_s)
        return found.is_fulfilled, found.is_settled

    def state(self, now_s=NOW_S):
        return {cabinet.name: cabinet.state for cabinet in self.now(now_s).cabinets}

    def text(self, language="fr", now_s=NOW_S):
        return "\n".join(lines(self.now(now_s), language, now_s=now_s))


@pytest.fixture
def world(tmp_path):
    connection = new_file(tmp_path / "control.db")
    yield World(connection)
    connection.close()


def test_every_feeder_of_the_policy_that_is_meant_has_to_follow(world):
    world.give(order(1, target="centre"))
    assert world.verdict() == (False, False)
    world.send("cab-1").say("cab-1", "received").say("cab-1", "applied", "bourg")
    assert world.verdict() == (False, False) and world.now().missing == ("ecole",)
    world.say("cab-1", "applied", "ecole")
    assert world.verdict() == (True, False), "the watts are awaited"
    world.say("cab-1", "measured", "bourg", power_dw=4480).say("cab-1", "measured", "ecole", power_dw=900)
    assert world.verdict() == (True, True)
    world.say("cab-1", "expired")
    assert world.verdict(NOW_S + 9999) == (True, True) and world.state() == {"cab-1": "expired"}


def test_watts_that_do_not_follow_are_no_success_and_a_missing_meter_is_no_failure(world):
    world.give(order(1, target="bourg")).say("cab-1", "applied", "bourg")
    world.say("cab-1", "unmeasured", "bourg", why="watts")
    assert world.verdict() == (False, True) and "watts mesurés ne sont pas ceux attendus" in world.text()
    world.give(order(2, target="bourg")).say("cab-1", "applied", "bourg")
    world.say("cab-1", "unmeasured", "bourg", why="meter")
    assert world.verdict() == (True, True) and "sans compteur" in world.text()


def test_watts_are_awaited_no_longer_than_the_order_lasts_whatever_the_cabinet_reports_of_its_end(world):
    world.give(order(1, target="bourg", for_s=60)).say("cab-1", "received").say("cab-1", "applied", "bourg")
    assert world.verdict(NOW_S + 59) == (True, False) and "watts attendus" in world.text()
    assert world.verdict(NOW_S + 60) == (True, True) and world.state(NOW_S + 60) == {"cab-1": "expired"}
    assert "terminé avant que des watts" in world.text(now_s=NOW_S + 60)
    world.say("cab-1", "ended")
    assert world.verdict() == (True, True) and "terminé avant que des watts" in world.text()


def test_a_feeder_that_something_higher_holds_refuses_until_it_follows_again(world):
    world.give(order(1, target="bourg")).say("cab-1", "received").say("cab-1", "refused", "bourg", why="interlock")
    assert world.verdict() == (False, True) and "refusé : verrouillé sur place" in world.text()
    world.say("cab-1", "applied", "bourg").say("cab-1", "measured", "bourg", power_dw=10)
    assert world.verdict() == (True, True)


def test_of_two_cabinets_one_without_the_feeders_is_none_of_those_meant(world):
    world.give(order(1, target="bourg"), cabinets=("cab-1", "cab-2")).send("cab-1", "cab-2")
    world.say("cab-2", "refused", why="scope").say("cab-1", "received").say("cab-1", "measured", "bourg")
    assert world.verdict() == (True, True)
    world.give(order(2, target="bourg")).say("cab-1", "refused", why="scope").say("cab-2", "refused", why="scope")
    assert world.verdict() == (False, True), "nobody has it"


def test_a_cabinet_that_is_meant_and_refuses_is_no_success_though_another_follows(world):
    world.give(order(1, target="bourg"), cabinets=("cab-1", "cab-2"))
    world.say("cab-1", "received").say("cab-1", "measured", "bourg").say("cab-2", "refused", why="clock")
    assert world.now().missing == () and world.verdict() == (False, True)


def test_a_cabinet_that_is_silent_and_may_have_the_feeders_leaves_it_open(world):
    world.give(order(1), cabinets=("cab-1", "cab-2")).send("cab-1")
    world.say("cab-1", "received").say("cab-1", "measured", "bourg").say("cab-1", "measured", "route")
    assert world.verdict() == (False, False) and world.now().missing == ("ecole",)
    assert world.state() == {"cab-1": "received", "cab-2": "waiting"}
    world.say("cab-2", "received").say("cab-2", "measured", "ecole")
    assert world.verdict() == (True, True)


def test_which_feeders_one_named_cabinet_has_it_tells_itself(world):
    world.give(order(1, gateway="cab-1")).send("cab-1").say("cab-1", "received")
    assert world.now().expected == () and world.verdict() == (False, False)
    world.say("cab-1", "measured", "bourg")
    assert world.verdict() == (True, True)


def test_nothing_is_claimed_of_a_gateway_that_says_nothing(world):
    world.give(order(1, for_s=60), cabinets=("cab-1", "cab-2", "cab-3")).send("cab-1")
    world.send("cab-2", problem="No matching subscribers")
    assert world.state() == {"cab-1": "sent", "cab-2": "waiting", "cab-3": "waiting"}
    assert "envoyé à 12:06:40, sans réponse" in world.text() and "No matching" in world.text()
    assert "delivered" not in world.text("en")
    assert set(world.state(NOW_S + 60).values()) == {"unanswered"} and world.verdict(NOW_S + 60) == (False, True)


def test_what_was_ended_before_a_word_is_withdrawn(world):
    world.give(order(1))
    put(world.connection, order(2, kind=command.END, ends=order(1).id))
    assert world.state() == {"cab-1": "withdrawn"} and world.now().ended_by == order(2).id


def test_an_end_follows_when_every_cabinet_that_had_the_command_says_so(world):
    world.give(order(1), cabinets=("cab-1", "cab-2", "cab-3")).send("cab-1", "cab-2")
    world.give(order(2, kind=command.END, ends=order(1).id))
    assert world.state() == {"cab-1": "waiting", "cab-2": "waiting"} and world.verdict() == (False, False)
    world.say("cab-1", "received").say("cab-1", "applied").say("cab-2", "refused", why="unknown")
    assert world.verdict() == (True, True) and "terminé" in world.text()


def test_a_refusal_by_the_whole_cabinet_is_told_with_its_reason_also_a_new_one(world):
    world.give(order(1, target="bourg")).send("cab-1").say("cab-1", "refused", why="stranger")
    assert world.verdict() == (False, True) and "clé inconnue de l’armoire" in world.text()
    world.give(order(2, target="bourg")).say("cab-1", "refused", why="moonlight")
    assert "refusé : moonlight" in world.text() and "refused: moonlight" in world.text("en")


def test_a_program_reads_the_same(world):
    world.give(order(1, target="bourg", for_s=60)).send("cab-1").say("cab-1", "received", unix_s=None)
    world.say("cab-1", "measured", "bourg", power_dw=4485, unix_s=NOW_S + 2)
    found = plain(world.now(), now_s=NOW_S)
    assert (found["kind"], found["author"]) == ("emergency", "Maire")
    assert (found["is_fulfilled"], found["is_expired"]) == (True, False)
    (cabinet,) = found["gateways"]
    (feeder,) = cabinet["feeders"]
    assert (cabinet["state"], cabinet["sent_unix_s"]) == ("received", NOW_S)
    assert (feeder["state"], feeder["power_w"]) == ("measured", 448.5)
    assert feeder["words"] == [
        {"outcome": "measured", "why": None, "power_w": 448.5, "unix_s": NOW_S + 2, "heard_unix_s": NOW_S}
    ]
