"""The rescue reads the settings that every kind has, obeys nothing, and leaves the outputs to the board's stand-in
(test_stand_in, test_shutter)."""

import sys
import types

import pytest

from node import settings as node_settings
from simulator.hosts.keys import settings_of

NODE = bytes(range(1, 9))


@pytest.fixture
def rescue(monkeypatch):
    boot = types.ModuleType("boot")
    boot.safe_outputs = lambda: boot.calls.append("safe")
    boot.calls = []
    monkeypatch.setitem(sys.modules, "boot", boot)
    monkeypatch.delitem(sys.modules, "esp32.rescue", raising=False)
    from esp32 import rescue as module

    yield module
    sys.modules.pop("esp32.rescue", None)


def test_a_board_without_a_stand_in_is_left_as_the_boot_made_it(rescue):
    made = rescue.Ports(types.SimpleNamespace(KIND="water_meter"), None, now_ms=0)
    made.apply(None, now_ms=0)
    assert made.collect(now_ms=0) == {} and made.deadline_ms is None
    made.safe()
    assert rescue.boot.calls == ["safe"]


def test_a_stand_in_that_cannot_be_made_keeps_nobody_from_the_link(rescue, capsys):
    def refuses(board, machine, *, now_ms):
        raise OSError(5)

    made = rescue.Ports(types.SimpleNamespace(KIND="thermostat", stand_in=lambda: refuses), None, now_ms=0)
    made.apply(None, now_ms=0)
    assert "rescue: the outputs" in capsys.readouterr().out


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
