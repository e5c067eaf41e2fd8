"""Answers a node's GET of `d` with the directives that aim at it, from all who may give one.

There are two sources. Directives signed by the centre's operators come as commands (`gateway.core.cabinet.orders`):
judged, audited and answered with outcomes there; here they are read when a node asks. A technician's directive, given
at this cabinet (`accept`), is kept here until it expires or is cleared. Both end at their expiry, by UTC and by the
monotonic clock. Neither needs the centre's lease: a drought order is an authority's, with an expiry of its own.

A node gets the directives that aim at it, hours also before they begin, the weather of a day with its date, each with
the seconds that are left, less the uncertainty of our clock, a week at most; it asks again every quarter of an hour.
Without a clock since a start, the gateway does not know what is left: then it answers 5.03 and the node keeps what it
has. It must not open a file by name and must not know cabinets.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from gateway.core import limits
from gateway.core.cabinet import node_orders
from gateway.core.cabinet.cabinet import Cabinet
from gateway.core.custody.disk import Disk, Ticket
from gateway.core.deadlines import earliest
from gateway.core.directives.directive import (
    AskingNode,
    Directive,
    DirectiveFile,
    first_hours,
    rank,
    weather_day,
    weather_ends_s,
    winners,
    without_old_weather,
)
from gateway.core.link.link import NodeRequest
from gateway.core.own_records import OwnRecords
from gateway.core.status import DirectiveStatus
from gateway.core.wallclock import WallClock
from wire import coap_message as messages
from wire import command, directive, event
from wire import limits as wire_limits
from wire.faults import WireFault
from wire.record import EventBody

TOLD, CLEARED, EXPIRED, REFUSED = "told", "cleared", "expired", "refused"


class DirectiveChange(NamedTuple):
    """Reports what happened to a directive that was given here. `what`: a word of this module; `by`: its author; `why`
    of a refusal (`expired`, `too-early`, `full`, `id-taken`, `malformed`, `unknown`)."""

    what: str
    directive: Directive | None
    by: str
    why: str | None = None


class Directives:
    """Holds the directives of this gateway. `report` is called with changes of directives given here; `on_used` with
    the ids of the directives in an answer to a node."""

    def __init__(
        self,
        disk: Disk,
        clock: WallClock,
        *,
        groups: Mapping[bytes, frozenset[str]],
        report: Callable[..., None],
        on_used: Callable[..., None],
    ) -> None:
        self._clock = clock
        self._groups = groups
        self._report = report
        self._on_used = on_used
        self._file = DirectiveFile(disk)
        self._local: dict[bytes, Directive] = {}
        self._due_ms: int | None = None  # when the first of them ends, or a write is tried again
        self._due_s = 0  # when the first of them expires by UTC; 0: one has no end on our own clock yet
        self._kept_signed: list[bytes] = []
        self._signed: list[Directive] = []
        self._askers: dict[bytes, AskingNode] = {}
        names = ("asked", "answered", "unknown-time", "malformed", "told", "cleared", "refused")
        self.counters = dict.fromkeys(names, 0)

    def start(self) -> list[bytes]:
        """Restore what an earlier start kept; return the signed commands among it, which the cabinet judges."""
        local, self._kept_signed = self._file.restore()
        self._local = {one.id: one for one in local[: limits.DIRECTIVES_LOCAL_MAX]}
        self._plan()
        return self._kept_signed

    # --- directives given here ------------------------------------------------------------------------------------

    def accept(self, one: Directive, *, now_ms: int) -> str | None:
        """Accept a technician's directive; return the word of a refusal, or None. The same directive again changes
        nothing."""
        known = self._local.get(one.id)
        if known is not None:
            return None if known._replace(ends_ms=None) == one else self._refuse(one, "id-taken", now_ms)
        unix_s = self._unix_s(now_ms)
        if unix_s is not None and unix_s >= one.expires_s:
            return self._refuse(one, "expired", now_ms)
        if unix_s is not None and one.begins_s > unix_s + command.WINDOW_S_MAX:
            return self._refuse(one, "too-early", now_ms)
        if len(self._local) >= limits.DIRECTIVES_LOCAL_MAX:
            return self._refuse(one, "full", now_ms)
        self._local[one.id] = one
        self.counters["told"] += 1
        self._report(DirectiveChange(TOLD, one, one.author), now_ms=now_ms)
        self._settle(now_ms)
        return None

    def clear(self, name: bytes, by: str, *, now_ms: int) -> str | None:
        """End a directive given here, as a technician asks; return the word of a refusal, or None."""
        one = self._local.pop(name, None)
        if one is None:
            self.counters["refused"] += 1
            return "unknown"
        self.counters["cleared"] += 1
        self._report(DirectiveChange(CLEARED, one, by), now_ms=now_ms)
        self._settle(now_ms)
        return None

    def refuse(self, by: str, *, now_ms: int) -> None:
        """Refuse malformed input."""
        self.counters["refused"] += 1
        self._report(DirectiveChange(REFUSED, None, by, "malformed"), now_ms=now_ms)

    @property
    def is_safe(self) -> bool:
        """Returns True when all directives given here so far are durable or refused: the sender need not keep them."""
        return self._file.is_safe

    # --- directives of the centre ---------------------------------------------------------------------------------

    def set_signed(self, signed: Iterable[Directive], to_keep: list[bytes]) -> None:
        """Adopt the centre's directives in force, and the signed bytes that must survive a restart."""
        self._signed = list(signed)
        if to_keep != self._kept_signed:
            self._kept_signed = to_keep
            self._due_ms = 0

    # --- poll -----------------------------------------------------------------------------------------------------

    def poll(self, *, now_ms: int) -> None:
        """End directives that are over, and save changes."""
        due_ms = self.deadline_ms(now_ms=now_ms)
        if due_ms is not None and now_ms >= due_ms:
            self._settle(now_ms)

    def on_synced(self, ticket: Ticket, error: str | None, *, now_ms: int) -> None:
        self._file.on_synced(ticket, error, now_ms=now_ms)
        self._plan()

    def deadline_ms(self, *, now_ms: int) -> int | None:
        """Return when a directive given here ends, by our clock or by UTC, or a write is tried again."""
        unix_ms = self._clock.carried_ms(now_ms=now_ms)
        if unix_ms is None or not self._local or self._unix_s(now_ms) is None:
            return self._due_ms
        return earliest((self._due_ms, now_ms + 1000 * self._due_s - unix_ms))

    # --- nodes ----------------------------------------------------------------------------------------------------

    def is_question(self, asked: NodeRequest) -> bool:
        """Return whether a request is a node's question for its directives."""
        return asked.path == (directive.PATH,) and asked.code == messages.GET

    def answer(self, asked: NodeRequest, *, now_ms: int) -> tuple[int, bytes]:
        """Return (code, payload) of the answer to a question."""
        self.counters["asked"] += 1
        try:
            question = directive.decode_question(asked.query)
        except WireFault:
            self.counters["malformed"] += 1
            return messages.BAD_REQUEST, b""
        asker = AskingNode(asked.node, question.kind, self._groups.get(asked.node, frozenset()))
        self._askers[asked.node] = asker
        known = self._known()
        moment = self._moment(now_ms)
        if moment is None and any(rank(one.scope, asker) is not None for one in known):
            self.counters["unknown-time"] += 1
            return messages.UNAVAILABLE, b""
        held: dict[int, tuple[int, int]] = {}
        used = set()
        if moment is not None:
            latest_s = sum(moment)
            open_ones = [one for one in known if not one.is_over(unix_s=moment[0], now_ms=now_ms)]
            begun = [without_old_weather(one, latest_s) for one in open_ones if one.begins_s <= moment[0]]
            found = winners(begun, asker) | first_hours(open_ones, asker)
            found.pop(directive.WEATHER_DAY, None)
            of_a_day = {code: found[code] for code in directive.OF_A_DAY if code in found}
            day = max(map(weather_day, of_a_day.values()), default=0)
            for code, one in found.items():
                for_s = _left_s(one, latest_s, now_ms)
                if code in of_a_day:
                    for_s = min(for_s, weather_ends_s(one) - latest_s) if weather_day(one) == day else 0
                if for_s > 0 and (question.codes is None or code in question.codes):
                    held[code] = one.begins_s // 60 if code in directive.HOURS else one.values[code], for_s
                    used.add(one.id)
            dated = [held[code][1] for code in of_a_day if code in held]
            if dated and (question.codes is None or directive.WEATHER_DAY in question.codes):
                held[directive.WEATHER_DAY] = day, max(dated)
        self._on_used(used, now_ms=now_ms)
        self.counters["answered"] += 1
        return messages.CONTENT, directive.encode(held)

    def keep_only(self, nodes: Iterable[bytes]) -> None:
        """Forget the nodes that do not belong here any more."""
        known = frozenset(nodes)
        self._askers = {node: asker for node, asker in self._askers.items() if node in known}

    # --- status ---------------------------------------------------------------------------------------------------

    def status(self, *, now_ms: int) -> tuple[DirectiveStatus, ...]:
        """Return every directive in force or waiting for its time, and how many of the nodes that have asked since the
        start it aims at."""
        unix_s = self._unix_s(now_ms)
        return tuple(
            DirectiveStatus(
                id=one.id.hex(),
                source="here" if one.is_local else "centre",
                author=one.author,
                reason=one.reason,
                scope=one.scope,
                values={str(code): value for code, value in sorted(one.values.items())},
                begins_s=one.begins_s,
                expires_s=one.expires_s,
                state="unknown" if unix_s is None else "waiting" if unix_s < one.begins_s else "active",
                nodes=sum(rank(one.scope, asker) is not None for asker in self._askers.values()),
            )
            for one in self._known()
            if not one.is_over(unix_s=unix_s, now_ms=now_ms)
        )

    def health(self) -> dict[str, int]:
        return {**self.counters, **self._file.counters, "local": len(self._local), "signed": len(self._signed)}

    # --- inside ---------------------------------------------------------------------------------------------------

    def _known(self) -> list[Directive]:
        return [*self._signed, *self._local.values()]

    def _moment(self, now_ms: int) -> tuple[int, int] | None:
        """Return (Unix s, ± s) if the clock is good enough to compute what is left."""
        carried = self._clock.carried(now_ms=now_ms)
        return None if carried is None or carried[1] > limits.DIRECTIVES_DOUBT_S_MAX else carried

    def _unix_s(self, now_ms: int) -> int | None:
        moment = self._moment(now_ms)
        return None if moment is None else moment[0]

    def _settle(self, now_ms: int) -> None:
        unix_s, unix_ms = self._unix_s(now_ms), self._clock.carried_ms(now_ms=now_ms)
        for name, one in list(self._local.items()):
            if unix_s is not None and unix_ms is not None and one.ends_ms is None:
                one = self._local[name] = one._replace(ends_ms=now_ms + max(0, 1000 * one.expires_s - unix_ms))
            if one.is_over(unix_s=unix_s, now_ms=now_ms):
                del self._local[name]
                self._report(DirectiveChange(EXPIRED, one, one.author), now_ms=now_ms)
        self._file.save(self._local.values(), self._kept_signed, now_ms=now_ms)
        self._plan()

    def _plan(self) -> None:
        """Set when `poll` is due, by our clock and by UTC, which may be corrected at any time."""
        ends = [one.ends_ms for one in self._local.values() if one.ends_ms is not None]
        if self._file.retry_ms is not None:
            ends.append(self._file.retry_ms)
        self._due_ms = min(ends, default=None)
        self._due_s = min((0 if one.ends_ms is None else one.expires_s for one in self._local.values()), default=0)

    def _refuse(self, one: Directive, why: str, now_ms: int) -> str:
        self.counters["refused"] += 1
        self._report(DirectiveChange(REFUSED, one, one.author, why), now_ms=now_ms)
        return why


