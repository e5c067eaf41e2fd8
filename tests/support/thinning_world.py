"""A journal that makes room for itself on a simulated disk, a ledger on another, and a model of what was said."""

from collections import Counter, defaultdict
from functools import lru_cache
from random import Random

from gateway.core.custody import entry, ledger
from gateway.core.custody.journal import Hole, Journal, Refused, Stream, Void
from gateway.core.custody.ledger import Ledger, LossTime
from gateway.core.custody.thinning import Thinner
from simulator.world.disk import SimDisk
from wire import event, record
from wire.record import EventBody, Record, Stamp

GATEWAY = bytes.fromhex("7c1f0a2cff000001")
NODES = [bytes.fromhex(f"7c1f0a2c0100000{number}") for number in range(4)]
LANES = ("alarm", "event", "telemetry")
SMALL = {
    "segment_bytes_max": 2000,
    "journal_bytes_max": 24_000,
    "alarm_reserve_bytes": 4000,
    "free_margin_bytes": 1000,
    "ballast_bytes": 1500,
}
TELEMETRY, HEALTH = (6, 4), (9, 14)


# Each check reads all that is held, and most of it has been read before.
_KEPT = 1 << 14


@lru_cache(_KEPT)
def _decoded(item):
    """The identity and the data of an item of the journal."""
    made = entry.decode(item)
    return (made.node, made.record.boot, made.record.sequence), record.encode(made.record)


@lru_cache(_KEPT)
def _gap(data):
    """The detail of a gap record; None for any other."""
    body = record.decode_payload(data)[0].body
    return tuple(body.detail) if isinstance(body, EventBody) and body.code == event.GAP else None


