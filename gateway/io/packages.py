"""Asks Debian's own programs (apt, dpkg, systemd) to fetch, check, install and take back the gateway's package.

The territory's repository is read beside the system's own sources, with lists and cache of its own: `apt upgrade` does
not know it, nothing but `bocage-gateway` can come from it, and apt goes on refusing an index that is older than the one
it has seen. It decides nothing. Root's.
"""

import re
import shutil
import subprocess
from itertools import pairwise
from pathlib import Path

from gateway.io.files import sync

PACKAGE = "bocage-gateway"
AGENT_UNIT = "bocage-gateway.service"
# Words of a fault. The first comes and goes with the link; the others are told to the centre.
UNREACHABLE, FULL, INSTALL = "unreachable", "disk-full", "install"
SIGNATURE, DIGEST, UNKNOWN = "signature", "digest", "not-published"
NOT_KEPT, NO_SNAPSHOTS, NO_SUCH_STATE = "not-kept", "no-snapshots", "no-such-state"
_ENVIRONMENT = {
    "PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8", "LANGUAGE": "C", "DEBIAN_FRONTEND": "noninteractive",
}  # fmt: skip
# A program that hangs is given up: a slow link brings a megabyte in minutes, a slow card unpacks in as many.
_TIMEOUT_S = 1800
KEEP = ("-oDpkg::Options::=--force-confdef", "-oDpkg::Options::=--force-confold", "-oDPkg::Lock::Timeout=600")
# What apt says of each kind of fault (apt 2.6 to 3.1), the gravest first.
_FAULTS = (
    (SIGNATURE, re.compile(r"signature verification failed|is not signed|signatures were invalid|NO_PUBKEY")),
    (DIGEST, re.compile(r"Hash Sum mismatch|File has unexpected size")),
    (FULL, re.compile(r"No space left|don't have enough free space")),
    (UNKNOWN, re.compile(r"was not found|Can't find a source|Unable to locate")),
)


