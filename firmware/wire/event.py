"""Defines the code of every event, and the lane that follows from it.

An event body on the wire is `[code, active, detail]`. `active` is true when a condition begins, false when it ends,
null for an event without duration. `detail` is a map of readings (the values that made the node decide) or a list in
the order that `wire.event_table` gives. Codes are never reused; the range of a code gives its lane, so a gateway that
is older than a node still sends the node's new alarms first:

    0-63     housekeeping: boots, anchors, gaps          lane `event`
    64-127   alarms: a person must act                   lane `alarm`
    128-255  what equipment did                          lane `event`
"""

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
LAMP_ASSET = 143
IDENTIFIED = 144
NODE_PLACED = 145

CODE_MAX = 255


def lane(code: int) -> str:
    """Returns the lane of an event, whether the table knows its code or not."""
    return ALARM if 64 <= code < 128 else EVENT
