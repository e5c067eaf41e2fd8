"""Simulates a call that blocks: the file `bench-block` holds for how many milliseconds, once. MicroPython only.

The watchdog is a timer of its own on the chip, so it is checked all the while; nothing else runs.
"""

import os

import bench_watchdog
import utime

SCRIPT_FILE = "bench-block"
_SLICE_MS = 20


def pass_time():
    """Blocks if that is scripted; in virtual time nothing blocks."""
    if os.getenv("BOCAGE_VIRTUAL_MS"):
        return
    try:
        with open(SCRIPT_FILE) as file:
            left_ms = int(file.read())
    except (OSError, ValueError):
        return
    os.remove(SCRIPT_FILE)
    while left_ms > 0:
        utime.sleep_ms(_SLICE_MS)
        left_ms -= _SLICE_MS
        bench_watchdog.look()
