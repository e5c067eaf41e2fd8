"""The command line: exact exports, figures, and errors that name the field and the remedy."""

import csv
import io
import json

import pytest

from gateway.io.crypto import verify_ed25519
from gateway.language import N_
from tests.support.centre_world import (
    EVENT_TOPIC,
    GATEWAY,
    NODE,
    NOW,
    TELEMETRY_TOPIC,
    batch,
    fact,
    reading,
    readings,
    synced,
    unset,
)
from tools import cli
from tools.centre import report
from tools.centre.arguments import parse_broker
from tools.centre.commands.export import CSV_COLUMNS, decimal
from tools.centre.ingest import receipts
from tools.centre.ingest.warehouse import Answer, Warehouse
from tools.policy import keys
from wire import event, receipt
from wire.receipt import Receipt


@pytest.fixture
def path(tmp_path):
    """A warehouse with a reading, a conflict, an uptime, an event and an alarm."""
    path = str(tmp_path / "centre.db")
    warehouse = Warehouse(path)
    telemetry = [
        reading(0, {6: -7, 262: 2137, 77: 5}, stamp=synced(1_790_000_000, 3)),
        reading(1, {4: 12}, stamp=unset(40)),
        reading(1, {4: 13}, stamp=unset(40)),
    ]
    warehouse.accept(TELEMETRY_TOPIC, batch(telemetry), **NOW)
    events = [fact(3, event.GAP, [NODE, 9, 0, None, "full"], node=GATEWAY)]
    warehouse.accept(EVENT_TOPIC, batch(events, lane="event"), **NOW)
    alarms = [fact(4, event.LAMP_FAILURE, {1: 3}, active=True)]
    warehouse.accept(EVENT_TOPIC, batch(alarms, lane="alarm"), **NOW)
    warehouse.close()
    return path


def run(*arguments):
    return cli.main(["centre", *arguments])


@pytest.mark.parametrize(
    ("value", "exponent", "text"),
    [(2137, -2, "21.37"), (-7, -2, "-0.07"), (0, -3, "0.000"), (5, 0, "5"), (-12, 2, "-1200"), (0, 2, "0")],
)
def test_decimals_are_exact(value, exponent, text):
    assert decimal(value, exponent) == text


def test_senml_is_json_with_every_digit(path, capsys):
    assert run("export", "--db", path) == 0
    text = capsys.readouterr().out
    assert '"n":"temp","u":"Cel","v":-0.07}' in text
    entries = json.loads(text, parse_float=str)
    assert entries[2] == {"n": "temp.1", "u": "Cel", "v": "21.37"}
    opening = {"bn": NODE.hex() + "/", "bt": 1_790_000_000, "boot": 1, "seq": 0, "q": 7}
    assert {name: entries[0][name] for name in opening} == opening
    assert {"n": "q77", "v": 5} in entries
    uptimes = [entry for entry in entries if "up" in entry]
    assert [(entry["bt"], entry["up"], entry.get("conflict")) for entry in uptimes] == [
        (0, 40, None),
        (0, 40, True),
    ]
    assert {"n": "power", "u": "W", "v": "0.3"} in entries
    assert [entry["vb"] for entry in entries if entry.get("n") == "lampFailure"] == [True]
    assert all(isinstance(entry["vd"], str) for entry in entries if entry.get("n") == "gap")


def test_csv_has_units_and_one_line_a_reading(path, capsys):
    assert run("export", "--db", path, "--format", "csv", "--node", NODE.hex()) == 0
    lines = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert tuple(lines[0]) == CSV_COLUMNS
    named = {(line["sequence"], line["name"], line["conflict"]): line for line in lines}
    assert len(named) == 7
    temperature = named["0", "temp.1", ""]
    assert (temperature["value"], temperature["unit"], temperature["unix_s"]) == (
        "21.37",
        "Cel",
        "1790000000",
    )
    assert (named["1", "energy", ""]["unix_s"], named["1", "energy", ""]["uptime_s"]) == ("", "40")
    assert named["1", "energy", "yes"]["value"] == "13"
    assert named["4", "lampFailure", ""]["value"] == "true"


def test_export_of_an_empty_warehouse_is_an_empty_array(tmp_path, capsys):
    path = str(tmp_path / "empty.db")
    Warehouse(path).close()
    assert run("export", "--db", path) == 0
    assert json.loads(capsys.readouterr().out) == []


def test_stats_tell_what_is_held_and_what_is_not(path, capsys):
    assert run("stats", "--db", path, "--json") == 0
    figures = json.loads(capsys.readouterr().out)
    assert (figures["records"], figures["conflicts"], figures["gaps"]) == (4, 1, 1)
    assert figures["records_by_lane"] == {"alarm": 1, "event": 1, "telemetry": 2}
    # Of the lamp 2 and 3 of boot 1; of the gateway's own boot 1 the first three.
    assert figures["missing"] == 2 + 3
    (gateway,) = figures["gateways"]
    assert {prefix["lane"]: prefix["next_position"] for prefix in gateway["prefixes"]} == {
        "telemetry": 3,
        "event": 1,
        "alarm": 1,
    }
    assert run("stats", "--db", path) == 0
    assert "49007-mairie-1" in capsys.readouterr().out


