"""Requests whose answers wait until their records are durable. Only positions and numbers; nothing is sent here.

A flush costs as much as it settles, not as much as waits: by lane, a heap of the positions that are waited for.
"""

from heapq import heappop, heappush

from wire import event


class _Waiting:
    """A request whose answer waits until `lanes` lanes are durable as far as it needs."""

    __slots__ = ("exchange", "lanes")

    def __init__(self, exchange: int, lanes: int) -> None:
        self.exchange = exchange
        self.lanes = lanes


class Answers:
    """Exchanges and the ends they need. Its length: how many have not been handed out."""

    def __init__(self) -> None:
        self._durable = dict.fromkeys(event.LANES, 0)
        # By lane, those that wait for a position; a heap, for a duplicate waits for an older one.
        self._heaps: dict[str, list[tuple[int, int, _Waiting]]] = {lane: [] for lane in event.LANES}
        self._ready: list[tuple[int, int]] = []
        self._serial = 0
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def wait(self, exchange: int, ends: dict[str, int]) -> None:
        """`ends`: the last position it needs in each lane."""
        self._serial += 1
        self._count += 1
        open_ends = [(lane, position) for lane, position in ends.items() if position >= self._durable[lane]]
        if not open_ends:
            self._ready.append((self._serial, exchange))
            return
        waiting = _Waiting(exchange, len(open_ends))
        for lane, position in open_ends:
            heappush(self._heaps[lane], (position, self._serial, waiting))

    def advance(self, lane: str, end: int) -> None:
        """All positions of the lane before `end` are durable."""
        self._durable[lane] = end
        heap = self._heaps[lane]
        while heap and heap[0][0] < end:
            _, serial, waiting = heappop(heap)
            waiting.lanes -= 1
            if waiting.lanes == 0:
                self._ready.append((serial, waiting.exchange))

    def take_ready(self) -> list[int]:
        """Those that wait for nothing any more, in the order they came; each once."""
        ready, self._ready = sorted(self._ready), []
        self._count -= len(ready)
        return [exchange for _, exchange in ready]
