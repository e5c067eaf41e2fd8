"""Runs a PostgreSQL of its own, as one part of a rig that is killed and started again: by an ordinary user, without
network or password, on one socket. Must not serve a real territory: who reaches the socket is its owner.
"""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from glob import glob
from pathlib import Path
from tempfile import TemporaryDirectory, gettempdir
from typing import TypeVar

from simulator.rig.rig import Part, RigError

USER = "bocage"
# Debian keeps the programs of each version apart from the PATH.
_FOLDERS = "/usr/lib/postgresql/*/bin"
_READY_S = 60
_PREFIX = "bocage-pg-"


def programs() -> Path | None:
    """Returns the folder with PostgreSQL's programs, the newest; None where there is none."""
    beside = [Path(found).parent for found in (shutil.which("postgres"),) if found]
    found = sorted(map(Path, glob(_FOLDERS)), key=lambda folder: int(folder.parent.name)) or beside
    return found[-1] if found else None


class Server(Part):
    """Holds a new cluster in a folder, which every user must be able to reach; `options` are of postgres(1)."""

    def __init__(self, folder: Path, log: Path, options: Sequence[str] = ()) -> None:
        """RigError where there is no PostgreSQL."""
        found = programs()
        if found is None:
            raise RigError("no PostgreSQL here: apt-get install postgresql")
        self.folder, self._programs = folder, found
        # PostgreSQL refuses to be root.
        self._user = ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups"] if os.geteuid() == 0 else []
        if self._user:
            shutil.chown(folder, "nobody")
        data = folder / "data"
        words = ["--pgdata", str(data), "--auth", "trust", "--username", USER, "--no-sync", "--encoding", "UTF8"]
        made = [*self._user, str(found / "initdb"), *words, "--locale", "C.UTF-8"]
        subprocess.run(made, check=True, stdout=subprocess.DEVNULL, cwd="/")
        # The socket's folder is not the data's, so that a server that was killed leaves nothing in the way.
        own = ["-c", "listen_addresses=", "-c", f"unix_socket_directories={folder}"]
        super().__init__("database", [*self._user, str(found / "postgres"), "-D", str(data), *own, *options], log)

    def address(self, schema: str = "public") -> str:
        """Returns what `--db` is given."""
        return f"postgresql://{USER}@/postgres?host={self.folder}&options=-csearch_path%3D{schema}"

    def start(self) -> None:
        """Starts the server, and waits until it answers."""
        super().start()
        ask = [str(self._programs / "pg_isready"), "--quiet", "--host", str(self.folder)]
        end_s = time.monotonic() + _READY_S
        while subprocess.run(ask, check=False).returncode != 0:
            if not self.running() or time.monotonic() > end_s:
                raise RigError("PostgreSQL does not start; see its log")
            time.sleep(0.02)

    def kill(self) -> None:
        """Kills all of its processes: those that are left would hold the data against the next life."""
        others = [int(word) for word in Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()]
        super().kill()
        for process in others:
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        while any(Path(f"/proc/{process}").exists() for process in others):
            time.sleep(0.01)

    def stop(self) -> None:
        """Ends the server in order, and the connections that are open."""
        self._end(signal.SIGINT)


S = TypeVar("S", bound=Server)


@contextmanager
def temporary(
    log: Path, options: Sequence[str] = (), *, kind: type[S] = Server, above: str | None = None
) -> Iterator[S]:
    """Gives a server that runs and is gone at the end, in a folder of its own: the name of a socket is bounded."""
    _remove_orphans(Path(above or gettempdir()))
    prefix = f"{_PREFIX}{os.getpid()}-"
    with TemporaryDirectory(dir=above, prefix=prefix, ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)
        place = Path(folder) / "cluster"
        place.mkdir()
        server = kind(place, log, options)
        server.start()
        try:
            yield server
        finally:
            server.stop()


def _remove_orphans(above: Path) -> None:
    """Ends the clusters whose user was killed, and removes their folders: nothing else would, and they may lie in
    memory."""
    for folder in above.glob(f"{_PREFIX}*-*"):
        if Path("/proc", folder.name.removeprefix(_PREFIX).partition("-")[0]).exists():
            continue
        for process in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):  # others' processes, and those that have ended
                if (process / "cwd").readlink().is_relative_to(folder):
                    os.kill(int(process.name), signal.SIGKILL)
        shutil.rmtree(folder, ignore_errors=True)
