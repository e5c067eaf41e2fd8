"""The screen of the duty: who is on duty, what was told to whom, and a rota that who has the right there writes."""

from contextlib import closing

import pytest

from tests.support.scoped_world import ANGERS, FENEU, NOW_S, ROLES, gateway_of, granted, has_page
from tools.centre.duty import rota
from tools.centre.duty.book import Book
from tools.centre.duty.rota import Person, Week
from tools.centre.duty.sending import Configuration
from tools.centre.duty.watch import Watch
from tools.centre.store import sqlite_file, web_outbox

WEEK = rota.week_of(NOW_S)
ALICE = Person("operator", "+33612345678", "operator@example.fr", "en")
BRUNO = Person("mayor", "+33687654321", "", "fr")


@pytest.fixture(autouse=True)
def path(served):
    """The rota of the web: the operator for all, the mayor stands in; and no book."""
    path = rota.path_of(str(served / "web.sqlite3"))
    for file in (path, str(served / "duty.db")):
        for end in ("", "-wal", "-shm"):
            (served / (file.rpartition("/")[2] + end)).unlink(missing_ok=True)
    for person in (ALICE, BRUNO):
        rota.set_person(path, person)
    rota.set_weeks(path, [Week("*", "lighting", WEEK, "operator", "mayor")], now_s=NOW_S)
    return path


def page(browser, insee=FENEU, **headers):
    return browser.get(f"/{insee}/duty", headers=headers).content.decode()


def watch(served, now_s=NOW_S):
    """What the process decides at an instant."""
    configured = Configuration("https://c", 15, {"sms": None, "mail": None})
    data = str(served / "web.sqlite3")
    one = Watch(str(served / "centre.db"), str(served / "duty.db"), data, configured, lambda *_, **__: None)
    one.decide(now_s=now_s)
    one.close()


def post(browser, what, insee=FENEU, **fields):
    return browser.post(f"/{insee}/duty/{what}", fields)


def test_page_tells_who_is_on_duty_and_what_was_told_to_whom(browser, served):
    before = page(browser("electrician"))
    assert "operator, then mayor" in before and "Nothing was told yet" in before and "last at work never" in before
    watch(served)
    said = page(browser("electrician"))
    assert "lighting feeder of 49135" in said and "SMS to operator</" not in said
    assert "SMS to operator (person on duty) : not sent yet" in said and "last at work" not in said
    assert f'href="/{FENEU}/faults#{gateway_of(FENEU).hex()}-1-1"' in said
    assert "SMS to" not in page(browser("gardener")), "the told lines are of the trade"
    french = page(browser("electrician"), **{"Accept-Language": "fr"})
    assert "SMS à operator (d’astreinte)\u00a0: pas encore envoyé" in french
    assert not any(ALICE.phone[3:] in page(browser(role)) for role in ROLES if role not in ("operator", "nobody"))


def test_problems_of_the_sending_stand_on_the_screen_of_the_chain(browser, served):
    watch(served, NOW_S)
    assert 'class="notice bad" role' not in browser("mayor").get(f"/{FENEU}/health").content.decode()
    with closing(Book.open(str(served / "duty.db"))) as book:
        book.connection.execute("UPDATE messages SET tries = 1")
        book.set("unaddressed", 1)
        book.set("looked", NOW_S - 7200)
    said = browser("mayor").get(f"/{FENEU}/health").content.decode()
    for words in ("to who is on duty could not be sent yet", "1 fault is told to nobody", "was last at work"):
        assert words in said, words


def test_week_is_written_by_who_has_the_trade_there_and_is_in_the_journal(browser, served, path):
    for role in ROLES:
        own = browser(role)
        for insee in (FENEU, ANGERS):
            for trade in ("lighting", "heating", "watering"):
                for where in (insee, "*"):
                    fields = {"where": where, "trade": trade, "week": WEEK, "person": "operator", "substitute": ""}
                    mine = granted(role, "*" if where == "*" else insee, trade)
                    wanted = 303 if mine and has_page(role, insee) else 404
                    assert post(own, "week", insee, **fields).status_code == wanted, (role, insee, trade, where)
    with closing(sqlite_file.open_to_read(web_outbox.path_of(str(served / "web.sqlite3")))) as web:
        lines = web.execute("SELECT person, insee, about FROM lines WHERE deed = 'duty rota'").fetchall()
    assert ("electrician", FENEU, f"{WEEK} lighting: operator, ") in lines
    assert not any(person == "caretaker" and insee == FENEU for person, insee, _ in lines)


@pytest.mark.parametrize(
    "fields",
    [
        {"person": "electrician"}, {"person": "operator", "substitute": "caretaker"}, {"substitute": "operator"},
        {"person": "operator", "week": "2026-W99"}, {"person": "operator", "week": "2031-W01"},
        {"where": "*", "person": "mayor"},
    ],
)  # fmt: skip
def test_week_that_would_wake_nobody_is_refused_in_words(browser, path, fields):
    before = rota.read(path).weeks
    said = post(browser("operator"), "week", **{"where": FENEU, "trade": "lighting", "week": WEEK, **fields})
    assert said.status_code == 400 and 'role="alert"' in said.content.decode()
    assert rota.read(path).weeks == before


def test_person_writes_only_how_they_themselves_are_reached(browser, path):
    own = browser("electrician")
    fields = {"phone": "06 98 76 54 32", "mail": "a@example.fr", "language": "fr", "name": "mayor", "person": "mayor"}
    assert post(own, "person", **fields).status_code == 303
    assert rota.read(path).people["electrician"] == Person("electrician", "+33698765432", "a@example.fr", "fr")
    assert rota.read(path).people["mayor"] == BRUNO
    refused = post(own, "person", phone="12", mail="", language="fr")
    assert refused.status_code == 400 and "give it with its country" in refused.content.decode()
    assert post(own, "person", phone="", mail="a@b\r\nBcc: c@d", language="fr").status_code == 400
    assert post(own, "person", phone="", mail="", language="fr").status_code == 303
    assert "electrician" not in rota.read(path).people


def test_silent_cabinet_is_taken_in_hand_here_and_given_back(browser, served, path):
    late_s = NOW_S + 3600
    watch(served, late_s)
    with closing(Book.open_to_read(str(served / "duty.db"))) as book:
        found = {one.insee: one.number for one in book.open_causes() if not one.key}
    assert found, "the cabinets of this world are silent by then"
    mayor = browser("mayor")
    for insee, number in found.items():
        wanted = 303 if insee == FENEU else 404
        assert post(mayor, "take", cause=number, deed="take").status_code == wanted, insee
    assert post(mayor, "take", cause="x", deed="take").status_code == 404


def test_without_a_book_there_is_no_screen(browser, monkeypatch):
    from django.conf import settings

    monkeypatch.setattr(settings, "BOCAGE", settings.BOCAGE._replace(duty=None))
    own = browser("mayor")
    assert own.get(f"/{FENEU}/duty").status_code == 404
    assert f'href="/{FENEU}/duty"' not in own.get(f"/{FENEU}/faults").content.decode()
