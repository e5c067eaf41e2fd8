"""Each screen tells the state of the cabinet, in both languages and with hostile names. No connection."""

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

pytest.importorskip("aiohttp", reason="aiohttp is not installed")

from gateway.language import LANGUAGES
from gateway.show.page import page, screens
from gateway.show.page.feeders import all_page, feeder_screen, now, order_page, refusal_words
from gateway.show.page.screens import faults, health, refusal
from gateway.show.page.sessions import Session
from gateway.show.page.tonight import tonight_screen
from gateway.show.page.view import View, live_part
from gateway.show.page.view import page as whole_page
from gateway.show.page.words import PAGE
from tests.support import cabinet_document as told
from tests.support.page_world import Answer

FOLDER = Path(page.__file__).parent
SESSION = Session("J. Renard", "192.168.50.7", "secret", 0, 0)


def view(part=None, language="fr", path="/", **more):
    return View(told.agent(part, **more), language, SESSION, path)


def read(html):
    return Answer(200, {}, str(html)).shown.replace("\u00a0", " ")


def every_screen(given):
    yield from (now(given), tonight_screen(given), faults(given), health(given))
    for feeder in given.cabinet.feeders:
        yield feeder_screen(given, feeder)
        yield from (order_page(given, feeder, order) for order in ("test", "lock", "unlock"))
    yield all_page(given)
    yield refusal(given, refusal_words(given, None, "locked"), "/")


def test_the_first_screen_says_state_watts_why_and_what_comes():
    shown = read(now(view()))
    for words in ("bourg Éteint 41 min", "0 W (448 W allumé)", "politique n° 4 : extinction à 23:00",
                  "Ensuite : allumage à 06:00", "route Allumé 6 h 40 min", "1050 W attendu 1056 W",
                  "pompe Commandé alimenté, non constaté", "sans mesure", "Essayer 2 min", "Verrouiller"):  # fmt: skip
        assert words in shown, words


def test_what_contradicts_the_order_is_red_in_the_head_of_the_card_and_in_the_strip():
    feeders = told.feeders(route=told.feeder("route", wants=True, power_w=0.0))
    html = now(view(told.cabinet(feeders=feeders)))
    assert 'class="card fault" id="feeder-1"' in html
    assert "route Commandé allumé, 0 W : éteint ordre il y a 41 min" in read(html) and "Allumé" not in read(html)
    assert "1 défaut" in read(live_part(view(told.cabinet(feeders=feeders)), ""))


def test_the_commune_has_its_name():
    assert read(live_part(view(commune="Feneu"), "")).startswith("Feneu · armoire bourg 23:41")
    assert read(live_part(view(), "")).startswith("Armoire 49135-bourg 23:41")


def test_equal_nights_are_shown_once_and_a_time_has_its_space():
    feeders = told.feeders(parc=told.feeder("parc", wants=True))
    feeders[3]["name"] = "route"  # as the policy knows it
    html = tonight_screen(view(told.cabinet(feeders=feeders)))
    assert html.count("<svg") == 3 and "<b>12:00</b> <p>" in html
    assert read(html).count("route") == 2 and 'href="/feeder/1">route</a>, <a href="/feeder/3">route</a>' in html


def test_a_round_names_what_stays_locked_and_can_be_ended_as_a_whole():
    locked = told.feeders(bourg=told.feeder("bourg", told.wish("interlock", False, "locked"), locked_by="M. X"))
    assert "Verrouillés, ils restent éteints : bourg" in read(all_page(view(told.cabinet(feeders=locked))))
    lit = {name: told.feeder(name, told.wish("manual", True, "x"), test_left_s=1700) for name in ("bourg", "route")}
    html = now(view(told.cabinet(feeders=told.feeders(**lit))))
    assert "Plusieurs départs en essai, encore 28 min" in read(html) and 'action="/all/stop"' in html
    assert "Allumer tout" not in read(html)


def test_watts_that_do_not_agree_are_said():
    feeders = told.feeders(route=told.feeder("route", wants=True, normal_w=1056.0, power_w=900.0, since_s=4000))
    shown = read(now(view(told.cabinet(feeders=feeders))))
    assert "il manque 156 W" in shown


def test_a_test_under_way_counts_down_and_can_be_stopped():
    feeders = told.feeders(bourg=told.feeder("bourg", told.wish("manual", True, "J. Renard"), test_left_s=95))
    html = now(view(told.cabinet(feeders=feeders)))
    assert "Essai à l’armoire : J. Renard" in read(html).replace("essai", "Essai", 1)
    assert "Essai en cours, encore 1 min 35 s" in read(html) and 'data-left="95"' in html
    assert 'action="/feeder/0/stop"' in html and "Ensuite : extinction à 23:42" in read(html)


