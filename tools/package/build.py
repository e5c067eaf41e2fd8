"""Builds a Debian package, the gateway's or the centre's; the same sources give the same bytes on any machine.

example:
  bocage package build --out dist
  bocage package build centre --out dist

It is pure Python, so `Architecture: all`: one file for a Raspberry Pi (arm64) and for a PC (amd64). Times are those of
SOURCE_DATE_EPOCH, the owner is root, modes are set here and not by the umask, and the compression runs in one thread,
because the number of threads would show in the result. Needs dpkg-deb and no network; changes nothing but the file it
makes. The centre's has libraries of the environment that it is built in (`bocage[web]`).
"""

import argparse
import gzip
import json
import os
import re
import shutil
import subprocess
import tempfile
import tomllib
from collections.abc import Iterator
from email.utils import formatdate
from hashlib import sha256
from pathlib import Path, PurePosixPath

from tools.command_line import Refused, UsageError, add_json
from tools.package import catalogue, contents, libraries
from tools.package.contents import Package

ROOT = Path(__file__).resolve().parents[2]
MAINTAINER = "Bocage maintainers <maintainers@bocage.invalid>"
# A version as in deb-version(7), without epoch and revision, so that it may also be part of a file's name.
_VERSION = re.compile(r"[0-9][A-Za-z0-9.+~]*")
_MAINTAINER = re.compile(r"[^<>\n]+ <[^<>\s@]+@[^<>\s@]+>")

_LAUNCHER = """\
#!/usr/bin/python3 -I
\"\"\"The `bocage` command of the package {package}: only the commands whose modules are in it.\"\"\"

import sys
from pathlib import Path

# Beside this file, for an update is led by the former version, unpacked elsewhere.
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "{modules}"))

from tools import cli  # noqa: E402

cli.COMMANDS = {{name: cli.COMMANDS[name] for name in {commands!r} if name in cli.COMMANDS}}
if __name__ == "__main__":  # a helper of the roll-up reads this file too
    sys.exit(cli.main())
"""


