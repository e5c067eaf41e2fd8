"""Two CoAP endpoints joined by a bad link, in virtual time: a request ends once and is heard once."""

import random

import pytest

from tests.support.bad_link import BadLink
from wire import coap
from wire import coap_message as messages


class World:
    """Both ends ask and answer. Payload n is a question, n + b"!" its answer after a drawn think time."""

    def __init__(self, seed, *, loss=0.0, duplication=0.0, delay_max_ms=20, think_max_ms=2500, questions=20):
        self.generator = random.Random(seed)
        self.now_ms = self.generator.choice((0, 1 << 30, 1 << 41))
        self.link = BadLink(self.generator, loss=loss, duplication=duplication, delay_max_ms=delay_max_ms)
        self.think_max_ms = think_max_ms
        self.ends = {name: self._endpoint() for name in ("node", "gateway")}
        self.answers = []  # (due_ms, name, exchange, payload)
        self.questions = [self._question(number) for number in range(questions)]  # (due_ms, name, payload)
        self.heard = {}  # (name, payload): how often its application heard it
        self.asked = {}  # (name, exchange): payload
        self.outcomes = {}  # (name, exchange): [events]

    def _endpoint(self):
        return coap.Endpoint(
            random_below=self.generator.randrange,
            first_message_id=self.generator.randrange(0x10000),
            exchanges_max=200,
            exchanges_per_peer_max=200,
            requests_per_peer_max=100,
            requests_max=100,
        )

    def _question(self, number):
        name = self.generator.choice(("node", "gateway"))
        return (self.now_ms + self.generator.randint(0, 60_000), name, b"%d" % number)

    def run(self):
        while (instant := self._next_ms()) is not None:
            assert instant >= self.now_ms, "time never goes back"
            self.now_ms = instant
            self._turn()
        return self

    def _next_ms(self):
        instants = [item[0] for item in self.answers + self.questions]
        instants += [self.link.next_ms()] + [end.deadline_ms() for end in self.ends.values()]
        return min((instant for instant in instants if instant is not None), default=None)

    def _turn(self):
        for _, _, destination, source, datagram in self.link.arrived(self.now_ms):
            end = self.ends[destination]
            self._take(destination, source, end.receive(datagram, source, now_ms=self.now_ms))
        for name, end in self.ends.items():
            self._take(name, None, end.poll(now_ms=self.now_ms))
        self._ask_and_answer()
        for name, end in self.ends.items():
            for peer, datagram in end.outgoing():
                self.link.carry(name, peer, datagram, self.now_ms)

    def _ask_and_answer(self):
        for item in [item for item in self.questions if item[0] <= self.now_ms]:
            self.questions.remove(item)
            _, name, payload = item
            other = "gateway" if name == "node" else "node"
            exchange = self.ends[name].request(other, messages.POST, (b"t",), payload, now_ms=self.now_ms)
            self.asked[name, exchange] = payload
        for item in [item for item in self.answers if item[0] <= self.now_ms]:
            self.answers.remove(item)
            _, name, exchange, payload = item
            self.ends[name].respond(exchange, messages.CHANGED, payload + b"!", now_ms=self.now_ms)

    def _take(self, name, source, events):
        for event in events:
            if isinstance(event, coap.Request):
                assert event.peer == source
                self.heard[name, event.payload] = self.heard.get((name, event.payload), 0) + 1
                due_ms = self.now_ms + self.generator.randint(0, self.think_max_ms)
                self.answers.append((due_ms, name, event.exchange, event.payload))
            else:
                self.outcomes.setdefault((name, event.exchange), []).append(event)

    def counted(self, name):
        return sum(end.counters[name] for end in self.ends.values())

    def responses(self):
        return [event for (event,) in self.outcomes.values() if isinstance(event, coap.Response)]