def test_a_locked_feeder_can_only_be_unlocked():
    feeders = told.feeders(bourg=told.feeder("bourg", told.wish("interlock", False, "locked"), locked_by="M. X"))
    html = now(view(told.cabinet(feeders=feeders)))
    assert "verrou du technicien (M. X)" in read(html) and 'href="/feeder/0/unlock"' in html
    assert "/feeder/0/test" not in html and "/feeder/0/lock" not in html


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"switch": "off"}, "L’interrupteur de l’armoire commande"),
        ({"in_control": False}, "L’horloge astronomique de l’armoire commande"),
    ],
)
def test_who_else_commands_is_said_above_the_feeders(changes, words):
    assert read(now(view(told.cabinet(**changes)))).startswith(words)


def test_before_a_feeder_is_tested_its_faults_are_told():
    given = view(told.cabinet(alarms=[told.alarm("cableFault", "bourg", 6, 100, 448), told.alarm("doorOpen")]))
    shown = read(order_page(given, given.cabinet.feeders[0], "test"))
    assert "personne ne travaille" in shown and "Câble coupé" in shown and "porte" not in shown
    other = read(order_page(given, given.cabinet.feeders[1], "test"))
    assert "Câble" not in other and "déjà allumé" in other


def test_the_faults_are_told_the_gravest_first_with_what_to_do():
    alarms = [told.alarm("doorOpen"), told.alarm("lampsLost", "route", 2), told.alarm("cableFault", "bourg", 6)]
    log = [{"ago_s": 90, "what": "bearer-down", "values": {"name": "fibre"}}]
    shown = read(faults(view(told.cabinet(alarms=alarms), faults=log, clock={"good": False})))
    order = ["Câble coupé", "2 lampes éteintes", "porte", "L’heure n’est pas sûre", "liaison en panne"]
    assert sorted(order, key=shown.index) == order and shown.count("À faire :") == 4
    assert "Aucun défaut" in read(faults(view()))


def test_the_night_is_a_bar_with_its_words_and_an_hour_less_or_more_when_clocks_change():
    html = tonight_screen(view())
    assert 'aria-label="Nuit de bourg\u00a0' not in html  # attributes are left as they are
    assert "Nuit de bourg : 12:00 éteint, 17:16 allumé, 23:00 éteint, 06:00 allumé, 08:24 éteint" in html
    for month, day, hours in ((3, 27, 23), (10, 30, 25)):
        bar = tonight_screen(view(told.cabinet(unix_s=told.at(2027, month, day, 20))))
        x = [float(found) for found in re.findall('<line x1="([0-9.]+)" x2="[0-9.]+" y1="4"', bar)[:9]]
        # From 0 h to 3 h lies the change: an hour less or more than between 21 h and 0 h.
        assert x[5] - x[4] == pytest.approx(360 * (hours - 21) / hours, abs=0.2)
        assert x[0] == 0 and x[8] == 360


def test_what_nobody_knows_is_not_drawn():
    shown = read(tonight_screen(view(told.cabinet(unix_s=None, policy_plain=None))))
    assert shown.count("Inconnu : il manque l’heure") == 1


def test_a_policy_that_cannot_be_read_leaves_the_agents_own_night():
    night = [[told.at(2026, 11, 26, 12), 0], [told.at(2026, 11, 26, 18), 100], [told.at(2026, 11, 27, 7), 0]]
    feeders = told.feeders(bourg=told.feeder("bourg", night=night))
    assert "18:00 allumé" in read(tonight_screen(view(told.cabinet(policy_plain="zz", feeders=feeders))))


def test_the_gateways_health_in_short():
    shown = read(health(view()))
    for words in ("Tout va bien", "relié par la fibre", "30 relevés", "sûre à ± 2 s", "20,0 Go libres", "1210 VA"):
        assert words in shown, words
    assert "équipements" not in shown  # there are no controllers on the lamps


HOSTILE = '<script>alert(1)</script>"><img src=x onerror=alert(1)>\'&'


class Tags(HTMLParser):
    """Every element and attribute that a browser would see."""

    def __init__(self, html):
        super().__init__()
        self.names, self.attributes = [], []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.names.append(tag)
        self.attributes += [name for name, _ in attrs]


def hostile_status():
    """Every text of the status is markup."""

    def spoil(value):
        if isinstance(value, dict):
            return {key: spoil(item) for key, item in value.items()}
        if isinstance(value, list):
            return [spoil(item) for item in value]
        return HOSTILE if isinstance(value, str) and value not in KEPT else value

    feeders = told.feeders(
        bourg=told.feeder("bourg", told.wish("emergency", True, "x"), told.wish("manual", True, "x"), test_left_s=5),
        route=told.feeder("route", told.wish("interlock", False, "locked"), locked_by="x"),
    )
    alarms = [told.alarm("lampsLost", "x", 2), told.alarm("cabinetMeterFailure", "x"), told.alarm("new", "x", "y")]
    part = spoil(told.cabinet(feeders=feeders, commands=[told.command(kind="emergency", target=None)], alarms=alarms))
    log = [{"ago_s": 9, "what": HOSTILE, "values": {"why": HOSTILE}}]
    return told.agent(part, name=HOSTILE, version=HOSTILE, faults=log)


