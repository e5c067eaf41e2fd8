"""Holds every bound of the heating trade, with its reason. Values only.

Sources: [V] Versatile Thermostat's defaults, [O] the OpenTherm specification 2.2, [G] the OpenTherm Gateway's manual,
[K] chosen here, for the reason given.
"""

# -- how often: the room is sampled this often even where the settings read the sensor seldom, for a dead sensor must be
# detected within SENSOR_STALE_MS.
SAMPLE_MS = 60_000
# A whole decision is made this often while nothing has changed; the cycle's own edges are exact.
DECIDE_MS = 5_000

# -- the room's sensor
SENSOR_STALE_MS = 300_000  # [K] a wired sensor: five samples in a row are no accident
SENSOR_LOW_CK = -3000  # [K] no room is colder than this, or hotter than the next
SENSOR_HIGH_CK = 6000
SENSOR_RATE_CK_MIN = 200  # [K] a faster change is a loose wire; the allowance grows with a silence
SENSOR_RATE_FLOOR_CK = 100  # two samples close to each other: noise and a door
SENSOR_STUCK_MS = 10_800_000  # [K] three hours at more than half power, and not one step of the sensor
SENSOR_STUCK_CK = 5
# [K] a day and night at any power: a sensor of 0.01 °C has more noise than that, and a sensor stuck at 20 °C would let
# the room freeze with no demand at all
SENSOR_RIGID_MS = 86_400_000
SENSOR_STUCK_PERMILLE = 500
SENSOR_GOOD_SAMPLES = 3  # a silent or wild sensor is believed again after this many

# -- safe duty, while the room is not measured
SAFE_FLOOR_PERMILLE = 250  # [K] with frost outside, or after a cold last reading
SAFE_LAST_CK = 800
SAFE_KEEP_CK = 1200  # the room temperature that the open loop aims at, by the outdoor temperature
RADIATOR_CK = 5000  # a radiator gives its rated power when its water is this much warmer than the room (EN 442)
# [K] Assumed in winter without an outdoor temperature: a cold day of the plains. (25 % of a heating that is built for
# 30 K let a room fall to 3.5 °C in four days.)
SAFE_OUTDOOR_CK = -800

# -- frost
FROST_ON_CK = 500  # [K] pipes and plants; water expands from 4 °C on
FROST_OFF_CK = 700

# -- programme without a clock
FALLBACK_REPORTED_MS = 600_000  # a boot gets its time within minutes; a longer wait is worth a visit to the site
UNCERTAIN_S = 60  # a smaller doubt does not matter to a room

# -- standby (LonMark's SNVT_occupancy, BACnet's occupancy state): occupied hours without a detection
STANDBY_MS = 3_600_000  # [K] a person who sits still is detected by then; a lesson's break is shorter
STANDBY_CK = 100
STANDBY_MAX_CK = 300  # a room regains this much within half an hour

# -- exception of the programme
EXCEPTION_MOVES_S = 300  # its end moves by the delay of a message and by a crystal's error over a week
EXCEPTION_KNOWN_S = 600  # by then after a start the gateway's directives have come

# -- PI: one step of integration, and a long gap counts as one [V]
PI_STEP_MS = 300_000
PI_CROSSED_CK = 20

# -- the room a dead time ahead: more than this at once is an opened window, or a slope that ends before
AHEAD_MAX_CK = 100

# -- relay cycle
CYCLE_RESTART_PERMILLE = 250  # a demand that changed by this much does not wait for the end of the cycle

# -- window by slope
SLOPE_POINTS = 6  # a straight line through six minutes: 0.02 K of noise becomes 0.3 K/h, a tenth of the threshold
SLOPE_POINT_MS = 60_000
SLOPE_GAP_MS = 300_000  # after a longer silence the line begins anew
SLOPE_MAX_CK_H = 12_000  # [V] steeper is not air
SLOPE_OPEN_CK_H = -300  # [V]
SLOPE_FALLS_CK_H = -200  # where it is compared with the room's own swing; a room with a dead heater falls as fast
SLOPE_CLOSED_CK_H = 0
SLOPE_CLOSED_PART = 4  # or a quarter of the steepest slope: without heat a shut room continues to fall a little
# [K] and the room is this much lower than five quarters of what its regulation lets it fall below the set-point. That
# is learned while the reading falls by more than noise, and up to a bound: one larger fall may be an airing.
SLOPE_DROP_CK = 26
SWING_START_CK = 100
SWING_MAX_CK = 130
SWING_FALLS_CK_H = -30
SWING_GROWS = 4
SWING_FADES = 96  # more than a day of electric heat: a large swing comes but now and then
# After a dead time and this long of heat without a pause it must be felt: half of the line's six minutes.
SLOPE_FULL_MS = 180_000
SLOPE_VOTES = 2
WINDOW_GIVE_UP_MS = 1_800_000  # [V] a room left open all day is heated again: pipes
CONTACT_OPEN_MS = 60_000  # [K] a person passing through a door is no open window
# After a preheat, or under another set-point, the air falls by itself. A radiator takes its quarter of an hour, and a
# room with cold walls half an hour more: until then only a fall that is as steep as this counts.
SLOPE_BLIND_MS = 1_200_000
SLOPE_SETTLED_MS = 3_600_000
SLOPE_STEEP_CK_H = -800

