"""A referent's two orders: a room that is heated at other hours, a watering that is skipped; Django's client."""

import re
from contextlib import closing
from itertools import count

import pytest

from policy import rights
from tests.support.control_world import outcome
from tests.support.scoped_world import FENEU, NOW_S, ROLES, granted, node_of
from tests.support.town_world import AGENT, GARDENER, PHONE, REFERENT, fetch, light, post, report, signed
from tools.bench import screens_world
from tools.bench.screens_world import INSEE
from tools.centre.control import communes, orders
from tools.centre.control import file as control_file
from tools.centre.store import database
from wire import command, directive

HALL, LAWN = node_of("room", FENEU).hex(), node_of("green_space", FENEU).hex()
DAY_S = 86_400


@pytest.fixture
def control(served):
    return str(served / "control.db")


def hours(number, key=REFERENT, **changes):
    """An order of the referent for the room of Feneu, tomorrow from 18:00 to 23:00; or of the gardener for its lawn."""
    code, target = (directive.OCCUPIED, HALL) if key is REFERENT else (directive.DRY, LAWN)
    asked = {"kind": command.DIRECTIVE, "author": key.name, "target": target, "values": {code: 1}, "reason": "réunion"}
    begins_s = NOW_S + DAY_S + 6 * 3600
    return light(number, **{**asked, "not_before_s": begins_s, "expires_s": begins_s + 5 * 3600, **changes})


def form(browser, kind, query, language="en", insee=FENEU):
    address = f"/{insee}/orders/give/{kind}?{query}"
    return browser.get(address, headers={"Accept-Language": language}).content.decode()


def test_a_room_is_chosen_with_its_day_and_hours_and_the_words_are_the_bytes_own(browser):
    said = form(browser("mayor"), "heat", "where=room-1&day=3&from=1080&to=1380")
    assert f'data-target="{HALL}"' in said and 'data-forms="5,,11=1"' in said
    (time,) = re.findall(r'name="time" value="(\d+)-(\d+)"', said)
    begins_s, ends_s = map(int, time)
    assert begins_s == NOW_S + 3 * DAY_S + 6 * 3600 and ends_s - begins_s == 5 * 3600  # it is noon
    assert "I sign: heat {place} ({insee}) from {from} to {until} ({length})." in said
    assert 'data-place="room heating of 49135"' in said
    nonsense = form(browser("mayor"), "heat", "where=room-1&day=99&from=1380&to=60")
    assert re.findall(r'name="time" value="(\d+)-(\d+)"', nonsense) == [
        (str(NOW_S + 6 * DAY_S + 11 * 3600), str(NOW_S + 6 * DAY_S + 11 * 3600 + 1800))
    ]


def test_a_watering_is_skipped_for_a_whole_day_tomorrow_unless_another_is_chosen(browser):
    said = form(browser("mayor"), "dry", "where=green_space-1", "fr")
    times = re.findall(r'name="time" value="(\d+)-(\d+)"( checked)?>([^<]+)<', said)
    assert [word for *_, word in times[:2]] == ["aujourd’hui", "demain"] and len(times) == 7
    assert times[1][2] and int(times[1][1]) - int(times[1][0]) == DAY_S
    assert times[0][:2] == ("0", times[1][0])
    assert f'data-target="{LAWN}"' in said and 'data-forms="5,,12=1"' in said


def test_only_who_has_the_trade_sees_the_form_gives_and_reads_the_order(browser, served, control):
    numbers = count(2100)
    for role in ROLES:
        for kind, trade, key in (("heat", "heating", REFERENT), ("dry", "watering", GARDENER)):
            is_granted = granted(role, FENEU, trade)
            one = hours(next(numbers), key)
            assert browser(role).get(f"/{FENEU}/orders/give/{kind}").status_code == (200 if is_granted else 404)
            assert post(browser(role), signed(one, key)).status_code == (204 if is_granted else 404)
    fetch(served, control)
    one = hours(2100 + 2 * list(ROLES).index("gardener") + 1, GARDENER)
    assert browser("two").get(f"/{FENEU}/orders/{one.id.hex()}").status_code == 404
    assert browser("gardener").get(f"/{FENEU}/orders/{one.id.hex()}").status_code == 200


