"""One clean Debian with the package's dependencies, made once for all processes of a run; each test gets a copy."""

import shutil
import subprocess

import pytest

from tests.support import debian_machine
from tools.package import build, contents


@pytest.fixture(scope="session")
def packages(tmp_path_factory):
    """The package in two versions, the older first."""
    folder = tmp_path_factory.mktemp("packages")
    return [
        build.build(contents.GATEWAY, folder, version=version, maintainer=build.MAINTAINER, epoch=build.source_epoch())
        for version in ("0.1.0", "0.2.0")
    ]


@pytest.fixture(scope="session")
def memory(tmp_path_factory):
    """A folder in memory: a Debian is thousands of small files, which a disk writes and deletes in a minute each
    time."""
    missing = debian_machine.why_not()
    if missing is not None:
        pytest.skip(missing)
    folder = tmp_path_factory.mktemp("debian")
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4g,mode=755", "bocage", str(folder)], check=False)
    yield folder
    if mounted.returncode == 0:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)
    else:
        shutil.rmtree(folder)


@pytest.fixture(scope="session")
def clean_root(memory, packages, tmp_path_factory, record_testsuite_property):
    """Debian as debootstrap leaves it, and what apt fetched for the package: machines have no network. The package
    itself has been there, never configured, and was purged."""

    def make(root):
        debian_machine.shared(tmp_path_factory, "debian", debian_machine.make_root, root)
        took_s = debian_machine.install(root, packages[0])
        record_testsuite_property("package_install_s", round(took_s, 1))
        # dbus: systemctl of a system that runs asks over it.
        debian_machine.install(root, "dbus")
        debian_machine.purge(root, contents.GATEWAY.name)

    return debian_machine.shared(tmp_path_factory, "clean", make, memory / "clean")


@pytest.fixture
def root(memory, clean_root):
    copy = memory / "root"
    subprocess.run(["cp", "--archive", str(clean_root), str(copy)], check=True)
    yield copy
    shutil.rmtree(copy)
