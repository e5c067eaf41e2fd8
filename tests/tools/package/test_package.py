"""The Debian packages of the gateway and the centre: the same bytes from the same sources, nothing missing, no ballast.
"""

import ast
import io
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
from functools import cache
from hashlib import sha256
from pathlib import Path

import pytest

from tools import cli
from tools.package import build, contents, libraries

pytestmark = pytest.mark.skipif(shutil.which("dpkg-deb") is None, reason="no dpkg-deb program: Debian builds packages")

OURS = ("gateway", "wire", "policy", "tools")
EPOCH = 1_793_491_200
VERSION = "0.2.0~rc1"
EXPOSURE_MAX = 2.0
# Root's: one reads every key and copies every file of the centre, in the other apt works on the system.
EXPOSURES_MAX = {"bocage-night.service": 4.0, "bocage-update.service": 9.8}


def made(kind, folder):
    return build.build(kind, folder, version=VERSION, maintainer=build.MAINTAINER, epoch=EPOCH)


@cache
def members(package):
    """{name: (TarInfo, content)} of what the package puts into the system."""
    data = subprocess.run(["dpkg-deb", "--fsys-tarfile", str(package)], capture_output=True, check=True).stdout
    with tarfile.open(fileobj=io.BytesIO(data)) as tar:
        found = {}
        for member in tar:
            file = tar.extractfile(member) if member.isfile() else None
            found[member.name.removeprefix("./")] = (member, file.read() if file else b"")
        return found


def control(package, name="control"):
    done = subprocess.run(["dpkg-deb", "--info", str(package), name], capture_output=True, text=True, check=True)
    return done.stdout


@pytest.fixture(
    scope="module",
    params=[pytest.param(one, marks=pytest.mark.slow) if one == "centre" else one for one in contents.PACKAGES],
)
def kind(request):
    return contents.PACKAGES[request.param]


@pytest.fixture(scope="module")
def package(kind, tmp_path_factory):
    return made(kind, tmp_path_factory.mktemp("package"))


