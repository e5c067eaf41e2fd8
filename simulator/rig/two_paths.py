"""Runs a cabinet and a centre in network namespaces of their own, joined by two paths: fibre and mobile.

Each path is a pair of TUN devices, one at each end, and a thread in between that carries packets: it can lose a share
of them, drop them all silently (a black hole), delay them, and count. A cut is the real device going down. A third pair
of plain veth devices lets the test's own nodes reach the cabinet.

Names and addresses are fixed, so one process of a machine has the two paths at a time, and others wait for a lock. Its
holder first removes what a killed process left.

    centre 10.99.0.1 ── fibre 10.1.0.1 ═══ 10.1.0.2 ── cabinet 10.3.0.2 ── 10.3.0.1 the test
                     ── mobile 10.2.0.1 ══ 10.2.0.2 ──

Needs root, `ip` and /dev/net/tun: `why_not()` returns what is missing.
"""

import ctypes
import fcntl
import os
import select
import shutil
import struct
import subprocess
import tempfile
import threading
import time
from pathlib import Path
from random import Random

from simulator.rig.rig import Placement

CENTRE = "10.99.0.1"
CABINET = "10.3.0.2"
PATHS = {"fibre": "10.1.0", "mobile": "10.2.0"}

_CABINET_SPACE, _CENTRE_SPACE = _SPACES = ("bocage-cabinet", "bocage-centre")
_OUTSIDE = "bocage-outside"

_TUNSETIFF = 0x400454CA
_IFF_TUN, _IFF_NO_PI = 0x0001, 0x1000
_CLONE_NEWNET = 0x40000000
# What one packet costs on a path beside its IP packet: nothing here, for TUN carries IP alone.
_PACKET_BYTES_MAX = 65_536


def why_not() -> str | None:
    """Returns the reason why namespaces or TUN devices are missing here; None when all is there."""
    if os.geteuid() != 0:
        return "network namespaces need root"
    if shutil.which("ip") is None:
        return "no ip command: apt-get install iproute2"
    if not Path("/dev/net/tun").exists():
        return "no /dev/net/tun in this machine"
    probe = f"bocage-probe-{os.getpid()}"
    made = subprocess.run(["ip", "netns", "add", probe], capture_output=True, text=True)
    if made.returncode != 0:
        return f"network namespaces are refused here: {made.stderr.strip()}"
    # In some containers a namespace can be made but not entered.
    entered = subprocess.run(["ip", "-n", probe, "link", "set", "lo", "up"], capture_output=True, text=True)
    subprocess.run(["ip", "netns", "del", probe], check=False, capture_output=True)
    if entered.returncode != 0:
        return f"network namespaces cannot be entered here: {entered.stderr.strip()}"
    return None


