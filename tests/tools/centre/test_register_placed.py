"""What a technician stated beside a pole reaches the register: by itself if nothing contradicts it, else by a person;
dated, and with what was so before.
"""

import json

import pytest

from tests.support.centre_world import EVENT_TOPIC, batch, fact, reading, synced
from tools import cli
from tools.centre.ingest.warehouse import Warehouse
from tools.centre.register import placed
from tools.centre.register.equipment import LIGHT, Key, first_second
from tools.centre.register.placed import DIFFERS, GONE, SEVERAL, UNKNOWN
from tools.centre.register.register import Register, apply, plan_of
from tools.centre.register.statements import Statement
from wire import event

A, B, C = (bytes.fromhex(f"7c1f0a2c0100000{n}") for n in (1, 2, 3))
GATEWAY = bytes.fromhex("6761746577617931")
NOW_S = 1_795_604_400
BEFORE_S = first_second(NOW_S - 30 * 86_400)
TODAY_S = first_second(NOW_S)


class Town:
    """A warehouse with three lights of one commune; `state` is a technician at the one cabinet."""

    def __init__(self, path, **nodes):
        self.path = str(path)
        self.warehouse = Warehouse(self.path)
        self.connection = self.warehouse._connection
        lights = {"0117": "Rue du Port", "0118": "Rue du Port", "7": "Rue Haute", "8": "Rue Basse"}
        for id, street in lights.items():
            given = {"street": street, "post": "P7" if id in "78" else None, "node": nodes.get(f"l{id}")}
            self.write(Statement(0, Key("49007", LIGHT, id), BEFORE_S, None, given))
        self.sequence = 0

    def write(self, statement):
        with self.warehouse._transaction(NOW_S):
            planned = plan_of(self.connection, [statement], str)
            assert not planned.faults
            apply(self.connection, planned)

    def state(self, node, light, street=None, *, at_s=NOW_S - 60, by=GATEWAY):
        detail = [node, light, street, "J. Renard", 6, 360]
        item = fact(self.sequence, event.NODE_PLACED, detail, node=by, stamp=synced(at_s))
        payload = batch([item], self.sequence, oldest=0, lane=event.EVENT)
        self.warehouse.accept(EVENT_TOPIC, payload, received_unix_s=NOW_S)
        self.sequence += 1

    def nodes(self, id="0117"):
        """[(first day, node)] of a light."""
        history = Register(self.connection).history(Key("49007", LIGHT, id))
        return [(start, equipment.node) for start, _, equipment in history]

    def standing(self):
        return {one.node: one.state for one in placed.open_statements(self.connection)}


@pytest.fixture
def town(tmp_path, engine):
    return lambda **nodes: Town(tmp_path / "warehouse.db", **nodes)


def test_a_light_without_a_node_gets_it_from_the_day_of_the_statement(town):
    of = town()
    of.state(A, "0117", "Rue du Port")
    assert placed.reconcile(of.connection) == 1
    assert of.nodes() == [(BEFORE_S, None), (TODAY_S, A)] and of.standing() == {}
    assert placed.reconcile(of.connection) == 0


@pytest.mark.parametrize("light", ["0117", "49007-0117"])
def test_what_the_register_has_already_is_no_question(town, light):
    of = town(l0117=A)
    of.state(A, light)
    assert placed.reconcile(of.connection) == 0 and of.standing() == {} and of.nodes() == [(BEFORE_S, A)]


@pytest.mark.parametrize(
    ("nodes", "stated", "state"),
    [
        ({"l0117": B}, (A, "0117"), DIFFERS),
        ({"l0118": A}, (A, "0117"), DIFFERS),
        ({"l0118": A}, (A, None), GONE),
        ({}, (A, "9999"), UNKNOWN),
        ({}, (A, "P7"), SEVERAL),
    ],
)
def test_what_disagrees_waits_for_a_person(town, nodes, stated, state):
    of = town(**nodes)
    of.state(*stated)
    assert placed.reconcile(of.connection) == 0 and of.standing() == {A: state}
    assert placed.refuse(of.connection, [A, B]) == [B] and of.standing() == {}
    of.state(*stated, at_s=NOW_S - 30)
    assert of.standing() == {A: state}, "stated again, it is asked again"


