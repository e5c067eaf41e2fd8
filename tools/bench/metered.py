"""Counts every byte of a night of street lights over a metered link: TLS, TCP, IP, MQTT, keep-alive, answers.

It takes two steps. First the simulated territory runs through the night in virtual time with the real node and gateway
cores at their real cadence: telemetry every 15 minutes, health every hour, level changes, alarms, the boots at dusk of
the half on a switched feeder. The messages that the cabinet published and that the centre answered are kept, with their
times. Then the same messages go through the gateway's own connection (`gateway/io/mqtt.py`, TLS 1.3, certificates at
both ends) to a real Mosquitto, one exchange after the other, each with its own pause for TCP's delayed acknowledgement,
so that no exchange shares a segment with the next.

Bytes are those of the kernel's TCP_INFO at a relay in front of the broker: bytes and segments of both directions, and
for each segment 40 bytes of IPv4 and TCP headers and 12 of time stamps where they were negotiated. The relay announces
the segment size of a mobile network. Retransmissions are not included: the loopback loses nothing.

Of more exchanges than `--replay` only so many, evenly spread, are replayed, and their mean cost beyond the payload is
used for all. Keep-alive is computed: the cost of a ping is measured on an idle connection, the number of pings follows
from the gaps between the exchanges.

    bocage bench metered --hours 15 --batch-age-s 60 --json
"""

import argparse
import tempfile
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

from simulator.options import Options
from simulator.rig.rig import RigError
from simulator.territory import Territory
from tools.bench import metered_link
from tools.centre.ingest import intake
from tools.command_line import Refused, add_json, print_figures
from wire import senml
from wire import topic as topics
from wire.faults import WireFault

_SETTLED_S = 900  # the cold boot of a simulated territory does not belong to a night
_EXCHANGE_MS = 1_000  # messages closer together than this are one exchange
_MONTH_S = 30 * 86_400


class Message(NamedTuple):
    """Holds one publication of the night; `up` True: from the gateway."""

    at_ms: int
    up: bool
    topic: str
    payload: bytes


class Night(NamedTuple):
    """Holds all messages of one cabinet, in their order, and the counts of what they carried."""

    messages: list[Message]
    records: int
    readings: int
    duration_s: int


def live_through(hours: int, lamps: int, batch_age_s: int, seed: int) -> Night:
    """Simulates a cabinet's night; the territory has two more cabinets, whose messages are not counted."""
    territory = Territory(Options(seed=seed, hours=hours, lamps=3 * lamps, faults=False))
    gateway = territory.gateways[0]
    gateway.options = gateway.options._replace(batch_age_ms=1000 * batch_age_s)
    client = f"{gateway.options.insee}-{gateway.options.name}"
    answers = topics.build(topics.RECEIPT, gateway.options.insee, gateway.options.name)
    messages: list[Message] = []
    publish = territory.broker.publish

    def tapped(name: str, token: int, topic: str, payload: bytes) -> None:
        if name == client or topic == answers:
            messages.append(Message(territory.world.now_ms, name == client, topic, payload))
        publish(name, token, topic, payload)

    territory.broker.publish = tapped  # type: ignore[method-assign]
    territory.run()
    kept = [found for found in messages if 1000 * _SETTLED_S <= found.at_ms < 3_600_000 * hours]
    bodies = [item.record.body for found in kept if found.up for item in _batch(found.payload).items]
    readings = sum(len(body) for body in bodies if isinstance(body, dict))
    return Night(kept, len(bodies), readings, 3600 * hours - _SETTLED_S)


def _batch(payload: bytes) -> senml.Batch:
    try:
        return senml.decode_pack(intake.inflate(payload))
    except WireFault as fault:
        raise AssertionError("the gateway's own batch") from fault


def exchanges(messages: list[Message]) -> list[list[Message]]:
    """Returns the messages in groups without a pause between them."""
    groups: list[list[Message]] = []
    for message in messages:
        if not groups or message.at_ms - groups[-1][-1].at_ms >= _EXCHANGE_MS:
            groups.append([])
        groups[-1].append(message)
    return groups


def pings(groups: list[list[Message]], keepalive_s: int) -> int:
    """Returns the number of pings: one for each keep-alive time within the gaps."""
    gaps = [after[0].at_ms - before[-1].at_ms for before, after in pairwise(groups)]
    return sum(gap // (1000 * keepalive_s) for gap in gaps)


def spread(groups: list[list[Message]], count: int) -> list[list[Message]]:
    """Returns at most `count` of the groups, evenly from the first to the last."""
    if len(groups) <= count:
        return groups
    return [groups[number * len(groups) // count] for number in range(count)]


def measure(folder: Path, args: argparse.Namespace) -> dict[str, Any]:
    """Measures and returns all figures. RigError when a part is missing or does not answer."""
    night = live_through(args.hours, args.lamps, args.batch_age_s, args.seed)
    groups = exchanges(night.messages)
    chosen = spread(groups, args.replay)
    costs = metered_link.replay(folder, chosen, args.keepalive_s)
    payload = sum(len(message.payload) for message in night.messages)
    replayed = sum(len(message.payload) for group in chosen for message in group)
    beyond = (costs.exchanges - replayed) / len(chosen)
    ping_count = pings(groups, args.keepalive_s)
    total = costs.handshake + payload + beyond * len(groups) + ping_count * costs.ping
    up = [message for message in night.messages if message.up]
    return {
        "records": night.records,
        "readings": night.readings,
        "publications": len(up),
        "exchanges": len(groups),
        "replayed": len(chosen),
        "handshake_bytes": costs.handshake,
        "payload_up_bytes": sum(len(message.payload) for message in up),
        "payload_down_bytes": payload - sum(len(message.payload) for message in up),
        "beyond_payload_bytes_per_exchange": beyond,
        "segments_per_exchange": costs.segments / len(chosen),
        "header_bytes_per_segment": costs.header_bytes,
        "ping_bytes": costs.ping,
        "pings": ping_count,
        "total_bytes": round(total),
        "bytes_per_reading": total / night.readings,
        "bytes_per_record": total / night.records,
        "mb_in_30_days": total / night.duration_s * _MONTH_S / 1e6,
        "keepalive_share_percent": 100 * ping_count * costs.ping / total,
    }


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--hours", type=int, default=18, help="from 15:00 UTC in November (default %(default)s)")
    parser.add_argument("--lamps", type=int, default=50, help="of the cabinet (default %(default)s)")
    parser.add_argument("--batch-age-s", type=int, default=60, help="how long telemetry waits (default %(default)s)")
    parser.add_argument("--keepalive-s", type=int, default=240, help="of the mobile bearer (default %(default)s)")
    parser.add_argument("--replay", type=int, default=300, help="exchanges over TLS at most (default %(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="of the territory (default %(default)s)")
    add_json(parser)


def run(args: argparse.Namespace) -> int:
    """Prints the figures; the exit status is 0 when all could be measured, 1 when a part is missing."""
    try:
        with tempfile.TemporaryDirectory(prefix="bocage-metered-") as folder:
            found = measure(Path(folder), args)
    except RigError as error:
        raise Refused(str(error)) from error
    head = {name: getattr(args, name) for name in ("lamps", "hours", "batch_age_s", "keepalive_s", "seed")}
    print_figures({**head, **found}, as_json=args.json)
    return 0
