"""Who may speak for whom: what a cabinet says of another's nodes counts for nothing until a person decides."""

import json

import pytest

from tests.support.centre_world import EPOCH, GATEWAY, NODE, NOW, batch, fact, reading, synced, unset
from tools import cli
from tools.centre.ingest.warehouse import Warehouse
from wire import event
from wire.receipt import HOLD_REASONS, Receipt, Rejected

OTHER = bytes.fromhex("00000000000000a2")
STRANGER = b"stranger"
OWN, OPENED = "49007-mairie-1", "49135-cab-3"
NOW_S = NOW["received_unix_s"]


@pytest.fixture
def warehouse():
    """A cabinet has been heard to speak for its lamp, and another for a lamp of its own."""
    opened = Warehouse(":memory:")
    said(opened, [reading(0)], "telemetry")
    said(opened, [reading(0, node=OTHER)], "telemetry", cabinet=OPENED, gateway=STRANGER)
    yield opened
    opened.close()


def said(warehouse, items, lane="event", first=0, *, cabinet=OWN, gateway=GATEWAY, epoch=EPOCH, now_s=NOW_S):
    insee, name = cabinet.split("-", 1)
    topic = f"tc/1/{'t' if lane == 'telemetry' else 'e'}/{insee}/{name}"
    payload = batch(items, first, gateway=gateway, epoch=epoch, lane=lane, oldest=0)
    (answer,) = warehouse.accept(topic, payload, received_unix_s=now_s)
    return answer.message


def stranger(warehouse, items, lane="event", first=0, **options):
    return said(warehouse, items, lane, first, cabinet=OPENED, gateway=STRANGER, epoch=b"epoch-st", **options)


def contents(warehouse):
    """Everything that counts."""
    anchors = warehouse._connection.execute("SELECT * FROM anchors ORDER BY 1, 2, 3").fetchall()
    return warehouse.digest(), sorted(warehouse.gaps(), key=str), anchors, list(warehouse.held())


def kinds(warehouse):
    return [(alarm.kind, alarm.cabinet, alarm.subject) for alarm in warehouse.alarms()]


FALSE = {
    "gap": fact(1, event.GAP, [NODE, 1, 0, None, "full"], node=STRANGER),
    "anchor": fact(1, event.ANCHOR, [NODE, 1, 0, 1_700_000_000, 0], node=STRANGER),
    "doubt": fact(1, event.TIME_DOUBTFUL, [NODE, 1, 0, 1_790_000_000, 1_790_090_000, 2], node=STRANGER),
    "conflict": fact(1, event.CONFLICT, [NODE, 1, 0], node=STRANGER),
    "own-gap": fact(9, event.GAP, [None, 1, 0, 8, "full"]),
    "alarm": fact(9, event.LAMP_FAILURE, {1: 3}, active=True),
    "gateway": fact(1, event.GAP, [NODE, 1, 0, None, "full"], node=GATEWAY),
    "gateway-itself": fact(1, event.GAP, [GATEWAY, 1, 0, None, "full"], node=STRANGER),
}


@pytest.mark.parametrize("item", FALSE.values(), ids=FALSE)
def test_a_strangers_words_about_anothers_node_count_for_nothing(warehouse, item):
    before = contents(warehouse)
    lane = "alarm" if item is FALSE["alarm"] else "event"
    answer = stranger(warehouse, [item], lane)
    assert isinstance(answer, Receipt) and answer.next_position == 1, "its positions are held, its journal goes on"
    assert contents(warehouse) == before
    assert kinds(warehouse) == [("foreign", OPENED, OWN)]
    (kept,) = warehouse.kept_apart()
    assert (kept.cabinet, kept.owners, kept.records) == (OPENED, (OWN,), 1)


def test_a_strangers_reading_makes_no_conflict_of_the_lamps_own(warehouse):
    stranger(warehouse, [reading(5, {6: 1})], "telemetry")
    said(warehouse, [reading(5)], "telemetry", 1)
    assert warehouse.counters["conflicts"] == 0 and kinds(warehouse) == [("foreign", OPENED, OWN)]
    assert [one.sequence for one in warehouse.held(NODE)] == [0, 5]


