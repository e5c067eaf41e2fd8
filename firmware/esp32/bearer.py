"""Opens the node's bearer to its gateway, which the settings name: Wi-Fi and UDP, RS-485, a wire, or ESP-NOW.

Each bearer has `link`, with the interface of `links.udp`; `step`, called once a turn, which returns True when only a
restart of the chip may help; `is_ready`, for a caller that would rather wait than lose a datagram; `close`;
`signal_dbm`; `ack_timeout_ms`, the least ACK_TIMEOUT that CoAP needs there. No bearer reboots the chip or waits for a
network. A module that only one bearer needs is imported there.
"""

from binascii import hexlify

import machine

from links import udp
from node import settings as node_settings


class WifiBearer:
    """Carries UDP over a Wi-Fi network that may be lost and return."""

    ack_timeout_ms = 0

    def __init__(self, settings, wifi, *, random_below):
        import select
        import socket

        import network

        from links.wifi import Wifi

        # Set before the radio is up; without it all nodes have the same name, with DHCP and in mDNS.
        network.hostname("bocage-" + hexlify(settings.node).decode()[-8:])
        # The radio first: it brings up the network stack that the socket needs.
        self._wifi = Wifi(network.WLAN(network.STA_IF), wifi[0], wifi[1], random_below=random_below)
        self.link = udp.UdpLink(socket, select, settings.gateway)

    def step(self, *, now_ms):
        self._wifi.step(now_ms=now_ms)

    def is_ready(self):
        """Returns whether a datagram would leave."""
        return self._wifi.is_up()

    def close(self):
        """Switches the radio off; the bearer must not be used any more."""
        self._wifi.stop()
        self.link.close()

    def signal_dbm(self):
        return self._wifi.signal_dbm()


def open_bearer(settings, wifi, board, *, random_below, now_ms, sleep_ms):
    """Opens the bearer that the settings name, on the pins of `board`, or with `wifi` = [network, key]; `now_ms` and
    `sleep_ms` are functions of the shell's clock."""
    kind = settings.bearer[0]
    if kind == node_settings.UDP:
        return WifiBearer(settings, wifi, random_below=random_below)
    if kind == node_settings.ESPNOW:
        from links.espnow import RadioBearer

        return RadioBearer(settings, random_below=random_below, now_ms=now_ms)
    from links.rs485 import SerialBearer

    return SerialBearer(settings, machine, board, now_ms=now_ms, sleep_ms=sleep_ms)
