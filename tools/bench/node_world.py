"""Connects the two sides of `bocage bench node`: a MicroPython VM that runs one node, and its gateway and plant on this
side of a pipe.

The gateway's end of the link is the real one; it answers 0.8 s after a payload, as after a flush, and some datagrams
are lost. Time is virtual, chance is seeded: a run repeats to the byte. Must not measure: the VM does.
"""

import ast
import heapq
import json
import os
import struct
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from gateway.core.link.link import Link, NodeRequest
from simulator.hosts.keys import CIPHER, key_of, settings_of
from tools.bench.node_cases import Case
from wire import coap_message, cose, directive, image, node_order, record
from wire.record import Answer, EventBody

SCRIPT = Path(__file__).resolve().parent / "node_vm.py"
NODE = bytes.fromhex("7c1f0a2c01000001")
_UPDATE_KEY = Ed25519PrivateKey.from_private_bytes(bytes(32))
UPDATE_KEY = _UPDATE_KEY.public_key().public_bytes_raw()
_HOUR_S = 3600
_ORDER_S = 900
PEER = ("192.0.2.1", 5683)
START_UNIX_S = 1_795_521_600  # a noon in November: long nights, and integers that a chip keeps on its heap
FLUSH_MS = 800
WAY_MS = 20
LOSS_PERCENT = 2
LEASE_S = 900
# The time on a chip of a turn that is due at once, as while a valve is pulsed.
TURN_MS = 10
_RECORD_PATHS = ((b"t",), (b"e",))
WATCHDOG_MS = 8000  # as in esp32.main
DAY_MS = 86_400_000


class Turn(NamedTuple):
    """Holds the figures of one turn from the VM: see `node_vm.Bench.turn`. Bytes are those of this VM."""

    deadline_ms: int
    datagrams: list[bytes]
    outputs: tuple | None
    taken: int
    took_us: int
    work: int
    records: int
    is_sample: bool
    idle: int | None


class VmFault(Exception):
    """Is raised when the VM failed; the text is its output in place of an answer."""


class Program(NamedTuple):
    """Holds the program that a VM runs. `place`: the folder of a node's flash, without settings."""

    kind: str
    case: Case
    place: Path


