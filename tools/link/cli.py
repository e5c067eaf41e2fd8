"""Bench tool for the node link. `decode` shows what captured datagrams say (pcap, pcapng, or hexadecimal as
`tshark -T fields -e udp.payload` prints it), and opens what is protected where it is given a context file. `talk` asks
a peer something under OSCORE; what is larger than a datagram goes by blocks, either way. `replay` sends captured
datagrams again and shows what comes back."""

import argparse
import json
import sys
from binascii import unhexlify
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.parse import unquote, urlsplit

from gateway.shell import keys as node_keys
from tools.link import (
    blocks as link_blocks,
)
from tools.link import (
    board as link_board,
)
from tools.link import (
    decode as link_decode,
)
from tools.link import (
    image as link_image,
)
from tools.link import (
    key as link_key,
)
from tools.link import (
    node as link_node,
)
from tools.link import (
    replay as link_replay,
)
from tools.link import (
    serve as link_serve,
)
from tools.link import (
    talk as link_talk,
)
from wire import block, coap_message, limits, oscore

_TOOLS: dict[str, tuple[ModuleType, str]] = {
    "decode": (link_decode, "what captured datagrams or record payloads say"),
    "replay": (link_replay, "send captured datagrams again and show what comes back"),
    "serve": (link_serve, "a gateway for the bench: answer nodes and show what they say"),
    "key": (link_key, "mint the key of a node, once, for its settings and its gateway"),
    "image": (link_image, "put the program of a concentrator or of a kind of node together and sign it"),
    "board": (link_board, "lay out all that goes on a new node's board"),
}
_COAP_PORT = 5683
_METHODS = {
    "get": coap_message.GET,
    "post": coap_message.POST,
    "put": coap_message.PUT,
    "delete": coap_message.DELETE,
    "fetch": coap_message.FETCH,
}
_BLOCK_SIZES = tuple(block.block_bytes(szx) for szx in range(block.SZX_MAX + 1))


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `bocage link`."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    for name, (module, does) in _TOOLS.items():
        module.add_arguments(actions.add_parser(name, help=does, description=module.__doc__))
    talk = actions.add_parser("talk", help="one request under OSCORE over UDP, and its answer, by blocks if need be")
    talk.add_argument("context", type=Path, help="context file (see tools/link/talk.py), or a node's .key")
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
    return _talk(args) if args.action == "talk" else int(_TOOLS[args.action][0].run(args))


def _talk(args: argparse.Namespace) -> int:
    try:
        address, request = _request(args)
        szx = None if args.block is None else _BLOCK_SIZES.index(args.block)
        progress = link_blocks.Progress(sys.stderr)
        with _conversation(args, address) as conversation:
            answer = link_blocks.transfer(conversation.ask, request, szx=szx, progress=progress)
        shown: dict[str, Any] = {"code": link_talk.code_text(answer.code)}
        if args.out is None:
            shown["payload"] = answer.payload.hex()
        else:
            args.out.write_bytes(answer.payload)
            shown["payload_bytes"] = len(answer.payload)
    except (link_talk.TalkError, link_blocks.TransferError, node_keys.KeyFileError) as error:
        print(f"bocage link: {error}", file=sys.stderr)
        return 2
    except OSError as error:
        print(f"bocage link: {error.filename or args.uri}: {error.strerror}", file=sys.stderr)
        return 2
    print(json.dumps(shown))
    return 0


def _conversation(
    args: argparse.Namespace, address: tuple[str, int]
) -> link_talk.Conversation | link_node.NodeConversation:
    if args.context.suffix == node_keys.SUFFIX:
        return link_node.NodeConversation(node_keys.read(args.context), address, wait_s=args.wait)
    context = link_talk.load_context(args.context)
    sequence = link_talk.SequenceFile(args.context, is_first=args.first)
    return link_talk.Conversation(context, sequence, address, wait_s=args.wait)


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
