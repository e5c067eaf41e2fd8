"""Answers questions about what a warehouse holds. Must not write.

An `Archive` reads while an ingest writes (WAL): each question reads one consistent state. A time that a node did not
know is mapped through the anchor of the same boot that leaves the least uncertainty: the anchor's own, plus the drift
over the distance in uptime. When one sender states several anchors for one uptime, its latest holds (a gateway whose
clock was corrected states it again). Without an anchor a time stays unknown; it is never guessed. A time that was
doubted at its receipt counts as unknown too, though it is kept as it was stated.

Long because it is every question that a warehouse answers.
"""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from tools.centre.limits import DRIFT_PPM, INGEST_SEEN_S_MAX
from tools.centre.store import bodies, database, schema
from wire import event, quantity, record

INGESTS = "SELECT * FROM ingests ORDER BY name"
DOUBTS = "SELECT boot, sequence FROM doubts WHERE node = ?"


class Held(NamedTuple):
    """Holds one record as it is kept. `body` is its canonical CBOR (`wire.record.decode_body`)."""

    node: bytes
    boot: int
    sequence: int
    stamp: record.Stamp
    lane: str
    body: bytes
    insee: str
    gateway: str
    received_unix_s: int
    conflicting: bool
    is_doubtful: bool


class Ingest(NamedTuple):
    """Holds an ingest that has not stopped in order: its account, since when it runs, when it was last seen, and how
    many messages it has committed."""

    name: str
    since_unix_s: int
    seen_unix_s: int
    messages: int

    def is_at_work(self, now_s: float) -> bool:
        return now_s - self.seen_unix_s <= INGEST_SEEN_S_MAX


class Waiting(NamedTuple):
    """Counts days of nodes that the roll-up has to do, records that are kept apart, and alarms of the warehouse."""

    days: int
    apart: int
    alarms: int


class Explanation(NamedTuple):
    """States why a record will not come, and the node that stated it: the record's own node, or a gateway."""

    why: str
    by: bytes


class Moment(NamedTuple):
    """Holds an instant in UTC and its uncertainty. `unix_s` is None when it is not known."""

    unix_s: int | None
    uncertainty_s: int | None

    def unless(self, is_doubted: bool) -> "Moment":
        """Returns what counts: a time that was doubted at the receipt of its record is unknown."""
        return _UNKNOWN if is_doubted else self


class Reading(NamedTuple):
    """`value` is scaled as the table of `wire.quantity` says."""

    boot: int
    sequence: int
    unix_s: int | None
    uncertainty_s: int | None
    value: int


class Alarm(NamedTuple):
    """Holds an alarm of the warehouse itself (`tools.centre.ingest.alarms`); times in Unix seconds of receipt."""

    number: int
    kind: str
    cabinet: str
    subject: str
    detail: str
    first_unix_s: int
    last_unix_s: int
    times: int


class Kept(NamedTuple):
    """Counts the records about a node, of `owners`, that are kept apart because `cabinet` sent them."""

    cabinet: str
    node: bytes
    owners: tuple[str, ...]
    records: int
    first_unix_s: int
    last_unix_s: int


class Prefix(NamedTuple):
    """States how far one stream is held, and the spans `(first, last)` held beyond that."""

    gateway: bytes
    insee: str
    name: str
    epoch: bytes
    lane: str
    next_position: int
    ahead: tuple[tuple[int, int], ...]


class Skip(NamedTuple):
    """Names positions of one stream that will not come, and when that was learnt: the gateway no longer had them,
    because its card lost them (its own records say so), or because an earlier state of this warehouse had received
    them."""

    insee: str
    name: str
    epoch: bytes
    lane: str
    first: int
    last: int
    received_unix_s: int


_UNKNOWN = Moment(None, None)
_HELD = """SELECT node, boot, sequence, quality, seconds, uncertainty_s, lane, body, insee, name, received_unix_s, {},
    EXISTS (SELECT 1 FROM doubts WHERE doubts.node = held.node AND doubts.boot = held.boot
    AND doubts.sequence = held.sequence) FROM {} AS held JOIN gateways ON gateways.gateway = held.gateway {}"""


