"""The bus: errors are values, and a data line that a part holds is let go."""

import time
from types import SimpleNamespace

import pytest

from drivers import i2c_bus
from simulator.twins.pcf8574 import Pcf8574
from tests.support.parts_bench import Bench


@pytest.fixture
def bench():
    made = Bench()
    made.part = made.i2c.attach(0x20, Pcf8574())
    return made


def counted(bus):
    """Refused transfers, times that it was freed, and was past help."""
    return bus.errors, bus.freed, bus.held


TRANSFERS = (
    lambda bus, address: bus.write(address, b"\x0f"),
    lambda bus, address: bus.read_into(address, bytearray(1)),
    lambda bus, address: bus.read_register(address, 0x0F, bytearray(1)),
    lambda bus, address: bus.write_register(address, 0x0F, b"\x0f"),
)


def transfers(bus, address):
    return [transfer(bus, address) for transfer in TRANSFERS]


def test_a_part_that_is_there_is_written_and_read(bench):
    assert transfers(bench.bus, 0x20) == [True] * 4
    assert bench.part.outputs == 0x0F
    assert counted(bench.bus) == (0, 0, 0)


def test_nobody_at_an_address_is_a_value_and_a_count(bench):
    assert transfers(bench.bus, 0x21) == [False] * 4
    assert counted(bench.bus) == (4, 0, 0)
    assert transfers(bench.bus, 0x20) == [True] * 4


@pytest.mark.parametrize("clocks", [1, 5, 9, 10])
def test_a_part_that_holds_the_data_line_is_clocked_free_before_anything_is_believed(bench, clocks):
    """Nine clocks, and the tenth of the stop condition."""
    bench.i2c.hold_data(clocks)
    assert bench.bus.write(0x20, b"\xaa") is True
    assert bench.part.outputs == 0xAA
    assert counted(bench.bus) == (0, 1, 0)
    assert bench.slept_us <= 200, "a tenth of a millisecond or so"


@pytest.mark.parametrize("transfer", TRANSFERS)
def test_a_line_that_stays_low_acknowledges_everything_and_is_believed_by_nobody(bench, transfer):
    bench.i2c.hold_data(15)
    assert transfer(bench.bus, 0x20) is False
    assert counted(bench.bus) == (1, 1, 1), "at the second try, after the transfer was left"
    assert bench.part.outputs == 0xFF
    bench.i2c.hold_data(1000)
    assert transfer(bench.bus, 0x20) is False
    assert bench.bus.held == 3


def test_a_bus_without_these_looks_would_believe_a_held_line(bench):
    """What the port does, and why the bus looks: extmod/machine_i2c.c."""
    bench.i2c.hold_data(1000)
    buffer = bytearray(b"\xff\xff")
    assert bench.i2c.writeto(0x20, b"\xaa\xbb") == 2
    bench.i2c.readfrom_into(0x20, buffer)
    assert buffer == b"\0\0"


def test_a_line_that_is_pulled_in_the_middle_spoils_what_was_read(bench):
    bench.part.read = lambda count: bench.i2c.hold_data(5) or bytes(count)
    assert bench.bus.read_into(0x20, bytearray(2)) is False
    assert counted(bench.bus) == (1, 1, 0)


@pytest.mark.parametrize("count", [0, 1])
def test_a_byte_that_is_refused_is_no_write(bench, count):
    bench.i2c.refuse_after(count)
    assert bench.bus.write(0x20, b"\x0f\xf0") is False
    bench.i2c.refuse_after(count)
    assert bench.bus.write_register(0x20, 0x0F, b"\xf0") is False
    assert counted(bench.bus) == (2, 0, 0)


def test_a_register_number_that_is_refused_reads_nothing(bench):
    buffer = bytearray(b"\x55")
    bench.i2c.refuse_after(0)
    assert bench.bus.read_register(0x20, 3, buffer) is False
    assert buffer == b"\x55" and bench.bus.errors == 1
    assert bench.bus.read_register(0x20, 3, buffer) is True


def test_a_clock_line_at_ground_is_past_help_and_still_no_exception(bench):
    bench.i2c.hold_clock()
    assert transfers(bench.bus, 0x20) == [False] * 4
    assert counted(bench.bus) == (4, 0, 4)


class Machine:
    def __init__(self):
        self.made = None

    def Pin(self, number):  # noqa: N802 - the chip's name
        return number

    def SoftI2C(self, **facts):  # noqa: N802 - the chip's name
        self.made = facts


def test_the_bus_of_a_board_waits_for_a_stretched_clock_no_longer_than_it_may(monkeypatch):
    machine = Machine()
    monkeypatch.setattr(time, "sleep_us", lambda us: None, raising=False)
    i2c_bus.open_bus(machine, SimpleNamespace(I2C_SCL_PIN=9, I2C_SDA_PIN=8, I2C_HZ=100_000))
    assert machine.made == {"scl": 9, "sda": 8, "freq": 100_000, "timeout": i2c_bus.STRETCH_MAX_US}
    # Some forty edges of a transfer could each be stretched: still less than a slice of the loop.
    assert 40 * i2c_bus.STRETCH_MAX_US < 100_000
