"""Keeps refused messages as they came, for a person who looks into them: a ring, bounded in rows and in bytes."""

from tools.centre.limits import REFUSED_BYTES_MAX, REFUSED_PAYLOAD_BYTES_MAX, REFUSED_ROWS_MAX, TOPIC_CHARACTERS_MAX
from tools.centre.store import database


def keep(connection: database.Connection, reason: str, topic: str, payload: bytes, now_s: int) -> None:
    """Keeps one message within the transaction of the caller."""
    (number,) = connection.execute(
        "INSERT INTO refused (topic, reason, length, payload, received_unix_s) VALUES (?, ?, ?, ?, ?)"
        " RETURNING number",
        (
            topic[:TOPIC_CHARACTERS_MAX],
            reason,
            len(payload),
            bytes(payload[:REFUSED_PAYLOAD_BYTES_MAX]),
            now_s,
        ),
    ).fetchone()
    # The ring keeps the newest rows, up to the bounds in rows and in bytes.
    kept_bytes = 0
    for row, length in connection.execute(
        "SELECT number, length(payload) FROM refused WHERE number > ? ORDER BY number DESC",
        (number - REFUSED_ROWS_MAX,),
    ).fetchall():
        kept_bytes += length
        if kept_bytes > REFUSED_BYTES_MAX:
            break
        number = row
    connection.execute("DELETE FROM refused WHERE number < ?", (number,))
