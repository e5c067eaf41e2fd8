"""Runs what the chip runs after a reset: boot.py (here that of the kind in the settings), then main.py.

MicroPython only.

This is the script that simulator/hosts/vm.py starts.
"""

import os
import sys

if os.getenv("BOCAGE_VIRTUAL_MS"):
    import bench_clock
    import bench_gc
    import bench_os

    sys.modules["os"] = bench_os
    sys.modules["utime"] = bench_clock
    sys.modules["gc"] = bench_gc

import bench_board
import bench_watchdog

bench_watchdog.guard_files()

try:
    import boot  # of a board that was laid out whole (`bocage node flash`)
except ImportError:
    try:
        boot = __import__("boards.boot_" + bench_board.kind(), None, None, ("SAFE",))
    except ImportError:  # a word that is no kind: a board has a boot.py nevertheless
        import boards.boot_streetlight as boot
assert boot.SAFE, "boot.py has run"

import main  # noqa: E402 - after the outputs are safe, as on the chip

main.main()
