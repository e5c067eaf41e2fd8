"""A directive as people write and read it, in French and in English: `sécheresse 2`, `load-shed 1.5`.

Serves those who tell nodes something: the technician's command at a gateway and the operator's at the centre. A node
needs none of it. Texts from people give None where they make no sense; nothing raises.
"""

from policy import civil
from wire import directive

LANGUAGES = ("fr", "en")

# code: (French, English, decimals of the value in `unit`, unit)
FORMS = {
    directive.OUTDOOR_TEMPERATURE: ("température-extérieure", "outdoor-temperature", 2, "°C"),
    directive.TEMPERATURE_MIN_6H: ("température-min-6h", "temperature-min-6h", 2, "°C"),
    directive.EVAPOTRANSPIRATION: ("et0", "et0", 2, "mm"),
    directive.RAIN_DAY: ("pluie-hier", "rain-day", 1, "mm"),
    directive.RAIN_FORECAST: ("pluie-prévue", "rain-forecast", 1, "mm"),
    directive.WIND_SPEED: ("vent", "wind", 1, "m/s"),
    directive.DROUGHT_LEVEL: ("sécheresse", "drought", 0, ""),
    directive.LOAD_SHED: ("délestage", "load-shed", 2, "K"),
    directive.EXCEPTION: ("exception", "exception", 0, ""),
    directive.WEATHER_DAY: ("jour-météo", "weather-day", 0, ""),
}
# code: a (French, English) word for each value from 0 on
VALUES = {
    directive.DROUGHT_LEVEL: (
        ("aucune", "none"),
        ("vigilance", "watch"),
        ("alerte", "alert"),
        ("alerte-renforcée", "reinforced-alert"),
        ("crise", "crisis"),
    ),
    directive.EXCEPTION: (("habituel", "usual"), ("fermé", "closed"), ("occupé", "occupied")),
}
_ACCENTS = (("é", "e"), ("è", "e"), ("ê", "e"), ("à", "a"), ("ç", "c"), ("_", "-"), (" ", "-"))
_DIGITS_MAX = 6


def code_of(text):
    """The code that a name means, in either language, accents or not; None."""
    plain = _plain(text)
    for code in FORMS:
        names = (FORMS[code][0], FORMS[code][1], directive.TABLE[code][0])
        if plain in [_plain(name) for name in names]:
            return code
    return None


def value_of(code, text):
    """The scaled integer behind `12.5`, `12,5`, `-3`, a word of VALUES or a date (`2026-06-01`), within its bounds; or
    None."""
    plain = _plain(text)
    if code == directive.WEATHER_DAY:
        value = _day(plain)
        return value if value is not None and directive.is_sound(code, value) else None
    for value, words in enumerate(VALUES.get(code, ())):
        if plain in [_plain(word) for word in words]:
            return value
    value = _scaled(text.strip(), FORMS[code][2])
    return value if value is not None and directive.is_sound(code, value) else None


def values_of(words, language):
    """({code: value}, None) behind names and values in turn, or (None, (why, what its sentence needs)): `pairs`,
    `what`, `value`."""
    if len(words) % 2:
        return None, ("pairs", {})
    values = {}
    for index in range(0, len(words), 2):
        named, text = words[index], words[index + 1]
        code = code_of(named)
        if code is None:
            return None, ("what", {"name": named, "names": ", ".join([name(one, language) for one in FORMS])})
        value = value_of(code, text)
        if value is None:
            return None, ("value", {"name": named, "value": text, "bounds": bounds(code, language)})
        values[code] = value
    return values, None


def name(code, language) -> str:
    """`sécheresse`; a code of a later release stands as its number."""
    return FORMS[code][LANGUAGES.index(language)] if code in FORMS else f"d{code}"


def show(code, value, language) -> str:
    """`sécheresse alerte (2)`, `load-shed 1.5 K`."""
    if code not in FORMS:
        return f"{name(code, language)} {value}"
    if code == directive.WEATHER_DAY:
        return f"{name(code, language)} {_date(value)}"
    words = VALUES.get(code)
    if words is not None:
        return f"{name(code, language)} {words[value][LANGUAGES.index(language)]} ({value})"
    decimals, unit = FORMS[code][2:]
    whole, rest = divmod(abs(value), 10**decimals)
    shown = ("-" if value < 0 else "") + str(whole)
    if rest:
        digits = str(rest)
        digits = "0" * (decimals - len(digits)) + digits
        shown += ("," if language == "fr" else ".") + digits.rstrip("0")
    return f"{name(code, language)} {shown} {unit}"


def show_all(values, language) -> str:
    """All of {code: value}, in the order of the codes."""
    return ", ".join([show(code, values[code], language) for code in sorted(values)])


def bounds(code, language) -> str:
    """What `value_of` takes, for a person who gave something else."""
    words = VALUES.get(code)
    if words is not None:
        return ", ".join([f"{value} {pair[LANGUAGES.index(language)]}" for value, pair in enumerate(words)])
    _, lowest, highest = directive.TABLE[code]
    if code == directive.WEATHER_DAY:
        return f"{_date(lowest)} … {_date(highest)}"
    decimals, unit = FORMS[code][2:]
    return f"{lowest // 10**decimals} … {highest // 10**decimals} {unit}"


def _day(text):
    """The civil day of a date, or None."""
    parts = text.split("-")
    if [len(part) for part in parts] != [4, 2, 2] or not all(_is_digits(part) for part in parts):
        return None
    year, month, day = [int(part) for part in parts]
    return civil.days_from_civil(year, month, day) if civil.is_date(year, month, day) else None


def _date(civil_day):
    year, month, day = civil.civil_from_days(civil_day)
    return f"{year:04d}-{month:02d}-{day:02d}"


def _plain(text):
    plain = text.strip().lower()
    for accented, letter in _ACCENTS:
        plain = plain.replace(accented, letter)
    return plain.replace("É", "e")


def _scaled(text, decimals):
    """An integer of 10^-decimals; None when the text is no number, or a finer one."""
    is_negative = text[:1] == "-"
    whole, _, rest = text[1 if is_negative else 0 :].replace(",", ".").partition(".")
    if not _is_digits(whole) or (rest and not _is_digits(rest)) or len(rest) > decimals:
        return None
    value = int(whole) * 10**decimals + (int(rest + "0" * (decimals - len(rest))) if rest else 0)
    return -value if is_negative else value


def _is_digits(text):
    return 1 <= len(text) <= _DIGITS_MAX and all(letter in "0123456789" for letter in text)
