"""A person sees the orders, policies and cabinets of what is granted, and nothing else of the control file."""

import sqlite3
from contextlib import closing

import pytest

from tests.support.control_world import NOW_S, new_file, order, outcome, put
from tests.support.scoped_world import ANGERS, FENEU, HEATING, LIGHTING, ROLES, TRADES, WATERING, granted, texts
from tools import cli
from tools.centre.control import file as control_file
from tools.centre.control import gateways, orders
from tools.centre.scope import grants, reader
from tools.centre.scope.rules import CONTROL_RULES
from tools.centre.store import schema
from wire import command, directive

_TARGETS = {HEATING: "thermostat", WATERING: "irrigation"}


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """A control file with an order of each trade and commune, one for all nodes of Feneu, and an end of one; and the
    warehouse that has the rights."""
    folder = tmp_path_factory.mktemp("scope")
    with closing(new_file(folder / "control.db")) as connection:
        number = 0
        for insee in (FENEU, ANGERS):
            gateways.note_seen(connection, insee, f"cab-{insee}", is_own=True, now_s=NOW_S)
            for trade in (*TRADES, "every"):
                number += 1
                one = order(number)._replace(insee=insee, reason=f"{trade} of {insee}")
                if trade != LIGHTING:
                    values = {directive.DROUGHT_LEVEL if trade in _TARGETS else directive.WIND_SPEED: 2}
                    one = one._replace(kind=command.DIRECTIVE, target=_TARGETS.get(trade), values=values)
                put(connection, one)
                orders.note_sent(connection, one.id, f"cab-{insee}", None, now_s=NOW_S)
                orders.accept_outcome(connection, insee, f"cab-{insee}", outcome(one, "received"), now_s=NOW_S)
        end = order(9, kind=command.END, ends=(2).to_bytes(8, "big"))
        put(connection, end._replace(reason=f"heating of {FENEU}"))
    path = str(folder / "centre.db")
    with closing(schema.open_to_write(path)) as connection:
        for person, areas in ROLES.items():
            for area in areas:
                grants.give(connection, grants.Grant(person, *area, 0, None, "secretary", 0))
    return str(folder / "control.db"), path


def foreign(person):
    words = []
    for insee in (FENEU, ANGERS):
        mine = {trade for trade in TRADES if granted(person, insee, trade)}
        words += [f"{trade} of {insee}" for trade in TRADES if trade not in mine]
        words += [] if len(mine) == 3 else [f"every of {insee}"]
        words += [] if mine else [insee]
    return words


def scoped(files, person):
    with closing(schema.open_to_read(files[1])) as connection:
        areas = grants.areas(connection, person, now_s=NOW_S)
    return closing(reader.of_control(control_file.open_to_read(files[0]), areas))


@pytest.mark.parametrize("words", [("commands",), ("commands", "--json"), ("gateways",), ("gateways", "--json")])
def test_command_shows_each_person_what_is_granted(files, capsys, words):
    control, warehouse = files
    for person in ROLES:
        cli.main(["centre", *words, "--db", control, "--as", person, "--warehouse", warehouse, "--lang", "en"])
        said = capsys.readouterr().out
        assert [word for word in foreign(person) if word in said] == [], person
        if words[0] == "commands":
            own = {f"{t} of {i}" for i in (FENEU, ANGERS) for t in TRADES} - set(foreign(person))
            assert all(word in said for word in own), (person, said)


@pytest.mark.parametrize("table", CONTROL_RULES)
def test_table_holds_no_foreign_row_for_any_person(files, table):
    for person in ROLES:
        with scoped(files, person) as connection, closing(control_file.open_to_read(files[0])) as whole:
            rows = connection.execute(f"SELECT * FROM {table}").fetchall()
            every = whole.execute(f"SELECT * FROM {table}").fetchall()
        found = [word for word in foreign(person) if word in texts(rows) or word.encode().hex() in texts(rows)]
        assert found == [], person
        assert rows == (every if person == "operator" else [] if person in ("nobody", "auditor") else rows)


def test_every_table_has_a_rule():
    with closing(control_file.open_to_write(":memory:")) as connection:
        held = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    assert held - {"sqlite_sequence"} == set(CONTROL_RULES)


def test_a_leak_that_is_planted_is_found(files, monkeypatch):
    monkeypatch.setitem(CONTROL_RULES, "commands", f"commands.insee = '{FENEU}'")
    with pytest.raises(AssertionError):
        test_table_holds_no_foreign_row_for_any_person(files, "commands")


def test_file_itself_is_refused(files):
    with scoped(files, "mayor") as connection, pytest.raises(sqlite3.Error):
        connection.execute("WITH commands AS (SELECT * FROM main.commands) SELECT * FROM commands")


def test_person_without_a_warehouse_reads_nothing(files, capsys):
    assert cli.main(["centre", "commands", "--db", files[0], "--as", "operator"]) == 2
    assert "--warehouse" in capsys.readouterr().err
