"""Serves nodes on a bench as a gateway that answers them and keeps nothing.

example:
  bocage link serve 7c1f0a2c01000007.key

With `--image` it offers them programs, as a gateway's folder `images` does; with `--log` it asks each node once for the
last lines of its log. It agrees on keys with the nodes whose key files are given, answers 2.04 with the time of this
computer, and prints what they send. Records that it has answered are lost: their nodes delete them as stored. For a
bench, never in a street.
"""

import argparse
import json
import secrets
import socket
import time
from pathlib import Path
from typing import Any

from gateway.core.link.images import NodeImages
from gateway.core.link.link import Link, NodeRequest, NodeResponse
from gateway.core.link.sessions import check_keys
from gateway.io.crypto import AesCcm
from gateway.shell import images as node_images
from gateway.shell import keys as node_keys
from gateway.shell.images import ImageError
from tools.command_line import Refused, UsageError
from tools.link import message_text
from wire import coap_message as messages
from wire import limits, record
from wire.record import Answer

_POLL_S = 0.05
_UNCERTAINTY_S = 2


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("keys", nargs="+", type=Path, metavar="KEY", help="key files of the nodes that are answered")
    parser.add_argument("--bind", default="0.0.0.0:5683", metavar="ADDRESS:PORT", help="where (default %(default)s)")
    parser.add_argument("--image", action="append", default=[], type=Path, help="a program to offer, from `link image`")
    parser.add_argument("--log", action="store_true", help="ask each node that is heard for its last lines")
    parser.add_argument("--count", type=int, metavar="N", help="stop after so many requests (default: never)")
    parser.add_argument("--for", dest="for_s", type=float, metavar="S", help="stop after so long (default: never)")


def run(args: argparse.Namespace) -> int:
    """Returns the exit status: 0 done, 1 the address cannot be bound, 2 a key file or the usage is at fault."""
    host, _, port = args.bind.rpartition(":")
    try:
        keys = [node_keys.read(path) for path in args.keys]
        programs = [node_images.parse_node_image(node_images.read(path)) for path in args.image]
        address = (host, int(port))
    except (node_keys.KeyFileError, ValueError) as error:
        raise UsageError(str(error)) from error
    except (ImageError, OSError) as error:
        raise UsageError(f"--image: {error}") from error
    if faults := check_keys(keys):
        raise UsageError("\n  ".join(str(fault) for fault in faults))
    link = Link(keys, AesCcm(), random_below=secrets.randbelow)
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as bound:
            bound.bind(address)
            where = bound.getsockname()
            print(f"serving {len(keys)} node(s) at {where[0]} port {where[1]}; what they say is not kept", flush=True)
            images = NodeImages(link)
            images.set_images(programs)
            _serve(link, bound, args.count, args.for_s, images, wants_log=args.log)
    except OSError as error:
        raise Refused(f"{args.bind}: {error.strerror}") from error
    print(json.dumps({"summary": {name: count for name, count in link.counters.items() if count}}))
    return 0


def _serve(
    link: Link, bound: socket.socket, count: int | None, for_s: float | None, images: NodeImages, *, wants_log: bool
) -> None:
    asked_log: set[bytes] = set()
    bound.settimeout(_POLL_S)
    end_s = None if for_s is None else time.monotonic() + for_s
    answered = 0
    while (count is None or answered < count) and (end_s is None or time.monotonic() < end_s):
        now_ms = time.monotonic_ns() // 1_000_000
        asked = link.poll(now_ms=now_ms)
        try:
            datagram, peer = bound.recvfrom(limits.DATAGRAM_BYTES_MAX + 1)
            asked += link.receive(datagram, peer, now_ms=now_ms)
        except (TimeoutError, ConnectionError):
            pass
        for request in asked:
            if isinstance(request, NodeResponse):  # the answer to the request for its log
                lines = request.payload.decode(errors="replace").split("\n")
                print(json.dumps({"node": request.node.hex(), "log": lines}), flush=True)
            if not isinstance(request, NodeRequest) or images.handle(request, now_ms=now_ms):
                continue
            print(json.dumps(_plain(request)), flush=True)
            answer = record.encode_answer(Answer(int(time.time()), _UNCERTAINTY_S, None, 0))
            link.respond(request.exchange, messages.CHANGED, answer, now_ms=now_ms)
            answered += 1
            if wants_log and request.node not in asked_log and link.reaches(request.node):
                asked_log.add(request.node)
                link.ask(request.node, messages.GET, (b"l",), now_ms=now_ms)
        for peer, datagram in link.outgoing():
            bound.sendto(datagram, peer)


def _plain(request: NodeRequest) -> dict[str, Any]:
    path = "/" + "/".join(message_text.text(segment) for segment in request.path)
    plain: dict[str, Any] = {"node": request.node.hex(), "from": str(request.peer), "path": path}
    if request.payload:
        plain["records"] = message_text.records(request.payload)
    return plain
