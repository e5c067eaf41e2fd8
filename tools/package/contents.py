"""Lists the content of the two packages, the gateway's and the centre's, and their Debian dependencies, as tables that
a test compares with the sources.

The modules go into a folder of their own, not among Python's: other packages may use the names `wire`, `policy` and
`tools`. Both packages have the command `bocage` and shared modules, so they exclude each other: a machine is a cabinet
or a centre. Left out on purpose: the simulator, the tests, the firmware's node, benchmarks and proofs.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from tools.package.libraries import Library

MODULES = PurePosixPath("usr/share/bocage")
LAUNCHER = "usr/bin/bocage"
SCRIPTS = ("postinst", "prerm", "postrm")
PROGRAMS = frozenset(("rtupdate",))
# Suffixes of the files that are copied from folders of modules; what people read goes to the documents.
SUFFIXES = frozenset((".py", ".mo", ".cddl", ".html", ".css", ".js", ".svg", ".toml"))


class Package(NamedTuple):
    """Describes one package.

    `sources`: folder or file of the checkout -> its place among the modules; `documents`: what people read -> its name;
    `commands`: the sub-commands of `bocage` whose modules are in it; `python`: import name -> (Debian package, lowest
    version: what Debian 13 has, with which the package is tested); `libraries`: what Debian does not have, which the
    package brings; `etc`: its folder of configuration; `scripts`: the folder of dpkg's scripts in `debian/`; `system`:
    file of `debian/` -> its place in the system.
    """

    name: str
    other: str
    etc: str
    summary: str
    description: str
    sources: Mapping[str, str]
    documents: Mapping[str, str]
    commands: tuple[str, ...]
    python: Mapping[str, tuple[str, str]]
    depends: tuple[str, ...]
    recommends: tuple[str, ...]
    suggests: tuple[str, ...]
    scripts: str
    system: Mapping[str, str]
    libraries: tuple[Library, ...] = ()

    @property
    def documents_folder(self) -> PurePosixPath:
        return PurePosixPath("usr/share/doc", self.name)


_SHARED = {
    "firmware/wire": "wire",
    "firmware/policy": "policy",
    "tools/__init__.py": "tools/__init__.py",
    "tools/cli.py": "tools/cli.py",
    "tools/command_line.py": "tools/command_line.py",
    "tools/policy": "tools/policy",
}
_PAHO = {"paho": ("python3-paho-mqtt", "2.1")}
_CRYPTOGRAPHY = {"cryptography": ("python3-cryptography", "43")}
# systemd from 254 on for RestartSteps=; it also brings systemd-sysusers and systemd-tmpfiles, which the scripts call.
_DEPENDS = ("python3 (>= 3.11)", "systemd (>= 254)")
# Without one of these a machine has no clock that it can trust.
_RECOMMENDS = ("systemd-timesyncd | chrony | time-daemon",)


def _system(name: str, folder: str = "") -> dict[str, str]:
    """Returns what both packages put into the system, each its own from a folder of `debian/`."""
    return {
        "copyright": f"usr/share/doc/{name}/copyright",
        f"{folder}bocage.1": "usr/share/man/man1/bocage.1.gz",
        f"{folder}bocage.fr.1": "usr/share/man/fr/man1/bocage.1.gz",
        f"{folder}sysusers.conf": f"usr/lib/sysusers.d/{name}.conf",
        f"{folder}tmpfiles.conf": f"usr/lib/tmpfiles.d/{name}.conf",
        f"{folder}rtupdate": f"usr/share/python3/runtime.d/{name}.rtupdate",
    }


GATEWAY = Package(
    name="bocage-gateway",
    other="bocage-centre",
    etc="bocage",
    summary="agent of a street lighting cabinet that runs alone",
    description="""\
 Runs on a Raspberry Pi or a PC in a street lighting cabinet. It switches the
 feeders by the signed policy of the commune, with or without a link to the
 centre, measures them, keeps every record until the centre holds it, and
 sends it over MQTT by fibre or 4G.
 .
 After installation: sudo bocage gateway setup (French; --lang en).
