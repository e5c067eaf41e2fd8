"""`bocage centre control`, `policy`, `commands`, `gateways`: the daemon, what it publishes, and what it has heard."""

import json
import ssl
import sys
import time
from pathlib import Path

from policy.fault import Fault
from tools.centre.arguments import UsageError, check_trust, local_time, parse_broker
from tools.centre.control import communes, gateways, orders, presence, refusals
from tools.centre.control import schema as control_schema
from tools.centre.control.order_report import lines, plain
from tools.centre.control.order_words import word
from tools.centre.control.standing import standing
from tools.centre.limits import LEASE_S_MAX, LEASE_S_MIN
from tools.centre.store import database
from wire import command, topic

_SHOWN_MAX = 10_000


class _Refused(Exception):
    """A file that is not taken, and why."""

    def __init__(self, path: str, faults: tuple[Fault, ...]) -> None:
        super().__init__(path)
        self.path = path
        self.faults = faults


def run_control(args) -> int:
    """Serve until SIGTERM."""
    host, port = parse_broker(args.broker)
    check_trust(args)
    if not LEASE_S_MIN <= args.lease_s <= LEASE_S_MAX:
        raise UsageError(f"--lease-s {args.lease_s}: give {LEASE_S_MIN} to {LEASE_S_MAX} seconds")
    # Imported here: the other commands work where paho-mqtt is not installed.
    try:
        from tools.centre import mqtt
        from tools.centre.control import control
    except ModuleNotFoundError as error:
        raise UsageError(f"{error.name or error}: the daemon needs paho-mqtt 2.1 or later; install it") from error
    address = mqtt.Address(host, port, args.client_id, args.ca, args.cert, args.key)
    try:
        control.run(args.db, address, lease_s=args.lease_s)
    except ssl.SSLError as error:
        raise UsageError(f"--ca, --cert, --key: {error}") from error
    except presence.Busy:
        print(f"bocage centre: --db {args.db}: another `bocage centre control` serves this file", file=sys.stderr)
        return 1
    return 0


def run_policy(args) -> int:
    """Check and keep; the daemon publishes."""
    if args.policy is None and args.keyset is None:
        raise UsageError("--policy, --keyset: give one of them, or both")
    files = {path: _read(field, path) for field, path in (("--keyset", args.keyset), ("--policy", args.policy)) if path}
    connection = control_schema.open_to_write(args.db)
    try:
        with database.transaction(connection):  # both or neither
            said = _publish(connection, args, files)
    except _Refused as refused:
        print(word("policy.refused", args.lang, file=refused.path), file=sys.stderr)
        for fault in refused.faults:
            print(f"  {fault.path}: {fault.problem}; {fault.remedy}", file=sys.stderr)
        return 1
    finally:
        connection.close()
    print("\n".join(said))
    if presence.look(args.db) is None:
        print(word("policy.no_daemon", args.lang), file=sys.stderr)
    return 0


def run_commands(args) -> int:
    """The last commands, oldest first."""
    now_s = int(time.time())
    if args.commune is not None and not topic.is_insee(args.commune):
        raise UsageError(f"--commune {args.commune}: give the five characters of its INSEE code, such as 49135")
    if not 0 < args.last <= _SHOWN_MAX:
        raise UsageError(f"--last {args.last}: give 1 to {_SHOWN_MAX}")
    connection = _open_to_read(args.db)
    try:
        if args.command is not None:
            kept = orders.named(connection, args.command, args.last)
        else:
            kept = orders.latest(connection, args.last, args.commune)
        found = [standing(connection, one, now_s=now_s) for one in kept]
    finally:
        connection.close()
    if args.json:
        print(json.dumps([plain(one, now_s=now_s) for one in found], ensure_ascii=False, indent=2))
        return 0
    for one in found:
        print("\n".join(lines(one, args.lang, now_s=now_s)))
    if not found:
        print(word("nothing", args.lang))
    return 0


def run_gateways(args) -> int:
    """Every cabinet that spoke, and what was not taken from the broker."""
    now_s = int(time.time())
    connection = _open_to_read(args.db)
    try:
        found, refused = gateways.listed(connection), refusals.counted(connection)
    finally:
        connection.close()
    if args.json:
        daemon = presence.look(args.db)
        document = {
            "daemon": None if daemon is None else daemon._asdict(),
            "gateways": [one._asdict() for one in found],
            "refused": refused,
        }
        print(json.dumps(document, ensure_ascii=False, indent=2))
        return 0
    for one in found:
        print(_gateway(one, args.lang, now_s))
    for reason, times in refused.items():
        print(f"{reason}: {times}")
    if not found:
        print(word("gateways.none", args.lang))
    return 0


def _open_to_read(path):
    if not Path(path).is_file():
        raise UsageError(f"--db {path}: no such file; `bocage centre policy publish` makes it")
    return control_schema.open_to_read(path)


def _read(field, path) -> bytes:
    """A file's bytes, one more than could ever be taken at most."""
    try:
        with open(path, "rb") as file:
            return file.read(command.SIGNED_POLICY_BYTES_MAX + 1)
    except OSError as error:
        raise UsageError(f"{field} {path}: {error.strerror}") from error


def _publish(connection, args, files) -> list[str]:
    now_s = int(time.time())
    said = []
    if args.keyset:
        one, faults = communes.take_keyset(connection, files[args.keyset], now_s=now_s)
        if one is None:
            raise _Refused(args.keyset, faults)
        names = ", ".join(name for _, name in one.keys)
        said.append(word("policy.keyset", args.lang, insee=one.insee, version=one.version, names=names))
    if args.policy:
        held, faults = communes.take_policy(connection, files[args.policy], now_s=now_s)
        if held is None:
            raise _Refused(args.policy, faults)
        values = {"version": held.policy.version, "insee": held.policy.insee, "name": held.signer}
        said.append(word("policy.kept", args.lang, authority=held.policy.authority, text=held.policy.text, **values))
        version = held.policy.version
        seen = gateways.listed(connection, held.policy.insee)
        # A centre that lost its file: what they hold already they will not take again.
        ahead = [one.name for one in seen if one.policy_version is not None and one.policy_version >= version]
        if ahead:
            said.append(word("policy.ahead", args.lang, names=", ".join(ahead), version=version))
    return said


def _gateway(one: gateways.Gateway, language: str, now_s: int) -> str:
    unknown = word("unknown", language)
    states = {True: "online", False: "offline", None: "online.unknown"}
    return word(
        "gateway",
        language,
        name=f"{one.insee}-{one.name}",
        online=word(states[one.online], language),
        heard=unknown if one.heard_unix_s is None else local_time(one.heard_unix_s, now_s=now_s),
        granted=unknown if one.granted_s is None else f"{one.granted_s} s",
        policy=unknown if one.policy_version is None else one.policy_version,
        keyset=unknown if one.keyset_version is None else one.keyset_version,
    )
