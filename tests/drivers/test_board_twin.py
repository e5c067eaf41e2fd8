"""Each board as a whole: the constants, its boot.py, the drivers and their twins agree about every pin and address."""

import importlib
import sys

import pytest

from drivers import i2c_bus
from drivers.analog import Analog
from drivers.contact import Contact
from drivers.latching_valves import Bridge
from drivers.pulses import Pulses
from simulator.twins.board import Machine
from tests.conftest import ROOT
from tests.support.parts_bench import Bench
from wire import quantity

KINDS = sorted(path.stem for path in (ROOT / "hardware" / "nodes").glob("*.toml"))


class Desk(Bench):
    """The board of a kind, and the bus on its pins."""

    def __init__(self, kind):
        super().__init__()
        self.board = importlib.import_module(f"boards.{kind}")
        self.machine = Machine(self.board, self.ticks_ms)
        self.bus = i2c_bus.open_bus(self.machine, self.board)

    def pin(self, name):
        return self.machine.Pin(getattr(self.board, name))


@pytest.fixture(autouse=True)
def chip_time(monkeypatch):
    monkeypatch.setattr("time.sleep_us", lambda us: None, raising=False)


@pytest.fixture(params=KINDS)
def desk(request):
    return Desk(request.param)


def test_boot_puts_every_output_of_the_board_at_rest(desk, monkeypatch):
    monkeypatch.setitem(sys.modules, "machine", desk.machine)
    kind = desk.board.KIND
    monkeypatch.delitem(sys.modules, f"boards.boot_{kind}", raising=False)
    module = importlib.import_module(f"boards.boot_{kind}")
    assert desk.machine.levels == dict(module.SAFE)


def test_every_address_of_the_board_is_answered_and_no_other(desk):
    addresses = {value for name, value in vars(desk.board).items() if name.endswith("_ADDRESS")}
    answered = {address for address in range(0x08, 0x78) if desk.bus.read_into(address, bytearray(1))}
    # The GP8403 says nothing, the SHT4x nothing yet: they take writes.
    answered |= {address for address in addresses - answered if desk.bus.write(address, b"\xfd")}
    assert answered == addresses


def test_a_data_line_that_is_held_is_freed_through_the_boards_own_pins(desk):
    desk.machine.i2c.hold_data(7)
    assert desk.bus.write(desk.board.RTC_ADDRESS, b"\0") is True


def test_every_clock_keeps_the_time_it_was_given(desk):
    clock = desk.board.open_rtc(desk.bus)
    assert clock.set(1_795_694_400) is True
    assert desk.measure(clock)[0] == 1_795_694_400


def test_every_button_is_seen(desk):
    contact = Contact(desk.pin("BUTTON_PIN"), active_level=desk.board.BUTTON_ACTIVE_LEVEL)
    for now_ms, closed in ((0, False), (50, False), (100, True), (150, True)):
        desk.now_ms = now_ms
        desk.machine.parts["BUTTON"].move(closed)
        contact.poll(now_ms=now_ms)
    assert contact.active is True


def test_the_streetlights_cells():
    desk = Desk("streetlight")
    board, parts = desk.board, desk.machine.parts
    parts["PHOTOCELL"].milli_lx, parts["PHOTOCELL_WIDE"].lx = 40_000, 40
    assert desk.measure(board.open_photocell(desk.bus))[0] == 40
    assert desk.measure(board.open_photocell_wide(desk.bus))[0] == 40


def test_the_thermostats_sensors_are_each_on_their_own_terminal(shim, monkeypatch):
    monkeypatch.setitem(sys.modules, "onewire", shim("onewire"))
    desk = Desk("thermostat")
    board, parts = desk.board, desk.machine.parts
    for name, temperature_ck in (("OUTDOOR", -450), ("FLOW", 5500), ("RETURN", 4250)):
        parts[name].temperature_ck = temperature_ck
    opened = [open_sensor(desk.machine) for open_sensor in (board.open_outdoor, board.open_flow, board.open_return)]
    assert [desk.measure(driver)[0] for driver in opened] == [-450, 5500, 4250]
    assert desk.measure(board.open_room(desk.bus))[0] == {quantity.TEMPERATURE: 2000, quantity.HUMIDITY: 500}
    assert board.open_valve(desk.bus).set(6500, now_ms=0) is True
    assert abs(parts["VALVE"].millivolts(0) - 6500) <= 2
    assert desk.measure(board.open_meter(desk.machine), step_ms=10)[0] is not None


def test_the_irrigations_valves_open_and_close_through_its_pins():
    desk = Desk("irrigation")
    board, parts, pin = desk.board, desk.machine.parts, desk.pin
    shared, selector = Bridge(pin("ZONES_IN1_PIN"), pin("ZONES_IN2_PIN")), board.open_selector(desk.bus)
    for bridge, zone in ((Bridge(pin("MASTER_IN1_PIN"), pin("MASTER_IN2_PIN")), None), (shared, 7)):
        assert zone is None or selector.select(zone - 1)
        bridge.drive(True)
        desk.pass_ms(board.ZONES_PULSE_MS)
        bridge.coast()
        selector.release()
    assert [valve.is_open for valve in parts["MASTER"]] == [True]
    assert [at for at, valve in enumerate(parts["ZONES"], 1) if valve.is_open] == [7]
    parts["COIL"].voltage_mv, parts["COIL"].current_ma = 9000, 410
    measured = desk.measure(board.open_coil(desk.bus))[0]
    assert measured == {quantity.VOLTAGE: 90, quantity.CURRENT: 410, quantity.POWER: 37}


def test_the_irrigations_meters_and_voltages_are_each_on_their_own_terminal():
    desk = Desk("irrigation")
    board, parts, machine = desk.board, desk.machine.parts, desk.machine
    for name, pulses in (("FLOW", 40), ("RAIN", 3), ("WIND", 25)):
        counter = machine.Counter(getattr(board, f"{name}_UNIT"), desk.pin(f"{name}_PIN"))
        driver = Pulses(counter, hz_max=getattr(board, f"{name}_HZ_MAX"))
        desk.measure(driver)
        desk.pass_ms(1000)
        parts[name].turn(pulses)
        assert desk.measure(driver)[0] == pulses
    for name, millivolts in (("BATTERY", 3700), ("CAPACITOR", 24_000), ("SOIL_1", 1500), ("SOIL_2", 900)):
        parts[name].millivolts = millivolts
        adc = machine.ADC(desk.pin(f"{name}_PIN"), atten=machine.ADC.ATTN_11DB)
        ohms = {"upper_ohm": getattr(board, f"{name}_UPPER_OHM"), "lower_ohm": getattr(board, f"{name}_LOWER_OHM")}
        assert abs(desk.measure(Analog(adc, **ohms))[0] - millivolts) <= 1
