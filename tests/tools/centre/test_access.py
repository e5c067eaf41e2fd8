"""Rights are given, hold for their days and are withdrawn; the journal has who read what about persons."""

import json
import sqlite3
from contextlib import closing

import pytest

from tests.support.scoped_world import ANGERS, FENEU, HEATING, LIGHTING, WATERING, lines, opened
from tools import cli
from tools.centre.limits import JOURNAL_KEPT_S
from tools.centre.scope import grants, journal
from tools.centre.store import schema


def run(path, *words):
    return cli.main(["centre", *words, "--db", path, "--lang", "en"])


def test_right_is_given_used_and_withdrawn(path, capsys):
    give = ("access", "give", "Léa", "--commune", FENEU, "--trade", "heating", "--as", "secretary")
    assert run(path, *give) == 0
    assert run(path, "rooms", "--as", "Léa", "--csv") == 0
    assert f"room heating of {FENEU}" in capsys.readouterr().out
    assert run(path, "access", "withdraw", "Léa", "--as", "secretary") == 0
    assert run(path, "rooms", "--as", "Léa") == 0
    captured = capsys.readouterr()
    assert "none that may be shown" in captured.out and "Léa: no right is in force" in captured.err
    assert run(path, "access", "withdraw", "Léa") == 1
    assert {line[1:] for line in lines(path)} >= {
        ("Léa", "rooms", "", ""),
        ("secretary", "access give", FENEU, "Léa: heating"),
        ("secretary", "access withdraw", FENEU, "Léa: heating"),
    }


def test_ticket_of_a_contractor_opens_a_street_or_equipment_until_a_day(path, capsys):
    give = ("access", "give", "Lumen, ticket 118", "--commune", FENEU, "--until", "2099-01-15", "--as", "secretary")
    assert run(path, *give, "--street", f"lighting street of {FENEU}", "--equipment", "room/room-1") == 0
    said = capsys.readouterr().out
    assert f"lights of lighting street of {FENEU}" in said and "equipment room/room-1" in said and "2099-01-15" in said
    assert run(path, "lamps", "--as", "Lumen, ticket 118", "--csv") == 0
    assert ",light-1,fault," in capsys.readouterr().out
    assert ("secretary", "access give", FENEU, "Lumen, ticket 118: equipment:room/room-1") in {
        line[1:] for line in lines(path)
    }
    assert run(path, "access", "withdraw", "Lumen, ticket 118") == 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "give --trade"),
        (("--street", "x"), "with --until"),
        (("--equipment", "cabinet/cab", "--until", "2099-01-15"), "kinds are light"),
        (("--equipment", "light-1", "--until", "2099-01-15"), "kinds are light"),
    ],
)
def test_ticket_without_an_end_or_for_what_speaks_for_others_is_refused(path, capsys, words, said):
    assert run(path, "access", "give", "Lumen", "--commune", FENEU, *words) == 2
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(("now_s", "count"), [(99, 0), (100, 1), (199, 1), (200, 0)])
def test_right_holds_from_its_first_day_to_its_last(path, now_s, count):
    with closing(schema.open_to_write(path)) as connection:
        grants.give(connection, grants.Grant("dated", FENEU, LIGHTING, 100, 200, "secretary", 0))
    with opened(path, "dated", now_s=now_s) as connection:
        assert connection.execute("SELECT count(*) FROM lights").fetchone() == (count,)


def test_rights_that_add_up_to_all_trades_are_all_trades():
    connection = schema.open_to_write(":memory:")
    for insee, trade in (("*", LIGHTING), (FENEU, HEATING), (FENEU, WATERING)):
        grants.give(connection, grants.Grant("x", insee, trade, 0, None, "secretary", 0))
    areas = grants.areas(connection, "x", now_s=1)
    assert (FENEU, grants.EVERY) in areas and ("*", grants.EVERY) not in areas


def test_reading_that_cannot_be_noted_is_refused(path, capsys, monkeypatch):
    def full(*_):
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(journal, "write", full)
    assert run(path, "rooms", "--as", "operator") == 1
    captured = capsys.readouterr()
    assert captured.out == "" and "disk is full" in captured.err


def test_journal_is_purged_by_age_and_altered_by_nothing(path):
    with closing(schema.open_to_write(path)) as connection:
        before = lines(path)
        last_s = before[-1].at_unix_s
        journal.write(connection, journal.Line(last_s + JOURNAL_KEPT_S, "a", "rooms", "", ""))
        assert lines(path)[:-1] == [line for line in before if line.at_unix_s == last_s]
        journal.write(connection, journal.Line(last_s + JOURNAL_KEPT_S + 1, "b", "rooms", "", ""))
        assert [line.person for line in lines(path)] == ["a", "b"]


def test_journal_of_one_commune_is_granted_by_itself(path, capsys):
    assert run(path, "access", "give", "dpo", "--commune", FENEU, "--trade", "journal") == 0
    assert run(path, "alarms", f"{ANGERS}-light-1", "--comment", "seen") == 0
    capsys.readouterr()
    assert run(path, "access", "journal", "--from", "2026-01-01", "--as", "dpo", "--json") == 0
    assert {line["insee"] for line in json.loads(capsys.readouterr().out)} == {FENEU, ""}
    assert cli.main(["centre", "access", "journal", "--db", path, "--lang", "fr", "--csv"]) == 0
    assert "dpo : journal des accès" in capsys.readouterr().out


def test_fault_is_acknowledged_only_where_it_is_seen(path, capsys):
    words = ("alarms", f"{ANGERS}-light-1", "--acknowledge", "seen", "--as")
    assert run(path, *words, "electrician") == 2
    assert run(path, *words, "operator") == 0
    assert ("operator", "alarms --acknowledge", ANGERS, f"{ANGERS}-light-1") in [line[1:] for line in lines(path)]
