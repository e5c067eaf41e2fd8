"""A centre that is copied while it works and made again elsewhere; what `bocage centre status` says of each."""

import datetime
import json
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

pytest.importorskip("paho.mqtt.client", reason="paho-mqtt is not installed")

from tests.support.centre_world import TELEMETRY_TOPIC, readings
from tests.support.installed_centre import InstalledCentre, now
from tools import cli
from tools.centre.broker import authority, backup, health, installation, probe, roles, screens
from tools.centre.broker.authority import Authority
from tools.centre.broker.files import Place
from tools.centre.condition import notes
from tools.centre.control import file
from tools.centre.ingest.receipts import load_or_make
from tools.centre.ingest.warehouse import Warehouse
from tools.centre.scope import journal
from tools.centre.store import web_outbox
from tools.centre.store.archive import Ingest
from tools.command_line import Refused

pytestmark = pytest.mark.broker

NAME = "49007-mairie-1"


@pytest.fixture
def centre(mosquitto_path):
    with InstalledCentre(mosquitto_path) as made:
        yield made


def fill(place):
    """A warehouse that is open, with rows that only its log has yet, as the ingest's is."""
    warehouse = Warehouse(place.warehouse)
    warehouse.accept_group([("tc/1/t/49007/none", b"refused")], received_unix_s=1_800_000_000)
    file.open_to_write(str(place.control)).close()
    return warehouse, load_or_make(place.var / "warehouse.db.receipts.pem")


def refused(path):
    connection = sqlite3.connect(path)
    [found] = connection.execute("SELECT count(*) FROM refused").fetchone()
    connection.close()
    return found


def test_restored_elsewhere_it_is_the_same_centre(centre, mosquitto_path, capsys):
    """The cabinet reconnects with the certificate that it has; the receipts are signed by the same key."""
    warehouse, key = fill(centre.place)
    cabinet = centre.enrol(NAME)
    copies = centre.place.root / "usb"
    assert centre.run("backup", "--out", copies) == 0
    [folder] = backup.kept(copies)
    assert folder.stat().st_mode & 0o777 == 0o700
    warehouse.close()
    centre.kill()
    other = Place(centre.place.root.parent / "other")
    centre.become(other, folder)
    assert refused(other.warehouse) == 1
    assert load_or_make(other.var / "warehouse.db.receipts.pem").kid == key.kid
    with probe.trial(cabinet) as one:
        assert one.publishes("tc/1/t/49007/mairie-1") and not one.publishes("tc/1/t/49007/mairie-2")
    assert centre.run("revoke", NAME) == 0


def _leave_a_log(place, outbox):
    """What a process that was killed leaves beside an outbox: lines that stand in its log alone."""
    with closing(web_outbox.open_to_read(outbox)):
        notes.put_line(outbox, journal.Line(1_800_000_060, "Nobody", "access journal", "", "web"))
        place.web.mkdir(parents=True)
        shutil.copy(f"{outbox}-wal", web_outbox.path_of(str(place.web_data)) + "-wal")


def test_accounts_of_the_screens_and_what_waits_in_their_outbox_are_restored(centre):
    """With the key that signs sessions, in files that roll-up and control may read."""
    warehouse, _ = fill(centre.place)
    data = centre.place.web_data
    accounts = sqlite3.connect(data)
    made = "CREATE TABLE account (name TEXT); INSERT INTO account VALUES ('Léa')"
    accounts.executescript(f"PRAGMA journal_mode = WAL; {made}")
    Path(f"{data}.key").write_text("secret")
    outbox = web_outbox.path_of(str(data))
    notes.put_line(outbox, journal.Line(1_800_000_000, "Léa", "access journal", "", "web"))
    assert centre.run("backup") == 0
    [folder] = backup.kept(centre.place.backups)
    accounts.close()
    warehouse.close()
    other = Place(centre.place.root.parent / "other")
    _leave_a_log(other, outbox)
    centre.kill()
    backup.restore(other, folder, now=now())
    assert sqlite3.connect(other.web_data).execute("SELECT name FROM account").fetchall() == [("Léa",)]
    assert Path(f"{other.web_data}.key").read_text() == "secret"
    restored = Path(web_outbox.path_of(str(other.web_data)))
    assert sqlite3.connect(restored).execute("SELECT person FROM lines").fetchall() == [("Léa",)]
    files = (restored, other.web_data, other.warehouse_file, other.control)
    assert [path.stat().st_mode & 0o777 for path in files] == [0o660, 0o600, 0o640, 0o640]
    assert screens.origin(other) == "https://localhost"
    assert other.proxy_configuration.read_text() == centre.place.proxy_configuration.read_text().replace(
        str(centre.place.root), str(other.root)
    )


