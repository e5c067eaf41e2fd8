"""Simulates a chip's file system in memory: the power goes at the operation numbered `cut_at`, and it may be full or
worn out.

What was written of an open file is there after a cut up to the cut itself, half of the last write included: harsher
than littlefs, which keeps the old contents.
"""

import errno
import io


class Cut(Exception):
    pass


class Medium:
    """`open` and the functions of `os` that `esp32.slot_files` asks for. Folders have the value None."""

    def __init__(self, files=None, *, bytes_max=1 << 20):
        self.files = dict(files or {})
        self.bytes_max = bytes_max
        self.operations = 0
        self.cut_at = None
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
        assert mode == "wb"
        folder = path.rpartition("/")[0]
        if folder and folder not in self.files:
            raise OSError(errno.ENOENT, path)
        self.step()
        self.files[path] = b""
        return Writer(self, path)

    def stat(self, path):
        if path not in self.files:
            raise OSError(errno.ENOENT, path)
        return (0x4000 if self.files[path] is None else 0x8000, *([0] * 9))

    def mkdir(self, path):
        self.step()
        self.files[path] = None

    def listdir(self, path):
        inside = [name[len(path) + 1 :] for name in self.files if name.startswith(f"{path}/")]
        return sorted(name for name in inside if "/" not in name)

    def remove(self, path):
        if self.files[path] is None:
            raise OSError(errno.EISDIR, path)
        self.step()
        del self.files[path]

    def rmdir(self, path):
        assert not self.listdir(path)
        self.step()
        del self.files[path]

    def used_bytes(self):
        return sum(len(data) for data in self.files.values() if data is not None)


class Writer:
    def __init__(self, medium, path):
        self.medium = medium
        self.path = path

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        if exception[0] is None:
            self.close()

    def write(self, data):
        if self.medium.used_bytes() + len(data) > self.medium.bytes_max:
            raise OSError(errno.ENOSPC, self.path)
        half = len(data) // 2
        for part in (data[:half], data[half:]):
            self.medium.step()
            self.medium.files[self.path] += part

    def flush(self):
        self.medium.step()

    def close(self):
        self.medium.step()
