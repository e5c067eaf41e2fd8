"""Replaces the chip's `network` on a desktop VM: a station that connects at once. MicroPython only.

The file `bench-wifi` in the working folder scripts it: `down` (no network: `connect` has no effect and datagrams fail),
`busy` (`connect` raises OSError, as a radio does that is connecting already). Any other content, or none, is a good
network.
"""

import bench_watchdog

STA_IF = 0
SCRIPT_FILE = "bench-wifi"
SIGNAL_DBM = -58


def script():
    """Returns the word in the script file, or ""."""
    try:
        with open(SCRIPT_FILE) as file:
            return file.read().strip()
    except OSError:
        return ""


def hostname(name):
    """Accepts the name that DHCP is given, of at most 32 characters, as the port does."""
    if len(name) > 32:
        raise ValueError


class WLAN:
    """Models one station on a network."""

    def __init__(self, interface):
        self._joined = False

    def active(self, on=None):
        """Accepts anything and returns True."""
        return True

    def connect(self, network, key):
        """Joins if the script allows it."""
        if script() == "busy":
            raise OSError("Wifi Internal State Error")
        self._joined = script() != "down"

    def config(self, **settings):
        """Accepts only the setting of how often a station's driver tries again by itself."""
        if settings not in ({"reconnects": 2},):
            raise ValueError("unknown config param")

    def disconnect(self):
        """Leaves the network at once."""
        self._joined = False

    def isconnected(self):
        """Returns whether the station is connected, as scripted."""
        bench_watchdog.may_block("wifi")
        if script() == "down":
            self._joined = False
        return self._joined

    def status(self, what=None):
        """Returns `status("rssi")` in dBm."""
        return SIGNAL_DBM