def test_unbind_lets_another_gateway_take_the_name(path, capsys):
    assert run("unbind", "--db", path, "--gateway", "49007-mairie-1") == 0
    warehouse = Warehouse(path)
    assert len(warehouse.accept(TELEMETRY_TOPIC, readings(0, 0, gateway=b"gateway2"), **NOW)) == 1
    assert warehouse.counters["refused"] == 0
    warehouse.close()
    assert run("unbind", "--db", path, "--gateway", "49007-nobody") == 2
    assert "aucune armoire" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("stats", "--db", "absent.db"), ("--db absent.db", "ingest")),
        (("export", "--db", "absent.db", "--node", "12"), ("--node 12", "16 hexadecimal")),
        (("ingest", "--db", "x", "--broker", "host"), ("--broker", "HOST:PORT")),
        (("ingest", "--db", "x", "--broker", "host:99999"), ("--broker", "HOST:PORT")),
        (("ingest", "--db", "x", "--broker", "h:1"), ("--ca", "--insecure")),
        (
            ("ingest", "--db", "x", "--broker", "h:1", "--ca", "absent.pem"),
            ("--ca absent.pem", "no such file"),
        ),
        (
            ("ingest", "--db", "x", "--broker", "h:1", "--ca", "a", "--cert", "b"),
            ("--cert and --key", "both"),
        ),
        (("ingest", "--db", "x", "--broker", "h:1", "--insecure", "--ca", "a"), ("--insecure", "leave")),
    ],
)
def test_errors_name_the_field_and_the_remedy(tmp_path, monkeypatch, capsys, arguments, words):
    monkeypatch.chdir(tmp_path)
    assert run(*arguments, "--lang", "en") == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    for word in words:
        assert word in said


def test_the_key_of_receipts_is_made_once_and_its_public_half_is_for_the_key_set(tmp_path, capsys):
    named = ("receipt-key", "--db", str(tmp_path / "centre.db"), "--name", "Entrepôt du SIEML")
    assert run(*named) == 0
    line = capsys.readouterr().out
    assert run(*named, "--out", str(tmp_path / "w.pub")) == 0
    assert (tmp_path / "w.pub").read_text() == line
    private = tmp_path / "centre.db.receipts.pem"
    assert private.stat().st_mode & 0o777 == 0o600 and sorted(tmp_path.iterdir()) == [private, tmp_path / "w.pub"]
    key = receipts.load_or_make(private)
    assert keys.load_warehouse(tmp_path / "w.pub") == (key.public, "Entrepôt du SIEML")
    made = Receipt(GATEWAY, b"epoch-01", event.ALARM, 3, ())
    assert receipt.opened(key.payload(Answer("", made)), GATEWAY, (key.public,), verify_ed25519) == made


@pytest.mark.parametrize(("content", "mode", "words"), [(None, 0o640, "chmod 600"), (b"other", 0o600, "Ed25519")])
def test_a_key_of_receipts_that_cannot_be_used_is_refused(tmp_path, capsys, content, mode, words):
    private = tmp_path / "r.pem"
    receipts.load_or_make(private)
    if content is not None:
        private.write_bytes(content)
    private.chmod(mode)
    listen = ("ingest", "--db", str(tmp_path / "x.db"), "--broker", "127.0.0.1:1", "--insecure")
    for command in (listen, ("receipt-key", "--db", "x", "--name", "n")):
        assert run(*command, "--receipt-key", str(private)) == 1
        said = capsys.readouterr().err
        assert str(private) in said and words in said and "BEGIN" not in said


def test_file_that_is_no_warehouse_is_said_so(tmp_path, capsys):
    other = tmp_path / "notes.txt"
    other.write_text("not a database at all, but long enough to be looked at" * 20)
    assert run("stats", "--db", str(other)) == 1
    assert f"--db {other}" in capsys.readouterr().err


def test_broker_address_may_be_ipv6():
    assert parse_broker("[::1]:8883") == ("::1", 8883)


@pytest.mark.parametrize("command", ["ingest", "receipt-key", "stats", "export", "unbind"])
def test_help_has_an_example(capsys, command):
    with pytest.raises(SystemExit):
        run(command, "--help")
    assert f"bocage centre {command} --db" in capsys.readouterr().out


def test_table_that_is_too_wide_breaks_a_word_and_no_date():
    columns = [report.Column(name, N_(name)) for name in ("street", "since", "state")]
    row = {"street": "avenue du Maréchal-Ferrant", "since": "2026-11-30 04:45", "state": "lit"}
    lines = report.table(columns, [row], "en", 35)
    assert "2026-11-30 04:45" in lines[1] and "Maréchal-Ferrant" not in "\n".join(lines) and max(map(len, lines)) <= 35
