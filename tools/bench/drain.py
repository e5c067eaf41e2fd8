"""Measures how long a territory takes to bring what its cabinets kept while the centre was away, and what bounds it.

    journal on this disk ──▶ uplink ── TLS 1.3 ──▶ Mosquitto ──▶ centre ingest ──▶ commit ──▶ receipts ──▶ freed

Real are each cabinet's journal and uplink (windows, alarms first, receipts verified, segments freed), the delay after
which it tries the broker again, drawn after an hour of failures, the broker that `bocage centre init` sets up, `bocage
centre ingest` and the warehouse. Simulated are the nodes, whose records are written into the journals as the agent
writes them, and the hours of the outage themselves. All cabinets share one process and this disk.

The lights go on meanwhile, a record each quarter of an hour, and lamps fail: `--alarms` a second in all, far more than
a territory has. The clock begins when broker and ingest are back.

    back_s             when cabinets connect: the first, the median, the last
    drained_s          until the outage's records are all held, and nothing waits but what has just been made
    outage_alarms_s    after its cabinet is back, until a cabinet's alarms of the outage are held, all of them
    alarm_ms           a lamp of a cabinet that is back fails: from the flush of its alarm to the receipt
    batches_max        under way at once, in the broker or on their way: `batches_bound` follows from the window
    per_s, cpu_us, percent, bound   as in `bocage bench ingest`, from the broker's return on until all is drained

    bocage bench drain --cabinets 20 --lights 300 --hours 24 --json
"""

import argparse
import multiprocessing
import random
import time
from pathlib import Path
from statistics import median, quantiles
from typing import Any

from gateway.core import limits
from gateway.core.bearers.connection import Connect, Connection
from gateway.core.custody import entry
from gateway.core.custody.journal import Journal, Stream
from gateway.core.uplink.batch import Publication
from gateway.core.uplink.uplink import Uplink
from simulator.rig.rig import RigError
from tools.bench import cabinets, street
from tools.bench.backlog import memory_kb
from tools.bench.cabinets import INSEE, gateway_of, name_of, node_of
from tools.bench.ingest import Watch, bound_of, running_ingest, server_of, wait_for
from tools.bench.installed import InstalledBroker, add_place, judged
from tools.bench.scripted_centre import Durable
from tools.bench.uplink import peer_process
from tools.centre.ingest.warehouse import Warehouse
from tools.centre.mqtt import BrokerAddress
from tools.command_line import add_json
from wire import event, record
from wire.receipt import Receipt, Rejected
from wire.record import SYNCED, EventBody, Record, Stamp

_COMMIT_RECORDS = 500
_COMMIT_S = 0.5  # as the gateway's group commit is shipped
_RECEIVE_MAX = 128  # of the installed broker
_AWAY_MS = 3_600_000  # of failed attempts, long enough for the longest delay between them
_POLL_S = 0.05
_ALARM_SEQUENCE = 1_000_000
# Of the shared array: journals are open, the word to begin, all is drained.
_READY, _GO, _DONE = range(3)


def away_ms(cabinet: int, retry_ms: int) -> int:
    """Returns how long after the broker's return a cabinet tries it again, when all its attempts had failed."""
    connection = Connection(random_below=random.Random(cabinet).randrange, reconnect_last_ms=retry_ms, now_ms=0)
    now_ms = 0
    while now_ms <= _AWAY_MS:
        for effect in connection.poll(now_ms=now_ms):
            if isinstance(effect, Connect):
                connection.disconnected(effect.bearer, "refused", now_ms=now_ms)
        due_ms = connection.deadline_ms()
        assert due_ms is not None, "it tries for ever"
        now_ms = max(now_ms + 1, due_ms)
    return now_ms - _AWAY_MS


