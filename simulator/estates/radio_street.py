"""Composes a street on one radio concentrator: nodes that make records, the air, the concentrator, a gateway.

The figures of a run show what arrived, how often, and the airtime that it took.
"""

import struct
from typing import Any, NamedTuple

from concentrator.bridge import Bridge
from concentrator.shell import Shell
from gateway.core import limits as gateway_limits
from gateway.core.concentrator import Concentrator
from links.espnow import EspNowLink
from simulator.world.chance import Prng
from simulator.world.radio import Air, AirOptions, ChipRadio, frame_us
from simulator.world.time import World
from wire import coap_message, limits
from wire.coap import Endpoint, Failed, Refused, Request, Response
from wire.coap_exchange import bearer_timing

_CONCENTRATOR = b"\x02\x00\x00\x00\x00\x00"
# As long as protected telemetry (`bocage bench link`): header, token, path, marker, payload. The answer likewise, with
# its time, its tag and what waits.
_ASKED_BYTES, _ANSWERED_BYTES = 78, 34
_PAYLOAD_BYTES = _ASKED_BYTES - 11
_ANSWER = bytes(_ANSWERED_BYTES - 9)
_RETRY_MS = 5_000
_FLUSH_MS = 1_000
_LINE_BYTES_PER_S = 11_520


class RadioOptions(NamedTuple):
    """Holds the options of a run.

    `period_s`: from record to record of a node. All nodes begin within `storm_ms`: their feeder has got power.
    """

    nodes: int = 50
    minutes: int = 60
    period_s: int = 60
    storm_ms: int = 300
    ack_timeout_ms: int = limits.COAP_ACK_TIMEOUT_MIN_MS
    seed: int = 1
    air: AirOptions = AirOptions()


class RadioFigures(NamedTuple):
    """Holds the figures of a run.

    Of the `made` records, `arrived` came to the application; `again`: came more than once, in a new message after a
    failed exchange, and were recognised by their identity. `suppressed`: duplicates that CoAP kept from the
    application.
    """

    nodes: int
    made: int
    arrived: int
    acknowledged: int
    again: int
    suppressed: int
    frames: int
    lost_permille: int
    doubled: int
    retransmitted: int
    overruns: int
    reinits: int
    evicted: int
    buffer_overruns: int
    air_permille: int
    air_ms_per_record: float
    air_ms_per_node_hour: float
    air_ms_per_record_perfect: float
    wait_p50_ms: int
    wait_p99_ms: int


class RadioNode:
    """Models a node that makes a record each period and sends it until it is acknowledged."""

    POLLIN = 1

    def __init__(self, street: "RadioStreet", number: int, prng: Prng) -> None:
        self.mac = b"\x02\x00\x00\x00" + number.to_bytes(2, "big")
        self.number = number
        self.acknowledged: set[int] = set()
        self.made_ms: dict[int, int] = {}
        self._street, self._world = street, street.world
        self._wake_ms: int | None = None
        self._radio = ChipRadio(street.air, prng.split("chip"), self._wake, mac=self.mac, is_node=True)
        self._radio.reach = street.reach
        self._link = EspNowLink(
            self._radio,
            self,
            _CONCENTRATOR,
            6,
            remember=lambda _channel: None,
            random_below=prng.randrange,
            now_ms=lambda: self._world.now_ms,
        )
        self.endpoint = Endpoint(
            random_below=prng.randrange,
            first_message_id=prng.randrange(0x10000),
            timing=bearer_timing(ack_timeout_ms=street.options.ack_timeout_ms, nstart=2),
        )
        self._asked: dict[int, int] = {}  # exchange -> sequence
        self._pending: list[tuple[int, int]] = []  # (not before, sequence)

    @property
    def radio(self) -> ChipRadio:
        return self._radio

    def poll(self, *_timeout_ms: int) -> "RadioNode":
        return self

    def make(self) -> None:
        sequence = len(self.made_ms)
        self.made_ms[sequence] = self._world.now_ms
        self._pending.append((self._world.now_ms, sequence))
        self._wake()

    def _wake(self) -> None:
        """Makes the loop turn at once, as `wait` returns, when a frame has come or gone."""
        if self._wake_ms != self._world.now_ms:
            self._wake_at(self._world.now_ms)

    def _wake_at(self, when_ms: int) -> None:
        self._wake_ms = when_ms
        self._world.at(when_ms, self._turn, when_ms)

    def _turn(self, when_ms: int) -> None:
        if when_ms != self._wake_ms:
            return
        self._wake_ms = None
        now_ms = self._world.now_ms
        for datagram, peer in self._link.receive():
            for happened in self.endpoint.receive(datagram, peer, now_ms=now_ms):
                self._handle(happened)
        for happened in self.endpoint.poll(now_ms=now_ms):
            self._handle(happened)
        for due_ms, sequence in list(self._pending):
            if now_ms >= due_ms:
                self._pending.remove((due_ms, sequence))
                self._send(sequence, now_ms)
        for peer, datagram in self.endpoint.outgoing():
            self._link.send(peer, datagram)
        dues = [due for due in (self.endpoint.deadline_ms(),) if due is not None]
        dues += [due for due, _ in self._pending]
        # The loop turns every 100 ms anyway; here only when something may be due.
        dues.append(now_ms + 1_000)
        self._wake_at(max(now_ms + 1, min(dues)))

    def _send(self, sequence: int, now_ms: int) -> None:
        payload = struct.pack(">HI", self.number, sequence).ljust(_PAYLOAD_BYTES, b"\xa5")
        outcome = self.endpoint.request("gateway", coap_message.POST, (b"t",), payload, now_ms=now_ms)
        if isinstance(outcome, Refused):
            self._pending.append((now_ms + _RETRY_MS, sequence))
        else:
            self._asked[outcome] = sequence

    def _handle(self, happened: Any) -> None:
        if not isinstance(happened, (Response, Failed)):
            return
        sequence = self._asked.pop(happened.exchange)
        if isinstance(happened, Response) and happened.code == coap_message.CHANGED:
            self.acknowledged.add(sequence)
        else:
            self._pending.append((self._world.now_ms + _RETRY_MS, sequence))


