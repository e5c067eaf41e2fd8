"""Keeps the warehouse's own alarms: one line for a kind, the cabinet that it came from, and what it is about.

    identity   another gateway uses this cabinet's name, or its id under another name; subject: that name; detail: that
               id
    crowd      more nodes, or more records about others' nodes, than a cabinet has: its batches are refused
    quota      more in a day than a cabinet may bring: its batches are refused until the next; subject: the lane
    foreign    the cabinet speaks for nodes of another; subject: the other cabinet
    clone      two of one identity; subject: the node or gateway; detail: body, boots or epochs (which two)
    time       stamps that cannot be; subject: the node or gateway; detail: what the last one states (Unix s)

A line counts how often it was raised, from when to when, until a person closes it. The cabinet is the one that the
broker let publish, or the one whose identity is used; each has a bounded number of lines, and what comes beyond is
counted in one more, so that no flood displaces another alarm.
"""


from tools.centre.limits import ALARMS_PER_CABINET_MAX
from tools.centre.store import database

IDENTITY = "identity"
CROWD = "crowd"
QUOTA = "quota"
FOREIGN = "foreign"
CLONE = "clone"
TIME = "time"
# What a clone is known by: one identity with two contents, records of two boots or of two epochs at one time.
BODY, BOOTS, EPOCHS = "body", "boots", "epochs"
# The subject of the line for all those beyond the bound.
OTHERS = ""


class Alarms:
    """Gathers the alarms of one transaction, and writes each once at its end."""

    def __init__(self, connection: database.Connection):
        self._connection = connection
        self._raised: dict[tuple[str, str, str], tuple[int, str]] = {}

    def raise_for(self, kind: str, cabinet: str, subject: str, detail: str = "") -> None:
        before = self._raised.get((kind, cabinet, subject), (0, ""))
        self._raised[kind, cabinet, subject] = before[0] + 1, detail

    def forget(self) -> None:
        """Begins a transaction."""
        self._raised.clear()

    def write(self, now_s: int) -> None:
        for (kind, cabinet, subject), (times, detail) in self._raised.items():
            if not self._add(kind, cabinet, subject, detail, times, now_s):
                self._insert(kind, cabinet, subject, detail, times, now_s)

    def close(self, number: int) -> bool:
        """Removes the line of that number; False when there is none. If its cause goes on, it comes back as a new
        one."""
        return self._connection.execute("DELETE FROM alarms WHERE number = ?", (number,)).rowcount == 1

    def end(self, kind: str, cabinet: str) -> None:
        """Removes the lines of a cabinet whose cause a person has settled."""
        self._connection.execute("DELETE FROM alarms WHERE kind = ? AND cabinet = ?", (kind, cabinet))

    def _add(self, kind, cabinet, subject, detail, times, now_s) -> bool:
        return self._connection.execute(
            "UPDATE alarms SET times = times + ?, last_unix_s = ?, detail = ?"
            " WHERE kind = ? AND cabinet = ? AND subject = ?",
            (times, now_s, detail, kind, cabinet, subject),
        ).rowcount == 1

    def _insert(self, kind, cabinet, subject, detail, times, now_s):
        named = self._connection.execute(
            "SELECT count(*) FROM alarms WHERE kind = ? AND cabinet = ?", (kind, cabinet)
        ).fetchone()[0]
        if named >= ALARMS_PER_CABINET_MAX:
            if subject != OTHERS and self._add(kind, cabinet, OTHERS, detail, times, now_s):
                return
            subject = OTHERS
        self._connection.execute(
            "INSERT INTO alarms (kind, cabinet, subject, detail, first_unix_s, last_unix_s, times)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            (kind, cabinet, subject, detail, now_s, now_s, times),
        )
