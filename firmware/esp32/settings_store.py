"""The files of a node's settings: `settings.json` by the provisioning tool, and two slots with the last good ones.

`node.settings_slots` decides; here files are read and written, and no error of the file system is more than a missing
file. Nothing here erases, and `settings.json` is never written.
"""

from node import limits, settings_slots

FILE = "settings.json"
SLOTS = ("settings-a.bin", "settings-b.bin")


class SettingsStore:
    """`open_file` is the built-in `open`, or a test's that loses its power."""

    def __init__(self, *, open_file=open):
        self._open = open_file

    def begin(self, decode_plain, *, crashed):
        """What this start runs under: a `node.settings_slots.Chosen`. `decode_plain(plain)`: (settings or None,
        faults).
        """
        raw = self._load(FILE, limits.SETTINGS_BYTES_MAX)
        chosen, changed = settings_slots.choose(raw, self._slots(), decode_plain, crashed=crashed)
        if changed is not None:
            self._write(changed)
        return chosen

    def prove(self) -> bool:
        """The settings on trial are good: the program has run under them for SETTINGS_PROVEN_MS, or is about to restart
        by its own will. Nothing of them is kept in RAM meanwhile: the slot has their digest. True when a write was
        needed and made."""
        slot = settings_slots.proven(self._load(FILE, limits.SETTINGS_BYTES_MAX), self._slots())
        return slot is not None and self._write(slot)

    def _slots(self):
        return [settings_slots.decode(self._load(name, settings_slots.SLOT_BYTES_MAX)) for name in SLOTS]

    def _write(self, slot):
        """Into the older slot; True when it reads back."""
        index, _ = settings_slots.newest(self._slots())
        data = settings_slots.encode(slot)
        name = SLOTS[1 - index]
        try:
            with self._open(name, "wb") as file:
                file.write(data)
                file.flush()
        except OSError:
            return False
        return self._load(name, settings_slots.SLOT_BYTES_MAX) == data

    def _load(self, name, bytes_max):
        """The bytes of a file, one more than allowed where it is too long; None when it cannot be read."""
        try:
            with self._open(name, "rb") as file:
                # MicroPython takes as much heap as it is asked to read, and 4 kB in one piece are not to be had later.
                size = file.seek(0, 2)
                file.seek(0)
                return file.read(min(size, bytes_max + 1))
        except OSError:
            return None
