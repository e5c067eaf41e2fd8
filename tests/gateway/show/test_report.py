"""The report: both languages complete, each trouble found, named with its remedy, and nothing invented."""

import re
import string
from pathlib import Path

import pytest

from gateway.commands import status as questions
from gateway.core.status import Status, parse
from gateway.io import tls
from gateway.language import LANGUAGES
from gateway.language.figures import duration, size
from gateway.show import report
from gateway.show.findings import findings
from gateway.show.words import WORDS, why, word


def plain(**more):
    """A gateway that is well, with all parts, as the socket gives it."""
    return {
        "document": 1,
        "phase": "running",
        "name": "49007-cab-12",
        "boot": 3,
        "uptime_s": 100_000,
        "late": [],
        "faults": [],
        "centre": {
            "connected": True, "bearer": "fibre", "since_s": 90_000, "why": None, "receipt_ago_s": 12,
            "broker": "centre.example.fr:8883",
        },
        "waiting": {"lanes": {"alarm": 0, "event": 1, "telemetry": 30}, "oldest_s": 40, "from_earlier_start": False},
        "disk": {
            "held_bytes": 1_200_000, "cap_bytes": 805_306_368, "written_bytes_a_day": 25_000_000,
            "free_bytes": 20_000_000_000, "size_bytes": 30_000_000_000,
        },
        "losses": {"records": 0, "by_why": {}, "last_day": 0},
        "nodes": {"heard": 298, "silent": 2, "silent_after_s": 3600, "expected": 300},
        "clock": {"good": True, "unix_s": 1_795_000_000, "uncertainty_s": 2},
        "certificates": {"ca": 900, "certificate": 212},
        "bearers": {"fibre": {"up": True}, "mobile": mobile()},
        "health": {},
    } | more  # fmt: skip


def mobile(up=True, policy="all", **modem):
    return {
        "metered": True, "up": up, "budget": {"used": 12_000_000, "limit": 500_000_000, "policy": policy},
        "modem": {
            "link": "answers", "sim": "ready", "registration": "home", "operator": "Opérateur", "technology": "4G",
            "attached": True, "signal_dbm": -87,
        } | modem,
    }  # fmt: skip


def document(**more):
    return parse(plain(**more))


def centre(**more):
    return plain()["centre"] | more


def fault(what, ago_s=10, **values):
    return {"ago_s": ago_s, "what": what, "values": values}


def on_mobile(policy, **more):
    """Fibre is down, mobile carries."""
    bearers = {"fibre": {"up": False}, "mobile": mobile(policy=policy)}
    return {"centre": centre(bearer="mobile", **more), "bearers": bearers}


def keys(given):
    return [found.key for found in findings(given)]


# --- the tables -----------------------------------------------------------------------------------------------------


def fields(text):
    return sorted(name for _, name, _, _ in string.Formatter().parse(text) if name)


def test_a_finding_always_has_its_remedy_in_the_table():
    source = Path(findings.__code__.co_filename).read_text(encoding="utf-8")
    found = set(re.findall(r'Finding\(\s*"([a-z_]+)"', source)) | {"expired", "certificate"}
    assert len(found) > 10
    for key in found:
        assert key in WORDS and f"{key}.do" in WORDS, key


def test_every_word_that_the_code_asks_for_is_in_the_table():
    asked = set()
    for module in (report, questions):
        source = Path(module.__file__).read_text(encoding="utf-8")
        asked |= set(re.findall(r'word\(\s*"([a-z_.]+)"', source))
    assert len(asked) > 20 and asked <= WORDS.messages.keys(), asked - WORDS.messages.keys()


# --- well or not ----------------------------------------------------------------------------------------------------


def test_all_is_well():
    given = document()
    assert findings(given) == [] and report.exit_status(given) == 0
    assert report.headline(given, "fr") == "Tout va bien" and report.headline(given, "en") == "All is well"


