"""Lists the name of every event and what its detail holds, for programs that show or translate records. A node knows
its codes (`wire.event`) and does not load this table. Names follow TALQ's where TALQ has one."""

from collections import namedtuple

from wire import event
from wire.quantity_table import small_number

Event = namedtuple("Event", ("code", "name", "detail"))

# The words for why a record will not come (detail of GAP) or why bytes went up raw (detail of RAW) are stable, not
# prose.
TABLE = (
    # previous boot | null, last durable sequence of it | null, reset cause, node kind, firmware version
    Event(event.BOOT, "boot", ("previous_boot", "durable_sequence", "cause", "kind", "version")),
    # about node | null for oneself, its boot, uptime s, Unix s, ± s
    Event(event.ANCHOR, "anchor", ("about", "boot", "uptime_s", "unix_s", "uncertainty_s")),
    # about node | null for oneself, its boot, first and last sequence (null: open), why
    Event(event.GAP, "gap", ("about", "boot", "first", "last", "why")),
    # about node, why, the payload as it came
    Event(event.RAW, "raw", ("about", "why", "payload")),
    # journal positions that no longer hold a record: epoch, lane, first and last position, why
    Event(event.HOLE, "hole", ("epoch", "lane", "first", "last", "why")),
    # about node, its boot and sequence: two different bodies have this one identity
    Event(event.CONFLICT, "conflict", ("about", "boot", "sequence")),
    # about node, its boot and sequence, the Unix s in the record, the receiver's Unix s, and ± s of both together: one
    # of the two clocks is wrong, or the record is older than a node can hold it
    Event(
        event.TIME_DOUBTFUL,
        "timeDoubtful",
        ("about", "boot", "sequence", "said_unix_s", "heard_unix_s", "uncertainty_s"),
    ),
    # one's own clock was corrected: its Unix s before and after, ± s of both together
    Event(event.CLOCK_STEPPED, "clockStepped", ("before_unix_s", "after_unix_s", "uncertainty_s")),
    # the bearer by which a gateway now reaches the centre, and the one before
    Event(event.BEARER_CHANGED, "bearerChanged", ("bearer", "before")),
    # how many entries the cabinet's audit log has had, and the hash of the last one
    Event(event.AUDIT_HEAD, "auditHead", ("entries", "head")),
    # the cabinet has accepted a signed policy: its version, its validity (Unix s), the id of the key that signed it
    Event(event.POLICY_TAKEN, "policyTaken", ("version", "valid_from_s", "valid_until_s", "kid")),
    # a policy or key set was refused: why (word), the version in it or null
    Event(event.POLICY_REFUSED, "policyRefused", ("why", "version")),
    # the centre's lease begins (true) or has run out (false)
    Event(event.LEASE_CHANGED, "leaseChanged", ("left_s",)),
    # how the previous life ended, from memory that survives a reset: cause, digest of the error (8 bytes) or null, the
    # task that was under way or null, uptime s, the least of the heap's free bytes or null
    Event(event.CRASH, "crash", ("cause", "digest", "task", "uptime_s", "heap_low")),
    # a directive for nodes of this kind has changed: code (wire.directive), value, seconds it holds for
    Event(event.DIRECTIVE_TAKEN, "directiveTaken", ("code", "value", "for_s")),
    # a gateway has refused what came in the warehouse's name: why (word): form, stranger, signature, addressee; or
    # altered: the warehouse signed for other batches than were sent
    Event(event.RECEIPT_REFUSED, "receiptRefused", ("why",)),
    # a gateway's own package: the version wanted, the one before, what became of it (word: kept, rolled-back, refused),
    # why (word) or null
    Event(event.AGENT_UPDATE, "agentUpdate", ("agent_version", "agent_before", "outcome", "why")),
    # an image for this node: its number (0: unknown), what became of it (word): ready, confirmed, fell-back, what a
    # trial lacked (no-…), or why it was refused; and what it holds (word): absent, the program, else interpreter
    Event(event.UPDATE, "update", ("number", "outcome", "holds")),
    # a gateway's campaign that brings a kind of node its program has another phase (word): kind, number of the image,
    # phase, how many nodes have confirmed it and how many have failed
    Event(event.CAMPAIGN, "campaign", ("product", "number", "phase", "confirmed", "failed")),
    # the packages of a gateway's system: the state of Debian's archive that was wanted (20261130T000000Z), the one
    # before or null, what became of it and why, as of agentUpdate
    Event(event.SYSTEM_UPDATE, "systemUpdate", ("system_state", "system_before", "outcome", "why")),
    Event(event.LAMP_FAILURE, "lampFailure", None),
    Event(event.LAMP_UNEXPECTED_ON, "lampUnexpectedOn", None),
    Event(event.METER_FAILURE, "meterFailure", None),
    # a gateway's bearer to the centre is down: fibre, mobile
    Event(event.BEARER_FAILURE, "bearerFailure", ("bearer",)),
    # feeders of a cabinet, by name; power in 0.1 W: the measured one, and the normal one
    Event(event.FEEDER_UNEXPECTED_ON, "feederUnexpectedOn", ("feeder", "power_dw")),
    Event(event.FEEDER_FAILURE, "feederFailure", ("feeder", "power_dw", "normal_dw")),
    # how many lamps are out; reported again when the number changes
    Event(event.LAMPS_LOST, "lampsLost", ("feeder", "lamps", "power_dw", "normal_dw")),
    # several lamps lost at one instant: a cable cut or stolen
    Event(event.CABLE_FAULT, "cableFault", ("feeder", "lamps", "power_dw", "normal_dw")),
    # the contactor does not follow: what was ordered (true: closed)
    Event(event.CONTACTOR_STUCK, "contactorStuck", ("feeder", "ordered")),
    Event(event.SUPPLY_LOSS, "supplyLoss", None),
    Event(event.DOOR_OPEN, "doorOpen", None),
    # the hand switch of the cabinet: on, off
    Event(event.LOCAL_OVERRIDE, "localOverride", ("switch",)),
    # lighting continues on a lesser basis than the clock: photocell, carried, safety
    Event(event.TIME_FALLBACK, "timeFallback", ("basis",)),
    Event(event.POLICY_EXPIRED, "policyExpired", ("version",)),
    # the cabinet's own astronomical clock has the contactors
    Event(event.HANDED_BACK, "handedBack", None),
    # the cell contradicts the sun: dark, bright; or it sees a lamp or a sign: lamp
    Event(event.PHOTOCELL_FAILURE, "photocellFailure", ("stuck",)),
    # a meter of the cabinet is silent: a feeder's name, or linky
    Event(event.CABINET_METER_FAILURE, "cabinetMeterFailure", ("meter",)),
    # power does not follow the level
    Event(event.DIMMING_FAILURE, "dimmingFailure", None),
    # a lamp goes out and comes back by itself
    Event(event.CYCLING_FAILURE, "cyclingFailure", None),
    # the output's relay does not follow
    Event(event.RELAY_FAILURE, "relayFailure", None),
    # a lamp's control gear (DALI) does not answer
    Event(event.GEAR_COMM_FAILURE, "controlGearCommFailure", None),
    Event(event.POWER_TOO_HIGH, "lampPowerTooHigh", None),
    Event(event.POWER_TOO_LOW, "lampPowerTooLow", None),
    Event(event.VOLTAGE_TOO_HIGH, "supplyVoltageTooHigh", None),
    Event(event.VOLTAGE_TOO_LOW, "supplyVoltageTooLow", None),
    # a gear reports a failure of its own: its flag (DALI part 253: word)
    Event(event.GEAR_FAILURE, "controlGearFailure", ("flag",)),
    # a presence detector never stops triggering
    Event(event.PRESENCE_SENSOR_FAILURE, "presenceSensorFailure", None),
    # a sensor is absent, stale, stuck or out of range: which (word), why (word)
    Event(event.SENSOR_FAILURE, "sensorFailure", ("sensor", "why")),
    # frost protection heats a room against every other rule, or would if its node were not locked: its temperature in
    # 0.01 °C, or null
    Event(event.FROST_PROTECTION, "frostProtection", ("temperature_ck",)),
    # full heat and no rise; heat without an order: duty %, rise in 0.01 K
    Event(event.HEATING_FAILURE, "heatingFailure", ("duty", "rise_ck")),
    Event(event.HEATING_UNEXPECTED_ON, "heatingUnexpectedOn", ("duty", "rise_ck")),
    # OpenTherm id 5: application-specific fault flags, the maker's fault code
    Event(event.BOILER_FAULT, "boilerFault", ("flags", "oem_code")),
    Event(event.BOILER_COMM_FAILURE, "boilerCommFailure", None),
    # zone (0: master valve; of a room 1), why (word: open-coil, short, no-flow, energy; silent: the chip that drives it
    # does not answer), current in mA or null
    Event(event.VALVE_FAILURE, "valveFailure", ("zone", "why", "current_ma")),
    # zone, measured and expected flow in mL/min
    Event(event.FLOW_TOO_HIGH, "flowTooHigh", ("zone", "flow_ml_min", "expected_ml_min")),
    Event(event.FLOW_TOO_LOW, "flowTooLow", ("zone", "flow_ml_min", "expected_ml_min")),
    # zone that ran, or null, and the flow; the master valve is shut until a person acknowledges it
    Event(event.PIPE_BURST, "pipeBurst", ("zone", "flow_ml_min")),
    # water flows with every valve shut: mL, over how many s
    Event(event.WATER_LEAK, "waterLeak", ("volume_ml", "over_s")),
    Event(event.BATTERY_LOW, "batteryLow", ("battery_mv",)),
    # the application failed three times: only radio and update run, outputs are safe
    Event(event.RESCUE_MODE, "rescueMode", ("why",)),
    # settings that cannot be used; the last good ones, or the factory's, are in force: why (word)
    Event(event.SETTINGS_FAILURE, "settingsFailure", ("why",)),
    # a node's clock chip is absent, stopped or far from the gateway's time: why (word)
    Event(event.CLOCK_FAILURE, "clockFailure", ("why",)),
    # people have come and the room is still cold after the longest preheat or one that began too late: its temperature
    # and set-point in 0.01 °C, minutes of full heat; ends when the room is warm, or with the hours
    Event(event.PREHEAT_FAILURE, "preheatFailure", ("temperature_ck", "setpoint_ck", "minutes")),
    # reported by a gateway of a node that sends more than its fair use: alarms, events and bytes of readings that day;
    # ends after a day without excess
    Event(event.FAIR_USE_EXCEEDED, "fairUseExceeded", ("about", "alarms", "events", "reading_bytes")),
    # a gateway could not bring its own package to the version wanted: that version, why (word); ends when it can
    Event(event.AGENT_UPDATE_FAILURE, "agentUpdateFailure", ("agent_version", "why")),
    # a gateway could not bring its system to the state wanted: that state, why (word), names of the packages that were
    # to change (text, 100 characters of it) or null; ends when it can
    Event(event.SYSTEM_UPDATE_FAILURE, "systemUpdateFailure", ("system_state", "why", "packages")),
    # such a campaign has halted by itself: the kind; ends when a person stops it or begins another
    Event(event.CAMPAIGN_HALTED, "campaignHalted", ("product",)),
    # new level %, previous level %, rule (word), reason: an integer for the policy (policy.lighting.reason_text), the
    # id for an order
    Event(event.LEVEL_CHANGED, "levelChanged", ("level", "previous", "rule", "reason")),
    # a contactor was ordered: feeder, closed, rule (word), reason (an integer for the policy, else text)
    Event(event.FEEDER_SWITCHED, "feederSwitched", ("feeder", "closed", "rule", "reason")),
    # of a command: its id, what became of it, why (word) or null, feeder or null, power in 0.1 W or null; reported by a
    # gateway for its contactors, by a node for its own output
    Event(event.COMMAND_OUTCOME, "commandOutcome", ("id", "outcome", "why", "feeder", "power_dw")),
    # a person at the cabinet: what (test, lock, unlock), feeder, who
    Event(event.LOCAL_ORDER, "localOrder", ("what", "feeder", "who")),
    # set-point and the one before, 0.01 °C; rule (word), reason (as of levelChanged)
    Event(event.SETPOINT_CHANGED, "setpointChanged", ("setpoint_ck", "previous_ck", "rule", "reason")),
    # begins and ends; how it was detected: contact, slope
    Event(event.WINDOW_OPEN, "windowOpen", ("seen_by",)),
    # zone (0: master valve), open, rule (word), reason, seconds after which it closes by itself
    Event(event.VALVE_SWITCHED, "valveSwitched", ("zone", "open", "rule", "reason", "for_s")),
    # zone, seconds open, mL measured or null, depth in 0.1 mm, how it ended (word)
    Event(event.WATERING_DONE, "wateringDone", ("zone", "open_s", "volume_ml", "depth_dmm", "ended")),
    # zone, why (word: rain, freeze, wind, forbidden, drought, energy, satisfied, time, lock, test), and the value that
    # decided
    Event(event.WATERING_SKIPPED, "wateringSkipped", ("zone", "why", "value")),
    # a preheat is over: minutes, K·100 risen, outdoors 0.01 °C or null, rate in 0.01 K/h and dead time s as now learned
    Event(event.HEATING_LEARNED, "heatingLearned", ("minutes", "rise_ck", "outdoor_ck", "rate_ck_h", "dead_s")),
    Event(event.VALVE_EXERCISED, "valveExercised", ("stroke_s",)),
    # begins and ends; by how much the set-point is lowered, 0.01 K
    Event(event.LOAD_SHED, "loadShed", ("setback_ck",)),
    # a wished set-point exceeds its statutory ceiling: wished and allowed, 0.01 °C, the text's reference
    Event(event.CEILING_APPLIED, "ceilingApplied", ("wished_ck", "allowed_ck", "text")),
    # a technician at the node: what (test, lock, unlock)
    Event(event.LOCAL_TEST, "localTest", ("what",)),
    # what a D4i gear reports of its luminaire (bank 1, DiiA part 251): GTIN, id, year and week of making, W nominal and
    # least, mains V lowest and highest, lm, CRI, K, type of distribution, colour, name; of bank 207 the rated life h,
    # the gear's reference temperature in 0.01 °C, rated starts; null: not written
    Event(
        event.LAMP_ASSET,
        "lampAsset",
        (
            "gtin", "luminaire_id", "year", "week", "nominal_w", "minimum_w", "mains_min_v", "mains_max_v",
            "lumen", "cri", "cct_k", "distribution", "colour", "identification", "life_h", "reference_ck", "starts",
        ),
    ),
    # a lamp has shown itself to a technician: its level % before and its power then, its power at full light, in 0.1 W;
    # null: not measured
    Event(event.IDENTIFIED, "identified", ("level", "before_dw", "power_dw")),
    # a technician at the cabinet's page states which light a node serves: about node, the light's number, its street or
    # null, who; what was measured when the lamp showed itself, as of identified, or null
    Event(event.NODE_PLACED, "nodePlaced", ("about", "light", "street", "who", "before_dw", "power_dw")),
)
BY_CODE = {entry.code: entry for entry in TABLE}
BY_NAME = {entry.name: entry for entry in TABLE}


def label(code: int) -> str:
    """Returns the SenML name of an event: `lampFailure`, or `event77` when the table does not know the code."""
    entry = BY_CODE.get(code)
    return entry.name if entry else f"event{code}"


def code_from_label(name: str):
    """Returns the code of a label, or None when there is none."""
    entry = BY_NAME.get(name)
    if entry:
        return entry.code
    code = small_number(name[5:])
    # One code has one label: `event07`, or `event1` for an event that has a name, is none.
    return code if code is not None and code <= event.CODE_MAX and label(code) == name else None
