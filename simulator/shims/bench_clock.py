"""Replaces the VM's `utime` by virtual time when BOCAGE_VIRTUAL_MS gives the length of the run. MicroPython only.

Time passes where the program waits, and nowhere else; so a turn takes none. When it is over the process ends.
"""

import os

from utime import *  # noqa: F403 - what is not replaced below is the VM's own

END_MS = int(os.getenv("BOCAGE_VIRTUAL_MS") or 0)

_now = [0]


def ticks_ms():
    """Returns the milliseconds since the start."""
    return _now[0]


def ticks_diff(end, start):
    """Returns the difference, for virtual time does not wrap."""
    return end - start


def sleep_ms(duration):
    """Lets `duration` ms pass."""
    _now[0] += duration
    if _now[0] >= END_MS:
        import bench_watchdog

        print("bench: the run is over")
        bench_watchdog.end(bench_watchdog.OVER_CODE)
