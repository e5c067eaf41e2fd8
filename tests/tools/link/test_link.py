"""`bocage link decode`: what a captured datagram says, in exact decimals; what it does not say, with the reason."""

import io
import json

import pytest

from tests.support import pcap_files
from tests.support import protected_traffic as traffic
from tools import cli
from wire import coap_message, quantity, record, slip
from wire.record import EventBody, Record, Stamp

READINGS = Record(3, 17, Stamp(record.SYNCED, 1_795_561_200, 2), {quantity.POWER: 357, 256 + quantity.TEMPERATURE: -5})
# RFC 8613 C.6
PROTECTED = "44022f8eef9bbf7a396c6f63616c686f73746b19140837cbf3210017a2d3ff72cd7273fd331ac45cffbe55c3"


def datagram(made):
    options = [(coap_message.URI_PATH, b"t"), (coap_message.URI_QUERY, b"x=\x1b[31m")]
    message = coap_message.Message(coap_message.CON, coap_message.POST, 7, b"\x01\x02", options, record.encode(made))
    return coap_message.encode(message)


@pytest.fixture
def decode(capsys, monkeypatch):
    """(exit status, the JSON objects, the summary) of `bocage link decode` with these words."""

    def run(*words, stdin=b""):
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        status = cli.main(["link", "decode", "--json", *map(str, words)])
        said = capsys.readouterr()
        assert not said.err
        shown = [json.loads(line) for line in said.out.splitlines()]
        summary = shown.pop()["summary"] if shown and "summary" in shown[-1] else None
        return status, shown, summary

    return run


def written(folder, passed, *, link_type=pcap_files.ETHERNET, form=pcap_files.classic):
    frames = [(ns, pcap_files.frame(link_type, pcap_files.ip_packet(*datagram))) for ns, *datagram, _ in passed]
    path = folder / "capture"
    path.write_bytes(form(frames, link_type))
    return path


def test_a_telemetry_datagram_is_told_in_units_and_exact_decimals(decode):
    status, (shown,), _ = decode(datagram(READINGS).hex())
    assert status == 0 and shown["path"] == "/t" and (shown["code"], shown["name"]) == ("0.02", "POST")
    assert shown["options"] == [["Uri-Path", "t"], ["Uri-Query", "0x783d1b5b33316d"]], "a terminal's orders stay digits"
    (told,) = shown["records"]
    assert told["readings"] == {"power": "35.7 W", "temp.1": "-0.05 Cel"}
    assert (told["boot"], told["sequence"], told["unix_s"], told["uncertainty_s"]) == (3, 17, 1_795_561_200, 2)


def test_an_event_is_told_by_its_name_and_fields(decode):
    made = Record(3, 18, Stamp(record.UNSET, 12, 0), EventBody(1, None, [2, None, "power-on", "street\x9blight", "0"]))
    _, (shown,), summary = decode("--payload", record.encode(made).hex())
    (told,) = shown["records"]
    assert told["event"] == "boot" and told["uptime_s"] == 12 and summary is None
    assert told["detail"]["cause"] == "power-on" and told["detail"]["durable_sequence"] is None
    assert told["detail"]["kind"] == "0x737472656574c29b6c69676874"


@pytest.mark.parametrize(
    ("text", "reason"),
    [("zz", "no such file"), ("4", "hexadecimal"), ("00", "not CoAP: too-short"), ("0" * 9000, "version")],
)
def test_what_is_no_datagram_says_why(decode, text, reason):
    status, (shown,), _ = decode(text)
    assert status == 2 and reason in shown.get("fault", "") + shown.get("unreadable", "")


def test_a_protected_datagram_shows_its_header_alone(decode):
    status, (shown,), summary = decode(PROTECTED)
    header = {"partial_iv": "14", "kid_context": "37cbf3210017a2d3", "kid": "", "ciphertext_bytes": 13}
    assert status == 0 and shown["oscore"] == header and shown["not_opened"] == "no context was given"
    assert "records" not in shown and (summary["protected"], summary["not_opened"]) == (1, 1)
    _, (shown,), _ = decode(PROTECTED.replace("6b19", "6b39"))
    assert "oscore-option" in shown["not_opened"] and shown["oscore"] == {}


