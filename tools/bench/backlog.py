"""Measures a gateway that starts on a long backlog: start, memory, first batch, drain, and alarms that overtake it.

The gateway's core and its file disk are real, on records encoded as by nodes, from 500 lamps (or 20 meters). Scripted
are a broker that acknowledges, and a warehouse that holds what it is sent and answers with receipts; there is no
network. One process writes the backlog, in four epochs of many segments; a fresh one starts on it, hears once from
every node, and drains it. All figures are those of the second process:

    started_s         from before the process to a core that is ready: interpreter, modules, recovery
    recovery_s        `Gateway.start` alone (the files are in the page cache), by the wall; …_cpu_s: processor time
    rss_…_kb          resident memory (proc(5)): before the core, when it is ready, when every node was heard; the
                      peak of the whole run
    drain_per_s       the first half of the backlog, against a centre that answers at once; processor time of the
                      uplink's calls alone. The first batch comes with the whole window: one `poll` makes 12
    alarm_batches_…   three eighths go over a link that carries one batch in 20 ms of virtual time, first in, first
                      out, while an alarm is appended, made durable and offered every 100 ms: batches that the link
                      carried between the alarm's append and its arrival, itself included. Telemetry may have 12
                      batches under way, four places are the alarms'
    flush_alone_…_ms  of those alarms, while nothing else is done: what the disk takes at that time
    alarm_…_ms        the last eighth, by the wall clock: one message from the broker a turn, as the agent does it, and
                      always one there; alarms fall due at random moments, also while the core is busy, and are
                      appended when that turn is over. From the due moment until it is durable (the wait for the turn
                      and the flush, in its own thread), published, and received (behind the batches that
                      were under way). The scripted centre's time is in it; network, broker and warehouse are not

    bocage bench backlog --records 1000000 --json
"""

import argparse
import json
import multiprocessing
import random
import tempfile
from collections.abc import Callable
from pathlib import Path
from statistics import median, quantiles
from time import monotonic, perf_counter, thread_time
from typing import Any

from gateway.core import limits
from gateway.core.custody import entry
from gateway.core.custody.journal import Journal
from gateway.core.gateway import Gateway, Options, Send, Start
from simulator.hosts.keys import CIPHER, keys_of, link_of
from tools.bench import street
from tools.bench.scripted_centre import Centre, Durable
from tools.command_line import add_json
from wire import coap_message, event, quantity, record
from wire.record import SYNCED, Record, Stamp
from wire.senml import Item

EPOCHS = 4
NODES = {"lamp": 500, "meter": 20}
CIRCUITS = 12  # circuits of a meter: 24 readings, the most a record may hold, are about 200 bytes
READINGS = {"meter": 2 * CIRCUITS, "lamp": 8}  # in one record
DIFFERENT = 500  # records drawn; then they repeat, at a distance beyond a batch and its deflate window
COMMIT_RECORDS = 500
# The batches that may be under way before an alarm, with the places reserved for alarms.
ALARM_BATCHES_MAX = limits.UPLINK_WINDOW_MAX


def meter(number: int, draw: random.Random) -> Record:
    """Returns a record of a cabinet's meter: energy and power of 12 circuits, 24 readings."""
    readings = {}
    for circuit in range(1, CIRCUITS + 1):
        readings[circuit * quantity.CHANNEL_STEP + quantity.ENERGY] = draw.randrange(1 << 17, 1 << 27)
        readings[circuit * quantity.CHANNEL_STEP + quantity.POWER] = draw.randrange(300, 40_000)
    return Record(3, 9_000 + number, Stamp(SYNCED, street.START_UNIX_S + 60 * number, draw.randint(0, 3)), readings)


def items(kind: str) -> list[Item]:
    """Returns telemetry records of `kind`: "meter" (about 200 bytes in the journal) or "lamp" (about 50 bytes)."""
    if kind == "lamp":
        return street.street(DIFFERENT)
    draw = random.Random(1)
    nodes = [street.TERRITORY + bytes([3, 0, 0, number]) for number in range(NODES[kind])]
    return [Item(nodes[number % len(nodes)], meter(number, draw)) for number in range(DIFFERENT)]


