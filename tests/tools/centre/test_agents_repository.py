"""The repository of packages for cabinets, made by the centre and read by a gateway: both ends are real programs."""

import shutil
import subprocess

import pytest

from gateway.io import packages
from gateway.io.packages import PackageFault, Repository, System
from tools import cli
from tools.centre.agents import repository

_PROGRAMS = ("apt-ftparchive", "apt-get", "gpg", "dpkg-deb")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not all(map(shutil.which, _PROGRAMS)), reason="no apt-ftparchive or gpg program: apt-get install apt-utils gpg"
    ),
]


def package(folder, version, name="bocage-gateway", architecture="all"):
    tree = folder / f"{name}-{version}"
    (tree / "DEBIAN").mkdir(parents=True)
    fields = {"Package": name, "Version": version, "Architecture": architecture, "Maintainer": "A <a@example.fr>"}
    text = "".join(f"{field}: {value}\n" for field, value in {**fields, "Description": "a trial"}.items())
    (tree / "DEBIAN/control").write_text(text)
    path = folder / f"{name}_{version}_{architecture}.deb"
    subprocess.run(["dpkg-deb", "--build", str(tree), str(path)], check=True, capture_output=True)
    return path


def run(*words):
    return cli.main(["centre", "agents", *map(str, words), "--lang", "en"])


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    """Two keys, each in a folder of its own."""
    folder = tmp_path_factory.mktemp("keys")
    for name in ("territory", "stranger"):
        (folder / name).mkdir()
        assert run("key", folder / name / "key", "--name", name) == 0
    return folder


@pytest.fixture
def published(tmp_path, keys):
    """A repository with versions 0.2.0 and 0.10.0, as the command makes it."""
    for version in ("0.2.0", "0.10.0"):
        assert run("publish", package(tmp_path, version), "--key", keys / "territory/key", "--to", tmp_path / "r") == 0
    return tmp_path / "r"


def reader(folder, source, keys, whose="territory"):
    return Repository(folder / "state", f"file:{source}", keys / whose / repository.PUBLIC_KEY, None)


def test_a_gateway_takes_what_the_territory_has_signed(tmp_path, published, keys):
    read = reader(tmp_path, published, keys)
    read.refresh()
    assert read.newest() == "0.10.0", "as Debian orders versions"
    read.fetch("0.2.0", tmp_path / "wanted.deb")
    assert System().version_of(tmp_path / "wanted.deb") == "0.2.0"
    with pytest.raises(PackageFault, match=packages.UNKNOWN):
        read.fetch("0.3.0", tmp_path / "wanted.deb")
    assert sorted(repository.versions(published)) == ["0.10.0", "0.2.0"]


def test_what_a_stranger_has_signed_is_refused(tmp_path, published, keys):
    run("publish", package(tmp_path, "0.11.0"), "--key", keys / "stranger/key", "--to", published)
    with pytest.raises(PackageFault) as refused:
        reader(tmp_path, published, keys).refresh()
    assert refused.value.reason == packages.SIGNATURE and "\n" not in refused.value.detail


def test_what_was_altered_after_the_signature_is_refused(tmp_path, published, keys):
    read = reader(tmp_path, published, keys)
    read.refresh()
    with (published / "bocage-gateway_0.10.0_all.deb").open("ab") as file:
        file.write(b"more")
    with pytest.raises(PackageFault, match=packages.DIGEST):
        read.fetch("0.10.0", tmp_path / "wanted.deb")
    assert not (tmp_path / "wanted.deb").exists()
    (published / "Packages").write_text((published / "Packages").read_text().replace("0.10.0", "0.12.0"))
    with pytest.raises(PackageFault, match=packages.DIGEST):
        reader(tmp_path / "other", published, keys).refresh()


def test_an_older_index_does_not_take_the_place_of_a_later_one(tmp_path, published, keys):
    """A repository of before is offered again: apt keeps what it knows."""
    index = (published / "InRelease").read_text().partition("Date: ")[2].partition("\n")[0]
    before = tmp_path / "before"
    shutil.copytree(published, before)
    release = (before / "Release").read_text().replace(index, "Mon, 02 Nov 2020 00:00:00 +0000")
    with repository._gpg(keys / "territory/key") as gpg:
        (before / "InRelease").write_bytes(gpg("--clearsign", given=release.encode()))
    read = reader(tmp_path, published, keys)
    read.refresh()
    shutil.rmtree(published)
    before.rename(published)
    read.refresh()
    [kept] = (tmp_path / "state/lists").glob("*InRelease")
    assert index in kept.read_text()


def test_a_repository_that_is_not_there_is_tried_again_later(tmp_path, keys):
    with pytest.raises(PackageFault, match=packages.UNREACHABLE):
        reader(tmp_path, tmp_path / "nowhere", keys).refresh()


@pytest.mark.parametrize(
    ("name", "architecture"), [("bocage-centre", "all"), ("bash", "all"), ("bocage-gateway", "i386")]
)
def test_another_package_is_not_published(tmp_path, keys, capsys, name, architecture):
    other = package(tmp_path, "1.0", name, architecture)
    assert run("publish", other, "--key", keys / "territory/key", "--to", tmp_path / "r") == 1
    assert f"{name} 1.0 {architecture}" in capsys.readouterr().err and not (tmp_path / "r").exists()


def test_one_version_has_one_content(tmp_path, published, keys, capsys):
    (tmp_path / "again").mkdir()
    other = package(tmp_path / "again", "0.2.0")
    with other.open("ab") as file:
        file.write(b"\n")
    assert run("publish", other, "--key", keys / "territory/key", "--to", published) == 1
    assert "0.2.0" in capsys.readouterr().err


def test_a_key_is_not_overwritten_and_only_its_owner_reads_it(keys, capsys):
    key = keys / "territory/key"
    before = key.read_bytes()
    assert run("key", key, "--name", "again") == 1 and key.read_bytes() == before
    assert key.stat().st_mode & 0o777 == 0o600
    assert "PRIVATE" not in (keys / "territory" / repository.PUBLIC_KEY).read_text()
    assert "PRIVATE" not in capsys.readouterr().err


def test_a_key_that_is_none_is_one_line(tmp_path, keys, capsys):
    (tmp_path / "key").write_text("nothing")
    made = package(tmp_path, "0.2.0")
    assert run("publish", made, "--key", tmp_path / "key", "--to", tmp_path / "r") == 1
    assert run("publish", made, "--key", tmp_path / "absent", "--to", tmp_path / "r") == 1
    assert capsys.readouterr().err.count("\n") == 2
