"""A node's end of the protected link, against a gateway's: keys agreed on, lost, agreed on again; hostile peers."""

import pytest

from simulator.hosts.keys import CIPHER, key_of, link_of, pairing_of
from tests.support.link_world import GATEWAY, NODE, OTHER, Joined, again, gateway_of, option_of
from tests.support.no_nonce_twice import no_nonce_twice
from wire import coap_message as messages
from wire import limits, oscore, oscore_context
from wire.coap import Failed, Refused, Response
from wire.coap_exchange import bearer_timing
from wire.oscore import Header
from wire.oscore_context import GATEWAY_ID, NONCES_MAX, Session, unwrap, usual_kid, wrap
from wire.oscore_link import INIT, OFFERED, PROVEN


@pytest.fixture(autouse=True)
def ledger():
    with no_nonce_twice() as ledger:
        yield ledger


@pytest.fixture
def joined():
    return Joined()


def lose_first(*places):
    """Loses the datagrams of these places, counted from 0 over both directions."""
    given = []

    def lose(_source, _datagram):
        given.append(1)
        return len(given) - 1 in places

    return lose


def codes(datagrams):
    return [messages.decode(datagram).code for datagram in datagrams]


# --- agreeing -------------------------------------------------------------------------------------------------


def test_keys_are_agreed_on_with_four_messages_and_the_kid_context_goes_along_until_an_answer_holds(joined):
    assert joined.node.state == INIT
    assert joined.answered(b"one") and joined.node.state == PROVEN
    first, second = joined.said("node")
    one, two = joined.said(GATEWAY)
    id1, r2, both = (unwrap(option_of(datagram).kid_context) for datagram in (first, one, second))
    assert (len(id1), len(r2)) == (8, 8) and both[:8] == r2 and both[8:] != id1
    assert id1[:4] == both[8:12] == (1).to_bytes(4, "big"), "the boot number"
    assert option_of(two).kid_context is None and option_of(one).kid is None
    assert joined.answered(b"two")
    assert option_of(joined.said("node")[-1]) == Header(b"\1", None, usual_kid(NODE))
    assert [one.payload for one in joined.heard] == [b"one", b"two"]
    assert joined.link.sessions.counters == {"handshakes": 1, "agreed": 1, "keys-unknown": 0}


def test_what_waits_for_keys_leaves_one_request_a_poll_and_the_next_at_once(joined):
    """Each is sealed, which takes a chip 12 ms."""
    below, said = joined.generator.randrange, []
    node = joined.node = link_of(NODE, GATEWAY, boot=2, random_below=below, timing=bearer_timing(nstart=3))
    for payload in (b"one", b"two", b"three"):
        node.request(GATEWAY, messages.POST, (b"t",), payload, now_ms=joined.now_ms)
    for _, datagram in node.outgoing():
        joined.to_gateway(datagram)
    joined.link.poll(now_ms=joined.now_ms)
    ((_, offer),) = joined.link.outgoing()
    joined.to_node(offer)
    for _ in range(3):
        said.append(len(node.outgoing()))
        assert (node.deadline_ms() == 0) == (len(said) < 3)
        assert not node.poll(now_ms=joined.now_ms)
    assert said == [1, 1, 1] and node.outgoing() == []


def test_request_1_says_nothing_of_what_is_asked(joined):
    joined.lose = lambda source, datagram: True
    joined.ask(b"secret payload", path=(b"very-long-path"))
    (first,) = joined.said("node")
    assert len(first) < 50 and joined.node.state == INIT


def test_two_requests_wait_for_one_handshake(joined):
    for payload in (b"alarm", b"telemetry"):
        joined.node.request(GATEWAY, messages.POST, (b"e",), payload, now_ms=joined.now_ms)
    joined.settle()
    assert [event.exchange for event in joined.events] == [1, 2] and joined.node.counters["handshakes"] == 1
    assert [one.payload for one in joined.heard] == [b"alarm", b"telemetry"]


@pytest.mark.parametrize("place", range(4), ids=["request 1", "response 1", "request 2", "response 2"])
def test_any_message_of_the_handshake_may_be_lost(joined, place):
    joined.lose = lose_first(place)
    joined.ask(b"x")
    assert joined.events == []
    joined.pass_time(30_000)
    (event,) = joined.events
    assert isinstance(event, Response) and [one.payload for one in joined.heard] == [b"x"]
    assert joined.node.state == PROVEN and joined.node.counters["handshakes"] == 1


def test_a_gateway_that_is_away_fails_what_waits_and_nothing_stays(joined):
    joined.lose = lambda source, datagram: True
    for payload in (b"a", b"b"):
        joined.ask(payload)
    joined.pass_time(200_000)
    assert joined.failed() == ["timeout", "timeout"] and joined.node.state == INIT
    joined.lose = lambda source, datagram: False
    assert joined.answered() and joined.node.deadline_ms() is None


