"""What went before this start: why the chip was reset, and the last few uncaught exceptions, in a file that stays
small. Read by a technician; nothing decides by it."""

import io
import sys

NAME = "crash.txt"
_ENTRIES_MAX = 4
# A traceback deeper than that keeps its end, where the cause stands.
_ENTRY_CHARS_MAX = 800
_SEPARATOR = "\n----\n"
_SLICE_MS = 100


def describe(error) -> str:
    """Traceback and message."""
    if hasattr(sys, "print_exception"):
        text = io.StringIO()
        sys.print_exception(error, text)
        return text.getvalue().strip()
    return repr(error)


def note(head, error, *, open_file=open):
    """Append one entry; the oldest one goes. A file that cannot be read or written is not worth a second crash."""
    entry = (head + "\n" + describe(error))[-_ENTRY_CHARS_MAX:]
    try:
        kept = entries(open_file=open_file)[1 - _ENTRIES_MAX :]
        with open_file(NAME, "w") as file:
            file.write(_SEPARATOR.join(kept + [entry]))
    except (OSError, ValueError):
        print("crash: the note was not written")


def entries(*, open_file=open) -> list:
    """The notes, oldest first."""
    try:
        with open_file(NAME) as file:
            text = file.read((_ENTRY_CHARS_MAX + len(_SEPARATOR)) * _ENTRIES_MAX)
    except (OSError, ValueError):
        return []
    return [part for part in text.split(_SEPARATOR) if part]


def pause(pause_ms, ticks_ms, ticks_diff, sleep_ms):
    """Wait by the clock. Slices that are counted instead grow with each one that is late: on a chip or a desk with too
    much to do the watchdog comes first, and its reset hides the crash."""
    since = ticks_ms()
    while ticks_diff(ticks_ms(), since) < pause_ms:
        sleep_ms(_SLICE_MS)


def reset_cause(machine):
    """A word for why the chip started, of `wire.radio.CAUSES`. A brown-out reads as power-on, a panic as hard
    (the port's own limits). `machine`: the chip's module."""
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
