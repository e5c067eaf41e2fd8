"""Few rounds of the proof on damaged files, and the planted bugs that it must see."""

import json
import os

import pytest

from gateway.core.custody import recovery, segment
from gateway.core.custody.journal import Journal
from simulator.world.chance import Prng
from tools import cli
from tools.prove import corrupt, damage
from tools.prove.cabinet import Cabinet, real_disks
from wire import event
from wire.record import EventBody


@pytest.mark.slow
def test_it_always_starts_and_every_loss_is_reported(capsys):
    assert cli.main(["prove", "corrupt", "--rounds", "12", "--seed", "3", "--json"]) == 0
    figures = json.loads(capsys.readouterr().out)
    assert figures["starts"] == figures["rounds"] == 12
    assert figures["lost_named"] > 0, "the damage must be felt"
    assert figures["quarantined"] > 0
    assert figures["let_go"] > 0, "some of the damaged segments hold voids"
    assert figures["after_acknowledged"] > 100


def trusts_every_byte(fetch, size, seed, *, offset=segment.HEADER_SIZE, index=0, **_more):
    """Planted: a reader without the checksum."""
    data = fetch(0, size)
    while offset + segment.RECORD_OVERHEAD <= len(data):
        length = int.from_bytes(data[offset + 6 : offset + 8], "big")
        start = offset + segment.RECORD_OVERHEAD
        yield index, offset, data[start : start + length]
        index, offset = index + 1, start + length


@pytest.mark.slow
def test_a_reader_that_skips_the_checksum_is_caught(monkeypatch, capsys):
    fill = corrupt.fill

    def fill_then_plant(folder, seed):
        """The files are sound: only who reads them after the damage has the bug."""
        reference = fill(folder, seed)
        monkeypatch.setattr(recovery, "scan", trusts_every_byte)
        monkeypatch.setattr(segment, "scan", trusts_every_byte)
        return reference

    monkeypatch.setattr(corrupt, "fill", fill_then_plant)
    monkeypatch.setattr("gateway.core.custody.inventory.Inventory.save", lambda *_: True)  # it would see most of it
    figures = corrupt.prove(4, 3)
    assert not corrupt.is_proven(figures)
    assert figures["altered"] + figures["unreported"] + figures["failed"] > 0


@pytest.mark.slow
def test_a_gateway_that_passes_holes_without_naming_them_is_caught(monkeypatch):
    def vague(own, lost, *, now_ms):
        body = EventBody(event.BOOT, None, [None, None, "some were lost", "gateway", "0"])
        return own.try_report(body, now_ms=now_ms)

    monkeypatch.setattr("gateway.core.own_records.OwnRecords.explain_hole", vague)
    figures = corrupt.prove(12, 3)
    assert figures["unreported"] > 0 and not corrupt.is_proven(figures)


@pytest.mark.slow
def test_a_start_without_an_inventory_is_caught(monkeypatch):
    """Planted: files that vanish at an end of a stream, and files in the place of others, are not noticed."""
    monkeypatch.setattr("gateway.core.custody.inventory.Inventory.save", lambda *_: True)
    figures = corrupt.prove(8, 4)
    assert figures["unreported"] > 0 and figures["altered"] > 0 and not corrupt.is_proven(figures)


def test_a_start_that_fails_is_counted_and_told(monkeypatch, capsys):
    recover = Journal.recover

    def fussy(journal):
        report = recover(journal)
        assert not report.quarantined, "something was set aside"
        return report

    monkeypatch.setattr(Journal, "recover", fussy)
    figures = corrupt.prove(6, 3)
    assert figures["failed"] == 6 - figures["starts"] > 0 and not corrupt.is_proven(figures)
    assert "something was set aside" in capsys.readouterr().err


@pytest.mark.parametrize("kind", damage.DAMAGES)
def test_each_kind_of_damage_changes_the_folder_and_says_where(kind, tmp_path):
    name = "00000001-00000002-telemetry-0011223344556677-0000000000000000.seg"
    other = name.replace("00000002", "00000003") + ".seg"
    changed = 0
    for seed in range(20):
        folder = tmp_path / str(seed)
        folder.mkdir()
        path = folder / name
        path.write_bytes(bytes(range(1, 256)) * 8)
        (folder / other).write_bytes(b"another")
        now = damage.DAMAGES[kind](path, Prng(seed))
        plain = {found.name for found in folder.iterdir() if found.is_file() and not found.is_symlink()}
        assert plain == {*now, other}
        changed += now != (name,) or path.read_bytes() != bytes(range(1, 256)) * 8
    assert changed >= 19


def test_a_thinned_segment_that_has_lost_all_behind_its_header_is_set_aside_and_its_loss_named(tmp_path):
    reference = corrupt.fill(tmp_path / "reference", "21")
    thinned = [
        path
        for path in sorted((tmp_path / "reference" / "journal").glob("*.seg"))
        if (header := segment.decode_header(path.read_bytes())) and header[1]
    ]
    os.truncate(thinned[0], segment.HEADER_SIZE)
    with real_disks(tmp_path / "reference") as disks:
        cabinet = Cabinet(reference.town, disks, prng=Prng("again"), options=corrupt._OPTIONS)
        cabinet.boot = reference.boot
        report = cabinet.start()
    (aside,) = report.quarantined
    assert aside.endswith(thinned[0].name)
    assert [(found.hole.first, found.reason) for found in report.holes] == [(0, "file set aside")]
