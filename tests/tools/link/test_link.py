"""`bocage link decode`: what a captured datagram says, in exact decimals; what it does not say, with the reason."""

import io
import json

import pytest

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
    assert status == 0 and shown["oscore"] == header and shown["not_opened"] == "no key was given"
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
        (b"ab" * 200_000, "too long"),
    ],
)
def test_a_file_that_is_no_capture_is_one_line_with_its_reason(decode, tmp_path, content, reason):
    path = tmp_path / "capture"
    path.write_bytes(content)
    status, (shown,), summary = decode(path)
    assert status == 2 and reason in shown["unreadable"] and summary["datagrams"] == 0
    assert "directory" in decode(tmp_path)[1][0]["unreadable"]
