"""The DALI bridge's driver against bytes, and the gear behind it against its twin: levels, banks, and what fails."""

import pytest

from drivers import dali_bridge
from drivers.dali_bridge import GARBLED, NO_ANSWER, NO_BRIDGE, PENDING, TIMEOUT_MS, DaliBridge
from lighting import dali, dali_banks, dali_gear, inputs
from wire import quantity

QUERY = dali.command(dali.BROADCAST, dali.QUERY_STATUS)
TWICE = dali.command(dali.BROADCAST, dali.ENABLE_WRITE_MEMORY)
ROUND_MS_MAX = 10_000


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


def started(step=QUERY, *, before=b""):
    uart = Uart()
    bridge = DaliBridge(uart)
    uart.waiting = before
    bridge.start(step, now_ms=1000)
    return uart, bridge


def test_a_frame_is_four_digits_and_a_line_feed():
    assert started()[0].written == b"hFF90\n"
    assert started(TWICE)[0].written == b"tFF81\n"


@pytest.mark.parametrize(
    ("line", "outcome"),
    [(b"J5A\n", 0x5A), (b"J00\r\n", 0), (b"N\n", NO_ANSWER), (b"X\n", GARBLED), (b"Z12\n", GARBLED)],
)
def test_each_line_has_its_outcome(line, outcome):
    uart, bridge = started()
    for byte in line[:-1]:
        uart.waiting += bytes((byte,))
        assert bridge.poll(now_ms=1010) == PENDING
    uart.waiting += line[-1:]
    assert bridge.poll(now_ms=1020) == outcome
    assert not bridge.is_busy()


@pytest.mark.parametrize(
    "noise", [b"", b"J\n", b"J5\n", b"JXY\n", b"J5A5A\n", b"hello\n", b"\xff" * 100, b"H01A0\n", b"\n\n"]
)
def test_what_is_no_answer_ends_in_silence_at_its_time(noise):
    uart, bridge = started()
    uart.waiting = noise
    assert bridge.poll(now_ms=1000 + TIMEOUT_MS - 1) == PENDING
    assert bridge.poll(now_ms=1000 + TIMEOUT_MS) == NO_BRIDGE
    assert bridge.counters["silent"] == 1


def test_frames_of_others_and_the_bus_power_are_no_answers_and_no_noise():
    uart, bridge = started(before=b"D01\nH05C5\n")
    uart.waiting = b"D21\nH1234\nJ7F\n"
    assert bridge.poll(now_ms=1010) == 0x7F
    assert (bridge.counters["others"], bridge.counters["noise"]) == (2, 0)


def test_an_answer_that_came_late_is_not_the_next_ones():
    uart, bridge = started()
    assert bridge.poll(now_ms=1000 + TIMEOUT_MS) == NO_BRIDGE
    uart.waiting = b"J11\n"
    bridge.start(QUERY, now_ms=2000)
    assert bridge.poll(now_ms=2010) == PENDING
    uart.waiting = b"J22\n"
    assert bridge.poll(now_ms=2020) == 0x22


@pytest.mark.parametrize("lines", [b"N\nN\n", b"N\n"])
def test_a_frame_that_goes_out_twice_ends_once(lines):
    uart, bridge = started(TWICE)
    uart.waiting = lines
    outcomes = [bridge.poll(now_ms=1100)]
    if outcomes[0] == PENDING:
        outcomes.append(bridge.poll(now_ms=1100 + dali_bridge.SECOND_MS))
    assert outcomes[-1] == NO_ANSWER
    bridge.start(QUERY, now_ms=1300)
    assert bridge.poll(now_ms=1301) == PENDING, "its second N must not answer the query"


def test_the_words_of_driver_and_gear_are_the_same():
    for name in ("PENDING", "NO_ANSWER", "GARBLED", "NO_BRIDGE"):
        assert getattr(dali_bridge, name) == getattr(dali_gear, name)


# --- a gear behind its bridge -----------------------------------------------------------------------------------------


