"""A journal on a simulated disk beside a model of what it promised, and the checks, apart from its code."""

from collections import defaultdict
from random import Random

from gateway.core.custody.inventory import Inventory
from gateway.core.custody.journal import Hole, Journal, Refused, Stream
from gateway.core.custody.recovery_report import RecoveryReport
from simulator.world.disk import SimDisk

SMALL = {
    "segment_bytes_max": 400,
    "journal_bytes_max": 40_000,
    "alarm_reserve_bytes": 2000,
    "pending_bytes_max": 1500,
}


def read_all(journal: Journal, stream: Stream, *, count_max: int = 7, bytes_max: int = 300):
    """Return what a stream holds as {position: payload} and the set of positions in holes."""
    records, lost = {}, set()
    position = journal.oldest(stream)
    while items := journal.read(stream, position, count_max=count_max, bytes_max=bytes_max):
        assert len(items) <= count_max
        for item in items:
            if isinstance(item, Hole):
                assert item.first == position <= item.last
                lost.update(range(item.first, item.last + 1))
                position = item.last + 1
            else:
                records[position] = item
                position += 1
    assert position == journal.durable_end(stream), "reading stopped before the end"
    return records, lost


class World:
    """Feeds a journal and keeps the model: what was offered, accepted, promised durable and freed."""

    def __init__(
        self, seed: int, *, journal_class: type[Journal] = Journal, limits: dict[str, int] = SMALL
    ) -> None:
        self.random = Random(seed)
        self.disk = SimDisk(self.random)
        self.state = SimDisk(Random(-seed))
        self.limits = limits
        self.journal_class = journal_class
        # stream -> position -> payloads, the refused ones included
        self.offered = defaultdict(lambda: defaultdict(set))
        self.accepted = defaultdict(dict)  # stream -> position -> payload
        self.durable = defaultdict(int)  # stream -> end
        self.freed = defaultdict(int)  # stream -> first position that is not freed
        self.epochs: list[bytes] = []
        self.start()

    def start(self) -> RecoveryReport:
        """Open a new epoch on the disk as it is."""
        self.epoch = self.random.randbytes(8)
        self.journal = self.journal_class(
            self.disk, epoch=self.epoch, inventory=Inventory(self.state), **self.limits
        )
        report = self.journal.recover()
        for stream, hole, _ in report.holes:
            assert hole.first >= self.durable[stream], f"{hole} of {stream} was durable, or is said to be lost"
        self.epochs.append(self.epoch)
        return report

    def append(self, lane: str, size: int | None = None) -> int | Refused:
        stream = Stream(self.epoch, lane)
        position = len(self.accepted[stream])
        payload = self.random.randbytes(self.random.randrange(1, 60) if size is None else size)
        self.offered[stream][position].add(payload)
        result = self.journal.append(lane, payload)
        if not isinstance(result, Refused):
            assert result == position
            self.accepted[stream][position] = payload
        return result

    def complete(self, ticket: int) -> None:
        for lane, end in self.journal.on_synced(ticket, self.disk.complete(ticket)):
            assert end > self.durable[Stream(self.epoch, lane)], "an end that does not advance was reported"
            self.durable[Stream(self.epoch, lane)] = end
        self.complete_state()

    def complete_state(self) -> None:
        while self.state.pending:
            ticket = self.state.pending[0].ticket
            self.journal.on_state_synced(ticket, self.state.complete(ticket))

    def power_cut(self, tear: str | None = None) -> None:
        self.disk.power_cut(tear)
        self.state.power_cut(tear)

    def die(self) -> None:
        """The process ends; what it wrote stays."""
        self.disk.pending.clear()
        self.state.pending.clear()

    def flush(self) -> None:
        ticket = self.journal.flush()
        if ticket is not None:
            self.complete(ticket)

    def free(self, stream: Stream, position: int) -> None:
        # The release counts from before the call: power may go in the middle of it.
        self.freed[stream] = max(self.freed[stream], position + 1)
        self.journal.release_through(stream, position)
        self.complete_state()

    def check(self) -> None:
        """Every promise is kept, byte for byte and at its position, and nothing is invented."""
        held = self.journal.streams()
        for stream in held:
            assert stream.epoch in self.epochs, "a stream was invented"
        starts = [self.epochs.index(stream.epoch) for stream in held]
        assert starts == sorted(starts), "streams are not in the order of the starts"
        for stream in {*held, *self.durable}:
            self._check_stream(stream, stream in held)

    def _check_stream(self, stream: Stream, held: bool) -> None:
        durable, freed = self.durable[stream], self.freed[stream]
        if not held:
            assert freed >= durable, f"{stream.lane} is gone with {durable - freed} durable records"
            return
        records, lost = read_all(self.journal, stream, count_max=self.random.randrange(1, 9))
        for position, payload in records.items():
            assert payload in self.offered[stream][position], f"{stream.lane} {position} was invented"
        for position in range(freed, durable):
            assert records.get(position) == self.accepted[stream][position], f"{position} is lost"
        assert not lost & set(range(freed, durable))

    def check_bytes(self) -> None:
        names = [name for name in self.disk.list() if not name.startswith("quarantine-")]
        assert self.journal.bytes_held == sum(self.disk.size(name) for name in names)


def reference_run(world: World) -> None:
    """Three lanes, rotations, two flushes in flight, a receipt, a failed sync, a full disk, a restart."""
    for turn in range(6):
        for lane in ("telemetry", "event", "telemetry", "alarm", "telemetry"):
            world.append(lane, 20 + 17 * (turn % 3))
        first = world.journal.flush()
        world.append("telemetry")
        second = world.journal.flush()
        world.complete(first)
        if turn == 2:
            world.disk.sync_error = "simulated"
        world.complete(second)
        world.disk.sync_error = None
        if turn in (3, 5):
            world.free(Stream(world.epoch, "telemetry"), 9 if turn == 3 else 12)
            world.free(Stream(world.epoch, "event"), 2)
        if turn == 4:
            world.disk.capacity_bytes = world.disk.bytes_used + 30
            world.append("event", 40)
            world.disk.capacity_bytes = None
    world.flush()
    world.append("alarm")
    world.start()
    old = Stream(world.epochs[0], "telemetry")
    world.free(old, world.journal.durable_end(old) - 1)
    world.append("alarm")
    world.flush()
