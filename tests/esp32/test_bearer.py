"""Which bearer a node opens, and that it remembers where its concentrator was."""

import sys
from types import SimpleNamespace

import pytest

from boards import streetlight as board
from kinds import streetlight
from links import espnow
from node import settings as node_settings
from tests.support.scripted_radio import ScriptedRadio

LINE = {
    "kid": "0001",
    "master_secret": "00" * 16,
    "node": "7c1f0a2c01000001",
    "site": [474736, -5516],
    "lamp": [360, 6],
}


@pytest.fixture
def bearer(monkeypatch, tmp_path):
    """The module on a chip whose radio is a script."""
    radio = ScriptedRadio()
    for name, module in {"machine": SimpleNamespace(), "network": radio, "espnow": radio}.items():
        monkeypatch.setitem(sys.modules, name, module)
    monkeypatch.delitem(sys.modules, "esp32.bearer", raising=False)
    monkeypatch.chdir(tmp_path)
    from esp32 import bearer as module

    yield SimpleNamespace(module=module, radio=radio)
    sys.modules.pop("esp32.bearer", None)


def settings(plain):
    decoded, faults = node_settings.decode({**LINE, "bearer": plain}, streetlight)
    assert not faults
    return decoded


def test_a_channel_is_remembered_and_nonsense_is_not_believed(bearer, tmp_path):
    assert espnow.load_channel(6) == 6
    espnow.save_channel(11)
    assert espnow.load_channel(6) == 11
    for nonsense in ("", "x", "0", "14", "999999", "-1"):
        (tmp_path / espnow.CHANNEL_FILE).write_text(nonsense)
        assert espnow.load_channel(6) == 6


def test_a_flash_that_cannot_be_written_costs_the_memory_only(bearer, tmp_path):
    (tmp_path / espnow.CHANNEL_FILE).mkdir()
    espnow.save_channel(3)
    assert espnow.load_channel(6) == 6


def test_a_radio_begins_on_the_channel_where_the_concentrator_was(bearer, monkeypatch):
    espnow.save_channel(9)
    monkeypatch.setattr(ScriptedRadio, "irq", lambda *_: None, raising=False)
    monkeypatch.setitem(
        sys.modules,
        "select",
        SimpleNamespace(POLLIN=1, poll=lambda: SimpleNamespace(register=lambda *_: None, poll=lambda _ms: [])),
    )
    opened = bearer.module.open_bearer(
        settings(["espnow", "0200000000ab", 6]),
        {},
        board,
        random_below=lambda _: 0,
        now_ms=lambda: 0,
        sleep_ms=lambda _: None,
    )
    assert bearer.radio.channel == 9 and b"\x02\x00\x00\x00\x00\xab" in bearer.radio.peers
    opened.step(now_ms=0)
    assert opened.signal_dbm() is None, "nothing heard yet"
    # Where it is found is kept, and flash is written once an hour at most however often that changes.
    for now_ms in range(0, 3 * 3_600_000, 60_000):
        opened._remember(3 + now_ms // 60_000 % 2)
        opened.step(now_ms=now_ms)
        kept = espnow.load_channel(6)
        assert kept == 9 if now_ms < 3_600_000 else kept in (3, 4)


def test_coap_on_a_line_is_as_patient_as_the_line_is_long(bearer, monkeypatch):
    uart = SimpleNamespace(any=lambda: 0, read=lambda _: None, write=lambda _: None, txdone=lambda: True)
    bearer.module.machine.UART = lambda *_, **__: uart
    bearer.module.machine.Pin = lambda *_, **__: SimpleNamespace(value=lambda *_: None)
    bearer.module.machine.Pin.OUT = 1
    monkeypatch.setitem(
        sys.modules,
        "select",
        SimpleNamespace(POLLIN=1, poll=lambda: SimpleNamespace(register=lambda *_: None, poll=lambda _ms: [])),
    )

    def opened(plain):
        return bearer.module.open_bearer(
            settings(plain), {}, board, random_below=lambda _: 0, now_ms=lambda: 0, sleep_ms=lambda _: None
        )

    assert opened(["uart", 115_200]).ack_timeout_ms == 0
    short, long = (opened(["rs485", 7, 115_200, count]).ack_timeout_ms for count in (4, 64))
    assert short == 4000 and long > 7000
