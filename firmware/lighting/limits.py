"""Holds every bound and default of the lighting trade, with its reason. Values only."""

# --- the ladder of time (decision) ---------------------------------------------------------------------------------
# If the time is known to a minute, the calendar's answer holds.
CERTAIN_S = 60
# If it is known to a quarter hour, the brightest of what the calendar may want holds: a street may be a quarter hour
# late. The same as node.limits.UNCERTAINTY_USABLE_S: a time answer that leaves more doubt is no better than none.
USABLE_S = 900
# A clock that was set long ago and is carried on by the crystal, where no photocell helps: with ± 4 h of doubt a lamp
# burns early and late, but not at noon. At 50 ppm the doubt takes nine years to grow to that; a doubtful answer of the
# gateway may bring it at once.
CARRIED_S = 14_400

# One calendar switches all lamps of a feeder: each lamp shifts by its own seconds against the inrush.
STAGGER_S = 10
# The calendar's answer is asked for at least this often, however far its next change is.
DECIDED_S = 900

# --- photocell -----------------------------------------------------------------------------------------------------
# Dusk and dawn levels and delays of the photocells in the field (EN 13201 practice: 35 lx on, ratio 1.5).
CELL_ON_LX = 35
CELL_OFF_LX = 55
CELL_ON_MS = 60_000
CELL_OFF_MS = 120_000
# Five samples at one a minute: a cell may miss one.
CELL_SILENT_MS = 300_000
# A cell may light a lamp this long before sunset, and keep it lit this long after sunrise.
CELL_WINDOW_S = 2700
# Below the first, headlamps do not switch off; above the second, dirt does not switch on. 10^-2 degree, true elevation.
SUN_NIGHT_CDEG = -600
SUN_DAY_CDEG = 1000
# After this time the cell counts as stuck: without one agreement with a sun that leaves no doubt, or without a change
# where the sun is not known.
CELL_CONTRADICTION_MS = 86_400_000
# Daylight, which no sign, lamp or twilight reaches: the light of a winter sky at noon under any cloud but a storm's. On
# a switched feeder without a time, two hours of it mean day: a contactor that closes an hour before sunset has darkness
# within two.
CELL_DAY_LX = 2000
CELL_DAY_MS = 7_200_000
# Below this are twilight, and lamps, signs and windows at a cell. Under clouds that let only 4 % pass the sky is below
# it while the sun is below 10°, and in half an hour it then changes by a third.
CELL_TWILIGHT_LX = 500
CELL_TWILIGHT_MS = 1_800_000
# From 18 to 55 lx a clear dawn takes eight minutes in metropolitan France and six on the equator; a discharge lamp has
# its full light after five.
CELL_DAWN_MS = 300_000
# The sun moves a quarter degree a minute: it need not be computed more often.
SUN_EVERY_S = 60
# With the sun at this elevation a burning lamp is a day burner beyond doubt: no twilight and no fog explains it.
SUN_UP_CDEG = 300

# --- presence ------------------------------------------------------------------------------------------------------
# A trigger sooner than this after the last one that counted comes from the same passer-by.
TRIGGER_APART_MS = 10_000
# The hour in which triggers are counted, in pieces, so that memory does not grow with traffic.
TRIGGER_PIECES = 12
TRIGGER_PIECE_MS = 300_000
# A ramp looks smooth at five steps a second; a DALI transaction takes a quarter of one step.
RAMP_STEP_MS = 200

# --- light output --------------------------------------------------------------------------------------------------
CLO_POINTS_MAX = 8
HOURS_MAX = 200_000

# --- shown to a technician ------------------------------------------------------------------------------------------
# Eight changes in twelve seconds: seen from the next pole, and slow enough for a gear's own ramp.
IDENTIFY_BLINKS = 4
IDENTIFY_HALF_MS = 1500
# A street stays lit: EN 13201's lowest class still sees the kerb by a tenth of its light, which a 0-10 V gear can give.
IDENTIFY_LOW_PERCENT = 10
# After a change of light a meter's own averaging is over (PZEM-004T: a second; BL0942: 0.8 s) and an LED driver steady.
IDENTIFY_STEADY_MS = 8_000

