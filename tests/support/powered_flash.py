"""A flash file system that loses its power at a named operation, byte by byte."""

import errno
import io


class Cut(Exception):
    pass


class Flash:
    """Files with an `open`; the power goes at the operation numbered `cut_at`. A write lands byte by byte."""

    def __init__(self, files=None):
        self.files = dict(files or {})
        self.operations = 0
        self.writes = 0  # files opened for writing
        self.cut_at = None
        self.refuse_writes = False

    def step(self):
        self.operations += 1
        if self.operations == self.cut_at:
            raise Cut

    def open(self, name, mode):
        if mode == "rb":
            if name not in self.files:
                raise OSError(errno.ENOENT, "absent")
            return io.BytesIO(self.files[name])
        assert mode == "wb"
        self.writes += 1
        self.step()
        if self.refuse_writes:
            raise OSError(errno.EROFS, "worn out")
        self.files[name] = b""
        return Writer(self, name)


class Writer:
    def __init__(self, medium, name):
        self.medium = medium
        self.name = name

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        if exception[0] is None:
            self.medium.step()

    def write(self, data):
        for index in range(len(data)):
            self.medium.step()
            self.medium.files[self.name] += data[index : index + 1]

    def flush(self):
        self.medium.step()
