"""Follows the centre's plan of programs for nodes: fetches the images that this cabinet is to offer, begins and stops
their campaigns. The running agent notices the files within seconds (`gateway.shell.images`). It decides nothing."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from gateway.core.campaigns import wanted as core
from gateway.core.campaigns.campaign import Plan
from gateway.core.campaigns.wanted import Wanted
from gateway.shell import campaign_plans
from gateway.shell import images as node_images
from gateway.shell.images import FILE_BYTES_MAX, NODE_FOLDER, ImageError, is_product

_PLAN_BYTES_MAX = 1 << 20
# What came is not what the plan names.
OTHER = "other"


class Step(NamedTuple):
    """States what was done for a kind of node (a word of `core.campaigns.wanted`), or why an image was refused."""

    word: str
    product: str
    number: int
    detail: str = ""


def follow(data: Path, cabinet: str, read: Callable[[str, int], bytes], *, now_s: int) -> Iterator[Step]:
    """Yields what is done by the plan. `read` returns a file of the centre, of so many bytes at most, or raises
    PackageFault; `now_s`: the cabinet's campaigns begin now. OSError; ValueError names the plan's field."""
    for one in core.parse(read(core.FILE, _PLAN_BYTES_MAX)):
        product, number = one.plan.product, one.plan.number
        if not is_product(product):
            raise ValueError("product")
        folder = data / NODE_FOLDER
        local = _plan_of(folder, product)
        word = core.decide(one, cabinet, held=_held(folder, product), local=local)
        if word == core.STOP and local is not None:
            campaign_plans.write(folder, local._replace(is_stopped=True))
        if word == core.FETCH:
            try:
                node_images.put_node_image(data, product, _image(one, read))
            except ImageError as error:
                yield Step(error.reason, product, number, error.detail)
                continue
        if word in (core.FETCH, core.BEGIN):
            # The centre's clock may be ahead: begun before its plan, it would begin again each hour.
            campaign_plans.write(folder, one.plan._replace(begun_s=max(now_s, one.plan.begun_s)))
        if word is not None:
            yield Step(word, product, number)


def _image(one: Wanted, read: Callable[[str, int], bytes]) -> bytes:
    content = read(one.file, FILE_BYTES_MAX + 1)
    found = node_images.parse_node_image(content)
    if (found.product, found.number) != (one.plan.product, one.plan.number):
        raise ImageError(OTHER, f"{found.product} {found.number}")
    return content


def _held(folder: Path, product: str) -> int | None:
    """Returns the number of the image that is offered; None: none that is whole."""
    try:
        return node_images.parse_node_image(node_images.read(node_images.path_of(folder, product))).number
    except (FileNotFoundError, ImageError):
        return None


def _plan_of(folder: Path, product: str) -> Plan | None:
    try:
        return campaign_plans.read(folder / (product + campaign_plans.SUFFIX))
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return None
