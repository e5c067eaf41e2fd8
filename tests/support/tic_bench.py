"""A Linky meter that talks on a pseudo-terminal, in both modes of Enedis-NOI-CPT_54E, with the faults of a line.

Its checksum is computed here, apart from the decoder that reads it.
"""

from collections.abc import Sequence
from pathlib import Path
from threading import Event, Thread

from simulator.rig.pty import Pty

FAULTS = ("none", "silent", "garbage", "checksum", "interrupted")
# Every third byte of it is a control character that means something: the worst a decoder can meet.
_GARBAGE = bytes((value * 37 + 11) % 256 if value % 3 else (2, 3, 4, 10, 13)[value % 5] for value in range(400))


def frame(mode: str, groups: Sequence[tuple[str, ...]]) -> bytes:
    """Groups (label, value) or, in the standard mode, (label, date, value), between STX and ETX."""
    separator = " " if mode == "historique" else "\t"
    body = b""
    for fields in groups:
        text = separator.join(fields)
        covered = text if mode == "historique" else text + separator
        checksum = chr(sum(covered.encode("ascii")) % 64 + 32)
        body += f"\n{text}{separator}{checksum}\r".encode("ascii")
    return b"\x02" + body + b"\x03"


class TicBench:
    """`index_wh`, `apparent_va` and `fault` (one of FAULTS) may be changed at any time; the index is shared between the
    tariffs of a meter with two."""

    def __init__(self, link: Path, mode: str, *, period_s: float = 0.05, raw_parity: bool = False) -> None:
        """`raw_parity`: bytes with their parity in bit 7, as an adapter without 7E1 hands them over."""
        self.mode = mode
        self.index_wh = 11_887_649
        self.apparent_va = 240
        self.serial = "064468368739"
        self.fault = "none"
        self.pty = Pty(link)
        self._period_s = period_s
        self._raw_parity = raw_parity
        self._stop = Event()
        self._thread = Thread(target=self._run, name="tic-bench", daemon=True)

    def start(self) -> None:
        self.pty.plug()
        self._thread.start()

    def close(self) -> None:
        self._stop.set()
        self._thread.join()
        self.pty.unplug()

    def frame(self) -> bytes:
        """What it would say now."""
        if self.mode == "historique":
            off_peak = self.index_wh // 3
            return frame(self.mode, [
                ("ADCO", self.serial), ("OPTARIF", "HC.."), ("ISOUSC", "30"), ("HCHC", f"{off_peak:09}"),
                ("HCHP", f"{self.index_wh - off_peak:09}"), ("PTEC", "HP.."), ("IINST", "002"), ("IMAX", "090"),
                ("PAPP", f"{self.apparent_va:05}"), ("HHPHC", "A"), ("MOTDETAT", "000000"),
            ])  # fmt: skip
        return frame(self.mode, [
            ("ADSC", self.serial), ("VTIC", "02"), ("DATE", "H261125173000", ""), ("NGTF", "      BASE      "),
            ("LTARF", "      BASE      "), ("EAST", f"{self.index_wh:09}"), ("EASF01", f"{self.index_wh:09}"),
            ("EASD01", f"{self.index_wh:09}"), ("IRMS1", "001"), ("URMS1", "230"), ("PREF", "06"), ("PCOUP", "06"),
            ("SINSTS", f"{self.apparent_va:05}"), ("SMAXSN", "H261125065253", "01024"), ("STGE", "003A0001"),
            ("MSG1", "PAS DE          MESSAGE         "), ("RELAIS", "000"), ("NTARF", "01"), ("NJOURF", "00"),
            ("NJOURF+1", "00"), ("PJOURF+1", "00008001" + " NONUTILE" * 10),
        ])  # fmt: skip

    def _run(self) -> None:
        while not self._stop.wait(self._period_s):
            said = self._said()
            if self._raw_parity:
                said = bytes(byte | 0x80 if byte.bit_count() % 2 else byte for byte in said)
            self.pty.write(said)

    def _said(self) -> bytes:
        if self.fault == "silent":
            return b""
        if self.fault == "garbage":
            return _GARBAGE
        said = self.frame()
        if self.fault == "checksum":
            return said.replace(b"\r", b"~\r")
        if self.fault == "interrupted":
            return said[: len(said) // 2] + b"\x04"
        return said
