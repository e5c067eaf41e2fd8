"""Keeps the gateways that the control centre has heard: when, online or not, their versions; and counts refused
messages.

Its functions use a connection of `tools.centre.control.file` and no clock. A gateway's name comes from the topic, which
the broker binds to a certificate; nothing else is known of the sender. sqlite3.Error passes to the caller.
"""

from collections.abc import Callable
from typing import NamedTuple

from tools.centre.limits import GATEWAYS_MAX, REFUSALS_LOGGED_EVERY_S, TOPIC_CHARACTERS_MAX
from tools.centre.store import sqlite_file
from wire.command import Ask

FULL = "gateways-full"
_PREFIX = "refused."


class Gateway(NamedTuple):
    """Holds one gateway; times are Unix seconds of our clock. `heard_unix_s`: of the last message that it sent itself,
    None when all we know is a state that the broker kept; `online`, `online_unix_s`: that state, and when we learned of
    it. `granted_s`: the lease that its last ask was granted. The versions are those of its last ask, 0 for none held,
    None before the first ask."""

    insee: str
    name: str
    first_unix_s: int
    heard_unix_s: int | None
    online: bool | None
    online_unix_s: int | None
    asked_unix_s: int | None
    granted_s: int | None
    policy_version: int | None
    keyset_version: int | None


def note_seen(connection: sqlite_file.Connection, insee: str, name: str, *, is_own: bool, now_s: int) -> str | None:
    """Notes that a message about a gateway came; `is_own`: the gateway sent it itself. Returns None, or FULL
    when there are too many gateways for one more."""
    found = connection.execute(
        "UPDATE gateways SET heard_unix_s = CASE WHEN ?1 THEN ?2 ELSE heard_unix_s END WHERE insee = ?3 AND name = ?4",
        (is_own, now_s, insee, name),
    ).rowcount
    if found:
        return None
    if connection.execute("SELECT count(*) FROM gateways").fetchone()[0] >= GATEWAYS_MAX:
        return FULL
    connection.execute(
        "INSERT INTO gateways (insee, name, first_unix_s, heard_unix_s) VALUES (?, ?, ?, ?)",
        (insee, name, now_s, now_s if is_own else None),
    )
    return None


def note_state(connection: sqlite_file.Connection, insee: str, name: str, online: bool, *, now_s: int) -> bool:
    """Keeps whether the gateway is online, which the broker may report for it; returns True, and keeps the time, when
    that is a change."""
    changed = connection.execute(
        "UPDATE gateways SET online = ?1, online_unix_s = ?2 WHERE insee = ?3 AND name = ?4 AND online IS NOT ?1",
        (online, now_s, insee, name),
    ).rowcount
    return changed > 0


def note_ask(
    connection: sqlite_file.Connection, insee: str, name: str, ask: Ask, granted_s: int, *, now_s: int
) -> None:
    """Keeps the gateway's last ask, and the lease that it was granted."""
    connection.execute(
        "UPDATE gateways SET asked_unix_s = ?, granted_s = ?, policy_version = ?, keyset_version = ?"
        " WHERE insee = ? AND name = ?",
        (now_s, granted_s, ask.policy_version, ask.keyset_version, insee, name),
    )


def list_gateways(connection: sqlite_file.Connection, insee: str | None = None) -> list[Gateway]:
    """Returns every gateway (of one commune), by name."""
    rows = connection.execute(
        "SELECT * FROM gateways WHERE ?1 IS NULL OR insee = ?1 ORDER BY insee, name", (insee,)
    ).fetchall()
    return [Gateway._make((*row[:4], None if row[4] is None else bool(row[4]), *row[5:])) for row in rows]


class Refusals:
    """Counts refused messages by reason in the file, and logs each reason once in a while with the topic that it came
    on.

    It holds the counts of one transaction; `write` puts them into the file. Reasons are words of this program, so there
    are few. Of a message nothing is kept or shown but its topic, since its content may come from a stranger.
    """

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

    def write(self, connection: sqlite_file.Connection) -> None:
        """Writes the counts, in the caller's transaction. Should that fail, they are lost: the messages come again."""
        counted = [(_PREFIX + reason, times) for reason, times in self._counted.items()]
        self._counted.clear()
        connection.executemany(
            "INSERT INTO counters VALUES (?, ?) ON CONFLICT DO UPDATE SET value = value + excluded.value", counted
        )


def refusals(connection: sqlite_file.Connection) -> dict[str, int]:
    """Returns the number of messages that were refused since the file was made, by reason."""
    rows = connection.execute("SELECT name, value FROM counters WHERE name LIKE ? ORDER BY name", (_PREFIX + "%",))
    return {name.removeprefix(_PREFIX): value for name, value in rows}
