"""What people say about a cause on the screen: kept before the answer, in the warehouse once the roll-up has been."""

import re
from contextlib import closing

import pytest

from tests.support.scoped_world import ANGERS, FENEU, NOW_S, ROLES, gateway_of, has_page, lines, node_of, sees
from tools.centre.condition import notes
from tools.centre.condition.faults import Faults, Note
from tools.centre.limits import NOTE_TEXT_MAX, NOTES_OF_ONE_MAX
from tools.centre.store import schema, sqlite_file

# By whom a cause is stated, and of which trade it is; the light is without current for its feeder is.
TRADES = {"feeder": "lighting", "room": "heating", "green_space": "watering"}


@pytest.fixture(autouse=True)
def outbox(served):
    """The web's notes; each test begins with none of them, here or in the warehouse."""
    path = notes.path_of(str(served / "web.sqlite3"))
    with closing(schema.open_to_write(str(served / "centre.db"))) as connection:
        connection.execute("DELETE FROM fault_notes")
        connection.execute("DELETE FROM journal WHERE person = 'mayor'")
    if (served / "web.sqlite3.outbox").exists():
        with closing(sqlite_file.open_to_write(path)) as web:
            web.execute("DELETE FROM notes")
    return path


def key_of(browser, kind="feeder", insee=FENEU):
    """The key of the cause of this kind on the page."""
    node = gateway_of(insee) if kind == "feeder" else node_of(kind, insee)
    said = browser.get(f"/{insee}/faults").content.decode()
    found = re.search(rf'name="cause" value="({node.hex()}-\d+-\d+)"', said)
    return None if found is None else found[1]


def post(browser, deed, cause, insee=FENEU, **fields):
    return browser.post(f"/{insee}/faults/note", {"cause": cause, "deed": deed, **fields})


def card(browser, cause, insee=FENEU):
    said = browser.get(f"/{insee}/faults").content.decode()
    return said.partition(f'<h2 id="{cause}">')[2].partition("</li>")[0]


def in_warehouse(served):
    with closing(schema.open_to_read(str(served / "centre.db"))) as connection:
        return [note for fault in Faults(connection).open() for note in fault.notes]


def fetch(served, outbox, logged=None):
    path = str(served / "centre.db")
    with closing(schema.open_to_write(path)) as connection:
        log = lambda what, **_: logged.append(what) if logged is not None else None  # noqa: E731
        with closing(notes.Fetcher(outbox, path, connection, log)) as fetcher:
            fetcher.fetch(now_s=NOW_S)


def test_a_cause_goes_from_hand_to_hand_and_the_page_tells_who_did_what(browser, served, outbox):
    mayor = browser("mayor")
    cause = key_of(mayor)
    assert "Nobody has it in hand" in card(mayor, cause) and 'value="return"' not in card(mayor, cause)
    said = post(mayor, "take", cause, page="1")
    assert (said.status_code, said["Location"]) == (303, f"/{FENEU}/faults?page=1#{cause}")
    assert "In hand of mayor" in card(mayor, cause) and "mayor: takes it in hand" in card(mayor, cause)
    assert '<span class="age">since ' in card(mayor, cause)
    assert 'value="take"' not in card(mayor, cause) and 'value="take"' in card(browser("electrician"), cause)
    fetch(served, outbox)
    assert in_warehouse(served) == [Note(NOW_S, "mayor", "mayor", "")]
    assert card(mayor, cause).count("takes it in hand") == 1, "fetched or not, it is told once"


