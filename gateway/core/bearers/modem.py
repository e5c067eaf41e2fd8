"""Conducts the dialogue with a bearer's mobile modem over its AT port: reads SIM, network and signal, and resets it.

It asks one question at a time, in rounds. A modem may echo or not, report unasked, answer late, wrongly or never, and
its port may come and go: all of that ends in "unknown" and a counter. It never sends a PIN: three wrong ones lock the
SIM, and a technician with the right one is a phone call away. The bearer's data do not pass here; the port may be
missing altogether while the bearer works.

A bearer that stays down has its modem reset, more strongly and less often each time: first a wait, then the modem
selects an operator anew, restarts, loses its power. A restarted modem may need most of an hour to register again, and a
reset in that time would start the hour anew: resets in too quick succession are how modems never return
(eclipse-kura/kura#2827). No reset helps a SIM that asks for its code.
"""

from collections import deque
from typing import Any, NamedTuple

from gateway.core import limits
from gateway.core.bearers import at

RESELECT, RESTART, POWER = "reselect", "restart", "power"
_DAY_MS = 86_400_000


class ResetLadder:
    """Decides when and how a modem is reset. `has_power`: there is a way to cut its power."""

    def __init__(self, *, has_power: bool) -> None:
        self._has_power = has_power
        self._is_down = False
        self._rung = 0
        self._at_ms = 0
        self._since_ms = 0  # when the bearer went down, or the last reset
        self._up_ms = 0
        self._power_wait_ms = limits.MODEM_POWER_WAIT_MS
        self._done_ms: list[int] = []
        self.counters = {RESELECT: 0, RESTART: 0, POWER: 0}

    def observe(self, is_down: bool, *, now_ms: int) -> None:
        """Observes whether the bearer is down."""
        if is_down == self._is_down:
            return
        self._is_down = is_down
        if not is_down:
            self._up_ms = now_ms
            return
        if now_ms - self._up_ms >= limits.MODEM_STEADY_MS:
            self._rung = 0
            self._power_wait_ms = limits.MODEM_POWER_WAIT_MS
        # The wait before a short recovery does not count.
        self.hold(now_ms=now_ms)

    def hold(self, *, now_ms: int) -> None:
        """Restarts the wait, because no reset can help now."""
        self._since_ms = now_ms
        self._at_ms = now_ms + self._wait_ms()

    def deadline_ms(self) -> int | None:
        if not self._is_down:
            return None
        if len(self._done_ms) < limits.MODEM_RESETS_PER_DAY_MAX:
            return self._at_ms
        return max(self._at_ms, self._done_ms[-limits.MODEM_RESETS_PER_DAY_MAX] + _DAY_MS)

    def next_reset(self, *, can_talk: bool, now_ms: int) -> str | None:
        """Returns the reset to do now, which counts as done. Must not be called while the SIM is locked."""
        at_ms = self.deadline_ms()
        if at_ms is None or now_ms < at_ms:
            return None
        if not can_talk and self._rung < 2:
            # It may come back by itself: its power is cut after MODEM_POWER_WAIT_MS, not now.
            self._rung = 2
            self._at_ms = max(self._since_ms + limits.MODEM_POWER_WAIT_MS, now_ms + 1)
            return None
        reset = self._reset(can_talk)
        self._since_ms = now_ms
        self._rung = min(self._rung + 1, 3)
        self._at_ms = now_ms + self._wait_ms()
        if self._rung == 3:
            self._power_wait_ms = min(2 * self._power_wait_ms, limits.MODEM_POWER_WAIT_LAST_MS)
        if reset is not None:
            self.counters[reset] += 1
            self._done_ms = [*self._done_ms, now_ms][-limits.MODEM_RESETS_PER_DAY_MAX :]
        return reset

    def _reset(self, can_talk: bool) -> str | None:
        if self._rung == 0:
            return RESELECT
        if self._rung >= 2 and self._has_power:
            return POWER
        return RESTART if can_talk else None

    def _wait_ms(self) -> int:
        waits = (limits.MODEM_RESELECT_WAIT_MS, limits.MODEM_RESTART_WAIT_MS, limits.MODEM_POWER_WAIT_MS)
        return waits[self._rung] if self._rung < 3 else self._power_wait_ms


_SETUP = ("AT", "ATE0", "AT+CMEE=1")
# The operator comes last: some modems search for it, and a late answer delays the questions after it.
_ROUND = ("AT+CPIN?", "AT+CSQ", "AT+CREG?", "AT+CEREG?", "AT+CGATT?", "AT+COPS?")
# Choosing anew is one command: AT+COPS=2 before it would leave the modem off the network if its port died between.
_RESETS = {RESELECT: "AT+COPS=0", RESTART: "AT+CFUN=1,1"}


class Write(NamedTuple):
    """Writes bytes to the port of a bearer's modem."""

    bearer: str
    data: bytes


