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
AUDIT_HEAD = 10
POLICY_TAKEN = 11
POLICY_REFUSED = 12
LEASE_CHANGED = 13
LAMP_FAILURE = 64
LAMP_UNEXPECTED_ON = 65
METER_FAILURE = 66
BEARER_FAILURE = 67
FEEDER_UNEXPECTED_ON = 68
FEEDER_FAILURE = 69
LAMPS_LOST = 70
CABLE_FAULT = 71
CONTACTOR_STUCK = 72
SUPPLY_LOSS = 73
DOOR_OPEN = 74
LOCAL_OVERRIDE = 75
TIME_FALLBACK = 76
POLICY_EXPIRED = 78
HANDED_BACK = 79
PHOTOCELL_FAILURE = 80
CABINET_METER_FAILURE = 81
LEVEL_CHANGED = 128
FEEDER_SWITCHED = 129
COMMAND_OUTCOME = 130
LOCAL_ORDER = 131

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
    # how many entries the cabinet's audit log has had, and the hash of the last one
    Event(AUDIT_HEAD, "auditHead", ("entries", "head")),
    # a signed policy is in the cabinet's hands: its version, its validity (Unix s), the key id of who signed it
    Event(POLICY_TAKEN, "policyTaken", ("version", "valid_from_s", "valid_until_s", "kid")),
    # a policy or key set was refused: why (word), the version it says or null
    Event(POLICY_REFUSED, "policyRefused", ("why", "version")),
    # the centre's lease begins (true) or has run out (false)
    Event(LEASE_CHANGED, "leaseChanged", ("left_s",)),
    Event(LAMP_FAILURE, "lampFailure", None),
    Event(LAMP_UNEXPECTED_ON, "lampUnexpectedOn", None),
    Event(METER_FAILURE, "meterFailure", None),
    # a gateway's way to the centre is down: fibre, mobile
    Event(BEARER_FAILURE, "bearerFailure", ("bearer",)),
    # feeders of a cabinet, by name; power in 0.1 W: what is drawn, and what is when all is well
    Event(FEEDER_UNEXPECTED_ON, "feederUnexpectedOn", ("feeder", "power_dw")),
    Event(FEEDER_FAILURE, "feederFailure", ("feeder", "power_dw", "normal_dw")),
    # how many lamps do not burn; said again when the number changes
    Event(LAMPS_LOST, "lampsLost", ("feeder", "lamps", "power_dw", "normal_dw")),
    # several at one instant: a cable cut or stolen
    Event(CABLE_FAULT, "cableFault", ("feeder", "lamps", "power_dw", "normal_dw")),
    # the contactor does not follow: what was ordered (true: closed)
    Event(CONTACTOR_STUCK, "contactorStuck", ("feeder", "ordered")),
    Event(SUPPLY_LOSS, "supplyLoss", None),
    Event(DOOR_OPEN, "doorOpen", None),
    # the hand switch of the cabinet: on, off
    Event(LOCAL_OVERRIDE, "localOverride", ("switch",)),
    # lighting goes on by something less than the clock: photocell, carried, safety
    Event(TIME_FALLBACK, "timeFallback", ("basis",)),
    Event(POLICY_EXPIRED, "policyExpired", ("version",)),
    # the contactors are in the hand of the cabinet's own astronomical clock
    Event(HANDED_BACK, "handedBack", None),
    # the cell contradicts the sun: dark, bright
    Event(PHOTOCELL_FAILURE, "photocellFailure", ("stuck",)),
    # a meter of the cabinet is silent: a feeder's name, or linky
    Event(CABINET_METER_FAILURE, "cabinetMeterFailure", ("meter",)),
    # new level %, previous level %, rule (word), reason: of the policy an integer (policy.lighting.reason_text), of an
    # order its id
    Event(LEVEL_CHANGED, "levelChanged", ("level", "previous", "rule", "reason")),
    # a contactor was ordered: feeder, closed, rule (word), reason (of the policy: integer, else text)
    Event(FEEDER_SWITCHED, "feederSwitched", ("feeder", "closed", "rule", "reason")),
    # of a command: its id, what became of it, why (word) or null, feeder or null, power in 0.1 W or null; said by a
    # gateway of its contactors, by a node of its own output
    Event(COMMAND_OUTCOME, "commandOutcome", ("id", "outcome", "why", "feeder", "power_dw")),
    # somebody at the cabinet: what (test, lock, unlock), feeder, who
    Event(LOCAL_ORDER, "localOrder", ("what", "feeder", "who")),
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
