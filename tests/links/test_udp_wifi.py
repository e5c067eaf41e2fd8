"""The UDP bearer against a scripted socket, and the Wi-Fi supervision against a scripted radio."""

from itertools import pairwise
from random import Random

import pytest

from links import udp, wifi
from links.wifi import CONNECTING, UP, WAITING, Wifi
from wire import coap_message, limits
from wire.coap import Endpoint
from wire.coap_exchange import bearer_timing

GATEWAY = ("192.168.1.10", 5683)


class Modules:
    """Stands for `socket` and `select` at once. As the ESP32 port's, a socket that has had an empty datagram has
    nothing but empty ones for ever, of whoever was the last."""

    AF_INET, SOCK_DGRAM, POLLIN = 2, 1, 1

    def __init__(self):
        self.arriving = []
        self.sent = []
        self.blocking = None
        self.broken = False
        self.waited = []
        self.reads = 0
        self.is_deaf = False
        self.sockets = 0

    def socket(self, _family, _kind):
        self.sockets += 1
        self.is_deaf = False
        return self

    def close(self):
        self.blocking = None

    def setblocking(self, on):
        self.blocking = on

    def sendto(self, data, peer):
        if self.broken:
            raise OSError(118)
        self.sent.append((data, peer))

    def recvfrom(self, count):
        self.reads += 1
        if self.is_deaf:
            return b"", GATEWAY
        if not self.arriving:
            raise OSError(11)
        data, peer = self.arriving.pop(0)
        self.is_deaf = not data
        return data[:count], peer

    def poll(self, *timeout_ms):
        self.waited += timeout_ms
        return self

    def ipoll(self, timeout_ms):
        assert timeout_ms == 0
        return iter([(self, self.POLLIN)] if self.arriving or self.is_deaf else [])

    def register(self, _socket, events):
        assert events == self.POLLIN


@pytest.fixture
def modules():
    return Modules()


@pytest.fixture
def link(modules):
    return udp.UdpLink(modules, modules, GATEWAY)


def test_the_socket_never_blocks_and_the_wait_is_bounded(link, modules):
    assert modules.blocking is False
    link.wait(100)
    assert modules.waited == [100]


def test_a_turn_without_a_datagram_takes_no_buffer_for_one(link, modules):
    assert link.receive() == [] and modules.reads == 0


def test_only_the_gateway_is_heard(link, modules):
    modules.arriving = [(b"a", GATEWAY), (b"b", ("192.168.1.11", 5683)), (b"c", ("192.168.1.10", 1)), (b"d", GATEWAY)]
    assert link.receive() == [(b"a", GATEWAY), (b"d", GATEWAY)]
    assert (link.counters["received"], link.counters["stranger"]) == (2, 2)


@pytest.mark.parametrize("sender", [GATEWAY, ("192.168.1.99", 40_000)])
def test_an_empty_datagram_makes_nobody_deaf(link, modules, sender):
    modules.arriving = [(b"a", GATEWAY), (b"", sender), (b"b", GATEWAY)]
    assert link.receive() == [(b"a", GATEWAY)]
    assert modules.sockets == 2 and modules.blocking is False
    assert link.receive() == [(b"b", GATEWAY)]
    assert link.counters["empty"] == 1 and link.counters["received"] == 2


def test_a_flood_takes_a_bounded_part_of_a_turn(link, modules):
    modules.arriving = [(b"x", GATEWAY)] * 100
    assert len(link.receive()) == udp.RECEIVED_PER_TURN_MAX


def test_a_long_datagram_is_seen_to_be_too_long(link, modules):
    modules.arriving = [(bytes(2000), GATEWAY)]
    assert len(link.receive()[0][0]) == limits.DATAGRAM_BYTES_MAX + 1


def test_a_datagram_that_cannot_be_sent_is_counted_and_lost(link, modules):
    modules.broken = True
    link.send(GATEWAY, b"x")
    modules.broken = False
    link.send(GATEWAY, b"y")
    assert modules.sent == [(b"y", GATEWAY)]
    assert (link.counters["sent"], link.counters["send-failed"]) == (1, 1)


def test_the_fields_timing_is_the_bearers_and_the_benchs_follows_the_same_formulas():
    assert udp.timing(4000) == bearer_timing(nstart=5)
    field, bench = udp.timing(4000), udp.timing(400)
    assert bench.response_wait_ms * 10 == field.response_wait_ms
    assert (bench.nstart, bench.max_retransmit) == (field.nstart, field.max_retransmit)
    assert 0 < bench.processing_delay_ms < bench.ack_timeout_ms


class Radio:
    """A WLAN: joins when `network` is there; `refusing` raises from every call that changes it."""

    def __init__(self):
        self.network = True
        self.joined = False
        self.refusing = False
        self.code = 1001  # connecting
        self.calls = []

    def active(self, on):
        self.calls.append("active")

    def config(self, *, reconnects):
        self.reconnects = reconnects

    def connect(self, _network, _key):
        self.calls.append("connect")
        if self.refusing:
            raise OSError("Wifi Internal State Error")
        self.joined = self.network

    def disconnect(self):
        self.calls.append("disconnect")
        self.joined = False

    def isconnected(self):
        return self.joined

    def status(self, what=None):
        if what is None:
            return self.code
        assert what == "rssi"
        return -61


@pytest.fixture
def radio():
    return Radio()


def supervise(radio, jitter=0):
    return Wifi(radio, "net", "key", random_below=lambda bound: min(jitter, bound - 1))


