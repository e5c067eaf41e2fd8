"""Lists every event once: code, name, lane, and what the detail holds.

An event body on the wire is `[code, active, detail]`. `active` is true when a condition begins, false when it ends,
null for an event without duration. `detail` is a map of readings (the values that made the node decide) or a list in
the order given here. Names follow TALQ's where TALQ has one. Codes are never reused; the range of a code gives its
lane, so a gateway that is older than a node still sends the node's new alarms first:

    0-63     housekeeping: boots, anchors, gaps          lane `event`
    64-127   alarms: a person must act                   lane `alarm`
    128-255  what equipment did                          lane `event`
"""

from collections import namedtuple

from wire.quantity import made, small_number

Event = namedtuple("Event", ("code", "name", "detail"))

ALARM = "alarm"
EVENT = "event"
TELEMETRY = "telemetry"
LANES = (ALARM, EVENT, TELEMETRY)
# What a node sends beyond its fair use, of any kind: a lane between gateway and centre only.
SURPLUS = "surplus"
BATCH_LANES = LANES + (SURPLUS,)

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
CRASH = 14
DIRECTIVE_TAKEN = 15
SETTINGS_CHANGED = 16
RECEIPT_REFUSED = 17
AGENT_UPDATE = 18
UPDATE = 24
CAMPAIGN = 25
SYSTEM_UPDATE = 26
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
DIMMING_FAILURE = 82
CYCLING_FAILURE = 83
RELAY_FAILURE = 84
GEAR_COMM_FAILURE = 85
POWER_TOO_HIGH = 86
POWER_TOO_LOW = 87
VOLTAGE_TOO_HIGH = 88
VOLTAGE_TOO_LOW = 89
GEAR_FAILURE = 90
PRESENCE_SENSOR_FAILURE = 91
SENSOR_FAILURE = 92
FROST_PROTECTION = 93
HEATING_FAILURE = 94
HEATING_UNEXPECTED_ON = 95
BOILER_FAULT = 96
BOILER_COMM_FAILURE = 97
VALVE_FAILURE = 98
FLOW_TOO_HIGH = 99
FLOW_TOO_LOW = 100
PIPE_BURST = 101
WATER_LEAK = 102
BATTERY_LOW = 103
RESCUE_MODE = 104
SETTINGS_FAILURE = 105
CLOCK_FAILURE = 106
CONTAINER_FULL = 107
PREHEAT_FAILURE = 108
FAIR_USE_EXCEEDED = 109
AGENT_UPDATE_FAILURE = 110
SYSTEM_UPDATE_FAILURE = 111
CAMPAIGN_HALTED = 112
LEVEL_CHANGED = 128
FEEDER_SWITCHED = 129
COMMAND_OUTCOME = 130
LOCAL_ORDER = 131
SETPOINT_CHANGED = 132
WINDOW_OPEN = 133
VALVE_SWITCHED = 134
WATERING_DONE = 135
WATERING_SKIPPED = 136
HEATING_LEARNED = 137
VALVE_EXERCISED = 138
LOAD_SHED = 139
CEILING_APPLIED = 140
LOCAL_TEST = 141
CONTAINER_EMPTIED = 142
LAMP_ASSET = 143
IDENTIFIED = 144
NODE_PLACED = 145

# The words for why a record will not come (detail of GAP) or why bytes went up raw (detail of RAW) are stable, not
# prose. A node knows its codes and needs no names: the table is made when it is first asked for, which saves a chip 5
# kB.

_made = []  # the table, and its entries by code and by name


