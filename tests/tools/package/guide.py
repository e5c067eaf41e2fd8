"""An INSTALLATION.md, of the gateway or of the centre, as a test reads it.

In each language it is the fenced commands with the place where they are typed, what must be seen after them, the
wizard's answers, and the acts of hands (`<!-- geste: … -->`).
"""

import re
from typing import NamedTuple

DESK, CABINET, CENTRE = "bureau", "armoire", "centre"
HEADINGS = {"fr": "## Français", "en": "## English"}

_PIECE = re.compile(
    r"^```sh (?P<place>\w+)\n(?P<commands>.*?)^```$"
    r"|^```text vu\n(?P<seen>.*?)^```$"
    r"|^<!-- geste: (?P<act>[a-z-]+) -->$"
    r"|^\| question \| (?:réponse|answer) \|\n\|---\|---\|\n(?P<answers>(?:^\|[^\n]*\|\n)+)",
    re.MULTILINE | re.DOTALL,
)


class Commands(NamedTuple):
    """Typed at one place, one after the other."""

    place: str
    lines: tuple[str, ...]


class Seen(NamedTuple):
    """Lines that the last command must print; `…` in them stands for anything."""

    lines: tuple[str, ...]


class Act(NamedTuple):
    """Something that hands do."""

    name: str


class Answers(NamedTuple):
    """(how a question begins, what is typed); they belong to the command before them."""

    rows: tuple[tuple[str, str], ...]


def part(text, language):
    """One language's part of the guide."""
    start = text.index(HEADINGS[language])
    later = [at for heading in HEADINGS.values() if (at := text.find(heading)) > start]
    return text[start : min(later, default=len(text))]


def pieces(text, language):
    """What a newcomer does and sees, in order."""
    found = []
    for piece in _PIECE.finditer(part(text, language)):
        if piece["place"]:
            found.append(Commands(piece["place"], tuple(piece["commands"].splitlines())))
        elif piece["seen"]:
            found.append(Seen(tuple(piece["seen"].splitlines())))
        elif piece["act"]:
            found.append(Act(piece["act"]))
        else:
            found.append(Answers(tuple(_row(line) for line in piece["answers"].splitlines())))
    return found


def matches(wanted, line):
    """Whether a printed line is what the guide says."""
    return re.fullmatch(".*".join(re.escape(part.strip()) for part in wanted.split("…")), line.strip()) is not None


def _row(line):
    question, answer = (cell.strip() for cell in line.strip("|").split("|"))
    return question, "" if answer in ("*Entrée*", "*Enter*") else answer
