"""Plays a hostile peer that overhears everything and has no key: it makes datagrams from what passed, and from nothing.

It may send under any address. It forgets all but a bounded number of datagrams. Must not know the parties' state or
keys: an attacker in a parked car could send the same.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from gateway.io.crypto import AesCcm
from simulator.world.chance import Prng
from tools.prove.fuzz_ends import Address
from wire import coap_message as messages
from wire import oscore, oscore_context
from wire.oscore import HOP_LIMIT, Header

_RECENT_MAX = 12  # most of them still on their way
_LIVE_MAX = 3
_OLD_MAX = 256
_STRANGERS = 40  # more addresses than an endpoint remembers exchanges
_BYTES_MAX = 2000
_RIGHT_ADDRESS_PERMILLE = 700


class Overheard(NamedTuple):
    """Holds a datagram that passed, with its addresses."""

    source: Address
    destination: Address
    data: bytes


class HostileDatagram(NamedTuple):
    """Holds a datagram to `destination` whose source address claims to be `source`."""

    kind: str
    source: Address
    destination: Address
    data: bytes


class Attacker:
    """Draws one datagram after the other."""

    def __init__(self, prng: Prng, ends: tuple[Address, Address], ids: tuple[bytes, bytes], id_context: bytes) -> None:
        self._prng = prng
        self._ends = ends
        # Contexts of an impostor: everything is right but the master secret.
        self._impostors = [
            oscore_context.derive(bytes(range(16)), sender_id=sender, recipient_id=recipient, id_context=id_context)
            for sender, recipient in (ids, ids[::-1])
        ]
        self._recent: list[Overheard] = []
        # Full of placeholders from the start, so that its own growth does not hide that of the parties.
        self._old = [Overheard(*ends, messages.empty(messages.CON, number)) for number in range(_OLD_MAX)]
        self._old_count = 0
        self._cipher = AesCcm()
        # (kind, share, maker). Datagrams aimed at a live exchange can only delay it; with a larger share they would
        # prevent every exchange.
        makers: tuple[tuple[str, int, Callable[[], tuple[Overheard, bytes]]], ...] = (
            ("random bytes", 8, self._random),
            ("random after a header", 8, self._header),
            ("bits flipped", 10, self._flipped),
            ("truncated", 6, self._truncated),
            ("extended", 6, self._extended),
            ("options rearranged", 6, self._rearranged),
            ("options added outside", 3, self._outside),
            ("options oversized", 6, self._oversized),
            ("other kid", 5, self._kid),
            ("other ID Context", 5, self._id_context),
            ("other Partial IV", 6, self._partial_iv),
            ("replayed", 10, self._replayed),
            ("replayed in a new message", 10, self._renumbered),
            ("spliced", 6, self._spliced),
            ("impostor", 5, self._impostor),
            ("reflected", 3, self._reflected),
            ("empty", 4, self._empty),
            ("reset of a live id", 1, self._reset),
            ("acknowledgement of a live id", 1, self._acknowledgement),
            ("answer to a live token", 2, self._answer),
            ("in the clear", 4, self._clear),
        )
        self._deck = [(kind, maker) for kind, share, maker in makers for _ in range(share)]
        self.kinds = dict.fromkeys((kind for kind, _, _ in makers), 0)

    def overhear(self, source: Address, destination: Address, data: bytes) -> None:
        """Notes a genuine datagram that was sent just now."""
        heard = Overheard(source, destination, data)
        self._recent.append(heard)
        if len(self._recent) <= _RECENT_MAX:
            return
        older = self._recent.pop(0)
        place = self._old_count if self._old_count < _OLD_MAX else self._prng.randrange(_OLD_MAX)
        self._old_count = min(_OLD_MAX, self._old_count + 1)
        self._old[place] = older

    def next_datagram(self) -> HostileDatagram:
        """Makes the next hostile datagram."""
        kind, maker = self._deck[self._prng.randrange(len(self._deck))]
        self.kinds[kind] += 1
        aim, data = maker()
        source, destination = aim.source, aim.destination
        if destination not in self._ends:  # it was sent to a stranger: aim at the party
            destination = self._ends[source == self._ends[0]]
        if not self._prng.chance(_RIGHT_ADDRESS_PERMILLE):
            source = (f"203.0.113.{self._prng.randrange(_STRANGERS)}", self._prng.between(1, 3))
        return HostileDatagram(kind, source, destination, data)

    # --- what to start from ---------------------------------------------------------------------------------

    def _any(self, *, recent_permille: int = 600) -> Overheard:
        if self._old_count and not self._prng.chance(recent_permille):
            return self._old[self._prng.randrange(self._old_count)]
        return self._recent[self._prng.randrange(len(self._recent))] if self._recent else self._old[0]

    def _live(self) -> Overheard:
        """Returns one of the last datagrams that were sent."""
        count = min(_LIVE_MAX, len(self._recent))
        return self._recent[-1 - self._prng.randrange(count)] if count else self._old[0]

    def _message(self, heard: Overheard) -> Any:
        """Returns the message in a genuine datagram, which always decodes."""
        message = messages.decode(heard.data, _BYTES_MAX)
        assert isinstance(message, messages.Message)
        return message

    def _bytes(self, low: int, high: int) -> bytes:
        count = self._prng.between(low, high)
        return b"".join(self._prng.bits64().to_bytes(8, "big") for _ in range(-(-count // 8)))[:count]

    def _id(self) -> int:
        return self._prng.randrange(0x10000)

    def _made(self, message: Any, **changes: Any) -> bytes:
        """Returns the message with other fields; more often than not with an id and a token of its own."""
        fields = message._asdict()
        if self._prng.chance(700):
            fields |= {"message_id": self._id(), "token": self._bytes(0, 8)}
        fields |= changes
        if fields["code"] == messages.EMPTY:
            return messages.empty(fields["type"], fields["message_id"])
        return bytes(messages.encode(messages.Message(**fields), _BYTES_MAX))

    # --- from nothing ---------------------------------------------------------------------------------------

    def _random(self) -> tuple[Overheard, bytes]:
        return self._any(), self._bytes(0, 300)

    def _header(self) -> tuple[Overheard, bytes]:
        head = bytes((0x40 | self._prng.randrange(0x40),)) + self._bytes(3, 3)
        return self._any(), head + self._bytes(0, 120)

    def _empty(self) -> tuple[Overheard, bytes]:
        return self._any(), messages.empty(self._prng.randrange(4), self._id())

    def _clear(self) -> tuple[Overheard, bytes]:
        options = [(messages.URI_PATH, b"c")]
        if self._prng.chance(300):
            options.insert(0, (messages.OSCORE, self._bytes(0, 12)))
        made = (self._prng.randrange(2), self._prng.between(1, 7), self._id(), self._bytes(0, 8), options)
        return self._any(), bytes(messages.encode(messages.Message(*made, self._bytes(0, 40))))

    # --- from what passed -----------------------------------------------------------------------------------

    def _flipped(self) -> tuple[Overheard, bytes]:
        heard = self._any()
        data = bytearray(heard.data)
        for _ in range(self._prng.between(1, 1 + self._prng.randrange(8))):
            data[self._prng.randrange(len(data))] ^= 1 << self._prng.randrange(8)
        return heard, bytes(data)

    def _truncated(self) -> tuple[Overheard, bytes]:
        heard = self._any()
        return heard, heard.data[: self._prng.randrange(len(heard.data))]

    def _extended(self) -> tuple[Overheard, bytes]:
        heard = self._any()
        return heard, heard.data + self._bytes(1, 40 if self._prng.chance(700) else 1200)

    def _rearranged(self) -> tuple[Overheard, bytes]:
        """Swaps values between options, doubles options, leaves some out, or adds those of another message."""
        heard = self._any()
        message = self._message(heard)
        options = [*message.options, *self._message(self._any()).options]
        values = [value for _, value in options]
        chosen = []
        for number, value in options:
            draw = self._prng.randrange(4)
            if draw == 1:
                chosen.append((number, values[self._prng.randrange(len(values))]))
            elif draw:
                chosen += [(number, value)] * (1 if draw == 2 else self._prng.between(1, 3))
        chosen.append((self._prng.randrange(300), self._bytes(0, 20)))
        return heard, self._made(message, options=sorted(chosen))

    def _outside(self) -> tuple[Overheard, bytes]:
        """Adds options that OSCORE leaves unprotected to a message that is on its way."""
        heard = self._live()
        message = self._message(heard)
        options = list(message.options)
        number = (messages.URI_HOST, messages.URI_PORT, HOP_LIMIT, messages.MAX_AGE)[self._prng.randrange(4)]
        messages.insert_option(options, number, self._bytes(1, 2))
        return heard, self._made(message, message_id=message.message_id, token=message.token, options=options)

    def _oversized(self) -> tuple[Overheard, bytes]:
        """Claims lengths and numbers beyond the datagram, where the options begin."""
        heard = self._any()
        start = min(len(heard.data), 4 + (heard.data[0] & 15))
        odd = (
            b"\x9e\xff\xff",  # OSCORE, 65,804 bytes
            b"\x9d" + self._bytes(1, 1),
            b"\xee\xff\xff\xff\xff",
            b"\xf1" + self._bytes(1, 3),
            b"\x00" * self._prng.between(1, 40),  # as many empty options
            b"\x9d\xf2" + self._bytes(255, 255),
            b"\xff",
        )[self._prng.randrange(7)]
        return heard, heard.data[:start] + odd + heard.data[start:]

    def _with_header(self, change: Callable[[Header], Header]) -> tuple[Overheard, bytes]:
        heard = self._any()
        message = self._message(heard)
        options = []
        for number, value in message.options:
            if number == messages.OSCORE:
                value = oscore.encode_header(change(oscore.decode_header(value)))
            options.append((number, value))
        return heard, self._made(message, options=options)

    def _kid(self) -> tuple[Overheard, bytes]:
        kid = None if self._prng.chance(100) else self._bytes(0, 7)
        return self._with_header(lambda header: Header(header.partial_iv, header.kid_context, kid))

    def _id_context(self) -> tuple[Overheard, bytes]:
        other = self._bytes(0, 16)
        return self._with_header(lambda header: Header(header.partial_iv, other, header.kid))

    def _partial_iv(self) -> tuple[Overheard, bytes]:
        """Uses other Partial IVs: near the genuine one, an old one, and the highest possible."""

        def change(header: Header) -> Header:
            now = int.from_bytes(header.partial_iv or b"", "big")
            near = max(0, now + self._prng.between(-40, 40))
            number = (near, self._prng.randrange(now + 1), oscore_context.PARTIAL_IV_MAX)[self._prng.randrange(3)]
            return Header(oscore.partial_iv_bytes(number), header.kid_context, header.kid)

        return self._with_header(change)

    def _replayed(self) -> tuple[Overheard, bytes]:
        heard = self._any(recent_permille=400)
        return heard, heard.data

    def _renumbered(self) -> tuple[Overheard, bytes]:
        """Puts the protected content into a message with a new id, which is no duplicate."""
        heard = self._any(recent_permille=400)
        message = self._message(heard)
        if message.code == messages.EMPTY:
            return heard, heard.data
        kind = self._prng.randrange(2)
        return heard, self._made(message, type=kind, message_id=self._id(), token=self._bytes(0, 8))

    def _spliced(self) -> tuple[Overheard, bytes]:
        """Combines the message with the ciphertext of another, or with parts of both."""
        heard, other = self._any(), self._message(self._any())
        message = self._message(heard)
        cut = self._prng.randrange(len(message.payload) + 1)
        payload = other.payload if self._prng.chance(500) else message.payload[:cut] + other.payload[cut:]
        return heard, self._made(message, payload=payload)

    def _impostor(self) -> tuple[Overheard, bytes]:
        heard = self._any()
        context = self._impostors[heard.source == self._ends[1]]
        content = messages.Content(messages.POST, ((messages.URI_PATH, b"c"),), self._bytes(0, 60))
        number = self._prng.randrange(1 << (8, 16, 40)[self._prng.randrange(3)])
        sealed, _ = oscore.protect_request(context, content, self._cipher, number=number)
        made = (messages.CON, sealed.code, self._id(), self._bytes(0, 8), sealed.options, sealed.payload)
        return heard, bytes(messages.encode(messages.Message(*made), _BYTES_MAX))

    def _back(self, heard: Overheard) -> Overheard:
        """Returns the datagram as sent back to its sender by its receiver."""
        source = heard.destination if heard.destination in self._ends else self._ends[heard.source == self._ends[0]]
        return Overheard(source, heard.source, heard.data)

    def _reflected(self) -> tuple[Overheard, bytes]:
        heard = self._any()
        return self._back(heard), heard.data

    # --- at what is alive -----------------------------------------------------------------------------------

    def _reset(self) -> tuple[Overheard, bytes]:
        heard = self._live()
        return self._back(heard), messages.empty(messages.RST, int.from_bytes(heard.data[2:4], "big"))

    def _acknowledgement(self) -> tuple[Overheard, bytes]:
        heard = self._live()
        return self._back(heard), messages.empty(messages.ACK, int.from_bytes(heard.data[2:4], "big"))

    def _answer(self) -> tuple[Overheard, bytes]:
        """Answers in the clear, with the sender's own ciphertext, or with random bytes."""
        heard = self._live()
        message = self._message(heard)
        codes = (messages.CHANGED, messages.UNAUTHORIZED, messages.INTERNAL_ERROR, messages.CONTENT)
        options = ((), ((messages.OSCORE, b""),), message.options)[self._prng.randrange(3)]
        payload = (b"", message.payload, self._bytes(8, 40))[self._prng.randrange(3)]
        kind = (messages.ACK, messages.CON, messages.NON)[self._prng.randrange(3)]
        made = (kind, codes[self._prng.randrange(4)], message.message_id, message.token, options, payload)
        return self._back(heard), bytes(messages.encode(messages.Message(*made), _BYTES_MAX))
