"""A gateway core on simulated disks, nodes that speak CoAP to it, and an uplink alone beside its journal."""

from random import Random

from gateway.core.bearers.connection import UNBOUND, Connect
from gateway.core.custody import entry
from gateway.core.custody.disk import SharedFolder
from gateway.core.custody.journal import Journal, Stream
from gateway.core.gateway import Gateway, Log, Options, Send, Start
from gateway.core.inbox.known_nodes import KnownNodes
from gateway.core.uplink.batch import Publication
from gateway.core.uplink.uplink import Uplink
from gateway.io.crypto import verify_ed25519
from simulator.hosts.keys import CIPHER, WAREHOUSE, keys_of, keyset_of, link_of
from simulator.world.disk import SimDisk
from tests.support.honest_warehouse import HonestWarehouse
from tests.support.voiding_journal import VoidingJournal
from tools.centre.ingest.intake import inflate
from wire import coap_message, event, oscore_link, receipt, record, senml, topic
from wire.coap import Failed, Response
from wire.record import EventBody, Record, Stamp

GATEWAY = bytes.fromhex("7c1f0a2cff000001")
NODE = bytes.fromhex("7c1f0a2c01000001")
OTHER = bytes.fromhex("7c1f0a2c01000002")
EPOCH, EARLIER = b"epoch-01", b"epoch-00"
INSEE, NAME = "49007", "cab-12"
ANSWERS = topic.build(topic.RECEIPT, INSEE, NAME)
OPTIONS = Options(
    gateway=GATEWAY,
    insee=INSEE,
    name=NAME,
    keyset=keyset_of(INSEE),
    batch_age_ms=0,
    batch_records_max=10,
    window_max=6,
    segment_bytes_max=4000,
    journal_bytes_max=400_000,
    alarm_reserve_bytes=20_000,
)


def reading(sequence, *, boot=1, body=None):
    """A telemetry record whose body follows from its sequence."""
    return Record(boot, sequence, Stamp(1, 1_790_000_000 + sequence, 1), body or {6: 2000 + sequence, 4: 10 * sequence})


def alarm(sequence, *, boot=1):
    return Record(boot, sequence, Stamp(1, 1_790_000_000 + sequence, 1), EventBody(event.LAMP_FAILURE, True, None))


def level(sequence, *, boot=1):
    stamp = Stamp(1, 1_790_000_000 + sequence, 1)
    return Record(boot, sequence, stamp, EventBody(event.LEVEL_CHANGED, None, [50, 100, "policy", sequence]))


def payload(*records):
    return b"".join(record.encode(made) for made in records)


def unpack(publication):
    """The batch in a publication."""
    return senml.decode_pack(inflate(publication.payload))


def made_known_nodes(disk=None):
    """The known nodes of a gateway whose state is on this disk."""
    return KnownNodes(SharedFolder(disk or SimDisk(Random(1)), "nodes"))


class Node:
    """A peer of the gateway: what it asked, and the answers it got as [(exchange, code or reason)]."""

    def __init__(self, node, seed):
        self.node = node
        self.link = link_of(node, "gateway", boot=seed + 1, random_below=Random(seed).randrange)
        self.answers = []
        self.payload = None  # of the last answer

    def note(self, events):
        for happened in events:
            if isinstance(happened, Response):
                self.answers.append((happened.exchange, happened.code))
                self.payload = happened.payload
            elif isinstance(happened, Failed):
                self.answers.append((happened.exchange, happened.reason))

    def __repr__(self):
        return self.node.hex()


