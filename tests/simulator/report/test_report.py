"""The report says what the result holds, in French and in English, and one JSON object for programs."""

import json
import re
from dataclasses import replace

import pytest

from simulator.report import text as report
from tests.support.territory_world import SMALL, ordinary, story

pytestmark = pytest.mark.slow  # of a simulated night

KEYS = {
    "seed",
    "digest",
    "good",
    "faults",
    "node_hours",
    "wall_s",
    "made",
    "delivered",
    "duplicated",
    "lost",
    "altered",
    "gaps_explained",
    "waiting",
    "longest_wait_s",
    "alarms_told",
    "lighting_violations",
    "bounds_violations",
}


@pytest.fixture
def result():
    return ordinary()[1]


@pytest.fixture
def bad(result):
    """The same run with one record lost and one street dark, as its checkers would word it."""
    verdict = result.verdict._replace(lost=1, first_faults=("lost somewhere",))
    return replace(result, verdict=verdict, lighting_violations=["cab-1 lamp 3 dark for 150 s at 7"])


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("fr", ("Territoire", "graine 1", "lampe hors service", "12 points lumineux", "12 % de pertes radio")),
        ("en", ("territory", "seed 1", " fails", "12 street lights", "12 % of radio datagrams lost")),
    ],
)
def test_the_heading_tells_seed_options_and_the_drawn_story(result, language, words):
    heading = report.heading(SMALL, result.drawn, language)
    lines = heading.splitlines()
    assert all(word in heading for word in words)
    assert len(lines) == 1 + len(result.drawn.cuts) + 3 + len(result.drawn.happenings)
    assert "24 h" in lines[0] and "Angers" in lines[0]


def test_the_story_is_told_in_the_order_of_time_and_in_local_time(result):
    lines = report.heading(SMALL, result.drawn, "en").splitlines()[1:]
    drawn = result.drawn
    begins = [cut.from_s for cut in drawn.cuts] + [one.at_s for one in drawn.happenings]
    begins += [at_s for _, at_s in drawn.dead_lamps + drawn.stuck_relays]
    # The run begins at 15:00 UTC, which is 16:00 in Angers in winter.
    minutes = [16 * 60 + at_s // 60 for at_s in sorted(begins)]
    assert [line.split()[0] for line in lines] == [f"{one // 60 % 24:02}:{one % 60:02}" for one in minutes]
    first = next(line for line in lines if "Béhuard" not in line)
    assert "fibre cut" in first


def test_the_report_holds_the_figures_of_the_verdict(result):
    text = report.text(result, 1.5, "en")
    figures = {line[:60].strip(): line[61:].strip() for line in text.splitlines() if line.startswith("  ")}
    assert figures["made"] == str(result.verdict.made)
    assert figures["delivered to the warehouse"] == str(result.verdict.delivered)
    assert figures["lost"] == figures["counted twice"] == "0"
    assert figures["faults that equipment had to report, and did"] == "4 of 4; false alarms: 0"
    assert figures["digest"] == result.digest
    assert figures["Speed"].endswith("node-hours in 1.5 s")


@pytest.mark.parametrize("language", ["fr", "en"])
def test_who_plays_with_a_town_reads_no_word_of_who_builds_it(result, language):
    said = report.text(result, None, language)
    for word in ("empreinte", "digest", "octets", "bytes", "nonce", "nœud", "node-hours", result.digest):
        assert word not in said, word
    assert said.splitlines()[-1] == report.text(result, 1.0, language).splitlines()[-1]


def test_what_held_during_an_absence_has_a_heading_only_where_something_was_away(result):
    lines = report.text(result, 1.5, "fr").splitlines()
    after = lines[lines.index("Pendant les coupures") + 1 :]
    assert all(line.startswith("  ") for line in after[: len(result.absences)]) and result.absences
    assert "Pendant les coupures" not in report.text(replace(result, drawn=story()), 1.5, "fr")


def test_a_good_run_ends_with_the_good_news_and_a_bad_one_with_its_faults(result, bad):
    good, defect = (report.WORDS.text(key, "fr") for key in ("good", "bad"))
    assert report.text(result, 1.0, "fr").splitlines()[-1] == good
    text = report.text(bad, 1.0, "fr")
    assert text.splitlines()[-1] == defect
    assert "  ! lost somewhere" in text
    assert "  ! cab-1 lamp 3 dark for 150 s at 7" in text
    assert good not in text


def test_what_a_person_broke_by_hand_is_left_out_of_the_good_news(result, bad):
    short, defect = (report.WORDS.text(key, "en") for key in ("good.short", "bad"))
    assert report.text(result, 1.0, "en", is_short=True).splitlines()[-1] == short
    assert report.text(bad, 1.0, "en", is_short=True).splitlines()[-1] == defect


def test_the_object_for_programs_holds_the_same(result, bad):
    figures = json.loads(json.dumps(report.as_json(result, 2.0)))
    assert figures.keys() >= KEYS
    assert figures["good"] is True
    assert figures["faults"] == []
    assert figures["made"] == result.verdict.made
    assert figures["node_hours"] == round(result.node_seconds / 3600, 1)
    assert figures["node_hours_per_s"] == round(result.node_seconds / 7200, 1)
    assert report.as_json(bad, 2.0)["good"] is False
    assert report.as_json(bad, 2.0)["faults"] == ["lost somewhere", *bad.lighting_violations]


def test_node_hours_count_powered_nodes_only(result):
    figures = report.as_json(result, 1.0)
    # Six nodes have mains all the 25 hours, six by night only.
    assert 6 * 25 + 6 * 15 < figures["node_hours"] < 6 * 26 + 6 * 18


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "0 s"), (119, "119 s"), (120, "2 min"), (3599, "59 min"), (3600, "1 h 00"), (16099, "4 h 28")],
)
def test_a_duration_reads_well(seconds, words):
    assert report._duration(seconds) == words


def test_it_speaks_of_streets_and_energy_before_it_speaks_of_records(result):
    lines = report.text(result, 1.0, "fr").splitlines()
    places = [lines.index(title) for title in ("Éclairage des rues", "Énergie de l’éclairage", "Enregistrements")]
    assert places == sorted(places) and places[0] == 1


@pytest.mark.parametrize(
    ("used_wh", "full_wh", "beside"),
    [(7500, 10_000, "7.5 kWh (−25 %)"), (10_000, 10_000, "10.0 kWh (−0 %)"), (11_000, 10_000, "11.0 kWh (+10 %)")],
)
def test_what_dimming_saved_stands_beside_what_was_used(result, used_wh, full_wh, beside):
    lit = replace(result, true_wh=used_wh, full_power_dws=36_000 * full_wh)
    assert beside in report.text(lit, 1.0, "en")


def test_a_run_by_day_claims_no_savings(result):
    by_day = replace(result, true_wh=49, full_power_dws=0)
    assert re.search(r"used +0\.0 kWh$", report.text(by_day, 1.0, "en"), re.MULTILINE)


@pytest.mark.parametrize(
    ("value", "decimals", "french", "english"),
    [(4.25, 1, "4,2", "4.2"), (4.0, 1, "4", "4"), (15.934, 2, "15,93", "15.93"), (1200, 1, "1200", "1200")],
)
def test_figures_are_written_as_the_language_does(value, decimals, french, english):
    assert (report.number(value, "fr", decimals), report.number(value, "en", decimals)) == (french, english)
    assert (report.kwh(4000, "fr"), report.kwh(4000, "en")) == ("4,0 kWh", "4.0 kWh")
