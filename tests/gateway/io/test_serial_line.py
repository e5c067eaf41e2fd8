"""Serial ports on the loop, over real pyserial on pseudo-terminals: loss, return under another name, a hung driver."""

import asyncio
import os
import time
from argparse import Namespace
from threading import Event

import pytest

from concentrator.bridge import SEND, Bridge
from gateway.core.concentrator import CLOSED, UP, Concentrator
from gateway.io import clock, serial_line
from gateway.io.node_links import ConcentratorLink, WireLink
from gateway.io.serial_line import SerialLine
from simulator.rig.pty import Pty
from wire import slip

pytestmark = pytest.mark.live
GENEROUS_S = 30


async def until(is_so, *, why=""):
    end_s = time.monotonic() + GENEROUS_S
    while not is_so():
        assert time.monotonic() < end_s, why
        await asyncio.sleep(0.01)


@pytest.fixture
def pty(tmp_path, monkeypatch):
    monkeypatch.setattr(serial_line, "REOPEN_FIRST_S", 0.02)
    monkeypatch.setattr(serial_line, "REOPEN_LAST_S", 0.1)
    pty = Pty(tmp_path / "by-id")
    yield pty
    pty.unplug()


class Heard:
    """A line and what it reported."""

    def __init__(self, pty, **options):
        self.data = b""
        self.opened = 0
        self.line = SerialLine(str(pty.link), baud=115_200, received=self._received, opened=self._has_opened, **options)
        self.line.start()

    def _received(self, data):
        self.data += data

    def _has_opened(self):
        self.opened += 1


def test_a_port_that_comes_back_under_another_name_is_opened_again(pty):
    async def run():
        heard = Heard(pty)
        await until(lambda: heard.line.state.startswith("cannot be opened"))
        assert not heard.line.write(b"nobody there")
        for count in (1, 2, 3):
            pty.plug()
            await until(lambda count=count: heard.opened == count, why=heard.line.state)
            pty.write(b"hello%d" % count)
            await until(lambda count=count: heard.data.endswith(b"hello%d" % count))
            assert heard.line.write(b"answer")
            assert await asyncio.to_thread(pty.read, 5.0) == b"answer"
            pty.unplug()
            await until(lambda count=count: heard.line.counters["lost"] == count)
        heard.line.close()
        assert heard.line.state == "closed"

    asyncio.run(run())


def test_a_port_that_takes_nothing_costs_bounded_memory_and_holds_up_nobody(pty):
    async def run():
        heard = Heard(pty)
        pty.plug()
        await until(lambda: heard.opened == 1)
        began_s = time.monotonic()
        taken = 0
        while heard.line.write(bytes(500)):
            taken += 500
            assert taken < 1 << 20
        assert time.monotonic() - began_s < 5 and heard.line.counters["dropped"] == 1
        assert heard.line.waiting_bytes() <= serial_line.WRITE_BYTES_MAX
        read = 0
        while read < taken:
            read += len(await asyncio.to_thread(pty.read, 1.0))
        await until(lambda: heard.line.waiting_bytes() == 0)
        assert read == taken and heard.line.write(b"again")
        heard.line.close()

    asyncio.run(run())


def test_a_driver_that_hangs_while_it_opens_does_not_hold_up_the_loop(pty, monkeypatch):
    hang, closed = Event(), []

    class Port:
        def close(self):
            closed.append(True)

    def hung(_path, _baud):
        hang.wait(GENEROUS_S)
        return Port()

    monkeypatch.setattr(serial_line, "_opened_port", hung)

    async def run():
        heard = Heard(pty)
        for _ in range(10):
            await asyncio.sleep(0)
        heard.line.close()
        hang.set()
        await until(lambda: closed, why="what was opened too late is closed")
        assert heard.opened == 0

    asyncio.run(run())


@pytest.mark.parametrize("call", ["read", "write"])
def test_a_device_that_fails_under_a_call_is_opened_again(pty, monkeypatch, call):
    async def run():
        heard = Heard(pty)
        pty.plug()
        await until(lambda: heard.opened == 1)

        def broken(_descriptor, _data):
            raise OSError(5, "Input/output error")

        with monkeypatch.context() as patched:
            # The pseudo-terminal's own end is read and written with the same calls.
            patched.setattr(serial_line, "os", Namespace(**{"read": os.read, "write": os.write, call: broken}))
            pty.write(b"x")
            heard.line.write(b"x")
            await until(lambda: heard.line.counters["lost"])
        # On a busy machine it is opened and lost more than once before this.
        await until(lambda: heard.opened > 1 and heard.line.state == "open")
        assert heard.line.write(b"again")
        heard.line.close()

    asyncio.run(run())


def test_two_programs_cannot_have_one_port(pty):
    async def run():
        pty.plug()
        first = Heard(pty)
        await until(lambda: first.opened == 1)
        second = Heard(pty)
        await until(lambda: second.line.state.startswith("cannot be opened"))
        first.line.close()
        await until(lambda: second.opened == 1)
        second.line.close()

    asyncio.run(run())


def test_a_wire_carries_datagrams_through_noise_and_half_frames(pty):
    async def run():
        arrived = []
        link = WireLink(str(pty.link), lambda datagram, peer: arrived.append((datagram, peer)))
        link.start()
        pty.plug()
        await until(lambda: link.health()["state"] == "open")
        pty.write(b"noise" + slip.encode(b"one") + slip.encode(b"half")[:4])
        await until(lambda: len(arrived) == 1)
        pty.unplug()
        await until(lambda: link.health()["lost"] == 1)
        pty.plug()
        await until(lambda: link.health()["opened"] == 2)
        pty.write(slip.encode(b"two"))
        await until(lambda: len(arrived) == 2)
        assert arrived == [(b"one", ("wire",)), (b"two", ("wire",))]
        link.send(link.peer, b"\xc0 down")
        assert await asyncio.to_thread(pty.read, 5.0) == slip.encode(b"\xc0 down")
        link.close()

    asyncio.run(run())


def test_a_concentrator_is_found_loses_its_port_and_is_found_again(pty):
    async def run():
        arrived = []
        core = Concentrator(session=77, now_ms=clock.monotonic_ms())
        link = ConcentratorLink(str(pty.link), core, lambda datagram, peer: arrived.append((datagram, peer)))
        bridge = Bridge(session=5, cause="power-on", firmware="t", channel=6, now_ms=0)
        node = b"\x02\x00\x00\x00\x00\x01"

        def turn():
            bridge.on_serial(pty.read(0.001))
            bridge.poll(now_ms=clock.monotonic_ms())
            for action in bridge.drain_actions():
                if action[0] == SEND:
                    bridge.on_done(True)
                    bridge.on_radio(action[1], -80, b"echo " + action[2])
            while frame := bridge.next_frame(heap_free=1, radio_dropped=0, now_ms=clock.monotonic_ms()):
                pty.write(frame)
            return True

        link.start()
        for count in (1, 2):
            pty.plug()
            await until(lambda: turn() and core.state == UP, why=link.health())
            link.send(("radio", node), b"hello%d" % count)
            await until(lambda count=count: turn() and len(arrived) == count)
            pty.unplug()
            await until(lambda: core.state == CLOSED)
        assert arrived == [(b"echo hello%d" % count, ("radio", node)) for count in (1, 2)]
        assert link.health()["line"]["lost"] == 2
        link.close()

    asyncio.run(run())
