"""The boiler's side of a thermostat, against the twin of an OpenTherm Gateway: commands, reports, lease, refusals; and
the frame codec against the published protocol and the frames of an independent implementation's tests."""

from binascii import unhexlify
from pathlib import Path

import pytest

from drivers.opentherm_bridge import OpenthermBridge
from heating import boiler, limits
from heating.boiler import BoilerLink, BoilerModel
from simulator.twins.otgw import INVALID, UNKNOWN, Otgw
from wire import quantity

STATUS_OK = 0x0A


def answers(number):
    """A boiler of 2.1 bar that burns."""
    return {
        0: STATUS_OK, 3: 0x0103, 5: 0, 17: 0x2380, 18: 0x021A, 25: 0x2B80, 27: 0xFE9A, 28: 0x2780
    }.get(number)  # fmt: skip


class Rig:
    def __init__(self, flow_max_ck=6500, read=answers):
        self.now_ms = 1_000
        self.otgw = Otgw(read)
        self.boiler = BoilerLink(BoilerModel(flow_max_ck, True), now_ms=self.now_ms)
        self.bridge = OpenthermBridge(self.otgw)

    def turn(self, for_ms, *, every_ms=100, node_runs=True):
        end_ms = self.now_ms + for_ms
        while self.now_ms < end_ms:
            self.now_ms += every_ms
            self.otgw.advance(self.now_ms)
            if node_runs:
                self.bridge.exchange(self.boiler, now_ms=self.now_ms)

    def heat(self, flow_ck=5000, for_ms=5_000):
        self.boiler.demand(True, flow_ck, now_ms=self.now_ms)
        self.turn(for_ms)


def test_an_order_reaches_the_boiler_within_seconds_and_stays():
    rig = Rig()
    rig.heat(5000)
    rig.turn(600_000)
    assert rig.otgw.ch_enabled
    assert boiler.from_f8_8(rig.otgw.control_setpoint) == 5000


def test_the_highest_flow_temperature_is_asserted_once_and_bounds_every_setpoint():
    rig = Rig(flow_max_ck=6500)
    rig.heat(9000, for_ms=3_600_000)
    assert boiler.from_f8_8(rig.otgw.max_ch) == 6500
    assert boiler.from_f8_8(rig.otgw.control_setpoint) == 6500
    # The gateway keeps SH in EEPROM, which wears out: said until it is seen, never again.
    assert 1 <= sum(command.startswith("SH=") for command in rig.otgw.commands) <= 2


def test_a_gateway_that_was_replaced_is_told_the_highest_flow_temperature_anew():
    rig = Rig()
    rig.heat(for_ms=60_000)
    rig.otgw.max_ch = 90 * 256
    rig.turn(120_000)
    assert boiler.from_f8_8(rig.otgw.max_ch) == 6500


def said_max(rig):
    return sum(command.startswith("SH=") for command in rig.otgw.commands)


def test_a_gateway_that_has_ours_already_is_never_told_it():
    rig = Rig()
    rig.otgw.max_ch = 65 * 256
    rig.heat(for_ms=3_600_000)
    assert said_max(rig) == 0


def test_a_boiler_that_knows_no_highest_flow_temperature_wears_no_eeprom_out():
    rig = Rig()
    rig.otgw.refused = {57: UNKNOWN}
    rig.heat(for_ms=3_600_000)
    assert said_max(rig) == 1


@pytest.mark.slow
def test_a_boiler_that_calls_ours_invalid_is_told_it_four_times_a_day_and_no_more():
    rig = Rig()
    rig.otgw.refused = {57: INVALID}
    rig.heat(for_ms=86_000_000)
    assert said_max(rig) == limits.SH_TRIES
    rig.turn(2 * 86_400_000, every_ms=1000)
    assert said_max(rig) <= 3 * limits.SH_TRIES
    assert rig.otgw.ch_enabled, "it is heated all the same, each set-point below ours"


def test_a_gateway_that_does_not_show_it_is_told_after_ten_minutes_and_a_dead_one_is_not():
    rig = Rig()
    rig.otgw.unreported = (57,)
    rig.heat(for_ms=limits.SH_UNSEEN_MS - 10_000)
    assert said_max(rig) == 0
    rig.turn(3_600_000)
    assert said_max(rig) == limits.SH_TRIES
    rig = Rig()
    rig.heat(for_ms=30_000)
    before = rig.boiler.counters["unanswered"], said_max(rig)
    rig.otgw.is_dead = True
    rig.turn(3_600_000)
    rig.otgw.is_dead = False
    rig.turn(60_000)
    assert rig.boiler.counters["unanswered"] > before[0] and said_max(rig) == before[1]


