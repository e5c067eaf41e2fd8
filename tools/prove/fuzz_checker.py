"""Checks what the two applications received against what the two sides sent, and the wire against RFC 8613.

It is separate from the workload: it draws every message again from the seed and trusts no party. It counts; it must not
act. It uses a few bytes a message, in arrays, so that they do not hide a growth of the parties.
"""

from array import array
from hashlib import sha256
from typing import Any

from tools.prove.fuzz_party import Address, answer_to
from wire import coap_message as messages
from wire import oscore
from wire.faults import WireFault

_BYTES_MAX = 2000
_SLOTS = 0x10000  # far more than requests that may still be answered; when two fall into one slot, one check is missed
_PAYLOAD_BYTES = (4, 64)
_PLAIN, _ECHOED = 1, 2
COUNTS = ("forged", "doubled", "unheard", "nonces_reused", "over_limit", "miscounted", "exceptions")


def message_of(seed: int, side: str, number: int) -> messages.Content:
    """Returns the `number`-th request of a side. Path, options and payload depend on seed, side and number."""
    draw = sha256(f"{seed}/{side}/{number}".encode()).digest()
    low, high = _PAYLOAD_BYTES
    filler = (draw * 2)[: draw[0] % (high - low)]
    path = {"node": b"t", "gateway": b"c"}[side]
    options = [(messages.URI_PATH, path), (messages.URI_QUERY, draw[1:4])][: 1 + draw[4] % 2]
    messages.insert_option(options, messages.CONTENT_FORMAT, b"\x3c")
    return messages.Content(messages.POST, tuple(options), number.to_bytes(4, "big") + filler)


class Checker:
    """Checks one run. `counts`: what must stay zero. `heard`, `answered`: the requests and answers that arrived as they
    were sent.

    A request that is answered with a demand for Echo is sent a second time, with it, as a message of its own. Each of
    the two may reach the application once; `heard_again` counts requests of which both did, for example because the
    answer to the first was lost in a reboot. An act that must not be done twice has an identity of its own above the
    link. Where keys are agreed on anew (`is_keyed_anew`), a request is sent a second time when it was answered with an
    unprotected 4.01, which an attacker may send; numbers begin at 0 again, and `SealedOnce` checks that no nonce is
    used twice.
    """

    def __init__(self, seed: int, *, is_keyed_anew: bool = False) -> None:
        self.counts = dict.fromkeys(COUNTS, 0)
        self.heard = 0
        self.heard_again = 0
        self.answered = 0
        self._seed = seed
        self._is_keyed_anew = is_keyed_anew
        self._heard = {side: bytearray() for side in ("node", "gateway")}  # by number: _PLAIN, _ECHOED
        self._answered = {side: bytearray() for side in ("node", "gateway")}
        self._sealed: dict[tuple[str, Address], array[int]] = {}
        # Requests by the address and token that their answers will have: digest of these and number, without an object
        # for each.
        self._asked_by = array("Q", bytes(8 * _SLOTS))
        self._asked_number = array("Q", bytes(8 * _SLOTS))

    def next_request(self, side: str) -> int:
        """Returns the number of the side's next request."""
        self._heard[side].append(0)
        self._answered[side].append(0)
        return len(self._heard[side]) - 1

    def on_request(self, asker: str, content: messages.Content) -> None:
        """Checks a request of `asker` that an application received."""
        number = int.from_bytes(content.payload[:4], "big")
        heard = self._heard[asker]
        plain = tuple(option for option in content.options if option[0] != messages.ECHO)
        said = messages.Content(content.code, plain, content.payload)
        if number >= len(heard) or said != message_of(self._seed, asker, number):
            self.counts["forged"] += 1
            return
        flag = _PLAIN if len(plain) == len(content.options) else _ECHOED
        if self._is_keyed_anew and heard[number] == _PLAIN:
            flag = _ECHOED
        self.heard += 1
        self.counts["doubled"] += heard[number] & flag != 0
        heard[number] |= flag
        self.heard_again += heard[number] == _PLAIN | _ECHOED

    def on_answer(self, asker: str, number: int, content: messages.Content) -> None:
        """Checks an answer to its request that the application of `asker` received."""
        if content != answer_to(message_of(self._seed, asker, number)):
            self.counts["forged"] += 1
            return
        self.answered += 1
        self.counts["doubled"] += self._answered[asker][number]
        self._answered[asker][number] = 1
        self.counts["unheard"] += self._heard[asker][number] == 0

    def on_sent(self, source: Address, destination: Address, datagram: bytes) -> None:
        """Checks a datagram that a party sent: one nonce must have one ciphertext."""
        message = messages.decode(datagram, _BYTES_MAX)
        if self._is_keyed_anew or isinstance(message, messages.Fault):
            return
        if not messages.option_values(message.options, messages.OSCORE):
            return
        try:
            header = oscore.header_of(message)
        except WireFault:
            self.counts["forged"] += 1  # a party never sends an unsound one
            return
        is_request = message.code < 32
        number = None if header.partial_iv is None else int.from_bytes(header.partial_iv, "big")
        key = _digest(repr((source, message.token) if is_request else (destination, message.token)).encode())
        slot = key % _SLOTS
        if is_request and number is not None:
            self._asked_by[slot], self._asked_number[slot] = key, number
        if number is not None:
            self._seal("own", source, number, message)
        elif self._asked_by[slot] == key:
            self._seal("of the request", source, self._asked_number[slot], message)

    def _seal(self, whose: str, source: Address, number: int, message: Any) -> None:
        digest = _digest(message.payload)
        sealed = self._sealed.setdefault((whose, source), array("Q"))
        while len(sealed) <= number:
            sealed.append(0)
        self.counts["nonces_reused"] += sealed[number] not in (0, digest)
        sealed[number] = digest


def _digest(data: bytes) -> int:
    """Returns 64 bits of a digest, never zero."""
    return int.from_bytes(sha256(data).digest()[:8], "big") | 1
