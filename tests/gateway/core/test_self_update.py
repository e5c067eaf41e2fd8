"""When the gateway's package may be exchanged, whether the new one is well, and what comes next."""

import json
from datetime import UTC, datetime

import pytest

from gateway.core import self_update as core
from gateway.core.self_update import Before, Change, Plan, Trial
from gateway.core.status import (
    BearerStatus,
    CentreStatus,
    ClockStatus,
    FaultStatus,
    NodesStatus,
    Status,
)

FENEU = (475_720, -5_940)
PLAN = {"number": 3, "version": "0.3.0", "watch_s": 1200, "cabinets": ["49135-cab-1"]}
TRIAL = Trial(3, "0.3.0", "0.2.0", 1200, Before(nodes=14, centre=True), "0.3.0")
CHANGES = (Change("openssl", "3.5.1-1", "3.5.4-1"), Change("linux-image-6.12.9-arm64", None, "6.12.9-1"))
OF_SYSTEM = TRIAL._replace(version="20261130T000000Z", former=None, changes=CHANGES)
WELL = Status(
    version="0.3.0",
    phase="running",
    uptime_s=130,
    faults=(),
    centre=CentreStatus(connected=True, bearer="fibre", receipt_ago_s=20),
    bearers={"fibre": BearerStatus(), "mobile": BearerStatus(metered=True)},
    nodes=NodesStatus(heard=12),
    clock=ClockStatus(True, int(datetime(2026, 12, 21, 12, 0, tzinfo=UTC).timestamp())),
)


def utc(text):
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


def test_a_plan_is_what_the_centre_wrote():
    assert core.parse_plan(json.dumps(PLAN).encode()) == Plan(3, "0.3.0", 1200, frozenset(["49135-cab-1"]))
    assert core.parse_plan(json.dumps({**PLAN, "cabinets": None, "more": 1}).encode()).cabinets is None


@pytest.mark.parametrize(
    ("field", "value"),
    [("number", 0), ("number", True), ("version", "latest"), ("version", "1 2"), ("version", "1" * 40),
     ("watch_s", 5), ("cabinets", "all")],
)
def test_a_plan_that_is_none_names_its_field(field, value):
    with pytest.raises(ValueError, match=field):
        core.parse_plan(json.dumps({**PLAN, field: value}).encode())


def test_a_plan_that_is_nested_without_end_is_none():
    with pytest.raises(ValueError):
        core.parse_plan(b"[" * 200_000)


@pytest.mark.parametrize(
    ("when", "may"),
    [
        # Sunrise 07:46 and sunset 16:16 UTC at Feneu.
        ("2026-12-21 08:55", False),
        ("2026-12-21 09:05", True),
        ("2026-12-21 14:50", True),
        ("2026-12-21 15:00", False),  # twenty minutes later is within an hour of sunset
        ("2026-12-21 22:00", False),
        # Sunrise 04:08 and sunset 20:04 UTC.
        ("2026-06-21 05:15", False),
        ("2026-06-21 05:30", True),
        ("2026-06-21 18:40", True),
        ("2026-06-21 18:50", False),
    ],
)
def test_nothing_begins_from_an_hour_before_dusk_to_an_hour_after_dawn(when, may):
    assert core.is_day(utc(when), FENEU, lasts_s=1200) is may


def test_where_nothing_is_lit_any_hour_will_do():
    assert core.is_day(utc("2026-12-21 02:00"), None, lasts_s=1200)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({}, None),
        ({"phase": "mute"}, core.NO_AGENT),
        ({"clock": ClockStatus()}, core.NO_CLOCK),
        ({"clock": ClockStatus(True, utc("2026-12-21 20:00"))}, core.NIGHT),
        ({"centre": CentreStatus(connected=False)}, core.UNLINKED),
        ({"centre": CentreStatus(bearer="mobile")}, core.METERED),
    ],
)
def test_what_hinders(change, why):
    assert core.hindrance(WELL._replace(**change), FENEU, lasts_s=1200, by_metered=False) == why


