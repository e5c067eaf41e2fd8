"""The rescue holds outputs safe: heating by time, nothing else touched; it reads the settings that every kind has."""

import sys
import types

import pytest

from node import settings as node_settings
from node.trade import LOCK, TEST
from simulator.keys import settings_of

NODE = bytes(range(1, 9))


class Pin:
    OUT = 1
    made = ()

    def __init__(self, number, mode, *, value):
        self.number, self.levels = number, [value]
        Pin.made = [*Pin.made, self]

    def value(self, level):
        self.levels.append(level)


@pytest.fixture
def rescue(monkeypatch):
    boot = types.ModuleType("boot")
    boot.safe_outputs = lambda: boot.calls.append("safe")
    boot.calls = []
    monkeypatch.setitem(sys.modules, "boot", boot)
    monkeypatch.delitem(sys.modules, "esp32.rescue", raising=False)
    from esp32 import rescue as module

    Pin.made = ()
    yield module
    sys.modules.pop("esp32.rescue", None)


def ports(rescue, kind, **facts):
    board = types.SimpleNamespace(KIND=kind, **facts)
    return rescue.Ports(board, types.SimpleNamespace(Pin=Pin), now_ms=0)


def test_the_heating_relays_are_those_of_the_board(rescue):
    for kind, names in rescue.HEATING.items():
        board = __import__(f"boards.{kind}", fromlist=(kind,))
        rescue.Ports(board, types.SimpleNamespace(Pin=Pin), now_ms=0)
        assert [pin.number for pin in Pin.made] == [getattr(board, f"{name}_PIN") for name in names]


def test_heating_runs_a_quarter_of_twenty_minutes_and_no_more_clicks_than_that(rescue):
    made = ports(rescue, "thermostat", RELAY_PIN=4, RELAY_CLOSED_LEVEL=1, PUMP_PIN=7, PUMP_CLOSED_LEVEL=0)
    heated_ms, step_ms = 0, 1000
    for now_ms in range(0, 6 * 3_600_000, step_ms):
        made.apply(None, now_ms=now_ms)
        heated_ms += step_ms * (Pin.made[0].levels[-1] == 1)
        assert Pin.made[0].levels[-1] == 1 - Pin.made[1].levels[-1], "each by its own level"
    assert heated_ms == 6 * 3_600_000 // 4
    assert len(Pin.made[0].levels) <= 2 + 2 * 18, "18 periods in six hours"


def test_a_lock_is_off_in_the_rescue_too_and_a_test_heats(rescue):
    made = ports(rescue, "thermostat", RELAY_PIN=4, RELAY_CLOSED_LEVEL=1, PUMP_PIN=7, PUMP_CLOSED_LEVEL=1)
    trade = rescue.RescueTrade("thermostat", b"", made)
    seen = []
    for word, now_ms in ((None, 1000), (LOCK, 2000), (TEST, 3000), (None, 4000), (None, 600_000), (TEST, 601_000)):
        trade.local = word
        trade.decide(None)
        made.apply(trade.outputs, now_ms=now_ms)
        seen.append(Pin.made[0].levels[-1])
    assert seen == [1, 0, 1, 1, 0, 1]


def test_what_does_not_heat_is_left_as_the_boot_made_it(rescue):
    made = ports(rescue, "streetlight")
    made.apply(None, now_ms=0)
    assert not Pin.made and made.collect(now_ms=0) == {}
    made.safe()
    assert rescue.boot.calls == ["safe"]


def test_settings_of_a_kind_it_has_never_heard_of_do_not_keep_it_from_the_link(rescue):
    plain = {
        "node": NODE.hex(), "kind": "of tomorrow", "gateway": ["192.0.2.1", 5683], **settings_of(NODE),
        "wheels": [1, 2], "site": "rubbish", "wifi": ["net", "key"],
    }  # fmt: skip
    settings, faults = node_settings.decode(rescue.common(plain), rescue)
    assert faults == [] and settings.node == NODE
    assert rescue.common([1]) == [1]


def test_it_is_known_by_its_own_kind_and_obeys_nothing(rescue):
    trade = rescue.RescueTrade("irrigation", b"litres", None)
    assert trade.kind == "irrigation" and trade.declines(None) == "rescue"


def test_what_the_application_remembered_is_given_out_again_at_each_checkpoint(rescue):
    assert rescue.RescueTrade("irrigation", b"litres of today", None).memory(3_600_000) == b"litres of today"
