"""Formats numbers, durations and sizes as people read them, with the decimal comma of French."""

import re

from gateway.language import N_, Phrases

_WORDS = Phrases({
    "decimal": N_("."),
    "bytes": N_("B"),
    "day": N_("d"),
    "hour": N_("h"),
    "minute": N_("min"),
    "second": N_("s"),
})  # fmt: skip
# No line break comes before a French double sign, inside quotation marks, or between a number and its unit.
_JOINED = re.compile(
    r" (?=[:;!?»])|(?<=«) |(?<=[0-9]) (?=(?:k?W|VA|V|kWh|lx|mm|min|s|h|j|d|[kMGT]?[oB])\b|%|°C)|(?<=n°) "
)
_NO_BREAK = "\u00a0"
_UNITS = (("day", 86_400), ("hour", 3_600), ("minute", 60), ("second", 1))


def number(value: float, language: str, digits: int = 1) -> str:
    """Returns the number with `digits` decimals: `21,4`."""
    return f"{value:.{digits}f}".replace(".", _WORDS.text("decimal", language))


def duration(seconds: int, language: str) -> str:
    """Returns two units at most: `3 j 4 h`, `2 h 5 min`, `40 s`."""
    parts: list[tuple[int, str]] = []
    for name, length in _UNITS:
        count, seconds = divmod(max(0, seconds), length)
        if count or (parts and len(parts) < 2):
            parts.append((count, name))
        if len(parts) == 2:
            break
    shown = [f"{count} {_WORDS.text(name, language)}" for count, name in parts if count]
    return " ".join(shown) or f"0 {_WORDS.text('second', language)}"


def size(count: int, language: str) -> str:
    """Bytes with three digits or so: `805 Mo`, `1,2 GB`."""
    value, prefix = float(count), ""
    for following in ("k", "M", "G", "T"):
        if value < 999.5:
            break
        value, prefix = value / 1000, following
    digits = 1 if prefix and value < 99.95 else 0
    return f"{number(value, language, digits)} {prefix}{_WORDS.text('bytes', language)}"


def unbroken(text: str) -> str:
    """Returns French text with no-break spaces where no line may end: before its double signs, inside quotation marks,
    between a number and its unit."""
    return _JOINED.sub(_NO_BREAK, text)
