"""Decodes the Linky meter's customer output (TIC, télé-information client): bytes to frames, frames to a `Linky`.

Source: Enedis-NOI-CPT_54E, "Sorties de télé-information client des appareils de comptage Linky". The meter sends
continuously, without being asked, in one of two modes that the supplier sets:

    historique   1200 baud 7E1    LF label SP value SP checksum CR                  checksum over: label SP value
    standard     9600 baud 7E1    LF label HT [date HT] value HT checksum CR        over: label HT [date HT] value HT

The checksum is the sum of these bytes, its six low bits plus 0x20. Groups lie between STX and ETX; EOT means that the
meter breaks off in the middle of a frame. No control character has another meaning anywhere, so each counts, no matter
what came before: STX begins a frame, LF a group, and one that was open then is lost and counted. Thus the decoder
is back in step with the first whole frame after any noise. What it keeps is bounded; it never raises.

Six bits of checksum let one noise in 64 pass, and every flip of a seventh bit, so a frame counts its groups
that were lost, `linky` accepts whole frames only, and digits must be digits. A line that is read at 8N1 (some USB
adapters cannot do 7E1) has the parity in bit 7: it is checked and removed.
"""

import re
from typing import NamedTuple

from gateway.core.cabinet.equipment import Linky

HISTORIQUE, STANDARD = "historique", "standard"
MODES = (HISTORIQUE, STANDARD)

_SEPARATORS = {HISTORIQUE: b" ", STANDARD: b"\t"}
# Each byte without its eighth bit, which is even parity where it is set; 0 for one with an error.
_PLAIN = bytes(raw & 0x7F if raw < 0x80 or raw.bit_count() % 2 == 0 else 0 for raw in range(256))
_CONTROL = re.compile(b"([\x02\x03\x04\n\r])")
_NOT_TEXT = re.compile(b"[^ -~\t]")

# The longest group is PJOURF+1 of the standard mode: label 8, value 98, two separators, checksum.
GROUP_BYTES_MAX = 128
# The standard mode has some 75 labels; a three-phase producer's meter sends nearly all of them.
GROUPS_MAX = 96
# 863 bytes for one phase in the standard mode, some 1,600 for a three-phase producer; beyond, an ETX was lost.
FRAME_BYTES_MAX = 4096

# Index labels of the tariff options of the historique mode: the sum of all labels of one option is the meter's index.
_OPTIONS = (
    ("BASE",),
    ("HCHC", "HCHP"),
    ("EJPHN", "EJPHPM"),
    ("BBRHCJB", "BBRHPJB", "BBRHCJW", "BBRHPJW", "BBRHCJR", "BBRHPJR"),
)
_SERIAL = re.compile("[0-9A-F]{1,12}")


class Frame(NamedTuple):
    """Holds one frame. `groups`: label to (value, date or None), both as the meter sends them, spaces included.
    `faults`: how many of its groups were lost or refused."""

    mode: str
    groups: dict[str, tuple[str, str | None]]
    faults: int


