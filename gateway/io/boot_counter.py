"""The gateway's boot number: persisted, raised at every start, never used twice (ARCHITECTURE, section 3).

One empty file a number (`boot-00000042`), made durable before the number is used and before the older ones
go: after a power cut at any moment the highest name is the last number that may have been used.

The folder may come from a backup: see `gateway/core/boot_number.py`.
"""

import os
import re
from pathlib import Path

from gateway.core.boot_number import number_after
from gateway.io.whole_file import sync_folder

_PREFIX = "boot-"
# Old names kept: one is enough; a second survives a card that loses the newest.
_KEPT = 2


def next_boot(folder: Path, unix_s: int = 0) -> int:
    """Raise the counter in `folder` and return the new number. OSError when it cannot be made durable."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    numbers = sorted(_numbers(folder))
    boot = number_after(numbers[-1] if numbers else None, unix_s)
    descriptor = os.open(folder / f"{_PREFIX}{boot:010}", os.O_CREAT | os.O_WRONLY, 0o600)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    sync_folder(folder)
    for number in numbers[: 1 - _KEPT]:
        (folder / f"{_PREFIX}{number:010}").unlink(missing_ok=True)
    return boot


def last_boot(folder: Path) -> int | None:
    """The last number used, None if there is none. OSError when the folder cannot be read."""
    return max(_numbers(folder), default=None) if folder.exists() else None


def _numbers(folder: Path) -> list[int]:
    names = [path.name.removeprefix(_PREFIX) for path in folder.iterdir() if path.name.startswith(_PREFIX)]
    return [int(name) for name in names if re.fullmatch("[0-9]+", name)]
