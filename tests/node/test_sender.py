"""From the outbox to the gateway: alarms never wait behind telemetry, failures back off, answers settle once."""

import itertools

import pytest

from node import limits
from node.outbox import Outbox
from node.sender import Channel, Sender
from tests.portable.node_day import TICKS_WRAP_MS, Generator
from wire import coap_message as messages
from wire.coap import Endpoint, Request, Response
from wire.coap_exchange import bearer_timing
from wire.event import ALARM, EVENT, LANES, TELEMETRY
from wire.record import Answer, encode_answer

STARTED_MS = TICKS_WRAP_MS - 10_000
TIME = encode_answer(Answer(1_795_521_600, 0, None, 0))


class Bench:
    """A sender on a real endpoint, and a gateway's endpoint that answers only when the test says so."""

    def __init__(self, *, random_below=None, hold_ms=0):
        below = Generator(7).below
        self.now_ms = STARTED_MS
        self.box = Outbox()
        self.end = Endpoint(random_below=below, first_message_id=65_530, timing=bearer_timing(nstart=2))
        self.gateway = Endpoint(random_below=below, first_message_id=1)
        self.sender = Sender(
            self.end,
            self.box,
            peer="gateway",
            random_below=random_below or below,
            hold_until_ms=STARTED_MS + hold_ms,
        )
        self.needs_time = False
        self.requests = []  # (instant ms, Request), in the order they came
        self.answers = []
        self.datagrams = []
        self.reachable = True
        self.next = 0

    def put(self, lane, count=1, size=40):
        for _ in range(count):
            self.box.put(lane, self.next, bytes([self.next % 256]) * size)
            self.next += 1

    def turn(self):
        for happened in self.end.poll(now_ms=self.now_ms):
            self.sender.handle(happened, now_ms=self.now_ms)
        self.sender.send(now_ms=self.now_ms, needs_time=self.needs_time)
        for _, datagram in self.end.outgoing():
            self.datagrams.append(datagram)
            if self.reachable:
                self.requests += [
                    (self.now_ms, found)
                    for found in self.gateway.receive(datagram, "node", now_ms=self.now_ms)
                    if isinstance(found, Request)
                ]

    def run(self, seconds, answer=None):
        """Turns at every deadline; `answer(request)` gives code and payload of an immediate reply."""
        end_ms = self.now_ms + 1000 * seconds
        while True:
            seen = len(self.requests)
            self.turn()
            if answer is not None:
                for _, request in self.requests[seen:]:
                    self.reply(request, *answer(request))
            dues = [due for due in (self.end.deadline_ms(), self.sender.deadline_ms()) if due is not None]
            due_ms = max(self.now_ms, min(dues, default=end_ms + 1))
            if due_ms > end_ms:
                break
            self.now_ms = due_ms if due_ms > self.now_ms or len(self.requests) > seen else due_ms + 1
        self.now_ms = end_ms

    def reply(self, request, code=messages.CHANGED, payload=TIME):
        """The gateway answers; returns what the sender made of it, and keeps the datagrams."""
        self.gateway.respond(request.exchange, code, payload, now_ms=self.now_ms)
        self.answers = [datagram for _, datagram in self.gateway.outgoing()]
        return [result for datagram in self.answers for result in self.deliver(datagram)]

    def deliver(self, datagram):
        happened = self.end.receive(datagram, "gateway", now_ms=self.now_ms)
        return [self.sender.handle(one, now_ms=self.now_ms) for one in happened]

    def take(self):
        """The requests that the turns of an instant bring to the gateway."""
        seen = len(self.requests)
        while (due_ms := self.sender.deadline_ms()) is not None and due_ms <= self.now_ms:
            self.turn()
        return [request for _, request in self.requests[seen:]]


def lane_of(request):
    return "empty" if not request.payload else request.path[0].decode()