""",
    sources={
        **_SHARED,
        "gateway": "gateway",
        "tools/link/cli.py": "tools/link/cli.py",
        "tools/link/decode.py": "tools/link/decode.py",
        "tools/link/message_text.py": "tools/link/message_text.py",
        "tools/link/opener.py": "tools/link/opener.py",
        "tools/link/serve.py": "tools/link/serve.py",
        "tools/link/sources.py": "tools/link/sources.py",
    },
    documents={
        "gateway/INSTALLATION.md": "INSTALLATION.md",
        "gateway/INCIDENTS.md": "INCIDENTS.md",
        "gateway/wiring.svg": "wiring.svg",
    },
    commands=("gateway", "policy", "link"),
    python={
        **_PAHO,
        **_CRYPTOGRAPHY,
        "serial": ("python3-serial", "3.5"),
        "pymodbus": ("python3-pymodbus", "3.8.6"),
        "gpiod": ("python3-libgpiod", "2.2"),
        "aiohttp": ("python3-aiohttp", "3.11"),
    },
    depends=(*_DEPENDS, "apt (>= 3.0)", "dpkg-repack"),  # which knows snapshots; the way back of Debian's updates
    recommends=_RECOMMENDS,
    suggests=("uhubctl", "tshark"),  # the power of a 4G stick (usb-power.conf among the examples); `link decode`
    scripts=".",
    system={
        **_system("bocage-gateway"),
        "bocage-gateway.service": "usr/lib/systemd/system/bocage-gateway.service",
        "bocage-update.service": "usr/lib/systemd/system/bocage-update.service",
        "bocage-update.timer": "usr/lib/systemd/system/bocage-update.timer",
        # Of all units whose name begins so: apt-daily and apt-daily-upgrade (systemd.unit(5)).
        "apt-units.conf": "usr/lib/systemd/system/apt-.service.d/50-bocage-gateway.conf",
        "journald.conf": "usr/lib/systemd/journald.conf.d/50-bocage-gateway.conf",
        "system.conf": "usr/lib/systemd/system.conf.d/50-bocage-gateway.conf",
        "modules-load.conf": "usr/lib/modules-load.d/bocage-gateway.conf",
        "udev.rules": "usr/lib/udev/rules.d/60-bocage-gateway.rules",
        "usb-power.conf": "usr/share/doc/bocage-gateway/examples/usb-power.conf",
    },
)
_UNITS = (
    "bocage-agents.service",
    "bocage-agents.timer",
    "bocage-ingest@.service",
    "bocage-rollup.service",
    "bocage-control.service",
    "bocage-duty.service",
    "bocage-metrics.service",
    "bocage-night.service",
    "bocage-night.timer",
    "bocage-purge.service",
    "bocage-web.service",
    "bocage-web.socket",
)
CENTRE = Package(
    name="bocage-centre",
    other="bocage-gateway",
    etc="bocage-centre",
    summary="centre of a territory: broker, warehouse, control of cabinets, screens",
    description="""\
 Makes a server the centre of street lighting, heating and watering of a
 territory: its own certificate authority, Mosquitto with one role a cabinet,
 the warehouse that every record goes to, leases, policies and orders for
 cabinets, and the screens that people look at, behind nginx. What is on it
 stays the territory's own. Django comes from trixie-backports.
 .
 After installation: sudo bocage centre init NAME (French; --lang en).
""",
    sources={
        **_SHARED,
        "gateway/__init__.py": "gateway/__init__.py",
        "gateway/language": "gateway/language",
        "tools/centre": "tools/centre",
    },
    documents={"tools/centre/INSTALLATION.md": "INSTALLATION.md"},
    commands=("centre", "policy"),
    python={
        **_PAHO, **_CRYPTOGRAPHY, "cbor2": ("python3-cbor2", "5.6"),
        "prometheus_client": ("python3-prometheus-client", "0.21"),
        "django": ("python3-django", "3:5.2"),  # of trixie-backports
        "uvicorn": ("python3-uvicorn", "0.32"),
    },
    depends=(
        *_DEPENDS, "mosquitto (>= 2.0.18)", "nginx (>= 1.26)", "python3-django (<< 3:6)", "python3-whitenoise (>= 6.8)",
        "python3-argon2 (>= 21.1)",
    ),
    recommends=_RECOMMENDS,
    # A warehouse on a server of PostgreSQL; the login by the territory's own directory; packages for cabinets.
    suggests=("python3-psycopg", "python3-authlib", "python3-requests", "apt-utils", "gpg", "gpg-agent"),
    scripts="centre",
    system={
        **_system("bocage-centre", "centre/"),
        **{f"centre/{unit}": f"usr/lib/systemd/system/{unit}" for unit in _UNITS},
    },
    libraries=(
        Library("django-axes", "8.3.1", "MIT", "ddc30e0153a6fb240ac5c9e7c7810891fdd6b86645067b6f94966055cef6cd10"),
        Library("django-htmx", "1.29.0", "MIT", "26f9783de0c2709c2e1b9576296ccb8b5ea84930095ac5d99ebdf0cad6585def"),
        Library("django-leaflet", "0.34.0", "LGPL-3",
                "760e993eed4ece2f9280fbfdb8ee508703d5dd67e8d178027c491e8498628877"),
        Library("pmtiles", "3.8.1", "BSD-3-Clause", "26b41a4edc14a8bec4894a8edad0616b01510dc8fef894032cc386924c2661a2"),
    ),
)
PACKAGES = {"gateway": GATEWAY, "centre": CENTRE}


class File(NamedTuple):
    """Holds one file of the package: its source, its target, and whether it is executable."""

    source: Path
    target: PurePosixPath
    is_program: bool = False


def files(package: Package, root: Path) -> Iterator[File]:
    """Yields everything that is copied as it is from the checkout at `root`, in order. OSError when a file is
    missing."""
    for source, target in package.sources.items():
        yield from _modules(package, root / source, MODULES / target)
    for source, name in package.documents.items():
        yield File(root / source, package.documents_folder / name)
    for name, place in package.system.items():
        yield File(root / "tools/package/debian" / name, PurePosixPath(place), Path(name).name in PROGRAMS)


def _modules(package: Package, source: Path, target: PurePosixPath) -> Iterator[File]:
    if source.is_file():
        yield File(source, target)
        return
    names = {Path(name).name for name in package.documents}
    for path in sorted(source.rglob("*")):
        if path.is_file() and path.suffix in SUFFIXES and path.name not in names and "__pycache__" not in path.parts:
            yield File(path, target / path.relative_to(source).as_posix())
    if not source.is_dir():
        raise FileNotFoundError(f"{source} is not there")
