"""`bocage link decode`: what a captured datagram says, in exact decimals; what it does not say, with the reason."""

import io
import json

import pytest

from tools import cli, link
from wire import coap_message, quantity, record
from wire.record import EventBody, Record, Stamp
from wire.session import ClearSession

NODE = bytes.fromhex("7c1f0a2c01000001")
READINGS = Record(3, 17, Stamp(record.SYNCED, 1_795_561_200, 2), {quantity.POWER: 357, 256 + quantity.TEMPERATURE: -5})


def datagram(made):
    options = [(coap_message.URI_PATH, b"t")]
    options += [(coap_message.URI_QUERY, segment) for segment in ClearSession(insecure=True).query(NODE)]
    message = coap_message.Message(coap_message.CON, coap_message.POST, 7, b"\x01\x02", options, record.encode(made))
    return coap_message.encode(message)


def test_a_telemetry_datagram_is_told_in_units_and_exact_decimals():
    shown = link.show(datagram(READINGS).hex(), is_payload=False)
    assert shown["node"] == NODE.hex() and shown["path"] == "/t" and shown["code"] == "0.02"
    (told,) = shown["records"]
    assert told["readings"] == {"power": "35.7 W", "temp.1": "-0.05 Cel"}
    assert (told["boot"], told["sequence"], told["unix_s"], told["uncertainty_s"]) == (3, 17, 1_795_561_200, 2)


def test_an_event_is_told_by_its_name_and_fields():
    made = Record(3, 18, Stamp(record.UNSET, 12, 0), EventBody(1, None, [2, None, "power-on", "streetlight", "0.1.0"]))
    (told,) = link.show(record.encode(made).hex(), is_payload=True)["records"]
    assert told["event"] == "boot" and told["uptime_s"] == 12
    assert told["detail"]["cause"] == "power-on" and told["detail"]["durable_sequence"] is None


@pytest.mark.parametrize(("text", "reason"), [("zz", "hexadecimal"), ("4", "hexadecimal"), ("00", "not CoAP")])
def test_what_is_no_datagram_says_why(text, reason):
    assert reason in link.show(text, is_payload=False)["fault"]


def test_a_protected_datagram_shows_its_header_alone():
    # RFC 8613 C.6, and the same with a reserved flag
    protected = "44022f8eef9bbf7a396c6f63616c686f73746b19140837cbf3210017a2d3ff72cd7273fd331ac45cffbe55c3"
    shown = link.show(protected, is_payload=False)
    header = {"partial_iv": "14", "kid_context": "37cbf3210017a2d3", "kid": "", "ciphertext_bytes": 13}
    assert shown["oscore"] == header and "records" not in shown
    assert link.show(protected.replace("6b19", "6b39"), is_payload=False)["oscore"] == {"fault": "oscore-option"}


def test_a_block_is_told_as_the_piece_it_is():
    options = ((coap_message.URI_PATH, b"p"), (coap_message.BLOCK2, b"\x13"), (coap_message.BLOCK1, b"\x0b"))
    message = coap_message.Message(coap_message.CON, coap_message.PUT, 7, b"\x01", options, bytes(128))
    shown = link.show(coap_message.encode(message).hex(), is_payload=False)
    assert (shown["block1"], shown["block2"], shown["piece_bytes"]) == ("0/1/128", "1/0/128", 128)
    assert "records" not in shown
    broken = message._replace(options=((coap_message.BLOCK1, b"\x0f"),))
    shown = link.show(coap_message.encode(broken).hex(), is_payload=False)
    assert shown["block1"] == {"fault": "block-option-reserved"}


def test_lines_of_standard_input_are_decoded_and_a_fault_sets_the_status(monkeypatch, capsys):
    monkeypatch.setattr("sys.stdin", io.StringIO(datagram(READINGS).hex() + "\nff\n"))
    assert cli.main(["link", "decode"]) == 2
    good, bad = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert good["records"][0]["readings"]["power"] == "35.7 W" and "fault" in bad
