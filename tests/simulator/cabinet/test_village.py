"""The smallest commune of the default night: troubles of its own, told in both languages and drawn."""

import json
import xml.etree.ElementTree as ElementTree

import pytest

from policy import rights
from simulator.cabinet.commune import BEHUARD, signed_by_telephone
from simulator.cabinet.village import CONTACTOR, DOOR, EMERGENCY, FEEDERS, LAMP, Village, draw
from simulator.hosts.centre import Centre, Control
from simulator.options import Options
from simulator.report import village as report
from simulator.world.broker import Broker
from simulator.world.chance import Prng
from simulator.world.time import World
from wire import command

START_S = Options().start_unix_s
HOURS = 25.6


# What a thief of the mayor's telephone asks for, in seconds after the start: the street dark in the evening, and light
# from its extinction to the morning.
STOLEN = (
    (5 * 3600, {"kind": command.OVERRIDE, "level": 0, "lasts_s": 1800}),
    (10 * 3600, {"lasts_s": 6 * 3600}),
)


def misuse(world, control, village, number, changes):
    changes = {"from_s": world.unix_s, "to_s": world.unix_s + changes["lasts_s"], **changes}
    del changes["lasts_s"]
    data = signed_by_telephone(BEHUARD, 1_000 + number, "vol", **changes)
    control.send(BEHUARD.insee, village.street.setup.name, data)


def live_through(seed, happenings=None, hours=HOURS, *, steal=False):
    prng, world = Prng(seed), World(start_unix_s=START_S)
    broker = Broker(world, prng.split("broker"))
    centre = Centre(world, prng.split("centre"), broker)
    if happenings is None:
        happenings = draw(START_S, 24 * 3600, prng.split("draw"))
    control = Control(world, broker)
    village = Village(world, prng.split("village"), broker, control, happenings)
    centre.start()
    control.start()
    village.start()
    if steal:
        for number, (at_s, changes) in enumerate(STOLEN):
            world.at(1000 * at_s, misuse, world, control, village, number, changes)
    world.run_until(int(hours * 3_600_000))
    return village, village.report(centre.warehouse.bodies())


@pytest.fixture(scope="module")
def told():
    return live_through(1)[1]


def test_the_seed_draws_every_kind_of_trouble_in_its_time():
    for seed in range(200):
        happenings = draw(START_S, 24 * 3600, Prng(seed))
        assert [one.at_s for one in happenings] == sorted(one.at_s for one in happenings)
        kinds = [one.what for one in happenings]
        assert kinds.count(CONTACTOR) == kinds.count(DOOR) == kinds.count(EMERGENCY) == 1
        assert 1 <= kinds.count(LAMP) <= 3
        welded = next(one.feeder for one in happenings if one.what == CONTACTOR)
        assert all(one.feeder != welded for one in happenings if one.what == LAMP)
        assert all((one.to_s or 0) < 24 * 3600 for one in happenings)


def test_a_short_run_has_only_what_it_can_end():
    assert {one.what for one in draw(START_S, 8 * 3600, Prng(1))} <= {LAMP, DOOR}
    assert draw(START_S, 1 * 3600, Prng(1)) == ()


def test_in_summer_the_evening_is_too_short_for_lamps_and_contactors():
    in_june = START_S + 210 * 86_400
    assert {one.what for one in draw(in_june, 24 * 3600, Prng(1))} == {DOOR, EMERGENCY}


@pytest.mark.slow
def test_the_street_follows_the_policy_and_every_cause_is_told(told):
    assert told.is_good and report.faults(told) == []
    assert told.alarms.reported == told.alarms.expected == 3
    welded = next(one.feeder for one in told.happenings if one.what == CONTACTOR)
    for index, counted in enumerate(told.counted):
        if index != welded:
            assert abs(counted.lit_ms - counted.wanted_ms) < 1000 and counted.unjudged_ms == 0
    assert told.counted[welded].lit_ms > told.counted[welded].wanted_ms + 6 * 3_600_000


@pytest.mark.slow
def test_the_mayors_order_is_light_within_a_second_and_measured_in_watts(told):
    ordered = told.ordered
    assert 0 < ordered.lit_ms - ordered.at_ms < 1000
    installed_dw = sum(10 * feeder.lamps * feeder.lamp_w for feeder in FEEDERS)
    assert 0.8 * installed_dw < ordered.measured_dw < 1.1 * installed_dw


@pytest.mark.slow
def test_without_troubles_nothing_is_told():
    _, told = live_through(1, (), hours=9)  # until the extinction
    assert told.is_good and told.ordered is None and told.alarms.expected == 0
    assert all(abs(counted.lit_ms - counted.wanted_ms) < 1000 for counted in told.counted)


@pytest.mark.slow
def test_a_contactor_that_never_followed_the_mayor_is_a_fault_of_the_run(told):
    broken = told._replace(ordered=told.ordered._replace(lit_ms=None))
    assert not broken.is_good and report.faults(broken) == ["Béhuard: the emergency light was not lit"]
    unmeasured = told._replace(ordered=told.ordered._replace(measured_dw=None))
    assert report.faults(unmeasured) == ["Béhuard: the emergency light was not measured"]


@pytest.mark.slow
def test_a_stolen_telephone_changes_no_second_of_the_night():
    assert live_through(1, (), hours=15, steal=True)[1].violations == ()


@pytest.mark.slow
def test_the_street_catches_a_cabinet_that_does_not_look_at_rights(monkeypatch):
    monkeypatch.setattr(rights, "fault", lambda operator, asked, unix_s: None)
    found = live_through(1, (), hours=15, steal=True)[1].violations
    assert {"bourg dark", "bourg burning"} <= {" ".join(one.split()[1:3]) for one in found}


@pytest.mark.slow
def test_one_seed_is_one_night():
    first, second = (live_through(1, hours=9)[1] for _ in range(2))
    assert first == second


# --- told and drawn ---------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("language", ["fr", "en"])
def test_the_report_has_every_feeder_the_order_and_the_alarms(told, language):
    rows = report.rows(told, language)
    text = "\n".join(f"{name} {value}" for name, value in rows)
    for feeder in FEEDERS:
        assert f"{feeder.name}, {feeder.lamps} " in text
    assert "Béhuard (124 " in rows[0][0] and rows[0][1] == ""
    assert {"fr": "jamais", "en": "never"}[language] in text
    assert {"fr": "3 sur 3", "en": "3 of 3"}[language] in text and " W" in text and "kWh" in text
    assert len(report.heading(told.happenings, language)) == len(told.happenings)


@pytest.mark.slow
def test_the_json_has_plain_values(told):
    said = json.loads(json.dumps(report.as_json(told)))
    assert said["violations"] == 0 and said["alarms_told"] == 3 and said["order_to_light_ms"] < 1000
    assert len(said["lit_s"]) == len(said["wanted_s"]) == len(FEEDERS)


@pytest.mark.slow
def test_the_band_is_sound_svg_within_its_frame(told):
    begin, end = START_S, START_S + int(HOURS * 3600)
    for language in ("fr", "en"):
        parts = report.band(told, lambda at_s: (at_s - begin) / 100, top=40, begin=begin, end=end, language=language)
        svg = ElementTree.fromstring("<svg>" + "".join(parts) + "</svg>")
        bars = [element for element in svg if element.tag == "rect"]
        assert len(bars) > 2 * len(FEEDERS)
        for bar in bars:
            assert 40 <= float(bar.get("y")) < 40 + report.band_height()
            left, width = float(bar.get("x")), float(bar.get("width"))
            assert left >= 0 and left + width <= (end - begin) / 100 + 0.1
