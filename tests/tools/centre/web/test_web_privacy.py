"""The page of data protection: nothing about persons is kept without a line, its times are those in force."""

import re
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.support.scoped_world import ANGERS, FENEU, NOW_S, ROLES, lines
from tools.centre.condition import notes
from tools.centre.control import file as control_file
from tools.centre.duty import book, rota
from tools.centre.retention import classes
from tools.centre.scope import grants, journal, words
from tools.centre.scope.rules import CONTROL_RULES, RULES, opened_by
from tools.centre.store import schema, web_outbox
from tools.centre.web import privacy

# Texts and bytes that name no person: equipment and its place, cabinets and nodes, days, words of a fixed list, what is
# derived from records. A new column of a table without a line is judged here, or gets the table its line.
IMPERSONAL = {
    "insee", "kind", "id", "name", "street", "post", "lamp", "cabinet", "feeder", "gateway", "node", "about", "by_node",
    "epoch", "part", "why", "class", "lane", "day_local", "hour_utc", "hour_local", "subject", "detail",
    "member", "light", "product",
}  # fmt: skip
# Where such a word means something else: `quantities` has the units of physics.
OTHERS = {("quantities", "unit")}
# Django's own: none of them is about a person, or nothing writes into it (groups and rights are not used; of logins
# only failures are kept, `AXES_DISABLE_ACCESS_LOG`).
EMPTY_OF_DJANGO = {
    "auth_group", "auth_group_permissions", "auth_permission", "auth_user_groups", "auth_user_user_permissions",
    "axes_accessattemptexpiration", "axes_accessfailurelog", "axes_accesslog", "django_content_type",
    "django_migrations",
}  # fmt: skip


def walk(connection):
    """{table: its columns of text or bytes}"""
    tables = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name <> 'sqlite_sequence'")
    return {
        table: {
            column for _, column, kind, *_ in connection.execute(f"PRAGMA table_info({table})")
            if kind.upper().startswith(("TEXT", "BLOB", "VARCHAR", "CHAR"))
        }
        for (table,) in tables.fetchall()
    }  # fmt: skip


def lined(file):
    return {table for one in privacy.KEPT if one.file == file for table in one.tables}


def unjudged(file, tables):
    """(table, column) that may name a person, and has no line."""
    return {
        (table, column)
        for table, columns in tables.items() if table not in lined(file)
        for column in columns - IMPERSONAL if (table, column) not in OTHERS
    }  # fmt: skip


@pytest.mark.parametrize(
    ("file", "made"),
    [
        (privacy.WAREHOUSE, schema.SCHEMA),
        (privacy.CONTROL, control_file.SCHEMA),
        (privacy.OUTBOX, web_outbox.SCHEMA),
        (privacy.ROTA, rota.SCHEMA),
        (privacy.DUTY, book.SCHEMA),
    ],
)
def test_every_table_that_may_name_a_person_has_a_line(file, made):
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.executescript(made.statements)
        assert lined(file) <= set(walk(connection))
        assert not unjudged(file, walk(connection))
        connection.execute("CREATE TABLE visits (node BLOB NOT NULL, technician TEXT NOT NULL)")
        assert unjudged(file, walk(connection)) == {("visits", "technician")}


def test_every_table_of_accounts_has_a_line(browser):
    from django.conf import settings

    browser()
    with closing(sqlite3.connect(settings.BOCAGE.data)) as connection:
        found = walk(connection)
        assert set(found) - lined(privacy.ACCOUNTS) == EMPTY_OF_DJANGO
        for table in EMPTY_OF_DJANGO - {"auth_permission", "django_content_type", "django_migrations"}:
            assert connection.execute(f"SELECT count(*) FROM {table}").fetchone() == (0,), table
    assert settings.AXES_DISABLE_ACCESS_LOG


def test_only_who_has_the_journal_finds_the_page(browser):
    for person in ROLES:
        for address in ("/privacy", "/privacy/journal"):
            expected = 200 if person == "auditor" else 404
            assert browser(person).get(address).status_code == expected, (person, address)
        assert ('href="/privacy"' in browser(person).get("/privacy").content.decode()) == (person == "auditor")
    assert browser("auditor").get("/")["Location"] == "/privacy"


def test_times_are_those_in_force(browser):
    from django.conf import settings

    before = browser("auditor").get("/privacy").content.decode()
    assert "<td>13 months (396 d)</td>" in before and "412 d" not in before
    assert "<td>1 year (366 d)</td>" in before and "<td>5 years (1827 d)</td>" in before and "<td>7 d</td>" in before
    with closing(schema.open_to_write(settings.BOCAGE.warehouse)) as connection:
        classes.keep(connection, {classes.ROOMS: 412})
        after = browser("auditor").get("/privacy").content.decode()
        connection.execute("DELETE FROM retention")
    assert after.count("<td>412 d</td>") == 1


