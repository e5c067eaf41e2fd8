"""Compares texts as people do who look for a street: without accents, capitals and punctuation, numbers by value."""

import re
import unicodedata

_RUNS = re.compile("[0-9]+|[^0-9]+")
_APART = re.compile("[^a-z0-9]+")


def plain(text: str) -> str:
    """Returns `rue de l eglise` for `Rue de l'Église`."""
    return _APART.sub(" ", bare(text)).strip()


def bare(text: str) -> str:
    """Returns a text without accents and capitals; `œ` is `oe`."""
    text = text.casefold().replace("œ", "oe").replace("æ", "ae")
    return "".join(one for one in unicodedata.normalize("NFKD", text) if not unicodedata.combining(one))


def sorting(text: str) -> tuple[tuple[int, str], ...]:
    """Returns what texts are sorted by: `rue 9` before `rue 10`, Écoliers among the E."""
    return tuple((int(run), "") if run.isdigit() else (-1, run) for run in _RUNS.findall(plain(text)))
