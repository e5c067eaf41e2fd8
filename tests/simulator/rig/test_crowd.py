"""Loud senders: one payload under way, and nothing is called acknowledged before the 2.04."""

from gateway.core.link.link import Link
from simulator.checkers.delivery import DeliveryChecker
from simulator.hosts.keys import CIPHER, key_of
from simulator.rig.crowd import Sender
from simulator.world.chance import Prng
from wire import coap_message, record

NODE = bytes(range(8))


class Desk:
    """A sender and the gateway's side of its link; answers are given by hand."""

    def __init__(self):
        self.delivery = DeliveryChecker()
        self.sender = Sender(NODE, 7, Prng(1), self.delivery)
        self.gateway = Link([key_of(NODE)], CIPHER, random_below=Prng(2).randrange)
        self.now_ms = 0

    def turn(self, *, may_make=True):
        """The requests that reach the gateway now, once both have agreed on keys."""
        requests = []
        while datagrams := self.sender.turn(now_ms=self.now_ms, may_make=may_make):
            for datagram in datagrams:
                requests += self.gateway.receive(datagram, "node", now_ms=self.now_ms)
            self._pass_back()
        return requests

    def answer(self, request, code):
        self.gateway.respond(request.exchange, code, now_ms=self.now_ms)
        self._pass_back()

    def _pass_back(self):
        for _, datagram in self.gateway.outgoing():
            self.sender.receive(datagram, now_ms=self.now_ms)


def identities(request):
    return [(made.boot, made.sequence) for made in record.decode_payload(request.payload)]


def test_the_next_payload_waits_for_the_answer_to_the_last_and_its_numbers_go_on():
    desk = Desk()
    (first,) = desk.turn()
    assert desk.turn() == [] and not desk.sender.idle()
    assert desk.delivery.acknowledged_count() == 0
    desk.answer(first, coap_message.CHANGED)
    assert desk.sender.idle() and desk.delivery.acknowledged_count() == len(identities(first))
    (second,) = desk.turn()
    assert identities(second)[0] == (7, len(identities(first)))


def test_what_is_refused_is_sent_again_later_with_the_same_records():
    desk = Desk()
    (first,) = desk.turn()
    desk.answer(first, coap_message.UNAVAILABLE)
    assert desk.turn() == [] and desk.delivery.acknowledged_count() == 0
    desk.now_ms = desk.sender.deadline_ms()
    (again,) = desk.turn(may_make=False)
    assert again.payload == first.payload


def test_a_quiet_sender_finishes_what_is_under_way_and_makes_nothing_new():
    desk = Desk()
    (first,) = desk.turn()
    desk.answer(first, coap_message.CHANGED)
    assert desk.turn(may_make=False) == [] and desk.sender.deadline_ms() is None
