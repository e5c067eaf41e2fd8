"""A valve that was open when the program died is shut by the rescue, and by a node without usable settings: master
first, twice, from a charged capacitor, by short pulses, on the board's own twins."""

import importlib
import sys
import types

import pytest

import esp32
from boards import irrigation as board
from simulator.twins.board import Machine
from tests.esp32.test_lifeline import Board as Chip
from tests.esp32.test_lifeline import lifeline  # noqa: F401 - a fixture
from tests.support.parts_bench import Bench
from tools import firmware_modules
from tools.link import image as link_image

FULL_MV = 12_000
PULSE_MV = 3_000
BOOT = "boards.boot_irrigation"


class Place(Bench):
    """A board whose capacitor charges while the boost converter runs, and gives some of it to each pulse."""

    def __init__(self, charge_ms=400):
        super().__init__()
        self.machine = Machine(board, self.ticks_ms)
        self.machine.deepsleep = None
        self.master, self.zones = self.machine.parts["MASTER"], self.machine.parts["ZONES"]
        self.bridges = self.machine.parts["MASTER_BRIDGE"], self.machine.parts["ZONES_BRIDGE"]
        self.selector = self.machine.parts["SELECTOR"]
        self._given, self._charge_ms = 0, charge_ms
        self.pulse_mv = []
        self.shut_ms = None  # when the water stopped
        for valve in self.master + self.zones:
            valve.is_open = True

    def pass_ms(self, ms):
        for _ in range(ms):
            self.now_ms += 1
            self._charge()
            if self.shut_ms is None and not (self.master[0].is_open and any(zone.is_open for zone in self.zones)):
                self.shut_ms = self.now_ms

    def sleep_ms(self, ms):
        self.pass_ms(ms)

    def pulses(self):
        """(ms begun, ms long, forward, is of the master) in their order."""
        master, zones = [bridge.pulses for bridge in self.bridges]
        return sorted([(*pulse, True) for pulse in master] + [(*pulse, False) for pulse in zones])

    def _charge(self):
        capacitor = self.machine.parts["CAPACITOR"]
        given = len(self.pulses())
        if given > self._given:
            self._given = given
            self.pulse_mv.append(capacitor.millivolts)
            capacitor.millivolts -= PULSE_MV
        if self.machine.levels.get(board.BOOST_PIN) == board.BOOST_ACTIVE_LEVEL:
            capacitor.millivolts += (FULL_MV - capacitor.millivolts + self._charge_ms - 1) // self._charge_ms

    def is_dry(self):
        return not any(valve.is_open for valve in self.master + self.zones)

    def is_sound(self):
        """Nothing was opened, shorted or burnt, and nothing has current now."""
        assert not any(forward for _, _, forward, _ in self.pulses())
        assert not any(bridge.shorted or bridge.burnt for bridge in self.bridges)
        assert max(lasted_ms for _, lasted_ms, _, _ in self.pulses()) <= board.ZONES_PULSE_MS + 20
        assert self.machine.levels[board.BOOST_PIN] == 1 - board.BOOST_ACTIVE_LEVEL
        return self.selector.outputs == 0xFF


@pytest.fixture
def place(monkeypatch):
    place = Place()
    monkeypatch.setattr("time.sleep_us", lambda us: None, raising=False)
    monkeypatch.setattr("time.sleep_ms", place.sleep_ms, raising=False)
    monkeypatch.setitem(sys.modules, "machine", place.machine)
    monkeypatch.delitem(sys.modules, BOOT, raising=False)
    monkeypatch.setitem(sys.modules, "boot", importlib.import_module(BOOT))
    yield place
    forget("rescue", "chosen_settings")  # which stand on this place's chip


def forget(*names):
    for name in names:
        sys.modules.pop("esp32." + name, None)
        vars(esp32).pop(name, None)


def rescued(place, for_ms=30_000):
    """The rescue turns as the shell turns it."""
    forget("rescue")
    rescue = importlib.import_module("esp32.rescue")
    ports = rescue.Ports(board, place.machine, now_ms=place.now_ms)
    trade = rescue.RescueTrade("irrigation", b"", ports)
    slice_ms = 100
    while place.now_ms < for_ms:
        trade.decide(None)
        ports.apply(trade.outputs, now_ms=place.now_ms)
        due_ms = trade.deadline_ms(place.now_ms)
        place.pass_ms(max(1, slice_ms if due_ms is None else min(slice_ms, due_ms - place.now_ms)))


