"""The CoAP endpoint by itself and against hand-made datagrams: exact instants, exact bytes.

Long because each rule of RFC 7252 has its test, in the order of the RFC.
"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.examples import examples
from wire import coap, limits
from wire import coap_exchange as states
from wire import coap_message as messages
from wire.coap_exchange import bearer_timing
from wire.coap_message import ACK, CON, NON, RST, Message

START_MS = (1 << 62) + 12345  # a machine that assumed small numbers, or zero, would show it
NODE, GATEWAY, STRANGER = ("10.0.0.2", 5683), ("10.0.0.1", 5683), b"\x01\x02"


def endpoint(random=0, **options):
    """random: an integer that every draw returns (modulo its bound)."""
    options.setdefault("first_message_id", 0x100)
    return coap.Endpoint(random_below=lambda bound: random % bound, **options)


def sent(end):
    return [messages.decode(datagram) for _, datagram in end.outgoing()]


def post(mid=1, kind=CON, token=b"\x0a", payload=b"hi", options=((11, b"t"),)):
    return messages.encode(Message(kind, messages.POST, mid, token, options, payload))


def ask(end, now_ms=START_MS, **options):
    return end.request(GATEWAY, messages.POST, (b"t",), b"hi", now_ms=now_ms, **options)


def reply(request, code=messages.CHANGED, kind=ACK, mid=None, payload=b"", options=()):
    mid = request.message_id if mid is None else mid
    return messages.encode(Message(kind, code, mid, request.token, options, payload))


def accounted(end):
    return sum(end.counters[name] for name in coap.RECEIVED_AS + messages.REASONS) == end.counters["received"]


# --- asking: retransmission, timeouts, NSTART ---------------------------------------------------------------


@pytest.mark.parametrize(("random", "first_ms"), [(0, 4000), (2000, 6000), (777, 4777)])
def test_an_unanswered_request_is_sent_at_exact_instants_and_then_fails(random, first_ms):
    end = endpoint(random)
    exchange = ask(end)
    instants, datagrams = [START_MS], [end.outgoing()[0]]
    while True:
        due_ms = end.deadline_ms()
        assert end.poll(now_ms=due_ms - 1) == [] and end.outgoing() == []
        events = end.poll(now_ms=due_ms)
        if events:
            break
        instants.append(due_ms)
        datagrams += end.outgoing()
    assert [instant - START_MS for instant in instants] == [first_ms * factor for factor in (0, 1, 3, 7, 15)]
    assert due_ms - START_MS == first_ms * 31
    assert events == [coap.Failed(GATEWAY, exchange, "timeout")]
    assert len(set(datagrams)) == 1, "a retransmission is the same bytes"
    assert end.deadline_ms() is None and end.outgoing() == []
    assert (end.counters["retransmitted"], end.counters["timeouts"]) == (4, 1)


def test_the_first_timeout_spans_the_whole_random_range():
    bounds = []
    end = coap.Endpoint(random_below=lambda bound: bounds.append(bound) or bound - 1, first_message_id=0)
    ask(end)
    assert 2001 in bounds and end.deadline_ms() == START_MS + 6000


def test_the_default_times_follow_from_the_acknowledgement_timeout():
    timing = bearer_timing()
    assert (timing.response_wait_ms, timing.exchange_lifetime_ms) == (186000, 291000)
    with pytest.raises(AssertionError):
        bearer_timing(ack_timeout_ms=3999)


def test_a_piggybacked_answer_ends_the_exchange():
    end = endpoint()
    exchange = ask(end)
    (request,) = sent(end)
    answer = reply(request, messages.CONTENT, payload=b"x", options=((12, b"<"),))
    events = end.receive(answer, GATEWAY, now_ms=START_MS + 30)
    assert events == [coap.Response(GATEWAY, exchange, messages.CONTENT, 60, b"x", ((12, b"<"),))]
    assert end.deadline_ms() is None and end.outgoing() == []
    assert end.receive(answer, GATEWAY, now_ms=START_MS + 31) == [], "the same acknowledgement twice"
    assert end.counters["unmatched-response"] == 1


def test_path_query_format_and_further_options_are_ordered_on_the_wire():
    end = endpoint()
    end.request(
        GATEWAY,
        messages.GET,
        (b"p", b"", b"a/b"),
        query=(b"v=1", b"w"),
        content_format=60,
        options=((252, b"e"), (9, b"")),
        now_ms=0,
    )
    (request,) = sent(end)
    expected = (
        (9, b""),
        (11, b"p"),
        (11, b""),
        (11, b"a/b"),
        (12, b"<"),
        (15, b"v=1"),
        (15, b"w"),
        (252, b"e"),
    )
    assert request.options == expected


def test_an_answer_from_another_peer_or_with_another_token_does_not_match():
    end = endpoint()
    ask(end)
    (request,) = sent(end)
    assert end.receive(reply(request), STRANGER, now_ms=START_MS) == []
    assert end.receive(reply(request._replace(token=b"none")), GATEWAY, now_ms=START_MS) == []
    assert end.receive(reply(request, mid=0x9999), GATEWAY, now_ms=START_MS) == []
    assert end.counters["unmatched-response"] == 3
    assert end.deadline_ms() == START_MS + 4000, "still being retransmitted"


def test_a_separate_answer_is_acknowledged_and_its_duplicate_again():
    end = endpoint()
    exchange = ask(end)
    (request,) = sent(end)
    assert end.receive(messages.empty(ACK, request.message_id), GATEWAY, now_ms=START_MS + 1000) == []
    assert end.deadline_ms() == START_MS + 1000 + 186000, "no more retransmissions"
    separate = reply(request, kind=CON, mid=0x4242)
    assert end.receive(separate, GATEWAY, now_ms=START_MS + 9000) == [
        coap.Response(GATEWAY, exchange, messages.CHANGED, None, b"", ())
    ]
    assert end.outgoing() == [(GATEWAY, messages.empty(ACK, 0x4242))]
    assert end.receive(separate, GATEWAY, now_ms=START_MS + 13000) == []
    assert end.outgoing() == [(GATEWAY, messages.empty(ACK, 0x4242))]
    assert end.counters["duplicates"] == 1


def test_a_separate_answer_ahead_of_a_lost_acknowledgement_stops_the_retransmission():
    end = endpoint()
    ask(end)
    (request,) = sent(end)
    assert len(end.receive(reply(request, kind=CON, mid=5), GATEWAY, now_ms=START_MS + 50)) == 1
    assert end.deadline_ms() is None
    assert end.receive(messages.empty(ACK, request.message_id), GATEWAY, now_ms=START_MS + 60) == []
    assert end.counters["unmatched-acknowledgement"] == 1


def test_an_acknowledged_request_whose_answer_never_comes_fails():
    end = endpoint()
    exchange = ask(end)
    (request,) = sent(end)
    end.receive(messages.empty(ACK, request.message_id), GATEWAY, now_ms=START_MS)
    assert end.poll(now_ms=START_MS + 185999) == []
    assert end.poll(now_ms=START_MS + 186000) == [coap.Failed(GATEWAY, exchange, "timeout")]
    late = reply(request, kind=CON, mid=5)
    assert end.receive(late, GATEWAY, now_ms=START_MS + 186001) == []
    assert end.outgoing() == [(GATEWAY, messages.empty(RST, 5))], "nobody waits for it any more"


def test_a_reset_fails_the_request():
    end = endpoint()
    exchange = ask(end)
    (request,) = sent(end)
    events = end.receive(messages.empty(RST, request.message_id), GATEWAY, now_ms=START_MS)
    assert events == [coap.Failed(GATEWAY, exchange, "reset")]
    assert end.receive(messages.empty(RST, request.message_id), GATEWAY, now_ms=START_MS) == []
    assert (end.counters["resets"], end.counters["unmatched-reset"]) == (1, 1)


@pytest.mark.parametrize(
    ("kind", "answer"),
    [(ACK, []), (CON, [(GATEWAY, messages.empty(RST, 0x77))]), (NON, [])],
    ids=["ack", "con", "non"],
)
def test_an_answer_with_an_unknown_critical_option_is_refused(kind, answer):
    end = endpoint()
    exchange = ask(end)
    (request,) = sent(end)
    mid = request.message_id if kind == ACK else 0x77
    events = end.receive(
        reply(request, kind=kind, mid=mid, options=((65535, b""),)), GATEWAY, now_ms=START_MS
    )
    assert events == [coap.Failed(GATEWAY, exchange, "refused")]
    assert end.outgoing() == answer and end.counters["option-refused"] == 1


def test_one_request_is_outstanding_per_peer_and_the_rest_follow_in_order():
    end = endpoint()
    first, second, third = ask(end), ask(end), ask(end)
    other = end.request(STRANGER, messages.GET, (b"x",), now_ms=START_MS)
    datagrams = end.outgoing()
    assert [peer for peer, _ in datagrams] == [GATEWAY, STRANGER]
    outcomes = []
    request = messages.decode(datagrams[0][1])
    for now_ms in (START_MS + 10, START_MS + 20, START_MS + 30):
        outcomes += end.receive(reply(request), GATEWAY, now_ms=now_ms)
        following = sent(end)
        request = following[0] if following else None
    assert [event.exchange for event in outcomes] == [first, second, third]
    assert request is None and other not in [first, second, third]


def test_an_answer_to_a_request_that_was_not_sent_yet_does_not_match():
    end = endpoint()
    ask(end)
    waiting = ask(end)
    (request,) = sent(end)
    guessed = request._replace(token=b"\0\0\0\x01")
    assert end.receive(reply(guessed, kind=CON, mid=9), GATEWAY, now_ms=START_MS) == []
    assert end.outgoing() == [(GATEWAY, messages.empty(RST, 9))] and isinstance(waiting, int)
    assert (end.counters["unmatched-response"], end.counters["unexpected"]) == (1, 0)


def test_an_acknowledgement_frees_the_place_before_the_answer_comes():
    end = endpoint()
    ask(end)
    ask(end)
    (request,) = sent(end)
    end.receive(messages.empty(ACK, request.message_id), GATEWAY, now_ms=START_MS)
    assert len(sent(end)) == 1


def test_a_timeout_frees_the_place():
    end = endpoint()
    ask(end)
    second = ask(end)
    while not end.poll(now_ms=end.deadline_ms()):
        end.outgoing()
    assert len(sent(end)) == 1 and isinstance(second, int)


def test_a_bearer_may_allow_more_outstanding_requests():
    end = endpoint(timing=bearer_timing(nstart=2))
    ask(end)
    ask(end)
    ask(end)
    assert len(sent(end)) == 2


def test_a_full_queue_refuses_and_a_dead_peer_does_not_take_the_others_places():
    end = endpoint()
    accepted = [ask(end) for _ in range(limits.COAP_REQUESTS_PER_PEER_MAX)]
    assert all(isinstance(exchange, int) for exchange in accepted)
    assert ask(end) == coap.Refused("queue-full")
    assert isinstance(end.request(STRANGER, messages.GET, (), now_ms=START_MS), int)
    assert end.counters["queue-full"] == 1


def test_all_peers_together_have_a_bound_too():
    end = endpoint(requests_max=3)
    results = [end.request(peer, messages.GET, (), now_ms=0) for peer in range(4)]
    assert results[3] == coap.Refused("queue-full") and isinstance(results[2], int)


def test_what_does_not_fit_a_datagram_is_refused_and_leaves_nothing_behind():
    end = endpoint()
    assert end.request(GATEWAY, messages.POST, (b"t",), bytes(240), now_ms=0) == coap.Refused("too-large")
    assert end.outgoing() == [] and end.deadline_ms() is None
    assert isinstance(ask(end), int) and len(end.outgoing()) == 1


def test_a_nonconfirmable_request_is_sent_once():
    end = endpoint()
    exchange = ask(end, confirmable=False)
    (request,) = sent(end)
    assert request.type == NON
    assert end.poll(now_ms=START_MS + 100000) == [] and end.outgoing() == []
    events = end.receive(reply(request, kind=NON, mid=9), GATEWAY, now_ms=START_MS + 100001)
    assert [event.exchange for event in events] == [exchange] and end.outgoing() == []


def test_a_nonconfirmable_request_may_be_reset_or_time_out_but_not_be_acknowledged():
    end = endpoint()
    first, second = ask(end, confirmable=False), ask(end, confirmable=False)
    (request,) = sent(end)
    assert end.receive(messages.empty(ACK, request.message_id), GATEWAY, now_ms=START_MS) == []
    assert (end.counters["unmatched-acknowledgement"], end.counters["unexpected"]) == (1, 0)
    events = end.receive(messages.empty(RST, request.message_id), GATEWAY, now_ms=START_MS)
    assert events == [coap.Failed(GATEWAY, first, "reset")]
    assert end.poll(now_ms=START_MS + 186000) == [coap.Failed(GATEWAY, second, "timeout")]


def test_message_ids_start_where_told_and_wrap():
    end = endpoint(first_message_id=0xFFFF, timing=bearer_timing(nstart=3))
    for _ in range(3):
        ask(end)
    assert [message.message_id for message in sent(end)] == [0xFFFF, 0, 1]


def test_a_message_id_in_use_with_the_same_peer_is_skipped():
    end = endpoint(timing=bearer_timing(nstart=8))
    ask(end)
    end._message_id = 0x100
    ask(end)
    assert [message.message_id for message in sent(end)] == [0x100, 0x101]


def test_tokens_in_use_with_the_same_peer_differ_whatever_the_random_source():
    end = endpoint(timing=bearer_timing(nstart=3))
    for _ in range(3):
        ask(end)
    assert [message.token.hex() for message in sent(end)] == ["00000000", "00000001", "00000002"]


# --- answering ----------------------------------------------------------------------------------------------


def test_a_request_reaches_the_application_with_its_fields():
    end = endpoint()
    options = ((11, b"c"), (11, b"valve"), (12, b"<"), (15, b"z=1"), (252, b"echo"))
    (event,) = end.receive(post(options=options), NODE, now_ms=START_MS)
    assert event == coap.Request(NODE, 1, messages.POST, (b"c", b"valve"), (b"z=1",), 60, b"hi", options)


def test_a_quick_answer_rides_on_the_acknowledgement_and_is_repeated_to_a_duplicate():
    end = endpoint()
    (event,) = end.receive(post(mid=7), NODE, now_ms=START_MS)
    assert end.outgoing() == [], "the acknowledgement waits for the answer"
    assert (
        end.respond(event.exchange, messages.CHANGED, b"ok", content_format=60, now_ms=START_MS + 999) is None
    )
    answered = end.outgoing()
    assert messages.decode(answered[0][1]) == Message(ACK, messages.CHANGED, 7, b"\x0a", ((12, b"<"),), b"ok")
    assert end.deadline_ms() is None
    assert end.receive(post(mid=7), NODE, now_ms=START_MS + 290999) == []
    assert end.outgoing() == answered
    assert end.counters["duplicates"] == 1


def test_a_slow_answer_is_promised_after_the_processing_delay_and_then_confirmable():
    end = endpoint()
    (event,) = end.receive(post(mid=7), NODE, now_ms=START_MS)
    assert end.deadline_ms() == START_MS + 1000
    assert end.poll(now_ms=START_MS + 999) == [] and end.outgoing() == []
    assert end.poll(now_ms=START_MS + 1000) == []
    assert end.outgoing() == [(NODE, messages.empty(ACK, 7))]
    assert end.deadline_ms() is None
    end.respond(event.exchange, messages.CHANGED, now_ms=START_MS + 2500)
    assert sent(end) == [Message(CON, messages.CHANGED, 0x100, b"\x0a", (), b"")]
    assert end.deadline_ms() == START_MS + 2500 + 4000
    end.poll(now_ms=START_MS + 6500)
    assert sent(end) == [Message(CON, messages.CHANGED, 0x100, b"\x0a", (), b"")]
    assert end.receive(messages.empty(ACK, 0x100), NODE, now_ms=START_MS + 6600) == []
    assert end.deadline_ms() is None and accounted(end)


def test_a_separate_answer_that_nobody_acknowledges_is_given_up_and_counted():
    end = endpoint()
    (event,) = end.receive(post(), NODE, now_ms=START_MS)
    end.poll(now_ms=START_MS + 1000)
    end.respond(event.exchange, messages.CHANGED, now_ms=START_MS + 2000)
    while end.deadline_ms() is not None:
        assert end.poll(now_ms=end.deadline_ms()) == []
    assert len(end.outgoing()) == 1 + 5
    assert (end.counters["undelivered"], end.counters["retransmitted"]) == (1, 4)


def test_a_reset_ends_a_separate_answer():
    end = endpoint()
    (event,) = end.receive(post(), NODE, now_ms=START_MS)
    end.poll(now_ms=START_MS + 1000)
    end.respond(event.exchange, messages.CHANGED, now_ms=START_MS + 2000)
    assert end.receive(messages.empty(RST, 0x100), NODE, now_ms=START_MS + 2100) == []
    assert end.deadline_ms() is None and end.counters["resets"] == 1


def test_a_separate_answer_is_not_ended_by_a_response():
    end = endpoint()
    (event,) = end.receive(post(), NODE, now_ms=START_MS)
    end.poll(now_ms=START_MS + 1000)
    end.respond(event.exchange, messages.CHANGED, now_ms=START_MS + 2000)
    assert end.receive(reply(Message(CON, 2, 0x100, b"\x0a", (), b"")), NODE, now_ms=START_MS + 2100) == []
    assert end.deadline_ms() == START_MS + 6000
    assert (end.counters["unmatched-response"], end.counters["unexpected"]) == (1, 0)


def test_a_separate_answer_shares_the_places_with_our_own_requests():
    end = endpoint()
    (event,) = end.receive(post(), GATEWAY, now_ms=START_MS)
    end.poll(now_ms=START_MS + 1000)
    ask(end, now_ms=START_MS + 1500)
    end.outgoing()
    end.respond(event.exchange, messages.CHANGED, now_ms=START_MS + 2000)
    assert end.outgoing() == []
    end.receive(messages.empty(ACK, 0x100), GATEWAY, now_ms=START_MS + 2500)
    assert [message.code for message in sent(end)] == [messages.CHANGED]


def test_a_duplicate_is_silent_while_the_acknowledgement_is_open_and_acknowledged_after():
    end = endpoint()
    end.receive(post(mid=7), NODE, now_ms=START_MS)
    assert end.receive(post(mid=7), NODE, now_ms=START_MS + 10) == [] and end.outgoing() == []
    end.poll(now_ms=START_MS + 1000)
    end.outgoing()
    assert end.receive(post(mid=7), NODE, now_ms=START_MS + 4000) == []
    assert end.outgoing() == [(NODE, messages.empty(ACK, 7))]


def test_a_duplicate_while_the_separate_answer_is_under_way_gets_the_acknowledgement():
    end = endpoint()
    (event,) = end.receive(post(mid=7), NODE, now_ms=START_MS)
    end.poll(now_ms=START_MS + 1000)
    end.respond(event.exchange, messages.CHANGED, now_ms=START_MS + 2000)
    end.outgoing()
    assert end.receive(post(mid=7), NODE, now_ms=START_MS + 4000) == []
    assert end.outgoing() == [(NODE, messages.empty(ACK, 7))]


def test_the_same_id_with_other_bytes_is_another_message():
    end = endpoint()
    (first,) = end.receive(post(mid=7, payload=b"before the reboot"), NODE, now_ms=START_MS)
    (second,) = end.receive(post(mid=7, payload=b"after the reboot"), NODE, now_ms=START_MS + 1)
    assert (first.payload, second.payload) == (b"before the reboot", b"after the reboot")
    assert first.exchange != second.exchange and end.counters["duplicates"] == 0


def test_the_same_bytes_from_another_peer_are_another_message():
    end = endpoint()
    assert len(end.receive(post(), NODE, now_ms=START_MS)) == 1
    assert len(end.receive(post(), STRANGER, now_ms=START_MS)) == 1


def test_a_duplicate_after_eviction_or_after_the_lifetime_counts_as_new():
    end = endpoint(exchanges_per_peer_max=1)
    (event,) = end.receive(post(mid=1), NODE, now_ms=START_MS)
    end.respond(event.exchange, messages.CHANGED, now_ms=START_MS)
    (event,) = end.receive(post(mid=2), NODE, now_ms=START_MS)
    end.respond(event.exchange, messages.CHANGED, now_ms=START_MS)
    (event,) = end.receive(post(mid=1), NODE, now_ms=START_MS + 5)
    end.respond(event.exchange, messages.CHANGED, now_ms=START_MS + 5)
    assert end.counters["evicted"] == 2
    assert end.receive(post(mid=1), NODE, now_ms=START_MS + 5 + 290999) == []
    assert len(end.receive(post(mid=1), NODE, now_ms=START_MS + 5 + 291000)) == 1


def test_a_nonconfirmable_request_is_answered_once_and_its_duplicate_in_silence():
    end = endpoint()
    (event,) = end.receive(post(kind=NON), NODE, now_ms=START_MS)
    assert end.deadline_ms() is None
    assert end.receive(post(kind=NON), NODE, now_ms=START_MS + 1) == []
    end.respond(event.exchange, messages.CHANGED, now_ms=START_MS + 5000)
    assert sent(end) == [Message(NON, messages.CHANGED, 0x100, b"\x0a", (), b"")]
    assert end.receive(post(kind=NON), NODE, now_ms=START_MS + 6000) == [] and end.outgoing() == []
    assert (end.counters["duplicates"], end.counters["unexpected"]) == (2, 0)


def test_an_answer_is_given_once():
    end = endpoint()
    (event,) = end.receive(post(), NODE, now_ms=START_MS)
    assert end.respond(event.exchange, messages.CHANGED, now_ms=START_MS) is None
    assert end.respond(event.exchange, messages.CHANGED, now_ms=START_MS) == coap.Refused("answered")
    assert end.respond(999, messages.CHANGED, now_ms=START_MS) == coap.Refused("unknown-exchange")
    assert len(end.outgoing()) == 1


def test_an_answer_that_does_not_fit_may_be_followed_by_a_shorter_one():
    end = endpoint()
    (event,) = end.receive(post(), NODE, now_ms=START_MS)
    too_large = end.respond(event.exchange, messages.CONTENT, bytes(250), now_ms=START_MS)
    assert too_large == coap.Refused("too-large") and end.outgoing() == []
    assert end.respond(event.exchange, messages.CONTENT, bytes(200), now_ms=START_MS) is None
    assert len(end.outgoing()) == 1


def test_an_exchange_the_application_never_answers_is_abandoned():
    end = endpoint()
    (event,) = end.receive(post(), NODE, now_ms=START_MS)
    end.poll(now_ms=START_MS + 1000)
    end.poll(now_ms=START_MS + 291000)
    assert end.counters["abandoned"] == 1
    refused = end.respond(event.exchange, messages.CHANGED, now_ms=START_MS + 291000)
    assert refused == coap.Refused("unknown-exchange")


def test_a_dropped_request_gets_no_word_and_leaves_no_trace():
    end = endpoint()
    (event,) = end.receive(post(), NODE, now_ms=START_MS)
    assert end.drop(event.exchange) is None
    assert end.deadline_ms() is None and end.poll(now_ms=START_MS + 5000) == [] and end.outgoing() == []
    assert len(end.receive(post(), NODE, now_ms=START_MS)) == 1
    assert end.drop(event.exchange) == coap.Refused("unknown-exchange")


def test_a_full_memory_of_open_requests_drops_the_next_one_until_there_is_room():
    end = endpoint(exchanges_max=2)
    (first,) = end.receive(post(mid=1), "a", now_ms=START_MS)
    end.receive(post(mid=1), "b", now_ms=START_MS)
    assert end.receive(post(mid=1), "c", now_ms=START_MS) == [] and end.outgoing() == []
    assert end.counters["busy"] == 1
    end.respond(first.exchange, messages.CHANGED, now_ms=START_MS)
    assert len(end.receive(post(mid=1), "c", now_ms=START_MS + 4000)) == 1, "its retransmission finds a place"


@pytest.mark.parametrize(
    ("number", "code"),
    [(65535, messages.BAD_OPTION), (9, messages.BAD_OPTION), (35, messages.PROXYING_NOT_SUPPORTED)],
)
def test_a_request_with_an_unknown_critical_option_is_answered_for_the_application(number, code):
    end = endpoint()
    datagram = post(mid=3, options=((number, b"x"),))
    for _ in range(2):
        assert end.receive(datagram, NODE, now_ms=START_MS) == []
        assert sent(end) == [Message(ACK, code, 3, b"\x0a", (), b"")]
    assert end.receive(post(kind=NON, options=((number, b"x"),)), NODE, now_ms=START_MS) == []
    assert end.outgoing() == [] and end.counters["option-refused"] == 3


def test_an_unknown_elective_option_is_passed_on():
    end = endpoint()
    (event,) = end.receive(post(options=((11, b"t"), (65534, b"x"))), NODE, now_ms=START_MS)
    assert event.options == ((11, b"t"), (65534, b"x"))


def test_a_layer_above_may_take_critical_options():
    end = endpoint(handled_options=(messages.OSCORE,))
    (event,) = end.receive(post(options=((9, b"\x09\x00"),)), NODE, now_ms=START_MS)
    assert event.options == ((9, b"\x09\x00"),)


# --- rejecting ----------------------------------------------------------------------------------------------


def test_a_ping_is_answered_by_a_reset():
    end = endpoint()
    assert end.receive(messages.empty(CON, 0x1234), NODE, now_ms=START_MS) == []
    assert end.outgoing() == [(NODE, messages.empty(RST, 0x1234))] and end.counters["pings"] == 1


@pytest.mark.parametrize(
    ("datagram", "reason", "answer"),
    [
        ("40011234ff", "empty-payload", "70001234"),
        ("50011234ff", "empty-payload", None),
        ("60451234ff", "empty-payload", None),
        ("4000123400", "empty-with-content", "70001234"),
        ("50001234", "type-and-code", None),
        ("80011234", "version", None),
        ("4001", "too-short", None),
        ("4002123411" + "00" * 250, "too-long", "70001234"),
    ],
)
def test_malformed_is_counted_and_only_a_confirmable_message_is_rejected_aloud(datagram, reason, answer):
    end = endpoint()
    assert end.receive(bytes.fromhex(datagram), NODE, now_ms=START_MS) == []
    assert [datagram.hex() for _, datagram in end.outgoing()] == ([answer] if answer else [])
    assert end.counters[reason] == 1 and accounted(end)


@pytest.mark.parametrize(("kind", "answers"), [(CON, ["70000055"]), (NON, [])])
def test_an_answer_nobody_asked_for_is_reset_when_confirmable(kind, answers):
    end = endpoint()
    assert end.receive(reply(Message(CON, 1, 0, b"who", (), b""), kind=kind, mid=0x55), NODE, now_ms=0) == []
    assert [datagram.hex() for _, datagram in end.outgoing()] == answers
    assert end.counters["unmatched-response"] == 1


def test_outgoing_is_bounded_and_its_overflow_counted():
    end = endpoint(outgoing_max=2)
    for mid in range(5):
        end.receive(messages.empty(CON, mid), NODE, now_ms=START_MS)
    assert len(end.outgoing()) == 2 and end.counters["outgoing-dropped"] == 3
    assert end.counters["sent"] == 2


def test_memory_stays_bounded_under_a_flood_from_ten_thousand_peers():
    end = endpoint()
    for number in range(10_000):
        for event in end.receive(post(mid=number & 0xFFFF), number, now_ms=START_MS + number):
            if number % 3:
                end.respond(event.exchange, messages.CHANGED, now_ms=START_MS + number)
        end.poll(now_ms=START_MS + number)
        end.outgoing()
    held = [end._timed, end._queue, end._places, end._sent, end._asked, end._memory._by_peer, end._memory]
    assert max(len(container) for container in held) <= limits.COAP_EXCHANGES_MAX
    assert end.counters["received"] == 10_000 and end.counters["busy"] > 0 and accounted(end)


def test_a_noisy_peer_evicts_itself_and_not_the_others():
    end = endpoint()
    (event,) = end.receive(post(), NODE, now_ms=START_MS)
    end.respond(event.exchange, messages.CHANGED, now_ms=START_MS)
    end.outgoing()
    for mid in range(1000):
        for noisy in end.receive(post(mid=mid), STRANGER, now_ms=START_MS):
            end.respond(noisy.exchange, messages.CHANGED, now_ms=START_MS)
        end.outgoing()
    assert end.receive(post(), NODE, now_ms=START_MS + 5000) == [] and len(end.outgoing()) == 1


# --- the tables and any bytes -------------------------------------------------------------------------------


def test_the_tables_lead_only_to_states_they_have_and_to_actions_that_exist():
    for table in (states.ASKED, states.SERVED):
        known = {row[0] for row in table} | {states.DONE}
        for _, _, following, action in table:
            assert following in known and callable(getattr(coap.Endpoint, action))
        assert len({row[:2] for row in table}) == len(table)


def test_every_state_but_the_first_can_be_reached_and_the_last_is_final():
    for table, starts in ((states.ASKED, {states.QUEUED}), (states.SERVED, {states.OPEN, states.HEARD})):
        reached = set(starts)
        for _ in table:
            reached |= {row[2] for row in table if row[0] in reached}
        assert reached - {states.DONE} == {row[0] for row in table}
    assert states.DONE not in {row[0] for row in states.ASKED}


def test_what_the_tables_do_not_have_is_counted_and_changes_nothing():
    end = endpoint()
    ask(end)
    ask(end)
    end.outgoing()
    assert end.receive(messages.empty(ACK, 0x101), GATEWAY, now_ms=START_MS) == [], "it has not been sent yet"
    assert end.counters["unexpected"] == 1
    end.receive(messages.empty(RST, 0x100), GATEWAY, now_ms=START_MS)
    assert [message.message_id for message in sent(end)] == [0x101]


plausible = st.builds(
    lambda kind, code, mid, token, options, payload: messages.encode(
        Message(kind, code, mid, token, options, payload)
    ),
    st.sampled_from((CON, NON, ACK, RST)),
    st.sampled_from((0, 1, 2, 0x44, 0x45, 0x84)),
    st.integers(0x100, 0x104),
    st.sampled_from((b"", b"\0\0\0\0", b"\0\0\0\x01")),
    st.sampled_from(((), ((11, b"t"),), ((65535, b""),))),
    st.sampled_from((b"", b"x")),
)


@examples(times=2)
@given(st.lists(st.tuples(st.one_of(st.binary(max_size=40), plausible), st.integers(0, 5000)), max_size=40))
def test_any_datagrams_at_any_time_never_raise_and_are_all_accounted_for(arrivals):
    end = endpoint(exchanges_max=3, exchanges_per_peer_max=2)
    now_ms = 0
    outcomes = []
    asked = [ask(end, now_ms=0, confirmable=kind) for kind in (True, False, True)]
    for datagram, pause_ms in arrivals:
        now_ms += pause_ms
        events = end.receive(datagram, GATEWAY, now_ms=now_ms) + end.poll(now_ms=now_ms)
        for event in events:
            if isinstance(event, coap.Request):
                end.respond(event.exchange, messages.CHANGED, now_ms=now_ms + pause_ms)
            else:
                outcomes.append(event.exchange)
        end.outgoing()
    while end.deadline_ms() is not None:
        now_ms = max(now_ms, end.deadline_ms())
        outcomes += [event.exchange for event in end.poll(now_ms=now_ms)]
        end.outgoing()
    assert sorted(outcomes) == asked, "each request has exactly one outcome"
    assert accounted(end) and not (end._sent or end._asked or end._places or end._queue)
