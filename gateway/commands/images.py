"""Holds programs for the nodes of a district, and runs the campaigns that bring them: few first, then all.

The file is checked for completeness at once. Each node decides by its own keys whether to trust it, and whether it is
newer than the running one. `campaign start KIND` offers it: to the canaries, after a day to all, lamps in their hours.
A node asks four times a day, and in rescue every two minutes. It needs no restart.
"""

import argparse
import json
import sys
from functools import partial
from pathlib import Path
from typing import Any

from gateway.commands import UsageError, add_config, add_json, campaign, on_config
from gateway.config.config import Config
from gateway.core.link.images import NodeImage
from gateway.language import N_, Phrases
from gateway.shell import images as node_images
from gateway.shell.images import ImageError

ADD, REMOVE, LIST, CAMPAIGN = "add", "remove", "list", "campaign"
_WORDS = Phrases({
    "added": N_(
        'image no. {number} ({text}, {kilobytes} kB) held for nodes "{product}"; to bring it to them: bocage gateway '
        "images … campaign start {product}"
    ),
    "removed": N_('image for "{product}" withdrawn; what runs goes on'),
    "none": N_('no image for "{product}"'),
    "empty": N_("no image is held"),
    "listed": N_("{product}: no. {number} ({text}, {kilobytes} kB)"),
    "older": N_("an image no. {detail} is held already; no node would take a lower number"),
    "form": N_("this is no image, or it is cut short ({detail}); copy it again"),
    "manifest": N_("its manifest is not sound ({detail}); make the image again"),
    "product": N_("it is meant for no node: {detail}"),
    "digest": N_("file {detail} in it is damaged; copy it again"),
    "what": N_("give the images' files"),
    "which": N_("say for which kind of node"),
})  # fmt: skip


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_config(parser)
    add_json(parser)
    parser.add_argument("what", choices=(ADD, REMOVE, LIST, CAMPAIGN), help="bring, take back, list; see below")
    parser.add_argument("names", nargs="*", metavar="IMAGE|KIND", help="files from `bocage link image`; kinds of node")
    campaign.add_arguments(parser)


@on_config
def run(config: Config, args: argparse.Namespace) -> int:
    """Returns the exit status: 0 done, 1 an image is faulty or the disk refused, 2 the usage is at fault."""
    printer = _Printer(args.lang, args.json)
    if args.what == LIST:
        return _list(config, printer)
    if args.what == CAMPAIGN:
        return campaign.run(config, args, partial(_offered, config))
    if not args.names:
        raise UsageError(_WORDS.text("what" if args.what == ADD else "which", args.lang))
    status = 0
    for name in args.names:
        try:
            status |= _add(config, Path(name), printer) if args.what == ADD else _remove(config, name, printer)
        except ImageError as error:
            printer.fault(error.reason, name, detail=error.detail)
            status = 1
    return status


def _add(config: Config, path: Path, printer: "_Printer") -> int:
    content = node_images.read(path)
    one = node_images.parse_node_image(content)
    for other in _offered(config):
        if other.product == one.product and other.number > one.number:
            printer.fault("older", str(path), detail=str(other.number))
            return 1
    node_images.put_node_image(config.data, one.product, content)
    printer("added", **_facts(one))
    return 0


def _remove(config: Config, product: str, printer: "_Printer") -> int:
    known = node_images.is_product(product) and node_images.withdraw_node_image(config.data, product)
    printer("removed" if known else "none", product=product)
    return 0 if known else 1


def _list(config: Config, printer: "_Printer") -> int:
    offered = _offered(config)
    for one in offered:
        printer("listed", **_facts(one))
    if not offered:
        printer("empty")
    return 0


def _offered(config: Config) -> list[NodeImage]:
    found = []
    for path in node_images.node_image_paths(config.data / node_images.NODE_FOLDER):
        try:
            found.append(node_images.parse_node_image(node_images.read(path)))
        except ImageError:
            continue
    return found


def _facts(one: NodeImage) -> dict[str, Any]:
    kilobytes = -(-one.bytes // 1000)
    return {"product": one.product, "number": one.number, "text": one.text, "kilobytes": kilobytes}


class _Printer:
    def __init__(self, language: str, as_json: bool) -> None:
        self._language = language
        self._as_json = as_json

    def __call__(self, word: str, **values: Any) -> None:
        print(json.dumps({"done": word, **values}) if self._as_json else _WORDS.text(word, self._language, **values))

    def fault(self, word: str, named: str = "", *, detail: str = "") -> None:
        where = f"{named}: " if named else ""
        print(f"bocage gateway images: {where}{_WORDS.text(word, self._language, detail=detail)}", file=sys.stderr)