def test_what_is_its_own_counts_though_it_comes_in_the_same_batch(warehouse):
    gap = fact(2, event.GAP, [OTHER, 1, 7, 9, "thinned"], node=STRANGER)
    stranger(warehouse, [FALSE["gap"], gap, fact(1, event.BOOT, [0, 5, "power", "lamp", "1"], node=OTHER)])
    assert sorted((about, first) for about, _, first, *_ in warehouse.gaps()) == [(OTHER, 6), (OTHER, 7)]
    assert warehouse.kept_apart()[0].records == 1


def test_one_identity_for_a_word_of_ones_own_and_one_of_anothers_smuggles_nothing(warehouse):
    harmless = fact(1, event.GAP, [OTHER, 1, 7, 9, "thinned"], node=STRANGER)
    stranger(warehouse, [FALSE["gap"], harmless])
    assert [about for about, *_ in warehouse.gaps()] == [OTHER]


def test_a_flood_of_false_words_is_one_alarm_with_its_count(warehouse):
    for number in range(5):
        stranger(warehouse, [reading(10 * number + at) for at in range(10)], "telemetry", 10 * number, now_s=number)
    (alarm,) = warehouse.alarms()
    assert (alarm.first_unix_s, alarm.last_unix_s, alarm.times, alarm.detail) == (0, 4, 50, NODE.hex())


# --- what a person decides ------------------------------------------------------------------------------------


def life(warehouse, cabinet, gateway):
    """A lamp through one cabinet: readings without a clock, an alarm, a gap and an anchor of its gateway."""
    who = {"cabinet": cabinet, "gateway": gateway, "epoch": b"epoch-02"}
    said(warehouse, [reading(at, boot=2, stamp=unset(60 * at)) for at in range(6) if at != 3], "telemetry", **who)
    said(warehouse, [fact(6, event.LAMP_FAILURE, {1: 3}, active=True, boot=2, stamp=unset(400))], "alarm", **who)
    gateways_own = [
        fact(1, event.ANCHOR, [NODE, 2, 0, 1_794_000_000, 2], node=gateway),
        fact(2, event.GAP, [NODE, 2, 3, 3, "thinned"], node=gateway),
    ]
    said(warehouse, gateways_own, now_s=NOW_S + 1, **who)


def test_a_replaced_cabinets_records_count_when_released_as_if_they_had_come_in_order(warehouse):
    """The cabinet was hit by a lorry; its lamps were adopted by a new one, before anybody told the centre."""
    straight = Warehouse(":memory:")
    said(straight, [reading(0)], "telemetry")
    said(straight, [reading(0, node=OTHER)], "telemetry", cabinet=OPENED, gateway=STRANGER)
    straight.bind([NODE], "49007-mairie-9", alone=True, now_s=NOW_S)
    for place in (straight, warehouse):
        life(place, "49007-mairie-9", b"gateway9")
    assert contents(warehouse) != contents(straight) and list(warehouse.missing(NODE, 2)) == []
    warehouse.bind([NODE], "49007-mairie-9", alone=True, now_s=NOW_S + 50)
    assert warehouse.release("49007-mairie-9", None, now_s=NOW_S + 60) == 8
    assert contents(warehouse) == contents(straight)
    assert warehouse.kept_apart() == [] and warehouse.alarms() == []
    assert warehouse.moment(NODE, 2, unset(60)) == straight.moment(NODE, 2, unset(60))
    said(warehouse, [reading(7, boot=2)], "telemetry", 5, cabinet="49007-mairie-9", gateway=b"gateway9")
    assert warehouse.kept_apart() == [], "the binding has moved"
    said(warehouse, [reading(9, boot=2)], "telemetry", 1)
    assert [kept.cabinet for kept in warehouse.kept_apart()] == [OWN], "and what the old one still says waits"