@pytest.mark.slow
def test_the_command_builds_the_same_bytes_again_and_says_what(kind, package, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", str(EPOCH))
    which = [] if kind is contents.GATEWAY else ["centre"]
    words = [*which, "--out", str(tmp_path / "elsewhere"), "--version", VERSION, "--json"]
    before = os.umask(0o077)
    try:
        assert cli.main(["package", "build", *words]) == 0
    finally:
        os.umask(before)
    again = tmp_path / "elsewhere" / f"{kind.name}_{VERSION}_all.deb"
    assert again.name == package.name and again.read_bytes() == package.read_bytes()
    assert f'"sha256": "{sha256(package.read_bytes()).hexdigest()}"' in capsys.readouterr().out


@pytest.mark.slow
def test_everything_is_roots_of_one_time_and_writable_by_nobody_else(package):
    for name, (member, _data) in members(package).items():
        assert (member.uid, member.gid, member.mtime) == (0, 0, EPOCH), name
        assert member.mode & 0o022 == 0, name


def test_programs_may_be_run_and_nothing_else(kind, package):
    programs = {name for name, (member, _) in members(package).items() if member.isfile() and member.mode & 0o111}
    assert programs == {"usr/bin/bocage", f"usr/share/python3/runtime.d/{kind.name}.rtupdate"}


def test_etc_holds_no_file_that_an_upgrade_could_touch(kind, package):
    files = [name for name, (member, _) in members(package).items() if name.startswith("etc/") and member.isfile()]
    assert files == []
    assert f"etc/{kind.etc}" in members(package)


@pytest.mark.slow
def test_every_module_finds_what_it_imports(kind, package):
    """In the package, in Python, or in a package that it depends on."""
    inside = {
        name.removeprefix("usr/share/bocage/"): data
        for name, (_member, data) in members(package).items()
        if name.startswith("usr/share/bocage/") and name.endswith(".py")
    }
    modules = {name: data for name, data in inside.items() if name.partition("/")[0] in OURS}
    brought = {name.partition("/")[0] for name in inside if name not in modules} | {"asgiref"}  # Django's package's
    ours = {name.removesuffix("/__init__.py").removesuffix(".py").replace("/", ".") for name in modules}
    used = set()
    for name, data in modules.items():
        for imported in imports(data):
            top = imported.partition(".")[0]
            if top in OURS:
                assert imported in ours or imported.rpartition(".")[0] in ours, f"{name} imports {imported}"
            elif top not in sys.stdlib_module_names and top not in brought and f"python3-{top}" not in kind.suggests:
                assert top in kind.python, f"{name} imports {top}"
                used.add(top)
    assert used == set(kind.python), "a package is depended on that nothing imports"


def imports(data):
    for node in ast.walk(ast.parse(data)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "import_module":
            yield from (argument.value for argument in node.args if isinstance(argument, ast.Constant))


def test_what_debian_must_have_is_within_what_the_sources_ask_for(kind):
    project = tomllib.loads((build.ROOT / "pyproject.toml").read_text())["project"]
    asked = {}
    extras = project["optional-dependencies"]
    pinned = {f"{one.distribution}=={one.version}" for one in contents.CENTRE.libraries}
    assert pinned <= {*extras["web"]}, "the package brings other libraries than the sources ask for"
    for line in (*project["dependencies"], *extras["gateway"], *extras["centre"], *extras["web"]):
        if line in pinned:
            continue
        found = re.fullmatch(r"([A-Za-z0-9-]+)>=([0-9.]+),<([0-9.]+)(?:;.*)?", line)
        assert found, line
        asked[found[1].lower()] = (numbers(found[2]), numbers(found[3]))
    names = {"paho": "paho-mqtt", "serial": "pyserial", "prometheus_client": "prometheus-client"}
    for module, (_package, version) in kind.python.items():
        low, high = asked[names.get(module, module)]
        assert low <= numbers(version.rpartition(":")[2]) < high, module


def numbers(version):
    return tuple(int(part) for part in version.split("."))


def test_the_launcher_knows_only_commands_that_work(kind, package):
    launcher = members(package)["usr/bin/bocage"][1].decode()
    assert launcher.startswith("#!/usr/bin/python3 -I\n")
    assert set(kind.commands) <= set(cli.COMMANDS)
    for name in kind.commands:
        module = cli.COMMANDS[name].replace(".", "/")
        assert f"usr/share/bocage/{module}.py" in members(package)


@pytest.mark.parametrize("script", contents.SCRIPTS)
def test_a_script_of_dpkg_is_sound_shell(package, script):
    text = control(package, script)
    assert text.startswith("#!/bin/sh\n")
    subprocess.run(["sh", "-n"], input=text, text=True, check=True)


def test_the_control_file_says_what_it_must(kind, package):
    fields = dict(line.split(": ", 1) for line in control(package).splitlines() if not line.startswith(" "))
    assert fields["Architecture"] == "all", "one file for a Raspberry Pi and for a PC"
    assert fields["Package"] == kind.name and fields["Conflicts"] == kind.other and fields["Version"] == VERSION
    assert "python3 (>= 3.11)" in fields["Depends"]
    assert 500 < int(fields["Installed-Size"]) < 5000


def test_the_documents_and_the_licence_are_in_it(kind, package):
    found = members(package)
    licence = (build.ROOT / "LICENSE").read_text().splitlines()
    copyright_text = found[f"{kind.documents_folder}/copyright"][1].decode()
    assert all(line.strip() in copyright_text for line in licence)
    for name in (*kind.documents.values(), "changelog.gz"):
        assert found[f"{kind.documents_folder}/{name}"][1]


def test_lintian_has_nothing_to_say(package):
    if shutil.which("lintian") is None:
        pytest.skip("no lintian program: apt-get install lintian")
    command = ["lintian", "--allow-root", "--fail-on", "error,warning", str(package)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_sandbox_leaves_little(package, tmp_path, record_property):
    if shutil.which("systemd-analyze") is None:
        pytest.skip("no systemd-analyze program: apt-get install systemd")
    for name, (_member, data) in members(package).items():
        if not name.endswith(".service"):
            continue
        unit = tmp_path / Path(name).name
        unit.write_bytes(data)
        command = ["systemd-analyze", "security", "--offline=true", "--no-pager", str(unit)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        found = re.search(r"Overall exposure level for \S+: ([0-9.]+)", done.stdout)
        assert found, done.stdout + done.stderr
        record_property(f"exposure {unit.name}", found[1])
        assert float(found[1]) <= EXPOSURES_MAX.get(unit.name, EXPOSURE_MAX), unit.name


@pytest.mark.parametrize("words", [["--version", "one"], ["--version", "1/2"], ["--maintainer", "nobody"]])
def test_bad_usage_is_one_line_and_builds_nothing(tmp_path, capsys, words):
    assert cli.main(["package", "build", "--out", str(tmp_path), *words]) == 2
    assert capsys.readouterr().err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_a_time_that_is_none_is_refused(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "yesterday")
    assert cli.main(["package", "build", "--out", str(tmp_path)]) == 1
    assert "SOURCE_DATE_EPOCH" in capsys.readouterr().err


def test_without_git_the_time_is_still_one(monkeypatch):
    monkeypatch.delenv("SOURCE_DATE_EPOCH", raising=False)
    monkeypatch.setattr(build.shutil, "which", lambda _name: None)
    assert build.source_epoch() == 0


def test_a_library_that_is_another_is_not_packaged(tmp_path, capsys, monkeypatch):
    [first, *_] = contents.CENTRE.libraries
    altered = contents.CENTRE._replace(libraries=(first._replace(digest="0" * 64),))
    monkeypatch.setitem(contents.PACKAGES, "centre", altered)
    assert cli.main(["package", "build", "centre", "--out", str(tmp_path)]) == 1
    said = capsys.readouterr().err
    assert first.digest in said and f"pip install {first.distribution}=={first.version}" in said
    missing = first._replace(distribution="bocage-no-such")
    with pytest.raises(libraries.Missing, match="is not here"):
        list(libraries.files(missing))


def test_the_licence_of_each_library_is_in_the_copyright_file(kind, package):
    said = members(package)[f"{kind.documents_folder}/copyright"][1].decode()
    for one in kind.libraries:
        paragraph = said[said.index(f"the authors of {one.distribution}"):]
        assert f"License: {one.licence}\n" in paragraph and len(paragraph) > 100


def test_a_machine_without_dpkg_deb_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr(build.shutil, "which", lambda _name: None)
    with pytest.raises(build.BuildError, match="dpkg-deb"):
        made(contents.GATEWAY, tmp_path)


def test_a_checkout_that_is_not_whole_is_told(tmp_path):
    with pytest.raises(FileNotFoundError):
        list(contents.files(contents.GATEWAY, Path(tmp_path)))
