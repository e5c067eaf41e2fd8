"""A warehouse on a server of another machine: over TLS, with a password or a certificate, and a link that is cut."""

import datetime
import os
import subprocess
import sys
import threading
import time
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import pytest

pytest.importorskip("psycopg", reason="no psycopg (pip install 'bocage[postgres]')")

from simulator.rig import postgresql, two_paths
from tests.support import postgres_cluster
from tests.support.centre_world import NOW, TELEMETRY_TOPIC, batch, reading
from tools import cli
from tools.centre.broker.authority import Authority, new_key, pem_of_key
from tools.centre.ingest.warehouse import Warehouse
from tools.centre.limits import SERVER_SILENT_S
from tools.centre.rollup.worker import Worker
from tools.centre.store import database, schema
from tools.centre.store.archive import Archive

pytestmark = [pytest.mark.services, pytest.mark.root, pytest.mark.slow]

SPACE, HERE, THERE = f"bocage-db-{os.getpid()}", "10.203.47.1", "10.203.47.2"
ACCESS = """
local all all trust
hostssl all keyed all cert
hostssl all all all scram-sha-256
"""


class FarServer(postgres_cluster.Cluster):
    """A cluster in a network namespace, which is reached by one link and by TLS only."""

    def __init__(self, folder, log, options=()):
        super().__init__(folder, log, options)
        self._command = ["ip", "netns", "exec", SPACE, *self._command]
        self.certificates = folder.parent / "certificates"
        self.certificates.mkdir(mode=0o755)
        now = datetime.datetime.now(datetime.UTC)
        authority = Authority(self.certificates)
        authority.make("Territoire", now=now)
        for name, addresses in (("server", [THERE]), ("keyed", []), ("bocage", [])):
            key = new_key()
            self._write(f"{name}.key", pem_of_key(key))
            self._write(f"{name}.pem", authority.issue(name, key.public_key(), now=now, addresses=addresses))
        os.chown(self.certificates / "server.key", folder.stat().st_uid, -1)
        (folder / "data" / "pg_hba.conf").write_text(ACCESS, encoding="ascii")
        settings = {
            "listen_addresses": THERE, "ssl": "on", "ssl_ca_file": authority.certificate,
            "ssl_cert_file": self.certificates / "server.pem", "ssl_key_file": self.certificates / "server.key",
        }  # fmt: skip
        for name, value in settings.items():
            self._command += ["-c", f"{name}={value}"]

    def _write(self, name, data):
        path = self.certificates / name
        path.touch(mode=0o600 if name.endswith(".key") else 0o644)
        path.write_bytes(data)

    def far(self, user="bocage", more=""):
        """What `--db` is given on the other machine."""
        trusted = f"sslmode=verify-full&sslrootcert={self.certificates}/authority.pem"
        return f"postgresql://{user}@{THERE}/postgres?{trusted}{more}"

    def keyed(self):
        return self.far("keyed", f"&sslcert={self.certificates}/keyed.pem&sslkey={self.certificates}/keyed.key")


def ip(*words):
    subprocess.run(["ip", *words], check=True)


@contextmanager
def link():
    ip("netns", "add", SPACE)
    try:
        ip("link", "add", "bocage-db", "type", "veth", "peer", "name", "eth0", "netns", SPACE)
        ip("address", "add", f"{HERE}/30", "dev", "bocage-db")
        ip("link", "set", "bocage-db", "up")
        ip("-n", SPACE, "address", "add", f"{THERE}/30", "dev", "eth0")
        for device in ("lo", "eth0"):
            ip("-n", SPACE, "link", "set", device, "up")
        yield
    finally:
        subprocess.run(["ip", "link", "del", "bocage-db"], check=False)
        ip("netns", "del", SPACE)


def cut():
    ip("-n", SPACE, "link", "set", "eth0", "down")


def mend():
    ip("-n", SPACE, "link", "set", "eth0", "up")


