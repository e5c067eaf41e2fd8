"""Every address shows each person what is granted to them, and no foreign row; a planted leak is found."""

import asyncio
import re
from itertools import product

import pytest

from tests.support.scoped_world import (
    ANGERS,
    FENEU,
    HEATING,
    LIGHTING,
    ROLES,
    WATERING,
    granted,
    has_page,
    leaks,
    node_of,
    sees,
)
from tools.centre.web import access
from tools.centre.web.pictures import Pictures

# An order of each commune (`town_world`), by its id.
ORDERS = {FENEU: "0000000000000384", ANGERS: "0000000000000385"}
# What stands for each name of an address's pattern, and what is asked of it; a new address has to say it here.
ASKED = {
    "home": [""],
    "login": [""],
    "logout": [""],
    "password": [""],
    "appearance": [""],
    "privacy": ["", "?page=2"],
    "privacy-journal": ["", "?page=99"],
    "map": ["", "?light=light-1", "?room=room-1", "?green_space=green_space-1", "?meter=meter-1", "?state=fault"],
    "map-data": ["", "?id=light-1", "?n=0"],
    "map-ground": [""],
    "tiles": [""],
    "map-spaces": [""],
    "map-in-view": ["", "?box=-1,47,0,48", "?box=nan,1,x"],
    "live": [""],
    "light": [""],
    "rooms": ["", "?q=street", "?state=cold", "?page=99"],
    "room": [""],
    "greens": ["", "?q=street", "?state=leak", "?page=99"],
    "green": [""],
    "meter": [""],
    "faults": ["", "?page=2"],
    "faults-note": [""],
    "ticket": [""],
    "round": ["", "?stop=x", "?page=2"],
    "round-note": [""],
    "health": [""],
    "directory": [""],
    "directory-back": ["", "?state=x&code=y"],
    "duty": [""],
    "duty-week": [""],
    "duty-person": [""],
    "duty-take": [""],
    "town": [""],
    "orders": ["", "?all", "?page=9", "?all&page=2"],
    "orders-time": [""],
    "orders-sign": [""],
    "orders-give": ["", "?where=x", "?where=feeder:lighting b 49135", "?where=street:x", f"?where={ORDERS[ANGERS]}",
                    "?where=room-1", "?where=green_space-1"],
    "order": [""],
    "month": ["", "?month=2026-10", "?month=2099-01", "?month=x"],
    "lights": ["", "?q=street", "?state=fault", "?page=99"],
}
# What an address may have in each place of its pattern; the last commune is not there.
NAMED = {
    "insee": (FENEU, ANGERS, "49999"),
    "id": ("light-1", "room-1", "green_space-1", "meter-1"),
    "z": (0,),
    "x": (0,),
    "y": (0, 1),
    "kind": ("light", "lower", "darken", "heat", "dry", "end"),
    "cause": (f"{node_of('light', FENEU).hex()}-1-900", f"{node_of('room', ANGERS).hex()}-1-901", "nothing"),
    "order": (*ORDERS.values(), "nothing"),
}


def body(said):
    """The text of an answer; of one that is pushed, the first event."""
    if not said.streaming:
        return said.content.decode()

    async def begin():
        parts = aiter(said.streaming_content)
        return "".join([(await anext(parts)).decode() for _ in range(2)])

    return asyncio.run(begin())


def addresses():
    from django.urls import reverse

    from tools.centre.web.urls import urlpatterns

    for pattern in urlpatterns:
        names = pattern.pattern.converters
        found = [dict(values) for values in product(*([(name, value) for value in NAMED[name]] for name in names))]
        there = [values for values in found if values.get("insee") != NAMED["insee"][-1]]
        yield from (reverse(pattern.name, kwargs=values) + query for values in there for query in ASKED[pattern.name])
        if len(found) > len(there):
            yield reverse(pattern.name, kwargs=found[-1])


LONG = ("electrician", "gardener", "mayor", "operator")  # a second and more each


@pytest.mark.parametrize("person", [pytest.param(one, marks=pytest.mark.slow) if one in LONG else one for one in ROLES])
def test_address_shows_no_foreign_row(browser, person):
    own = browser(person)
    for address in addresses():
        said = own.get(address)
        text = body(said) + str(said.headers)
        foreign = [word for word in leaks(person, text) if word not in address]
        assert not foreign, address


