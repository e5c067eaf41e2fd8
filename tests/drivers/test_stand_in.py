"""What keeps a board's outputs safe where no application does, on the board's own twins: a room is heated against the
frost whatever heats it, and a lamp is lit whatever drives it. (Valves: test_shutter.)"""

import importlib
import itertools
import sys
import types

import pytest

import esp32
from boards import streetlight, thermostat
from esp32 import place_folder
from node.trade import LOCK, TEST
from simulator.shims.bench_dali import Twin as Dali
from simulator.twins.board import Machine
from simulator.twins.otgw import Otgw
from tests.support.parts_bench import Bench
from tools import firmware_modules
from tools.link import image as link_image

MINUTE_MS = 60_000
QUARTER_OF_SIX_HOURS_MS = 90 * MINUTE_MS
STEP_MS = 1000


class Place(Bench):
    """A board, what is behind its UART, and the rescue's ports."""

    def __init__(self, board, uart):
        super().__init__()
        self.board, self.uart = board, uart
        self.machine = Machine(board, self.ticks_ms)
        self.machine.attach_uart(1, uart)

    def rescued(self, for_ms, word=None):
        """Turned as the shell turns it; yields after every step."""
        if not hasattr(self, "ports"):
            rescue = importlib.import_module("esp32.rescue")
            self.ports = rescue.Ports(self.board, self.machine, now_ms=self.now_ms)
            self.trade = rescue.RescueTrade(self.board.KIND, b"", self.ports)
        self.trade.local = word
        until_ms = self.now_ms + for_ms
        while self.now_ms < until_ms:
            self.trade.decide(None)
            self.ports.apply(self.trade.outputs, now_ms=self.now_ms)
            if hasattr(self.uart, "advance"):
                self.uart.advance(self.now_ms)
            yield self
            self.pass_ms(STEP_MS)

    def relays(self):
        levels, board = self.machine.levels, self.board
        return (
            levels[board.RELAY_PIN] == board.RELAY_CLOSED_LEVEL,
            levels[board.PUMP_PIN] == board.PUMP_CLOSED_LEVEL,
        )


@pytest.fixture(autouse=True)
def chip(monkeypatch):
    boot = types.ModuleType("boot")
    boot.safe_outputs = lambda: None
    monkeypatch.setitem(sys.modules, "boot", boot)
    monkeypatch.setattr("time.sleep_us", lambda us: None, raising=False)
    forget_rescue()
    yield
    forget_rescue()


def forget_rescue():
    """It stands on one chip's boot.py."""
    sys.modules.pop("esp32.rescue", None)
    vars(esp32).pop("rescue", None)


@pytest.fixture
def room():
    return Place(thermostat, Otgw(lambda _id: None))


@pytest.fixture
def lamp():
    return Place(streetlight, Dali(ticks_ms=lambda: 0))


@pytest.mark.slow
def test_relay_and_pump_heat_a_quarter_of_twenty_minutes_and_click_no_more_than_that(room):
    seen = [place.relays() for place in room.rescued(6 * 60 * MINUTE_MS)]
    assert sum(relay for relay, _ in seen) * STEP_MS == QUARTER_OF_SIX_HOURS_MS
    assert all(relay == pump for relay, pump in seen)
    assert sum(a != b for a, b in itertools.pairwise(seen)) <= 2 * 18, "18 periods"


def test_a_valve_opens_and_shuts_with_them_whatever_it_was_left_at(room):
    valve = room.machine.parts["VALVE"]
    for left in (b"\x02\xf0\xff", b"\x02\x00\x00"):  # by a watchdog's reset; by a crash that made it safe
        valve.write(b"\x01\x11")
        valve.write(left)
        seen = [(place.relays()[0], valve.millivolts(0)) for place in room.rescued(2 * 60 * MINUTE_MS)]
        assert {mv for is_on, mv in seen if is_on} == {10_000} and {mv for is_on, mv in seen if not is_on} == {0}


def test_a_boiler_is_asked_for_a_low_flow_all_the_time(room):
    asked = [(room.uart.ch_enabled, room.uart.control_setpoint / 256) for _ in room.rescued(3 * 60 * MINUTE_MS)]
    assert set(asked[30:]) == {(True, 40.0)}, "and its lease never ends"
    assert not any(room.uart.commands.count(word) > 3 * 60 * 6 for word in set(room.uart.commands))


