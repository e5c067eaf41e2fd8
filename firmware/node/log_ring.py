"""Keeps the last lines of a node's log in RAM, and the very last of them as bytes that fit RTC memory, for a technician
who comes after a fault. They are read on the console and over the link (GET `l`).

It must never hold a secret: only the program's own words go in, and a run of hexadecimal digits as long as a key is
still blotted out. It is bounded; the oldest line is dropped.
"""

LINES_MAX = 32
LINE_CHARS_MAX = 96
# Characters of all lines together: there may be many short lines, but not as many long ones, which take more heap.
CHARS_MAX = 1280
# A key is 32 digits and more; a node's id, 16, stays readable.
_HEX_RUN_MAX = 24
_HEX = "0123456789abcdefABCDEF"
_BLOT = "..."


class LogRing:
    """Keeps the last lines of the log. `tail_before`: the last bytes of the previous boot's log, or None."""

    def __init__(self, tail_before=None):
        self._lines = []
        self._chars = 0
        self.before = _text(tail_before)

    def add(self, line, *, uptime_s):
        """Appends one line, blotted and cut; drops the oldest ones beyond the bounds."""
        kept = "%d %s" % (uptime_s, blotted(line))
        kept = kept.replace("\n", " | ")[:LINE_CHARS_MAX]
        self._lines.append(kept)
        self._chars += len(kept)
        while len(self._lines) > LINES_MAX or self._chars > CHARS_MAX:
            self._chars -= len(self._lines.pop(0))

    def lines(self) -> list:
        """Returns all lines kept, oldest first."""
        return list(self._lines)

    def tail(self, bytes_max) -> bytes:
        """Returns the last whole lines that fit `bytes_max`, oldest first; the end of the last line when it alone does
        not fit."""
        kept = b""
        for line in reversed(self.lines()):
            longer = line.encode() + (b"\n" + kept if kept else b"")
            if len(longer) > bytes_max:
                break
            kept = longer
        if not kept and self._lines:
            kept = self.lines()[-1].encode()[-bytes_max:]
        return kept


def blotted(line) -> str:
    """Returns the line with each run of digits that may be a key blotted out."""
    shown = []
    run = ""
    for char in line + "\0":
        if char in _HEX:
            run += char
            continue
        shown.append(_BLOT if len(run) > _HEX_RUN_MAX else run)
        run = ""
        if char != "\0":
            shown.append(char)
    return "".join(shown)


def _text(data):
    if not data:
        return ""
    try:
        return bytes(data).decode()
    except UnicodeError:
        return ""