class Cabinet:
    """Is the source of one line: a journal, its uplink, and the lights that go on."""

    def __init__(self, number: int, folder: Path, args: argparse.Namespace, begun_s: int) -> None:
        self.gateway = gateway_of(number)
        self.back_after_s = away_ms(number, int(1000 * args.retry)) / 1000
        self.alarm_ms: list[float] = []
        self.outage_alarms_s: float | None = None
        self.ahead_max = 0
        self._number, self._lights = number, cabinets.lights(number, args.lights)
        self._reported = self._failed = 0  # records since the outage: readings, alarms
        self._turns = _turns(args)
        self._begun_s = begun_s
        self._durable = Durable(folder)
        self._epoch = bytes([2]) + number.to_bytes(7, "big")
        self._journal = Journal(self._durable.disk, epoch=self._epoch)
        self._journal.recover()
        self.kept = sum(self._journal.waiting(stream) for stream in self._journal.streams())
        self.uplink = Uplink(
            self._journal, gateway=self.gateway, insee=INSEE, name=name_of(number),
            batch_age_ms=1000 * limits.UPLINK_BATCH_AGE_S, epoch=self._epoch, on_lost=_never, on_quarantined=_never,
        )  # fmt: skip
        self._back_s: float | None = None
        self._made_s: dict[int, float] = {}  # by position, when an alarm since was durable
        self._flushed_s = 0.0

    # --- what happens in the district ---

    def live(self, now_s: float, since_s: float) -> None:
        """Appends what the lights have reported by now, a quarter of an hour's records evenly spread."""
        due = int(len(self._lights) * (now_s - since_s) / street.PERIOD_S)
        while self._reported < due:
            turn, place = divmod(self._reported, len(self._lights))
            made = cabinets.reported(self._lights[place], self._turns + turn, self._begun_s)
            self._append(event.TELEMETRY, node_of(self._number, place), made)
            self._reported += 1
        if now_s - self._flushed_s >= _COMMIT_S:
            self._flushed_s = now_s
            self._journal.flush()

    def fail_a_lamp(self, number: int) -> None:
        """Makes the alarm of a lamp, durable at once."""
        place = number % len(self._lights)
        position = self._append(event.ALARM, *_alarm(self._number, place, self._lights[place], number))
        self._failed += 1
        self._durable.flush(self._journal)
        self._made_s[position] = time.monotonic()

    def _append(self, lane: str, node: bytes, made: Record) -> int:
        position = self._journal.append(lane, entry.encode(entry.Entry(node, record.encode(made))))
        assert isinstance(position, int), position
        return position

    # --- the line's source ---

    def connected(self) -> None:
        self._back_s = time.monotonic()
        self.uplink.connected(_RECEIVE_MAX, now_ms=_now_ms())

    def due(self) -> list[Publication]:
        while self._durable.report(self._journal) is not None:
            pass
        found = self.uplink.poll(now_ms=_now_ms())
        self.ahead_max = max(self.ahead_max, self.uplink.ahead())
        return found

    def acknowledged(self, token: int) -> None:
        self.uplink.acknowledged(token, 0, now_ms=_now_ms())

    def receive(self, message: Receipt | Rejected) -> None:
        assert isinstance(message, Receipt), message
        self.uplink.receive(message, now_ms=_now_ms())
        if message.lane != event.ALARM:
            return
        now_s = time.monotonic()
        if message.epoch != self._epoch:
            assert self._back_s is not None
            if event.ALARM not in {stream.lane for stream in self._of_the_outage()}:
                self.outage_alarms_s = now_s - self._back_s
            return
        for position in [one for one in self._made_s if one < message.next_position]:
            self.alarm_ms.append(1000 * (now_s - self._made_s.pop(position)))

    def held(self) -> int:
        """Returns how many of its records the warehouse has: those that its receipts have freed. What is still being
        flushed is not sent, and not held."""
        journal, outage = self._journal, self._of_the_outage()
        since = [stream for stream in journal.streams() if stream not in outage]
        return self.kept - sum(map(journal.waiting, outage)) + sum(map(journal.oldest, since))

    def made(self) -> int:
        """Returns how many records its nodes have made, in the outage and since."""
        return self.kept + self._reported + self._failed

    def is_done(self) -> bool:
        """Returns True when nothing of the outage waits, nor any alarm."""
        return not self._made_s and not self._of_the_outage()

    def _of_the_outage(self) -> list[Stream]:
        return [stream for stream in self._journal.streams() if stream.epoch != self._epoch]


