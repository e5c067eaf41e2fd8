"""On which line of a TOML text each value stands: `tomllib` gives values, this gives their places.

It reads text that `tomllib` has accepted, so it checks nothing and must not be used alone. A path is a tuple of keys
and list indexes, as one would index the parsed document.
"""

import re
from bisect import bisect_right

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


def lines_of(source: str) -> dict[Path, int]:
    """{path: line, from 1} of every table, key and list item of a sound TOML text."""
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
            if self._take("[["):
                keys = self._keys()
                self._expect("]]")
                owner = (*self._resolved(keys[:-1]), keys[-1])
                index = self._items.get(owner, 0)
                self._items[owner] = index + 1
                table = (*owner, index)
                self._note(table, start)
            elif self._take("["):
                table = self._resolved(self._keys())
                self._expect("]")
                self._note(table, start)
            else:
                self._pair(table)
        return self._lines

    def _resolved(self, keys: list[str]) -> Path:
        """Where a header's keys lead: under a list of tables, to its latest one."""
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
        if self._take("["):
            index = 0
            while not self._closes("]"):
                self._note((*path, index), self._at)
                self._value((*path, index))
                index += 1
        elif self._take("{"):
            while not self._closes("}"):
                self._pair(path)
        else:
            self._match(_STRING if self._source[self._at] in "\"'" else _SCALAR)

    def _closes(self, bracket: str) -> bool:
        """Steps over commas; True when the list or the inline table ends here."""
        self._skip()
        if self._take(","):
            self._skip()
        return self._take(bracket)

    def _keys(self) -> list[str]:
        keys = []
        while True:
            self._skip()
            if self._source[self._at] in "\"'":
                keys.append(_unquoted(self._match(_STRING)))
            else:
                keys.append(self._match(_BARE_KEY))
            self._skip()
            if not self._take("."):
                return keys

    def _note(self, path: Path, at: int) -> None:
        line = bisect_right(self._starts, at)
        for length in range(1, len(path) + 1):  # a dotted key brings its tables with it
            self._lines.setdefault(path[:length], line)

    def _skip(self) -> bool:
        """Over blanks and comments; False at the end of the text."""
        self._match(_BLANK)
        return self._at < len(self._source)

    def _match(self, pattern: re.Pattern[str]) -> str:
        found = pattern.match(self._source, self._at)
        assert found is not None, f"not TOML at {self._at}"
        self._at = found.end()
        return found.group()

    def _take(self, token: str) -> bool:
        if not self._source.startswith(token, self._at):
            return False
        self._at += len(token)
        return True

    def _expect(self, token: str) -> None:
        self._skip()
        taken = self._take(token)
        assert taken, f"not TOML at {self._at}: no {token}"


def _unquoted(text: str) -> str:
    if text[0] == "'":
        return text[1:-1]
    return _ESCAPE.sub(_character, text[1:-1])


def _character(found: re.Match[str]) -> str:
    code = found.group(1) or found.group(2)
    return chr(int(code, 16)) if code else _ESCAPED.get(found.group(3), found.group(3))
