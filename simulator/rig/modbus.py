"""Runs a Modbus RTU line on a pseudo-terminal: pymodbus's server behind a relay.

The relay adds the faults of lines and devices. Registers are set as bytes that the caller has packed.
"""

import asyncio
import logging
import struct
import time
from collections import deque
from collections.abc import Iterable
from pathlib import Path
from tempfile import mkdtemp
from threading import Event, Thread
from typing import Any

from pymodbus import datastore
from pymodbus.server import ModbusSerialServer

from simulator.rig.pty import Pty

_COILS, _INPUTS, _INPUT_REGISTERS = 1, 2, 4
_SIZE = 512
_GARBAGE = bytes((value * 73 + 5) % 256 for value in range(64))
# An answer is complete when nothing has come for this long.
_GAP_S = 0.01
logging.getLogger("pymodbus").setLevel(logging.CRITICAL)


class ModbusBench:
    """Runs a line with devices and faults, which may be changed at any time.

    Faults: units that are `silent`, that answer with a `wrong_crc`, that are late (`late_s` by unit); `echo` of every
    question; `babble`: noise without end that no answer comes through; `prefix`: noise in front of every answer.
    `asked`: the last questions, as they came.
    """

    def __init__(self, link: Path, units: Iterable[int]) -> None:
        self.silent: set[int] = set()
        self.wrong_crc: set[int] = set()
        self.late_s: dict[int, float] = {}
        self.echo = self.babble = False
        self.prefix = b""
        self.asked: deque[bytes] = deque(maxlen=1000)
        self.pty = Pty(link)
        self._inner = Pty(Path(mkdtemp(prefix="bocage-bench-")) / "server")
        self._units = tuple(units)
        self._server: Any = None
        self._loop = asyncio.new_event_loop()
        self._serving, self._stop = Event(), Event()
        self._threads = [Thread(target=run, daemon=True) for run in (self._serve, self._relay)]

    def start(self) -> None:
        self.pty.plug()
        self._inner.plug()
        for thread in self._threads:
            thread.start()
        assert self._serving.wait(10), "pymodbus does not serve"

    def close(self) -> None:
        self._stop.set()
        asyncio.run_coroutine_threadsafe(self._server.shutdown(), self._loop).result(10)
        for thread in self._threads:
            thread.join()
        self.pty.unplug()
        self._inner.unplug()
        self._inner.link.parent.rmdir()

    # --- what the devices hold --------------------------------------------------------------------------------------

    def set_input_registers(self, unit: int, address: int, packed: bytes) -> None:
        self._set(unit, _INPUT_REGISTERS, address, _words(packed))

    def set_input(self, unit: int, address: int, on: bool) -> None:
        self._set(unit, _INPUTS, address, [on])

    def set_coil(self, unit: int, address: int, on: bool) -> None:
        """Sets a coil, as a board that restarts does by itself."""
        self._set(unit, _COILS, address, [on])

    def coil(self, unit: int, address: int) -> bool:
        if hasattr(self._server, "async_getValues"):
            read = self._server.async_getValues(unit, _COILS, address, 1)
            return bool(asyncio.run_coroutine_threadsafe(read, self._loop).result(10)[0])
        return bool(self._server.context[unit].getValues(_COILS, address, 1)[0])

    def _set(self, unit: int, function: int, address: int, values: list[Any]) -> None:
        if hasattr(self._server, "async_setValues"):
            write = self._server.async_setValues(unit, function, address, values)
            asyncio.run_coroutine_threadsafe(write, self._loop).result(10)
        else:  # before pymodbus 3.12
            self._server.context[unit].setValues(function, address, values)

    # --- the server -------------------------------------------------------------------------------------------------

    def _serve(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._until_shut_down())
        self._loop.close()

    async def _until_shut_down(self) -> None:
        # Up to 3.9 pymodbus called a device a slave.
        old = not hasattr(datastore, "ModbusDeviceContext")
        device = datastore.ModbusSlaveContext if old else datastore.ModbusDeviceContext
        block = datastore.ModbusSequentialDataBlock
        stores = {
            unit: device(
                co=block(1, [False] * _SIZE), di=block(1, [False] * _SIZE), hr=block(1, [0] * _SIZE), ir=block(1, [0] *
                _SIZE)
            )
            for unit in self._units
        }
        context = datastore.ModbusServerContext(**{"slaves" if old else "devices": stores}, single=False)
        ignoring = {"ignore_missing_slaves" if old else "ignore_missing_devices": True}
        self._server = ModbusSerialServer(context, port=str(self._inner.link), baudrate=19200, **ignoring)
        await self._server.serve_forever(background=True)
        self._serving.set()
        await self._server.serving

    # --- the line ---------------------------------------------------------------------------------------------------

    def _relay(self) -> None:
        late: list[tuple[float, bytes]] = []
        unit = 0
        while not self._stop.is_set():
            question = self._gathered(self.pty)
            if question:
                unit = question[0]
                self.asked.append(question)
                if self.echo:
                    self.pty.write(question)
                self._inner.write(question)
            answer = self._gathered(self._inner)
            if answer and unit not in self.silent and not self.babble:
                if unit in self.wrong_crc:
                    answer = answer[:-1] + bytes((answer[-1] ^ 0x55,))
                late.append((time.monotonic() + self.late_s.get(unit, 0), self.prefix + answer))
            for due in [entry for entry in late if entry[0] <= time.monotonic()]:
                late.remove(due)
                self._in_pieces(due[1])
            if self.babble:
                self.pty.write(_GARBAGE)

    @staticmethod
    def _gathered(pty: Pty) -> bytes:
        data = pty.read()
        while data and (more := pty.read(_GAP_S)):
            data += more
        return data

    def _in_pieces(self, data: bytes) -> None:
        for start in range(0, len(data), 7):
            self.pty.write(data[start : start + 7])


def _words(packed: bytes) -> list[int]:
    return list(struct.unpack(f">{len(packed) // 2}H", packed))
