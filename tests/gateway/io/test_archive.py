"""What apt says of an archive's snapshots, by a small signed archive and the apt of this machine."""

import functools
import http.server
import shutil
import subprocess
import threading

import pytest

from gateway.io import packages
from gateway.io.archive import Archive
from gateway.io.packages import UNREACHABLE, PackageFault
from tools.centre.agents import repository

STATE, MISSING = "20261101T000000Z", "20261115T000000Z"


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        """Nothing is written."""


@pytest.fixture
def snapshots(tmp_path, monkeypatch):
    """The archive as it is now and as it was at STATE, served while the fixture lasts; gives how to close the door."""
    if shutil.which("apt-ftparchive") is None or "Snapshot" not in subprocess.getoutput("apt-config dump"):
        pytest.skip("no apt that knows snapshots: apt-get install apt-utils (Debian 13)")
    key, served = tmp_path / "archive.key", tmp_path / "served"
    (tmp_path / "archive.asc").write_bytes(repository.make_key(key, "archive"))
    (served / "live").mkdir(parents=True)
    (served / "live/Packages").write_text("")
    words = ["apt-ftparchive", "-oAPT::FTPArchive::Release::Label=Small", "release", "."]
    release = subprocess.run(words, cwd=served / "live", check=True, capture_output=True).stdout
    with repository._gpg(key) as gpg:
        (served / "live/InRelease").write_bytes(gpg("--clearsign", given=release))
    shutil.copytree(served / "live", served / STATE)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=served))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    address = f"http://127.0.0.1:{server.server_port}"
    (tmp_path / "small.list").write_text(f"deb [signed-by={tmp_path}/archive.asc] {address}/live ./\n")
    (tmp_path / "apt.conf").write_text(
        f'Dir::Etc::SourceList "{tmp_path}/small.list"; Dir::Etc::SourceParts "/dev/null";\n'
        'Acquire::Retries "0";\n'
        f'Acquire::Snapshots::URI::Override::Label::Small "{address}/@SNAPSHOTID@/";\n'
    )
    monkeypatch.setitem(packages._ENVIRONMENT, "APT_CONFIG", str(tmp_path / "apt.conf"))

    def close():
        server.shutdown()
        server.server_close()
        thread.join()

    yield close
    close()


@pytest.mark.slow
def test_a_state_that_the_archive_does_not_have_is_another_fault_than_an_archive_that_is_not_reached(
    snapshots, tmp_path
):
    own = Archive(tmp_path / "own")
    own.refresh(STATE)
    with pytest.raises(PackageFault) as found:
        own.refresh(MISSING)
    assert found.value.reason == "no-such-state" and f"/{MISSING}: 404" in found.value.detail
    snapshots()
    with pytest.raises(PackageFault) as found:
        own.refresh(MISSING)
    assert found.value.reason == UNREACHABLE and "onnect to 127.0.0.1" in found.value.detail