def test_certificate_of_the_screens_that_the_territory_chose_is_left_alone(centre, tmp_path):
    """And told in time, for nobody here renews it."""
    certificate, key = centre.place.pair(screens.NAME)
    elsewhere = Authority(tmp_path)
    elsewhere.make("A public authority", now=now())
    private = authority.new_key()
    key.write_bytes(authority.pem_of_key(private))
    chosen = elsewhere.issue("centre.example.fr", private.public_key(), now=now(), addresses=["localhost"], days=40)
    certificate.write_bytes(chosen)
    assert centre.run("init", "localhost", "--port", centre.port) == 0
    assert certificate.read_bytes() == chosen
    found = [" ".join(said(centre, datetime.timedelta(days=days))) for days in (20, 30)]
    assert ["the certificate of the screens ends on" in text for text in found] == [False, True]


def test_port_80_and_443_are_of_the_address_that_people_type(centre):
    text = centre.place.proxy_configuration.read_text()
    assert text.count("server_name localhost;") == 2 and "return 301 https://localhost$request_uri" in text
    centre.place.web_setting.write_text("ORIGIN=https://ecrans.example.fr\nOPTIONS=--kwh-price 0.2\n")
    assert centre.run("init", "localhost", "--port", centre.port) == 0
    assert centre.place.proxy_configuration.read_text().count("server_name ecrans.example.fr;") == 2
    assert "--kwh-price" in centre.place.web_setting.read_text(), "what a person wrote stays"


def test_nothing_is_overwritten_and_a_damaged_copy_is_refused(centre, capsys):
    warehouse, _ = fill(centre.place)
    assert centre.run("backup") == 0
    warehouse.close()
    [folder] = backup.kept(centre.place.backups)
    assert centre.run("restore", folder) == 1
    assert "nothing is overwritten" in capsys.readouterr().err
    elsewhere = Place(centre.place.root.parent / "other")
    for name in ("warehouse.db", "etc/authority.key", "var/dynamic-security.json"):
        path = folder / name
        whole = path.read_bytes()
        path.write_bytes(whole[:-1] + b"?")
        with pytest.raises(Refused, match="not what was saved"):
            backup.restore(elsewhere, folder, now=now())
        path.write_bytes(whole)
    planted = folder / "etc/issued/49007-voleur.pem"
    planted.write_bytes(b"")
    with pytest.raises(Refused, match="not what was saved"):
        backup.restore(elsewhere, folder, now=now())
    (folder / backup.MANIFEST).unlink()
    with pytest.raises(Refused, match="no finished backup"):
        backup.restore(elsewhere, folder, now=now())
    assert not elsewhere.etc.exists()


def test_a_damaged_warehouse_ends_the_backup_and_the_older_ones_stay(centre, capsys):
    warehouse, _ = fill(centre.place)
    warehouse.close()
    assert centre.run("backup", "--keep", 1) == 0
    with centre.place.warehouse_file.open("r+b") as damaged:
        damaged.seek(4096)
        damaged.write(b"\xff" * 4096)
    assert centre.run("backup", "--keep", 1) == 1
    assert len(backup.kept(centre.place.backups)) == 1