def test_a_response_1_that_is_no_such_thing_fails_the_request(joined):
    others = gateway_of((OTHER,), joined.generator)
    other = link_of(OTHER, GATEWAY, boot=1, random_below=joined.generator.randrange)
    other.request(GATEWAY, messages.POST, (b"t",), b"x", now_ms=0)
    others.receive(other.outgoing()[0][1], "other", now_ms=0)
    foreign = messages.decode(others.outgoing()[0][1])
    joined.lose = lambda source, datagram: True
    for made in (
        {"options": (), "payload": b""},  # in the clear
        {"options": foreign.options, "payload": foreign.payload},
        {"options": ((messages.OSCORE, b""),), "payload": bytes(9)},  # no kid context
        {"options": ((messages.OSCORE, b"\x10\x02\x41\x00"),), "payload": bytes(9)},
        {"options": ((messages.OSCORE, b"\x10\x01\x00"),), "payload": bytes(9)},
        {"options": ((messages.OSCORE, b"\x10\x05\x44abcd"), (messages.OSCORE, b"")), "payload": bytes(9)},
    ):
        joined.events.clear()
        joined.ask(b"x")
        asked = messages.decode(joined.said("node")[-1])
        made = messages.Message(messages.ACK, messages.UNAUTHORIZED, asked.message_id, asked.token, **made)
        joined.to_node(messages.encode(made))
        assert joined.failed() == ["unauthentic"] and joined.node.state == INIT, made
    assert joined.node.counters["unauthentic"] == 6
    joined.lose = lambda source, datagram: False
    assert joined.answered()


@pytest.mark.parametrize(
    ("code", "r2"),
    [(messages.CHANGED, b"12345678"), (messages.UNAUTHORIZED, b"1234567"), (messages.UNAUTHORIZED, b"")],
)
def test_a_response_1_must_be_a_protected_4_01_with_a_nonce_of_8_bytes(joined, code, r2):
    """Somebody who has the keys and does not do as we do."""
    joined.lose = lambda source, datagram: source == "node"
    joined.ask(b"x")
    request = messages.decode(joined.said("node")[-1])
    header = oscore.header_of(request)
    id1 = unwrap(header.kid_context)
    pairing = oscore_context.Pairing(key_of(NODE).master_secret, GATEWAY_ID, usual_kid(NODE))
    _, exchange, _ = oscore.unprotect_request(
        pairing.context(id1), request, CIPHER, window=oscore_context.NEW, kid_context=header.kid_context
    )
    sealed = oscore.protect_response(
        pairing.context(r2 + id1),
        messages.Content(code, (), b""),
        CIPHER,
        exchange,
        kid_context=wrap(r2),
    )
    made = messages.Message(
        messages.ACK, sealed.code, request.message_id, request.token, sealed.options, sealed.payload
    )
    joined.to_node(messages.encode(made))
    assert joined.failed() == ["unauthentic"] and joined.node.state == INIT


# --- starts of either side ----------------------------------------------------------------------------------


def test_a_gateway_that_starts_anew_says_so_and_the_request_goes_out_again(joined):
    assert joined.answered(b"one")
    joined.restart()
    assert joined.answered(b"two")
    assert joined.node.counters["keys-lost"] == 1 and joined.node.counters["handshakes"] == 2
    assert [one.payload for one in joined.heard] == [b"one", b"two"]
    assert joined.link.counters["keys-unknown"] == 1


def test_a_gateway_that_starts_anew_between_response_1_and_request_2(joined):
    joined.lose = lose_first(2)
    joined.ask(b"x")
    joined.restart()
    joined.pass_time(20_000)
    assert isinstance(joined.events[0], Response) and joined.node.counters["handshakes"] == 2


def test_a_node_that_reboots_has_keys_of_its_own_and_its_old_requests_are_nothing(joined):
    assert joined.answered(b"one") and joined.answered(b"two")
    old = joined.said("node")
    joined.boot(2)
    assert joined.answered(b"three")
    before, heard = joined.link.sessions.member(usual_kid(NODE)).session, len(joined.heard)
    for number, datagram in enumerate(old):
        joined.to_gateway(again(datagram, number))
        joined.to_gateway(datagram, peer="elsewhere")
    joined.link.outgoing()
    assert len(joined.heard) == heard and joined.link.sessions.member(usual_kid(NODE)).session is before
    assert joined.answered(b"four") and joined.node.counters["handshakes"] == 1


def test_gateways_that_stand_in_for_each_other_are_found_again_after_one_silence(joined):
    """Each has keys of the node from another time, and cannot know from the tag that does not hold who speaks."""
    one = joined.link
    assert joined.answered(b"one")
    two = joined.restart()
    assert joined.answered(b"two")
    joined.link = one
    assert not joined.answered(b"three"), "silence"
    joined.pass_time(200_000)
    assert joined.failed() == ["timeout"] and joined.node.state == OFFERED
    assert joined.answered(b"four")
    joined.link = two
    joined.ask(b"five")
    joined.pass_time(200_000)
    assert joined.answered(b"six") and joined.node.state == PROVEN
    assert [one.payload for one in joined.heard] == [b"one", b"two", b"four", b"six"]


