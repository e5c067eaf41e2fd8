"""A node's end of the protected link as a server: the gateway asks it, and so does whoever would be the gateway."""

import pytest

from simulator.hosts.keys import CIPHER
from tests.support.link_world import NODE, Joined, again
from tests.support.no_nonce_twice import no_nonce_twice
from wire import coap_message as messages
from wire import limits, oscore
from wire.coap import Refused
from wire.oscore_context import usual_kid, wrap


@pytest.fixture(autouse=True)
def ledger():
    with no_nonce_twice() as ledger:
        yield ledger


@pytest.fixture
def joined():
    return Joined()


class Asking:
    """Requests of the gateway to the node under the session that both have."""

    def __init__(self, joined):
        self.joined = joined
        self.session = joined.link.sessions.member(usual_kid(NODE)).session

    def datagram(self, *, number=None, options=(), payload=b"on", code=messages.POST, token=b"\1\2", **more):
        content = messages.Content(code, ((messages.URI_PATH, b"c"), *options), payload)
        number = self.session.next_number() if number is None else number
        sealed, self.exchange = oscore.protect_request(self.session.context, content, CIPHER, number=number, **more)
        return messages.encode(
            messages.Message(messages.CON, sealed.code, number, token, sealed.options, sealed.payload)
        )

    def answers(self):
        """What the node says to them, opened."""
        said = [messages.decode(datagram) for _, datagram in self.joined.node.outgoing()]
        return [oscore.unprotect_response(self.session.context, message, CIPHER, self.exchange) for message in said]


@pytest.fixture
def asking(joined):
    assert joined.answered()
    return Asking(joined)


def test_the_gateway_asks_and_is_answered_under_the_same_keys(joined, asking):
    joined.to_node(asking.datagram())
    (request,) = joined.served
    assert (request.path, request.payload, request.code) == ((b"c",), b"on", messages.POST)
    assert joined.node.respond(request.exchange, messages.CONTENT, b"done", content_format=60, now_ms=1000) is None
    (answer,) = asking.answers()
    assert (answer.code, answer.payload) == (messages.CONTENT, b"done")
    assert messages.content_format(answer.options) == 60
    assert joined.node.respond(request.exchange, messages.CONTENT, b"", now_ms=1000) == Refused("unknown-exchange")


def test_the_gateway_may_send_the_kid_context(joined, asking):
    joined.to_node(asking.datagram(kid_context=asking.session.kid_context))
    assert len(joined.served) == 1
    joined.to_node(asking.datagram(kid_context=wrap(bytes(16))))
    assert len(joined.served) == 1 and joined.node.counters["strange"] == 1


def test_a_dropped_request_gets_no_word(joined, asking):
    joined.to_node(asking.datagram())
    assert joined.node.drop(joined.served[0].exchange) is None
    assert joined.node.outgoing() == [] and isinstance(joined.node.drop(joined.served[0].exchange), Refused)


def test_after_an_answer_that_is_too_large_a_shorter_one_may_follow(joined, asking):
    for size in (240, 2000):
        joined.served.clear()
        joined.to_node(asking.datagram())
        exchange = joined.served[0].exchange
        refused = joined.node.respond(exchange, messages.CONTENT, bytes(size), now_ms=1000)
        assert refused == Refused("too-large")
        assert joined.node.respond(exchange, messages.CONTENT, b"short", now_ms=1000) is None
        assert [answer.payload for answer in asking.answers()] == [b"short"]


def test_a_replay_a_stranger_and_a_message_in_the_clear_get_no_word(joined, asking):
    good = asking.datagram()
    joined.to_node(good)
    joined.node.drop(joined.served[0].exchange)
    joined.to_node(again(good, 77))  # a replay
    clear = messages.Message(messages.CON, messages.POST, 9, b"c", ((messages.URI_PATH, b"c"),), b"off")
    joined.to_node(messages.encode(clear))
    joined.to_node(messages.encode(clear._replace(message_id=10, options=((2049, b"critical"),))))
    flipped = bytearray(asking.datagram())
    flipped[-1] ^= 1
    joined.to_node(bytes(flipped))
    two = asking.datagram()
    message = messages.decode(two)
    doubled = message._replace(options=(*message.options, message.options[-1]))
    joined.to_node(messages.encode(doubled))
    joined.to_node(messages.encode(message._replace(payload=b"")))
    joined.to_node(joined.said("node")[-1], peer="mirror")
    assert joined.node.outgoing() == [] and len(joined.served) == 1
    assert (joined.node.counters["strange"], joined.node.counters["unprotected"]) == (5, 2)


def test_before_there_are_keys_nobody_may_ask(joined, asking):
    joined.boot(2)
    joined.to_node(asking.datagram())
    assert joined.served == [] and joined.node.outgoing() == [] and joined.node.counters["strange"] == 1


def test_requests_that_wait_for_their_answer_are_bounded(joined, asking):
    for number in range(20):
        joined.to_node(asking.datagram(token=bytes((number,))), peer=f"way {number}")
    assert len(joined.node._served) == limits.COAP_EXCHANGES_PER_PEER_MAX
    first = joined.served[0].exchange
    assert joined.node.respond(first, messages.CHANGED, now_ms=1000) == Refused("unknown-exchange")
    assert joined.node.counters["unknown-exchange"] == 1


def test_a_critical_option_inside_that_nobody_knows_is_refused(joined, asking):
    joined.to_node(asking.datagram(options=((2049, b"?"),)))
    assert joined.served == [] and [answer.code for answer in asking.answers()] == [messages.BAD_OPTION]


def test_what_stands_outside_never_reaches_the_application(joined, asking):
    message = messages.decode(asking.datagram())
    options = list(message.options)
    for number, value in ((messages.URI_HOST, b"evil"), (messages.URI_QUERY, b"off"), (messages.MAX_AGE, b"")):
        messages.insert_option(options, number, value)
    joined.to_node(messages.encode(message._replace(options=options)))
    (request,) = joined.served
    assert request.query == () and request.options == ((messages.URI_PATH, b"c"),)
