"""The commune tonight, its month, and who has lit it; Django's client, no script."""

import re
from collections import Counter
from contextlib import closing
from types import SimpleNamespace

import pytest

from policy import civil, document, lighting
from tests.support import lit_world
from tests.support.control_world import outcome
from tests.support.scoped_world import ANGERS, DAYS, FENEU, NOW_S
from tests.support.town_world import PHONE, fetch, kid_of, light, post, report, signed
from tools.centre.duty.book import Book
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
    assert "allumé 17:25-08:10" in french and f"Allumer commune of {FENEU}" in french
    assert "la mairie retire la clé" in french


@pytest.mark.parametrize(("hour", "title", "is_day"), [(2, ", this night", False), (11, ", this night", True),
                                                       (13, " tonight", True), (22, " tonight", False)])  # fmt: skip
def test_the_page_names_the_night_that_it_shows_and_warns_of_light_by_day(mayor, monkeypatch, hour, title, is_day):
    from django.conf import settings

    now_s = NOW_S + (hour - 12) * 3600
    monkeypatch.setattr(settings, "BOCAGE", settings.BOCAGE._replace(clock=lambda: now_s))
    said = mayor.get(f"/{FENEU}/town").content.decode()
    assert f"<h1>commune of {FENEU}{title}</h1>" in said
    assert ("burn in daylight" in said) == is_day


def test_lights_without_a_controller_are_said_to_be_judged_by_their_feeder(mayor, monkeypatch):
    assert "taken for lit while its feeder" not in mayor.get(f"/{FENEU}/town").content.decode()
    seen = town.picture

    def bare(request, own):
        whole = seen(request, own)
        lights = (one._replace(state=one.state._replace(node=None), shown=states.LIT) for one in whole.lights)
        return whole._replace(lights=tuple(lights))

    monkeypatch.setattr(town, "picture", bare)
    assert "taken for lit while its feeder" in mayor.get(f"/{FENEU}/town").content.decode()


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
    half_past_23_s = civil.unix_from_local(civil.PARIS, evening, 23 * 3600 + 1800)
    assert night.dark_and_night_s(made, evening, (half_past_23_s - 7200, half_past_23_s)) == (3600, 7200)
    assert night.dark_and_night_s(made, evening, (half_past_23_s - 86_400, half_past_23_s - 43_200)) == (0, 0)
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


def test_a_month_tells_the_silences_that_no_equipment_can_report(mayor, served):
    october = f"/{FENEU}/month?month=2026-10"
    assert "No equipment reported a fault" in mayor.get(october).content.decode()
    assert "alone, nothing received from it" not in mayor.get(october).content.decode()
    assert f"cabinet of {FENEU}: alone, nothing received" in mayor.get(f"/{FENEU}/month").content.decode()
    said = {"en": "cab-1: nothing is received", "fr": "cab-1 : plus rien"}
    first_s = NOW_S - 30 * 86_400  # of October
    with closing(Book.open(str(served / "duty.db"))) as book:
        for insee, key in ((FENEU, ""), ("*", ""), (ANGERS, ""), (FENEU, "of a fault")):
            one = book.begin(insee, "lighting", said, key, now_s=first_s)
            book.put(one._replace(over_unix_s=first_s + 7200))
        shown = mayor.get(october).content.decode()
        book.connection.execute("DELETE FROM causes")
    assert "and 2 silences" in shown and shown.count("cab-1: nothing is received") == 1
    assert "The centre itself heard nothing" in shown
    assert "silence" not in mayor.get(october).content.decode()


def test_who_has_lit_is_told_from_when_a_cabinet_did_it(mayor, served, control, monkeypatch):
    from django.conf import settings

    monkeypatch.setattr(settings, "BOCAGE", settings.BOCAGE._replace(clock=lambda: NOW_S + 1800))
    one = light(32, reason="a late order")
    assert post(mayor, signed(one)).status_code == 204
    fetch(served, control)
    for where in ("town", "month"):
        said = mayor.get(f"/{FENEU}/{where}").content.decode()
        assert re.search(r"12:00-13:00</span> [^<]*, a late order <span[^>]*>no cabinet has reported", said), where
    report(control, one, outcome(one, "applied", feeder=f"lighting b {FENEU}", unix_s=NOW_S + 1320))
    for where in ("town", "month"):
        said = mayor.get(f"/{FENEU}/{where}").content.decode()
        assert re.search(r"12:22-13:00</span> [^<]*, a late order</li>", said), where
    assert "by order: lit 12:22-13:00" in mayor.get(f"/{FENEU}/town").content.decode()


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


def lamp(shown, level_percent=None, feeder="bourg", heard_unix_s=lit_world.START_S + 86_400):
    state = SimpleNamespace(node=b"node", feeder=feeder, cabinet=f"{FENEU}-cab-1", heard_unix_s=heard_unix_s)
    figures = SimpleNamespace(level_percent=level_percent, measured_unix_s=None)
    return SimpleNamespace(shown=shown, state=state, figures=figures)


