"""The irrigation ports on a fake chip: one pulse at a time with its length, a boot that shuts, sensors that fail."""

import types

import pytest

pytest.importorskip("drivers.latching_valves")
board = pytest.importorskip("boards.irrigation")

from drivers.sensor import PENDING  # noqa: E402
from kinds import Start, irrigation  # noqa: E402
from policy.fault import Faults  # noqa: E402
from tests.support.green import own, plain, programs  # noqa: E402
from watering import inputs  # noqa: E402
from wire import quantity  # noqa: E402

SETTINGS = programs(plain(valves=[2, 2, 2, 2, 0]), [0, 127, 0, 0, 0, 300, 0, 7, 50])


class AnyRange:
    """What an ADC lets its driver choose."""

    ATTN_11DB = 3

    def atten(self, attenuation):
        """As it likes."""


class Chip:
    """Pins with their levels, an I2C bus with a selector and nothing else, ADCs and counters."""

    def __init__(self):
        self.levels, self.trace = {}, []
        self.selected, self.selector_works = 0xFF, True
        self.stuck_high = 0  # bits of selector lines that do not go low
        self.now_ms = self.capacitor_mv = 0
        chip = self
        class Pin:
            IN, OUT, PULL_UP, OPEN_DRAIN = range(4)
            def __init__(self, number, mode=None, pull=None, value=None):
                self.number = number
                if value is not None:
                    self.value(value)

            def value(self, level=None):
                if level is None:
                    return chip.levels.get(self.number, 0)
                if chip.levels.get(self.number) != level:
                    chip.trace.append((chip.now_ms, self.number, level))
                chip.levels[self.number] = level

            __call__ = value

        class SoftI2C:
            def __init__(self, **_):
                pass

            def _check(self, address):
                if address != board.SELECTOR_ADDRESS or not chip.selector_works:
                    raise OSError(19)

            def writeto(self, address, data, stop=True):
                self._check(address)
                chip.selected = data[0]
                return len(data)

            def readfrom_into(self, address, buffer, stop=True):
                self._check(address)
                buffer[0] = chip.selected | chip.stuck_high

            def writevto(self, address, pieces):
                raise OSError(19)

        class ADC(AnyRange):
            def __init__(self, pin):
                self.pin = pin

            def read_uv(self):
                return 1000 * chip.capacitor_mv // 11 if self.pin.number == board.CAPACITOR_PIN else 1_900_000

        class Counter:
            def __init__(self, unit, pin, **_):
                self.unit = unit

            def value(self):
                return 10 * self.unit

        self.machine = types.SimpleNamespace(Pin=Pin, SoftI2C=SoftI2C, ADC=ADC, Counter=Counter)


@pytest.fixture
def chip(monkeypatch):
    import time

    monkeypatch.setattr(time, "sleep_us", lambda _: None, raising=False)
    return Chip()


def turns(chip, ports, valves, until_ms, step_ms=10):
    while chip.now_ms < until_ms:
        chip.now_ms += step_ms
        ports.apply(valves, now_ms=chip.now_ms)


def made(chip, settings=SETTINGS):
    setting = own(settings)
    trade = irrigation.make_trade(setting, Start(b"12345678", b"", 0, None))
    return irrigation.Ports(setting, board, chip.machine, now_ms=0), trade.outputs


def test_at_a_boot_every_valve_is_pulsed_shut_within_2s_one_at_a_time_and_never_through_both_pins(chip):
    ports, valves = made(chip)
    turns(chip, ports, valves, 2200)
    assert valves.ready()
    reverse = [(at, level) for at, pin, level in chip.trace if pin in (board.MASTER_IN2_PIN, board.ZONES_IN2_PIN)]
    begun = [at for at, level in reverse if level]
    ended = [at for at, level in reverse if not level][-len(begun) :]
    assert len(begun) == 2 * 4 and begun[3] < 2000
    assert all(90 <= end - begin <= 130 for begin, end in zip(begun, ended, strict=True))
    assert all(later >= end for end, later in zip(ended, begun[1:], strict=False))
    assert not any(level for _, pin, level in chip.trace if pin in (board.MASTER_IN1_PIN, board.ZONES_IN1_PIN))
    assert chip.selected == 0xFF


def test_an_opening_drives_forward_through_the_selected_valve_and_safe_lets_go(chip):
    ports, valves = made(chip)
    turns(chip, ports, valves, 2500)
    valves.open(3, 600, now_ms=chip.now_ms)
    turns(chip, ports, valves, chip.now_ms + 60)
    assert chip.levels[board.ZONES_IN1_PIN] == 1 and chip.selected == 0xFF & ~(1 << 2)
    ports.safe()
    assert chip.levels[board.ZONES_IN1_PIN] == 0 and chip.selected == 0xFF


