"""The gateway's end of the node link: whom it hears, whom it meets with silence, and how much of anybody."""

import pytest

from gateway.core import limits
from gateway.core.link.link import NodeRequest
from simulator.hosts.keys import CIPHER, key_of
from tests.support.link_world import (
    GATEWAY,
    NODE,
    OTHER,
    Joined,
    again,
    answer_to,
    counted,
    gateway_of,
)
from tests.support.no_nonce_twice import no_nonce_twice
from wire import coap_message as messages
from wire import oscore
from wire.coap import Refused, Response
from wire.oscore_context import usual_kid


@pytest.fixture(autouse=True)
def ledger():
    with no_nonce_twice() as ledger:
        yield ledger


@pytest.fixture
def joined():
    joined = Joined()
    assert joined.answered(b"first")
    joined.heard.clear()
    return joined


def genuine(joined, payload=b"x", path=(b"t",), **more):
    """A request of the node that nobody has carried yet."""
    joined.lose = lambda source, datagram: source == "node"
    joined.node.request(GATEWAY, messages.POST, path, payload, now_ms=joined.now_ms, **more)
    ((_, datagram),) = joined.node.outgoing()
    return datagram


def with_header(datagram, **changes):
    message = messages.decode(datagram)
    header = oscore.header_of(message)._replace(**changes)
    return messages.encode(message._replace(options=((messages.OSCORE, oscore.encode_header(header)),)))


def test_a_known_node_is_heard_and_answered(joined):
    asked = joined.to_gateway(genuine(joined, path=(b"e", b"f")))
    path = ((messages.URI_PATH, b"e"), (messages.URI_PATH, b"f"))
    assert asked == [NodeRequest(NODE, "node", asked[0].exchange, messages.POST, (b"e", b"f"), b"x", (), path)]
    joined.settle()
    assert isinstance(joined.events[-1], Response) and joined.events[-1].payload == answer_to(b"x")


def test_strangers_meet_silence(joined):
    good = genuine(joined)
    message = messages.decode(good)
    clear = messages.Message(messages.CON, messages.POST, 1, b"t", ((messages.URI_PATH, b"t"),), b"x")
    flipped = good[:-1] + bytes((good[-1] ^ 1,))
    strangers = {
        "unprotected": [
            messages.encode(clear),
            messages.encode(clear._replace(options=((messages.PROXY_URI, b"coap://elsewhere"),))),
            messages.encode(clear._replace(options=((2049, b"critical"),))),
        ],
        "unknown-node": [with_header(good, kid=b"??"), with_header(good, kid=b"")],
        "unauthentic": [
            flipped,
            messages.encode(message._replace(payload=b"")),
            messages.encode(message._replace(options=(*message.options, *message.options))),
            with_header(good, kid=None),
            with_header(good, partial_iv=None),
            with_header(good, partial_iv=b"\x7f"),
            with_header(good, kid=usual_kid(OTHER), kid_context=b"\x48" + bytes(8)),
        ],
    }
    for reason, datagrams in strangers.items():
        before = counted(joined.link).get(reason, 0)
        for number, datagram in enumerate(datagrams):
            assert joined.to_gateway(again(datagram, 1000 + number), "somewhere") == [], reason
            assert joined.link.outgoing() == [], reason
        assert counted(joined.link)[reason] == before + len(datagrams)
    assert joined.to_gateway(good)[0].payload == b"x", "and none of it has changed anything"


def test_a_replay_is_counted_and_gets_no_word(joined):
    for datagram in [*joined.said("node")]:
        assert joined.to_gateway(again(datagram, 7)) == []
    assert counted(joined.link)["replayed"] == 1, "request 2; request 1 is offered a nonce"
    assert len(joined.link.outgoing()) == 1
    assert joined.answered(b"after it")


def test_a_duplicate_is_answered_from_memory_and_heard_once(joined):
    datagram = genuine(joined)
    joined.to_gateway(datagram)
    one = joined.link.outgoing()
    assert joined.to_gateway(datagram) == [] and joined.link.outgoing() == one