class PackageFault(Exception):
    """Is raised when a program refuses: `reason` is one of the words above, `detail` what it said."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


class Repository:
    """Reads one signed repository. `folder`: for lists and cache; `key`: the one that has signed it; `ca`: the
    authority that has certified its server."""

    def __init__(self, folder: Path, source: str, key: Path, ca: str | None) -> None:
        self._source, self._key = source, key
        self._list = folder / "repository.list"
        places = {"Dir::State::Lists": folder / "lists", "Dir::Cache": folder / "cache"}
        for path in (folder / "lists/partial", folder / "cache/archives/partial"):
            path.mkdir(parents=True, exist_ok=True)
        options = {
            "Dir::Etc::SourceList": self._list, "Dir::Etc::SourceParts": "/dev/null", **places,
            "APT::Update::Error-Mode": "any", "Acquire::Languages": "none", "Acquire::Retries": "2",
            "APT::Sandbox::User": "root",  # which reads the key and the stick
            **({} if ca is None else {"Acquire::https::CaInfo": ca}),
        }  # fmt: skip
        self._options = [f"-o{name}={value}" for name, value in options.items()]

    def refresh(self) -> None:
        """Reads the index anew. PackageFault."""
        self._list.write_text(f"deb [signed-by={self._key}] {self._source} ./\n")
        apt_get(*self._options, "update")

    def newest(self) -> str | None:
        """Returns the highest version, or the installed one where that is higher; None: there is none."""
        done = run(["apt-cache", "-q", *self._options, "policy", PACKAGE])
        found = re.search(r"Candidate: (\S+)", done.stdout)
        return found[1] if found and found[1] != "(none)" else None

    def fetch(self, version: str, target: Path) -> None:
        """Puts the package of this version at `target`, checked against the signed index. PackageFault."""
        folder = target.with_suffix(".partial")
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        apt_get(*self._options, "download", f"{PACKAGE}={version}", cwd=folder)
        [made] = folder.glob("*.deb")
        sync(made)
        made.replace(target)
        folder.rmdir()


class System:
    """Changes the package of this machine. Each method may be cut short at any instant and be called again."""

    def installed(self) -> str | None:
        """Returns the version that is whole: unpacked and configured; None otherwise."""
        words = ["dpkg-query", "--show", "--showformat=${db:Status-Abbrev} ${Version}", PACKAGE]
        state, _, version = run(words).stdout.partition(" ")
        return version.strip() if state.strip() == "ii" else None

    def is_newer(self, version: str, other: str) -> bool:
        """Returns whether a version is higher than another, as Debian orders them."""
        return run(["dpkg", "--compare-versions", version, "gt", other]).returncode == 0

    def mend(self) -> None:
        """Finishes what a power cut has interrupted, of any package, as far as it goes."""
        run(["dpkg", "--configure", "-a", "--force-confdef", "--force-confold"])

    def install(self, package: Path) -> None:
        """Installs a file, with what it depends on from the system's own sources; removes nothing. PackageFault."""
        words = ["apt-get", "-q", "-oAPT::Sandbox::User=root", "install", "--yes", "--no-remove", "--allow-downgrades"]
        if run([*words, "--simulate", str(package)]).returncode:  # it depends on what these lists do not have
            run(["apt-get", "-q", "update"])
        done = run([*words, *KEEP, str(package)])
        if done.returncode:
            raise PackageFault(INSTALL, gist(done.stderr or done.stdout))

    def revert(self, package: Path) -> None:
        """Installs a file by dpkg alone, which needs no repository: its dependencies are there. PackageFault."""
        done = run(["dpkg", "--force-confdef", "--force-confold", "--install", str(package)])
        if done.returncode:
            raise PackageFault(INSTALL, gist(done.stderr))

    def restart_agent(self) -> None:
        """Starts the agent again, also where systemd has given it up."""
        self.systemctl("reset-failed", AGENT_UNIT)
        self.systemctl("restart", AGENT_UNIT)

    def extract(self, package: Path, folder: Path) -> None:
        """Unpacks the files of a package into a folder, without installing it. PackageFault."""
        shutil.rmtree(folder, ignore_errors=True)
        done = run(["dpkg-deb", "--extract", str(package), str(folder)])
        if done.returncode:
            raise PackageFault(INSTALL, gist(done.stderr))

    def version_of(self, package: Path) -> str | None:
        """Returns the version of a package's file; None where there is none that is whole."""
        done = run(["dpkg-deb", "--field", str(package), "Version"])
        return done.stdout.strip() if done.returncode == 0 else None

    def systemctl(self, *words: str) -> None:
        run(["systemctl", *words])


def apt_get(*words: str, cwd: Path | None = None, otherwise: str = UNREACHABLE) -> str:
    """Runs apt-get; returns what it said. PackageFault, with the word for what it complains of, or `otherwise`."""
    done = run(["apt-get", "-q", *words], cwd=cwd)
    if done.returncode:
        said = done.stdout + done.stderr
        reason = next((word for word, pattern in _FAULTS if pattern.search(said)), otherwise)
        raise PackageFault(reason, gist(said))
    return done.stdout


def run(words: list[str], cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Runs a program without questions; one that hangs, or is not there, has failed."""
    try:
        return subprocess.run(
            words, cwd=cwd, env=_ENVIRONMENT, capture_output=True, text=True, errors="replace",
            stdin=subprocess.DEVNULL, timeout=_TIMEOUT_S, check=False,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired) as error:
        return subprocess.CompletedProcess(words, 255, "", str(error))


def gist(said: str) -> str:
    """Returns why something failed, in one line: an address and what apt says under it, else the last complaint."""
    lines = said.splitlines()
    under = [f"{line.split()[1]}: {after.strip()}" for line, after in pairwise(lines) if line.startswith("Err:")]
    complaints = [line.strip() for line in lines if line.startswith(("E:", "W:", "dpkg:"))]
    return (under[:1] or complaints[-1:] or [" ".join(lines)])[0][:200]
