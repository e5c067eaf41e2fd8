"""The last few uncaught exceptions, in a file that stays small. Read by a technician; nothing decides by it."""

import io
import sys

NAME = "crash.txt"
_ENTRIES_MAX = 4
# A traceback deeper than that keeps its end, where the cause stands.
_ENTRY_CHARS_MAX = 800
_SEPARATOR = "\n----\n"


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
