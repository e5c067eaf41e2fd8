"""Serves a serial port on asyncio's loop and reopens it when it returns: bytes in, bytes out, for the node link.

The port must be named by /dev/serial/by-id/…, which follows the adapter when it returns as another ttyUSB. One that
is gone is opened again for ever, with a back-off. A thread of its own opens and closes it, since the
driver of a hung USB device may block both; reading and writing never wait. It decides nothing.
"""

import asyncio
import contextlib
import os
import termios
from collections.abc import Callable
from threading import Thread
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import serial

REOPEN_FIRST_S = 0.5
REOPEN_LAST_S = 30.0
_READ_BYTES_MAX = 4096
# Bytes that may wait for a port that accepts nothing: all that a concentrator grants at once. Then frames are dropped,
# and CoAP sends them again.
WRITE_BYTES_MAX = 8192
# Exceptions that pyserial passes on when a port vanishes (termios.error is no OSError).
_GONE = (OSError, ValueError, TypeError, termios.error)


class SerialLine:
    """Serves one port from `start` to `close`. `state`: "open", or why not. `received(data)`, `opened()` and `lost()`
    are called on the loop.

    `counters`: times opened and lost, bytes, frames dropped."""

    def __init__(
        self,
        path: str,
        *,
        baud: int,
        received: Callable[[bytes], None],
        opened: Callable[[], None],
        lost: Callable[[], None] = lambda: None,
    ) -> None:
        self._path, self._baud = path, baud
        self._received, self._opened, self._on_lost = received, opened, lost
        self._loop = asyncio.get_running_loop()
        self._port: serial.Serial | None = None
        self._leaving = bytearray()
        self._delay_s = REOPEN_FIRST_S
        self._again: asyncio.TimerHandle | None = None
        self._is_closed = False
        self.state = "not opened yet"
        self.counters = {"opened": 0, "lost": 0, "bytes-in": 0, "bytes-out": 0, "dropped": 0}

    def start(self) -> None:
        self._open()

    def write(self, data: bytes) -> bool:
        """Sends bytes; False when they are dropped whole: the port is away, or accepts nothing."""
        if self._port is None or len(self._leaving) + len(data) > WRITE_BYTES_MAX:
            self.counters["dropped"] += 1
            return False
        self._leaving += data
        self._write()
        return True

    def waiting_bytes(self) -> int:
        """Returns how many bytes the port has not accepted yet."""
        return len(self._leaving)

    def close(self) -> None:
        self._is_closed = True
        self.state = "closed"
        if self._again is not None:
            self._again.cancel()
        self._release()

    # --- opening ----------------------------------------------------------------------------------------------------

    def _open(self) -> None:
        self._again = None
        Thread(target=self._open_in_thread, name="serial-open", daemon=True).start()

    def _open_in_thread(self) -> None:
        port: serial.Serial | None = None
        why = ""
        try:
            port = _opened_port(self._path, self._baud)
        except _GONE as error:
            why = f"cannot be opened: {error}"
        # The loop may have ended while the driver blocked us.
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._has_opened, port, why)
            return
        if port is not None:
            _close(port)

    def _has_opened(self, port: "serial.Serial | None", why: str) -> None:
        if self._is_closed:
            if port is not None:
                Thread(target=_close, args=(port,), name="serial-close", daemon=True).start()
            return
        if port is None:
            self.state = why
            self._open_later()
            return
        self._port = port
        self._leaving.clear()
        self.state = "open"
        self.counters["opened"] += 1
        self._loop.add_reader(port.fileno(), self._read)
        self._opened()

    def _open_later(self) -> None:
        self._again = self._loop.call_later(self._delay_s, self._open)
        self._delay_s = min(2 * self._delay_s, REOPEN_LAST_S)

    def _lost(self, why: object) -> None:
        self.counters["lost"] += 1
        self.state = f"lost: {why}"
        self._release()
        self._open_later()
        self._on_lost()

    def _release(self) -> None:
        port, self._port = self._port, None
        if port is None:
            return
        self._leaving.clear()
        self._loop.remove_reader(port.fileno())
        self._loop.remove_writer(port.fileno())
        Thread(target=_close, args=(port,), name="serial-close", daemon=True).start()

    # --- bytes ------------------------------------------------------------------------------------------------------

    def _read(self) -> None:
        assert self._port is not None
        try:
            data = os.read(self._port.fileno(), _READ_BYTES_MAX)
        except BlockingIOError:
            return
        except _GONE as error:
            self._lost(error)
            return
        if not data:  # readable and empty: it has hung up
            self._lost("hung up")
            return
        self._delay_s = REOPEN_FIRST_S  # it works
        self.counters["bytes-in"] += len(data)
        self._received(data)

    def _write(self) -> None:
        if self._port is None or not self._leaving:
            return
        try:
            count = os.write(self._port.fileno(), self._leaving)
        except BlockingIOError:
            count = 0
        except _GONE as error:
            self._lost(error)
            return
        self.counters["bytes-out"] += count
        del self._leaving[:count]
        if self._leaving:
            self._loop.add_writer(self._port.fileno(), self._write)
        else:
            self._loop.remove_writer(self._port.fileno())


def _opened_port(path: str, baud: int) -> "serial.Serial":
    import serial  # needed by gateways that have a line; the configuration is checked without it

    # Exclusive: two programs that read one port get each other's bytes. Time-outs of 0: nothing waits.
    port = serial.Serial(None, baud, timeout=0, write_timeout=0, exclusive=True)
    port.port = path
    port.open()
    os.set_blocking(port.fileno(), False)
    # An FTDI adapter delays bytes by 16 ms otherwise; other drivers do not support the call.
    with contextlib.suppress(*_GONE, NotImplementedError):
        port.set_low_latency_mode(True)
    return port


def _close(port: "serial.Serial") -> None:
    with contextlib.suppress(*_GONE):
        port.close()