@pytest.mark.parametrize(
    ("key", "changes", "why"),
    [
        (REFERENT, {"target": "thermostat"}, "one room or green space"),
        (REFERENT, {"expires_s": NOW_S + DAY_S + 6 * 3600 + rights.HOURS_S_MAX + 1}, "one day at most"),
        (REFERENT, {"values": {directive.DRY: 1}}, "has not the right"),
        (GARDENER, {"values": {directive.OCCUPIED: 1}}, "has not the right"),
        (PHONE, {"values": {directive.DRY: 1}}, "has not the right"),
        (AGENT, {"values": {directive.OCCUPIED: 1}}, "has not the right"),
        (REFERENT, {"values": {directive.EXCEPTION: 1}}, "this is no order"),
    ],
)
def test_a_narrow_key_does_nothing_else_here_either(browser, key, changes, why):
    said = post(browser("operator"), signed(hours(2007, key, **changes), key))
    assert said.status_code == 400 and why in said.content.decode()


def test_an_order_stands_at_its_room_with_what_the_node_is_told_until_it_is_given_back(browser, served, control):
    mayor, one = browser("mayor"), hours(2011)
    assert post(mayor, signed(one, REFERENT)).status_code == 204
    fetch(served, control)
    report(control, one, outcome(one, "received", feeder=None), outcome(one, "applied", feeder=None))
    page = mayor.get(f"/{FENEU}/orders/{one.id.hex()}").content.decode()
    assert "Heat, 17 Nov. 18:00 – 17 Nov. 23:00, room heating of 49135" in page
    assert "told to one node at least" in page and "Its node is told ahead" in page and "Not costed" in page
    assert one.id.hex() in mayor.get(f"/{FENEU}/rooms/room-1").content.decode()
    assert one.id.hex() not in mayor.get(f"/{FENEU}/greens/green_space-1").content.decode()
    end = light(2012, kind=command.END, ends=one.id, author=REFERENT.name)
    assert post(mayor, signed(end, REFERENT)).status_code == 204
    assert one.id.hex() not in mayor.get(f"/{FENEU}/rooms/room-1").content.decode()
    fetch(served, control)


# --- what became of it, by what the nodes measured ------------------------------------------------------------------


@pytest.fixture
def furnished(served, tmp_path, monkeypatch):
    """A warehouse with rooms and parks that have lived for two weeks, with a control file whose policy is its own."""
    from django.conf import settings

    from tests.support.control_world import FEEDERS, key_set, policy, signed_policy
    from tests.support.town_world import OPERATORS
    from tools.centre.scope import grants
    from tools.centre.store import schema

    path, book = str(tmp_path / "furnished.db"), str(tmp_path / "control.db")
    screens_world.build(path, 3, now_s=NOW_S, has_spaces=True)
    with closing(schema.open_to_write(path)) as connection:
        grants.give(connection, grants.Grant("operator", "*", "*", 0, None, "secretary", 0))
        connection.commit()
    with closing(control_file.open_to_write(book)) as connection, database.transaction(connection):
        made = policy(insee=INSEE, feeders=FEEDERS, operators=OPERATORS, valid_from_s=NOW_S - 86_400)
        assert communes.accept_keyset(connection, communes.keyset.encode(key_set(insee=INSEE)), now_s=NOW_S)[0]
        assert communes.accept_policy(connection, signed_policy(made), now_s=NOW_S)[0]
    monkeypatch.setattr(settings, "BOCAGE", settings.BOCAGE._replace(warehouse=path, control=book))
    return path, book


def node_at(path, id):
    from tools.centre.store import schema

    with closing(schema.open_to_write(path)) as connection:
        return bytes(connection.execute("SELECT node FROM equipment WHERE id = ?", (id,)).fetchone()[0]).hex()


def kept(book, one, key):
    with closing(control_file.open_to_write(book)) as connection, database.transaction(connection):
        orders.add(connection, signed(one, key), now_s=one.not_before_s)
    return one.id.hex()


def test_a_heated_room_says_the_temperature_and_when_and_what_hours_cost(browser, furnished):
    path, book = furnished
    one = hours(2021, target=node_at(path, "ecole-1"), insee=INSEE, not_before_s=NOW_S - 7200, expires_s=NOW_S + 3600)
    page = browser("operator").get(f"/{INSEE}/orders/{kept(book, one, REFERENT)}").content.decode()
    assert "for a set-point of 19.0 °C" in page
    assert "no energy of this room" in form(browser("operator"), "heat", "where=ecole-1", insee=INSEE)


def test_a_dry_day_says_that_no_valve_opened_and_the_litres(browser, furnished):
    path, book = furnished
    said = form(browser("operator"), "dry", "where=vert-1-1", insee=INSEE)
    assert "L less a day, the median of" in said and "zones of one valve box" in said
    one = hours(
        2022, GARDENER, target=node_at(path, "vert-1-1"), insee=INSEE, not_before_s=NOW_S - 600, expires_s=NOW_S + 3600
    )
    page = browser("operator").get(f"/{INSEE}/orders/{kept(book, one, GARDENER)}").content.decode()
    assert "No valve was opened (" in page or "Nothing has been heard" in page
