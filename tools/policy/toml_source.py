"""Reads a policy's TOML text with types: the values, the line of each, and every fault in them.

`tomllib` gives the values, `lines_of` their places; it reads text that `tomllib` has accepted, so it checks nothing and
must not be used alone. A path is the tuple of keys and list indexes by which the parsed document is indexed. Nothing
that a person wrote raises: all faults are collected, then shown together. Their sentences are in `words`, in both
languages; a fault holds the key and the values.
"""

import datetime
import difflib
import re
from bisect import bisect_right
from collections.abc import Mapping
from typing import Any, NamedTuple

from tools.policy.words import moment, word
from wire.line import is_line

Path = tuple[str | int, ...]

_BLANK = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_STRING = re.compile(
    r'"""(?:[^\\]|\\.)*?"{3,5}|\'\'\'.*?\'{3,5}|"(?:[^"\\\n]|\\.)*"|\'[^\'\n]*\'',
    re.DOTALL,
)
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_SCALAR = re.compile(r"[^,\]}\n#]+")
_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|(.))")
_ESCAPED = {"b": "\b", "t": "\t", "n": "\n", "f": "\f", "r": "\r"}
_TYPES = ((bool, "flag"), (str, "text"), (int, "integer"), (float, "number"), (list, "list"), (dict, "table"))


# --- places -------------------------------------------------------------------------------------------------------


def lines_of(source: str) -> dict[Path, int]:
    """Returns the line, from 1, of every table, key and list item of a sound TOML text."""
    return _Scan(source).document()


class _Scan:
    def __init__(self, source: str) -> None:
        self._source = source
        self._starts = [0, *(found.end() for found in re.finditer("\n", source))]
        self._at = 0
        self._lines: dict[Path, int] = {}
        self._items: dict[Path, int] = {}  # tables in each list of tables so far

    def document(self) -> dict[Path, int]:
        table: Path = ()
        while self._skip():
            start = self._at
            if self._step_over("[["):
                keys = self._keys()
                self._expect("]]")
                owner = (*self._resolved(keys[:-1]), keys[-1])
                index = self._items.get(owner, 0)
                self._items[owner] = index + 1
                table = (*owner, index)
                self._note(table, start)
            elif self._step_over("["):
                table = self._resolved(self._keys())
                self._expect("]")
                self._note(table, start)
            else:
                self._pair(table)
        return self._lines

    def _resolved(self, keys: list[str]) -> Path:
        """Returns the path to which a header's keys lead: under a list of tables, to its latest one."""
        path: Path = ()
        for key in keys:
            path = (*path, key)
            if path in self._items:
                path = (*path, self._items[path] - 1)
        return path

    def _pair(self, table: Path) -> None:
        start = self._at
        path = (*table, *self._keys())
        self._expect("=")
        self._note(path, start)
        self._value(path)

    def _value(self, path: Path) -> None:
        self._skip()
        if self._step_over("["):
            index = 0
            while not self._closes("]"):
                self._note((*path, index), self._at)
                self._value((*path, index))
                index += 1
        elif self._step_over("{"):
            while not self._closes("}"):
                self._pair(path)
        else:
            self._match(_STRING if self._source[self._at] in "\"'" else _SCALAR)

    def _closes(self, bracket: str) -> bool:
        """Steps over a comma; True when the list or the inline table ends here."""
        self._skip()
        if self._step_over(","):
            self._skip()
        return self._step_over(bracket)

    def _keys(self) -> list[str]:
        keys = []
        while True:
            self._skip()
            if self._source[self._at] in "\"'":
                keys.append(_unquoted(self._match(_STRING)))
            else:
                keys.append(self._match(_BARE_KEY))
            self._skip()
            if not self._step_over("."):
                return keys

    def _note(self, path: Path, at: int) -> None:
        line = bisect_right(self._starts, at)
        for length in range(1, len(path) + 1):  # a dotted key brings its tables with it
            self._lines.setdefault(path[:length], line)

    def _skip(self) -> bool:
        """Skips blanks and comments; returns False at the end of the text."""
        self._match(_BLANK)
        return self._at < len(self._source)

    def _match(self, pattern: re.Pattern[str]) -> str:
        found = pattern.match(self._source, self._at)
        assert found is not None, f"not TOML at {self._at}"
        self._at = found.end()
        return found.group()

    def _step_over(self, token: str) -> bool:
        if not self._source.startswith(token, self._at):
            return False
        self._at += len(token)
        return True

    def _expect(self, token: str) -> None:
        self._skip()
        is_there = self._step_over(token)
        assert is_there, f"not TOML at {self._at}: no {token}"