def test_nothing_is_sent_before_the_spread_is_over():
    bench = Bench(hold_ms=90_000)
    bench.put(ALARM)
    assert bench.sender.deadline_ms() == STARTED_MS + 90_000
    bench.run(89)
    assert bench.datagrams == []
    bench.run(2)
    assert bench.requests[0][0] == STARTED_MS + 90_000


def test_a_request_names_the_lane_and_holds_whole_records():
    bench = Bench()
    bench.put(TELEMETRY, 9)
    bench.put(EVENT, 2)
    urgent, bulk = bench.take()
    assert (urgent.path, bulk.path) == ((b"e",), (b"t",))
    assert bulk.payload == b"".join(bytes([number]) * 40 for number in range(5))
    assert len(bulk.payload) <= limits.PAYLOAD_BYTES_MAX
    assert len(urgent.payload) == 80


def test_the_largest_payload_fits_a_datagram():
    bench = Bench()
    bench.put(TELEMETRY, 1, size=limits.PAYLOAD_BYTES_MAX)
    assert len(bench.take()) == 1
    assert max(len(datagram) for datagram in bench.datagrams) <= 250


def test_alarms_leave_before_events_and_never_in_one_payload():
    bench = Bench()
    bench.put(EVENT, 1)
    bench.put(ALARM, 1)
    (first,) = bench.take()
    assert first.payload[0] == 1
    bench.reply(first)
    (second,) = bench.take()
    assert second.payload[0] == 0


def test_one_exchange_a_channel():
    bench = Bench()
    bench.put(ALARM, 20)
    bench.put(TELEMETRY, 20)
    assert len(bench.take()) == 2
    bench.put(ALARM, 1)
    assert bench.take() == []


def test_one_exchange_a_turn_and_the_next_turn_at_once():
    """To seal a payload takes a chip as long as all the rest of a turn."""
    bench = Bench()
    bench.put(TELEMETRY, 20)
    bench.put(ALARM, 20)
    lanes = []
    for _ in range(2):
        assert bench.sender.deadline_ms() <= bench.now_ms
        bench.turn()
        lanes.append(lane_of(bench.requests[-1][1]))
        assert len(bench.requests) == len(lanes)
    assert lanes == ["e", "t"]
    assert bench.sender.deadline_ms() is None
    assert bench.sender.send(now_ms=bench.now_ms, needs_time=False) is False


def test_success_leads_on_at_once_until_nothing_waits():
    bench = Bench()
    bench.put(TELEMETRY, 50)
    bench.put(EVENT, 20)
    bench.run(1, lambda request: (messages.CHANGED, TIME))
    assert bench.box.waiting() == 0
    assert bench.sender.deadline_ms() is None


def alarm_delay_ms():
    """An alarm raised while telemetry is in flight and the gateway has not said a word about it."""
    bench = Bench()
    bench.put(TELEMETRY, 60)
    bench.turn()
    bench.run(7)
    raised_ms = bench.now_ms
    bench.put(ALARM)
    bench.run(600)
    return min((at_ms for at_ms, request in bench.requests if request.payload[0] == 60), default=1 << 40) - raised_ms


def test_an_alarm_does_not_wait_behind_telemetry_in_flight():
    assert alarm_delay_ms() == 0


def test_one_channel_for_all_is_seen(monkeypatch):
    honest = Sender.__init__

    def init(self, *arguments, **named):
        honest(self, *arguments, **named)
        self._channels = (Channel(LANES, (b"e",), retry_last_ms=limits.RETRY_LAST_MS),)

    monkeypatch.setattr(Sender, "__init__", init)
    assert alarm_delay_ms() > 60_000