class ThinningWorld:
    """`said` is what was accepted and durable, by identity; what an identity's record was stays in `bodies`."""

    def __init__(self, seed, *, thinner_class=Thinner, journal_class=Journal, limits=SMALL):
        self.random = Random(seed)
        self.disk, self.state = SimDisk(self.random), SimDisk(self.random)
        self.thinner_class, self.journal_class, self.limits = thinner_class, journal_class, limits
        self.now_ms = 0
        self.boot = 0
        self.deeds = Counter()
        self.sequences = defaultdict(int)  # node -> next sequence, over all starts
        self.accepted = []  # (stream, position, identity) in this life, not yet durable
        self.promised = {}  # identity -> lane: a durable promise was given
        self.freed = set()  # identities that were freed
        self.data = {}  # identity -> bytes
        self.placed = defaultdict(dict)  # stream -> position -> identity
        self.start()

    # --- life -----------------------------------------------------------------------------------------------------

    def start(self):
        self.boot += 1
        self.own_sequence = 0
        self.accepted.clear()
        self.epoch = self.random.randbytes(8)
        self.journal = self.journal_class(self.disk, epoch=self.epoch, **self.limits)
        report = self.journal.recover()
        if self.boot > 1:
            self.deeds.update(self.thinner.counters)
        self.ledger = Ledger(self.state)
        self.thinner = self.thinner_class(
            self.journal,
            self.ledger,
            explain=self.explain,
            flush=self.ask_flush,
            loss_time=lambda now_ms: LossTime(1_790_000_000 + now_ms // 1000, now_ms // 1000),
        )
        self.flush_asked = False
        return report

    def ask_flush(self, *, now_ms):
        self.flush_asked = True

    def explain(self, body, *, now_ms=0):
        made = Record(self.boot, self.own_sequence, Stamp(0, self.now_ms // 1000, 0), body)
        placed = self.put(GATEWAY, made, reserve=True)
        if placed is None:
            return None
        self.own_sequence += 1
        return placed

    def put(self, node, made, *, reserve=False):
        """Append; (lane, position) or None."""
        data = record.encode(made)
        lane = record.lane(made)
        stream = Stream(self.epoch, lane)
        identity = (node, made.boot, made.sequence)
        expected = self.journal.durable_end(stream) + len([one for one in self.accepted if one[0] == stream])
        self.data[identity] = data
        self.placed[stream][expected] = identity
        position = self.journal.append(lane, entry.encode(entry.Entry(node, data)), reserve=reserve)
        if isinstance(position, Refused):
            self.refusal = position
            return None
        assert position == expected
        self.accepted.append((stream, position, identity))
        return lane, position

    def say(self, node, body, *, boot=1):
        """A node's next record. A refused one is never offered again: the disk may have kept it all the same."""
        made = Record(boot, self.sequences[node], Stamp(1, 1_790_000_000 + self.sequences[node], 1), body)
        self.sequences[node] += 1
        return self.put(node, made)

    def telemetry(self, node, health=False):
        keys = HEALTH if health else TELEMETRY
        return self.say(node, {key: self.sequences[node] * 7 + key for key in keys})

    def event(self, node):
        return self.say(node, EventBody(event.LEVEL_CHANGED, None, [50, 100, "policy", 1]))

    def alarm(self, node):
        return self.say(node, EventBody(event.LAMP_FAILURE, True, None))

    def raw(self, payload):
        """Bytes that are no record, in the lane of telemetry."""
        position = self.journal.append("telemetry", payload)
        if not isinstance(position, Refused):
            self.accepted.append((Stream(self.epoch, "telemetry"), position, None))
        return position

    def complete(self, ticket, error=None):
        for lane, end in self.journal.on_synced(ticket, error or self.disk.complete(ticket)):
            stream = Stream(self.epoch, lane)
            for one in [one for one in self.accepted if one[0] == stream and one[1] < end]:
                self.accepted.remove(one)
                if one[2] is not None:
                    self.promised[one[2]] = lane

    def turn(self):
        """One turn of the shell: a step, the flush it asked for, and some syncs end. True if any was under way."""
        self.now_ms += 20
        self.thinner.poll(now_ms=self.now_ms)
        if self.flush_asked:
            self.flush_asked = False
            self.journal.flush()
        return self.settle(lambda: self.random.randrange(3) == 0)

    def settle(self, ends=lambda: True):
        under_way = [*self.disk.pending, *self.state.pending]
        for pending in list(self.disk.pending):
            if ends():
                self.complete(pending.ticket)
        for pending in list(self.state.pending):
            if ends():
                self.ledger.on_synced(pending.ticket, self.state.complete(pending.ticket))
        return bool(under_way)

    def flush(self):
        self.journal.flush()
        self.settle()

    def work(self, turns_max=5000):
        """Turns until the thinner has nothing to do; time passes where it waits for it."""
        for _ in range(turns_max):
            has_syncs = self.turn()
            due_ms = self.thinner.deadline_ms()
            if due_ms is None and not has_syncs:
                return
            self.now_ms = max(self.now_ms, 0 if has_syncs else due_ms)
        raise AssertionError("the work never ends")

    def power_cut(self, tear=None):
        self.disk.power_cut(tear)
        self.state.power_cut(tear)
        self.start()

    def free(self, stream, position):
        self.freed |= {identity for at, identity in self.placed[stream].items() if at <= position}
        self.journal.release_through(stream, position)

    # --- what is held -----------------------------------------------------------------------------------------------

    def held(self):
        """{identity: data} of every readable record, and {lane: [identity]} in their order."""
        found, order = {}, defaultdict(list)
        for stream in self.journal.streams():
            position = self.journal.oldest(stream)
            while items := self.journal.read(stream, position, count_max=50, bytes_max=1 << 16):
                for item in items:
                    if isinstance(item, bytes):
                        identity, data = _decoded(item)
                        found[identity] = data
                        order[stream.lane].append(identity)
                        position += 1
                        continue
                    assert item.first == position <= item.last
                    assert isinstance(item, Hole | Void)
                    position = item.last + 1
            assert position == self.journal.durable_end(stream)
        return found, order

    def listed(self):
        """The identities in the ledger; each once."""
        found = set()
        for line in ledger.entries(self.state):
            about = {(bytes.fromhex(line["node"]), line["boot"], number) for number in ledger.expand(line["sequences"])}
            assert len(about) == line["count"] and not about & found, "listed twice"
            found |= about
        return found

    def gaps(self, held):
        """The identities covered by a gap record that is held, as a predicate."""
        spans = defaultdict(list)
        for data in [*held.values(), *(self.data[identity] for identity in self.freed)]:
            if (span := _gap(data)) is not None:
                node, boot, first, last, _ = span
                spans[node, boot].append((first, last))
        return lambda identity: any(first <= identity[2] <= last for first, last in spans[identity[:2]])

    def check(self, *, exact=True):
        """Nothing that was promised is missing unexplained, altered or out of order; the ledger is exact."""
        held, order = self.held()
        for identity, data in held.items():
            assert data == self.data[identity], "altered"
        missing = set(self.promised) - set(held) - self.freed
        is_covered = self.gaps(held)
        for identity in missing:
            assert is_covered(identity), f"{identity} is missing unexplained"
        for lane in LANES:
            for node in NODES:
                sequences = [sequence for who, _, sequence in order[lane] if who == node]
                assert sequences == sorted(set(sequences)), "order, or twice"
        if exact:
            listed = self.listed()
            assert (listed & set(self.promised)) - self.freed == missing, "the ledger is not what is missing"
            assert not listed & set(held), "the ledger lists what is held"
            assert sum(self.ledger.totals.values()) == len(listed)
        return missing

    def check_bytes(self):
        names = [name for name in self.disk.list() if not name.startswith("quarantine-") and name != "ballast"]
        assert self.journal.bytes_held == sum(self.disk.size(name) for name in names)
