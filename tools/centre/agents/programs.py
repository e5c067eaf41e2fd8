"""Keeps the signed programs of nodes beside the agents' packages, and decides which cabinets bring them to their nodes.

    streetlight-12.img …   nodes.json

An image is signed by the key that nodes know, as `bocage link image` made it: here it is only carried. A cabinet
fetches it and runs its own campaign (`gateway/core/campaigns`): canaries, soak, the hours of lamps, failures. Over the
cabinets the stages are those of packages (`campaign`): the first, a tenth, all. What a cabinet tells of its campaign is
the evidence: it is well when its canaries have run the program for the soak, and has failed when its campaign halted.
"""

import json
import re
import struct
from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

from gateway.language import N_
from tools.centre.agents import campaign
from tools.centre.agents.campaign import ALL, TENTH, Plan, Seen
from tools.centre.broker.files import write
from tools.centre.condition.programs import Campaign, campaigns
from tools.centre.store import database
from tools.command_line import Refused
from wire import cose, image
from wire.faults import WireFault

# As the gateway packs them (gateway/shell/images.py).
_HEAD, _MAGIC = struct.Struct(">4sI"), b"BOCI"
_BYTES_MAX = _HEAD.size + image.MANIFEST_BYTES_MAX + cose.SIGN1_OVERHEAD_BYTES + image.IMAGE_BYTES_MAX
# Words of a gateway's campaign.
_WELL, _HALTED = ("rest", "done"), "halted"
# Within this each linked cabinet has read the plan, and told that it follows it; one that has not has no such nodes.
_TOLD_S = 2 * 86_400


class NodePlan(NamedTuple):
    """Holds what is wanted of one kind of node. canaries … pace_percent: for each cabinet's campaign; stages: over the
    cabinets, its version the image's number."""

    product: str
    number: int
    canaries: int
    soak_s: int
    failures_max: int
    pace_percent: int
    stages: Plan


def publish(folder: Path, path: Path) -> image.Manifest:
    """Puts an image where cabinets fetch it; returns its manifest. Refused; OSError."""
    with path.open("rb") as file:
        data = file.read(_BYTES_MAX + 1)
    manifest = _manifest(path, data)
    target = folder / f"{manifest.product}-{manifest.number}.img"
    if target.exists() and target.read_bytes() != data:
        message = N_("no. {number} is published for {product} with other content; make the image under a higher number")
        raise Refused(message, number=manifest.number, product=manifest.product)
    folder.mkdir(mode=0o755, parents=True, exist_ok=True)
    write(target, data, mode=0o644)
    return manifest


def is_published(folder: Path, product: str, number: int) -> bool:
    return (folder / f"{product}-{number}.img").is_file()


def _manifest(path: Path, data: bytes) -> image.Manifest:
    try:
        magic, length = _HEAD.unpack_from(data)
        signed, rest = data[_HEAD.size : _HEAD.size + length], data[_HEAD.size + length :]
        found = image.decode(cose.sign1_decode(signed, bytes_max=len(signed)).payload)
    except (struct.error, WireFault):
        magic = b""
    if magic != _MAGIC or len(data) > _BYTES_MAX or not _is_of_nodes(found.product):
        raise Refused(N_("{path} is no program for nodes; `bocage link image --kind` makes one"), path=path)
    at = 0
    for file in found.files:
        if sha256(rest[at : at + file.size]).digest() != file.digest:
            raise Refused(N_("{path} is cut short or damaged; copy it again"), path=path)
        at += file.size
    return found


def _is_of_nodes(product: str) -> bool:
    """Returns whether this names a kind of node: it becomes the name of a file."""
    return product != image.CONCENTRATOR and re.fullmatch("[a-z0-9_-]{1,24}", product) is not None


# --- plans ----------------------------------------------------------------------------------------------------------


def begin(plans: Sequence[NodePlan], wanted: NodePlan) -> list[NodePlan]:
    """Returns the plans with this one in the place of its kind's last. Refused for a number that is not higher, unless
    the same is begun again."""
    before = next((one for one in plans if one.product == wanted.product), None)
    if before is not None and before.number > wanted.number:
        message = N_("no. {number} was wanted for {product} already, and a node never takes a lower one")
        raise Refused(message, number=before.number, product=wanted.product)
    return [*(one for one in plans if one is not before), wanted]


def changed(plans: Sequence[NodePlan], known: Mapping[str, Mapping[str, Seen]], *, now_s: int) -> list[NodePlan]:
    """Returns the plans as they are to be, by what is known of the cabinets for each kind."""
    return [one._replace(stages=campaign.advance(one.stages, known[one.product], now_s=now_s)) for one in plans]


def seen(connection: database.Connection, plans: Sequence[NodePlan], *, now_s: int) -> dict[str, dict[str, Seen]]:
    """Returns for each kind what the warehouse knows of the cabinets, by name. Two days after a tenth was asked, and
    later, a cabinet that has told nothing has no such nodes and is left out: failures are a share of the others."""
    cabinets, by_product = campaign.cabinets(connection, now_s=now_s), reported(connection, plans, now_s=now_s)
    found: dict[str, dict[str, Seen]] = {}
    for plan in plans:
        stages, reports = plan.stages, by_product[plan.product]
        is_early = stages.state != ALL and (stages.state != TENTH or now_s < stages.since_unix_s + _TOLD_S)
        found[plan.product] = {
            name: _seen(reports.get(name), is_linked)
            for _, name, is_linked in cabinets
            if is_early or name in reports or name in stages.first
        }
    return found


def reported(
    connection: database.Connection, plans: Sequence[NodePlan], *, now_s: int
) -> dict[str, dict[str, Campaign]]:
    """Returns for each kind what the cabinets said last of this campaign, by name."""
    names = {node: name for node, name, _ in campaign.cabinets(connection, now_s=now_s)}
    reports = [one for one in campaigns(connection) if one.gateway in names]
    return {plan.product: {names[one.gateway]: one for one in reports if _is_of(one, plan)} for plan in plans}


def _is_of(one: Campaign, plan: NodePlan) -> bool:
    is_same = (one.product, one.number) == (plan.product, plan.number)
    return is_same and one.received_unix_s >= plan.stages.begun_unix_s


def _seen(one: Campaign | None, is_linked: bool) -> Seen:
    if one is None:
        return Seen(None, None, is_linked)
    number, at_s = str(one.number), one.received_unix_s
    failed = (number, at_s) if one.phase == _HALTED else None
    return Seen(number if one.phase in _WELL else None, at_s, is_linked, failed)


def read(path: Path) -> list[NodePlan]:
    """Returns the plans in a file. Refused where they are none; OSError."""
    try:
        plain: list[dict[str, Any]] = json.loads(path.read_bytes())
        return [NodePlan(**{**one, "stages": campaign.of_plain(one["stages"])}) for one in plain]
    except FileNotFoundError:
        return []
    except (ValueError, TypeError, KeyError) as error:
        raise Refused(N_("{path} is no plan of a campaign: delete it, and begin anew"), path=path) from error


def save(path: Path, plans: Sequence[NodePlan]) -> None:
    """Writes the plans for all to read. OSError."""
    plain = [{**one._asdict(), "stages": one.stages._asdict()} for one in plans]
    write(path, json.dumps(plain, indent=1).encode(), mode=0o644)