def test_so_many_are_kept_and_an_unfinished_one_is_none(centre):
    fill(centre.place)[0].close()
    for second in range(3):
        backup.make(centre.place, centre.place.backups, keep=2, now=now() + datetime.timedelta(seconds=second))
    (centre.place.backups / "2020-01-01T000000.unfinished").mkdir()
    backup.make(centre.place, centre.place.backups, keep=2, now=now() + datetime.timedelta(seconds=9))
    assert len(list(centre.place.backups.iterdir())) == 2


def said(centre, later=datetime.timedelta()):
    return {one.sentence("en"): one for one in health.findings(centre.place, now=now() + later)}


def test_status_names_what_is_wrong_and_what_to_do(centre, capsys):
    warehouse, _ = fill(centre.place)
    warehouse.close()
    (centre.place.root / "etc/mosquitto/mosquitto.conf").write_text(centre.configuration)
    assert centre.run("status") == 1
    page = capsys.readouterr().out
    assert "✗ there is no backup" in page and "✓ the broker answers by TLS 1.3 and knows 0 cabinets" in page
    assert "✓ 11 settings of Mosquitto are sound" in page and "✓ no certificate ends before" in page
    centre.run("backup")
    centre.enrol(NAME)
    capsys.readouterr()
    found = said(centre)
    assert found["nothing received for half an hour from: 49007-mairie-1"].is_fault
    assert any(text.startswith("the last backup is 0 h old") for text in found)
    late = said(centre, datetime.timedelta(days=800))
    [ending] = [one for text, one in late.items() if "49007-mairie-1 (" in text]
    assert not ending.is_fault and "gateway setup --certificate" in ending.to_do("en")
    assert [one for text, one in late.items() if "broker (" in text and "centre renew" in one.to_do("en")]
    centre.kill()
    assert any(one.is_fault and text.startswith("the broker does not answer") for text, one in said(centre).items())
    assert centre.run("status", "--json") == 1
    plain = json.loads(capsys.readouterr().out)
    assert any(one["to_do"] for one in plain)


def test_status_names_a_copied_certificate_and_an_account_that_nobody_enrolled(centre):
    cabinet, stranger = centre.enrol(NAME), centre.enrol("49007-inconnu")
    log = centre.place.root / "var/log/mosquitto/mosquitto.log"
    log.parent.mkdir(parents=True)
    for _ in range(10):
        with probe.trial(cabinet), probe.trial(cabinet):
            pass
    log.write_bytes(centre.log.read_bytes())
    for path in (centre.place.etc / "issued/49007-inconnu").iterdir():
        path.unlink()
    found = said(centre)
    assert found["two machines use one cabinet's certificate: 10 × 49007-mairie-1"].is_fault
    assert found["accounts of the broker that were not enrolled here: 49007-inconnu"].is_fault
    assert stranger


def test_what_ends_soon_is_renewed_and_the_rest_stays(centre):
    assert installation.renew(centre.place, None, now=now()) == []
    later = now() + datetime.timedelta(days=740)
    assert installation.renew(centre.place, None, now=later) == ["broker", screens.NAME, *roles.accounts(1)]
    assert installation.renew(centre.place, ["centre.example.fr"], now=later) == ["broker", screens.NAME]


def test_status_says_when_hours_were_computed_and_records_purged_and_what_to_do_where_they_were_not(centre, capsys):
    warehouse, _ = fill(centre.place)
    warehouse.accept(TELEMETRY_TOPIC, readings(0, 3), received_unix_s=int(now().timestamp()))
    warehouse.close()
    database = ("--db", str(centre.place.warehouse_file))
    assert not {"the last purge is 0 h old", "nothing has ever been purged"} & set(said(centre))
    days = datetime.timedelta(days=3)
    never = said(centre, days)
    assert "start bocage-purge" in never["nothing has ever been purged"].to_do("en")
    assert "restart bocage-rollup" in never["hours and days have never been computed"].to_do("en")
    assert cli.main(["centre", "rollup", *database, "--once"]) == cli.main(["centre", "purge", *database]) == 0
    done, late = said(centre), said(centre, days)
    for text in ("the last purge is {} h old", "hours and days were last computed {} h ago"):
        assert done[text.format(0)].remedy is None
        assert late[text.format(72)].remedy is not None and not late[text.format(72)].is_fault