class Archive:
    """Answers questions on one connection; it is used from one thread."""

    def __init__(self, connection: database.Connection):
        self._connection = connection

    @classmethod
    def open(cls, path: str) -> "Archive":
        """Returns the archive in a file that another process writes; database.Error when it is no warehouse."""
        return Archive(schema.open_to_read(path))

    def close(self) -> None:
        self._connection.close()

    # --- records ---

    def identities(self) -> Iterator[tuple[bytes, int, int]]:
        """Returns every `(node, boot, sequence)` held, in that order."""
        return self._connection.stream("SELECT node, boot, sequence FROM records ORDER BY 1, 2, 3")

    def bodies(self) -> Iterator[tuple[tuple[bytes, int, int], record.Stamp, bytes]]:
        """Returns `((node, boot, sequence), stamp, body)` of every record in order; conflicting ones left out."""
        for node, boot, sequence, body, *stamp in self._connection.stream(
            "SELECT node, boot, sequence, body, quality, seconds, uncertainty_s FROM records ORDER BY 1, 2, 3"
        ):
            yield (node, boot, sequence), record.Stamp(*stamp), body

    def held(self, node: bytes | None = None, *, lane: str | None = None) -> Iterator[Held]:
        """Returns every record (of one node, of one lane), then every conflicting one."""
        given = {"node": node, "lane": None if lane is None else event.LANES.index(lane)}
        wanted = {column: value for column, value in given.items() if value is not None}
        where = f"WHERE {' AND '.join(f'{column} = ?' for column in wanted)}" if wanted else ""
        for conflicting, table in ((0, "records"), (1, "conflicts")):
            statement = _HELD.format(conflicting, table, where + " ORDER BY node, boot, sequence, body")
            for row in self._connection.stream(statement, tuple(wanted.values())):
                stamp, lane = record.Stamp(*row[3:6]), event.LANES[row[6]]
                yield Held._make((*row[:3], stamp, lane, *row[7:11], bool(row[11]), bool(row[12])))

    def digest(self) -> str:
        """Returns the SHA-256 over all records, conflicting ones too, in key order, so it does not depend on the order
        of arrival."""
        total = hashlib.sha256()
        columns = "SELECT node, boot, sequence, body, seconds, quality, uncertainty_s FROM "
        for node, boot, sequence, body, *stamp in self._connection.stream(
            f"{columns} records UNION ALL {columns} conflicts ORDER BY 1, 2, 3, 4, 5, 6, 7"
        ):
            total.update(node)
            total.update(b"%d %d %d %d %d %d " % (boot, sequence, len(body), *stamp))
            total.update(body)
        return total.hexdigest()

    # --- what is not there ---

    def missing(self, node: bytes, boot: int) -> Iterator[int]:
        """Returns the sequences up to the highest known that are neither held nor covered by a gap.

        A sequence is known when it is held or a gap states it: the gap's last, or the sequence before its first.
        """
        for first, last in self.missing_spans(node, boot):
            yield from range(first, last + 1)

    def missing_spans(self, node: bytes, boot: int) -> list[tuple[int, int]]:
        """Returns the same as `missing`, in spans `(first, last)`: a hostile sequence near 2^32 costs no more than any
        other."""
        gaps = self._gaps(node, boot)
        held = self._connection.execute(
            "SELECT max(sequence) FROM records WHERE node = ? AND boot = ?", (node, boot)
        ).fetchone()[0]
        known = -1 if held is None else held
        for first, last, _ in gaps:
            known = max(known, first - 1 if last is None else last)
        covers = [(first, known if last is None else last) for first, last, _ in gaps]
        covers.extend(
            self._connection.execute(
                "SELECT sequence, sequence FROM records WHERE node = ? AND boot = ?"
                " UNION ALL SELECT first, last FROM purged WHERE node = ? AND boot = ?",
                (node, boot, node, boot),
            )
        )
        return _uncovered(known, sorted(covers))

    def missing_all(self) -> Iterator[tuple[bytes, int, int, int]]:
        """Returns `(node, boot, first, last)` of everything that `missing` finds for any node."""
        for node, boot in self._connection.execute(
            "SELECT DISTINCT node, boot FROM records UNION SELECT DISTINCT about, boot FROM gaps ORDER BY 1, 2"
        ).fetchall():
            for first, last in self.missing_spans(node, boot):
                yield node, boot, first, last

    def explained(self, node: bytes, boot: int, sequence: int) -> Explanation | None:
        """Returns why this record will not come. None: no gap covers it, or it is held (a record beats a gap).

        Where several gaps cover it, another node's statement goes before its own: a gateway has had the record.
        """
        row = self._connection.execute(
            "SELECT why, by_node FROM gaps WHERE about = ? AND boot = ? AND first <= ? AND (last IS NULL OR last >= ?)"
            " AND NOT EXISTS (SELECT 1 FROM records WHERE node = ? AND records.boot = ? AND sequence = ?)"
            " ORDER BY by_node = about, last IS NULL, first DESC LIMIT 1",
            (node, boot, sequence, sequence, node, boot, sequence),
        ).fetchone()
        return Explanation(*row) if row else None

    def _gaps(self, node, boot):
        return self._connection.execute(
            "SELECT first, last, why FROM gaps WHERE about = ? AND boot = ? ORDER BY first", (node, boot)
        ).fetchall()

    # --- readings ---

    def newest_readings(self, node: bytes) -> dict[int, int]:
        """Returns the newest readings of a node, by key, without those of its own health; none where it has none."""
        row = self._connection.execute("SELECT readings FROM latest WHERE node = ?", (node,)).fetchone()
        return {} if row is None or row[0] is None else bodies.decode(row[0])

    def readings(
        self,
        node: bytes,
        code: int,
        channel: int = 0,
        since_unix_s: int | None = None,
        until_unix_s: int | None = None,
    ) -> Iterator[Reading]:
        """Returns the readings of one quantity in order of (boot, sequence), with `since <= UTC < until`.

        A reading whose UTC is not known is returned only when neither bound is given.
        """
        key = quantity.key(code, channel)
        for boot, sequence, moment, readings in self._readings(node):
            if key in readings and _within(moment.unix_s, since_unix_s, until_unix_s):
                yield Reading(boot, sequence, moment.unix_s, moment.uncertainty_s, readings[key])

    def energy_wh(
        self, node: bytes, since_unix_s: int | None = None, until_unix_s: int | None = None
    ) -> dict[int, int]:
        """Returns what each energy register of a node counted, by channel, between the first and the last of its
        readings within the bounds."""
        chains: dict[int, tuple[list[int], list[int]]] = {}
        for boot, _, moment, readings in self._readings(node):
            if _within(moment.unix_s, since_unix_s, until_unix_s):
                for key, value in readings.items():
                    if key % quantity.CHANNEL_STEP == quantity.ENERGY:
                        boots, values = chains.setdefault(key // quantity.CHANNEL_STEP, ([], []))
                        boots.append(boot)
                        values.append(value)
        return {channel: sum(filter(None, counted(*chain))) for channel, chain in chains.items()}

    def moment(self, node: bytes, boot: int, stamp: record.Stamp) -> Moment:
        """Returns the moment at which a record says that it was made: its own time, or its uptime mapped through the
        best anchor of that boot."""
        if stamp.quality != record.UNSET:
            return Moment(stamp.seconds, stamp.uncertainty_s)
        return _through_anchor(_anchors(self._connection, node, boot), stamp.seconds)

    def moments(self, node: bytes) -> "Moments":
        """Returns what knows the moments of many records of one node."""
        return Moments(self._connection, node, self._connection.execute(DOUBTS, (node,)))

    def _readings(self, node):
        moments = self.moments(node)
        telemetry = event.LANES.index(event.TELEMETRY)
        for boot, sequence, body, *stamp in self._connection.execute(
            "SELECT boot, sequence, body, quality, seconds, uncertainty_s FROM records"
            " WHERE node = ? AND lane = ? ORDER BY boot, sequence",
            (node, telemetry),
        ):
            yield boot, sequence, moments.of(boot, sequence, *stamp), bodies.decode(body)

    # --- the warehouse itself ---

    @property
    def counters(self) -> dict[str, int]:
        """Counts what has happened since the file was made, by name; no count ever falls."""
        names = ("messages", "records", "duplicates", "conflicts", "refused", "positions_skipped")
        counted = dict.fromkeys(names, 0)
        counted.update(self._connection.execute("SELECT name, value FROM counters"))
        return counted

    def records_by_lane(self) -> dict[str, int]:
        counted = dict.fromkeys(event.LANES, 0)
        for lane, count in self._connection.execute("SELECT lane, count(*) FROM records GROUP BY lane"):
            counted[event.LANES[lane]] = count
        return counted

    def prefixes(self) -> list[Prefix]:
        """Returns the prefix of every stream that is remembered, by gateway, epoch and lane."""
        found = []
        for number, epoch, lane, *named, end in self._connection.execute(
            "SELECT gateway, epoch, lane, id, insee, name, next_position"
            " FROM prefixes JOIN gateways USING (gateway)"
            " ORDER BY insee, name, extended_unix_s, epoch, lane"
        ).fetchall():
            ahead = self._connection.execute(
                "SELECT first, last FROM spans WHERE gateway = ? AND epoch = ? AND lane = ? ORDER BY first",
                (number, epoch, lane),
            )
            found.append(Prefix._make((*named, epoch, event.BATCH_LANES[lane], end, tuple(ahead))))
        return found

    def skips(self) -> list[Skip]:
        """Returns the positions that prefixes jumped over, the latest first."""
        rows = self._connection.execute(
            "SELECT insee, name, epoch, lane, first, last, received_unix_s FROM skips JOIN gateways USING (gateway)"
            " ORDER BY received_unix_s DESC, insee, name, epoch, lane, first"
        )
        return [Skip._make((*row[:3], event.BATCH_LANES[row[3]], *row[4:])) for row in rows]

    def gateways(self) -> list[tuple[bytes, str, str, bool]]:
        """Returns `(id, insee, name, bound)` of every gateway that was ever heard."""
        rows = self._connection.execute("SELECT id, insee, name, bound FROM gateways ORDER BY insee, name, gateway")
        return [(*row[:3], bool(row[3])) for row in rows]

    def ingests(self) -> list[Ingest]:
        """Returns the ingests that share the work, by name."""
        return [Ingest(*row) for row in self._connection.execute(INGESTS)]

    def waiting(self) -> Waiting:
        """Returns how much waits for the roll-up, and for a person."""
        [[days], [apart], [alarms]] = (
            self._connection.execute(f"SELECT {question}").fetchone()
            for question in ("count(*) FROM day_spans WHERE dirty = 1",
                             "coalesce(sum(records), 0) FROM apart_counts", "count(*) FROM alarms")
        )  # fmt: skip
        return Waiting(days, int(apart), alarms)

    def runs(self) -> dict[str, int]:
        """Returns when each work of `tools.centre.store.runs` was last done to its end, in Unix seconds."""
        return dict(self._connection.execute("SELECT name, ended_unix_s FROM runs"))

    def first_received_s(self) -> int | None:
        """Returns when the first cabinet was heard, in Unix seconds."""
        return self._connection.execute("SELECT min(first_seen_unix_s) FROM gateways").fetchone()[0]

    def last_received(self) -> dict[str, int]:
        """Returns when the warehouse last took something from each cabinet (insee-name), in Unix seconds."""
        rows = self._connection.execute(
            "SELECT insee, name, max(extended_unix_s) FROM prefixes JOIN gateways USING (gateway) GROUP BY insee, name"
        )
        return {f"{insee}-{name}": last for insee, name, last in rows}

    def gaps(self) -> list[tuple[bytes, int, int, int | None, str, bytes]]:
        """Returns `(about, boot, first, last or None, why, by)` of every gap that was stated."""
        return self._connection.execute("SELECT about, boot, first, last, why, by_node FROM gaps").fetchall()

    def stated(self) -> list[tuple[bytes, bytes]]:
        """Returns each pair of a node and who has stated gaps or anchors about it that count."""
        return self._connection.execute(
            "SELECT about, by_node FROM gaps UNION SELECT about, by_node FROM anchors"
        ).fetchall()

    def alarms(self) -> list[Alarm]:
        """Returns the warehouse's own alarms that nobody has closed, the latest first."""
        rows = self._connection.execute("SELECT * FROM alarms ORDER BY last_unix_s DESC, number DESC")
        return [Alarm._make(row) for row in rows]

    def kept_apart(self) -> list[Kept]:
        """Returns what waits for a person's decision, by cabinet and node."""
        rows = self._connection.execute(
            "SELECT cabinet, about, count(*), min(received_unix_s), max(received_unix_s) FROM apart"
            " GROUP BY 1, 2 ORDER BY 1, 2"
        ).fetchall()
        return [Kept(cabinet, node, self.cabinets_of(node), *counted) for cabinet, node, *counted in rows]

    def cabinets_of(self, node: bytes) -> tuple[str, ...]:
        """Returns the cabinets (insee-name) that may speak for a node."""
        rows = self._connection.execute("SELECT cabinet FROM serving WHERE node = ? ORDER BY 1", (node,))
        return tuple(cabinet for (cabinet,) in rows)

    def refused(self) -> list[tuple[str, str, int, bytes, int]]:
        """Returns `(topic, reason, length, payload, received_unix_s)` of the refused messages kept, the oldest
        first."""
        return self._connection.execute(
            "SELECT topic, reason, length, payload, received_unix_s FROM refused ORDER BY number"
        ).fetchall()


def counted(boots: Sequence[int], values: Sequence[int]) -> list[int | None]:
    """Returns what a register counted from each reading to the next; None where it began anew.

    Where a register is lower after a start, it restarted at zero or at the value that the node had last saved: what was
    used between the two readings is unknown. So a register of either kind never counts more than was used. One that
    falls within a boot is faulty, and is not corrected.
    """
    return [
        None if value < before and boot != former else value - before
        for value, before, boot, former in zip(values[1:], values, boots[1:], boots, strict=False)
    ]


class Moments:
    """Tells when records of one node were made, by its DOUBTS and the anchors that are held; each is read once."""

    def __init__(self, connection: database.Connection, node: bytes, doubts: Iterable[tuple[int, int]]):
        self._connection = connection
        self._node = node
        self._doubts = set(doubts)
        self._anchors: dict[int, list[tuple[int, int, int]]] = {}

    def of(self, boot: int, sequence: int, quality: int, seconds: int, uncertainty_s: int) -> Moment:
        """Returns the moment of a record with this stamp; unknown where its time is doubted."""
        is_doubted = (boot, sequence) in self._doubts
        if quality != record.UNSET:
            return Moment(seconds, uncertainty_s).unless(is_doubted)
        if boot not in self._anchors:
            self._anchors[boot] = _anchors(self._connection, self._node, boot)
        return _through_anchor(self._anchors[boot], seconds).unless(is_doubted)

    def times(
        self,
        boots: Sequence[int],
        sequences: Sequence[int],
        qualities: Sequence[int],
        seconds: Sequence[int],
        uncertainties_s: Sequence[int],
    ) -> Sequence[int | None]:
        """Returns the UTC of records with these stamps; None where it is not known."""
        if not self._doubts and record.UNSET not in qualities:
            return seconds
        return [moment.unix_s for moment in map(self.of, boots, sequences, qualities, seconds, uncertainties_s)]


def _anchors(connection, node, boot) -> list[tuple[int, int, int]]:
    """Returns the anchors `(uptime_s, unix_s, uncertainty_s)` of one boot: of each sender and uptime the latest."""
    rows = connection.execute(
        "SELECT by_node, uptime_s, unix_s, uncertainty_s FROM anchors WHERE about = ? AND boot = ?"
        " ORDER BY by_boot, by_sequence",
        (node, boot),
    )
    latest = {row[:2]: row[1:] for row in rows}
    return sorted(latest.values())


def _uncovered(known, covers):
    spans = []
    position = 0
    for first, last in covers:
        if first > position:
            spans.append((position, min(first - 1, known)))
        position = max(position, last + 1)
        if position > known:
            break
    if position <= known:
        spans.append((position, known))
    return [span for span in spans if span[0] <= span[1]]


def _within(unix_s, since, until) -> bool:
    if unix_s is None:
        return since is None and until is None
    return (since is None or unix_s >= since) and (until is None or unix_s < until)


def _through_anchor(anchors, uptime_s) -> Moment:
    """Returns the moment by the best of the anchors `(uptime_s, unix_s, uncertainty_s)`: the least doubt, then the
    nearest, then the earliest."""
    best = None
    for anchor_s, unix_s, uncertainty_s in anchors:
        away_s = uptime_s - anchor_s
        doubt_s = uncertainty_s + -(-abs(away_s) * DRIFT_PPM // 1_000_000)
        if best is None or (doubt_s, abs(away_s)) < best[0]:
            best = (doubt_s, abs(away_s)), Moment(unix_s + away_s, doubt_s)
    return best[1] if best else _UNKNOWN
