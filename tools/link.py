"""Bench tool for the node link. `decode` shows what a captured datagram or record payload says: hexadecimal digits
are given as arguments, or one datagram a line on standard input (as `tshark -T fields -e udp.payload` prints
them). `talk` asks a peer something under OSCORE; what is larger than a datagram goes by blocks, either way."""

import argparse
import json
import sys
from binascii import unhexlify
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from tools import link_blocks, link_talk
from wire import block, coap_message, event, limits, oscore, quantity, record
from wire.faults import WireFault
from wire.record import UNSET, EventBody, Record
from wire.session import ClearSession

_DATAGRAM_MAX = 1500
_COAP_PORT = 5683
_METHODS = {
    "get": coap_message.GET,
    "post": coap_message.POST,
    "put": coap_message.PUT,
    "delete": coap_message.DELETE,
    "fetch": coap_message.FETCH,
}
_TYPES = ("CON", "NON", "ACK", "RST")
_BLOCK_SIZES = tuple(block.block_bytes(szx) for szx in range(block.SZX_MAX + 1))


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `bocage link`."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    decode = actions.add_parser("decode", help="decode CoAP datagrams or record payloads given in hexadecimal")
    decode.add_argument("hex", nargs="*", help="datagrams; none: read them from standard input, one a line")
    decode.add_argument("--payload", action="store_true", help="the bytes are record payloads alone")
    talk = actions.add_parser("talk", help="one request under OSCORE over UDP, and its answer, by blocks if need be")
    talk.add_argument("context", type=Path, help="the context file (tools/link_talk.py says what it holds)")
    talk.add_argument("uri", help="coap://ADDRESS[:PORT]/PATH[?QUERY]")
    talk.add_argument("--method", choices=sorted(_METHODS), default="get")
    payload = talk.add_mutually_exclusive_group()
    payload.add_argument("--payload", default="", metavar="HEX", help="the request's payload in hexadecimal")
    payload.add_argument("--payload-file", type=Path, metavar="FILE", help="the request's payload")
    talk.add_argument("--out", type=Path, metavar="FILE", help="write the answer's payload there, not in hexadecimal")
    size = block.block_bytes(limits.BLOCK_LINK_SZX)
    told = f"largest block, either way (default: {size} to send, the peer's choice to receive)"
    talk.add_argument("--block", type=int, choices=_BLOCK_SIZES, metavar="BYTES", help=told)
    talk.add_argument("--format", type=int, metavar="NUMBER", help="its Content-Format, for instance 60 for CBOR")
    talk.add_argument("--wait", type=float, default=30, metavar="SECONDS", help="patience with a message (default: 30)")
    talk.add_argument("--first", action="store_true", help="this context was never used before, by anybody")


def run(args: argparse.Namespace) -> int:
    """Exit status: 0 everything was decoded or answered, 2 something was not (the line says why)."""
    return _talk(args) if args.action == "talk" else _decode(args)


def _talk(args: argparse.Namespace) -> int:
    try:
        address, request = _request(args)
        context = link_talk.load_context(args.context)
        sequence = link_talk.SequenceFile(args.context, is_first=args.first)
        szx = None if args.block is None else _BLOCK_SIZES.index(args.block)
        progress = link_blocks.Progress(sys.stderr)
        with link_talk.Conversation(context, sequence, address, wait_s=args.wait) as conversation:
            answer = link_blocks.transfer(conversation.ask, request, szx=szx, progress=progress)
        shown: dict[str, Any] = {"code": link_talk.code_text(answer.code)}
        if args.out is None:
            shown["payload"] = answer.payload.hex()
        else:
            args.out.write_bytes(answer.payload)
            shown["payload_bytes"] = len(answer.payload)
    except (link_talk.TalkError, link_blocks.TransferError) as error:
        print(f"bocage link: {error}", file=sys.stderr)
        return 2
    except OSError as error:
        print(f"bocage link: {error.filename or args.uri}: {error.strerror}", file=sys.stderr)
        return 2
    print(json.dumps(shown))
    return 0


def _request(args: argparse.Namespace) -> tuple[tuple[str, int], oscore.Content]:
    try:
        parts = urlsplit(args.uri)
        address = (parts.hostname or "", parts.port or _COAP_PORT)
        payload = unhexlify(args.payload) if args.payload_file is None else args.payload_file.read_bytes()
    except ValueError:
        raise link_talk.TalkError("the port is a number, the payload an even number of digits 0-9 a-f") from None
    if parts.scheme != "coap" or not parts.hostname:
        raise link_talk.TalkError("give an address such as coap://192.0.2.7/t")
    options = [(coap_message.URI_PATH, unquote(part).encode()) for part in parts.path.split("/") if part]
    options += [(coap_message.URI_QUERY, unquote(part).encode()) for part in parts.query.split("&") if part]
    if args.format is not None:
        coap_message.insert_option(options, coap_message.CONTENT_FORMAT, coap_message.uint_bytes(args.format))
    return address, oscore.Content(_METHODS[args.method], tuple(options), payload)


def _decode(args: argparse.Namespace) -> int:
    status = 0
    for text in args.hex or sys.stdin:
        shown = show(text.strip(), is_payload=args.payload)
        print(json.dumps(shown, ensure_ascii=False))
        if _has_fault(shown):
            status = 2
    return status


