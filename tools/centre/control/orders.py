"""The order book: signed commands, which gateways they were sent to, and what each gateway and feeder said of them.

A command stays pending for a gateway until that gateway said a first word of it, until it has expired, or until another
command ends it; what ends a command goes only where that one was sent. Pending commands may be sent as often as one
likes: a gateway knows a command by its id. A word is kept once for each feeder.

Functions on a connection of `tools.centre.control.schema`; they belong in its owner's transaction, read no clock and
verify nothing: what is put in is sound, and what a gateway said came through `wire.command`. sqlite3.Error passes.
"""

import sqlite3
from typing import NamedTuple

from tools.centre.limits import COMMANDS_KEPT_S, COMMANDS_OPEN_MAX, OUTCOMES_PER_GATEWAY_MAX
from wire import command as orders
from wire import cose

# Why a word of a gateway is not kept.
UNKNOWN = "outcome-unknown-command"
FOREIGN = "outcome-foreign"
REPEATED = "outcome-repeated"
FULL = "outcome-full"
UNREADABLE = "outcome-unreadable-command"


class Full(Exception):
    """The commune has as many commands under way as a gateway can know."""


class Kept(NamedTuple):
    """A command as it was signed, and what it says. `kid`: the short name of the key that signed it."""

    command: orders.Command
    signed: bytes
    kid: bytes
    made_unix_s: int


class Pending(NamedTuple):
    """To be sent to one gateway, before `expires_s`."""

    id: bytes
    insee: str
    gateway: str
    expires_s: int
    signed: bytes


class Sending(NamedTuple):
    """`problem`: why the broker did not take the last one; None when it did."""

    gateway: str
    first_unix_s: int
    last_unix_s: int
    times: int
    problem: str | None


class Said(NamedTuple):
    """One word. `feeder` None: the cabinet as a whole. `unix_s` by the gateway's clock, `heard_unix_s` by ours."""

    gateway: str
    feeder: str | None
    outcome: str
    why: str | None
    power_dw: int | None
    unix_s: int | None
    heard_unix_s: int


_PENDING = """SELECT c.id, c.insee, coalesce(c.gateway, g.name) AS gateway_name, c.expires_s, c.signed
    FROM commands AS c LEFT JOIN gateways AS g ON c.gateway IS NULL AND g.insee = c.insee
    WHERE c.expires_s > :now_s AND gateway_name IS NOT NULL
    AND NOT EXISTS (SELECT 1 FROM outcomes AS o WHERE o.command = c.id AND o.gateway = gateway_name)
    AND NOT EXISTS (SELECT 1 FROM commands AS e WHERE e.ends = c.id)
    AND (c.ends IS NULL OR EXISTS
        (SELECT 1 FROM sendings AS s WHERE s.command = c.ends AND s.gateway = gateway_name AND s.problem IS NULL))
    ORDER BY c.number"""
# The last word of each feeder (in SQLite bare columns are those of the maximum's row), then those that await another.
_UNSETTLED = """SELECT c.id, c.insee, last.gateway, c.expires_s, c.signed FROM commands AS c JOIN
    (SELECT command, gateway, feeder, outcome, max(number) FROM outcomes GROUP BY command, gateway, feeder) AS last
    ON last.command = c.id WHERE c.expires_s > :now_s AND NOT EXISTS (SELECT 1 FROM commands AS e WHERE e.ends = c.id)
    GROUP BY c.id, last.gateway
    HAVING sum(last.outcome = 'applied' AND last.feeder <> '') > 0 OR sum(last.outcome <> 'received') = 0
    ORDER BY c.number"""
_KEPT = "SELECT signed, kid, made_unix_s FROM commands "


# --- what people put in ---


def add(connection: sqlite3.Connection, signed: bytes, *, now_s: int) -> None:
    """Keep a command that the caller has signed or verified; Full when its commune has too many under way."""
    message = cose.sign1_decode(signed, bytes_max=orders.SIGNED_COMMAND_BYTES_MAX)
    command = orders.decode_command(message.payload)
    under_way = connection.execute(
        "SELECT count(*) FROM commands AS c WHERE insee = ? AND expires_s > ?"
        " AND NOT EXISTS (SELECT 1 FROM commands AS e WHERE e.ends = c.id)",
        (command.insee, now_s),
    ).fetchone()[0]
    # What ends another makes room: it is never refused for want of it.
    if under_way >= COMMANDS_OPEN_MAX and command.kind != orders.END:
        raise Full
    row = (command.id, command.insee, command.gateway, command.expires_s, command.ends, signed)
    connection.execute(
        "INSERT INTO commands (id, insee, gateway, expires_s, ends, signed, kid, made_unix_s)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (*row, message.signatures[0].kid, now_s),
    )


# --- what the daemon asks and learns ---


def pending(connection: sqlite3.Connection, *, now_s: int) -> list[Pending]:
    """Everything that waits for a first word, in the order in which it was ordered."""
    return [Pending._make(row) for row in connection.execute(_PENDING, {"now_s": now_s})]


