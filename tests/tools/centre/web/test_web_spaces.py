"""Rooms and green spaces: who is cold, where water is lost, why a node did so; on list, page and map alike."""

from contextlib import closing

import pytest

from tests.support.scoped_world import NOW_S
from tools.bench import screens_world
from tools.bench.screens_world import INSEE
from tools.centre.scope import grants
from tools.centre.store import schema
from tools.centre.web import gauges, greens, page, rooms, states
from tools.centre.web.history import Told
from tools.centre.web.spaces import Space
from wire import cbor, event, quantity, record


@pytest.fixture
def furnished(served, tmp_path, monkeypatch):
    """A warehouse with four rooms and two parks as that of this web."""
    from django.conf import settings

    path = str(tmp_path / "furnished.db")
    screens_world.build(path, 3, now_s=NOW_S, has_spaces=True)
    with closing(schema.open_to_write(path)) as connection:
        grants.give(connection, grants.Grant("operator", "*", "*", 0, None, "secretary", 0))
    monkeypatch.setattr(settings, "BOCAGE", settings.BOCAGE._replace(warehouse=path))
    return path


def test_rooms_under_their_set_point_come_first_and_the_page_says_how_many(furnished, browser):
    said = browser("operator").get(f"/{INSEE}/rooms").content.decode()
    names = [name for name in ("classe 2", "conseil", "motricité", "classe 1") if name in said]
    assert names == sorted(names, key=said.index)
    assert "1 room is under its set-point." in said and "16.4 °C" in said and "for 19.0 °C" in said
    assert "Preheating" in said and "No news" in said
    cold = browser("operator").get(f"/{INSEE}/rooms?state=cold").content.decode()
    assert "classe 2" in cold and "motricité" not in cold
    assert "Aucune salle ne répond" in browser("operator", **{"Accept-Language": "fr"}).get(
        f"/{INSEE}/rooms?q=gymnase"
    ).content.decode()  # fmt: skip


@pytest.mark.parametrize(("left", "said"), [
    ((states.WARM, states.WARMING, states.UNKNOWN), "Of 2 rooms that are sound and heard, none is cold."),
    ((states.WARM, states.WARMING), "No room is cold."),
    ((states.UNKNOWN,), "whether one is cold is not known"),
])  # fmt: skip
def test_of_rooms_without_news_no_warmth_is_claimed(furnished, browser, monkeypatch, left, said):
    whole = rooms.picture

    def some(*asked):
        found = whole(*asked)
        return found._replace(spaces=tuple(one for one in found.spaces if one.shown in left))

    monkeypatch.setattr(rooms, "picture", some)
    assert said in browser("operator").get(f"/{INSEE}/rooms").content.decode()


def test_a_room_says_what_its_node_decided_and_draws_its_day_with_the_gap(furnished, browser):
    said = browser("operator").get(f"/{INSEE}/rooms/ecole-2").content.decode()
    assert "Set-point 19.0 °C (before: 16.0 °C), decided by: heating programme" in said
    assert 'class="measured"' in said and 'class="wanted"' in said and 'class="gap"' in said
    assert "1 gap, 1 h 45 min without a reading." in said
    assert "6.4 °C" in said  # outdoors
    assert browser("operator").get(f"/{INSEE}/rooms/vert-1-1").status_code == 404  # no room


def test_leaks_come_first_with_the_drought_level_and_what_runs_brought(furnished, browser):
    said = browser("operator").get(f"/{INSEE}/greens").content.decode()
    assert "Water is lost at 1 place." in said and "Drought: alert" in said
    assert said.index("Stade, pelouse") < said.index("Parc du Moulin, massif") < said.index("Parc du Moulin, pelouse")
    assert "180 L" in said and "burst pipe" in said


def test_a_zone_says_when_and_how_much_and_a_burst_one_expects_nothing(furnished, browser):
    own = browser("operator")
    zone = own.get(f"/{INSEE}/greens/vert-1-2").content.decode()
    assert "at about 07:00" in zone and "as the day before" in zone
    assert "18.0 L/min, usually 20.8 L/min" in zone  # the median of those before
    assert "Zone 2: watered for 10 min, 180.0 L (complete)" in zone
    assert zone.count('class="bar-of"') == 8 and zone.count('class="gap"') == 6  # of a fortnight
    burst = own.get(f"/{INSEE}/greens/vert-2-1").content.decode()
    assert "at about" not in burst and "Burst pipe (zone 1, 36.7 L/min)" in burst


def test_a_meter_and_a_green_space_with_one_id_have_each_its_page(furnished, browser):
    with closing(schema.open_to_write(furnished)) as connection:
        connection.execute(
            "INSERT INTO equipment (insee, kind, id, name, from_unix_s) VALUES (?, 'meter', 'vert-1-2', 'Compteur', 0)",
            (INSEE,),
        )
    own = browser("operator")
    said = own.get(f"/{INSEE}/greens").content.decode()
    for kind, name in (("greens", "Parc du Moulin, "), ("meters", "Compteur")):
        assert f'href="/{INSEE}/{kind}/vert-1-2">{name}' in said
        assert f"<h2>{name}" in own.get(f"/{INSEE}/{kind}/vert-1-2").content.decode().replace(' tabindex="-1"', "")
    assert own.get(f"/{INSEE}/meters/vert-1-1").status_code == 404


