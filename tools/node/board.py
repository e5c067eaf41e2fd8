"""Puts together the content of a new node's flash: {path on the chip: bytes}, without its settings.

The root holds what is never updated: boot.py, main.py (the loader), place, slots, guard, rtc, last_resort; `a` the
application with its manifest; `r` the rescue program. With an interpreter of our own (firmware/interpreter) all of it
is in a ROMFS partition, from which it runs in place. Later programs come over the node's link (`bocage link image`,
`bocage gateway images`).
"""

from pathlib import Path

from tools.link import image as link_image
from tools.link import romfs
from wire import image


def board_files(firmware: Path, compiler: str | None, kind: str, number: int) -> dict[str, bytes]:
    """Returns the files; `number`: of the application; link_image.ImageFault or wire.faults.WireFault. Files at the
    root stay source: MicroPython runs boot.py and main.py as such."""
    application = link_image.node_files(firmware, compiler, kind)
    root = _root(firmware, kind, "place_folder")
    files = {f"{name}.py": source.read_bytes() for name, source in root.items() if name != "loader"}
    files["main.py"] = root["loader"].read_bytes()
    files |= {f"a/{path}": data for path, data in application.items()}
    files[f"a/{image.MANIFEST_NAME}"] = link_image.manifest_of(
        application, number, link_image.node_version(firmware), kind
    )
    files |= {f"r/{path}": data for path, data in link_image.rescue_files(firmware, compiler, kind).items()}
    return files


def rom_partition(
    firmware: Path, compiler: str | None, kind: str, number: int, size: int, *, base: dict[str, bytes] | None = None
) -> bytes:
    """Returns the bytes of the ROMFS partition of a new node. `base`: its files, if not those of `rom_base`. Faults as
    of `board_files`, and romfs.RomFault."""
    base = base or rom_base(firmware, compiler, kind)
    program = romfs.pieces(link_image.node_files(firmware, compiler, kind, in_place=True))
    text = link_image.node_version(firmware)
    return romfs.partition(base, program, link_image.manifest_of(program, number, text, kind + image.ROM_SUFFIX), size)


def rom_base(firmware: Path, compiler: str | None, kind: str) -> dict[str, bytes]:
    """Returns the files of the base, which is never updated."""
    root = _root(firmware, kind, "place_rom", *link_image.ROOT_IN_PLACE)
    files = link_image.compiled(root, compiler)
    rescue = link_image.rescue_files(firmware, compiler, kind, in_place=True)
    return files | {f"r/{path}": data for path, data in rescue.items()}


def _root(firmware: Path, kind: str, place: str, *also: str) -> dict[str, Path]:
    """Returns {name on the chip: source} of the loader and of the modules beside it."""
    sources = {name: firmware / "esp32" / f"{name}.py" for name in (*link_image.ROOT, *also, "loader")}
    return sources | {"boot": firmware / "boards" / f"boot_{kind}.py", "place": firmware / "esp32" / f"{place}.py"}
