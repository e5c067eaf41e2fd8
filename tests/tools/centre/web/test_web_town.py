"""The commune tonight, an order that was signed in a browser, and what becomes of it; Django's client, no script."""

import re
from contextlib import closing

import pytest

from policy import document, limits
from tests.support import lit_world
from tests.support.control_world import STRANGER, outcome
from tests.support.scoped_world import ANGERS, DAYS, FENEU, NOW_S, ROLES, granted
from tests.support.town_world import PHONE, kid_of, light, report, signed
from tools.centre.control import drafts, orders, outbox
from tools.centre.control import file as control_file
from tools.centre.web import night
from wire import command

FEEDERS = [f"lighting {one} {FENEU}" for one in "ber"]


def post(browser, data, insee=FENEU):
    return browser.post(f"/{insee}/town/sign", {"order": data.hex() if isinstance(data, bytes) else data})


@pytest.fixture
def mayor(browser):
    return browser("mayor")


@pytest.fixture
def control(served):
    return str(served / "control.db")


def fetch(served, control):
    daemon = outbox.Outbox(str(served / "web.sqlite3.outbox"), control, lambda *_, **__: None)
    daemon.fetch(now_s=NOW_S)


def card(browser):
    return browser.get(f"/{FENEU}/town/orders").content.decode()


def test_the_page_says_tonights_plan_whose_keys_may_light_and_who_has_lit(mayor):
    said = mayor.get(f"/{FENEU}/town").content.decode()
    assert "lit 17:25-08:10" in said and 'class="lit"' in said
    assert f'data-operator="{kid_of()}" data-name="{PHONE.name}"' in said
    assert f"Maire, lighting of {FENEU}" in said and "10:00-11:00" in said
    french = mayor.get(f"/{FENEU}/town", headers={"Accept-Language": "fr"}).content.decode()
    assert "allumé 17:25-08:10" in french and "Allumer la commune" in french


def test_an_order_goes_from_signed_to_measured_in_watts(mayor, served, control):
    one = light(1, reason="recherche d'une personne")
    assert post(mayor, signed(one)).status_code == 204
    assert post(mayor, signed(one)).status_code == 204  # sent again, for the answer was lost
    said = card(mayor)
    assert said.count("<article") == 1 and ">Signed<" in said and "recherche d&#x27;une personne" in said
    fetch(served, control)
    report(control, one)
    assert "Signed · Sent<" in card(mayor)
    report(control, one, outcome(one, "received"), outcome(one, "applied", feeder=FEEDERS[0]))
    said = card(mayor)
    assert "Signed · Sent · Received by 1 cabinet<" in said
    assert f"No effect seen yet: {FEEDERS[1]}, {FEEDERS[2]}" in said
    for more, feeder in enumerate(FEEDERS[:2]):
        report(control, one, outcome(one, "measured", feeder=feeder, power_dw=80_000 + more))
    said = card(mayor)
    assert "Measured at 2 of 3 feeders, 16.0 kW" in said
    assert f'data-end="{one.id.hex()}" data-kid="{kid_of()}"' in said
    refused = outcome(one, "refused", feeder=None, why="light-only")
    report(control, one, refused)
    assert f"cab-{FENEU} refuses: this key lights for a few hours at most" in card(mayor)


def test_an_end_is_taken_from_who_signed_the_beginning(mayor, served, control):
    one = light(2)
    assert post(mayor, signed(one)).status_code == 204
    fetch(served, control)
    end = light(3, kind=command.END, ends=one.id, reason="retour à la politique")
    assert post(mayor, signed(end)).status_code == 204
    fetch(served, control)
    assert "ended before its time" in card(mayor)
    late = post(mayor, signed(light(4, kind=command.END, ends=one.id)))
    assert (late.status_code, late.content.decode()) == (400, "a command has ended it already")


def test_what_is_no_order_of_this_commune_is_refused_in_words_and_not_kept(mayor, served):
    before = len(outbox.of_commune(str(served / "web.sqlite3.outbox"), FENEU))
    forged = bytearray(signed(light(5)))
    forged[-1] ^= 1
    refused = {
        "": "this is no order",
        "zz": "this is no order",
        "00" * 10_000: "this is no order",
        bytes(forged): "the signature does not hold",
        signed(light(5), STRANGER): "is no operator's of",
        signed(light(5, expires_s=NOW_S + limits.light_s_max + 1)): "may light for 4 h at most",
        signed(light(5, kind=command.OVERRIDE, level=0)): "has not the right to this",
        signed(light(5, insee=ANGERS)): "no policy of 49007",
    }
    for data, why in refused.items():
        said = post(mayor, data)
        assert said.status_code == 400 and why in said.content.decode(), why
    assert "au plus" in mayor.post(
        f"/{FENEU}/town/sign", {"order": signed(light(5, expires_s=NOW_S + limits.light_s_max + 1)).hex()},
        headers={"Accept-Language": "fr"},
    ).content.decode()  # fmt: skip
    assert len(outbox.of_commune(str(served / "web.sqlite3.outbox"), FENEU)) == before


