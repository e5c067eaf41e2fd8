"""The dimmer's map, alone and against the lamp's twin; and the temperature's driver."""

import pytest

from boards import streetlight as board
from drivers import temperature
from drivers.dimmer import DUTY_MAX, Dimmer, duty


class Output:
    def __init__(self, log, name):
        self.log = log
        self.name = name

    def value(self, level):
        self.log.append((self.name, level))

    duty_u16 = value


def make(**facts):
    log = []
    return log, Dimmer(Output(log, "relay"), Output(log, "pwm"), **facts)


@pytest.mark.parametrize(
    ("percent", "volts_percent"), [(0, 0), (1, 10), (9, 10), (10, 10), (11, 11), (50, 50), (100, 100)]
)
def test_the_map_is_linear_from_one_volt(percent, volts_percent):
    assert duty(percent, False) == DUTY_MAX * volts_percent // 100
    assert duty(percent, True) == DUTY_MAX - duty(percent, False)


@pytest.mark.parametrize("closed", [0, 1])
def test_only_zero_opens_the_relay(closed):
    log, output = make(relay_closed_level=closed, inverted=False)
    for percent in (100, 1, 0, 30):
        output.set_level(percent)
    assert [level for name, level in log if name == "relay"] == [closed, closed, 1 - closed, closed]


def test_the_voltage_is_set_before_the_relay_closes():
    log, output = make(relay_closed_level=1, inverted=False)
    output.set_level(20)
    assert [name for name, _ in log] == ["pwm", "relay"]


def test_the_same_level_again_touches_no_pin():
    log, output = make(relay_closed_level=1, inverted=False)
    output.set_level(70)
    log.clear()
    output.set_level(70)
    assert log == []


def test_a_level_that_is_none_is_our_own_bug():
    with pytest.raises(AssertionError):
        make(relay_closed_level=1, inverted=False)[1].set_level(101)


class Driven:
    def __init__(self, lamp, number):
        self.lamp = lamp
        self.number = number

    def value(self, level):
        self.lamp.drive(self.number, 65535 * level)

    def duty_u16(self, mean):
        self.lamp.drive(self.number, mean)


def test_the_lamps_twin_gets_what_the_driver_means(shim, in_folder, monkeypatch):
    monkeypatch.setenv("BOCAGE_LAMP", "700,4")
    lamp = shim("bench_lamp").Lamp()
    output = Dimmer(
        Driven(lamp, board.RELAY_PIN),
        Driven(lamp, board.DIM_PIN),
        relay_closed_level=board.RELAY_CLOSED_LEVEL,
        inverted=board.DIM_INVERTED,
    )
    for percent, volts_dv, power_dw in ((100, 100, 700), (50, 50, 352), (10, 10, 73), (3, 10, 73), (0, 0, 4)):
        output.set_level(percent)
        assert (lamp.fed(), lamp.volts_dv(), lamp.power_dw()) == (percent > 0, volts_dv, power_dw)
        assert (in_folder / "bench-lamp").read_text() == f"{int(percent > 0)} {volts_dv}\n"


def test_a_lamp_whose_board_is_dead_is_lit(shim, in_folder):
    lamp = shim("bench_lamp").Lamp()
    assert (lamp.fed(), lamp.volts_dv()) == (True, 100)


@pytest.mark.parametrize(("fault", "lit_dw", "dark_dw"), [("dead", 4, 4), ("stuck", 700, 700), ("", 700, 4)])
def test_the_lamps_twin_misbehaves_as_told(shim, in_folder, fault, lit_dw, dark_dw):
    lamp = shim("bench_lamp").Lamp()
    (in_folder / "bench-fault").write_text(fault)
    assert lamp.power_dw() == lit_dw
    lamp.drive(board.RELAY_PIN, 65535 * (1 - board.RELAY_CLOSED_LEVEL))
    assert lamp.power_dw() == dark_dw


class Chip:
    def __init__(self, outcome):
        self.outcome = outcome

    def mcu_temperature(self):
        if isinstance(self.outcome, Exception):
            raise self.outcome
        return self.outcome


def test_the_temperature_is_scaled_and_absent_where_the_chip_has_none(shim):
    assert temperature.read(Chip(-7)) == -700
    assert temperature.read(Chip(OSError())) is None
    assert temperature.read(object()) is None
    twin = shim("esp32")
    assert temperature.read(twin) == 100 * twin.TEMPERATURE_C