def _has_fault(shown: Any) -> bool:
    if isinstance(shown, dict):
        return "fault" in shown or any(_has_fault(value) for value in shown.values())
    return isinstance(shown, list) and any(_has_fault(value) for value in shown)


def show(text: str, *, is_payload: bool) -> dict[str, Any]:
    """What one datagram or payload says, as plain data; `fault` tells what is wrong with it."""
    try:
        data = unhexlify(text.replace(":", "").replace(" ", ""))
    except ValueError:
        return {"fault": "not hexadecimal: give an even number of digits 0-9 a-f"}
    return {"records": _records(data)} if is_payload else _datagram(data)


def _datagram(data: bytes) -> dict[str, Any]:
    message = coap_message.decode(data, _DATAGRAM_MAX)
    if isinstance(message, coap_message.Fault):
        return {"fault": f"not CoAP: {message.reason}"}
    paths = coap_message.option_values(message.options, coap_message.URI_PATH)
    queries = coap_message.option_values(message.options, coap_message.URI_QUERY)
    shown: dict[str, Any] = {
        "type": _TYPES[message.type],
        "code": f"{message.code >> 5}.{message.code & 31:02}",
        "id": message.message_id,
        "token": message.token.hex(),
    }
    if paths:
        shown["path"] = "/" + "/".join(path.decode(errors="replace") for path in paths)
    node = ClearSession(insecure=True).node_of(queries)
    if node is not None:
        shown["node"] = node.hex()
    pieces = _pieces(message)
    shown.update(pieces)
    if coap_message.option_values(message.options, coap_message.OSCORE):
        shown["oscore"] = _protection(message)
    elif pieces:
        shown["piece_bytes"] = len(message.payload)
    elif message.payload and 1 <= message.code < 32:
        shown["records"] = _records(message.payload)
    elif message.payload:
        shown["answer"] = _answer(message.payload)
    return shown


def _pieces(message: coap_message.Message) -> dict[str, Any]:
    """The Block options as RFC 7959 section 3 writes them: a payload beside them is a piece, and read alone says
    nothing."""
    shown: dict[str, Any] = {}
    for name, number in (("block1", coap_message.BLOCK1), ("block2", coap_message.BLOCK2)):
        try:
            found = block.block_of(message.options, number)
        except WireFault as fault:
            shown[name] = {"fault": fault.reason}
            continue
        if found is not None:
            shown[name] = f"{found.number}/{found.more:d}/{block.block_bytes(found.szx)}"
    return shown


def _protection(message: coap_message.Message) -> dict[str, Any]:
    """The header of a protected message; what it says stays hidden."""
    try:
        header = oscore.header_of(message)
    except WireFault as fault:
        return {"fault": fault.reason}
    told = {name: getattr(header, name) for name in ("partial_iv", "kid_context", "kid")}
    shown: dict[str, Any] = {name: value.hex() for name, value in told.items() if value is not None}
    return {**shown, "ciphertext_bytes": len(message.payload)}


def _answer(payload: bytes) -> dict[str, Any]:
    try:
        answer = record.decode_answer(payload)
    except WireFault as fault:
        return {"fault": fault.reason}
    return {"unix_s": answer.unix_s, "uncertainty_s": answer.uncertainty_s}


def _records(payload: bytes) -> list[dict[str, Any]]:
    try:
        return [_record(made) for made in record.decode_payload(payload)]
    except WireFault as fault:
        return [{"fault": fault.reason}]


def _record(made: Record) -> dict[str, Any]:
    stamp = made.stamp
    shown: dict[str, Any] = {"boot": made.boot, "sequence": made.sequence}
    shown["uptime_s" if stamp.quality == UNSET else "unix_s"] = stamp.seconds
    if stamp.quality != UNSET:
        shown["uncertainty_s"] = stamp.uncertainty_s
    if isinstance(made.body, EventBody):
        shown["event"] = event.label(made.body.code)
        shown["active"] = made.body.active
        detail = made.body.detail
        shown["detail"] = _readings(detail) if isinstance(detail, dict) else _detail(made.body.code, detail)
    else:
        shown["readings"] = _readings(made.body)
    return shown


def _readings(readings: dict[int, int]) -> dict[str, str]:
    shown = {}
    for key, value in sorted(readings.items()):
        entry = quantity.BY_CODE.get(key % quantity.CHANNEL_STEP)
        exponent, unit = (entry.exponent, entry.unit) if entry else (0, "?")
        shown[quantity.label(key)] = f"{_decimal(value, exponent)} {unit}"
    return shown


def _decimal(value: int, exponent: int) -> str:
    """Exact: no float in between."""
    if exponent >= 0:
        return str(value * 10**exponent)
    sign, digits = ("-" if value < 0 else ""), str(abs(value)).rjust(1 - exponent, "0")
    return f"{sign}{digits[:exponent]}.{digits[exponent:]}"


def _detail(code: int, detail: list[Any] | None) -> Any:
    if detail is None:
        return None
    entry = event.BY_CODE.get(code)
    values = [item.hex() if isinstance(item, bytes) else item for item in detail]
    names = entry.detail if entry is not None and entry.detail else ()
    return dict(zip(names, values, strict=False)) if names else values
