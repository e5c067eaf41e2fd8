"""Keeps which ingests share the work: a person sees one that is missing, and one that stops knows whether others go on.

A broker deals messages to every member of a group, to one that is away as well: Mosquitto kept 50 of 100 for it. So an
ingest that is stopped in order leaves the group while others are at work, and stays in it, with its queue, while it is
the only one. One that was killed stays in it until it is started again, or for ten minutes: the session of one that is
not alone lasts no longer. What was dealt to it meanwhile the cabinets still hold, and send again.
"""

from tools.centre.store import database
from tools.centre.store.archive import INGESTS, Ingest


def note(connection: database.Connection, member: Ingest) -> None:
    """Notes that an ingest is at work."""
    connection.execute(
        "INSERT INTO ingests VALUES (?, ?, ?, ?) ON CONFLICT (name) DO UPDATE SET"
        " since_unix_s = excluded.since_unix_s, seen_unix_s = excluded.seen_unix_s, messages = excluded.messages",
        member,
    )


def leave(connection: database.Connection, name: str, now_s: int) -> bool:
    """Removes an ingest that stops; returns whether others are at work."""
    connection.execute("DELETE FROM ingests WHERE name = ?", (name,))
    return any(Ingest(*row).is_at_work(now_s) for row in connection.execute(INGESTS))
