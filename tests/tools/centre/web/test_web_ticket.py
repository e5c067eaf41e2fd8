"""A contractor's ticket is given on a fault, opens that light and nothing else until its day, and is refused to whom it
is not theirs to give."""

import re
from contextlib import closing

import pytest

from tests.support.scoped_world import ANGERS, FENEU, NOW_S, ROLES, build_for_persons, has_page, lines, node_of, sees
from tools.centre.condition import notes
from tools.centre.limits import TICKET_S_MAX
from tools.centre.scope import grants, reader
from tools.centre.store import schema

LIGHT = grants.of_place("light", "light-1")
FIELDS = {"company": "Lumen", "until": "2026-11-20", "what": LIGHT}


@pytest.fixture
def world(served, tmp_path, monkeypatch):
    """The settings of a web with a warehouse and an outbox of its own; call `fetch` for the roll-up's turn."""
    from django.conf import settings

    where, data = str(tmp_path / "centre.db"), str(tmp_path / "web.sqlite3")
    build_for_persons(where)
    monkeypatch.setattr(settings, "BOCAGE", settings.BOCAGE._replace(warehouse=where, data=data))
    return World(where, notes.path_of(data))


class World:
    def __init__(self, where, path):
        self.where, self.path, self.logged = where, path, []

    def fetch(self):
        with closing(schema.open_to_write(self.where)) as connection:
            log = lambda what, **_: self.logged.append(what)  # noqa: E731
            with closing(notes.Fetcher(self.path, self.where, connection, log)) as fetcher:
                fetcher.fetch(now_s=NOW_S)

    def areas(self, person, now_s=NOW_S):
        return reader.areas_of(self.where, person, now_s=now_s)


def address(insee=FENEU, kind="light"):
    return f"/{insee}/faults/{node_of(kind, insee).hex()}-1-{900 + (kind == 'room')}/ticket"


def test_ticket_that_is_given_opens_one_equipment_until_its_day(world, browser):
    mayor, at, room = browser("mayor"), address(kind="room"), grants.of_place("room", "room-1")
    assert f'href="{at}"' in mayor.get(f"/{FENEU}/faults").content.decode()
    said = mayor.post(at, FIELDS | {"what": room}).content.decode()
    person = re.search(r"Lumen, ticket \w{6}", said)[0]
    assert re.search(r"<b>\w{4}-\w{4}-\w{4}-\w{4}</b>", said) and "until 20 Nov." in said
    world.fetch()
    assert world.areas(person) == {(FENEU, room), (FENEU, grants.TICKET)}
    assert world.areas(person, NOW_S + 5 * 86_400) == set(), "it ends by itself"
    assert ("mayor", "access give", FENEU, f"{person}: {room}") in {line[1:] for line in lines(world.where)}
    own = browser(person)
    faults = own.get(f"/{FENEU}/faults").content.decode()
    assert node_of("room", FENEU).hex() in faults and f"In hand of {person}" in faults
    assert own.get(f"/{ANGERS}/faults").status_code == own.get(at).status_code == 404


def test_only_who_sees_it_by_a_trade_gives_a_ticket(world, browser):
    for role in ROLES:
        for insee in (FENEU, ANGERS):
            wanted = 200 if role != "contractor" and sees(role, insee, "light") and has_page(role, insee) else 404
            assert browser(role).get(address(insee)).status_code == wanted, (role, insee)
    assert browser("mayor").post(address(), FIELDS | {"what": grants.of_place("room", "room-1")}).status_code == 404


@pytest.mark.parametrize(
    "changes",
    [{"company": " "}, {"until": "2026-11-15"}, {"until": "x"}, {"until": "2028-01-01"}, {"company": "x" * 200}],
)
def test_what_is_no_ticket_is_refused_in_words_and_not_kept(world, browser, changes):
    said = browser("mayor").post(address(), FIELDS | changes)
    assert said.status_code == 400 and "Give the name of a company" in said.content.decode()
    world.fetch()
    assert not any("Lumen" in line.about for line in lines(world.where))


@pytest.mark.parametrize(
    "changes",
    [
        {"given_by": "caretaker"},
        {"given_by": "contractor"},
        {"person": "electrician"},
        {"trade": grants.LIGHTING},
        {"trade": grants.of_place("cabinet", "cab")},
        {"trade": grants.of_place("light", "nothing")},
        {"insee": ANGERS},
        {"until_unix_s": NOW_S + TICKET_S_MAX + 1},
        {"given_unix_s": NOW_S + 1},
    ],
)
def test_roll_up_believes_nothing_of_a_ticket(world, changes):
    ticket = grants.Grant("Lumen", FENEU, LIGHT, NOW_S, NOW_S + 86_400, "electrician", NOW_S)._replace(**changes)
    before = world.areas(ticket.person)
    notes.put_ticket(world.path, ticket)
    world.fetch()
    assert (world.areas(ticket.person), world.logged) == (before, ["ticket-refused"])
