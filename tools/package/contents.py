"""Lists the content of the gateway's package and its Debian dependencies, as tables that a test compares with the
sources.

The modules go into a folder of their own, not among Python's: other packages may use the names `wire`, `policy` and
`tools`. Left out on purpose: the simulator, the tests, the firmware's node, the centre, benchmarks and proofs.
"""

from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import NamedTuple

NAME = "bocage-gateway"
MODULES = PurePosixPath("usr/share/bocage")
DOCUMENTS = PurePosixPath("usr/share/doc", NAME)

# Folder or file of the checkout -> its place among the modules.
SOURCES = {
    "gateway": "gateway",
    "firmware/wire": "wire",
    "firmware/policy": "policy",
    "tools/__init__.py": "tools/__init__.py",
    "tools/cli.py": "tools/cli.py",
    "tools/command_line.py": "tools/command_line.py",
    "tools/link/capture.py": "tools/link/capture.py",
    "tools/link/cli.py": "tools/link/cli.py",
    "tools/link/conversation.py": "tools/link/conversation.py",
    "tools/link/decode.py": "tools/link/decode.py",
    "tools/link/key.py": "tools/link/key.py",
    "tools/link/message_text.py": "tools/link/message_text.py",
    "tools/link/opener.py": "tools/link/opener.py",
    "tools/link/replay.py": "tools/link/replay.py",
    "tools/link/sequence.py": "tools/link/sequence.py",
    "tools/link/serve.py": "tools/link/serve.py",
    "tools/link/sources.py": "tools/link/sources.py",
    "tools/link/talk.py": "tools/link/talk.py",
    "tools/policy": "tools/policy",
}
# Suffixes of the files that are copied from these folders; what people read goes to the documents.
SUFFIXES = frozenset((".py", ".mo", ".cddl", ".html", ".css", ".js", ".svg", ".toml"))
READ_BY_PEOPLE = {
    "gateway/INSTALLATION.md": "INSTALLATION.md",
    "gateway/INCIDENTS.md": "INCIDENTS.md",
    "gateway/wiring.svg": "wiring.svg",
}

# The sub-commands of `bocage` whose modules are in the package.
COMMANDS = ("gateway", "policy", "link")

# Import name -> (Debian package, lowest version: what Debian 13 has, with which the package is tested).
PYTHON_PACKAGES = {
    "paho": ("python3-paho-mqtt", "2.1"),
    "serial": ("python3-serial", "3.5"),
    "cryptography": ("python3-cryptography", "43"),
    "pymodbus": ("python3-pymodbus", "3.8.6"),
    "gpiod": ("python3-libgpiod", "2.2"),
    "aiohttp": ("python3-aiohttp", "3.11"),
    "prometheus_client": ("python3-prometheus-client", "0.21"),
}
# systemd from 254 on for RestartSteps=; it also brings systemd-sysusers and systemd-tmpfiles, which the scripts call.
DEPENDS = (
    "python3 (>= 3.11)",
    *(f"{package} (>= {version})" for package, version in PYTHON_PACKAGES.values()),
    "systemd (>= 254)",
)
# A cabinet without one of these has no clock that it can trust.
RECOMMENDS = ("systemd-timesyncd | chrony | time-daemon",)
# Switches the power of a 4G stick; see usb-power.conf among the examples.
SUGGESTS = ("uhubctl",)

# File of `debian/` -> its place in the system.
SYSTEM = {
    "bocage-gateway.service": "usr/lib/systemd/system/bocage-gateway.service",
    "sysusers.conf": "usr/lib/sysusers.d/bocage-gateway.conf",
    "tmpfiles.conf": "usr/lib/tmpfiles.d/bocage-gateway.conf",
    "journald.conf": "usr/lib/systemd/journald.conf.d/50-bocage-gateway.conf",
    "system.conf": "usr/lib/systemd/system.conf.d/50-bocage-gateway.conf",
    "modules-load.conf": "usr/lib/modules-load.d/bocage-gateway.conf",
    "udev.rules": "usr/lib/udev/rules.d/60-bocage-gateway.rules",
    "rtupdate": f"usr/share/python3/runtime.d/{NAME}.rtupdate",
    "usb-power.conf": f"{DOCUMENTS}/examples/usb-power.conf",
    "copyright": f"{DOCUMENTS}/copyright",
    "bocage.1": "usr/share/man/man1/bocage.1.gz",
    "bocage.fr.1": "usr/share/man/fr/man1/bocage.1.gz",
}
SCRIPTS = ("postinst", "prerm", "postrm")
PROGRAMS = frozenset(("rtupdate",))

LAUNCHER = "usr/bin/bocage"


class File(NamedTuple):
    """Holds one file of the package: its source, its target, and whether it is executable."""

    source: Path
    target: PurePosixPath
    is_program: bool = False


def files(root: Path) -> Iterator[File]:
    """Yields everything that is copied as it is from the checkout at `root`, in order. OSError when a file is
    missing."""
    for source, target in SOURCES.items():
        yield from _modules(root / source, MODULES / target)
    for source, name in READ_BY_PEOPLE.items():
        yield File(root / source, DOCUMENTS / name)
    for name, place in SYSTEM.items():
        yield File(root / "tools/package/debian" / name, PurePosixPath(place), name in PROGRAMS)


def _modules(source: Path, target: PurePosixPath) -> Iterator[File]:
    if source.is_file():
        yield File(source, target)
        return
    names = {Path(name).name for name in READ_BY_PEOPLE}
    for path in sorted(source.rglob("*")):
        if path.is_file() and path.suffix in SUFFIXES and path.name not in names and "__pycache__" not in path.parts:
            yield File(path, target / path.relative_to(source).as_posix())
    if not source.is_dir():
        raise FileNotFoundError(f"{source} is not there")
