"""Keeps the state that a node must remember through a power cut, in two files that are written in turn.

Each file holds one record with a generation and a CRC; the sound one with the higher generation counts. A cut in the
middle of a write damages at most the file being written, which is never the newest sound one. Records are identified by
(node, boot, sequence), so a boot number must never be used twice: see `begin`.

Flash wears out: `node.checkpoint` bounds how often it is written.
"""

import struct
from binascii import crc32
from collections import namedtuple

from node.checkpoint import OWN_BYTES_MAX

# A State is the application's Checkpoint, unchanged.
from node.checkpoint import Checkpoint as State
from node.trade import MEMORY_BYTES_MAX
from wire import limits

# The result of `begin`. `note` is None, or the word that replaces the reset cause in the boot report.
Start = namedtuple("Start", ("boot", "previous_boot", "durable_sequence", "memory", "own", "note"))

SLOTS = ("state-a.bin", "state-b.bin")

# The condition of the two files together.
NEW = "new"  # neither exists: a board that was just provisioned
SOUND = "sound"
DAMAGED = "damaged"  # one is sound, the other is not
LOST = "lost"  # neither is sound, and at least one exists

STATE_LOST = "state-lost"
STATE_UNWRITABLE = "state-unwritable"

# Far above any number that counting reaches: a start every 10 s for five years. The same distance is left to the end.
JUMP_MIN = 1 << 24

# magic, generation, boot, 1 when there is a durable sequence, durable sequence, length of memory, length of own; then
# memory and own, and a CRC-32 of all
_FORMAT = "<4sIIBIBB"
_MAGIC = b"BOC2"
_HEAD_BYTES = struct.calcsize(_FORMAT)
_LENGTH_MAX = _HEAD_BYTES + MEMORY_BYTES_MAX + OWN_BYTES_MAX + 4


class Store:
    """Reads and writes the two files. `open_file` is the built-in `open`, or a test's that simulates a power cut."""

    def __init__(self, *, open_file=open):
        self._open = open_file
        self._generation = 0
        self._target = 0

    def read(self):
        """Returns (State or None, condition)."""
        raw = [self._load(name) for name in SLOTS]
        slots = [decode(data) for data in raw]
        newest = None
        for index in (0, 1):
            if slots[index] is not None and (newest is None or slots[index][0] > slots[newest][0]):
                newest = index
        if newest is None:
            return None, NEW if raw == [None, None] else LOST
        self._generation, state = slots[newest]
        self._target = 1 - newest
        never_written = self._generation == 1 and raw[self._target] is None
        return state, SOUND if slots[self._target] is not None or never_written else DAMAGED

    def write(self, state) -> bool:
        """Writes `state` into the older file and returns whether it reads back. After False the newest record is as it
        was."""
        data = encode(self._generation + 1, state)
        name = SLOTS[self._target]
        try:
            with self._open(name, "wb") as file:
                file.write(data)
                file.flush()
        except OSError:
            return False
        if self._load(name) != data:
            return False
        self._generation += 1
        self._target = 1 - self._target
        return True

    def _load(self, name):
        """Returns the bytes of a file; None when it does not exist, b"" when it cannot be read."""
        try:
            with self._open(name, "rb") as file:
                return file.read(_LENGTH_MAX + 1)
        except OSError as error:
            return None if error.errno == 2 else b""  # ENOENT


def begin(store, random_below) -> Start:
    """Returns the Start of a new boot, and writes its number to flash before anything may be sent under it.

    A damaged file may have held the next number, already used: that one is skipped. When no number is left to count
    from, or flash cannot be written, the number is drawn at random, far above any that counting reaches.
    """
    state, condition = store.read()
    previous, note = state, None
    if condition == LOST:
        note = STATE_LOST
    if state is None:
        state = State(0, None, b"", b"")
    boot = state.boot + (2 if condition == DAMAGED else 1)
    if condition == LOST or boot > limits.BOOT_MAX:
        boot = _jump(random_below)
    if not store.write(State(boot, None, state.memory, state.own)):
        boot, note = _jump(random_below), STATE_UNWRITABLE
    if previous is None:
        return Start(boot, None, None, b"", b"", note)
    return Start(boot, previous.boot, previous.durable_sequence, previous.memory, previous.own, note)


def go_on(store, boot):
    """Returns the Start of a chip that woke in `boot`, or None when that is not the last boot on flash: the caller must
    then call `begin`."""
    state, condition = store.read()
    if state is None or condition == DAMAGED or state.boot != boot:
        return None
    return Start(boot, None, None, state.memory, state.own, None)


def _jump(random_below):
    return JUMP_MIN + random_below(limits.BOOT_MAX - 2 * JUMP_MIN)


def encode(generation, state) -> bytes:
    """Returns the bytes of one record. Memory that is too long is our own bug, and would be lost: asserted."""
    assert len(state.memory) <= MEMORY_BYTES_MAX and len(state.own) <= OWN_BYTES_MAX
    known = state.durable_sequence is not None
    sequence = state.durable_sequence if known else 0
    data = struct.pack(
        _FORMAT, _MAGIC, generation, state.boot, int(known), sequence, len(state.memory), len(state.own)
    )
    data = data + state.memory + state.own
    return data + struct.pack("<I", crc32(data))


def decode(data):
    """Returns (generation, State), or None for bytes that are not a sound record."""
    if data is None or len(data) < _HEAD_BYTES + 4 or crc32(data[:-4]) != struct.unpack("<I", data[-4:])[0]:
        return None
    if data[:4] != _MAGIC:
        return None
    _, generation, boot, known, sequence, in_memory, in_own = struct.unpack(_FORMAT, data[:_HEAD_BYTES])
    if len(data) != _HEAD_BYTES + in_memory + in_own + 4:
        return None
    end = _HEAD_BYTES + in_memory
    return generation, State(boot, sequence if known else None, data[_HEAD_BYTES:end], data[end:-4])