def test_only_who_is_granted_lighting_there_gives_and_sees_orders(browser):
    for role in ROLES:
        is_granted = granted(role, FENEU, "lighting")
        own = browser(role)
        assert post(own, signed(light(6, kind=command.OVERRIDE, level=0))).status_code == (400 if is_granted else 404)
        assert own.get(f"/{FENEU}/town").status_code == (200 if is_granted else 404)
        assert own.get(f"/{FENEU}/town/time").status_code == (200 if is_granted else 404)
    assert browser("mayor").get(f"/{FENEU}/town/sign").status_code == 405


def test_an_order_needs_the_token_of_the_page(served):
    from django.contrib.auth import get_user_model
    from django.test import Client

    strict = Client(enforce_csrf_checks=True)
    strict.force_login(get_user_model().objects.get(username="mayor"), "django.contrib.auth.backends.ModelBackend")
    assert post(strict, signed(light(7))).status_code == 403


def test_an_order_that_no_daemon_fetches_is_told_so(mayor, monkeypatch):
    from django.conf import settings

    assert post(mayor, signed(light(8))).status_code == 204
    later = settings.BOCAGE._replace(clock=lambda: NOW_S + 11)
    monkeypatch.setattr(settings, "BOCAGE", later)
    assert "The centre has not fetched it yet, so nothing is sent" in card(mayor)


def test_an_order_that_is_refused_by_now_says_why_instead(mayor, served, control, monkeypatch):
    from django.conf import settings

    one = light(12)
    assert post(mayor, signed(one)).status_code == 204
    monkeypatch.setattr(drafts, "checked", lambda *_, **__: refuse())
    monkeypatch.setattr(settings, "BOCAGE", settings.BOCAGE._replace(clock=lambda: NOW_S + 11))

    def refuse():
        raise drafts.NotAllowed("refused.stranger", kid=kid_of(), insee=FENEU, version=2)

    assert f"the key {kid_of()} is no operator&#x27;s of {FENEU} (policy 2)" in card(mayor)


def test_a_page_that_has_seen_it_all_is_answered_nothing(mayor):
    first = mayor.get(f"/{FENEU}/town/orders")
    seen = re.search(r"\?seen=([0-9a-f]{16})", first.content.decode())[1]
    again = mayor.get(f"/{FENEU}/town/orders?seen={seen}")
    assert (again.status_code, again.content) == (204, b"")
    french = mayor.get(f"/{FENEU}/town/orders?seen={seen}", headers={"Accept-Language": "fr"})
    assert french.status_code == 200
    assert post(mayor, signed(light(13))).status_code == 204
    assert mayor.get(f"/{FENEU}/town/orders?seen={seen}").status_code == 200


def test_words_of_strangers_stay_words(mayor, served, control):
    one = light(9, reason="<script>alert(1)</script>")
    assert post(mayor, signed(one)).status_code == 204
    assert "<script>alert" not in card(mayor) and "&lt;script&gt;alert" in card(mayor)


def test_without_a_control_file_the_page_shows_the_rest(mayor, monkeypatch):
    from django.conf import settings

    monkeypatch.setattr(settings, "BOCAGE", settings.BOCAGE._replace(control=None))
    said = mayor.get(f"/{FENEU}/town")
    assert said.status_code == 200 and "served without the control file" in said.content.decode()
    assert post(mayor, signed(light(10))).status_code == 404


def test_the_control_file_is_never_written(mayor, control):
    with closing(control_file.open_to_read(control)) as connection:
        before = [one.command.id for one in orders.latest(connection, 99)]
        assert post(mayor, signed(light(11))).status_code == 204
        assert [one.command.id for one in orders.latest(connection, 99)] == before


def test_a_month_is_told_on_one_page(mayor, monkeypatch):
    from django.conf import settings

    monkeypatch.setattr(settings, "BOCAGE", settings.BOCAGE._replace(kwh_price=0.25))
    said = mayor.get(f"/{FENEU}/month").content.decode()
    assert "November 2026" in said and "to 12:00 today" in said
    kwh, euros = (float(re.search(f'class="sum">([0-9]+) {unit}<', said)[1]) for unit in ("kWh", "€"))
    assert kwh > 4 and abs(euros - 0.25 * kwh) <= 1 and "at 0.250 € a kWh" in said
    assert "% of this time is measured" in said
    assert f"Maire, lighting of {FENEU}" in said
    assert "heating" not in said and "watering" not in said  # it is a month of lighting
    french = mayor.get(f"/{FENEU}/month?month=2026-10", headers={"Accept-Language": "fr"}).content.decode()
    assert (
        "octobre 2026" in french and "Rien n&#x27;a encore été mesuré" in french and "Personne n&#x27;a donné" in french
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

    assert "web/town.js" in mayor.get(f"/{FENEU}/town").content.decode()
    monkeypatch.setattr(town.communes, "policy_in_force", lambda *_, **__: None)
    said = mayor.get(f"/{FENEU}/town").content.decode()
    assert "No policy is in force here" in said and "web/town.js" not in said and 'id="light"' not in said


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
    assert 'id="given" hx-swap-oob="true"' in card(mayor) and "hx-swap-oob" not in said


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