class BuildError(Exception):
    """Is raised when the package cannot be built here; its text gives the remedy."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    text = "what the machine is to be (default: %(default)s)"
    parser.add_argument("what", nargs="?", choices=contents.PACKAGES, default="gateway", help=text)
    parser.add_argument("--out", type=Path, required=True, help="folder for the package")
    parser.add_argument("--version", help="version of the package (default: that of pyproject.toml)")
    parser.add_argument("--maintainer", default=MAINTAINER, help="who answers for it: 'NAME <ADDRESS>'")
    add_json(parser, "for programs")


def run(args: argparse.Namespace) -> int:
    if args.version is not None and not _VERSION.fullmatch(args.version):
        raise UsageError(f"--version: {args.version!r} is no Debian version; give one as 0.2.0 or 0.2.0~rc1")
    if not _MAINTAINER.fullmatch(args.maintainer):
        raise UsageError("--maintainer: give a name and an address, as 'Feneu <eclairage@feneu.example>'")
    try:
        version = args.version or project_version()
        package = contents.PACKAGES[args.what]
        path = build(package, args.out, version=version, maintainer=args.maintainer, epoch=source_epoch())
    except (BuildError, libraries.Missing) as error:
        raise Refused(f"cannot build: {error}") from error
    except OSError as error:
        raise Refused(f"cannot build: {error}; build from a checkout, into a folder that may be written") from error
    digest = sha256(path.read_bytes()).hexdigest()
    if args.json:
        print(json.dumps({"path": str(path), "version": version, "bytes": path.stat().st_size, "sha256": digest}))
    else:
        print(f"{path}  {path.stat().st_size} bytes\nsha256 {digest}")
    return 0


def project_version() -> str:
    """Returns the version of the sources, from pyproject.toml."""
    return str(tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"])


def source_epoch() -> int:
    """Returns the time that every file gets: SOURCE_DATE_EPOCH, else that of the last commit, else 0 (a tree without
    git)."""
    given = os.environ.get("SOURCE_DATE_EPOCH", "")
    if given:
        if not given.isascii() or not given.isdigit():
            raise BuildError(f"SOURCE_DATE_EPOCH is {given!r}; give seconds since 1970, or unset it")
        return int(given)
    git = shutil.which("git")
    if git is None:
        return 0
    command = [git, "-C", str(ROOT), "log", "-1", "--format=%ct"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return int(done.stdout) if done.returncode == 0 and done.stdout.strip().isdigit() else 0


def build(package: Package, out: Path, *, version: str, maintainer: str, epoch: int) -> Path:
    """Makes the package in the folder `out` and returns its path. BuildError or OSError when that cannot be done."""
    dpkg_deb = shutil.which("dpkg-deb")
    if dpkg_deb is None:
        raise BuildError("no dpkg-deb here: build on Debian, Ubuntu or Raspberry Pi OS")
    out.mkdir(parents=True, exist_ok=True)
    path = out / f"{package.name}_{version}_all.deb"
    with tempfile.TemporaryDirectory(prefix="bocage-package-") as folder:
        tree = Path(folder) / "tree"
        _lay_out(package, tree, version, maintainer, epoch)
        _settle(tree, epoch)
        made = Path(folder) / path.name
        command = [dpkg_deb, "--root-owner-group", "-Zxz", "--threads-max=1", "--build", str(tree), str(made)]
        environment = {**os.environ, "SOURCE_DATE_EPOCH": str(epoch), "LC_ALL": "C.UTF-8"}
        done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
        if done.returncode:
            raise BuildError(f"dpkg-deb refused: {done.stderr.strip()}")
        shutil.copyfile(made, path)
    return path


def _lay_out(package: Package, tree: Path, version: str, maintainer: str, epoch: int) -> None:
    catalogue.compile_all(ROOT)
    for file in contents.files(package, ROOT):
        data = file.source.read_bytes()
        if file.target.suffix == ".gz":
            data = _zipped(data)
        if file.target.name == "copyright":
            data += (_licence() + "".join(map(libraries.copyright_of, package.libraries))).encode()
        _write(tree / file.target, data, is_program=file.is_program)
    for library in package.libraries:
        for place, data in libraries.files(library):
            _write(tree / contents.MODULES / place, data)
    launcher = _LAUNCHER.format(package=package.name, modules=contents.MODULES, commands=package.commands)
    _write(tree / contents.LAUNCHER, launcher.encode(), is_program=True)
    # `bocage --version` reads the version from a Python package's metadata.
    metadata = f"Metadata-Version: 2.1\nName: bocage\nVersion: {version}\n"
    _write(tree / contents.MODULES / f"bocage-{version}.dist-info" / "METADATA", metadata.encode())
    changelog = _changelog(package, version, maintainer, epoch)
    _write(tree / package.documents_folder / "changelog.gz", _zipped(changelog.encode()))
    (tree / "etc" / package.etc).mkdir(parents=True)
    control = tree / "DEBIAN"
    for name in contents.SCRIPTS:
        script = ROOT / "tools/package/debian" / package.scripts / name
        _write(control / name, script.read_bytes(), is_program=True)
    _write(control / "control", _control(package, tree, version, maintainer).encode())
    _write(control / "md5sums", "".join(_sums(tree)).encode())


def _write(path: Path, data: bytes, *, is_program: bool = False) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    path.chmod(0o755 if is_program else 0o644)


def _settle(tree: Path, epoch: int) -> None:
    """Sets the modes of folders and the times of all files, so that umask and time of day have no effect."""
    for path in sorted(tree.rglob("*"), reverse=True):
        if path.is_dir():
            path.chmod(0o755)
        os.utime(path, (epoch, epoch))
    tree.chmod(0o755)
    os.utime(tree, (epoch, epoch))


def _zipped(data: bytes) -> bytes:
    return gzip.compress(data, 9, mtime=0)


def _control(package: Package, tree: Path, version: str, maintainer: str) -> str:
    fields = {
        "Package": package.name,
        "Version": version,
        "Architecture": "all",
        "Maintainer": maintainer,
        "Installed-Size": str(_kibibytes(tree)),
        "Depends": ", ".join(
            (*package.depends, *(f"{name} (>= {lowest})" for name, lowest in package.python.values()))
        ),
        "Recommends": ", ".join(package.recommends),
        "Suggests": ", ".join(package.suggests),
        "Conflicts": package.other,
        "Section": "net",
        "Priority": "optional",
        "Description": f"{package.summary}\n{package.description}",
    }
    return "".join(f"{name}: {value.rstrip()}\n" for name, value in fields.items() if value)


def _changelog(package: Package, version: str, maintainer: str, epoch: int) -> str:
    date = formatdate(epoch)
    return (
        f"{package.name} ({version}) trixie; urgency=medium\n\n"
        f"  * Built from the sources of Bocage {project_version()}.\n\n -- {maintainer}  {date}\n"
    )


def _licence() -> str:
    """Returns the licence as a field of Debian's copyright file: each line begins with a space; a full stop stands for
    an empty line."""
    lines = (ROOT / "LICENSE").read_text(encoding="utf-8").splitlines()
    return "".join(f" {line.strip() or '.'}\n" for line in lines)


def _kibibytes(tree: Path) -> int:
    """Returns the size as dpkg-gencontrol counts it: whole kibibytes of each file, one for each folder."""
    return sum(-(-path.stat().st_size // 1024) if path.is_file() else 1 for path in tree.rglob("*"))


def _sums(tree: Path) -> Iterator[str]:
    from hashlib import md5  # not for security: what `dpkg --verify` reads

    for path in sorted(tree.rglob("*")):
        name = PurePosixPath(path.relative_to(tree))
        if path.is_file() and name.parts[0] != "DEBIAN":
            yield f"{md5(path.read_bytes(), usedforsecurity=False).hexdigest()}  {name}\n"
