"""Joins the ways to the centre: when and over which to connect, what each metered one may still carry, its modem.

There may be any number of bearers, each with its own budget and modem. Events in, effects out, as everywhere in
the core; `policy` returns in one word what may be sent.
"""

import json
from collections.abc import Callable
from typing import Any

from gateway.core import limits
from gateway.core.bearers.bearer import Bearer
from gateway.core.bearers.budget import ALL, Budget
from gateway.core.bearers.connection import Change, Connect, Connection, Drop, Probe
from gateway.core.bearers.modem import CutPower, Modem, Write
from gateway.core.custody.disk import Disk, NumberedFile, SharedFolder, parse_json
from gateway.core.deadlines import earliest
from gateway.core.status import BearerStatus
from gateway.core.wallclock import WallClock
from wire import event
from wire.record import EventBody

BearerEffect = Connect | Drop | Probe | Write | CutPower

# First words of causes (gateway/io/mqtt_socket.py, and of an expired attempt) which show that nothing came back over
# the path. Any other cause lies with the broker or a file: a modem's reset repairs neither.
NO_PATH = ("connection-timeout", "network-error", "name-unresolved", "mqtt-silent", "no answer")


class Bearers:
    """Holds `connection`, `budgets` (of metered bearers) and `modems`, both by bearer; the shell reports to them
    directly.

    `log(what, **values)` writes a line for the operator, `report(body, now_ms=…)` makes a record for the centre.
    """

    def __init__(
        self,
        bearers: tuple[Bearer, ...],
        *,
        reconnect_last_ms: int,
        disk: Disk,
        clock: WallClock,
        random_below: Callable[[int], int],
        log: Callable[..., None],
        report: Callable[..., bool],
        now_ms: int,
    ) -> None:
        self._bearers = bearers
        self._names = {bearer.name for bearer in bearers}
        self._clock = clock
        self._log = log
        self._report = report
        self._file = NumberedFile(SharedFolder(disk, "bearers"), "bearers", bytes_max=limits.BEARERS_FILE_BYTES_MAX)
        self._down = self._restore()  # bearers whose failure has been reported to the centre
        self._lacks_path = False  # whether the last failure did
        self.connection = Connection(
            bearers, down=self._down, random_below=random_below, reconnect_last_ms=reconnect_last_ms, now_ms=now_ms
        )
        self.budgets = {
            bearer.name: Budget(disk, bearer.name, bearer.monthly_bytes, now_ms=now_ms)
            for bearer in bearers
            if bearer.is_metered
        }
        self.modems = {
            bearer.name: Modem(bearer.name, has_power=bearer.has_modem_power, now_ms=now_ms)
            for bearer in bearers
            if bearer.has_modem
        }

    def connected(self, bearer: str, *, now_ms: int) -> bool:
        """Notes that the broker has accepted a connection; returns False if `connection` no longer waits for it."""
        self._lacks_path = False
        return self.connection.connected(bearer, now_ms=now_ms)

    def disconnected(self, bearer: str, why: str, *, now_ms: int) -> bool:
        """Notes that a connection has ended or failed. Returns True while another connection carries."""
        if self.connection.disconnected(bearer, why, now_ms=now_ms):
            self._lacks_path = why.startswith(NO_PATH)
            self._log("disconnected", why=why, bearer=bearer)
        return self.connection.active is not None

    def count(self, bearer: str, counter: int, interface: str, *, now_ms: int) -> None:
        """Passes on what the kernel has counted on a metered bearer's interface, both ways, since the interface was
        made."""
        unix_s = self._clock.unix_s(now_ms=now_ms)
        self.budgets[bearer].count(counter, interface=interface, unix_s=unix_s, now_ms=now_ms)

    def poll(self, *, now_ms: int) -> list[BearerEffect]:
        """Returns the effects that are due."""
        if self._down and not self._down <= self._names:
            for bearer in sorted(self._down - self._names):
                self._report_down(bearer, False, now_ms)  # it is not configured any more
        effects: list[BearerEffect] = [*self.connection.poll(now_ms=now_ms)]
        for change in self.connection.drain_changes():
            if change.what == "attempt-expired":
                self._lacks_path = True
            self._log(change.what, bearer=change.bearer, why=change.why)
            self._report_change(change, now_ms)
        for bearer, modem in self.modems.items():
            effects += self._poll_modem(bearer, modem, now_ms)
        return effects

    def deadline_ms(self) -> int | None:
        """Returns when `poll` is due at the latest; None: only an event will make it due."""
        due_ms = self.connection.deadline_ms()
        return earliest([due_ms, *[modem.deadline_ms() for modem in self.modems.values()]]) if self.modems else due_ms

    def policy(self) -> str:
        """Returns what may be sent now: all, unless the active bearer is metered and its budget runs out."""
        budget = self.budgets.get(self.connection.active or "")
        return ALL if budget is None else budget.policy()

    def passes_surplus(self) -> bool:
        """Returns whether what nodes send beyond their fair use may be sent now."""
        budget = self.budgets.get(self.connection.active or "")
        return budget is None or budget.has_slack()

    def is_metered(self) -> bool:
        """Returns whether the active bearer is paid for by the byte."""
        return (self.connection.active or "") in self.budgets

    def status(self) -> dict[str, BearerStatus]:
        """Returns each bearer's state, by name, in order of preference."""
        return {
            bearer.name: BearerStatus(
                metered=bearer.is_metered,
                up=self.connection.is_up(bearer.name),
                rtt_ms=self.connection.rtt_ms(bearer.name),
                budget=self.budgets[bearer.name].status() if bearer.name in self.budgets else None,
                modem=self.modems[bearer.name].state if bearer.name in self.modems else None,
            )
            for bearer in self._bearers
        }

    def health(self) -> dict[str, Any]:
        """Returns plain values for the log and the status page."""
        return {
            "connection": self.connection.health(),
            "budget": {name: budget.health() for name, budget in self.budgets.items()},
            "modem": {name: modem.health() for name, modem in self.modems.items()},
        }

    def _report_change(self, change: Change, now_ms: int) -> None:
        """Reports a change. A failed bearer is an alarm until it is up: it must be repaired while the other carries."""
        bearer = change.bearer
        if change.what == "bearer-changed":
            detail = [bearer, change.why.removeprefix("from ")]
            self._report(EventBody(event.BEARER_CHANGED, None, detail), now_ms=now_ms)
        elif change.what == "bearer-down":
            self._report_down(bearer, True, now_ms)
        elif change.what == "bearer-up" and bearer in self._down:
            self._report_down(bearer, False, now_ms)

    def _report_down(self, bearer: str, is_down: bool, now_ms: int) -> None:
        self._report(EventBody(event.BEARER_FAILURE, is_down, [bearer]), now_ms=now_ms)
        (self._down.add if is_down else self._down.discard)(bearer)
        self._file.save(json.dumps(sorted(self._down)).encode() + b"\n")

    def _restore(self) -> set[str]:
        """Returns the bearers that were down when the agent last stopped."""
        for data in self._file.restore():
            try:
                found = parse_json(data)
            except ValueError:
                continue
            if isinstance(found, list) and all(isinstance(name, str) for name in found):
                return set(found)
        return set()

    def _poll_modem(self, bearer: str, modem: Modem, now_ms: int) -> list[Write | CutPower]:
        if self.connection.active == bearer:
            is_down = False  # even if its probes fail: a reset would cut the connection that carries
        elif len(self._bearers) == 1:
            # A lone bearer is never probed: its connections show its failures. A broker that refuses has been reached.
            is_down = self._lacks_path
        else:
            is_down = not self.connection.is_up(bearer)
        modem.bearer_is_down(is_down, now_ms=now_ms)
        effects = modem.poll(now_ms=now_ms)
        for change in modem.drain_changes():
            self._log(f"modem-{change.what}", bearer=bearer, before=change.before, now=change.now)
        return effects
