"""Carries datagrams in virtual time: the node stops after each until the other end has sent all its answers.

MicroPython only. Out: 8 bytes of milliseconds of the bench's time, low byte first, and the datagram. Back: any number
of datagrams, then an empty one.
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
    """Returns the next (datagram, packed address)."""
    if not _queue:
        raise OSError(11)
    return _queue.pop(0)


def waits():
    """Returns whether an answer waits."""
    return len(_queue) > 0


def wait(timeout_ms):
    """Returns True when an answer waits; else lets the timeout pass, at least 1 ms."""
    if not _queue:
        bench_clock.sleep_ms(max(1, timeout_ms))
    return len(_queue) > 0
