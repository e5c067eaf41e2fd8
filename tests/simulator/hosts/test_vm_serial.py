"""A node on a real MicroPython VM whose bearer is a serial line: its own main.py, keys, records and answers over it."""

import time
from random import Random

import pytest

from gateway.core.link.link import Link
from simulator.hosts.keys import CIPHER, key_of, settings_of
from simulator.hosts.vm import HEAP_BYTES, VmNode
from simulator.rig.pty import Pty
from wire import bus, coap_message, event, limits, record, slip
from wire.bus_master import BusMaster
from wire.record import Answer

pytestmark = [pytest.mark.vm, pytest.mark.live, pytest.mark.timeout(180)]
DEADLINE_S = 90
NODE = bytes.fromhex("7c1f0a2c01000001")
NIGHT_S = 1_795_561_200
BAUD = 115_200


def now_ms():
    return time.monotonic_ns() // 1_000_000


class Wire:
    """The gateway's end of a wire for two."""

    def __init__(self, pty):
        self._pty = pty
        self._decoder = slip.Decoder(limits.DATAGRAM_BYTES_MAX)

    def arrived(self):
        return self._decoder.feed(self._pty.read(0.01))

    def send(self, datagram):
        self._pty.write(slip.encode(datagram))


class Line:
    """The gateway's end of an RS-485 line: it asks, the node speaks."""

    def __init__(self, pty):
        self._pty = pty
        self._master = BusMaster(bus.line(baud=BAUD), [7], now_ms=now_ms())

    def arrived(self):
        frame = self._master.poll(now_ms=now_ms())
        if frame:
            self._pty.write(frame)
        return [datagram for _, datagram in self._master.receive(self._pty.read(0.01), now_ms=now_ms())]

    def send(self, datagram):
        self._master.send(7, datagram, now_ms=now_ms())


@pytest.mark.parametrize(("bearer", "line"), [(["uart", BAUD], Wire), (["rs485", 7, BAUD, 32], Line)])
def test_a_node_on_a_serial_line_agrees_on_keys_reports_and_learns_the_time(tmp_path, micropython, bearer, line):
    pty = Pty(tmp_path / "line")
    pty.plug()
    settings = {
        "node": NODE.hex(),
        "kind": "streetlight",
        "bearer": bearer,
        **settings_of(NODE),
        "site": [457500, 48500],
        "lamp": [700, 4],
        "sample_s": 1,
        "telemetry_s": 1,
        "report_spread_s": 0,
        "trace": True,
    }
    node = VmNode(tmp_path / "node", settings, micropython, heap_bytes=HEAP_BYTES, line=str(pty.link))
    # What the shim for Wi-Fi needs is nobody's business here.
    end, gateway = line(pty), Link([key_of(NODE)], CIPHER, random_below=Random(3).randrange)
    records, said = [], []
    node.start()
    try:
        deadline = time.monotonic() + DEADLINE_S
        while sum(made.stamp.quality == record.SYNCED for made in records) < 3:
            assert time.monotonic() < deadline and node.running, "\n".join([*said[-30:], *node.lines()])
            for datagram in end.arrived():
                for asked in gateway.receive(datagram, "node", now_ms=now_ms()):
                    records += record.decode_payload(asked.payload) if asked.payload else []
                    answer = record.encode_answer(Answer(NIGHT_S + now_ms() // 1000, 1, None, 0))
                    gateway.respond(asked.exchange, coap_message.CHANGED, answer, now_ms=now_ms())
            gateway.poll(now_ms=now_ms())
            for _, datagram in gateway.outgoing():
                end.send(datagram)
            said += node.lines()
    finally:
        node.kill()
        pty.unplug()
    assert any(getattr(made.body, "code", None) == event.BOOT for made in records)
    assert gateway.sessions.agreed() == 1 and not any("Traceback" in words for words in said)
