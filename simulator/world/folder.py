"""A board's file system in memory: `open` and the functions of `os` that `esp32.log_files` asks for. Nothing is ever
lost here; what a power cut does to files, the tests of the record log show on a worse medium."""

import errno
import io
from typing import Any


class _Writer(io.BytesIO):
    def __init__(self, files: dict[str, bytes], path: str, before: bytes) -> None:
        super().__init__()
        self.write(before)
        self._files = files
        self._path = path

    def close(self) -> None:
        if not self.closed:
            self._files[self._path] = self.getvalue()
        super().close()


class Folder:
    """Files by their path."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}

    def open(self, path: str, mode: str) -> Any:
        if mode == "rb":
            if path not in self.files:
                raise OSError(errno.ENOENT, path)
            return io.BytesIO(self.files[path])
        return _Writer(self.files, path, self.files.get(path, b"") if mode == "ab" else b"")

    def mkdir(self, path: str) -> None:
        """A folder is there when a file is in it."""

    def listdir(self, path: str) -> list[str]:
        return [name[len(path) + 1 :] for name in self.files if name.startswith(f"{path}/")]

    def remove(self, path: str) -> None:
        if path not in self.files:
            raise OSError(errno.ENOENT, path)
        del self.files[path]

    def rename(self, old: str, new: str) -> None:
        self.files[new] = self.files.pop(old)