# --- faults of the lamp --------------------------------------------------------------------------------------------
SAMPLES_KEPT = 5
VOTES = 3
# After a change of level the driver settles, and the meter's reading may be older than the change.
STEADY_MS = 60_000
# Below this level the watts of a healthy lamp and of a dead one are too close.
LEVEL_JUDGED_MIN = 20
DEAD_FLOOR_DW = 20
BURNING_FLOOR_DW = 30
# A lamp that burns at night without an order may be a technician's work on the line: it is reported after ten minutes;
# by day after three samples.
BURNING_NIGHT_MS = 600_000
METER_SILENT_SAMPLES = 5
# The begin or end of a fault is saved this much later: by then its alarm is with the gateway or on flash (a minute,
# node LOG_ALARM_SILENT_MS). A power cut before that loses both, and the fault is reported again; a cut that lost the
# alarm alone would hide the fault.
REMEMBERED_MS = 180_000
# Dimming is wrong: |P - expected| is above this share of the expected power, at two levels at least this far apart.
DIMMING_PERCENT = 20
DIMMING_APART_PERCENT = 10
# Near full light a lamp that ignores its dimming line looks healthy.
DIMMING_SEEN_MAX_PERCENT = 95
# Cycling: this many collapses, each with its recovery, within this time; healthy again after twice that time without
# one.
CYCLES = 4
CYCLES_MS = 1_800_000
# A hot discharge lamp strikes again within minutes, the slowest (metal halide) within twenty. A lamp that stays out for
# longer has stopped cycling: it is a sodium lamp that dies of age.
OUT_FOR_GOOD_MS = 1_800_000
# A relay that stays open: watts and milliamperes differ by no more than this from those when it was ordered open.
RELAY_SAME_DW = 5
RELAY_SAME_MA = 3
RELAY_SAME_PERCENT = 10
# The snubber of an open relay passes no more than this.
RELAY_OPEN_MA = 20
# EN 50160: 230 V ± 10 %; in 0.1 V.
VOLTAGE_LOW_DV = 2070
VOLTAGE_HIGH_DV = 2530
# Samples without an answer after which a gear counts as silent.
GEAR_SILENT_SAMPLES = 3
# One frame may be lost; a bank that refuses three rounds in a row counts as absent. It is asked for again each day, for
# a bus may have a bad hour.
BANK_REFUSALS = 3
BANKS_AGAIN_MS = 86_400_000

# --- energy --------------------------------------------------------------------------------------------------------
# A larger step is not a lamp's: the counter belongs to another gear, or is garbage. A week of 500 W without a reading.
ENERGY_STEP_MAX_WH = 84_000
# After a longer gap between two samples, power times time is no measurement.
ENERGY_GAP_MAX_MS = 3_600_000
ENERGY_MAX_WH = 0xFFFFFFFF

# --- restarts of its own -------------------------------------------------------------------------------------------
# A start lights a lamp fully for some seconds: on a lamp that is this bright already, little of it shows.
RESTART_LIT_PERCENT = 80
# A lamp that is never dark by day nor that bright restarts all the same, in its hours: after a day of waiting if it is
# lit at all, after two days even from the dark. A switched feeder never has mains that long: three hours and six are
# the middle of a night, even of the shortest.
RESTART_WAIT_MS = 86_400_000
RESTART_WAIT_SWITCHED_MS = 10_800_000
# If the shell has not asked for this long, its next question begins a new wait.
RESTART_FORGOTTEN_MS = 3_600_000

# --- settings ------------------------------------------------------------------------------------------------------
# For LED drivers and discharge lamps alike: a lamp may warm up for five minutes.
WARM_UP_S = 300
