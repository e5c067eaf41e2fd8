"""`gateway explain`: the reason for each rule, what was overruled, a real cabinet's document; and who cannot be asked.

Nights and other times are in `explaining/test_nights.py`.
"""

import json
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from gateway.core.cabinet.status import cabinet_status
from gateway.core.status import parse
from gateway.io import status_socket
from gateway.show.explain import calendar
from tests.support import cabinet_document as told
from tests.support.cabinet_document import alarm, at, cabinet, command, feeder, feeders, plain, wish
from tests.support.commands import bocage_gateway
from tests.support.explained import bourg, explained, said
from tests.support.lit_world import MAYOR, LitWorld
from wire import command as wire_command

BY = "politique n° 4 (Conseil municipal de Feneu, Délibération 2026-41)"


def verdicts(part, name="bourg"):
    found, _ = explained(part, name)
    return {rung["level"]: (rung["verdict"], rung["answer"]) for rung in found["now"]["ladder"]}


# --- why, for each rule ---------------------------------------------------------------------------------------------


def test_by_policy_its_calendar_rule_and_step_are_named():
    text = said()
    assert "49135-bourg · départ « bourg » — jeudi 26 novembre 2026, 23:41" in text
    assert f"{BY} : calendrier n° 1, règle 3 (tous les soirs), étape 2 : extinction à 23:00" in text
    assert "État éteint depuis 41 min" in text and "Ensuite allumage à 06:00" in text
    english = said(language="en")
    assert "calendar no. 1, rule 3 (every evening), step 2: goes out at 23:00" in english
    assert "State off for 41 min" in english and "Next lights at 06:00" in english


@pytest.mark.parametrize(
    ("moment", "reason"),
    [
        (at(2026, 11, 27, 23, 30), "règle 2 (vendredi et samedi), étape 1 : allumage au coucher du soleil"),
        (at(2026, 11, 28, 1, 1), "règle 2 (vendredi et samedi), étape 2 : extinction à 01:00"),
        (at(2027, 7, 14, 23, 30), "règle 1 (le 14 juillet), étape 1 : allumage au coucher du soleil"),
        (at(2026, 11, 26, 14), "règle 3 (tous les soirs), avant la première étape de la nuit"),
        (at(2026, 12, 21, 6), "règle 3 (tous les soirs), étape 3 : allumage à 06:00"),
        (at(2027, 6, 21, 6, 10), "règle 3 (tous les soirs), étape 4 : extinction au lever du soleil"),
    ],
)
def test_the_reason_follows_the_evening(moment, reason):
    lit = calendar.wish(calendar.law_of(*subject()), moment).wants_light
    assert reason in said(cabinet(unix_s=moment, feeders=feeders(bourg=feeder("bourg", wants=lit))))


def subject(name="bourg", **more):
    found = told.agent(cabinet(**more)).cabinet
    return found, next(one for one in found.feeders if one.name == name)


def test_the_hand_switch_decides_over_an_emergency_and_what_it_overrules_is_told():
    part = cabinet(
        switch="off", commands=[command(kind="emergency")],
        **bourg(wish("interlock", False, "switch-off"), wish("emergency", True, "x", command=command()["id"])),
    )  # fmt: skip
    text = said(part)
    assert "Pourquoi interrupteur de l’armoire sur ARRÊT" in text and "rien tant que dure le verrouillage" in text
    found = verdicts(part)
    assert found["interlock"][0] == "decides" and found["emergency"][0] == "overruled"
    assert found["policy"][0] == "agrees"  # it wants darkness as well
    on = cabinet(switch="on", **bourg(wish("interlock", True, "switch-on")))
    assert "interrupteur de l’armoire sur MARCHE" in said(on)
    assert "hand switch of the cabinet at ON" in said(on, language="en")


def test_a_lock_out_is_told_with_who_set_it():
    part = cabinet(**bourg(wish("interlock", False, "locked"), wants=True, locked_by="J. Renard"))
    assert "verrou du technicien (J. Renard) : reste éteint" in said(part)


