"""The Modbus line against pymodbus's server on a pseudo-terminal: values, contactors first, faults, and back again."""

import struct
import time

import pytest

from gateway.io import clock
from gateway.io.cabinet import limits
from gateway.io.cabinet.modbus import ModbusPort
from gateway.io.cabinet.wiring import Meter, parse
from simulator.rig.modbus import ModbusBench
from tests.support.broker import until

pytestmark = pytest.mark.live

METER, SECOND_METER = Meter(3, "sdm120"), Meter(5, "em111")
COIL, INVERTED = parse("modbus:1/coil:0"), parse("!modbus:1/coil:1")
DOOR, LUX = parse("modbus:2/input:3"), parse("modbus:4/30001:s16*0.1")
POINTS = [METER, SECOND_METER, COIL, INVERTED, DOOR, LUX]


class Rig:
    def __init__(self, folder):
        self.bench = ModbusBench(folder / "rtu", (1, 2, 3, 4, 5))
        self.bench.start()
        self.port = ModbusPort(str(folder / "rtu"), 9600, "none", POINTS)
        self.power(448.0)

    def power(self, watts):
        self.bench.set_input_registers(3, 0, struct.pack(">f8xf8xf", 230.2, 1.95, watts))

    def measured(self, meter, name):
        return self.port.readings.measured(meter, name, now_ms=clock.monotonic_ms())

    def until_measured(self, meter, name, value):
        until(lambda: self.measured(meter, name) == value, f"{name} is {self.measured(meter, name)}, not {value}")

    def until_coil(self, address, on):
        until(lambda: self.bench.coil(1, address) == on, f"coil {address} is not {on}")


@pytest.fixture
def rig(tmp_path, monkeypatch):
    for name, value in (("PORT_REOPEN_FIRST_MS", 50), ("PORT_REOPEN_LAST_MS", 200), ("UNIT_RETRY_FIRST_MS", 100),
                        ("UNIT_RETRY_LAST_MS", 400), ("READ_STALE_MS", 1500), ("RTU_ANSWER_MS", 150)):  # fmt: skip
        monkeypatch.setattr(limits, name, value)
    made = Rig(tmp_path)
    yield made
    made.port.close(timeout_s=30)
    made.bench.close()


def test_every_kind_of_point_is_read_to_the_digit(rig, monkeypatch):
    for name in ("RTU_ANSWER_MS", "READ_STALE_MS"):  # nothing is late, however busy the machine is
        monkeypatch.setattr(limits, name, 60_000)
    bench, port = rig.bench, rig.port
    bench.set_input_registers(3, 0x48, struct.pack(">f", 1234.567))
    bench.set_input_registers(5, 0, struct.pack(">6H", 2301, 0, 0x1170, 1, 448 * 10, 0))
    bench.set_input_registers(5, 0x10, struct.pack(">2H", 12345, 0))
    bench.set_input_registers(4, 0, struct.pack(">h", -53))
    bench.set_input(2, 3, True)
    port.start()
    rig.until_measured(METER, "energy_wh", 1_234_567)
    rig.until_measured(SECOND_METER, "energy_wh", 1_234_500)
    assert [rig.measured(METER, name) for name in ("voltage_dv", "current_ma", "power_dw")] == [2302, 1950, 4480]
    second = [rig.measured(SECOND_METER, name) for name in ("voltage_dv", "current_ma", "power_dw")]
    assert second == [2301, 70_000, 4480]
    until(lambda: port.readings.number(LUX, now_ms=clock.monotonic_ms()) is not None, "no number")
    assert float(port.readings.number(LUX, now_ms=clock.monotonic_ms())) == -5.3
    until(lambda: port.readings.bit(DOOR, now_ms=clock.monotonic_ms())[0], "the door is shut")
    assert port.health()["silences"] == port.health()["garbage"] == port.health()["refusals"] == 0


