"""Measures one gateway process on one core, from the nodes' datagrams to the broker: records a second, CPU a record.

    nodes (UDP) ─▶ gateway: CoAP, journal, fsync, 2.04 ─▶ SenML, deflate, MQTT 5, PUBACK ─▶ Mosquitto ─▶ centre

Real are the datagrams and their retransmission, `bocage gateway run`, its journal in a real folder, Mosquitto, QoS 1.
Scripted are the nodes, which send their next records as soon as the last are acknowledged, instead of every quarter of
an hour, and the centre, which reads only the envelope of a batch and answers with signed receipts (a warehouse has its
own figures). The gateway has the first processor for itself, everything else runs on the second. The node link is
protected, the broker's is in the clear.

The sustained rate is that of records arriving at the centre while nodes are held back so that no more than WAITING_MAX
records wait. `generator_max_per_s` is the rate of the same nodes against a peer on the gateway's processor that only
acknowledges: when it is more than twice the gateway's rate, the generator is not the limit. With few nodes the group
commit is the limit (each node waits for it); `full_core_per_s` is the rate that the processor time would allow. Needs
Linux and two processors.

    bocage bench uplink --nodes 300 --seconds 10 --json
"""

import argparse
import contextlib
import multiprocessing
import os
import random
import secrets
import select
import socket
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from gateway.core.link.link import Link
from gateway.shell import keys as node_keys
from links import udp
from policy import keyset
from simulator.hosts.keys import CIPHER, WAREHOUSE, key_of, keys_of, keyset_of, link_of
from simulator.rig.ports import free_port
from simulator.rig.rig import GATEWAY_ID, Part, RigError, find_mosquitto
from tools.bench import street
from tools.centre.ingest import intake
from tools.command_line import Refused, add_json, print_figures
from wire import coap_message, receipt, record, topic
from wire.coap import Response
from wire.record import Record

_HOST = "127.0.0.1"
_INSEE, _NAME = "49007", "cab-1"
WAITING_MAX = 4000  # records acknowledged and not yet at the centre, beyond which nodes wait
# The counts of the centre, in the order of the shared array.
HEARD = ("records", "batches")
_WARM_UP_S = 3.0
_RETRY_MS = 2000
_START_TIMEOUT_S = 30
_TICKS_PER_S = os.sysconf("SC_CLK_TCK")


class Node:
    """Simulates one street light on a socket of its own: one request under way, the next one as soon as it is
    answered."""

    def __init__(self, number: int, item: Any, peer: tuple[str, int], records: int) -> None:
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.setblocking(False)
        self.socket.connect(peer)
        self._record: Record = item.record
        draw = random.Random(number)
        # The boot number is new in every run: the agent remembers the records of an earlier run.
        self._link = link_of(
            node_id(number), "gateway", boot=int(time.time()), random_below=draw.randrange, timing=udp.timing(_RETRY_MS)
        )
        self._records = records
        self._sequence = 0
        self._is_asking = False

    def turn(self, now_s: float, *, may_send: bool) -> int:
        """Reads the answer and sends what is due; returns the number of records that were acknowledged."""
        now_ms = int(1000 * now_s)
        events = list(self._link.poll(now_ms=now_ms))
        while True:
            try:
                events += self._link.receive(self.socket.recv(256), "gateway", now_ms=now_ms)
            except OSError:
                break
        acknowledged = 0
        for happened in events:
            self._is_asking = False
            if isinstance(happened, Response) and happened.code == coap_message.CHANGED:
                acknowledged += self._records
        if may_send and not self._is_asking:
            self._is_asking = True
            self._link.request("gateway", coap_message.POST, (b"t",), self._next(), now_ms=now_ms)
        for _, datagram in self._link.outgoing():
            with contextlib.suppress(OSError):  # a full buffer, or no peer yet: sent again later
                self.socket.send(datagram)
        return acknowledged

    def _next(self) -> bytes:
        payload = b""
        for _ in range(self._records):
            payload += record.encode(self._record._replace(sequence=self._sequence))
            self._sequence += 1
        return payload


def node_id(number: int) -> bytes:
    return street.TERRITORY + b"\x03" + number.to_bytes(3, "big")