def test_keys_are_agreed_on_anew_before_too_many_messages(joined, monkeypatch):
    monkeypatch.setattr(limits, "OSCORE_MESSAGES_MAX", 5)
    for count in range(12):
        assert joined.answered(b"%d" % count)
    assert joined.node.counters["handshakes"] == 3 and len(joined.heard) == 12
    numbers = [option_of(datagram).partial_iv for datagram in joined.said("node")]
    assert max(numbers) < b"\5"


def test_the_last_nonce_of_a_boot_is_the_last(joined):
    joined.node._nonces = NONCES_MAX - 2
    assert joined.answered(b"one")
    joined.restart()
    assert not joined.answered(b"two") and joined.failed() == ["exhausted"]
    joined.boot(2)
    assert joined.answered(b"three")


# --- answers ---------------------------------------------------------------------------------------------------


def test_the_application_of_an_answer_sees_no_outer_option(joined):
    def host(source, datagram):
        message = messages.decode(datagram)
        if source == GATEWAY and oscore.header_of(message).kid_context is None:
            joined.to_node(messages.encode(message._replace(options=((messages.URI_HOST, b"evil"), *message.options))))
            return True
        return False

    joined.lose = host
    joined.ask()
    assert joined.events[-1].options == ()


def test_a_critical_option_in_an_answer_fails_the_request(joined, monkeypatch):
    monkeypatch.setattr(
        joined.link.sessions.__class__,
        "seal",
        lambda sessions, opened, content: oscore.protect_response(
            opened.session.context, content._replace(options=((2049, b"?"),)), CIPHER, opened.exchange
        ),
    )
    joined.ask()
    assert joined.failed() == ["refused"] and joined.node.state == PROVEN


# --- what sits above ------------------------------------------------------------------------------------------


def test_options_and_format_are_protected_and_in_order(joined):
    joined.ask(b"x", path=b"f", content_format=60, options=((messages.URI_QUERY, b"q"), (messages.ECHO, b"e")))
    assert joined.heard[0].path == (b"f",)
    for datagram in joined.said("node"):
        numbers = [number for number, _ in messages.decode(datagram).options]
        assert numbers == [messages.OSCORE]


def test_requests_beyond_the_bound_are_refused(joined):
    joined.lose = lambda source, datagram: True
    outcomes = [joined.ask(b"x") for _ in range(limits.COAP_REQUESTS_PER_PEER_MAX + 1)]
    assert outcomes[-1] == Refused("queue-full") and outcomes[:-1] == list(range(1, 9))
    assert joined.node.counters["queue-full"] == 1


@pytest.mark.parametrize("size", [235, 1500])
def test_a_request_that_fits_no_datagram_fails_and_hurts_no_other(joined, size):
    assert joined.answered(b"one")
    joined.ask(bytes(size))
    assert len(joined.failed()) == 1 and joined.node.deadline_ms() is None
    assert joined.answered(b"two") and joined.node._asks == []


def test_the_longest_payload_of_a_node_fits_with_both_nonces(joined):
    from node import limits as node_limits

    payload = bytes(node_limits.PAYLOAD_BYTES_MAX)
    joined.node._session = Session(joined.node._pairing.context(bytes(16)))
    joined.node._session.number = limits.OSCORE_MESSAGES_MAX - 1
    joined.ask(payload)
    assert max(map(len, joined.said("node"))) <= limits.DATAGRAM_BYTES_MAX and joined.failed() == []


def test_an_event_that_waits_is_due_now(joined):
    joined.node.request(GATEWAY, messages.POST, (b"t",), bytes(3000), now_ms=joined.now_ms)
    joined.node.outgoing()
    joined.node._session = Session(joined.node._pairing.context(bytes(16)))
    joined.node._send(joined.now_ms)
    assert joined.node.deadline_ms() == 0
    assert isinstance(joined.node.poll(now_ms=joined.now_ms)[0], Failed)


def test_nothing_that_is_shown_holds_a_secret(joined):
    assert joined.answered()
    pairing, session = pairing_of(NODE), joined.node._session
    secrets = [key_of(NODE).master_secret, session.context.sender_key, session.context.recipient_key]
    gateway = joined.link.sessions
    member = gateway.member(usual_kid(NODE))
    shown = [pairing, session, session.context, joined.node, joined.node._asks, key_of(NODE), member, member.session]
    shown += [member.pairing, gateway, joined.link, joined.heard, joined.events, joined.node.counters]
    shown += [joined.link.counters, joined.link.unknown, joined.node._served]
    for thing in shown:
        for text in (repr(thing), str(thing), f"{thing}"):
            for secret in secrets:
                assert secret.hex() not in text and repr(secret)[2:-1] not in text