def _entries():
    """Lists every event once. Long because it is one table, made at once when it is first asked for."""
    return (
    # previous boot | null, last durable sequence of it | null, reset cause, node kind, firmware version
    Event(BOOT, "boot", ("previous_boot", "durable_sequence", "cause", "kind", "version")),
    # about node | null for oneself, its boot, uptime s, Unix s, ± s
    Event(ANCHOR, "anchor", ("about", "boot", "uptime_s", "unix_s", "uncertainty_s")),
    # about node | null for oneself, its boot, first and last sequence (null: open), why
    Event(GAP, "gap", ("about", "boot", "first", "last", "why")),
    # about node, why, the payload as it came
    Event(RAW, "raw", ("about", "why", "payload")),
    # journal positions that no longer hold a record: epoch, lane, first and last position, why
    Event(HOLE, "hole", ("epoch", "lane", "first", "last", "why")),
    # about node, its boot and sequence: two different bodies have this one identity
    Event(CONFLICT, "conflict", ("about", "boot", "sequence")),
    # about node, its boot and sequence, the Unix s in the record, the receiver's Unix s, and ± s of both together: one
    # of the two clocks is wrong, or the record is older than a node can hold it
    Event(TIME_DOUBTFUL, "timeDoubtful", ("about", "boot", "sequence", "said_unix_s", "heard_unix_s", "uncertainty_s")),
    # one's own clock was corrected: its Unix s before and after, ± s of both together
    Event(CLOCK_STEPPED, "clockStepped", ("before_unix_s", "after_unix_s", "uncertainty_s")),
    # the bearer by which a gateway now reaches the centre, and the one before
    Event(BEARER_CHANGED, "bearerChanged", ("bearer", "before")),
    # how many entries the cabinet's audit log has had, and the hash of the last one
    Event(AUDIT_HEAD, "auditHead", ("entries", "head")),
    # the cabinet has accepted a signed policy: its version, its validity (Unix s), the id of the key that signed it
    Event(POLICY_TAKEN, "policyTaken", ("version", "valid_from_s", "valid_until_s", "kid")),
    # a policy or key set was refused: why (word), the version in it or null
    Event(POLICY_REFUSED, "policyRefused", ("why", "version")),
    # the centre's lease begins (true) or has run out (false)
    Event(LEASE_CHANGED, "leaseChanged", ("left_s",)),
    # how the previous life ended, from memory that survives a reset: cause, digest of the error (8 bytes) or null, the
    # task that was under way or null, uptime s, the least of the heap's free bytes or null
    Event(CRASH, "crash", ("cause", "digest", "task", "uptime_s", "heap_low")),
    # a directive for nodes of this kind has changed: code (wire.directive), value, seconds it holds for
    Event(DIRECTIVE_TAKEN, "directiveTaken", ("code", "value", "for_s")),
    # other settings are in force: version, first bytes of their SHA-256
    Event(SETTINGS_CHANGED, "settingsChanged", ("version", "digest")),
    # a gateway has refused what came in the warehouse's name: why (word): form, stranger, signature, addressee; or
    # altered: the warehouse signed for other batches than were sent
    Event(RECEIPT_REFUSED, "receiptRefused", ("why",)),
    # a gateway's own package: the version wanted, the one before, what became of it (word: kept, rolled-back, refused),
    # why (word) or null
    Event(AGENT_UPDATE, "agentUpdate", ("agent_version", "agent_before", "outcome", "why")),
    # an image for this node: its number (0: unknown), what became of it (word): ready, confirmed, fell-back, what a
    # trial lacked (no-…), or why it was refused; and what it holds (word): absent, the program, else interpreter
    Event(UPDATE, "update", ("number", "outcome", "holds")),
    # a gateway's campaign that brings a kind of node its program has another phase (word): kind, number of the image,
    # phase, how many nodes have confirmed it and how many have failed
    Event(CAMPAIGN, "campaign", ("product", "number", "phase", "confirmed", "failed")),
    # the packages of a gateway's system: the state of Debian's archive that was wanted (20261130T000000Z), the one
    # before or null, what became of it and why, as of agentUpdate
    Event(SYSTEM_UPDATE, "systemUpdate", ("system_state", "system_before", "outcome", "why")),
    Event(LAMP_FAILURE, "lampFailure", None),
    Event(LAMP_UNEXPECTED_ON, "lampUnexpectedOn", None),
    Event(METER_FAILURE, "meterFailure", None),
    # a gateway's bearer to the centre is down: fibre, mobile
    Event(BEARER_FAILURE, "bearerFailure", ("bearer",)),
    # feeders of a cabinet, by name; power in 0.1 W: the measured one, and the normal one
    Event(FEEDER_UNEXPECTED_ON, "feederUnexpectedOn", ("feeder", "power_dw")),
    Event(FEEDER_FAILURE, "feederFailure", ("feeder", "power_dw", "normal_dw")),
    # how many lamps are out; reported again when the number changes
    Event(LAMPS_LOST, "lampsLost", ("feeder", "lamps", "power_dw", "normal_dw")),
    # several lamps lost at one instant: a cable cut or stolen
    Event(CABLE_FAULT, "cableFault", ("feeder", "lamps", "power_dw", "normal_dw")),
    # the contactor does not follow: what was ordered (true: closed)
    Event(CONTACTOR_STUCK, "contactorStuck", ("feeder", "ordered")),
    Event(SUPPLY_LOSS, "supplyLoss", None),
    Event(DOOR_OPEN, "doorOpen", None),
    # the hand switch of the cabinet: on, off
    Event(LOCAL_OVERRIDE, "localOverride", ("switch",)),
    # lighting continues on a lesser basis than the clock: photocell, carried, safety
    Event(TIME_FALLBACK, "timeFallback", ("basis",)),
    Event(POLICY_EXPIRED, "policyExpired", ("version",)),
    # the cabinet's own astronomical clock has the contactors
    Event(HANDED_BACK, "handedBack", None),
    # the cell contradicts the sun: dark, bright; or it sees a lamp or a sign: lamp
    Event(PHOTOCELL_FAILURE, "photocellFailure", ("stuck",)),
    # a meter of the cabinet is silent: a feeder's name, or linky
    Event(CABINET_METER_FAILURE, "cabinetMeterFailure", ("meter",)),
    # power does not follow the level
    Event(DIMMING_FAILURE, "dimmingFailure", None),
    # a lamp goes out and comes back by itself
    Event(CYCLING_FAILURE, "cyclingFailure", None),
    # the output's relay does not follow
    Event(RELAY_FAILURE, "relayFailure", None),
    # a lamp's control gear (DALI), or the converter chip that dims it, does not answer
    Event(GEAR_COMM_FAILURE, "controlGearCommFailure", None),
    Event(POWER_TOO_HIGH, "lampPowerTooHigh", None),
    Event(POWER_TOO_LOW, "lampPowerTooLow", None),
    Event(VOLTAGE_TOO_HIGH, "supplyVoltageTooHigh", None),
    Event(VOLTAGE_TOO_LOW, "supplyVoltageTooLow", None),
    # a gear reports a failure of its own: its flag (DALI part 253: word)
    Event(GEAR_FAILURE, "controlGearFailure", ("flag",)),
    # a presence detector never stops triggering
    Event(PRESENCE_SENSOR_FAILURE, "presenceSensorFailure", None),
    # a sensor is absent, stale, stuck or out of range: which (word), why (word)
    Event(SENSOR_FAILURE, "sensorFailure", ("sensor", "why")),
    # frost protection heats a room against every other rule, or would if its node were not locked: its temperature in
    # 0.01 °C, or null
    Event(FROST_PROTECTION, "frostProtection", ("temperature_ck",)),
    # full heat and no rise; heat without an order: duty %, rise in 0.01 K
    Event(HEATING_FAILURE, "heatingFailure", ("duty", "rise_ck")),
    Event(HEATING_UNEXPECTED_ON, "heatingUnexpectedOn", ("duty", "rise_ck")),
    # OpenTherm id 5: application-specific fault flags, the maker's fault code
    Event(BOILER_FAULT, "boilerFault", ("flags", "oem_code")),
    Event(BOILER_COMM_FAILURE, "boilerCommFailure", None),
    # zone (0: master valve; of a room 1), why (word: open-coil, short, no-flow, energy; silent: the chip that drives it
    # does not answer), current in mA or null
    Event(VALVE_FAILURE, "valveFailure", ("zone", "why", "current_ma")),
    # zone, measured and expected flow in mL/min
    Event(FLOW_TOO_HIGH, "flowTooHigh", ("zone", "flow_ml_min", "expected_ml_min")),
    Event(FLOW_TOO_LOW, "flowTooLow", ("zone", "flow_ml_min", "expected_ml_min")),
    # zone that ran, or null, and the flow; the master valve is shut until a person acknowledges it
    Event(PIPE_BURST, "pipeBurst", ("zone", "flow_ml_min")),
    # water flows with every valve shut: mL, over how many s
    Event(WATER_LEAK, "waterLeak", ("volume_ml", "over_s")),
    Event(BATTERY_LOW, "batteryLow", ("battery_mv",)),
    # the application failed three times: only radio and update run, outputs are safe
    Event(RESCUE_MODE, "rescueMode", ("why",)),
    # settings that cannot be used; the last good ones, or the factory's, are in force: why (word)
    Event(SETTINGS_FAILURE, "settingsFailure", ("why",)),
    # a node's clock chip is absent, stopped or far from the gateway's time: why (word)
    Event(CLOCK_FAILURE, "clockFailure", ("why",)),
    # a container is full: fill in %
    Event(CONTAINER_FULL, "containerFull", ("fill",)),
    # people have come and the room is still cold after the longest preheat or one that began too late: its temperature
    # and set-point in 0.01 °C, minutes of full heat; ends when the room is warm, or with the hours
    Event(PREHEAT_FAILURE, "preheatFailure", ("temperature_ck", "setpoint_ck", "minutes")),
    # reported by a gateway of a node that sends more than its fair use: alarms, events and bytes of readings that day;
    # ends after a day without excess
    Event(FAIR_USE_EXCEEDED, "fairUseExceeded", ("about", "alarms", "events", "reading_bytes")),
    # a gateway could not bring its own package to the version wanted: that version, why (word); ends when it can
    Event(AGENT_UPDATE_FAILURE, "agentUpdateFailure", ("agent_version", "why")),
    # a gateway could not bring its system to the state wanted: that state, why (word), names of the packages that were
    # to change (text, 100 characters of it) or null; ends when it can
    Event(SYSTEM_UPDATE_FAILURE, "systemUpdateFailure", ("system_state", "why", "packages")),
    # such a campaign has halted by itself: the kind; ends when a person stops it or begins another
    Event(CAMPAIGN_HALTED, "campaignHalted", ("product",)),
    # new level %, previous level %, rule (word), reason: an integer for the policy (policy.lighting.reason_text), the
    # id for an order
    Event(LEVEL_CHANGED, "levelChanged", ("level", "previous", "rule", "reason")),
    # a contactor was ordered: feeder, closed, rule (word), reason (an integer for the policy, else text)
    Event(FEEDER_SWITCHED, "feederSwitched", ("feeder", "closed", "rule", "reason")),
    # of a command: its id, what became of it, why (word) or null, feeder or null, power in 0.1 W or null; reported by a
    # gateway for its contactors, by a node for its own output
    Event(COMMAND_OUTCOME, "commandOutcome", ("id", "outcome", "why", "feeder", "power_dw")),
    # a person at the cabinet: what (test, lock, unlock), feeder, who
    Event(LOCAL_ORDER, "localOrder", ("what", "feeder", "who")),
    # set-point and the one before, 0.01 °C; rule (word), reason (as of levelChanged)
    Event(SETPOINT_CHANGED, "setpointChanged", ("setpoint_ck", "previous_ck", "rule", "reason")),
    # begins and ends; how it was detected: contact, slope
    Event(WINDOW_OPEN, "windowOpen", ("seen_by",)),
    # zone (0: master valve), open, rule (word), reason, seconds after which it closes by itself
    Event(VALVE_SWITCHED, "valveSwitched", ("zone", "open", "rule", "reason", "for_s")),
    # zone, seconds open, mL measured or null, depth in 0.1 mm, how it ended (word)
    Event(WATERING_DONE, "wateringDone", ("zone", "open_s", "volume_ml", "depth_dmm", "ended")),
    # zone, why (word: rain, freeze, wind, forbidden, drought, energy, satisfied, time, lock, test), and the value that
    # decided
    Event(WATERING_SKIPPED, "wateringSkipped", ("zone", "why", "value")),
    # a preheat is over: minutes, K·100 risen, outdoors 0.01 °C or null, rate in 0.01 K/h and dead time s as now learned
    Event(HEATING_LEARNED, "heatingLearned", ("minutes", "rise_ck", "outdoor_ck", "rate_ck_h", "dead_s")),
    Event(VALVE_EXERCISED, "valveExercised", ("stroke_s",)),
    # begins and ends; by how much the set-point is lowered, 0.01 K
    Event(LOAD_SHED, "loadShed", ("setback_ck",)),
    # a wished set-point exceeds its statutory ceiling: wished and allowed, 0.01 °C, the text's reference
    Event(CEILING_APPLIED, "ceilingApplied", ("wished_ck", "allowed_ck", "text")),
    # a technician at the node: what (test, lock, unlock)
    Event(LOCAL_TEST, "localTest", ("what",)),
    Event(CONTAINER_EMPTIED, "containerEmptied", ("fill",)),
    # what a D4i gear reports of its luminaire (bank 1, DiiA part 251): GTIN, id, year and week of making, W nominal and
    # least, mains V lowest and highest, lm, CRI, K, type of distribution, colour, name; of bank 207 the rated life h,
    # the gear's reference temperature in 0.01 °C, rated starts; null: not written
    Event(
        LAMP_ASSET,
        "lampAsset",
        (
            "gtin", "luminaire_id", "year", "week", "nominal_w", "minimum_w", "mains_min_v", "mains_max_v",
            "lumen", "cri", "cct_k", "distribution", "colour", "identification", "life_h", "reference_ck", "starts",
        ),
    ),
    # a lamp has shown itself to a technician: its level % before and its power then, its power at full light, in 0.1 W;
    # null: not measured
    Event(IDENTIFIED, "identified", ("level", "before_dw", "power_dw")),
    # a technician at the cabinet's page states which light a node serves: about node, the light's number, its street or
    # null, who; what was measured when the lamp showed itself, as of identified, or null
    Event(NODE_PLACED, "nodePlaced", ("about", "light", "street", "who", "before_dw", "power_dw")),
)


def table() -> tuple:
    """Returns every Event; like the maps, it is made on first use."""
    return made(_made, _entries)[0]


def by_code() -> dict:
    """Returns {code: Event}."""
    return made(_made, _entries)[1]


def by_name() -> dict:
    """Returns {SenML name: Event}."""
    return made(_made, _entries)[2]


CODE_MAX = 255


def lane(code: int) -> str:
    """Returns the lane of an event, whether the table knows its code or not."""
    return ALARM if 64 <= code < 128 else EVENT


def label(code: int) -> str:
    """Returns the SenML name of an event: `lampFailure`, or `event77` when the table does not know the code."""
    entry = by_code().get(code)
    return entry.name if entry else f"event{code}"


def code_from_label(name: str):
    """Returns the code of a label, or None when there is none."""
    entry = by_name().get(name)
    if entry:
        return entry.code
    code = small_number(name[5:])
    # One code has one label: `event07`, or `event1` for an event that has a name, is none.
    return code if code is not None and code <= CODE_MAX and label(code) == name else None