def _left_s(one: Directive, latest_s: int, now_ms: int) -> int:
    """Return how long a directive still holds for sure, when UTC is `latest_s` at the latest."""
    left_s = one.expires_s - latest_s
    if one.ends_ms is not None:
        left_s = min(left_s, (one.ends_ms - now_ms) // 1000)
    return min(left_s, int(directive.FOR_S_MAX))


_WORDS = {
    TOLD: "directive-told",
    CLEARED: "directive-cleared",
    EXPIRED: "directive-expired",
    REFUSED: "directive-refused",
}


class DirectiveService:
    """Connects directives with the rest of the gateway: the cabinet's signed commands, the audit log,
    records of the gateway's own, the operator's log.

    A gateway without a cabinet accepts no signed commands, for it holds no policy that names operators; a technician's
    directives work there too, and are reported by a record and a line of the log.
    """

    def __init__(
        self,
        disk: Disk,
        clock: WallClock,
        cabinet: Cabinet | None,
        *,
        groups: Mapping[bytes, frozenset[str]],
        own: OwnRecords,
        log: Callable[..., None],
    ) -> None:
        self._cabinet = cabinet
        self._own = own
        self._log = log
        self.directives = Directives(disk, clock, groups=groups, report=self._report, on_used=self._on_used)

    def start(self) -> list[bytes]:
        """Restore what an earlier start kept; see `Directives.start`."""
        return self.directives.start()

    def poll(self, *, now_ms: int) -> None:
        self._follow()
        self.directives.poll(now_ms=now_ms)

    def answer(self, asked: NodeRequest, *, now_ms: int) -> tuple[int, bytes]:
        """Return the answer to a node's question, (code, payload)."""
        self._follow()
        return self.directives.answer(asked, now_ms=now_ms)

    def _follow(self) -> None:
        if self._cabinet is not None:
            orders = self._cabinet.orders
            self.directives.set_signed(node_orders.directives(orders), node_orders.directives_to_keep(orders))

    def _on_used(self, ids: set[bytes], *, now_ms: int) -> None:
        if self._cabinet is not None and ids:
            self._cabinet.orders.note_used(ids, now_ms=now_ms)

    def _report(self, happened: DirectiveChange, *, now_ms: int) -> None:
        one = happened.directive
        values_by_name = {} if one is None else {_label(code): value for code, value in sorted(one.values.items())}
        values = {
            "id": None if one is None else one.id.hex(),
            "by": happened.by,
            "reason": None if one is None else one.reason,
            "scope": None if one is None else one.scope or "*",
            "values": values_by_name,
            "until": None if one is None else one.expires_s,
            "why": happened.why,
        }
        plain = {name: value for name, value in values.items() if value not in (None, {})}
        self._log(_WORDS[happened.what], **plain)
        if self._cabinet is not None:
            self._cabinet.audit_local(_WORDS[happened.what], now_ms=now_ms, **plain)
        if one is not None and happened.what != REFUSED:
            for name, value in values_by_name.items():
                what = f"{happened.what} {name}={value}"
                detail = [what, one.scope or "*", _short(happened.by)]
                self._own.report(EventBody(event.LOCAL_ORDER, None, detail), now_ms=now_ms)


def _label(code: int) -> str:
    return str(directive.TABLE[code][0])


def _short(text: str) -> str:
    return text.encode()[: wire_limits.TEXT_BYTES_MAX].decode(errors="ignore")
