"""The one table of events: code, name, lane, and what the detail holds.

An event body on the wire is `[code, active, detail]`. `active` is true when a condition begins, false when
it ends, null for what happens once. `detail` is a map of readings (the values that made the node decide) or
a list in the order given here. Names follow TALQ's where TALQ has one. Codes are never reused; the ranges
tell the lane, so a gateway that is older than a node still sends the node's new alarms first:

    0-63     housekeeping: boots, anchors, gaps          lane `event`
    64-127   alarms: somebody must look                  lane `alarm`
    128-255  what equipment did                          lane `event`
"""

from collections import namedtuple

from wire.quantity import small_number

Event = namedtuple("Event", ("code", "name", "detail"))

ALARM = "alarm"
EVENT = "event"
TELEMETRY = "telemetry"
LANES = (ALARM, EVENT, TELEMETRY)

BOOT = 1
ANCHOR = 2
GAP = 3
RAW = 4
HOLE = 5
CONFLICT = 6
TIME_DOUBTFUL = 7
CLOCK_STEPPED = 8
BEARER_CHANGED = 9
LAMP_FAILURE = 64
LAMP_UNEXPECTED_ON = 65
METER_FAILURE = 66
BEARER_FAILURE = 67
LEVEL_CHANGED = 128

# Why a record will not come (detail of GAP) or why bytes went up raw (detail of RAW): stable words, not prose.
TABLE = (
    # previous boot | null, last durable sequence of it | null, reset cause, node kind, firmware version
    Event(BOOT, "boot", ("previous_boot", "durable_sequence", "cause", "kind", "version")),
    # about node | null for oneself, its boot, uptime s, Unix s, ± s
    Event(ANCHOR, "anchor", ("about", "boot", "uptime_s", "unix_s", "uncertainty_s")),
    # about node | null for oneself, its boot, first and last sequence (null: open), why
    Event(GAP, "gap", ("about", "boot", "first", "last", "why")),
    # about node, why, the payload as it came
    Event(RAW, "raw", ("about", "why", "payload")),
    # journal positions that hold nothing any more: epoch, lane, first and last position, why
    Event(HOLE, "hole", ("epoch", "lane", "first", "last", "why")),
    # about node, its boot and sequence: two bodies claim one identity
    Event(CONFLICT, "conflict", ("about", "boot", "sequence")),
    # about node, its boot and sequence, the Unix s it says, those of who heard it, and ± s of both together: one of the
    # two clocks is wrong, or the record is older than a node can hold it
    Event(TIME_DOUBTFUL, "timeDoubtful", ("about", "boot", "sequence", "said_unix_s", "heard_unix_s", "uncertainty_s")),
    # one's own clock, corrected: the Unix s it carried, those it was told, ± s of both together
    Event(CLOCK_STEPPED, "clockStepped", ("before_unix_s", "after_unix_s", "uncertainty_s")),
    # by which bearer a gateway speaks to the centre now, and by which before
    Event(BEARER_CHANGED, "bearerChanged", ("bearer", "before")),
    Event(LAMP_FAILURE, "lampFailure", None),
    Event(LAMP_UNEXPECTED_ON, "lampUnexpectedOn", None),
    Event(METER_FAILURE, "meterFailure", None),
    # a gateway's way to the centre is down: fibre, mobile
    Event(BEARER_FAILURE, "bearerFailure", ("bearer",)),
    # new level %, previous level %, rule (word), reason of the policy (integer, policy.lighting.reason_text)
    Event(LEVEL_CHANGED, "levelChanged", ("level", "previous", "rule", "reason")),
)

BY_CODE = {entry.code: entry for entry in TABLE}
BY_NAME = {entry.name: entry for entry in TABLE}

CODE_MAX = 255


def lane(code: int) -> str:
    """The lane an event travels in; known or not."""
    return ALARM if 64 <= code < 128 else EVENT


def label(code: int) -> str:
    """SenML name of an event: `lampFailure`, or `event77` when the table does not know the code."""
    entry = BY_CODE.get(code)
    return entry.name if entry else f"event{code}"


def code_from_label(name: str):
    """The code behind a label, or None when it is nobody's."""
    entry = BY_NAME.get(name)
    if entry:
        return entry.code
    code = small_number(name[5:])
    # One code has one label: no `event07`, no `event1` for an event that has a name.
    return code if code is not None and code <= CODE_MAX and label(code) == name else None
