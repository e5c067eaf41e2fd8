"""The bearer of a node on ESP-NOW, and where it keeps the channel of its concentrator (esp32/bearer)."""

from links.channel import CHANNELS
from links.espnow import EspNowLink
from links.espnow_radio import Radio

CHANNEL_FILE = "channel.txt"
KEEP_EVERY_MS = 3_600_000


class RadioBearer:
    """ESP-NOW to a concentrator, on the channel where it was last, or was said to be."""

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
        """The link searches for its channel by itself; where it is now is kept once an hour at most, for flash wears
        out and anybody may acknowledge a probe. True where nothing but a restart of the chip may help."""
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
    """The channel of the last good word with the concentrator, if there was one and it was kept."""
    try:
        with open(CHANNEL_FILE) as file:
            channel = int(file.read(4))
    except (OSError, ValueError):
        return default
    return channel if 1 <= channel <= CHANNELS else default


def save_channel(channel):
    """Keep it for the next start. It changes when somebody moves the concentrator's; lost, it is searched for."""
    try:
        with open(CHANNEL_FILE, "w") as file:
            file.write(str(channel))
    except OSError:
        print("flash: the channel was not written")
