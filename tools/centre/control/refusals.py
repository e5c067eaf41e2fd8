"""Messages that were not taken: counted by reason in the file, and logged once in a while with where they came from.

Of a message nothing is kept or shown but its topic: what is in it is a stranger's.
"""

import sqlite3
from collections.abc import Callable

from tools.centre.limits import REFUSALS_LOGGED_EVERY_S, TOPIC_CHARACTERS_MAX

_PREFIX = "refused."


class Refusals:
    """Counts of one transaction; `write` puts them into the file. Reasons are our own words, so they are few."""

    def __init__(self, log: Callable[..., None]) -> None:
        self._log = log
        self._counted: dict[str, int] = {}
        self._logged_ms: dict[str, int] = {}

    def add(self, reason: str, topic: str, *, now_ms: int) -> None:
        self._counted[reason] = self._counted.get(reason, 0) + 1
        logged_ms = self._logged_ms.get(reason)
        if logged_ms is None or now_ms - logged_ms >= 1000 * REFUSALS_LOGGED_EVERY_S:
            self._logged_ms[reason] = now_ms
            self._log("refused", reason=reason, topic=topic[:TOPIC_CHARACTERS_MAX])

    def write(self, connection: sqlite3.Connection) -> None:
        """In the caller's transaction. Should that fail, what was counted is lost: the messages come again."""
        counted = [(_PREFIX + reason, times) for reason, times in self._counted.items()]
        self._counted.clear()
        connection.executemany(
            "INSERT INTO counters VALUES (?, ?) ON CONFLICT DO UPDATE SET value = value + excluded.value", counted
        )


def counted(connection: sqlite3.Connection) -> dict[str, int]:
    """Messages that were not taken since the file was made, by reason."""
    rows = connection.execute("SELECT name, value FROM counters WHERE name LIKE ? ORDER BY name", (_PREFIX + "%",))
    return {name.removeprefix(_PREFIX): value for name, value in rows}
