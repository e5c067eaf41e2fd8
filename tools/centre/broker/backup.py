"""Copies a running centre into a folder, and makes a machine that centre again from such a folder.

    2026-11-29T0215/   warehouse.db  control.db  duty.db  etc/  var/  web/  manifest.json

The databases are copied by SQLite's online backup: one instant of each, while ingest and control go on. Each copy is
checked as SQLite checks it. A warehouse on a server is `warehouse.dump` instead (`dump.py`). The manifest has length
and SHA-256 of every file: a folder without one was never finished. It holds the keys of the territory, so it is root's
alone. What Mosquitto keeps (sessions, retained messages) is not in it: cabinets ask again. Must not know a table.
"""

import datetime
import hashlib
import json
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

from gateway.language import N_
from tools.centre.broker import dump, installation
from tools.centre.broker.files import BROKER_USER, USER, WEB_USER, Place, give, server_named, sync, write
from tools.centre.duty import rota
from tools.centre.limits import FILE_MODE, OUTBOX_MODE
from tools.centre.store import database, web_outbox
from tools.centre.store.sqlite_file import uri_to_read
from tools.command_line import Refused

VERSION = 2
MANIFEST = "manifest.json"
_WEB, _KEY = "web", ".key"
_PARTIAL, _NAME = ".unfinished", "%Y-%m-%dT%H%M%S"


def make(place: Place, above: Path, *, keep: int, now: datetime.datetime) -> Path:
    """Writes a backup below `above`, deletes all but the newest `keep`, and returns its folder. Refused; OSError."""
    above.mkdir(parents=True, exist_ok=True)
    for left in above.glob(f"*{_PARTIAL}"):
        shutil.rmtree(left)
    name = now.strftime(_NAME)
    partial = above / f"{name}{_PARTIAL}"
    partial.mkdir(mode=0o700)
    if database.is_server(place.warehouse):
        dump.write(place, partial / dump.NAME)
    for path in (place.warehouse_file, place.control, place.duty_book):
        if path.exists():
            _copy_database(path, partial / path.name)
    for path in _of_web(place):
        (partial / _WEB).mkdir(exist_ok=True)
        if path.suffix == _KEY:
            _copy_file(path, partial / _WEB / path.name)
        else:
            _copy_database(path, partial / _WEB / path.name)
    _copy_files(place.etc, partial / "etc")
    for file in (place.roles, place.broker_configuration, *place.var.glob("*.pem")):
        if file.exists():
            _copy_file(file, partial / "var" / file.name)
    files = {str(path.relative_to(partial)): _digest(path) for path in sorted(_files(partial))}
    manifest = {"version": VERSION, "made_unix_s": int(now.timestamp()), "files": files}
    write(partial / MANIFEST, json.dumps(manifest, indent=1).encode())
    made = partial.rename(above / name)
    sync(above)
    for old in kept(above)[:-keep]:
        shutil.rmtree(old)
    return made


def kept(above: Path) -> list[Path]:
    """Returns the folders of finished backups, the oldest first."""
    return sorted(path.parent for path in above.glob(f"*/{MANIFEST}") if not path.parent.name.endswith(_PARTIAL))


def newest(above: Path) -> datetime.datetime | None:
    """Returns when the last backup was made, by the name of its folder alone: what is in it is root's."""
    found = None
    for path in above.iterdir():
        with suppress(ValueError):
            made = datetime.datetime.strptime(path.name, _NAME).replace(tzinfo=datetime.UTC)
            found = made if found is None else max(found, made)
    return found


def made_at(folder: Path) -> datetime.datetime:
    """Returns when a backup was made. Refused where this is none."""
    return datetime.datetime.fromtimestamp(_manifest(folder)["made_unix_s"], datetime.UTC)


