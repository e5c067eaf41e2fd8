"""Installs a signed image for the radio concentrator of a cabinet, or withdraws it.

The signature is verified at once; the running agent finds out on the line whether the image is newer than the running
one. It needs no restart. `bocage gateway status` and the log show the progress.
"""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from gateway.commands import UsageError, add_config, add_json, on_config
from gateway.config.config import Config
from gateway.language import N_, Phrases
from gateway.shell import images
from gateway.shell.images import ImageError, verify

UPDATE, WITHDRAW = "update", "withdraw"
_WORDS = Phrases({
    "put": N_("image no. {number} ({text}, {kilobytes} kB) accepted; the agent brings it to the concentrator"),
    "withdrawn": N_("image withdrawn; what runs goes on"),
    "none": N_("no image to withdraw"),
    "no_radio": N_("the configuration has no [radio] section; there is no concentrator"),
    "no_keys": N_("[radio] update_keys is missing; give the public keys of those who sign images"),
    "no_file": N_("give the image's file"),
    "form": N_("this is no image of a concentrator, or it is cut short ({detail}); copy it again"),
    "signer": N_("signed by key {detail}, which is not in [radio] update_keys"),
    "signature": N_("the signature does not hold; the image was altered or is damaged"),
    "manifest": N_("its manifest is not sound ({detail}); make the image again"),
    "product": N_("it is meant for another device: {detail}"),
    "digest": N_("file {detail} in it is damaged; copy it again"),
})  # fmt: skip


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_config(parser)
    add_json(parser)
    parser.add_argument("what", choices=(UPDATE, WITHDRAW), help="bring an image, or take it back")
    parser.add_argument("image", nargs="?", type=Path, metavar="IMAGE", help="from `bocage link image`")


@on_config
def run(config: Config, args: argparse.Namespace) -> int:
    """Returns the exit status: 0 done, 1 a faulty image or a refusing disk, 2 faulty configuration or usage."""
    radio = config.serial.radio
    if radio is None:
        raise UsageError(_WORDS.text("no_radio", args.lang))
    if args.what == WITHDRAW:
        known = images.withdraw_concentrator_image(config.data)
        _print_done("withdrawn" if known else "none", args.lang, as_json=args.json)
        return 0
    if args.image is None or not radio.update_keys:
        raise UsageError(_WORDS.text("no_file" if args.image is None else "no_keys", args.lang))
    try:
        content = images.read(args.image)
        image = verify(content, radio.update_keys)
    except ImageError as error:
        why = _WORDS.text(error.reason, args.lang, detail=error.detail)
        print(f"bocage gateway concentrator: {args.image}: {why}", file=sys.stderr)
        return 1
    images.put_concentrator_image(config.data, content)
    kilobytes = -(-image.bytes // 1000)
    _print_done("put", args.lang, as_json=args.json, number=image.number, text=image.text, kilobytes=kilobytes)
    return 0


def _print_done(word: str, language: str, *, as_json: bool, **values: Any) -> None:
    print(json.dumps({"done": word, **values}) if as_json else _WORDS.text(word, language, **values))
