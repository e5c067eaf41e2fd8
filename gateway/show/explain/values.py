"""Plain JSON values taken with suspicion: what is asked for, or None; bounded, of one kind, never an exception."""

import math
from typing import Any

_ITEMS_MAX = 64
_CHARACTERS_MAX = 200
_NUMBER_MAX = 1e15
_UNIX_S_MAX = 4_000_000_000


def text(value: Any) -> str | None:
    """A text that can be shown: bounded, of one line; None for what is none, or empty."""
    if not isinstance(value, str):
        return None
    shown = "".join(character if character.isprintable() else " " for character in value[:_CHARACTERS_MAX]).strip()
    return shown or None


def flag(value: Any) -> bool | None:
    """True, false, or None for what is neither."""
    return value if isinstance(value, bool) else None


def integer(value: Any) -> int | None:
    """The nearest whole number."""
    found = number(value)
    return None if found is None else round(found)


def number(value: Any) -> float | None:
    """A finite number of a size that can be reckoned with."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return value if -_NUMBER_MAX < value < _NUMBER_MAX and math.isfinite(value) else None


def moment(value: Any) -> int | None:
    """Unix seconds of the years in which a calendar can be reckoned."""
    found = integer(value)
    return found if found is not None and 0 <= found < _UNIX_S_MAX else None


def mapping(value: Any) -> dict[str, Any]:
    """A map with texts as keys; empty for what is none."""
    return {key: item for key, item in value.items() if isinstance(key, str)} if isinstance(value, dict) else {}


def listed(value: Any) -> list[Any]:
    """A list; empty for what is none."""
    return list(value) if isinstance(value, list | tuple) else []


def mappings(value: Any) -> list[dict[str, Any]]:
    """The maps of a list, so many of them."""
    return [mapping(one) for one in listed(value)[:_ITEMS_MAX] if isinstance(one, dict)]
