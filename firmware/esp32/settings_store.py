"""Reads and writes a node's settings: `settings.json` from the provisioning tool, and two slots with the last good
ones.

`node.settings_slots` decides; this module reads and writes files, and any error of the file system counts as a missing
file. It erases nothing, and never writes `settings.json`.
"""

from node import limits, settings_slots

FILE = "settings.json"
SLOTS = ("settings-a.bin", "settings-b.bin")
# Written data is compared in pieces of this many bytes.
_COMPARE_BYTES = 64


class SettingsStore:
    """Reads and writes the three files. `open_file` is the built-in `open`, or a test's that simulates a power cut."""

    def __init__(self, *, open_file=open):
        self._open = open_file

    def begin(self, decode_plain, *, crashed):
        """Returns the `node.settings_slots.Chosen` of this start. `decode_plain(plain)`: (settings or None, faults).
        """
        raw, slots = self._load(FILE, limits.SETTINGS_BYTES_MAX), self._slots()
        chosen, changed = settings_slots.choose(raw, slots, decode_plain, crashed=crashed)
        if changed is not None:
            self._write(changed, slots)
        return chosen

    def prove(self) -> bool:
        """Notes that the settings on trial are good: the program has run under them for SETTINGS_PROVEN_MS, or is about
        to do a planned restart. They are not kept in RAM meanwhile: the slot has their digest. Returns True when a
        write was needed and made."""
        slots = self._slots(bare=True)
        slot = settings_slots.proven(self._load(FILE, limits.SETTINGS_BYTES_MAX), slots)
        return slot is not None and self._write(slot, slots)

    def _slots(self, bare=False):
        """Returns both slots. `bare`: without the settings themselves, for which a running node has no heap."""
        slots = []
        for name in SLOTS:
            slot = settings_slots.decode(self._load(name, settings_slots.SLOT_BYTES_MAX))
            if bare and slot is not None:
                slot = settings_slots.Slot(slot.generation, b"", slot.trial, slot.crashes)
            slots.append(slot)
        return slots

    def _write(self, slot, slots):
        """Writes into the older of `slots` and returns whether it reads back."""
        index, _ = settings_slots.newest(slots)
        name, pieces = SLOTS[1 - index], settings_slots.encode(slot)
        try:
            with self._open(name, "wb") as file:
                for piece in pieces:
                    file.write(piece)
                file.flush()
            with self._open(name, "rb") as file:
                for piece in pieces:
                    for start in range(0, len(piece), _COMPARE_BYTES):
                        expected = piece[start : start + _COMPARE_BYTES]
                        if file.read(len(expected)) != expected:
                            return False
                return not file.read(1)
        except OSError:
            return False

    def _load(self, name, bytes_max):
        """Returns the bytes of a file, or one byte more than `bytes_max` of a longer one; None when it cannot be
        read."""
        try:
            with self._open(name, "rb") as file:
                # MicroPython allocates as much heap as it is asked to read, and later there are no 4 kB in one piece.
                size = file.seek(0, 2)
                file.seek(0)
                return file.read(min(size, bytes_max + 1))
        except OSError:
            return None