class GatewayWorld:
    """One gateway, its power, its nodes and the shell's turn. Every turn checks that the core would not spin.

    A sync ends when `sync` says so, or at once after its flush if `auto_sync`.
    """

    def __init__(self, seed=1, *, auto_sync=False, **options):
        self.random = Random(seed)
        self.options = OPTIONS._replace(**options)
        self.journal_disk, self.state_disk = SimDisk(self.random), SimDisk(self.random)
        self.auto_sync = auto_sync
        self.now_ms = 1000
        self.boot = 0
        self.nodes = {}
        self.adopted = {NODE, OTHER}
        self.flying = []  # datagrams that nodes have sent and that have not arrived
        self.publications, self.logs, self.connects, self.sent = [], [], 0, []
        self.honest = HonestWarehouse(GATEWAY)
        self.start()

    def start(self):
        self.boot += 1
        self.core = Gateway(
            self.options,
            Start(self.random.randbytes(8), self.boot, "power-on", self.boot - 1 or None),
            journal_disk=self.journal_disk,
            state_disk=self.state_disk,
            keys=keys_of(self.adopted),
            cipher=CIPHER,
            random_below=self.random.randrange,
            verify=verify_ed25519,
            now_ms=self.now_ms,
        )
        self.core.start(now_ms=self.now_ms)
        self.turn()

    def power_cut(self):
        self.journal_disk.power_cut()
        self.state_disk.power_cut()
        self.publications.clear()
        self.start()

    def turn(self):
        """What a shell does after every event."""
        for _ in range(20):
            self._poll()
            while self.core.thinner.deadline_ms() == self.now_ms:
                self._poll()
            assert self.core.deadline_ms(now_ms=self.now_ms) > self.now_ms, "the agent would spin"
            if not (self.auto_sync and (self.journal_disk.pending or self.state_disk.pending)):
                return
            self.sync_silently()
        raise AssertionError("one turn leads to another without end")

    def _poll(self):
        self.core.poll(now_ms=self.now_ms)
        for effect in self.core.drain_effects():
            self._carry_out(effect)

    def _carry_out(self, effect):
        if isinstance(effect, Send):
            self.sent.append(effect)
            node = effect.peer
            if isinstance(node, Node):
                node.note(node.link.receive(effect.datagram, "gateway", now_ms=self.now_ms))
                self.flying += [(node, datagram) for _, datagram in node.link.outgoing()]
        elif isinstance(effect, Publication):
            self.publications.append(effect)
            if topic.parse(effect.topic).kind in (topic.TELEMETRY, topic.EVENT):
                self.honest.note(effect)
        elif isinstance(effect, Connect):
            self.connects += 1
        elif isinstance(effect, Log):
            self.logs.append(effect.what)

    def sync_silently(self):
        for pending in list(self.journal_disk.pending):
            error = self.journal_disk.complete(pending.ticket)
            self.core.on_synced(pending.ticket, error, now_ms=self.now_ms)
        for pending in list(self.state_disk.pending):
            error = self.state_disk.complete(pending.ticket)
            self.core.on_state_synced(pending.ticket, error, now_ms=self.now_ms)

    def sync(self):
        """All syncs under way end."""
        self.sync_silently()
        self.turn()

    def wait(self, duration_ms):
        """Time passes; each deadline on the way is kept."""
        self.pass_ms(duration_ms)
        self.turn()

    def pass_ms(self, duration_ms):
        """As `wait`; the turn of the last instant is that of what happens then."""
        end_ms = self.now_ms + duration_ms
        while (deadline_ms := self.core.deadline_ms(now_ms=self.now_ms)) <= end_ms:
            self.now_ms = max(self.now_ms, deadline_ms)
            self.turn()
        self.now_ms = end_ms

    def node(self, node=NODE):
        if node not in self.nodes:
            self.nodes[node] = Node(node, len(self.nodes))
        return self.nodes[node]

    def ask(self, data, *, node=NODE, path=b"t", code=coap_message.POST):
        """A node's request reaches the gateway; its exchange number."""
        peer = self.node(node)
        if peer.link.state == oscore_link.INIT:
            self.agree(peer)
        exchange = peer.link.request("gateway", code, (path,), data, now_ms=self.now_ms)
        assert isinstance(exchange, int), exchange
        self.carry(peer)
        return exchange

    def agree(self, peer):
        """Let a node agree on keys with the gateway; what was sent for that, and the answer, are nobody's concern."""
        sent, answers = list(self.sent), list(peer.answers)
        peer.link.request("gateway", coap_message.POST, (b"t",), now_ms=self.now_ms)
        self.carry(peer)
        self.sent[:], peer.answers[:] = sent, answers

    def carry(self, peer):
        """What a node has to send reaches the gateway, and the other way round, until both are silent."""
        self.flying += [(peer, datagram) for _, datagram in peer.link.outgoing()]
        while self.flying:
            sender, datagram = self.flying.pop(0)
            self.receive(datagram, sender)

    def receive(self, datagram, peer):
        self.core.on_datagram(datagram, peer, now_ms=self.now_ms)
        self.turn()

    def codes(self, node=NODE):
        return [code for _, code in self.node(node).answers]

    def connect(self, receive_max=100, bearer=UNBOUND.name):
        """The broker accepts the next attempt, for which its back-off is waited for; what carried before ends."""
        if self.core.bearers.connection.active is not None:
            self.core.on_disconnected("replaced", bearer, now_ms=self.now_ms)
        while self.core.bearers.connection.health()["attempt"] is None:
            self.wait(max(1, self.core.bearers.connection.deadline_ms() - self.now_ms))
        self.core.on_connected(receive_max, bearer, now_ms=self.now_ms)
        self.turn()

    def hear(self, message, name=ANSWERS):
        """A message of class `a`: an object of wire.receipt, which the warehouse signs, or bytes."""
        data = message if isinstance(message, bytes) else receipt.encode(message, WAREHOUSE.kid, WAREHOUSE.sign)
        self.core.on_message(name, data, now_ms=self.now_ms)
        self.turn()

    def mark(self, next_position, lane, epoch):
        """The warehouse holds all below a position."""
        self.hear(self.honest.receipt(next_position, lane, epoch))

    def reject(self, first, last, reason, lane, epoch):
        self.hear(self.honest.rejected(first, last, reason, lane, epoch))

    def take_publications(self):
        taken, self.publications = self.publications, []
        return taken

    def held(self):
        """Every record in the journal, as {lane: [Item]}, holes left out."""
        found = {}
        for stream in self.core.journal.streams():
            items = self.core.journal.read(
                stream, self.core.journal.oldest(stream), count_max=10_000, bytes_max=10_000_000
            )
            found.setdefault(stream.lane, []).extend(entry.decode(item) for item in items if isinstance(item, bytes))
        return found