class RadioStreet:
    """Joins nodes, air, concentrator and gateway. `run` once; `concentrator_reset` at any time of `world`."""

    def __init__(self, options: RadioOptions) -> None:
        self.options = options
        self.world = World(start_unix_s=0)
        prng = Prng(options.seed)
        self.air = Air(self.world, prng.split("air"), options.air)
        self.chip = ChipRadio(
            self.air, prng.split("chip"), self._wake_shell, mac=_CONCENTRATOR, is_node=False, leak=options.air.leak
        )
        self.chip.reach = lambda mac: self._by_mac[mac].radio if mac in self._by_mac else None
        self._session = 0
        self._totals = {"down-overrun": 0, "reinits": 0}
        self._evicted = 0
        self.core = Concentrator(session=1, now_ms=0)
        self.core.opened(now_ms=0)
        self.concentrator_reset()
        self.endpoint = Endpoint(
            random_below=prng.split("gateway").randrange,
            first_message_id=7,
            timing=bearer_timing(ack_timeout_ms=options.ack_timeout_ms),
            exchanges_max=gateway_limits.LINK_EXCHANGES_MAX,
            outgoing_max=gateway_limits.LINK_OUTGOING_MAX,
        )
        self._flush_prng = prng.split("flush")
        self.nodes = [RadioNode(self, number, prng.split(f"node-{number}")) for number in range(1, options.nodes + 1)]
        self._by_mac = {node.mac: node for node in self.nodes}
        self.arrivals: dict[tuple[int, int], list[int]] = {}
        for node in self.nodes:
            self.world.at(prng.randrange(max(1, options.storm_ms)), self._make_periodically, node)
        self._shell_ms: int | None = None
        self._wake_shell()
        self._core_ms: int | None = None
        self._serve()

    def run(self) -> RadioFigures:
        """Runs the faults, then continues until everything that was made is acknowledged."""
        self.world.run_until(60_000 * self.options.minutes)
        self.air.quiet()
        for _ in range(20):
            self.world.run_until(self.world.now_ms + 30_000)
            if all(len(node.acknowledged) == len(node.made_ms) for node in self.nodes):
                break
        return self._figures()

    def reach(self, mac: bytes) -> ChipRadio | None:
        """Returns the radio with this address, as a node reaches it."""
        return self.chip if mac == _CONCENTRATOR else None

    def concentrator_reset(self) -> None:
        """Starts the concentrator, or starts it again: what it held is lost."""
        if self._session:
            self._count()
        self._session += 1
        self.chip.begin(6)
        self.bridge = Bridge(
            session=self._session, cause="watchdog", firmware="sim", channel=6, now_ms=self.world.now_ms
        )
        self._line_free_ms = self.world.now_ms
        self._inbox = b""
        self.shell = Shell(
            self.bridge,
            self.chip,
            self,
            now_ms=lambda: self.world.now_ms,
            wait=self._shell_waits,
            feed=lambda: None,
            restart=self.concentrator_reset,
            remember=lambda _channel: None,
            heap_free=lambda: 100_000,
        )

    # --- the concentrator's loop and its line -------------------------------------------------------------------

    def read(self) -> bytes:
        data, self._inbox = self._inbox, b""
        return data

    def takes_frame(self) -> bool:
        return self._line_free_ms - self.world.now_ms < 50

    def write(self, frame: bytes) -> None:
        self._line_free_ms = max(self._line_free_ms, self.world.now_ms) + 1000 * len(frame) // _LINE_BYTES_PER_S + 1
        self.world.at(self._line_free_ms, self._line_up, frame)

    def _line_up(self, frame: bytes) -> None:
        now_ms = self.world.now_ms
        for peer, datagram in self.core.receive(frame, now_ms=now_ms):
            for happened in self.endpoint.receive(datagram, peer, now_ms=now_ms):
                if isinstance(happened, Request):
                    self._on_request(happened)
        self._serve()

    def _shell_waits(self, duration_ms: int) -> None:
        self._shell_at(self.world.now_ms + max(1, duration_ms))

    def _wake_shell(self) -> None:
        if self._shell_ms is None or self._shell_ms > self.world.now_ms + 1:
            self._shell_at(self.world.now_ms + 1)

    def _shell_at(self, when_ms: int) -> None:
        self._shell_ms = when_ms
        self.world.at(when_ms, self._turn_shell, when_ms)

    def _turn_shell(self, when_ms: int) -> None:
        if when_ms == self._shell_ms:
            self._shell_ms = None
            self.shell.turn()

    # --- the gateway --------------------------------------------------------------------------------------------

    def _on_request(self, request: Request) -> None:
        number, sequence = struct.unpack(">HI", request.payload[:6])
        self.arrivals.setdefault((number, sequence), []).append(self.world.now_ms)
        # The flush must come before the answer.
        self.world.after(1 + self._flush_prng.randrange(_FLUSH_MS), self._respond, request.exchange)

    def _respond(self, exchange: int) -> None:
        self.endpoint.respond(exchange, coap_message.CHANGED, _ANSWER, now_ms=self.world.now_ms)
        self._serve()

    def _serve(self) -> None:
        now_ms = self.world.now_ms
        self.endpoint.poll(now_ms=now_ms)
        for peer, datagram in self.endpoint.outgoing():
            self.core.send(peer, datagram, now_ms=now_ms)
        for frame in self.core.poll(now_ms=now_ms):
            self.world.after(1 + 1000 * len(frame) // _LINE_BYTES_PER_S, self._line_down, frame)
        dues = [due for due in (self.endpoint.deadline_ms(), self.core.deadline_ms()) if due is not None]
        if dues:
            self._core_ms = max(now_ms + 1, min(dues))
            self.world.at(self._core_ms, self._core_due, self._core_ms)

    def _core_due(self, when_ms: int) -> None:
        if when_ms == self._core_ms:
            self._serve()

    def _line_down(self, frame: bytes) -> None:
        self._inbox += frame
        self._wake_shell()

    # --- the end ------------------------------------------------------------------------------------------------

    def _make_periodically(self, node: RadioNode) -> None:
        node.make()
        again_ms = self.world.now_ms + 1000 * self.options.period_s
        if again_ms < 60_000 * self.options.minutes:
            self.world.at(again_ms, self._make_periodically, node)

    def _count(self) -> None:
        for name in self._totals:
            self._totals[name] += self.bridge.counters[name]
        self._evicted += self.bridge.evicted()

    def _figures(self) -> RadioFigures:
        self._count()
        made = sum(len(node.made_ms) for node in self.nodes)
        waits = sorted(
            times[0] - self.nodes[number - 1].made_ms[sequence] for (number, sequence), times in self.arrivals.items()
        )
        air_ms = sum(self.air.used_us.values()) / 1000
        air = self.air
        return RadioFigures(
            nodes=len(self.nodes),
            made=made,
            arrived=len(self.arrivals),
            acknowledged=sum(len(node.acknowledged) for node in self.nodes),
            again=sum(len(times) > 1 for times in self.arrivals.values()),
            suppressed=self.endpoint.counters["duplicates"],
            frames=air.frames,
            lost_permille=1000 * air.lost // max(1, air.frames),
            doubled=air.doubled,
            retransmitted=sum(node.endpoint.counters["retransmitted"] for node in self.nodes),
            overruns=self._totals["down-overrun"],
            reinits=self._totals["reinits"],
            evicted=self._evicted,
            buffer_overruns=self.chip.overruns,
            air_permille=int(1000 * air_ms / self.world.now_ms),
            air_ms_per_record=round(air_ms / made, 1),
            air_ms_per_node_hour=round(air_ms / len(self.nodes) / (self.world.now_ms / 3_600_000), 1),
            air_ms_per_record_perfect=round((frame_us(_ASKED_BYTES) + frame_us(_ANSWERED_BYTES)) / 1000, 1),
            wait_p50_ms=waits[len(waits) // 2],
            wait_p99_ms=waits[len(waits) * 99 // 100],
        )
