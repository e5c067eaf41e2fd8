"""Measures the ingest from end to end: readings a second that cabinets get receipts for, and what bounds it.

    cabinets ── MQTT 5, QoS 1, TLS 1.3 ──▶ Mosquitto ── TLS 1.3 ──▶ centre ingest ──▶ commit ──▶ PUBACK, receipts ──▶

Real are the broker that `bocage centre init` sets up, with its roles and its persistence, `bocage centre ingest`, the
warehouse on this disk (a commit is on it before the PUBACK), the batches, envelopes and windows of gateways, and the
receipts, each verified. All cabinets share one process, which makes its batches first and is told apart.

Beside it, in the same run, the same batches go through the same broker to what one would write in an afternoon: one
paho client, one row a message, in SQLite, each on the disk before its PUBACK. It decodes nothing and answers nothing.

    per_s              readings, by the wall, from the first tenth on until all are held
    cpu_us             processor time of a record (eight readings), by process
    written_bytes      of a record, given to the disk, by process
    percent            of the wall, of each process: its processor; `disk`: it waits for the disk; `queue`: it waits
                       for a processor. They share what there is with all else that runs here (`others`); `database`
                       is PostgreSQL's process for the ingest, with `--server`
    stages_us          processor time of a record in the ingest's own steps, without broker: from a message to rows,
                       rows into tables, receipts signed; `wall` is that of the tables, with the disk

`--held` fills the warehouse first with so many records of each light, since a table that is large costs more.

    bocage bench ingest --cabinets 200 --lights 300 --turns 10 --json
"""

import argparse
import multiprocessing
import os
import sqlite3
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

from simulator.rig.rig import Part, RigError
from tools.bench import cabinets, street
from tools.bench.installed import InstalledBroker, add_place, judged
from tools.bench.uplink import cpu_s, peer_process
from tools.centre import mqtt
from tools.centre.broker import roles
from tools.centre.ingest import daemon, intake, receipts
from tools.centre.ingest.warehouse import Warehouse
from tools.centre.limits import GROUP_MESSAGES_MAX
from tools.centre.mqtt import BrokerAddress
from tools.centre.store import database, schema
from tools.command_line import add_json
from wire import event, record

READINGS = 8
_START_S = 600
_POLL_S = 0.005
_TICKS_PER_S = os.sysconf("SC_CLK_TCK")
# Of the shared array: cabinets connected, the word to begin, records held; the plain peer has subscribed.
_READY, _GO, _HELD, _SUBSCRIBED = range(4)
_WARM_UP = 0.1
STAGE_TURNS = 4


# --- the cabinets, and the peer ---------------------------------------------------------------------------------------


def send(broker: list[BrokerAddress], args: argparse.Namespace, key: bytes, is_plain: bool, shared: Any) -> None:
    """Runs all cabinets: connects, and when told, sends all that they have."""
    begun_s = int(time.time()) - args.turns * street.PERIOD_S
    sources = [
        cabinets.MadeBatches(number, args.lights, range(args.turns), begun_s, is_plain=is_plain)
        for number in range(args.cabinets)
    ]
    lines = [cabinets.Line(at, number, sources[number], [key]) for number, at in enumerate(broker)]
    for line in lines:
        line.connect()
        cabinets.serve([line], partial(getattr, line, "is_open"))
    shared[_READY] = len(lines)
    while not shared[_GO]:
        time.sleep(_POLL_S)

    def is_over() -> bool:
        if not is_plain:
            shared[_HELD] = sum(source.held for source in sources)
        return all(source.is_done() for source in sources)

    for line in lines:
        line.start()
    cabinets.serve(lines, is_over)
    is_over()
    while True:  # the connections stay until this process is ended
        time.sleep(1)


