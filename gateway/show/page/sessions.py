"""Keeps the sessions of the technician's page: from a name and a password to a session that expires.

A session lives IDLE_MS from the last page that a person opened, LIFE_MS in all; pages that refresh by themselves do
not count. Only the browser knows the token: here is its hash. An order carries the session's second secret,
which no other site can read. A restart of the agent ends every session.

The audit log will contain the name: it is asked for, not proven, for a team shares one password. scrypt runs in a
thread, one at a time: the agent's loop is not blocked, and frequent attempts do not use up the cabinet's memory.
Neither the password nor what was typed in its place is ever logged.

The first FREE wrong passwords of an address cost nothing, each further one doubles the wait up to WAIT_MS_MAX; after
FORGET_MS without a failure all is forgotten. Over all addresses FREE_ALL are free and the wait is short, for it also
delays the rightful technician. An attempt counts as failed when it begins, or many at once would count as one.
"""

import asyncio
import hmac
import ipaddress
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from typing import NamedTuple

from gateway.config import password

IDLE_MS = 30 * 60_000
LIFE_MS = 12 * 3_600_000
# An order is confirmed on the screen for so long: the lamps take that time to be measured.
DONE_MS = 30_000
# A cabinet sees one team at a time; the session idle for longest makes room.
SESSIONS_MAX = 8
TOKEN_CHARACTERS_MAX = 64
WHO_CHARACTERS_MAX = 40

# Waits between attempts.
FREE = 3
FREE_ALL = 12
WAIT_FIRST_MS = 2_000
WAIT_MS_MAX = 15 * 60_000
WAIT_ALL_MS_MAX = 30_000
FORGET_MS = 3_600_000
ADDRESSES_MAX = 256

# Reasons why an attempt fails.
WRONG, WAIT, BUSY, NAME = "wrong", "wait", "busy", "name"


@dataclass
class Session:
    """Holds a person's session. `who`: the name that was given; `csrf`: what an order must carry; `done`: the last
    order that was accepted, its feeder (None: all), and when."""

    who: str
    address: str
    csrf: str
    began_ms: int
    seen_ms: int
    done: tuple[str, int | None, int] | None = None

    def may_order(self, csrf: str) -> bool:
        return hmac.compare_digest(self.csrf.encode(), csrf.encode("utf-8", "replace"))


def _random() -> str:
    return secrets.token_urlsafe(32)


class Sessions:
    """Holds the sessions of a page, SESSIONS_MAX at most."""

    def __init__(self, random: Callable[[], str] = _random) -> None:
        self._random = random
        self._by_hash: dict[bytes, Session] = {}

    def open(self, who: str, address: str, *, now_ms: int) -> str:
        """Returns a new session's token, for the cookie."""
        self._forget(now_ms)
        while len(self._by_hash) >= SESSIONS_MAX:
            del self._by_hash[min(self._by_hash, key=lambda key: self._by_hash[key].seen_ms)]
        token = self._random()
        self._by_hash[_hash(token)] = Session(who, address, self._random(), now_ms, now_ms)
        return token

    def find(self, token: str | None, *, is_person: bool, now_ms: int) -> Session | None:
        """Returns the session of a token, if it has not expired; `is_person`: this counts as a sign of life."""
        self._forget(now_ms)
        if token is None or len(token) > TOKEN_CHARACTERS_MAX:
            return None
        found = self._by_hash.get(_hash(token))
        if found is not None and is_person:
            found.seen_ms = now_ms
        return found

    def close(self, token: str | None) -> None:
        """Ends the session of a token; an unknown token changes nothing."""
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


@dataclass
class _Failures:
    count: int = 0
    at_ms: int = 0

    def wait_ms(self, free: int, most_ms: int, now_ms: int) -> int:
        beyond = self.count - free
        if beyond < 0 or self.count == 0:
            return 0
        return max(0, self.at_ms + min(most_ms, WAIT_FIRST_MS << min(beyond, 30)) - now_ms)

    def add(self, now_ms: int) -> None:
        self.count = 1 if now_ms - self.at_ms >= FORGET_MS else self.count + 1
        self.at_ms = now_ms


class Attempts:
    """Counts failed passwords. Call `wait_ms` first; then `began`, and `passed` when the password was right."""

    def __init__(self) -> None:
        self._by_address: dict[str, _Failures] = {}
        self._all = _Failures()

    def wait_ms(self, address: str, *, now_ms: int) -> int:
        """Returns the milliseconds until this address may try; 0: now."""
        own = self._by_address.get(network_of(address), _Failures())
        return max(own.wait_ms(FREE, WAIT_MS_MAX, now_ms), self._all.wait_ms(FREE_ALL, WAIT_ALL_MS_MAX, now_ms))

    def began(self, address: str, *, now_ms: int) -> None:
        key = network_of(address)
        if key not in self._by_address and len(self._by_address) >= ADDRESSES_MAX:
            del self._by_address[min(self._by_address, key=lambda one: self._by_address[one].at_ms)]
        self._by_address.setdefault(key, _Failures()).add(now_ms)
        self._all.add(now_ms)

    def passed(self, address: str) -> None:
        self._by_address.pop(network_of(address), None)
        self._all.count = max(0, self._all.count - 1)


def network_of(address: str) -> str:
    """Returns an IPv4 address; for an IPv6 one its /64, for one machine has all of it."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address[:64]
    if found.version == 6 and found.ipv4_mapped is None:
        return str(ipaddress.ip_network((found, 64), strict=False))
    return str(found)


class Answer(NamedTuple):
    """Is the outcome of an attempt. `token`: it succeeded; else `why` it failed, and for WAIT how many seconds."""

    token: str | None = None
    why: str | None = None
    wait_s: int = 0


class Login:
    """Checks names and passwords. `log(what, **values)` writes a line of the log."""

    def __init__(
        self, line: str, sessions: Sessions, log: Callable[..., None], *, now_ms: Callable[[], int]
    ) -> None:
        self._line = line
        self._sessions = sessions
        self._log = log
        self._now_ms = now_ms
        self._attempts = Attempts()
        self._is_checking = False

    async def enter(self, who: str, typed: str, address: str) -> Answer:
        """Makes one attempt, and returns its outcome."""
        who = name_of(who)
        if not who:
            return Answer(why=NAME)
        wait_ms = self._attempts.wait_ms(address, now_ms=self._now_ms())
        if wait_ms:
            return Answer(why=WAIT, wait_s=-(-wait_ms // 1000))
        if self._is_checking:
            return Answer(why=BUSY)
        self._attempts.began(address, now_ms=self._now_ms())
        self._is_checking = True
        try:
            is_right = await asyncio.to_thread(password.check, typed, self._line)
        finally:
            self._is_checking = False
        if not is_right:
            self._log("page-login-refused", who=who, address=address)
            return Answer(why=WRONG)
        self._attempts.passed(address)
        self._log("page-login", who=who, address=address)
        return Answer(self._sessions.open(who, address, now_ms=self._now_ms()))


def name_of(typed: str) -> str:
    """Returns a name fit for a log: one line, bounded."""
    shown = "".join(character if character.isprintable() else " " for character in typed[: 4 * WHO_CHARACTERS_MAX])
    return " ".join(shown.split())[:WHO_CHARACTERS_MAX]
