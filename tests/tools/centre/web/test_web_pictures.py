"""What viewers share: a picture for those of the same rights, asked when the warehouse has changed, and its changes."""

import asyncio
import json
from contextlib import closing

import pytest

from tests.support.scoped_world import FENEU, NOW_S
from tools.bench import screens_world
from tools.bench.screens_world import INSEE
from tools.centre.condition import states as conditions
from tools.centre.scope import grants
from tools.centre.store import schema
from tools.centre.web import live, pictures, states
from tools.centre.web.access import Commune, within
from tools.centre.web.map import code
from tools.centre.web.pictures import Pictures
from wire import event
from wire.record import EventBody, encode_body

EVERYTHING = frozenset(("*", trade) for trade in ("lighting", "heating", "watering", "any", "every"))
AREAS = within(EVERYTHING, INSEE)
SUNSET_S = 1_794_846_300  # over these lights, on 2026-11-16 at 17:25 in France


@pytest.fixture
def lit(served, tmp_path, monkeypatch):
    """A warehouse of 30 lights as that of this web, and a clock that a test turns."""
    from django.conf import settings

    path = str(tmp_path / "lit.db")
    screens_world.build(path, 30, now_s=NOW_S)
    with closing(schema.open_to_write(path)) as connection:
        grants.give(connection, grants.Grant("operator", "*", "*", 0, None, "secretary", 0))
    monkeypatch.setattr(settings, "BOCAGE", settings.BOCAGE._replace(warehouse=path))
    return path


def change(path, statement, *values):
    with closing(schema.open_to_write(path)) as connection:
        connection.execute(statement, values)


def test_picture_is_asked_once_a_second_and_only_when_something_has_changed(lit, monkeypatch):
    drawn, time = [], [0.0]
    draw = pictures.drawn
    monkeypatch.setattr(pictures, "drawn", lambda *given, **now: drawn.append(given) or draw(*given, **now))
    kept = Pictures(lit, clock=lambda: time[0])
    first = kept.of(AREAS, INSEE, now_s=NOW_S)
    assert len(first.lights) == 30
    change(lit, "UPDATE latest SET power_dw = 199 WHERE power_dw > 100")
    assert kept.of(AREAS, INSEE, now_s=NOW_S).version == first.version  # not before a second has passed
    second = kept.of(AREAS, INSEE, now_s=NOW_S, is_look=True)  # viewers do not wait for that
    time[0] = 2.0
    assert kept.of(AREAS, INSEE, now_s=NOW_S + 2).version == second.version
    assert second.version != first.version and second.places == first.places
    time[0] = 4.0
    assert kept.of(AREAS, INSEE, now_s=NOW_S + 4).version == second.version
    assert len(drawn) == 2
    time[0] = 6.0
    silent = kept.of(AREAS, INSEE, now_s=NOW_S + 9000)  # hours later nothing was heard: that is a change too
    assert silent.counts[states.UNKNOWN] + silent.counts[states.FAULT] == 30


def test_what_was_ordered_since_the_newest_measurement_is_ordered_and_not_measured(lit):
    before = Pictures(lit).of(AREAS, INSEE, now_s=NOW_S)
    off = next(one for one in before.lights if one.shown == states.OFF)
    node, put = off.state.node, "INSERT INTO records VALUES (?, 1, ?, ?, 1, 1, 1, ?, 1, ?)"
    with closing(schema.open_to_write(lit)) as connection:
        (sequence,) = connection.execute("SELECT readings_sequence FROM latest WHERE node = ?", (node,)).fetchone()
        for step, level in enumerate((40, 100), 1):
            body = encode_body(EventBody(event.LEVEL_CHANGED, None, [level, 0, "policy", 0]))
            connection.execute(put, (node, sequence + step, NOW_S, body, NOW_S))
        connection.execute("UPDATE latest SET sequence = ? WHERE node = ?", (sequence + 2, node))
    now = Pictures(lit).of(AREAS, INSEE, now_s=NOW_S)
    found = next(one for one in now.lights if one.id == off.id)
    assert (found.shown, found.figures.level_percent) == (states.PENDING, 100)
    assert now.counts[states.OFF] == before.counts[states.OFF] - 1


@pytest.mark.parametrize(("before_s", "is_newer"), [(0, True), (60, False)])
def test_readings_of_the_second_of_a_switching_have_the_level_of_before_it(lit, before_s, is_newer):
    burning = next(one for one in Pictures(lit).of(AREAS, INSEE, now_s=NOW_S).lights if one.shown == states.LIT)
    body = encode_body(EventBody(event.LEVEL_CHANGED, None, [40, 100, "calendar", 2]))
    with closing(schema.open_to_write(lit)) as connection:
        at = "SELECT boot, readings_sequence, readings_seconds FROM latest WHERE node = ?"
        boot, sequence, seconds = connection.execute(at, (burning.state.node,)).fetchone()
        told = (burning.state.node, boot, sequence - 1, seconds - before_s, body, NOW_S)
        connection.execute("INSERT OR REPLACE INTO records VALUES (?, ?, ?, ?, 1, 1, 1, ?, 1, ?)", told)
    found = next(one for one in Pictures(lit).of(AREAS, INSEE, now_s=NOW_S).lights if one.id == burning.id)
    assert found.figures.level_percent == (40 if is_newer else burning.figures.level_percent)


