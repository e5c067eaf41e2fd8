"""Joins the ways to the centre: when and by which to connect, what each metered one may still cost, its modem.

There may be any number of bearers, each with a budget and a modem of its own. Events in, effects out, as everywhere in
the core; `policy` says in one word what may be sent.
"""

from collections.abc import Callable
from typing import Any

from gateway.core.bearers.bearer import Bearer
from gateway.core.bearers.budget import ALL, Budget
from gateway.core.bearers.connection import Change, Connect, Connection, Drop, Probe
from gateway.core.bearers.modem import CutPower, Modem, Write
from gateway.core.custody.disk import Disk
from gateway.core.status import BearerStatus
from gateway.core.wallclock import WallClock
from wire import event
from wire.record import EventBody

BearerEffect = Connect | Drop | Probe | Write | CutPower

# The first words of causes (gateway/io/mqtt_socket.py, and an attempt's that expired) that say nothing came back over
# the path. Any other is the broker's or a file's: a modem's reset mends neither.
NO_PATH = ("connection-timeout", "network-error", "name-unresolved", "mqtt-silent", "no answer")


class Bearers:
    """`connection`, `budgets` (of metered bearers) and `modems`, both by bearer, are there for the shell to report to.

    `log(what, **values)` takes what an operator wants to know, `report(body, now_ms=…)` the records for the centre.
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
        self._clock = clock
        self._log = log
        self._report = report
        self._down: set[str] = set()  # of which the centre has been told that they failed
        self._lacks_path = False  # of the last failure
        self.connection = Connection(
            bearers, random_below=random_below, reconnect_last_ms=reconnect_last_ms, now_ms=now_ms
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
        """The broker has accepted us by a bearer; False: the connection waits for it no longer."""
        self._lacks_path = False
        return self.connection.connected(bearer, now_ms=now_ms)

    def disconnected(self, bearer: str, why: str, *, now_ms: int) -> bool:
        """A connection has ended or never came to be. True while another carries."""
        if self.connection.disconnected(bearer, why, now_ms=now_ms):
            self._lacks_path = why.startswith(NO_PATH)
            self._log("disconnected", why=why, bearer=bearer)
        return self.connection.active is not None

    def count(self, bearer: str, counter: int, interface: str, *, now_ms: int) -> None:
        """Accepts what the kernel has counted on a metered bearer's interface, both ways, since the interface was
        made."""
        unix_s = self._clock.unix_s(now_ms=now_ms)
        self.budgets[bearer].count(counter, interface=interface, unix_s=unix_s, now_ms=now_ms)

    def poll(self, *, now_ms: int) -> list[BearerEffect]:
        """Does what is due."""
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
        """When `poll` is due at the latest; None: only an event will make it so."""
        deadlines = [self.connection.deadline_ms(), *(modem.deadline_ms() for modem in self.modems.values())]
        return min((deadline for deadline in deadlines if deadline is not None), default=None)

    def policy(self) -> str:
        """Says what may go now: all, unless the bearer that carries is metered and its budget runs out."""
        budget = self.budgets.get(self.connection.active or "")
        return ALL if budget is None else budget.policy()

    def is_metered(self) -> bool:
        """Returns whether what carries now is paid for by the byte."""
        return (self.connection.active or "") in self.budgets

    def status(self) -> dict[str, BearerStatus]:
        """Each bearer's state, by name, in order of preference."""
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
        """Plain values for the log and the status page."""
        return {
            "connection": self.connection.health(),
            "budget": {name: budget.health() for name, budget in self.budgets.items()},
            "modem": {name: modem.health() for name, modem in self.modems.items()},
        }

    def _report_change(self, change: Change, now_ms: int) -> None:
        """A failed bearer is an alarm from its begin to its end: it must be mended while the other carries."""
        bearer = change.bearer
        if change.what == "bearer-changed":
            detail = [bearer, change.why.removeprefix("from ")]
            self._report(EventBody(event.BEARER_CHANGED, None, detail), now_ms=now_ms)
        elif change.what == "bearer-down":
            self._down.add(bearer)
            self._report(EventBody(event.BEARER_FAILURE, True, [bearer]), now_ms=now_ms)
        elif change.what == "bearer-up" and bearer in self._down:
            self._down.discard(bearer)
            self._report(EventBody(event.BEARER_FAILURE, False, [bearer]), now_ms=now_ms)

    def _poll_modem(self, bearer: str, modem: Modem, now_ms: int) -> list[Write | CutPower]:
        if self.connection.active == bearer:
            is_down = False  # even if its probes fail: a reset would cut what carries
        elif len(self._bearers) == 1:
            # A lone bearer is never probed: its own failures tell. A broker that refuses has been reached.
            is_down = self._lacks_path
        else:
            is_down = not self.connection.is_up(bearer)
        modem.bearer_is_down(is_down, now_ms=now_ms)
        effects = modem.poll(now_ms=now_ms)
        for change in modem.drain_changes():
            self._log(f"modem-{change.what}", bearer=bearer, before=change.before, now=change.now)
        return effects
