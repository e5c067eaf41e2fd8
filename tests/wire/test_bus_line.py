"""CoAP over a simulated RS-485 line: a whole street speaks at once, and each record arrives once."""

import pytest

from simulator.world.chance import Prng
from simulator.world.time import World
from tests.support.bus_line import NONE, Faults, Street
from wire import bus, coap_message
from wire.coap import Endpoint, Request, Response
from wire.coap_exchange import bearer_timing

LINE = bus.line()
RECORDS = 5
PAYLOAD = bytes(67)  # with CoAP's header as long as protected telemetry


class Conversation:
    """`count` nodes that each say RECORDS records from their start, all at once, and a gateway that flushes first."""

    def __init__(self, count, ack_timeout_ms, faults=NONE, seed=1):
        self.world = World(start_unix_s=0)
        self.prng = Prng(seed)
        self.street = Street(
            self.world, self.prng, LINE, range(1, count + 1), addresses=range(1, count + 1), faults=faults
        )
        self.timing = bearer_timing(ack_timeout_ms=ack_timeout_ms)
        self.gateway = self._endpoint("gateway")
        self.nodes = {address: self._endpoint(address) for address in self.street.boards}
        self.arrivals = {}
        self.told = dict.fromkeys(self.nodes, 0)
        for address, board in self.street.boards.items():
            board.answer_with = lambda datagram, address=address: self._node_hears(address, datagram)
            self.nodes[address].left = RECORDS
        self.world.every(20, self._gateway_turn)
        self.world.every(50, self._nodes_turn)

    def _endpoint(self, name):
        prng = self.prng.split(name)
        return Endpoint(
            random_below=prng.randrange,
            first_message_id=prng.randrange(65536),
            timing=self.timing,
            exchanges_max=4096,
            outgoing_max=512,
        )

    def _gateway_turn(self):
        now_ms = self.world.now_ms
        for address, datagram in self.street.arrived:
            for happened in self.gateway.receive(datagram, address, now_ms=now_ms):
                if isinstance(happened, Request):
                    key = (address, happened.payload[-1])
                    self.arrivals[key] = self.arrivals.get(key, 0) + 1
                    self.world.after(self.prng.randrange(1000), self._respond, happened.exchange)
        self.street.arrived.clear()
        self.gateway.poll(now_ms=now_ms)
        self._gateway_sends()

    def _respond(self, exchange):
        self.gateway.respond(exchange, coap_message.CHANGED, bytes(25), now_ms=self.world.now_ms)
        self._gateway_sends()

    def _gateway_sends(self):
        for address, datagram in self.gateway.outgoing():
            self.street.send(address, datagram)

    def _node_hears(self, address, datagram):
        for happened in self.nodes[address].receive(datagram, "gateway", now_ms=self.world.now_ms):
            self.told[address] += isinstance(happened, Response)
        return self._node_sends(address)

    def _node_sends(self, address):
        node = self.nodes[address]
        if node.left and self.told[address] == RECORDS - node.left:
            node.left -= 1
            payload = PAYLOAD[:-1] + bytes([node.left])
            node.request("gateway", coap_message.POST, (b"t",), payload, now_ms=self.world.now_ms)
        leaving = [datagram for _, datagram in node.outgoing()]
        for datagram in leaving[:-1]:
            self.street.boards[address].node.send(datagram)
        return leaving[-1] if leaving else None

    def _nodes_turn(self):
        for address, node in self.nodes.items():
            for happened in node.poll(now_ms=self.world.now_ms):
                self.told[address] += isinstance(happened, Response)
            datagram = self._node_sends(address)
            if datagram is not None:
                self.street.boards[address].node.send(datagram)

    def run(self, seconds):
        """Until everybody has been told everything; how many seconds that took."""
        while min(self.told.values()) < RECORDS:
            assert self.world.now_ms < 1000 * seconds, self.told
            self.world.run_until(self.world.now_ms + 100)
        return self.world.now_ms // 1000

    def retransmitted(self):
        return sum(endpoint.counters["retransmitted"] for endpoint in (self.gateway, *self.nodes.values()))


@pytest.mark.slow
@pytest.mark.parametrize("count", [1, 32, 64])
def test_a_street_that_speaks_at_once_is_told_within_seconds_and_says_nothing_twice(count):
    conversation = Conversation(count, bus.ack_timeout_ms(LINE, count))
    took_s = conversation.run(60)
    print(f"\n{count} nodes, {RECORDS} records each: {took_s} s")
    assert conversation.retransmitted() == 0
    assert set(conversation.arrivals.values()) == {1} and len(conversation.arrivals) == count * RECORDS
    assert conversation.street.wire.collisions == 0


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2))
def test_a_bad_line_costs_time_and_no_record(seed):
    faults = Faults(spoilt=80, unheard=50, held_up=30)
    conversation = Conversation(32, bus.ack_timeout_ms(LINE, 32), faults, seed)
    conversation.run(600)
    assert set(conversation.arrivals.values()) == {1} and len(conversation.arrivals) == 32 * RECORDS
    assert conversation.retransmitted() > 0 and conversation.street.wire.collisions == 0