def test_what_the_boiler_says_becomes_readings():
    rig = Rig()
    rig.heat(for_ms=40_000)
    found = rig.boiler.readings(now_ms=rig.now_ms)
    assert found[boiler.STATUS_KEY] == STATUS_OK
    assert found[boiler.FLOW_KEY] == 4350
    assert found[boiler.RETURN_KEY] == 3950
    assert found[boiler.OUTDOOR_KEY] == -140
    assert found[quantity.MODULATION] == 36  # 35.5 %
    assert found[quantity.WATER_PRESSURE] == 210_000


def test_a_fault_is_asked_for_and_told_with_the_makers_code():
    def faulty(number):
        return {0: 0x01, 5: 0x04E1}.get(number, answers(number))

    rig = Rig(read=faulty)
    rig.heat(for_ms=70_000)
    found = rig.boiler.readings(now_ms=rig.now_ms)
    assert (found[boiler.FAULT_FLAGS_KEY], found[boiler.FAULT_CODE_KEY]) == (0x04, 0xE1)


@pytest.mark.parametrize("what", ["is_dead", "boiler_silent"])
def test_a_silent_bridge_or_boiler_is_seen_within_ten_seconds_and_says_nothing_old(what):
    rig = Rig()
    rig.heat(for_ms=30_000)
    setattr(rig.otgw, what, True)
    rig.turn(limits.BOILER_LOST_MS + 2_000)
    assert not rig.boiler.is_alive(now_ms=rig.now_ms)
    assert rig.boiler.readings(now_ms=rig.now_ms) == {}
    setattr(rig.otgw, what, False)
    rig.turn(5_000)
    assert rig.boiler.is_alive(now_ms=rig.now_ms)


def test_heat_that_is_no_longer_wanted_ends_within_seconds():
    rig = Rig()
    rig.heat(for_ms=30_000)
    rig.boiler.demand(False, 0, now_ms=rig.now_ms)
    rig.turn(5_000)
    assert not rig.otgw.ch_enabled


@pytest.mark.parametrize(
    "noise",
    [b"\xff\x00\x80" * 40, b"Error 03\r\n", b"BXYZ12345\r\n", b"SE\r\n", b"B0000020C\r\n", b"\n\n:::\n"],
)
def test_garbage_on_the_line_is_counted_and_stops_nothing(noise):
    rig = Rig()
    rig.heat(for_ms=20_000)
    for _ in range(50):
        rig.boiler.receive(noise, now_ms=rig.now_ms)
        rig.turn(1_000)
    rig.turn(10_000)
    assert rig.otgw.ch_enabled
    assert rig.boiler.is_alive(now_ms=rig.now_ms)
    counters = rig.boiler.counters
    assert counters["damaged"] + counters["garbage"] + counters["errors"] + counters["refused"] > 0


def test_commands_are_few_and_short_enough_never_to_block_a_uart():
    rig = Rig()
    rig.heat(for_ms=600_000)
    assert all(len(command) <= 8 for command in rig.otgw.commands)
    assert len(rig.otgw.commands) < 120


LINES = [
    line.split("|")
    for line in (Path(__file__).parent.parent / "vectors" / "opentherm.txt").read_text().splitlines()
    if line and not line.startswith("#")
]


def of(kind):
    return [line[1:] for line in LINES if line[0] == kind]


@pytest.mark.parametrize(("value_ck", "expected"), of("f88"))
def test_a_number_is_read_as_the_specification_does(value_ck, expected):
    assert boiler.from_f8_8(int(expected, 16)) == int(value_ck)


TYPES = {"READ_DATA": 0, "WRITE_DATA": 1, "READ_ACK": 4, "WRITE_ACK": 5, "DATA_INVALID": 6, "UNKNOWN_DATAID": 7}


@pytest.mark.parametrize(("text", "kind", "number", "value", "_source"), of("frame"))
def test_a_frame_is_read_bit_by_bit(text, kind, number, value, _source):
    assert boiler.decode_frame(unhexlify(text)) == (TYPES[kind], int(number), int(value, 16))


@pytest.mark.parametrize(("text", "_why"), of("bad"))
def test_a_damaged_frame_is_no_frame(text, _why):
    assert boiler.decode_frame(unhexlify(text)) is None


def test_every_single_bit_error_is_seen():
    sound = unhexlify("C0192B80")
    assert boiler.decode_frame(sound) == (boiler.READ_ACK, boiler.FLOW_TEMPERATURE, 0x2B80)
    for bit in range(32):
        spoilt = bytearray(sound)
        spoilt[bit // 8] ^= 1 << bit % 8
        assert boiler.decode_frame(bytes(spoilt)) is None
