"""The warehouse stores each record of the batches it accepts once, and returns how far it holds each stream.

`accept` does all of this in one transaction, so that a crash leaves all of it or nothing:

* every record becomes one row, keyed by (node, boot, sequence). An identical one is a duplicate, and counted. One with
  the same key and another body or stamp is a conflict: both are kept, an alarm is raised;
* gaps and anchors that events state are stored beside the rows (`tools.centre.ingest.intake`);
* the prefix of (gateway, epoch, lane) is extended (`extend`) and its end is returned in a `Receipt`, with the digest of
  each batch, to be signed (`tools.centre.ingest.receipts`) and published on class `a`;
* a batch that cannot be accepted is kept in a bounded ring and answered with `Rejected` when its envelope can be read.
  The reasons in `wire.receipt.HOLD_REASONS` are about the centre's configuration: for these the gateway must hold its
  lane, not quarantine a record;
* the first message of a gateway binds its id to its commune and name. Another id under that name, or that
  id under another name, is refused (`identity`) until an operator calls `unbind`.

Answers may be sent only after `accept` has returned. Sending them late, twice or never does no harm: a gateway
sends again what it still holds. Several processes may share the file: the prefix lives in the
database.

It must never return a receipt that passes a position whose row is not in the same commit or an earlier one, read a
clock, or change a row. Errors of the disk (sqlite3.Error) pass to the caller, and nothing is accepted: the caller
waits, and calls again.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

from tools.centre.ingest import intake
from tools.centre.limits import (
    ALARMS_MAX,
    REFUSED_BYTES_MAX,
    REFUSED_PAYLOAD_BYTES_MAX,
    REFUSED_ROWS_MAX,
    SPANS_MAX,
    STREAMS_PER_GATEWAY_MAX,
    TOPIC_CHARACTERS_MAX,
)
from tools.centre.store import schema
from tools.centre.store.archive import Archive
from wire import event, receipt
from wire import topic as topics
from wire.receipt import Receipt, Rejected

_INSERT = """INTO {}
    (node, boot, sequence, seconds, quality, uncertainty_s, lane, body, gateway, received_unix_s)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"""
_INSERT_RECORD = "INSERT OR IGNORE " + _INSERT.format("records")
_INSERT_CONFLICT = "INSERT OR IGNORE " + _INSERT.format("conflicts")


# --- how far one stream is held --------------------------------------------------------------------------------


class Extent(NamedTuple):
    """States how far the warehouse holds one stream (gateway, epoch, lane): `end` is the first position that is not
    held; `spans` are the pieces `(first, last)` held beyond it, ascending and disjoint."""

    end: int
    spans: tuple[tuple[int, int], ...] = ()


class Step(NamedTuple):
    """Holds the new extent, `(first, last)` of every hole jumped over, and the number of spans that were forgotten."""

    extent: Extent
    skipped: tuple[tuple[int, int], ...]
    forgotten: int


def extend(extent: Extent | None, first: int, last: int, oldest: int, spans_max: int) -> Step:
    """Returns the step for positions `[first, last]` (`last == first - 1`: none) from a gateway that holds `oldest`.

    The gateway frees each position that the prefix has passed; so the prefix may only pass what is held here, or what
    the gateway no longer holds:

        no prefix yet                it starts at the batch's `oldest`
        `oldest` beyond it           what lies between will never come: it jumps to `oldest` and reports it (`skipped`)
        batch begins at or below it  it moves to the batch's end, and over the spans that it now meets
        batch begins beyond it       the batch is remembered as a span ahead, until the hole before it closes
        batch sent again             nothing moves
        empty batch                  a question: only `oldest` counts

    It never goes back. Spans are bounded: the farthest is forgotten first, which costs a resend and loses nothing.
    """
    if extent is None:
        extent = Extent(oldest)
    spans = list(extent.spans)
    if last >= first:
        spans.append((first, last))
    end, spans = _merge(max(extent.end, oldest), sorted(spans))
    forgotten = max(0, len(spans) - spans_max)
    return Step(Extent(end, tuple(spans[:spans_max])), _holes(extent, oldest), forgotten)


def _holes(extent: Extent, oldest: int) -> tuple[tuple[int, int], ...]:
    """Returns the holes that a jump from the old end to `oldest` skips."""
    holes = []
    position = extent.end
    for first, last in (*extent.spans, (oldest, oldest)):
        if position < min(first, oldest):
            holes.append((position, min(first, oldest) - 1))
        position = max(position, last + 1)
    return tuple(holes)


def _merge(end, spans):
    apart: list[tuple[int, int]] = []
    for first, last in spans:
        if first <= end:
            end = max(end, last + 1)
        elif apart and first <= apart[-1][1] + 1:
            apart[-1] = (apart[-1][0], max(apart[-1][1], last))
        else:
            apart.append((first, last))
    return end, apart


# --- the warehouse ---------------------------------------------------------------------------------------------


class Answer(NamedTuple):
    """Holds what is to be signed and sent to a gateway, on its topic of class `a`."""

    topic: str
    message: Receipt | Rejected


class Warehouse(Archive):
    """Owns one connection that writes; it is used from one thread. The questions are those of `Archive`.

    path:         of the database file, or ":memory:"
    synchronous:  "FULL" keeps custody; "NORMAL" and "OFF" are for simulated worlds
    """

    def __init__(self, path: str, *, synchronous: str = "FULL"):
        super().__init__(schema.open_to_write(path, synchronous))
        # Counts and alarms of the transaction under way, written once at its end.
        self._counted: dict[str, int] = {}
        self._alarmed: dict[tuple[str, str], int] = {}

    def accept(self, topic: str, payload: bytes, *, received_unix_s: int) -> list[Answer]:
        """Accepts one message whole, or refuses it whole; returns what to answer now that it is committed."""
        return self.accept_group([(topic, payload)], received_unix_s=received_unix_s)

    def accept_group(self, messages: Iterable[tuple[str, bytes]], *, received_unix_s: int) -> list[Answer]:
        """Accepts several messages in one transaction; one receipt answers all batches of a stream."""
        prepared = [(intake.prepare(topic, payload), topic, payload) for topic, payload in messages]
        answers: list[Answer] = []
        with self._transaction(received_unix_s):
            for message, topic, payload in prepared:
                answer = self._accept(message, topic, payload, received_unix_s)
                if answer is not None:
                    answers.append(answer)
        return _joined(answers)

    def unbind(self, insee: str, name: str) -> bool:
        """Frees a name for another id (a gateway was replaced or moved); its rows stay. False when no such gateway is
        bound."""
        with self._transaction():
            cursor = self._connection.execute(
                "UPDATE gateways SET bound = 0 WHERE bound AND insee = ? AND name = ?", (insee, name)
            )
        return cursor.rowcount == 1

    def _accept(self, message, topic, payload, now_s):
        self._count("messages")
        if isinstance(message, intake.PreparedBatch):
            gateway = self._gateway(message.topic, message.envelope.gateway, now_s)
            if gateway is not None:
                return self._accept_batch(message, gateway, payload, now_s)
            subject = f"{message.topic.insee}/{message.topic.gateway} {message.envelope.gateway.hex()}"
            self._alarm(receipt.IDENTITY, subject)
            message = intake.RefusedMessage(message.topic, message.envelope, receipt.IDENTITY)
        return self._refuse(message, topic, payload, now_s)

    def _accept_batch(self, batch, gateway, payload, now_s):
        self._store(batch, gateway, now_s)
        self._store_statements(batch)
        envelope = batch.envelope
        end = self._extend(gateway, envelope, now_s)
        to = topics.build(topics.RECEIPT, batch.topic.insee, batch.topic.gateway)
        return Answer(to, envelope.receipt(end, payload))

    def _refuse(self, refused, topic, payload, now_s):
        self._count("refused")
        self._count("refused." + refused.reason)
        self._keep_refused(refused.reason, topic, payload, now_s)
        envelope = refused.envelope
        # `rejected` names positions: a refused question has none, so it gets no answer.
        if refused.topic is None or envelope is None or envelope.last < envelope.first:
            return None
        batch = envelope.batch(payload)
        rejected = Rejected(envelope.gateway, envelope.epoch, envelope.lane, batch, refused.reason)
        return Answer(topics.build(topics.RECEIPT, refused.topic.insee, refused.topic.gateway), rejected)

    # --- rows ---

    def _store(self, batch, gateway, now_s):
        rows = [(*row, gateway, now_s) for row in batch.rows]
        if not rows:
            return
        inserted = self._connection.executemany(_INSERT_RECORD, rows).rowcount
        self._count("records", inserted)
        if inserted == len(rows):
            return
        conflicting = [row for row in rows if not self._holds(row)]
        for row in conflicting:
            self._alarm("conflict", f"{row[0].hex()}/{row[1]}/{row[2]}")
        kept = self._connection.executemany(_INSERT_CONFLICT, conflicting).rowcount if conflicting else 0
        self._count("conflicts", kept)
        self._count("duplicates", len(rows) - inserted - kept)

    def _holds(self, row) -> bool:
        held = self._connection.execute(
            "SELECT seconds, quality, uncertainty_s, body FROM records WHERE node = ? AND boot = ? AND sequence = ?",
            row[:3],
        ).fetchone()
        return held == (row[3], row[4], row[5], row[7])

    def _store_statements(self, batch):
        self._count("statements_refused", batch.statements_refused)
        if batch.gaps:
            self._connection.executemany(
                "INSERT OR IGNORE INTO gaps VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                [(*gap.by, *gap[1:]) for gap in batch.gaps],
            )
        if batch.anchors:
            self._connection.executemany(
                "INSERT OR IGNORE INTO anchors VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                [(*anchor.by, *anchor[1:]) for anchor in batch.anchors],
            )

    # --- gateways and their prefixes ---

    def _gateway(self, topic, identity, now_s):
        """Returns the gateway's number, binding id and name when both are new; None when they disagree with what is
        bound."""
        bound = self._connection.execute(
            "SELECT gateway, id, insee, name FROM gateways WHERE bound AND (id = ? OR (insee = ? AND name = ?))",
            (identity, topic.insee, topic.gateway),
        ).fetchall()
        if not bound:
            return self._connection.execute(
                "INSERT INTO gateways (id, insee, name, first_seen_unix_s) VALUES (?, ?, ?, ?)",
                (identity, topic.insee, topic.gateway, now_s),
            ).lastrowid
        matches = len(bound) == 1 and bound[0][1:] == (identity, topic.insee, topic.gateway)
        return bound[0][0] if matches else None

    def _extend(self, gateway, envelope, now_s) -> int:
        stream = (gateway, envelope.epoch, event.BATCH_LANES.index(envelope.lane))
        before = self._extent(stream)
        step = extend(before, envelope.first, envelope.last, envelope.oldest, SPANS_MAX)
        if before is None:
            self._forget_streams(gateway)
        if before is None or before.end != step.extent.end:
            self._connection.execute(
                "INSERT OR REPLACE INTO prefixes VALUES (?, ?, ?, ?, ?)", (*stream, step.extent.end, now_s)
            )
        if step.extent.spans != (before.spans if before else ()):
            self._connection.execute("DELETE FROM spans WHERE gateway = ? AND epoch = ? AND lane = ?", stream)
            self._connection.executemany(
                "INSERT INTO spans VALUES (?, ?, ?, ?, ?)", [(*stream, *span) for span in step.extent.spans]
            )
        self._count("spans_forgotten", step.forgotten)
        for first, last in step.skipped:
            self._count("positions_skipped", last - first + 1)
            self._connection.execute(
                "INSERT OR IGNORE INTO skips VALUES (?, ?, ?, ?, ?, ?)", (*stream, first, last, now_s)
            )
        return step.extent.end

    def _extent(self, stream) -> Extent | None:
        where = " WHERE gateway = ? AND epoch = ? AND lane = ?"
        end = self._connection.execute("SELECT next_position FROM prefixes" + where, stream).fetchone()
        if end is None:
            return None
        spans = self._connection.execute("SELECT first, last FROM spans" + where + " ORDER BY first", stream)
        return Extent(end[0], tuple(spans))

    def _forget_streams(self, gateway):
        streams = self._connection.execute(
            "SELECT gateway, epoch, lane FROM prefixes WHERE gateway = ?"
            " ORDER BY extended_unix_s DESC LIMIT -1 OFFSET ?",
            (gateway, STREAMS_PER_GATEWAY_MAX - 1),
        ).fetchall()
        for table in ("prefixes", "spans"):
            self._connection.executemany(f"DELETE FROM {table} WHERE gateway = ? AND epoch = ? AND lane = ?", streams)
        self._count("streams_forgotten", len(streams))

    # --- what an operator reads ---

    def _keep_refused(self, reason, topic, payload, now_s):
        number = self._connection.execute(
            "INSERT INTO refused (topic, reason, length, payload, received_unix_s) VALUES (?, ?, ?, ?, ?)",
            (
                topic[:TOPIC_CHARACTERS_MAX],
                reason,
                len(payload),
                bytes(payload[:REFUSED_PAYLOAD_BYTES_MAX]),
                now_s,
            ),
        ).lastrowid
        assert number is not None
        # The ring keeps the newest rows, up to the bounds in rows and in bytes.
        kept_bytes = 0
        for row, length in self._connection.execute(
            "SELECT number, length(payload) FROM refused WHERE number > ? ORDER BY number DESC",
            (number - REFUSED_ROWS_MAX,),
        ).fetchall():
            kept_bytes += length
            if kept_bytes > REFUSED_BYTES_MAX:
                break
            number = row
        self._connection.execute("DELETE FROM refused WHERE number < ?", (number,))

    def _alarm(self, kind, subject):
        self._alarmed[kind, subject] = self._alarmed.get((kind, subject), 0) + 1

    def _count(self, name, times=1):
        if times:
            self._counted[name] = self._counted.get(name, 0) + times

    @contextmanager
    def _transaction(self, now_s: int = 0) -> Iterator[None]:
        self._counted.clear()
        self._alarmed.clear()
        # Other processes write too: what a decision needs is read under the writer's lock.
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._write_counted(now_s)
            self._connection.execute("COMMIT")
        except BaseException:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            raise

    def _write_counted(self, now_s):
        self._connection.executemany(
            "INSERT INTO counters VALUES (?, ?) ON CONFLICT DO UPDATE SET value = value + excluded.value",
            self._counted.items(),
        )
        if not self._alarmed:
            return
        self._connection.executemany(
            "INSERT INTO alarms VALUES (?, ?, ?, ?, ?)"
            " ON CONFLICT DO UPDATE SET times = times + excluded.times, last_unix_s = excluded.last_unix_s",
            [(*key, now_s, now_s, times) for key, times in self._alarmed.items()],
        )
        self._connection.execute(
            "DELETE FROM alarms WHERE (kind, subject) IN"
            " (SELECT kind, subject FROM alarms ORDER BY last_unix_s DESC, kind, subject LIMIT -1 OFFSET ?)",
            (ALARMS_MAX,),
        )


def _joined(answers: list[Answer]) -> list[Answer]:
    """Returns the answers with the receipts of each stream made one: a signature each is dear, for both ends."""
    joined: list[Answer] = []
    open_receipts: dict[tuple, tuple[int, Receipt]] = {}  # by stream: place in `joined`, the receipt so far
    for answer in answers:
        made = answer.message
        if isinstance(made, Receipt):
            stream = (answer.topic, *made[:3])
            place, before = open_receipts.get(stream, (len(joined), made._replace(batches=())))
            batches = (*before.batches, *made.batches)
            if len(batches) <= receipt.BATCHES_MAX:
                made = made._replace(batches=batches)
            else:
                place = len(joined)
            open_receipts[stream] = place, made
            joined[place:place + 1] = [Answer(answer.topic, made)]
        else:
            joined.append(answer)
    return joined