def test_a_node_that_two_cabinets_serve_is_heard_through_both(warehouse):
    warehouse.bind([NODE], OPENED, alone=False, now_s=NOW_S)
    stranger(warehouse, [reading(1)], "telemetry")
    said(warehouse, [reading(2)], "telemetry", 1)
    assert [one.sequence for one in warehouse.held(NODE)] == [0, 1, 2] and kinds(warehouse) == []


def test_a_persons_word_reaches_an_ingest_that_runs(tmp_path):
    path = str(tmp_path / "centre.db")
    ingest, person = Warehouse(path), Warehouse(path)
    said(ingest, [reading(0)], "telemetry")
    stranger(ingest, [reading(0, node=OTHER), reading(1)], "telemetry")
    person.bind([NODE], OPENED, alone=True, now_s=NOW_S)
    stranger(ingest, [reading(2)], "telemetry", 2)
    said(ingest, [reading(3)], "telemetry", 1)
    assert [one.sequence for one in ingest.held(NODE)] == [0, 2]
    assert [kept.cabinet for kept in ingest.kept_apart()] == [OWN, OPENED]


def test_a_node_that_was_first_heard_in_a_transaction_that_failed_is_still_new(warehouse, monkeypatch):
    new = bytes.fromhex("00000000000000a3")
    with monkeypatch.context() as broken:
        broken.setattr(warehouse, "_write_counted", lambda: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            stranger(warehouse, [reading(0, node=new)], "telemetry")
    said(warehouse, [reading(0, node=new)], "telemetry", 1)
    assert warehouse.cabinets_of(new) == (OWN,) and kinds(warehouse) == []


def test_a_node_may_be_bound_before_it_is_first_heard(warehouse):
    new = bytes.fromhex("00000000000000a3")
    warehouse.bind([new], OWN, alone=True, now_s=NOW_S)
    stranger(warehouse, [reading(0, node=new)], "telemetry")
    assert list(warehouse.held(new)) == [] and kinds(warehouse) == [("foreign", OPENED, OWN)]


def test_what_is_discarded_goes_and_nothing_else(warehouse):
    stranger(warehouse, [reading(1), reading(2)], "telemetry")
    before = contents(warehouse)
    assert warehouse.discard(OPENED, [OTHER], now_s=NOW_S) == 0
    assert warehouse.discard(OPENED, [NODE], now_s=NOW_S) == 2
    assert contents(warehouse) == before and warehouse.kept_apart() == [] and warehouse.alarms() == []
    assert warehouse.counters["discarded"] == 2


def test_a_gateway_exchanged_under_its_cabinets_name_speaks_for_the_same_nodes(warehouse):
    warehouse.unbind("49007", "mairie-1")
    said(warehouse, [reading(1)], "telemetry", gateway=b"gateway2", epoch=b"epoch-02")
    assert [one.sequence for one in warehouse.held(NODE)] == [0, 1] and kinds(warehouse) == []


# --- a gateway's own id ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("identity", [NODE, GATEWAY], ids=["lamp", "gateway"])
def test_a_new_cabinet_cannot_come_under_the_id_of_anothers(warehouse, identity):
    answer = said(warehouse, [fact(7, event.GAP, [None, 1, 0, 6, "full"], node=identity)], cabinet="49007-new",
                  gateway=identity)  # fmt: skip
    assert isinstance(answer, Rejected) and answer.reason == "identity"
    (alarm,) = warehouse.alarms()
    assert (alarm.kind, alarm.cabinet, alarm.subject, alarm.detail) == ("identity", OWN, "49007-new", identity.hex())
    assert warehouse.gaps() == []


# --- bounds ----------------------------------------------------------------------------------------------------


def test_a_cabinet_that_names_more_nodes_than_one_has_must_hold_its_records(warehouse, monkeypatch):
    monkeypatch.setattr("tools.centre.ingest.nodes.NODES_PER_CABINET_MAX", 4)
    invented = [reading(0, node=b"invent%02d" % number) for number in range(3)]
    assert stranger(warehouse, invented, "telemetry").reason == "identity"
    assert warehouse.counters["records"] == 2 and kinds(warehouse) == [("crowd", OPENED, "")]
    assert isinstance(stranger(warehouse, invented[:2], "telemetry"), Receipt)


def test_a_cabinet_that_fills_what_is_kept_apart_must_hold_its_records(warehouse, monkeypatch):
    monkeypatch.setattr("tools.centre.ingest.apart.APART_RECORDS_MAX", 4)
    for first in (0, 4):
        answer = stranger(warehouse, [reading(first + at) for at in range(4)], "telemetry", first)
    assert answer.reason == "identity", "an honest gateway keeps them in its journal until a person has looked"
    assert warehouse.kept_apart()[0].records == 4


def test_a_cabinet_that_brings_too_much_in_a_day_holds_the_rest_until_the_next(warehouse, monkeypatch):
    monkeypatch.setattr("tools.centre.ingest.quota.BROUGHT_BYTES_A_DAY_MAX", 3 * 64)
    day_s = MADE_S // 86_400 * 86_400
    for number in range(3):
        assert isinstance(said(warehouse, [reading(number)], "telemetry", number, now_s=day_s + 1), Receipt)
    refused = said(warehouse, [reading(3)], "telemetry", 3, now_s=day_s + 86_399)
    assert refused.reason == "quota" and refused.reason in HOLD_REASONS
    (alarm,) = warehouse.alarms()
    assert (alarm.kind, alarm.cabinet, alarm.subject) == ("quota", OWN, "telemetry")
    assert warehouse.counters["refused.quota"] == 1 and warehouse.counters["records"] == 4
    assert isinstance(said(warehouse, [fact(9, event.GAP, [None, 1, 0, 6, "full"])], now_s=day_s + 86_399), Receipt)
    assert said(warehouse, [], "telemetry", 3, now_s=day_s + 86_399).next_position == 3, "a question brings nothing"
    assert said(warehouse, [reading(3)], "telemetry", 3, now_s=day_s + 86_400).next_position == 4


def test_no_flood_of_alarms_displaces_another(warehouse, monkeypatch):
    monkeypatch.setattr("tools.centre.ingest.alarms.ALARMS_PER_CABINET_MAX", 3)
    said(warehouse, [reading(0, {6: 1})], "telemetry", 1, now_s=1)
    nodes = [b"flooded%d" % number for number in range(6)]
    stranger(warehouse, [reading(0, node=node) for node in nodes], "telemetry")
    stranger(warehouse, [reading(0, {6: 1}, node=node) for node in nodes], "telemetry", 6)
    assert ("clone", OWN, NODE.hex()) in kinds(warehouse)
    assert sorted(alarm.times for alarm in warehouse.alarms() if alarm.cabinet == OPENED) == [1, 1, 1, 3]
    assert ("clone", OPENED, "") in kinds(warehouse)


def test_a_thief_who_tries_all_ids_of_a_cabinet_leaves_room_for_the_name_of_the_next(warehouse, monkeypatch):
    monkeypatch.setattr("tools.centre.ingest.alarms.ALARMS_PER_CABINET_MAX", 3)
    lamps = [b"of-ours%d" % number for number in range(6)]
    said(warehouse, [reading(0, node=lamp) for lamp in lamps], "telemetry", 1)
    for thief, ids in (("49007-thief-1", lamps[:5]), ("49007-thief-2", lamps[5:])):
        for identity in ids:
            said(warehouse, [reading(0, node=identity)], "telemetry", cabinet=thief, gateway=identity)
    assert {alarm.subject: alarm.times for alarm in warehouse.alarms()} == {"49007-thief-1": 5, "49007-thief-2": 1}


# --- clones ----------------------------------------------------------------------------------------------------

MADE_S = 1_794_000_000


def test_two_boots_that_speak_at_one_time_are_a_clone(warehouse):
    at = MADE_S
    for turn in range(3):
        for boot in (4, 5):
            at += 900
            said(warehouse, [reading(turn, boot=boot, stamp=synced(at, 2))], "telemetry", 2 * turn + boot - 3)
    (alarm,) = warehouse.alarms()
    assert (*alarm[1:5], alarm.times) == ("clone", OWN, NODE.hex(), "boots", 2)


def test_a_boots_records_that_come_late_are_no_clone(warehouse):
    said(warehouse, [reading(0, boot=5, stamp=synced(MADE_S + 1000, 2))], "telemetry", 1)
    late = [reading(at, boot=4, stamp=synced(MADE_S + at, 2)) for at in range(3)]
    said(warehouse, [*late, reading(3, boot=4, stamp=unset(99_999))], "telemetry", 2)
    assert kinds(warehouse) == []


def test_two_epochs_of_a_gateway_that_go_on_beside_each_other_are_a_clone(warehouse):
    for turn in range(3):
        for at, epoch in enumerate((b"epoch-aa", b"epoch-bb")):
            now_s = MADE_S + 2000 * turn + 1000 * at
            item = reading(2 * turn + at + 1, stamp=synced(now_s - 60, 2))
            said(warehouse, [item], "telemetry", turn, epoch=epoch, now_s=now_s)
    (alarm,) = warehouse.alarms()
    assert alarm[1:5] == ("clone", OWN, GATEWAY.hex(), "epochs")


@pytest.mark.parametrize("order", [(0, 1, 2, 3, 4, 5), (3, 0, 4, 1, 5, 2), (5, 4, 3, 2, 1, 0)])
def test_epochs_that_follow_each_other_are_none_in_whatever_order_they_arrive(warehouse, order):
    """Three starts of one agent; what waits of the older ones is sent beside the newest."""
    sent = [(epoch, place, MADE_S + 3600 * epoch + 1800 * place) for epoch in range(3) for place in range(2)]
    for turn, (epoch, place, made_s) in enumerate(sent[at] for at in order):
        item = reading(2 * epoch + place + 1, stamp=synced(made_s, 2))
        said(warehouse, [item], "telemetry", place, epoch=b"epoch-0%d" % epoch, now_s=MADE_S + 4 * 3600 + 900 * turn)
    assert kinds(warehouse) == []


# --- time ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("stated_s", [2_100_000_000, NOW_S + 400, 1_500_000_000], ids=["2036", "ahead", "2017"])
def test_a_time_that_cannot_be_is_marked_told_once_and_not_rewritten(warehouse, stated_s):
    wrong = [reading(at, {4: 10 * at}, stamp=synced(stated_s + at, 2)) for at in (1, 2)]
    for first, item in enumerate([*wrong, reading(3)], 1):
        said(warehouse, [item], "telemetry", first)
    held = list(warehouse.held(NODE))
    assert [one.is_doubtful for one in held] == [False, True, True, False]
    assert held[1].stamp == synced(stated_s + 1, 2)
    (alarm,) = warehouse.alarms()
    assert (*alarm[1:5], alarm.times) == ("time", OWN, NODE.hex(), str(stated_s + 2), 2)
    assert [one.sequence for one in warehouse.readings(NODE, 4, since_unix_s=0)] == [0, 3], "it is in no month's report"
    assert [one.unix_s for one in warehouse.readings(NODE, 4)][1:3] == [None, None]


def test_a_time_within_its_own_uncertainty_is_not_doubted(warehouse):
    said(warehouse, [reading(1, stamp=synced(NOW_S + 80_000, 86_400))], "telemetry", 1)
    assert kinds(warehouse) == []


def test_a_time_that_the_gateway_doubts_is_marked_whichever_comes_first(warehouse):
    doubt = fact(1, event.TIME_DOUBTFUL, [NODE, 1, 1, 1_790_000_001, 1_795_000_000, 2], node=GATEWAY)
    said(warehouse, [doubt])
    said(warehouse, [reading(1)], "telemetry", 1)
    assert [one.is_doubtful for one in warehouse.held(NODE)] == [False, True]
    assert kinds(warehouse) == [("time", OWN, NODE.hex())]


def test_a_doubtful_time_makes_no_clone(warehouse):
    said(warehouse, [reading(0, boot=2, stamp=synced(NOW_S - 50, 2))], "telemetry", 1)
    said(warehouse, [reading(1, stamp=synced(2_100_000_000, 2))], "telemetry", 2)
    assert kinds(warehouse) == [("time", OWN, NODE.hex())]


# --- the command line ------------------------------------------------------------------------------------------


@pytest.fixture
def bocage(tmp_path, capsys):
    """Runs a command on a warehouse with a foreign word, a clone and an impossible time; returns what it prints."""
    path = str(tmp_path / "centre.db")
    warehouse = Warehouse(path)
    said(warehouse, [reading(0)], "telemetry")
    stranger(warehouse, [reading(0, node=OTHER), reading(1)], "telemetry")
    said(warehouse, [reading(0, {6: 1}), reading(2, stamp=synced(2_100_000_000, 2))], "telemetry", 1)
    warehouse.close()

    def run(*words, status=0):
        try:
            assert cli.main(["centre", *words[:1], "--db", path, *words[1:]]) == status
        except SystemExit as end:
            assert end.code == status
        return capsys.readouterr()

    return run


def test_the_warehouses_alarms_are_said_with_what_to_do_and_closed_by_a_person(bocage):
    text = " ".join(bocage("alarms").out.split())
    assert f"49135-cab-3 : parle pour des nœuds de {OWN} ; ses relevés sont mis à part" in text
    assert f"{OWN} : deux relevés différents de {NODE.hex()} portent le même numéro" in text
    assert f"{NODE.hex()} donne une heure impossible, la dernière 2036-07-18" in text
    assert text.count("→ à faire : ") == 3
    found = json.loads(bocage("alarms", "--json", "--lang", "en").out)
    number = next(alarm["number"] for alarm in found if alarm["kind"] == "clone")
    assert bocage("alarms", "--close", str(number)).out == ""
    assert "clone" not in bocage("alarms", "--json").out
    assert "n’existe pas" in bocage("alarms", "--close", str(number), status=2).err


def test_a_person_releases_what_was_kept_apart_and_moves_the_node(bocage):
    assert f"{OPENED} sur {NODE.hex()}, de {OWN} : 1 relevé" in bocage("apart").out
    out = bocage("apart", "--gateway", OPENED, "--release", "--move", "--lang", "en").out
    assert out == "1 record counts now\n"
    assert bocage("apart").out == "Rien n’est mis à part.\n"
    assert json.loads(bocage("stats", "--json").out)["records"] == 4
    assert {alarm["kind"] for alarm in json.loads(bocage("alarms", "--json").out)} == {"clone", "time"}


def test_a_person_discards_what_a_stranger_said(bocage):
    assert bocage("apart", "--gateway", OPENED, "--discard").out == "1 relevé écarté\n"
    assert json.loads(bocage("stats", "--json").out)["records"] == 3
    assert "Rien n’est mis à part" in bocage("apart", "--gateway", OPENED, "--discard", status=1).err


@pytest.mark.parametrize(
    ("words", "said_"),
    [
        (["apart", "--release"], "--gateway :"),
        (["apart", "--gateway", OPENED, "--move"], "--move, --also :"),
        (["apart", "--gateway", OPENED, "--release", "--node", "12"], "--node 12"),
        (["bind", "--gateway", "mairie", "--node", "00000000000000a1"], "--gateway mairie"),
    ],
)
def test_a_decision_that_is_not_clear_is_refused(bocage, words, said_):
    assert said_ in bocage(*words, status=2).err


def test_bind_lets_another_cabinet_speak(bocage):
    bocage("bind", "--gateway", OPENED, "--node", NODE.hex(), "--also")
    assert OPENED in bocage("apart").out, "what is there still waits for a word"