class Bus:
    """Gear, bridge and twin in virtual time; a turn of the loop every 10 ms."""

    def __init__(self, shim, **options):
        module = shim("bench_dali")
        self.now_ms = 0
        self.plant = module.Gear(**options)
        self.twin = module.Twin([self.plant], ticks_ms=lambda: self.now_ms)
        self.bridge = DaliBridge(self.twin)
        self.gear = dali_gear.DaliGear(self.bridge)

    def run(self, ms):
        end_ms = self.now_ms + ms
        while self.now_ms < end_ms:
            self.gear.turn(now_ms=self.now_ms)
            self.now_ms += 10
        return self

    def round(self):
        """The readings of one round, and how long it took."""
        self.gear.begin_round(now_ms=self.now_ms)
        began_ms = self.now_ms
        while self.gear.collect() == PENDING:
            self.run(10)
            assert self.now_ms - began_ms < ROUND_MS_MAX, "a round must end"
        self.took_ms = self.now_ms - began_ms
        return self.gear.collect()

    def rounds(self, count):
        found = {}
        for _ in range(count):
            found.update(self.round())
        return found


@pytest.fixture
def bus(shim, in_folder):
    return Bus(shim)


@pytest.mark.parametrize(("percent", "level"), [(100, 254), (50, 229), (1, 85), (0, 0)])
def test_a_level_reaches_the_gear_within_two_transactions(bus, percent, level):
    bus.plant.level = 17
    bus.gear.set_level(percent)
    assert bus.run(100).plant.level == level


def test_a_level_does_not_wait_for_a_round(bus):
    bus.gear.begin_round(now_ms=bus.now_ms)
    bus.run(200)
    bus.gear.set_level(30)
    bus.run(150)
    assert bus.plant.level == dali.level_of(30, dali.LOGARITHMIC)
    assert bus.gear.collect() == PENDING
    bus.run(5000)
    assert bus.gear.collect()[quantity.POWER] == 360, "and the round goes on where it was"


def test_the_first_rounds_read_all_that_a_gear_knows(bus):
    found = bus.rounds(10)
    assert found[quantity.ENERGY] == 123_456
    assert found[quantity.POWER] == 360
    assert found[quantity.VOLTAGE] == 2312
    assert found[quantity.GEAR_HOURS] == 2000
    assert found[quantity.GEAR_STARTS] == 321
    assert found[quantity.POWER_FACTOR] == 95
    assert found[quantity.TEMPERATURE + quantity.CHANNEL_STEP] == 4100
    assert found[quantity.LEVEL_REPORTED] == 100
    assert found[inputs.GEAR_STATUS] == dali.STATUS_LAMP_ON
    assert found[inputs.GEAR_FLAGS][0] == 0
    asset, ratings = found[inputs.ASSET]
    assert (asset.identification, asset.cct_k) == ("Loire 36", 2700)
    assert ratings == (100_000, 6500, 100_000)


def asked(bus, rounds=6):
    """The banks that are asked for in so many rounds."""
    bus.plant.frames.clear()
    bus.rounds(rounds)
    return {frame & 0xFF for frame in bus.plant.frames if frame >> 8 == 0xC3}


ALWAYS = {dali_banks.ENERGY, dali_banks.GEAR, dali_banks.LIGHT_SOURCE}


def test_asset_and_absent_banks_are_asked_for_no_more(bus):
    bus.rounds(20)
    assert asked(bus) == ALWAYS


def test_one_lost_frame_makes_no_bank_absent(bus, in_folder, monkeypatch):
    """The first byte of the bank of energy is not heard, once."""
    read, lost = bus.plant._read, []

    def losing():
        if not lost and bus.plant._dtr1 == dali_banks.ENERGY:
            return lost.append(True)
        return read()

    monkeypatch.setattr(bus.plant, "_read", losing)
    assert quantity.ENERGY not in bus.round() and lost
    assert bus.round()[quantity.ENERGY] == 123_456


@pytest.mark.parametrize("why", ["a day", "silence", "power"])
def test_a_bank_that_was_not_there_is_asked_for_again(bus, in_folder, why):
    energy = bus.plant.banks.pop(dali_banks.ENERGY)
    assert bus.rounds(20)[inputs.METER] == 0
    bus.plant.banks[dali_banks.ENERGY] = energy
    assert dali_banks.ENERGY not in asked(bus)
    if why == "a day":
        bus.now_ms += 86_400_000
    elif why == "silence":
        (in_folder / "bench-fault").write_text("gear-silent")
        bus.round()
        (in_folder / "bench-fault").write_text("")
    else:
        bus.plant.status_bits = dali.STATUS_POWER_CYCLE
        bus.round()
        bus.plant.status_bits = 0
    found = bus.rounds(12)
    assert found[quantity.ENERGY] == 123_456 and found[inputs.METER] == 1
    assert found[inputs.ASSET][1] == (100_000, 6500, 100_000), "another gear would have another record"