def test_readers_are_those_of_the_rules():
    found = {table: opened_by(rule) for table, rule in (CONTROL_RULES | RULES).items()}
    assert {table for table, trade in found.items() if trade == grants.JOURNAL} == {"grants", "journal"}
    assert found["apart"] == found["refused"] == grants.EVERY
    assert found["hours"] == found["fault_notes"] == found["commands"] == grants.ANY


def test_page_without_a_control_file_has_no_order(browser, monkeypatch):
    from django.conf import settings

    assert "sendings to cabinets" in browser("auditor").get("/privacy").content.decode()
    monkeypatch.setattr(settings, "BOCAGE", settings.BOCAGE._replace(control=None))
    said = browser("auditor").get("/privacy").content.decode()
    assert "sendings to cabinets" not in said and "(orders)" not in said and "notes about faults" in said


def test_reading_the_journal_is_its_newest_line(browser):
    from django.conf import settings

    said = browser("auditor").get("/privacy/journal?page=1<script>").content.decode()
    line = journal.Line(NOW_S, "auditor", "access journal", "", "web, page 1")
    with closing(schema.open_to_write(settings.BOCAGE.warehouse)) as connection:
        log = lambda *_, **__: pytest.fail("refused")  # noqa: E731
        path = notes.path_of(settings.BOCAGE.data)
        with closing(notes.Fetcher(path, settings.BOCAGE.warehouse, connection, log)) as fetcher:
            fetcher.fetch(now_s=NOW_S + 86_400)  # others of this world wrote later
    assert line in lines(settings.BOCAGE.warehouse)
    assert "read this journal" in said and "on the screen, page 1</td>" in said
    assert "<script>" not in said.replace("<script src", "")


def test_journal_that_cannot_be_written_is_not_read(browser, monkeypatch):
    def refuses(*_):
        raise sqlite3.OperationalError("attempt to write a readonly database")

    monkeypatch.setattr(notes, "put_line", refuses)
    said = browser("auditor").get("/privacy/journal")
    assert said.status_code == 503 and "somebody" not in said.content.decode()


def test_journal_of_one_commune_has_its_lines_only(browser):
    from django.conf import settings

    from tools.centre.web import access

    with closing(schema.open_to_write(settings.BOCAGE.warehouse)) as connection:
        connection.execute("UPDATE grants SET insee = ? WHERE person = 'auditor'", (FENEU,))
        access._communes.cache_clear()
        said = browser("auditor").get("/privacy/journal").content.decode()
        rights = browser("auditor").get("/privacy").content.decode()
        connection.execute("UPDATE grants SET insee = '*' WHERE person = 'auditor'")
    access._communes.cache_clear()
    assert f"<td>commune of {FENEU}</td>" in said and f"commune of {ANGERS}" not in said
    assert "electrician" in rights and "caretaker" not in rights


def test_rights_name_communes_and_not_their_codes(browser):
    said = browser("auditor").get("/privacy").content.decode()
    assert f"<td>commune of {FENEU}</td>" in said and f"<td>{FENEU}</td>" not in said


def test_journal_is_paged_newest_first(browser):
    from django.conf import settings

    with closing(schema.open_to_write(settings.BOCAGE.warehouse)) as connection:
        rows = [(NOW_S - 10 - n, "many", "rooms", FENEU, f"n{n}") for n in range(120)]
        connection.executemany("INSERT INTO journal VALUES (?, ?, ?, ?, ?)", rows)
        pages = [browser("auditor").get(f"/privacy/journal?page={n}").content.decode() for n in (1, 3)]
    assert "<td>n0</td>" in pages[0] and "<td>n119</td>" not in pages[0] and pages[0].count("<td>n") <= 50
    assert "<td>n119</td>" in pages[1]


def test_session_that_is_over_is_gone_at_the_next_login(browser):
    from datetime import timedelta

    from django.contrib.sessions.models import Session
    from django.utils import timezone

    from tests.tools.centre.web.conftest import PASSWORD

    Session.objects.create(session_key="old", session_data="", expire_date=timezone.now() - timedelta(days=1))
    assert browser().post("/login", {"who": "operator", "password": PASSWORD}).status_code == 302
    assert not Session.objects.filter(session_key="old").exists()


def test_where_something_is_kept_and_what_was_done_is_told_without_a_word_of_the_programs(browser):
    said = browser("auditor", **{"Accept-Language": "fr"}).get("/privacy").content.decode()
    kept = {table for one in privacy.KEPT for table in one.tables}
    assert kept == set(privacy.TABLES) and "enregistrements contradictoires" in said
    assert not {"conflicts", "fault_notes", "sendings", "keysets", "auth_user", "owed"} & set(re.findall(r"\w+", said))


def test_each_deed_of_the_journal_has_its_words():
    written = re.compile(r'(?:reads=|note\(args, |opened_warehouse\(args, |of_grant\(\w+, |deed = )"([a-z -]+)"')
    sources = [path.read_text(encoding="utf-8") for path in Path(words.__file__).parent.parent.rglob("*.py")]
    deeds = {deed for source in sources for deed in written.findall(source)}
    assert len(deeds) > 12 and deeds <= set(words.DEEDS)
