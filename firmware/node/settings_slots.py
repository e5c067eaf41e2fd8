"""Chooses the settings that a start runs under: the file from the provisioning tool, or the last good settings.

Two slots hold proven settings, as the very bytes of their file, with a generation and a CRC; they are written in turn,
so that a power cut damages at most the one being written. New settings are on trial: if they cannot be used, or
SETTINGS_CRASHES_MAX starts under them have crashed, the last good ones are used instead, and the node reports it. A
power cut is no crash: turning the supply off and on changes nothing.

Nothing here erases or rewrites the file: firmware that is updated and then reverted finds the file that it left. It
handles bytes and must not know files.
"""

import hashlib
import json
import struct
from binascii import crc32
from collections import namedtuple

from node import limits
from policy.fault import Fault

# Why the file's settings are not in force: the words of event SETTINGS_FAILURE.
ABSENT = "absent"
UNREADABLE = "unreadable"
FAULTY = "faulty"
CRASHED = "crashed"

# good: the good file's bytes (b"" while none has been good). trial, crashes: the digest of the file on trial, and how
# many starts under it have crashed.
Slot = namedtuple("Slot", ("generation", "good", "trial", "crashes"))
# The settings of a start. `settings`: from the caller's `decode`, or None; `plain`, `raw`: the plain data and the bytes
# that they were made from; `why`: the word for why the file is not in force, or None; `faults`: of the file;
# `is_trial`: they are not proven yet.
Chosen = namedtuple("Chosen", ("settings", "plain", "raw", "why", "faults", "is_trial"))

EMPTY = Slot(0, b"", b"", 0)

_DIGEST_BYTES = 8
# magic, generation, crashes, digest of the file on trial, length of the good file; then the good file, and a CRC-32
_FORMAT = "<4sIB8sH"
_MAGIC = b"BOK2"
_HEAD_BYTES = struct.calcsize(_FORMAT)
SLOT_BYTES_MAX = _HEAD_BYTES + limits.SETTINGS_BYTES_MAX + 4


def digest(raw) -> bytes:
    """Returns the digest that names settings: of their bytes, not of their meaning."""
    return hashlib.sha256(raw).digest()[:_DIGEST_BYTES]


def encode(slot):
    """Returns the bytes of one slot in three pieces: a full heap may not have room for them in one."""
    head = struct.pack(_FORMAT, _MAGIC, slot.generation, min(255, slot.crashes), slot.trial, len(slot.good))
    return head, slot.good, struct.pack("<I", crc32(slot.good, crc32(head)))


def decode(data):
    """Returns a Slot, or None for bytes that are not a sound one."""
    if not data or len(data) < _HEAD_BYTES + 4 or crc32(memoryview(data)[:-4]) != struct.unpack("<I", data[-4:])[0]:
        return None
    magic, generation, crashes, trial, length = struct.unpack(_FORMAT, data[:_HEAD_BYTES])
    if magic != _MAGIC or len(data) != _HEAD_BYTES + length + 4:
        return None
    return Slot(generation, data[_HEAD_BYTES:-4], b"" if trial == bytes(_DIGEST_BYTES) else trial, crashes)


def newest(slots):
    """Returns (index of the newest sound slot, the Slot), or (1, EMPTY) when none is sound. The other slot is written
    next."""
    found = (1, EMPTY)
    for index in (0, 1):
        if slots[index] is not None and slots[index].generation > found[1].generation:
            found = (index, slots[index])
    return found


def choose(raw, slots, decode_plain, *, crashed):
    """Returns (Chosen, Slot to write before anything runs, or None). `raw`: the file's bytes, None without a file.
    `decode_plain(plain)`: (settings or None, faults). `crashed`: the start before this one ended by a fault of the
    program, not by a loss of power."""
    _, slot = newest(slots)
    name = digest(raw) if raw else b""
    settings, plain, why, faults = understand(raw, decode_plain)
    crashes = slot.crashes if slot.trial == name else 0
    if why is None and raw == slot.good:
        return Chosen(settings, plain, raw, None, (), False), None
    if why is None and slot.trial == name and crashed:
        crashes = min(crashes + 1, limits.SETTINGS_CRASHES_MAX)  # a higher count has no meaning, and each costs a write
    fallback = _fallback(slots, decode_plain)
    if why is None and crashes >= limits.SETTINGS_CRASHES_MAX and fallback is not None:
        why = CRASHED
    changed = None
    if settings is not None and (slot.trial != name or slot.crashes != crashes):
        changed = Slot(slot.generation + 1, slot.good, name, crashes)
    if why is None:
        return Chosen(settings, plain, raw, None, (), True), changed
    if fallback is None:
        return Chosen(None, plain, raw, why, faults, False), changed
    return Chosen(fallback[0], fallback[1], fallback[2], why, faults, False), changed


def proven(raw, slots):
    """Returns the Slot to write when the settings on trial have proven good, or None when nothing changes. `raw`: the
    file's present bytes, which count only if they are those on trial."""
    slot = newest(slots)[1]
    if not raw or slot.trial != digest(raw):
        return None
    return Slot(slot.generation + 1, raw, b"", 0)


def understand(raw, decode_plain):
    """Decodes the file; returns (settings or None, plain, word for why not or None, faults)."""
    if raw is None:
        return None, None, ABSENT, (Fault("", "cannot be read", "put settings.json on the board"),)
    plain, fault = parse(raw)
    if fault is not None:
        return None, None, UNREADABLE, (fault,)
    settings, faults = decode_plain(plain)
    if settings is None:
        return None, plain, FAULTY, tuple(faults)
    return settings, plain, None, ()


def parse(raw):
    """Parses the file's bytes as JSON; returns (plain, None) or (None, Fault)."""
    if len(raw) > limits.SETTINGS_BYTES_MAX:
        return None, Fault("", f"has {len(raw)} bytes", f"at most {limits.SETTINGS_BYTES_MAX}")
    if _is_whole(raw):
        try:
            return json.loads(raw.decode()), None
        except (ValueError, UnicodeError, RuntimeError):
            pass
    return None, Fault("", "is not JSON", "write settings.json again")


def _is_whole(raw):
    """Returns whether every bracket is closed: MicroPython up to 1.25 accepts the part of a torn text that is there."""
    depth, in_text, is_escaped = 0, False, False
    for byte in raw:
        if in_text:
            in_text = is_escaped or byte != 0x22
            is_escaped = byte == 0x5C and not is_escaped
        elif byte < 0x5B:  # digits, commas, spaces: most of a text
            in_text = byte == 0x22
        elif byte in b"{[":
            depth += 1
            if depth > limits.SETTINGS_DEPTH_MAX:
                return False
        elif byte in b"}]":
            depth -= 1
    return depth == 0 and not in_text


def _fallback(slots, decode_plain):
    """Returns (settings, plain, raw) of the newest good settings that this firmware understands, or None."""
    index, _ = newest(slots)
    for slot in (slots[index], slots[1 - index]):
        if slot is not None and slot.good:
            settings, plain, why, _ = understand(slot.good, decode_plain)
            if why is None:
                return settings, plain, slot.good
    return None
