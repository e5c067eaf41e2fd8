"""Replaces the chip's `socket` on a desktop VM: addresses are (text, port) tuples, not packed bytes. MicroPython only.

UDP over IPv4, which is all that the node uses. Datagrams fail while the network's script holds `down`.
"""

import sys

import bench_watchdog
import network
import usocket

AF_INET = usocket.AF_INET
SOCK_DGRAM = usocket.SOCK_DGRAM


class socket:  # noqa: N801 - the chip's name
    """Is a datagram socket; `inner` is the VM's own, which `select` needs."""

    def __init__(self, family, kind):
        self.inner = usocket.socket(family, kind)

    def setblocking(self, on):
        """Calls the VM's method."""
        self.inner.setblocking(on)

    def sendto(self, data, address):
        """Sends to (text, port)."""
        bench_watchdog.may_block("send")
        if network.script() == "down":
            raise OSError(118)  # EHOSTUNREACH in lwIP
        packed = usocket.getaddrinfo(address[0], address[1])[0][-1]
        if "bench_clock" in sys.modules:
            import bench_lockstep

            return bench_lockstep.sendto(data, packed)
        return self.inner.sendto(data, packed)

    def recvfrom(self, count):
        """Returns (data, (text, port))."""
        bench_watchdog.may_block("receive")
        if "bench_clock" in sys.modules:
            import bench_lockstep

            data, packed = bench_lockstep.receive()
        else:
            data, packed = self.inner.recvfrom(count)
        if network.script() == "down":
            raise OSError(11)  # EAGAIN: the datagram was never received
        _family, address, port = usocket.sockaddr(packed)[:3]
        return data, (".".join([str(part) for part in address]), port)