def test_a_gear_that_says_for_ever_that_it_was_without_power_is_read_to_its_asset_record(bus):
    bus.plant.status_bits = dali.STATUS_POWER_CYCLE
    assert inputs.ASSET in bus.rounds(20)


def test_energy_is_latched_so_that_its_bytes_belong_together(bus):
    """The counter of the gear carries over while it is read: 0x0000FFFF to 0x00010000."""
    bus.plant.banks[202][5:11] = (0xFFFF).to_bytes(6, "big")
    bus.gear.begin_round(now_ms=bus.now_ms)
    while not any(frame == 0xA303 for frame in bus.plant.frames):
        bus.run(10)
    bus.run(250)
    bus.plant.banks[202][5:11] = (0x10000).to_bytes(6, "big")
    bus.run(5000)
    assert bus.gear.collect()[quantity.ENERGY] == 0xFFFF
    assert (202, 2, 0xAA) in bus.plant.writes


def test_bytes_that_do_not_belong_together_are_not_believed(bus, in_folder):
    (in_folder / "bench-fault").write_text("torn")
    found = bus.round()
    assert quantity.ENERGY not in found and found[quantity.LEVEL_REPORTED] == 100
    assert bus.gear.counters["torn"] >= 1
    (in_folder / "bench-fault").write_text("")
    assert bus.round()[quantity.ENERGY] == 123_456


@pytest.mark.parametrize("fault", ["gear-silent", "bridge-silent", "collision"])
def test_a_bus_that_fails_ends_the_round_with_nothing_and_comes_back(bus, in_folder, fault):
    (in_folder / "bench-fault").write_text(fault)
    assert bus.round() == {}
    assert bus.took_ms <= 500
    (in_folder / "bench-fault").write_text("")
    assert bus.round()[quantity.POWER] == 360


def test_a_gear_that_lost_its_level_is_told_again(bus):
    bus.gear.set_level(40)
    bus.run(100)
    bus.plant.level = 254
    bus.round()
    assert bus.run(100).plant.level == dali.level_of(40, dali.LOGARITHMIC)
    assert bus.gear.counters["retold"] == 1


def test_a_gear_without_a_power_meter_still_has_its_level(shim, in_folder):
    bus = Bus(shim, banks={})
    assert inputs.METER not in bus.rounds(2), "two frames may be lost"
    found = bus.rounds(30)
    assert found.pop(inputs.GEAR_FLAGS)[0] == 0
    assert found == {inputs.GEAR_STATUS: dali.STATUS_LAMP_ON, quantity.LEVEL_REPORTED: 100, inputs.METER: 0}
    bus.plant.frames.clear()
    bus.round()
    assert len(bus.plant.frames) == 2, "banks that are not there are not asked for"


def test_only_the_gear_that_is_meant_is_driven(shim, in_folder):
    bus = Bus(shim, address=9)
    bus.gear = dali_gear.DaliGear(bus.bridge, address=8)
    bus.gear.set_level(10)
    assert bus.run(200).plant.level == 254
    bus.gear = dali_gear.DaliGear(bus.bridge, address=9)
    bus.gear.set_level(10)
    assert bus.run(200).plant.level == dali.level_of(10, dali.LOGARITHMIC)


def test_a_round_is_shorter_than_the_watchdogs_patience(bus):
    slowest = 0
    for _ in range(10):
        bus.round()
        slowest = max(slowest, bus.took_ms)
    assert slowest < 4_000


def test_a_lost_latch_is_seen(bus, monkeypatch):
    """Planted: the bank of energy is read without its latch, and the counter carries over in between."""
    monkeypatch.setattr(dali_banks, "LATCHED", ())
    with pytest.raises(AssertionError):
        test_energy_is_latched_so_that_its_bytes_belong_together(bus)