def store_plainly(broker: BrokerAddress, path: str, shared: Any) -> None:
    """Writes each message as a row, and acknowledges it when that is on the disk; without end."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("CREATE TABLE messages (number INTEGER PRIMARY KEY, topic TEXT, payload BLOB, at INTEGER)")
    client = mqtt.new_client(broker)

    def on_message(_client: Any, _userdata: Any, message: Any) -> None:
        row = message.topic, message.payload, int(time.time())
        connection.execute("INSERT INTO messages (topic, payload, at) VALUES (?, ?, ?)", row)
        client.ack(message.mid, message.qos)
        envelope = intake.peek(message.payload)
        assert envelope is not None
        shared[_HELD] += envelope.last + 1 - envelope.first

    def on_connect(*_: Any) -> None:
        client.subscribe(f"$share/ingest/{daemon.TOPICS[1]}", 1)

    def on_subscribe(*_: Any) -> None:
        shared[_SUBSCRIBED] = 1

    client.on_connect = on_connect
    client.on_subscribe = on_subscribe
    client.on_message = on_message
    mqtt.connect(client, broker)
    client.loop_forever()


# --- the measure ------------------------------------------------------------------------------------------------------


class Watch:
    """Observes processes (by name, their pids): processor time, and in which state each is found, every few
    milliseconds."""

    def __init__(self, pids: dict[str, int]) -> None:
        self._pids = pids
        self._begun_s, self._cpu = time.monotonic(), {name: cpu_s(pid) for name, pid in pids.items()}
        self._written = {name: written_bytes(pid) for name, pid in pids.items()}
        self._states = {name: dict.fromkeys("RD", 0) for name in pids}
        self._looks = 1
        self._busy = _busy_s()

    def look(self) -> None:
        self._looks += 1
        for name, pid in self._pids.items():
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
            if state in self._states[name]:
                self._states[name][state] += 1

    def figures(self, records: int) -> dict[str, Any]:
        """Returns what was observed since the beginning, in which so many records passed."""
        took_s = time.monotonic() - self._begun_s
        cpu = {name: cpu_s(pid) - self._cpu[name] for name, pid in self._pids.items()}
        percent: dict[str, Any] = {}
        for name, states in self._states.items():
            busy = 100 * cpu[name] / took_s
            queue = max(0.0, 100 * states["R"] / self._looks - busy)
            percent[name] = {"processor": busy, "queue": queue, "disk": 100 * states["D"] / self._looks}
        percent["others"] = 100 * (_busy_s() - self._busy - sum(cpu.values())) / took_s
        return {
            "per_s": READINGS * records / took_s,
            "took_s": took_s,
            "cpu_us": {name: 1e6 * used / records for name, used in cpu.items()},
            "written_bytes": {
                name: (written_bytes(pid) - self._written[name]) / records for name, pid in self._pids.items()
            },
            "percent": percent,
        }


def written_bytes(pid: int) -> int:
    """Returns what a process has given to the disk since its start (proc(5)); the file system's own log is not in
    it."""
    fields = Path(f"/proc/{pid}/io").read_text().split()
    return int(fields[fields.index("write_bytes:") + 1])


def _busy_s() -> float:
    """Returns the time that all processors together have worked since the machine started (proc(5))."""
    user, nice, system, _idle, _wait, *interrupts = map(int, Path("/proc/stat").read_text().split("\n")[0].split()[1:8])
    return (user + nice + system + sum(interrupts)) / _TICKS_PER_S


def measured(pids: dict[str, int], shared: Any, records: int) -> dict[str, Any]:
    """Returns the figures of one run of the cabinets against our ingest, or against the plain peer."""
    shared[_GO] = 1
    wait_for(lambda: shared[_HELD] >= _WARM_UP * records)
    before, watch = int(shared[_HELD]), Watch(pids)
    end_s = time.monotonic() + 3600
    while shared[_HELD] < records:
        if time.monotonic() > end_s:
            raise RigError(f"only {int(shared[_HELD])} of {records} records were stored in an hour")
        watch.look()
        time.sleep(_POLL_S)
    return watch.figures(records - before)


def wait_for(reached: Callable[[], object]) -> None:
    """Waits until `reached` returns something; RigError when that takes too long."""
    end_s = time.monotonic() + _START_S
    while not reached():
        if time.monotonic() > end_s:
            raise RigError(f"not ready in {_START_S} s")
        time.sleep(_POLL_S)


def bound_of(found: dict[str, Any]) -> str:
    """Returns what the ingest waited for most: its own processor time is Python, unless there is nothing to wait
    for."""
    ingest = found["percent"]["ingest"]
    waits = {
        "Python, in the one process of the ingest": ingest["processor"],
        "the disk": ingest["disk"],
        "processors, of which there are too few for all that runs here": ingest["queue"],
    }
    server = found["percent"].get("database", {})
    waits["the database's server, in the one process that serves the ingest"] = sum(server.values())
    waits["broker and cabinets, for which the ingest waits"] = 100 - sum(waits.values())
    return max(waits, key=lambda name: waits[name])


@contextmanager
def running_ingest(folder: Path, broker: InstalledBroker, where: str) -> Iterator[tuple[int, bytes]]:
    """Runs `bocage centre ingest`; returns its pid and the public key of its receipts when it has subscribed: what
    cabinets send before its very first subscription the broker drops."""
    key_file, log = folder / "receipts.pem", folder / "ingest.log"
    key, (at, alarms) = receipts.load_or_make(key_file), map(broker.account, roles.of_ingest(1))
    command = [
        sys.executable, "-m", "tools", "centre", "ingest", "--db", where, "--receipt-key", str(key_file),
        "--broker", f"{at.host}:{at.port}", "--ca", str(at.ca), "--cert", str(at.cert), "--key", str(at.key),
        "--alarms-cert", str(alarms.cert), "--alarms-key", str(alarms.key),
    ]  # fmt: skip
    ingest = Part("ingest", command, log)
    ingest.start()
    try:
        wait_for(lambda: '"subscribed"' in log.read_text(encoding="utf-8") or not ingest.running())
        if not ingest.running():
            raise RigError(f"the ingest ended: {log.read_text(encoding='utf-8')}")
        yield ingest.pid, key.public
    finally:
        ingest.stop()


def ours(folder: Path, where: str, broker: InstalledBroker, args: argparse.Namespace) -> dict[str, Any]:
    """Returns the figures of `bocage centre ingest`, and whether it holds every record once."""
    Warehouse(where).close()
    if args.held:
        fill(where, args)
    with (
        running_ingest(folder, broker, where) as (ingest, key),
        _cabinets(broker, args, key, is_plain=False) as (sender, shared),
    ):
        pids = {"ingest": ingest, "broker": broker.pid, "cabinets": sender, **server_of(where)}
        found = measured(pids, shared, args.cabinets * args.lights * args.turns)
    warehouse = Warehouse(where)
    found["stored"] = warehouse.counters["records"]
    found["doubled"] = warehouse.counters["duplicates"]
    warehouse.close()
    return {**found, "bound": bound_of(found)}


def plainly(folder: Path, broker: InstalledBroker, args: argparse.Namespace) -> dict[str, Any]:
    """Returns the figures of the plain peer."""
    shared = _shared()
    at = broker.account(roles.INGEST)
    with peer_process(store_plainly, at, str(folder / "plain.db"), shared) as peer:
        wait_for(lambda: shared[_SUBSCRIBED])
        with _cabinets(broker, args, b"", is_plain=True, shared=shared) as (sender, _):
            pids = {"ingest": peer, "broker": broker.pid, "cabinets": sender}
            return measured(pids, shared, args.cabinets * args.lights * args.turns)


def server_of(where: str) -> dict[str, int]:
    """Returns the pid of the process that serves the ingest, where PostgreSQL does."""
    if not database.is_server(where):
        return {}
    connection = schema.open_to_read(where)
    ask = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid != pg_backend_pid()"
    wait_for(lambda: len(connection.execute(ask).fetchall()) == 1)
    [[pid]] = connection.execute(ask).fetchall()
    connection.close()
    return {"database": pid}


def fill(path: str, args: argparse.Namespace) -> None:
    """Writes records of an earlier boot of each light."""
    connection = schema.open_to_write(path, "NORMAL")
    lane = event.LANES.index(event.TELEMETRY)
    for number in range(args.cabinets):
        with database.transaction(connection):
            for place, made in enumerate(cabinets.lights(number, args.lights)):
                body, stamp = record.encode_body(made.body), made.stamp
                head = cabinets.node_of(number, place), made.boot - 1
                rows = [
                    (*head, turn, stamp.seconds, stamp.quality, stamp.uncertainty_s, lane, body, 1, stamp.seconds)
                    for turn in range(args.held)
                ]
                connection.executemany("INSERT INTO records VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)
    connection.close()


def stages(folder: Path, where: str, args: argparse.Namespace) -> dict[str, float]:
    """Returns what the ingest's steps take of a record, in this process, group by group, as when messages wait: the
    next turns into the warehouse that is there."""
    begun_s = int(time.time()) - (args.turns + STAGE_TURNS) * street.PERIOD_S
    turns = range(args.turns, args.turns + STAGE_TURNS)
    sources = [cabinets.MadeBatches(n, args.lights, turns, begun_s, is_plain=True) for n in range(args.cabinets)]
    messages = []
    while not all(source.is_done() for source in sources):
        waiting = [source.due() for source in sources]
        for some in zip(*waiting, strict=True):  # a message of each cabinet after the other
            messages += [(one.topic, one.payload) for one in some]
        for source, found in zip(sources, waiting, strict=True):
            for one in found:
                source.acknowledged(one.token)
    records = args.cabinets * args.lights * STAGE_TURNS
    warehouse = Warehouse(where)
    key = receipts.load_or_make(folder / "receipts.pem")
    used = dict.fromkeys(("to_rows", "to_tables", "receipts", "wall"), 0.0)
    now_s = int(time.time())
    for at in range(0, len(messages), GROUP_MESSAGES_MAX):
        group = messages[at : at + GROUP_MESSAGES_MAX]
        ticks = [time.thread_time()]
        for name, payload in group:
            intake.prepare(name, payload)
        ticks.append(time.thread_time())
        begun = time.monotonic()
        answers = warehouse.accept_group(group, received_unix_s=now_s)
        used["wall"] += time.monotonic() - begun
        ticks.append(time.thread_time())
        for answer in answers:
            key.payload(answer)
        ticks.append(time.thread_time())
        to_rows, stored, signed = (after - before for before, after in pairwise(ticks))
        used["to_rows"] += to_rows
        used["to_tables"] += stored - to_rows
        used["receipts"] += signed
    warehouse.close()
    return {name: 1e6 * seconds / records for name, seconds in used.items()}


@contextmanager
def _cabinets(
    broker: InstalledBroker, args: argparse.Namespace, key: bytes, *, is_plain: bool, shared: Any = None
) -> Iterator[tuple[int, Any]]:
    """Runs the cabinets' process, which waits for the word to begin; returns its pid and the shared array."""
    shared = _shared() if shared is None else shared
    addresses = [broker.cabinet(cabinets.account_of(number)) for number in range(args.cabinets)]
    with peer_process(send, addresses, args, key, is_plain, shared) as pid:
        wait_for(lambda: shared[_READY] == args.cabinets)
        yield pid, shared