@pytest.mark.parametrize(
    ("deed", "fields", "told"),
    [
        ("assign", {"person": "Léa Durand"}, "mayor: hands it to Léa Durand"),
        ("comment", {"words": "fuse\u00a0ordered\u200d <b>"}, "mayor: fuse ordered &lt;b&gt;"),
        ("return", {"words": "no ladder"}, "mayor: gives it back: no ladder"),
    ],
)
def test_each_deed_is_told_on_the_screen_and_by_the_command(browser, served, outbox, capsys, deed, fields, told):
    from tools import cli

    mayor = browser("mayor")
    cause = key_of(mayor)
    assert post(mayor, deed, cause, **fields).status_code == 303
    before = card(mayor, cause)
    assert told in before and ("In hand of Léa Durand" in before) == (deed == "assign")
    fetch(served, outbox)
    assert told in card(mayor, cause)
    words = ("alarms", f"{FENEU}-cab/main", "--db", str(served / "centre.db"), "--as", "mayor", "--lang", "en")
    assert cli.main(["centre", *words]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert told.partition(" : ")[2].replace("&lt;b&gt;", "<b>") in said
    journal = {(one.person, one.deed, one.insee) for one in lines(str(served / "centre.db"))}
    assert ("mayor", "alarms --comment" if deed == "comment" else "alarms --acknowledge", FENEU) in journal


def test_what_is_given_back_is_in_nobodys_hands(browser, monkeypatch):
    from django.conf import settings

    mayor = browser("mayor")
    cause = key_of(mayor)
    for later_s, deed, holder in (
        (0, "assign", "Léa"),
        (1, "return", ""),
        (2, "take", "mayor"),
        (3, "comment", "mayor"),
    ):
        clock = lambda at_s=NOW_S + later_s: at_s  # noqa: E731
        monkeypatch.setattr(settings, "BOCAGE", settings.BOCAGE._replace(clock=clock))
        assert post(mayor, deed, cause, person="Léa", words="").status_code == (400 if deed == "comment" else 303)
        said = card(mayor, cause)
        assert (f"In hand of {holder}" if holder else "Nobody has it in hand") in said, deed
        assert ('value="return"' in said) == bool(holder) and ('value="take"' in said) == (holder != "mayor")


def test_only_who_has_the_trade_there_says_something(browser, served, outbox):
    keys = {(kind, insee): key_of(browser("operator"), kind, insee) for kind in TRADES for insee in (FENEU, ANGERS)}
    assert all(keys.values())
    for role in ROLES:
        own = browser(role)
        for (kind, insee), cause in keys.items():
            for page in (FENEU, ANGERS):
                wanted = 303 if sees(role, insee, kind) and has_page(role, page) else 404
                assert post(own, "comment", cause, page, words="x").status_code == wanted, (role, kind, insee, page)


def test_what_is_no_note_is_refused_in_words_and_not_kept(browser, outbox):
    mayor = browser("mayor")
    cause = key_of(mayor)
    for deed, fields in (
        ("comment", {}), ("comment", {"words": " \u200d "}), ("assign", {"words": "x"}), ("", {"words": "x"}),
        ("comment", {"words": "x" * (NOTE_TEXT_MAX + 1)}), ("assign", {"person": "x" * (NOTE_TEXT_MAX + 1)}),
    ):  # fmt: skip
        said = post(mayor, deed, cause, **fields)
        assert said.status_code == 400 and "Give one line of text, of 500 characters" in said.content.decode(), deed
    french = mayor.post(f"/{FENEU}/faults/note", {"cause": cause, "deed": "comment"}, headers={"Accept-Language": "fr"})
    assert "Donnez une ligne de texte" in french.content.decode() and "Prendre en main" in french.content.decode()
    node = cause.partition("-")[0]
    for forged in ("", "x", f"{node}-1-999999", f"{node}-1-0", f"{node}-1-{'9' * 30}", f"{node[1:]}-1-900"):
        assert post(mayor, "take", forged).status_code == 404, forged
    assert mayor.get(f"/{FENEU}/faults/note").status_code == 405
    assert "takes it" not in card(mayor, cause)


def test_a_note_needs_the_token_of_the_page(browser, served):
    from django.contrib.auth import get_user_model
    from django.test import Client

    strict = Client(enforce_csrf_checks=True)
    strict.force_login(get_user_model().objects.get(username="mayor"), "django.contrib.auth.backends.ModelBackend")
    cause = key_of(strict)
    assert post(strict, "take", cause).status_code == 403
    token = re.search('name="csrfmiddlewaretoken" value="([^"]+)"', strict.get(f"/{FENEU}/faults").content.decode())[1]
    assert post(strict, "take", cause, csrfmiddlewaretoken=token).status_code == 303


def test_a_person_who_writes_without_end_is_told_so(browser, outbox, monkeypatch):
    mayor = browser("mayor")
    cause = key_of(mayor)
    monkeypatch.setattr(notes, "NOTES_OF_ONE_MAX", 2)
    assert NOTES_OF_ONE_MAX > 2
    assert [post(mayor, "comment", cause, words=word).status_code for word in "abc"] == [303, 303, 400]