def test_a_refusal_keeps_the_records_and_a_new_message_carries_them_again():
    bench = Bench()
    bench.put(TELEMETRY, 3)
    (first,) = bench.take()
    assert bench.reply(first, messages.UNAVAILABLE, b"") == [((), None, 0)]
    assert bench.sender.counters == {"failed": 0, "refused": 1, "answer-unreadable": 0}
    assert bench.box.sequences() == [0, 1, 2]
    bench.run(6)
    second = bench.requests[-1][1]
    assert second is not first and second.payload == first.payload
    assert bench.datagrams[-1][:8] != bench.datagrams[0][:8], "a new message id and token"
    entries, answer, asked_ms = bench.reply(second)[0]
    assert [entry.sequence for entry in entries] == [0, 1, 2] and answer.uncertainty_s == 0
    assert asked_ms == bench.requests[-1][0]
    assert bench.box.waiting() == 0


def test_after_a_failure_the_next_payload_starts_with_the_alarm_that_came_since():
    bench = Bench()
    bench.put(EVENT, 2)
    (first,) = bench.take()
    bench.put(ALARM)
    bench.reply(first, messages.UNAVAILABLE, b"")
    bench.run(6)
    assert bench.requests[-1][1].payload[0] == 2


def test_a_gateway_that_is_away_costs_no_record():
    bench = Bench()
    bench.reachable = False
    bench.put(TELEMETRY, 3)
    bench.put(ALARM, 3)
    bench.run(3600)
    assert bench.box.waiting() == 6 and bench.sender.counters["failed"] > 20
    bench.reachable = True
    bench.run(600, lambda request: (messages.CHANGED, TIME))
    assert bench.box.waiting() == 0


def delays_ms(path, random_below, count):
    """Milliseconds between refusals and the next tries on one channel."""
    bench = Bench(random_below=random_below)
    bench.put(TELEMETRY if path == b"t" else ALARM, 1)
    bench.run(3600, lambda request: (messages.UNAVAILABLE, b""))
    instants = [at_ms for at_ms, request in bench.requests if request.path == (path,)]
    return [after - before for before, after in itertools.pairwise(instants)][:count]