def test_a_block_is_told_as_the_piece_it_is(decode):
    options = ((coap_message.URI_PATH, b"t"), (coap_message.BLOCK2, b"\x13"), (coap_message.BLOCK1, b"\x0b"))
    message = coap_message.Message(coap_message.CON, coap_message.POST, 7, b"\x01", options, bytes(128))
    _, (shown,), _ = decode(coap_message.encode(message).hex())
    assert shown["options"][1:] == [["Block2", "1/0/128"], ["Block1", "0/1/128"]] and "records" not in shown
    whole = message._replace(options=((coap_message.URI_PATH, b"t"), (coap_message.BLOCK1, b"\x03")))
    assert "records" in decode(coap_message.encode(whole).hex())[1][0], "the only block of a body is the body"
    broken = message._replace(options=((coap_message.BLOCK1, b"\x0f"),))
    assert decode(coap_message.encode(broken).hex())[1][0]["options"] == [["Block1", "0f"]]


def test_lines_of_standard_input_are_decoded_and_a_fault_sets_the_status(decode):
    lines = f"# a comment\n{datagram(READINGS).hex(':')}\n\nff\n".encode()
    status, (good, bad), summary = decode(stdin=lines)
    assert status == 2 and good["records"][0]["readings"]["power"] == "35.7 W" and "fault" in bad
    assert (summary["datagrams"], summary["malformed"], summary["sound"]) == (2, 1, 1)


def test_the_bytes_of_a_serial_line_are_framed_datagrams(decode, tmp_path):
    damaged = bytearray(slip.encode(datagram(READINGS)))
    damaged[9] ^= 1
    line = b"noise" + slip.encode(datagram(READINGS)) + bytes(damaged) + slip.encode(datagram(READINGS)) + b"\xc0cut"
    path = tmp_path / "line"
    path.write_text(line[:37].hex() + "\n" + line[37:].hex(" ") + "\n", encoding="ascii")
    status, shown, summary = decode("--serial", path)
    assert status == 2 and ["unreadable" in item for item in shown] == [True, False, True, False, True]
    assert "CRC" in shown[2]["unreadable"] and "line 2" in shown[2]["unreadable"]
    assert (summary["datagrams"], summary["unreadable"]) == (2, 3)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty"),
        (b"\x7fELF\0\0", "neither pcap nor pcapng"),
        ("voilà\n".encode(), "neither pcap nor pcapng"),
        (b"\xd4\xc3\xb2\xa1\2\0", "within its header"),
        (b"ab" * 200_000, "too long"),
    ],
)
def test_a_file_that_is_no_capture_is_one_line_with_its_reason(decode, tmp_path, content, reason):
    path = tmp_path / "capture"
    path.write_bytes(content)
    status, (shown,), summary = decode(path)
    assert status == 2 and reason in shown["unreadable"] and summary["datagrams"] == 0
    assert "directory" in decode(tmp_path)[1][0]["unreadable"]


# --- what a context opens ---------------------------------------------------------------------------------


def flat(shown):
    return [item.get("inner", item) for item in shown]


@pytest.mark.parametrize("ids", [(traffic.GATEWAY_ID, traffic.NODE_ID), (traffic.NODE_ID, traffic.GATEWAY_ID)])
def test_the_context_of_either_end_opens_both_directions(decode, tmp_path, ids):
    context = traffic.context_file(tmp_path, *ids)
    status, shown, summary = decode(written(tmp_path, traffic.an_hour()), "--context", context)
    assert status == 0 and summary["opened"] == summary["protected"] == 12 and summary["not_opened"] == 0
    inner = flat(shown)
    assert [item["name"] for item in inner[:4]] == ["POST", "4.01 Unauthorized", "POST", "2.04 Changed"]
    assert inner[0]["path"] == "/b" and inner[0]["records"][0]["event"] == "boot"
    assert [made["sequence"] for made in inner[4]["records"]] == [1, 2]
    assert inner[6]["records"][0]["event"] == "lampFailure" and inner[6]["records"][0]["detail"] == {"power": "0.0 W"}
    assert inner[8]["answer"] == {"unix_s": 1_795_561_203, "uncertainty_s": 2}, "a separate answer, to number 7"
    assert shown[8]["answers"] == 7 and shown[13]["answers"] == 13 and inner[13]["text"] == "no such thing"
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(["capture", context.name]), "no sequence file"


