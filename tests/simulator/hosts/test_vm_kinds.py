"""Each kind of node whole on a real MicroPython VM: boot.py, loader, main.py, drivers on twins, UDP, the wall clock.

What a kind does with its settings is tested elsewhere, in virtual time; here it is that all the pieces of a board
fit: pins, buses, UARTs, counters and voltages of boards/<kind>.
"""

import os
import signal
import threading
import time
from itertools import pairwise

import pytest

from boards import irrigation, thermostat, water_meter
from boards.boot_thermostat import SAFE
from simulator.hosts import vm
from simulator.rig.pty import Pty
from simulator.twins.otgw import Otgw
from tests.support.whole_node import ALWAYS, MIDNIGHT_S, WATERING, Whole
from wire import event, quantity, record

pytestmark = [pytest.mark.vm, pytest.mark.live, pytest.mark.slow]

ALL_DAY = [1, [[ALWAYS, 101, 1231, 0]], [[[0, 1440]]], [1900, 1600, 1600, 800]]
WATCHDOG_S = 8
FLOW_MAX_CK = 6500
STATUS_OF_BOILER = 0x0A


class Boiler:
    """The OpenTherm Gateway's twin at the other end of the node's UART, on its own time, as the PIC has it."""

    def __init__(self, folder):
        folder.mkdir(parents=True, exist_ok=True)
        self._pty = Pty(folder / "opentherm")
        self._pty.plug()
        self.line = str(self._pty.link)
        self.otgw = Otgw(lambda number: {0: STATUS_OF_BOILER, 25: 0x2B80}.get(number))
        self.skipped_ms = 0
        self._began = time.monotonic()
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def now_ms(self):
        return int(1000 * (time.monotonic() - self._began)) + self.skipped_ms

    def skip(self, passed_ms):
        """So much time passes for it; of use while nobody else looks at a clock."""
        with self._lock:
            self.skipped_ms += passed_ms
            self.otgw.advance(self.now_ms())

    def longest_gap_ms(self):
        times = self.otgw.frames_ms
        return max(after - before for before, after in pairwise(times))

    def close(self):
        self._stop.set()
        self._thread.join()
        self._pty.unplug()

    def _run(self):
        while not self._stop.is_set():
            data = self._pty.read(0.02)
            with self._lock:
                if data:
                    self.otgw.write(data)
                self.otgw.advance(self.now_ms())
                said = self.otgw.read(4096)
            if said:
                self._pty.write(said)


@pytest.fixture
def boiler(tmp_path):
    made = Boiler(tmp_path)
    yield made
    made.close()


def with_boiler(tmp_path, micropython, boiler, **changes):
    uarts = {thermostat.OPENTHERM_UART: boiler.line}
    own = {"output": "opentherm", "flow_max_ck": FLOW_MAX_CK, "programme": ALL_DAY, **changes}
    return Whole(tmp_path / "node", micropython, "thermostat", uarts=uarts, **own)


def cold(whole, temperature_ck=1500):
    """Below what is wanted without a clock as well."""
    whole.node.script_parts({"ROOM": {"temperature_ck": temperature_ck}})


def heats(boiler):
    return boiler.otgw.ch_enabled and boiler.otgw.control_setpoint > 0


def test_a_thermostat_with_a_relay_heats_a_cold_room_by_its_programme_and_reports_it(tmp_path, micropython):
    closed, parted = thermostat.RELAY_CLOSED_LEVEL, 1 - thermostat.RELAY_CLOSED_LEVEL
    with Whole(tmp_path / "node", micropython, "thermostat", programme=ALL_DAY, fitted=["outdoor", "window"]) as whole:
        whole.node.script_parts({"ROOM": {"temperature_ck": 1700}, "OUTDOOR": {"temperature_ck": -300}})
        whole.node.start()
        whole.until(lambda: whole.levels().get(thermostat.RELAY_PIN) == closed)
        whole.until(lambda: whole.last(quantity.TEMPERATURE) == 1700)
        whole.until(lambda: whole.last(quantity.key(quantity.TEMPERATURE, 1)) == -300)
        assert whole.levels()[thermostat.PUMP_PIN] == thermostat.PUMP_CLOSED_LEVEL
        assert whole.responder.events(event.BOOT)[0].body.detail[2:4] == ["power-on", "thermostat"]
        assert whole.node.edges()[0][1:] == (thermostat.RELAY_PIN, parted), "boot.py was first"
        whole.assert_sound()
        whole.node.kill()
    with Whole(tmp_path / "warm", micropython, "thermostat", programme=ALL_DAY) as whole:
        whole.node.script_parts({"ROOM": {"temperature_ck": 2100}})
        whole.node.start()
        whole.until(lambda: sum(made.stamp.quality == record.SYNCED for made in whole.responder.records) > 5)
        assert {level for _, number, level in whole.node.edges() if number == thermostat.RELAY_PIN} == {parted}
        whole.assert_sound()


