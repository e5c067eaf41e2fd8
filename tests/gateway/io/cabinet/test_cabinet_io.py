"""The whole cabinet in its threads: orders at once, looks once a second, the watchdog line, and what fails alone."""

import queue
import struct

import pytest

from gateway.config import cabinet as cabinet_config
from gateway.core.cabinet.equipment import FeederObservation, SetContactor, Watchdog
from gateway.io import clock
from gateway.io.cabinet import limits
from gateway.io.cabinet.cabinet_io import CabinetIo
from simulator.rig.modbus import ModbusBench
from tests.support.broker import until
from tests.support.gpio_chip import BenchGpiod
from tests.support.tic_bench import TicBench

pytestmark = pytest.mark.live
GENEROUS_S = 60


class Rig:
    """A cabinet of two feeders: the first on GPIO, the second on Modbus, each with a meter."""

    def __init__(self, folder, **changes):
        self.chip = BenchGpiod()
        self.rtu = ModbusBench(folder / "rtu", (1, 3, 4, 5))
        self.tic = TicBench(folder / "linky", "historique")
        plain = {
            "latitude": 47.572, "longitude": -0.594, "gpio": "/dev/gpiochip0", "modbus": str(folder / "rtu"),
            "linky": str(folder / "linky"), "watchdog": "gpio:22", "door": "gpio:5", "mains": "!gpio:6",
            "switch_on": "gpio:13", "switch_off": "gpio:19", "photocell": "modbus:4/30001",
            "temperature": "modbus:4/30002:s16*0.1", "ups": "modbus:4/30003*0.01",
            "feeder": [
                {"name": "bourg", "lamps": 14, "contactor": "gpio:17", "feedback": "!gpio:27",
                 "meter": "modbus:3/sdm120"},
                {"name": "zone", "lamps": 6, "contactor": "modbus:1/coil:0", "feedback": "modbus:1/input:0",
                 "meter": "modbus:5/em111"},
            ],
        }  # fmt: skip
        faults = []
        config = cabinet_config.check(plain | changes, faults)
        assert not faults
        self.looks = queue.Queue()
        self.io = CabinetIo(config, self.looks.put, gpiod=self.chip)
        self.last = None

    def start(self):
        self.rtu.start()
        self.tic.start()
        self.rtu.set_input_registers(3, 0, struct.pack(">f8xf8xf", 230.2, 1.95, 448.0))
        self.rtu.set_input_registers(3, 0x48, struct.pack(">f", 1234.5))
        self.rtu.set_input_registers(5, 0, struct.pack(">6H", 2301, 0, 900, 0, 1920, 0))
        self.rtu.set_input_registers(5, 0x10, struct.pack(">2H", 777, 0))
        self.rtu.set_input_registers(4, 0, struct.pack(">HhH", 12, -53, 1365))
        self.io.start()

    def look(self, timeout_s=GENEROUS_S):
        self.last = self.looks.get(timeout=timeout_s)
        self.io.processed()
        return self.last

    def until_seen(self, is_so):
        until(lambda: is_so(self.look()), f"it sees {self.last}")

    def close(self):
        self.io.close(timeout_s=GENEROUS_S)
        self.rtu.close()
        self.tic.close()


@pytest.fixture
def rig(tmp_path, monkeypatch):
    for name, value in (("OBSERVE_MS", 100), ("TICK_MS", 10), ("DEBOUNCE_MS", 30), ("WATCHDOG_PULSE_MS", 20),
                        ("PORT_REOPEN_FIRST_MS", 50), ("PORT_REOPEN_LAST_MS", 200), ("UNIT_RETRY_FIRST_MS", 100),
                        ("UNIT_RETRY_LAST_MS", 400), ("READ_STALE_MS", 1500), ("LINKY_STALE_MS", 1500),
                        ("RTU_ANSWER_MS", 150), ("IN_HAND_MS", 1500), ("GPIO_RETRY_MS", 100)):  # fmt: skip
        monkeypatch.setattr(limits, name, value)
    made = Rig(tmp_path)
    made.start()
    yield made
    made.close()


def pulses(chip):
    return [level for line, level in chip.changes if line == 22]


def test_a_look_sees_everything_that_is_wired(rig):
    rig.rtu.set_input(1, 0, True)
    rig.chip.levels[5] = True
    rig.until_seen(lambda seen: None not in (*seen[1:], *(value for feeder in seen.feeders for value in feeder)))
    seen = rig.last
    assert seen.feeders == (
        FeederObservation(True, 4480, 1_234_500, 2302, 1950),
        FeederObservation(True, 1920, 77_700, 2301, 900),
    )
    assert (seen.switch, seen.door_open, seen.mains) == ("auto", True, True)
    assert (seen.ups_mv, seen.temperature_ck, seen.photocell_lx) == (13650, -530, 12)
    assert (seen.linky.index_wh, seen.linky.apparent_va, seen.linky.mode) == (11_887_649, 240, "historique")


@pytest.mark.parametrize(("on", "off", "said"), [(False, False, "auto"), (True, False, "on"), (False, True, "off"),
                                                 (True, True, None)])  # fmt: skip
def test_the_hand_switch(rig, on, off, said):
    rig.until_seen(lambda seen: seen.switch == "auto")
    rig.chip.levels[13], rig.chip.levels[19] = on, off
    rig.until_seen(lambda seen: seen.switch == said)
    assert (rig.io.health()["switch-contradictions"] > 0) == (said is None)


def test_orders_reach_contactors_on_both_ports_and_the_last_counts(rig):
    for closed in (True, False, True):
        rig.io.apply(SetContactor(0, closed))
        rig.io.apply(SetContactor(1, closed))
        until(lambda closed=closed: (rig.chip.levels[17], rig.rtu.coil(1, 0)) == (closed, closed), "they do not switch")


