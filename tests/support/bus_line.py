"""An RS-485 line in virtual time: one wire, on which two who speak at once spoil each other, and boards whose loops
look at it when they can. The gateway's and the nodes' sides are the real ones (`wire.bus_master`, `wire.bus`).

Faults are drawn from the seed: bytes that change, frames that nobody hears, boards whose loop is held up (by a write
to flash), boards that break the rule and answer late.
"""

from collections.abc import Callable, Iterable
from typing import NamedTuple

from simulator.world.chance import Prng
from simulator.world.time import World
from wire import bus
from wire.bus import BusNode
from wire.bus_master import BusMaster

# A board looks at its line this often while it has nothing else to do.
_LOOK_MS = 10


class Faults(NamedTuple):
    """Permille. `spoilt`: frames of which a byte changes; `unheard`: that one listener does not hear; `held_up`: looks
    at the line that come up to `held_up_ms` late; `late`: answers that come although it is too late for them."""

    spoilt: int = 0
    unheard: int = 0
    held_up: int = 0
    held_up_ms: int = 300
    late: int = 0


NONE = Faults()


class Wire:
    """Who speaks, and what the others hear of it. `collisions`: two at once."""

    def __init__(self, world: World, prng: Prng, line: bus.Line, faults: Faults) -> None:
        self._world, self._prng, self._line = world, prng, line
        self.faults = faults
        self._hear: dict[object, Callable[[bytes, int], None]] = {}
        self._busy_until_ms = 0
        self._is_spoilt = False
        self.collisions = 0
        self.busy_ms = 0

    def join(self, who: object, hear: Callable[[bytes, int], None]) -> None:
        """`hear(data, began_ms)` is called when something that somebody else said has been said."""
        self._hear[who] = hear

    def speak(self, who: object, data: bytes) -> int:
        """Put bytes on the wire; how long they take."""
        took_ms = bus.airtime_ms(self._line, len(data))
        now_ms = self._world.now_ms
        if now_ms < self._busy_until_ms:
            self.collisions += 1
            self._is_spoilt = True
        else:
            self._is_spoilt = False
        self._busy_until_ms = max(self._busy_until_ms, now_ms + took_ms)
        self.busy_ms += took_ms
        self._world.after(took_ms, self._heard, who, data, now_ms)
        return took_ms

    def _heard(self, who: object, data: bytes, began_ms: int) -> None:
        if self._is_spoilt or self._prng.chance(self.faults.spoilt):
            at = self._prng.randrange(len(data))
            data = data[:at] + bytes([data[at] ^ 1 << self._prng.randrange(8)]) + data[at + 1 :]
        for listener, hear in self._hear.items():
            if listener is not who and not self._prng.chance(self.faults.unheard):
                hear(data, began_ms)


class Board:
    """A node on the line: `said` is what reached it. What its `answer_with` returns to a datagram is sent at once."""

    def __init__(self, wire: Wire, world: World, prng: Prng, line: bus.Line, address: int) -> None:
        self._wire, self._world, self._prng, self._line = wire, world, prng, line
        self.address = address
        self.node = BusNode(line, address)
        self.powered = True
        self.said: list[bytes] = []
        self.answer_with: Callable[[bytes], bytes | None] = lambda _datagram: None
        self.spoke_unasked = 0
        self.turns_ms: list[int] = []
        self._buffer = b""
        self._since_ms = 0
        self._looks = False
        wire.join(self, self._hear)

    def _hear(self, data: bytes, began_ms: int) -> None:
        if not self.powered:
            return
        if not self._looks:
            self._looks = True
            self._since_ms = max(self._since_ms, began_ms - self._prng.randrange(_LOOK_MS))
            delay_ms = 1 + self._prng.randrange(_LOOK_MS)
            if self._prng.chance(self._wire.faults.held_up):
                delay_ms += self._prng.randrange(self._wire.faults.held_up_ms)
            self._world.after(delay_ms, self._look)
        self._buffer += data

    def _look(self) -> None:
        data, self._buffer, self._looks = self._buffer, b"", False
        now_ms = self._world.now_ms
        if self._prng.chance(self._wire.faults.late):
            # A board that does not keep to the rule: it believes to have looked just now, and takes its time.
            self._world.after(self._line.turnaround_ms + self._prng.randrange(200), self._turn, data, None)
            return
        self._turn(data, self._since_ms)
        self._since_ms = now_ms

    def _turn(self, data: bytes, since_ms: int | None) -> None:
        if not self.powered:
            return
        now_ms = self._world.now_ms
        asked = self.node.counters["asked"]
        for datagram in self.node.receive(data, since_ms=now_ms if since_ms is None else since_ms):
            self.said.append(datagram)
            answer = self.answer_with(datagram)
            if answer is not None:
                self.node.send(answer)
        frame = self.node.answer(now_ms=now_ms)
        if frame:
            self.spoke_unasked += self.node.counters["asked"] == asked
            self.turns_ms.append(now_ms)
            self._wire.speak(self, frame)


class Street:
    """A line with a gateway and boards, in virtual time. `arrived`: (address, datagram) at the gateway."""

    def __init__(
        self,
        world: World,
        prng: Prng,
        line: bus.Line,
        boards: Iterable[int],
        *,
        addresses: Iterable[int],
        faults: Faults = NONE,
        latency_ms: int = 15,
    ) -> None:
        self._world, self._prng, self._latency_ms = world, prng, latency_ms
        self.wire = Wire(world, prng.split("wire"), line, faults)
        self.boards = {
            address: Board(self.wire, world, prng.split(f"board-{address}"), line, address) for address in boards
        }
        self.master = BusMaster(line, addresses, now_ms=world.now_ms)
        self.arrived: list[tuple[int, bytes]] = []
        self.spoke_while_asked = 0
        self._wake_ms: int | None = None
        self.wire.join(self, self._hear)
        self._serve()

    def send(self, address: int, datagram: bytes) -> None:
        """From the gateway."""
        self.master.send(address, datagram, now_ms=self._world.now_ms)
        self._serve()

    def _hear(self, data: bytes, _began_ms: int) -> None:
        # The adapter hands over in pieces.
        cut = self._prng.randrange(len(data) + 1)
        first_ms = self._prng.randrange(self._latency_ms)
        self._world.after(first_ms, self._receive, data[:cut])
        self._world.after(first_ms + self._prng.randrange(self._latency_ms), self._receive, data[cut:])

    def _receive(self, data: bytes) -> None:
        self.arrived += self.master.receive(data, now_ms=self._world.now_ms)
        self._serve()

    def _serve(self) -> None:
        now_ms = self._world.now_ms
        frame = self.master.poll(now_ms=now_ms)
        if frame:
            self.wire.speak(self, frame)
        due_ms = self.master.deadline_ms()
        if due_ms is not None and (self._wake_ms is None or not now_ms < self._wake_ms <= due_ms):
            self._wake_ms = max(due_ms, now_ms + 1)
            self._world.at(self._wake_ms, self._woken, self._wake_ms)

    def _woken(self, wake_ms: int) -> None:
        if wake_ms == self._wake_ms:
            self._wake_ms = None
            self._serve()
