"""Keeps the order book: signed commands, the gateways they were sent to, and what each gateway and feeder reported of
them.

A command is pending for a gateway until that gateway reports a first outcome of it, until it has expired, or until
another command ends it; the ending command is sent only to gateways that were sent the ended one. Pending commands may
be sent any number of times: a gateway knows a command by its id. An outcome is kept once for each feeder.

Its functions use a connection of `tools.centre.control.file`, in the caller's transaction. They read no clock and
verify nothing: the caller gives sound commands, and reports that `wire.command` has decoded. sqlite3.Error passes to
the caller.
"""

from typing import NamedTuple

from tools.centre.limits import COMMANDS_KEPT_S, COMMANDS_OPEN_MAX, OUTCOMES_PER_GATEWAY_MAX
from tools.centre.scope import grants
from tools.centre.store import sqlite_file
from wire import command as wire_command
from wire import cose, directive

# Reasons not to keep an outcome that a gateway reports.
UNKNOWN = "outcome-unknown-command"
FOREIGN = "outcome-foreign"
REPEATED = "outcome-repeated"
FULL = "outcome-full"
UNREADABLE = "outcome-unreadable-command"


# By the kind of node that a directive names (kinds/), and by what it says; weather is of every trade.
_TRADES = {
    "streetlight": grants.LIGHTING,
    "thermostat": grants.HEATING,
    "irrigation": grants.WATERING,
    directive.LOAD_SHED: grants.HEATING,
    directive.EXCEPTION: grants.HEATING,
    directive.OCCUPIED: grants.HEATING,
    directive.DROUGHT_LEVEL: grants.WATERING,
    directive.DRY: grants.WATERING,
}


class Full(Exception):
    """Is raised when the commune has as many commands under way as a gateway can know."""


class Order(NamedTuple):
    """Holds a command, decoded and as it was signed. `kid`: the short name of the key that signed it; made_unix_s: when
    it was signed."""

    command: wire_command.Command
    signed: bytes
    kid: bytes
    made_unix_s: int


class PendingOrder(NamedTuple):
    """Holds an order that is to be sent to one gateway, before `expires_s`."""

    id: bytes
    insee: str
    gateway: str
    expires_s: int
    signed: bytes


class Sending(NamedTuple):
    """Holds the sendings of a command to one gateway. `problem`: why the broker did not accept the last; None once it
    has accepted one."""

    gateway: str
    first_unix_s: int
    last_unix_s: int
    times: int
    problem: str | None


class ReportedOutcome(NamedTuple):
    """Holds an outcome that a gateway reported. `feeder` None: of the cabinet as a whole. `unix_s` is by the gateway's
    clock, `heard_unix_s` by ours."""

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
_UNDER_WAY = """SELECT c.id, c.insee, o.gateway, c.expires_s, c.signed FROM commands AS c
    JOIN outcomes AS o ON o.command = c.id
    WHERE c.expires_s > :now_s AND c.ends IS NULL AND NOT EXISTS (SELECT 1 FROM commands AS e WHERE e.ends = c.id)
    GROUP BY c.id, o.gateway HAVING sum(o.feeder = '' AND o.outcome IN ('refused', 'expired', 'ended')) = 0
    ORDER BY c.number"""
_SELECT = "SELECT signed, kid, made_unix_s FROM commands "


# --- what people give ---


def add(connection: sqlite_file.Connection, signed: bytes, *, now_s: int, made_unix_s: int | None = None) -> None:
    """Keeps a command that the caller has signed or verified; Full when its commune has too many under way.
    made_unix_s: when it was signed, None for now."""
    message = cose.sign1_decode(signed, bytes_max=wire_command.SIGNED_COMMAND_BYTES_MAX)
    command = wire_command.decode_command(message.payload)
    under_way = connection.execute(
        "SELECT count(*) FROM commands AS c WHERE insee = ? AND expires_s > ?"
        " AND NOT EXISTS (SELECT 1 FROM commands AS e WHERE e.ends = c.id)",
        (command.insee, now_s),
    ).fetchone()[0]
    # A command that ends another makes room, so it is never refused for want of room.
    if under_way >= COMMANDS_OPEN_MAX and command.kind != wire_command.END:
        raise Full
    trade = trade_of(connection, command)
    row = (command.id, command.insee, command.gateway, trade, command.expires_s, command.ends, signed)
    connection.execute(
        "INSERT INTO commands (id, insee, gateway, trade, expires_s, ends, signed, kid, made_unix_s)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (*row, message.signatures[0].kid, now_s if made_unix_s is None else made_unix_s),
    )