def test_the_rescue_shuts_every_valve_master_first_and_twice_within_seconds(place):
    rescued(place)
    assert place.is_dry() and place.is_sound()
    assert place.shut_ms < 2000, "the water stops with the master"
    order = [is_master for _, _, _, is_master in place.pulses()]
    assert order == [True, *[False] * board.ZONES_COUNT] * 2
    assert place.pulses()[-1][0] < 20_000
    assert place.slept_us == 0


def test_each_pulse_has_a_charged_capacitor(place):
    rescued(place)
    assert min(place.pulse_mv) >= FULL_MV * 8 // 10


def test_a_capacitor_that_never_charges_or_cannot_be_read_keeps_no_valve_open(place):
    place.machine.parts["CAPACITOR"].fault = "absent"
    rescued(place)
    assert place.is_dry() and place.is_sound()


def test_valves_that_move_at_the_second_pulse_only_are_shut(place):
    for valve in place.master + place.zones:
        valve.fault = "lazy"
    rescued(place)
    assert place.is_dry() and place.is_sound()


def test_a_silent_selector_keeps_the_master_from_nothing(place):
    place.selector.fault = "absent"
    rescued(place)
    assert not place.master[0].is_open and place.shut_ms < 2000
    assert len(place.bridges[1].pulses) == 0, "into nobody knows which valve"


def test_without_it_the_water_runs_on(place, monkeypatch):
    """Planted: boot.py's levels alone, as it was."""
    monkeypatch.delattr(board, "stand_in")
    rescued(place)
    assert place.shut_ms is None


# --- without settings ---------------------------------------------------------------------------------------------


class Over(Exception):
    pass


def stays_safe(place, monkeypatch, lifeline, plain, *, for_ms=30_000):  # noqa: F811
    """The node's loop without settings, until it has turned for so long."""
    monkeypatch.setattr(lifeline, "_rtc_of", lambda machine: None, raising=False)
    forget("chosen_settings")
    monkeypatch.setitem(sys.modules, "settings_store", importlib.import_module("esp32.settings_store"))
    chosen_settings = importlib.import_module("esp32.chosen_settings")

    def feed():
        if place.now_ms >= for_ms:
            raise Over

    life = Chip(lifeline).live(3)
    monkeypatch.setattr(life.board_name.__func__, "__kwdefaults__", {"listdir": lambda folder: ["irrigation.mpy"]})
    chosen = types.SimpleNamespace(settings=None, plain=plain, faults=[])
    clock = types.SimpleNamespace(now_ms=lambda: place.now_ms)
    with pytest.raises(Over):
        chosen_settings.stay_safe(types.SimpleNamespace(feed=feed), clock, chosen, life)


@pytest.mark.parametrize("plain", [None, [1], {}, {"kind": "irrigation", "valves": "eight"}], ids=repr)
def test_without_usable_settings_every_output_of_the_board_is_shut(place, monkeypatch, lifeline, plain):  # noqa: F811
    stays_safe(place, monkeypatch, lifeline, plain)
    assert place.is_dry() and place.is_sound() and place.shut_ms < 2000
    assert len(place.pulses()) == 2 * (1 + board.ZONES_COUNT)


# --- what it costs the others -------------------------------------------------------------------------------------


@pytest.mark.slow
def test_no_other_kind_carries_the_shutter_and_the_rescue_of_this_one_does():
    for kind in firmware_modules.kinds():
        has = kind == "irrigation"
        assert ("drivers.shutter" in firmware_modules.of_kind(kind)) is has
        for files in (
            link_image.node_files(link_image.FIRMWARE, None, kind),
            link_image.rescue_files(link_image.FIRMWARE, None, kind),
        ):
            assert ({"drivers/shutter.py", "drivers/latching_valves.py", "drivers/pcf8574.py"} <= set(files)) is has
