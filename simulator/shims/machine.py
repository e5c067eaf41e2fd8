"""The chip's `machine` on a desktop VM: pins that are remembered, a UART with the meter's twin, another with
the gateway's line. MicroPython only.

Must not know what a lamp is: levels and duties go to bench_lamp, bytes to bench_bl0942. `reset` and the
watchdog end the process with codes of their own (bench_watchdog), so that its starter may start it again.
"""

import os
import sys

import bench_bl0942
import bench_lamp
import bench_line
import bench_watchdog

from boards import streetlight as board

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
BATTERY_UV = 1_800_000  # behind its divider
BUTTON_FILE = "bench-button"

lamp = bench_lamp.Lamp()
_asleep = []


def reset_cause():
    """What BOCAGE_RESET_CAUSE names; else a power-on."""
    return globals().get(os.getenv("BOCAGE_RESET_CAUSE") or "PWRON_RESET", 0)


def reset():
    """End the process; the starter decides what follows."""
    if _asleep:  # what still unwinds here is not there any more on the chip
        sys.exit(bench_watchdog.SLEEP_CODE)
    print("machine: reset")
    sys.exit(bench_watchdog.RESET_CODE)


def deepsleep(sleep_ms=0):
    """End the process: RAM is gone, the RTC file stays. The starter starts it again after so long, or by a pin."""
    with open(SLEEP_FILE, "w") as file:
        file.write(str(sleep_ms))
    print("machine: deep sleep", sleep_ms)
    _asleep.append(sleep_ms)
    sys.exit(bench_watchdog.SLEEP_CODE)


def wake_reason():
    """What BOCAGE_WAKE_REASON names; else the timer."""
    return globals().get(os.getenv("BOCAGE_WAKE_REASON") or "TIMER_WAKE", 0)


class ADC:
    """A cell that is well."""

    ATTN_11DB = 3

    def __init__(self, pin, *, atten=None):
        pass

    def read_uv(self):
        """As the chip's."""
        return BATTERY_UV


class Counter:
    """Pulses since the program began: PULSES_FILE holds how many there were in all."""

    RISING = 1
    FALLING = 2

    def __init__(self, unit, pin, *, edge=RISING, filter_ns=0):
        self._base = self._total()

    def value(self):
        """As the chip's."""
        return self._total() - self._base

    def _total(self):
        try:
            with open(PULSES_FILE) as file:
                return int(file.read() or 0)
        except (OSError, ValueError):
            return 0


def unique_id():
    """Six bytes, as an ESP32's."""
    return b"\x02bench"


def is_pressed():
    """1 while a finger is on the button: the word `pressed` in BUTTON_FILE."""
    try:
        with open(BUTTON_FILE) as file:
            return 1 if file.read().strip() == "pressed" else 0
    except OSError:
        return 0


class RTC:
    """Memory that a reset leaves alone: a file, which the starter takes away with the power."""

    def memory(self, data=None):
        """Read it, or write it whole."""
        if data is not None:
            # Whole or not at all: a process that is killed in between would leave what no chip does.
            with open(RTC_FILE + ".new", "wb") as file:
                file.write(data)
            os.rename(RTC_FILE + ".new", RTC_FILE)
            return None
        try:
            with open(RTC_FILE, "rb") as file:
                return file.read()
        except OSError:
            return b""


class Pin:
    """A pin whose level the lamp's twin sees."""

    IN = 0
    OUT = 1
    PULL_UP = 2

    def __init__(self, number, mode=None, pull=None, *, value=None):
        self.number = number
        self._is_button = mode == Pin.IN and pull == Pin.PULL_UP
        self._is_contact = mode == Pin.IN and pull is None and number != board.PRESENCE_PIN  # pulled up by the board
        if mode == Pin.OUT and value is not None:
            self.value(value)

    def value(self, level=None):
        """Read or set the level."""
        if level is None and self._is_button:
            return 1 - is_pressed()
        if level is None:
            return 1 if self._is_contact else lamp.level(self.number)
        lamp.drive(self.number, 65535 * level)


class PWM:
    """A pin whose mean level is duty / 65535."""

    def __init__(self, pin, *, freq, duty_u16):
        self._pin = pin
        self.duty_u16(duty_u16)

    def duty_u16(self, duty):
        """Set the duty."""
        bench_watchdog.may_block("pin")
        lamp.drive(self._pin.number, duty)


def UART(number, *, baudrate, tx, rx, timeout=0, rxbuf=256, txbuf=0):  # noqa: N802 - the chip's name
    """The meter's, or the one to the gateway."""
    if number == board.METER_UART:
        return MeterUart(baudrate)
    assert number == board.BUS_UART
    return bench_line.Line()


class MeterUart:
    """Bytes to the meter's twin and back, no faster than the line is."""

    def __init__(self, baudrate):
        self._twin = bench_bl0942.Twin(lamp, baudrate)

    def write(self, data):
        """Hand over to the twin."""
        bench_watchdog.may_block("meter")
        return self._twin.write(data)

    def any(self):
        """How many bytes have arrived."""
        return self._twin.any()

    def read(self, count):
        """At most `count` bytes that have arrived, None when none has."""
        return self._twin.read(count)


class WDT:
    """The watchdog; see bench_watchdog."""

    def __init__(self, *, timeout):
        bench_watchdog.start(timeout)

    def feed(self):
        """Tell it that all is well."""
        bench_watchdog.feed()