def unsettled(connection: sqlite3.Connection, *, now_s: int) -> list[Pending]:
    """Those of which a gateway spoke and has more to say. Sent again, it says once more what it said last: its words
    live for some minutes in the broker, and we may have been away for longer."""
    return [Pending._make(row) for row in connection.execute(_UNSETTLED, {"now_s": now_s})]


def sent(connection: sqlite3.Connection, id: bytes, gateway: str, problem: str | None, *, now_s: int) -> None:
    """What the broker said of one sending. Once it has taken one, a later refusal does not undo that."""
    connection.execute(
        "INSERT INTO sendings VALUES (?, ?, ?, ?, 1, ?) ON CONFLICT DO UPDATE SET last_unix_s = excluded.last_unix_s,"
        " times = times + 1, problem = CASE WHEN problem IS NULL THEN NULL ELSE excluded.problem END",
        (id, gateway, now_s, now_s, problem),
    )


def heard(
    connection: sqlite3.Connection, insee: str, gateway: str, outcome: orders.Outcome, *, now_s: int
) -> str | None:
    """Keep a word of a gateway; None, or why it is not kept."""
    if outcome.id is None:
        return UNREADABLE
    about = connection.execute("SELECT insee, gateway FROM commands WHERE id = ?", (outcome.id,)).fetchone()
    if about is None:
        return UNKNOWN
    if about[0] != insee or about[1] not in (None, gateway):
        return FOREIGN
    words = connection.execute(
        "SELECT count(*) FROM outcomes WHERE command = ? AND gateway = ?", (outcome.id, gateway)
    ).fetchone()[0]
    if words >= OUTCOMES_PER_GATEWAY_MAX:
        return FULL
    feeder = outcome.feeder or ""
    last = connection.execute(
        "SELECT outcome FROM outcomes WHERE command = ? AND gateway = ? AND feeder = ? ORDER BY number DESC LIMIT 1",
        (outcome.id, gateway, feeder),
    ).fetchone()
    if last == (outcome.outcome,):
        return REPEATED
    # "again": it says once more what became of a command that came twice, and what it said before was lost.
    why = None if outcome.why == "again" else outcome.why
    # A word that comes back after another (applied, refused by a lock-out, applied) is the latest once more.
    connection.execute(
        "INSERT OR REPLACE INTO outcomes (command, gateway, feeder, outcome, why, power_dw, unix_s, heard_unix_s)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (outcome.id, gateway, feeder, outcome.outcome, why, outcome.power_dw, outcome.unix_s, now_s),
    )
    return None


def forget_old(connection: sqlite3.Connection, *, now_s: int) -> int:
    """Let go of what has been over for COMMANDS_KEPT_S, with all that was said of it; how many commands."""
    before_s = now_s - COMMANDS_KEPT_S
    for table in ("sendings", "outcomes"):
        connection.execute(
            f"DELETE FROM {table} WHERE command IN (SELECT id FROM commands WHERE expires_s < ?)", (before_s,)
        )
    return connection.execute("DELETE FROM commands WHERE expires_s < ?", (before_s,)).rowcount


# --- what people ask ---


def latest(connection: sqlite3.Connection, count: int, insee: str | None = None) -> list[Kept]:
    """The last `count` commands (of a commune), oldest first."""
    rows = connection.execute(
        _KEPT + "WHERE ?1 IS NULL OR insee = ?1 ORDER BY number DESC LIMIT ?2", (insee, count)
    ).fetchall()
    return [_kept(row) for row in reversed(rows)]


def named(connection: sqlite3.Connection, prefix: str, count: int = 2) -> list[Kept]:
    """Commands whose id in hexadecimal begins with `prefix`; at most `count`."""
    rows = connection.execute(
        _KEPT + "WHERE substr(lower(hex(id)), 1, length(?1)) = ?1 ORDER BY number LIMIT ?2", (prefix.lower(), count)
    )
    return [_kept(row) for row in rows]


def ended_by(connection: sqlite3.Connection, id: bytes) -> bytes | None:
    """The id of the command that ends this one."""
    row = connection.execute("SELECT id FROM commands WHERE ends = ? ORDER BY number", (id,)).fetchone()
    return row[0] if row else None


def sendings(connection: sqlite3.Connection, id: bytes) -> list[Sending]:
    """By gateway."""
    rows = connection.execute(
        "SELECT gateway, first_unix_s, last_unix_s, times, problem FROM sendings WHERE command = ? ORDER BY gateway",
        (id,),
    )
    return [Sending._make(row) for row in rows]


def words(connection: sqlite3.Connection, id: bytes) -> list[Said]:
    """In the order in which they came."""
    rows = connection.execute(
        "SELECT gateway, nullif(feeder, ''), outcome, why, power_dw, unix_s, heard_unix_s FROM outcomes"
        " WHERE command = ? ORDER BY number",
        (id,),
    )
    return [Said._make(row) for row in rows]


def _kept(row) -> Kept:
    message = cose.sign1_decode(row[0], bytes_max=orders.SIGNED_COMMAND_BYTES_MAX)
    return Kept(orders.decode_command(message.payload), *row)
