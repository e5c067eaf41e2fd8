"""The events of a room: whatever a decision is reported by is reported when it alone changes, and once."""

from collections import namedtuple

import pytest

from heating.reports import RoomReports
from node.trade import Moment
from policy.heating import Limit
from tests.support.warm_world import model_of
from wire import directive, event

Seen = namedtuple("Seen", ("wished_ck", "setpoint_ck", "limit", "wanted"))
Sensor = namedtuple("Sensor", ("temperature_ck", "fault"))
PLAIN = {"decided": (1900, "programme", 0), "frost": False, "fault": None, "seen_by": None, "late": None, "shed_ck": 0,
         "limit": None}  # fmt: skip
LIMIT = Limit(0, 1900, 0, 0, "Code", "R241-26")


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("decided", (1600, "programme", 0), event.SETPOINT_CHANGED),
        ("frost", True, event.FROST_PROTECTION),
        ("fault", "silent", event.SENSOR_FAILURE),
        ("seen_by", "contact", event.WINDOW_OPEN),
        ("late", (1700, 1900, 60), event.PREHEAT_FAILURE),
        ("shed_ck", 100, event.LOAD_SHED),
        ("limit", LIMIT, event.CEILING_APPLIED),
    ],
)
def test_what_alone_changes_in_a_decision_is_reported_once(name, value, told):
    reports = RoomReports(model_of("relay"), now_ms=0)

    def codes(**now):
        one = {**PLAIN, **now}
        choice = Seen(2000, one["decided"][0], one["limit"], ())
        moment = Moment(0, 0, 1, None, False, {directive.LOAD_SHED: one["shed_ck"]} if one["shed_ck"] else {})
        sensor = Sensor(450, one["fault"])
        reports.report_decision(one["decided"], choice, one["frost"], sensor, one["seen_by"], one["late"], moment)
        return [code for code, _, _ in reports.drain()]

    codes()
    assert [codes(), codes(**{name: value}), codes(**{name: value})] == [[], [told], []]
