"""The concentrator's decisions: credits that are never overrun, peers that make room, a radio that leaks."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from concentrator import bridge as deciding
from concentrator import limits
from concentrator.bridge import Bridge, Counts, RadioPeers
from tests.support.examples import examples
from wire import radio, slip
from wire.limits import RADIO_PROBE

GATEWAY = 77


def mac(number):
    return b"\x02\x00\x00\x00" + number.to_bytes(2, "big")


class Rig:
    """A bridge, the gateway's end of its line, and a driver."""

    def __init__(self):
        self.bridge = Bridge(session=5, cause="power-on", firmware="0.1.0", channel=6, now_ms=0)
        self.now_ms = 0
        self.number = 0
        self.decoder = slip.Decoder(radio.BODY_BYTES_MAX)

    def tell(self, *bodies):
        for body in bodies:
            self.bridge.on_serial(slip.encode(body))

    def down(self, to, datagram=b"x"):
        self.number += 1
        self.tell(radio.down(self.number, to, datagram))

    def poll(self, after_ms=0):
        self.now_ms += after_ms
        self.bridge.poll(now_ms=self.now_ms)
        return self.bridge.drain_actions()

    def told(self):
        """The messages for the gateway."""
        messages = []
        while frame := self.bridge.next_frame(heap_free=1000, radio_dropped=3, now_ms=self.now_ms):
            messages += [radio.decode(body) for body in self.decoder.feed(frame)]
        return messages

    def credits(self):
        return [message for message in self.told() if isinstance(message, radio.Credit)]


@pytest.fixture
def rig():
    return Rig()


def test_it_says_who_it_is_and_answers_whoever_asks(rig):
    assert rig.told() == [radio.Hello(1, 5, 0, 6, "power-on", "0.1.0")]
    rig.tell(radio.ask(GATEWAY, 40))
    assert rig.told() == [radio.Hello(1, 5, GATEWAY, 6, "power-on", "0.1.0"), (40, limits.DOWN_MAX)]


def test_datagrams_cross_both_ways(rig):
    rig.told()
    rig.bridge.on_radio(mac(1), -90, b"up")
    assert rig.told() == [radio.Up(mac(1), -90, b"up")]
    rig.down(mac(1), b"down")
    assert rig.poll() == [(deciding.ADD, mac(1)), (deciding.SEND, mac(1), b"down")]
    rig.down(mac(1), b"next")
    assert rig.poll() == [], "one frame in the air"
    rig.bridge.on_done(True)
    assert rig.poll() == [(deciding.SEND, mac(1), b"next")]
    assert rig.bridge.counters["sent-acked"] == 1


def test_a_gateway_that_keeps_to_its_credit_never_overruns_whatever_the_line_loses(rig):
    rig.tell(radio.ask(GATEWAY, 0))
    credit, number, overrun = rig.credits()[-1], 0, rig.bridge.counters
    state = 1
    for _ in range(5000):
        state = (state * 1103515245 + 12345) & 0x7FFFFFFF
        if credit.free - (number - credit.number & 0xFFFF) > 0:
            number = number + 1 & 0xFFFF
            if state >> 8 & 7:  # one in eight is lost on the line
                rig.tell(radio.down(number, mac(state >> 16 & 7), b"x"))
        elif state >> 4 & 15 == 0:
            rig.tell(radio.ask(GATEWAY, number))  # it waits for long
        if state & 3 == 0:
            rig.poll(10)
            rig.bridge.on_done(True)
        for message in rig.credits():
            if state >> 12 & 7:
                credit = message
    assert overrun["down-overrun"] == 0 and overrun["down"] > 1000


def test_a_gateway_that_ignores_its_credit_is_counted_and_costs_no_memory(rig):
    for _ in range(100):
        rig.down(mac(1))
    assert rig.bridge.counters["down-overrun"] == 100 - limits.DOWN_MAX
    assert rig.credits()[-1] == (100, 0)


def test_places_are_told_when_they_are_free(rig):
    rig.tell(radio.ask(GATEWAY, 0))
    for _ in range(limits.DOWN_MAX):
        rig.down(mac(1))
    rig.credits()
    told = []
    for _ in range(limits.DOWN_MAX):
        rig.poll()
        rig.bridge.on_done(True)
        told += rig.credits()
    assert told[-1] == (limits.DOWN_MAX, limits.DOWN_MAX)
    assert len(told) <= limits.DOWN_MAX // limits.CREDIT_STEP + 1


def test_a_new_gateway_is_not_given_what_the_one_before_wanted(rig):
    rig.tell(radio.ask(GATEWAY, 0))
    rig.down(mac(1), b"flies")
    rig.poll()
    rig.down(mac(1), b"old")
    rig.tell(radio.ask(GATEWAY, rig.number))
    rig.bridge.on_done(True)
    rig.tell(radio.ask(GATEWAY + 1, 9))
    assert rig.poll() == [] and rig.credits()[-1] == (9, limits.DOWN_MAX)


def test_hundreds_of_nodes_take_turns_in_the_drivers_table(rig):
    known = set()
    for round_ in range(3):
        for number in range(200):
            rig.down(mac(number), bytes([round_ + 1]))
            for action in rig.poll():
                if action[0] == deciding.ADD:
                    assert action[1] not in known
                    known.add(action[1])
                elif action[0] == deciding.DELETE:
                    known.remove(action[1])
                else:
                    assert action[1] in known
                assert len(known) <= limits.RADIO_PEERS_MAX
            rig.bridge.on_done(True)
    assert rig.bridge._peers.evicted == 600 - limits.RADIO_PEERS_MAX