def test_a_lamp_that_was_dark_before_the_sun_set_is_not_called_dark_after_it(lit):
    with closing(schema.open_to_write(lit)) as connection:
        heard = dict.fromkeys(("received_unix_s", "seconds", "readings_seconds"), SUNSET_S - 300)
        connection.execute(f"UPDATE latest SET {', '.join(f'{one} = ?' for one in heard)}", tuple(heard.values()))
    counts = [Pictures(lit).of(AREAS, INSEE, now_s=SUNSET_S + after_s).counts for after_s in (-60, 120)]
    assert counts[0][states.OFF] and not counts[1][states.OFF] and counts[1][states.LIT] == counts[0][states.LIT]
    assert counts[1][states.PENDING] == counts[0][states.PENDING] + counts[0][states.OFF]


def test_rights_that_differ_share_no_picture(lit):
    kept = Pictures(lit, clock=lambda: 0.0)
    assert len(kept.of(AREAS, INSEE, now_s=NOW_S).lights) == 30
    heating = frozenset({(INSEE, "heating"), (INSEE, "any")})
    assert kept.of(heating, INSEE, now_s=NOW_S).lights == ()


def test_pictures_make_room(lit, monkeypatch):
    monkeypatch.setattr(pictures, "PICTURE_LIGHTS_MAX", 40)
    kept = Pictures(lit, clock=lambda: 0.0)
    for n in range(4):
        kept.of(AREAS | {(f"9999{n}", "lighting")}, INSEE, now_s=NOW_S)
    assert len(kept._held) <= 3


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ((conditions.FAULT, True, 100, 70), states.FAULT),
        ((conditions.UNPOWERED, True, 100, 70), states.UNPOWERED),
        ((conditions.UNKNOWN, False, None, None), states.UNKNOWN),
        ((conditions.OK, True, 170, 70), states.LIT),
        ((conditions.OK, True, 6, 0), states.OFF),
        ((conditions.OK, True, 6, 70), states.PENDING),  # ordered lit, and dark
        ((conditions.OK, True, 170, 0), states.PENDING),  # ordered dark, and lit
        ((conditions.OK, True, None, 70), states.PENDING),
        ((conditions.OK, True, 170, None), states.LIT),
        ((conditions.OK, False, None, None), states.LIT),  # its feeder is
    ],
)
def test_state_that_is_shown(given, wanted):
    state, has_node, power_dw, level_percent = given
    assert states.shown(state, has_node=has_node, power_dw=power_dw, level_percent=level_percent) == wanted


def test_map_is_sent_what_the_list_has(lit, browser):
    from tools.centre.web import page

    client = browser("operator")
    sent = client.get(f"/{INSEE}/map/lights.json")
    data = sent.json()
    lights = page.picture_now(Commune(INSEE, "Feneu", within(EVERYTHING, INSEE))).lights
    assert data["codes"] == "".join(map(code, lights))
    assert sum(data["streets"]) == len(lights) == len(data["steps"]) // 2
    x = y = 0
    for n, one in enumerate(lights):
        x, y = x + data["steps"][2 * n], y + data["steps"][2 * n + 1]
        assert data["origin"][0] + x * data["step"] == pytest.approx(one.place.longitude, abs=data["step"])
        assert data["origin"][1] + y * data["step"] == pytest.approx(one.place.latitude, abs=data["step"])
    again = client.get(f"/{INSEE}/map/lights.json", headers={"If-None-Match": sent["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    found = client.get(f"/{INSEE}/map/lights.json?n=3&places={data['places']}").json()
    assert found == {"n": 3, "id": lights[3].id}
    assert client.get(f"/{INSEE}/map/lights.json?n=3&places=older").status_code == 404


def test_viewers_are_told_what_has_changed_and_nothing_else(lit, monkeypatch):
    monkeypatch.setattr(live, "LIVE_EVERY_S", 0.01)
    from tools.centre.web import page

    own = Commune(INSEE, "Feneu", AREAS)
    before = page.picture_now(own)
    lamp = next(n for n, one in enumerate(before.lights) if one.shown == states.LIT)
    node = before.lights[lamp].state.node

    async def follow():
        streams = [live._events(own, before.version) for _ in range(3)]
        told = [[await anext(stream), await anext(stream)] for stream in streams]
        change(lit, "UPDATE latest SET power_dw = 0 WHERE node = ?", node)
        for stream, words in zip(streams, told, strict=True):
            while '"changes":[[' not in words[-1]:
                words.append(await anext(stream))
            await stream.aclose()
        return [json.loads(words[-1].removeprefix("data: ")) for words in told]

    events = asyncio.run(follow())
    assert [event["changes"] for event in events] == 3 * [[[lamp, "p0"]]]
    assert events[0]["counts"][states.PENDING] == before.counts[states.PENDING] + 1


def test_browser_with_an_older_picture_is_told_to_ask_again(lit):
    async def begin():
        stream = live._events(Commune(INSEE, "Feneu", AREAS), "older")
        words = [await anext(stream), await anext(stream)]
        await stream.aclose()
        return json.loads(words[1].removeprefix("data: "))

    assert asyncio.run(begin())["again"] is True


def test_stream_of_a_foreign_commune_is_not_there(browser):
    assert browser("caretaker").get(f"/{FENEU}/live").status_code == 404
