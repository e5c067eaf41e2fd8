"""The gateway's Debian package: one file for Raspberry Pi (arm64) and PC (amd64), to be installed with apt. The same
sources give the same bytes."""

import argparse
import json
import re
import sys
from hashlib import sha256
from pathlib import Path

from tools.package import build

# Of deb-version(7), without epoch and revision: what also may stand in a file's name.
_VERSION = re.compile(r"[0-9][A-Za-z0-9.+~]*")
_MAINTAINER = re.compile(r"[^<>\n]+ <[^<>\s@]+@[^<>\s@]+>")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `bocage package`."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    action = actions.add_parser("build", help="build it", description="Builds the package; needs dpkg-deb, no network.")
    action.add_argument("--out", type=Path, required=True, help="folder for the package")
    action.add_argument("--version", help="version of the package (default: that of pyproject.toml)")
    action.add_argument("--maintainer", default=build.MAINTAINER, help="who answers for it: 'NAME <ADDRESS>'")
    action.add_argument("--json", action="store_true", help="for programs")


def run(args: argparse.Namespace) -> int:
    """Exit status: 0 built, 1 the machine does not let us, 2 bad usage."""
    if args.version is not None and not _VERSION.fullmatch(args.version):
        print(f"--version: {args.version!r} is no Debian version; give one as 0.2.0 or 0.2.0~rc1", file=sys.stderr)
        return 2
    if not _MAINTAINER.fullmatch(args.maintainer):
        print("--maintainer: give a name and an address, as 'Feneu <eclairage@feneu.example>'", file=sys.stderr)
        return 2
    try:
        version = args.version or build.project_version()
        path = build.build(args.out, version=version, maintainer=args.maintainer, epoch=build.source_epoch())
    except build.BuildError as error:
        print(f"cannot build: {error}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"cannot build: {error}; build from a checkout, into a folder that may be written", file=sys.stderr)
        return 1
    digest = sha256(path.read_bytes()).hexdigest()
    if args.json:
        print(json.dumps({"path": str(path), "version": version, "bytes": path.stat().st_size, "sha256": digest}))
    else:
        print(f"{path}  {path.stat().st_size} bytes\nsha256 {digest}")
    return 0