@pytest.mark.parametrize(("path", "last_ms"), [(b"t", limits.RETRY_LAST_MS), (b"e", limits.RETRY_LAST_MS // 5)])
def test_back_off_doubles_with_jitter_up_to_its_last(path, last_ms):
    full = [min(limits.RETRY_FIRST_MS << turn, last_ms) for turn in range(9)]
    assert delays_ms(path, lambda bound: bound - 1, 9) == full
    assert delays_ms(path, lambda bound: 0, 9) == [delay // 2 for delay in full]
    drawn = delays_ms(path, Generator(3).below, 9)
    assert all(delay // 2 <= one <= delay for one, delay in zip(drawn, full, strict=True))
    assert len({one * 1000 // delay for one, delay in zip(drawn, full, strict=True)}) > 5


def test_success_forgets_the_back_off():
    bench = Bench(random_below=lambda bound: bound - 1)
    bench.put(TELEMETRY, 1)
    bench.run(3000, lambda request: (messages.UNAVAILABLE, b""))
    bench.run(300, lambda request: (messages.CHANGED, TIME))
    assert bench.box.waiting() == 0
    bench.put(TELEMETRY, 1)
    (request,) = bench.take()
    bench.reply(request, messages.UNAVAILABLE, b"")
    assert bench.sender.deadline_ms() == bench.now_ms + limits.RETRY_FIRST_MS


def test_an_alarm_is_tried_although_telemetry_backs_off():
    bench = Bench(random_below=lambda bound: bound - 1)
    bench.put(TELEMETRY, 1)
    bench.run(3000, lambda request: (messages.UNAVAILABLE, b""))
    bench.put(ALARM)
    assert [lane_of(request) for request in bench.take()] == ["e"]


def test_the_same_answer_again_changes_nothing():
    bench = Bench()
    bench.put(TELEMETRY, 10)
    (first,) = bench.take()
    assert len(bench.reply(first)) == 1
    piggybacked = bench.answers[0]
    waiting = bench.box.sequences()
    bench.turn()
    for _ in range(3):
        assert bench.deliver(piggybacked) == []
    assert bench.box.sequences() == waiting and bench.box.counters["acknowledged"] == 5


def test_a_separate_answer_that_comes_twice_changes_nothing():
    bench = Bench()
    bench.put(TELEMETRY, 1)
    (first,) = bench.take()
    bench.now_ms += 1500
    bench.gateway.poll(now_ms=bench.now_ms)
    for _, empty in bench.gateway.outgoing():
        assert bench.deliver(empty) == []
    assert len(bench.reply(first)) == 1
    assert bench.deliver(bench.answers[0]) == []
    assert bench.box.counters["acknowledged"] == 1


def test_what_belongs_to_no_channel_is_left_alone():
    bench = Bench()
    bench.put(TELEMETRY, 1)
    bench.turn()
    stranger = Response("gateway", 999, messages.CHANGED, None, TIME, ())
    assert bench.sender.handle(stranger, now_ms=bench.now_ms) == ((), None, 0)
    assert bench.sender.handle("a request", now_ms=bench.now_ms) == ((), None, 0)
    assert bench.box.waiting() == 1


@pytest.mark.parametrize("payload", [b"\xff", b"\x01", b"\x82\x01", TIME[:-1]])
def test_an_answer_that_cannot_be_read_still_acknowledges(payload):
    bench = Bench()
    bench.put(TELEMETRY, 1)
    (request,) = bench.take()
    entries, answer, _ = bench.reply(request, messages.CHANGED, payload)[0]
    assert len(entries) == 1 and answer is None
    assert bench.sender.counters["answer-unreadable"] == 1 and bench.box.waiting() == 0


def test_a_record_too_large_for_the_link_blocks_neither_the_node_nor_the_alarms():
    bench = Bench()
    bench.put(TELEMETRY, 1, size=400)
    bench.put(ALARM, 1)
    bench.run(60, lambda request: (messages.CHANGED, TIME))
    assert bench.box.waiting(ALARM) == 0 and bench.end.counters["too-large"] > 2


def asks_of(bench):
    return [at_ms for at_ms, request in bench.requests if lane_of(request) == "empty"]


def test_a_node_without_time_asks_again_and_stops_once_it_knows():
    bench = Bench()
    bench.needs_time = True
    bench.run(600, lambda request: (messages.CHANGED, encode_answer(Answer(None, 0, None, 0))))
    asks = asks_of(bench)
    apart = {after - before for before, after in itertools.pairwise(asks)}
    assert len(asks) > 25 and apart == {limits.ASK_TIME_MS}
    assert all(request.path == (b"e",) for _, request in bench.requests)
    bench.needs_time = False
    bench.run(600, lambda request: (messages.CHANGED, TIME))
    assert asks_of(bench)[len(asks) :] == []
    assert bench.sender.deadline_ms() is None


def test_a_record_on_its_way_asks_for_the_time_as_well():
    bench = Bench()
    bench.needs_time = True
    bench.put(TELEMETRY)
    first = bench.take()
    assert [lane_of(request) for request in first] == ["empty", "t"]
    for request in first:
        bench.reply(request, messages.CHANGED, encode_answer(Answer(None, 0, None, 0)))
    bench.now_ms += 15_000
    bench.put(TELEMETRY)
    (second,) = bench.take()
    bench.reply(second, messages.CHANGED, encode_answer(Answer(None, 0, None, 0)))
    asked_ms = bench.now_ms
    bench.run(60, lambda request: (messages.CHANGED, TIME))
    assert asks_of(bench)[1] == asked_ms + limits.ASK_TIME_MS


def test_a_silent_gateway_is_asked_ever_more_rarely():
    bench = Bench()
    bench.needs_time = True
    bench.run(7200)
    asks = asks_of(bench)
    apart = [after - before for before, after in itertools.pairwise(asks)]
    assert min(apart) >= limits.ASK_TIME_MS and 20 < len(asks) < 60