def restore(
    place: Place, folder: Path, *, now: datetime.datetime, server: str | None = None
) -> datetime.datetime:
    """Makes this machine the centre of a backup, and returns when that was made. Refused for a folder that is damaged,
    and where there is a centre already; OSError; database.Error. `server`: where the warehouse is to be, if not where
    it was."""
    manifest = _manifest(folder)
    for there in (place.etc / "authority.key", place.warehouse_file, place.control):
        if there.exists():
            message = N_("{path} exists: nothing is overwritten. Stop the services and move {folder} away first.")
            raise Refused(message, path=there, folder=there.parent)
    found = {str(path.relative_to(folder)): _digest(path) for path in _files(folder) if path != folder / MANIFEST}
    if altered := [name for name in {**found, **manifest["files"]} if found.get(name) != manifest["files"].get(name)]:
        message = N_("{path} is not what was saved: take another copy of this backup, or an older one")
        raise Refused(message, path=folder / altered[0])
    where = server_named(folder / "etc" / place.setting.name)
    if server is not None and where is None:
        raise Refused(N_("--db {path}: the warehouse of this backup is a file"), path=server)
    if where is not None:
        dump.check_empty(place, server or where)
        dump.load(place, folder / dump.NAME, server or where)
    _copy_files(folder / "etc", place.etc)
    if server is not None:
        installation.name_server(place, server)
    for path in (place.warehouse_file, place.control, place.duty_book):
        if (folder / path.name).exists():
            _copy_file(folder / path.name, path, USER, mode=FILE_MODE)  # the screens are of its group
    for path in (folder / _WEB).glob("*"):
        is_outbox = path.suffix not in (_KEY, place.web_data.suffix)
        for log in ("-wal", "-shm"):  # of a file that stood here before: SQLite would write it into this one
            (place.web / (path.name + log)).unlink(missing_ok=True)
        _copy_file(path, place.web / path.name, WEB_USER, USER, mode=OUTBOX_MODE if is_outbox else None)
    for path in (folder / "var").iterdir():
        if path.suffix == ".pem":
            _copy_file(path, place.var / path.name, USER)
    _copy_file(folder / "var" / place.roles.name, place.roles, BROKER_USER)
    _copy_file(folder / "var" / place.broker_configuration.name, place.broker_configuration)
    # The configuration names the plugin's file, which another kind of machine has elsewhere.
    installation.install(place, None, port=installation.port(place), now=now)
    return made_at(folder)


def _copy_database(source: Path, target: Path) -> None:
    reading = sqlite3.connect(uri_to_read(str(source)), uri=True)
    with closing(reading) as here, closing(sqlite3.connect(target)) as there:
        here.backup(there)  # all pages in one turn: writers go on beside it
        there.execute("PRAGMA journal_mode = DELETE")
        [found] = there.execute("PRAGMA quick_check(1)").fetchone()
        if found != "ok":
            raise Refused(N_("{path} is damaged: {error}. The older backups stay."), path=source, error=found)
    target.chmod(0o600)
    sync(target)


def _copy_files(source: Path, target: Path) -> None:
    for path in _files(source):
        _copy_file(path, target / path.relative_to(source))


def _of_web(place: Place) -> Iterator[Path]:
    """Yields what the screens keep: accounts and sessions, the key that signs them, the outbox, the rota."""
    data = str(place.web_data)
    beside = (data + _KEY, web_outbox.path_of(data), rota.path_of(data))
    yield from (path for path in (place.web_data, *map(Path, beside)) if path.exists())


def _copy_file(
    source: Path, target: Path, user: str | None = None, group: str | None = None, *, mode: int | None = None
) -> None:
    """Copies bytes and mode, or gives it another mode; the owner is root, or the user that the service runs as."""
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(source, target)
    if mode is not None:
        target.chmod(mode)
    if target.name == "broker.key":
        give(target, None, BROKER_USER)
    if user is not None:
        give(target, user, group or user)
    sync(target)


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in folder.rglob("*") if path.is_file())


def _digest(path: Path) -> dict:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256")
        return {"bytes": file.tell(), "sha256": digest.hexdigest()}


def _manifest(folder: Path) -> dict:
    try:
        manifest = json.loads((folder / MANIFEST).read_bytes())
        if manifest["version"] == VERSION:
            return manifest
    except (OSError, ValueError, KeyError, TypeError):
        pass
    raise Refused(N_("{folder} is no finished backup of this version"), folder=folder)
