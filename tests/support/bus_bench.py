"""An RS-485 line on a pseudo-terminal, with nodes on the wall clock: the real node side of the bus, and faults.

A listener between them and the gateway notes whether anybody speaks without having been asked.
"""

import time
from collections.abc import Iterable
from pathlib import Path
from threading import Event, Thread

from simulator.rig.pty import Pty
from simulator.world.chance import Prng
from wire import bus, slip
from wire.bus import BusNode
from wire.faults import WireFault


class BusBench:
    """`up`: datagrams that each address still wants to say; `said`: what reached it. Faults in permille, to be changed
    at any time: questions and answers `lost` or `garbled`, answers `late` by longer than anybody waits."""

    def __init__(self, link: Path, addresses: Iterable[int], line: bus.Line, seed: int = 1) -> None:
        self.pty = Pty(link)
        self.nodes = {address: BusNode(line, address) for address in addresses}
        self.said: dict[int, list[bytes]] = {address: [] for address in self.nodes}
        self.up: dict[int, list[bytes]] = {address: [] for address in self.nodes}
        self.turns = dict.fromkeys(self.nodes, 0)
        self.lost = self.garbled = self.late = 0
        self.unasked = 0
        self._line, self._prng = line, Prng(seed)
        self._decoder = slip.Decoder(bus.BODY_BYTES_MAX)
        self._asked: tuple[int, int] | None = None
        self._held: list[tuple[int, bytes]] = []  # (when, frame) of answers that will be late
        self._stop = Event()
        self._thread = Thread(target=self._run, name="bus-bench", daemon=True)

    def start(self) -> None:
        self.pty.plug()
        self._thread.start()

    def close(self) -> None:
        self._stop.set()
        self._thread.join()
        self.pty.unplug()

    def _run(self) -> None:
        since_ms = _now_ms()
        while not self._stop.is_set():
            data = self.pty.read(0.002)
            now_ms = _now_ms()
            for due_ms, frame in list(self._held):
                if now_ms >= due_ms:
                    self._held.remove((due_ms, frame))
                    self.pty.write(frame)
            if data:
                self._note(data)
                self._serve(data, since_ms, now_ms)
            since_ms = now_ms

    def _note(self, data: bytes) -> None:
        """Who was asked last, as a listener on the line hears it."""
        for body in self._decoder.feed(data):
            try:
                frame = bus.decode(body)
            except WireFault:
                continue
            self._asked = frame.address, frame.number

    def _serve(self, data: bytes, since_ms: int, now_ms: int) -> None:
        if self._prng.chance(self.lost):
            return
        heard = self._garble(data)
        for address, node in self.nodes.items():
            self.said[address] += node.receive(heard, since_ms=since_ms)
            if node.is_asked() and self.up[address]:
                node.send(self.up[address].pop(0))
            frame = node.answer(now_ms=_now_ms())
            if frame:
                self._speak(address, frame)

    def _speak(self, address: int, frame: bytes) -> None:
        asked = self._asked
        self.unasked += asked is None or asked[0] != address
        self._asked = None
        self.turns[address] += 1
        if self._prng.chance(self.lost):
            return
        if self._prng.chance(self.late):
            due_ms = _now_ms() + self._line.turnaround_ms + self._line.latency_ms + self._prng.randrange(100)
            self._held.append((due_ms, frame))
            return
        time.sleep(bus.airtime_ms(self._line, len(frame)) / 1000)
        self.pty.write(self._garble(frame))

    def _garble(self, data: bytes) -> bytes:
        if not self._prng.chance(self.garbled):
            return data
        at = self._prng.randrange(len(data))
        return data[:at] + bytes([data[at] ^ 0x10]) + data[at + 1 :]


def _now_ms() -> int:
    return time.monotonic_ns() // 1_000_000