@pytest.fixture
def far(tmp_path, monkeypatch):
    missing = two_paths.why_not()
    if missing is not None:
        pytest.skip(missing)
    with link(), postgresql.temporary(Path(os.devnull), above="/dev/shm", kind=FarServer) as server:
        with closing(database.open_unchecked(server.address())) as owner:
            owner.execute("ALTER ROLE bocage PASSWORD 'geheim'")
            owner.execute("CREATE ROLE keyed LOGIN IN ROLE bocage")
        passwords = tmp_path / "pgpass"
        passwords.touch(mode=0o600)
        passwords.write_text(f"{THERE}:*:*:bocage:geheim\n", encoding="ascii")
        monkeypatch.setenv("PGPASSFILE", str(passwords))
        yield server


NODES = [bytes(7) + bytes([n]) for n in range(1, 41)]
MESSAGES = [batch([reading(step, node=node) for node in NODES], 40 * step, oldest=0) for step in range(60)]
ROLLUP = [sys.executable, "-m", "tools", "centre", "rollup", "--lang", "fr", "--db"]


def accept(warehouse, message):
    """As the ingest does: what is refused is not acknowledged, and comes again."""
    for _ in range(40):
        with suppress(database.Error):
            return warehouse.accept(TELEMETRY_TOPIC, message, **NOW)
        time.sleep(0.5)
    raise AssertionError("the server is not found again")


def test_a_link_that_is_cut_and_mended_loses_nothing_and_blocks_nobody(far):
    """The server holds the lock of a writer whose machine is out of reach, until it notices that."""
    where = far.far()
    warehouse = Warehouse(where)
    worker = subprocess.Popen([*ROLLUP, where], stderr=subprocess.PIPE, text=True, env=postgres_cluster.environment())
    began_s = time.monotonic()
    for number, message in enumerate(MESSAGES):
        if number == 20:
            with pytest.raises(database.Error), database.transaction(warehouse._connection):
                cut()
                warehouse._connection.execute("SELECT 1")
            threading.Timer(3, mend).start()
        accept(warehouse, message)
    assert time.monotonic() - began_s < 4 * SERVER_SILENT_S
    warehouse.close()
    worker.kill()
    worker.communicate()
    assert subprocess.run([*ROLLUP, where, "--once"], env=postgres_cluster.environment()).returncode == 0

    straight = Warehouse(":memory:")
    for message in MESSAGES:
        straight.accept(TELEMETRY_TOPIC, message, **NOW)
    alone = Worker(straight._connection)
    while alone.step(99):
        pass
    with closing(schema.open_to_write(where)) as connection:
        assert Archive(connection).digest() == straight.digest()
        for table in ("hours", "days"):
            rows = [one.execute(f"SELECT * FROM {table} ORDER BY 1, 2, 3").fetchall()
                    for one in (connection, straight._connection)]  # fmt: skip
            assert rows[0] == rows[1] != []
    straight.close()


def said(capsys, where, language="fr"):
    assert cli.main(["centre", "stats", "--db", where, "--lang", language]) == 1
    shown = capsys.readouterr().err
    assert "geheim" not in shown and shown.count("\n") == 1
    return shown


def test_a_certificate_opens_it_without_a_password(far):
    Warehouse(far.far()).close()
    with closing(schema.open_to_read(far.keyed())) as connection:
        assert connection.execute("SELECT ssl, client_dn FROM pg_stat_ssl WHERE pid = pg_backend_pid()").fetchone() == (
            True, "/CN=keyed",
        )  # fmt: skip


def test_what_is_wrong_is_said_in_french_with_what_to_do(far, capsys, monkeypatch):
    Warehouse(far.far()).close()
    assert "PGPASSFILE" not in said(capsys, far.far("keyed"))
    monkeypatch.setenv("PGPASSFILE", "/nonexistent")
    assert ".pgpass" in said(capsys, far.far()) and "mot de passe" in said(capsys, far.far())
    stranger = far.far().replace("authority.pem", "keyed.pem")
    assert "sslrootcert" in said(capsys, stranger)
    assert "sslmode" in said(capsys, far.far().replace("verify-full", "disable"))
    cut()
    assert f"{THERE} ne répond pas" in said(capsys, far.far())
    mend()
    far.stop()
    assert f"{THERE} ne répond pas" in said(capsys, far.far())