def test_who_was_used_last_stays():
    peers = RadioPeers(2)
    assert peers.use(mac(1)) == (True, None) and peers.use(mac(2)) == (True, None)
    assert peers.use(mac(1)) == (False, None)
    assert peers.use(mac(3)) == (True, mac(2))
    peers.forget()
    assert peers.use(mac(1)) == (True, None) and len(peers) == 1


def test_counts_are_bounded():
    counts = Counts(4)
    for number in range(100):
        counts.heard(mac(number % 10), -number)
        counts.sent(mac(0), number % 2 == 0)
    rows = counts.rows()
    assert len(rows) == 4 and rows[0] == (mac(0), -90, 10, 100, 50)


def test_a_line_that_takes_nothing_keeps_the_newest(rig):
    rig.told()
    for number in range(100):
        rig.bridge.on_radio(mac(1), -90, bytes([number]) * 200)
    ups = rig.told()
    assert [message.datagram[0] for message in ups] == list(range(100 - len(ups), 100))
    assert sum(len(message.datagram) for message in ups) <= limits.UP_BYTES_MAX
    assert rig.bridge.counters["up-overflow"] == 100 - len(ups)


def test_probes_and_what_is_no_datagram_stay_here(rig):
    rig.told()
    datagrams = ((mac(1), RADIO_PROBE), (mac(1), b""), (mac(1), bytes(251)), (b"\xff" * 6, b"x"), (b"", b"x"))
    for sender, data in datagrams:
        rig.bridge.on_radio(sender, -90, data)
    assert rig.told() == []
    assert (rig.bridge.counters["probes"], rig.bridge.counters["up-malformed"]) == (1, 4)


# --- a radio that leaks -----------------------------------------------------------------------------------------


def test_a_frame_that_never_completes_begins_the_radio_anew(rig):
    rig.down(mac(1), b"lost")
    rig.down(mac(1), b"next")
    rig.poll()
    assert rig.poll(limits.DONE_MAX_MS - 1) == []
    actions = rig.poll(1)
    assert actions == [(deciding.REINIT,), (deciding.ADD, mac(1)), (deciding.SEND, mac(1), b"next")]
    assert (rig.bridge.counters["stuck"], rig.bridge.counters["reinits"]) == (1, 1)


def test_a_driver_that_takes_nothing_begins_the_radio_anew_and_ever_less_often(rig):
    reinits_ms = []
    for _ in range(4000):
        rig.down(mac(1))
        for action in rig.poll(10):
            if action[0] == deciding.SEND and rig.bridge.counters["reinits"] < limits.REINITS_MAX:
                rig.bridge.on_refused()
            elif action[0] == deciding.SEND:
                rig.bridge.on_done(False)  # nobody hears, but it completes
            elif action[0] == deciding.REINIT:
                reinits_ms.append(rig.now_ms)
            assert action[0] != deciding.RESTART
    gaps = [later - earlier for earlier, later in pairwise(reinits_ms)]
    assert len(reinits_ms) == limits.REINITS_MAX
    assert all(gap >= limits.REINIT_FIRST_MS << index for index, gap in enumerate(gaps)), gaps


def test_a_radio_that_is_dead_for_good_restarts_the_chip(rig):
    actions = []
    for _ in range(6000):
        rig.down(mac(1))
        actions += [action[0] for action in rig.poll(20)]
        if deciding.RESTART in actions:
            break
    assert actions.count(deciding.REINIT) == limits.REINITS_MAX


def test_silence_of_everybody_is_no_reason_for_anything(rig):
    actions = []
    for _ in range(2000):
        actions += rig.poll(limits.HEALTH_MS)
        rig.told()
    assert actions == []


# --- the rest -----------------------------------------------------------------------------------------------------


def test_health_is_told_every_minute_with_what_is_true_then(rig):
    for number in range(40):
        rig.bridge.on_radio(mac(number), -number, b"x")
    rig.told()
    rig.poll(limits.HEALTH_MS)
    health, *peers = rig.told()
    values = dict(zip(radio.HEALTH_NAMES, health.values, strict=True))
    assert (values["uptime-s"], values["up"], values["heap-free"], values["radio-dropped"]) == (60, 40, 1000, 3)
    assert [peer.mac for message in peers for peer in message.peers] == [mac(number) for number in range(40)]
    assert rig.poll(limits.HEALTH_MS - 1) == [] and rig.told() == []


def test_the_gateway_sets_the_channel(rig):
    rig.told()
    rig.tell(radio.channel(11), radio.channel(11))
    assert rig.poll() == [(deciding.TUNE, 11)]
    assert [message.channel for message in rig.told()] == [11]


def test_what_is_not_for_it_is_counted(rig):
    rig.tell(radio.credit(1, 2), b"\x70new", radio.down(1, b"\xff" * 6, b"x"))
    rig.bridge.on_serial(b"\xc0noise\xc0")
    rig.poll(limits.HEALTH_MS)
    health = next(message for message in rig.told() if isinstance(message, radio.Health))
    values = dict(zip(radio.HEALTH_NAMES, health.values, strict=True))
    assert (values["unknown-kinds"], values["line-faults"]) == (2, 2)


@examples(times=2)
@given(st.lists(st.binary(max_size=300), max_size=20))
def test_any_bytes_on_the_line_do_no_harm(pieces):
    rig = Rig()
    for piece in pieces:
        rig.bridge.on_serial(piece)
        rig.bridge.on_serial(slip.encode(piece or b"\x81"))
        rig.poll(100)
        rig.bridge.on_done(True)
    rig.tell(radio.ask(GATEWAY, 3))
    assert rig.told()[0].heard == GATEWAY