def test_an_emergency_is_told_with_who_until_when_and_why_and_what_follows():
    part = cabinet(commands=[command(kind="emergency", target=None, reason="accident")],
                   **bourg(wish("emergency", True, "x", command=command()["id"])))  # fmt: skip
    text = said(part)
    assert "éclairage d’urgence : Mme Martin (Mairie), allumer, jusqu’à 04:00, raison : accident" in text
    assert "Ensuite extinction à 04:00" in text  # the policy wants darkness then
    overruled = "n° 4, calendrier n° 1, règle 3 (tous les soirs), étape 2 : extinction à 23:00"
    assert verdicts(part)["policy"] == ("overruled", overruled)


def test_a_test_at_the_cabinet_is_told_with_how_long_it_lasts():
    text = said(cabinet(**bourg(wish("manual", True, "J. Renard"), test_left_s=100)))
    assert "essai à l’armoire : J. Renard, encore 1 min 40 s" in text and "Ensuite extinction à 23:42" in text


def test_a_command_of_the_centre_under_its_lease():
    part = cabinet(commands=[command()], **bourg(wish("command", True, "x", command=command()["id"])))
    text = said(part)
    assert "commande : Mme Martin (Mairie), allumer pour « bourg », jusqu’à 04:00, raison : travaux" in text
    assert verdicts(part)["command"][0] == "decides"


def test_a_command_rests_while_the_lease_has_run_out():
    part = cabinet(commands=[command()], lease={"held": False, "left_s": None})
    verdict, answer = verdicts(part)["command"]
    assert verdict == "ignored" and answer.endswith("en repos, sans nouvelles du centre")
    assert verdicts(cabinet(commands=[command(target="route")]))["command"] == ("silent", "aucune")


def test_without_a_known_hour_the_photocell_decides_with_its_lux():
    part = cabinet(unix_s=None, basis="photocell", lux=12, **bourg(wish("photocell", True, "dark")))
    text = said(part)
    assert "heure inconnue : cellule photoélectrique, 12 lx, il fait nuit" in text and "— heure inconnue" in text
    assert verdicts(part)["policy"][1].endswith("mais l’heure n’est pas connue") and "Ensuite inconnu" in text


def test_an_hour_carried_without_network_says_how_sure_it_is():
    assert "(heure reportée sans réseau, à ± 4 min près)" in said(cabinet(basis="carried", uncertainty_s=240))


def test_in_doubt_about_the_hour_the_brightest_answer_is_explained():
    part = cabinet(basis="carried", uncertainty_s=600, unix_s=at(2026, 11, 26, 23, 5), **bourg(wants=True))
    assert "étape 1 : allumage au coucher du soleil" in said(part)


def test_with_neither_hour_nor_cell_the_cabinets_own_clock_has_the_street():
    part = cabinet(unix_s=None, basis="safety", in_control=False, **bourg(wish("safety", True, "safety")))
    assert "heure inconnue et pas de cellule : allumé par sécurité, l’horloge de l’armoire décide" in said(part)


def test_a_cabinet_handed_back_says_that_the_gateway_does_not_command():
    text = said(cabinet(in_control=False))
    assert "l’armoire est rendue à son horloge astronomique, la passerelle ne commande pas" in text
    assert "Ensuite selon l’horloge de l’armoire" in text


def test_without_a_policy_from_sunset_to_sunrise_and_where_the_place_is_known_with_its_hours():
    none = {"policy": {"state": "none", "has_keys": False}, "policy_plain": None}
    part = cabinet(**none, **bourg(wish("default", True)))
    assert "aucune politique reçue : du coucher au lever du soleil" in said(part) and "Ensuite inconnu" in said(part)
    found, text = explained(part | {"site": [475720, -5940]})
    assert "Ensuite extinction à 08:24" in text and "17:16 allumé" in text
    assert verdicts(part)["policy"] == ("silent", "aucune reçue")
    assert found["now"]["ladder"][-1]["verdict"] == "decides"