def test_it_connects_at_the_first_step_and_is_up_at_the_next(radio):
    supervisor = supervise(radio)
    assert supervisor.signal_dbm() is None
    supervisor.step(now_ms=0)
    assert supervisor.state == CONNECTING
    supervisor.step(now_ms=100)
    assert (supervisor.state, supervisor.signal_dbm()) == (UP, -61)
    assert radio.calls == ["active", "connect"]


def test_a_lost_network_is_tried_again_with_a_doubling_delay_that_ends_at_its_maximum(radio):
    radio.network = False
    supervisor = supervise(radio, jitter=1 << 30)  # the longest delays
    tries_ms, was = [], 0
    for now_ms in range(0, 3_600_000, 100):
        supervisor.step(now_ms=now_ms)
        if supervisor.counters["tries"] != was:
            was = supervisor.counters["tries"]
            tries_ms.append(now_ms)
    gaps = [later - earlier - wifi.CONNECT_TIMEOUT_MS for earlier, later in pairwise(tries_ms)]
    assert gaps[:7] == [2000, 4000, 8000, 16000, 32000, 64000, 120000]
    assert set(gaps[7:]) == {wifi.RETRY_LAST_MS}


def test_a_link_that_breaks_is_taken_up_again_and_the_delay_starts_anew(radio):
    supervisor = supervise(radio)
    supervisor.step(now_ms=0)
    supervisor.step(now_ms=100)
    radio.joined = False
    supervisor.step(now_ms=200)
    assert (supervisor.state, supervisor.counters["lost"]) == (WAITING, 1)
    supervisor.step(now_ms=200 + wifi.RETRY_FIRST_MS)
    supervisor.step(now_ms=300 + wifi.RETRY_FIRST_MS)
    assert supervisor.state == UP
    assert supervisor._delay_ms == wifi.RETRY_FIRST_MS


def test_a_driver_that_refuses_is_one_more_failed_try(radio):
    radio.refusing = True
    supervisor = supervise(radio)
    for now_ms in range(0, 60_000, 100):
        supervisor.step(now_ms=now_ms)
    assert supervisor.counters["refused"] == supervisor.counters["tries"] >= 2
    radio.refusing = False
    for now_ms in range(60_000, 120_000, 100):
        supervisor.step(now_ms=now_ms)
    assert supervisor.state == UP


def test_a_radio_that_joins_by_itself_is_up_at_once(radio):
    radio.network = False
    supervisor = supervise(radio)
    supervisor.step(now_ms=0)
    supervisor.step(now_ms=wifi.CONNECT_TIMEOUT_MS)
    assert supervisor.state == WAITING
    radio.joined = True
    supervisor.step(now_ms=wifi.CONNECT_TIMEOUT_MS + 1)
    assert supervisor.state == UP


@pytest.mark.parametrize(
    ("code", "reason"),
    [*wifi.REASONS.items(), (1001, wifi.OTHER_REASON), (None, wifi.OTHER_REASON), (-7, wifi.OTHER_REASON)],
)
def test_whatever_reason_the_driver_gives_the_network_is_tried_again_and_comes(radio, capsys, code, reason):
    """Each failure status, and the way out of it (micropython#17661, #15563)."""
    radio.network, radio.code = False, code
    supervisor = supervise(radio)
    for now_ms in range(0, 120_000, 100):
        supervisor.step(now_ms=now_ms)
    assert supervisor.counters[reason] == supervisor.counters["tries"] - (supervisor.state == CONNECTING) >= 3
    assert capsys.readouterr().out == f"wifi: {reason}\n", "said once, not at every try"
    radio.network = True
    for now_ms in range(120_000, 400_000, 100):
        supervisor.step(now_ms=now_ms)
    assert supervisor.state == UP


def test_a_thousand_flaps_of_the_access_point_leave_it_up_each_time_and_never_raise(radio):
    random = Random(3)
    supervisor = Wifi(radio, "net", "key", random_below=random.randrange)
    now_ms = 0
    for _ in range(1000):
        radio.joined, radio.network = False, False
        radio.code = random.choice([*wifi.REASONS, 1000, 1001])
        radio.refusing = random.random() < 0.3
        for _ in range(random.randrange(1, 60)):
            now_ms += 1000
            supervisor.step(now_ms=now_ms)
        radio.network, radio.refusing = True, False
        until_ms = now_ms + wifi.RETRY_LAST_MS + 2 * wifi.CONNECT_TIMEOUT_MS
        while supervisor.state != UP:
            now_ms += 1000
            supervisor.step(now_ms=now_ms)
            assert now_ms <= until_ms
    assert supervisor.counters["lost"] >= 999


def test_every_entry_of_the_table_leads_to_a_state_and_an_action_that_exist():
    for happenings in wifi.TABLE.values():
        for state, action in happenings.values():
            assert state in wifi.TABLE
            assert callable(getattr(Wifi, action))


def test_an_alarm_finds_a_place_while_everything_else_waits_for_a_gateway_that_has_just_died():
    """Telemetry, the question for an order, that for directives, and a piece of a program: four are open."""
    end = Endpoint(random_below=lambda bound: bound // 2, first_message_id=1, timing=udp.timing(4000))
    for path in (b"t", b"c", b"d", b"f"):
        end.request("gateway", coap_message.GET, (path,), now_ms=0)
    assert len(end.outgoing()) == 4
    end.request("gateway", coap_message.POST, (b"e",), b"alarm", now_ms=1)
    assert len(end.outgoing()) == 1
