"""The thermostat as a kind of node: its settings, and its ports on the board of twins."""

import importlib
import sys
import time
from types import SimpleNamespace

import pytest

from drivers import sensor
from drivers.sensor import PENDING
from heating import model
from heating.trade import SAFE, Outputs
from kinds import thermostat
from policy.fault import Faults
from simulator.twins.board import Machine
from simulator.twins.otgw import Otgw
from tests.support.parts_bench import Bench
from wire import quantity


def decoded(**plain):
    faults = Faults()
    own = thermostat.decode(faults, plain)
    return own, [fault.path for fault in faults.listed()]


def test_an_output_alone_is_a_thermostat():
    for output in model.OUTPUTS:
        own, faults = decoded(output=output)
        assert faults == []
        assert own.model == model.default(output)


def test_every_setting_reaches_the_model():
    own, faults = decoded(
        output="valve", water=True, cycle=[1200, 120, 60], fallback_ck=1600, safe_percent=20,
        span_k=25, heater_w=3000, exercise_s=30, flow_max_ck=6000, curve_percent=90, hot_water=False,
        fitted=["window", "outdoor", "presence"], standby_ck=150, window_slope=False,
    )  # fmt: skip
    made = own.model
    assert faults == []
    assert made.timing == (1_200_000, 120_000, 60_000)
    assert (made.no_time_ck, made.safe_permille, made.span_ck, made.stroke_s) == (1600, 200, 2500, 30)
    assert (own.hot_water, own.fitted) == (False, ("window", "outdoor", "presence"))
    assert (made.standby_ck, made.window_slope) == (150, False)


def test_a_detector_means_a_kelvin_of_standby_and_without_one_there_is_none():
    assert decoded(output="relay", fitted=["presence"])[0].model.standby_ck == 100
    assert decoded(output="relay", standby_ck=200)[0].model.standby_ck == 0


@pytest.mark.parametrize(
    ("plain", "path"),
    [
        ({}, "output"),
        ({"output": "relay", "cycle": [600, 400, 30]}, "cycle[1]"),
        ({"output": "relay", "fallback_ck": 2100}, "fallback_ck"),
        ({"output": "relay", "window_slope": "no"}, "window_slope"),
        ({"output": "relay", "safe_percent": 0}, "safe_percent"),
        ({"output": "opentherm", "flow_max_ck": 9500}, "flow_max_ck"),
        ({"output": "relay", "fitted": ["door"]}, "fitted[0]"),
        ({"output": "opentherm", "fitted": ["meter"]}, "fitted"),
        ({"output": "relay", "fitted": ["presence"], "standby_ck": 350}, "standby_ck"),
        ({"output": "relay", "programme": [1, [], [[]], [1900, 1600, 1600, 800]]}, "programme.rules"),
    ],
)
def test_each_fault_of_the_settings_has_its_place(plain, path):
    assert path in decoded(**plain)[1]


class Desk(Bench):
    """Ports of one output on the board of twins."""

    def __init__(self, monkeypatch, output, fitted=()):
        super().__init__()
        monkeypatch.setattr(time, "sleep_us", lambda us: None, raising=False)
        # The chip's own module; on the desk a pin's wire has its interface.
        monkeypatch.setitem(sys.modules, "onewire", SimpleNamespace(OneWire=lambda pin: pin.wire()))
        self.board = importlib.import_module("boards.thermostat")
        self.machine = Machine(self.board, self.ticks_ms)
        self.otgw = Otgw(lambda number: {0: 0x0A, 25: 0x2B80}.get(number))
        if "meter" not in fitted:
            self.machine.attach_uart(self.board.OPENTHERM_UART, self.otgw)
        self.own = decoded(output=output, fitted=list(fitted))[0]
        self.ports = thermostat.Ports(self.own, self.board, self.machine, now_ms=self.now_ms)

    @property
    def levels(self):
        levels = self.machine.levels
        return levels[self.board.RELAY_PIN], levels[self.board.PUMP_PIN]

    def sample(self):
        self.ports.begin_sample(now_ms=self.now_ms)
        for _ in range(200):
            self.now_ms += 10
            self.ports.apply(SAFE, now_ms=self.now_ms)
            values = self.ports.collect(now_ms=self.now_ms)
            if values is not PENDING:
                return values
        raise AssertionError("never whole")


def test_outputs_are_off_before_anything_else_and_follow_the_trade(monkeypatch):
    desk = Desk(monkeypatch, "relay")
    off = (1 - desk.board.RELAY_CLOSED_LEVEL, 1 - desk.board.PUMP_CLOSED_LEVEL)
    assert desk.levels == off
    desk.ports.apply(Outputs(True, 0, 1000, 0), now_ms=10)
    assert desk.levels == (desk.board.RELAY_CLOSED_LEVEL, desk.board.PUMP_CLOSED_LEVEL)
    desk.ports.safe()
    assert desk.levels == off
    desk.ports.apply(Outputs(True, 0, 1000, 0), now_ms=20)
    assert desk.levels != off, "what safe() undid is driven anew"


