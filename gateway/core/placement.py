"""Helps a technician beside a pole to state which light a node serves: the lamp shows itself, and what he states is
kept and reported.

    identify   one lamp blinks, by an order of its own to its node (`wire.node_order.IDENTIFY`), and says what it drew
               before and at full light; refused while a person's order or a lock-out holds for its feeder
    place      a record `nodePlaced` of the gateway's own, under custody, and a line of the audit log. Where another
               node was said to serve that light he is asked first; then that node gets the light of this one, or none:
               so two nodes that were exchanged are put right

What was stated is remembered here only to be shown and to find exchanged poles; the register of the centre decides
what a node serves. It must not know screens, keys or addresses.
"""

import json
from typing import Any, NamedTuple

from gateway.core import limits
from gateway.core.cabinet.cabinet import Cabinet
from gateway.core.custody.disk import NumberedFile, SharedFolder, parse_json
from gateway.core.inbox.known_nodes import KnownNodes
from gateway.core.link.downlink import Downlink, OrderInForce
from gateway.core.link.link import Link
from gateway.core.own_records import OwnRecords
from gateway.core.wallclock import WallClock
from wire import event, node_order
from wire import limits as wire_limits
from wire.oscore_context import usual_kid
from wire.record import EventBody, Record

# What an identification has come to: the order is on its way; the node has it; its lamp was measured; refused, or no
# answer within its time.
ASKED, SHOWN, MEASURED, REFUSED, SILENT = "asked", "shown", "measured", "refused", "silent"
_STREETLIGHT = "streetlight"
_FILE_BYTES_MAX = 256 * limits.PLACEMENTS_MAX


class Place(NamedTuple):
    """States the light that a node serves: the number on its post, its street if given, who said so, and when (Unix s,
    None: no clock)."""

    light: str
    street: str | None
    who: str
    unix_s: int | None

    def is_same(self, light: str, street: str | None) -> bool:
        """Return whether a number, and a street where both give one, mean this light."""
        streets = {one.casefold() for one in (self.street, street) if one}
        return self.light.casefold() == light.casefold() and len(streets) < 2


class Identification(NamedTuple):
    """Holds the last lamp that was asked to show itself. Powers in 0.1 W, level in %; None: not measured."""

    node: bytes
    name: bytes
    ends_ms: int
    state: str = ASKED
    why: str | None = None
    level_percent: int | None = None
    before_dw: int | None = None
    power_dw: int | None = None


class NodeSight(NamedTuple):
    """Describes one node of this cabinet for a person beside it. `is_adopted` False: it has no key here, and of the
    rest only `heard_ago_s` may be known."""

    node: bytes
    is_adopted: bool
    heard_ago_s: int | None = None
    kind: str = ""
    version: str = ""
    signal_dbm: int | None = None
    level_percent: int | None = None
    power_dw: int | None = None
    feeder: str | None = None
    is_reachable: bool = False
    place: Place | None = None
    identification: Identification | None = None


