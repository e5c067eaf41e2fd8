"""The commune tonight, its month, and who has lit it; Django's client, no script."""

import re
from collections import Counter
from types import SimpleNamespace

import pytest

from policy import document
from tests.support import lit_world
from tests.support.scoped_world import DAYS, FENEU, NOW_S
from tests.support.town_world import PHONE, fetch, kid_of, light, post, signed
from tools.centre.web import night, states, town


@pytest.fixture
def mayor(browser):
    return browser("mayor")


@pytest.fixture
def control(served):
    return str(served / "control.db")


def test_the_page_says_tonights_plan_whose_keys_may_light_and_who_has_lit(mayor):
    said = mayor.get(f"/{FENEU}/town").content.decode()
    assert "lit 17:25-08:10" in said and 'class="lit"' in said
    assert f'data-operator="{kid_of()}" data-name="{PHONE.name}"' in said
    assert f"Maire, lighting of {FENEU}" in said and "10:00-11:00" in said
    french = mayor.get(f"/{FENEU}/town", headers={"Accept-Language": "fr"}).content.decode()
    assert "allumé 17:25-08:10" in french and "Allumer la commune" in french


def test_without_a_control_file_the_page_shows_the_rest(mayor, monkeypatch):
    from django.conf import settings

    monkeypatch.setattr(settings, "BOCAGE", settings.BOCAGE._replace(control=None))
    said = mayor.get(f"/{FENEU}/town")
    assert said.status_code == 200 and "served without the control file" in said.content.decode()
    assert post(mayor, signed(light(10))).status_code == 404


def test_a_month_is_told_on_one_page(mayor, monkeypatch):
    from django.conf import settings

    monkeypatch.setattr(settings, "BOCAGE", settings.BOCAGE._replace(kwh_price=0.25))
    said = mayor.get(f"/{FENEU}/month").content.decode()
    assert "November 2026" in said and "to 12:00 today" in said
    kwh, euros = (float(re.search(f'class="sum">([0-9.]+) {unit}<', said)[1]) for unit in ("kWh", "€"))
    assert kwh > 4 and abs(euros - 0.25 * kwh) < 0.2 and "at 0.25 € a kWh" in said
    assert re.search(r"measured since [^;<]+; [0-9.]+ % of the time since then", said)
    assert f"Maire, lighting of {FENEU}" in said
    assert "heating" not in said and "watering" not in said  # it is a month of lighting
    french = mayor.get(f"/{FENEU}/month?month=2026-10", headers={"Accept-Language": "fr"}).content.decode()
    assert (
        "octobre 2026" in french and "Rien n’a encore été mesuré" in french and "Personne n’a donné" in french
    )


@pytest.mark.parametrize("asked", ["2099-01", "2026-13", "x", ""])
def test_a_month_to_come_is_this_month(mayor, asked):
    assert "November 2026" in mayor.get(f"/{FENEU}/month?month={asked}").content.decode()


def test_dark_hours_are_those_that_the_policy_leaves_between_sunset_and_sunrise():
    evening = night.evening_of(NOW_S)
    calendar = lit_world.EVENING  # dark from 22:30 to 05:30, but on two evenings of the week
    made = lit_world.policy()._replace(insee=FENEU)
    feeders = tuple(one._replace(calendar=0) for one in made.lighting.feeders)
    made = made._replace(lighting=made.lighting._replace(feeders=feeders))
    dark_s, night_s = night.dark_and_night_s(made, evening)
    assert made.lighting.calendars[0] == calendar
    assert dark_s == 7 * 3600 and 14 * 3600 < night_s < 15 * 3600
    permanent = tuple(one._replace(kind=document.PERMANENT) for one in feeders)
    always = made._replace(lighting=made.lighting._replace(feeders=permanent))
    assert night.dark_and_night_s(always, evening) == (0, 0)


def test_a_commune_without_a_policy_loads_no_script_that_lights(mayor, monkeypatch):
    from tools.centre.web import town

    assert "web/sign.js" in mayor.get(f"/{FENEU}/town").content.decode()
    monkeypatch.setattr(town.communes, "policy_in_force", lambda *_, **__: None)
    said = mayor.get(f"/{FENEU}/town").content.decode()
    assert "No policy is in force here" in said and "web/sign.js" not in said and 'id="give"' not in said


def test_an_order_lies_over_the_night_that_it_changes():
    made = lit_world.policy()
    now_s = lit_world.AFTERNOON_S
    order = night.Ordered(now_s, now_s + 3600, None, is_dark=False)
    of_one = order._replace(target=made.lighting.feeders[0].name)
    old = order._replace(from_s=now_s - 3 * 86_400, until_s=now_s - 2 * 86_400)
    drawn = [one.ordered for one in night.plans(made, (order, of_one, old), now_s=now_s) if not one.is_permanent]
    assert len(drawn) == 1
    for (own, x, width), *_ in drawn:
        assert own == order and (x, width) == (62, 42)  # 13:30 of a day that begins at noon, for an hour
    assert sum(own == of_one for ordered in drawn for own, _, _ in ordered) == 1
    assert all(own != old for ordered in drawn for own, _, _ in ordered)


def test_the_page_says_an_order_where_it_says_the_night_and_fetches_that_again(mayor, served, control):
    assert post(mayor, signed(light(31))).status_code == 204
    fetch(served, control)
    said = mayor.get(f"/{FENEU}/town").content.decode()
    assert "by order: lit 12:00-" in said and 'class="lit ordered"' in said
    assert 'id="tonight" data-again="" data-select="#tonight"' in said and 'id="given"' in said
    assert 'hx-select="#orders" hx-select-oob="#given"' in said


def test_a_month_counts_what_was_measured_today(mayor, monkeypatch):
    from django.conf import settings

    def kwh(now_s):
        monkeypatch.setattr(settings, "BOCAGE", settings.BOCAGE._replace(clock=lambda: now_s))
        return int(re.search('class="sum">([0-9]+) kWh<', mayor.get(f"/{FENEU}/month").content.decode())[1])

    evening_s = DAYS[2] + 23 * 3600  # the last readings are of this day
    assert kwh(evening_s) == kwh(NOW_S)


def test_a_month_whose_readings_are_of_today_says_that_they_are_not_counted_yet(mayor, monkeypatch):
    from django.conf import settings

    from tools.centre.web import month

    asked = []
    monkeypatch.setattr(month, "_energy", lambda found, language: {"kwh": None})
    monkeypatch.setattr(month, "waiting", lambda connection, period: asked.append(period) or 3)
    said = mayor.get(f"/{FENEU}/month").content.decode()
    assert "readings of 3 nodes are not counted yet" in said and "Nothing has measured" not in said
    assert asked[0][1] > settings.BOCAGE.clock() + 86_400  # today is within


def test_a_light_at_fault_is_not_called_dark(mayor, monkeypatch):
    """It may burn: the contactor that does not open says so."""
    counts = Counter({states.LIT: 3, states.OFF: 1, states.FAULT: 2})
    monkeypatch.setattr(town, "picture", lambda *_: SimpleNamespace(counts=counts, lights=[None] * 6))
    said = mayor.get(f"/{FENEU}/town").content.decode()
    assert "Of the lights that are sound and heard, 3 of 4 are lit now." in said
