"""Keeps the history before this start: why the chip was reset, the last few uncaught exceptions in a small file, and
crumbs in RTC memory that show how the last life ended. It is for people; no code decides by it.

A node writes crumbs while it runs: each task of its loop as it begins, and every few seconds its uptime, the least free
heap and the watchdog's least margin. After a reset they show where it stopped.
"""

import io
import struct
import sys
from collections import namedtuple
from hashlib import sha256

NAME = "crash.txt"
_ENTRIES_MAX = 4
# A longer traceback keeps only its end, which has the cause.
_ENTRY_CHARS_MAX = 800
_SEPARATOR = "\n----\n"

CRUMBS_EVERY_MS = 5000
_REGION = 1  # rtc.CRUMBS
# version, how it ended, digest of the error, uptime s, least free heap, the watchdog's least margin in ms
_CRUMBS = "<BB8sIII"
_VERSION = 1
_CRUMBS_BYTES = struct.calcsize(_CRUMBS)
DIGEST_BYTES = 8
_NO_DIGEST = bytes(DIGEST_BYTES)

# How a life ended by its own account: not at all, by an exception, by a planned restart, by deep sleep.
ALIVE = 0
CRASHED = 1
PLANNED = 2
SLEEPING = 3

# How the last life ended. digest: first bytes of the SHA-256 of the traceback, None without one; after a PLANNED end
# two u32, little-endian: Unix seconds at the end, ± s. task: the one under way, or None. heap_low, margin_ms: the least
# of that life.
Past = namedtuple("Past", ("end", "digest", "task", "uptime_s", "heap_low", "margin_ms"))
_UNKNOWN = 0xFFFFFFFF


def describe(error) -> str:
    """Returns the error's traceback and message as text."""
    if hasattr(sys, "print_exception"):
        text = io.StringIO()
        sys.print_exception(error, text)
        return text.getvalue().strip()
    return repr(error)


def note(head, error, *, open_file=open):
    """Appends one entry and drops the oldest. A file that cannot be read or written must not cause a second crash."""
    entry = (head + "\n" + describe(error))[-_ENTRY_CHARS_MAX:]
    try:
        kept = entries(open_file=open_file)[1 - _ENTRIES_MAX :]
        with open_file(NAME, "w") as file:
            file.write(_SEPARATOR.join(kept + [entry]))
    except (OSError, ValueError):
        print("crash: the note was not written")


def entries(*, open_file=open) -> list:
    """Returns the entries, oldest first."""
    try:
        with open_file(NAME) as file:
            text = file.read((_ENTRY_CHARS_MAX + len(_SEPARATOR)) * _ENTRIES_MAX)
    except (OSError, ValueError):
        return []
    return [part for part in text.split(_SEPARATOR) if part]


def digest(error) -> bytes:
    """Returns a digest that is the same for the same error at the same line of the same program, so that a fleet's
    crashes can be counted."""
    return sha256(describe(error).encode()).digest()[:DIGEST_BYTES]


class Crumbs:
    """Writes and reads the crumbs. `memory`: an `rtc.Memory`. `tasks`: names of the loop's steps. Keep their order over
    releases: a mark is read by the program that made it, or by its successor."""

    def __init__(self, memory, tasks, *, now_ms):
        self._memory = memory
        self._tasks = tasks
        self._body = bytearray(_CRUMBS_BYTES)
        self._started_ms = now_ms
        self._due_ms = now_ms
        self._heap_low = _UNKNOWN
        self._margin_ms = _UNKNOWN

    def past(self):
        """Returns how the last life ended, or None. Call it before `begin`."""
        body = self._memory.get(_REGION)
        if body is None or len(body) != _CRUMBS_BYTES:
            return None
        version, end, detail, uptime_s, heap_low, margin_ms = struct.unpack(_CRUMBS, body)
        if version != _VERSION:
            return None
        mark = self._memory.marked()
        task = self._tasks[mark] if mark is not None and mark < len(self._tasks) else None
        return Past(
            end,
            None if detail == _NO_DIGEST else detail,
            task,
            uptime_s,
            None if heap_low == _UNKNOWN else heap_low,
            None if margin_ms == _UNKNOWN else margin_ms,
        )

    def begin(self, index, *, now_ms):
        """Notes that this life has begun, in this task, so that a life that ends before its first turn is not confused
        with the one before."""
        self._memory.mark(index)
        self._write(ALIVE, _NO_DIGEST, now_ms)

    def enter(self, index):
        """Notes that this task of the loop begins."""
        self._memory.mark(index)

    def step(self, heap_free, margin_ms, *, now_ms):
        """Notes heap and margin every CRUMBS_EVERY_MS. Call it every turn; `margin_ms` is a function."""
        if now_ms < self._due_ms:
            return
        self._due_ms = now_ms + CRUMBS_EVERY_MS
        self._heap_low = min(self._heap_low, heap_free)
        self._margin_ms = min(self._margin_ms, max(0, margin_ms(now_ms=now_ms)))
        self._write(ALIVE, _NO_DIGEST, now_ms)

    def end(self, end, *, now_ms, error=None, time=None):
        """Notes the end of this life, with its `error`, or its `time`, (Unix s, ± s), for the next life."""
        detail = _NO_DIGEST if error is None else digest(error)
        self._write(end, detail if time is None else struct.pack("<II", time[0], time[1]), now_ms)

    def _write(self, end, detail, now_ms):
        uptime_s = (now_ms - self._started_ms) // 1000
        struct.pack_into(_CRUMBS, self._body, 0, _VERSION, end, detail, uptime_s, self._heap_low, self._margin_ms)
        self._memory.put(_REGION, self._body)


def pause(pause_ms, ticks_ms, ticks_diff, sleep_ms):
    """Waits by the clock. Counted slices would take longer with each late one: on a busy chip or desk the watchdog
    would come first, and its reset would hide the crash."""
    since = ticks_ms()
    while ticks_diff(ticks_ms(), since) < pause_ms:
        sleep_ms(100)


# A fault of the program ended the last life.
FAULTS = ("watchdog", "panic", "crash")
# Causes that the last life did not plan: they are reported as an event.
REPORTED = ("brown-out",) + FAULTS


def cause(machine, ended, past) -> str:
    """Returns the word of a boot report: power-on, brown-out, watchdog, panic, crash, planned, deep-sleep, soft or
    hard.

    `ended`: from `guard.ended_by`; `past`: a Past or None. The note of the last life precedes the chip's reset cause,
    for the watchdog may reset the chip while a crash is being written. The port reports a panic and a reset by the
    program alike (`hard`): if the program did not ask for it, it was a panic."""
    if ended != "reset":
        return "power-on" if ended == "power" else "deep-sleep" if ended == "sleep" else ended
    if past is not None and past.end == CRASHED:
        return "crash"
    if past is not None and past.end == PLANNED:
        return "planned"
    word = reset_cause(machine)
    return "panic" if word == "hard" and past is not None else word


def reset_cause(machine):
    """Returns the word for why the chip started, one of `wire.radio.CAUSES`. A brown-out reads as power-on, a panic as
    hard (limits of the port). `machine`: the chip's module."""
    names = {
        "PWRON_RESET": "power-on",
        "HARD_RESET": "hard",
        "WDT_RESET": "watchdog",
        "DEEPSLEEP_RESET": "deep-sleep",
        "SOFT_RESET": "soft",
    }
    cause = machine.reset_cause()
    for name in names:
        if getattr(machine, name, None) == cause:
            return names[name]
    return "unknown"
