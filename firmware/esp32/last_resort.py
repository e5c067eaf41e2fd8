"""What the loader does when no program can be imported: valves that stay open without current are pulsed shut, by
whatever folder has kept what does that (`drivers.shutter`, `shutter()` of the board's constants). `boot.py` has made
all other outputs safe. Loaded only then, and never updated; never raises. Must not open anything.
"""

import sys
import time

import machine

# The rescue program's first, then the application's.
FOLDERS = ("r", "a", "b")
# A program has shortened it.
WATCHDOG_MS = 30_000


def shut():
    """By the first of these folders that can."""
    wdt = machine.WDT(timeout=WATCHDOG_MS)
    path, known = list(sys.path), set(sys.modules)
    for folder in FOLDERS:
        try:
            sys.path[:] = [folder] + path
            shutter = shutter_of()
            began_ms = time.ticks_ms()
            while shutter is not None and shutter.turn(now_ms=time.ticks_diff(time.ticks_ms(), began_ms)):
                wdt.feed()
                time.sleep_ms(10)  # a pulse is no longer than it must be
            return
        except Exception as error:
            print("last resort:", folder, "shuts no valve:", repr(error))
        for name in list(sys.modules):
            if name not in known:
                del sys.modules[name]


def shutter_of():
    """Of this kind of board; None where no valve stays open without current."""
    import boot

    board = __import__("boards." + boot.KIND, None, None, (boot.KIND,))
    return board.shutter()(board, machine, now_ms=0) if hasattr(board, "shutter") else None