def test_without_login_every_address_leads_to_the_login(browser):
    nobody = browser()
    for address in addresses():
        said = nobody.get(address)
        assert said.status_code in (302, 405) or address.startswith("/login"), address
        assert not leaks("nobody", body(said)), address


def test_commune_of_others_is_not_there(browser):
    for person in ROLES:
        own = browser(person)
        for insee in (FENEU, ANGERS):
            wanted = 200 if has_page(person, insee) else 404
            assert own.get(f"/{insee}/faults").status_code == wanted, (person, insee)
        assert own.get("/49999/faults").status_code == 404


def test_a_screen_of_a_trade_is_there_for_who_has_that_trade(browser):
    """An address of another trade is not there, and no menu leads to it; its equipment is on the map of whose it is."""
    screens = {"lights": (LIGHTING, "light-1"), "rooms": (HEATING, "room-1"), "greens": (WATERING, "green_space-1")}
    for person in ROLES:
        own = browser(person)
        health, spaces = own.get(f"/{FENEU}/health"), own.get(f"/{FENEU}/map/spaces.json")
        for screen, (trade, id) in screens.items():
            is_mine = granted(person, FENEU, trade)
            said = own.get(f"/{FENEU}/{screen}")
            assert said.status_code == (200 if is_mine else 404), (person, screen)
            assert (f"{trade} street of {FENEU}" in said.content.decode()) == is_mine, (person, screen)
            wanted = 200 if sees(person, FENEU, id.removesuffix("-1")) else 404
            assert own.get(f"/{FENEU}/{screen}/{id}").status_code == wanted, (person, screen)
            assert (f'href="/{FENEU}/{screen}"' in health.content.decode()) == is_mine, (person, screen)
            if screen != "lights":
                assert (id in spaces.content.decode()) == is_mine, (person, screen)


def test_contractor_by_ticket_reads_the_faults_of_these_lights_and_nothing_else(browser):
    own = browser("contractor")
    for insee, light, other in ((FENEU, "light-1", "moved"), (ANGERS, "light-1", "room-1")):
        faults, around = (own.get(f"/{insee}/{page}").content.decode() for page in ("faults", "round"))
        assert all(node_of("light", insee).hex() in page for page in (faults, around))
        assert own.get(f"/{insee}/lights/{light}").status_code == 200
        assert own.get(f"/{insee}/lights/{other}").status_code == 404
        menu = re.findall(r'href="/\d+/(\w+)"', faults.split("<main")[0])
        assert set(menu) <= {"map", "faults"}, menu
    assert own.get(f"/{FENEU}/orders/give/light").status_code == 404


def test_who_has_one_trade_begins_on_its_screen(browser):
    firsts = {"electrician": "town", "caretaker": "rooms", "mayor": "town"}
    for person, first in firsts.items():
        assert browser(person).get("/")["Location"].endswith(f"/{first}"), person
    both = browser("gardener").get("/").content.decode()  # of the whole territory
    assert f'href="/{FENEU}/greens"' in both and "1 green space" in both and "0 lights" not in both


def test_right_that_is_withdrawn_is_gone_at_the_next_page(browser, monkeypatch):
    own = browser("electrician")
    assert own.get(f"/{FENEU}/lights").status_code == 200
    monkeypatch.setattr(access, "areas_of", lambda person, *, now_s: frozenset())
    assert own.get(f"/{FENEU}/lights").status_code == 404


def test_planted_leak_is_found(browser, monkeypatch):
    """A picture that is shared by all, whatever they may see, is what the test of each address is there for."""
    everything = frozenset({("*", trade) for trade in ("lighting", "heating", "watering", "any", "every")})
    of = Pictures.of
    monkeypatch.setattr(Pictures, "of", lambda self, areas, insee, **now: of(self, everything, insee, **now))
    said = browser("caretaker").get(f"/{ANGERS}/map").content.decode()
    assert f"lighting street of {ANGERS}" in said and f"watering of {ANGERS}" in said
    assert leaks("caretaker", said)
