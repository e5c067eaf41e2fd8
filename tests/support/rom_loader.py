"""Stands in for the ROM boot loader of an ESP32-S3 on a pseudo-terminal, for esptool as it is, and for the console of
what was written.

Written from the serial protocol that Espressif documents (esptool, "Serial Protocol"): SLIP frames, requests of
direction 0, command, size, checksum; the commands of ROM and stub loader that identify a chip, erase, write compressed
data and compute digests. A pseudo-terminal has no reset lines: when the last program has closed it, the chip has been
reset.
"""

import hashlib
import os
import pty
import select
import struct
import threading
import time
import tty
import zlib
from collections.abc import Callable, Iterable

_EFUSE_BLOCK1 = 0x60007044
_SPI = 0x60002000
_SPI_COMMAND, _SPI_USER2, _SPI_W0 = _SPI, _SPI + 0x20, _SPI + 0x58
_READ_JEDEC_ID = 0x9F
_CHIP_ID_S3 = 9
_MAC = bytes.fromhex("7cdfa1000001")
_POLL_S = 0.02


class RomLoader:
    """Is the chip: `flash` its content. `psram`: the value of its efuse (2: 2 MB, 0: none); `chip`: its id;
    `console`: what it prints when it starts with this flash; `cut_after`: bytes of flash written after which its supply
    fails once: it is silent until the line is opened anew; `cut_at`: the command, by its number, that finds it silent
    like that, once."""

    def __init__(
        self,
        *,
        flash_mb: int = 8,
        psram: int = 2,
        chip: int = _CHIP_ID_S3,
        mac: bytes = _MAC,
        console: Callable[[bytes], Iterable[str]] = lambda flash: (),
        cut_after: int | None = None,
        cut_at: int | None = None,
    ) -> None:
        self.flash = bytearray(b"\xff" * (flash_mb << 20))
        self.cut_after, self.cut_at = cut_after, cut_at
        self._jedec = 0x40C8 | (flash_mb.bit_length() + 19) << 16
        self._console = console
        self._chip = chip
        self._registers = {
            _EFUSE_BLOCK1: int.from_bytes(mac[2:]),
            _EFUSE_BLOCK1 + 4: int.from_bytes(mac[:2]),
            _EFUSE_BLOCK1 + 16: psram << 3,
        }
        self._master, self._slave = pty.openpty()
        tty.setraw(self._slave)
        self.port = os.ttyname(self._slave)
        os.close(self._slave)
        self._over = threading.Event()
        self._reset()
        self._thread = threading.Thread(target=self._serve, name="rom-loader", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Takes the chip off the line."""
        self._over.set()
        self._thread.join()
        os.close(self._master)

    def _reset(self) -> None:
        self._is_stub = False
        self._frame: bytearray | None = None
        self._write_at = 0
        self._inflate = zlib.decompressobj()
        self._is_shut = True
        self._is_silent = False

    def _serve(self) -> None:
        while not self._over.is_set():
            if not select.select([self._master], [], [], _POLL_S)[0]:
                if self._is_shut and self._is_open():
                    self._start()
                continue
            try:
                data = os.read(self._master, 65_536)
            except OSError:  # nobody has the line open
                if not self._is_shut:
                    self._reset()
                time.sleep(_POLL_S)
                continue
            self._is_shut = False
            for byte in data:
                self._take(byte)

    def _is_open(self) -> bool:
        return not select.select([self._master], [], [], 0)[0]

    def _start(self) -> None:
        """Says what a chip with this flash says as it starts."""
        self._is_shut = False
        if self.flash[0] != 0xFF:
            for line in self._console(bytes(self.flash)):
                os.write(self._master, line.encode() + b"\r\n")

    def _take(self, byte: int) -> None:
        """Takes a byte of a SLIP frame (RFC 1055)."""
        if byte == 0xC0:
            if self._frame:
                body = bytes(self._frame).replace(b"\xdb\xdc", b"\xc0").replace(b"\xdb\xdd", b"\xdb")
                self._request(body)
            self._frame = bytearray()
        elif self._frame is not None:
            self._frame.append(byte)

    def _send(self, body: bytes) -> None:
        os.write(self._master, b"\xc0" + body.replace(b"\xdb", b"\xdb\xdd").replace(b"\xc0", b"\xdb\xdc") + b"\xc0")

    def _request(self, body: bytes) -> None:
        if len(body) < 8 or body[0] != 0 or self._is_silent:
            return
        command, size, _ = struct.unpack_from("<BHI", body, 1)
        if command == self.cut_at:
            self.cut_at = None
            self._is_silent = True
            return
        data = body[8 : 8 + size]
        handler = getattr(self, f"_command_{command:02x}", None)
        value, answer, failed = (0, b"", 1) if handler is None else (*handler(data), 0)
        if self._is_silent:
            return
        if command == 0x08:
            for _ in range(8):
                self._answer(command, value, answer, failed)
        else:
            self._answer(command, value, answer, failed)
        if command == 0x06:
            self._is_stub = True
            self._send(b"OHAI")

    def _answer(self, command: int, value: int, data: bytes, failed: int) -> None:
        status = bytes((failed, 5 * failed)) + (b"" if self._is_stub else b"\0\0")
        self._send(struct.pack("<BBHI", 1, command, len(data) + len(status), value) + data + status)

    def _command_08(self, data: bytes) -> tuple[int, bytes]:  # SYNC
        return (0 if self._is_stub else 0x20120707), b""

    def _command_14(self, data: bytes) -> tuple[int, bytes]:  # GET_SECURITY_INFO
        return 0, struct.pack("<IB7BII", 0, 0, *bytes(7), self._chip, 0)

    def _command_09(self, data: bytes) -> tuple[int, bytes]:  # WRITE_REG
        for at in range(0, len(data) - 15, 16):
            address, value, mask, _ = struct.unpack_from("<IIII", data, at)
            self._registers[address] = self._registers.get(address, 0) & ~mask | value & mask
        if self._registers.get(_SPI_COMMAND):
            if self._registers.get(_SPI_USER2, 0) & 0xFF == _READ_JEDEC_ID:
                self._registers[_SPI_W0] = self._jedec
            self._registers[_SPI_COMMAND] = 0
        return 0, b""

    def _command_0a(self, data: bytes) -> tuple[int, bytes]:  # READ_REG
        return self._registers.get(struct.unpack("<I", data)[0], 0), b""

    def _done(self, data: bytes) -> tuple[int, bytes]:
        return 0, b""

    # FLASH_BEGIN and FLASH_END of nothing, MEM_BEGIN, MEM_END, MEM_DATA, SPI_SET_PARAMS, SPI_ATTACH, CHANGE_BAUDRATE,
    # FLASH_DEFL_END
    _command_02 = _command_04 = _command_05 = _command_06 = _command_07 = _command_0b = _command_0d = _command_0f = (
        _command_12
    ) = _done

    def _command_d0(self, data: bytes) -> tuple[int, bytes]:  # ERASE_FLASH
        self.flash[:] = b"\xff" * len(self.flash)
        return 0, b""

    def _command_10(self, data: bytes) -> tuple[int, bytes]:  # FLASH_DEFL_BEGIN
        self._write_at = struct.unpack_from("<I", data, 12)[0]
        self._inflate = zlib.decompressobj()
        return 0, b""

    def _command_11(self, data: bytes) -> tuple[int, bytes]:  # FLASH_DEFL_DATA
        plain = self._inflate.decompress(data[16:])
        self.flash[self._write_at : self._write_at + len(plain)] = plain
        self._write_at += len(plain)
        if self.cut_after is not None:
            self.cut_after -= len(plain)
            if self.cut_after <= 0:
                self.cut_after = None
                self._is_silent = True
        return 0, b""

    def _command_13(self, data: bytes) -> tuple[int, bytes]:  # SPI_FLASH_MD5
        at, size = struct.unpack_from("<II", data)
        digest = hashlib.md5(self.flash[at : at + size], usedforsecurity=False)
        return 0, digest.digest() if self._is_stub else digest.hexdigest().encode()
