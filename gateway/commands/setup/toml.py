"""Writes gateway.toml: sections in the order of reading, a comment where one helps, everything else as it was.

Python reads TOML and does not write it. What the file may hold is little: text, numbers, booleans, lists of those, and
lists of tables. Comments that somebody wrote by hand are not kept; the file as it was lies beside it.
"""

from collections.abc import Callable, Mapping
from typing import Any

ORDER = ("gateway", "cabinet", "page", "link", "uplink", "fibre", "mobile", "clock", "journal", "status", "metrics")

# path of a section or field -> its comment, without the "#"; None: none
Comment = Callable[[str], str | None]

_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}


def write(document: Mapping[str, Any], comment: Comment) -> str:
    """The text of a document. TypeError for a kind of value that no configuration has."""
    lines = _comment(comment(""))
    known = [name for name in ORDER if name in document]
    for name in (*known, *(name for name in document if name not in ORDER)):
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
            for number, item in enumerate(value):
                later += _item(inner, item, comment if number == 0 else _no_comment)
        else:
            lines += [*_comment(comment(inner)), f"{field} = {literal(value)}"]
    return lines + later


def _item(path: str, table: Mapping[str, Any], comment: Comment) -> list[str]:
    lines = ["", *_comment(comment(path)), f"[[{path}]]"]
    for field, value in table.items():
        lines += [*_comment(comment(f"{path}.{field}")), f"{field} = {literal(value)}"]
    return lines


def literal(value: Any) -> str:
    """One value as TOML."""
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
