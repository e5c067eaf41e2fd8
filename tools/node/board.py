"""Puts together the content of a new node's flash: {path on the chip: bytes}, without its settings.

The root holds what is never updated: boot.py, main.py (the loader), slots, guard, rtc, last_resort; `a` the application
with its manifest; `r` the rescue program. Later programs come over the node's link (`bocage link image`, `bocage
gateway images`).
"""

from pathlib import Path

from tools.link import image as link_image
from wire import image


def board_files(firmware: Path, compiler: str | None, kind: str, number: int) -> dict[str, bytes]:
    """Returns the files; `number`: of the application; link_image.ImageFault or wire.faults.WireFault. Files at the
    root stay source: MicroPython runs boot.py and main.py as such."""
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
