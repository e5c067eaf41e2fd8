"""The gateways that the control centre has heard: when, online or not, which versions they hold.

Functions on a connection of `tools.centre.control.schema`; no clock. A name stands in the topic, where the broker binds
it to a certificate; nothing else is known of who speaks. sqlite3.Error passes.
"""

import sqlite3
from typing import NamedTuple

from tools.centre.limits import GATEWAYS_MAX
from wire.command import Ask

FULL = "gateways-full"


class Gateway(NamedTuple):
    """Times are Unix seconds of our clock. `heard_unix_s`: its last own word, None when all we know is a state that the
    broker kept; `online`: that state, and when we learned of it. `granted_s`: the lease that its last ask was granted.
    The versions are those of its last ask, 0 for none held, None before the first."""

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


def known(connection: sqlite3.Connection, insee: str, name: str, *, speaks: bool, now_s: int) -> str | None:
    """There is such a gateway, and it `speaks` or something is said of it; None, or FULL: too many for one more."""
    found = connection.execute(
        "UPDATE gateways SET heard_unix_s = CASE WHEN ?1 THEN ?2 ELSE heard_unix_s END WHERE insee = ?3 AND name = ?4",
        (speaks, now_s, insee, name),
    ).rowcount
    if found:
        return None
    if connection.execute("SELECT count(*) FROM gateways").fetchone()[0] >= GATEWAYS_MAX:
        return FULL
    connection.execute(
        "INSERT INTO gateways (insee, name, first_unix_s, heard_unix_s) VALUES (?, ?, ?, ?)",
        (insee, name, now_s, now_s if speaks else None),
    )
    return None


def stated(connection: sqlite3.Connection, insee: str, name: str, online: bool, *, now_s: int) -> bool:
    """It is online, or the broker says that it is not. True when that is a change; its time is kept."""
    changed = connection.execute(
        "UPDATE gateways SET online = ?1, online_unix_s = ?2 WHERE insee = ?3 AND name = ?4 AND online IS NOT ?1",
        (online, now_s, insee, name),
    ).rowcount
    return changed > 0


def asked(connection: sqlite3.Connection, insee: str, name: str, ask: Ask, granted_s: int, *, now_s: int) -> None:
    connection.execute(
        "UPDATE gateways SET asked_unix_s = ?, granted_s = ?, policy_version = ?, keyset_version = ?"
        " WHERE insee = ? AND name = ?",
        (now_s, granted_s, ask.policy_version, ask.keyset_version, insee, name),
    )


def listed(connection: sqlite3.Connection, insee: str | None = None) -> list[Gateway]:
    """All of them (of a commune), by name."""
    rows = connection.execute(
        "SELECT * FROM gateways WHERE ?1 IS NULL OR insee = ?1 ORDER BY insee, name", (insee,)
    ).fetchall()
    return [Gateway._make((*row[:4], None if row[4] is None else bool(row[4]), *row[5:])) for row in rows]