def test_a_sample_is_whole_or_lacks_what_is_silent(monkeypatch):
    desk = Desk(monkeypatch, "relay", ("outdoor", "window"))
    desk.machine.parts["ROOM"].temperature_ck = 1987
    desk.machine.parts["OUTDOOR"].temperature_ck = -350
    desk.machine.parts["WINDOW"].move(True)
    desk.sample()
    values = desk.sample()
    assert abs(values[quantity.TEMPERATURE] - 1987) <= 1
    assert values[quantity.key(quantity.TEMPERATURE, 1)] == -350
    assert values[quantity.WINDOW] == 0
    assert quantity.OCCUPANCY not in values
    desk.machine.i2c.hold_clock()
    silent = desk.sample()
    assert quantity.TEMPERATURE not in silent and quantity.key(quantity.TEMPERATURE, 1) in silent


def test_a_detector_is_asked_every_turn_and_no_sample_has_what_it_says(monkeypatch):
    desk = Desk(monkeypatch, "relay", ("presence",))
    assert desk.ports.sense(now_ms=desk.now_ms) is None
    desk.machine.parts["PRESENCE"].move(True)
    for _ in range(5):
        desk.now_ms += 100
        seen = desk.ports.sense(now_ms=desk.now_ms)
    assert seen == {quantity.OCCUPANCY: 1}
    assert quantity.OCCUPANCY not in desk.sample()
    assert Desk(monkeypatch, "relay").ports.sense(now_ms=0) is None


def test_a_meter_in_the_place_of_the_bridge_gives_power_and_energy_and_its_silence_holds_up_nothing(monkeypatch):
    desk = Desk(monkeypatch, "relay", ("meter", "flow"))
    meter = desk.machine.parts["METER"]
    meter.power_dw, meter.energy_wh = 15_000, 123_456
    assert desk.own.model.has_meter
    values = desk.sample()
    assert (values[quantity.POWER], values[quantity.ENERGY]) == (15_000, 123_456)
    assert quantity.VOLTAGE not in values
    meter.fault = "absent"
    values = desk.sample()
    assert quantity.POWER not in values and quantity.TEMPERATURE in values


def test_a_valve_has_its_volts(monkeypatch):
    desk = Desk(monkeypatch, "valve")
    desk.ports.apply(Outputs(True, 40, 1000, 0), now_ms=10)
    assert abs(desk.machine.parts["VALVE"].millivolts(0) - 4000) <= 3


def test_a_converter_that_takes_nothing_is_in_the_sample_and_the_ports_do_not_say_answered(monkeypatch):
    desk = Desk(monkeypatch, "valve")
    assert not desk.ports.answered(), "nobody has asked it yet"
    assert model.OUTPUT_SILENT not in desk.sample() and desk.ports.answered()
    desk.machine.parts["VALVE"].fault = "absent"
    desk.now_ms += 20_000
    assert desk.sample()[model.OUTPUT_SILENT] == 1
    assert not desk.ports.answered()
    desk.machine.parts["VALVE"].fault = ""
    desk.now_ms += 1000
    assert model.OUTPUT_SILENT not in desk.sample() and desk.ports.answered()
    relay = Desk(monkeypatch, "relay")
    assert model.OUTPUT_SILENT not in relay.sample() and relay.ports.answered()


def test_a_boiler_is_spoken_to_every_turn_and_heard_in_a_sample(monkeypatch):
    desk = Desk(monkeypatch, "opentherm")
    for _ in range(600):
        desk.now_ms += 100
        desk.otgw.advance(desk.now_ms)
        desk.ports.apply(Outputs(True, 0, 4500, 0), now_ms=desk.now_ms)
    assert desk.otgw.ch_enabled
    assert desk.otgw.control_setpoint == 45 * 256
    values = desk.sample()
    assert values[quantity.BOILER_STATUS] == 0x0A
    assert values[quantity.key(quantity.TEMPERATURE, 2)] == 4350


def test_a_valve_is_told_to_shut_on_the_way_out_for_its_chip_holds_through_our_restart(monkeypatch):
    desk = Desk(monkeypatch, "valve")
    desk.ports.apply(Outputs(True, 40, 1000, 0), now_ms=10)
    desk.ports.safe()
    assert desk.machine.parts["VALVE"].millivolts(0) == 0
    desk.ports.apply(Outputs(True, 40, 1000, 0), now_ms=20)
    assert abs(desk.machine.parts["VALVE"].millivolts(0) - 4000) <= 3


def test_a_room_part_that_measures_more_gives_more_without_a_word_in_the_kind(monkeypatch):
    """As an SCD41 would: its driver says which quantities it has."""

    class Air(sensor.Sensor):
        def _finish(self, now_ms):
            return {quantity.TEMPERATURE: 2100, quantity.HUMIDITY: 400, quantity.CARBON_DIOXIDE: 850}

    monkeypatch.setattr("boards.thermostat.open_room", lambda bus: Air())
    values = Desk(monkeypatch, "relay").sample()
    assert (values[quantity.TEMPERATURE], values[quantity.CARBON_DIOXIDE]) == (2100, 850)
