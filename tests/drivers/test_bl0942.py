"""The energy meter's driver against bytes, and against its twin."""

import pytest

from boards import streetlight as board
from drivers import bl0942
from drivers.bl0942 import Bl0942, Calibration
from drivers.sensor import PENDING
from wire import quantity, quantity_table

CALIBRATION = Calibration(*board.METER_CALIBRATION)


class Uart:
    """What the host wrote, and bytes for it to read."""

    def __init__(self):
        self.written = b""
        self.waiting = b""

    def write(self, data):
        self.written += data

    def any(self):
        return len(self.waiting)

    def read(self, count):
        data, self.waiting = self.waiting[:count], self.waiting[count:]
        return data or None


def packet(*, volts=230, amperes=0.3, watts=65, count=0, frequency=20000):
    """A packet as the data sheet lays it out, by this test's own arithmetic."""
    body = bytearray(22)
    body[0] = 0x55
    body[1:4] = round(amperes * 251213.465).to_bytes(3, "little")
    body[4:7] = round(volts * 15883.341).to_bytes(3, "little")
    body[10:13] = round(watts * 623.394).to_bytes(3, "little", signed=True)
    body[13:16] = count.to_bytes(3, "little")
    body[16:18] = frequency.to_bytes(2, "little")
    return bytes(body) + bytes([(~(0x58 + sum(body))) & 0xFF])


def ask(meter, uart, answer, now_ms=0):
    meter.begin(now_ms=now_ms)
    uart.waiting += answer
    return meter.collect(now_ms=now_ms + 60)


@pytest.fixture
def uart():
    return Uart()


@pytest.fixture
def meter(uart):
    return Bl0942(uart, calibration=CALIBRATION)


def test_a_good_packet_becomes_scaled_integers(meter, uart):
    readings = ask(meter, uart, packet())
    assert uart.written == b"\x58\xaa"
    assert readings == {
        quantity.POWER: 650,
        quantity.VOLTAGE: 2300,
        quantity.CURRENT: 300,
        quantity.ENERGY: 0,
        quantity.POWER_FACTOR: 94,
        quantity.FREQUENCY: 5000,
    }
    assert all(type(value) is int and quantity_table.in_range(key, value) for key, value in readings.items())
    assert not meter.waiting()


def test_a_recorded_layout_decodes_register_by_register():
    data = bytes(range(0x55, 0x55 + 22))
    assert bl0942.decode(data) == bl0942.Packet(0x585756, 0x5B5A59, 0x61605F, 0x646362, 0x6665)


def test_negative_power_is_negative_and_rounded_away_from_zero_like_positive(meter, uart):
    forward = ask(meter, uart, packet(watts=61.27))
    backward = ask(meter, uart, packet(watts=-61.27))
    assert backward[quantity.POWER] == -forward[quantity.POWER] == -613
    assert backward[quantity.POWER_FACTOR] == -forward[quantity.POWER_FACTOR] < 0


def test_without_current_there_is_no_power_factor(meter, uart):
    assert quantity.POWER_FACTOR not in ask(meter, uart, packet(amperes=0, watts=0))


def test_an_incomplete_answer_is_pending_until_it_is_whole(meter, uart):
    data = packet()
    assert ask(meter, uart, data[:10]) is PENDING
    assert meter.waiting()
    uart.waiting += data[10:]
    assert meter.collect(now_ms=80)[quantity.POWER] == 650


def test_silence_ends_in_none_after_the_timeout(meter, uart):
    assert ask(meter, uart, b"") is PENDING
    assert meter.collect(now_ms=bl0942.TIMEOUT_MS - 1) is PENDING
    assert meter.collect(now_ms=bl0942.TIMEOUT_MS) is None
    assert not meter.waiting()
    assert meter.counters["silent"] == 1


@pytest.mark.parametrize("index", range(23))
def test_a_changed_byte_anywhere_is_never_a_reading(meter, uart, index):
    data = bytearray(packet(count=1234))
    data[index] ^= 0x10
    assert ask(meter, uart, bytes(data)) is PENDING
    assert meter.collect(now_ms=bl0942.TIMEOUT_MS) is None
    assert meter.counters["packets"] == 0


@pytest.mark.parametrize("garbage", [b"\0", b"\x55", b"\xff" * 30, b"\x55\x55\x55", packet()[5:], b"\x55" + bytes(22)])
def test_garbage_before_a_packet_is_skipped(meter, uart, garbage):
    assert ask(meter, uart, garbage + packet())[quantity.POWER] == 650


def test_a_late_answer_is_not_taken_for_the_next_one(meter, uart):
    assert ask(meter, uart, b"") is PENDING
    assert meter.collect(now_ms=1000) is None
    uart.waiting = packet(watts=10)
    assert ask(meter, uart, packet(watts=20), now_ms=2000)[quantity.POWER] == 200


def test_energy_counts_from_the_first_packet_through_the_wrap(meter, uart):
    counts_per_wh = CALIBRATION.per_megawatthour // 1_000_000
    begin = 0xFFFFFF - 10
    assert ask(meter, uart, packet(count=begin))[quantity.ENERGY] == 0
    later = (begin + 1000 * counts_per_wh) & 0xFFFFFF
    assert later < begin
    expected = 1000 * counts_per_wh * 1_000_000 // CALIBRATION.per_megawatthour
    assert ask(meter, uart, packet(count=later))[quantity.ENERGY] == expected


def test_a_meter_that_was_restarted_adds_no_phantom_energy(meter, uart):
    ask(meter, uart, packet(count=50_000))
    before = ask(meter, uart, packet(count=60_000))[quantity.ENERGY]
    after = ask(meter, uart, packet(count=100))[quantity.ENERGY]
    assert before <= after <= before + 100 * 1_000_000 // CALIBRATION.per_megawatthour + 1


class Lamp:
    def __init__(self):
        self.dw = 700
        self.word = ""

    def power_dw(self):
        return self.dw

    def fault(self):
        return self.word


def test_the_driver_reads_what_its_twin_measures(shim):
    now, lamp = [0], Lamp()
    twin = shim("bench_bl0942").Twin(lamp, 4800, ticks_ms=lambda: now[0], count=0xFFFFFF - 3)
    meter = Bl0942(twin, calibration=CALIBRATION)
    energy = []
    for _ in range(3):
        meter.begin(now_ms=now[0])
        assert meter.collect(now_ms=now[0]) is PENDING  # 23 bytes take 48 ms
        now[0] += 50
        readings = meter.collect(now_ms=now[0])
        assert (readings[quantity.POWER], readings[quantity.VOLTAGE]) == (700, 2310)
        assert readings[quantity.FREQUENCY] in (5002, 5003)
        assert 94 <= readings[quantity.POWER_FACTOR] <= 96
        energy.append(readings[quantity.ENERGY])
        now[0] += 3_600_000
    assert energy[0] == 0
    assert 69 <= energy[1] <= 70  # an hour at 70 W, through the wrap of the counter
    assert 139 <= energy[2] <= 140


def test_a_silent_twin_is_silence_to_the_driver(shim):
    now, lamp = [0], Lamp()
    twin = shim("bench_bl0942").Twin(lamp, 4800, ticks_ms=lambda: now[0])
    meter = Bl0942(twin, calibration=CALIBRATION)
    lamp.word = "meter-silent"
    meter.begin(now_ms=0)
    now[0] = 500
    assert meter.collect(now_ms=500) is None
