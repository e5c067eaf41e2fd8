"""The streetlight's ports on a chip that is written down: which pins each output drives, what is lit from the start."""

import types

import pytest

import kinds
from boards import streetlight as real_board
from drivers.dimmer import DUTY_MAX
from drivers.sensor import PENDING
from lighting import dali
from lighting.trade import Output
from policy.fault import Faults
from wire import quantity

KIND = kinds.load("streetlight")


class Machine:
    """The chip's module: `log` of (pin, level or duty), UARTs by their baud."""

    def __init__(self, uart=None):
        self.log = []
        self.levels = {10: 1}
        self.uarts = []
        machine = self

        class Pin:
            IN, OUT, PULL_UP = 0, 1, 2

            def __init__(self, number, mode=None, pull=None, *, value=None):
                self.number = number
                if value is not None:
                    machine.log.append((number, value))

            def value(self, level=None):
                if level is None:
                    return machine.levels[self.number]
                machine.log.append((self.number, level))

        class PWM:
            def __init__(self, pin, *, freq, duty_u16):
                self._pin = pin
                self.duty_u16(duty_u16)

            def duty_u16(self, duty):
                machine.log.append((self._pin.number, duty))

        def open_uart(number, *, baudrate, tx, rx, timeout):
            machine.uarts.append((number, baudrate, tx, rx))
            return uart

        self.Pin, self.PWM, self.UART = Pin, PWM, open_uart

    def last(self, number):
        return [value for pin, value in self.log if pin == number][-1]


def board(**more):
    facts = {name: getattr(real_board, name) for name in dir(real_board) if name[0] != "_"}
    facts.update({"DALI_UART": 1, "DALI_TX_PIN": 17, "DALI_RX_PIN": 18})
    facts.update({"PRESENCE_PIN": 10, "PRESENCE_PULL": "up", "PRESENCE_ACTIVE_LEVEL": 0, **more})
    return types.SimpleNamespace(**facts)


def opened(uart=None, **plain):
    faults = Faults()
    own = KIND.decode(faults, {"site": [474736, -5516], "lamp": [360, 6], **plain})
    assert not faults.listed()
    machine = Machine(uart)
    return machine, KIND.Ports(own, board(), machine, now_ms=0)


def told(level):
    return Output(level, "calendar", 1)


RELAY, DIM = real_board.RELAY_PIN, real_board.DIM_PIN
CLOSED = real_board.RELAY_CLOSED_LEVEL


@pytest.mark.parametrize("output", ["0-10v", "relay"])
def test_the_lamp_is_lit_from_the_first_instant_on_and_whenever_it_must_be_safe(output):
    machine, ports = opened(output=output)
    assert machine.log[0] == (RELAY, CLOSED)
    assert all(value == CLOSED for pin, value in machine.log if pin == RELAY)
    ports.apply(told(0), now_ms=10)
    assert machine.last(RELAY) == 1 - CLOSED
    ports.safe()
    assert machine.last(RELAY) == CLOSED


def test_a_dimming_line_is_never_below_one_volt():
    machine, ports = opened()
    ports.apply(told(3), now_ms=10)
    duty = DUTY_MAX * 10 // 100
    assert machine.last(DIM) == (DUTY_MAX - duty if real_board.DIM_INVERTED else duty)
    assert machine.last(RELAY) == CLOSED


def test_a_relay_alone_touches_no_dimming_pin():
    machine, ports = opened(output="relay")
    for level in (100, 30, 0):
        ports.apply(told(level), now_ms=10)
    assert {pin for pin, _ in machine.log} == {RELAY}


def test_a_turn_without_a_change_touches_no_pin():
    machine, ports = opened()
    ports.apply(told(40), now_ms=10)
    machine.log.clear()
    ports.apply(told(40), now_ms=20)
    assert machine.log == []


def test_a_detector_is_read_every_turn_and_only_where_one_is_fitted():
    machine, ports = opened(presence={})
    assert ports.sense(now_ms=5) is None
    machine.levels[10] = 0
    assert ports.sense(now_ms=10) == {quantity.OCCUPANCY: 1}
    machine, ports = opened()
    machine.levels[10] = 0
    assert ports.sense(now_ms=10) is None


@pytest.fixture
def bench(shim, in_folder):
    module = shim("bench_dali")
    clock = types.SimpleNamespace(now_ms=0)
    plant = module.Gear()
    machine, ports = opened(module.Twin([plant], ticks_ms=lambda: clock.now_ms), output="dali")
    return clock, plant, machine, ports


def test_a_gear_is_driven_and_read_through_its_bridge_and_keeps_its_mains(bench):
    clock, plant, machine, ports = bench
    assert machine.uarts == [(1, 19_200, 17, 18)]
    for _ in range(30):
        ports.apply(told(50), now_ms=clock.now_ms)
        clock.now_ms += 10
    assert plant.level == dali.level_of(50, dali.LOGARITHMIC)
    ports.begin_sample(now_ms=clock.now_ms)
    while (values := ports.collect(now_ms=clock.now_ms)) is PENDING:
        ports.apply(told(50), now_ms=clock.now_ms)
        clock.now_ms += 10
        assert clock.now_ms < 10_000
    assert values[quantity.POWER] == 360 and values[quantity.LEVEL_REPORTED] == 50
    ports.apply(told(0), now_ms=clock.now_ms)
    clock.now_ms += 500
    ports.apply(told(0), now_ms=clock.now_ms)
    assert plant.level == 0
    assert {value for pin, value in machine.log if pin == RELAY} == {CLOSED}


def test_a_program_that_ends_lights_the_gear_with_its_last_bytes(bench):
    clock, plant, _, ports = bench
    for _ in range(30):
        ports.apply(told(0), now_ms=clock.now_ms)
        clock.now_ms += 10
    assert plant.level == 0
    ports.begin_sample(now_ms=clock.now_ms)
    ports.safe()
    assert plant.level == 254


def test_a_silent_gear_ends_the_sample_with_nothing(bench, in_folder):
    clock, _, _, ports = bench
    (in_folder / "bench-fault").write_text("bridge-silent")
    ports.begin_sample(now_ms=0)
    while (values := ports.collect(now_ms=clock.now_ms)) is PENDING:
        clock.now_ms += 10
    assert values == {} and clock.now_ms < 2000
