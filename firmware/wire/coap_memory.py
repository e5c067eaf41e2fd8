"""What a CoAP endpoint remembers of the messages it received, so that a duplicate is known for one.

It stores and forgets; it must not send, answer, or change a state: `wire.coap` does.

**Duplicates.** Message ids restart at each boot of a peer, so an id does not name a message: peer and digest
of the bytes do. A retransmission has the same bytes; a retry by the application has a new id and token and is
a new message. The digest is SHA-256 cut to 8 bytes: whoever overhears an alarm that got lost could otherwise
forge, within seconds, other bytes with the same CRC-32, and the genuine retransmission would be taken for a
duplicate and get the forgery's reply.

**Bounds.** A message is remembered for the exchange lifetime. There are at most `per_peer_max` of a peer and
`in_all_max` in all. A full memory forgets the oldest *answered* exchange, of the same peer when that peer is
at its own bound: a noisy peer evicts itself first. An exchange that the application still holds is never
evicted; when there is nothing else, the new message is not taken. A duplicate that comes after eviction
reaches the application again, which is idempotent (record identity, command id).
"""

from collections import OrderedDict
from hashlib import sha256

from wire.coap_exchange import ANSWERED, SERVED, Exchange

_DIGEST_BYTES = 8


def digest_of(datagram):
    """What names `datagram` (bytes) among those of its peer."""
    return sha256(datagram).digest()[:_DIGEST_BYTES]


class Memory:
    """Exchanges that peers asked for, by number and by peer. `evicted` counts what left before its time."""

    def __init__(self, *, in_all_max, per_peer_max, lifetime_ms):
        self.evicted = 0
        self._in_all_max = in_all_max
        self._per_peer_max = per_peer_max
        self._lifetime_ms = lifetime_ms
        self._by_number = OrderedDict()  # oldest first: it expires first
        self._by_peer = {}  # peer: [the same exchanges, oldest first]

    def __len__(self):
        return len(self._by_number)

    def get(self, number):
        """The exchange with this number, or None."""
        return self._by_number.get(number)

    def find(self, peer, digest):
        """The exchange that began with these bytes from this peer, or None."""
        for exchange in self._by_peer.get(peer, ()):
            if exchange.digest == digest:
                return exchange
        return None

    def remember(self, number, peer, digest, *, now_ms):
        """A new exchange, ANSWERED until the caller says otherwise; None when there is no place for it."""
        mine = self._by_peer.get(peer)
        if mine is not None and len(mine) >= self._per_peer_max:
            if not self._evict(mine):
                return None
        elif len(self._by_number) >= self._in_all_max and not self._evict(self._by_number.values()):
            return None
        exchange = Exchange(number, peer, SERVED, ANSWERED)
        exchange.digest = digest
        exchange.expires_ms = now_ms + self._lifetime_ms
        self._by_number[number] = exchange
        if peer not in self._by_peer:
            self._by_peer[peer] = []
        self._by_peer[peer].append(exchange)
        return exchange

    def _evict(self, oldest_first):
        for exchange in oldest_first:
            if exchange.state == ANSWERED:
                self.evicted += 1
                self.forget(exchange)
                return True
        return False

    def expired(self, *, now_ms):
        """The oldest exchange if its lifetime is over, else None. It stays until it is forgotten."""
        for exchange in self._by_number.values():
            return exchange if exchange.expires_ms <= now_ms else None
        return None

    def forget(self, exchange):
        del self._by_number[exchange.number]
        mine = self._by_peer[exchange.peer]
        mine.remove(exchange)
        if not mine:
            del self._by_peer[exchange.peer]
