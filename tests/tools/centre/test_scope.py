"""A person sees what is granted and nothing else, by every command, table, view and statement.

Every row of the world says in its words whose it is (`tests.support.scoped_world`), so what is foreign to a person is
a list of words, and one of them anywhere in what the person reads is a leak.
"""

import ast
import importlib
import inspect
import sqlite3
from argparse import ArgumentParser
from collections import Counter
from contextlib import ExitStack, closing, contextmanager
from itertools import cycle
from pathlib import Path

import pytest

from tests.support.scoped_world import (
    ANGERS,
    DAYS,
    FENEU,
    HEATING,
    LIGHTING,
    MOVED,
    ROLES,
    WATERING,
    leaks,
    lines,
    node_of,
    opened,
    texts,
)  # fmt: skip
from tools import cli
from tools.centre.cli import COMMANDS
from tools.centre.condition.states import States
from tools.centre.scope.rules import RULES
from tools.centre.store import schema, views
from tools.centre.store.archive import Archive
from wire import quantity

# What each command is asked; {file} is one that it may write.
READS = {
    "lamps": [(), ("--state", "fault")],
    "alarms": [(), ("--round",), ("--month", "2026-11"), (f"{ANGERS}-light-1",), (f"{FENEU}-room-1",)],
    "energy": [("--month", "2026-11", "--by", kind) for kind in ("feeder", "light", "street", "room", "cabinet")]
    + [("--month", "2026-11", "--by", "commune"), ("--month", "2026-11", "--commune", ANGERS)],
    "water": [("--month", "2026-11")],
    "rooms": [(), ("--month", "2026-11")],
    "stats": [()],
    "export": [(), ("--format", "csv"), ("--node", node_of("room", ANGERS).hex())],
    "register show": [(f"{FENEU}-light-1",), ("room-1",), (node_of("room", ANGERS).hex(),), ("moved",)],
    "register unknown": [()],
    "register placed": [()],
    "register export": [("{file}.csv",), ("{file}.csv", "--at", "2026-11-29"), ("{file}.gpkg", "--commune", ANGERS)],
    "apart": [()],
    "disown": [(node_of("room", ANGERS).hex(),), (node_of("light", FENEU).hex(),)],
    "access list": [()],
    "access journal": [("--from", "2026-01-01")],
}
# What opens a warehouse and shows no row of it, with the reason.
SHOWS_NOTHING = {
    "ingest": "writes",
    "rollup": "writes, and prints how many days",
    "keep": "writes, and prints for how long",
    "purge": "deletes, and prints how much",
    "register import": "writes; prints what the file says, beside what it changes",
    "bind": "writes",
    "unbind": "writes",
    "receipt-key": "prints the warehouse's own public key",
    "access give": "writes what was typed",
    "access withdraw": "writes, and prints what it ended",
    "access server": "prepares PostgreSQL for it",
    "agents campaign": "of root: which version each cabinet runs, and since when",
    "programs campaign": "of root: how far each cabinet is with a program for its nodes",
    "web": "serves pages: each address is asked as each person in `tests/tools/centre/web`",
}


def questions():
    """Returns every command that reads, with each of its arguments."""
    return [pytest.param(name, words, id=" ".join((name, *words))) for name in READS for words in READS[name]]


def forms_of(name):
    """Returns the arguments of each form that a command answers in."""
    parser = ArgumentParser()
    importlib.import_module(COMMANDS[name]).add_arguments(parser)
    return [(), *((form,) for form in ("--json", "--csv") if form in parser._option_string_actions)]


def ask(capsys, path, person, name, words, folder):
    """What a person gets to read: printed or written."""
    words = [word.replace("{file}", str(folder / "out")) for word in words]
    cli.main(["centre", *name.split(), *words, "--db", path, "--as", person, "--lang", "en"])
    captured = capsys.readouterr()
    said = captured.out + "".join(line for line in captured.err.splitlines() if "no such" not in line)
    for file in folder.glob("out*"):
        if file.suffix == ".gpkg":
            with closing(sqlite3.connect(file)) as opened:
                for (table,) in opened.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
                    said += texts(opened.execute(f'SELECT * FROM "{table}"')) if table != "gpkg_spatial_ref_sys" else ""
        else:
            said += file.read_text(encoding="utf-8")
        file.unlink()
    return said


