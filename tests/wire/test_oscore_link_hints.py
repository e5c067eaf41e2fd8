"""Unprotected answers to a node, which anybody may give: they cost a handshake at most and prove nothing."""

import pytest

from simulator.hosts.keys import link_of
from tests.support.link_world import GATEWAY, OTHER, Joined, again, hint, option_of
from tests.support.no_nonce_twice import no_nonce_twice
from wire import coap_message as messages
from wire.coap import Response
from wire.oscore_context import Session, unwrap, usual_kid
from wire.oscore_link import INIT, OFFERED


@pytest.fixture(autouse=True)
def ledger():
    with no_nonce_twice() as ledger:
        yield ledger


@pytest.fixture
def joined():
    return Joined()


def test_a_forged_hint_costs_one_handshake_for_each_request(joined):
    assert joined.answered(b"one")
    joined.lose = lambda source, datagram: source == "node"
    joined.ask(b"two")
    for _ in range(5):  # again and again: for the request, for the handshake, for the request under new keys
        joined.to_node(hint(joined.said("node")[-1]))
        joined.settle()
    assert joined.failed() == ["unauthentic"]
    assert joined.node.counters["handshakes"] == 2 and joined.node.counters["keys-lost"] == 1
    joined.lose = lambda source, datagram: False
    assert joined.answered(b"three") and joined.node.counters["handshakes"] == 3


def test_a_hint_is_believed_once_for_each_request(joined):
    """Whoever lets the handshake through and answers the request itself, each time."""

    def forge(source, datagram):
        kid_context = option_of(datagram).kid_context if source == "node" else None
        if source == "node" and (kid_context is None or len(unwrap(kid_context)) == 16):
            joined.to_node(hint(datagram))
            return True
        return False

    assert joined.answered(b"one")
    joined.lose = forge
    joined.ask(b"two")
    assert joined.failed() == ["unauthentic"] and joined.node.counters["handshakes"] == 2
    joined.lose = lambda source, datagram: False
    assert joined.answered(b"three") and joined.node.counters["handshakes"] == 2


def two_under_different_keys(joined):
    """Two requests wait: the first under keys that the node has left, the second under those it has. The datagrams."""
    joined.node._endpoint._timing = joined.node._endpoint._timing._replace(nstart=2)
    assert joined.answered(b"before")
    joined.lose = lambda source, datagram: True
    joined.ask(b"old")
    old = joined.said("node")[-1]
    joined.node._session = Session(joined.node._pairing.context(bytes(16)))
    joined.node._is_proven = False
    joined.ask(b"new")
    return old, joined.said("node")[-1]


def test_a_hint_about_keys_that_are_left_costs_no_handshake(joined):
    old, _ = two_under_different_keys(joined)
    session = joined.node._session
    joined.to_node(hint(old))
    joined.settle()
    assert joined.node._session is session and joined.node.counters["handshakes"] == 1
    assert unwrap(option_of(joined.said("node")[-1]).kid_context) == bytes(16), "it goes out again under the new ones"


def test_an_answer_under_keys_that_are_left_proves_nothing(joined):
    old, _ = two_under_different_keys(joined)
    joined.to_gateway(old)
    ((_, answer),) = joined.link.outgoing()
    joined.to_node(answer)
    assert isinstance(joined.events[-1], Response) and joined.node.state == OFFERED


def test_a_hint_for_each_of_many_requests_never_costs_two_handshakes_each(joined):
    def forge(source, datagram):
        if source == "node" and messages.decode(datagram).code < 32:
            joined.to_node(hint(datagram))
        return False

    assert joined.answered(b"one")
    joined.lose = forge
    for count in range(10):
        joined.ask(b"%d" % count)
        joined.pass_time(1000)
    assert joined.node.counters["handshakes"] <= 11
    joined.lose = lambda source, datagram: False
    assert joined.answered(b"well again")


def test_a_hint_hurts_no_other_node(joined):
    other = link_of(OTHER, GATEWAY, boot=1, random_below=joined.generator.randrange)

    def ask_as_other():
        other.request(GATEWAY, messages.POST, (b"t",), b"other", now_ms=joined.now_ms)
        found = []
        for _ in range(3):
            for _, datagram in other.outgoing():
                joined.to_gateway(datagram, "other")
            for _, datagram in joined.link.outgoing():
                found += other.receive(datagram, GATEWAY, now_ms=joined.now_ms)
        return found

    ask_as_other()
    session = joined.link.sessions.member(usual_kid(OTHER)).session
    assert session is not None and joined.answered(b"one")
    joined.ask(b"two")
    joined.to_node(hint(joined.said("node")[-1]))
    joined.ask(b"three")
    assert joined.link.sessions.member(usual_kid(OTHER)).session is session
    assert ask_as_other() and other.counters["handshakes"] == 1


def test_other_unprotected_answers_are_no_answers(joined):
    assert joined.answered(b"one")
    joined.lose = lambda source, datagram: True
    for code in (messages.CHANGED, messages.CONTENT, messages.BAD_REQUEST, messages.INTERNAL_ERROR):
        joined.events.clear()
        joined.ask(b"two")
        asked = messages.decode(joined.said("node")[-1])
        joined.to_node(
            messages.encode(messages.Message(messages.ACK, code, asked.message_id, asked.token, (), b"well done"))
        )
        assert joined.failed() == ["unauthentic"]
    assert joined.node.counters["handshakes"] == 1 and joined.node.state != INIT


def test_the_answer_to_another_request_is_none(joined):
    assert joined.answered(b"one")
    old = joined.said(GATEWAY)[-1]
    joined.lose = lambda source, datagram: True
    joined.ask(b"two")
    asked = messages.decode(joined.said("node")[-1])
    joined.to_node(again(old, asked.message_id, token=asked.token))
    assert joined.failed() == ["unauthentic"]