def test_a_silent_selector_keeps_the_pulse_due_and_the_master_is_shut_all_the_same(chip):
    ports, valves = made(chip)
    chip.selector_works = False
    turns(chip, ports, valves, 1000)
    assert any(pin == board.MASTER_IN2_PIN and level for _, pin, level in chip.trace)
    assert not valves.ready()
    chip.selector_works = True
    turns(chip, ports, valves, 4000)
    assert valves.ready()


def test_a_sample_leaves_out_what_is_silent(chip):
    ports, _ = made(chip)
    ports.begin_sample(now_ms=0)
    values, now_ms = PENDING, 0
    while values is PENDING:
        now_ms += 10
        values = ports.collect(now_ms=now_ms)
    assert now_ms < 500
    assert quantity.TEMPERATURE not in values and values[quantity.BATTERY] == 3800
    assert inputs.METER_PULSES in values
    # Nobody has wired a rain sensor or an anemometer: an open contact is not rain, and no pulse is not calm.
    assert inputs.RAIN_WET not in values and quantity.WIND_SPEED not in values


def test_a_rain_contact_that_is_fitted_is_wet_when_it_opens(chip):
    ports, valves = made(chip, {**SETTINGS, "fitted": ["rain-contact", "wind"]})
    chip.levels[board.RAIN_CONTACT_PIN] = board.RAIN_CONTACT_ACTIVE_LEVEL
    turns(chip, ports, valves, 2500)
    for _ in range(2):
        ports.begin_sample(now_ms=chip.now_ms)
        values = PENDING
        while values is PENDING:
            chip.now_ms += 10
            values = ports.collect(now_ms=chip.now_ms)
    assert values[inputs.RAIN_WET] == 1 and values[quantity.WIND_SPEED] == 0


def is_wet(chip, ports):
    ports.begin_sample(now_ms=chip.now_ms)
    values = PENDING
    while values is PENDING:
        chip.now_ms += 10
        values = ports.collect(now_ms=chip.now_ms)
    return values[inputs.RAIN_WET]


def test_a_rain_contact_counts_once_it_was_wet_for_as_long_as_the_settings_say(chip):
    ports, valves = made(chip, {**SETTINGS, "fitted": ["rain-contact"], "rain": [10, 24]})
    chip.levels[board.RAIN_CONTACT_PIN] = 1 - board.RAIN_CONTACT_ACTIVE_LEVEL
    turns(chip, ports, valves, 11_000)
    assert is_wet(chip, ports) == 0
    chip.levels[board.RAIN_CONTACT_PIN] = board.RAIN_CONTACT_ACTIVE_LEVEL
    turns(chip, ports, valves, chip.now_ms + 8000)
    assert is_wet(chip, ports) == 0
    turns(chip, ports, valves, chip.now_ms + 3000)
    assert is_wet(chip, ports) == 1


def test_a_node_that_has_just_woken_counts_what_it_sees_of_its_rain_contact(chip):
    """It sleeps again within a second, before the level has held."""
    ports, valves = made(chip, {**SETTINGS, "fitted": ["rain-contact"]})
    chip.levels[board.RAIN_CONTACT_PIN] = board.RAIN_CONTACT_ACTIVE_LEVEL
    turns(chip, ports, valves, 20)
    assert is_wet(chip, ports) == 1


BOOSTED = {**SETTINGS, "battery": [2600, 1000, 20_000]}


def test_a_closing_waits_for_its_capacitor_after_a_cold_start_but_not_for_ever(chip):
    ports, valves = made(chip, BOOSTED)
    turns(chip, ports, valves, 3000)
    assert chip.levels[board.BOOST_PIN] == board.BOOST_ACTIVE_LEVEL
    assert not any(pin == board.MASTER_IN2_PIN and level for _, pin, level in chip.trace)
    chip.capacitor_mv = 19_000
    turns(chip, ports, valves, 3100)
    assert any(pin == board.MASTER_IN2_PIN and level for _, pin, level in chip.trace)
    chip.capacitor_mv = 0
    turns(chip, ports, valves, 3100 + 12_000)
    assert any(pin == board.ZONES_IN2_PIN and level for _, pin, level in chip.trace)


def test_the_capacitor_is_charged_for_a_run_that_waits_for_it(chip):
    ports, valves = made(chip, BOOSTED)
    chip.capacitor_mv = 20_000
    turns(chip, ports, valves, 5000)
    assert valves.ready() and chip.levels[board.BOOST_PIN] != board.BOOST_ACTIVE_LEVEL
    valves.prepares = True
    turns(chip, ports, valves, 5050)
    assert chip.levels[board.BOOST_PIN] == board.BOOST_ACTIVE_LEVEL