def check(world):
    """What holds whatever the link did."""
    assert set(world.outcomes) == set(world.asked), "every request has an outcome, and nothing else has"
    assert all(len(events) == 1 for events in world.outcomes.values()), "exactly one"
    assert all(times == 1 for times in world.heard.values()), "the application hears a request once"
    for key, (event,) in world.outcomes.items():
        other = "gateway" if key[0] == "node" else "node"
        if isinstance(event, coap.Response):
            assert event.payload == world.asked[key] + b"!"
            assert world.heard[other, world.asked[key]] == 1
        else:
            assert event.reason == "timeout"
    for end in world.ends.values():
        assert not (end._asked or end._sent or end._places or end._queue or end._timed), "all is at rest"
        received = sum(end.counters[name] for name in coap.RECEIVED_AS + messages.REASONS)
        assert received == end.counters["received"]
        assert end.counters["unexpected"] == 0 and end.counters["evicted"] == 0


@pytest.mark.parametrize("seed", range(3))
def test_a_good_link_answers_every_request_without_a_retransmission(seed):
    world = World(seed).run()
    check(world)
    assert len(world.responses()) == 20 and world.counted("retransmitted") == 0
    assert world.counted("acknowledgements") > 0, "some answers were slow, and separate"


@pytest.mark.parametrize("seed", range(12))
def test_a_bad_link_still_gives_every_request_one_outcome(seed):
    world = World(seed, loss=0.25, duplication=0.2, delay_max_ms=3000).run()
    check(world)
    assert len(world.responses()) >= 15, "five transmissions get through 25 % of loss nearly always"
    assert world.counted("retransmitted") > 0 and world.counted("duplicates") > 0


@pytest.mark.parametrize("seed", range(4))
def test_a_terrible_link_fails_requests_but_never_twice(seed):
    world = World(seed, loss=0.7, duplication=0.5, delay_max_ms=9000).run()
    check(world)
    assert 0 < len(world.responses()) < 20 and world.counted("timeouts") > 0


def test_a_dead_link_fails_every_request_by_timeout():
    world = World(1, loss=1.0).run()
    check(world)
    assert world.responses() == [] and world.counted("timeouts") == 20 and world.heard == {}


def test_the_same_seed_gives_the_same_world():
    first, second = (World(5, loss=0.3, duplication=0.3, delay_max_ms=2000).run() for _ in range(2))
    assert first.outcomes == second.outcomes and first.now_ms == second.now_ms


class OneLoss(BadLink):
    """A good link that loses the n-th datagram it is given."""

    def __init__(self, generator, lost):
        super().__init__(generator, loss=0, duplication=0, delay_max_ms=1)
        self._lost = lost
        self.given = []

    def carry(self, source, destination, datagram, now_ms):
        self.given.append((source, messages.decode(datagram).type, messages.decode(datagram).code))
        if self._lost is None or len(self.given) - 1 != self._lost:
            super().carry(source, destination, datagram, now_ms)


@pytest.mark.parametrize(
    ("think_ms", "lost", "datagrams"),
    [
        (0, None, 2),  # request, answer
        (0, 0, 3),  # request lost
        (0, 1, 4),  # answer lost: request and stored answer again
        (3000, None, 4),  # request, acknowledgement, separate answer, acknowledgement
        (3000, 0, 5),
        (3000, 1, 4),  # acknowledgement lost: the answer comes before the request would be repeated
        (3000, 2, 5),  # answer lost: sent again
        (3000, 3, 6),  # its acknowledgement lost: answer and acknowledgement again
    ],
)
def test_any_single_loss_is_repaired_by_the_fewest_datagrams(think_ms, lost, datagrams):
    world = World(1, questions=0)
    world.link = OneLoss(world.generator, lost)
    world.questions = [(world.now_ms, "node", b"0")]
    world.generator.randint = lambda low, high: think_ms if low == 0 else 1
    check(world.run())
    assert len(world.responses()) == 1 and len(world.link.given) == datagrams