class WirePath:
    """Carries packets over one path.

    The attributes may be changed at any time; `bytes` counts what entered it from either end.
    """

    def __init__(self, name: str, ends: tuple[int, int], seed: int) -> None:
        self.name = name
        self.loss_percent = 0
        self.black_hole = False
        self.bytes = 0
        self.packets = 0
        self._ends = ends
        self._random = Random(seed)
        self._stop = False
        self._thread = threading.Thread(target=self._carry, name=f"path-{name}", daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._stop = True
        self._thread.join()
        for end in self._ends:
            os.close(end)

    def _carry(self) -> None:
        other = {self._ends[0]: self._ends[1], self._ends[1]: self._ends[0]}
        while not self._stop:
            for end in select.select(self._ends, [], [], 0.1)[0]:
                try:
                    packet = os.read(end, _PACKET_BYTES_MAX)
                    self.bytes += len(packet)
                    self.packets += 1
                    if self.black_hole or self._random.randrange(100) < self.loss_percent:
                        continue
                    os.write(other[end], packet)
                except OSError:
                    time.sleep(0.01)  # an end is down: the path is cut


class TwoPaths(Placement):
    """Places a rig's parts in two namespaces.

    A context manager: it removes everything at its end, also after an error.
    """

    broker_host = CENTRE
    link_host = CABINET
    gateway_toml = "".join(f'[[bearer]]\nname = "{path}"\nkind = "{path}"\ninterface = "{path}"\n' for path in PATHS)

    def __init__(self) -> None:
        self.paths: dict[str, WirePath] = {}

    def __enter__(self) -> "TwoPaths":
        self._turn = (Path(tempfile.gettempdir()) / "bocage-two-paths.lock").open("w")
        fcntl.flock(self._turn, fcntl.LOCK_EX)
        try:
            _remove()
            self._build()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        for path in self.paths.values():
            path.close()
        _remove()
        self._turn.close()

    def command(self, part: str, command: list[str]) -> list[str]:
        """Runs the gateway in the cabinet, everything else in the centre."""
        return self.inside(_CABINET_SPACE if part == "gateway" else _CENTRE_SPACE, command)

    def inside(self, namespace: str, arguments: list[str]) -> list[str]:
        """Returns the command that runs `arguments` in a namespace."""
        return ["ip", "netns", "exec", namespace, *arguments]

    def device(self, name: str, up: bool) -> None:
        """Cuts a path at the cabinet's end, or mends it."""
        _ip(_CABINET_SPACE, "link", "set", name, "up" if up else "down")
        if up:  # routes are lost with the device
            self._route(name)

    def interface_bytes(self, name: str) -> int:
        """Returns the bytes that the cabinet's kernel counted on a path, both ways."""
        total = 0
        for way in ("rx", "tx"):
            counter = f"/sys/class/net/{name}/statistics/{way}_bytes"
            done = subprocess.run(self.inside(_CABINET_SPACE, ["cat", counter]), capture_output=True, check=True)
            total += int(done.stdout)
        return total

    def _build(self) -> None:
        for namespace in _SPACES:
            subprocess.run(["ip", "netns", "add", namespace], check=True)
            _ip(namespace, "link", "set", "lo", "up")
        _ip(_CENTRE_SPACE, "addr", "add", f"{CENTRE}/32", "dev", "lo")
        for index, (name, network) in enumerate(PATHS.items()):
            ends = (_tun(_CABINET_SPACE, name), _tun(_CENTRE_SPACE, name))
            for namespace, host in ((_CABINET_SPACE, 2), (_CENTRE_SPACE, 1)):
                _ip(namespace, "addr", "add", f"{network}.{host}/24", "dev", name)
                _ip(namespace, "link", "set", name, "up")
            self._route(name)
            self.paths[name] = WirePath(name, ends, 1 + index)
        _run("ip", "link", "add", _OUTSIDE, "type", "veth", "peer", "name", "nodes", "netns", _CABINET_SPACE)
        _run("ip", "addr", "add", "10.3.0.1/24", "dev", _OUTSIDE)
        _run("ip", "link", "set", _OUTSIDE, "up")
        _ip(_CABINET_SPACE, "addr", "add", f"{CABINET}/24", "dev", "nodes")
        _ip(_CABINET_SPACE, "link", "set", "nodes", "up")

    def _route(self, name: str) -> None:
        metric = str(100 * (1 + list(PATHS).index(name)))
        gateway = f"{PATHS[name]}.1"
        _ip(_CABINET_SPACE, "route", "replace", f"{CENTRE}/32", "via", gateway, "dev", name, "metric", metric)


def _remove() -> None:
    """Removes the namespaces and the device to them, where they are."""
    for name in _SPACES:
        subprocess.run(["ip", "netns", "del", name], check=False, capture_output=True)
    subprocess.run(["ip", "link", "del", _OUTSIDE], check=False, capture_output=True)


def _tun(namespace: str, name: str) -> int:
    """Makes a TUN device in a namespace; returns its descriptor, which belongs to this process."""
    libc = ctypes.CDLL(None, use_errno=True)
    found: list[int] = []

    def make() -> None:
        # A namespace belongs to a thread: this one ends with it.
        with open(f"/var/run/netns/{namespace}") as handle:
            if libc.setns(handle.fileno(), _CLONE_NEWNET) != 0:
                raise OSError(ctypes.get_errno(), "setns")
        end = os.open("/dev/net/tun", os.O_RDWR)
        fcntl.ioctl(end, _TUNSETIFF, struct.pack("16sH22x", name.encode(), _IFF_TUN | _IFF_NO_PI))
        found.append(end)

    thread = threading.Thread(target=make)
    thread.start()
    thread.join()
    if not found:
        raise OSError(f"no TUN device {name} in {namespace}")
    return found[0]


def _ip(namespace: str, *arguments: str) -> None:
    _run("ip", "-n", namespace, *arguments)


def _run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True, text=True)