def _shared() -> Any:
    return multiprocessing.get_context("spawn").Array("d", 4, lock=False)


def measure(folder: Path, where: str, args: argparse.Namespace) -> dict[str, Any]:
    """Returns all figures of one run. RigError when a part is missing or does not start."""
    broker = InstalledBroker(folder / "centre", [cabinets.account_of(number) for number in range(args.cabinets)])
    broker.start()
    try:
        found = ours(folder, where, broker, args)
        peer = None if args.alone else plainly(folder, broker, args)
    finally:
        broker.stop()
    records = args.cabinets * args.lights * args.turns
    return {
        "cabinets": args.cabinets,
        "lights": args.cabinets * args.lights,
        "readings": READINGS * records,
        "held_before": args.cabinets * args.lights * args.held,
        "ingest": found,
        "stages_us": stages(folder, where, args),
        "peer": peer,
        "passed": found["stored"] == records and found["doubled"] == 0,
    }


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--cabinets", type=int, default=50, help="default: %(default)s; a territory has some 200")
    parser.add_argument("--lights", type=int, default=300, help="of each cabinet (default %(default)s)")
    parser.add_argument("--turns", type=int, default=4, help="records of each light (default %(default)s)")
    parser.add_argument("--held", type=int, default=0, help="records of each light that are there before (0)")
    parser.add_argument("--alone", action="store_true", help="without the peer")
    add_place(parser)
    add_json(parser)


def run(args: argparse.Namespace) -> int:
    return judged("ingest", args, measure)
