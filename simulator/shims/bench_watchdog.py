"""Simulates the watchdog, which ends the process with a code of its own when feeds stop. MicroPython only.

A process that no longer reads its clock is not ended from inside; its starter (simulator/hosts/vm.py) detects that it
is silent. With BOCAGE_ON_LEASH the process also ends when its standard input is closed: its starter is then gone and
can no longer stop it.
"""

import builtins
import os
import sys

import utime

# Exit codes that a supervisor may act on; any other is a failure of the run itself.
RESET_CODE = 120
WATCHDOG_CODE = 121
ALONE_CODE = 122
SLEEP_CODE = 123
OVER_CODE = 124

BLOCK_FILE = "bench-block"
BLOCK_MS = 30_000
# With this file there at the start, `open` for writing may block, too, as `flash`.
FLASH_FILE = "bench-flash"

_IS_VIRTUAL = os.getenv("BOCAGE_VIRTUAL_MS")
_state = {"timeout_ms": None, "fed_ms": 0, "code": None}


def _make_leash():
    if _IS_VIRTUAL or not os.getenv("BOCAGE_ON_LEASH"):
        return None
    import uselect

    leash = uselect.poll()
    leash.register(0, uselect.POLLIN)  # nothing is ever written to it: what can be read is its end
    return leash


_leash = _make_leash()


def end(code):
    """Ends the process with the first code that was given.

    Code that still runs while it unwinds, such as a `finally` that resets, would not run on the chip.
    """
    if _state["code"] is None:
        _state["code"] = code
    sys.exit(_state["code"])


def has_ended():
    """Returns True while the process is unwinding."""
    return _state["code"] is not None


def start(timeout_ms):
    """Arms the watchdog, which nothing disarms again, as on the chip."""
    _state["timeout_ms"] = timeout_ms
    _state["fed_ms"] = utime.ticks_ms()


def feed():
    """Sets the last feed to now, unless it comes too late."""
    look()
    _state["fed_ms"] = utime.ticks_ms()


def may_block(call):
    """Marks where a call of the chip may take long: it blocks when the file BLOCK_FILE names it.

    Only the hardware watchdog continues meanwhile. In virtual time nothing blocks.
    """
    if _IS_VIRTUAL:
        return
    try:
        with open(BLOCK_FILE) as file:
            if file.read().strip() != call:
                return
    except OSError:
        return
    print("bench:", call, "blocks")
    for _ in range(BLOCK_MS // 20):
        utime.sleep_ms(20)
        look()


def guard_files():
    """Guards writes where FLASH_FILE requests it. Not always: a wrapped `open` is one more line in every traceback."""
    try:
        os.stat(FLASH_FILE)
    except OSError:
        return
    real = builtins.open

    def guarded(name, mode="r", *more):
        if ("w" in mode or "a" in mode) and not name.startswith("bench-"):
            may_block("flash")
        return real(name, mode, *more)

    builtins.open = guarded


def look():
    """Ends the process when the time is over, or its starter is gone."""
    if _state["code"] is not None:
        return
    if _leash is not None:
        for _ready in _leash.ipoll(0):
            end(ALONE_CODE)
    timeout_ms = _state["timeout_ms"]
    if timeout_ms is None:
        return
    if utime.ticks_diff(utime.ticks_ms(), _state["fed_ms"]) > timeout_ms:
        print("watchdog: reset")
        end(WATCHDOG_CODE)
