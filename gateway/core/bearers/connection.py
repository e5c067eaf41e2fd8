"""Decides when to connect to the broker, and over which bearer. Events in, effects out; it sends nothing itself.

One bearer (or none configured) is never probed: it is connected again with a back-off that grows until a
connection has lasted. With several, in order of preference:

* The active one is left when it is down (`bearer.py`) and another is up. The connection returns to a better one that is
  up, after a wait that doubles whenever the return did not last.
* Make before break: the new connection is requested while the old one carries; the broker transfers the session
  (same client id) and the old one is dropped once the new one is accepted. The broker may close the old one
  first: while an attempt is open, that starts no other.
* Two changes are never closer than CONNECTION_DWELL_MS, even if both bearers fail meanwhile.
* A bearer whose connections fail while its probes are good means that the broker is away: the back-off grows on
  the same bearer, and the other is tried only now and then. Where none is up they are tried in turn.

The shell must report: for each `Connect(b)` one `connected(b)` and later, or instead, one `disconnected(b)`; after
`Drop(b)` or a new `Connect(b)` nothing more of the earlier connection; for each `Probe(b)` one `probed(b)`.
"""

from collections.abc import Callable, Set
from typing import Any, NamedTuple

from gateway.core import limits
from gateway.core.bearers.bearer import Bearer, BearerHealth

# A deadline that is over: it is computed when it is asked for next.
_UNKNOWN = 0
# Denotes the system's own route.
UNBOUND = Bearer("default")


class Connect(NamedTuple):
    """Opens a connection to the broker over this bearer, beside one over another bearer that may exist."""

    bearer: str


class Probe(NamedTuple):
    """Finds out whether the broker's address can be reached over this bearer."""

    bearer: str
    timeout_ms: int


class Drop(NamedTuple):
    """Ends the connection, or the attempt, over this bearer without a DISCONNECT."""

    bearer: str


class Change(NamedTuple):
    """Reports a change to the operator: bearer-down, bearer-up, bearer-changed, return-failed, attempt-expired."""

    what: str
    bearer: str
    why: str