def _never(*_: Any, **__: Any) -> None:
    raise AssertionError("the backlog is sound")


def _now_ms() -> int:
    return time.monotonic_ns() // 1_000_000


def _alarm(cabinet: int, place: int, light: Record, number: int) -> tuple[bytes, Record]:
    stamp = Stamp(SYNCED, int(time.time()), 1)
    body = EventBody(event.LAMP_FAILURE, number % 2 == 0, None)
    return node_of(cabinet, place), Record(light.boot, _ALARM_SEQUENCE + number, stamp, body)


def _turns(args: argparse.Namespace) -> int:
    return int(3600 * args.hours) // street.PERIOD_S


def fill(folder: Path, args: argparse.Namespace, begun_s: int) -> None:
    """Writes the journals as the agents did during the outage, a tenth of an alarm for each light among them."""
    for number in range(args.cabinets):
        durable = Durable(_journal_of(folder, number))
        journal = Journal(durable.disk, epoch=bytes([1]) + number.to_bytes(7, "big"))
        journal.recover()
        lights = cabinets.lights(number, args.lights)
        for turn in range(_turns(args)):
            for place, one in enumerate(lights):
                data = record.encode(cabinets.reported(one, turn, begun_s))
                position = journal.append(
                    event.TELEMETRY, entry.encode(entry.Entry(node_of(number, place), data))
                )
                assert isinstance(position, int), position
                if position % _COMMIT_RECORDS == 0:
                    durable.flush(journal)
        for place in range(0, args.lights, 10):
            node, made = _alarm(number, place, lights[place], -place - 1)
            journal.append(event.ALARM, entry.encode(entry.Entry(node, record.encode(made))))
        durable.flush(journal)
        durable.disk.close()


def _journal_of(folder: Path, cabinet: int) -> Path:
    made = folder / "journals" / str(cabinet)
    made.mkdir(parents=True, exist_ok=True)
    return made


# --- the run ----------------------------------------------------------------------------------------------------------


class District:
    """Runs all cabinets in this process, from the broker's return until the outage's records are held."""

    def __init__(self, own: list[Cabinet], lines: list[cabinets.Line], alarms_per_s: float) -> None:
        self._own, self._lines, self._alarms_per_s = own, lines, alarms_per_s
        self._begun_s = self._turned_s = time.monotonic()
        self._draw = random.Random(1)
        self._alarms = 0
        self._back: set[int] = set()

    def is_over(self) -> bool:
        """Does what is due now; returns True when nothing of the outage waits."""
        now_s = time.monotonic()
        if now_s - self._turned_s < _POLL_S:
            return False
        self._turned_s = now_s
        for number, (cabinet, line) in enumerate(zip(self._own, self._lines, strict=True)):
            cabinet.live(now_s, self._begun_s)
            if line.client.socket() is None and now_s - self._begun_s >= cabinet.back_after_s:
                line.connect()
            elif line.is_open and number not in self._back:
                self._back.add(number)
                cabinet.connected()
                line.start()
        if len(self._back) == len(self._own) and all(cabinet.is_done() for cabinet in self._own):
            return True
        while self._back and self._alarms < self._alarms_per_s * (now_s - self._begun_s):
            number = self._draw.choice(sorted(self._back))
            self._own[number].fail_a_lamp(self._alarms)
            self._lines[number].send()
            self._alarms += 1
        return False

    def figures(self) -> dict[str, Any]:
        took_s = time.monotonic() - self._begun_s
        back_s = sorted(cabinet.back_after_s for cabinet in self._own)
        outage_s = [cabinet.outage_alarms_s for cabinet in self._own if cabinet.outage_alarms_s is not None]
        alarm_ms = [ms for cabinet in self._own for ms in cabinet.alarm_ms]
        cuts = quantiles(alarm_ms * 2, n=100, method="inclusive")  # doubled, since two values are needed at least
        return {
            "kept": sum(cabinet.kept for cabinet in self._own),
            "made_meanwhile": sum(cabinet.made() - cabinet.kept for cabinet in self._own),
            "held": sum(cabinet.held() for cabinet in self._own),
            "back_s": [back_s[0], median(back_s), back_s[-1]],
            "drained_s": took_s,
            "outage_alarms_s": {"median": median(outage_s), "max": max(outage_s)},
            "alarms": len(alarm_ms),
            "alarm_ms": {"p50": cuts[49], "p99": cuts[98], "max": max(alarm_ms)},
            "batches_max": sum(cabinet.ahead_max for cabinet in self._own),
            "batches_bound": len(self._own) * limits.UPLINK_WINDOW_MAX,
            "resent": sum(cabinet.uplink.counters["resent"] for cabinet in self._own),
        }