def test_a_feeder_that_the_policy_does_not_name_says_so():
    part = cabinet(feeders=[feeder("mairie", wish("default", True))])
    assert "ce départ n’est pas dans la politique : étape 1 : allumage au coucher du soleil" in said(part, "mairie")
    assert verdicts(part, "mairie")["policy"] == ("silent", "la n° 4 ne nomme pas ce départ")


def test_a_permanent_feeder_is_always_powered():
    text = said(name="pompe")
    assert "départ permanent, toujours alimenté" in text and "Ensuite reste alimenté" in text


def test_a_contactor_that_is_not_as_the_policy_wants_is_said():
    assert "le contacteur est pourtant allumé" in said(cabinet(**bourg(wants=True)))


def test_a_rule_and_a_policy_of_a_newer_agent_are_told_in_its_own_words():
    part = cabinet(**bourg(wish("presence", True, "x"), because="presence: 3 people"))
    assert "Pourquoi presence: 3 people" in said(part)
    newer = said(cabinet(policy_plain="bf01"))
    assert "d’un format que cette version ne lit pas ; l’agent dit : policy: in the agent's words" in newer
    assert "Pourquoi l’agent ne dit pas pourquoi" in said(cabinet(feeders=[{"name": "bourg"}]))


# --- watts, alarms, limits ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"power_w": 440.0}, "440 W mesurés, 448 W attendus : conforme"),
        ({"power_w": 384.0}, "384 W mesurés, 448 W attendus : il manque 64 W"),
        ({"power_w": 520.0}, "520 W mesurés, 448 W attendus : 72 W de trop"),
        ({"power_w": 4.0}, "presque aucune lampe n’éclaire"),
        ({"power_w": 100.0, "since_s": 30}, "trop tôt pour juger"),
        ({"power_w": None}, "pas de mesure de puissance"),
        ({"normal_w": None, "expected_w": None, "power_w": 9.0}, "puissance normale encore inconnue"),
        ({"reported": False}, "le contact auxiliaire dit ouvert alors que l’ordre est fermé"),
    ],
)
def test_whether_the_watts_agree_with_a_lit_feeder(changes, words):
    moment = at(2026, 11, 26, 20)
    assert words in said(cabinet(unix_s=moment, **bourg(wants=True, **changes)))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"power_w": 2.0}, "2 W mesurés : contacteur ouvert, conforme"),
        ({"power_w": 300.0}, "300 W mesurés : le départ consomme alors que le contacteur est ouvert"),
        ({"reported": True}, "le contact auxiliaire dit fermé alors que l’ordre est ouvert"),
    ],
)
def test_whether_the_watts_agree_with_a_dark_feeder(changes, words):
    assert words in said(cabinet(**bourg(**changes)))


def test_the_alarms_of_the_feeder_and_of_the_whole_cabinet_are_told():
    part = cabinet(alarms=[alarm("lampsLost", "route", 2), alarm("supplyLoss")])
    assert "Alarmes L’armoire n’est plus alimentée" in said(part) and "lampes" not in said(part)
    assert "Alarmes 2 lampes éteintes sur le départ « route »" in said(part, "route")


def test_the_limits_in_force_that_night_are_told_with_their_source():
    assert "Limites doit rester éteint de 02:00 à 05:00 — Arrêté du 27 décembre 2018, art. 2" in said()
    assert "ne peut être ni éteint ni abaissé par commande — Préfecture, RD 768" in said(name="route")
    exempted = said(at="2026-07-14T23:30")  # exempted, by the mayor
    assert "Limites" not in exempted and "Limites" in said(at="2026-07-15T23:30")


# --- who cannot be asked --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("phase", ["absent", "mute", "forbidden"])
def test_without_an_agent_it_says_what_to_do_and_gives_2(phase):
    found, text = explained(phase=phase)
    assert "error" in found and "à faire :" in text


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"part": False}, "ne pilote pas de départs"),
        ({"name": "x"}, "pas de départ « x » ; il y a : bourg, route, pompe"),
        ({"at": "25:00"}, "n’est pas une heure"),
    ],
)
def test_what_cannot_be_explained_is_said(changes, words):
    found, text = explained(**changes)
    assert words in text and list(found) == ["error"]


