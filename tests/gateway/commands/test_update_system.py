"""When a cabinet takes Debian's updates: by the centre's plan, or after a month without one."""

import os
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from gateway.commands import update
from gateway.core.self_update import WATCH_S, Plan
from gateway.core.status import CentreStatus, ClockStatus, Status
from gateway.io.packages import FULL, UNREACHABLE, PackageFault
from gateway.shell import self_update
from gateway.shell.self_update import Outcome

NOW_S = int(datetime(2026, 11, 30, 12, 0, tzinfo=UTC).timestamp())
DAY_S = 86_400
STATE, LONG_AGO = "20261120T000000Z", "20261001T000000Z"
STATUS = Status(phase="running", version="0.3.0", clock=ClockStatus(True, NOW_S),
                centre=CentreStatus(connected=True, bearer="fibre"))  # fmt: skip
CONFIG = SimpleNamespace(
    mqtt=SimpleNamespace(tls=SimpleNamespace(ca="/ca.pem")), cabinet=None,
    core=SimpleNamespace(insee="49135", name="cab-1"),
)  # fmt: skip
ARGS = SimpleNamespace(lang="en", metered=False, config="/gateway.toml")


class Cabinet:
    """A cabinet whose system has `has`; `staged` says towards what it went."""

    def __init__(self, folder, monkeypatch):
        self.folder, self.plan, self.has, self.staged, self.fault = folder, None, None, [], None
        self.system_outcome = Outcome(folder / "system-outcome.json")
        monkeypatch.setattr(update, "FOLDER", folder)
        monkeypatch.setattr(self_update, "read_plan", self._read)

    def _read(self, _address, _ca, name):
        assert name == "system.json"
        if self.plan is None:
            raise PackageFault(UNREACHABLE)
        return self.plan

    def heard(self, ago_s):
        path = self.folder / "system-heard"
        path.touch()
        os.utime(path, (NOW_S - ago_s, NOW_S - ago_s))

    def state(self):
        return self.has

    def stage_system(self, plan, _before):
        if self.fault is not None:
            raise PackageFault(self.fault)
        self.staged.append((plan.number, plan.version, plan.watch_s))

    def refuse_system(self, plan, why):
        self.staged.append(("refused", plan.version, why))

    def turn(self, *, is_reached=True):
        status = STATUS if is_reached else STATUS._replace(centre=CentreStatus(connected=False))
        update._system(self, status, CONFIG, "https://centre/" if is_reached else None, ARGS)
        return self.staged


@pytest.fixture
def cabinet(tmp_path, monkeypatch):
    return Cabinet(tmp_path, monkeypatch)


def plan(version=STATE, cabinets=None):
    return Plan(3, version, 600, cabinets)


def test_the_plan_says_to_what_state(cabinet):
    cabinet.plan = plan(cabinets=frozenset(["49135-cab-1"]))
    assert cabinet.turn() == [(3, STATE, 600)]


@pytest.mark.parametrize("cabinets", [(), ("49135-cab-2",)])
def test_a_stage_that_is_not_reached_and_a_stopped_campaign_change_nothing_at_any_age(cabinet, cabinets):
    cabinet.heard(90 * DAY_S)
    for version in (STATE, LONG_AGO):
        cabinet.plan = plan(version, frozenset(cabinets))
        assert cabinet.turn() == []


@pytest.mark.parametrize(("ago_s", "goes"), [(29 * DAY_S, False), (31 * DAY_S, True)])
@pytest.mark.parametrize("is_reached", [True, False])
def test_after_a_month_without_a_plan_it_takes_last_midnights(cabinet, ago_s, goes, is_reached):
    cabinet.heard(ago_s)
    assert cabinet.turn(is_reached=is_reached) == [(0, "20261130T000000Z", WATCH_S)] * goes


def test_the_month_begins_when_the_cabinet_does_and_again_after_each_turn(cabinet):
    assert cabinet.turn() == [] and (cabinet.folder / "system-heard").exists()
    cabinet.heard(31 * DAY_S)
    cabinet.fault = UNREACHABLE
    assert cabinet.turn() == []
    cabinet.fault = None
    assert len(cabinet.turn()) == 1 == len(cabinet.turn()), "it was tried again at the next hour, and then no more"


@pytest.mark.parametrize(("has", "goes_to"), [(LONG_AGO, (0, "20261130T000000Z", WATCH_S)), (None, (3, LONG_AGO, 600))])
def test_a_campaign_of_long_ago_that_the_cabinet_has_been_through_is_none_any_more(cabinet, has, goes_to):
    cabinet.plan, cabinet.has = plan(LONG_AGO), has
    cabinet.heard(31 * DAY_S)
    assert cabinet.turn() == [goes_to]


def test_what_was_taken_back_is_not_tried_again_by_the_same_campaign(cabinet):
    cabinet.plan = plan()
    cabinet.system_outcome.end(3, STATE, None, "rolled-back", "agent")
    assert cabinet.turn() == []
    cabinet.plan = cabinet.plan._replace(number=4)
    assert cabinet.turn() == [(4, STATE, 600)]


def test_what_cannot_be_is_told_but_for_an_archive_that_is_not_reached(cabinet):
    cabinet.plan, cabinet.fault = plan(), UNREACHABLE
    assert cabinet.turn() == []
    cabinet.fault = FULL
    assert cabinet.turn() == [("refused", STATE, FULL)]
