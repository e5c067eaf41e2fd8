"""Typed reading of a parsed TOML table: each method gives a sound value, or None after it has complained.

A key that nobody asked for is a fault too (`close`): a misspelt word must not be silently without effect.
"""

import datetime
import difflib
from typing import Any

from tools.policy.complaints import Complaints, Said
from tools.policy.source_lines import Path
from wire.line import is_line

_TYPES = ((bool, "flag"), (str, "text"), (int, "integer"), (float, "number"), (list, "list"), (dict, "table"))


class Table:
    """One table of the document, at `path`."""

    def __init__(self, complaints: Complaints, path: Path, data: dict[str, Any]) -> None:
        self.complaints = complaints
        self.path = path
        self.data = data
        self._asked: list[str] = []

    def at(self, key: str) -> Path:
        return (*self.path, key)

    def add(self, key: str, fault: str, **values: Any) -> None:
        """Complains about the value of `key`."""
        self.complaints.add(self.at(key), fault, **values)

    def know(self, *keys: str) -> None:
        """These keys may stand here, whether or not somebody reads them."""
        self._asked += keys

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
        """`key = true` and nothing else: what is not wanted is left out."""
        value = self._typed(key, bool)
        if value is None or value:
            return value
        self.add(key, "only_true")
        return None

    def day(self, key: str, *, needed: bool = True) -> datetime.date | None:
        """A date without a time, as TOML writes it or as a text."""
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
        """The values of a list with their places; a value that stands alone is a list of one."""
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
            return None if value is None else Table(self.complaints, self.at(key), value)
        self._wrong(self.at(key), value, "table")
        return None

    def tables(self, key: str, count_max: int, *, needed: bool) -> list["Table"]:
        """The tables of `[[key]]`; more than `count_max` of them are a fault."""
        value = self._found(key, needed=needed)
        if value is None:
            return []
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            self.add(key, "tables", name=key)
            return []
        if len(value) > count_max:
            self.complaints.add((*self.at(key), count_max), "too_many", max=count_max)
        return [Table(self.complaints, (*self.at(key), i), item) for i, item in enumerate(value)]

    def close(self) -> None:
        """Complains about every key that nobody asked for."""
        for key in self.data:
            if key not in self._asked:
                near = difflib.get_close_matches(key, self._asked, 1)
                words = near[0] if near else ", ".join(sorted(set(self._asked)))
                self.add(key, "unknown_near" if near else "unknown", words=words)

    def _found(self, key: str, *, needed: bool) -> Any:
        self._asked.append(key)
        if key in self.data:
            return self.data[key]
        if needed:
            self.complaints.add(self.path, "missing", name=key)
        return None

    def _typed(self, key: str, kind: type) -> Any:
        value = self._found(key, needed=True)
        if value is None or type(value) is kind or (kind is float and type(value) is int):
            return value
        self._wrong(self.at(key), value, dict(_TYPES)[kind])
        return None

    def _wrong(self, path: Path, value: Any, wanted: str) -> None:
        wrong_type(self.complaints, path, value, wanted)


def wrong_type(complaints: Complaints, path: Path, value: Any, wanted: str) -> None:
    """Complains that a value is not of the kind that its key takes."""
    kinds = dict(_TYPES)
    found = kinds.get(type(value), "date")
    complaints.add(path, "type", found=Said(f"type.{found}"), wanted=Said(f"type.{wanted}"))