def test_unknown_ids_are_listed_and_bounded(joined):
    good = genuine(joined)
    for number in range(limits.LINK_UNKNOWN_MAX + 50):
        joined.now_ms += 1
        joined.to_gateway(again(with_header(good, kid=b"%04d" % number), number), ("192.0.2.1", number))
    assert len(joined.link.unknown) == limits.LINK_UNKNOWN_MAX and b"0000" not in joined.link.unknown
    joined.now_ms += 5
    joined.to_gateway(again(with_header(good, kid=b"0305"), 999), ("192.0.2.1", 1))
    unknown = joined.link.unknown[b"0305"]
    assert unknown.count == 2 and unknown.heard_ms == joined.now_ms and unknown.first_ms < joined.now_ms
    assert joined.link.outgoing() == [] and joined.link.sessions.agreed() == 1


def test_a_node_that_babbles_is_dropped_and_heard_again_in_time(joined):
    joined.link._requests_per_s = 2
    burst = 2 * limits.LINK_BURST_S
    heard = [bool(joined.to_gateway(genuine_of(joined))) for _ in range(burst + 3)]
    assert heard == [True] * burst + [False] * 3 and counted(joined.link)["limited"] == 3
    joined.now_ms += 500
    assert [bool(joined.to_gateway(genuine_of(joined))) for _ in range(2)] == [True, False]


def genuine_of(joined):
    """One more under the node's session, whatever its endpoint has under way."""
    session = joined.node._session
    number = session.next_number()
    content = messages.Content(messages.POST, ((messages.URI_PATH, b"t"),), b"%d" % number)
    sealed, _ = oscore.protect_request(session.context, content, CIPHER, number=number)
    made = messages.Message(messages.CON, sealed.code, number, b"%d" % number, sealed.options, sealed.payload)
    return messages.encode(made)


def test_a_request_beyond_the_rate_is_no_replay_when_it_is_sent_again(joined):
    """Found in review: it had moved the replay window, so CoAP's own retransmission could not mend it."""
    joined.link._requests_per_s = 1
    while joined.to_gateway(genuine_of(joined)):
        pass
    late = genuine_of(joined)
    assert joined.to_gateway(late) == []
    joined.now_ms += 4000
    assert joined.to_gateway(late) != [] and joined.to_gateway(again(late, 60_000)) == []
    assert "replayed" in counted(joined.link)


def test_one_node_that_babbles_takes_nothing_from_another(joined):
    joined.link._requests_per_s = 1
    while joined.to_gateway(genuine_of(joined)):
        pass
    joined.link._may_ask(OTHER, joined.now_ms)
    assert joined.link._may_ask(OTHER, joined.now_ms)


def test_what_is_open_is_bounded(joined, monkeypatch):
    monkeypatch.setattr(limits, "LINK_EXCHANGES_MAX", 3)
    joined.answers = False
    for number in range(6):
        joined.to_gateway(genuine_of(joined), f"way {number}")
    assert len(joined.link._opened) == 3
    exchanges = [asked.exchange for asked in joined.heard]
    outcomes = [joined.link.respond(number, messages.CHANGED, now_ms=joined.now_ms) for number in exchanges]
    assert outcomes == [Refused("unknown-exchange")] * 3 + [None] * 3
    assert joined.link.respond(exchanges[-1], messages.CHANGED, now_ms=joined.now_ms) == Refused("unknown-exchange")


def test_buckets_are_bounded(joined, monkeypatch):
    monkeypatch.setattr(limits, "INBOX_NODES_MAX", 2)
    for number in range(9):
        joined.link._may_ask(b"%d" % number, joined.now_ms)
    assert len(joined.link._buckets) == 2


@pytest.mark.parametrize("size", [240, 2000])
def test_after_an_answer_that_is_too_large_a_shorter_one_may_follow(joined, size):
    joined.answers = False
    (asked,) = joined.to_gateway(genuine(joined))
    refused = joined.link.respond(asked.exchange, messages.CHANGED, bytes(size), now_ms=joined.now_ms)
    assert refused == Refused("too-large")
    assert joined.link.respond(asked.exchange, messages.CHANGED, b"short", now_ms=joined.now_ms) is None
    joined.settle()
    assert joined.events[-1].payload == b"short"


