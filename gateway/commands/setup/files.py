"""The files under /etc/bocage: which there are, who may read them, and how each is replaced as a whole or not at all.

A power cut in the middle of the wizard leaves each file old or new; gateway.toml comes last, so that the service, which
waits for it, never finds a half.
"""

import os
import tempfile
from pathlib import Path
from typing import NamedTuple

from gateway.io.files import sync_folder

ETC = Path("/etc/bocage")
CONFIG = ETC / "gateway.toml"
BEFORE = ETC / "gateway.toml.before"
KEY = ETC / "gateway.key"
REQUEST = ETC / "gateway.csr"
CERTIFICATE = ETC / "gateway.pem"
AUTHORITY = ETC / "ca.pem"
COMMUNE_KEYS = ETC / "commune.keys"
SERVICE_OPTIONS = ETC / "gateway.env"

_GROUP = "bocage"


class New(NamedTuple):
    """A file to be written. `mode` 0o640 goes with the agent's group, others are root's alone."""

    path: Path
    data: bytes
    mode: int


def under(root: Path, path: Path) -> Path:
    """Where a file of the system lies when the system lies at `root`."""
    return root / path.relative_to("/")


def read(root: Path, path: Path) -> bytes | None:
    """The content, or None when there is no such file. OSError when it may not be read."""
    try:
        return under(root, path).read_bytes()
    except FileNotFoundError:
        return None


def replace(root: Path, new: New) -> None:
    """Write a file beside its place, with its rights from the first byte on, and move it there."""
    path = under(root, new.path)
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(new.data)
            file.flush()
            group = _group_of(root) if new.mode == 0o640 else None
            if group is not None and os.geteuid() == 0:
                os.fchown(file.fileno(), 0, group)
            os.fchmod(file.fileno(), new.mode)
            os.fsync(file.fileno())
        os.rename(name, path)
    except BaseException:
        os.unlink(name)
        raise
    sync_folder(path.parent)


def _group_of(root: Path) -> int | None:
    """The number of the agent's group as that system has it: an image's may differ from ours."""
    try:
        lines = (root / "etc" / "group").read_text(encoding="utf-8").splitlines()
    except OSError:
        return None
    found = [line.split(":") for line in lines if line.startswith(f"{_GROUP}:")]
    return int(found[0][2]) if found and len(found[0]) > 2 and found[0][2].isdigit() else None