def test_4g_is_used_where_a_person_said_so():
    by_4g = WELL._replace(centre=CentreStatus(bearer="mobile"))
    assert core.hindrance(by_4g, FENEU, lasts_s=1200, by_metered=True) is None


@pytest.mark.parametrize(
    ("change", "lacks"),
    [
        ({}, None),
        ({"phase": "mute"}, core.AGENT),
        ({"phase": "starting"}, core.AGENT),
        ({"version": "0.2.0"}, core.AGENT),
        ({"uptime_s": 100}, core.AGENT),  # it was started again a moment ago
        ({"faults": (FaultStatus(1, "journal-other-version"),)}, core.JOURNAL),
        ({"nodes": NodesStatus(heard=6)}, core.NODES),
        ({"nodes": NodesStatus(heard=7)}, None),
        ({"centre": CentreStatus(connected=True, bearer="fibre")}, core.CENTRE),
        ({"centre": None}, core.CENTRE),
    ],
)
def test_a_new_version_is_kept_when_all_that_held_before_holds_again(change, lacks):
    assert core.missing(WELL._replace(**change), TRIAL) == lacks


def test_what_did_not_hold_before_is_not_asked_for():
    alone = TRIAL._replace(before=Before(nodes=0, centre=False))
    assert core.missing(WELL._replace(nodes=NodesStatus(heard=0), centre=None), alone) is None


def test_what_held_before_is_what_was_heard_within_the_hour():
    assert core.before(WELL._replace(nodes=NodesStatus(heard=12, silent=5)), held_s=3600) == Before(7, True)
    old = CentreStatus(connected=True, receipt_ago_s=9000)
    assert core.before(WELL._replace(centre=old, nodes=None), held_s=3600) == Before(0, False)
    assert core.before(Status(), held_s=3600) == Before(0, False)


def test_the_first_reason_stays_and_going_back_is_tried_until_it_is_done():
    failed = TRIAL.after(core.FAILED, "install").after(core.FAILED, "again").after(core.DONE)
    assert (failed.phase, failed.why) == (core.ROLLED_BACK, "install")
    assert TRIAL.after(core.DONE).after(core.DONE).phase == core.KEPT
    with pytest.raises(KeyError):
        failed.after(core.DONE)


def test_the_machine_starts_again_after_each_change_of_the_system():
    there, back = [], OF_SYSTEM.after(core.FAILED, "install")
    trial = OF_SYSTEM
    while trial.phase not in core.OVER:
        trial = trial.after(core.DONE)
        there.append(trial.phase)
    assert there == [core.RESTART, core.WATCH, core.KEPT]
    assert [back.after(core.DONE).phase, back.after(core.DONE).after(core.DONE).phase] == [
        core.RESTART_BACK, core.ROLLED_BACK,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("version", "is_one"),
    [("20261130T000000Z", True), ("0.3.0", False), ("20261130", False), ("20261130T000000Z1", False)],
)
def test_a_state_of_the_archive_is_an_instant(version, is_one):
    assert core.is_state(version) is is_one


def test_who_is_alone_needs_no_link():
    unlinked = WELL._replace(centre=CentreStatus(connected=False))
    assert core.hindrance(unlinked, FENEU, lasts_s=1200, by_metered=False, is_alone=True) is None


def test_who_is_cut_off_three_times_goes_back():
    trial = TRIAL
    for _ in range(core.STARTS_MAX):
        trial = trial.started()
        assert trial.phase == core.INSTALL
    assert (trial.started().phase, trial.started().why) == (core.BACK, core.INTERRUPTED)
    assert trial.started().started().phase == core.BACK


def test_a_trial_is_read_as_it_was_written():
    for trial in (TRIAL.after(core.FAILED, "install"), OF_SYSTEM):
        assert core.parse_trial(trial.as_json()) == trial
    for text in ("{}", "[]", '{"before": {"nodes": 1}}', "x"):
        with pytest.raises(ValueError):
            core.parse_trial(text)
