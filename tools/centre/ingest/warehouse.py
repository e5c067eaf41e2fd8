"""The warehouse stores each record of the batches it accepts once, and returns how far it holds each stream.

`accept` does all of this in one transaction, so that a crash leaves all of it or nothing:

* every record becomes one row, keyed by (node, boot, sequence). An identical one is a duplicate, and counted. One with
  the same key and another body or stamp is a conflict: both are kept, an alarm is raised;
* gaps and anchors that events state are stored beside the rows (`tools.centre.ingest.intake`);
* the prefix of (gateway, epoch, lane) is extended (`tools.centre.ingest.prefix`) and its end is returned in a
  `Receipt`, with the digest of each batch, to be signed (`tools.centre.ingest.receipts`) and published on class `a`;
* a batch that cannot be accepted is kept in a bounded ring and answered with `Rejected` when its envelope can be read.
  The reasons in `wire.receipt.HOLD_REASONS` are not about the records: for these the gateway must hold its lane, not
  quarantine a record. One is `quota`: a cabinet has brought what it may in a day (`tools.centre.ingest.quota`);
* the first message of a gateway binds its id to its cabinet, the commune and name. Another id under that name, or that
  id under another name, is refused (`identity`) until an operator calls `unbind`;
* what a cabinet says about a node that is another's is kept apart (`tools.centre.ingest.apart`): its positions are
  held, it counts for nothing, and an alarm names both, until a person calls `release` or `discard`;
* what is broken follows in the same transaction (`tools.centre.condition.derived`);
* the last state of each node is kept, and the days to roll up are marked (`tools.centre.rollup.marks`);
* times that cannot be are marked, and two of one identity raise an alarm (`tools.centre.ingest.doubts`);
* a record that was held and is purged (`tools.centre.retention`) is a duplicate, and states nothing any more.

Answers may be sent only after `accept` has returned. Sending them late, twice or never does no harm: a gateway
sends again what it still holds. Several processes may share the file: the prefix lives in the database.

It must never return a receipt that passes a position whose row is not in the same commit or an earlier one, read a
clock, or change a row. Errors of the disk (database.Error) pass to the caller, and nothing is accepted: the caller
waits, and calls again.

Long because all that changes the warehouse shares its transaction.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

from tools.centre.condition.derived import Derived
from tools.centre.ingest import alarms, doubts, group, intake, refusals
from tools.centre.ingest.alarms import Alarms
from tools.centre.ingest.apart import Apart
from tools.centre.ingest.intake import Contents
from tools.centre.ingest.nodes import Nodes
from tools.centre.ingest.plain import Row
from tools.centre.ingest.prefix import Prefixes, Sender
from tools.centre.ingest.quota import Quota
from tools.centre.limits import GATEWAYS_MAX
from tools.centre.register import placed
from tools.centre.register.equipment import cabinet_of
from tools.centre.rollup.marks import Marks
from tools.centre.store import database, schema
from tools.centre.store.archive import Archive, Ingest
from wire import receipt
from wire import topic as topics
from wire.receipt import Receipt, Rejected

_INSERT = """INSERT INTO {}
    (node, boot, sequence, seconds, quality, uncertainty_s, lane, body, gateway, received_unix_s)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"""
_INSERT_RECORD = _INSERT.format("records")
_INSERT_CONFLICT = _INSERT.format("conflicts")


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
        # Counts of the transaction under way, written once at its end.
        self._counted: dict[str, int] = {}
        self._alarms = Alarms(self._connection)
        self._nodes = Nodes(self._connection)
        self._apart = Apart(self._connection)
        self._quota = Quota(self._connection, self._alarms)
        self._marks = Marks(self._connection)
        self._derived = Derived(self._connection)
        self._prefixes = Prefixes(self._connection, self._alarms, self._count)

    def accept(self, topic: str, payload: bytes, *, received_unix_s: int) -> list[Answer]:
        """Accepts one message whole, or refuses it whole; returns what to answer now that it is committed."""
        return self.accept_group([(topic, payload)], received_unix_s=received_unix_s)

    def accept_group(self, messages: Iterable[tuple[str, bytes]], *, received_unix_s: int) -> list[Answer]:
        """Accepts several messages in one transaction; one receipt answers all batches of a stream."""
        prepared = [(intake.prepare(topic, payload), topic, payload) for topic, payload in messages]
        answers: list[Answer] = []
        with self._transaction(received_unix_s, _named(message for message, _, _ in prepared)):
            for message, topic, payload in prepared:
                answer = self._accept(message, topic, payload, received_unix_s)
                if answer is not None:
                    answers.append(answer)
        return _joined(answers) if len(answers) > 1 else answers

    # --- several ingests ---

    def note_ingest(self, member: Ingest) -> None:
        """Notes that an ingest is at work."""
        with database.transaction(self._connection):
            group.note(self._connection, member)

    def end_ingest(self, name: str, *, now_s: int) -> bool:
        """Notes that an ingest stops; returns whether others are at work."""
        with database.transaction(self._connection):
            return group.leave(self._connection, name, now_s)

    # --- what a person decides ---

    def unbind(self, insee: str, name: str) -> bool:
        """Frees a name for another id (a gateway was replaced or moved); its rows stay, and its nodes stay the
        cabinet's. False when no such gateway is bound."""
        cabinet = cabinet_of(insee, name)
        with self._transaction():
            self._nodes.forget()
            freed = self._connection.execute(
                "UPDATE gateways SET bound = 0 WHERE bound = 1 AND insee = ? AND name = ? RETURNING id", (insee, name)
            ).fetchall()
            self._connection.executemany(
                "DELETE FROM serving WHERE node = ? AND cabinet = ?", [(identity, cabinet) for (identity,) in freed]
            )
            self._alarms.end(alarms.IDENTITY, cabinet)
        return len(freed) == 1

    def bind(self, nodes: Iterable[bytes], cabinet: str, *, alone: bool, now_s: int) -> None:
        """Lets a cabinet speak for these nodes from now on; `alone`: no other any longer."""
        with self._transaction(now_s, nodes):
            for node in nodes:
                self._nodes.bind(node, cabinet, now_s, alone=alone)

    def release(self, cabinet: str, nodes: Iterable[bytes] | None, *, now_s: int) -> int:
        """Lets what is kept apart of a cabinet about these nodes (None: any) count as if it had counted at its receipt;
        returns the number of records."""
        with self._transaction(now_s):
            released = self._removed(cabinet, nodes)
            of_nodes = {row.node for one in released for row in one.contents.rows}
            self._nodes.own(of_nodes)
            self._nodes.load(of_nodes)
            for one in released:
                self._store(one.contents, Sender(one.gateway, b"", cabinet), one.received_unix_s)
            count = sum(len(one.contents.rows) for one in released)
            self._count("released", count)
        return count

    def disown(self, node: bytes, first_boot: int, *, now_s: int) -> int:
        """Keeps the records of a node from a boot on apart, as a stranger's who had its key: what they changed is made
        anew without them, and what comes of these boots is kept apart too, until a person releases it. Returns the
        number of records."""
        with self._transaction(now_s, (node,)):
            moved = self._apart.move_out(node, first_boot)
            if moved:
                self._nodes.disown(node, first_boot, max(row.boot for row in moved), now_s)
                self._derived.note_gone(node, first_boot)
                self._marks.note_gone(node, first_boot)
                self._forget_statements(node, first_boot)
                self._count("disowned", len(moved))
        return len(moved)

    def _forget_statements(self, node, first_boot):
        where = "WHERE by_node = ? AND by_boot >= ?"
        anchored = self._connection.execute(f"SELECT about, boot FROM anchors {where}", (node, first_boot)).fetchall()
        self._marks.note_times((about, boot, -1) for about, boot in anchored)
        for table in ("gaps", "anchors"):
            self._connection.execute(f"DELETE FROM {table} {where}", (node, first_boot))

    def discard(self, cabinet: str, nodes: Iterable[bytes] | None, *, now_s: int) -> int:
        """Removes what is kept apart of a cabinet about these nodes (None: any); returns the number of records."""
        with self._transaction(now_s):
            count = sum(len(one.contents.rows) for one in self._removed(cabinet, nodes))
            self._count("discarded", count)
        return count

    def close_alarm(self, number: int) -> bool:
        """Removes an alarm of `alarms`; False when there is none of that number."""
        with self._transaction():
            return self._alarms.close(number)

    def _removed(self, cabinet, nodes):
        removed = self._apart.remove(cabinet, nodes)
        if self._apart.is_empty(cabinet):
            self._alarms.end(alarms.FOREIGN, cabinet)
            self._alarms.end(alarms.CROWD, cabinet)
        return removed

    # --- messages ---

    def _accept(self, message, topic, payload, now_s):
        self._count("messages")
        if isinstance(message, intake.PreparedBatch):
            sender = self._sender(message.topic, message.envelope.gateway, now_s)
            has_room = sender is None or self._quota.admits(sender.cabinet, message, now_s)
            contents = self._own(message.contents, sender, now_s) if sender is not None and has_room else None
            if contents is not None:
                return self._accept_batch(message, contents, sender, payload, now_s)
            reason = receipt.IDENTITY if has_room else receipt.QUOTA
            message = intake.RefusedMessage(message.topic, message.envelope, reason)
        return self._refuse(message, topic, payload, now_s)

    def _accept_batch(self, batch, contents, sender, payload, now_s):
        self._count("statements_refused", batch.statements_refused)
        self._quota.note(sender.cabinet, batch, now_s)
        latest_s = self._store(contents, sender, now_s)
        envelope = batch.envelope
        end = self._prefixes.extend(sender, envelope, latest_s, now_s)
        to = topics.build(topics.RECEIPT, batch.topic.insee, batch.topic.gateway)
        return Answer(to, envelope.receipt(end, payload))

    def _own(self, contents: Contents, sender: Sender, now_s: int) -> Contents | None:
        """Returns what the sender may say, with the rest kept apart; None when that is more than a cabinet has."""
        strangers = self._nodes.disowned(contents.rows)
        if strangers:
            if not self._apart.has_room(sender.cabinet):
                self._alarms.raise_for(alarms.CROWD, sender.cabinet, alarms.OTHERS)
                return None
            self._apart.keep(((row.node, row) for row in strangers), sender.cabinet, sender.number, now_s)
            self._count("apart", len(strangers))
            for row in strangers:
                self._alarms.raise_for(alarms.CLONE, sender.cabinet, row.node.hex(), alarms.BOOTS)
            contents = intake.without(contents, {row[:3] for row in strangers})
        named = {row.node for row in contents.rows}.union(contents.abouts.values())
        named.discard(sender.identity)
        others = self._nodes.others(named, sender.cabinet)
        if not others:
            return contents
        new = [node for node, cabinets in others.items() if not cabinets]
        foreign = {node: min(cabinets) for node, cabinets in others.items() if cabinets}
        if (new and not self._nodes.has_room(sender.cabinet, len(new))) or (
            foreign and not self._apart.has_room(sender.cabinet)
        ):
            self._alarms.raise_for(alarms.CROWD, sender.cabinet, alarms.OTHERS)
            return None
        for node in new:
            self._nodes.bind(node, sender.cabinet, now_s)
        return self._without(contents, foreign, sender, now_s)

    def _without(self, contents, owners, sender, now_s):
        """Keeps rows about the nodes in `owners`, others' nodes with their cabinets, apart; returns the others."""
        said = [(contents.abouts.get(row, row.node), row) for row in contents.rows]
        kept = [entry for entry in said if entry[0] in owners]
        if not kept:
            return contents
        self._apart.keep(kept, sender.cabinet, sender.number, now_s)
        self._count("apart", len(kept))
        for about, _ in kept:
            self._alarms.raise_for(alarms.FOREIGN, sender.cabinet, owners[about], about.hex())
        return intake.contents_of((row for about, row in said if about not in owners), sender.identity)

    def _refuse(self, refused, topic, payload, now_s):
        self._count("refused")
        self._count("refused." + refused.reason)
        refusals.keep(self._connection, refused.reason, topic, payload, now_s)
        envelope = refused.envelope
        # `rejected` names positions: a refused question has none, so it gets no answer.
        if refused.topic is None or envelope is None or envelope.last < envelope.first:
            return None
        batch = envelope.batch(payload)
        rejected = Rejected(envelope.gateway, envelope.epoch, envelope.lane, batch, refused.reason)
        return Answer(topics.build(topics.RECEIPT, refused.topic.insee, refused.topic.gateway), rejected)

    # --- rows ---

    def _store(self, contents: Contents, sender: Sender, now_s: int) -> int:
        """Stores rows and what they state; returns the latest time that a row states for certain (Unix s), or 0."""
        purged = self._nodes.purged(contents.rows)
        if purged:
            self._count("duplicates", len(purged))
            contents = intake.without(contents, purged)
        if not contents.rows:
            return 0
        beside = self._store_rows(contents.rows, sender, now_s)
        self._derived.note(contents.rows)
        self._store_statements(contents)
        if contents.placings:
            placed.keep(self._connection, contents, sender.cabinet[:5], now_s)
        counting = [row for row in contents.rows if row not in beside] if beside else contents.rows
        self._marks.note(counting, sender.number, now_s)
        self._marks.note_times((anchor.about, anchor.boot, -1) for anchor in contents.anchors)
        found = doubts.judge(contents.rows, self._nodes, now_s)
        for node in found.twins:
            self._alarms.raise_for(alarms.CLONE, sender.cabinet, node.hex(), alarms.BOOTS)
        doubted = [(row[:3], row.seconds) for row in found.times if row not in beside]
        doubted += [((one.about, one.boot, one.sequence), one.stated_s) for one in contents.doubts]
        for identity, stated_s in doubted:
            self._alarms.raise_for(alarms.TIME, sender.cabinet, identity[0].hex(), str(stated_s))
        self._marks.note_times(identity for identity, _ in doubted)
        if doubted:
            self._connection.executemany(
                "INSERT INTO doubts VALUES (?, ?, ?) ON CONFLICT DO NOTHING", [one for one, _ in doubted]
            )
        return found.latest_s

    def _store_rows(self, contents_rows, sender, now_s) -> set[Row]:
        """Stores rows, once each; returns those that contradict what is held, which are kept beside."""
        rows = [(*row, sender.number, now_s) for row in contents_rows]
        inserted = self._connection.executemany(_INSERT_RECORD, rows).rowcount
        self._count("records", inserted)
        if inserted == len(rows):
            return set()
        conflicting = [row for row in rows if not self._holds(row)]
        for row in conflicting:
            self._alarms.raise_for(alarms.CLONE, sender.cabinet, row[0].hex(), alarms.BODY)
        kept = self._connection.executemany(_INSERT_CONFLICT, conflicting).rowcount if conflicting else 0
        self._count("conflicts", kept)
        self._count("duplicates", len(rows) - inserted - kept)
        return {Row(*row[:-2]) for row in conflicting}

    def _holds(self, row) -> bool:
        held = self._connection.execute(
            "SELECT seconds, quality, uncertainty_s, body FROM records WHERE node = ? AND boot = ? AND sequence = ?",
            row[:3],
        ).fetchone()
        return held == (row[3], row[4], row[5], row[7])

    def _store_statements(self, contents):
        if contents.gaps:
            self._connection.executemany(
                "INSERT INTO gaps VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
                [(*gap.by, *gap[1:]) for gap in contents.gaps],
            )
        if contents.anchors:
            self._connection.executemany(
                "INSERT INTO anchors VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
                [(*anchor.by, *anchor[1:]) for anchor in contents.anchors],
            )

    # --- gateways and their prefixes ---

    def _sender(self, topic, identity, now_s) -> Sender | None:
        """Returns who sends, binding id and cabinet when both are new; None when they disagree with what is bound."""
        cabinet = cabinet_of(topic.insee, topic.gateway)
        if (cabinet, identity) in self._nodes.senders:
            return self._nodes.senders[cabinet, identity]
        bound = self._connection.execute(
            "SELECT gateway, id, insee, name FROM gateways WHERE bound = 1 AND (id = ? OR (insee = ? AND name = ?))",
            (identity, topic.insee, topic.gateway),
        ).fetchall()
        if len(bound) == 1 and bound[0][1:] == (identity, topic.insee, topic.gateway):
            sender = self._nodes.senders[cabinet, identity] = Sender(bound[0][0], identity, cabinet)
            return sender
        # The id may be that of a lamp, or of a gateway, of another cabinet.
        owners = {cabinet_of(*row[2:]) for row in bound} or set(self._nodes.cabinets_of(identity)) - {cabinet}
        for owner in owners:
            self._alarms.raise_for(alarms.IDENTITY, owner, cabinet, identity.hex())
        if owners:
            return None
        if self._connection.execute("SELECT count(*) FROM gateways").fetchone()[0] >= GATEWAYS_MAX:
            self._alarms.raise_for(alarms.CROWD, alarms.OTHERS, alarms.OTHERS)
            return None
        (number,) = self._connection.execute(
            "INSERT INTO gateways (id, insee, name, first_seen_unix_s) VALUES (?, ?, ?, ?) RETURNING gateway",
            (identity, topic.insee, topic.gateway, now_s),
        ).fetchone()
        self._nodes.bind(identity, cabinet, now_s)
        return Sender(number, identity, cabinet)

    # --- what an operator reads ---

    def _count(self, name, times=1):
        if times:
            self._counted[name] = self._counted.get(name, 0) + times

    @contextmanager
    def _transaction(self, now_s: int = 0, nodes: Iterable[bytes] = ()) -> Iterator[None]:
        """Commits everything within, or nothing; `nodes`: those that it is about."""
        self._counted.clear()
        self._alarms.forget()
        self._quota.forget()
        self._marks.forget()
        self._derived.forget()
        # Other processes write too: what a decision needs is read under the writer's lock.
        try:
            with database.transaction(self._connection):
                self._nodes.load(nodes)
                yield
                self._nodes.save()
                self._quota.save()
                self._marks.save()
                self._derived.save()
                self._alarms.write(now_s)
                self._write_counted()
        except BaseException:
            self._nodes.forget()
            raise

    def _write_counted(self):
        self._connection.executemany(
            "INSERT INTO counters VALUES (?, ?)"
            " ON CONFLICT (name) DO UPDATE SET value = counters.value + excluded.value",
            list(self._counted.items()),
        )


def _named(messages) -> set[bytes]:
    """Returns every node that is named in batches: who sends, whose records they are, and what these are about."""
    named: set[bytes] = set()
    for message in messages:
        if isinstance(message, intake.PreparedBatch):
            named.add(message.envelope.gateway)
            named.update(row.node for row in message.contents.rows)
            named.update(message.contents.abouts.values())
    return named


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
