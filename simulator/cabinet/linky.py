"""The twin of the operator's billing meter: it says TIC frames, and the real decoder reads them.

One frame a minute is enough for what changes in a cabinet. `noise_permille` of the frames have a byte knocked over on
the way; the decoder refuses them, and after `_STALE_MS` without a whole one nothing is known. The meter is on the
operator's side of the supply and silent without it.
"""

from gateway.core.cabinet import tic
from gateway.core.cabinet.points import Linky
from simulator.cabinet.feeder import POWER_FACTOR_PERCENT
from simulator.cabinet.plant import Cabinet
from simulator.world.chance import Prng

_EVERY_MS = 60_000
_STALE_MS = 180_000
_STX, _ETX = b"\x02", b"\x03"


class LinkyTwin:
    """`is_silent`: its wire is cut. `mode`: a word of `tic`."""

    def __init__(self, cabinet: Cabinet, prng: Prng, *, mode: str = tic.HISTORIQUE) -> None:
        self._cabinet = cabinet
        self._prng = prng
        self._mode = mode
        self._serial = f"0419{prng.randrange(100_000_000):08}"
        self._decoder = tic.TicDecoder(mode)
        self._next_ms = 0
        self._last: tuple[Linky | None, int] = (None, 0)
        self.is_silent = False
        self.noise_permille = 0

    def read(self, *, now_ms: int) -> Linky | None:
        """What the last whole frame said, if it is not too old."""
        if now_ms >= self._next_ms and self._cabinet.mains and not self.is_silent:
            self._next_ms = now_ms + _EVERY_MS
            for frame in self._decoder.receive(self._on_the_way(self.frame())):
                said = tic.linky(frame)
                if said is not None:
                    self._last = (said, now_ms)
        linky, heard_ms = self._last
        return linky if now_ms - heard_ms <= _STALE_MS else None

    def frame(self) -> bytes:
        """What the meter says now."""
        index = f"{self._cabinet.index_wh():09}"
        apparent = f"{10 * self._cabinet.power_dw() // POWER_FACTOR_PERCENT:05}"
        if self._mode == tic.HISTORIQUE:
            groups = [
                ("ADCO", self._serial),
                ("OPTARIF", "BASE"),
                ("ISOUSC", "15"),
                ("BASE", index),
                ("PTEC", "TH.."),
                ("IINST", "001"),
                ("PAPP", apparent),
                ("MOTDETAT", "000000"),
            ]
        else:
            groups = [
                ("ADSC", self._serial),
                ("VTIC", "02"),
                ("NGTF", "      BASE      "),
                ("LTARF", "      BASE      "),
                ("EAST", index),
                ("PREF", "03"),
                ("SINSTS", apparent),
                ("STGE", "003A0001"),
            ]
        return _STX + b"".join(self._group(label, value) for label, value in groups) + _ETX

    def _group(self, label: str, value: str) -> bytes:
        """The checksum: six bits of the sum, without the last separator in the historique mode."""
        separator = " " if self._mode == tic.HISTORIQUE else "\t"
        text = f"{label}{separator}{value}"
        covered = text if self._mode == tic.HISTORIQUE else text + separator
        checksum = chr(sum(covered.encode()) % 64 + 32)
        return f"\n{text}{separator}{checksum}\r".encode()

    def _on_the_way(self, frame: bytes) -> bytes:
        if not self.noise_permille or not self._prng.chance(self.noise_permille):
            return frame
        at = 1 + self._prng.randrange(len(frame) - 2)
        return frame[:at] + bytes((frame[at] ^ 1 << self._prng.randrange(6),)) + frame[at + 1 :]
