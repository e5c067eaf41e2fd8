"""Connects the campaigns of all kinds of node with the rest of the gateway: questions and events of nodes in, the hours
of lamps, progress on the card, records for the centre.

**Hours.** A lamp on a permanent feeder is let in by day, an hour or more from dusk and dawn: a program that fails
is taken back before the street needs its light. A switched feeder has mains by night alone: there it is the middle of
the night, with another hour of mains to come by the policy. A lamp whose feeder is not known has either, and follows
its own settings. A node's restart is its own decision (`may_restart` of its trade), never in a watering.

**Who is expected.** The name that a node asks for tells how it stores its program (KIND or KIND-rom), and which
interpreter of ours it runs, if any. A node of the kind that has asked for neither yet is expected by both.

Progress is kept in `state/campaigns-…`, written after each change, so a restart goes on where it was. What a power cut
takes of it comes back with the nodes' next questions. It must not open a file by name.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from gateway.core import limits
from gateway.core.cabinet import feeder as rules
from gateway.core.cabinet.cabinet import Cabinet
from gateway.core.campaigns import campaign
from gateway.core.campaigns.campaign import Campaign, NodeProgress, Plan
from gateway.core.custody.disk import Disk, NumberedFile, SharedFolder, parse_json
from gateway.core.inbox.known_nodes import KnownNodes
from gateway.core.link.images import NodeImage
from gateway.core.link.link import NodeRequest
from gateway.core.status import CampaignStatus, FailedNode
from gateway.core.wallclock import WallClock
from policy import lighting
from wire import event, image, interpreter
from wire.record import EventBody, Record

LAMP = "streetlight"
_STEP_S = 900
_FAILED_SHOWN_MAX = 8
_WHY_CHARS_MAX = 24


class Campaigns:
    """Holds one campaign for each kind of node. `report` makes a record of the gateway."""

    def __init__(
        self, disk: Disk, clock: WallClock, known_nodes: KnownNodes, cabinet: Cabinet | None, report: Callable[..., Any]
    ) -> None:
        folder = SharedFolder(disk, "campaigns")
        self._file = NumberedFile(folder, "campaigns", bytes_max=limits.CAMPAIGN_FILE_BYTES_MAX)
        self._clock = clock
        self._known_nodes = known_nodes
        self._report = report
        self._lamps = None if cabinet is None else LampHours(cabinet)
        self._kept: dict[str, Campaign] = {}  # as the card had them; a plan that comes continues one
        self._campaigns: dict[str, Campaign] = {}
        self._due_ms: int | None = None
        # What each node asked for last, of programs (False) and of interpreters (True).
        self._asked: dict[tuple[bytes, bool], str] = {}

    def start(self) -> None:
        """Restore the progress of an earlier start."""
        for data in self._file.restore():
            try:
                self._kept = {product: _restored(product, plain) for product, plain in parse_json(data).items()}
            except (ValueError, TypeError, KeyError, AttributeError):
                continue  # torn by a power cut: the version before it
            return

    def set_plans(self, plans: Iterable[Plan], *, now_ms: int) -> None:
        """Follow these plans from now on, and no others."""
        before = {**self._kept, **self._campaigns}
        self._campaigns = {}
        for plan in plans:
            known = before.get(plan.product)
            if known is None or known.plan.id != plan.id:
                known = Campaign(plan)
            known.plan = plan
            self._campaigns[plan.product] = known
        for product, known in before.items():
            if known.reported == campaign.HALTED and self._campaigns.get(product) is not known:
                self._report(EventBody(event.CAMPAIGN_HALTED, False, [product]), now_ms=now_ms)
        self._due_ms = 0

    # --- nodes ----------------------------------------------------------------------------------------------------

    def judge(self, asked: NodeRequest, offered: NodeImage | None, is_manifest: bool, *, now_ms: int) -> int | None:
        """Return 0 to serve a node this request for a program, the seconds that it must wait, or None."""
        if is_manifest:
            self._note(asked.node, asked.path[-1].decode("utf-8", "replace"))
        found = None if offered is None else self._campaigns.get(offered.product)
        if found is None or offered is None or found.plan.number != offered.number:
            return None
        unix_s = self._unix_s(now_ms)
        hours_s = 0
        if self._lamps is not None and self._kind(asked.node, offered.product) == LAMP:
            hours_s = limits.CAMPAIGN_AGAIN_S if unix_s is None else self._lamps.wait_s(asked.node, unix_s)
        question = image.decode_question(asked.query) if is_manifest else None
        bearer = asked.peer[0] if isinstance(asked.peer, tuple) else ""
        bearer = bearer if bearer in limits.CAMPAIGN_EXCHANGE_AIR_MS else "udp"
        judged = found.admit(asked.node, bearer, question, hours_s=hours_s, unix_s=unix_s, now_ms=now_ms)
        if found.is_changed:  # nearly every question is for one more block, and changes nothing
            self._due_ms = 0
        return judged

    def observe(self, node: bytes, records: Iterable[Record], *, now_ms: int) -> None:
        """Accept what a node reports of its program, among the records of an accepted payload."""
        for made in records:
            body = made.body
            if not isinstance(body, EventBody) or body.code not in (event.UPDATE, event.CRASH, event.RESCUE_MODE):
                continue
            unix_s = self._unix_s(now_ms)
            for found in self._campaigns.values():
                if body.code == event.UPDATE:
                    if isinstance(body.detail, list) and len(body.detail) in (2, 3):
                        number, outcome, *holds = body.detail
                        if (holds == [interpreter.WORD]) is interpreter.is_product(found.plan.product):
                            found.on_update(node, number, str(outcome)[:_WHY_CHARS_MAX], unix_s=unix_s)
                elif body.active is not False:
                    found.on_trouble(node, "crash" if body.code == event.CRASH else "rescue", unix_s=unix_s)
            self._due_ms = 0

    # --- poll -----------------------------------------------------------------------------------------------------

    def poll(self, *, now_ms: int) -> None:
        """Do what is due, tell the centre of another phase, save what has changed."""
        if self._due_ms is None or now_ms < self._due_ms:
            return
        unix_s = self._unix_s(now_ms)
        is_changed = bool(self._kept.keys() - self._campaigns.keys())
        for found in self._campaigns.values():
            found.poll(unix_s=unix_s, now_ms=now_ms)
            self._report_phase(found, unix_s, now_ms)
            is_changed = is_changed or found.is_changed
            found.is_changed = False
        self._kept = {}
        if is_changed:
            plain = {product: _plain(found) for product, found in self._campaigns.items()}
            self._file.save(json.dumps(plain, separators=(",", ":")).encode() + b"\n")
        is_moving = any(found.is_moving() for found in self._campaigns.values())
        self._due_ms = now_ms + limits.CAMPAIGN_POLL_MS if is_moving else None

    def deadline_ms(self) -> int | None:
        """Return when `poll` is due; None: only a node or a person will make it due."""
        return self._due_ms

    def status(self, *, now_ms: int) -> tuple[CampaignStatus, ...]:
        unix_s = self._unix_s(now_ms)
        return tuple(
            CampaignStatus(
                product=found.plan.product,
                number=found.plan.number,
                phase=self._phase(found, unix_s),
                counts=found.counts(),
                unheard=len(self._expected(found) - found.nodes.keys()),
                canaries=found.plan.canaries,
                soak_left_s=found.soak_left_s(unix_s) if found.reported == campaign.SOAK else None,
                failed=tuple(
                    FailedNode(node.hex(), one.why) for node, one in found.nodes.items() if one.state == campaign.FAILED
                )[:_FAILED_SHOWN_MAX],
            )
            for found in self._campaigns.values()
        )

    # --- inside ---------------------------------------------------------------------------------------------------

    def _unix_s(self, now_ms: int) -> int | None:
        carried = self._clock.carried(now_ms=now_ms)
        return None if carried is None or carried[1] > limits.CLOCK_USABLE_S else carried[0]

    def _note(self, node: bytes, product: str) -> None:
        key = node, interpreter.is_product(product)
        if key in self._asked or len(self._asked) < 2 * limits.INBOX_NODES_MAX:
            self._asked[key] = product

    def _kind(self, node: bytes, product: str) -> str | None:
        """Return the kind of the node that a product is for: an interpreter is for nodes of any kind."""
        if not interpreter.is_product(product):
            return image.kind_of(product)
        known = self._known_nodes.node(node)
        return None if known is None else known.kind

    def _expected(self, found: Campaign) -> frozenset[bytes]:
        """Return the nodes that the campaign is for, as far as they are known."""
        if found.plan.nodes:
            return found.plan.nodes
        product = found.plan.product
        if interpreter.is_product(product):
            return frozenset(node for (node, _), asked in self._asked.items() if asked == product)
        known = self._known_nodes.of_kind(image.kind_of(product))
        return frozenset(node for node in known if self._asked.get((node, False), product) == product)

    def _phase(self, found: Campaign, unix_s: int | None) -> str:
        return campaign.DONE if found.is_done(self._expected(found), unix_s) else found.phase(unix_s)

    def _report_phase(self, found: Campaign, unix_s: int | None, now_ms: int) -> None:
        """Report another phase once; a node that comes after the end does not open it again."""
        phase = self._phase(found, unix_s)
        if phase == found.reported or (phase == campaign.REST and found.reported == campaign.DONE):
            return
        was_halted, found.reported, found.is_changed = found.reported == campaign.HALTED, phase, True
        counts = found.counts()
        numbers = [counts.get(campaign.CONFIRMED, 0), counts.get(campaign.FAILED, 0)]
        detail = [found.plan.product, found.plan.number, phase, *numbers]
        self._report(EventBody(event.CAMPAIGN, None, detail), now_ms=now_ms)
        if was_halted or phase == campaign.HALTED:
            self._report(EventBody(event.CAMPAIGN_HALTED, not was_halted, [found.plan.product]), now_ms=now_ms)


class LampHours:
    """Computes when a lamp may be given a program, from the policy in force in its cabinet."""

    def __init__(self, cabinet: Cabinet) -> None:
        self._cabinet = cabinet
        self._feeder_of = cabinet.options.nodes()
        site = rules.site_of(cabinet.options.latitude_e4, cabinet.options.longitude_e4)
        self._plan = lighting.Plan(lighting.DEFAULT_CALENDAR, site)

    def wait_s(self, node: bytes, unix_s: int) -> int:
        """Return the seconds until its hours, to a quarter of an hour; 0: now."""
        index = self._feeder_of.get(node)
        feeder = None if index is None else self._cabinet.feeders[index]
        for wait_s in range(0, limits.CAMPAIGN_WAIT_S_MAX, _STEP_S):
            if self._is_open(feeder, unix_s + wait_s):
                return wait_s
        return limits.CAMPAIGN_WAIT_S_MAX

    def _is_open(self, feeder: rules.Feeder | None, unix_s: int) -> bool:
        plan = self._plan if feeder is None else feeder.plan
        side = plan.night(unix_s).side(unix_s, lighting.RESTART_MARGIN_S)
        if feeder is None:
            return bool(side != lighting.TWILIGHT)
        if feeder.is_permanent:
            return bool(side == lighting.DAY)
        instants = (unix_s, unix_s + lighting.RESTART_MARGIN_S)
        has_mains = all(plan.night(at_s).wanted(at_s).level_percent for at_s in instants)
        return side == lighting.NIGHT and has_mains


def _plain(found: Campaign) -> dict[str, Any]:
    nodes = {node.hex(): [one.state, one.since_s, one.why, one.is_canary] for node, one in found.nodes.items()}
    return {"number": found.plan.number, "begun_s": found.plan.begun_s, "reported": found.reported, "nodes": nodes}


def _restored(product: str, plain: Mapping[str, Any]) -> Campaign:
    nodes = {}
    for node, (state, since_s, why, is_canary) in plain["nodes"].items():
        if state not in campaign.STATES:
            raise ValueError("state")
        nodes[bytes.fromhex(node)] = NodeProgress(state, int(since_s), str(why), bool(is_canary))
    return Campaign(Plan(product, int(plain["number"]), int(plain["begun_s"])), nodes, str(plain["reported"]))