def test_a_locked_room_has_no_heat_of_any_kind_and_a_test_heats_it(room):
    valve = room.machine.parts["VALVE"]

    def state(word, ms):
        for _ in room.rescued(ms, word):
            pass
        return (*room.relays(), valve.millivolts(0), room.uart.ch_enabled)

    assert state(None, MINUTE_MS) == (True, True, 10_000, True)
    assert state(LOCK, MINUTE_MS) == (False, False, 0, False)
    assert state(None, 10 * MINUTE_MS) == (False, False, 0, True), "between two spells"
    assert state(TEST, MINUTE_MS) == (True, True, 10_000, True)
    assert state(None, MINUTE_MS) == (False, False, 0, True)


def test_a_board_with_a_relay_alone_heats_all_the_same(room):
    room.machine.parts["VALVE"].fault = "absent"
    room.uart.is_dead = True
    assert sum(place.relays()[0] for place in room.rescued(60 * MINUTE_MS)) == 15 * 60


def test_without_usable_settings_nothing_heats(room):
    stand_in = thermostat.stand_in()(thermostat, room.machine, now_ms=0)
    while room.now_ms < 60 * MINUTE_MS:
        assert stand_in.turn(now_ms=room.now_ms, wanted=False)
        room.uart.advance(room.now_ms)
        assert room.relays() == (False, False) and not room.uart.ch_enabled
        room.pass_ms(STEP_MS)


def test_a_gear_that_was_told_off_is_lit_and_stays_so(lamp):
    (gear,) = lamp.uart.gears
    gear.level = 0
    levels = [gear.level for _ in lamp.rescued(MINUTE_MS)]
    assert set(levels) == {254}
    gear.level = 0  # it restarted, or another master spoke
    assert [gear.level for _ in lamp.rescued(MINUTE_MS, LOCK)][-1] == 254, "a lock keeps no lamp dark here"


@pytest.mark.parametrize("is_last", [False, True])
def test_where_another_start_may_do_better_nothing_is_heated_meanwhile(monkeypatch, room, is_last):
    """An image on trial that cannot be imported goes back within a minute, and not after an hour of five in twenty."""
    for name in ("machine", "esp32.last_resort"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    room.machine.WDT = lambda timeout: types.SimpleNamespace(feed=lambda: None)
    monkeypatch.setitem(sys.modules, "machine", room.machine)
    monkeypatch.setitem(sys.modules, "place", place_folder)
    monkeypatch.setattr(sys.modules["boot"], "KIND", "thermostat", raising=False)
    monkeypatch.setattr("time.ticks_ms", room.ticks_ms, raising=False)
    monkeypatch.setattr("time.ticks_diff", lambda a, b: a - b, raising=False)
    monkeypatch.setattr("time.sleep_ms", room.pass_ms, raising=False)
    last_resort = importlib.import_module("esp32.last_resort")
    last_resort.keep(is_last)
    assert (room.machine.parts["VALVE"].millivolts(0), room.now_ms) == (0, 1_200_000 if is_last else 0)
    assert bool(room.machine.parts["VALVE"]._ten_volts) is is_last


@pytest.mark.parametrize("kind", ["thermostat", "streetlight"])
def test_without_a_stand_in_outputs_that_hold_their_state_stay_as_they_were(monkeypatch, room, lamp, kind):
    """Planted: boot.py's levels alone, as it was."""
    place = room if kind == "thermostat" else lamp
    monkeypatch.delattr(place.board, "stand_in")
    place.machine.levels.update({thermostat.RELAY_PIN: 0, thermostat.PUMP_PIN: 0})
    if kind == "streetlight":
        place.uart.gears[0].level = 0
    for _ in place.rescued(10 * MINUTE_MS):
        pass
    if kind == "thermostat":
        assert place.relays() == (False, False) and not place.uart.ch_enabled
    else:
        assert place.uart.gears[0].level == 0


@pytest.mark.slow
def test_the_rescue_of_each_kind_carries_its_stand_in_and_no_application_of_another_does():
    own = {"thermostat": "frost_heat", "streetlight": "lamp_light", "irrigation": "shutter"}
    for kind in firmware_modules.kinds():
        files = link_image.rescue_files(link_image.FIRMWARE, None, kind)
        carried = {name for name in own.values() if f"drivers/{name}.py" in files}
        assert carried == ({own[kind]} if kind in own else set())