# -- learning
EMA_DIVISOR = 5  # [K] 0.2
EARLY_TIMES = 2  # a faster preheat counts as at most so many times the known rate: a small rise is fast in cold walls
LATE_FIFTHS = 4  # a cold class costs more than an early start, and a long emptiness comes but once a week
RATE_DEFAULT_CK_H = 300  # with the span's correction, 1 K/h in hard frost
RATE_LONG_DEFAULT_CK_H = 200
RATE_MIN_CK_H = 20
RATE_MAX_CK_H = 2000
DEAD_MAX_S = 3600
LEAD_MAX_S = 6 * 3600
LEAD_LONG_MAX_S = 36 * 3600  # [K] very heavy walls at 8 °C; what takes longer is reported
LONG_ABSENCE_S = 48 * 3600
COLD_MASS_S = 24 * 3600  # after this long the walls are cold: such preheats are learned apart
PREHEAT_REACHED_CK = 20  # from here on the regulator takes over
COMFORT_CK = 50  # what an early stop may cost at the end
RISE_SEEN_CK = 20
LEARN_RISE_CK = 100  # a smaller rise shows no rate,
LEARN_SLOW_S = 2 * 3600  # unless it took this long
LATE_CK = 100  # a room that lacks more than this when people come was preheated in vain
OUTDOOR_ASSUMED_CK = 500  # without an outdoor temperature: a French winter's day
COOLING_DEFAULT_PERMILLE_H = 80  # of the difference to outdoors; for a light building, so that a new node stops late
COOLING_MIN_PERMILLE_H = 2
COOLING_MAX_PERMILLE_H = 300
COOLING_OVER_MS = 3_600_000  # the first hour without heat is what an early stop has to predict
COOLING_DIFFERENCE_CK = 500  # a smaller difference to outdoors shows no cooling
STOP_MAX_S = 3600

# -- heating failure and stuck-on [V], hydronic [K]
# Means are compared, each over a whole cycle of the relay: one cycle and a half, so that a dead electric heater is
# reported within the hour.
WATCH_ELECTRIC_MS = 900_000
WATCH_WATER_MS = 2_700_000
# What a healthy but slow room still gains in an hour at full heat, when it is as cold as outdoors; VTherm's half kelvin
# in 15 min would accuse it. A warmer room must gain less, and beyond half the heating's strength it must only fall
# slowly.
WATCH_RISE_CK_H = 12
WATCH_VOTES = 2  # an airing of ten minutes spoils one window
WATCH_STUCK_CK = 50
WATCH_FULL_PERMILLE = 900
WATCH_BELOW_CK = 100
# [K] The longest run of full heat without a gain, in any weather: it contains a warmest and a coldest hour of the day.
# Beyond it the heating is half dead or too weak, or the thermometer hangs where no heat comes.
WATCH_RUN_MS = 129_600_000
WATCH_RUN_CK = 50
ATTEMPTS_MAX = 5  # [V] attempts at driving the output again
KICK_MS = 30_000

# -- the meter of electric heaters
METER_IDLE_DW = 100  # a contactor and a display may draw this much; a tenth of the rated power where that is more
METER_IDLE_MS = 300_000  # of a closed relay
ENERGY_STEP_MAX_WH = 1_000_000  # [K] a month of 1.4 kW without a reading; more is another meter
ENERGY_MAX_WH = 0xFFFFFFFF

# -- exercise
EXERCISE_DAYS = 7
EXERCISE_NO_CLOCK_MS = 8 * 86_400_000
EXERCISE_CLEAR_S = 7200  # from the next occupied hour

# -- valve: a smaller step wears it without use
VALVE_STEP_PERCENT = 5
OUTPUT_SILENT_MS = 180_000  # three samples without a boiler's status, or with a valve's converter that accepts nothing
VALVE_BLIND_PERCENT = 2  # and no more than this above the safe duty: noise of the outdoor sensor moves nothing
# An outdoor sensor that has given readings and is then silent for this long has failed.
OUTDOOR_SILENT_MS = 3_600_000

# -- a technician's test: the duration of heat, and a water temperature that no radiator or floor minds
TEST_MS = 120_000
TEST_FLOW_CK = 5000

# -- boiler
BOILER_LOST_MS = 10_000  # boilers leave OpenTherm mode after 5 to 15 s
BRIDGE_LOST_MS = 10_000  # [G] reports each frame
LEASE_REFRESH_MS = 15_000  # [G] a control set-point is forgotten after just over a minute: three may get lost
ANSWER_MS = 2_000  # [G] answers at once; a report may come before the answer
SH_AGAIN_MS = 60_000  # [G] keeps it in EEPROM: written only when it differs, and no more often than this:
SH_TRIES = 4
SH_REST_MS = 86_400_000
SH_UNSEEN_MS = 600_000  # [G] shows it every 16 s
FAULT_EVERY_MS = 60_000
ROOM_INFLUENCE = 6  # [K] of flow for each of the room: what boiler makers set at first
FLOW_MIN_CK = 1000
FLOW_MAX_CK = 9000
FLOW_DEFAULT_MAX_CK = 7000
LINE_BYTES_MAX = 40  # of a report or an answer; the gateway's longest greeting is shorter
LINES_MAX = 16  # waiting to be written
