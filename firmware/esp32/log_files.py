"""Does the file work of `node.record_log`: small files in one folder; each operation is complete or returns False.

An append counts when it reads back. A file that replaces others is written beside them and renamed, which littlefs does
in one step. It decides nothing and raises nothing.
"""

import os
from binascii import crc32

FOLDER = "log"
_UNFINISHED = "new"
_NO_SPACE = 28  # ENOSPC
_PIECE_BYTES = 256  # read back at once


class LogFiles:
    """Reads and writes the files of one folder. `is_full`: the last failure was for lack of space. `open_file` and
    `files` are `open` and `os`, or a test's."""

    def __init__(self, folder=FOLDER, *, open_file=open, files=os):
        self._folder = folder
        self._open = open_file
        self._os = files
        self.is_full = False
        try:
            files.mkdir(folder)
        except OSError:
            pass  # the folder exists, or nothing can be written: then every write fails

    def names(self) -> list:
        """Returns all names in the folder except that of an unfinished file."""
        try:
            return sorted(name for name in self._os.listdir(self._folder) if name != _UNFINISHED)
        except OSError:
            return []

    def read(self, name, start, count) -> bytes:
        """Returns at most `count` bytes from `start` on; b"" when the file cannot be read."""
        try:
            with self._open(self._path(name), "rb") as file:
                file.seek(start)
                return file.read(count)
        except OSError:
            return b""

    def append(self, name, pieces) -> bool:
        """Appends `pieces`, bytes one after the other: a full heap may not have room for them in one."""
        return self._written(name, "ab", pieces)

    def replace(self, name, pieces) -> bool:
        """Replaces the file's contents by `pieces`, or leaves it as it was."""
        if not self._written(_UNFINISHED, "wb", pieces):
            self.remove(_UNFINISHED)  # a partial file would fill a file system that is full already
            return False
        try:
            self._os.rename(self._path(_UNFINISHED), self._path(name))
        except OSError:
            return False
        return True

    def remove(self, name) -> bool:
        try:
            self._os.remove(self._path(name))
        except OSError:
            return False
        return True

    def _written(self, name, mode, pieces):
        path, written, size = self._path(name), 0, 0
        try:
            with self._open(path, mode) as file:
                for piece in pieces:
                    file.write(piece)
                    written = crc32(piece, written)
                    size += len(piece)
            read = 0
            with self._open(path, "rb") as file:
                file.seek(-size, 2)
                for _ in range(0, size, _PIECE_BYTES):
                    read = crc32(file.read(_PIECE_BYTES), read)
            return read == written
        except OSError as error:
            self.is_full = error.errno == _NO_SPACE
            return False

    def _path(self, name):
        return self._folder + "/" + name
