"""Explains why a file cannot be read, in words for people: the reasons of the system and of `tomllib`, which speak
English only.

A reason that is not known here stands as it came: better English than nothing.
"""

import errno
import re
import tomllib

from gateway.language import N_, Sentence

_OF_SYSTEM = {
    errno.ENOENT: N_("there is no such file"),
    errno.EISDIR: N_("it is a folder"),
    errno.ENOTDIR: N_("a folder of its path is a file"),
    errno.EACCES: N_("it may not be read by this user"),
    errno.EPERM: N_("it may not be read by this user"),
    errno.ENOSPC: N_("the disk is full"),
    errno.EROFS: N_("the disk may only be read"),
}
_NOT_UTF_8 = N_("it is not text in UTF-8")

# What `tomllib` begins its faults with, and what a person has to mend.
_OF_TOML = (
    ("Expected '='", N_("= is missing after a key")),
    ("Expected ']", N_("] is missing after the name of a table")),
    ("Unclosed array", N_("a list has no ] at its end")),
    ("Unclosed inline table", N_("a table in a line has no closing brace")),
    ("Unterminated string", N_("a text has no quote at its end")),
    ('Expected "', N_("a text has no quote at its end")),
    ("Illegal character '\\n'", N_("a text has no quote at its end")),
    ("Illegal character", N_("a character that TOML does not allow")),
    ("Found invalid character", N_("a character that TOML does not allow")),
    ("Unescaped", N_("a \\ in a text is written \\\\")),
    ("Invalid hex value", N_("a \\ in a text is written \\\\")),
    ("Escaped character", N_("a \\ in a text is written \\\\")),
    ("Expected newline", N_("something stands after the value that belongs on a line of its own")),
    ("Invalid initial character", N_("a key begins with a letter, a digit, - or _")),
    ("Invalid statement", N_("a line begins with a key or with [")),
    ("Invalid date", N_("there is no such date or time")),
    ("Invalid value", N_("this is no value; texts stand in quotes")),
    ("Cannot", N_("this key or table is given twice")),
    ("Duplicate", N_("this key or table is given twice")),
)
_PLACE = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)$")


def of_file(error: OSError | UnicodeDecodeError) -> Sentence:
    """States why a file could not be read."""
    if isinstance(error, UnicodeDecodeError):
        return Sentence(_NOT_UTF_8)
    found = _OF_SYSTEM.get(error.errno or 0)
    return Sentence(found) if found else _as_it_came(str(error))


def of_toml(error: tomllib.TOMLDecodeError) -> tuple[int | None, Sentence]:
    """Returns the line of the fault, None for the end of the text, and what is wrong there."""
    text = str(error)
    place = _PLACE.search(text)
    line = int(place[1]) if place and place[1] else None
    text = _PLACE.sub("", text)
    found = next((message for start, message in _OF_TOML if text.startswith(start)), None)
    return line, Sentence(found) if found else _as_it_came(text)


def _as_it_came(text: str) -> Sentence:
    return Sentence("{text}", {"text": text})