class Connection:
    """Connects and changes bearers as the module describes. `active` is the bearer whose connection carries, or None.
    `down` names those that were down when the agent last stopped."""

    def __init__(
        self,
        bearers: tuple[Bearer, ...] = (),
        *,
        down: Set[str] = frozenset(),
        random_below: Callable[[int], int],
        reconnect_last_ms: int = limits.UPLINK_RECONNECT_LAST_MS,
        now_ms: int,
    ) -> None:
        bearers = bearers or (UNBOUND,)
        self._random_below = random_below
        self._reconnect_last_ms = reconnect_last_ms
        self._several = len(bearers) > 1
        jitter = random_below if self._several else lambda _stop: 0
        self._order = [
            BearerHealth(one, is_up=one.name not in down, random_below=jitter, now_ms=now_ms) for one in bearers
        ]
        self._health = {health.bearer.name: health for health in self._order}
        assert len(self._health) == len(bearers), bearers
        self.active: str | None = None
        self._attempt: str | None = None
        self._attempt_by_ms = now_ms
        self._last: str | None = None  # the bearer that was active last
        self._tried = -1  # index of the bearer attempted last
        self._connected_ms = now_ms
        self._reconnect_ms = limits.UPLINK_RECONNECT_FIRST_MS
        self._connect_at_ms = now_ms
        self._dwell_end_ms = now_ms
        self._arrived_ms: int | None = None  # when the last change was; None: there was none
        self._return_ms = limits.CONNECTION_RETURN_FIRST_MS
        self._return_at_ms = now_ms
        self._deadline_ms: int | None = _UNKNOWN
        self._connection_due_ms: int | None = None  # by `_due_ms` when the deadline was computed
        self._effects: list[Connect | Probe | Drop] = []
        self._changes: list[Change] = []
        self.counters = {"changes": 0, "attempts-expired": 0, "attempts-abandoned": 0, "returns-failed": 0, "late": 0}

    # --- events -------------------------------------------------------------------------------------------------

    def connected(self, bearer: str, *, now_ms: int) -> bool:
        """Notes that the broker has accepted a connection. Returns False if it comes too late; then it is dropped."""
        self._deadline_ms = _UNKNOWN
        if bearer != self._attempt:
            self.counters["late"] += 1
            if bearer != self.active:
                self._effects.append(Drop(bearer))
            return False
        self._attempt = None
        if self.active is not None:
            self._effects.append(Drop(self.active))
        self.active = bearer
        self._connected_ms = now_ms
        if self._health[bearer].works(now_ms=now_ms):
            self._report("bearer-up", bearer, "connected")
        if self._last is not None and self._last != bearer:
            self._changed(self._last, bearer, now_ms)
        self._last = bearer
        return True

    def disconnected(self, bearer: str, why: str, *, now_ms: int) -> bool:
        """Notes that a connection has ended or an attempt failed. Returns False if it had been given up before."""
        self._deadline_ms = _UNKNOWN
        if bearer == self._attempt:
            self._attempt_failed(why, now_ms)
            return True
        if bearer != self.active:
            self.counters["late"] += 1
            return False
        self.active = None
        health = self._health[bearer]
        if now_ms - self._connected_ms >= limits.UPLINK_STABLE_MS:
            self._reconnect_ms = limits.UPLINK_RECONNECT_FIRST_MS
            health.refusals = 0
        else:
            health.refused(now_ms=now_ms)
        if self._attempt is None:
            # With an attempt open, the broker has closed the old one to transfer the session: that is worth no probe.
            health.suspect(now_ms=now_ms)
            self._back_off(now_ms)
        return True

    def probed(self, bearer: str, ok: bool, rtt_ms: int | None = None, *, now_ms: int) -> bool:
        """Notes the outcome of a probe. Returns True when the bearer has come up or gone down by it; else only
        `deadline_ms` moves, and there is nothing to poll."""
        verdict = self._health[bearer].probed(ok, rtt_ms, now_ms=now_ms)
        if verdict is None and self._deadline_ms != _UNKNOWN:
            self._deadline_ms = self._earliest()
            return False
        self._deadline_ms = _UNKNOWN
        if verdict is True:
            self._came_up(bearer, now_ms)
        elif verdict is False:
            self._went_down(bearer, now_ms)
        return verdict is not None

    def poll(self, *, now_ms: int) -> list[Connect | Probe | Drop]:
        """Returns what the shell must do now, in order."""
        if self._deadline_ms is None or now_ms < self._deadline_ms:
            return []  # nothing has happened since the deadline was computed
        self._deadline_ms = _UNKNOWN
        if self._attempt is not None and now_ms >= self._attempt_by_ms:
            self.counters["attempts-expired"] += 1
            self._report("attempt-expired", self._attempt, "no answer")
            self._effects.append(Drop(self._attempt))
            self._attempt_failed("no answer", now_ms)
        if self._several:
            self._poll_probes(now_ms)
        self._connection_due_ms = self._due_ms()
        if self._connection_due_ms is not None and now_ms >= self._connection_due_ms:
            self._start(self._target(now_ms), now_ms)
        else:
            self._deadline_ms = self._earliest()
        effects, self._effects = self._effects, []
        return effects

    # --- queries ------------------------------------------------------------------------------------------------

    def deadline_ms(self) -> int | None:
        """Returns when `poll` is due; after a poll, this is always later. None: only an event will make it due."""
        if self._deadline_ms == _UNKNOWN:
            self._connection_due_ms = self._due_ms()
            self._deadline_ms = self._earliest()
        return self._deadline_ms

    def is_up(self, bearer: str) -> bool:
        """Returns whether a bearer counts as up."""
        return self._health[bearer].is_up

    def rtt_ms(self, bearer: str) -> int | None:
        """Returns how long the last good probe by a bearer took; None without one."""
        return self._health[bearer].rtt_ms

    @property
    def is_metered(self) -> bool:
        """Returns whether what is sent now is paid for by the byte."""
        return self.active is not None and self._health[self.active].bearer.is_metered

    def drain_changes(self) -> list[Change]:
        """Returns what happened since the last call, for the log and for alarms."""
        changes, self._changes = self._changes, []
        return changes

    def health(self) -> dict[str, Any]:
        """Returns plain values for the log and the status page."""
        bearers = {
            name: {"up": health.is_up, "metered": health.bearer.is_metered, "rtt_ms": health.rtt_ms, **health.counters}
            for name, health in self._health.items()
        }
        return {"active": self.active, "attempt": self._attempt, "bearers": bearers, **self.counters}

    # --- which bearer, and when ---------------------------------------------------------------------------------

    def _earliest(self) -> int | None:
        """Returns the deadline: a probe that changes no bearer's state moves only its own."""
        if not self._several:
            return self._connection_due_ms
        probe_ms = min([health.due_ms for health in self._order])
        return probe_ms if self._connection_due_ms is None else min(probe_ms, self._connection_due_ms)

    def _due_ms(self) -> int | None:
        """Returns when an open attempt has failed, or the next one is due; None: there is nothing to attempt."""
        if self._attempt is not None:
            return self._attempt_by_ms
        if self.active is None:
            return self._connect_at_ms
        if self._rather() is None:
            return None
        urgent = not self._health[self.active].is_up
        return max(self._connect_at_ms if urgent else self._return_at_ms, self._dwell_end_ms)

    def _target(self, now_ms: int) -> str:
        """Returns the bearer for the attempt that is due."""
        rather = self._rather() if self.active is not None else self._when_cut_off(now_ms)
        assert rather is not None
        return rather.bearer.name

    def _rather(self) -> BearerHealth | None:
        """Returns the bearer that should replace the active one, or None."""
        for health in self._order:
            if health.is_up:
                return None if health.bearer.name == self.active else health  # no better one than the active is up
        return None

    def _when_cut_off(self, now_ms: int) -> BearerHealth:
        """Returns the bearer to try while no connection carries."""
        if self._last is not None and now_ms < self._dwell_end_ms:
            return self._health[self._last]
        up = [health for health in self._order if health.is_up]
        if not up:
            return self._order[(self._tried + 1) % len(self._order)]
        if up[0].refusals >= limits.CONNECTION_FAILURES_MAX:
            down = [health for health in self._order if not health.is_up]
            for other in (*up[1:], *down):
                if other.refused_ms is None or now_ms - other.refused_ms >= limits.CONNECTION_OPINION_MS:
                    return other
        return up[0]

    # --- inside -------------------------------------------------------------------------------------------------

    def _start(self, bearer: str, now_ms: int) -> None:
        health = self._health[bearer]
        health.counters["connects"] += 1
        self._attempt = bearer
        self._attempt_by_ms = now_ms + limits.CONNECTION_ATTEMPT_MS
        self._tried = self._order.index(health)
        self._effects.append(Connect(bearer))

    def _attempt_failed(self, why: str, now_ms: int) -> None:
        """Ends an attempt that failed: stay with the connection that carries, or back off."""
        bearer, self._attempt = self._attempt, None
        assert bearer is not None
        health = self._health[bearer]
        health.refused(now_ms=now_ms)
        health.suspect(now_ms=now_ms)
        if self.active is not None and self._health[self.active].is_up:
            self.counters["returns-failed"] += 1
            self._report("return-failed", bearer, why)
            self._wait_longer_to_return()
            self._set_return(now_ms)
        else:
            self._back_off(now_ms)

    def _back_off(self, now_ms: int) -> None:
        """Sets the next attempt, with jitter, after an interval that grows each time."""
        half = self._reconnect_ms // 2
        self._connect_at_ms = now_ms + half + self._random_below(half + 1)
        self._reconnect_ms = min(2 * self._reconnect_ms, self._reconnect_last_ms)
        if now_ms < self._dwell_end_ms and any(health.is_up for health in self._others(self._last)):
            self._connect_at_ms = min(self._connect_at_ms, self._dwell_end_ms)

    def _poll_probes(self, now_ms: int) -> None:
        for health in self._order:
            if now_ms < health.due_ms:
                continue
            if health.is_overdue(now_ms=now_ms):
                health.counters["probes-unanswered"] += 1
                self.probed(health.bearer.name, False, now_ms=now_ms)
            if health.probe_due(now_ms=now_ms):
                self._effects.append(Probe(health.bearer.name, limits.BEARER_PROBE_TIMEOUT_MS))

    def _came_up(self, bearer: str, now_ms: int) -> None:
        self._report("bearer-up", bearer, "probes")
        if self.active is None:
            soon_ms = now_ms + self._random_below(limits.CONNECTION_BACK_SPREAD_MS)
            self._connect_at_ms = min(self._connect_at_ms, soon_ms)

    def _went_down(self, bearer: str, now_ms: int) -> None:
        self._report("bearer-down", bearer, "probes")
        if not any(health.is_up for health in self._others(bearer)):
            return
        if self._attempt == bearer:
            self.counters["attempts-abandoned"] += 1
            self._effects.append(Drop(bearer))
            self._attempt_failed("bearer went down", now_ms)
        if self.active in (None, bearer):
            # Another bearer is up: it must not wait for this one's back-off.
            self._connect_at_ms = max(now_ms, self._dwell_end_ms)

    def _others(self, bearer: str | None) -> list[BearerHealth]:
        return [health for health in self._order if health.bearer.name != bearer]

    def _changed(self, old: str, new: str, now_ms: int) -> None:
        """Notes that another bearer carries than before."""
        self.counters["changes"] += 1
        self._report("bearer-changed", new, f"from {old}")
        to_worse = self._order.index(self._health[new]) > self._order.index(self._health[old])
        if to_worse and self._arrived_ms is not None and now_ms - self._arrived_ms < self._return_ms:
            self._wait_longer_to_return()
        elif to_worse:
            self._return_ms = limits.CONNECTION_RETURN_FIRST_MS
        self._arrived_ms = now_ms
        self._dwell_end_ms = now_ms + limits.CONNECTION_DWELL_MS
        self._set_return(now_ms)

    def _wait_longer_to_return(self) -> None:
        self._return_ms = min(2 * self._return_ms, limits.CONNECTION_RETURN_LAST_MS)

    def _set_return(self, now_ms: int) -> None:
        self._return_at_ms = now_ms + self._return_ms - self._random_below(self._return_ms // 4)

    def _report(self, what: str, bearer: str, why: str) -> None:
        self._changes.append(Change(what, bearer, why))