CONFIG = """
[gateway]
id = "0011223344556677"
insee = "49135"
name = "bourg"
data = "{data}"
[link]
bind = "127.0.0.1:0"
[uplink]
broker = "127.0.0.1:1"
"""


def run(arguments, tmp_path):
    (tmp_path / "gateway.toml").write_text(CONFIG.format(data=tmp_path))
    return bocage_gateway("explain", *arguments, "--config", tmp_path / "gateway.toml")


def test_the_command_without_a_running_agent(tmp_path, capsys):
    assert run(["bourg"], tmp_path) == 2
    assert "L’agent ne tourne pas" in capsys.readouterr().out
    assert run(["bourg", "--json", "--lang", "en"], tmp_path) == 2
    assert "The agent is not running" in json.loads(capsys.readouterr().out)["error"][0]


def test_the_command_on_a_running_agent(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(status_socket, "ask", lambda path, timeout_s: told.agent())
    assert run(["bourg", "--json", "--at", "demain 05:30"], tmp_path) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["now"]["rule"] == "policy" and found["at"]["wants_light"] is False and found["name"] == "49135-bourg"
    assert run(["BOURG"], tmp_path) == 0 and "État" in capsys.readouterr().out
    assert run(["elsewhere"], tmp_path) == 2


# --- a real agent's cabinet -----------------------------------------------------------------------------------------


def of_world(world, name="bourg", language="fr", **more):
    return explained(cabinet_status(world.cabinet, now_ms=world.now_ms), name, language, **more)


@pytest.mark.slow
def test_a_real_cabinets_own_document_is_explained():
    world = LitWorld()
    world.until(world.at(0, 20))
    found, text = of_world(world)
    assert "calendrier n° 1, règle 2 (tous les soirs), étape 1 : allumage au coucher du soleil" in text
    assert found["now"]["watts"]["verdict"] == "agree" and "Ensuite extinction à 22:30" in text
    world.connect()
    world.send(world.order(MAYOR, kind=wire_command.EMERGENCY, lasts_s=4 * 3600))
    world.live(30)
    _, text = of_world(world)
    until = datetime.fromtimestamp(world.cabinet.orders.known()[0].command.expires_s, ZoneInfo("Europe/Paris"))
    told = f"éclairage d’urgence : Mme Martin (maire), allumer, jusqu’à {until:%H:%M}, raison : chute dans la rue"
    assert told in text
    assert "du même avis" in text and f"Ensuite extinction à {until:%H:%M}" in text
    world.cabinet.lock(0, "J. Renard", now_ms=world.now_ms)
    world.live(1)
    assert "verrou du technicien (J. Renard)" in of_world(world)[1]


@pytest.mark.slow
def test_the_status_comes_whole_through_the_status_socket():
    world = LitWorld()
    world.until(world.at(0, 20))
    whole = told.agent(cabinet_status(world.cabinet, now_ms=world.now_ms))
    assert parse(json.loads(status_socket.encode(whole))).cabinet == whole.cabinet


def test_a_policy_that_was_shortened_on_its_way_costs_the_reason_and_nothing_else():
    part = cabinet(policy_plain="".join(plain())[:500] + "…", commands=[command(kind="emergency")],
                   **bourg(wish("emergency", True, "x", command=command()["id"])))  # fmt: skip
    assert "éclairage d’urgence : Mme Martin (Mairie)" in said(part)
    assert "l’agent dit" in verdicts(part)["policy"][1] and "Ensuite inconnu" in said(part)


@pytest.mark.slow
def test_what_a_real_cabinet_does_is_what_was_explained_the_evening_before():
    world = LitWorld()
    world.until(world.at(0, 16))
    night = of_world(world)[0]["now"]["night"]
    foretold = [(row["unix_s"], row["level"] > 0) for row in night["rows"] if row["unix_s"] > world.unix_s]
    world.until(world.at(1, 11))
    assert [(at_s, closed) for at_s, index, closed in world.switched if index == 0] == foretold
