"""A node's ESP-NOW bearer: it finds its concentrator's channel, keeps it, and never gives up or waits."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from links import channel, espnow
from links.channel import RESTING, SEARCHING, UP, Ladder
from links.espnow import EspNowLink
from links.espnow_radio import Radio
from tests.support.scripted_radio import ScriptedRadio
from wire.limits import RADIO_PROBE

CONCENTRATOR = b"\x02\x00\x00\x00\x00\x01"


class Node:
    """A link over a scripted radio; time passes while it waits."""

    POLLIN = 1

    def __init__(self, good=6, listens=6):
        self.now = 0
        self.script = ScriptedRadio()
        self.listens = listens  # the channel of the concentrator, None while it is away
        self.script.acknowledges = lambda on, mac, _data: on == self.listens and mac == CONCENTRATOR
        self.remembered = []
        self.radio = Radio(self.script, self.script, good)
        self.link = EspNowLink(
            self.radio,
            self,
            CONCENTRATOR,
            good,
            remember=self.remembered.append,
            random_below=lambda bound: bound - 1,
            now_ms=lambda: self.now,
        )

    def poll(self, *timeout_ms):
        if timeout_ms:
            self.now += timeout_ms[0]
            return bool(self.script.arriving)
        return self

    def register(self, _now, events):
        assert events == self.POLLIN

    def turns(self, count=1):
        arrived = []
        for _ in range(count):
            arrived += self.link.receive()
            began_ms = self.now
            self.link.wait(100)
            assert self.now - began_ms <= 100
        return arrived

    def data(self):
        return [data for _, _, data in self.script.sent if data != RADIO_PROBE]


def test_the_last_good_channel_is_tried_first_and_one_acknowledgement_is_enough():
    node = Node(good=11, listens=11)
    node.turns()
    assert node.link.state == UP and node.script.sent == [(11, CONCENTRATOR, RADIO_PROBE)]
    assert node.remembered == []


def test_a_channel_that_has_changed_is_found_and_remembered():
    node = Node(good=11, listens=4)
    node.link.send(espnow.GATEWAY, b"waits")
    node.turns(4)
    assert node.link.state == UP and node.script.channel == 4 and node.remembered == [4]
    assert node.data() == [b"waits"], "it waited for the channel"
    assert len(node.script.sent) <= (channel.CHANNELS + 1) * channel.PROBES + 1


@pytest.mark.parametrize("listens", [1, 7, 11])
def test_a_strong_signal_that_is_heard_on_the_next_channels_does_not_mislead(listens):
    node = Node(good=3, listens=listens)
    node.script.acknowledges = lambda on, _mac, _data: abs(on - listens) <= 1
    if abs(3 - listens) > 1:
        node.turns(4)
        expected = {1: (1, 2), 11: (11, 10)}.get(listens, (listens,))
        assert node.script.channel in expected


def test_datagrams_cross_both_ways_and_strangers_are_not_heard():
    node = Node()
    node.turns()
    node.link.send(espnow.GATEWAY, b"up")
    node.script.arriving = [(CONCENTRATOR, -70, b"down"), (b"\x02" * 6, -10, b"stranger")]
    assert node.turns() == [(b"down", espnow.GATEWAY)]
    assert node.data() == [b"up"] and node.link.counters["stranger"] == 1
    assert node.link.signal_dbm() == -70


def test_failures_in_a_row_lead_to_a_search_and_a_rest_that_grows_and_the_radio_is_begun_anew():
    node = Node()
    node.turns()
    node.listens = None
    active = node.script.calls.count(("active", (True,)))
    searches_ms, was = [], 0
    while node.now < 1_200_000:
        node.link.send(espnow.GATEWAY, b"x")
        node.turns(10)
        if node.link.ladder["searches"] != was:
            was = node.link.ladder["searches"]
            searches_ms.append(node.now)
    gaps = [later - earlier for earlier, later in pairwise(searches_ms)]
    assert gaps[0] >= channel.REST_FIRST_MS and max(gaps) <= channel.REST_LAST_MS + 30_000
    assert gaps[-1] >= channel.REST_LAST_MS // 2 and node.link.state in (RESTING, SEARCHING)
    assert node.script.calls.count(("active", (True,))) > active, "the radio was begun anew"
    node.listens = 9
    node.turns(1300)
    assert node.link.state == UP and node.remembered[-1] == 9


def test_a_concentrator_that_returns_where_it_was_is_found_by_the_next_datagram():
    node = Node()
    node.listens = None
    node.turns(30)
    assert node.link.state == RESTING
    node.listens = 6
    node.link.send(espnow.GATEWAY, b"x")
    node.turns()
    assert node.link.state == UP


def test_some_failures_among_successes_are_weather():
    node = Node()
    node.turns()
    count = [0]

    def weather(_on, _mac, _data):
        count[0] += 1
        return count[0] % 6 == 0

    node.script.acknowledges = weather
    for _ in range(200):
        node.link.send(espnow.GATEWAY, b"x")
        node.turns()
    assert node.link.ladder["lost"] == 0


def test_who_is_heard_is_not_lost_though_nothing_is_acknowledged():
    node = Node()
    node.turns()
    node.script.acknowledges = lambda *_: False
    for _ in range(10):
        for _ in range(channel.LOST_AFTER - 1):
            node.link.send(espnow.GATEWAY, b"x")
            node.turns()
        node.script.arriving = [(CONCENTRATOR, -95, b"still here")]
        node.turns()
    assert node.link.state == UP and node.link.ladder["lost"] == 0


def test_what_waits_is_bounded_and_the_oldest_goes():
    node = Node()
    node.script.acknowledges = lambda *_: None
    for value in range(10):
        node.link.send(espnow.GATEWAY, bytes([value + 1]))
    assert node.link.counters["overflow"] == 10 - espnow.QUEUE_MAX
    node.link.send(espnow.GATEWAY, bytes(251))
    node.link.send(espnow.GATEWAY, b"")
    assert node.link.counters["send-failed"] == 2
    node.script.acknowledges = lambda *_: True
    node.turns(30)
    assert node.data() == [bytes([value + 1]) for value in range(6, 10)]


def test_a_frame_the_driver_never_reports_begins_the_radio_anew():
    node = Node()
    node.turns()
    node.script.acknowledges = lambda _on, _mac, data: None if data == b"leak" else True
    node.link.send(espnow.GATEWAY, b"leak")
    node.link.send(espnow.GATEWAY, b"after")
    node.turns(espnow.DONE_MAX_MS // 100 + 2)
    assert node.data() == [b"leak", b"after"] and node.link.counters["stuck"] == 1


@pytest.mark.parametrize("call", ["send", "add_peer", "config", "active", "recvinto", "disconnect"])
def test_a_driver_that_refuses_is_asked_again_and_nothing_is_raised(call):
    node = Node()
    node.turns()
    node.script.broken = {call}
    for _ in range(300):
        node.link.send(espnow.GATEWAY, b"x")
        node.turns()
    node.script.broken = set()
    node.link.send(espnow.GATEWAY, b"last")
    node.turns(2600)
    assert node.link.state == UP
    node.link.send(espnow.GATEWAY, b"very last")
    node.turns()
    assert node.data()[-1] == b"very last"


def test_a_driver_without_room_holds_up_the_loop_for_two_seconds_and_then_leaves_it_alone_for_as_long():
    """ports/esp32/modespnow.c: `send` waits for room, also when it is not to wait for an answer."""
    node = Node()
    node.turns()
    held_ms = []
    real = node.script.send

    def full(*arguments):
        held_ms.append(node.now)
        node.now += 2000
        raise OSError("ESP_ERR_ESPNOW_NO_MEM")

    node.script.send = full
    for number in range(espnow.QUEUE_MAX):
        node.link.send(espnow.GATEWAY, bytes((number + 1,)))
    for _ in range(600):
        before = len(held_ms)
        node.link.receive()
        node.link.wait(100)
        assert len(held_ms) - before <= 1, "one wait a turn, whatever is queued"
    assert len(held_ms) > 2 and all(b - a >= 2000 + espnow.REFUSED_PAUSE_MS for a, b in pairwise(held_ms))
    node.script.send = real
    node.turns(2600)
    assert node.link.state == UP


def test_a_radio_that_was_begun_in_vain_again_and_again_is_told_as_broken_and_a_good_one_never():
    """ports/esp32/modespnow.c: after one failed start nothing but a reset helps."""
    node = Node()
    node.turns()
    assert not node.link.is_broken()
    node.script.broken = {"active", "send"}
    while not node.link.is_broken():
        node.link.send(espnow.GATEWAY, b"x")
        node.turns()
        assert node.now < 6 * 3_600_000
    assert node.now > 600_000, "not at the first trouble"
    node.script.broken = set()
    node.turns(10_000)
    assert not node.link.is_broken() and node.link.state == UP


def test_every_entry_of_the_table_leads_to_a_state_and_an_action_that_exist():
    for happenings in channel.TABLE.values():
        for state, action in happenings.values():
            assert state in channel.TABLE and callable(getattr(Ladder, action))


@given(st.lists(st.booleans(), max_size=400), st.integers(-2, 20))
def test_whatever_becomes_of_frames_the_channel_is_one_there_is(outcomes, good):
    ladder = Ladder(good, random_below=lambda bound: 0, now_ms=0)
    for index, outcome in enumerate(outcomes):
        for _ in range(4):
            if (ladder.next(now_ms=index * 1000) or ("probe",))[0] == channel.PROBE:
                break
        ladder.done(outcome, now_ms=index * 1000)
        assert 1 <= ladder.channel <= channel.CHANNELS and 1 <= ladder.good <= channel.CHANNELS
