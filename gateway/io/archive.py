"""Asks apt, dpkg and dpkg-repack to bring the system's packages to a state of Debian's archive, and back.

A state is an instant: apt reads the archive as it then was from the snapshots that the sources name (`--snapshot`,
apt.conf(5): Acquire::Snapshots::URI), signed by Debian as ever. A source that keeps no snapshots gives what it has now.
Lists and packages are fetched into a folder of this module's own; what is installed is repacked beside them before it
changes, as it is. A kernel is a new package and stands beside the former one; taking it back removes it.

    lists, archives   apt's
    former/           the packages that an update changes, repacked
    back              a shell script that puts them back, and says so by the file `taken-back`; it needs apt and
                      dpkg, and no Python

It decides nothing. Root's.
"""

import os
import re
import shlex
import shutil
from pathlib import Path

from gateway.core.self_update import Change
from gateway.io.packages import (
    INSTALL,
    KEEP,
    NO_SNAPSHOTS,
    NO_SUCH_STATE,
    NOT_KEPT,
    UNREACHABLE,
    PackageFault,
    apt_get,
    gist,
    run,
)

# As `apt-get --simulate` writes it: Inst openssl [3.5.1-1] (3.5.4-1 Debian-Security:13/stable-security [arm64])
_INST = re.compile(r"^Inst (\S+) (?:\[(\S+)\] )?\((\S+) ", re.MULTILINE)
# What apt says of an address that answers, and has no such file (RFC 9110): to ask again brings nothing.
_ABSENT = re.compile(": 4(04|10) ")
_UPGRADE = ("upgrade", "--yes", "--with-new-pkgs", "--fix-broken", *KEEP)
_BACK = """\
#!/bin/sh
# Puts back what the last update of the system has changed, and removes what it has brought. It may be run again.
export PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive
set -- {new}
for package do
    shift
    if dpkg-query --show "$package" >/dev/null 2>&1; then set -- "$@" "$package-"; fi
done
dpkg --configure -a --force-confdef --force-confold
apt-get -q {options} install --yes --fix-broken --allow-downgrades {former}/*.deb "$@" && touch {taken}
"""


class Archive:
    """Works in `folder`."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._former, self._back = folder, folder / "former", folder / "back"
        self._taken = folder / "taken-back"

    def refresh(self, state: str) -> None:
        """Reads what the archive had at that state. PackageFault."""
        for name in ("lists/partial", "archives/partial"):
            (self._folder / name).mkdir(parents=True, exist_ok=True)
        for _ in range(2):  # where the snapshots are, a source may say in what is read first
            self._get(state, "-oAPT::Update::Error-Mode=any", "update")
            if any(state in path.name for path in (self._folder / "lists").iterdir()):
                return
        raise PackageFault(NO_SNAPSHOTS)

    def changes(self, state: str) -> tuple[Change, ...]:
        """Returns what an update to that state would change; packages on hold (apt-mark) stay. PackageFault."""
        said = apt_get(*self._options(state), *_UPGRADE, "--simulate", otherwise=INSTALL)
        return tuple(Change(name, before or None, after) for name, before, after in _INST.findall(said))

    def fetch(self, state: str) -> None:
        """Fetches the packages. PackageFault."""
        self._get(state, *_UPGRADE, "--download-only")

    def keep(self, changes: tuple[Change, ...]) -> None:
        """Repacks what will change, and writes the way back. PackageFault; OSError."""
        shutil.rmtree(self._former, ignore_errors=True)
        self._former.mkdir(parents=True)
        former = [one.package for one in changes if one.before is not None]
        words = ["dpkg-repack", "--deb-option=-Zzstd", "--deb-option=-z1", *former]
        done = run(words, cwd=self._former)
        if done.returncode or len(list(self._former.iterdir())) != len(former):
            raise PackageFault(NOT_KEPT, gist(done.stderr))
        new = shlex.join(one.package for one in changes if one.before is None)
        options = shlex.join(("-oAPT::Sandbox::User=root", *KEEP))
        former_folder, taken = shlex.quote(str(self._former)), shlex.quote(str(self._taken))
        self._back.write_text(_BACK.format(new=new, options=options, former=former_folder, taken=taken))
        self._taken.unlink(missing_ok=True)
        os.sync()

    def install(self, state: str) -> None:
        """Brings the system to that state with what was fetched; gone on from where it was cut. PackageFault."""
        apt_get(*self._options(state), *_UPGRADE, "--no-download", otherwise=INSTALL)

    @property
    def way_back(self) -> Path:
        """Returns the script that takes it back."""
        return self._back

    def revert(self) -> None:
        """Puts the former packages back. PackageFault."""
        done = run(["/bin/sh", str(self._back)])
        if done.returncode:
            raise PackageFault(INSTALL, gist(done.stderr or done.stdout))

    def is_reverted(self) -> bool:
        """Returns whether the script has put the former packages back since they were kept."""
        return self._taken.exists()

    def versions(self, packages: list[str]) -> dict[str, str]:
        """Returns the versions of those packages that are whole: unpacked and configured."""
        query = ["dpkg-query", "--show", "--showformat=${binary:Package} ${Package} ${db:Status-Abbrev} ${Version}\\n"]
        found = {}
        for line in run([*query, *packages]).stdout.splitlines():
            words = line.split()
            if len(words) == 4 and words[2].endswith("i"):
                found[words[0]] = found[words[1]] = words[3]
        return found

    def clear(self) -> None:
        """Deletes what was fetched and kept, and the kernels that nothing needs any more."""
        shutil.rmtree(self._folder, ignore_errors=True)
        run(["apt-get", "-q", "remove", "--yes", "?and(?garbage,?name(^linux-image))", "-oDPkg::Lock::Timeout=600"])

    def _get(self, state: str, *words: str) -> None:
        try:
            apt_get(*self._options(state), *words)
        except PackageFault as fault:
            if fault.reason == UNREACHABLE and state in fault.detail and _ABSENT.search(fault.detail):
                raise PackageFault(NO_SUCH_STATE, fault.detail) from fault
            raise

    def _options(self, state: str) -> tuple[str, ...]:
        options = {
            "Dir::State::Lists": self._folder / "lists", "Dir::Cache": self._folder, "APT::Snapshot": state,
            "Acquire::Check-Valid-Until": "false",  # a state is older than what the archive calls valid
            "Acquire::Languages": "none", "APT::Sandbox::User": "root",
        }  # fmt: skip
        return tuple(f"-o{name}={value}" for name, value in options.items())
