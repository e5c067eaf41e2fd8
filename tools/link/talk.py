"""Sends a request to a peer under OSCORE over UDP, and shows its answer, which comes by blocks if it is long.

example:
  bocage link talk bench.toml coap://192.0.2.7/t --payload 0102
  bocage link talk 7c1f0a2c01000007.key coap://192.0.2.1/t --method post --payload-file record.cbor

Exit status: 0 answered, 2 not (the line says why).
"""

import argparse
import json
import sys
import time
from binascii import unhexlify
from collections.abc import Callable
from pathlib import Path
from typing import Any, TextIO
from urllib.parse import unquote, urlsplit

from gateway.language import N_
from gateway.shell import keys as node_keys
from tools.command_line import UsageError
from tools.link.conversation import Conversation, NodeConversation, SequenceFile, load_context
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
_BLOCK_SIZES = tuple(block.block_bytes(szx) for szx in range(block.SZX_MAX + 1))
# A node's flash holds 8 MB: nothing larger is served to it, or to its technician.
ANSWER_BYTES_MAX = 8 << 20
_SHOWN_EVERY_S = 1.0

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
    text = "context file (TOML, see tools/link/conversation.py), or a node's .key"
    parser.add_argument("context", type=Path, help=text)
    parser.add_argument("uri", help="coap://ADDRESS[:PORT]/PATH[?QUERY]")
    parser.add_argument("--method", choices=sorted(_METHODS), default="get")
    payload = parser.add_mutually_exclusive_group()
    payload.add_argument("--payload", default="", metavar="HEX", help="the request's payload in hexadecimal")
    payload.add_argument("--payload-file", type=Path, metavar="FILE", help="the request's payload")
    parser.add_argument("--out", type=Path, metavar="FILE", help="write the answer's payload there, not in hexadecimal")
    text = "largest block of the answer (default: the peer's choice)"
    parser.add_argument("--block", type=int, choices=_BLOCK_SIZES, metavar="BYTES", help=text)
    parser.add_argument("--format", type=int, metavar="NUMBER", help="its Content-Format, for instance 60 for CBOR")
    text = "how long a message is waited for (default: 30)"
    parser.add_argument("--wait", type=float, default=30, metavar="SECONDS", help=text)
    parser.add_argument("--first", action="store_true", help="this context was never used before, by anybody")


def run(args: argparse.Namespace) -> int:
    try:
        address, request = _request(args)
        szx = None if args.block is None else _BLOCK_SIZES.index(args.block)
        progress = Progress(sys.stderr)
        with _conversation(args, address) as conversation:
            answer = transfer(conversation.ask, request, szx=szx, progress=progress)
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


def _conversation(args: argparse.Namespace, address: tuple[str, int]) -> Conversation | NodeConversation:
    if args.context.suffix == node_keys.SUFFIX:
        return NodeConversation(node_keys.read(args.context), address, wait_s=args.wait)
    context = load_context(args.context)
    sequence = SequenceFile(args.context, is_first=args.first)
    return Conversation(context, sequence, address, wait_s=args.wait)


def _request(args: argparse.Namespace) -> tuple[tuple[str, int], Content]:
    try:
        parts = urlsplit(args.uri)
        address = (parts.hostname or "", parts.port or _COAP_PORT)
        payload = unhexlify(args.payload) if args.payload_file is None else args.payload_file.read_bytes()
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


class Progress:
    """Prints lines about a long transfer: none in its first second, then at most one a second."""

    def __init__(self, stream: TextIO, clock: Callable[[], float] = time.monotonic):
        self._stream = stream
        self._clock = clock
        self._next_s = clock() + _SHOWN_EVERY_S

    def __call__(self, word: str, done: int, total: int | None) -> None:
        """Prints a line if one is due. `total` None: not known."""
        if self._clock() < self._next_s:
            return
        self._next_s = self._clock() + _SHOWN_EVERY_S
        bound = f" of {total}" if total else ""
        print(f"bocage link: {word} {done}{bound} bytes", file=self._stream, flush=True)


def transfer(
    ask: Callable[[Content], Content],
    request: Content,
    *,
    szx: int | None,
    progress: Callable[[str, int, int | None], None],
) -> Content:
    """Returns the whole answer to the request; raises TransferError when there is none.

    `szx`: the size exponent of the largest block, asked for from the start; None leaves it to the peer.
    """
    download = Download(
        request, total_max=ANSWER_BYTES_MAX, szx=block.SZX_MAX if szx is None else szx, is_early=szx is not None
    )
    got = bytearray()
    while True:
        event = download.receive(ask(download.request()))
        if isinstance(event, Answered):
            return event.content
        if isinstance(event, Stopped):
            raise TransferError(_text(event))
        if isinstance(event, Part):
            got += event.payload
            if event.is_last:
                first = download.response
                assert first is not None
                return Content(first.code, first.options, bytes(got))
        else:
            got.clear()
        progress("received", download.offset, download.size)


def _text(stopped: Stopped) -> str:
    return f"the peer's transfer cannot go on: {_WHY.get(stopped.reason, stopped.reason)}"
