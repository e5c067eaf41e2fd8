"""Serves a serial port by a thread of its own: opening the port of a hung USB device may block.

The port must be named by /dev/serial/by-id/…, which follows the adapter when it comes back as another ttyUSB. One that
is gone is opened again for ever, with a back-off. A derived class defines how to open the port and what to do with it.
"""

import contextlib
import termios
from threading import Event, Thread

import serial

from gateway.io import clock
from gateway.io.cabinet import limits

# Exceptions that pyserial passes on when a port vanishes (termios.error is no OSError).
_GONE = (OSError, ValueError, TypeError, termios.error)


class SerialThread:
    """Serves a port from `start` to `close`. `state`: "open", or why not. `alive_ms`: the thread's last sign of life,
    None once closed. `ports_lost`: how often an open port ended by itself."""

    def __init__(self, name: str) -> None:
        self.state = "not opened yet"
        self.alive_ms: int | None = clock.monotonic_ms()
        self.ports_lost = 0
        self._stop, self._wake = Event(), Event()
        self._thread = Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def close(self, timeout_s: float = 1.0) -> None:
        """Ends the thread; one that hangs in the driver is left behind (it is a daemon)."""
        self._stop.set()
        self._wake.set()
        self.alive_ms = None
        if self._thread.is_alive():
            self._thread.join(timeout_s)

    def _open(self) -> serial.Serial:
        raise NotImplementedError

    def _talk(self, port: serial.Serial) -> str:
        """Serves the port until `_stop` is set, calling `_beat` often; returns why it ended. Errors of the port
        pass."""
        raise NotImplementedError

    def _beat(self) -> None:
        """Gives a sign of life."""
        if not self._stop.is_set():
            self.alive_ms = clock.monotonic_ms()

    def _run(self) -> None:
        delay_ms = limits.PORT_REOPEN_FIRST_MS
        while not self._stop.is_set():
            self._beat()
            was_open, self.state = self._serve()
            if was_open:
                delay_ms = limits.PORT_REOPEN_FIRST_MS
            self._stop.wait(delay_ms / 1000)
            delay_ms = min(2 * delay_ms, limits.PORT_REOPEN_LAST_MS)

    def _serve(self) -> tuple[bool, str]:
        """Opens the port once and serves it to its end. Returns whether it was open, and why it ended."""
        try:
            port = self._open()
        except _GONE as error:
            return False, f"cannot be opened: {error}"
        self.state = "open"
        try:
            return True, self._talk(port)
        except _GONE as error:
            self.ports_lost += 1
            return True, f"lost: {error}"
        finally:
            with contextlib.suppress(*_GONE):
                port.close()
