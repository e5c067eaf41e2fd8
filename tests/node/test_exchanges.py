"""A node's exchanges over the wrap of their ids, with answers that are cut, foreign, repeated or never come.

It goes on, and no table of it grows.
"""

from collections import Counter, OrderedDict, deque

import pytest

from tests.portable.node_day import World
from wire import coap_message as messages

BUSY = {"telemetry_s": 10, "sample_s": 10}


def held(node):
    """{where: items} of every container of application and link: what an address or a number could fill."""
    sizes = Counter()
    waiting, seen = deque([("node", node)]), set()
    while waiting:
        where, thing = waiting.popleft()
        if id(thing) in seen:
            continue
        seen.add(id(thing))
        if isinstance(thing, dict | OrderedDict):
            sizes[where] += len(thing)
            waiting.extend((where, value) for value in thing.values())
        elif isinstance(thing, list | set | deque | tuple):
            if not isinstance(thing, tuple):
                sizes[where] += len(thing)
            waiting.extend((where, value) for value in thing)
        elif isinstance(thing, bytearray):
            sizes[where] += len(thing)
        elif type(thing).__module__.split(".")[0] in ("node", "wire"):
            names = [*getattr(thing, "__dict__", ()), *getattr(type(thing), "__slots__", ())]
            waiting.extend((f"{where}.{name}", getattr(thing, name, None)) for name in names)
    return sizes


class Link(World):
    """A world whose node begins with message id `first_id`. `spoil(datagram)`: what comes of an answer on its way to
    the node, None for nothing."""

    def __init__(self, *, first_id=65_500, **options):
        super().__init__(plain=BUSY, **options)
        self._first_id = first_id
        self.spoil = lambda datagram: datagram
        self.answers = 0
        self.ids = []
        self.power_on()

    def power_on(self):
        below, first = self.below, [self._first_id]
        self.below = lambda bound: first.pop() if first and bound == 0x10000 else below(bound)
        super().power_on()
        self.below = below

    def _fly(self, to_gateway, datagram):
        if to_gateway:
            self.ids.append(messages.decode(datagram).message_id)
        else:
            self.answers += 1
            datagram = self.spoil(datagram)
        if datagram is not None:
            super()._fly(to_gateway, datagram)


def steady(link):
    """Ten minutes without any fault; then every container as it is in peace."""
    link.spoil = lambda datagram: datagram
    link.run(600)
    assert link.unexplained() == [] and link.node.waiting_sequences() == []
    return held(link.node)


def grown(before, after):
    """Containers that hold more than they did, by more than what moves from turn to turn."""
    return {where: (before[where], count) for where, count in after.items() if count > before[where] + 4}


@pytest.mark.slow
def test_thousands_of_exchanges_over_the_wrap_of_the_message_id_and_nothing_grows():
    link = Link()
    before = steady(link)
    link.run(30_000)
    assert len(link.ids) > 3000 and set(link.ids) >= {65_535, 0, 1, 3000}
    assert link.retries() == 0 and link.node.waiting_sequences() == []
    assert grown(before, steady(link)) == {}
    assert len(link.acknowledged) == len(link.made) > 3000


def test_an_id_that_comes_round_again_while_its_first_exchange_is_remembered_is_an_exchange_of_its_own():
    """65,536 messages later the id is the same: nothing is taken for what was answered long ago."""
    link = Link(first_id=100)
    steady(link)
    before = len(link.acknowledged)
    link.endpoint._message_id = 100
    link.run(600)
    assert link.ids.count(110) == 2
    assert link.retries() == 0 and len(link.acknowledged) - before >= 60


@pytest.mark.slow
def test_answers_cut_at_each_length_are_no_answers_and_the_next_whole_one_is():
    link = Link()
    before = steady(link)
    whole = []
    link.spoil = lambda datagram: whole.append(datagram) or datagram
    link.run(60)
    longest = max(len(datagram) for datagram in whole)
    assert longest >= 12
    for length in range(longest):
        link.spoil = lambda datagram, length=length: datagram[:length]
        acknowledged, answers = len(link.acknowledged), link.answers
        link.run(120)
        assert link.answers > answers
        held_back = len(link.acknowledged) == acknowledged
        # Cut behind its code and its options an answer is one of less words; the records' custody it may give.
        assert held_back or length >= 8, length
        steady(link)
    assert grown(before, steady(link)) == {}
    assert link.edges[-1][1] == 0, "the lamp has not noticed"


def foreign(datagram, token):
    """The same answer to another question."""
    found = messages.decode(datagram)
    return messages.encode(found._replace(token=token)) if found.token else datagram


@pytest.mark.parametrize("token", [b"", b"\x00", b"strange!", b"\xff" * 8])
def test_an_answer_with_a_foreign_token_acknowledges_nothing(token):
    link = Link()
    before = steady(link)
    acknowledged = len(link.acknowledged)
    link.spoil = lambda datagram: foreign(datagram, token)
    link.run(3600)
    assert len(link.acknowledged) == acknowledged
    assert grown(before, steady(link)) == {}


def test_silence_after_each_answer_is_waited_out_and_every_record_arrives():
    """A gateway that hangs for ever longer after a word, a hundred times over."""
    link = Link()
    before = steady(link)
    for silence_s in range(0, 500, 5):
        link.spoil = lambda datagram: datagram
        link.run(13)
        link.spoil = lambda datagram: None
        link.run(silence_s)
        assert link.node.deadline_ms(link.now_ms) >= link.now_ms
    assert link.retries() > 100
    assert grown(before, steady(link)) == {}


def test_each_answer_a_hundred_times_over_is_one_answer():
    link = Link()
    before = steady(link)

    def storm(datagram):
        for _ in range(100):
            World._fly(link, False, datagram)
        return datagram

    link.spoil = storm
    link.run(900)
    assert grown(before, steady(link)) == {}
    assert len(link.acknowledged) == len(set(link.acknowledged))


def test_the_check_sees_a_table_that_keeps_what_was_answered(monkeypatch):
    """Planted: the node remembers every exchange that it has had."""
    link = Link()
    before = steady(link)
    kept = link.node._sender.kept = []
    honest = link.endpoint.request

    def request(*arguments, **options):
        outcome = honest(*arguments, **options)
        kept.append(outcome)
        return outcome

    link.endpoint.request = request
    link.run(900)
    assert grown(before, steady(link)) != {}