def _unquoted(text: str) -> str:
    if text[0] == "'":
        return text[1:-1]
    return _ESCAPE.sub(_character, text[1:-1])


def _character(found: re.Match[str]) -> str:
    code = found.group(1) or found.group(2)
    return chr(int(code, 16)) if code else _ESCAPED.get(found.group(3), found.group(3))


# --- faults -------------------------------------------------------------------------------------------------------


class SourceFault(NamedTuple):
    """Holds one fault of a text. `line` counts from 1; `where` is the place in words, such as `calendar[2].name`."""

    line: int
    where: str
    key: str
    values: dict[str, Any]

    def problem(self, language: str) -> str:
        return word(self.key, language, **_texts(self.values, language))

    def remedy(self, language: str) -> str:
        return word(f"{self.key}.do", language, **_texts(self.values, language))


class WordValue(NamedTuple):
    """Is a value of a fault that is itself a sentence of `words`."""

    key: str

    def text(self, language: str) -> str:
        return word(self.key, language)


class InstantValue(NamedTuple):
    """Is a value of a fault that is an instant, shown by the wall clock."""

    unix_s: int

    def text(self, language: str) -> str:
        return moment(self.unix_s, language)


class SourceFaults:
    """Holds the faults found so far; `lines` gives the line of each value of the document."""

    def __init__(self, lines: Mapping[Path, int]) -> None:
        self._lines = lines
        self._found: list[SourceFault] = []

    def add(self, path: Path, key: str, **values: Any) -> None:
        self._found.append(SourceFault(self._line(path), place(path), key, values))

    def count(self) -> int:
        return len(self._found)

    def in_order(self) -> tuple[SourceFault, ...]:
        """Returns the faults in the order of the file."""
        return tuple(sorted(self._found, key=lambda found: found.line))

    def _line(self, path: Path) -> int:
        """Returns the line of the value, or of the nearest table or list around it that is written in the text."""
        while path and path not in self._lines:
            path = path[:-1]
        return self._lines.get(path, 1)


def place(path: Path) -> str:
    """Returns a path in words, `calendar[2].night[1].steps[3]`; list items count from 1, as people count."""
    text = ""
    for part in path:
        text += f"[{part + 1}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def _texts(values: Mapping[str, Any], language: str) -> dict[str, Any]:
    return {
        name: value.text(language) if isinstance(value, WordValue | InstantValue) else value
        for name, value in values.items()
    }


# --- values -------------------------------------------------------------------------------------------------------