TROUBLES = {
    "late": {"late": [{"name": "journal-sync", "silence_ms": 70_000, "allowed_ms": 60_000}]},
    "late.modem": {"late": [{"name": "modem", "silence_ms": 190_000, "allowed_ms": 180_000}]},
    "write": {"faults": [fault("journal-sync-failed", error="EIO")]},
    "refused": {"faults": [fault("record-refused", why="full")]},
    "card_full": {"disk": {"held_bytes": 1, "cap_bytes": 10, "free_bytes": 60 << 20}},
    "journal_full": {"disk": {"held_bytes": 9, "cap_bytes": 10, "free_bytes": 1 << 40}},
    "lost": {"losses": {"records": 9, "by_why": {"thinned": 9}, "last_day": 2}},
    "centre": {"centre": centre(connected=False, since_s=180, why="connection-timeout: timed out")},
    "silent": {"centre": centre(receipt_ago_s=900)},
    "deaf": {"centre": centre(receipt_ago_s=None, since_s=10, deaf="Not authorized (0x87)")},
    "certificate": {"certificates": {"ca": 900, "certificate": 29}},
    "expired": {"certificates": {"ca": 900, "certificate": -1}},
    "clock": {"clock": {"good": False, "unix_s": None, "uncertainty_s": 0}},
    "clock_jumped": {"clock": {"good": False, "unix_s": None, "uncertainty_s": 0, "jumped": True}},
    "hold": on_mobile("hold"),
    "thin": on_mobile("thin"),
    "detour": on_mobile("all"),
    "standby": {"bearers": {"fibre": {"up": True}, "mobile": mobile(up=False)}},
    "modem": {"bearers": {"mobile": mobile(link="silent", sim="absent")}},
    "radio": {"health": {"radio": {"state": "silent", "concentrator": {"update": "none"}}}},
    "radio_update": {
        "health": {"radio": {"state": "up", "concentrator": {"update": "failed", "image_number": 7, "why": "trial"}}}
    },
    "bus": {"health": {"bus": {"state": "cannot be opened: in use", "silent": [1, 2]}}},
    "bus_silent": {"health": {"bus": {"state": "open", "silent": [40, 3]}}},
    "wire": {"health": {"wire": {"state": "lost: it vanished"}}},
    "unheard": {"nodes": {"heard": 0, "silent": 0, "silent_after_s": 3600, "expected": None}},
    "card_read_only": {"faults": [fault("card-unusable", ago_s=90_000, error="read-only", is_read_only=True)]},
    "card_failing": {"faults": [fault("card-unusable", ago_s=90_000, error="I/O error", is_read_only=False)]},
    "journal_missed": {"faults": [fault("journal-missed", ago_s=90_000, count=17)]},
    "journal_version": {"faults": [fault("journal-other-version", ago_s=90_000, name="00000005-….seg", files=3)]},
    "foreign": {"faults": [fault("foreign-file", ago_s=90_000, name="boot-4294967295")]},
    "cannot_serve": {"faults": [fault("cannot-serve", ago_s=90_000, error="OSError: taken")]},
}


@pytest.mark.parametrize("language", LANGUAGES)
def test_unknown_nodes_are_named_with_the_command_that_adopts_them(language):
    unknown = [{"kid": f"02000{number}", "from": "x", "count": 3, "heard_s_ago": 5} for number in range(6)]
    given = document(nodes={"heard": 1, "silent": 0, "expected": 1, "unknown": unknown})
    text = "\n".join(report.render(given, language))
    assert "020000, 020001, 020002, 020003)" in text and "bocage gateway adopt" in text and "020004" not in text
    assert report.exit_status(given) == 0, "another gateway's node is no trouble of ours"


def test_unknown_nodes_are_named_before_anybody_was_adopted():
    unknown = [{"kid": "020001", "from": "x", "count": 3, "heard_s_ago": 5}]
    given = document(nodes={"heard": 0, "silent": 0, "expected": 0, "unknown": unknown})
    assert "020001" in "\n".join(report.render(given, "en"))


@pytest.mark.parametrize("key", TROUBLES)
@pytest.mark.parametrize("language", LANGUAGES)
def test_each_trouble_is_found_alone_and_said_with_what_to_do(key, language):
    given = document(**TROUBLES[key])
    assert keys(given) == [key] and report.exit_status(given) == 1
    (found,) = findings(given)
    text = report.render(given, language)
    assert report.headline(given, language) == found.sentence(language)
    assert any(found.sentence(language) in line for line in text)
    assert any(found.to_do(language) in line for line in text)
    assert not re.search(r"[{}]|None|_Said", "\n".join(text))


