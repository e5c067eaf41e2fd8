"""Carries a node's datagrams to and from one concentrator by ESP-NOW, one frame in the air at a time, never blocking.

The link has the small interface of `links.udp`: `receive`, `send`, `wait`. `links.channel` finds the channel and keeps
it; the bearer keeps the good one on flash for the next start. Must not know what a datagram means, and must not treat
the radio's acknowledgement as the gateway's.
"""

from links import channel as channels
from links.espnow_radio import Radio
from wire import limits
from wire.limits import RADIO_PROBE

# Datagrams that wait to be sent, or for a channel. A node has two exchanges with its gateway; the oldest is dropped,
# and CoAP sends it again.
QUEUE_MAX = 4
# A frame that the driver does not report is given up after this, and the radio started again: it has lost the frame.
DONE_MAX_MS = 2_000
# The driver waits up to two seconds for room before it refuses a frame (ports/esp32/modespnow.c): the next frame must
# wait as long, or a queue of them would trigger the watchdog.
REFUSED_PAUSE_MS = 2_000
# While a frame is in the air the driver is polled this often, since no event reports the frame's end.
LOOK_MS = 5
# A dead radio is started again every few minutes: a restart of the chip for it comes after an hour or so, and repeats.
VAIN_MAX = 5
GATEWAY = "gateway"  # the only peer
CHANNEL_FILE = "channel.txt"
KEEP_EVERY_MS = 3_600_000


class EspNowLink:
    """Sends and receives datagrams. `radio` is an `espnow_radio.Radio` on the channel `good`; `mac` the concentrator's.
    `counters`: {name: integer}.

    Starting the radio again takes half a second, once in many minutes while it is dead."""

    def __init__(self, radio, select_module, mac, good, *, remember, random_below, now_ms):
        self._radio = radio
        self._mac = mac
        self._remember = remember
        self._now_ms = now_ms
        self._poll = select_module.poll()
        radio.register(self._poll, select_module.POLLIN)
        self._ladder = channels.Ladder(good, random_below=random_below, now_ms=now_ms())
        self._remembered = good
        self._queue = []
        self._flying_ms = None
        self._not_before_ms = now_ms()
        self._vain = 0  # incomplete starts of the radio in a row
        self._rssi_dbm = None
        self.counters = {"sent": 0, "send-failed": 0, "received": 0, "stranger": 0, "overflow": 0, "stuck": 0}
        radio.add(mac)

    @property
    def state(self):
        """Returns the state of the channel: `channel.UP` or another state of `links.channel`."""
        return self._ladder.state

    @property
    def ladder(self):
        """Returns the counters of the search for the channel, {name: integer}."""
        return self._ladder.counters

    def is_broken(self) -> bool:
        """Returns whether the radio can no longer be started. After one failed start of ESP-NOW the port never tries a
        second one until a reset (ports/esp32/modespnow.c: its buffer exists, so it considers itself started)."""
        return self._vain >= VAIN_MAX

    def signal_dbm(self):
        """Returns the signal strength of the last frame received, None when there is no concentrator."""
        return self._rssi_dbm if self._ladder.state == channels.UP else None

    def send(self, _peer, datagram) -> None:
        """Queues a datagram, to be sent when no other frame is in the air. A full queue drops its oldest."""
        if not 0 < len(datagram) <= limits.DATAGRAM_BYTES_MAX:
            self.counters["send-failed"] += 1
            return
        if len(self._queue) == QUEUE_MAX:
            self._queue.pop(0)
            self.counters["overflow"] += 1
        self._queue.append(bytes(datagram))
        self._pump()

    def receive(self) -> list:
        """Returns the datagrams that have arrived: [(datagram, GATEWAY)]."""
        arrived = []
        for mac, rssi_dbm, data in self._radio.receive():
            if mac != self._mac:
                self.counters["stranger"] += 1
                continue
            self._rssi_dbm = rssi_dbm
            self._ladder.heard()
            self.counters["received"] += 1
            arrived.append((data, GATEWAY))
        self._pump()
        return arrived

    def wait(self, timeout_ms) -> None:
        """Returns when a frame waits, or after `timeout_ms`; queued datagrams are sent meanwhile."""
        end_ms = self._now_ms() + timeout_ms
        while True:
            self._pump()
            left_ms = end_ms - self._now_ms()
            if left_ms <= 0:
                return
            if self._poll.poll(left_ms if self._flying_ms is None else min(left_ms, LOOK_MS)):
                return

    def _pump(self):
        """Notes completed frames and sends the next one."""
        now_ms = self._now_ms()
        for was_acknowledged in self._radio.done():
            if self._flying_ms is not None:
                self._flying_ms = None
                self._done(was_acknowledged, now_ms)
        if self._flying_ms is not None and now_ms - self._flying_ms >= DONE_MAX_MS:
            self.counters["stuck"] += 1
            self._flying_ms = None
            self._begin()
        while self._flying_ms is None and now_ms >= self._not_before_ms:
            action = self._ladder.next(now_ms=now_ms)
            if action is None:
                if not self._queue:
                    return
                self._fly(self._queue.pop(0), now_ms)
                self.counters["sent" if self._flying_ms is not None else "send-failed"] += 1
            elif action[0] == channels.PROBE:
                self._fly(RADIO_PROBE, now_ms)
            elif action[0] == channels.TUNE:
                self._radio.tune(action[1])
            else:
                self._begin()

    def _fly(self, data, now_ms):
        if self._radio.send(self._mac, data):
            self._flying_ms = now_ms
        else:
            self._not_before_ms = self._now_ms() + REFUSED_PAUSE_MS
            self._done(False, now_ms)

    def _done(self, was_acknowledged, now_ms):
        if was_acknowledged:
            self._vain = 0
        self._ladder.done(was_acknowledged, now_ms=now_ms)
        if self._ladder.good != self._remembered:
            self._remembered = self._ladder.good
            self._remember(self._remembered)

    def _begin(self):
        self._vain = 0 if self._radio.begin(self._ladder.channel) else self._vain + 1
        self._radio.add(self._mac)