def test_a_valve_that_stays_open_loses_water_and_a_shut_one_is_a_fault(furnished, browser):
    with closing(schema.open_to_write(furnished)) as connection:
        for why, word in (("stuck-open", "Water is lost"), ("open-coil", "Fault")):
            body = cbor.encode([event.VALVE_FAILURE, True, [1, why, None]], 99)
            connection.execute("UPDATE records SET body = ? WHERE sequence = 2000", (body,))
            connection.execute("UPDATE faults SET code = ?", (event.VALVE_FAILURE,))
            page._PICTURES.clear()
            said = browser("operator").get(f"/{INSEE}/greens/vert-2-1").content.decode()
            assert f"<b>{word}</b>" in said, why


def test_the_map_has_the_marks_of_what_the_lists_have(furnished, browser):
    own = browser("operator")
    sent = own.get(f"/{INSEE}/map/spaces.json").json()["spaces"]
    assert len(sent) == 4 + 4 and {one["layer"] for one in sent} == {"rooms", "greens"}
    graves = [one["shown"] in states.GRAVE for one in sent]
    assert graves == sorted(graves, reverse=True)  # what covers others is what wants an eye
    assert all(own.get(one["address"]).status_code == 200 for one in sent)
    beside = own.get(f"/{INSEE}/map/in-view").content.decode()
    assert all(one["title"].partition(" : ")[0] in beside for one in sent)
    hidden = own.get(f"/{INSEE}/map/in-view?layer=greens").content.decode()
    assert "École, classe 1" not in hidden and "Stade, pelouse" in hidden
    bare = own.get(f"/{INSEE}/map/in-view?layer=none").content.decode()  # all were put away on the map
    assert "École, classe 1" not in bare and "Stade, pelouse" not in bare and 'id="layer-rooms"' in bare
    chosen = own.get(f"/{INSEE}/map?green_space=vert-1-2").content.decode()
    assert 'data-chosen-space="green_space/vert-1-2"' in chosen and "usually" in chosen


def test_a_room_that_gets_cold_is_pushed(furnished):
    from tools.centre.web import live
    from tools.centre.web.access import Commune

    every = frozenset((INSEE, trade) for trade in ("lighting", "heating", "watering", "any", "every"))
    own = Commune(INSEE, "Feneu", every)
    before = page.picture_now(own)
    body = cbor.encode({quantity.TEMPERATURE: 1500, quantity.SETPOINT: 1900}, 99)
    with closing(schema.open_to_write(furnished)) as connection:
        connection.execute("UPDATE latest SET readings = ? WHERE node = ?", (body, screens_world.room_node(0)))
    after = page.picture_now(own)
    assert after.version != before.version and '"spaces":true' in live._changes(before, after)
    assert '"spaces"' not in live._changes(after, after)


@pytest.mark.parametrize(
    ("state", "lack_ck", "is_preheating", "shown"),
    [
        ("ok", 99, False, states.WARM), ("ok", 100, False, states.COLD), ("ok", 300, True, states.WARMING),
        ("ok", None, False, states.WARM), ("fault", 300, False, states.FAULT), ("unknown", 300, False, states.UNKNOWN),
    ],
)  # fmt: skip
def test_what_a_room_is_called(state, lack_ck, is_preheating, shown):
    assert states.of_room(state, lack_ck, is_preheating=is_preheating) == shown


def told(at_s, code, *detail):
    return Told(at_s, record.EventBody(code, None, list(detail)))


def zone(shown=states.RESTING):
    return Space(None, shown, 1, None, None, {}, None, "", ())


def test_the_next_watering_is_the_first_of_programmes_that_began_in_the_last_day():
    day, now_s = 86_400, 1_000_000
    said = [
        told(now_s - day - 50, event.WATERING_SKIPPED, 1, "satisfied", 120),  # more than a day ago
        told(now_s - 70_000, event.VALVE_SWITCHED, 1, True, "balance", 1, 600),
        told(now_s - 60_000, event.VALVE_SWITCHED, 1, True, "balance", 1, 600),  # the next cycle of the same
        told(now_s - 80_000, event.VALVE_SWITCHED, 2, True, "balance", 1, 600),  # another zone
        told(now_s - 75_000, event.VALVE_SWITCHED, 1, True, "test", 0, 60),  # a technician
        told(now_s - 50_000, event.WATERING_SKIPPED, 1, "forbidden", 2),  # told when its hold was over
    ]
    assert greens.watered(said, zone(), now_s=now_s).next_unix_s == now_s - 70_000 + day
    assert greens.watered(said, zone(states.LEAK), now_s=now_s).next_unix_s is None
    assert greens.watered([], zone(), now_s=now_s) == ((), None, None)


def test_marks_are_drawn_of_numbers_and_of_whatever_is_not_known():
    assert 'class="span"' in gauges.thermometer(1540, 1900) and ">15°<" in gauges.thermometer(1540, 1900)
    for nothing in ((None, 1900), (1540, None), (None, None)):
        assert 'class="span"' not in gauges.thermometer(*nothing)
    assert gauges.thermometer(-9900, 9900).count("A12 12 0 1 1") == 2  # beyond the ends of the arc
    assert ">12<" in gauges.drop(120) and "<text" not in gauges.drop(None)
