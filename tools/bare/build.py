"""Builds MicroPython for the bare 32-bit machine on which a node runs without an ESP32: its port `qemu`, board
VIRT_RV32.

    python -m tools.bare.build          prints the path of the ELF; builds it where the cache lacks it (a minute)

The sources are Debian's packages micropython (1.25) and mbedtls (AES and SHA-256 for `cryptolib` and `hashlib`),
fetched by apt from where this machine gets its packages. `port.patch` and the files beside it add to the port what a
chip has: time, a watchdog, reset causes, ROMFS in memory, littlefs, a second area of heap. The ELF holds no program of
ours: that is an image of its own, so the ELF is built again only when those files have changed.

Against 1.26 and later, which firmware/ is written for: the same bytecode (version 6.3) and the same ROMFS; what differs
are ports, of which this one is none that a node ships with. No ESP32 has been near it.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
CROSS = "riscv64-unknown-elf-"
# A program, and the Debian package that has it (tools/prepare.py installs them).
NEEDED = {
    f"{CROSS}gcc": "gcc-riscv64-unknown-elf",
    "dpkg-source": "dpkg-dev",
    "apt-get": "apt",
    "make": "make",
    "patch": "patch",
}
SOURCES = ("micropython", "mbedtls")
# What port.patch was made for; another version has other lines.
VERSION = "1.25"
# The area of RAM that virt.ld gives to variables has 2 MiB, and the heap is one of them.
HEAP_BYTES_MAX = 1_900_000
_TARGETS = "deb-src [signed-by=$(SIGNED_BY)] $(SITE) $(RELEASE) $(COMPONENT)"


class BuildFault(Exception):
    """Is raised when the build stopped; the text says why, and the remedy."""


def find() -> Path | None:
    """Returns the path of the ELF that was built from these files; None without one."""
    path = _path()
    return path if path.is_file() else None


def build() -> Path:
    """Returns the path of the ELF, built where it is missing. BuildFault with what is missing or a compiler's
    output."""
    path = _path()
    if path.is_file():
        return path
    if missing := [package for program, package in NEEDED.items() if shutil.which(program) is None]:
        raise BuildFault(f"it needs Debian's packages: apt-get install {' '.join(missing)}")
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent) as name:
        folder = Path(name)
        _fetch(folder)
        made = _make(folder)
        made.replace(path)
    return path


def _path() -> Path:
    inputs = hashlib.sha256(f"{HEAP_BYTES_MAX}".encode())
    for file in sorted((*FOLDER.glob("*.[ch]"), FOLDER / "port.patch")):
        inputs.update(file.read_bytes())
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return cache / "bocage" / f"micropython-rv32-{inputs.hexdigest()[:16]}.elf"


def _fetch(folder: Path) -> None:
    """Unpacks the sources into `folder`, from the archives that apt has its packages from. Debian leaves the lists of
    sources out; they are put beside this machine's own lists, which stay as they are."""
    targets = _run(["apt-get", "indextargets", "--format", _TARGETS, "Created-By: Packages", "Origin: Debian"], folder)
    (folder / "sources.list").write_text(targets.replace("[signed-by=] ", ""), encoding="utf-8")
    (folder / "lists" / "partial").mkdir(parents=True)
    ours = [
        f"Dir::Etc::SourceList={folder}/sources.list",
        "Dir::Etc::SourceParts=/dev/null",
        f"Dir::State::Lists={folder}/lists",
    ]
    options = [word for option in (*ours, "APT::Sandbox::User=root") for word in ("-o", option)]
    _run(["apt-get", *options, "-qq", "update"], folder)
    _run(["apt-get", *options, "-qq", "source", *SOURCES], folder)


def _make(folder: Path) -> Path:
    """Returns the path of the ELF, made below `folder`."""
    tree = _unpacked(folder, "micropython")
    if not tree.name.startswith(f"micropython-{VERSION}."):
        raise BuildFault(f"the sources are {tree.name}, and tools/bare/port.patch is for {VERSION}: make it anew")
    crypto = tree / "lib" / "mbedtls"  # where MicroPython's own repository has it, and Debian's package nothing
    shutil.rmtree(crypto, ignore_errors=True)
    _unpacked(folder, "mbedtls").rename(crypto)
    _run(["patch", "--strip=1", "--fuzz=0", f"--input={FOLDER / 'port.patch'}"], tree)
    port = tree / "ports" / "qemu"
    for file in FOLDER.glob("*.[ch]"):
        shutil.copy2(file, port)
    out = folder / "build"
    _run(
        [
            "make", f"-j{os.cpu_count() or 1}", "BOARD=VIRT_RV32", f"CROSS_COMPILE={CROSS}", f"BUILD={out}",
            "MICROPY_VFS_LFS2=1", f"MICROPY_HEAP_SIZE={HEAP_BYTES_MAX}", "FROZEN_MANIFEST=",
        ],
        port,
    )  # fmt: skip
    return out / "firmware.elf"


def _unpacked(folder: Path, name: str) -> Path:
    return next(path for path in sorted(folder.glob(f"{name}-*")) if path.is_dir())


def _run(command: list[str], folder: Path) -> str:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        last = "\n".join((done.stdout + done.stderr).splitlines()[-20:])
        raise BuildFault(f"{' '.join(command[:2])} failed:\n{last}")
    return done.stdout


def main() -> int:
    """Prints the path of the ELF, or why there is none."""
    try:
        print(build())
    except BuildFault as fault:
        print(f"tools.bare.build: {fault}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
