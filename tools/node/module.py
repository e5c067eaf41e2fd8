"""Talks to the module on a serial port: `esptool`, run as a program, says what it is and writes it; pyserial reads what
it says as it starts.

esptool checks what it wrote by a digest that the chip computes. Its last words are shown when it fails.
"""

import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import serial
from serial.tools import list_ports

from gateway.language import N_
from tools.command_line import Refused, UsageError

CONSOLE_BAUD = 115_200
_IDENTIFY_S_MAX = 60
# Long enough for 8 MB over the slowest line that people use.
_WRITE_S_MAX = 1200
_LAST_WORDS = 6
_LOOK_S = 0.3
_PROGRESS_PERCENT = 10
_CHIP = re.compile(r"^Chip type:\s+(ESP\S+)", re.MULTILINE)
_PSRAM = re.compile(r"Embedded PSRAM(?: (\d+)\s?MB)?")
_FLASH = re.compile(r"^Detected flash size:\s+(\d+)(KB|MB)", re.MULTILINE)
UNREADABLE = N_("{port}: the console cannot be read: see cable and supply, then the same again ({error})")
_MAC = re.compile(r"^MAC:\s+([0-9a-f:]{17})", re.MULTILINE)


class Module(NamedTuple):
    """Says what is on the port. `chip`: as Espressif writes it, ESP32-S3; `psram_mb`: 0 when the chip has none inside
    its package (a WROVER's stands beside it and is not told); `mac`: the chip's own."""

    chip: str
    flash_bytes: int
    psram_mb: int
    mac: str


def find_port(asked: str | None) -> str:
    """Returns the port that was asked for, or the only USB one; UsageError when there is none or more than one."""
    found = _ports(asked)
    if asked is not None and not found:
        message = N_("--port {port}: is not there; plug the module in, or see `ls /dev/ttyACM* /dev/ttyUSB*`")
        raise UsageError(message, port=asked)
    if not found:
        raise UsageError(N_("no module on a USB port: plug it in with a cable that carries data, or give --port"))
    if len(found) > 1:
        raise UsageError(N_("more than one USB port: give --port, one of {ports}"), ports=", ".join(found))
    return found[0]


def await_port(asked: str | None) -> str:
    """Returns the port once a module is plugged in; UsageError when there is more than one."""
    while not _ports(asked):
        time.sleep(_LOOK_S)
    return find_port(asked)


def await_absence(port: str) -> None:
    """Returns once the port's module is taken out."""
    while _ports(port):
        time.sleep(_LOOK_S)


def _ports(asked: str | None) -> list[str]:
    if asked is not None:
        return [asked] if Path(asked).exists() else []
    return sorted(port.device for port in list_ports.comports() if port.vid is not None)


def identify(port: str) -> Module:
    """Returns what is on the port; Refused, with a remedy, when nothing answers."""
    done = _esptool(port, ["--after", "no-reset", "flash-id"], _IDENTIFY_S_MAX)
    chip, flash, mac = _CHIP.search(done), _FLASH.search(done), _MAC.search(done)
    if chip is None or flash is None or mac is None:
        raise Refused(N_("esptool does not say what is on {port}:\n{words}"), port=port, words=_last(done))
    psram = _PSRAM.search(done)
    size = int(flash[1]) << (20 if flash[2] == "MB" else 10)
    return Module(chip[1], size, 0 if psram is None else int(psram[1] or 0), mac[1])


def write(port: str, parts: list[tuple[int, bytes]], baud: int, progress: Callable[[int], None]) -> None:
    """Erases all of the flash and writes (address, bytes) of each part; `progress` gets the percent of all bytes.
    Refused when the line breaks: the module is then empty or in part written, and the same again begins anew."""
    with tempfile.TemporaryDirectory() as folder:
        words = []
        for address, data in parts:
            path = Path(folder) / f"{address:x}.bin"
            path.write_bytes(data)
            words += [hex(address), str(path)]
        _esptool(
            port, ["--baud", str(baud), "write-flash", "--erase-all", *words], _WRITE_S_MAX, _Progress(parts, progress)
        )


def listen(port: str, seconds: float, *, first: bytes = b"") -> Iterator[str]:
    """Yields the lines of the module's console, for so long at most. `first`: is typed before."""
    until = time.monotonic() + seconds
    kept = b""
    try:
        with serial.Serial(port, CONSOLE_BAUD, timeout=0.2) as line:
            line.write(first)
            while time.monotonic() < until:
                kept += line.read(max(1, line.in_waiting))
                *whole, kept = kept.split(b"\n")
                for one in whole:
                    yield one.decode("utf-8", "replace").rstrip("\r")
    except OSError as error:  # pyserial's own is one
        raise Refused(UNREADABLE, port=port, error=error) from error


class _Progress:
    """Turns esptool's lines `Writing at 0x... [===>  ] 45.0% ...` into a percent of all parts."""

    def __init__(self, parts: list[tuple[int, bytes]], tell: Callable[[int], None]) -> None:
        self._sizes = {address: len(data) for address, data in parts}
        self._total = sum(self._sizes.values())
        self._tell = tell
        self._next = 0

    def __call__(self, line: str) -> None:
        found = re.search(r"Writing at 0x([0-9a-f]+)", line)
        if found is None:
            return
        at = int(found[1], 16)
        begun = [address for address in self._sizes if address <= at]
        before = sum(self._sizes[address] for address in sorted(begun)[:-1])
        percent = min(100, 100 * (before + at - max(begun)) // self._total)
        if percent >= self._next:
            self._tell(percent)
            self._next = percent + _PROGRESS_PERCENT


def _esptool(port: str, words: list[str], seconds: int, each: Callable[[str], None] = lambda line: None) -> str:
    """Runs esptool and returns what it said; Refused when it fails or is not there."""
    command = [sys.executable, "-u", "-m", "esptool", "--port", port, *words]
    said = []
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as running:
        assert running.stdout is not None
        until = time.monotonic() + seconds
        for line in running.stdout:
            said.append(line)
            each(line)
            if time.monotonic() > until:
                running.kill()
    text = "".join(said)
    if running.returncode:
        raise Refused(_remedy(text), port=port, words=_last(text))
    return text


def _remedy(said: str) -> str:
    """Returns a sentence for the commonest reasons, esptool's last words in it."""
    if "No module named esptool" in said:
        return N_("esptool is not installed; in a checkout: pip install --editable '.[workshop]'")
    if "Permission denied" in said:
        return N_("{port}: you may not open it: sudo usermod -aG dialout $USER, then log in again")
    if "exclusively lock" in said or "Resource busy" in said:
        return N_("{port}: another program holds it: close the terminal that reads it, then the same again")
    if "Failed to connect" in said or "No serial data" in said or "Could not connect" in said:
        return N_(
            "{port}: no chip answers. Hold BOOT, press and let go RESET, let go BOOT, then the same again; else another"
            " cable.\n{words}"
        )
    return N_("{port}: the line broke: see cable and supply, then the same again, which begins anew.\n{words}")


def _last(said: str) -> str:
    return "\n".join(f"    {line}" for line in said.strip().splitlines()[-_LAST_WORDS:])