class Table:
    """Reads one table of the document, at `path`. Each method returns a sound value, or adds a fault and returns
    None."""

    def __init__(self, faults: SourceFaults, path: Path, data: dict[str, Any]) -> None:
        self.faults = faults
        self.path = path
        self.data = data
        self._read: list[str] = []

    def at(self, key: str) -> Path:
        return (*self.path, key)

    def add(self, key: str, fault: str, **values: Any) -> None:
        """Adds a fault of the value of `key`."""
        self.faults.add(self.at(key), fault, **values)

    def allow(self, *keys: str) -> None:
        """Accepts these keys here, whether or not they are read."""
        self._read += keys

    def has(self, key: str) -> bool:
        return key in self.data

    def text(self, key: str, bytes_max: int) -> str | None:
        value = self._typed(key, str)
        if value is None or is_line(value, bytes_max):
            return value
        self.add(key, "line", max=bytes_max)
        return None

    def integer(self, key: str, low: int, high: int) -> int | None:
        value = self._typed(key, int)
        if value is None or low <= value <= high:
            return value
        self.add(key, "range", value=value, low=low, high=high)
        return None

    def degrees(self, key: str, low: float, high: float) -> float | None:
        value = self._typed(key, float)
        if value is None or low <= value <= high:
            return value
        self.add(key, "degrees", value=value, low=f"{low:g}", high=f"{high:g}")
        return None

    def true(self, key: str) -> bool | None:
        """Reads `key = true`; any other value is a fault, since what is not wanted is left out."""
        value = self._typed(key, bool)
        if value is None or value:
            return value
        self.add(key, "only_true")
        return None

    def day(self, key: str, *, needed: bool = True) -> datetime.date | None:
        """Returns a date without a time, as TOML writes it or as a text."""
        value = self._found(key, needed=needed)
        if isinstance(value, str):
            try:
                return datetime.date.fromisoformat(value)
            except ValueError:
                self.add(key, "day", value=value)
                return None
        if value is None or (isinstance(value, datetime.date) and not isinstance(value, datetime.datetime)):
            return value
        self._wrong(self.at(key), value, "date")
        return None

    def one_of(self, key: str, words: tuple[str, ...], otherwise: str | None = None) -> str | None:
        if otherwise is not None and not self.has(key):
            return otherwise
        value = self._typed(key, str)
        if value is None or value in words:
            return value
        self.add(key, "one_of", value=value, words=", ".join(words))
        return None

    def items(self, key: str, *, needed: bool = True) -> list[tuple[Path, Any]]:
        """Returns the values of a list with their paths; a single value counts as a list of one."""
        value = self._found(key, needed=needed)
        if value is None:
            return []
        if not isinstance(value, list):
            return [(self.at(key), value)]
        if not value:
            self.add(key, "empty")
        return [((*self.at(key), i), item) for i, item in enumerate(value)]

    def table(self, key: str) -> "Table | None":
        value = self._found(key, needed=True)
        if value is None or isinstance(value, dict):
            return None if value is None else Table(self.faults, self.at(key), value)
        self._wrong(self.at(key), value, "table")
        return None

    def tables(self, key: str, count_max: int, *, needed: bool) -> list["Table"]:
        """Returns the tables of `[[key]]`; more than `count_max` of them are a fault."""
        value = self._found(key, needed=needed)
        if value is None:
            return []
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            self.add(key, "tables", name=key)
            return []
        if len(value) > count_max:
            self.faults.add((*self.at(key), count_max), "too_many", max=count_max)
        return [Table(self.faults, (*self.at(key), i), item) for i, item in enumerate(value)]

    def close(self) -> None:
        """Adds a fault for every key that was not read: a misspelt word must not be silently ignored."""
        for key in self.data:
            if key not in self._read:
                near = difflib.get_close_matches(key, self._read, 1)
                words = near[0] if near else ", ".join(sorted(set(self._read)))
                self.add(key, "unknown_near" if near else "unknown", words=words)

    def _found(self, key: str, *, needed: bool) -> Any:
        self._read.append(key)
        if key in self.data:
            return self.data[key]
        if needed:
            self.faults.add(self.path, "missing", name=key)
        return None

    def _typed(self, key: str, kind: type) -> Any:
        value = self._found(key, needed=True)
        if value is None or type(value) is kind or (kind is float and type(value) is int):
            return value
        self._wrong(self.at(key), value, dict(_TYPES)[kind])
        return None

    def _wrong(self, path: Path, value: Any, wanted: str) -> None:
        wrong_type(self.faults, path, value, wanted)


def wrong_type(faults: SourceFaults, path: Path, value: Any, wanted: str) -> None:
    """Adds the fault that a value is not of the kind that its key takes."""
    kinds = dict(_TYPES)
    found = kinds.get(type(value), "date")
    faults.add(path, "type", found=WordValue(f"type.{found}"), wanted=WordValue(f"type.{wanted}"))