@pytest.mark.parametrize(
    "harmless",
    [
        {"centre": centre(connected=False, since_s=179, why="connection-closed: x")},
        {"centre": centre(receipt_ago_s=899)},
        {"centre": centre(receipt_ago_s=None, since_s=10)},
        {"centre": centre(receipt_ago_s=90_000), "waiting": {"lanes": {"telemetry": 0}}},
        {"faults": [fault("journal-sync-failed", ago_s=600), fault("library", name="x")]},
        {"clock": {"good": False}, "uptime_s": 500},
        {"certificates": {"ca": None, "certificate": 30}},
        {"nodes": {"heard": 0, "silent": 0, "expected": None}, "uptime_s": 800},
        {"nodes": {"heard": 0, "silent": 0, "expected": 0}},
        {"health": {"bus": {"state": "open", "silent": []}, "wire": {"state": "open"}}},
        {"health": {"bus": {"state": "not opened yet"}}, "uptime_s": 200},
        {
            "centre": centre(connected=False, bearer=None, since_s=10),
            "bearers": {"fibre": {"up": False}, "mobile": mobile(up=False)},
        },
        {"bearers": {"mobile": mobile(link="absent", sim=None)}, "uptime_s": 200},
        {"bearers": {"mobile": mobile(sim=None, registration="searching")}},
        {"health": {"radio": {"state": "asking", "concentrator": {}}}, "uptime_s": 299},
        {"health": {"radio": {"state": "up", "concentrator": {"update": "sending", "image_number": 7, "why": ""}}}},
        {"disk": {"held_bytes": 89, "cap_bytes": 100, "free_bytes": None}},
    ],
)
def test_what_is_no_trouble_is_not_made_one(harmless):
    assert keys(document(**harmless)) == []


def test_a_link_that_is_just_coming_is_not_called_well():
    given = document(centre=centre(connected=False, since_s=3, why=None))
    assert report.headline(given, "en") == "Link to the centre under way" and report.exit_status(given) == 0


def test_the_gravest_comes_first_and_the_others_are_counted():
    given = document(**TROUBLES["clock"], **TROUBLES["write"])
    assert keys(given) == ["write", "clock"]
    assert report.headline(given, "fr") == "La carte mémoire refuse d’écrire (et 1 autre point)"
    given = document(**TROUBLES["clock"], **TROUBLES["write"], **TROUBLES["lost"])
    assert report.headline(given, "en") == "The memory card refuses to write (and 2 more)"


@pytest.mark.parametrize("word_of_tls", tls.REMEDIES)
def test_a_link_that_fails_for_tls_says_the_sentence_about_it(word_of_tls):
    given = document(centre=centre(connected=False, why=f"{word_of_tls}: detail of OpenSSL"))
    (found,) = findings(given)
    for language in LANGUAGES:
        assert found.to_do(language) == tls.remedy(word_of_tls, language)
        assert why(f"{word_of_tls}: detail", language) == word("why.tls", language)


@pytest.mark.parametrize(
    ("text", "french"),
    [
        ("connection-refused: [Errno 111]", "le serveur refuse la connexion"),
        ("mqtt-refused: Not authorized (0x87)", "le serveur central refuse cette passerelle"),
        ("something new: detail", "something new: detail"),
        ("", "cause inconnue"),
        (None, "cause inconnue"),
    ],
)
def test_a_cause_is_named_or_shown_as_it_came(text, french):
    assert why(text, "fr") == french


def test_what_only_the_centre_can_mend_is_not_asked_of_the_technician():
    at_centre = document(centre=centre(connected=False, why="mqtt-refused: Not authorized"))
    at_cabinet = document(centre=centre(connected=False, why="network-error: unreachable"))
    assert "exploitant" in findings(at_centre)[0].to_do("fr")
    assert "câble" in findings(at_cabinet)[0].to_do("fr")


@pytest.mark.parametrize(
    ("modem", "french", "to_do"),
    [
        ({"link": "absent"}, "Modem 4G : introuvable", "USB"),
        ({"link": "answers", "sim": "pin"}, "Modem 4G : la carte SIM demande un code PIN", "PIN"),
        ({"link": "answers", "sim": "ready", "registration": "denied"}, "Modem 4G : l’opérateur refuse", "opérateur"),
    ],
)
def test_the_first_trouble_between_the_plug_and_the_operator_is_the_one_to_mend(modem, french, to_do):
    (found,) = findings(document(bearers={"mobile": mobile(**modem)}))
    assert found.sentence("fr").startswith(french) and to_do in found.to_do("fr")


