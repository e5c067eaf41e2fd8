"""Parses and formats a directive as people write and read it, in French and in English: `sécheresse 2`, `load-shed
1.5`.

Serves the technician's command at a gateway and the operator's at the centre. Names and words are accepted in either
language, with or without accents. A text that makes no sense gives None; nothing raises.
"""

import unicodedata
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any, NamedTuple

from gateway.language import LANGUAGES, N_, NC_, translate
from gateway.language.figures import number
from wire import directive

_EPOCH = date(1970, 1, 1)
_DIGITS_MAX = 6
_ORDERED = NC_("hours", "ordered")


class Form(NamedTuple):
    """Describes how people write a directive: its name, the decimals of its value, the unit; `words`: one for each
    value from 0 on."""

    name: str
    decimals: int = 0
    unit: str = ""
    words: tuple[str, ...] = ()


# Names and words have no space, so that a command line takes them as they are.
FORMS = {
    directive.OUTDOOR_TEMPERATURE: Form(N_("outdoor-temperature"), 2, "°C"),
    directive.TEMPERATURE_MIN_6H: Form(N_("temperature-min-6h"), 2, "°C"),
    directive.EVAPOTRANSPIRATION: Form(N_("et0"), 2, "mm"),
    directive.RAIN_DAY: Form(N_("rain-day"), 1, "mm"),
    directive.RAIN_FORECAST: Form(N_("rain-forecast"), 1, "mm"),
    directive.WIND_SPEED: Form(NC_("directive", "wind"), 1, "m/s"),
    directive.DROUGHT_LEVEL: Form(
        N_("drought"),
        words=(
            NC_("drought level", "none"),
            NC_("drought level", "watch"),
            NC_("drought level", "alert"),
            NC_("drought level", "reinforced-alert"),
            NC_("drought level", "crisis"),
        ),
    ),
    directive.LOAD_SHED: Form(N_("load-shed"), 2, "K"),
    directive.EXCEPTION: Form(
        N_("exception"), words=(NC_("room", "usual"), NC_("room", "closed"))
    ),
    directive.WEATHER_DAY: Form(N_("weather-day")),
    directive.OCCUPIED: Form(N_("occupied-hours")),
    directive.DRY: Form(N_("dry-hours")),
}


def code_of(text: str) -> int | None:
    """Returns the code that a name means; None for no name of ours."""
    plain = _plain(text)
    for code, form in FORMS.items():
        names = (directive.TABLE[code][0], *(translate(form.name, language) for language in LANGUAGES))
        if plain in map(_plain, names):
            return code
    return None


def value_of(code: int, text: str) -> int | None:
    """Returns the scaled integer behind `12.5`, `12,5`, `-3`, a word or a date (`2026-06-01`), within its bounds; else
    None."""
    form, plain = FORMS[code], _plain(text)
    for value, word in enumerate(form.words):
        if plain in (_plain(translate(word, language)) for language in LANGUAGES):
            return value
    found = _day(plain) if code == directive.WEATHER_DAY else _scaled(text.strip(), form.decimals)
    return found if found is not None and directive.is_sound(code, found) else None


def values_of(words: Sequence[str], language: str) -> tuple[dict[int, int], tuple[str, dict[str, Any]] | None]:
    """Returns ({code: value}, None) behind names and values in turn, or ({}, (why, what its sentence needs)): `pairs`,
    `what`, `value`."""
    if len(words) % 2:
        return {}, ("pairs", {})
    values = {}
    for named, text in zip(words[::2], words[1::2], strict=True):
        code = code_of(named)
        if code is None:
            return {}, ("what", {"name": named, "names": ", ".join(name(one, language) for one in FORMS)})
        value = value_of(code, text)
        if value is None:
            return {}, ("value", {"name": named, "value": text, "bounds": bounds(code, language)})
        values[code] = value
    return values, None


def name(code: int, language: str) -> str:
    """`sécheresse`; a code of a later release stands as its number."""
    return translate(FORMS[code].name, language) if code in FORMS else f"d{code}"


def value_text(code: int, value: int, language: str) -> str:
    """`alerte (2)`, `1,5 K`; a value of a later release stands as its number."""
    form = FORMS.get(code)
    if form is None:
        return str(value)
    if code == directive.WEATHER_DAY:
        return _date(value)
    if code in directive.HOURS:
        return translate(_ORDERED, language)  # at a node the value is the minute at which they begin
    if form.words:
        return f"{translate(form.words[value], language)} ({value})" if value < len(form.words) else str(value)
    shown = number(value / 10**form.decimals, language, form.decimals)
    if form.decimals:
        shown = shown.rstrip("0").rstrip(".,")
    return f"{shown} {form.unit}"


def text(values: Mapping[int, int], language: str) -> str:
    """Returns all of {code: value}, in the order of the codes: `sécheresse alerte (2), délestage 1,5 K`."""
    shown = (f"{name(code, language)} {value_text(code, value, language)}" for code, value in sorted(values.items()))
    return ", ".join(shown)


def bounds(code: int, language: str) -> str:
    """Returns what `value_of` accepts, for a person who gave something else."""
    form = FORMS[code]
    if form.words:
        return ", ".join(f"{value} {translate(word, language)}" for value, word in enumerate(form.words))
    _, lowest, highest = directive.TABLE[code]
    if code == directive.WEATHER_DAY:
        return f"{_date(lowest)} … {_date(highest)}"
    scale = 10**form.decimals
    return f"{lowest // scale} … {highest // scale} {form.unit}"


def _day(text: str) -> int | None:
    """Returns the days since 1970 of a date as people write it."""
    try:
        return (date.fromisoformat(text) - _EPOCH).days if len(text) == 10 else None
    except ValueError:
        return None


def _date(days: int) -> str:
    try:
        return (_EPOCH + timedelta(days=days)).isoformat()
    except OverflowError:  # a value of a later release
        return str(days)


def _plain(text: str) -> str:
    """Without accents, in lower case, with hyphens."""
    letters = unicodedata.normalize("NFD", text.strip().lower())
    kept = "".join(letter for letter in letters if not unicodedata.combining(letter))
    return kept.replace("_", "-").replace(" ", "-")


def _scaled(text: str, decimals: int) -> int | None:
    """Returns an integer of 10^-decimals; None when the text is no number, or a finer one."""
    is_negative = text.startswith("-")
    whole, _, rest = text[1 if is_negative else 0 :].replace(",", ".").partition(".")
    if not _is_digits(whole) or (rest and not _is_digits(rest)) or len(rest) > decimals:
        return None
    value = int(whole) * 10**decimals + (int(rest.ljust(decimals, "0")) if rest else 0)
    return -value if is_negative else value


def _is_digits(text: str) -> bool:
    return 1 <= len(text) <= _DIGITS_MAX and text.isascii() and text.isdigit()
