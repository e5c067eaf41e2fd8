"""The chip's `network` on a desktop VM: a station that connects at once. MicroPython only.

The file `bench-wifi` in the working folder scripts it: `down` (no network: `connect` leads nowhere and
datagrams fail), `busy` (`connect` raises OSError, as a radio does that is connecting already). Any other
content, or none, is a good network.
"""

import bench_watchdog

STA_IF = 0
SCRIPT_FILE = "bench-wifi"
SIGNAL_DBM = -58


def script():
    """The word in the script file."""
    try:
        with open(SCRIPT_FILE) as file:
            return file.read().strip()
    except OSError:
        return ""


def hostname(name):
    """Takes the name that DHCP is given. At most 32 characters, as the port has it."""
    if len(name) > 32:
        raise ValueError


class WLAN:
    """Stands for one station."""

    def __init__(self, interface):
        self._joined = False

    def active(self, on=None):
        """Accepts anything."""
        return True

    def connect(self, network, key):
        """Joins when the script lets it."""
        if script() == "busy":
            raise OSError("Wifi Internal State Error")
        self._joined = script() != "down"

    def config(self, **settings):
        """Takes how often a station's driver tries again by itself."""
        if settings not in ({"reconnects": 2},):
            raise ValueError("unknown config param")

    def disconnect(self):
        """Leaves the network."""
        self._joined = False

    def isconnected(self):
        """True as the script says."""
        bench_watchdog.may_block("wifi")
        if script() == "down":
            self._joined = False
        return self._joined

    def status(self, what=None):
        """`status("rssi")` in dBm."""
        return SIGNAL_DBM