def test_a_valve_behind_a_dead_selector_is_told_as_a_coil_without_current(chip):
    ports, valves = made(chip)
    chip.selector_works = False
    turns(chip, ports, valves, 2000)
    told = valves.drain_currents()
    assert told and set(told) == {(1, 0), (2, 0), (3, 0)} and len(told) <= 10


def closings(chip):
    """(of the master, of zones): pulses shut that the bridges gave."""
    pins = [pin for _, pin, level in chip.trace if level]
    return pins.count(board.MASTER_IN2_PIN), pins.count(board.ZONES_IN2_PIN)


def test_one_stuck_line_of_the_selector_holds_up_no_other_valve_at_a_boot(chip):
    ports, valves = made(chip)
    chip.stuck_high = 1 << 0
    turns(chip, ports, valves, 2500)
    assert closings(chip) == (2, 2 * 2) and not valves.ready(), "the valve behind it may be open"
    chip.stuck_high = 0
    turns(chip, ports, valves, 4000)
    assert closings(chip) == (2, 3 * 2) and valves.ready()


def test_in_a_run_a_closing_that_fails_does_not_hold_up_the_next_one(chip):
    ports, valves = made(chip)
    turns(chip, ports, valves, 2500)
    valves.open(1, 600, now_ms=chip.now_ms)
    valves.open(3, 600, now_ms=chip.now_ms)
    turns(chip, ports, valves, chip.now_ms + 1000)
    before = closings(chip)[1]
    chip.stuck_high = 1 << 0
    valves.close(1)
    turns(chip, ports, valves, chip.now_ms + 1000)
    valves.close(3)
    turns(chip, ports, valves, chip.now_ms + 1000)
    assert closings(chip)[1] == before + 1 and not valves.open(2, 600, now_ms=chip.now_ms)


@pytest.mark.parametrize("fault", ["selector", "capacitor"])
def test_a_pulse_that_cannot_be_given_does_not_turn_the_loop_without_a_pause(chip, fault):
    ports, valves = made(chip, BOOSTED)
    chip.selector_works = fault != "selector"
    chip.capacitor_mv = 0 if fault == "capacitor" else 20_000
    turned = 0
    while chip.now_ms < 9000:
        ports.apply(valves, now_ms=chip.now_ms)
        if ports._pulse is None:
            assert valves.wake_ms(chip.now_ms) >= chip.now_ms + 20
        assert chip.levels[board.BOOST_PIN] == board.BOOST_ACTIVE_LEVEL
        chip.now_ms = max(chip.now_ms + 10, valves.wake_ms(chip.now_ms))
        turned += 1
    assert turned < 9000 // 20 + 50


def test_a_board_of_bridges_refuses_valves_that_must_be_held():
    faults = Faults()
    irrigation.decode(faults, {**SETTINGS, "valves": [1, 2, 1, 2, 1]})
    assert [fault.path for fault in faults.listed()] == ["valves[0]", "valves[2]"]


def test_a_current_that_came_too_late_is_not_the_next_coils(chip):
    class Meter:
        """An INA226 that answers what flowed when it was asked."""

        asked_ms = None

        def begin(self, *, now_ms):
            self.asked_ms = now_ms

        def collect(self, *, now_ms):
            if now_ms - self.asked_ms < 10:
                return PENDING
            asked_ms, self.asked_ms = self.asked_ms, None
            return {quantity.CURRENT: asked_ms}

    ports, valves = made(chip)
    ports._coil = Meter()
    turns(chip, ports, valves, 2500)
    valves.drain_currents()
    valves.open(1, 600, now_ms=chip.now_ms)
    ports.apply(valves, now_ms=chip.now_ms)
    for later_ms in (20, 95, 6):  # selected, driven; a late turn asks; the pulse ends before the answer
        chip.now_ms += later_ms
        ports.apply(valves, now_ms=chip.now_ms)
    assert valves.drain_currents() == []
    asked_ms = ports._coil.asked_ms
    valves.open(2, 600, now_ms=chip.now_ms)
    turns(chip, ports, valves, chip.now_ms + 400)
    ((output, answered_ms),) = valves.drain_currents()
    assert output == 2 and answered_ms > asked_ms


def test_soil_probes_that_the_settings_name_are_read_and_no_others(chip):
    probes = [[1, 2600, 1200, 700], [2, 2600, 1200, 700]]
    for count in (0, 1, 2):
        ports, _ = made(chip, {**SETTINGS, "soil": probes[:count]})
        ports.begin_sample(now_ms=0)
        found = PENDING
        while found is PENDING:
            chip.now_ms += 50
            found = ports.collect(now_ms=chip.now_ms)
        told = [inputs.SOIL_MV + i in found for i in (0, 1)]
        assert told == [count > 0, count > 1]
        if count:
            assert abs(found[inputs.SOIL_MV] - 1900) <= 1
