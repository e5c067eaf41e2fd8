"""What a CoAP endpoint remembers: found again, bounded, oldest answered first out."""

from wire.coap_exchange import ANSWERED, OPEN, Memory, digest_of


def memory(in_all_max=4, per_peer_max=2):
    return Memory(in_all_max=in_all_max, per_peer_max=per_peer_max, lifetime_ms=1000)


def test_a_message_is_found_by_its_peer_and_its_bytes_only():
    held = memory()
    known = held.remember(1, b"a", digest_of(b"bytes"), now_ms=0)
    assert held.find(b"a", digest_of(b"bytes")) is known
    assert held.find(b"b", digest_of(b"bytes")) is None
    assert held.find(b"a", digest_of(b"other")) is None


def test_the_digest_is_longer_than_what_can_be_forged_within_a_retransmission():
    assert len(digest_of(b"alarm")) == 8 and digest_of(b"alarm") != digest_of(b"alarn")


def test_a_peer_at_its_bound_evicts_its_own_oldest():
    held = memory()
    held.remember(1, b"a", b"1", now_ms=0)
    held.remember(2, b"b", b"1", now_ms=0)
    held.remember(3, b"a", b"2", now_ms=0)
    held.remember(4, b"a", b"3", now_ms=0)
    assert held.get(1) is None and held.get(2) is not None and held.get(3) is not None
    assert (held.evicted, len(held)) == (1, 3)


def test_the_whole_memory_at_its_bound_evicts_the_oldest_of_all():
    held = memory()
    for number in range(1, 6):
        held.remember(number, number, b"1", now_ms=0)
    assert held.get(1) is None and held.get(5) is not None and len(held) == 4


def test_what_the_application_holds_is_never_evicted():
    held = memory()
    held.remember(1, b"a", b"1", now_ms=0).state = OPEN
    held.remember(2, b"a", b"2", now_ms=0)
    assert held.remember(3, b"a", b"3", now_ms=0).state == ANSWERED
    assert held.get(1) is not None and held.get(2) is None


def test_a_memory_full_of_open_exchanges_takes_nothing_more():
    held = memory()
    for number in range(1, 5):
        held.remember(number, number, b"1", now_ms=0).state = OPEN
    assert held.remember(5, 5, b"1", now_ms=0) is None
    assert (held.evicted, len(held)) == (0, 4)


def test_an_exchange_expires_exactly_after_its_lifetime():
    held = memory()
    first = held.remember(1, b"a", b"1", now_ms=500)
    held.remember(2, b"a", b"2", now_ms=501)
    assert held.expired(now_ms=1499) is None
    assert held.expired(now_ms=1500) is first
    held.forget(first)
    assert held.expired(now_ms=1500) is None and held.find(b"a", b"1") is None


def test_a_forgotten_peer_leaves_nothing_behind():
    held = memory()
    held.forget(held.remember(1, b"a", b"1", now_ms=0))
    assert len(held) == 0 and held._by_peer == {}
