"""Holds the one catalogue of sentences that people read, in French and in English: screens, command lines, alarms,
reports.

A sentence is written once, in English, where the program needs it. Its French stands in
`locale/fr/LC_MESSAGES/bocage.po`, which a translator edits with any gettext tool. Three marks make a sentence part of
the catalogue, and `translate` chooses its language and fills in values by name (`str.format`; a real brace is doubled):

    from gateway.language import N_, NC_, NN_, Phrases, translate

    translate(N_("started {uptime} ago"), language, uptime="3 h")
    WORDS = Phrases({  # where a code of the program chooses what is said
        "lamps": NN_("{count} lamp", "{count} lamps"),  # the value `count` chooses the form
        "rule.none": NC_("feminine", "none"),  # one English word, several in French: a context tells them apart
    })
    WORDS.text("lamps", language, count=3)  # "3 lampes"

The docstring of a command and the `help` of its arguments are in it without a mark (`tools/command_line`).

After a change: `python -m tools.package.catalogue` brings the .po up to date, compiles it, and names what is left to
translate; a missing, fuzzy or unused entry fails the tests. After a conflict in the .po: keep both sides, run it again.

This package ships in the gateway's wheel and is the one part of `gateway` that tools, the centre and the simulator may
import; it imports nothing of ours but `wire`, for the codes of events. It needs the standard library's gettext only.
"""

import functools
import gettext
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

LANGUAGES = ("fr", "en")
DEFAULT_LANGUAGE = "fr"
DOMAIN = "bocage"
LOCALE = Path(__file__).parent / "locale"

# What separates a context from its sentence in gettext's files.
_CONTEXT_END = "\x04"


class Plural(NamedTuple):
    """Holds a sentence in two forms: for one thing and for several."""

    one: str
    several: str


class Sentence(NamedTuple):
    """Holds a sentence with its values. As a value of another sentence it is said in that one's language."""

    message: "Message"
    values: Mapping[str, object] = {}


# A sentence of the catalogue as the sources hold it: in English, not yet translated.
Message = str | Plural


def N_(english: str) -> str:  # noqa: N802 (gettext's own name for a mark)
    """Marks a sentence of the catalogue."""
    return english


def NC_(context: str, english: str) -> str:  # noqa: N802
    """Marks a sentence whose translation depends on where it is said."""
    return f"{context}{_CONTEXT_END}{english}"


def NN_(one: str, several: str) -> Plural:  # noqa: N802
    """Marks a sentence that counts something, by its value `count`."""
    return Plural(one, several)


def translate(message: Message, language: str, /, **values: object) -> str:
    """Returns the sentence in one of LANGUAGES, with its values."""
    catalogue = _catalogue(language)
    if isinstance(message, Plural):
        count = values.get("count")
        found = catalogue.ngettext(message.one, message.several, count if isinstance(count, int) else 2)
    else:
        found = catalogue.gettext(message).rpartition(_CONTEXT_END)[2]
    return found.format(**{name: _shown(value, language) for name, value in values.items()})


def plain(text: str, language: str) -> str:
    """Returns a text without values, as the help of a command is: its braces and percent signs are its own."""
    return _catalogue(language).gettext(text) if text else ""


def _shown(value: object, language: str) -> object:
    return translate(value.message, language, **value.values) if isinstance(value, Sentence) else value


class Phrases:
    """Sentences by key: `text` says one, `text_or` one whose key is made of a word from outside."""

    def __init__(self, messages: Mapping[str, Message]) -> None:
        self.messages = dict(messages)

    def __contains__(self, key: str) -> bool:
        return key in self.messages

    def text(self, key: str, language: str, /, **values: object) -> str:
        """KeyError for a key that the table does not have: a bug of ours."""
        return translate(self.messages[key], language, **values)

    def text_or(self, key: str, otherwise: str, language: str, /, **values: object) -> str:
        """`otherwise` as it stands for a key that the table does not have."""
        return self.text(key, language, **values) if key in self.messages else otherwise


@functools.cache
def _catalogue(language: str) -> gettext.NullTranslations:
    """Returns the compiled catalogue; without one people read English and learn how to make it."""
    if language not in LANGUAGES:
        raise ValueError(f"no language {language}")
    if language == "en":
        return gettext.NullTranslations()
    try:
        return gettext.translation(DOMAIN, LOCALE, [language])
    except OSError:
        print(
            f"bocage: {LOCALE} holds no compiled {language}, English follows;"
            " `python -m tools.package.catalogue` makes it",
            file=sys.stderr,
        )
        return gettext.NullTranslations()