def test_starting_and_closing_move_nothing(rig):
    rig.until_seen(lambda seen: seen.feeders[1].power_dw is not None)
    assert rig.chip.changes == [] and not [asked for asked in rig.rtu.asked if asked[1] == 5]
    rig.io.apply(SetContactor(0, True))
    rig.io.apply(SetContactor(1, True))
    until(lambda: rig.chip.levels[17] and rig.rtu.coil(1, 0), "they are not switched")
    rig.io.close(timeout_s=GENEROUS_S)
    assert rig.chip.changes == [(17, True)] and rig.rtu.coil(1, 0) and rig.io.alive_ms is None


def test_a_pulse_goes_up_and_comes_down(rig):
    until(lambda: rig.io.in_hand, "the contactors are not in our hand")
    for count in (1, 2, 3):
        rig.io.apply(Watchdog())
        until(lambda count=count: pulses(rig.chip) == [True, False] * count, f"{pulses(rig.chip)}")
    assert rig.io.counters["pulses"] == 3


def test_pulses_are_kept_back_while_a_contactor_is_not_in_our_hand(rig):
    until(lambda: rig.io.in_hand, "the contactors are not in our hand")
    rig.rtu.silent.add(1)
    until(lambda: not rig.io.in_hand, "a dead relay board is in our hand")
    for _ in range(3):
        rig.io.apply(Watchdog())
    until(lambda: rig.io.counters["pulses-withheld"] > 0, "the pulse is passed on")
    assert pulses(rig.chip) == []
    rig.rtu.silent.clear()
    until(lambda: rig.io.in_hand, "it does not return")
    rig.io.apply(Watchdog())
    until(lambda: pulses(rig.chip) == [True, False], "no pulse")


def test_a_pulse_is_ended_at_the_close(rig, monkeypatch):
    monkeypatch.setattr(limits, "WATCHDOG_PULSE_MS", 60_000)
    until(lambda: rig.io.in_hand, "the contactors are not in our hand")
    rig.io.apply(Watchdog())
    until(lambda: pulses(rig.chip) == [True], "no pulse")
    rig.io.close(timeout_s=GENEROUS_S)
    assert pulses(rig.chip) == [True, False]


def test_what_fails_alone_leaves_the_rest(rig):
    rig.until_seen(lambda seen: seen.linky is not None and seen.feeders[0].power_dw is not None)
    rig.tic.fault = "garbage"
    rig.until_seen(lambda seen: seen.linky is None and seen.feeders[0].power_dw == 4480)
    rig.rtu.silent.add(3)
    rig.until_seen(lambda seen: [*(one.power_dw for one in seen.feeders), seen.photocell_lx] == [None, 1920, 12])
    rig.rtu.pty.unplug()
    rig.until_seen(lambda seen: seen.feeders[1].power_dw is None)
    rig.until_seen(lambda seen: seen.feeders[1].feedback is None and seen.photocell_lx is None)
    assert rig.last.feeders[0].feedback is True and rig.last.mains is True
    rig.io.apply(SetContactor(0, True))
    until(lambda: rig.chip.levels[17], "GPIO waits for Modbus")
    rig.rtu.pty.plug()
    rig.rtu.silent.clear()
    rig.tic.fault = "none"
    rig.until_seen(lambda seen: seen.linky is not None and None not in seen.feeders[0][1:4] + seen.feeders[1][1:4])


def test_looks_that_nobody_takes_are_overtaken_not_queued(rig):
    until(lambda: rig.io.counters["observations-skipped"] > 5, "it queues")
    assert rig.looks.qsize() == limits.OBSERVATIONS_MAX
    rig.rtu.set_input_registers(4, 0, struct.pack(">H", 4711))
    rig.until_seen(lambda seen: seen.photocell_lx == 4711)


def test_signs_of_life_are_those_of_the_threads_that_hold_contactors(rig):
    first_ms = rig.io.alive_ms
    until(lambda: rig.io.alive_ms > first_ms, "it gives none")
    stuck_ms = clock.monotonic_ms() - 500_000
    rig.io._linky.alive_ms = stuck_ms
    assert rig.io.alive_ms > stuck_ms
    rig.io._modbus.close(timeout_s=GENEROUS_S)
    rig.io._modbus.alive_ms = stuck_ms
    assert rig.io.alive_ms == stuck_ms and not rig.io.in_hand


def test_health_is_plain_data_of_every_port(rig):
    rig.until_seen(lambda seen: seen.linky is not None and seen.feeders[0].power_dw is not None)
    health = rig.io.health()
    assert health["gpio"]["state"] == health["modbus"]["state"] == health["linky"]["state"] == "open"
    assert health["in_hand"] is True and health["observations"] > 0 and health["modbus"]["unanswered"][3] == 0


def test_a_cabinet_of_gpio_alone_needs_no_serial_port(tmp_path):
    chip, looks = BenchGpiod(), queue.Queue()
    plain = {"latitude": 47.5, "longitude": -0.6, "gpio": "/dev/gpiochip0",
             "feeder": [{"name": "a", "lamps": 1, "contactor": "gpio:1"}]}  # fmt: skip
    io = CabinetIo(cabinet_config.check(plain, []), looks.put, gpiod=chip)
    io.start()
    io.apply(Watchdog())  # there is no such line
    io.apply(SetContactor(0, True))
    seen = looks.get(timeout=GENEROUS_S)
    assert seen.feeders == (FeederObservation(),) and set(seen[1:-1]) == {None}
    until(lambda: chip.changes == [(1, True)], "it is not switched")
    io.close(timeout_s=GENEROUS_S)