def test_several_contexts_and_a_wrong_one_with_the_same_ids(decode, tmp_path):
    right = traffic.context_file(tmp_path)
    wrong = traffic.context_file(tmp_path, secret=bytes(16))
    capture = written(tmp_path, traffic.an_hour())
    assert decode(capture, "--context", wrong, "--context", right)[2]["opened"] == 12
    status, shown, summary = decode(capture, "--context", wrong)
    assert status == 0 and summary["not_opened"] == 12
    assert "tag does not hold" in shown[0]["not_opened"] and "was not opened" in shown[1]["not_opened"]
    other = traffic.context_file(tmp_path, sender=b"x", recipient=b"y")
    assert decode(capture, "--context", other)[1][0]["not_opened"] == "no context has this kid"


def test_no_key_is_ever_printed(tmp_path, capsys):
    context = traffic.context_file(tmp_path)
    capture = written(tmp_path, traffic.an_hour())
    for words in ([], ["--json"]):
        assert cli.main(["link", "decode", str(capture), "--context", str(context), *words]) == 0
    context.write_text("master_secret = 'zz" + traffic.SECRET.hex() + "'", encoding="ascii")
    assert cli.main(["link", "decode", str(capture), "--context", str(context)]) == 2
    said = "".join(capsys.readouterr())
    keys = [traffic.SECRET, traffic.SALT]
    for own in traffic.contexts():
        keys += [own.sender_key, own.recipient_key, own.common_iv]
    assert not [key for key in keys if key.hex() in said or repr(key)[2:-1] in said]


def test_what_was_altered_or_never_asked_for_says_so(decode, tmp_path):
    context = traffic.context_file(tmp_path)
    passed = traffic.an_hour()
    time_ns, source, destination, request, _ = passed[4]
    forged = request[:-1] + bytes((request[-1] ^ 1,))
    error = coap_message.encode(coap_message.Message(2, coap_message.UNAUTHORIZED, 9003, request[4:8], (), b"Replay"))
    answers = [(destination, source, error), (destination, source, passed[5][3])]
    told = [passed[5][1:4], (source, destination, request), (source, destination, forged), *answers]
    _, shown, _ = decode(written(tmp_path, [(time_ns, *item, None) for item in told]), "--context", context)
    assert shown[0]["not_opened"] == "its request was not seen"
    assert "altered" in shown[2]["not_opened"]
    assert "anybody" in shown[3]["unprotected"] and shown[3]["text"] == "Replay"
    assert shown[4]["inner"]["answer"]["unix_s"], "the forgery has not taken the request's place"


def test_one_line_a_datagram_for_a_person(tmp_path, capsys):
    context = traffic.context_file(tmp_path)
    assert cli.main(["link", "decode", str(written(tmp_path, traffic.an_hour())), "--context", str(context)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 14 + 1
    assert lines[6] == (
        "#7 2026-11-24T23:00:00.130456Z 10.0.0.7:40001 > 10.0.0.1:5683 CON id=9004 token=58aa7799 POST "
        "| OSCORE partial_iv=03 kid=0007 ciphertext_bytes=30 | inside: POST /e Content-Format=60 "
        '[3/2 2026-11-24T23:00:01Z ±2 s: lampFailure begins {"power": "0.0 W"}]'
    )
    assert lines[-1] == "14 datagrams, 0 malformed, 12 protected, 12 opened, 0 not opened"
