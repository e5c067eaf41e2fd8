"""Who is logged in to the technician's page: sessions that end by themselves, and what an order must carry to be one.

A session lives IDLE_MS from the last page that a person opened, LIFE_MS in all; pages that refresh by themselves do
not count. The token is known to the browser alone: here stands its hash. An order carries the session's second
secret, which no other site can read. Time is an argument. Gone with the agent: whoever was in logs in again.
"""

import hmac
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256

IDLE_MS = 30 * 60_000
LIFE_MS = 12 * 3_600_000
# A cabinet sees one team at a time; the longest idle makes room.
SESSIONS_MAX = 8
TOKEN_CHARACTERS_MAX = 64


@dataclass
class Session:
    """Somebody who is in. `who`: the name they gave; `csrf`: what an order must carry."""

    who: str
    address: str
    csrf: str
    began_ms: int
    seen_ms: int

    def may_order(self, csrf: str) -> bool:
        return hmac.compare_digest(self.csrf.encode(), csrf.encode("utf-8", "replace"))


def _random() -> str:
    return secrets.token_urlsafe(32)


class Sessions:
    """One a page."""

    def __init__(self, random: Callable[[], str] = _random) -> None:
        self._random = random
        self._by_hash: dict[bytes, Session] = {}

    def open(self, who: str, address: str, *, now_ms: int) -> str:
        """A new session's token, for the cookie."""
        self._forget(now_ms)
        while len(self._by_hash) >= SESSIONS_MAX:
            del self._by_hash[min(self._by_hash, key=lambda key: self._by_hash[key].seen_ms)]
        token = self._random()
        self._by_hash[_hash(token)] = Session(who, address, self._random(), now_ms, now_ms)
        return token

    def find(self, token: str | None, *, is_person: bool, now_ms: int) -> Session | None:
        """The session of a token, if it still lives; `is_person`: this counts as a sign of life."""
        self._forget(now_ms)
        if token is None or len(token) > TOKEN_CHARACTERS_MAX:
            return None
        found = self._by_hash.get(_hash(token))
        if found is not None and is_person:
            found.seen_ms = now_ms
        return found

    def close(self, token: str | None) -> None:
        """Log out. Unknown tokens are none of our business."""
        if token is not None:
            self._by_hash.pop(_hash(token), None)

    def __len__(self) -> int:
        return len(self._by_hash)

    def _forget(self, now_ms: int) -> None:
        over = [
            key
            for key, session in self._by_hash.items()
            if now_ms - session.seen_ms >= IDLE_MS or now_ms - session.began_ms >= LIFE_MS
        ]
        for key in over:
            del self._by_hash[key]


def _hash(token: str) -> bytes:
    return sha256(token.encode("utf-8", "replace")).digest()