def test_readings_that_the_budget_holds_back_do_not_make_the_centre_silent():
    quiet = on_mobile("hold", receipt_ago_s=90_000)
    assert keys(document(**quiet, waiting={"lanes": {"alarm": 0, "event": 0, "telemetry": 30}})) == ["hold"]
    assert keys(document(**quiet, waiting={"lanes": {"alarm": 1, "telemetry": 30}})) == ["silent", "hold"]


def test_a_cut_fibre_is_said_even_though_everything_passes():
    given = document(**on_mobile("all"))
    assert report.headline(given, "fr") == "En panne : la fibre ; tout passe par la 4G"
    assert report.headline(given, "en") == "Down: fibre; all goes by 4G"


@pytest.mark.parametrize("phase", ["absent", "mute", "forbidden"])
def test_no_answer_lines_is_status_2_and_says_what_to_do(phase):
    given = Status(phase=phase, name="49007-cab-12")
    for language in LANGUAGES:
        head, todo, *_ = report.render(given, language)
        assert word(phase, language) in head and word(f"{phase}.do", language) in todo
    assert report.exit_status(given) == 2


@pytest.mark.parametrize("phase", ["starting", "stopping"])
def test_an_agent_that_starts_or_stops_is_not_well_yet(phase):
    given = Status(phase=phase, name="x", uptime_s=2, faults=())
    assert report.exit_status(given) == 1 and word(phase, "fr") in report.render(given, "fr")[0]


# --- the figures ----------------------------------------------------------------------------------------------------


def test_the_whole_report_in_french():
    assert report.render(document(faults=[fault("journal-hole", ago_s=90_061, lane="event")]), "fr") == [
        "49007-cab-12 — Tout va bien",
        "",
        "depuis       démarré il y a 1 j 3 h, démarrage n° 3",
        "centre       relié par la fibre depuis 1 j 1 h ; dernier accusé de réception il y a 12 s ; "
        "la fibre : disponible ; la 4G : disponible",
        "en attente   1 événement ; 30 relevés ; le plus ancien attend depuis moins de 40 s",
        "disque       journal 1,2 Mo sur 805 Mo (0 %) ; 20,0 Go libres sur la partition ; usure 25,0 Mo par jour",
        "pertes       aucune",
        "équipements  298 entendus sur 300 ; 2 muets depuis plus de 1 h",
        "heure        sûre à ± 2 s",
        "4G           12,0 Mo sur 500 Mo ce mois-ci (2 %) ; tout passe",
        "modem        répond ; réseau de l’opérateur ; Opérateur ; 4G ; signal -87 dBm",
        "certificats  de l’autorité (« ca ») : 900 j ; de l’armoire (« certificate ») : 212 j",
        "incidents    il y a 1 j 1 h : relevés illisibles dans le journal (event)",
    ]


@pytest.mark.parametrize("part", [*plain()])
@pytest.mark.parametrize("language", LANGUAGES)
def test_any_part_may_be_absent_or_of_another_type(part, language):
    for nothing in ({}, None, 0, "?", []):
        given = document(**{part: nothing})
        assert report.render(given, language) and report.headline(given, language)


@pytest.mark.parametrize(
    ("seconds", "french"),
    [(0, "0 s"), (-5, "0 s"), (40, "40 s"), (60, "1 min"), (3660, "1 h 1 min"), (3605, "1 h"), (90_061, "1 j 1 h")],
)
def test_durations_have_two_units_at_most(seconds, french):
    assert duration(seconds, "fr") == french


@pytest.mark.parametrize(
    ("count", "french", "english"),
    [
        (0, "0 o", "0 B"),
        (999, "999 o", "999 B"),
        (1000, "1,0 ko", "1.0 kB"),
        (99_960, "100 ko", "100 kB"),
        (999_600, "1,0 Mo", "1.0 MB"),
        (805_306_368, "805 Mo", "805 MB"),
        (3 * 10**15, "3000 To", "3000 TB"),
    ],
)
def test_sizes(count, french, english):
    assert (size(count, "fr"), size(count, "en")) == (french, english)


def test_one_is_not_several():
    assert word("lane.alarm", "fr", count=1) == "1 alarme" and word("lane.alarm", "fr", count=2) == "2 alarmes"