class UplinkWorld:
    """An uplink on its journal: records are durable at once; what it explains is written down and durable on demand."""

    def __init__(
        self, *, window_max=6, batch_records_max=10, batch_age_ms=0, receive_max=100, explain=True, seed=1, earlier=0
    ):
        self.disk = SimDisk(Random(seed))
        self._write_earlier(earlier)
        self.journal = VoidingJournal(
            self.disk, epoch=EPOCH, segment_bytes_max=2000, journal_bytes_max=200_000, alarm_reserve_bytes=4000
        )
        self.journal.recover()
        self.now_ms = 0
        self.explained = []
        self.explain = explain
        self.uplink = Uplink(
            self.journal,
            gateway=GATEWAY,
            insee=INSEE,
            name=NAME,
            batch_age_ms=batch_age_ms,
            batch_records_max=batch_records_max,
            window_max=window_max,
            epoch=EPOCH,
            on_lost=self._explain,
            on_quarantined=self._explain,
        )
        self.receive_max = receive_max
        self.honest = HonestWarehouse(GATEWAY)
        self.sequence = 0
        self.out = []

    def _write_earlier(self, count):
        """Telemetry of an earlier start, in epoch EARLIER."""
        journal = Journal(
            self.disk, epoch=EARLIER, segment_bytes_max=2000, journal_bytes_max=200_000, alarm_reserve_bytes=4000
        )
        journal.recover()
        for sequence in range(count):
            journal.append(event.TELEMETRY, entry.encode(entry.Entry(NODE, record.encode(reading(sequence)))))
        if count:
            ticket = journal.flush()
            journal.on_synced(ticket, self.disk.complete(ticket))

    def _explain(self, what, *, now_ms):
        if not self.explain:
            return None
        self.explained.append(what)
        position = self.journal.append(event.EVENT, entry.encode(entry.Entry(GATEWAY, record.encode(level(0)))))
        return event.EVENT, position

    def put(self, count, lane=event.TELEMETRY, *, raw=None):
        made = {event.TELEMETRY: reading, event.ALARM: alarm, event.EVENT: level, event.SURPLUS: reading}[lane]
        for _ in range(count):
            data = raw or entry.encode(entry.Entry(NODE, record.encode(made(self.sequence))))
            assert isinstance(self.journal.append(lane, data), int)
            self.sequence += 1
        self.flush()

    def flush(self):
        ticket = self.journal.flush()
        if ticket is not None:
            self.journal.on_synced(ticket, self.disk.complete(ticket))

    def connect(self):
        self.uplink.connected(self.receive_max, now_ms=self.now_ms)
        return self.poll()

    def poll(self, at_ms=None):
        """What is published now, decoded, as [(token, Batch)]."""
        if at_ms is not None:
            self.now_ms = at_ms
        publications = self.uplink.poll(now_ms=self.now_ms)
        for publication in publications:
            self.honest.note(publication)
        found = [(publication.token, unpack(publication)) for publication in publications]
        self.out += found
        deadline_ms = self.uplink.deadline_ms()
        assert deadline_ms is None or deadline_ms > self.now_ms, "the agent would spin"
        return found

    def until(self, at_ms):
        """Polls at every deadline up to a time; [(when, Batch)]."""
        found = []
        while (due := self.uplink.deadline_ms()) is not None and due <= at_ms:
            found += [(due, batch) for _, batch in self.poll(max(due, self.now_ms))]
        found += [(at_ms, batch) for _, batch in self.poll(at_ms)]
        return found

    def ack(self, found, reason_code=0):
        for token, _ in found:
            self.uplink.acknowledged(token, reason_code, now_ms=self.now_ms)
        return self.poll()

    def mark(self, next_position, lane=event.TELEMETRY, epoch=EPOCH):
        return self.hear(self.honest.receipt(next_position, lane, epoch))

    def hear(self, message):
        """What the warehouse has signed."""
        self.uplink.receive(message, now_ms=self.now_ms)
        return self.poll()

    def reject(self, first, last, reason, lane=event.TELEMETRY):
        return self.hear(self.honest.rejected(first, last, reason, lane, EPOCH))

    def allow(self, policy):
        self.uplink.allow(policy)
        return self.poll()

    def let_go(self, positions, lane=event.TELEMETRY):
        """The journal makes room: these positions are void from now on."""
        self.journal.void.update((lane, position) for position in positions)

    def drop(self, position, lane=event.TELEMETRY):
        """The journal drops all up to a position by itself."""
        self.journal.release_through(Stream(EPOCH, lane), position)

    def begin(self, lane=event.TELEMETRY):
        """Connect, let the question be acknowledged and answered: what is published then."""
        asked = self.connect()
        self.ack(asked)
        for _, batch in asked:
            found = self.mark(batch.oldest, batch.lane)
        return found

    def oldest(self, lane=event.TELEMETRY):
        return self.journal.oldest(Stream(EPOCH, lane))


def spans(found):
    """[(first, last)] of data batches."""
    return [(batch.first, batch.last) for _, batch in found if batch.last >= batch.first]