def payloads(kind: str) -> list[bytes]:
    """Returns the records of `items` as journal entries."""
    return [entry.encode(entry.Entry(item.node, record.encode(item.record))) for item in items(kind)]


def greet(core: Gateway, kind: str) -> None:
    """Gives the core one telemetry record from every node over the protected link, after the handshake."""
    for port, item in enumerate({item.node: item for item in items(kind)}.values()):
        peer = ("127.0.0.1", port)
        node = link_of(item.node, "gateway", boot=1, random_below=random.Random(port).randrange)
        made = record.encode(item.record._replace(boot=item.record.boot + 1))
        node.request("gateway", coap_message.POST, (b"t",), made, now_ms=0)
        while datagrams := node.outgoing():
            for _, datagram in datagrams:
                core.on_datagram(datagram, peer, now_ms=0)
            for effect in core.drain_effects():
                if isinstance(effect, Send) and effect.peer == peer:
                    node.receive(effect.datagram, "gateway", now_ms=0)


def epoch_of(number: int) -> bytes:
    """Returns the epoch of start `number`: any 8 bytes, all different."""
    return bytes([number]) * 8


def fill(folder: Path, kind: str, records: int) -> None:
    """Writes the backlog as earlier starts would; runs in a process of its own, so that its memory is not counted."""
    drawn = payloads(kind)
    for start in range(EPOCHS):
        durable = Durable(folder)
        journal = Journal(durable.disk, epoch=epoch_of(start))
        journal.recover()
        for number in range(start * records // EPOCHS, (start + 1) * records // EPOCHS):
            position = journal.append(event.TELEMETRY, drawn[number % DIFFERENT])
            assert isinstance(position, int), position
            if number % COMMIT_RECORDS == 0:
                durable.flush(journal)
        durable.flush(journal)
        durable.disk.close()


def memory_kb(name: str, pid: int | str = "self") -> int | None:
    """Returns `VmRSS`, or its peak `VmHWM`, of a process; None where the kernel does not report it."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return None
    return next((int(line.split()[1]) for line in lines if line.startswith(name + ":")), None)


def measure(folder: Path, kind: str, records: int, begun_s: float) -> dict[str, Any]:
    """Starts on what `fill` wrote, and drains it; returns all figures. `begun_s`: `monotonic` before this process."""
    segments = len(list((folder / "journal").iterdir()))
    rss_before_kb, start, start_cpu = memory_kb("VmRSS"), perf_counter(), thread_time()
    durable, state = Durable(folder / "journal"), Durable(folder / "state")
    epoch = epoch_of(EPOCHS)
    core = Gateway(
        _OPTIONS,
        Start(epoch, EPOCHS + 1, "power-on", EPOCHS),
        journal_disk=durable.disk,
        state_disk=state.disk,
        keys=keys_of({item.node for item in items(kind)}),
        cipher=CIPHER,
        random_below=random.Random(1).randrange,
        now_ms=0,
    )
    report = core.start(now_ms=0)
    recovery_s, recovery_cpu_s = perf_counter() - start, thread_time() - start_cpu
    started_s, rss_ready_kb = monotonic() - begun_s, memory_kb("VmRSS")
    assert report.records == records, report
    greet(core, kind)
    durable.flush(core.journal)
    core.drain_effects()
    centre = Centre(core, durable, epoch)
    found = {
        "nodes": len(core.known_nodes),
        "segments": segments,
        "started_s": started_s,
        "recovery_s": recovery_s,
        "recovery_cpu_s": recovery_cpu_s,
        "rss_before_kb": rss_before_kb,
        "rss_ready_kb": rss_ready_kb,
        "rss_nodes_heard_kb": memory_kb("VmRSS"),
        "first_batch_ms": centre.first_batch_s() * 1000,
        "drain_per_s": _rate(centre, lambda: centre.drain_to(records // 2)),
        "bytes_per_reading": _bytes_per_reading(centre, kind),
        "drain_with_alarms_per_s": _rate(centre, lambda: centre.drain_with_alarms(records // 8)),
        "drain_by_the_clock_per_s": _rate(centre, centre.drain_by_the_clock),
        "rss_peak_kb": memory_kb("VmHWM"),
        "alarms": len(centre.alarm_batches),
        "alarm_batches_p50": median(centre.alarm_batches),
        "alarm_batches_max": max(centre.alarm_batches),
        "alarms_by_the_clock": len(centre.held_ms),
        **_percentiles("flush_alone", centre.flush_ms),
        **_percentiles("alarm_durable", centre.durable_ms),
        **_percentiles("alarm_published", centre.published_ms),
        **_percentiles("alarm_held", centre.held_ms),
        "resent": centre.uplink.counters["resent"],
    }
    assert centre.uplink.counters["holes"] == centre.uplink.counters["quarantined"] == 0, "the backlog is sound"
    durable.disk.close()
    state.disk.close()
    return found


_OPTIONS = Options(gateway=street.GATEWAY, insee="49007", name="cab-12")


def _rate(centre: Centre, drain: Callable[[], None]) -> float:
    """Returns the records that the uplink sent for each second of its own time."""
    records, busy_s = centre.uplink.counters["records"], centre.busy_s
    drain()
    return (centre.uplink.counters["records"] - records) / (centre.busy_s - busy_s)


def _bytes_per_reading(centre: Centre, kind: str) -> float:
    """Returns the deflated bytes for each reading sent so far."""
    return centre.uplink.counters["bytes"] / centre.uplink.counters["records"] / READINGS[kind]


def _percentiles(name: str, latencies_ms: list[float]) -> dict[str, float]:
    cuts = quantiles(latencies_ms * 2, n=100, method="inclusive")  # doubled, since two values are needed at least
    return {f"{name}_p50_ms": cuts[49], f"{name}_p99_ms": cuts[98], f"{name}_max_ms": max(latencies_ms)}


def _measure(results: Any, *words: Any) -> None:
    results.put(measure(*words))


def in_fresh_process(folder: Path, kind: str, records: int) -> dict[str, Any]:
    """Runs `fill`, then `measure`, each in a spawned process, so that only its own memory counts."""
    spawning = multiprocessing.get_context("spawn")
    writer = spawning.Process(target=fill, args=(folder / "journal", kind, records))
    writer.start()
    writer.join()
    assert writer.exitcode == 0, "the backlog was not written"
    results = spawning.SimpleQueue()
    measurer = spawning.Process(target=_measure, args=(results, folder, kind, records, monotonic()))
    measurer.start()
    measurer.join()
    assert measurer.exitcode == 0, "the backlog was not measured"
    found: dict[str, Any] = results.get()
    return found


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--folder", type=Path, help="folder on the disk to use (default: of temporary files)")
    parser.add_argument("--records", type=int, default=200_000, help="that wait (default %(default)s)")
    parser.add_argument("--kind", choices=READINGS, default="lamp", help="of records (default %(default)s)")
    add_json(parser)


def run(args: argparse.Namespace) -> int:
    """Prints the figures; the exit status is 0 when no alarm waited for more batches than may be under way before
    it."""
    with tempfile.TemporaryDirectory(prefix="bocage-backlog-", dir=args.folder) as folder:
        found = in_fresh_process(Path(folder), args.kind, args.records)
    passed = found["alarm_batches_max"] <= ALARM_BATCHES_MAX
    bytes_of_entry = round(sum(map(len, payloads(args.kind))) / DIFFERENT)
    head = {"records": args.records, "kind": args.kind, "epochs": EPOCHS, "entry_bytes": bytes_of_entry}
    if args.json:
        bound = {"alarm_batches_bound": ALARM_BATCHES_MAX, "passed": passed}
        print(json.dumps({**head, **found, **bound}, indent=1))
        return 0 if passed else 1
    for name, value in {**head, **found}.items():
        print(f"{name:24} {value:,.2f}" if isinstance(value, float) else f"{name:24} {value}")
    print(f"an alarm may wait for {ALARM_BATCHES_MAX} batches: {'holds' if passed else 'DOES NOT HOLD'}")
    return 0 if passed else 1
