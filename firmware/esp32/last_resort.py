"""Keeps outputs safe when no program can be imported: valves that stay open without current are pulsed shut, a lamp
with a gear of its own is set to full light, a room is kept from frost. It uses the stand-in (`stand_in()` of the
board's constants) of the first folder that still has one. `boot.py` has made all other outputs safe. It is loaded only
then and never updated, so it imports nothing that an update could change before it looks for a folder; it never raises.
Must not open any valve.
"""

import sys
import time

import machine
import place

# A program may have shortened it.
WATCHDOG_MS = 30_000
# A stand-in that never ends is stopped after this long, one period of the heating: the flash may be readable again.
LAST_MS = 1_200_000
# The limit when another start may succeed: the valves are shut by then.
BRIEF_MS = 20_000


def keep(is_last):
    """Runs the stand-in of the first folder that can be imported. It neither heats nor sets a lamp unless `is_last`: no
    other start could find a program."""
    wdt = machine.WDT(timeout=WATCHDOG_MS)
    path, known = list(sys.path), set(sys.modules)
    for folder in (place.RESCUE,) + place.PROGRAMS:
        try:
            sys.path[:] = [folder] + path
            stand_in = stand_in_of()
            if stand_in is None or not (is_last or stand_in.is_brief):
                return
            began_ms, now_ms, until_ms = time.ticks_ms(), 0, LAST_MS if is_last else BRIEF_MS
            while now_ms < until_ms and stand_in.turn(now_ms=now_ms):
                wdt.feed()
                time.sleep_ms(10)  # so that a pulse is no longer than it must be
                now_ms = time.ticks_diff(time.ticks_ms(), began_ms)
            return
        except Exception as error:
            print("last resort:", folder, "does nothing:", repr(error))
        for name in list(sys.modules):
            if name not in known:
                del sys.modules[name]


def stand_in_of():
    """Opens the stand-in of this kind of board; returns None where boot.py's levels are enough. `chosen_settings`,
    which an update may change, has the same lines; this file is never updated."""
    import boot

    board = __import__("boards." + boot.KIND, None, None, (boot.KIND,))
    return board.stand_in()(board, machine, now_ms=0) if hasattr(board, "stand_in") else None
