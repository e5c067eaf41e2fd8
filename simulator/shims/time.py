"""Replaces the chip's `time` on a desktop VM: milliseconds that wrap at 2^30, as on a 32-bit board. MicroPython only.

The start of the counter is BOCAGE_TICKS_START, so that a run of seconds can cross the wrap. Must not hold any model.
Each reading of the clock calls the watchdog's twin, for it is the one thing that a stuck loop still does.
"""

import bench_watchdog
import utime
from utime import *  # noqa: F403 - what is not replaced below is the VM's own

_MASK = (1 << 30) - 1


def _start():
    import os

    return int(os.getenv("BOCAGE_TICKS_START") or 0)


_OFFSET = _start() - utime.ticks_ms()


def ticks_ms():
    """Returns the bench's milliseconds, modulo 2^30."""
    bench_watchdog.look()
    return (utime.ticks_ms() + _OFFSET) & _MASK


def ticks_add(ticks, delta):
    """Adds as the chip does."""
    return (ticks + delta) & _MASK


def ticks_diff(end, start):
    """Subtracts as the chip does: from -2^29 to 2^29 - 1."""
    return ((end - start + (1 << 29)) & _MASK) - (1 << 29)


def sleep_ms(duration):
    """Sleeps, then calls the watchdog's twin."""
    utime.sleep_ms(duration)
    bench_watchdog.look()
