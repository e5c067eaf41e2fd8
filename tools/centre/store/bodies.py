"""Reads bodies that were judged at their receipt, with a compiled decoder where there is one.

`wire.record.decode_body` checks what a stranger may have sent; what a row holds has passed it. cbor2 reads such a body
six times as fast, and gives the same (a test compares them). The simulator runs without it.
"""

from collections.abc import Iterable

from wire import event_table, record

try:
    from cbor2 import loads
except ImportError:  # a desktop with nothing installed
    decode = record.decode_body

    def decode_readings(bodies: Iterable[bytes]) -> list[dict[int, int]]:
        """Returns the readings of many bodies of telemetry."""
        return list(map(record.decode_body, bodies))

else:

    def decode(data: bytes) -> dict[int, int] | record.EventBody:
        """Returns the body in a row: a map of readings, or an event."""
        body = loads(data)
        return body if isinstance(body, dict) else record.EventBody(*body, *(None,) * (3 - len(body)))

    def decode_readings(bodies: Iterable[bytes]) -> list[dict[int, int]]:
        """Returns the readings of many bodies of telemetry, as one array of indefinite length (RFC 8949, 3.2.2)."""
        return loads(b"\x9f" + b"".join(bodies) + b"\xff")


def decode_event(data: bytes) -> record.EventBody:
    """Returns the event in a row with as many details as its code has, None for those that are missing: a row keeps
    what its node has said, and a node may say anything."""
    body = decode(data)
    entry = event_table.BY_CODE.get(body.code)
    count = len(entry.detail or ()) if entry is not None else 0
    if not count:
        return body
    given = body.detail[:count] if isinstance(body.detail, list) else []
    return record.EventBody(body.code, body.active, [*given, *[None] * (count - len(given))])
