"""The node's bearer to its gateway, as the settings name it: Wi-Fi and UDP, RS-485, a wire, or ESP-NOW.

Every one has `link`, with the interface of `links.udp`; `step`, once a turn; `is_ready`, for who would rather wait than
lose a datagram; `close`; `signal_dbm`; `ack_timeout_ms`, the least patience that CoAP needs there. None of them reboots
the chip or waits for a network. Modules of the chip that only one bearer needs are imported there.
"""

import machine

from links import udp
from node import settings as node_settings

CHANNEL_FILE = "channel.txt"
KEEP_EVERY_MS = 3_600_000


class WifiBearer:
    """UDP over a network that comes and goes."""

    ack_timeout_ms = 0

    def __init__(self, settings, wifi, *, random_below):
        import select
        import socket

        import network

        from links.wifi import Wifi

        # The radio first: it brings up the network stack that the socket needs.
        self._wifi = Wifi(network.WLAN(network.STA_IF), wifi[0], wifi[1], random_below=random_below)
        self.link = udp.UdpLink(socket, select, settings.gateway)

    def step(self, *, now_ms):
        self._wifi.step(now_ms=now_ms)

    def is_ready(self):
        """Whether a datagram would leave."""
        return self._wifi.is_up()

    def close(self):
        """The radio is off; the next one is opened anew."""
        self._wifi.stop()
        self.link.close()

    def signal_dbm(self):
        return self._wifi.signal_dbm()


class SerialBearer:
    """A UART: alone, or one of many on an RS-485 line."""

    ack_timeout_ms = 0

    def __init__(self, settings, board, *, now_ms, sleep_ms):
        import select

        from links import uart

        kind = settings.bearer[0]
        baud = settings.bearer[1 if kind == node_settings.UART else 2]
        port = uart.open_uart(machine, board.BUS_UART, tx=board.BUS_TX_PIN, rx=board.BUS_RX_PIN, baud=baud)
        if kind == node_settings.UART:
            self.link = uart.UartLink(port, select)
            return
        from links import rs485
        from wire import bus_frame

        line = bus_frame.line(baud=baud)
        # Our turn comes once a cycle.
        self.ack_timeout_ms = bus_frame.ack_timeout_ms(line, settings.bearer[3])
        enable_pin = board.BUS_ENABLE_PIN  # None: the transceiver finds its direction by itself
        self.link = rs485.Rs485Link(
            port,
            select,
            line,
            settings.bearer[1],
            now_ms=now_ms,
            sleep_ms=sleep_ms,
            enable=None if enable_pin is None else machine.Pin(enable_pin, machine.Pin.OUT, value=0),
        )

    def step(self, *, now_ms):
        """Nothing to supervise: a line is there or not."""

    def is_ready(self):
        return True

    def close(self):
        """A wire draws nothing."""

    def signal_dbm(self):
        return None


class RadioBearer:
    """ESP-NOW to a concentrator, on the channel where it was last, or was said to be."""

    ack_timeout_ms = 0

    def __init__(self, settings, *, random_below, now_ms):
        import select

        import espnow
        import network

        from links.espnow import EspNowLink
        from links.espnow_radio import Radio

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
        out and anybody may acknowledge a probe."""
        if self._good != self._kept and now_ms - self._kept_ms >= KEEP_EVERY_MS:
            self._kept = self._good
            self._kept_ms = now_ms
            save_channel(self._kept)

    def is_ready(self):
        return True

    def close(self):
        self._radio.stop()

    def _remember(self, channel):
        self._good = channel

    def signal_dbm(self):
        return self.link.signal_dbm()


def open_bearer(settings, plain, board, *, random_below, now_ms, sleep_ms):
    """What the settings name, on the pins of `board`; `now_ms` and `sleep_ms` are functions of the shell's clock."""
    kind = settings.bearer[0]
    if kind == node_settings.UDP:
        return WifiBearer(settings, plain["wifi"], random_below=random_below)
    if kind == node_settings.ESPNOW:
        return RadioBearer(settings, random_below=random_below, now_ms=now_ms)
    return SerialBearer(settings, board, now_ms=now_ms, sleep_ms=sleep_ms)


def load_channel(default):
    """The channel of the last good word with the concentrator, if there was one and it was kept."""
    try:
        with open(CHANNEL_FILE) as file:
            channel = int(file.read(4))
    except (OSError, ValueError):
        return default
    return channel if 1 <= channel <= 13 else default


def save_channel(channel):
    """Keep it for the next start. It changes when somebody moves the concentrator's; lost, it is searched for."""
    try:
        with open(CHANNEL_FILE, "w") as file:
            file.write(str(channel))
    except OSError:
        print("flash: the channel was not written")