class Vm:
    """Runs the process of a VM with a heap of so many bytes. `block_ms`: how long `block` is to last; `cause`, `rtc`,
    `flash`: what the life before has left; `stack`: bytes for calls, for a VM that reads them (`bocage bench vm`)."""

    def __init__(
        self,
        path: str,
        program: "Program",
        heap: int,
        *,
        looks: bool = False,
        block_ms: int = 0,
        cause: int = 0,
        rtc: bytes = b"",
        flash: Path | None = None,
        stack: int = 0,
    ) -> None:
        self._folder = tempfile.TemporaryDirectory()
        flash = flash or Path(self._folder.name)
        settings = {"node": NODE.hex(), "kind": program.kind, "gateway": list(PEER), "wifi": ["bench", ""]}
        settings.update(settings_of(NODE), update_keys=[UPDATE_KEY.hex()], **program.case.settings)
        (flash / "settings.json").write_text(json.dumps(settings), encoding="utf-8")
        for part in program.place.iterdir():
            if not (flash / part.name).exists():
                (flash / part.name).symlink_to(part)
        self._process = subprocess.Popen(
            [path, "-X", f"heapsize={heap}", str(SCRIPT)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=flash,
            env={**os.environ, "MICROPYPATH": ".frozen", **({"VM_STACK": str(stack)} if stack else {})},
        )
        self._read_reply()
        begin: dict[str, Any] = {"kind": program.kind, "looks": looks}
        self._write({**begin, "block": block_ms, "watchdog": WATCHDOG_MS, "cause": cause, "rtc": rtc})
        self.is_32_bit = self._read_reply() < 1 << 32
        self.started, self.loading_ms, self.calibration_us, self.counts = self._read_reply()

    def turn(self, now_ms: int, values: Any, datagrams: list[bytes], *, idles: bool) -> Turn:
        told = bytearray(struct.pack("<qbh", now_ms, idles, -1 if values is None else len(values)))
        for key, value in (values or {}).items():
            name = key.encode() if isinstance(key, str) else b""
            told += struct.pack("<iq", -len(name) if name else key, value) + name
        for data in datagrams:
            told += struct.pack("<H", len(data)) + data
        self._write(len(told))
        assert self._process.stdin is not None
        os.write(self._process.stdin.fileno(), told)
        return Turn(*self._read_reply())

    def count(self, is_on: bool) -> None:
        """Counts all heap that turns use from now on, or no longer."""
        self._write("count" if is_on else "natural")
        self._read_reply()

    def look(self) -> None:
        """Measures the live heap where calls are deepest, from now on."""
        self._write("look")
        self._read_reply()

    def live(self) -> int:
        """Returns the live bytes after a collection."""
        self._write("live")
        return int(self._read_reply())

    def peak(self) -> int:
        """Returns the most bytes that were live where they were measured."""
        self._write("peak")
        return int(self._read_reply())

    def block(self) -> None:
        """Makes the ports block in the next sample."""
        self._write("block")
        self._read_reply()

    def bit(self) -> tuple[int, bytes] | None:
        """Returns the instant at which the watchdog has reset the chip, in ms, and the content of RTC memory then."""
        self._write("bit")
        found: tuple[int, bytes] | None = self._read_reply()
        return found

    def close(self) -> None:
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()
        self._process.wait(10)
        self._folder.cleanup()

    def __enter__(self) -> "Vm":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _write(self, what: Any) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{what!r}\n")
        self._process.stdin.flush()

    def _line(self) -> str:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise VmFault(f"the VM ended with {self._process.wait()}")
        return line.rstrip("\n")

    def _read_reply(self) -> Any:
        line = self._line()
        try:
            return ast.literal_eval(line)
        except (SyntaxError, ValueError):
            rest = [] if self._process.stdout is None else self._process.stdout.readlines()
            raise VmFault("".join([line, "\n", *rest])) from None


class BusyDay:
    """Makes everything that a gateway sends a node on a busy day: a lamp an order every other hour, others directives
    that change, a signed manifest of a program whose files are absent. So the turns occur in which these arrive, and
    the steps of verifying a signature. `kind`: the node's kind and its product.
    """

    def __init__(self, kind: str) -> None:
        manifest = image.encode(image.Manifest(kind, 2, "bench", [image.File("main.mpy", 4000, bytes(32))]))
        kid = cose.kid_of(UPDATE_KEY)
        self._signed = cose.sign1_encode(manifest, kid, cose.IMAGE_AAD, _UPDATE_KEY.sign)
        self._has_orders = kind == "streetlight"
        self._asked_hour: int | None = None

    def waits(self, unix_s: int) -> bool:
        """Returns True while there is an order that the node has not asked for."""
        return self._has_orders and unix_s // _HOUR_S % 2 == 1 and self._asked_hour != unix_s // _HOUR_S

    def answer(self, asked: NodeRequest, unix_s: int) -> tuple[int, bytes]:
        """Returns (code, payload) in answer to a request that brings no record."""
        if asked.path == (node_order.PATH,):
            return coap_message.CONTENT, self._order(unix_s)
        if asked.path == (directive.PATH,):
            return coap_message.CONTENT, _directives(directive.decode_question(asked.query).codes, unix_s)
        if len(asked.path) == 2:
            return coap_message.CONTENT, self._signed
        return coap_message.NOT_FOUND, b""

    def _order(self, unix_s: int) -> bytes:
        self._asked_hour = hour = unix_s // _HOUR_S
        name = hour.to_bytes(8, "big")
        order = node_order.NodeOrder(hour & 0xFFFFFF, name, node_order.OVERRIDE, 0, unix_s + _ORDER_S, _ORDER_S)
        return node_order.encode(order)


def _directives(codes: tuple[int, ...] | None, unix_s: int) -> bytes:
    """Returns the directives of the hour, of these codes or all of them."""
    hour = unix_s // _HOUR_S % 24
    values = {
        directive.OUTDOOR_TEMPERATURE: 800 + 50 * hour,
        directive.TEMPERATURE_MIN_6H: 600,
        directive.EVAPOTRANSPIRATION: 210,
        directive.RAIN_DAY: 4,
        directive.RAIN_FORECAST: 0,
        directive.WIND_SPEED: 12 + hour,
        directive.DROUGHT_LEVEL: 1 + hour // 4 % 2,
        directive.LOAD_SHED: 150 * (hour // 3 % 2),
        directive.EXCEPTION: hour // 6 % 2,
    }
    return directive.encode({code: (values[code], 2 * _HOUR_S) for code in values if codes is None or code in codes})


class World:
    """Simulates one node with its gateway, on a VM. `silent_days`: days of the run in which the gateway does not
    answer; `told`: the busy day that it sends, if any."""

    def __init__(self, vm: Vm, case: Case, silent_days: range, told: BusyDay | None = None) -> None:
        self.vm = vm
        self.now_ms = 0
        self.events: list[tuple[int, Any]] = []
        self._held: set[tuple[int, int]] = set()
        self._read = case.plant()
        self._silent_days = silent_days
        self._busy_day = told
        self._random = Random(7)
        self._link = Link([key_of(NODE)], CIPHER, random_below=self._random.randrange)
        self._events: list[tuple[int, int, str, Any]] = []
        self._number = 0
        self._wake_ms = 0
        self._outputs: tuple | None = None

    @property
    def acknowledged(self) -> int:
        """Returns the number of records that the gateway holds."""
        return len(self._held)

    def run(self, until_ms: int, *, idles: bool) -> Iterator[Turn]:
        """Yields the turns of the node up to an instant."""
        while True:
            due_ms = min(self._wake_ms, self._events[0][0] if self._events else self._wake_ms)
            if due_ms >= until_ms:
                return
            self.now_ms = max(self.now_ms, due_ms)
            arrived = self._do_due()
            if not arrived and self._wake_ms > self.now_ms:
                continue
            unix_s = START_UNIX_S + self.now_ms // 1000
            turn = self.vm.turn(self.now_ms, self._read(unix_s, self._outputs), arrived, idles=idles)
            self._outputs = turn.outputs
            self._wake_ms = max(turn.deadline_ms, self.now_ms + TURN_MS)
            for datagram in turn.datagrams:
                self._send("gateway", datagram)
            yield turn

    def _do_due(self) -> list[bytes]:
        """Does what is due on this side; returns the datagrams that reach the node."""
        arrived = []
        while self._events and self._events[0][0] <= self.now_ms:
            _, _, what, item = heapq.heappop(self._events)
            if what == "node":
                arrived.append(item)
            elif what == "answer":
                self._answer(item)
            elif self.now_ms // DAY_MS not in self._silent_days:
                for asked in self._link.receive(item, PEER, now_ms=self.now_ms):
                    if isinstance(asked, NodeRequest):
                        self._after(FLUSH_MS, "answer", asked)
                self._flush()
        return arrived

    def _answer(self, asked: NodeRequest) -> None:
        unix_s, told = START_UNIX_S + self.now_ms // 1000, self._busy_day
        if asked.path not in _RECORD_PATHS:
            # Without a busy day the gateway has nothing to send, and no image of this kind.
            code, payload = (coap_message.NOT_FOUND, b"") if told is None else told.answer(asked, unix_s)
            self._link.respond(asked.exchange, code, payload, now_ms=self.now_ms)
            self._flush()
            return
        if asked.payload:
            made = record.decode_payload(asked.payload)
            self._held.update((each.boot, each.sequence) for each in made)
            self.events += [(each.body.code, each.body.detail) for each in made if isinstance(each.body, EventBody)]
        waits = told is not None and told.waits(unix_s)
        answer = record.encode_answer(Answer(unix_s, 1, LEASE_S, int(waits)))
        self._link.respond(asked.exchange, coap_message.CHANGED, answer, now_ms=self.now_ms)
        self._flush()

    def _flush(self) -> None:
        self._link.poll(now_ms=self.now_ms)
        for _, datagram in self._link.outgoing():
            self._send("node", datagram)

    def _send(self, to: str, datagram: bytes) -> None:
        if self._random.randrange(100) >= LOSS_PERCENT:
            self._after(WAY_MS, to, datagram)

    def _after(self, delay_ms: int, what: str, item: Any) -> None:
        self._number += 1
        heapq.heappush(self._events, (self.now_ms + delay_ms, self._number, what, item))
