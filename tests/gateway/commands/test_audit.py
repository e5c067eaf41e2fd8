"""What `bocage gateway audit` shows: the entries, and that nobody has changed them."""

import json
from contextlib import closing
from types import SimpleNamespace

import pytest

from gateway.core.cabinet.audit import Audit
from gateway.core.custody.disk import SharedFolder
from gateway.io.disk import FileDisk
from tests.support.commands import run_command


@pytest.fixture
def config(tmp_path):
    with closing(FileDisk(tmp_path / "state", lambda *_: None)) as disk:
        audit = Audit(SharedFolder(disk, "audit"))
        audit.write("command", unix_s=1_795_600_000, uptime_s=5, id="01", by="Mme Martin (maire)", data="d2" * 40)
        audit.write("lease", unix_s=None, uptime_s=9, held=True)
    return SimpleNamespace(data=tmp_path)


def show(config, capsys, *words, **options):
    return run_command("audit", config, *words, **options), capsys.readouterr().out


def test_entries_are_listed_with_who_and_when_and_the_chain_is_sound(config, capsys):
    status, said = show(config, capsys)
    assert status == 0 and "Mme Martin (maire)" in said and "commande reçue" in said
    assert "date inconnue" in said and "Chaîne intacte : 2 inscriptions" in said and "d2d2" not in said


def test_a_line_that_was_changed_is_an_alarm_with_what_to_do(config, capsys):
    (file,) = (config.data / "state").glob("audit-*.log")
    file.write_bytes(file.read_bytes().replace(b"Martin", b"Durand"))
    status, said = show(config, capsys, lang="en")
    assert status == 1 and "CHAIN BROKEN: audit-00000001.log, line 2" in said and "tell the commune" in said


def test_programs_get_everything(config, capsys):
    status, said = show(config, capsys, json=True)
    told = json.loads(said)
    assert status == 0 and [entry["what"] for entry in told["entries"]] == ["command", "lease"]
    assert told["broken"] == [] and told["head"]["entries"] == 2


def test_entries_of_an_unknown_time_are_never_left_out(config, capsys):
    _, said = show(config, capsys, "--since", "2026-11-26T12:00")
    assert "commande reçue" not in said and "commandes du centre" in said
