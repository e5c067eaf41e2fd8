"""Serves a modem's AT port by pyserial, in a thread of its own: opening the port of a hung USB device may block.

The port must be named by /dev/serial/by-id/…, which follows the modem when it comes back as another ttyUSB. A port
that is gone is opened again with a back-off, for ever. Input is posted as events; `post` must pass them on to
the agent's thread, which calls `processed` for each: a modem that never stops sending has to wait, and the driver drops
the excess. It decides nothing.
"""

import asyncio
import contextlib
import termios
from collections.abc import Callable, Sequence
from queue import Empty, Full, Queue
from threading import Event, Thread
from typing import Any, NamedTuple

import serial

from gateway.core import limits
from gateway.io import clock
from gateway.io.guarded_socket import Places

# The AT port is a virtual one: the rate means nothing, but some drivers require one.
_BAUD = 115_200
# How long a read waits; bytes to write may have to wait as long.
_READ_S = 0.1
_WRITE_S = 2.0
_READ_BYTES_MAX = 4096
# After something was read: an answer comes in one piece, and a modem that never stops costs fifty turns of the loop a
# second.
_PAUSE_S = 0.02
# Events on their way to the loop, and questions that the thread has not written: the core asks one at a time.
_EVENTS_MAX = 16
_WRITES_MAX = 16
_HOOK_S = 60.0
# Exceptions that pyserial passes on when a port vanishes (termios.error is no OSError).
_GONE = (OSError, ValueError, TypeError, termios.error)


class ModemOpened(NamedTuple):
    """Reports that the port is open."""


class ModemClosed(NamedTuple):
    why: str


class ModemReceived(NamedTuple):
    data: bytes


class ModemPort:
    """Serves one port, from `start` to `close`. `alive_ms`: last sign of life of its thread, None once closed."""

    def __init__(self, path: str, post: Callable[[Any], None]) -> None:
        self._path = path
        self._post = post
        self._writes: Queue[bytes] = Queue(_WRITES_MAX)
        self._places = Places(_EVENTS_MAX)
        self.alive_ms: int | None = clock.monotonic_ms()
        self._stop = Event()
        self._thread = Thread(target=self._run, name="modem", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def write(self, data: bytes) -> None:
        """Queues bytes for the modem; they are lost while the port is not open, and the modem's silence shows it."""
        with contextlib.suppress(Full):
            self._writes.put_nowait(data)

    def processed(self) -> None:
        """Notes that the agent has processed one posted event."""
        self._places.give_back()

    def close(self, timeout_s: float = 0.5) -> None:
        """Ends the thread; one that hangs in the driver is left behind (it is a daemon)."""
        self._stop.set()
        self._places.stop()
        self.alive_ms = None
        if self._thread.is_alive():
            self._thread.join(timeout_s)

    def _run(self) -> None:
        delay_ms = limits.MODEM_REOPEN_FIRST_MS
        told = ""
        while not self._stop.is_set():
            self._beat()
            self._places.wait()
            has_spoken, why = self._serve()
            if self._stop.is_set():
                return
            if why != told or has_spoken:
                # The same failure to open is reported once, not every minute of a year.
                self._post_event(ModemClosed(why))
            told = why
            if has_spoken:
                delay_ms = limits.MODEM_REOPEN_FIRST_MS
            self._stop.wait(delay_ms / 1000)
            delay_ms = min(2 * delay_ms, limits.MODEM_REOPEN_LAST_MS)

    def _serve(self) -> tuple[bool, str]:
        """Opens the port once and serves it to its end. Returns whether it was open, and why it ended."""
        try:
            # Exclusive: two programs that read one AT port get each other's answers.
            port = serial.Serial(self._path, _BAUD, timeout=_READ_S, write_timeout=_WRITE_S, exclusive=True)
        except _GONE as error:
            return False, f"cannot be opened: {error}"
        self._discard()
        self._post_event(ModemOpened())
        try:
            return True, self._talk(port)
        finally:
            with contextlib.suppress(*_GONE):
                port.close()

    def _talk(self, port: serial.Serial) -> str:
        try:
            while not self._stop.is_set():
                self._beat()
                self._places.wait()
                data = port.read(1)
                if data:
                    data += port.read(min(port.in_waiting, _READ_BYTES_MAX))
                    self._post_event(ModemReceived(data))
                    self._stop.wait(_PAUSE_S)
                with contextlib.suppress(Empty):
                    port.write(self._writes.get_nowait())
        except _GONE as error:
            return f"lost: {error}"
        return "stopped"

    def _beat(self) -> None:
        if not self._stop.is_set():
            self.alive_ms = clock.monotonic_ms()

    def _post_event(self, event: ModemOpened | ModemClosed | ModemReceived) -> None:
        self._places.occupy()
        self._post(event)

    def _discard(self) -> None:
        """Drops bytes that were to be written to an earlier opening."""
        with contextlib.suppress(Empty):
            while True:
                self._writes.get_nowait()


async def cut_power(command: Sequence[str]) -> str | None:
    """Run the configured command (no shell) that cuts the modem's power for a moment; returns the error, or None."""
    try:
        process = await asyncio.create_subprocess_exec(
            *command, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.DEVNULL
        )
    except OSError as error:
        return f"{command[0]}: {error.strerror}; give the path of an executable file"
    try:
        async with asyncio.timeout(_HOOK_S):
            code = await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()
        return f"{command[0]}: not done after {_HOOK_S:.0f} s, killed"
    return None if code == 0 else f"{command[0]}: ended with {code}"
