"""Our traffic in captures, which tshark reads for us; and our decoder beside Wireshark's: no malformed mark, the same
fields."""

import json
import struct
import subprocess
from ipaddress import ip_address
from pathlib import Path
from random import Random

import pytest

from tools import cli
from tools.link import decode
from tools.link.opener import Opener
from tools.link.sources import Datagram, Sources

pytestmark = [pytest.mark.live, pytest.mark.usefixtures("tshark_path")]


def packet(source, destination, data):
    """UDP in IPv4 or IPv6, whose checksums nobody looks at."""
    hosts = b"".join(ip_address(host).packed for host, _ in (source, destination))
    length = 8 + len(data)
    udp = struct.pack(">HHHH", source[1], destination[1], length, 0) + data
    if len(hosts) == 32:
        return struct.pack(">IHBB", 6 << 28, length, 17, 64) + hosts + udp
    return struct.pack(">BBHHHBBH", 0x45, 0, 20 + length, 1, 0, 64, 17, 0) + hosts + udp


def written(folder, passed, *, snap=65_535):
    """A pcap file, in nanoseconds, of raw IP packets."""
    out = struct.pack("<IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, snap, 101)
    for time_ns, source, destination, datagram in passed:
        data = packet(source, destination, datagram)
        out += struct.pack("<IIII", *divmod(time_ns, 1_000_000_000), len(data[:snap]), len(data)) + data[:snap]
    path = folder / "capture"
    path.write_bytes(out)
    return path


@pytest.fixture
def dissect(tshark_path):
    """The layers that tshark finds in a capture, packet by packet."""

    def run(path):
        command = [tshark_path, "-n", "-r", str(path), "-T", "json", "--no-duplicate-keys"]
        said = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout
        return [packet["_source"]["layers"] for packet in json.loads(said)]

    return run


def shown_by_us(capsys, path, *words):
    assert cli.main(["link", "decode", str(path), "--json", *map(str, words)]) == 0
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()][:-1]


def troubles(layers):
    """Every name under which Wireshark marks something: expert information, malformed layers."""
    if isinstance(layers, list):
        return [name for item in layers for name in troubles(item)]
    if not isinstance(layers, dict):
        return []
    marks = [name for name in layers if name.startswith(("_ws.expert", "_ws.malformed"))]
    return marks + [name for value in layers.values() for name in troubles(value)]


def plain(value):
    return value.replace(":", "")


def test_tshark_reads_our_traffic_as_we_do(tmp_path, capsys, dissect, street):
    path = written(tmp_path, street.passed)
    theirs, ours = dissect(path), shown_by_us(capsys, path)
    assert len(theirs) == len(ours) == len(street.passed) > 10
    for layers, shown in zip(theirs, ours, strict=True):
        coap = layers["coap"]
        assert not troubles(coap)
        assert int(coap["coap.mid"]) == shown["id"] and plain(coap.get("coap.token", "")) == shown["token"]
        major, minor = divmod(int(coap["coap.code"]), 32)
        assert f"{major}.{minor:02}" == shown["code"] and int(coap["coap.type"]) == messages_type(shown)
        assert int(layers["udp"]["udp.length"]) == 8 + shown["bytes"]
        if "oscore" in shown:
            assert header_of(coap) == {name: shown["oscore"].get(name) for name in ("partial_iv", "kid_context", "kid")}
            answered = coap.get("coap.response_to")
            assert answered is None or int(answered) == shown["answers"]


def messages_type(shown):
    return ("CON", "NON", "ACK", "RST").index(shown["type"])


def header_of(coap):
    tree = coap["coap.opt.name_tree"]
    names = {"partial_iv": "piv", "kid_context": "kid_context", "kid": "kid"}
    found = {ours: tree.get(f"coap.opt.object_security_{name}") for ours, name in names.items()}
    return {name: None if value is None else plain(value) for name, value in found.items()}


def test_tshark_marks_what_is_broken(tmp_path, dissect, street):
    """So that the absence of a mark above says something."""
    first = street.passed[0]
    (layers,) = dissect(written(tmp_path, [first._replace(data=first.data[:9] + b"\xff")]))
    assert troubles(layers)


# --- tshark reads captures for us ---


def said_of(capsys, path, status):
    assert cli.main(["link", "decode", str(path), "--json"]) == status
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


@pytest.mark.parametrize("form", ["pcap", "nsecpcap", "pcapng"])
def test_files_that_wiresharks_programs_write(tmp_path, capsys, tshark_path, street, form):
    path = written(tmp_path, street.passed)
    expected = shown_by_us(capsys, path)
    assert (expected[0]["from"], expected[0]["to"]) == ("192.0.2.11:40000", "192.0.2.1:5683")
    assert expected[6]["time"] == "2026-11-24T23:00:00.129456Z"
    converted = tmp_path / "converted"
    editcap = Path(tshark_path).with_name("editcap")
    subprocess.run([str(editcap), "-F", form, str(path), str(converted)], capture_output=True, check=True, timeout=60)
    assert shown_by_us(capsys, converted) == expected


def test_only_the_port_that_is_asked_for_is_shown(tmp_path, capsys, street):
    _, node, gateway, data = street.passed[0]
    others = [Datagram(0, ("2001:db8::7", 40_001), ("fe80::1", 5683), data), Datagram(0, node, (gateway[0], 53), data)]
    (shown, summary) = said_of(capsys, written(tmp_path, others), 0)
    assert (shown["from"], shown["to"]) == ("[2001:db8::7]:40001", "[fe80::1]:5683")
    assert summary["summary"]["datagrams"] == 1


def test_what_a_capture_has_cut_is_said(tmp_path, capsys, street):
    whole = street.passed[:1]
    (shown, _) = said_of(capsys, written(tmp_path, whole, snap=40), 2)
    assert "the capture holds 12 of" in shown["unreadable"]
    (shown, _) = said_of(capsys, written(tmp_path, whole, snap=24), 2)
    assert "the header is cut" in shown["unreadable"]
    path = written(tmp_path, whole)
    path.write_bytes(path.read_bytes()[:-1])
    *_, shown, _ = said_of(capsys, path, 2)
    assert "cut short" in shown["unreadable"]
    path.write_bytes(path.read_bytes()[:6])
    (shown, _) = said_of(capsys, path, 2)
    assert str(path) in shown["unreadable"]


@pytest.mark.parametrize("seed", range(6))
def test_a_damaged_capture_raises_nothing(tmp_path, street, seed):
    path, draw = written(tmp_path, street.passed), Random(seed)
    data = bytearray(path.read_bytes())
    for _ in range(20):
        data[draw.randrange(24, len(data))] = draw.randrange(256)
    path.write_bytes(data)
    for shown in decode.shown_of(Sources(port=5683).datagrams([str(path)]), Opener()):
        assert decode.line(shown).isprintable()


def test_a_time_that_is_none_is_left_out(tmp_path, capsys, street):
    path = written(tmp_path, street.passed[:1])
    path.write_bytes(path.read_bytes()[:28] + b"\xff\xff\xff\x7f" + path.read_bytes()[32:])
    (shown, _) = said_of(capsys, path, 0)
    assert "time" not in shown and shown["name"] == "POST"


def test_without_tshark_the_package_is_named(tmp_path, capsys, monkeypatch, street):
    path = written(tmp_path, street.passed)
    monkeypatch.setenv("PATH", str(tmp_path))
    (shown, _) = said_of(capsys, path, 2)
    assert "apt-get install tshark" in shown["unreadable"]
