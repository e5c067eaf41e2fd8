"""Two nodes and their gateway under OSCORE, and what somebody beside the line has captured of their datagrams."""

from random import Random

import pytest

from gateway.core.link.link import Link
from simulator.hosts.keys import CIPHER, keys_of, link_of
from tools.link.sources import Datagram
from wire import coap_message as messages
from wire import quantity, record
from wire.record import Answer, Record, Stamp

NODE, OTHER = bytes.fromhex("7c1f0a2c01000001"), bytes.fromhex("7c1f0a2c01000002")
START_NS = 1_795_561_200_123_456_789
GATEWAY_ADDRESS = ("192.0.2.1", 5683)
ANSWER = record.encode_answer(Answer(1_795_561_200, 1, None, 0))


def reading(sequence):
    return record.encode(Record(3, sequence, Stamp(record.SYNCED, 1_795_561_200, 2), {quantity.POWER: 357}))


class Street:
    """`passed`: the captured datagrams."""

    def __init__(self):
        self.passed = []
        self.boots = 0
        self.nodes = {}
        self.restart_gateway()
        for node in (NODE, OTHER):
            self.start(node)

    def restart_gateway(self):
        self.gateway = Link(keys_of([NODE, OTHER]), CIPHER, random_below=Random(len(self.passed)).randrange)

    def start(self, node):
        self.boots += 1
        self.nodes[node] = link_of(node, "gateway", boot=self.boots, random_below=Random(self.boots).randrange)

    def report(self, node, sequence):
        address = (f"192.0.2.{10 + node[-1]}", 40_000)
        link = self.nodes[node]
        link.request("gateway", messages.POST, (b"t",), reading(sequence), now_ms=0)
        while outgoing := link.outgoing():
            for _, data in outgoing:
                self._capture(address, GATEWAY_ADDRESS, data)
                for asked in self.gateway.receive(data, address, now_ms=0):
                    self.gateway.respond(asked.exchange, messages.CHANGED, ANSWER, now_ms=0)
            for _, data in self.gateway.outgoing():
                self._capture(GATEWAY_ADDRESS, address, data)
                link.receive(data, "gateway", now_ms=0)

    def _capture(self, source, destination, data):
        self.passed.append(Datagram(START_NS + 1_000_000 * len(self.passed), source, destination, data))


@pytest.fixture
def street():
    """Six reports, and one after each restart: of the gateway, of a node."""
    made = Street()
    for sequence in range(3):
        made.report(NODE, sequence)
        made.report(OTHER, sequence)
    made.restart_gateway()
    made.report(NODE, 3)
    made.start(NODE)
    made.report(NODE, 4)
    return made
