"""Our traffic and our decoder beside Wireshark's: no malformed mark, the same fields, the same plaintext."""

import json
import re
import subprocess
from pathlib import Path

import pytest

from tests.support import pcap_files
from tests.support import protected_traffic as traffic
from tools import cli
from wire import coap_message as messages
from wire.oscore import pack

pytestmark = pytest.mark.live


def written(folder, passed, form=pcap_files.pcapng):
    frames = []
    for time_ns, source, destination, datagram, _ in passed:
        packet = pcap_files.ip_packet(source, destination, datagram)
        frames.append((time_ns, pcap_files.frame(pcap_files.ETHERNET, packet)))
    path = folder / "capture"
    path.write_bytes(form(frames, pcap_files.ETHERNET))
    return path


@pytest.fixture
def tshark(tshark_path):
    """The standard output of tshark, which has the context, for a capture."""
    fields = traffic.SECRET_FIELDS
    texts = (traffic.NODE_ID, traffic.GATEWAY_ID, fields["master_secret"], fields["master_salt"], fields["id_context"])
    row = ",".join(f'"{value.hex()}"' for value in texts)
    key = f'uat:oscore_contexts:{row},"AES-CCM-16-64-128 (CCM*)"'

    def run(path, *words):
        command = [tshark_path, "-n", "-r", str(path), "-o", key, *words]
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout

    return run


@pytest.fixture
def dissect(tshark):
    """The layers that tshark finds in a capture, packet by packet."""

    def run(path):
        said = json.loads(tshark(path, "-T", "json", "--no-duplicate-keys"))
        return [packet["_source"]["layers"] for packet in said]

    return run


def plaintexts(dump):
    """What `tshark -x` prints under "Decrypted OSCORE", one a packet that opens."""
    titles = re.split(r"^(.*\(\d+ bytes\):)$", dump, flags=re.MULTILINE)
    found = []
    for title, rows in zip(titles[1::2], titles[2::2], strict=True):
        if title.startswith("Decrypted OSCORE"):
            found.append(bytes.fromhex("".join(row[6:53] for row in rows.strip().partition("\n\n")[0].splitlines())))
    return found


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


def test_tshark_reads_our_traffic_as_we_do(tmp_path, capsys, dissect):
    passed = traffic.an_hour()
    path = written(tmp_path, passed)
    theirs, ours = dissect(path), shown_by_us(capsys, path)
    assert len(theirs) == len(ours) == len(passed) > 10
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


def test_tshark_opens_our_traffic_to_the_same_plaintext(tmp_path, capsys, tshark, dissect):
    # Wireshark finds a context by the ID Context that stands in the request, which we send after a boot only.
    passed = traffic.an_hour(always_with_id_context=True)
    path = written(tmp_path, passed)
    theirs = dissect(path)
    ours = shown_by_us(capsys, path, "--context", traffic.context_file(tmp_path))
    protected = [content for *_, content in passed if content is not None]
    assert plaintexts(tshark(path, "-x")) == [b"".join(pack(content)[0]) for content in protected]
    assert len(protected) == 12
    for layers, shown, (*_, content) in zip(theirs, ours, passed, strict=True):
        if content is None:
            assert "oscore" not in layers and "inner" not in shown
            continue
        oscore, inner = layers["oscore"], shown["inner"]
        assert not troubles(oscore) and oscore["oscore.tag"], "the tag holds there too"
        assert int(oscore["oscore.code"]) == content.code
        assert inner["code"] == f"{content.code >> 5}.{content.code & 31:02}"
        assert inner.get("payload", "") == content.payload.hex() and inner.get("path") == path_of(content)


def path_of(content):
    segments = messages.option_values(content.options, messages.URI_PATH)
    return "/" + b"/".join(segments).decode() if segments else None


def test_tshark_marks_what_is_broken(tmp_path, dissect):
    """So that the absence of a mark above says something."""
    passed = traffic.an_hour(always_with_id_context=True)
    first = passed[0][3]
    for damaged in (first[:-1] + bytes((first[-1] ^ 1,)), first[:9] + b"\xff"):
        (layers,) = dissect(written(tmp_path, [(*passed[0][:3], damaged, None)]))
        assert troubles(layers)


@pytest.mark.parametrize("form", ["pcap", "nsecpcap", "pcapng"])
def test_files_that_wiresharks_programs_write(tmp_path, capsys, tshark_path, form):
    path = written(tmp_path, traffic.an_hour())
    expected = shown_by_us(capsys, path)
    editcap = Path(tshark_path).with_name("editcap")
    converted = tmp_path / "converted"
    for command in (
        [str(editcap), "-F", form, str(path), str(converted)],
        [tshark_path, "-r", str(path), "-F", form, "-w", str(converted)],
    ):
        subprocess.run(command, capture_output=True, check=True, timeout=60)
        shown = shown_by_us(capsys, converted)
        assert [item | {"time": None} for item in shown] == [item | {"time": None} for item in expected]
        assert [item["time"] for item in shown] == [item["time"] for item in expected]
        converted.unlink()


def test_payloads_as_tshark_prints_them(tmp_path, capsys, tshark):
    path = written(tmp_path, traffic.an_hour())
    expected = shown_by_us(capsys, path)
    lines = tmp_path / "payloads"
    lines.write_text(tshark(path, "-T", "fields", "-e", "udp.payload"), encoding="ascii")
    places = ("time", "from", "to")
    without = [{name: value for name, value in item.items() if name not in places} for item in expected]
    assert shown_by_us(capsys, lines) == without
