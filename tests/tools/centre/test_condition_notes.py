"""What people wrote on the screens comes into the warehouse once, and no more than they had the right to write."""

import os
from contextlib import closing

import pytest

from tests.support.killed_process import answers_and_is_killed
from tests.support.scoped_world import ANGERS, FENEU, MOVED, NOW_S, build_for_persons, gateway_of, lines, node_of
from tools import cli
from tools.centre.condition import notes
from tools.centre.condition.faults import Faults, Note
from tools.centre.condition.notes import Sent
from tools.centre.scope import journal
from tools.centre.store import schema, sqlite_file
from wire import event

SAID = Note(NOW_S, "mayor", "mayor", "vu")


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    path = tmp_path_factory.mktemp("notes") / "centre.db"
    build_for_persons(str(path))
    return path


class World:
    """A warehouse, the notes of a web beside it, and the roll-up's side of them."""

    def __init__(self, built, folder):
        self.where = str(folder / "centre.db")
        with (
            closing(sqlite_file.open_to_read(str(built))) as source,
            closing(sqlite_file.open_to_write(self.where)) as to,
        ):
            source.backup(to)
        self.connection = schema.open_to_write(self.where)
        self.path = notes.path_of(str(folder / "web.sqlite3"))
        self.logged = []
        self.fetcher = None
        self.start()

    def close(self):
        self.fetcher.close()
        self.connection.close()

    def start(self):
        if self.fetcher is not None:
            self.fetcher.close()
        log = lambda what, **_: self.logged.append(what)  # noqa: E731
        self.fetcher = notes.Fetcher(self.path, self.where, self.connection, log)

    def cause(self, insee=FENEU):
        """The record with which the cabinet of a commune states a fault."""
        found = Faults(self.connection).open()
        return next(one.begin for one in found if one.node == gateway_of(insee))

    def put(self, said=SAID, insee=FENEU, **changes):
        sent = Sent(insee, gateway_of(insee), self.cause(insee), said)._replace(**changes)
        notes.put(self.path, sent, now_s=NOW_S)

    def fetch(self):
        """The notes that the warehouse then has."""
        self.fetcher.fetch(now_s=NOW_S)
        return [note for fault in Faults(self.connection).open() for note in fault.notes]


@pytest.fixture
def world(built, tmp_path):
    made = World(built, tmp_path)
    yield made
    made.close()


def test_a_note_comes_once_however_often_it_is_fetched_and_the_journal_has_it(world):
    assert world.fetch() == []  # no notes yet
    world.put()
    world.put()
    assert world.fetch() == [SAID]
    world.start()
    assert world.fetch() == [SAID]
    mine = [
        (line.at_unix_s, line.deed, line.insee, line.about) for line in lines(world.where) if line.person == "mayor"
    ]
    assert mine == [(NOW_S, "alarms --acknowledge", FENEU, f"cabinet of {FENEU}")]
    os.remove(world.path)
    world.put(SAID._replace(holder=None))
    assert world.fetch() == [SAID._replace(holder=None), SAID], "notes that were made again are read from their start"


def test_a_note_is_on_the_disk_before_the_person_is_answered(world):
    """The web's process is killed at once after its answer."""
    answers_and_is_killed(
        "from tools.centre.condition import notes\n"
        "from tools.centre.condition.faults import Note\n"
        f"sent = notes.Sent({FENEU!r}, {gateway_of(FENEU)!r}, {world.cause()}, Note{tuple(SAID)})\n"
        f"notes.put({world.path!r}, sent, now_s={NOW_S})\n"
    )
    assert world.fetch() == [SAID]


