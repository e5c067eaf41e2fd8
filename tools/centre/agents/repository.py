"""Makes the signed apt repository that cabinets take their agent from, with Debian's own programs.

    bocage-gateway_0.3.0_all.deb …   Packages   Release   InRelease   packages.asc

The repository is flat (sources.list(5)): one folder, on the centre's disk or on a stick. `InRelease` is signed by the
territory's key for packages, which is on a stick of its own and not at the centre: an intruder at the centre can offer
no other program to a cabinet. Must not know cabinets or campaigns.
"""

import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from gateway.language import N_
from tools.centre.broker.files import write
from tools.command_line import Refused

PACKAGE = "bocage-gateway"
PUBLIC_KEY = "packages.asc"
_PROGRAMS = {"apt-ftparchive": "apt-utils", "gpg": "gpg", "gpgconf": "gpg", "dpkg-deb": "dpkg"}
# As `bocage package build` accepts it: also part of a file's name.
_VERSION = re.compile(r"[0-9][A-Za-z0-9.+~]*")


def make_key(key: Path, name: str) -> bytes:
    """Makes the territory's key for packages, in one file; returns its public part. Refused where there is one;
    OSError."""
    if key.exists():
        raise Refused(N_("{path} exists: cabinets that know this key would refuse another"), path=key)
    with _gpg() as gpg:
        gpg("--passphrase", "", "--quick-generate-key", name, "ed25519", "sign", "never")
        write(key, gpg("--armor", "--export-secret-keys"))
        return gpg("--armor", "--export")


def publish(folder: Path, deb: Path, key: Path) -> str:
    """Puts a package into the repository and signs it anew; returns its version. Refused; OSError."""
    version = _version_of(deb)
    target = folder / f"{PACKAGE}_{version}_all.deb"
    if target.exists() and target.read_bytes() != deb.read_bytes():
        message = N_("version {version} is published with other content; build it under a higher number")
        raise Refused(message, version=version)
    folder.mkdir(mode=0o755, parents=True, exist_ok=True)
    if not target.exists():
        write(target, deb.read_bytes(), mode=0o644)
    # The signature comes last, beside what it is about: cut short here, cabinets have the former index, or none.
    packages = _run("apt-ftparchive", "packages", ".", cwd=folder)
    with TemporaryDirectory() as scratch:
        Path(scratch, "Packages").write_bytes(packages)
        names = (f"-oAPT::FTPArchive::Release::{name}=Bocage" for name in ("Origin", "Label"))
        release = _run("apt-ftparchive", *names, "release", ".", cwd=Path(scratch))
        with _gpg(key) as gpg:
            signed = gpg("--clearsign", given=release)
            public = gpg("--armor", "--export")
    for name, data in (("Packages", packages), ("Release", release), ("InRelease", signed), (PUBLIC_KEY, public)):
        write(folder / name, data, mode=0o644)
    return version


def versions(folder: Path) -> list[str]:
    """Returns the versions that a repository has, in no order. OSError where there is none."""
    lines = (folder / "Packages").read_text(encoding="utf-8").splitlines()
    return [line.removeprefix("Version: ") for line in lines if line.startswith("Version: ")]


def is_newer(version: str, other: str) -> bool:
    """Returns whether a version is higher than another, as Debian orders them."""
    command = ["dpkg", "--compare-versions", version, "gt", other]
    return subprocess.run(command, check=False, capture_output=True).returncode == 0


def _version_of(deb: Path) -> str:
    if not deb.is_file():
        raise Refused(N_("{path}: no such file; `bocage package build` makes it"), path=deb)
    fields = _run("dpkg-deb", "--show", "--showformat=${Package} ${Version} ${Architecture}", str(deb)).decode().split()
    if len(fields) != 3 or fields[0] != PACKAGE or fields[2] != "all" or not _VERSION.fullmatch(fields[1]):
        message = N_("{path} is no package of a cabinet's agent, but {found}; `bocage package build` makes it")
        raise Refused(message, path=deb, found=" ".join(fields))
    return fields[1]


def _run(program: str, *words: str, cwd: Path | None = None, given: bytes = b"", home: str | None = None) -> bytes:
    if shutil.which(program) is None:
        message = N_("there is no program {program} here: sudo apt install {package}")
        raise Refused(message, program=program, package=_PROGRAMS[program])
    environment = {**os.environ, "LC_ALL": "C.UTF-8", **({} if home is None else {"GNUPGHOME": home})}
    done = subprocess.run([program, *words], cwd=cwd, input=given, env=environment, capture_output=True, check=False)
    if done.returncode:
        raise Refused(N_("{program} refuses: {error}"), program=program, error=done.stderr.decode().strip())
    return done.stdout


@contextmanager
def _gpg(key: Path | None = None) -> Iterator[Callable[..., bytes]]:
    """Gives gpg with this key alone, in a folder that goes: neither the stick nor root's own keys are touched."""
    with TemporaryDirectory() as home:

        def gpg(*words: str, given: bytes = b"") -> bytes:
            return _run("gpg", "--batch", "--quiet", *words, given=given, home=home)

        try:
            if key is not None:
                gpg("--import", given=key.read_bytes())
            yield gpg
        finally:
            _run("gpgconf", "--kill", "all", home=home)
