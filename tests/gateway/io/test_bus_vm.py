"""The RS-485 bearer from end to end: the gateway's bus on real pyserial, the node's link on a real MicroPython VM."""

import asyncio
import os
import subprocess
import time
import tty

import pytest

from gateway.io.node_links import Bus
from wire import bus

pytestmark = [pytest.mark.vm, pytest.mark.live]
GENEROUS_S = 40

# A UART over the process's own input and output, and a loop as a node's: what arrives is answered.
NODE = """
import select, sys, time
from links.rs485 import Rs485Link
from wire import bus

class Uart:
    def __init__(self):
        self.poll = select.poll()
        self.poll.register(sys.stdin, select.POLLIN)
        self.data = bytearray()
    def any(self):
        while self.poll.poll(0):
            self.data.extend(sys.stdin.buffer.read(1))
        return len(self.data)
    def read(self, count):
        data, self.data = bytes(self.data[:count]), self.data[count:]
        return data
    def write(self, data):
        sys.stdout.buffer.write(data)
    def txdone(self):
        return True

class Poll:
    POLLIN = select.POLLIN
    @staticmethod
    def poll():
        return Waits()
class Waits:
    def __init__(self):
        self._poll = select.poll()
    def register(self, source, events):
        self._poll.register(sys.stdin, events)
    def poll(self, timeout_ms):
        return self._poll.poll(timeout_ms)
class Pin:
    def value(self, level):
        pass

link = Rs485Link(Uart(), Poll, bus.line(), 5, now_ms=time.ticks_ms, sleep_ms=time.sleep_ms, enable=Pin())
while True:
    for datagram, peer in link.receive():
        link.send(peer, b"echo " + datagram)
    link.wait(100)
"""


def test_a_vm_answers_when_it_is_asked(tmp_path, micropython, repository):
    ours, theirs = os.openpty()
    tty.setraw(theirs)
    (tmp_path / "rs485").symlink_to(os.ttyname(theirs))
    process = subprocess.Popen(
        [micropython, "-c", NODE],
        env={"MICROPYPATH": f"{repository / 'firmware'}:.frozen"},
        stdin=ours,
        stdout=ours,
    )
    arrived = []

    async def run():
        line = Bus(
            str(tmp_path / "rs485"),
            (4, 5, 6),
            lambda datagram, peer: arrived.append((datagram, peer)),
            line=bus.line(),
        )
        line.start()
        said = [bytes([number]) * 200 for number in range(1, 6)]
        for datagram in said:
            end_s = time.monotonic() + GENEROUS_S
            while (b"echo " + datagram, ("bus", 5)) not in arrived:  # as CoAP, again until it has come
                assert time.monotonic() < end_s, line.health()
                line.send(("bus", 5), datagram)
                await asyncio.sleep(0.5)
        assert {4, 6} <= set(line.health()["silent"])
        line.close()

    try:
        asyncio.run(run())
    finally:
        process.kill()
        process.wait()
        os.close(ours)
        os.close(theirs)
