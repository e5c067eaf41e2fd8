"""Datagrams in virtual time: each goes out with the bench's time before it, and the node stands still until the other
end has said all that it has to say to it. MicroPython only.

Out: 8 bytes of milliseconds, low byte first, and the datagram. Back: any number of datagrams, then an empty one.
"""

import struct

import bench_clock
import usocket

_queue = []
_sockets = []


def sendto(data, packed):
    """Sends to the address that `usocket` packed; its answers wait in the queue."""
    if not _sockets:
        _sockets.append(usocket.socket(usocket.AF_INET, usocket.SOCK_DGRAM))
    inner = _sockets[0]
    inner.sendto(struct.pack("<Q", bench_clock.ticks_ms()) + data, packed)
    while True:
        answer, peer = inner.recvfrom(2000)
        if not answer:
            return len(data)
        _queue.append((answer, peer))


def receive():
    """The next (datagram, packed address)."""
    if not _queue:
        raise OSError(11)
    return _queue.pop(0)


def wait(timeout_ms):
    """True when an answer waits; else so much time has passed, and never none."""
    if not _queue:
        bench_clock.sleep_ms(max(1, timeout_ms))
    return len(_queue) > 0