def trade_of(connection: sqlite_file.Connection, command: wire_command.Command) -> str:
    """Returns the trade of what a command moves: feeders are lighting, a directive is of the kind of node that it
    names or of what it says, an end is of what it ends; else it is of every trade."""
    if command.kind == wire_command.END:
        row = connection.execute("SELECT trade FROM commands WHERE id = ?", (command.ends,)).fetchone()
        return grants.EVERY if row is None else row[0]
    if command.kind == wire_command.DIRECTIVE:
        said = {_TRADES.get(code, grants.EVERY) for code in command.values}
        return _TRADES.get(command.target, said.pop() if len(said) == 1 else grants.EVERY)
    return grants.LIGHTING


# --- what the daemon sends and receives ---


def pending(connection: sqlite_file.Connection, *, now_s: int) -> list[PendingOrder]:
    """Returns every order that waits for a first outcome, in the sequence in which they were given."""
    return [PendingOrder._make(row) for row in connection.execute(_PENDING, {"now_s": now_s})]


def under_way(connection: sqlite_file.Connection, *, now_s: int) -> list[PendingOrder]:
    """Returns the orders that a gateway has accepted, and that are not over.

    A gateway that gets such an order again repeats its last reports, which may be lost: one that is cut off drops them,
    and the broker keeps them for us for some minutes."""
    return [PendingOrder._make(row) for row in connection.execute(_UNDER_WAY, {"now_s": now_s})]


def note_sent(connection: sqlite_file.Connection, id: bytes, gateway: str, problem: str | None, *, now_s: int) -> None:
    """Keeps the broker's answer to one sending. Once it has accepted one, a later refusal does not undo that."""
    connection.execute(
        "INSERT INTO sendings VALUES (?, ?, ?, ?, 1, ?) ON CONFLICT DO UPDATE SET last_unix_s = excluded.last_unix_s,"
        " times = times + 1, problem = CASE WHEN problem IS NULL THEN NULL ELSE excluded.problem END",
        (id, gateway, now_s, now_s, problem),
    )


def accept_outcome(
    connection: sqlite_file.Connection, insee: str, gateway: str, outcome: wire_command.Outcome, *, now_s: int
) -> str | None:
    """Keeps an outcome that a gateway reports; returns None, or why it is not kept."""
    if outcome.id is None:
        return UNREADABLE
    about = connection.execute("SELECT insee, gateway FROM commands WHERE id = ?", (outcome.id,)).fetchone()
    if about is None:
        return UNKNOWN
    if about[0] != insee or about[1] not in (None, gateway):
        return FOREIGN
    count = connection.execute(
        "SELECT count(*) FROM outcomes WHERE command = ? AND gateway = ?", (outcome.id, gateway)
    ).fetchone()[0]
    if count >= OUTCOMES_PER_GATEWAY_MAX:
        return FULL
    feeder = outcome.feeder or ""
    last = connection.execute(
        "SELECT outcome, why FROM outcomes WHERE command = ? AND gateway = ? AND feeder = ?"
        " ORDER BY number DESC LIMIT 1",
        (outcome.id, gateway, feeder),
    ).fetchone()
    # "again": the gateway repeats the outcome of a command that came twice, because its first report was lost.
    why = None if outcome.why == "again" else outcome.why
    if last == (outcome.outcome, why):
        return REPEATED
    # An outcome that recurs after another (applied, refused by a lock-out, applied) becomes the latest again.
    connection.execute(
        "INSERT OR REPLACE INTO outcomes (command, gateway, feeder, outcome, why, power_dw, unix_s, heard_unix_s)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (outcome.id, gateway, feeder, outcome.outcome, why, outcome.power_dw, outcome.unix_s, now_s),
    )
    return None


def delete_old(connection: sqlite_file.Connection, *, now_s: int) -> int:
    """Deletes commands that have been over for COMMANDS_KEPT_S, with their outcomes; returns how many."""
    before_s = now_s - COMMANDS_KEPT_S
    for table in ("sendings", "outcomes"):
        connection.execute(
            f"DELETE FROM {table} WHERE command IN (SELECT id FROM commands WHERE expires_s < ?)", (before_s,)
        )
    return connection.execute("DELETE FROM commands WHERE expires_s < ?", (before_s,)).rowcount


# --- what people ask ---


