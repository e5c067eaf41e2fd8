"""Finds the channel of a node's concentrator: it tries the last good one first, then all, and again after a delay.

The concentrator's radio need only acknowledge: an acknowledged PROBE to its address proves that it listens on this
channel. (It proves nothing about a datagram.) The search never gives up, and never reboots: a street is lit without a
gateway. Channels 12 and 13 are left out: the port sets no country, and without one the driver refuses them
(wire/radio).

**The states.** UP: frames are acknowledged now and then; LOST_AFTER failures in a row put the channel in doubt:
RETRYING sends PROBES on it, and one acknowledgement is enough. SEARCHING sends PROBES on every channel and chooses the
one with the most acknowledgements, those of its neighbours counted half: a strong signal is received on the next
channel as well, and the middle one is right. Without any acknowledgement the node is RESTING on its last good channel,
for a delay that doubles, with jitter, since all nodes of a concentrator that lost its power search at once; the
application's datagrams are still sent, and one acknowledgement is enough. Every REINIT_EVERY failed searches the radio
is started again.
"""

CHANNELS = 11
PROBES = 4
LOST_AFTER = 8
REST_FIRST_MS = 5_000
REST_LAST_MS = 120_000
REINIT_EVERY = 3

UP = "up"
RETRYING = "retrying"
SEARCHING = "searching"
RESTING = "resting"

# What the radio must do.
TUNE = "tune"
PROBE = "probe"
REINIT = "reinit"

# What may happen.
ACKED = "acked"
FAILED = "failed"
ENOUGH = "enough"  # failures in a row, or probes, or time
# state: {what happens: (next state, action)}. Entries that change nothing are missing.
TABLE = {
    UP: {ACKED: (UP, "_good"), FAILED: (UP, "_bad"), ENOUGH: (RETRYING, "_retry")},
    RETRYING: {ACKED: (UP, "_good"), FAILED: (RETRYING, "_count"), ENOUGH: (SEARCHING, "_search")},
    SEARCHING: {ACKED: (SEARCHING, "_count_good"), FAILED: (SEARCHING, "_count"), ENOUGH: (RESTING, "_conclude")},
    RESTING: {ACKED: (UP, "_good"), ENOUGH: (RETRYING, "_retry")},
}


class Ladder:
    """Searches and keeps the channel. `channel`: the one that the radio must be on; `good`: the last good one, to be
    kept over a reset."""

    def __init__(self, good, *, random_below, now_ms):
        self.good = good if isinstance(good, int) and 1 <= good <= CHANNELS else 1
        self.channel = self.good
        self.state = RETRYING
        self.counters = {"lost": 0, "searches": 0, "found": 0, "reinits": 0}
        self._random_below = random_below
        self._failures = 0
        self._probes_left = PROBES
        self._acked = [0] * (CHANNELS + 2)  # by channel, with a neighbour on both sides
        self._todo = []  # channels still to be searched
        self._actions = []
        self._vain = 0
        self._delay_ms = REST_FIRST_MS
        self._rest_until_ms = now_ms

    def done(self, was_acknowledged, *, now_ms) -> None:
        """Notes that a frame has completed, a probe or a datagram; a frame that the driver refused counts as failed."""
        self._step(ACKED if was_acknowledged else FAILED, now_ms)
        if self.state == UP:
            if self._failures >= LOST_AFTER:
                self._step(ENOUGH, now_ms)
        elif self.is_probing() and self._probes_left == 0:
            if self.state == RETRYING:
                self._step(ENOUGH, now_ms)
            else:
                self._next_channel(now_ms)

    def heard(self) -> None:
        """Notes that a frame of the concentrator arrived."""
        if self.state == UP:
            self._failures = 0

    def next(self, *, now_ms):
        """Returns the action to do now, when no frame is in the air: (TUNE, channel), (REINIT,), (PROBE,), or None."""
        if self._actions:
            return self._actions.pop(0)
        if self.state == RESTING and now_ms >= self._rest_until_ms:
            self._step(ENOUGH, now_ms)
        return (PROBE,) if self.is_probing() else None

    def is_probing(self) -> bool:
        """Returns whether probes are sent; datagrams wait meanwhile."""
        return self.state in (RETRYING, SEARCHING)

    def _step(self, happening, now_ms):
        entry = TABLE[self.state].get(happening)
        if entry is not None:
            self.state, action = entry
            getattr(self, action)(now_ms)

    def _good(self, _now_ms):
        self._failures = 0
        self._vain = 0
        self._delay_ms = REST_FIRST_MS
        self.good = self.channel

    def _bad(self, _now_ms):
        self._failures += 1

    def _count(self, _now_ms):
        self._probes_left -= 1

    def _count_good(self, now_ms):
        self._acked[self.channel] += 1
        self._count(now_ms)

    def _retry(self, _now_ms):
        if self._failures:
            self.counters["lost"] += 1
        self._failures = 0
        self._probes_left = PROBES
        self._tune(self.good)

    def _search(self, now_ms):
        self.counters["searches"] += 1
        self._acked = [0] * (CHANNELS + 2)
        self._todo = [1 + (self.good + step) % CHANNELS for step in range(CHANNELS)]
        self._next_channel(now_ms)

    def _next_channel(self, now_ms):
        if not self._todo:
            self._step(ENOUGH, now_ms)
            return
        self._probes_left = PROBES
        self._tune(self._todo.pop(0))

    def _conclude(self, now_ms):
        best, best_score = None, 0
        for channel in range(1, CHANNELS + 1):
            score = 2 * self._acked[channel] + self._acked[channel - 1] + self._acked[channel + 1]
            if self._acked[channel] and score > best_score:
                best, best_score = channel, score
        if best is not None:
            self.state = UP
            self.counters["found"] += 1
            self._tune(best)
            self._good(now_ms)
            return
        self._vain += 1
        if self._vain % REINIT_EVERY == 0:
            self.counters["reinits"] += 1
            self._actions.append((REINIT,))
        self._tune(self.good)
        self._rest_until_ms = now_ms + self._delay_ms // 2 + self._random_below(self._delay_ms // 2 + 1)
        self._delay_ms = min(2 * self._delay_ms, REST_LAST_MS)

    def _tune(self, channel):
        if channel != self.channel:
            self.channel = channel
            self._actions.append((TUNE, channel))