def test_a_late_answer_travels_by_itself(joined):
    joined.answers = False
    (asked,) = joined.to_gateway(genuine(joined))
    joined.pass_time(5000)
    joined.lose = lambda source, datagram: False
    assert joined.link.respond(asked.exchange, messages.CHANGED, b"late", now_ms=joined.now_ms) is None
    joined.settle()
    assert joined.events[-1].payload == b"late" and joined.link.deadline_ms() is None


def test_a_critical_option_inside_that_nobody_knows_is_refused(joined):
    joined.ask(b"x", options=((2049, b"?"),))
    assert joined.heard == [] and joined.events[-1].code == messages.BAD_OPTION
    assert counted(joined.link)["option-refused-inside"] == 1


def test_what_stands_outside_never_reaches_the_application(joined):
    message = messages.decode(genuine(joined))
    options = list(message.options)
    for number, value in ((messages.URI_HOST, b"evil"), (messages.URI_PATH, b"c"), (messages.CONTENT_FORMAT, b"")):
        messages.insert_option(options, number, value)
    (asked,) = joined.to_gateway(messages.encode(message._replace(options=options)))
    assert asked.path == (b"t",)
    assert joined.link.unknown == {} and len(joined.link._opened) == 0


def test_keys_that_change_leave_the_sessions_of_who_stays(joined):
    joined.link.sessions.set_keys([key_of(NODE)])
    assert joined.answered(b"goes on") and joined.node.counters["handshakes"] == 1
    joined.link.sessions.set_keys([key_of(OTHER)])
    joined.ask(b"nobody any more")
    joined.pass_time(200_000)
    assert joined.failed() == ["timeout"] and usual_kid(NODE) in joined.link.unknown
    joined.link.sessions.set_keys([key_of(NODE)])
    assert joined.answered(b"adopted again") and joined.node.counters["handshakes"] == 2


def test_a_node_that_is_taken_away_while_it_waits_may_have_its_answer(joined):
    joined.answers = False
    (asked,) = joined.to_gateway(genuine(joined))
    joined.link.sessions.set_keys([])
    assert joined.link.respond(asked.exchange, messages.CHANGED, now_ms=joined.now_ms) is None


def test_what_is_no_coap_is_counted(joined):
    for datagram in (b"", b"\x40", b"\x40\x01\x00\x01\xff", bytes(300)):
        joined.to_gateway(datagram, "somewhere")
    assert joined.link.malformed() == 4 and joined.answered(b"x")


def test_a_kid_context_of_a_known_node_without_keys_is_told_so_once_for_each_request(joined):
    link = gateway_of((NODE,), joined.generator)
    link.receive(genuine(joined), "node", now_ms=0)
    ((peer, datagram),) = link.outgoing()
    message = messages.decode(datagram)
    assert peer == "node" and message.code == messages.UNAUTHORIZED and message.payload == b""
    assert messages.option_values(message.options, messages.OSCORE) == ()


def test_no_counter_and_no_listing_holds_a_secret(joined):
    texts = [repr(joined.link.counters), repr(joined.link.unknown), repr(joined.heard), repr(joined.link._opened)]
    for secret in (key_of(NODE).master_secret, joined.node._session.context.sender_key):
        assert all(secret.hex() not in text and repr(secret)[2:-1] not in text for text in texts)


def test_a_request_2_beyond_the_rate_is_heard_when_it_comes_again(joined):
    joined.link._requests_per_s = 1
    while joined.to_gateway(genuine_of(joined)):
        pass
    joined.boot(2)
    joined.heard.clear()
    joined.ask(b"after a reboot")
    assert joined.heard == [] and joined.link.sessions.counters["agreed"] == 2
    joined.pass_time(30_000)
    assert [asked.payload for asked in joined.heard] == [b"after a reboot"] and joined.node.counters["handshakes"] == 1