def send(
    broker: list[BrokerAddress], folder: Path, args: argparse.Namespace, key: bytes, begun_s: int, shared: Any,
    results: Any,
) -> None:  # fmt: skip
    """Runs the cabinets' process: opens all journals, and when told, brings what they keep."""
    own = [Cabinet(number, _journal_of(folder, number), args, begun_s) for number in range(args.cabinets)]
    lines = [cabinets.Line(at, number, own[number], [key]) for number, at in enumerate(broker)]
    shared[_READY] = 1
    while not shared[_GO]:
        time.sleep(_POLL_S)
    district = District(own, lines, args.alarms)
    cabinets.serve(lines, district.is_over)
    shared[_DONE] = 1
    results.put(district.figures())
    time.sleep(3600)  # the connections stay until this process is ended


def measure(folder: Path, where: str, args: argparse.Namespace) -> dict[str, Any]:
    """Returns all figures of one run. RigError when a part is missing or does not start."""
    spawning = multiprocessing.get_context("spawn")
    begun_s = int(time.time()) - _turns(args) * street.PERIOD_S
    writer = spawning.Process(target=fill, args=(folder, args, begun_s))
    writer.start()
    broker = InstalledBroker(folder / "centre", [cabinets.account_of(number) for number in range(args.cabinets)])
    writer.join()
    if writer.exitcode != 0:
        raise RigError("the journals were not written")
    shared, results = spawning.Array("d", 3, lock=False), spawning.SimpleQueue()
    addresses = [broker.cabinet(cabinets.account_of(number)) for number in range(args.cabinets)]
    broker.start()
    try:
        with (
            running_ingest(folder, broker, where) as (ingest, key),
            peer_process(send, addresses, folder, args, key, begun_s, shared, results) as sender,
        ):
            wait_for(lambda: shared[_READY])
            watch = Watch({"ingest": ingest, "broker": broker.pid, "cabinets": sender, **server_of(where)})
            shared[_GO] = 1
            while not shared[_DONE]:
                watch.look()
                time.sleep(_POLL_S / 10)
            found = results.get()
            found |= {"broker_mb_max": (memory_kb("VmHWM", broker.pid) or 0) / 1000, **watch.figures(found["held"])}
    finally:
        broker.stop()
    warehouse = Warehouse(where)
    found["stored"], found["conflicts"] = warehouse.counters["records"], warehouse.counters["conflicts"]
    warehouse.close()
    head = {"cabinets": args.cabinets, "lights": args.cabinets * args.lights, "hours": args.hours}
    made = found["kept"] + found["made_meanwhile"]
    passed = found["held"] <= found["stored"] <= made and found["conflicts"] == 0
    return {**head, **found, "bound": bound_of(found), "passed": passed}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--cabinets", type=int, default=20, help="default: %(default)s; a territory has some 200")
    parser.add_argument("--lights", type=int, default=300, help="of each cabinet (default %(default)s)")
    parser.add_argument("--hours", type=float, default=6, help="of the outage (default %(default)s)")
    parser.add_argument("--alarms", type=float, default=2, help="a second, in all (default %(default)s)")
    retry_s = limits.UPLINK_RECONNECT_LAST_MS / 1000
    text = "longest delay between a cabinet's attempts (default %(default)s)"
    parser.add_argument("--retry", type=float, default=retry_s, metavar="S", help=text)
    add_place(parser)
    add_json(parser)


def run(args: argparse.Namespace) -> int:
    return judged("drain", args, measure)