def test_nothing_is_moved_before_it_is_ordered_nor_at_the_end(rig):
    rig.bench.set_coil(1, 0, True)
    rig.port.start()
    rig.until_measured(METER, "power_dw", 4480)
    rig.port.write(INVERTED, True)
    rig.port.write(INVERTED, False)
    rig.until_coil(1, True)
    rig.port.close(timeout_s=30)
    assert rig.bench.coil(1, 0) and rig.bench.coil(1, 1)
    assert [asked[:4] for asked in rig.bench.asked if asked[1] == 5 and asked[3] == 0] == []


def test_a_contactor_is_switched_and_kept(rig):
    rig.port.start()
    rig.port.write(COIL, True)
    rig.until_coil(0, True)
    until(lambda: rig.port.readings.bit(COIL, now_ms=clock.monotonic_ms())[0], "it is not read back")
    rig.bench.set_coil(1, 0, False)  # a relay board that has restarted
    rig.until_coil(0, True)
    assert rig.port.health()["coils-put-back"] >= 1


def test_silent_meters_do_not_keep_a_contactor_waiting(rig, monkeypatch):
    monkeypatch.setattr(limits, "UNIT_RETRY_LAST_MS", 50)  # they are asked all the time
    rig.bench.silent |= {3, 4, 5}
    rig.port.start()
    until(lambda: rig.port.counters["silences"] > 5, "they answer")
    for on in (True, False) * 5:
        asked_before = len(rig.bench.asked)
        rig.port.write(COIL, on)
        rig.until_coil(0, on)
        asked = [(question[0], question[1]) for question in list(rig.bench.asked)[asked_before:]]
        # One question may have been on its way to the line, or to the list, when the order came.
        assert asked.index((1, 5)) <= 2, asked


def test_a_silent_meter_is_none_after_its_time_and_returns(rig):
    rig.port.start()
    rig.until_measured(METER, "power_dw", 4480)
    rig.bench.silent.add(3)
    rig.until_measured(METER, "power_dw", None)
    until(lambda: (unanswered := rig.port.health()["unanswered"])[3] and not unanswered[1], "not the meter alone")
    until(lambda: rig.port.in_hand(COIL, now_ms=clock.monotonic_ms()), "the relay board has nothing to do with it")
    rig.power(32.0)
    rig.bench.silent.clear()
    rig.until_measured(METER, "power_dw", 320)
    until(lambda: rig.port.health()["unanswered"][3] == 0, "it still counts")


@pytest.mark.parametrize("fault", ["wrong_crc", "babble"])
def test_garbage_is_none_after_its_time_and_values_return(rig, fault):
    rig.port.start()
    rig.until_measured(METER, "power_dw", 4480)
    setattr(rig.bench, fault, {1, 2, 3, 4, 5} if fault == "wrong_crc" else True)
    rig.until_measured(METER, "power_dw", None)
    assert rig.port.counters["garbage"] > 0
    setattr(rig.bench, fault, set() if fault == "wrong_crc" else False)
    rig.until_measured(METER, "power_dw", 4480)


def test_an_echo_and_noise_in_front_of_every_answer_change_nothing(rig):
    rig.bench.echo, rig.bench.prefix = True, b"\x00\x03\x04\xff"
    rig.port.start()
    rig.until_measured(METER, "power_dw", 4480)
    rig.port.write(COIL, True)
    rig.until_coil(0, True)


def test_an_echo_of_a_dead_board_is_no_proof(rig):
    rig.port.start()
    rig.until_measured(METER, "power_dw", 4480)
    rig.bench.echo = True
    rig.bench.silent.add(1)
    until(lambda: not rig.port.in_hand(COIL, now_ms=clock.monotonic_ms() + limits.IN_HAND_MS), "it is in our hand")