def test_a_roll_up_that_is_killed_within_a_note_brings_it_whole_the_next_time(world, monkeypatch):
    world.put()
    monkeypatch.setattr(notes.journal, "add", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        world.fetch()
    monkeypatch.undo()
    world.start()
    assert world.fetch() == [SAID] and [line.person for line in lines(world.where)].count("mayor") == 1


def test_the_roll_up_refuses_what_a_web_that_was_broken_into_makes_up(world):
    refused = (
        {"said": SAID._replace(author="nobody")},
        {"said": SAID._replace(author="a stranger")},
        {"said": SAID._replace(author="caretaker")},  # of heating in Angers
        {"said": SAID._replace(author="two"), "insee": FENEU},  # of heating there
        {"insee": ANGERS},
        {"said": SAID._replace(written_unix_s=NOW_S + 1)},
        {"said": SAID._replace(words="two\nlines")},
        {"said": SAID._replace(holder="a\x1b[2J")},
        {"position": (1, 1 << 40)},
        {"node": node_of("light", ANGERS)},
    )
    for changes in refused:
        world.put(**changes)
    with closing(sqlite_file.open_to_write(world.path)) as intruder:
        columns = "insee, node, boot, sequence, written_unix_s, author, holder, words"
        rows = [(FENEU, gateway_of(FENEU), *world.cause(), NOW_S, "mayor", None, "x" * 100_000)]
        rows.append((ANGERS, gateway_of(FENEU), *world.cause(), NOW_S, "mayor", None, "x"))  # the journal of others
        rows.append((FENEU, "text", *world.cause(), NOW_S, "mayor", None, "x"))
        rows.append((FENEU, gateway_of(FENEU), "one", 1, NOW_S, "mayor", None, "x"))
        intruder.executemany(f"INSERT INTO notes ({columns}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)", rows)
    assert world.fetch() == []
    assert world.logged == ["note-refused"] * (len(refused) + 3)
    world.put()
    assert world.fetch() == [SAID]


def test_a_line_of_the_journal_comes_once_and_a_made_up_one_never(world):
    line = journal.Line(NOW_S, "auditor", "access journal", "", "web, page 1")
    made_up = (line._replace(person="a stranger"), line._replace(at_unix_s=NOW_S + 1), line._replace(about="a\nb"))
    for one in (line, line, *made_up):
        notes.put_line(world.path, one)
    world.fetch()
    world.start()
    world.fetch()
    said = lines(world.where)
    assert said.count(line) == 1 and not set(made_up) & set(said)
    assert world.logged == ["line-refused"] * 6
    assert oct(os.stat(world.path).st_mode)[-3:] == "660"


def test_a_record_that_states_no_fault_has_no_notes(world):
    row = world.connection.execute("SELECT boot, sequence FROM records WHERE node = ? LIMIT 1", (MOVED,)).fetchone()
    assert not notes.is_stated(world.connection, MOVED, row)
    switched = world.connection.execute(
        "SELECT boot, sequence FROM records WHERE node = ? AND lane = ?",
        (gateway_of(FENEU), event.LANES.index(event.EVENT)),
    ).fetchone()
    assert not notes.is_stated(world.connection, gateway_of(FENEU), switched)
    assert notes.is_stated(world.connection, gateway_of(FENEU), world.cause())


def test_notes_that_cannot_be_read_delay_no_roll_up(world, tmp_path, capsys):
    with open(world.path, "wb") as file:
        file.write(b"no database at all" * 100)
    assert world.fetch() == [] and set(world.logged) == {"outbox-unreadable"}
    web = str(tmp_path / "web.sqlite3")
    assert cli.main(["centre", "rollup", "--db", world.where, "--once", "--web", web, "--lang", "en"]) == 0
    said = capsys.readouterr()
    assert "computed" in said.out and "outbox-unreadable" in said.err


def test_the_command_brings_them(world, tmp_path, capsys):
    world.put()
    web = str(tmp_path / "web.sqlite3")
    assert cli.main(["centre", "rollup", "--db", world.where, "--once", "--web", web]) == 0
    assert [note for fault in Faults(world.connection).open() for note in fault.notes] == [SAID]
