"""Compares texts as people do who look for a street: without accents, capitals and punctuation, numbers by value; and
finds in a list what the address of its page asks for.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from django.utils.http import urlencode

from tools.centre.web.limits import SEARCH_CHARACTERS_MAX

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


class Row(NamedTuple):
    """Holds what is listed and its place in the whole list, by which changes name a light."""

    n: int
    one: Any


class Asked(NamedTuple):
    """Holds what the address of a list asks for; `states` empty: all. `among`: those that there are, in their order."""

    text: str
    states: tuple[str, ...]
    among: Sequence[str]

    @classmethod
    def of(cls, query: Any, among: Mapping[str, object]) -> "Asked":
        states = tuple(one for one in among if one in query.getlist("state"))
        return cls(query.get("q", "")[:SEARCH_CHARACTERS_MAX].strip(), states, tuple(among))

    def finds(self, rows: Iterable[Any]) -> list[Row]:
        """Returns those of lights or spaces that answer, in the same order."""
        wanted = plain(self.text).split()
        return [
            Row(n, one)
            for n, one in enumerate(rows)
            if (not self.states or one.shown in self.states) and all(word in one.words for word in wanted)
        ]

    @property
    def query(self) -> str:
        """Returns the query of an address that asks the same."""
        values = [("q", self.text)] if self.text else []
        return urlencode(values + [("state", one) for one in self.states])

    def filters(self, counts: Counter[str]) -> list[dict[str, Any]]:
        """Returns a link for each state that something has: one more press takes it away again."""
        return [
            {
                "state": one,
                "count": counts[one],
                "is_on": one in self.states,
                "address": "?" + self._with(one).query,
            }
            for one in self.among
            if counts[one] or one in self.states
        ]

    def _with(self, state: str) -> "Asked":
        return self._replace(states=tuple(one for one in self.among if (one in self.states) != (one == state)))
