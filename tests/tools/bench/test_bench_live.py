"""The benchmarks with real processes, at tiny sizes: every figure is there, and the counters count."""

import json
import os
import socket
import struct
import sys
from multiprocessing import spawn

import pytest

from simulator.rig.rig import find_mosquitto
from tools import cli
from tools.bench import metered, metered_link

pytestmark = [pytest.mark.live, pytest.mark.broker, pytest.mark.slow]


def run(capsys, *words):
    assert cli.main(["bench", *words]) == 0
    return json.loads(capsys.readouterr().out)


@pytest.fixture(autouse=True)
def mosquitto():
    if find_mosquitto() is None:
        pytest.skip("no Mosquitto: apt-get install mosquitto")


def test_a_gateway_on_one_core_hands_on_what_it_acknowledges(tmp_path, capsys):
    if len(os.sched_getaffinity(0)) < 2:
        pytest.skip("two processors are needed")
    words = ("--nodes", "50", "--seconds", "2", "--records", "2", "--folder", str(tmp_path), "--json")
    figures = run(capsys, "uplink", *words)
    assert figures["sustained_per_s"] > 0 and figures["acknowledged_per_s"] > 0
    assert 0 < figures["gateway_cpu_percent"] <= 110, "one processor, give or take a clock tick"
    assert figures["cpu_us_per_record"] > 1
    assert figures["generator_max_per_s"] > figures["sustained_per_s"]
    assert list(tmp_path.iterdir()) == [], "what a benchmark wrote is gone"


def test_an_ingest_holds_what_its_cabinets_got_receipts_for_beside_a_plain_peer(tmp_path, capsys, monkeypatch):
    """Though it starts late: before its first subscription a broker drops what comes."""
    late, folder = tmp_path / "late", tmp_path / "bench"
    late.write_text(f'#!/bin/sh\nsleep 2; exec "{sys.executable}" "$@"\n')
    late.chmod(0o755)
    folder.mkdir()
    spawn.set_executable(sys.executable)  # the cabinets are not late
    monkeypatch.setattr(sys, "executable", str(late))
    words = ("--cabinets", "2", "--lights", "60", "--turns", "20", "--held", "2", "--folder", str(folder), "--json")
    figures = run(capsys, "ingest", *words)
    assert figures["ingest"]["stored"] == 2 * 60 * 20 and figures["held_before"] == 2 * 60 * 2
    assert figures["ingest"]["per_s"] > 0 and figures["peer"]["per_s"] > 0
    assert set(figures["ingest"]["percent"]) == {"ingest", "broker", "cabinets", "others"}
    assert figures["stages_us"]["to_rows"] > 0 and figures["stages_us"]["wall"] > 0
    assert figures["ingest"]["bound"]
    assert list(folder.iterdir()) == [], "what a benchmark wrote is gone"


@pytest.mark.parametrize("is_on_server", [False, True])
def test_what_cabinets_kept_while_the_centre_was_away_is_drained_alarms_first(tmp_path, capsys, is_on_server):
    where = ("--server",) if is_on_server else ("--folder", str(tmp_path))
    words = ("--cabinets", "3", "--lights", "40", "--hours", "3", "--retry", "4", *where, "--json")
    figures = run(capsys, "drain", *words)
    assert figures["kept"] == 3 * (40 * 12 + 4)
    assert figures["kept"] <= figures["held"] <= figures["stored"] <= figures["kept"] + figures["made_meanwhile"]
    assert figures["conflicts"] == 0 and 0 < figures["batches_max"] <= figures["batches_bound"] == 48
    assert figures["back_s"][-1] <= figures["drained_s"] and figures["outage_alarms_s"]["max"] < figures["drained_s"]
    assert list(tmp_path.iterdir()) == [], "what a benchmark wrote is gone"


def test_a_metered_night_counts_every_layer(capsys):
    figures = run(capsys, "metered", "--hours", "2", "--lamps", "6", "--replay", "6", "--json")
    assert figures["replayed"] == min(6, figures["exchanges"]) and figures["publications"] > 6
    # Opening: three certificates at least; an exchange: two publications, two PUBACKs, four records and their packets.
    assert 2000 < figures["handshake_bytes"] < 20_000
    assert 4 <= figures["segments_per_exchange"] < 30
    assert figures["beyond_payload_bytes_per_exchange"] > 4 * figures["header_bytes_per_segment"]
    assert figures["ping_bytes"] == pytest.approx(48 + 3 * figures["header_bytes_per_segment"], rel=0.3)
    payload = figures["payload_up_bytes"] + figures["payload_down_bytes"]
    assert figures["total_bytes"] > payload + figures["handshake_bytes"]


def test_the_relay_counts_the_bytes_and_the_segments_that_pass(capsys):
    with socket.socket() as target:
        target.bind(("127.0.0.1", 0))
        target.listen()
        relay = metered_link.Relay(target.getsockname()[1])
        with socket.create_connection(("127.0.0.1", relay.port)) as near:
            far, _ = target.accept()
            near.sendall(bytes(10_000))
            assert len(far.recv(10_000, socket.MSG_WAITALL)) == 10_000
            far.sendall(b"answer")
            assert near.recv(6, socket.MSG_WAITALL) == b"answer"
            used = relay.used()
            far.close()
        relay.close()
    assert used.data == 10_006
    assert 9 <= used.segments <= 30, "eight segments of 1360 bytes, an answer, acknowledgements"
    assert used.header in (40, 52)


def test_pings_are_counted_in_gaps_only():
    def at(*seconds):
        return [[metered.Message(1000 * second, True, "t", b"")] for second in seconds]

    assert metered.pings(at(0, 100, 339, 340), 240) == 0
    assert metered.pings(at(0, 240, 1000), 240) == 1 + 3


def test_messages_without_a_pause_between_them_are_one_exchange():
    messages = [metered.Message(at_ms, True, "t", b"") for at_ms in (0, 300, 900, 1900, 5000, 5001)]
    assert [len(group) for group in metered.exchanges(messages)] == [3, 1, 2]
    assert metered.spread(metered.exchanges(messages), 2) == [messages[:3], messages[3:4]]


def test_the_layout_of_tcp_info_is_that_of_the_kernel():
    with socket.socket() as listener, socket.socket() as near:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        near.connect(listener.getsockname())
        far, _ = listener.accept()
        near.sendall(bytes(777))
        assert len(far.recv(777, socket.MSG_WAITALL)) == 777
        info = far.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 256)
        far.close()
    assert struct.unpack_from("=Q", info, 128) == (777,)
