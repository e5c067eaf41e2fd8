"""GPIO lines on the twin of libgpiod's package, and the twin against the package."""

import inspect

import pytest

from gateway.io.cabinet import limits
from gateway.io.cabinet.gpio import GpioPort
from gateway.io.cabinet.wiring import Gpio
from tests.support import gpio_chip as bench
from tests.support.gpio_chip import BenchGpiod

DOOR, FEEDBACK = Gpio(5, pull="pull-up"), Gpio(27, inverted=True)
CONTACTOR, RELAY = Gpio(17), Gpio(18, inverted=True)
CHIP = "/dev/gpiochip0"


@pytest.fixture
def chip():
    return BenchGpiod(CHIP)


def port_on(chip, inputs=(DOOR, FEEDBACK), path=CHIP):
    return GpioPort(path, inputs, gpiod=chip)


def test_inputs_are_read_and_inverted(chip):
    port = port_on(chip)
    chip.levels[5] = True
    port.read_inputs(now_ms=0)
    assert port.value(DOOR) is True and port.value(FEEDBACK) is True
    chip.levels[27] = True
    port.read_inputs(now_ms=100)
    assert port.value(FEEDBACK) is False
    assert chip.held[5].bias is bench.Bias.PULL_UP and chip.held[27].bias is bench.Bias.AS_IS


def test_before_the_first_look_nothing_is_known(chip):
    assert port_on(chip).value(DOOR) is None and chip.held == {}


def test_outputs_are_not_touched_before_they_are_ordered(chip):
    chip.levels[17] = True  # as an earlier run left it
    port = port_on(chip)
    for now_ms in range(0, 10_000, 100):
        port.read_inputs(now_ms=now_ms)
    assert chip.changes == [] and 17 not in chip.held and port.in_hand(CONTACTOR)


def test_an_output_takes_its_first_level_without_another_in_between(chip):
    chip.levels[17] = True
    port = port_on(chip)
    port.set(CONTACTOR, True, now_ms=0)
    port.set(RELAY, True, now_ms=0)
    port.set(RELAY, False, now_ms=1)
    assert chip.changes == [(17, True), (18, False), (18, True)], "an inverted relay closes on low"


def test_a_line_that_another_program_holds_is_asked_for_again_and_costs_no_other(chip):
    chip.busy |= {5, 17}
    port = port_on(chip)
    port.read_inputs(now_ms=0)
    port.set(CONTACTOR, True, now_ms=0)
    assert port.value(DOOR) is None and port.value(FEEDBACK) is True
    assert not port.in_hand(CONTACTOR) and "busy" in port.why and port.health()["missing"] == 2
    chip.busy.clear()
    port.read_inputs(now_ms=limits.GPIO_RETRY_MS - 1)
    assert chip.changes == []
    port.read_inputs(now_ms=limits.GPIO_RETRY_MS)
    assert chip.changes == [(17, True)] and port.in_hand(CONTACTOR) and port.value(DOOR) is False
    assert port.health() == {"state": "open", "missing": 0, "lines-refused": 2, "lines-lost": 0}


def test_the_last_order_is_taken_when_a_chip_is_back(chip):
    port = port_on(chip)
    port.read_inputs(now_ms=0)
    port.set(CONTACTOR, True, now_ms=0)
    chip.gone = True
    port.set(CONTACTOR, False, now_ms=10)
    port.read_inputs(now_ms=10)
    assert port.value(DOOR) is None and not port.in_hand(CONTACTOR)
    port.set(CONTACTOR, True, now_ms=20)
    chip.gone = False
    port.read_inputs(now_ms=10 + limits.GPIO_RETRY_MS)
    assert port.in_hand(CONTACTOR) and chip.levels[17] is True and port.value(DOOR) is False
    assert port.counters["lines-lost"] == 3


@pytest.mark.parametrize("path", ["/dev/gpiochip9"])
def test_a_chip_that_is_not_there_is_told(chip, path):
    port = port_on(chip, path=path)
    port.read_inputs(now_ms=0)
    assert port.value(DOOR) is None and "No such file" in port.health()["state"]


def test_a_line_that_the_chip_does_not_have_is_told(chip):
    port = port_on(chip, inputs=[Gpio(300)])
    port.read_inputs(now_ms=0)
    assert "line 300 of /dev/gpiochip0: line offset" in port.why


def test_without_the_package_it_is_told(monkeypatch):
    def missing(name):
        raise ModuleNotFoundError(f"No module named {name!r}")

    monkeypatch.setattr("gateway.io.cabinet.gpio.importlib.import_module", missing)
    port = GpioPort(CHIP, [DOOR])
    port.read_inputs(now_ms=0)
    port.set(CONTACTOR, True, now_ms=0)
    assert "No module named 'gpiod'" in port.why and not port.in_hand(CONTACTOR)


# --- the twin has the package's face ----------------------------------------------------------------------------------


@pytest.fixture
def gpiod():
    return pytest.importorskip("gpiod", minversion="2")


def test_the_twin_has_the_names_of_the_package(gpiod):
    for kind in ("Value", "Direction", "Bias"):
        ours, theirs = getattr(bench, kind), getattr(gpiod.line, kind)
        assert {member.name for member in ours} == {member.name for member in theirs}
    settings = inspect.signature(gpiod.LineSettings).parameters
    for name, parameter in inspect.signature(bench.LineSettings).parameters.items():
        assert settings[name].default.name == parameter.default.name if name != "active_low" else not parameter.default
    request = inspect.signature(gpiod.Chip.request_lines).parameters
    assert {"config", "consumer"} <= set(request)
    for method in ("get_value", "set_value", "release"):
        theirs = list(inspect.signature(getattr(gpiod.LineRequest, method)).parameters)
        assert list(inspect.signature(getattr(bench._Request, method)).parameters) == theirs


def test_the_real_package_refuses_a_chip_that_is_not_there(gpiod):
    port = GpioPort("/dev/gpiochip-that-is-not", [DOOR])
    port.read_inputs(now_ms=0)
    port.set(CONTACTOR, True, now_ms=0)
    assert port.value(DOOR) is None and not port.in_hand(CONTACTOR) and port.counters["lines-refused"] == 2
