"""The folder `concentrator` of the agent's data: the image that an operator brought, and what became of it.

`image.bin` is put there whole, by rename, by `bocage gateway concentrator update`; the agent looks every few seconds,
verifies it again (whoever can write there need not be who signs) and hands it to the line. `failed.json` names an image
that was tried in vain and why: it is not offered again until another one comes. Decides nothing about images.
"""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from gateway.core.concentrator_update import FAILED, ConcentratorUpdate
from gateway.io import files
from gateway.shell.concentrator_image import FILE_BYTES_MAX, ImageError, verify

FOLDER = "concentrator"
_IMAGE = "image.bin"
_FAILED = "failed.json"
_FAILED_BYTES_MAX = 1024


class ConcentratorStore:
    """`look` is called every few seconds; `say` is the log."""

    def __init__(self, data: Path, keys: Sequence[bytes], update: ConcentratorUpdate, say: Callable[..., None]) -> None:
        self._folder = data / FOLDER
        self._keys = keys
        self._update = update
        self._say = say
        self._seen: object = None
        self._remembered = ""

    def look(self) -> None:
        """Another image, or a failure that is to be remembered."""
        seen = _state(self._folder / _IMAGE)
        if seen != self._seen:
            self._seen = seen
            self._load()
        image = self._update.image
        if image is not None and self._update.state == FAILED and self._remembered != image.digest.hex():
            self._remember(image.digest.hex(), self._update.why)

    def _load(self) -> None:
        image, why = None, ""
        try:
            image = verify(read(self._folder / _IMAGE), self._keys)
            why = failure(self._folder).get(image.digest.hex(), "")
        except FileNotFoundError:
            pass
        except ImageError as error:
            self._say("concentrator-image-refused", reason=error.reason, detail=error.detail)
        except OSError as error:
            self._say("concentrator-image-refused", reason="read", detail=str(error))
        self._remembered = image.digest.hex() if image is not None and why else ""
        self._update.offer(image, why)

    def _remember(self, digest: str, why: str) -> None:
        self._remembered = digest
        try:
            save(self._folder, _FAILED, json.dumps({digest: why}).encode())
        except OSError as error:
            # After the next start it is offered once more, which the concentrator survives.
            self._say("concentrator-image-refused", reason="write", detail=str(error))


def put(data: Path, content: bytes) -> None:
    """Bring an image. OSError."""
    folder = data / FOLDER
    if not folder.exists():
        folder.mkdir(mode=0o700, parents=True)
        files.give(folder)
    save(folder, _IMAGE, content)


def withdraw(data: Path) -> bool:
    """Take the image away, and forget what became of it; False if there is none. OSError."""
    folder = data / FOLDER
    was_there = (folder / _IMAGE).exists()
    for name in (_IMAGE, _FAILED):
        (folder / name).unlink(missing_ok=True)
    if was_there:
        files.sync_folder(folder)
    return was_there


def read(path: Path) -> bytes:
    """A file's bytes, one more than an image may have at most. OSError."""
    with path.open("rb") as file:
        return file.read(FILE_BYTES_MAX + 1)


def failure(folder: Path) -> dict[str, str]:
    """{digest of a manifest: why}; a damaged file says nothing."""
    try:
        with (folder / _FAILED).open("rb") as file:
            found: Any = json.loads(file.read(_FAILED_BYTES_MAX))
    except (OSError, ValueError):
        return {}
    return {str(digest): str(why) for digest, why in found.items()} if isinstance(found, dict) else {}


def save(folder: Path, name: str, content: bytes) -> None:
    """By rename: a cut leaves the old file or the new one. OSError."""
    files.write(folder / name, content, gives=True)


def _state(path: Path) -> object:
    """Something that changes when the file does, or whether it may be read."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ctime_ns, found.st_size, found.st_ino
