"""Faults of a policy's text as people need them: line, place, what is wrong, what to write instead.

The words are in `words`, in both languages; a complaint holds their key and values. Nothing raises for what a person
wrote: all faults are collected, then told together.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from tools.policy.source_lines import Path
from tools.policy.words import moment, word


class Complaint(NamedTuple):
    """One fault. `line` counts from 1; `where` is the place in words of the file, such as `calendar[2].name`."""

    line: int
    where: str
    key: str
    values: dict[str, Any]

    def problem(self, language: str) -> str:
        return word(self.key, language, **_spoken(self.values, language))

    def remedy(self, language: str) -> str:
        return word(f"{self.key}.do", language, **_spoken(self.values, language))


class Said(NamedTuple):
    """A value of a complaint that is a word of the table itself."""

    key: str

    def spoken(self, language: str) -> str:
        return word(self.key, language)


class Moment(NamedTuple):
    """A value of a complaint that is an instant: told as the wall clock shows it."""

    unix_s: int

    def spoken(self, language: str) -> str:
        return moment(self.unix_s, language)


class Complaints:
    """Collects faults; `lines` says where the values of the document stand."""

    def __init__(self, lines: Mapping[Path, int]) -> None:
        self._lines = lines
        self._found: list[Complaint] = []

    def add(self, path: Path, key: str, **values: Any) -> None:
        self._found.append(Complaint(self._line(path), place(path), key, values))

    def count(self) -> int:
        return len(self._found)

    def listed(self) -> tuple[Complaint, ...]:
        """In the order of the file."""
        return tuple(sorted(self._found, key=lambda found: found.line))

    def _line(self, path: Path) -> int:
        """The line of the value, or of the nearest thing around it that is written down."""
        while path and path not in self._lines:
            path = path[:-1]
        return self._lines.get(path, 1)


def place(path: Path) -> str:
    """`calendar[2].night[1].steps[3]`: list items count from 1, as people do."""
    text = ""
    for part in path:
        text += f"[{part + 1}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def _spoken(values: Mapping[str, Any], language: str) -> dict[str, Any]:
    return {
        name: value.spoken(language) if isinstance(value, Said | Moment) else value
        for name, value in values.items()
    }