def test_status_names_the_cabinets_that_wait_for_debians_updates(centre):
    warehouse, _ = fill(centre.place)
    unix_s = int(now().timestamp())
    for first, received_s in ((0, unix_s - 50 * 86_400), (4, unix_s)):
        warehouse.accept(TELEMETRY_TOPIC, readings(first, first + 3), received_unix_s=received_s)
    warehouse.close()
    assert not any("Debian" in text for text in said(centre)), "a cabinet that was never enrolled is none of ours"
    centre.enrol(NAME)
    [old] = [one for text, one in said(centre).items() if "49007-mairie-1 (50)" in text]
    assert not old.is_fault and "agents campaign --system" in old.to_do("en")


def test_ingests_are_added_and_taken_out_and_counted(centre, capsys):
    warehouse, _ = fill(centre.place)
    unix_s = int(now().timestamp())
    assert said(centre)["not at work: ingest-1"].is_fault
    warehouse.note_ingest(Ingest("ingest-1", unix_s, unix_s, 7))
    assert "1 ingest receives records" in said(centre)
    again = ("init", "localhost", "127.0.0.1", "--port", centre.port)
    assert centre.run(*again, "--ingests", 2) == 0
    centre.kill()
    centre.start()
    assert probe.is_allowed(centre.centre("ingest-2"), "subscribes", "$share/ingest/tc/1/t/#")
    found = said(centre)["not at work: ingest-2"]
    assert found.is_fault and "--ingests" in found.to_do("en")
    late = said(centre, datetime.timedelta(minutes=3))
    assert late["not at work: ingest-1, ingest-2"].is_fault
    # Its session would keep its share of the messages for a week.
    gone = centre.centre("ingest-2")
    client = probe.mqtt.new_client(gone)
    one = probe.Trial(client)
    probe.mqtt.connect(client, gone)
    assert one.offer() and one.subscribes("$share/ingest/tc/1/t/#")
    client.disconnect()
    warehouse.end_ingest("ingest-2", now_s=unix_s)
    assert centre.run(*again, "--ingests", 1) == 0
    cabinet = centre.enrol(NAME)
    with probe.trial(centre.centre(roles.INGEST)) as group, probe.trial(cabinet) as sender:
        assert group.subscribes("$share/ingest/tc/1/t/#")
        assert all(sender.publishes("tc/1/t/49007/mairie-1", b"%d" % number) for number in range(10))
        group._wait(lambda: len(group.received) == 10)
        assert len(group.received) == 10
    assert not centre.place.pair("ingest-2")[1].exists()
    assert centre.run(*again, "--ingests", 0) == 2
    warehouse.close()


def test_init_again_changes_nothing_and_a_user_without_rights_is_told(centre, capsys, monkeypatch):
    before = {path: path.read_bytes() for path in centre.place.root.rglob("*") if path.is_file() and path != centre.log}
    assert centre.run("init", "localhost", "127.0.0.1", "--port", centre.port) == 0
    assert before == {path: path.read_bytes() for path in before}
    assert centre.run("init", "no name") == 2
    empty = Place(centre.place.root / "empty")
    with pytest.raises(Refused, match="no centre yet"):
        health.findings(empty, now=now())
    monkeypatch.setattr("os.access", lambda *_: False)
    assert centre.run("status") == 1
    assert "with sudo" in capsys.readouterr().err
