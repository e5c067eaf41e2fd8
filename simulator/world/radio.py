"""Models an ESP-NOW channel in virtual time: one concentrator, many nodes, one air that all share.

Real are the node's bearer (`links.espnow`), CoAP at both ends, the concentrator (`concentrator.shell` and `bridge`) and
the gateway's side (`gateway.core.concentrator`). Simulated are the air, the drivers of the chips, the serial line
between concentrator and gateway, and an application at each end: nodes that make records until they are acknowledged,
and a gateway that flushes before it acknowledges.

Loss comes in bursts (Gilbert and Elliott): a link is good or bad for seconds, so that the radio's own retries, which
take a few milliseconds each, do not hide it. Airtime counts preambles, retries and acknowledgements.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from simulator.world.chance import Prng
from simulator.world.time import World

# Long range at 250 kbit/s. Espressif publishes no preamble: this is that of 802.11b (192 us at 1 Mbit/s), twice as long
# for a receiver that must work with 4 dB less.
_US_PER_BYTE = 32
_PREAMBLE_US = 400
# 802.11 header, action and vendor fields of ESP-NOW, FCS.
_OVERHEAD_BYTES = 24 + 8 + 7 + 4
_ACK_BYTES = 14
_SIFS_US, _DIFS_US, _SLOT_US = 10, 50, 20
_BACKOFF_SLOTS = 32
_TRIES_MAX = 8


class AirOptions(NamedTuple):
    """Holds the options of the air in permille and milliseconds.

    A link is bad for `bad_share` of the time and then loses nearly everything; even with the radio's own tries, 30 % of
    frames are then never received. `double`: frames that arrive twice. `collision`: frames spoilt when they had to wait
    for the air. `leak`: frames that the concentrator's driver never reports.
    """

    bad_share: int = 530
    bad_mean_ms: int = 3_000
    loss_good: int = 30
    loss_bad: int = 980
    double: int = 50
    collision: int = 0
    leak: int = 0


PERFECT = AirOptions(bad_share=0, loss_good=0, double=0)


def frame_us(data_bytes: int) -> int:
    """Returns the airtime of one try: the frame, the gap, the acknowledgement.

    A lost frame has no acknowledgement, but its sender waits for the same time.
    """
    frame = _PREAMBLE_US + _US_PER_BYTE * (_OVERHEAD_BYTES + data_bytes)
    return frame + _SIFS_US + _PREAMBLE_US + _US_PER_BYTE * _ACK_BYTES


class _Link:
    """Models the link between one node and the concentrator."""

    def __init__(self, prng: Prng, options: AirOptions) -> None:
        self._prng, self._options = prng, options
        self._is_bad = prng.chance(options.bad_share)
        self._until_ms = self._stay_ms()

    def loses(self, now_ms: int) -> bool:
        while now_ms >= self._until_ms:
            self._is_bad = not self._is_bad and self._options.bad_share > 0
            self._until_ms += self._stay_ms()
        return self._prng.chance(self._options.loss_bad if self._is_bad else self._options.loss_good)

    def _stay_ms(self) -> int:
        """Draws the duration of a state, from nothing to twice the mean."""
        options = self._options
        mean_ms = options.bad_mean_ms
        if not self._is_bad:
            mean_ms = options.bad_mean_ms * (1000 - options.bad_share) // max(1, options.bad_share)
        return 1 + self._prng.randrange(2 * mean_ms)


class Air:
    """Models one radio channel.

    `used_us`: airtime by node, both directions. `frames`, `lost`: after the radio's own retries.
    """

    def __init__(self, world: World, prng: Prng, options: AirOptions) -> None:
        self.options = options
        self.used_us: dict[bytes, int] = {}
        self.frames = self.lost = self.tries = self.collisions = self.doubled = 0
        self._world, self._prng = world, prng
        self._links: dict[bytes, _Link] = {}
        self._busy_until_us = 0

    def send(self, node: bytes, data: bytes, deliver: Callable[[bytes], None], done: Callable[[bool], None]) -> None:
        """Sends one frame between `node` and the concentrator; `done` gets whether it was acknowledged."""
        self.frames += 1
        self._try(node, data, deliver, done, 1, False)

    def quiet(self) -> None:
        """Makes every link perfect from here on, so that the run converges."""
        self.options = PERFECT
        self._links.clear()

    def _try(
        self,
        node: bytes,
        data: bytes,
        deliver: Callable[[bytes], None],
        done: Callable[[bool], None],
        count: int,
        was_heard: bool,
    ) -> None:
        now_us = 1000 * self._world.now_ms
        waits = self._busy_until_us > now_us
        begin_us = max(now_us, self._busy_until_us) + _DIFS_US + _SLOT_US * self._prng.randrange(_BACKOFF_SLOTS)
        took_us = frame_us(len(data))
        self._busy_until_us = begin_us + took_us
        self.used_us[node] = self.used_us.get(node, 0) + took_us
        self.tries += 1
        is_spoilt = waits and self._prng.chance(self.options.collision)
        self.collisions += is_spoilt
        self._world.at(
            -(-self._busy_until_us // 1000), self._tried, node, data, deliver, done, count, was_heard, is_spoilt
        )

    def _tried(
        self,
        node: bytes,
        data: bytes,
        deliver: Callable[[bytes], None],
        done: Callable[[bool], None],
        count: int,
        was_heard: bool,
        is_spoilt: bool,
    ) -> None:
        link = self._links.get(node)
        if link is None:
            name = f"link-{node.hex()}-{self.options.bad_share}"
            link = self._links[node] = _Link(self._prng.split(name), self.options)
        now_ms = self._world.now_ms
        is_heard = not is_spoilt and not link.loses(now_ms)
        if is_heard and not was_heard:  # a retry of a received frame is recognised by its number
            deliver(data)
            if self._prng.chance(self.options.double):
                self.doubled += 1
                self._world.after(1 + self._prng.randrange(40), deliver, data)
        if is_heard and not link.loses(now_ms):
            done(True)
        elif count < _TRIES_MAX:
            self._try(node, data, deliver, done, count + 1, was_heard or is_heard)
        else:
            self.lost += not (was_heard or is_heard)
            done(False)


class ChipRadio:
    """Is the twin of `links.espnow_radio.Radio`: a driver with its table of peers, its buffer and its pool.

    `wake` is called when a frame has come or completed. `reach(mac)` returns the chip with that address, or None.
    """

    RECEIVED_MAX = 30
    RECEIVED_PER_TURN_MAX = 8
    PEERS_MAX = 20
    is_whole = True

    def __init__(
        self, air: Air, prng: Prng, wake: Callable[[], None], *, mac: bytes, is_node: bool, leak: int = 0
    ) -> None:
        self.mac, self.leaked, self.overruns = mac, 0, 0
        self._is_node = is_node
        self.reach: Callable[[bytes], ChipRadio | None] = lambda _mac: None
        self._air, self._prng, self._wake, self._leak = air, prng, wake, leak
        self._peers: set[bytes] = set()
        self._received: list[tuple[bytes, int, bytes]] = []
        self._done: list[bool] = []
        self._life = 0  # of the driver: a frame that was in the air before `begin` is not reported after it
        self._heard: set[bytes] = set()

    def begin(self, _channel: int) -> bool:
        self._life += 1
        self._peers.clear()
        self._received, self._done = [], []
        return True

    def tune(self, _channel: int) -> bool:
        return True

    def add(self, mac: bytes) -> bool:
        if mac in self._peers or len(self._peers) >= self.PEERS_MAX - 1:
            return False
        self._peers.add(mac)
        return True

    def delete(self, mac: bytes) -> bool:
        assert mac in self._peers, "who is not in the table cannot be deleted"
        self._peers.discard(mac)
        return True

    def send(self, mac: bytes, data: bytes) -> bool:
        other = self.reach(mac)
        if mac not in self._peers or other is None:
            return False
        if self._prng.chance(self._leak):
            self.leaked += 1
            return True  # and its completion is never reported
        node = self.mac if self._is_node else mac
        self._air.send(node, data, lambda heard: other.receive_frame(self.mac, heard), self._completed(self._life))
        return True

    def receive_frame(self, mac: bytes, data: bytes) -> None:
        self._heard.add(mac)
        if len(self._received) == self.RECEIVED_MAX:
            self.overruns += 1  # it has been acknowledged nevertheless
            return
        self._received.append((mac, -80, data))
        self._wake()

    def receive(self) -> list[tuple[bytes, int, bytes]]:
        frames = self._received[: self.RECEIVED_PER_TURN_MAX]
        self._received = self._received[self.RECEIVED_PER_TURN_MAX :]
        return frames

    def done(self) -> list[bool]:
        done, self._done = self._done, []
        return done

    def dropped(self) -> int:
        return self.overruns

    def heard_count(self) -> int:
        return len(self._heard)

    def register(self, _poll: Any, _events: int) -> None:
        """Does nothing, for the world wakes the loop that waits."""

    def _completed(self, life: int) -> Callable[[bool], None]:
        def completed(was_acknowledged: bool) -> None:
            if life == self._life:
                self._done.append(was_acknowledged)
                self._wake()

        return completed
