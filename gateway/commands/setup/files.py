"""Names the files under /etc/bocage and who may read them, replaces each as a whole, and writes the text of
gateway.toml.

A power cut in the middle of the wizard leaves each file old or new; gateway.toml comes last, so that the service, which
waits for it, never finds half a set. Python reads TOML and does not write it: `toml_text` writes text, numbers,
booleans, lists of those, and lists of tables, in the order of reading, with a comment where one helps. Comments written
by hand are not kept; the earlier file is kept beside it.
"""

import os
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

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

# Sections of gateway.toml in the order of reading.
ORDER = ("gateway", "cabinet", "page", "link", "uplink", "bearer", "clock", "journal")

# path of a section or field -> its comment, without the "#"; None: none
Comment = Callable[[str], str | None]

_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}


class New(NamedTuple):
    """Holds a file to be written. `mode` 0o640 goes with the agent's group, others are root's alone."""

    path: Path
    data: bytes
    mode: int


def under(root: Path, path: Path) -> Path:
    """Returns the path of a file when the system is at `root`."""
    return root / path.relative_to("/")


def read(root: Path, path: Path) -> bytes | None:
    """Returns the content, or None when there is no such file. OSError when it may not be read."""
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
    """Returns the number of the agent's group in that system: an image's may differ from ours."""
    try:
        lines = (root / "etc" / "group").read_text(encoding="utf-8").splitlines()
    except OSError:
        return None
    found = [line.split(":") for line in lines if line.startswith(f"{_GROUP}:")]
    return int(found[0][2]) if found and len(found[0]) > 2 and found[0][2].isdigit() else None


def toml_text(document: Mapping[str, Any], comment: Comment) -> str:
    """Returns the text of a document. TypeError for a kind of value that no configuration has."""
    lines = _comment(comment(""))
    known = [name for name in ORDER if name in document]
    for name in (*known, *(name for name in document if name not in ORDER)):
        if isinstance(document[name], list):
            lines += _items(name, document[name], comment)
        else:
            lines += _table(name, document[name], comment)
    return "\n".join([*lines, ""])


def _table(path: str, table: Mapping[str, Any], comment: Comment) -> list[str]:
    lines = ["", *_comment(comment(path)), f"[{path}]"]
    later: list[str] = []
    for field, value in table.items():
        inner = f"{path}.{field}"
        if isinstance(value, Mapping):
            later += _table(inner, value, comment)
        elif isinstance(value, list) and value and all(isinstance(item, Mapping) for item in value):
            later += _items(inner, value, comment)
        else:
            lines += [*_comment(comment(inner)), f"{field} = {literal(value)}"]
    return lines + later


def _items(path: str, items: list[Any], comment: Comment) -> list[str]:
    return [line for number, item in enumerate(items) for line in _item(path, item, _no_comment if number else comment)]


def _item(path: str, table: Mapping[str, Any], comment: Comment) -> list[str]:
    lines = ["", *_comment(comment(path)), f"[[{path}]]"]
    for field, value in table.items():
        lines += [*_comment(comment(f"{path}.{field}")), f"{field} = {literal(value)}"]
    return lines


def literal(value: Any) -> str:
    """Returns one value as TOML."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, str):
        return f'"{"".join(_escaped(character) for character in value)}"'
    if isinstance(value, list):
        return f"[{', '.join(literal(item) for item in value)}]"
    raise TypeError(f"{value!r} has no place in a configuration")


def _escaped(character: str) -> str:
    if character in _ESCAPES:
        return _ESCAPES[character]
    return f"\\u{ord(character):04x}" if ord(character) < 0x20 or ord(character) == 0x7F else character


def _comment(text: str | None) -> list[str]:
    return [f"# {line}".rstrip() for line in text.splitlines()] if text else []


def _no_comment(_path: str) -> None:
    return None
