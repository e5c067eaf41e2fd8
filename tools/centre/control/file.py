"""Defines the tables of the control file, opens it, and holds the lock of the daemon that serves it.

A command, a policy and a key set are kept as they were signed; the columns beside the bytes are for finding them. Times
are Unix seconds of the centre's clock, unless a column states otherwise. `feeder` '' is the cabinet as a whole.

The daemon's lock is a file beside it, `<control file>.daemon`, whose lock ends with the process, however that ends, and
which states in JSON which broker the daemon uses and whether it reaches it. One daemon serves a file. POSIX, one host:
a lock is not seen over a network.
"""

import fcntl
import json
import os
import time
from typing import NamedTuple

from gateway.language import N_
from tools.centre.store import database, sqlite_file

# From 100 on, so that a warehouse (from 1) is never mistaken for this file.
VERSION = 101

_TABLES = """
-- plain: the CBOR of the set; signed: the COSE_Sign that made it follow the one before, NULL for one installed by hand.
CREATE TABLE keysets (
    insee TEXT NOT NULL, version INTEGER NOT NULL, plain BLOB NOT NULL, signed BLOB, kept_unix_s INTEGER NOT NULL,
    PRIMARY KEY (insee, version)
) WITHOUT ROWID;
CREATE TABLE policies (
    insee TEXT NOT NULL, version INTEGER NOT NULL, signed BLOB NOT NULL, kid BLOB NOT NULL,
    kept_unix_s INTEGER NOT NULL,
    PRIMARY KEY (insee, version)
) WITHOUT ROWID;

-- heard: its own word, not a state that the broker retained or sent for it. online: 1, 0, NULL when nobody said.
-- The versions are those of its last ask, NULL before the first.
CREATE TABLE gateways (
    insee TEXT NOT NULL, name TEXT NOT NULL, first_unix_s INTEGER NOT NULL, heard_unix_s INTEGER,
    online INTEGER, online_unix_s INTEGER,
    asked_unix_s INTEGER, granted_s INTEGER, policy_version INTEGER, keyset_version INTEGER,
    PRIMARY KEY (insee, name)
) WITHOUT ROWID;

-- gateway NULL: every cabinet of the commune. ends: the command that this one ends. trade: who may see it
-- (`tools.centre.scope.grants`).
CREATE TABLE commands (
    number INTEGER PRIMARY KEY AUTOINCREMENT, id BLOB NOT NULL UNIQUE, insee TEXT NOT NULL, gateway TEXT,
    trade TEXT NOT NULL, expires_s INTEGER NOT NULL, ends BLOB, signed BLOB NOT NULL, kid BLOB NOT NULL,
    made_unix_s INTEGER NOT NULL
);
CREATE INDEX commands_by_expiry ON commands (expires_s);
CREATE INDEX commands_by_end ON commands (ends) WHERE ends IS NOT NULL;

-- What the broker said of the last sending; problem NULL: it took it for the gateway.
CREATE TABLE sendings (
    command BLOB NOT NULL, gateway TEXT NOT NULL, first_unix_s INTEGER NOT NULL, last_unix_s INTEGER NOT NULL,
    times INTEGER NOT NULL, problem TEXT,
    PRIMARY KEY (command, gateway)
) WITHOUT ROWID;
-- Each word of each feeder once, in the order in which they came. unix_s is the gateway's clock.
CREATE TABLE outcomes (
    number INTEGER PRIMARY KEY AUTOINCREMENT, command BLOB NOT NULL, gateway TEXT NOT NULL, feeder TEXT NOT NULL,
    outcome TEXT NOT NULL, why TEXT, power_dw INTEGER, unix_s INTEGER, heard_unix_s INTEGER NOT NULL,
    UNIQUE (command, gateway, feeder, outcome)
);

CREATE TABLE counters (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
"""

SCHEMA = database.Schema(N_("a control file"), VERSION, _TABLES)


def open_to_write(path: str) -> sqlite_file.Connection:
    """Returns a connection that may write, on a file made where there is none; sqlite3.Error for another kind of
    file."""
    return database.made(SCHEMA, sqlite_file.open_to_write(path))


def open_to_read(path: str) -> sqlite_file.Connection:
    """Returns a connection that cannot write; sqlite3.Error for no file or another kind of file."""
    return database.checked(SCHEMA, sqlite_file.open_to_read(path))


# --- the daemon that serves it ----------------------------------------------------------------------------------

# `serving_daemon` holds the lock for an instant; a daemon that starts just then tries again.
_TRIES = 5
_TRY_S = 0.1
_BYTES_MAX = 1024


class Busy(Exception):
    """Is raised when another daemon serves this file."""


class DaemonState(NamedTuple):
    """Holds the state of the daemon that serves a file. `connected` None: not known at this instant. `broker` is
    HOST:PORT."""

    broker: str
    connected: bool | None
    since_unix_s: int


class DaemonLock:
    """Holds the lock beside a control file, which the daemon holds as long as it runs."""

    def __init__(self, path: str, broker: str) -> None:
        """Acquires the lock. Raises OSError when the folder refuses, Busy when another daemon holds it."""
        self._broker = broker
        sqlite_file.make(_lock_path(path))
        self._file = os.open(_lock_path(path), os.O_RDWR | os.O_CLOEXEC)
        for left in reversed(range(_TRIES)):
            try:
                fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if not left:
                    os.close(self._file)
                    raise Busy from None
                time.sleep(_TRY_S)

    def report(self, *, connected: bool, now_s: int) -> None:
        """Writes the state that `serving_daemon` returns from now on."""
        state = json.dumps({"broker": self._broker, "connected": connected, "since_unix_s": now_s}).encode()
        os.pwrite(self._file, state.ljust(_BYTES_MAX), 0)

    def close(self) -> None:
        os.close(self._file)


def serving_daemon(path: str) -> DaemonState | None:
    """Returns the state of the daemon that serves the control file at `path`; None when none does."""
    try:
        file = os.open(_lock_path(path), os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        return None
    except BlockingIOError:
        return _read(os.pread(file, _BYTES_MAX, 0))
    finally:
        os.close(file)


def _read(data: bytes) -> DaemonState:
    try:
        found = json.loads(data)
        return DaemonState(str(found["broker"]), bool(found["connected"]), int(found["since_unix_s"]))
    except (ValueError, KeyError, TypeError):
        return DaemonState("", None, 0)  # it is just starting


def _lock_path(path: str) -> str:
    return f"{path}.daemon"
