"""A node's end of the link over deep sleep: it goes on under its keys, and never spends a nonce twice."""

import pytest

from tests.support.link_world import GATEWAY, Joined
from tests.support.no_nonce_twice import no_nonce_twice
from wire import coap_message as messages
from wire.oscore_link import ASLEEP_BYTES, INIT, OFFERED, PROVEN


@pytest.fixture(autouse=True)
def ledger():
    with no_nonce_twice() as ledger:
        yield ledger


@pytest.fixture
def joined():
    return Joined()


def sleep(joined, slept_ms=900_000):
    """The board loses its RAM and wakes with what it kept."""
    asleep = joined.node.suspend()
    assert len(asleep) == ASLEEP_BYTES
    joined.now_ms += slept_ms
    joined.boot(1).resume(asleep)


def test_a_node_that_wakes_speaks_on_under_its_keys(joined):
    assert joined.answered(b"before")
    handshakes = joined.node.counters["handshakes"]
    for index in range(5):
        sleep(joined)
        assert joined.node.state == PROVEN
        assert joined.answered(b"awake %d" % index)
        assert joined.node.counters["handshakes"] == 0
    assert handshakes == 1
    assert [one.payload for one in joined.heard] == [b"before"] + [b"awake %d" % index for index in range(5)]


def test_a_gateway_that_started_anew_meanwhile_agrees_with_it_again(joined):
    assert joined.answered(b"before")
    sleep(joined)
    joined.restart()
    assert joined.answered(b"after")
    assert joined.node.counters["keys-lost"] == 1 and joined.node.counters["handshakes"] == 1


def test_what_has_never_spoken_wakes_without_keys(joined):
    sleep(joined)
    assert joined.node.state == INIT and joined.answered(b"first")


def test_keys_that_were_not_proven_wake_so(joined):
    joined.lose = lambda source, datagram: source == GATEWAY and len(joined.said(GATEWAY)) > 1
    joined.ask(b"x")
    joined.pass_time(600_000)
    assert joined.node.state == OFFERED
    joined.lose = lambda source, datagram: False
    sleep(joined)
    assert joined.node.state == OFFERED and joined.answered(b"y")


def test_nobody_sleeps_over_an_open_exchange(joined):
    joined.lose = lambda source, datagram: True
    joined.node.request(GATEWAY, messages.POST, (b"t",), b"x", now_ms=joined.now_ms)
    assert joined.node.suspend() is None


def test_the_same_sleep_woken_twice_would_repeat_a_nonce_and_the_ledger_sees_it(joined, ledger):
    """Why whoever wakes spoils the bytes first."""
    assert joined.answered(b"before")
    asleep = joined.node.suspend()
    for payload in (b"one", b"another"):
        joined.boot(1).resume(asleep)
        joined.ask(payload)
    assert ledger.reused > 0
    ledger.reused = 0
