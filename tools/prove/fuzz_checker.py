"""Checks what the two applications received against what the node asked and the gateway answered.

It is separate from the workload: it draws every message again from the seed and trusts no party. It counts; it must not
act. It uses a few bytes a message, so that they do not hide a growth of the parties.
"""

from hashlib import sha256

from wire import coap_message as messages

_PAYLOAD_BYTES = (4, 64)
COUNTS = ("forged", "doubled", "unheard", "nonces_reused", "over_limit", "miscounted", "exceptions")


def message_of(seed: int, number: int) -> messages.Content:
    """Returns the node's `number`-th request. Options and payload depend on seed and number."""
    draw = sha256(f"{seed}/node/{number}".encode()).digest()
    low, high = _PAYLOAD_BYTES
    filler = (draw * 2)[: draw[0] % (high - low)]
    options = [(messages.URI_PATH, b"t"), (messages.URI_QUERY, draw[1:4])][: 1 + draw[4] % 2]
    messages.insert_option(options, messages.CONTENT_FORMAT, b"\x3c")
    return messages.Content(messages.POST, tuple(options), number.to_bytes(4, "big") + filler)


def answer_to(request: messages.Content) -> messages.Content:
    """Returns the application's answer to a request, which depends on all of the request."""
    parts = [bytes((request.code,)), request.payload]
    parts += [number.to_bytes(2, "big") + value for number, value in request.options]
    return messages.Content(messages.CHANGED, (), sha256(b"/".join(parts)).digest()[:16])


class Checker:
    """Checks one run. `counts`: what must stay zero. `heard`, `answered`: the requests and answers that arrived as they
    were sent.

    A request is sent a second time when it was answered with an unprotected 4.01, which an attacker may send, and each
    of the two may reach the application once; `heard_again` counts requests of which both did, for example because the
    answer to the first was lost in a reboot. An act that must not be done twice has an identity of its own above the
    link. `SealedOnce` checks that no nonce is used twice.
    """

    def __init__(self, seed: int) -> None:
        self.counts = dict.fromkeys(COUNTS, 0)
        self.heard = 0
        self.heard_again = 0
        self.answered = 0
        self._seed = seed
        self._heard, self._answered = bytearray(), bytearray()  # by number: how often

    def next_request(self) -> int:
        """Returns the number of the node's next request."""
        self._heard.append(0)
        self._answered.append(0)
        return len(self._heard) - 1

    def on_request(self, content: messages.Content) -> None:
        """Checks a request that the gateway's application received."""
        number = int.from_bytes(content.payload[:4], "big")
        if number >= len(self._heard) or content != message_of(self._seed, number):
            self.counts["forged"] += 1
            return
        self.heard += 1
        self._heard[number] = min(3, self._heard[number] + 1)
        self.heard_again += self._heard[number] == 2
        self.counts["doubled"] += self._heard[number] > 2

    def on_answer(self, number: int, content: messages.Content) -> None:
        """Checks an answer that the node's application received."""
        if content != answer_to(message_of(self._seed, number)):
            self.counts["forged"] += 1
            return
        self.answered += 1
        self.counts["doubled"] += self._answered[number]
        self._answered[number] = 1
        self.counts["unheard"] += self._heard[number] == 0
