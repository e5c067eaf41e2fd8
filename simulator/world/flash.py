"""Simulates a chip's file system in memory: the power goes at the operation numbered `cut_at`, and it may be full or
worn out.

What was written of an open file is there after a cut up to the cut itself, in so many pieces a write: harsher than
littlefs, which keeps the old contents. A rename is one operation, as it is there.
"""

import errno
import io


class Cut(Exception):
    pass


class Medium:
    """`open` and the functions of `os` that a node asks for. Folders have the value None. `pieces`: of a write; None:
    each byte is one. `writes`: the files opened for writing; `refuses`: whether that fails."""

    pieces: int | None = 2

    def __init__(self, files=None, *, bytes_max=1 << 20):
        self.files = dict(files or {})
        self.bytes_max = bytes_max
        self.operations = 0
        self.writes = 0
        self.cut_at = None
        self.refuses = False
        self.damages = lambda _path, data: data

    def step(self):
        self.operations += 1
        if self.operations == self.cut_at:
            raise Cut

    def open(self, path, mode):
        if mode == "rb":
            if self.files.get(path) is None:
                raise OSError(errno.ENOENT, path)
            return io.BytesIO(self.damages(path, self.files[path]))
        assert mode in ("wb", "ab")
        folder = path.rpartition("/")[0]
        if folder and folder not in self.files:
            raise OSError(errno.ENOENT, path)
        self.step()
        if self.refuses:
            raise OSError(errno.EIO, path)
        if mode == "wb" or path not in self.files:
            self.files[path] = b""
        self.writes += 1
        return Writer(self, path)

    def stat(self, path):
        self._require(path)
        return (0x4000 if self.files[path] is None else 0x8000, *([0] * 9))

    def mkdir(self, path):
        if path in self.files:
            raise OSError(errno.EEXIST, path)
        self.step()
        self.files[path] = None

    def listdir(self, path):
        self._require(path)
        inside = [name[len(path) + 1 :] for name in self.files if name.startswith(f"{path}/")]
        return sorted(name for name in inside if "/" not in name)

    def remove(self, path):
        self._require(path)
        if self.files[path] is None:
            raise OSError(errno.EISDIR, path)
        self.step()
        del self.files[path]

    def rmdir(self, path):
        assert not self.listdir(path)
        self.step()
        del self.files[path]

    def rename(self, path, new):
        self.step()
        self.files[new] = self.files.pop(path)

    def used_bytes(self):
        return sum(len(data) for data in self.files.values() if data is not None)

    def _require(self, path):
        if path not in self.files:
            raise OSError(errno.ENOENT, path)


class Writer:
    """A file open for writing. littlefs does not commit one of which a write failed (LFS_F_ERRED)."""

    def __init__(self, medium, path):
        self.medium = medium
        self.path = path
        self.before = medium.files[path]

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        if exception[0] is None:
            self.close()
        elif isinstance(exception[1], OSError):
            self.medium.files[self.path] = self.before

    def write(self, data):
        if self.medium.used_bytes() + len(data) > self.medium.bytes_max:
            raise OSError(errno.ENOSPC, self.path)
        pieces = self.medium.pieces or len(data)
        for piece in range(pieces):
            self.medium.step()
            self.medium.files[self.path] += data[len(data) * piece // pieces : len(data) * (piece + 1) // pieces]

    def flush(self):
        self.medium.step()

    def close(self):
        self.medium.step()
