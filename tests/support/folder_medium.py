"""A chip's file system in memory that appends and renames: the power goes at the operation numbered `cut_at`.

What was written of an open file is there after a cut up to the cut itself, in four parts: harsher than littlefs, which
keeps the old contents. A rename is one step, as it is there.
"""

import errno
import io


class Cut(Exception):
    pass


class FolderMedium:
    """`open` and the functions of `os` that the shell's file work asks for. Folders have the value None."""

    def __init__(self, files=None, *, bytes_max=1 << 24):
        self.files = dict(files or {})
        self.bytes_max = bytes_max
        self.operations = 0
        self.writes = 0
        self.cut_at = None
        self.refuses = False

    def step(self):
        self.operations += 1
        if self.operations == self.cut_at:
            raise Cut

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

    def used_bytes(self):
        return sum(len(data) for data in self.files.values() if data is not None)


class Writer:
    def __init__(self, medium, path):
        self.medium = medium
        self.path = path
        self.before = medium.files[path]

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        if exception[0] is None:
            self.medium.step()
        elif isinstance(exception[1], OSError):
            # littlefs does not commit a file of which a write failed (LFS_F_ERRED).
            self.medium.files[self.path] = self.before

    def flush(self):
        self.medium.step()

    def write(self, data):
        if self.medium.used_bytes() + len(data) > self.medium.bytes_max:
            raise OSError(errno.ENOSPC, self.path)
        quarter = len(data) // 4 + 1
        for start in range(0, len(data), quarter):
            self.medium.step()
            self.medium.files[self.path] += data[start : start + quarter]