def latest(connection: sqlite_file.Connection, count: int, insee: str | None = None) -> list[Order]:
    """Returns the last `count` commands (of a commune), oldest first."""
    rows = connection.execute(
        _SELECT + "WHERE ?1 IS NULL OR insee = ?1 ORDER BY number DESC LIMIT ?2", (insee, count)
    ).fetchall()
    return [_order(row) for row in reversed(rows)]


def given(connection: sqlite_file.Connection, insee: str | None, count: int, *, offset: int = 0) -> list[Order]:
    """Returns commands that end no other (of a commune), the last first."""
    rows = connection.execute(
        _SELECT + "WHERE ends IS NULL AND (?1 IS NULL OR insee = ?1) ORDER BY number DESC LIMIT ?2 OFFSET ?3",
        (insee, count, offset),
    )
    return [_order(row) for row in rows.fetchall()]


def count_given(connection: sqlite_file.Connection, insee: str | None) -> int:
    """Returns how many commands that end no other there are (of a commune)."""
    sql = "SELECT count(*) FROM commands WHERE ends IS NULL AND (?1 IS NULL OR insee = ?1)"
    return connection.execute(sql, (insee,)).fetchone()[0]


def get(connection: sqlite_file.Connection, id: bytes) -> Order | None:
    """Returns the command with this id."""
    row = connection.execute(_SELECT + "WHERE id = ?", (id,)).fetchone()
    return None if row is None else _order(row)


def count_open(connection: sqlite_file.Connection, kid: bytes, *, now_s: int) -> int:
    """Returns how many commands that one key has signed are not over."""
    return connection.execute(
        "SELECT count(*) FROM commands AS c WHERE kid = ? AND expires_s > ? AND ends IS NULL"
        " AND NOT EXISTS (SELECT 1 FROM commands AS e WHERE e.ends = c.id)",
        (kid, now_s),
    ).fetchone()[0]


def find(connection: sqlite_file.Connection, prefix: str, count: int = 2) -> list[Order]:
    """Returns the commands whose id in hexadecimal begins with `prefix`; at most `count`."""
    rows = connection.execute(
        _SELECT + "WHERE substr(lower(hex(id)), 1, length(?1)) = ?1 ORDER BY number LIMIT ?2", (prefix.lower(), count)
    )
    return [_order(row) for row in rows]


def ended_by(connection: sqlite_file.Connection, id: bytes) -> bytes | None:
    """Returns the id of the command that ends this one."""
    row = connection.execute("SELECT id FROM commands WHERE ends = ? ORDER BY number", (id,)).fetchone()
    return row[0] if row else None


def begun_s(connection: sqlite_file.Connection, id: bytes) -> int | None:
    """Returns when a gateway first carried a command out, by its own clock; None where none is known to have."""
    return connection.execute(
        "SELECT min(coalesce(unix_s, heard_unix_s)) FROM outcomes"
        " WHERE command = ? AND outcome IN ('applied', 'measured')",
        (id,),
    ).fetchone()[0]


def sendings(connection: sqlite_file.Connection, id: bytes) -> list[Sending]:
    """Returns the sendings of one command, by gateway."""
    rows = connection.execute(
        "SELECT gateway, first_unix_s, last_unix_s, times, problem FROM sendings WHERE command = ? ORDER BY gateway",
        (id,),
    )
    return [Sending._make(row) for row in rows]


def outcomes(connection: sqlite_file.Connection, id: bytes) -> list[ReportedOutcome]:
    """Returns the outcomes of one command, in the sequence in which they came."""
    rows = connection.execute(
        "SELECT gateway, nullif(feeder, ''), outcome, why, power_dw, unix_s, heard_unix_s FROM outcomes"
        " WHERE command = ? ORDER BY number",
        (id,),
    )
    return [ReportedOutcome._make(row) for row in rows]


def opened(signed: bytes, seen_unix_s: int) -> Order:
    """Returns the order in signed bytes, not verified; WireFault for anything else. seen_unix_s: when it came here;
    what was to begin at once was signed at its own begin, however late it came."""
    message = cose.sign1_decode(signed, bytes_max=wire_command.SIGNED_COMMAND_BYTES_MAX)
    command = wire_command.decode_command(message.payload)
    return Order(command, signed, message.signatures[0].kid, min(command.not_before_s, seen_unix_s))


def _order(row) -> Order:
    signed, _kid, made_unix_s = row
    return opened(signed, made_unix_s)
