"""Sends captured datagrams again, byte for byte, and shows what comes back.

example:
  bocage link replay night.pcap coap://192.0.2.7

For the bench: with it a technician shows that a recorded command changes nothing when it is sent again. It makes,
alters and numbers nothing; a context file serves to read the answers. It is slow on purpose, one datagram after the
other, to one host given by name or address: it is no load generator.
"""

import argparse
import json
import socket
import sys
import time
from collections.abc import Iterator
from ipaddress import ip_address
from itertools import islice
from typing import Any
from urllib.parse import urlsplit

from gateway.language import N_
from gateway.shell import keys as node_keys
from tools.command_line import UsageError
from tools.link import decode as link_decode
from tools.link.capture import Address, Datagram, Flaw
from tools.link.opener import Opener
from tools.link.sources import Sources

# A replay that is forgotten in a terminal must end by itself; a bench session has some dozens of datagrams.
DATAGRAMS_MAX = 1000
# Each datagram has its own wait for answers, so this is also the rate: 10 a second.
WAIT_S_MIN, WAIT_S_MAX = 0.1, 60
_ANSWERS_MAX = 16  # shown for one datagram: an acknowledgement, a separate answer and its retransmissions
_ANSWER_BYTES_MAX = 65_535
_REFUSED = "nothing listens there"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("capture", help="a capture, of which what went to --port is sent; or hexadecimal, a line each")
    parser.add_argument("uri", help="coap://HOST[:PORT]")
    link_decode.add_context_argument(parser)
    port = link_decode.COAP_PORT
    parser.add_argument("--port", type=int, default=port, help="the server's in the capture (default %(default)s)")
    parser.add_argument("--wait", type=float, default=2, metavar="SECONDS", help="for answers to each (default 2)")
    parser.add_argument("--json", action="store_true", help="one JSON object a datagram, the counts at the end")


def run(args: argparse.Namespace) -> int:
    """Returns the exit status: 0 all were sent, 2 something could not be read or sent, or there was nothing."""
    try:
        address, family = _target(args.uri)
        if not WAIT_S_MIN <= args.wait <= WAIT_S_MAX:
            raise UsageError(N_("--wait is from {low:g} to {high:g} seconds"), low=WAIT_S_MIN, high=WAIT_S_MAX)
        opener = link_decode.opener_of(args.context)
    except node_keys.KeyFileError as error:
        raise UsageError(str(error)) from error
    target = (str(address[0]), int(address[1]))
    print(
        f"replay: what {args.capture} holds for port {args.port} goes unaltered to {link_decode.address_text(target)}, "
        f"one datagram each {args.wait:g} s, {DATAGRAMS_MAX} at most",
        file=sys.stderr,
        flush=True,
    )
    counts = {"sent": 0, "answered": 0, "silent": 0, "failed": 0}
    found = _chosen(Sources(port=args.port).datagrams([args.capture]), args.port)
    with socket.socket(family, socket.SOCK_DGRAM) as sock:
        sock.connect(address)  # so that other hosts are not heard, and a port without a listener is reported
        for item in islice(found, DATAGRAMS_MAX):
            shown = _one(sock, target, item, opener, args.wait)
            for name in _counted(shown):
                counts[name] += 1
            print(json.dumps(shown) if args.json else _lines(shown), flush=True)
    told = ", ".join(f"{count} {name}" for name, count in counts.items())
    print(json.dumps({"summary": counts}) if args.json else told)
    return 2 if counts["failed"] or not counts["sent"] else 0


def _counted(shown: dict[str, Any]) -> tuple[str, ...]:
    if "sent" not in shown:
        return ("failed",)
    return ("sent", "failed" if "fault" in shown else "answered" if shown["answers"] else "silent")


def _target(uri: str) -> tuple[Any, int]:
    """Returns the socket address of one host, and its address family."""
    try:
        parts = urlsplit(uri)
        host, port = parts.hostname, parts.port or link_decode.COAP_PORT
    except ValueError:
        raise UsageError(N_("the port is a number below 65536")) from None
    if parts.scheme != "coap" or not host or parts.path.strip("/") or parts.query:
        raise UsageError(N_("give an address such as coap://192.0.2.7; paths are in the datagrams"))
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)[0]
    except (OSError, UnicodeError) as error:
        raise UsageError(f"{host}: {getattr(error, 'strerror', None) or 'no such name'}") from None
    target = ip_address(str(address[0]).partition("%")[0])
    if target.is_multicast or target.is_unspecified or str(target) == "255.255.255.255":
        raise UsageError(N_("{host} is not one host"), host=host)
    return address, family


def _chosen(found: Iterator[Datagram | Flaw], port: int) -> Iterator[Datagram | Flaw]:
    """Returns the datagrams that went to the server; where the source is text, all of them."""
    for item in found:
        if isinstance(item, Flaw) or item.destination is None or item.destination[1] == port:
            yield item


def _one(sock: socket.socket, target: Address, item: Datagram | Flaw, opener: Opener, wait_s: float) -> dict[str, Any]:
    """Sends one datagram, and gathers the answers that come within the wait."""
    if isinstance(item, Flaw):
        return {"unreadable": item.reason}
    end_s = time.monotonic() + wait_s
    shown: dict[str, Any] = {"sent": _shown(Datagram(time.time_ns(), None, target, item.data), opener), "answers": []}
    try:
        sock.send(item.data)
    except ConnectionRefusedError:  # the answer to the datagram before it
        shown["fault"] = _REFUSED
    except OSError as error:
        shown["fault"] = error.strerror or "it cannot be sent"
    while (left_s := end_s - time.monotonic()) > 0:
        sock.settimeout(left_s)
        try:
            answer = sock.recv(_ANSWER_BYTES_MAX)
        except TimeoutError:
            break
        except OSError:
            shown["fault"] = _REFUSED
            continue
        if len(shown["answers"]) < _ANSWERS_MAX:
            shown["answers"].append(_shown(Datagram(time.time_ns(), target, None, answer), opener))
    return shown


def _shown(datagram: Datagram, opener: Opener) -> dict[str, Any]:
    return {"time": link_decode.time_text(datagram.time_ns), **opener.show(datagram)}


def _lines(shown: dict[str, Any]) -> str:
    if "unreadable" in shown:
        return link_decode.line(shown)
    lines = [f"sent {link_decode.line(shown['sent'])}"]
    lines += [f"  came {link_decode.line(answer)}" for answer in shown["answers"]]
    if "fault" in shown:
        lines.append(f"  {shown['fault']}")
    elif not shown["answers"]:
        lines.append("  silence")
    return "\n".join(lines)