def test_answers_that_come_late_are_never_another_questions(rig):
    rig.bench.set_input_registers(3, 0x48, struct.pack(">f", 1.0))
    rig.port.start()
    rig.until_measured(METER, "power_dw", 4480)
    rig.bench.late_s[3] = 0.25  # beyond the time for an answer
    rig.until_measured(METER, "power_dw", None)
    rig.bench.late_s.clear()
    rig.until_measured(METER, "power_dw", 4480)
    rig.until_measured(METER, "energy_wh", 1000)
    rig.until_measured(METER, "voltage_dv", 2302)


def test_a_unit_that_refuses_is_alive_and_counted(rig):
    nowhere = parse("modbus:4/309000")  # a register that it does not have
    port = ModbusPort(str(rig.bench.pty.link), 9600, "none", [nowhere])
    port.start()
    until(lambda: port.counters["refusals"] > 1, "it does not refuse")
    assert port.health()["unanswered"] == {4: 0} and port.counters["silences"] == 0
    port.close(timeout_s=30)


def test_an_adapter_that_is_unplugged_is_found_again(rig):
    rig.port.start()
    for watts in (100.0, 200.0):
        rig.power(watts)
        rig.until_measured(METER, "power_dw", round(10 * watts))
        rig.bench.pty.unplug()
        rig.until_measured(METER, "power_dw", None)
        assert rig.port.state != "open"
        rig.port.write(COIL, watts == 100.0)
        rig.bench.pty.plug()
        rig.until_measured(METER, "power_dw", round(10 * watts))
        rig.until_coil(0, watts == 100.0)
    assert rig.port.ports_lost == 2


def test_a_port_on_which_no_answer_lines_is_opened_again(rig, monkeypatch):
    monkeypatch.setattr(limits, "PORT_SILENT_MS", 300)
    rig.bench.silent |= {1, 2, 3, 4, 5}
    rig.port.start()
    until(lambda: rig.port.counters["ports-silent"] >= 2, "it is not opened again")
    rig.bench.silent.clear()
    rig.until_measured(METER, "power_dw", 4480)


def test_a_contactor_is_in_our_hand_only_while_its_unit_answers(rig, monkeypatch):
    monkeypatch.setattr(limits, "IN_HAND_MS", 1200)
    assert not rig.port.in_hand(COIL, now_ms=clock.monotonic_ms()), "it has not been heard yet"
    rig.port.start()
    until(lambda: rig.port.in_hand(COIL, now_ms=clock.monotonic_ms()), "it is not")
    rig.bench.silent.add(1)
    until(lambda: not rig.port.in_hand(COIL, now_ms=clock.monotonic_ms()), "it still is")
    rig.bench.silent.clear()
    until(lambda: rig.port.in_hand(COIL, now_ms=clock.monotonic_ms()), "it is not again")
    rig.bench.pty.unplug()
    until(lambda: not rig.port.in_hand(COIL, now_ms=clock.monotonic_ms()), "it still is, unplugged")


def test_an_order_that_the_board_does_not_take_ends_being_in_our_hand(rig):
    port = ModbusPort(str(rig.bench.pty.link), 9600, "none", [parse("modbus:1/coil:0")])
    refused = parse("modbus:1/coil:9000")
    port.start()
    until(lambda: port.in_hand(COIL, now_ms=clock.monotonic_ms()), "it is not")
    port.write(refused, True)
    until(lambda: port.counters["refusals"] > 0, "it is taken")
    assert port.in_hand(refused, now_ms=clock.monotonic_ms())
    assert not port.in_hand(refused, now_ms=clock.monotonic_ms() + limits.IN_HAND_MS + 1)
    port.close(timeout_s=30)


def test_its_thread_gives_signs_of_life_until_it_is_closed(rig):
    before_ms = rig.port.alive_ms
    rig.port.start()
    time.sleep(0.01)
    until(lambda: rig.port.alive_ms > before_ms, "it gives none")
    rig.port.close(timeout_s=30)
    assert rig.port.alive_ms is None and not rig.port._thread.is_alive()
