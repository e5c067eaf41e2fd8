"""Lays out the content of a new node's flash, as folders and files to copy to its root.

example:
  bocage link board board --kind streetlight --number 1

The root holds what is never updated: boot.py, main.py (the loader), slots, guard, rtc, last_resort; `a` the application
with its manifest; `r` the rescue program. settings.json differs for each node and is not made here. Copy the folder for
example with `mpremote fs cp -r FOLDER/. :`; later programs come over the node's link (`bocage link image`, `bocage
gateway images`).
"""

import argparse
import shutil
from pathlib import Path

from gateway.language import N_
from tools.command_line import Refused, UsageError
from tools.link import image as link_image
from tools.link.image import FIRMWARE, ImageFault
from wire import image
from wire.faults import WireFault


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", type=Path, help="where to lay it out; must not exist, or be empty")
    parser.add_argument("--kind", required=True, help="of node, as in its settings")
    parser.add_argument("--number", type=int, required=True, help="of the application, as `bocage link image` has it")
    parser.add_argument("--source", action="store_true", help="leave modules uncompiled, even where mpy-cross is found")
    parser.add_argument("--mpy-cross", default="mpy-cross", metavar="PROGRAM", help="the compiler (mpy-cross)")


def run(args: argparse.Namespace) -> int:
    """Returns the exit status: 0 done, 1 a file or the compiler failed, 2 the number, kind or folder is at fault."""
    compiler = None if args.source else shutil.which(args.mpy_cross)
    try:
        if args.folder.exists() and any(args.folder.iterdir()):
            raise UsageError(N_("{folder}: is not empty; give another folder"), folder=args.folder)
        files = board_files(FIRMWARE, compiler, args.kind, args.number)
        for path, data in files.items():
            target = args.folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(data)
    except WireFault:
        raise UsageError(N_("--number {value}: give 1 to {high}"), value=args.number, high=image.NUMBER_MAX) from None
    except (ImageFault, OSError) as error:
        raise Refused(str(error)) from error
    print(f"{args.folder}: {len(files)} files, {sum(map(len, files.values()))} bytes; put settings.json beside them")
    return 0


def board_files(firmware: Path, compiler: str | None, kind: str, number: int) -> dict[str, bytes]:
    """Returns {path on the chip: bytes}. Files at the root stay source: MicroPython runs boot.py and main.py as
    such."""
    application = link_image.node_files(firmware, compiler, kind)
    root = {name: firmware / "esp32" / f"{name}.py" for name in link_image.ROOT}
    root["boot"] = firmware / "boards" / f"boot_{kind}.py"
    files = {f"{name}.py": source.read_bytes() for name, source in root.items()}
    files["main.py"] = (firmware / "esp32" / "loader.py").read_bytes()
    files |= {f"a/{path}": data for path, data in application.items()}
    files[f"a/{image.MANIFEST_NAME}"] = link_image.manifest_of(
        application, number, link_image.node_version(firmware), kind
    )
    files |= {f"r/{path}": data for path, data in link_image.rescue_files(firmware, compiler, kind).items()}
    return files
