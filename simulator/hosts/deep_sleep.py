"""Models the deep sleep of a simulated board.

That is its RTC memory, the oscillator that counts the sleep, its file system for records that a silent gateway did not
accept, and how long it was awake and on the air.

The memory is the firmware's own (`esp32.rtc`) on bytes that a power cut erases. The oscillator is an RC one: within 1
%, different for each board, and a little different in each sleep. The file system loses nothing; the tests of the
record log show on a worse medium what a power cut does to files.
"""

import errno
import io
from typing import Any

from esp32 import rtc
from esp32.log_files import LogFiles
from node import sleep
from node.record_log import RecordLog
from simulator.plants.battery import ASLEEP_UA, AWAKE_UA, RADIO_UA, Battery
from simulator.world.chance import Prng


class _Writer(io.BytesIO):
    def __init__(self, files: dict[str, bytes], path: str, before: bytes) -> None:
        super().__init__()
        self.write(before)
        self._files = files
        self._path = path

    def close(self) -> None:
        if not self.closed:
            self._files[self._path] = self.getvalue()
        super().close()


class Folder:
    """Holds files by their path."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}

    def open(self, path: str, mode: str) -> Any:
        if mode == "rb":
            if path not in self.files:
                raise OSError(errno.ENOENT, path)
            return io.BytesIO(self.files[path])
        return _Writer(self.files, path, self.files.get(path, b"") if mode == "ab" else b"")

    def mkdir(self, path: str) -> None:
        """Does nothing, for a folder exists when a file is in it."""

    def listdir(self, path: str) -> list[str]:
        return [name[len(path) + 1 :] for name in self.files if name.startswith(f"{path}/")]

    def remove(self, path: str) -> None:
        if path not in self.files:
            raise OSError(errno.ENOENT, path)
        del self.files[path]

    def rename(self, old: str, new: str) -> None:
        self.files[new] = self.files.pop(old)


_RATE_PPM = 9_000
_SWING_PPM = 500
# The radio is on this long before the first datagram leaves (Wi-Fi: scan, association, keys), and after the last one.
_CONNECT_MS = 2_000
_QUIET_MS = 5_000


class RtcBytes:
    """Replaces the chip's `machine.RTC()`."""

    def __init__(self) -> None:
        self.data = b""

    def memory(self, data: bytes | None = None) -> bytes:
        if data is not None:
            self.data = bytes(data)
        return self.data


class DeepSleep:
    """Keeps a board through its sleeps. `ppm`: the oscillator's error, positive when it counts too much."""

    def __init__(self, prng: Prng, battery: Battery | None = None) -> None:
        self._prng = prng
        self._battery = battery
        self.ppm = prng.between(-_RATE_PPM, _RATE_PPM)
        self._now_ppm = self.ppm
        self.chip = RtcBytes()
        self._memory = rtc.Memory(self.chip)
        self.folder = Folder()
        self.wakings = 0
        self.refused = 0  # images that were not believed
        self.awake_ms = self.radio_ms = 0
        self._since_ms: int | None = None
        self._radio_ms: int | None = None
        self._radio_until_ms = 0
        self._slept_ms = 0  # the instant at which it fell asleep

    def open_log(self) -> RecordLog:
        """Returns the log of a start or a waking."""
        return RecordLog(LogFiles(open_file=self.folder.open, files=self.folder))

    # --- awake ----------------------------------------------------------------------------------------------

    def wake(self, now_ms: int) -> None:
        """Ends the board's sleep: from here on the board draws what a chip at work does."""
        self._draw(ASLEEP_UA, now_ms - self._slept_ms)
        self._since_ms = now_ms

    def start(self, now_ms: int) -> None:
        """Counts the time of its program from here on."""
        self._since_ms = now_ms if self._since_ms is None else self._since_ms
        self._radio_ms = None

    def transmit(self, now_ms: int) -> None:
        """Turns the radio on until it has been silent for a time (`esp32.sleeping.QuietBearer`), or until sleep."""
        if self._radio_ms is not None and now_ms > self._radio_until_ms:
            self._count_radio(self._radio_until_ms)
        if self._radio_ms is None:
            # Here the network is available at once; on the board the node is awake meanwhile.
            self._radio_ms = now_ms
            self.radio_ms += _CONNECT_MS
            self.awake_ms += _CONNECT_MS
            self._draw(RADIO_UA, _CONNECT_MS)
        self._radio_until_ms = now_ms + _QUIET_MS

    def restore(self, boot: int, by: str | None, now_ms: int) -> sleep.Woken | None:
        """Returns the image that the board wakes with, or None for a start; spoils the stored one before."""
        self._memory = rtc.Memory(self.chip)
        body = self._memory.get(rtc.TRADE)
        was_there = self.chip.data != b"" and any(self.chip.data)
        self._memory.spoil(rtc.TRADE)
        image = sleep.decode(body)
        if image is None or image.boot != boot:
            self.refused += was_there
            return None
        self.wakings += 1
        return sleep.Woken(image, (now_ms - self._slept_ms) * (1_000_000 + self._now_ppm) // 1_000_000, by)

    # --- asleep ---------------------------------------------------------------------------------------------

    def save(self, image: bytes, now_ms: int) -> None:
        self._count(now_ms)
        self._memory.put(rtc.TRADE, image)
        self._slept_ms = now_ms
        self._now_ppm = self.ppm + self._prng.between(-_SWING_PPM, _SWING_PPM)

    def true_ms(self, sleep_ms: int) -> int:
        """Returns the true length of a sleep of `sleep_ms` by the oscillator."""
        return sleep_ms * 1_000_000 // (1_000_000 + self._now_ppm)

    def lose_power(self, now_ms: int) -> None:
        self._count(now_ms)
        self._slept_ms = now_ms
        self.chip.data = b""

    def spoil(self, index: int) -> None:
        """Inverts one bit of the image."""
        data = bytearray(self.chip.data)
        data[640 + rtc.HEAD_BYTES + index] ^= 1
        self.chip.data = bytes(data)

    def _count(self, now_ms: int) -> None:
        if self._since_ms is not None:
            self.awake_ms += now_ms - self._since_ms
            self._draw(AWAKE_UA, now_ms - self._since_ms)
            self._since_ms = None
        if self._radio_ms is not None:
            self._count_radio(min(now_ms, self._radio_until_ms))

    def _count_radio(self, until_ms: int) -> None:
        assert self._radio_ms is not None
        self.radio_ms += until_ms - self._radio_ms
        self._draw(RADIO_UA - AWAKE_UA, until_ms - self._radio_ms)
        self._radio_ms = None

    def _draw(self, current_ua: int, for_ms: int) -> None:
        if self._battery is not None:
            self._battery.draw(current_ua, for_ms)


class ClockChip:
    """Models a DS3231 on its own cell beside a simulated board: true time, a little fast or slow.

    `fault`: the fault that a read gives instead of the time.
    """

    def __init__(self, *, ppm: int = 0) -> None:
        self._ppm = ppm
        self._set: tuple[int, int] | None = None  # (true second, what it was set to)
        self.fault = ""
        self.settings = 0

    def read(self, true_s: int) -> int | None:
        if self._set is None or self.fault:
            return None
        passed_s = true_s - self._set[0]
        return self._set[1] + passed_s + passed_s * self._ppm // 1_000_000

    def set(self, unix_s: int, true_s: int) -> None:
        self._set = (true_s, unix_s)
        self.settings += 1
