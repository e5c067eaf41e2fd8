"""Keeps the choice of the folder, of two, that a chip starts from, in two files that are written in turn. Like the
loader it is never updated.

A choice is one record with a generation and a CRC, as in `flash`; the sound one with the higher generation counts. A
cut in the middle of a write damages at most the file being written, which is never the newest sound one: a choice is
therefore made or not made. A new folder starts on trial, TRIES times at most, each counted before it begins; it becomes
the confirmed one only when its program calls `confirm`.

It is at the root of the file system, beside the loader, and imports nothing that an update could change.
"""

import struct
from binascii import crc32
from collections import namedtuple

FOLDERS = ("a", "b")
FILES = ("slots-a.bin", "slots-b.bin")
TRIES = 3

# slot: index of the confirmed folder. floor: highest number that was ever confirmed. trial, tries: number of the image
# on trial in the other folder, or 0, and the starts it has left. failed: number of the image that was given up last.
State = namedtuple("State", ("slot", "floor", "trial", "tries", "failed"))
# The folder that this start runs, and what its program needs to know.
Boot = namedtuple("Boot", ("slot", "is_trial", "floor", "failed"))

_FIRST = State(0, 0, 0, 0, 0)
# magic, generation, then State; then a CRC-32 of these
_FORMAT = "<4sIBIIBI"
_MAGIC = b"BOS1"
_LENGTH = struct.calcsize(_FORMAT) + 4


class Store:
    """Reads and writes the two files. `open_file` is the built-in `open`, or a test's that simulates a power cut."""

    def __init__(self, *, open_file=open):
        self._open = open_file

    def read(self):
        """Returns the State of the newest sound record; that of a new board when there is none."""
        return self._newest()[1]

    def write(self, state) -> bool:
        """Writes into the older file and returns whether it reads back. After False the newest record is as it was."""
        generation, _, newest = self._newest()
        data = encode(generation + 1, state)
        name = FILES[1 - newest]
        try:
            with self._open(name, "wb") as file:
                file.write(data)
                file.flush()
        except OSError:
            return False
        return self._load(name) == data

    def _newest(self):
        found = (0, _FIRST, 1)
        for index in (0, 1):
            record = decode(self._load(FILES[index]))
            if record is not None and record[0] > found[0]:
                found = (record[0], record[1], index)
        return found

    def _load(self, name):
        try:
            with self._open(name, "rb") as file:
                return file.read(_LENGTH + 1)
        except OSError:
            return b""


def begin(store) -> Boot:
    """Returns the Boot of this start. A trial that cannot be counted is not begun: it might be tried for ever."""
    state = store.read()
    slot, floor, trial, tries, failed = state
    if trial and tries and store.write(State(slot, floor, trial, tries - 1, failed)):
        return Boot(1 - slot, True, floor, failed)
    if trial and not tries:
        failed = trial
        store.write(State(slot, floor, 0, 0, failed))
    return Boot(slot, False, floor, failed)


def fall_back(store) -> bool:
    """Confirms the other program, where the confirmed one cannot be imported; returns whether it is written."""
    state = store.read()
    return store.write(State(1 - state.slot, state.floor, 0, 0, state.failed))


def choose(store, running, number) -> bool:
    """Puts the folder beside the running one on trial from the next start on; returns whether it is written."""
    state = store.read()
    return store.write(State(running, state.floor, number, TRIES, state.failed))


def confirm(store, running, number) -> bool:
    """Confirms the running folder, after which no number below `number` is accepted; returns whether it is written."""
    state = store.read()
    return store.write(State(running, max(state.floor, number), 0, 0, state.failed))


def encode(generation, state) -> bytes:
    """Returns the `_LENGTH` bytes of one record."""
    data = struct.pack(_FORMAT, _MAGIC, generation, *state)
    return data + struct.pack("<I", crc32(data))


def decode(data):
    """Returns (generation, State), or None for bytes that are not a sound record."""
    if len(data) != _LENGTH or crc32(data[:-4]) != struct.unpack("<I", data[-4:])[0]:
        return None
    fields = struct.unpack(_FORMAT, data[:-4])
    if fields[0] != _MAGIC or fields[2] > 1:
        return None
    return fields[1], State(*fields[2:])
