"""Holds the centre's lease (ARCHITECTURE, section 6): while it is held, the centre's overrides count.

A lease is a duration, counted on the monotonic clock from the sending of the request; it does not survive a restart.
When it has expired, overrides are suspended and the policy decides; emergencies last to their own expiry. After that, a
new lease must be held for LEASE_DWELL_MS before overrides count again, so that an unstable link does not make a street
flicker.
"""

from collections.abc import Callable

from gateway.core import limits
from gateway.core.deadlines import earliest
from wire.command import Ask, Grant

_NONCE_BYTES = 8


class Lease:
    """Asks for leases in time and accepts grants. `random_below` makes nonces that cannot be guessed."""

    def __init__(self, random_below: Callable[[int], int]) -> None:
        self._random_below = random_below
        self._asked: dict[bytes, tuple[int, int]] = {}  # nonce -> when sent, seconds asked; the last two
        self._ask_at_ms: int | None = None
        self._until_ms: int | None = None
        self._usable_from_ms = 0
        self._had_one = False
        self.counters = {"asked": 0, "granted": 0, "stale": 0, "lost": 0}

    def ask_now(self, *, now_ms: int) -> None:
        """Make a request due at once: the broker is connected (again), or the policies held have changed."""
        self._ask_at_ms = now_ms

    def ask(self, policy_version: int, keyset_version: int, *, is_metered: bool, now_ms: int) -> Ask | None:
        """Return the request to send now, if one is due."""
        if self._ask_at_ms is None or now_ms < self._ask_at_ms:
            return None
        every_ms = limits.LEASE_METERED_EVERY_MS if is_metered else limits.LEASE_EVERY_MS
        duration_s = limits.LEASE_METERED_S if is_metered else limits.LEASE_S
        self._ask_at_ms = now_ms + every_ms
        nonce = bytes(self._random_below(256) for _ in range(_NONCE_BYTES))
        self._asked = {**dict(list(self._asked.items())[-1:]), nonce: (now_ms, duration_s)}
        self.counters["asked"] += 1
        return Ask(nonce, duration_s, policy_version, keyset_version)

    def accept(self, grant: Grant, *, now_ms: int) -> None:
        """Accept a grant. A grant that answers no request of ours has no effect; one longer than requested is cut to
        the requested length."""
        asked = self._asked.pop(grant.nonce, None)
        if asked is None:
            self.counters["stale"] += 1
            return
        asked_ms, asked_s = asked
        self.counters["granted"] += 1
        duration_ms = 1000 * min(grant.duration_s, asked_s)
        if not self.is_held(now_ms=now_ms):
            self._usable_from_ms = now_ms + (limits.LEASE_DWELL_MS if self._had_one else 0)
        self._until_ms = max(self._until_ms or 0, asked_ms + duration_ms)
        self._had_one = True

    def is_held(self, *, now_ms: int) -> bool:
        return self._until_ms is not None and now_ms < self._until_ms

    def is_usable(self, *, now_ms: int) -> bool:
        """Return whether the lease is held, and has been for long enough if an earlier one expired."""
        return self.is_held(now_ms=now_ms) and now_ms >= self._usable_from_ms

    def left_s(self, *, now_ms: int) -> int | None:
        """Return the seconds left of the lease; None: not held."""
        return (self._until_ms - now_ms) // 1000 if self._until_ms is not None and now_ms < self._until_ms else None

    def deadline_ms(self, *, now_ms: int) -> int | None:
        """Return when a request is due or the state of the lease changes."""
        until_ms = self._until_ms if self.is_held(now_ms=now_ms) else None
        usable_ms = self._usable_from_ms if until_ms is not None and now_ms < self._usable_from_ms else None
        return earliest((self._ask_at_ms, until_ms, usable_ms))
