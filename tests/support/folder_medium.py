"""A chip's file system in memory that appends and renames: the power goes at the operation numbered `cut_at`.

What was written of an open file is there after a cut up to the cut itself, in four parts: harsher than littlefs, which
keeps the old contents. A rename is one step, as it is there.
"""

import errno
import io

from simulator.world import flash


class FolderMedium(flash.Medium):
    """`open` and the functions of `os` that the shell's file work asks for. Folders have the value None."""

    def __init__(self, files=None, *, bytes_max=1 << 24):
        super().__init__(files, bytes_max=bytes_max)
        self.writes = 0
        self.refuses = False

    def open(self, path, mode):
        if mode == "rb":
            if self.files.get(path) is None:
                raise OSError(errno.ENOENT, path)
            return io.BytesIO(self.files[path])
        self.step()
        if self.refuses:
            raise OSError(errno.EIO, path)
        if mode == "wb" or path not in self.files:
            self.files[path] = b""
        self.writes += 1
        return Writer(self, path)

    def mkdir(self, path):
        if path in self.files:
            raise OSError(errno.EEXIST, path)
        self.step()
        self.files[path] = None

    def listdir(self, path):
        if path not in self.files:
            raise OSError(errno.ENOENT, path)
        return [name[len(path) + 1 :] for name in self.files if name.startswith(f"{path}/")]

    def remove(self, path):
        if path not in self.files:
            raise OSError(errno.ENOENT, path)
        self.step()
        del self.files[path]

    def rename(self, path, new):
        self.step()
        self.files[new] = self.files.pop(path)


class Writer(flash.Writer):
    def __init__(self, medium, path):
        super().__init__(medium, path)
        self.before = medium.files[path]

    def __exit__(self, *exception):
        if exception[0] is None:
            self.medium.step()
        elif isinstance(exception[1], OSError):
            # littlefs does not commit a file of which a write failed (LFS_F_ERRED).
            self.medium.files[self.path] = self.before

    def write(self, data):
        if self.medium.used_bytes() + len(data) > self.medium.bytes_max:
            raise OSError(errno.ENOSPC, self.path)
        quarter = len(data) // 4 + 1
        for start in range(0, len(data), quarter):
            self.medium.step()
            self.medium.files[self.path] += data[start : start + quarter]
