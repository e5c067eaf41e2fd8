"""Joins what nodes are told with who may say it and who is to know: signed commands of the cabinet's, the technician at
the cabinet, the audit log, records of the gateway's own, the shell's log.

A gateway without a cabinet takes no signed commands (it holds no policy that names operators); what is said on the
spot works there too, and is told by a record and a line of the log.
"""

from collections.abc import Callable, Mapping

from gateway.core.cabinet import for_nodes
from gateway.core.cabinet.cabinet import Cabinet
from gateway.core.custody.disk import Disk
from gateway.core.directives.directives import CLEARED, EXPIRED, REFUSED, TOLD, Directives, Happened
from gateway.core.link.link import Asked
from gateway.core.own import OwnRecords
from gateway.core.wallclock import WallClock
from wire import directive, event, limits
from wire.record import EventBody

_WORDS = {
    TOLD: "directive-told",
    CLEARED: "directive-cleared",
    EXPIRED: "directive-expired",
    REFUSED: "directive-refused",
}


class Desk:
    """One a gateway. `directives`: what it tells."""

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
        self.directives = Directives(disk, clock, groups=groups, tell_of=self._tell_of, used=self._used)

    def start(self) -> list[bytes]:
        """See Directives.start."""
        return self.directives.start()

    def poll(self, *, now_ms: int) -> None:
        self._follow()
        self.directives.poll(now_ms=now_ms)

    def answer(self, asked: Asked, *, now_ms: int) -> tuple[int, bytes]:
        """To a node's question."""
        self._follow()
        return self.directives.answer(asked, now_ms=now_ms)

    def _follow(self) -> None:
        if self._cabinet is not None:
            orders = self._cabinet.orders
            self.directives.follow(for_nodes.directives(orders), for_nodes.directives_to_keep(orders))

    def _used(self, ids: set[bytes]) -> None:
        if self._cabinet is not None and ids:
            self._cabinet.orders.used(ids)

    def _tell_of(self, happened: Happened) -> None:
        one = happened.told
        said = {} if one is None else {_label(code): value for code, value in sorted(one.values.items())}
        values = {
            "id": None if one is None else one.id.hex(),
            "by": happened.by,
            "reason": None if one is None else one.reason,
            "scope": None if one is None else one.scope or "*",
            "values": said,
            "until": None if one is None else one.expires_s,
            "why": happened.why,
        }
        told = {name: value for name, value in values.items() if value not in (None, {})}
        self._log(_WORDS[happened.what], **told)
        if self._cabinet is not None:
            self._cabinet.note(_WORDS[happened.what], **told)
        if one is not None and happened.what != REFUSED:
            for name, value in said.items():
                what = f"{happened.what} {name}={value}"
                self._own.state(EventBody(event.LOCAL_ORDER, None, [what, one.scope or "*", _short(happened.by)]))


def _label(code: int) -> str:
    return str(directive.TABLE[code][0])


def _short(text: str) -> str:
    return text.encode()[: limits.TEXT_BYTES_MAX].decode(errors="ignore")
