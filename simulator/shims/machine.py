"""Replaces the chip's `machine` on a desktop VM, for the kind's own board. MicroPython only.

It has pins, buses, UARTs, counters and voltages. Must not know any part: those on the pins are bench_board's. `reset`
and the watchdog end the process with codes of their own (bench_watchdog), so that its starter may start it again.
"""

import os

import bench_bl0942
import bench_board
import bench_line
import bench_watchdog

board = bench_board.facts

PWRON_RESET = 1
HARD_RESET = 2
WDT_RESET = 3
DEEPSLEEP_RESET = 4
SOFT_RESET = 5
EXT0_WAKE = 2
EXT1_WAKE = 3
TIMER_WAKE = 4

RTC_FILE = "bench-rtc"
PULSES_FILE = "bench-pulses"
SLEEP_FILE = "bench-sleep"
BUTTON_FILE = "bench-button"


def reset_cause():
    """Returns the cause in BOCAGE_RESET_CAUSE; else a power-on."""
    return globals().get(os.getenv("BOCAGE_RESET_CAUSE") or "PWRON_RESET", 0)


def reset():
    """Ends the process, and the starter decides what follows."""
    if not bench_watchdog.has_ended():
        print("machine: reset")
    bench_watchdog.end(bench_watchdog.RESET_CODE)


def deepsleep(sleep_ms=0):
    """Ends the process, which loses RAM; the RTC file stays.

    The starter starts it again after `sleep_ms`, or by a pin.
    """
    with open(SLEEP_FILE, "w") as file:
        file.write(str(sleep_ms))
    print("machine: deep sleep", sleep_ms)
    bench_watchdog.end(bench_watchdog.SLEEP_CODE)


def wake_reason():
    """Returns the reason in BOCAGE_WAKE_REASON; else the timer."""
    return globals().get(os.getenv("BOCAGE_WAKE_REASON") or "TIMER_WAKE", 0)


class ADC:
    """Reads the voltage on a pin."""

    ATTN_0DB = 0
    ATTN_11DB = 3

    def __init__(self, pin, *, atten=ATTN_0DB):
        self._twin = bench_board.desk().machine.ADC(pin, atten=atten)
        self.atten = self._twin.atten

    def read_uv(self):
        """Reads the voltage, as the chip's method does."""
        bench_board.desk()
        return self._twin.read_uv()


class Counter:
    """Counts pulses since the program began.

    PULSES_FILE holds how many there were in all; for a unit other than 0 its name ends with the number.
    """

    RISING = 1
    FALLING = 2

    def __init__(self, unit, pin, *, edge=RISING, filter_ns=0):
        self._name = PULSES_FILE + (f"-{unit}" if unit else "")
        self._base = self._total()

    def value(self):
        """Returns the count, as the chip's method does."""
        return self._total() - self._base

    def _total(self):
        try:
            with open(self._name) as file:
                return int(file.read() or 0)
        except (OSError, ValueError):
            return 0


def unique_id():
    """Returns six bytes, as an ESP32's."""
    return b"\x02bench"


def is_pressed():
    """Returns 1 while the button is pressed: the word `pressed` in BUTTON_FILE."""
    try:
        with open(BUTTON_FILE) as file:
            return 1 if file.read().strip() == "pressed" else 0
    except OSError:
        return 0


class RTC:
    """Is memory that survives a reset: a file, which the starter deletes with the power."""

    _file = None
    _length = -1

    def memory(self, data=None):
        """Reads the memory, or writes it whole."""
        if data is not None:
            # Whole or not at all: a process killed in between would leave what no chip leaves. A node writes its mark
            # at each step of a turn: what is as long as before goes into the file by one write, which no kill divides.
            if len(data) != RTC._length:
                RTC._file = open(RTC_FILE + ".new", "wb")  # noqa: SIM115 - as long as the process
                RTC._length = len(data)
                RTC._file.write(data)
                os.rename(RTC_FILE + ".new", RTC_FILE)
            else:
                RTC._file.seek(0)
                RTC._file.write(data)
            return None
        try:
            with open(RTC_FILE, "rb") as file:
                return file.read()
        except OSError:
            return b""


class Pin:
    """Is a pin of the bench's board."""

    IN = 1
    OUT = 3
    OPEN_DRAIN = 7
    PULL_UP = 2

    def __init__(self, number, mode=None, pull=None, *, value=None):
        self.number = number
        if mode == Pin.OUT and value is not None:
            self.value(value)

    def value(self, level=None):
        """Reads or sets the level."""
        if level is not None:
            bench_board.drive(self.number, level)
            return None
        if self.number == board.BUTTON_PIN:
            return 1 - is_pressed()
        return bench_board.level(self.number)

    def wire(self):
        """Returns the wire that `onewire.OneWire` finds here."""
        return bench_board.Guarded("1-wire", bench_board.desk().machine.Pin(self.number).wire())


class PWM:
    """Is a pin whose mean level is duty / 65535."""

    def __init__(self, pin, *, freq, duty_u16):
        self._pin = pin
        self.duty_u16(duty_u16)

    def duty_u16(self, duty):
        """Sets the duty, of 65535."""
        bench_watchdog.may_block("pin")
        bench_board.drive(self._pin.number, duty, full=65535)


def SoftI2C(*, scl, sda, freq, timeout=50_000):  # noqa: N802 - the chip's name
    """Returns the one bus of the board."""
    return bench_board.Guarded("i2c", bench_board.desk().machine.i2c)


def UART(number, *, baudrate, tx, rx, timeout=0, rxbuf=256, txbuf=0):  # noqa: N802 - the chip's name
    """Returns the line to the gateway, or the part on that UART.

    The part is at the other end of a terminal that BOCAGE_UART_<number> names, or is the lamp's meter, or a twin of the
    board's.
    """
    if number == board.BUS_UART:
        return bench_line.Line(os.getenv("BOCAGE_LINE"))
    name = os.getenv(f"BOCAGE_UART_{number}")
    if name:
        return bench_line.Line(name)
    if bench_board.lamp is not None:
        return MeterUart(baudrate)
    return bench_board.desk().machine.UART(number)


class MeterUart:
    """Carries bytes to the meter's twin and back, no faster than the line does."""

    def __init__(self, baudrate):
        self._twin = bench_bl0942.Twin(bench_board.lamp, baudrate)

    def write(self, data):
        """Passes bytes to the twin."""
        bench_watchdog.may_block("meter")
        return self._twin.write(data)

    def any(self):
        """Returns the number of bytes that have arrived."""
        return self._twin.any()

    def read(self, count):
        """Reads at most `count` bytes that have arrived, None when none has."""
        return self._twin.read(count)


class WDT:
    """Is the watchdog of bench_watchdog."""

    def __init__(self, *, timeout):
        bench_watchdog.start(timeout)

    def feed(self):
        """Feeds the watchdog's twin."""
        bench_watchdog.feed()
