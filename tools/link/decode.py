"""Shows captured datagrams in words, one line each; a node's key opens the protected ones.

example:
  bocage link decode night.pcapng --key 7c1f0a2c01000007.key

What cannot be read or decoded is shown as a line with the reason. A capture is read by Wireshark's tshark.
"""

import argparse
import json
import os
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from gateway.shell import keys as node_keys
from tools.command_line import UsageError
from tools.link import message_text
from tools.link.opener import Opener
from tools.link.sources import Address, Datagram, Flaw, Sources

COAP_PORT = 5683


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "capture",
        nargs="*",
        help="a capture, or text with one datagram in hexadecimal a line; `-` is such text from standard input, which "
        "is also read when nothing is given; digits that name no file are one datagram",
    )
    parser.add_argument(
        "--key",
        type=Path,
        action="append",
        default=[],
        metavar="FILE",
        help="a node's key file: it opens what follows a start of the node in the capture",
    )
    parser.add_argument("--port", type=int, default=COAP_PORT, help="UDP port in a capture (default %(default)s)")
    parser.add_argument("--serial", action="store_true", help="the digits are the bytes of a serial line (SLIP)")
    parser.add_argument("--payload", action="store_true", help="the digits are record payloads alone")
    parser.add_argument("--json", action="store_true", help="one JSON object a datagram, the summary at the end")


def run(args: argparse.Namespace) -> int:
    """Returns the exit status: 0 everything was decoded, 2 something was not (its line says why)."""
    try:
        opener = Opener([node_keys.read(path) for path in args.key])
    except node_keys.KeyFileError as error:
        raise UsageError(str(error)) from error
    sources = Sources(port=args.port, serial=args.serial)
    has_fault = False
    unreadable = 0
    try:
        for shown in shown_of(sources.datagrams(args.capture), opener, is_payload=args.payload):
            print(json.dumps(shown) if args.json else line(shown))
            has_fault = has_fault or _has_fault(shown)
            unreadable += "unreadable" in shown
        summary = {**opener.counters, "unreadable": unreadable}
        if not args.payload:
            print(json.dumps({"summary": summary}) if args.json else summary_line(summary))
        sys.stdout.flush()
    except BrokenPipeError:  # `| head` has closed the pipe; Python would complain at its exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    return 2 if has_fault or unreadable else 0


def shown_of(found: Iterator[Datagram | Flaw], opener: Opener, *, is_payload: bool = False) -> Iterator[dict[str, Any]]:
    """Returns the content of each datagram as plain data."""
    for datagram in found:
        if isinstance(datagram, Flaw):
            yield {"unreadable": datagram.reason}
        elif is_payload:
            yield {"records": message_text.records(datagram.data)}
        else:
            told = {
                "time": time_text(datagram.time_ns),
                "from": address_text(datagram.source),
                "to": address_text(datagram.destination),
            }
            yield {name: value for name, value in told.items() if value is not None} | opener.show(datagram)


def _has_fault(shown: Any) -> bool:
    if isinstance(shown, dict):
        return "fault" in shown or any(_has_fault(value) for value in shown.values())
    return isinstance(shown, list) and any(_has_fault(value) for value in shown)


def time_text(time_ns: int | None) -> str | None:
    """Returns an instant in UTC, to the microsecond; only the seconds where it is no date."""
    if time_ns is None:
        return None
    seconds, rest_ns = divmod(time_ns, 1_000_000_000)
    try:
        return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{rest_ns // 1000:06}Z"
    except (OverflowError, ValueError, OSError):
        return f"{seconds} s"


def address_text(address: Address | None) -> str | None:
    """Returns host and port as in a URI."""
    if address is None:
        return None
    host, port = address
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def summary_line(summary: dict[str, int]) -> str:
    """Returns the counts in one line."""
    told = [
        f"{summary['datagrams']} datagrams",
        f"{summary['malformed']} malformed",
        f"{summary['protected']} protected",
        f"{summary['opened']} opened",
        f"{summary['not_opened']} not opened",
    ]
    told += [f"{summary['unreadable']} pieces not read"] if summary["unreadable"] else []
    return ", ".join(told)


def line(shown: dict[str, Any]) -> str:
    """Returns one datagram in one line; nothing that a peer wrote can break or colour it."""
    if "unreadable" in shown:
        return f"unreadable: {message_text.text(shown['unreadable'].encode(errors='replace'))}"
    if "type" not in shown and "records" in shown:
        return "; ".join(_record_text(made) for made in shown["records"])
    parts = [f"#{shown['number']}"]
    parts += [shown[name] for name in ("time",) if name in shown]
    if "from" in shown:
        parts.append(f"{shown['from']} > {shown['to']}")
    if "fault" in shown:
        return " ".join([*parts, f"{shown['bytes']} B malformed: {shown['fault']}: {shown['data'][:80]}"])
    parts += [shown["type"], f"id={shown['id']}"]
    parts += [f"token={shown['token']}"] if shown["token"] else []
    parts += [_content_text(shown)]
    parts += [f"answers #{shown['answers']}"] if "answers" in shown else []
    parts += [f"({shown['unprotected']})"] if "unprotected" in shown else []
    if "oscore" in shown:
        parts.append("| OSCORE " + " ".join(f"{name}={value}" for name, value in shown["oscore"].items()))
    if "not_opened" in shown:
        parts.append(f"| not opened: {shown['not_opened']}")
    if "inner" in shown:
        parts.append(f"| inside: {_content_text(shown['inner'])}")
    return " ".join(parts)


def _content_text(shown: dict[str, Any]) -> str:
    """Returns the code, options and payload. The path is shown once, and so are the bytes of what is protected."""
    parts = [shown["name"], *([shown["path"]] if "path" in shown else [])]
    parts += [f"{name}={value}" for name, value in shown["options"] if name not in ("Uri-Path", "OSCORE")]
    if "records" in shown:
        parts += [f"[{_record_text(made)}]" for made in shown["records"]]
    elif "answer" in shown:
        parts.append("[" + " ".join(f"{name}={value}" for name, value in shown["answer"].items()) + "]")
    elif "text" in shown:
        parts.append(json.dumps(shown["text"]))
    elif "payload" in shown and "oscore" not in shown:
        parts.append(f"payload={shown['payload']}")
    return " ".join(parts)


def _record_text(made: dict[str, Any]) -> str:
    if "fault" in made:
        return f"not records: {made['fault']}"
    told = [f"{made['boot']}/{made['sequence']}"]
    if "unix_s" in made:
        told.append(f"{time_text(made['unix_s'] * 1_000_000_000)} ±{made['uncertainty_s']} s".replace(".000000Z", "Z"))
    else:
        told.append(f"uptime {made['uptime_s']} s")
    if "readings" in made:
        return " ".join(told) + ": " + ", ".join(f"{name} {value}" for name, value in made["readings"].items())
    state = {True: " begins", False: " ends", None: ""}[made["active"]]
    detail = "" if made["detail"] is None else f" {json.dumps(made['detail'])}"
    return f"{' '.join(told)}: {made['event']}{state}{detail}"
