"""Keeps outputs safe when no program can be imported: valves that stay open without current are pulsed shut, a lamp
with a gear of its own is told full light, a room is kept from frost, by the first folder that has kept what does that
(`stand_in()` of the board's constants). `boot.py` has made all other outputs safe. Loaded only then, never updated, so
it imports nothing that an update could change before it looks for a folder; never raises. Must not open anything.
"""

import sys
import time

import machine

# The rescue program's first, then the application's.
FOLDERS = ("r", "a", "b")
# A program has shortened it.
WATCHDOG_MS = 30_000
# A stand-in that is never done is left after this long: the flash may read again. One period of the heating.
LAST_MS = 1_200_000
# Where another start may well do better: the valves are shut by then.
BRIEF_MS = 20_000


def keep(is_last):
    """Does what there is to do, by the first of these folders that can. Nothing is heated, nor a lamp told anything,
    unless `is_last`: there is no program that another start could come to."""
    wdt = machine.WDT(timeout=WATCHDOG_MS)
    path, known = list(sys.path), set(sys.modules)
    for folder in FOLDERS:
        try:
            sys.path[:] = [folder] + path
            stand_in = stand_in_of()
            if stand_in is None or not (is_last or stand_in.is_brief):
                return
            began_ms, now_ms, until_ms = time.ticks_ms(), 0, LAST_MS if is_last else BRIEF_MS
            while now_ms < until_ms and stand_in.turn(now_ms=now_ms):
                wdt.feed()
                time.sleep_ms(10)  # a pulse is no longer than it must be
                now_ms = time.ticks_diff(time.ticks_ms(), began_ms)
            return
        except Exception as error:
            print("last resort:", folder, "does nothing:", repr(error))
        for name in list(sys.modules):
            if name not in known:
                del sys.modules[name]


def stand_in_of():
    """Opens the stand-in of this kind of board; None where boot.py's levels are enough. `chosen_settings` has the same,
    which an update may change: this file never is, and stands alone."""
    import boot

    board = __import__("boards." + boot.KIND, None, None, (boot.KIND,))
    return board.stand_in()(board, machine, now_ms=0) if hasattr(board, "stand_in") else None