class CutPower(NamedTuple):
    """Runs the configured command that cuts the power of a bearer's modem for a moment."""

    bearer: str


class ModemChange(NamedTuple):
    """Reports a change of `what`: link, sim, registration, operator, technology, attached, reset; None is "unknown"."""

    what: str
    before: Any
    now: Any


class ModemState(NamedTuple):
    """Holds what the dialogue has found out; None is unknown.

    `link`: "absent" (no port), "silent" or "answers". `sim`: ready, pin, puk, locked, absent, failed, busy, unknown.
    `registration`: home, roaming, searching, denied, idle, limited, unknown. `technology`: 2G to 5G.
    """

    link: str = "absent"
    sim: str | None = None
    registration: str | None = None
    operator: str | None = None
    technology: str | None = None
    attached: bool | None = None
    signal_dbm: int | None = None


class Modem:
    """Conducts the dialogue with one modem. The port is absent at first."""

    def __init__(self, bearer: str, *, has_power: bool = False, now_ms: int) -> None:
        self._bearer = bearer
        self.state = ModemState()
        self._ladder = ResetLadder(has_power=has_power)
        self._lines = at.Lines()
        self._queue: deque[str] = deque()
        self._asked: str | None = None
        self._answer_by_ms = now_ms
        self._round_at_ms = now_ms
        self._is_open = False
        self._needs_setup = True
        self._silent = 0
        self._stations: dict[str, str | None] = {}  # +CREG and +CEREG, each separately
        self._changes: list[ModemChange] = []
        self.counters = {"answers": 0, "errors": 0, "timeouts": 0, "unsolicited": 0, "echoes": 0, "ports-lost": 0}

    # --- events -------------------------------------------------------------------------------------------------

    def opened(self, *, now_ms: int) -> None:
        """Notes that the port is open."""
        self._is_open = True
        self._start_over(now_ms)
        self._set(link="silent")

    def closed(self, why: str, *, now_ms: int) -> None:
        """Notes that the port is gone, or was never there."""
        if self._is_open:
            self.counters["ports-lost"] += 1
        self._is_open = False
        self._start_over(now_ms)
        self._forget("absent")

    def received(self, data: bytes, *, now_ms: int) -> None:
        """Accepts bytes from the port, in pieces of any size."""
        if not self._is_open:
            return
        for line in self._lines.feed(data):
            self._accept(line, now_ms)

    def bearer_is_down(self, is_down: bool, *, now_ms: int) -> None:
        """Notes whether the connection counts the bearer as down."""
        self._ladder.observe(is_down, now_ms=now_ms)
        if not is_down and self._queue:
            # A reset that waited behind an open question would cut the bearer that has come up meanwhile.
            self._queue = deque(command for command in self._queue if command not in _RESETS.values())

    def poll(self, *, now_ms: int) -> list[Write | CutPower]:
        """Returns what the shell must do now."""
        effects: list[Write | CutPower] = []
        if self._asked is not None and now_ms >= self._answer_by_ms:
            self._no_answer(now_ms)
        reset = self._due_reset(now_ms)
        if reset is not None:
            self._report("reset", None, reset)
            if reset == POWER:
                effects.append(CutPower(self._bearer))
            else:
                # Before all other commands, but not into an open question.
                self._queue.appendleft(_RESETS[reset])
        if self._is_open and self._asked is None:
            if not self._queue and now_ms >= self._round_at_ms:
                self._queue.extend((_SETUP if self._needs_setup else ()) + _ROUND)
                self._round_at_ms = now_ms + limits.MODEM_ROUND_MS
            if self._queue:
                effects.append(self._ask(self._queue.popleft(), now_ms))
        return effects

    # --- queries ------------------------------------------------------------------------------------------------

    def deadline_ms(self) -> int | None:
        """Returns when `poll` is due; after a poll, this is always later."""
        deadlines = []
        if self._asked is not None:
            deadlines.append(self._answer_by_ms)
        elif self._is_open:
            deadlines.append(self._round_at_ms)
        reset_ms = None if self._is_locked else self._ladder.deadline_ms()
        if reset_ms is not None:
            deadlines.append(reset_ms)
        return min(deadlines, default=None)

    def drain_changes(self) -> list[ModemChange]:
        """Returns the changes since the last call, for the log and for alarms; beyond the limit the oldest are
        dropped."""
        changes, self._changes = self._changes, []
        return changes

    def health(self) -> dict[str, Any]:
        resets = {f"resets-{name}": count for name, count in self._ladder.counters.items()}
        return {**self.state._asdict(), **self.counters, "garbage": self._lines.garbage, **resets}

    # --- the dialogue -------------------------------------------------------------------------------------------

    def _ask(self, command: str, now_ms: int) -> Write:
        is_slow = command in _RESETS.values()
        self._asked = command
        self._answer_by_ms = now_ms + (limits.MODEM_SLOW_ANSWER_MS if is_slow else limits.MODEM_ANSWER_MS)
        return Write(self._bearer, command.encode() + b"\r")

    def _accept(self, line: str, now_ms: int) -> None:
        if line.startswith("AT"):
            self.counters["echoes"] += 1
        elif not at.is_final(line):
            self._inform(line)
        elif self._asked is not None:
            command, self._asked = self._asked, None
            self._silent = 0
            self._set(link="answers")
            self._finish(command, line, now_ms)
        # A final line without an open question is the end of a late answer.

    def _finish(self, command: str, final: str, now_ms: int) -> None:
        self.counters["answers" if final == at.OK else "errors"] += 1
        if command == _SETUP[-1]:
            self._needs_setup = False
        elif command == _RESETS[RESTART]:
            self._start_over(now_ms + limits.MODEM_RETRY_MS)
        elif final != at.OK:
            self._refused(command, final)

    def _refused(self, command: str, final: str) -> None:
        """Handles an error as an answer: the value is unknown."""
        if command == "AT+CPIN?":
            self._set(sim=at.sim_error(final))
        elif command == "AT+CSQ":
            self._set(signal_dbm=None)
        elif command in ("AT+CREG?", "AT+CEREG?"):
            self._set_station(command[2:-1], None)
        elif command == "AT+CGATT?":
            self._set(attached=None)
        elif command == "AT+COPS?":
            self._set(operator=None, technology=None)

    def _inform(self, line: str) -> None:
        """Handles a line that ends no answer: a part of an answer, or an unsolicited report."""
        prefix, colon, values = line.partition(":")
        if not colon or self._asked not in (f"AT{prefix}?", f"AT{prefix}"):
            self.counters["unsolicited"] += 1
        if prefix == "+CPIN":
            self._set(sim=at.sim(values))
        elif prefix in ("+CSQ", "^RSSI"):
            self._set(signal_dbm=at.signal_dbm(at.first_number(values)))
        elif prefix in ("+CREG", "+CEREG"):
            self._set_station(prefix, at.registration(values))
        elif prefix == "+CGATT":
            self._set(attached={0: False, 1: True}.get(at.first_number(values)))
        elif prefix == "+COPS":
            found = at.operator(values)
            if found is not None:
                self._set(operator=found.name, technology=found.technology)

    def _no_answer(self, now_ms: int) -> None:
        command, self._asked = self._asked, None
        self.counters["timeouts"] += 1
        self._silent += 1
        self._queue.clear()
        self._round_at_ms = now_ms + limits.MODEM_RETRY_MS
        # It may have restarted, and lost the settings for echo and numeric errors.
        self._needs_setup = True
        if self._silent >= limits.MODEM_SILENT_MAX or command == _RESETS[RESTART]:
            self._forget("silent")

    def _start_over(self, at_ms: int) -> None:
        self._lines = _fresh(self._lines)
        self._queue.clear()
        self._asked = None
        self._silent = 0
        self._needs_setup = True
        self._round_at_ms = at_ms

    # --- inside -------------------------------------------------------------------------------------------------

    @property
    def _is_locked(self) -> bool:
        return self.state.sim in at.LOCKED

    def _due_reset(self, now_ms: int) -> str | None:
        if self._is_locked:
            self._ladder.hold(now_ms=now_ms)
            return None
        return self._ladder.next_reset(can_talk=self.state.link == "answers", now_ms=now_ms)

    def _forget(self, link: str) -> None:
        # A lock survives the port: a modem that is gone for a moment is not reset for a PIN that it will ask again.
        sim = self.state.sim if self._is_locked else None
        self._stations.clear()
        self._replace(ModemState(link=link, sim=sim))

    def _set_station(self, prefix: str, value: str | None) -> None:
        """Notes a registration. 4G and the older networks register separately; the better of the two counts."""
        self._stations[prefix] = value
        known = [station for station in (self._stations.get("+CEREG"), self._stations.get("+CREG")) if station]
        registered = [station for station in known if station in at.REGISTERED]
        self._set(registration=next(iter(registered or known), None))

    def _set(self, **values: Any) -> None:
        self._replace(self.state._replace(**values))

    def _replace(self, state: ModemState) -> None:
        for what, before, now in zip(state._fields, self.state, state, strict=True):
            if before != now and what != "signal_dbm":
                self._report(what, before, now)
        self.state = state

    def _report(self, what: str, before: Any, now: Any) -> None:
        self._changes = [*self._changes, ModemChange(what, before, now)][-limits.MODEM_CHANGES_MAX :]


def _fresh(lines: at.Lines) -> at.Lines:
    """Drops half a line of the last connection; the count of garbage continues."""
    fresh = at.Lines()
    fresh.garbage = lines.garbage
    return fresh