class Nodes:
    """Runs all nodes in one loop."""

    def __init__(self, count: int, peer: tuple[str, int], records: int) -> None:
        self.acknowledged = 0
        self._nodes = {}
        self._poll = select.epoll()
        for number, item in enumerate(street.street(count), 1):
            node = Node(number, item, peer, records)
            self._nodes[node.socket.fileno()] = node
            self._poll.register(node.socket.fileno(), select.EPOLLIN)

    def drive(self, for_s: float, held_back: Callable[[], bool]) -> None:
        """Sends and receives for a while; `held_back` is asked before each round."""
        end_s = time.monotonic() + for_s
        swept_s = 0.0
        while (now_s := time.monotonic()) < end_s:
            may_send = not held_back()
            ready = [self._nodes[number] for number, _ in self._poll.poll(0.005)]
            if now_s - swept_s > 0.05:  # the nodes that wait for their first turn, or for a retry
                ready, swept_s = list(self._nodes.values()), now_s
            for node in ready:
                self.acknowledged += node.turn(now_s, may_send=may_send)

    def drive_until(self, reached: Callable[[], bool], held_back: Callable[[], bool]) -> None:
        """Drives the nodes until `reached`; RigError when that takes too long."""
        end_s = time.monotonic() + _START_TIMEOUT_S
        while not reached():
            if time.monotonic() > end_s:
                raise RigError(f"no record has passed in {_START_TIMEOUT_S} s")
            self.drive(0.1, held_back)

    def close(self) -> None:
        """Releases the nodes' sockets."""
        self._poll.close()
        for node in self._nodes.values():
            node.socket.close()


