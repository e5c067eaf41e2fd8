"""Makes the signed image, one file, of the program of a concentrator or of a kind of node, or of an interpreter.

The concentrator's image is for `bocage gateway concentrator update`; one of a kind of node, made with `--kind`, is for
`bocage gateway images add`. With `--romfs` it is one ROMFS image in pieces, for nodes that run their program in place.
Their interpreter (firmware/interpreter) has images and numbers of its own, made with `--interpreter`.

examples:
  bocage link image streetlight-12.img --kind streetlight --number 12 --key release.pem
  bocage link image interpreter-3.img --interpreter build-BOCAGE/micropython.bin --number 3 --key release.pem

The modules are found by following the imports of the program (`firmware/concentrator/main.py`,
`firmware/esp32/main.py`); the loaders and the modules they need are never updated and stay out. Where `mpy-cross` is
found, modules are compiled (smaller, and faster to start); it must be of the MicroPython release that the chip runs, or
the new program is not imported and the chip goes back to the old one.

The private key is a PEM file as `bocage policy keys new` makes one; its public half belongs in `[radio] update_keys` of
the gateway, or in `update_keys` of the nodes' settings.
"""

import argparse
import ast
import getpass
import shutil
from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path

from gateway.language import N_
from gateway.shell import images
from tools import firmware_modules, mpy
from tools.command_line import Refused, UsageError
from tools.link import interpreter, romfs
from tools.policy import keys
from tools.policy.words import Refused as KeyRefused
from wire import cose, image
from wire.faults import WireFault

# Beside `wire`, in a working copy as in an installed package.
FIRMWARE = Path(cose.__file__).resolve().parent.parent
PROGRAM = "concentrator.main"
NODE_PROGRAM = "main"
# The modules that the loader needs: never part of an image. Those of ROOT_IN_PLACE are beside them where programs run
# in place.
ROOT = ("boot", "place", "slots", "guard", "rtc", "last_resort")
ROOT_IN_PLACE = ("ota",)
FIXED = frozenset((*ROOT, *ROOT_IN_PLACE, "loader", "concentrator.loader"))
# The rescue program has its own folder and is in no image.
RESCUE = "rescue"
# What only a program that runs in place may import.
_IN_PLACE = frozenset(("slot_rom", "two_updates"))