def foreign(person, words, said):
    """What a person may not see of what was said, but for the words that were typed."""
    asked = [word for word in words if any(code in word for code in (FENEU, ANGERS))]
    return [word for word in leaks(person, said) if not any(word in one for one in asked)]


# --- every read path ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "words"), questions())
def test_command_shows_each_person_no_foreign_row_and_notes_what_is_about_persons(path, capsys, tmp_path, name, words):
    """About persons are celsius of the rooms, and the journal itself. The persons ask in the forms by turns."""
    before = Counter((line.person, line.deed) for line in lines(path))
    for person, form in zip(ROLES, cycle(forms_of(name)), strict=False):
        said = ask(capsys, path, person, name, (*words, *form), tmp_path)
        assert not foreign(person, words, said), (person, said)
        is_about = any(word in said for word in ('"v":20.00', ",20.00,", '"temperature_c"', "°C", "somebody"))
        noted = Counter((line.person, line.deed) for line in lines(path)) - before
        assert noted[person, name] or not is_about, said


@contextmanager
def connections(built):
    """{person: a connection}"""
    with ExitStack() as stack:
        yield {person: stack.enter_context(opened(built, person)) for person in ROLES}


@pytest.fixture(scope="module")
def of_persons(built):
    with connections(built) as of_persons:
        yield of_persons


@pytest.mark.parametrize("table", [*RULES, *views.STATEMENTS])
def test_relation_holds_no_foreign_row_for_any_person(built, of_persons, table):
    for person, connection in of_persons.items():
        rows = connection.execute(f"SELECT * FROM {table}").fetchall()
        assert not leaks(person, texts(rows)), person
        assert connection.execute(f"SELECT count(*) FROM {table}").fetchone() == (len(rows),)
        if person == "nobody" and table not in ("calendar", "quantities"):
            assert rows == []
        if person == "operator" and table not in ("grants", "journal"):
            with closing(schema.open_to_read(built)) as whole:
                assert Counter(rows) == Counter(whole.execute(f"SELECT * FROM {table}"))


def test_each_person_reads_what_is_granted(built, capsys, tmp_path):
    for person, insee, trade, name in [
        ("electrician", FENEU, LIGHTING, "lamps"),
        ("caretaker", ANGERS, HEATING, "rooms"),
        ("gardener", FENEU, WATERING, "water"),
        ("mayor", FENEU, HEATING, "alarms"),
        ("two", ANGERS, LIGHTING, "lamps"),
    ]:
        assert f"{trade} street of {insee}" in ask(capsys, built, person, name, ("--csv",), tmp_path), person


def test_person_reads_the_readings_of_what_is_granted(built):
    seen = {}
    for person in ROLES:
        with opened(built, person) as connection:
            rows = connection.execute("SELECT DISTINCT insee, quantity FROM readings WHERE kind <> 'green_space'")
            seen[person] = {tuple(row) for row in rows}
    lamp, room = ("power", "energy", "level-ordered"), ("temp", "setpoint", "duty")
    assert seen["nobody"] == seen["auditor"] == set()
    assert seen["electrician"] == {(FENEU, name) for name in lamp}
    assert seen["caretaker"] == {(ANGERS, name) for name in room}
    assert seen["contractor"] == {(insee, name) for insee in (FENEU, ANGERS) for name in lamp}
    assert seen["two"] == {(ANGERS, name) for name in lamp} | {(FENEU, name) for name in room}


def test_electrician_of_one_commune_knows_her_lamp_and_its_feeder(built):
    with opened(built, "electrician") as connection:
        known = States(connection, now_s=DAYS[3])
        found = [one for kind in ("cabinet", "feeder", "light", "room") for one in known.of_equipment(kind)]
        states = {one.id: one.state for one in found}
    assert states == {"cab": "unknown", "cab/main": "fault", "light-1": "fault"}


