"""Simulates a serial port by a pseudo-terminal: under a link as under /dev/serial/by-id, plugged and unplugged."""

import contextlib
import os
import select
import tty
from pathlib import Path
from threading import Lock


class Pty:
    """Is our end of the line. Each `plug` is a new device. `read` and `write` do nothing while it is unplugged."""

    def __init__(self, link: Path) -> None:
        self.link = link
        self._lock = Lock()
        self._ends: tuple[int, int] | None = None

    def plug(self) -> None:
        """Makes the port appear."""
        with self._lock:
            assert self._ends is None, "it is plugged in"
            # The slave stays open here: a terminal that is open nowhere hangs up, which a port does not.
            ours, theirs = os.openpty()
            tty.setraw(theirs)
            os.set_blocking(ours, False)
            self.link.unlink(missing_ok=True)
            self.link.symlink_to(os.ttyname(theirs))
            self._ends = ours, theirs

    def unplug(self) -> None:
        """Takes the port away from the program that has it open."""
        with self._lock:
            self.link.unlink(missing_ok=True)
            ends, self._ends = self._ends, None
            for descriptor in reversed(ends or ()):
                os.close(descriptor)

    def read(self, timeout_s: float = 0.005) -> bytes:
        """Returns the bytes that came in; empty after `timeout_s`."""
        with self._lock, contextlib.suppress(OSError):
            if self._ends is not None and select.select([self._ends[0]], [], [], timeout_s)[0]:
                return os.read(self._ends[0], 4096)
        return b""

    def write(self, data: bytes) -> None:
        """Writes bytes to the line; what is not read is lost, as on a line."""
        with self._lock, contextlib.suppress(OSError):
            if self._ends is not None:
                os.write(self._ends[0], data)