class TicDecoder:
    """Decodes bytes, in pieces of any size, to frames. `counters`: what was accepted and what was not, by name."""

    def __init__(self, mode: str) -> None:
        assert mode in MODES, mode
        self._mode = mode
        self._groups: dict[str, tuple[str, str | None]] | None = None  # None: outside a frame
        self._group: bytearray | None = None  # None: outside a group, or in one that is spoilt
        self._spoilt = False
        self._faults = 0
        self._frame_bytes = 0
        self._frames: list[Frame] = []
        self.counters = dict.fromkeys(
            ("frames", "groups", "groups-lost", "groups-refused", "frames-cut", "frames-interrupted", "frames-joined",
             "frames-too-long", "bytes-astray"), 0,
        )  # fmt: skip
        self._controls = {
            b"\x02": self._begin, b"\x03": self._end, b"\x04": self._interrupt,
            b"\n": self._open_group, b"\r": self._close_group,
        }  # fmt: skip

    def receive(self, data: bytes) -> list[Frame]:
        """Return the frames that these bytes complete, the oldest first."""
        for piece in _CONTROL.split(data.translate(_PLAIN)):
            if piece in self._controls:
                self._controls[piece]()
            elif piece:
                self._text(piece)
        frames, self._frames = self._frames, []
        return frames

    # --- bytes ------------------------------------------------------------------------------------------------------

    def _text(self, text: bytes) -> None:
        astray = len(text)
        if self._groups is not None:
            self._frame_bytes += len(text)
            if self._frame_bytes > FRAME_BYTES_MAX:
                self._drop("frames-too-long")
            elif self._group is None:
                self._spoilt = True  # a group whose LF was lost, or one that is already spoilt
            elif len(self._group) + len(text) > GROUP_BYTES_MAX or _NOT_TEXT.search(text):
                self._group, self._spoilt = None, True
            else:
                self._group += text
                astray = 0
        self.counters["bytes-astray"] += astray

    def _begin(self) -> None:
        if self._groups is not None and self._frame_bytes:
            self._drop("frames-cut")
        self._groups, self._group, self._faults, self._frame_bytes = {}, None, 0, 0

    def _end(self) -> None:
        self._leave_group()
        if self._groups:
            self.counters["frames"] += 1
            self._frames.append(Frame(self._mode, self._groups, self._faults))
        self._groups = None

    def _interrupt(self) -> None:
        if self._groups is not None:
            self._drop("frames-interrupted")

    def _open_group(self) -> None:
        self._leave_group()
        if self._groups is not None:
            self._group = bytearray()

    def _close_group(self) -> None:
        body, self._group = self._group, None
        if body is None or self._groups is None:
            self._leave_group()
            return
        parsed = _parse(bytes(body), self._mode)
        if parsed is None:
            self.counters["groups-refused"] += 1
            self._faults += 1
        elif parsed[0] in self._groups:
            self._drop("frames-joined")  # no label comes twice: an ETX and an STX were lost between
        elif len(self._groups) >= GROUPS_MAX:
            self._drop("frames-too-long")
        else:
            self.counters["groups"] += 1
            self._groups[parsed[0]] = parsed[1:]

    def _leave_group(self) -> None:
        """Count a group that ended without its CR, or was spoilt before it, as lost."""
        if self._group is not None or self._spoilt:
            self.counters["groups-lost"] += 1
            self._faults += 1
        self._group, self._spoilt = None, False

    def _drop(self, why: str) -> None:
        self.counters[why] += 1
        self._groups, self._group, self._spoilt = None, None, False


def linky(frame: Frame) -> Linky | None:
    """Return the figures of a frame that a cabinet needs; None when one of its groups was lost, or it has no serial
    number or no complete index (three-phase meters send short frames while a limit is exceeded)."""
    names = ("ADCO", "PAPP", "PTEC") if frame.mode == HISTORIQUE else ("ADSC", "SINSTS", "LTARF")
    serial, apparent, tariff = (frame.groups.get(name, ("", None))[0].strip() for name in names)
    index_wh = _index_wh(frame)
    if frame.faults or not _SERIAL.fullmatch(serial) or index_wh is None:
        return None
    return Linky(frame.mode, serial, index_wh, _number(apparent, 5), tariff)


def _index_wh(frame: Frame) -> int | None:
    options = _OPTIONS if frame.mode == HISTORIQUE else (("EAST",),)
    present = [labels for labels in options if any(label in frame.groups for label in labels)]
    if len(present) != 1:
        return None
    indexes = [_number(frame.groups.get(label, ("", None))[0]) for label in present[0]]
    return None if None in indexes else sum(index for index in indexes if index is not None)


def _number(text: str, digits_max: int = 9) -> int | None:
    """Return a decimal number, None for anything else: an index has nine digits, a power five."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= digits_max else None


def _parse(body: bytes, mode: str) -> tuple[str, str, str | None] | None:
    """Return (label, value, date) of a group without its LF and CR; None for a malformed group or a wrong checksum."""
    separator = _SEPARATORS[mode]
    if len(body) < 4 or body[-2:-1] != separator:
        return None
    summed = body[:-2] if mode == HISTORIQUE else body[:-1]
    if (sum(summed) & 0x3F) + 0x20 != body[-1]:
        return None
    # A value of the historique mode may be padded with spaces ("EJP "); only the standard mode has a third field.
    fields = body[:-2].decode("ascii").split(separator.decode("ascii"), 1 if mode == HISTORIQUE else -1)
    if len(fields) not in (2, 3) or not fields[0]:
        return None
    return fields[0], fields[-1], fields[1] if len(fields) == 3 else None
