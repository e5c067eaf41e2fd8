"""Reads the Linky meter's output on a serial port, in a thread of its own: the meter sends by itself, we only listen.

The port is 7E1, as the meter sends; where the driver refuses that (USB adapters with eight bits only) 8N1, and the
decoder removes the parity. It decides nothing.
"""

import termios
from typing import Any

import serial

from gateway.core.cabinet import tic
from gateway.core.cabinet.equipment import Linky
from gateway.io import clock
from gateway.io.cabinet import limits
from gateway.io.cabinet.serial_thread import SerialThread

_BAUDS = {tic.HISTORIQUE: 1200, tic.STANDARD: 9600}
_FORMATS = ((serial.SEVENBITS, serial.PARITY_EVEN), (serial.EIGHTBITS, serial.PARITY_NONE))


class LinkyPort(SerialThread):
    """Reads one meter; `seen` and `health` may be called from any thread."""

    def __init__(self, path: str, mode: str) -> None:
        super().__init__("cabinet-linky")
        self._path, self._mode = path, mode
        self._decoder = tic.TicDecoder(mode)
        self._last: tuple[Linky | None, int] = (None, clock.monotonic_ms())
        self._values = 0

    def seen(self, *, now_ms: int) -> Linky | None:
        """Returns the values of the last whole frame; None when that is LINKY_STALE_MS ago."""
        last, heard_ms = self._last
        return last if now_ms - heard_ms <= limits.LINKY_STALE_MS else None

    def health(self) -> dict[str, Any]:
        """Returns plain data for the status: the port, and what the decoder accepted and refused."""
        ours = {"state": self.state, "values": self._values, "ports-lost": self.ports_lost}
        return {**ours, **self._decoder.counters}

    def _open(self) -> serial.Serial:
        why: BaseException = OSError("no format")
        for bits, parity in _FORMATS:
            try:
                port = serial.Serial(
                    self._path, _BAUDS[self._mode], bits, parity, exclusive=True, timeout=limits.LINKY_READ_MS / 1000
                )
            except termios.error as error:
                why = error  # the driver does not do this format
                continue
            _check_parity(port)
            return port
        raise why

    def _talk(self, port: serial.Serial) -> str:
        while not self._stop.is_set():
            self._beat()
            data = port.read(max(1, min(port.in_waiting, limits.LINKY_READ_BYTES_MAX)))
            for frame in self._decoder.receive(data):
                linky = tic.linky(frame)
                if linky is not None:
                    self._last = linky, clock.monotonic_ms()
                    self._values += 1
            if data:
                self._stop.wait(limits.LINKY_PAUSE_MS / 1000)
        return "closed"


def _check_parity(port: serial.Serial) -> None:
    """Have the kernel check the parity, which pyserial does not enable: a wrong byte is then read as 0
    (termios(3), INPCK without IGNPAR and PARMRK), which spoils its group."""
    settings = termios.tcgetattr(port.fileno())
    settings[0] = (settings[0] | termios.INPCK) & ~(termios.IGNPAR | termios.PARMRK)
    termios.tcsetattr(port.fileno(), termios.TCSANOW, settings)