def test_ctrl_c_on_the_console_makes_the_outputs_safe_before_the_reset(tmp_path, micropython):
    """Who wants a prompt leaves no room heated meanwhile; the loader starts the node again at once."""
    closed, parted = thermostat.RELAY_CLOSED_LEVEL, 1 - thermostat.RELAY_CLOSED_LEVEL
    with Whole(tmp_path / "node", micropython, "thermostat", programme=ALL_DAY) as whole:
        whole.node.script_parts({"ROOM": {"temperature_ck": 1700}})
        whole.node.start()
        whole.until(lambda: whole.levels().get(thermostat.RELAY_PIN) == closed)
        os.kill(whole.node.pid, signal.SIGINT)
        whole.until(lambda: not whole.node.running)
        assert whole.levels()[thermostat.RELAY_PIN] == parted
        assert whole.node.returncode == vm.RESET_CODE, "\n".join(whole.said[-20:])
        assert not (tmp_path / "node" / "crash.txt").exists(), "it is no fault of the program"


@pytest.mark.every_vm
def test_a_thermostat_with_a_boiler_is_obeyed_by_it_and_tells_what_it_says(tmp_path, micropython, boiler):
    with with_boiler(tmp_path, micropython, boiler) as whole:
        cold(whole)
        whole.node.start()
        whole.until(lambda: heats(boiler))
        whole.until(lambda: whole.last(quantity.BOILER_STATUS) == STATUS_OF_BOILER)
        whole.until(lambda: whole.last(quantity.key(quantity.TEMPERATURE, 2)) == 4350)
        whole.until(lambda: boiler.otgw.max_ch == FLOW_MAX_CK * 256 // 100)  # once its round has shown another
        assert boiler.otgw.control_setpoint <= boiler.otgw.max_ch
        whole.assert_sound()


def test_a_boilers_exchanges_go_on_over_a_dead_network_a_blocked_node_and_its_restart(
    tmp_path, micropython, boiler
):
    with with_boiler(tmp_path, micropython, boiler) as whole:
        cold(whole)
        whole.node.start()
        whole.until(lambda: heats(boiler) and len(whole.responder.records) > 3)
        # The network dies: heat goes on.
        whole.responder.silent = True
        whole.node.script_wifi("down")
        commands = len(boiler.otgw.commands)
        died_s = time.monotonic()
        whole.until(lambda: time.monotonic() - died_s > 12)
        assert heats(boiler)
        # Then a call does not come back for 30 s: the watchdog's 8 s end it.
        whole.node.block_call("poll")
        whole.until(lambda: any("poll blocks" in line for line in whole.said))
        blocked_s = time.monotonic()
        while whole.node.running:
            assert time.monotonic() - blocked_s < 2 * WATCHDOG_S
            whole.turn()
        lasted_s = time.monotonic() - blocked_s
        assert whole.node.returncode == vm.WATCHDOG_CODE, whole.said[-10:]
        assert WATCHDOG_S - 5 < lasted_s < WATCHDOG_S + 6, f"{lasted_s} s; the bound, and what a loaded desk adds"
        # Whoever stays dead has a cold boiler a minute later, and not one second without an exchange.
        assert heats(boiler), "for as long as its lease holds"
        boiler.skip(70_000)
        assert not heats(boiler) and boiler.otgw.control_setpoint == 0
        # It restarts, the network still dead: heat comes back.
        whole.node.block_call("")
        whole.node.start(reset_cause="WDT_RESET")
        whole.until(lambda: heats(boiler))
        assert any("after watchdog" in line for line in whole.said)
        assert boiler.longest_gap_ms() <= 1150, "OpenTherm allows 1.15 s"
        assert f"SH={FLOW_MAX_CK // 100}.00" in boiler.otgw.commands, "id 57 was written"
        assert boiler.otgw.max_ch == FLOW_MAX_CK * 256 // 100
        assert len(boiler.otgw.commands) > commands
        # The network comes back: all of it is told, the watchdog too.
        whole.node.script_wifi("")
        whole.responder.silent = False
        whole.until(lambda: len(whole.responder.events(event.BOOT)) == 2)
        assert whole.responder.events(event.BOOT)[1].body.detail[2] == "watchdog"


@pytest.mark.every_vm
def test_an_irrigation_node_opens_master_and_zone_by_its_program_and_shuts_them(tmp_path, micropython):
    # Its program is due five seconds after the start; a watering of a minute.
    own = {**WATERING, "watering": [1, WATERING["watering"][1], [[0, ALWAYS, 0, 0, 0, 120, 0, 1, 50]], [], []]}
    del own["meter"]
    with Whole(tmp_path / "node", micropython, "irrigation", unix_s=MIDNIGHT_S + 7200 - 5, **own) as whole:
        whole.node.script_parts({"AIR": {"temperature_ck": 2150, "humidity_permille": 410}})
        whole.node.start()
        whole.until(lambda: whole.node.valves()[:2] == "11")
        assert whole.node.valves() == "110000000", "the master and the first zone, no other"
        whole.until(lambda: whole.last(quantity.TEMPERATURE) == 2150)
        assert whole.levels()[irrigation.BOOST_PIN] == irrigation.BOOST_ACTIVE_LEVEL
        switched = [made.body.detail[:2] for made in whole.responder.events(event.VALVE_SWITCHED)]
        assert switched, "and it tells so"
        # Its power goes: a latching valve stays open. The next start shuts it before anything else.
        whole.node.kill()
        assert whole.node.valves()[:2] == "11"
        whole.responder.silent = True
        whole.node.start()
        whole.until(lambda: whole.node.valves() == "0" * 9)
        whole.assert_sound()


@pytest.mark.every_vm
def test_a_water_meter_counts_tells_a_cut_cable_and_declines_nothing_else(tmp_path, micropython):
    with Whole(tmp_path / "node", micropython, "water_meter") as whole:
        pulses = whole.node.folder / "bench-pulses"
        pulses.write_text("1000", encoding="ascii")
        whole.node.start()
        whole.until(lambda: whole.last(quantity.WATER_FLOW) == 0)
        assert not whole.responder.events(event.SENSOR_FAILURE), "a sound cable is closed"
        pulses.write_text("1003", encoding="ascii")
        whole.until(lambda: any(body.get(quantity.WATER_FLOW, 0) > 0 for body in whole.bodies()))
        whole.until(lambda: whole.last(quantity.BATTERY) == 3600, deadline_s=120)
        whole.node.script_parts({"CABLE": {"closed": False}})
        whole.until(lambda: whole.responder.events(event.SENSOR_FAILURE))
        assert whole.responder.events(event.SENSOR_FAILURE)[0].body.detail == ["meter", "cable"]
        assert water_meter.METER_PIN not in whole.levels(), "it drives nothing of the meter's"
        whole.assert_sound()


# A call that blocks, and the step of the loop that the crumbs must name.
BLOCKED_IN = {"i2c": "ports", "1-wire": "ports", "uart": "output", "flash": "start"}


@pytest.mark.parametrize("call", sorted(BLOCKED_IN))
def test_a_part_or_a_flash_that_blocks_for_30_s_ends_in_the_watchdog_and_in_safe_outputs(
    tmp_path, micropython, boiler, call
):
    with with_boiler(tmp_path, micropython, boiler, fitted=["outdoor"]) as whole:
        cold(whole)
        if call == "flash":
            (whole.node.folder / "bench-flash").touch()
            whole.node.block_call(call)  # its first write is the boot's number
            whole.node.start()
        else:
            whole.node.start()
            whole.until(lambda: heats(boiler) and whole.levels()[thermostat.RELAY_PIN] == thermostat.RELAY_CLOSED_LEVEL)
            whole.node.block_call(call)
        whole.until(lambda: any(f"{call} blocks" in line for line in whole.said))
        blocked_s = time.monotonic()
        while whole.node.running:
            assert time.monotonic() - blocked_s < 2 * WATCHDOG_S
            whole.turn()
        whole.turn()
        assert whole.node.returncode == vm.WATCHDOG_CODE, whole.said[-10:]
        edges = len(whole.node.edges())
        whole.node.block_call("")
        whole.node.start(reset_cause="WDT_RESET")
        whole.until(lambda: len(whole.node.edges()) >= edges + len(SAFE))
        # As boot.py leaves them, before anything of the program runs.
        assert [edge[1:] for edge in whole.node.edges()[edges : edges + len(SAFE)]] == list(SAFE)
        whole.until(lambda: any("after watchdog" in line for line in whole.said))
        whole.until(lambda: any(f"stood in {BLOCKED_IN[call]}" in line for line in whole.said))
        whole.until(lambda: heats(boiler))
