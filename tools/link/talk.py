"""Sends a request to a gateway as a node does, and shows its answer, which comes by blocks if it is long.

example:
  bocage link talk 7c1f0a2c01000007.key coap://192.0.2.1/t --method post --payload 0102

Exit status: 0 answered, 2 not (the line says why).
"""

import argparse
import json
from binascii import unhexlify
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from gateway.language import N_
from gateway.shell import keys as node_keys
from tools.command_line import UsageError
from tools.link.conversation import Conversation
from tools.link.message_text import code_text
from wire import block, coap_message
from wire.block import Answered, Download, Part, Stopped
from wire.coap_message import Content

_COAP_PORT = 5683
_METHODS = {
    "get": coap_message.GET,
    "post": coap_message.POST,
    "put": coap_message.PUT,
    "delete": coap_message.DELETE,
    "fetch": coap_message.FETCH,
}
# A node's flash holds 8 MB: nothing larger is served to it, or to its technician.
ANSWER_BYTES_MAX = 8 << 20

_WHY = {
    "block-number": "it answered for another block",
    "block-size": "it made a block larger than asked for",
    "block-cut": "a block has not the size it claims",
    "block-total": f"it sends more than {ANSWER_BYTES_MAX} bytes, or than can be counted",
    "changed": "what it sends changes all the time",
    "refused": "it refuses blocks that it has announced",
    "whole": "it no longer sends blocks",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("key", type=Path, help="a node's key file")
    parser.add_argument("uri", help="coap://ADDRESS[:PORT]/PATH[?QUERY]")
    parser.add_argument("--method", choices=sorted(_METHODS), default="get")
    parser.add_argument("--payload", default="", metavar="HEX", help="the request's payload in hexadecimal")
    parser.add_argument("--out", type=Path, metavar="FILE", help="write the answer's payload there, not in hexadecimal")
    parser.add_argument("--format", type=int, metavar="NUMBER", help="its Content-Format, for instance 60 for CBOR")
    text = "how long a message is waited for (default: 30)"
    parser.add_argument("--wait", type=float, default=30, metavar="SECONDS", help=text)


def run(args: argparse.Namespace) -> int:
    try:
        address, request = _request(args)
        with Conversation(node_keys.read(args.key), address, wait_s=args.wait) as conversation:
            answer = transfer(conversation.ask, request)
        shown: dict[str, Any] = {"code": code_text(answer.code)}
        if args.out is None:
            shown["payload"] = answer.payload.hex()
        else:
            args.out.write_bytes(answer.payload)
            shown["payload_bytes"] = len(answer.payload)
    except (TransferError, node_keys.KeyFileError) as error:
        raise UsageError(str(error)) from error
    except OSError as error:
        raise UsageError(f"{error.filename or args.uri}: {error.strerror}") from error
    print(json.dumps(shown))
    return 0


def _request(args: argparse.Namespace) -> tuple[tuple[str, int], Content]:
    try:
        parts = urlsplit(args.uri)
        address = (parts.hostname or "", parts.port or _COAP_PORT)
        payload = unhexlify(args.payload)
    except ValueError:
        raise UsageError(N_("the port is a number, the payload an even number of digits 0-9 a-f")) from None
    if parts.scheme != "coap" or not parts.hostname:
        raise UsageError(N_("give an address such as coap://192.0.2.7/t"))
    options = [(coap_message.URI_PATH, unquote(part).encode()) for part in parts.path.split("/") if part]
    options += [(coap_message.URI_QUERY, unquote(part).encode()) for part in parts.query.split("&") if part]
    if args.format is not None:
        coap_message.insert_option(options, coap_message.CONTENT_FORMAT, coap_message.uint_bytes(args.format))
    return address, Content(_METHODS[args.method], tuple(options), payload)


# --- by blocks ----------------------------------------------------------------------------------------------------


class TransferError(Exception):
    """Is raised when the peer breaks off or violates RFC 7959; the text says how."""


def transfer(ask: Callable[[Content], Content], request: Content) -> Content:
    """Returns the whole answer to the request; raises TransferError when there is none."""
    download = Download(request, total_max=ANSWER_BYTES_MAX, szx=block.SZX_MAX, is_early=False)
    got = bytearray()
    while True:
        event = download.receive(ask(download.request()))
        if isinstance(event, Answered):
            return event.content
        if isinstance(event, Stopped):
            raise TransferError(f"the peer's transfer cannot go on: {_WHY[event.reason]}")
        if isinstance(event, Part):
            got += event.payload
            if event.is_last:
                first = download.response
                assert first is not None
                return Content(first.code, first.options, bytes(got))
        else:
            got.clear()
