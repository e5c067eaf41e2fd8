"""Reads from Mosquitto's log whom it refused, and why: a name where the certificate gave one, else an address.

At the levels that Debian's configuration logs, Mosquitto says little: a handshake that failed without its address, a
client without a role as admitted, a refused message as "Quota exceeded" (it then ends the connection, since
`max_queued_messages 0` allows a client no packet more). So connections are followed from their first line: one that was
never admitted is told by its address, with the name that was admitted from there before. A refused subscription leaves
no line below the level debug, which would log eight lines for each batch of the territory; but a granted one does where
`log_type subscribe` is set, so a client that stays without is known (`deaf`). Of a refused will nothing is told. Must
not change anything.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path

from tools.centre.broker import roles

CERTIFICATE, NO_CERTIFICATE, OLD_TLS, NO_TLS = "certificate", "no-certificate", "old-tls", "no-tls"
NO_ROLE, TOPIC, TWICE = "no-role", "topic", "twice"

# What is read of the end of a log: some 16,000 connections.
_LOG_BYTES_MAX = 4 << 20
# A cabinet whose link was cut takes its own place once; of two machines with one certificate each throws the other out,
# for ever.
_TWICE_MIN = 10
_LINE = re.compile(r"(\d+): (.*)")
_NEW = re.compile(r"New connection from (\S+):(\d+) on port")
_ADMITTED = re.compile(r"New client connected from (\S+):(\d+) as (.*) \(p\d")
_DENIED = re.compile(r"Bad socket read/write on client (\S+): Quota exceeded")
_TAKEN_OVER = re.compile(r"Client (\S+) already connected, closing old")
_TLS = re.compile(r"OpenSSL Error\[0\]: error:[0-9A-F]+:SSL routines::(.*)")
_FAILED = re.compile(r"Client connection from (\S+) failed: error:[0-9A-F]+:SSL routines::(.*?)\.?")
_STARTING = re.compile(r"mosquitto version \S+ starting")
_GRANTED = re.compile(r"(\S+) [012] (\S+)")
_GONE = re.compile(r"(?:Client|Bad socket read/write on client) ([^\s:]+):? (?!already connected)")
# A client subscribes at once when it is admitted.
_SUBSCRIBES_WITHIN_S = 60
_UNKNOWN_GONE = "Client <unknown> "
_OF_TLS = {
    "certificate verify failed": CERTIFICATE,
    "peer did not return a certificate": NO_CERTIFICATE,
    "unsupported protocol": OLD_TLS,
}


def read(path: Path, since_unix_s: float) -> list[tuple[int, str]]:
    """Returns what a log says since an instant, and when (Unix s), as far as its last part goes back, and the part of
    the one before, which Debian puts aside at night. OSError."""
    aside = path.with_name(path.name + ".1")
    lines = [*(_tail(aside) if aside.exists() else ()), *_tail(path)]
    found = (_LINE.fullmatch(line) for line in lines)
    return [(int(line[1]), line[2]) for line in found if line is not None and int(line[1]) >= since_unix_s]


def _tail(path: Path) -> list[str]:
    with path.open("rb") as file:
        file.seek(max(0, file.seek(0, 2) - _LOG_BYTES_MAX))
        return file.read().decode(errors="replace").splitlines()


def deaf(entries: Iterable[tuple[int, str]], wanted: Mapping[str, Iterable[str]], now_unix_s: float) -> set[str]:
    """Returns who is connected for a minute and has not been granted what it subscribes to; `wanted`: the topics by
    account. A connection older than the log is not judged, nor a broker that does not log what it grants."""
    lacking: dict[str, tuple[int, set[str]]] = {}
    is_logged = False
    for unix_s, line in entries:
        if _STARTING.match(line):
            lacking, is_logged = {}, False
        elif (one := _ADMITTED.match(line)) and one[3] in wanted:
            lacking[one[3]] = unix_s, set(wanted[one[3]])
        elif one := _GRANTED.fullmatch(line):
            is_logged = True
            if one[1] in lacking:
                lacking[one[1]][1].discard(one[2])
        elif one := _GONE.match(line):
            lacking.pop(one[1], None)
    late_s = now_unix_s - _SUBSCRIBES_WITHIN_S
    return {name for name, (unix_s, topics) in lacking.items() if is_logged and topics and unix_s < late_s}


def refusals(entries: Iterable[tuple[int, str]], known: Iterable[str]) -> dict[str, Counter[str]]:
    """Returns for each kind of refusal who was refused, and how often; `known`: the accounts that have a role."""
    lines, known = [line for _, line in entries], set(known)
    admitted = {(one[1], one[2]) for one in map(_ADMITTED.match, lines) if one}
    waiting: list[str] = []  # addresses whose connection is open and will not be admitted
    names: dict[str, str] = {}  # by address, the cabinet that was admitted from there last
    found: dict[str, Counter[str]] = {}
    why = NO_TLS

    def note(kind, who):
        found.setdefault(kind, Counter())[who] += 1

    for line in lines:
        if (one := _NEW.match(line)) and (one[1], one[2]) not in admitted:
            waiting.append(one[1])
        elif one := _ADMITTED.match(line):
            if one[3] not in known:
                note(NO_ROLE, one[3])
            elif not roles.is_account(one[3]):
                names[one[1]] = one[3]
        elif one := _FAILED.fullmatch(line):
            note(_OF_TLS.get(one[2], NO_TLS), _named(one[1], names))
        elif one := _TLS.match(line):
            why = _OF_TLS.get(one[1], NO_TLS)
        elif line.startswith(_UNKNOWN_GONE) and waiting:
            note(why, _named(waiting.pop(0), names))
            why = NO_TLS
        elif one := _DENIED.match(line):
            note(TOPIC, one[1])
        elif one := _TAKEN_OVER.match(line):
            note(TWICE, one[1])
    twice = Counter({who: times for who, times in found.pop(TWICE, Counter()).items() if times >= _TWICE_MIN})
    return {**found, TWICE: twice} if twice else found


def _named(address: str, names: Mapping[str, str]) -> str:
    return f"{address} ({names[address]})" if address in names else address
