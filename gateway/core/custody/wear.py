"""What the journal did since the start, and what that does to the card. Counts and divides; decides nothing."""

from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from gateway.core.custody.room import Room


class Refused(Enum):
    """Why `Journal.append` did not take a record. The sender keeps it and tries again, except after TOO_LONG."""

    FULL = "full"  # the byte cap, less the reserve for lanes other than `alarm`
    PENDING = "pending"  # too much waits for its sync: flush, and wait
    DISK = "disk"  # the disk refused the write
    TOO_LONG = "too long"


@dataclass
class JournalCounters:
    """What happened since the start; only ever rises."""

    appended: int = 0
    appended_bytes: int = 0  # payloads
    written_bytes: int = 0  # payloads, overheads, headers, copies
    refused: dict[Refused, int] = field(default_factory=lambda: dict.fromkeys(Refused, 0))
    flushes: int = 0
    sync_errors: int = 0
    rewritten: int = 0  # records written again after a sync error
    append_errors: int = 0
    delete_errors: int = 0
    read_errors: int = 0
    segments_opened: int = 0
    segments_deleted: int = 0
    segments_replaced: int = 0  # rewritten without some of their records
    watermarks_ahead: int = 0  # watermarks beyond what was ever durable


def wear(counters: JournalCounters, room: Room, *, lasted_ms: int) -> dict[str, Any]:
    """The figures of `Journal.wear`. No rate before the first minute: it would be noise."""
    payload, written = counters.appended_bytes, counters.written_bytes
    return {
        "bytes_written": written,
        "written_per_payload_byte": round(written / payload, 2) if payload else None,
        "megabytes_a_day": round(written * 86_400 / lasted_ms / 1000, 1) if lasted_ms >= 60_000 else None,
        "flushes": counters.flushes,
        "segments_replaced": counters.segments_replaced,
        "cap_bytes": room.cap,
        "free_bytes": room.free_bytes,
        **room.counters,
    }
