"""Carries out the operations of an update (`concentrator.update`, `node.updating`) in the folder that the chip does not
run from. `wire.image` defines the operations.

Each call does one small operation. An error of the file system is a result, not an exception. It decides nothing.
"""

import os

from wire import image
from wire.faults import WireFault


class SlotFiles(image.Carrier):
    """Carries out one operation at a time. `folder` is the name of the folder not in use. `choose(number)` and
    `confirm(number)` are the loader's."""

    def __init__(self, folder, choose, confirm, *, open_file=open, files=os):
        super().__init__(choose, confirm)
        self._folder = folder
        self._open = open_file
        self._os = files
        self._file = None  # the one being written

    def _read(self, path, offset):
        # Opened for each piece: a seek in littlefs is a look-up, and nothing stays open when a check ends early.
        with self._open(self._folder + "/" + path, "rb") as file:
            file.seek(offset)
            return file.read(image.PIECE_BYTES)

    def _begin(self, path):
        self._abandon()
        folder = self._folder
        for part in path.split("/"):
            if not self._is_there(folder):
                self._os.mkdir(folder)
            folder = folder + "/" + part
        self._file = self._open(folder, "wb")
        return ""

    def _write(self, data):
        self._file.write(data)
        return ""

    def _end(self):
        self._close()
        return ""

    def _close(self):
        file, self._file = self._file, None
        if file is not None:
            file.close()

    def _abandon(self):
        """Closes a file that is no longer wanted; on a full flash closing may fail too."""
        try:
            self._close()
        except OSError:
            pass

    def _clear(self):
        """Removes one file or empty folder; returns True when nothing is left, else False."""
        self._abandon()
        if not self._is_there(self._folder):
            return True
        folder = self._folder
        while True:
            names = self._os.listdir(folder)
            if not names:
                if folder == self._folder:
                    return True
                self._os.rmdir(folder)
                return False
            path = folder + "/" + names[0]
            try:
                self._os.remove(path)
                return False
            except OSError:
                if not self._is_folder(path):
                    raise
                folder = path

    def _is_there(self, path):
        try:
            self._os.stat(path)
        except OSError:
            return False
        return True

    def _is_folder(self, path):
        return bool(self._os.stat(path)[0] & 0x4000)


def running_number(folder, *, open_file=open):
    """Returns the number of the image in a folder; 0 when there is no readable manifest."""
    try:
        with open_file(folder + "/" + image.MANIFEST_NAME, "rb") as file:
            return image.decode(file.read(image.MANIFEST_BYTES_MAX)).number
    except (OSError, WireFault):
        return 0
