"""The gateway's side of a concentrator, joined to the concentrator's own bridge through good and bad lines."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from concentrator import bridge as deciding
from concentrator import limits as bridge_limits
from concentrator.bridge import Bridge
from gateway.core import concentrator, limits
from gateway.core.concentrator import ASKING, CLOSED, FOREIGN, SILENT, UP, Concentrator
from tests.support.examples import examples
from wire import radio, slip


def mac(number):
    return b"\x02\x00\x00\x00" + number.to_bytes(2, "big")


class Rig:
    """Both ends of a line. `loses(frame)`: what the line swallows. The air completes one frame every `air_ms`."""

    def __init__(self, **options):
        self.now_ms = 0
        self.logged = []
        self.core = Concentrator(session=77, now_ms=0, log=lambda event, **_: self.logged.append(event), **options)
        self.loses = lambda _frame: False
        self.air_ms = 20
        self.flown = []
        self.arrived = []
        self.boot(5)

    def boot(self, session, cause="power-on"):
        self.bridge = Bridge(session=session, cause=cause, firmware="0.1.0", channel=6, now_ms=self.now_ms)
        self._done_ms = None

    def run(self, for_ms, step_ms=10):
        end_ms = self.now_ms + for_ms
        while self.now_ms < end_ms:
            self.now_ms += step_ms
            self.step()

    def step(self):
        for frame in self.core.poll(now_ms=self.now_ms):
            if not self.loses(frame):
                self.bridge.on_serial(frame)
        if self._done_ms is not None and self.now_ms >= self._done_ms:
            self._done_ms = None
            self.bridge.on_done(True)
        self.bridge.poll(now_ms=self.now_ms)
        for action in self.bridge.drain_actions():
            if action[0] == deciding.SEND:
                self.flown.append(action[1:])
                self._done_ms = self.now_ms + self.air_ms
        while frame := self.bridge.next_frame(heap_free=1, radio_dropped=0, now_ms=self.now_ms):
            if not self.loses(frame):
                self.arrived += self.core.receive(frame, now_ms=self.now_ms)

    def up(self):
        self.core.opened(now_ms=self.now_ms)
        self.run(50)
        assert self.core.state == UP
        return self


@pytest.fixture
def rig():
    return Rig().up()


def test_they_find_each_other(rig):
    assert rig.core.hello.heard == 77 and rig.logged == ["concentrator-up"]
    assert rig.core.health()["firmware"] == "0.1.0"


def test_datagrams_cross_both_ways_and_the_signal_is_known(rig):
    rig.bridge.on_radio(mac(1), -91, b"up")
    rig.core.send(("radio", mac(1)), b"down", now_ms=rig.now_ms)
    rig.run(20)
    assert rig.arrived == [(("radio", mac(1)), b"up")] and rig.flown == [(mac(1), b"down")]
    assert rig.core.rssi_dbm(mac(1)) == -91 and rig.core.rssi_dbm(mac(2)) is None


@pytest.mark.parametrize("lost_permille", [0, 150, 400])
def test_the_credit_is_never_overrun_and_never_stands_still_whatever_the_line_loses(rig, lost_permille):
    state = [1]

    def loses(_frame):
        state[0] = (state[0] * 1103515245 + 12345) & 0x7FFFFFFF
        return (state[0] >> 8) % 1000 < lost_permille

    rig.loses = loses
    for _ in range(3000):
        for number in range(5):
            rig.core.send(("radio", mac(number)), b"x", now_ms=rig.now_ms)
        rig.run(20)
    assert rig.bridge.counters["down-overrun"] == 0
    assert len(rig.flown) > 3000 * (1000 - lost_permille) // 1000 // 4
    if lost_permille == 0:
        assert rig.core.counters["asked"] == 1


def test_a_core_that_ignores_its_credit_is_seen_to_overrun(rig, monkeypatch):
    monkeypatch.setattr(Concentrator, "_places", lambda _self: 1000)
    for number in range(40):
        rig.core.send(("radio", mac(number)), b"x", now_ms=rig.now_ms)
    rig.run(10)
    assert rig.bridge.counters["down-overrun"] >= 40 - bridge_limits.DOWN_MAX - 1


def test_one_nodes_datagrams_do_not_hold_up_the_others(rig):
    rig.air_ms = 100
    for _ in range(limits.RADIO_QUEUE_MAX):
        for number in range(30):
            rig.core.send(("radio", mac(number)), b"x", now_ms=rig.now_ms)
    rig.run(3100, 100)
    assert len({to for to, _ in rig.flown[:30]}) == 30


def test_queues_are_bounded_for_a_node_and_in_all_and_what_is_old_goes(rig):
    rig.loses = lambda _frame: True
    rig.core._credit = None
    for value in range(10):
        rig.core.send(("radio", mac(1)), bytes([value]), now_ms=rig.now_ms)
    assert rig.core.waiting() == limits.RADIO_QUEUE_MAX
    for number in range(2000):
        rig.core.send(("radio", mac(number)), b"x", now_ms=rig.now_ms)
    assert rig.core.waiting() == limits.RADIO_WAITING_MAX
    assert not rig.core.send(("radio", mac(1)), bytes(251), now_ms=rig.now_ms)
    rig.run(limits.RADIO_WAIT_MAX_MS + 100, 100)
    assert rig.core.waiting() == 0 and rig.core.counters["expired"] == limits.RADIO_WAITING_MAX


def test_signals_are_remembered_for_a_bounded_number_of_nodes(rig):
    for number in range(limits.RADIO_NODES_MAX + 50):
        rig.bridge.on_radio(mac(number), -90, b"x")
        rig.step()
    assert rig.core.health()["nodes"] == limits.RADIO_NODES_MAX and rig.core.rssi_dbm(mac(0)) is None


def test_a_reset_of_the_concentrator_is_noticed_and_healed(rig):
    for number in range(5):
        rig.core.send(("radio", mac(number)), b"x", now_ms=rig.now_ms)
    rig.run(30)
    rig.boot(6, "watchdog")
    rig.run(100)
    assert rig.logged.count("concentrator-reset") == 1 and rig.core.health()["cause"] == "watchdog"
    rig.core.send(("radio", mac(9)), b"after", now_ms=rig.now_ms)
    rig.run(100)
    assert (mac(9), b"after") in rig.flown and rig.core.state == UP


def test_a_reset_of_the_gateway_forgets_what_the_one_before_wanted(rig):
    rig.air_ms = 500
    for number in range(10):
        rig.core.send(("radio", mac(number)), b"old", now_ms=rig.now_ms)
    rig.run(20)
    rig.core = Concentrator(session=78, now_ms=rig.now_ms)
    rig.up()
    rig.core.send(("radio", mac(1)), b"new", now_ms=rig.now_ms)
    rig.run(2000)
    assert [data for _, data in rig.flown] == [b"old", b"new"]


def test_silence_is_told_and_ends(rig):
    rig.loses = lambda _frame: True
    rig.run(limits.RADIO_SILENT_MS + 1000, 500)
    assert rig.core.state == SILENT and rig.logged[-1] == "concentrator-silent"
    rig.loses = lambda _frame: False
    rig.run(limits.RADIO_ASK_SLOWLY_MS + 1000, 500)
    assert rig.core.state == UP


def test_health_every_minute_is_a_sign_of_life(rig):
    rig.run(10 * limits.RADIO_SILENT_MS, 1000)
    assert rig.core.state == UP
    assert rig.core.health()["concentrator"]["uptime-s"] > 1000


def test_another_version_is_sent_nothing(rig):
    rig.core.receive(slip.encode(bytes((radio.HELLO, 9)) + bytes(20)), now_ms=rig.now_ms)
    assert rig.core.state == FOREIGN
    rig.core.send(("radio", mac(1)), b"x", now_ms=rig.now_ms)
    frames = rig.core.poll(now_ms=rig.now_ms)
    assert all(frame[1] == radio.ASK for frame in frames)
    rig.run(limits.RADIO_ASK_SLOWLY_MS)
    assert rig.core.state == UP, "it was updated"


def test_the_channel_is_set_and_set_again_after_a_reset():
    rig = Rig(channel=11).up()
    rig.run(100)
    assert rig.bridge.channel == 11 and rig.core.hello.channel == 11
    rig.boot(6)
    rig.run(2000)
    assert rig.bridge.channel == 11


def test_a_port_that_goes_and_comes():
    rig = Rig()
    assert rig.core.state == CLOSED and rig.core.poll(now_ms=0) == [] and rig.core.deadline_ms() is None
    rig.up()
    rig.core.closed()
    rig.core.send(("radio", mac(1)), b"x", now_ms=rig.now_ms)
    assert rig.core.poll(now_ms=rig.now_ms) == []
    rig.core.opened(now_ms=rig.now_ms)
    assert rig.core.state == ASKING
    rig.run(100)
    assert rig.flown == [(mac(1), b"x")]


def test_every_deadline_lies_ahead_after_a_poll(rig):
    rig.air_ms = 3000
    for step in range(4000):
        rig.core.send(("radio", mac(step % 7)), b"x", now_ms=rig.now_ms)
        rig.loses = lambda _frame, step=step: step // 1000 % 2
        rig.run(50, 50)
        rig.core.poll(now_ms=rig.now_ms)
        assert rig.core.deadline_ms() > rig.now_ms


@examples(times=2)
@given(st.lists(st.binary(max_size=300), max_size=20))
def test_any_bytes_do_no_harm(pieces):
    rig = Rig().up()
    for piece in pieces:
        rig.core.receive(piece, now_ms=rig.now_ms)
        rig.core.receive(slip.encode(piece or b"\x01"), now_ms=rig.now_ms)
        rig.core.poll(now_ms=rig.now_ms)
    rig.run(limits.RADIO_SILENT_MS + 60_000, 1000)
    rig.core.send(("radio", mac(1)), b"still", now_ms=rig.now_ms)
    rig.run(5000)
    assert (mac(1), b"still") in rig.flown


def test_every_state_of_the_table_exists():
    for happenings in concentrator.TABLE.values():
        assert set(happenings.values()) <= set(concentrator.TABLE)