KEPT = ("emergency", "manual", "interlock", "locked", "policy", "lampsLost", "cabinetMeterFailure", *told.plain())


@pytest.mark.parametrize("language", LANGUAGES)
def test_hostile_names_stay_text_on_every_screen(language):
    who = Session(HOSTILE, HOSTILE, "secret", 0, 0)
    given = View(hostile_status(), language, who, "/")
    for screen in every_screen(given):
        html = whole_page(given, HOSTILE, screen, is_live=True)
        tags = Tags(html)
        assert tags.names.count("script") == 1 and not {"img", "iframe", "object"} & set(tags.names)
        assert not [name for name in tags.attributes if name.startswith("on") or name == "style"]
    assert "<img" not in screens.login_page(language, why=HOSTILE, who=HOSTILE)


ODD = (None, True, -1, 10**40, float("nan"), float("inf"), "", "x" * 10_000, [], [[]], {}, {"a": 1}, [None] * 500)


@pytest.mark.parametrize("odd", ODD, ids=lambda odd: str(odd)[:12])
@pytest.mark.parametrize("name", told.cabinet())
def test_no_odd_part_of_a_newer_agents_document_costs_a_screen(name, odd):
    given = view(told.cabinet(**{name: odd}))
    for screen in every_screen(given):
        assert screen


@pytest.mark.parametrize("odd", ODD, ids=lambda odd: str(odd)[:12])
@pytest.mark.parametrize("name", told.feeder("bourg"))
def test_no_odd_field_of_a_feeder_costs_a_screen(name, odd):
    given = view(told.cabinet(feeders=[told.feeder("bourg") | {name: odd}, odd]))
    for screen in every_screen(given):
        assert screen


# --- words ----------------------------------------------------------------------------------------------------------


def test_every_word_that_a_screen_asks_for_is_in_the_table_and_none_is_left_over():
    source = "\n".join(path.read_text(encoding="utf-8") for path in FOLDER.glob("*.py") if path.name != "words.py")
    asked = set(re.findall(r'(?:\btext|page_text(?:_or)?)\(\s*"([a-z_.0-9]+)"', source))
    assert len(asked) > 50 and asked <= PAGE.messages.keys(), asked - PAGE.messages.keys()
    made = (r"(test|lock|unlock)\.(title|lead|go|button)", r"(chip\.switch|login|error|tab|refused|health|faults)\.\w+",
            r"now\.(unknown|expected|normal)", r"done\.\w+", r"health\.(ups|linky)\.value", r"(kind|why|blink)\.\w+",
            r"nodes\.(found|heard)", r"node\.(register|kind|program|feeder|signal|power|stranger.*)",
            r"place\.(light|street)")  # fmt: skip
    assert not [key for key in PAGE.messages if key not in asked and not any(re.fullmatch(one, key) for one in made)]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_screen_can_be_said_in_each_language(language):
    given = view(told.cabinet(alarms=[told.alarm("doorOpen")], commands=[told.command()]), language)
    assert all(every_screen(given))
    other = "éteint" if language == "en" else "every evening"
    assert other not in "".join(every_screen(given))


# --- the style ------------------------------------------------------------------------------------------------------


def luminance(colour):
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


PAIRS = (
    ("text", "card"), ("text", "ground"), ("soft", "card"), ("soft", "ground"), ("on-accent", "accent"),
    ("accent", "card"), ("accent", "ground"), ("on-bar", "bar"), ("good", "good-ground"), ("warn", "warn-ground"),
    ("bad", "bad-ground"), ("bad", "card"), ("on-bad", "bad"), ("unsure", "card"),
    ("unknown", "card"), ("lit", "card"), ("dark", "card"),
)  # fmt: skip


@pytest.mark.parametrize("scheme", [0, 1], ids=["day", "night"])
def test_every_text_has_the_contrast_of_wcag_aa_by_day_and_by_night(scheme):
    style = (FOLDER / "static" / "page.css").read_text(encoding="utf-8")
    block = re.findall(r":root \{(.*?)\}", style, re.DOTALL)[scheme]
    colours = {
        name: "#" + "".join(2 * digit for digit in value[1:]) if len(value) == 4 else value
        for name, value in re.findall(r"--([\w-]+): (#\w+);", block)
    }
    for text, ground in PAIRS:
        light, dark = sorted((luminance(colours[text]), luminance(colours[ground])), reverse=True)
        assert (light + 0.05) / (dark + 0.05) >= 4.5, (text, ground)