class Placements:
    """Serves the technician's page of one gateway that has a cabinet."""

    def __init__(
        self,
        link: Link,
        downlink: Downlink,
        known_nodes: KnownNodes,
        clock: WallClock,
        cabinet: Cabinet,
        own: OwnRecords,
        folder: SharedFolder,
        random_below: Any,
    ) -> None:
        self._link, self._downlink, self._known_nodes, self._clock = link, downlink, known_nodes, clock
        self._cabinet, self._own, self._random_below = cabinet, own, random_below
        self._feeders = cabinet.options.nodes()
        self._file = NumberedFile(folder, "places", bytes_max=_FILE_BYTES_MAX)
        self._places = _restored(self._file)
        self._last: Identification | None = None

    # --- what a technician asks ---------------------------------------------------------------------------------

    def identify(self, node: bytes, *, now_ms: int) -> str | None:
        """Have a lamp show itself; return the word of a refusal, or None."""
        unix_s = self._clock.unix_s(now_ms=now_ms)
        why = self._objection(node, now_ms)
        if why is not None or unix_s is None:
            return why or "clock"
        name = bytes(self._random_below(256) for _ in range(wire_limits.ORDER_ID_BYTES))
        ends_ms = now_ms + 1000 * limits.IDENTIFY_S
        order = OrderInForce(name, node_order.IDENTIFY, 100, unix_s + limits.IDENTIFY_S, ends_ms)
        self._downlink.identify(node, order, now_ms=now_ms)
        self._last = Identification(node, name, ends_ms)
        return None

    def place(self, node: bytes, light: str, street: str, who: str, *, exchange: bool, now_ms: int) -> str | None:
        """Keep and report that a node serves a light; return the word of a refusal, or None. `exchange`: the node that
        was said to serve it gets the light of this one."""
        light, street = _text(light), _text(street)
        if node not in self._link.sessions.nodes():
            return "unknown"
        if not light:
            return "light"
        if node not in self._places and len(self._places) >= limits.PLACEMENTS_MAX:
            return "full"
        unix_s = self._clock.unix_s(now_ms=now_ms)
        stated = Place(light, street or None, _text(who), unix_s)
        former, other = self._places.get(node), self.holder(node, light, street)
        if other is not None and not exchange:
            return "taken"
        changed: dict[bytes, Place | None] = {node: stated}
        if other is not None:
            moved = None if former is None or former.is_same(*stated[:2]) else former
            changed[other] = None if moved is None else moved._replace(who=stated.who, unix_s=unix_s)
        is_reported = all(self._keep(one, place, stated.who, now_ms) for one, place in changed.items())
        self._save()
        return None if is_reported else "full"

    def holder(self, node: bytes, light: str, street: str) -> bytes | None:
        """Return the other node that was said to serve this light."""
        wanted = _text(light), _text(street) or None
        return next((one for one, place in self._places.items() if one != node and place.is_same(*wanted)), None)

    # --- what comes of it ---------------------------------------------------------------------------------------

    def observe(self, node: bytes, made: Record) -> None:
        """Observe a record that was journaled for the first time."""
        last, body = self._last, made.body
        if last is None or last.node != node or not isinstance(body, EventBody) or not isinstance(body.detail, list):
            return
        if body.code == event.IDENTIFIED and len(body.detail) == 3:
            level_percent, before_dw, power_dw = body.detail
            self._last = last._replace(
                state=MEASURED, level_percent=level_percent, before_dw=before_dw, power_dw=power_dw
            )
        elif body.code == event.COMMAND_OUTCOME and body.detail[:1] == [last.name] and last.state != MEASURED:
            _, outcome, why = body.detail[:3]
            if outcome == "refused":
                self._last = last._replace(state=REFUSED, why=str(why))
            elif last.state == ASKED:
                self._last = last._replace(state=SHOWN)

    def sight(self, node: bytes, *, now_ms: int) -> NodeSight:
        """Return what is known of a node; of one without a key here, when its `kid` was last heard."""
        if node not in self._link.sessions.nodes():
            unknown = self._link.unknown.get(usual_kid(node))
            return NodeSight(node, False, None if unknown is None else (now_ms - unknown.heard_ms) // 1000)
        feeder, known = self._feeders.get(node), self._known_nodes.node(node)
        found = NodeSight(
            node,
            True,
            feeder=None if feeder is None else self._cabinet.options.feeders[feeder].name,
            is_reachable=self._link.reaches(node),
            place=self._places.get(node),
            identification=self._identification(node, now_ms),
        )
        if known is None:
            return found
        return found._replace(
            heard_ago_s=(now_ms - known.heard_ms) // 1000,
            kind=known.kind,
            version=known.version,
            signal_dbm=known.signal_dbm,
            level_percent=known.level_percent,
            power_dw=known.power_dw,
        )

    def sights(self, *, now_ms: int) -> list[NodeSight]:
        """Return the nodes that were heard last, SIGHTS_MAX at most; the latest first."""
        heard = sorted(self._known_nodes.nodes().items(), key=lambda one: -one[1].heard_ms)
        return [self.sight(node, now_ms=now_ms) for node, _ in heard[: limits.SIGHTS_MAX]]

    def ending(self, digits: str) -> list[bytes]:
        """Return the nodes of this cabinet whose id ends with these hexadecimal digits, SIGHTS_MAX at most."""
        found = (node for node in self._link.sessions.nodes() if node.hex().endswith(digits))
        return sorted(found)[: limits.SIGHTS_MAX]

    # --- inside -------------------------------------------------------------------------------------------------

    def _objection(self, node: bytes, now_ms: int) -> str | None:
        if node not in self._link.sessions.nodes():
            return "unknown"
        known, feeder, last = self._known_nodes.node(node), self._feeders.get(node), self._last
        if known is not None and known.kind not in ("", _STREETLIGHT):
            return "kind"
        if feeder in self._cabinet.hand.locks:
            return "locked"
        if self._downlink.has_order(node):
            return "order"
        if last is not None and now_ms < last.ends_ms and last.state in (ASKED, SHOWN):
            return "busy"
        return None if self._link.reaches(node) else "unreachable"

    def _identification(self, node: bytes, now_ms: int) -> Identification | None:
        last = self._last
        if last is None or last.node != node or now_ms - last.ends_ms > limits.IDENTIFIED_MS:
            return None
        is_over = now_ms >= last.ends_ms + limits.IDENTIFY_ANSWER_MS
        return last._replace(state=SILENT) if is_over and last.state in (ASKED, SHOWN) else last

    def _keep(self, node: bytes, place: Place | None, who: str, now_ms: int) -> bool:
        """Report where a node is, and remember it; return False, with nothing changed, when the journal refuses it."""
        shown = self._identification(node, now_ms)
        powers = [None, None] if shown is None else [shown.before_dw, shown.power_dw]
        light, street = (None, None) if place is None else place[:2]
        body = EventBody(event.NODE_PLACED, None, [node, light, street, who, *powers])
        if self._own.try_report(body, now_ms=now_ms) is None:
            return False
        self._cabinet.audit_local("place", node=node.hex(), light=light, street=street, who=who, now_ms=now_ms)
        if place is None:
            self._places.pop(node, None)
        else:
            self._places[node] = place
        return True

    def _save(self) -> None:
        plain = {node.hex(): list(place) for node, place in self._places.items()}
        self._file.save(json.dumps(plain, ensure_ascii=False).encode() + b"\n")


def _restored(file: NumberedFile) -> dict[bytes, Place]:
    for data in file.restore():
        try:
            return {bytes.fromhex(node): Place(*place) for node, place in parse_json(data).items()}
        except (ValueError, TypeError, AttributeError):
            continue
    return {}


def _text(typed: str) -> str:
    """Returns what a person typed, fit for a record: one line of at most TEXT_BYTES_MAX bytes."""
    shown = "".join(character if character.isprintable() else " " for character in typed[:200])
    return " ".join(shown.split()).encode()[: wire_limits.TEXT_BYTES_MAX].decode(errors="ignore")
