"""Makes a checkout ready to run: a virtual environment with one extra, and the programs that tests need.

    python3 tools/prepare.py --extra simulator          what `make sim` needs
    python3 tools/prepare.py --extra dev --programs     what `make test` needs
    python3 tools/prepare.py --extra dev --services     what `make services` needs

Runs before anything is installed, with any Python 3 (so that it can report one that is too old): it must import the
standard library only. Does nothing, quickly, when nothing has changed since the last run. Installs system packages only
as root on a system with apt-get; otherwise it prints the command to type.
"""

from __future__ import annotations

import argparse
import glob
import hashlib
import importlib.util
import json
import os
import shutil
import subprocess
import sys
from typing import Any

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
PYTHON_MIN = (3, 11)
TRANSLATIONS = "gateway/language/locale/*/LC_MESSAGES/*.po"

# The programs that some tests need, and the Debian package of each.
PROGRAMS = {
    "micropython": "micropython",
    "mosquitto": "mosquitto",
    "coap-client-notls": "libcoap3-bin",
    "faketime": "faketime",
    "tshark": "tshark",  # an independent dissector of CoAP and OSCORE; Debian brings `editcap` with it
    # For a clean Debian in which tests install the gateway's package, with its systemd and its network.
    "debootstrap": "debootstrap",
    "systemd-analyze": "systemd",
    "openssl": "openssl",
    "ip": "iproute2",
    # The signed repository that cabinets take their agent from.
    "apt-ftparchive": "apt-utils",
    "gpg": "gpg gpg-agent",
}
# What only `make services` needs.
SERVICES = {
    "postgres": "postgresql",
    "psql": "postgresql-client",
    "sqlite3": "sqlite3",
    "ogr2ogr": "gdal-bin",
    "chromium": "chromium",  # the screens of the centre, as people see them
    # A bare 32-bit machine, and what builds MicroPython for it (tools/bare).
    "qemu-system-riscv32": "qemu-system-riscv",
    "riscv64-unknown-elf-gcc": "gcc-riscv64-unknown-elf picolibc-riscv64-unknown-elf",
    "dpkg-source": "dpkg-dev",
    "cc": "gcc libc6-dev",
}


def main() -> None:
    parser = argparse.ArgumentParser(description="Makes a checkout ready to run.")
    parser.add_argument("--venv", default=os.path.join(ROOT, ".venv"), help="folder of the environment")
    parser.add_argument("--extra", required=True, help="extra of pyproject.toml to install")
    parser.add_argument("--programs", action="store_true", help="also look for the programs that tests need")
    parser.add_argument("--services", action="store_true", help="and for those of the tests that `make services` runs")
    args = parser.parse_args()
    if sys.version_info < PYTHON_MIN:
        wanted = ".".join(str(number) for number in PYTHON_MIN)
        found = sys.version.split()[0]
        sys.exit(f"Bocage needs Python {wanted}; this is {found}. Name another: make PYTHON=python3.13 ...")
    if args.programs or args.services:
        find_programs({**PROGRAMS, **SERVICES} if args.services else PROGRAMS)
    python = prepare_venv(args.venv, args.extra)
    if args.services and shutil.which("apt-get") and shutil.which("riscv64-unknown-elf-gcc"):
        # A minute, once; where it fails, the tests that need it say so.
        subprocess.run([python, "-m", "tools.bare.build"], cwd=ROOT, check=False, stdout=subprocess.DEVNULL)


def prepare_venv(venv: str, extra: str) -> str:
    """Returns the path of its Python. Makes a virtual environment in `venv` that has `extra`; makes it again when
    Python or pyproject.toml has changed, installs again when a translation has, because the installation compiles
    it."""
    stamp = os.path.join(venv, "bocage.json")
    wanted = {
        "python": sys.version,
        "pyproject": digest(os.path.join(ROOT, "pyproject.toml")),
        "translations": [digest(path) for path in sorted(glob.glob(os.path.join(ROOT, TRANSLATIONS)))],
        "root": ROOT,
    }
    found = read_json(stamp)
    python = os.path.join(venv, "Scripts" if os.name == "nt" else "bin", "python")
    extras = found.get("extras", [])
    if {key: found.get(key) for key in wanted} == wanted and extra in extras:
        return python
    if found.get("python") != wanted["python"] or found.get("root") != ROOT:
        require_venv_modules()
        print(f"Making {os.path.relpath(venv)} with Python {sys.version.split()[0]}", flush=True)
        run([sys.executable, "-m", "venv", "--clear", venv])
        extras = []
    extras = sorted({*extras, extra})
    print(f"Installing bocage[{','.join(extras)}] into {os.path.relpath(venv)}", flush=True)
    what = f"{ROOT}[{','.join(extras)}]"
    run([python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--editable", what])
    with open(stamp, "w", encoding="utf-8") as file:
        json.dump(dict(wanted, extras=extras), file)
    return python


def require_venv_modules() -> None:
    """Installs Python's venv module where Debian has left it out, or exits with the command to type."""
    if importlib.util.find_spec("venv") and importlib.util.find_spec("ensurepip"):
        return
    package = f"python{sys.version_info[0]}.{sys.version_info[1]}-venv"
    if can_install():
        install([package])
        return
    sys.exit(
        "Python's venv module is missing. Type this, then the same make command again:\n\n"
        f"    sudo apt-get install {package}\n"
    )


def find_programs(programs: dict[str, str]) -> None:
    """Installs the missing programs, or prints once what to type; tests that need a missing program are skipped."""
    # Debian keeps the programs of each version of PostgreSQL apart.
    path = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/sbin", *glob.glob("/usr/lib/postgresql/*/bin")])
    missing = [
        package
        for program, names in programs.items()
        if not shutil.which(program, path=path)
        for package in names.split()
    ]
    if not missing:
        return
    if can_install():
        install(missing)
    elif shutil.which("apt-get"):
        print("Some tests will be skipped. To have them too: sudo apt-get install " + " ".join(missing))
    else:
        print(f"Some tests will be skipped: they need {', '.join(programs)} on the PATH.")


def can_install() -> bool:
    return hasattr(os, "geteuid") and os.geteuid() == 0 and shutil.which("apt-get") is not None


def install(packages: list[str]) -> None:
    print("Installing with apt-get: " + " ".join(packages), flush=True)
    environment = dict(os.environ, DEBIAN_FRONTEND="noninteractive")
    run(["apt-get", "-qq", "update"], env=environment)
    command = ["apt-get", "-qq", "install", "--yes", "--no-install-recommends", *packages]
    run(command, env=environment, stdout=subprocess.DEVNULL)


def run(command: list[str], **options: Any) -> None:
    done = subprocess.run(command, cwd=ROOT, check=False, **options)
    if done.returncode:
        sys.exit(f"failed with exit status {done.returncode}: {' '.join(command)}")


def digest(path: str) -> str:
    with open(path, "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()


def read_json(path: str) -> dict[str, Any]:
    """Returns the content of the stamp; {} when it is missing or damaged."""
    try:
        with open(path, encoding="utf-8") as file:
            return dict(json.load(file))
    except (OSError, ValueError, TypeError):
        return {}


if __name__ == "__main__":
    main()