def said_now(at, *lights, given=(), made=None):
    """What a page says at this hour of lights under the policy of `lit_world`: lit to 22:30 and from 05:30."""
    hour, minute = at
    noon_s = lit_world.START_S  # of France
    request = SimpleNamespace(now_s=noon_s + ((hour - 12) % 24 * 60 + minute) * 60, language="en")
    return town._now(lights, made or lit_world.policy(), given, request)


LIT, OFF, UNPOWERED = lamp(states.LIT), lamp(states.OFF), lamp(states.UNPOWERED)


@pytest.mark.parametrize(("at", "lights", "sentence"), [
    ((20, 0), [LIT, LIT], "Lit as planned, until 22:30."),
    ((23, 0), [UNPOWERED, OFF], "Off as planned: the lighting is cut from 22:30 to 05:30."),
    ((14, 0), [UNPOWERED], "Off as planned; the lights go on at 17:1"),
    ((9, 0), [OFF], "Off as planned; the lights go on at 17:1"),
    ((22, 31), [LIT, UNPOWERED], "The plan has just switched"),
    ((22, 31), [UNPOWERED], "Off as planned"),
])  # fmt: skip
def test_lights_that_do_what_the_plan_wants_are_told_with_the_plan(at, lights, sentence):
    assert said_now(at, *lights).sentence.startswith(sentence)


@pytest.mark.parametrize(("at", "light", "found"), [
    ((20, 0), UNPOWERED, (1, 0)),
    ((20, 0), OFF, (1, 0)),
    ((20, 0), lamp(states.PENDING), (1, 0)),
    ((23, 0), LIT, (0, 1)),
    ((20, 0), lamp(states.OFF, level_percent=0), (0, 0)),  # dimmed to nothing by a calendar of its own
    ((20, 0), lamp(states.OFF, feeder="unnamed"), (0, 0)),
    ((20, 0), lamp(states.FAULT), (0, 0)),  # told as one
    ((20, 0), lamp(states.LIT, heard_unix_s=lit_world.DUSK_S), (0, 0)),  # what was measured is old
    ((22, 45), lamp(states.LIT, heard_unix_s=lit_world.DUSK_S + 19_500), (0, 0)),  # or of before the plan switched
    ((23, 0), lamp(states.PENDING), (0, 0)),
])  # fmt: skip
def test_all_is_well_only_where_each_light_is_known_to_do_what_the_plan_wants(at, light, found):
    now = said_now(at, light)
    assert (now.missing, now.extra) == found and not now.is_planned and "planned" not in now.sentence
    assert said_now(at, light, *[LIT if at == (20, 0) else UNPOWERED] * 3).is_planned == (light.shown == states.FAULT)


def test_the_count_of_lit_lights_has_the_age_of_its_oldest_measurement(mayor, monkeypatch):
    old, new = (lamp(states.LIT, heard_unix_s=lit_world.DUSK_S + age_s) for age_s in (0, 60))
    unpowered = lamp(states.UNPOWERED, heard_unix_s=1)  # since before its mains went, as wanted
    assert said_now((20, 0), new, old, unpowered).oldest_s == lit_world.DUSK_S
    monkeypatch.setattr(town, "_now", lambda *_: town.Now(2, 3, oldest_s=NOW_S - 14 * 60))
    assert "Measured 14 min ago at the oldest." in mayor.get(f"/{FENEU}/town").content.decode()


def test_a_light_that_an_order_holds_is_not_judged_by_the_plan():
    noon_s = lit_world.START_S
    order = light(50, insee=FENEU)._replace(gateway="cab-1", target="rues", not_before_s=noon_s + 11 * 3600)
    given = SimpleNamespace(order=SimpleNamespace(command=order), until_s=noon_s + 11 * 3600 + 1800)
    assert said_now((23, 5), LIT, given=[given]).sentence.startswith("An order changes the plan until 23:30")
    assert "just switched" in said_now((23, 31), LIT, given=[given]).sentence
    assert said_now((23, 45), LIT, given=[given]).extra == 1
    other = order._replace(gateway="cab-2")
    elsewhere = SimpleNamespace(order=SimpleNamespace(command=other), until_s=given.until_s)
    assert said_now((23, 5), LIT, given=[elsewhere]).extra == 1


def test_a_feeder_that_is_dark_for_days_is_dark_as_planned():
    made = lit_world.policy()
    rules = (lighting.Rule(lighting.EVERY_DAY, 0, 0, 0),)
    dark = lighting.Calendar(rules, ((lighting.Step(lighting.SUNSET, 0, 0, 0),),))
    made = made._replace(lighting=made.lighting._replace(calendars=(dark, dark)))
    now = said_now((20, 0), OFF, made=made)
    assert now.is_planned and now.sentence == "As planned."


def test_a_light_at_fault_is_not_called_dark(mayor, monkeypatch):
    """It may burn: the contactor that does not open says so."""
    lights = [*[lamp(states.LIT)] * 3, lamp(states.OFF), *[lamp(states.FAULT)] * 2]
    counts = Counter(one.shown for one in lights)
    monkeypatch.setattr(town, "picture", lambda *_: SimpleNamespace(counts=counts, lights=lights))
    said = mayor.get(f"/{FENEU}/town").content.decode()
    assert "Of the lights that are sound and heard, 3 of 4 are lit." in said
    assert "All is well" not in said and "No fault is known" not in said