class ImageFault(Exception):
    """Is raised when the program cannot be put together; the text says why, and the remedy."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("out", type=Path, help="the image's file")
    parser.add_argument("--kind", help="of node; absent: the concentrator's program")
    parser.add_argument("--number", type=int, required=True, help="higher than of every image before; never used twice")
    parser.add_argument("--key", type=Path, required=True, metavar="PEM", help="the Ed25519 key that signs")
    parser.add_argument("--source", action="store_true", help="leave modules uncompiled, even where mpy-cross is found")
    parser.add_argument(
        "--romfs", action="store_true", help="for nodes with an interpreter of our own (firmware/interpreter)"
    )
    parser.add_argument("--interpreter", type=Path, metavar="BIN", help="micropython.bin of an interpreter of our own")
    parser.add_argument("--mpy-cross", default="mpy-cross", metavar="PROGRAM", help="the compiler (mpy-cross)")


def run(args: argparse.Namespace) -> int:
    """Returns the exit status: 0 done, 1 a file or the compiler failed, 2 the number or the key is at fault."""
    try:
        signer = keys.load_signer(args.key, _passphrase)
    except KeyRefused as refused:
        raise UsageError(refused.text(args.lang)) from refused
    compiler = None if args.source else shutil.which(args.mpy_cross)
    if args.romfs and (args.kind is None or compiler is None):
        raise UsageError(N_("--romfs: give --kind, and install mpy-cross: only compiled modules run in place"))
    if args.interpreter and (args.kind or compiler is None):
        message = N_("--interpreter: give no --kind, and install mpy-cross, whose bytecode the interpreter has to run")
        raise UsageError(message)
    try:
        product = args.kind or image.CONCENTRATOR
        if args.interpreter:
            files, text = interpreter.read(args.interpreter)
            product = interpreter.product(_compiled(str(compiler), FIRMWARE / "wire" / "slip.py", "slip.py"))
        elif args.kind is None:
            files, text = program_files(FIRMWARE, compiler), version(FIRMWARE)
        else:
            files = node_files(FIRMWARE, compiler, args.kind, in_place=args.romfs)
            text = node_version(FIRMWARE)
        if args.romfs:
            files, product = romfs.pieces(files), product + image.ROM_SUFFIX
        data = build(files, args.number, text, signer, product=product)
        args.out.write_bytes(data)
    except WireFault:
        raise UsageError(N_("--number {value}: give 1 to {high}"), value=args.number, high=image.NUMBER_MAX) from None
    except (ImageFault, romfs.RomFault, interpreter.InterpreterFault, OSError) as error:
        raise Refused(str(error)) from error
    how = "compiled" if compiler is not None else "as source"
    print(f"{args.out}: no. {args.number}, {len(files)} files {how}, {len(data)} bytes, signed by {signer.kid.hex()}")
    return 0


def build(
    files: dict[str, bytes], number: int, text: str, signer: keys.Signer, *, product: str = image.CONCENTRATOR
) -> bytes:
    """Returns the image of these files, {path: bytes}. WireFault when the gateway would not accept it."""
    manifest = manifest_of(files, number, text, product)
    signed = cose.sign1_encode(manifest, signer.kid, cose.IMAGE_AAD, signer.sign)
    return images.pack(signed, list(files.values()))


def manifest_of(files: dict[str, bytes], number: int, text: str, product: str) -> bytes:
    """Returns the bytes of a manifest; WireFault for one that no chip would accept."""
    rows = [image.File(path, len(data), sha256(data).digest()) for path, data in files.items()]
    manifest = image.encode(image.Manifest(product, number, text, rows))
    image.decode(manifest)
    return manifest


def program_files(firmware: Path, compiler: str | None) -> dict[str, bytes]:
    """Returns the files of the concentrator, {path on the chip: bytes}; the program itself is the last, so that a
    folder that arrived in part cannot be started."""
    return _files(needed_modules(firmware), PROGRAM, compiler)


def node_files(firmware: Path, compiler: str | None, kind: str, *, in_place: bool = False) -> dict[str, bytes]:
    """Returns the files of an application for nodes of this kind; ImageFault when there is no such kind. `in_place`: it
    runs from ROMFS."""
    modules = {f"kinds.{kind}", f"boards.{kind}"}
    if any(firmware_modules.find(name, firmware) is None for name in modules):
        raise ImageFault(f"--kind {kind}: there is no such kind of node; see firmware/kinds")
    found = needed_modules(firmware, NODE_PROGRAM, extra=modules, without=_without(in_place) | {RESCUE})
    return _files(found, NODE_PROGRAM, compiler)


def rescue_files(firmware: Path, compiler: str | None, kind: str, *, in_place: bool = False) -> dict[str, bytes]:
    """Returns the files of the rescue program of such a node."""
    found = needed_modules(firmware, NODE_PROGRAM, extra={f"boards.{kind}"}, without=_without(in_place))
    return _files(found, NODE_PROGRAM, compiler)


def _without(in_place: bool) -> frozenset[str]:
    return frozenset() if in_place else _IN_PLACE


def _files(modules: dict[str, Path], program: str, compiler: str | None) -> dict[str, bytes]:
    ordered = [name for name in sorted(modules) if name != program] + [program]
    return compiled({name: modules[name] for name in ordered}, compiler)


def compiled(modules: dict[str, Path], compiler: str | None) -> dict[str, bytes]:
    """Returns the files of these modules, {name: source}, by their paths on the chip; as source without a compiler."""
    files = {}
    for name, source in modules.items():
        path = firmware_modules.chip_path(name, source)
        if compiler is None:
            files[path] = source.read_bytes()
        else:
            files[path.removesuffix(".py") + ".mpy"] = _compiled(compiler, source, path)
    return files


def needed_modules(
    firmware: Path,
    program: str = PROGRAM,
    *,
    extra: Iterable[str] = (),
    without: frozenset[str] = frozenset(),
) -> dict[str, Path]:
    """Returns {name: file} of the program and of all modules of ours that it imports, packages included. `extra`:
    modules that it imports by a name made at run time."""
    return firmware_modules.needed((program, *extra), firmware, FIXED | without)


def version(firmware: Path) -> str:
    """Returns the concentrator's own VERSION, which it reports to the gateway."""
    return _version_in(firmware / "concentrator" / "main.py")


def node_version(firmware: Path) -> str:
    """Returns the VERSION of a node's application."""
    return _version_in(firmware / "node" / "app.py")


def _version_in(source: Path) -> str:
    for node in ast.parse(source.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "VERSION":
            return str(ast.literal_eval(node.value))
    raise ImageFault(f"{source}: has no VERSION")


def _compiled(compiler: str, source: Path, path: str) -> bytes:
    """Compiles a module; `path` is the name that a traceback will show."""
    try:
        return mpy.compile_module(compiler, source, path)
    except mpy.MpyFault as fault:
        raise ImageFault(str(fault)) from None


def _passphrase(path: Path) -> bytes:
    return getpass.getpass(f"{path}: ").encode()