class RadioBearer:
    """Serves as the bearer of a node on ESP-NOW (esp32/bearer): it begins on the concentrator's last channel, or that
    of the settings."""

    ack_timeout_ms = 0

    def __init__(self, settings, *, random_below, now_ms):
        import select

        import espnow
        import network

        channel = load_channel(settings.bearer[2])
        self._now_ms = now_ms
        self._good = channel
        self._kept = channel
        self._kept_ms = now_ms()
        self._radio = Radio(network, espnow, channel)
        self.link = EspNowLink(
            self._radio,
            select,
            settings.bearer[1],
            channel,
            remember=self._remember,
            random_below=random_below,
            now_ms=now_ms,
        )

    def step(self, *, now_ms):
        """Writes the link's channel, which the link finds by itself, to flash: once an hour at most, since flash wears
        out and any radio may acknowledge a probe. Returns True when only a restart of the chip may help."""
        if self._good != self._kept and now_ms - self._kept_ms >= KEEP_EVERY_MS:
            self._kept = self._good
            self._kept_ms = now_ms
            save_channel(self._kept)
        return self.link.is_broken()

    def is_ready(self):
        return True

    def close(self):
        self._radio.stop()

    def _remember(self, channel):
        self._good = channel

    def signal_dbm(self):
        return self.link.signal_dbm()


def load_channel(default):
    """Returns the last good channel from flash, or `default`."""
    try:
        with open(CHANNEL_FILE) as file:
            channel = int(file.read(4))
    except (OSError, ValueError):
        return default
    return channel if 1 <= channel <= channels.CHANNELS else default


def save_channel(channel):
    """Writes the channel to flash for the next start. It changes with the concentrator's; if it is lost, it is searched
    for."""
    try:
        with open(CHANNEL_FILE, "w") as file:
            file.write(str(channel))
    except OSError:
        print("flash: the channel was not written")