def test_the_street_says_which_of_two_posts_it_is(town):
    of = town()
    of.state(A, "P7", "rue  haute")
    assert placed.reconcile(of.connection) == 1 and of.nodes("7")[-1] == (TODAY_S, A)


def test_two_nodes_of_one_light_wait_for_a_person(town):
    of = town()
    of.state(A, "0117")
    of.state(B, "0117")
    assert placed.reconcile(of.connection) == 0 and len(of.standing()) == 2


def test_an_exchanged_pair_is_put_right_at_once_and_its_past_stays(town):
    of = town(l0117=A, l0118=B)
    of.state(A, "0118")
    of.state(B, "0117")
    assert of.standing() == {A: DIFFERS, B: DIFFERS}
    assert placed.accept(of.connection, [A, B]) == ([], ()) and of.standing() == {}
    assert of.nodes("0117") == [(BEFORE_S, A), (TODAY_S, B)] and of.nodes("0118") == [(BEFORE_S, B), (TODAY_S, A)]


def test_a_node_that_was_moved_leaves_its_light_and_the_one_there_loses_its_own(town):
    of = town(l0117=A, l0118=B)
    of.state(A, "0118")
    assert placed.accept(of.connection, [A]) == ([], ())
    assert of.nodes("0117")[-1] == (TODAY_S, None) and of.nodes("0118")[-1] == (TODAY_S, A)
    of.state(B, "0117")
    assert placed.reconcile(of.connection) == 1 and of.nodes("0117")[-1] == (TODAY_S, B)


def test_a_node_that_serves_nothing_any_more(town):
    of = town(l0117=A)
    of.state(A, None)
    assert placed.accept(of.connection, [A]) == ([], ()) and of.nodes()[-1] == (TODAY_S, None)


def test_only_the_latest_statement_counts_in_any_order_of_arrival(town):
    of = town(l0117=C)
    of.state(A, "0118", at_s=NOW_S - 60)
    of.state(A, "0117", at_s=NOW_S - 3600)
    assert placed.reconcile(of.connection) == 1 and of.nodes("0118")[-1] == (TODAY_S, A)
    of.state(A, "0117", at_s=NOW_S + 10**8)  # a clock that is wrong does not date it
    assert of.standing() == {A: DIFFERS}


def test_a_lamp_says_nothing_of_its_own_place_and_a_stranger_nothing_of_anothers(town):
    of = town()
    of.state(A, "0117", by=A)
    of.state(A, "x" * 30 + "\n")
    assert of.standing() == {} and of.warehouse.counters["statements_refused"] == 2
    other = batch([reading(0, node=B)], lane=event.TELEMETRY, gateway=C, epoch=b"epoch-02")
    of.warehouse.accept("tc/1/t/49007/mairie-2", other, received_unix_s=NOW_S)
    of.state(B, "0117")  # a node of the other cabinet
    assert placed.reconcile(of.connection) == 0 and of.standing() == {}


def test_an_operator_reads_and_answers_it(town, capsys, monkeypatch, of_sqlite):
    def ran(*words):
        status = cli.main(["centre", *words, "--db", of.path, "--lang", "en"])
        return status, capsys.readouterr().out

    of = town(l0117=B)
    of.state(A, "0117", "Rue du Port")
    told = ran("register", "placed")[1]
    assert f"node {A.hex()} serves light 0117, Rue du Port" in told and f"node {B.hex()} serves it" in told
    (line,) = json.loads(ran("register", "placed", "--json")[1])
    assert (line["id"], line["holder"], line["state"]) == ("49007-0117", B.hex(), "differs")
    assert ran("register", "placed", "--accept", C.hex())[0] == 2
    status, told = ran("register", "placed", "--accept", A.hex())
    assert status == 0 and "agrees" in told and of.nodes()[-1] == (TODAY_S, A)
    monkeypatch.setenv("COLUMNS", "200")  # in a narrow table the name of who ran this decides where words are parted
    assert "technician had stated" in ran("access", "journal")[1]