def test_lamp_that_moved_shows_each_commune_its_own_time(built):
    seen = {}
    for person in ("electrician", "two", "operator"):
        with opened(built, person) as connection:
            watts = {one.value for one in Archive(connection).readings(MOVED, quantity.POWER)}
            days = connection.execute("SELECT day_local FROM days WHERE node = ?", (MOVED,)).fetchall()
            hours = connection.execute("SELECT max(hour_unix_s) FROM hours WHERE node = ?", (MOVED,)).fetchone()
            seen[person] = watts, days, hours[0] >= DAYS[2]
    assert seen["electrician"] == ({100}, [("2026-11-13",)], False)
    assert seen["two"] == ({200}, [("2026-11-15",)], True)
    assert seen["operator"][0] == {100, 200}


# --- nothing is forgotten -----------------------------------------------------------------------------------


def test_every_table_and_view_has_a_rule():
    with closing(schema.open_to_write(":memory:")) as connection:
        held = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type <> 'index'")}
    # `readable` has bodies, for who holds the file; sqlite_sequence is SQLite's own.
    assert held - {"readable", "sqlite_sequence"} == {*RULES, *views.STATEMENTS}


def test_every_command_that_reads_is_asked_for_each_person():
    of_persons, openers = set(), set()
    for name, module in COMMANDS.items():
        source = inspect.getsource(importlib.import_module(module))
        if "add_reading(parser)" in source:
            of_persons.add(name)
        if any(word in source for word in ("opened_connection", "opened_warehouse", "schema.open_to", "Warehouse(")):
            openers.add(name)
    assert of_persons == set(READS)
    assert openers - of_persons <= set(SHOWS_NOTHING)


def test_nothing_else_in_the_centre_opens_a_warehouse_to_read_it():
    found = set()
    for file in Path(inspect.getfile(schema)).parent.parent.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Attribute) and ast.unparse(node) in ("schema.open_to_read", "Archive.open"):
                found.add(file.name)
    assert found == {
        "arguments.py",  # the one way of the commands
        "reader.py",  # for a person
        "server.py",  # the same on PostgreSQL
        "connections.py",  # there, as the role of the screens, what is granted to a person
        "archive.py",  # for proofs and the rig
        "metrics.py",  # counts alone
        "agents_campaign.py",  # which version each cabinet runs; of root
        "programs_campaign.py",  # how far each cabinet is with a program for its nodes; of root
        "health.py",  # when a cabinet was last heard; of root
        "installation.py",  # whether it can be opened; of root
        "register_import.py",  # what a dry run would change
        "second_process.py",  # the roll-up's, whole
        "watch.py",  # the duty's, which tells each person what the scope grants
    }


# --- planted leaks ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("table", "rule"),
    [
        ("readings", "records.node >= ''"),
        ("equipment", "equipment.insee = '49135' OR equipment.kind = 'light'"),
        ("latest", "latest.node >= ''"),
        ("records", "EXISTS (SELECT 1 FROM scope_nodes AS s WHERE s.from_unix_s <= 0) OR records.node >= ''"),
        ("faults", "faults.node >= ''"),
    ],
)
def test_a_leak_that_is_planted_is_found(built, monkeypatch, capsys, tmp_path, table, rule):
    for ruled in ("records", "latest", "day_spans") if table == "readings" else (table,):
        monkeypatch.setitem(RULES, ruled, rule.replace("records", ruled))
    with connections(built) as of_persons, pytest.raises(AssertionError):
        test_relation_holds_no_foreign_row_for_any_person(built, of_persons, table)


def test_a_command_that_goes_past_the_scope_is_found(built, monkeypatch, capsys, tmp_path):
    monkeypatch.setattr("tools.centre.arguments.reader.open_to_read", lambda path, areas: schema.open_to_read(path))
    for name, words in [("rooms", ()), ("lamps", ("--json",)), ("export", ()), ("stats", ("--json",))]:
        said = {person: ask(capsys, built, person, name, words, tmp_path) for person in ROLES}
        assert any(foreign(person, words, said[person]) for person in ROLES), name
