"""From a name and a password to a session, or to the reason why not.

The name is who the audit log will name: it is asked for, not proven, for a team shares one password. scrypt runs in
a thread, one at a time: the agent's loop turns on, and nobody takes the cabinet's memory by trying often. Neither
the password nor what was typed in its place is ever logged.
"""

import asyncio
from collections.abc import Callable
from typing import NamedTuple

from gateway.show.page import password
from gateway.show.page.attempts import Attempts
from gateway.show.page.sessions import Sessions

WHO_CHARACTERS_MAX = 40
WRONG, WAIT, BUSY, NAME = "wrong", "wait", "busy", "name"


class Answer(NamedTuple):
    """`token`: in; else `why` not, and for WAIT how many seconds."""

    token: str | None = None
    why: str | None = None
    wait_s: int = 0


class Login:
    """One a page. `say(what, **values)` takes what is worth a line of the log."""

    def __init__(
        self, line: str, sessions: Sessions, say: Callable[..., None], *, now_ms: Callable[[], int]
    ) -> None:
        self._line = line
        self._sessions = sessions
        self._say = say
        self._now_ms = now_ms
        self._attempts = Attempts()
        self._is_checking = False

    async def enter(self, who: str, typed: str, address: str) -> Answer:
        """One attempt."""
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
            self._say("page-login-refused", who=who, address=address)
            return Answer(why=WRONG)
        self._attempts.passed(address)
        self._say("page-login", who=who, address=address)
        return Answer(self._sessions.open(who, address, now_ms=self._now_ms()))


def name_of(typed: str) -> str:
    """A name fit for a log: one line, bounded."""
    shown = "".join(character if character.isprintable() else " " for character in typed[: 4 * WHO_CHARACTERS_MAX])
    return " ".join(shown.split())[:WHO_CHARACTERS_MAX]
