"""Holds every bound and default of the lighting trade, with its reason. Values only."""

# --- the ladder of time (decision) ---------------------------------------------------------------------------------
# Known to a minute, the calendar's answer is the answer.
CERTAIN_S = 60
# Known to a quarter hour, the brightest of what the calendar may want: a street may be a quarter hour late. The same
# as node.limits.UNCERTAINTY_USABLE_S: an answer that leaves more is no better than none.
USABLE_S = 900
# A clock of long ago, carried on by the crystal, where no photocell helps: with ± 4 h of doubt a lamp burns early and
# late, yet not at noon. 50 ppm take nine years to grow to that; a doubtful answer of the gateway may do it at once.
CARRIED_S = 14_400

# All lamps of a feeder are switched by one calendar: each shifts by its own seconds against the inrush.
STAGGER_S = 10

# --- photocell -----------------------------------------------------------------------------------------------------
# Dusk and dawn levels and patience of the photocells in the field (EN 13201 practice: 35 lx on, ratio 1.5).
CELL_ON_LX = 35
CELL_OFF_LX = 55
CELL_ON_MS = 60_000
CELL_OFF_MS = 120_000
# Five samples of a minute: a cell may miss one.
CELL_SILENT_MS = 300_000
# So far before sunset a cell may light a lamp, and so far after sunrise keep it lit.
CELL_WINDOW_S = 2700
# Below it headlamps do not switch off, above it dirt does not switch on; 10^-2 degree, true elevation.
SUN_NIGHT_CDEG = -600
SUN_DAY_CDEG = 1000
# So long without one agreement with a sun that leaves no doubt, or without a change where the sun is not known: the
# cell is stuck.
CELL_CONTRADICTION_MS = 86_400_000
# Daylight, and no sign, lamp or twilight: what a winter sky gives at noon under any cloud but a storm's. On a switched
# feeder without a time so long of it is day: a contactor that closes an hour before sunset has darkness within two.
CELL_DAY_LX = 2000
CELL_DAY_MS = 7_200_000
# The sun moves a quarter degree a minute: no need to compute it more often.
SUN_EVERY_S = 60
# With the sun at this elevation a burning lamp is a day burner beyond doubt: no twilight and no fog explains it.
SUN_UP_CDEG = 300

# --- presence ------------------------------------------------------------------------------------------------------
# A trigger sooner than this after one that counted comes from the same passer-by.
TRIGGER_APART_MS = 10_000
# The hour in which triggers are counted, in pieces: memory that does not grow with traffic.
TRIGGER_PIECES = 12
TRIGGER_PIECE_MS = 300_000
# A boost and its end are reported; further ones of the same quarter hour are not: passers-by must not fill the outbox,
# and when each of them passed is private.
PRESENCE_REPORTED_MS = 900_000
# A ramp is seen as smooth at five steps a second; a DALI transaction takes a quarter of that.
RAMP_STEP_MS = 200

# --- light output --------------------------------------------------------------------------------------------------
CLO_POINTS_MAX = 8
HOURS_MAX = 200_000

# --- faults of the lamp --------------------------------------------------------------------------------------------
SAMPLES_KEPT = 5
VOTES = 3
# After a change of level the driver settles, and the meter's reading may be older than the change.
STEADY_MS = 60_000
# Below it the watts of a healthy lamp and of a dead one are too close.
LEVEL_JUDGED_MIN = 20
DEAD_FLOOR_DW = 20
BURNING_FLOOR_DW = 30
# A lamp that burns at night without an order may be a technician's work on the line: ten minutes; by day three samples.
BURNING_NIGHT_MS = 600_000
METER_SILENT_SAMPLES = 5
# The begin or end of a fault is remembered so much later: by then its alarm is with the gateway or on flash (a minute,
# node LOG_ALARM_SILENT_MS). A cut before that takes both, and it is reported again; one that took the alarm alone would
# hide the fault.
REMEMBERED_MS = 180_000
# Dimming: |P - expected| above this share of what is expected, at two levels so far apart.
DIMMING_PERCENT = 20
DIMMING_APART_PERCENT = 10
# At nearly full light a lamp that ignores its dimming line looks healthy.
DIMMING_SEEN_MAX_PERCENT = 95
# Cycling: so many collapses, each with its recovery, within this time; healthy again after twice as long without.
CYCLES = 4
CYCLES_MS = 1_800_000
# A hot discharge lamp strikes again within minutes, the slowest (metal halide) within twenty. One that is out for
# longer does not cycle any more: a sodium lamp that dies of age.
OUT_FOR_GOOD_MS = 1_800_000
# A relay that stays open: watts and milliamperes as when it was ordered open, within this.
RELAY_SAME_DW = 5
RELAY_SAME_MA = 3
RELAY_SAME_PERCENT = 10
# The snubber of an open relay passes so much at most.
RELAY_OPEN_MA = 20
# EN 50160: 230 V ± 10 %; in 0.1 V.
VOLTAGE_LOW_DV = 2070
VOLTAGE_HIGH_DV = 2530
# A level that the gear reports may differ by its own rounding of the curve.
GEAR_SILENT_SAMPLES = 3
# One frame may be lost; a bank that refuses three rounds in a row is not there. Asked again each day, for a bus may
# have a bad hour.
BANK_REFUSALS = 3
BANKS_AGAIN_MS = 86_400_000

# --- energy --------------------------------------------------------------------------------------------------------
# More in one step is not a lamp: the counter belongs to another gear, or is garbage. A week of 500 W without a reading.
ENERGY_STEP_MAX_WH = 84_000
# With a longer gap between two samples, power times time is no measurement.
ENERGY_GAP_MAX_MS = 3_600_000
ENERGY_MAX_WH = 0xFFFFFFFF

# --- restarts of its own -------------------------------------------------------------------------------------------
# A start lights a lamp fully for some seconds: a lamp that is as bright as this already shows little of it.
RESTART_LIT_PERCENT = 80
# A lamp that is never so bright restarts all the same: after a day of waiting while it is lit at all, after two even
# from the dark. A switched feeder gives neither: three hours and six are the middle of a night, of the shortest too.
RESTART_WAIT_MS = 86_400_000
RESTART_WAIT_SWITCHED_MS = 10_800_000
# Once the shell has not asked for so long its next question begins a new wait.
RESTART_FORGOTTEN_MS = 3_600_000

# --- settings ------------------------------------------------------------------------------------------------------
# LED drivers and discharge lamps alike: a lamp may warm up for five minutes.
WARM_UP_S = 300