def cpu_s(pid: int) -> float:
    """Returns the user and system time of a process since its start."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS_PER_S


@contextmanager
def on_processor(number: int) -> Iterator[None]:
    """Binds what is started within to one of our processors."""
    ours = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {sorted(ours)[number]})
    try:
        yield
    finally:
        os.sched_setaffinity(0, ours)


@contextmanager
def peer_process(target: Callable[..., None], *arguments: Any) -> Iterator[int]:
    """Runs a process of our own, and ends it at the end; returns its pid."""
    # Spawned, not forked: it must not hold our sockets.
    process = multiprocessing.get_context("spawn").Process(target=target, args=arguments, daemon=True)
    process.start()
    assert process.pid is not None
    try:
        yield process.pid
    finally:
        process.terminate()
        process.join()


def generator_max(nodes: int, records: int, seconds: float) -> float:
    """Returns the records a second that the nodes reach against a peer that only acknowledges."""
    port = free_port(socket.SOCK_DGRAM)
    with on_processor(0):
        peer = peer_process(acknowledge, port, [node_id(number) for number in range(1, nodes + 1)])
        peer.__enter__()
    try:
        with on_processor(1):
            load = Nodes(nodes, (_HOST, port), records)
            load.drive_until(lambda: load.acknowledged > 0, lambda: False)
            before = load.acknowledged
            load.drive(seconds, lambda: False)
            load.close()
            return (load.acknowledged - before) / seconds
    finally:
        peer.__exit__(None, None, None)


# --- the other ends, each a process: they do as little as can be done and keep nothing -------------------------------


def acknowledge(port: int, nodes: list[bytes]) -> None:
    """Answers every request of these nodes with a piggybacked 2.04, without end: it has their keys, and stores
    nothing."""
    socket_ = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    socket_.bind(("127.0.0.1", port))
    link = Link(keys_of(nodes), CIPHER, random_below=secrets.randbelow, requests_per_s=1_000_000)
    while True:
        datagram, peer = socket_.recvfrom(2048)
        now_ms = time.monotonic_ns() // 1_000_000
        for asked in link.receive(datagram, peer, now_ms=now_ms):
            link.respond(asked.exchange, coap_message.CHANGED, now_ms=now_ms)
        for address, answer in link.outgoing():
            socket_.sendto(answer, address)


def centre(host: str, port: int, insee: str, name: str, heard: Any) -> None:
    """Answers each batch of one gateway with a signed receipt, without end."""
    ends: dict[tuple[bytes, str], int] = {}
    answers = topic.build(topic.RECEIPT, insee, name)
    client = paho.Client(CallbackAPIVersion.VERSION2, "centre", protocol=paho.MQTTv5)

    def on_connect(*_: Any) -> None:
        client.subscribe([(f"tc/1/{kind}/#", 1) for kind in (topic.TELEMETRY, topic.EVENT)])

    def on_message(_client: Any, _data: Any, message: paho.MQTTMessage) -> None:
        payload = bytes(message.payload)
        envelope = intake.peek(payload)
        assert envelope is not None, "the gateway's own batch"
        key = envelope.epoch, envelope.lane
        fresh = envelope.last + 1 - ends.get(key, envelope.first)
        if fresh > 0:
            ends[key] = envelope.last + 1
            heard[0] += fresh
            heard[1] += 1
        made = envelope.receipt(ends.get(key, envelope.oldest), payload)
        client.publish(answers, receipt.encode(made, WAREHOUSE.kid, WAREHOUSE.sign), qos=1)

    client.on_connect = on_connect
    client.on_message = on_message
    client.connect_async(host, port)
    client.loop_forever(retry_first_connection=True)


# --- the run ----------------------------------------------------------------------------------------------------------


def write_configurations(
    folder: Path, broker_port: int, link_port: int, commit_ms: int, nodes: int
) -> tuple[Path, Path]:
    """Writes the configuration of Mosquitto and of the gateway, and the keys of its nodes; returns the paths of the two
    files."""
    keys = folder / "data" / "keys"
    keys.mkdir(parents=True)
    (folder / "commune.keys").write_bytes(keyset.encode(keyset_of(_INSEE)))
    for number in range(1, nodes + 1):
        node_keys.save(keys / f"{node_id(number).hex()}.key", key_of(node_id(number)))
    broker, gateway = folder / "mosquitto.conf", folder / "gateway.toml"
    broker.write_text(
        f"listener {broker_port} {_HOST}\nallow_anonymous true\npersistence false\nuser root\n", encoding="utf-8"
    )
    gateway.write_text(
        f'[gateway]\nid = "{GATEWAY_ID.hex()}"\ninsee = "{_INSEE}"\nname = "{_NAME}"\ndata = "{folder / "data"}"\n'
        f'keys = "{folder / "commune.keys"}"\n'
        f'[link]\nbind = "{_HOST}:{link_port}"\ncommit_ms = {commit_ms}\n'
        f'[uplink]\nbroker = "{_HOST}:{broker_port}"\n[clock]\ntrust_system = true\n',
        encoding="utf-8",
    )
    return broker, gateway


def measure(folder: Path, args: argparse.Namespace) -> dict[str, Any]:
    """Returns all figures of one run. RigError when a part is missing or does not start."""
    mosquitto = find_mosquitto()
    if mosquitto is None:
        raise RigError("no Mosquitto here: apt-get install mosquitto")
    if len(os.sched_getaffinity(0)) < 2:
        raise RigError("two processors are needed: one for the gateway, one for its peers")
    limit = generator_max(args.nodes, args.records, min(3.0, args.seconds))
    broker_port, link_port = free_port(socket.SOCK_STREAM), free_port(socket.SOCK_DGRAM)
    broker_file, gateway_file = write_configurations(folder, broker_port, link_port, args.commit_ms, args.nodes)
    broker = Part("broker", [mosquitto, "-c", str(broker_file)], folder / "broker.log")
    command = [sys.executable, "-m", "tools", "gateway", "run", "--config", str(gateway_file), "--insecure"]
    gateway = Part("gateway", command, folder / "gateway.log")
    heard = multiprocessing.get_context("spawn").Array("q", len(HEARD), lock=False)
    try:
        with on_processor(1):
            broker.start()
            peer = peer_process(centre, _HOST, broker_port, _INSEE, _NAME, heard)
            peer.__enter__()
        try:
            with on_processor(0):
                gateway.start()
            with on_processor(1):
                found = _load(gateway, heard, args, (_HOST, link_port))
        finally:
            peer.__exit__(None, None, None)
    finally:
        gateway.stop()
        broker.stop()
    return {**found, "generator_max_per_s": limit, "generator_margin": limit / found["sustained_per_s"]}


def _load(gateway: Part, heard: Any, args: argparse.Namespace, link: tuple[str, int]) -> dict[str, Any]:
    load = Nodes(args.nodes, link, args.records)

    def held_back() -> bool:
        return load.acknowledged - heard[0] > WAITING_MAX

    try:
        load.drive_until(lambda: heard[0] > 0, held_back)
        load.drive(_WARM_UP_S, held_back)
        begun_s, cpu, acknowledged, arrived = time.monotonic(), cpu_s(gateway.pid), load.acknowledged, list(heard)
        load.drive(args.seconds, held_back)
        took_s = time.monotonic() - begun_s
        records, batches = (now - then for now, then in zip(heard, arrived, strict=True))
        busy_s = cpu_s(gateway.pid) - cpu
        return {
            "sustained_per_s": records / took_s,
            "acknowledged_per_s": (load.acknowledged - acknowledged) / took_s,
            "cpu_us_per_record": 1e6 * busy_s / records if records else None,
            "gateway_cpu_percent": 100 * busy_s / took_s,
            "full_core_per_s": records / busy_s if busy_s else None,
            "records_per_batch": records / batches if batches else None,
        }
    finally:
        load.close()


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--nodes", type=int, default=500, help="street lights, 8 readings a record (default 500)")
    parser.add_argument("--records", type=int, default=1, help="of one datagram (default %(default)s)")
    parser.add_argument("--seconds", type=float, default=10, help="measured, after a warm-up (default %(default)s)")
    parser.add_argument("--commit-ms", type=int, default=50, help="group commit (default %(default)s; shipped: 500)")
    parser.add_argument("--folder", type=Path, help="folder on the disk to use (default: of temporary files)")
    add_json(parser)


def run(args: argparse.Namespace) -> int:
    """Prints the figures; the exit status is 0 when all that was asked for could be measured, 1 when a part is
    missing."""
    try:
        with tempfile.TemporaryDirectory(prefix="bocage-uplink-", dir=args.folder) as folder:
            found = measure(Path(folder), args)
    except RigError as error:
        raise Refused(str(error)) from error
    head = {"nodes": args.nodes, "records_per_datagram": args.records, "commit_ms": args.commit_ms}
    print_figures({**head, **found, "seconds": args.seconds}, as_json=args.json)
    return 0
