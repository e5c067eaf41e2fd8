"""A cluster of PostgreSQL in a folder of its own, by an ordinary user: no network, no password, one socket."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager, suppress
from glob import glob
from pathlib import Path

import pytest

# Debian keeps the programs of each version apart from the PATH.
_FOLDERS = "/usr/lib/postgresql/*/bin"
USER = "bocage"
_PREFIX = "bocage-pg-"


def programs():
    """The folder with PostgreSQL's programs, the newest; None where there is none."""
    beside = [Path(found).parent for found in (shutil.which("postgres"),) if found]
    found = sorted(map(Path, glob(_FOLDERS)), key=lambda folder: int(folder.parent.name)) or beside
    return found[-1] if found else None


def environment():
    """In which a process of ours finds our packages as this one does."""
    return {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}


@contextmanager
def temporary(options=""):
    """A cluster that ends with its user, or a skip that says what is missing."""
    pytest.importorskip("psycopg", reason="no psycopg (pip install 'bocage[postgres]')")
    if programs() is None:
        pytest.skip("no postgres (apt-get install postgresql)")
    # In memory, where a flush costs nothing; and the name of a socket is bounded.
    above = "/dev/shm" if Path("/dev/shm").is_dir() else None
    _remove_orphans(Path(above or tempfile.gettempdir()))
    prefix = f"{_PREFIX}{os.getpid()}-"
    with tempfile.TemporaryDirectory(dir=above, prefix=prefix, ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)
        cluster = Cluster(Path(folder) / "cluster", options)
        try:
            yield cluster
        finally:
            cluster.stop()


def _remove_orphans(above):
    """Ends the clusters whose test run was killed, and removes their folders: nothing else would, and they lie in
    memory."""
    for folder in above.glob(f"{_PREFIX}*-*"):
        if Path("/proc", folder.name.removeprefix(_PREFIX).partition("-")[0]).exists():
            continue
        for process in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):  # others' processes, and those that have ended
                if (process / "cwd").readlink().is_relative_to(folder):
                    os.kill(int(process.name), signal.SIGKILL)
        shutil.rmtree(folder, ignore_errors=True)


class Cluster:
    """A server whose databases go with the folder. `address(name)` is what `--db` is given."""

    def __init__(self, folder, options):
        self.folder = Path(folder)
        self.data = self.folder / "data"
        self._programs = programs()
        self._options = options
        self._names = 0
        self.folder.mkdir(exist_ok=True)
        if os.geteuid() == 0:  # PostgreSQL refuses to be root
            shutil.chown(self.folder, "nobody")
        self._run("initdb", "--pgdata", self.data, "--auth", "trust", "--username", USER, "--no-sync",
                  "--encoding", "UTF8", "--locale", "C.UTF-8")  # fmt: skip
        self.start()

    def start(self):
        # The socket's folder is not the data's, so that a server that was killed leaves nothing in the way.
        options = f"-c listen_addresses= -c unix_socket_directories={self.folder} {self._options}"
        log = self.folder / "log"
        self._run("pg_ctl", "start", "--wait", "--pgdata", self.data, "--log", log, "--options", options)

    def stop(self):
        self._run("pg_ctl", "stop", "--pgdata", self.data, "--mode", "immediate")

    def kill(self):
        """Kills the server with -9, all of its processes, and starts it again."""
        first = int((self.data / "postmaster.pid").read_text().splitlines()[0])
        others = Path(f"/proc/{first}/task/{first}/children").read_text().split()
        for process in (first, *map(int, others)):
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        while any(Path(f"/proc/{process}").exists() for process in (first, *others)):
            time.sleep(0.01)
        self.start()

    def address(self, schema="public"):
        return f"postgresql://{USER}@/postgres?host={self.folder}&options=-csearch_path%3D{schema}"

    def new(self):
        """The address of an empty place for one warehouse; a schema is made ten times as fast as a database."""
        import psycopg

        self._names += 1
        with psycopg.connect(self.address(), autocommit=True) as connection:
            connection.execute(f"CREATE SCHEMA place_{self._names}")
        return self.address(f"place_{self._names}")

    def _run(self, program, *words):
        command = [self._programs / program, *words]
        if os.geteuid() == 0:
            command = ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups", *command]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd="/")
