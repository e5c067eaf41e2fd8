"""Holds every bound of the heating trade, with its reason. Values only. Sources: [V] Versatile Thermostat's defaults,
[O] the OpenTherm specification 2.2, [G] the OpenTherm Gateway's manual, [K] chosen here, by the reason given."""

# -- how often: the room is sampled as often as this, however rarely the settings read the sensor, for a dead sensor
# must be seen within SENSOR_STALE_MS.
SAMPLE_MS = 60_000
# A whole decision is made as often as this while nothing has changed; the cycle's own edges are exact.
DECIDE_MS = 5_000

# -- the room's sensor
SENSOR_STALE_MS = 300_000  # [K] a wired sensor: five samples in a row are no accident
SENSOR_LOW_CK = -3000  # [K] no room is so cold or so hot
SENSOR_HIGH_CK = 6000
SENSOR_RATE_CK_MIN = 200  # [K] faster is a loose wire; after a silence the allowance has grown
SENSOR_RATE_FLOOR_CK = 100  # two samples close to each other: noise and a door
SENSOR_STUCK_MS = 10_800_000  # [K] three hours at more than half power, and not one step of the sensor
SENSOR_STUCK_CK = 5
# [K] a day and night at any power: a sensor of 0.01 °C has more noise than that, and one that stands at 20 °C would
# have the room freeze with no demand at all
SENSOR_RIGID_MS = 86_400_000
SENSOR_STUCK_PERMILLE = 500
SENSOR_GOOD_SAMPLES = 3  # a silent or wild sensor is believed again after so many

# -- safe duty, while the room is not measured
SAFE_FLOOR_PERMILLE = 250  # [K] at frost outside, or when the room was cold when last seen, or in winter without a clue
SAFE_LAST_CK = 800
SAFE_KEEP_CK = 1200  # what the open loop aims at by the outdoor temperature
RADIATOR_CK = 5000  # a radiator gives what it is rated for when its water is so much warmer than the room (EN 442)
SAFE_OUTDOOR_CK = -500  # for a boiler's curve in winter without an outdoor temperature: 25 % of radiators at least

# -- frost
FROST_ON_CK = 500  # [K] pipes and plants; water expands from 4 °C on
FROST_OFF_CK = 700

# -- programme without a clock
FALLBACK_REPORTED_MS = 600_000  # a boot gets its time within minutes; a longer wait is worth a look at the site
UNCERTAIN_S = 60  # a smaller doubt does not matter to a room

# -- standby (LonMark's SNVT_occupancy, BACnet's occupancy state): occupied hours without a detection
STANDBY_MS = 3_600_000  # [K] a person who sits still is detected by then; a lesson's break is shorter
STANDBY_CK = 100
STANDBY_MAX_CK = 300  # a room regains so much within half an hour

# -- exception of the programme
EXCEPTION_MOVES_S = 300  # its end moves by a message's way and a crystal's error in a week
EXCEPTION_KNOWN_S = 600  # after a start the gateway's directives have come by then

# -- cut-out of the proportional band [V]
CUT_OUT_CK = 200
CUT_IN_CK = 100

# -- PI: one step of integration, and a long gap counts as one [V]
PI_STEP_MS = 300_000
PI_CROSSED_CK = 20

# -- relay cycle
CYCLE_RESTART_PERMILLE = 250  # a demand that changed by as much does not wait for the end of the cycle

# -- window by slope
SLOPE_POINTS = 6  # a straight line through six minutes: 0.02 K of noise becomes 0.3 K/h, a tenth of the threshold
SLOPE_POINT_MS = 60_000
SLOPE_GAP_MS = 300_000  # after a longer silence the line begins anew
SLOPE_MAX_CK_H = 12_000  # [V] steeper is not air
SLOPE_OPEN_CK_H = -300  # [V]
SLOPE_CLOSED_CK_H = 0
SLOPE_CLOSED_PART = 4  # or a quarter of the steepest: without heat a shut room goes on falling a little
SLOPE_DROP_CK = 40  # [K] and the room is as much below a whole cycle of its relay, whose saw-tooth is as steep
SLOPE_VOTES = 2
WINDOW_GIVE_UP_MS = 1_800_000  # [V] a room left open all day is heated again: pipes
CONTACT_OPEN_MS = 60_000  # [K] a person passing through a door is no open window
# After heat was cut the air falls by itself; nothing is concluded meanwhile, and not before that fall has eased: a
# radiator takes its quarter of an hour, and a room with cold walls half an hour more. What still falls as steeply as
# this is a window.
SLOPE_BLIND_MS = 1_200_000
SLOPE_BLIND_MAX_MS = 3_600_000
SLOPE_STEEP_CK_H = -1_000
SLOPE_CUT_PERMILLE = 200

# -- learning
EMA_DIVISOR = 5  # [K] 0.2
LATE_FIFTHS = 2
RATE_DEFAULT_CK_H = 300  # with the span's correction, 1 K/h in hard frost
RATE_LONG_DEFAULT_CK_H = 200
RATE_MIN_CK_H = 20
RATE_MAX_CK_H = 2000
DEAD_MAX_S = 3600
LEAD_MAX_S = 6 * 3600
LEAD_LONG_MAX_S = 12 * 3600
LONG_ABSENCE_S = 48 * 3600
COLD_MASS_S = 24 * 3600  # after as much the walls are cold: such preheats are learned apart
PREHEAT_REACHED_CK = 20  # then the regulator goes on
COMFORT_CK = 50  # what an early stop may cost at the end, and what shows that an order is obeyed
RISE_SEEN_CK = 20
LEARN_RISE_CK = 100  # a smaller rise shows no rate
LEARN_MAX_S = 14 * 3600
OUTDOOR_ASSUMED_CK = 500  # without an outdoor temperature: a French winter's day
COOLING_DEFAULT_PERMILLE_H = 80  # of the difference to outdoors; light buildings, so that a new node stops late
COOLING_MIN_PERMILLE_H = 2
COOLING_MAX_PERMILLE_H = 300
COOLING_OVER_MS = 3_600_000  # the first hour without heat is what an early stop asks about
COOLING_DIFFERENCE_CK = 500  # a smaller difference to outdoors shows no cooling
STOP_MAX_S = 3600

# -- heating failure and stuck-on [V], hydronic [K]
# From mean to mean, each over a whole cycle of the relay: one cycle and a half, so that a dead electric heater is
# reported within the hour.
WATCH_ELECTRIC_MS = 900_000
WATCH_WATER_MS = 2_700_000
# What a healthy room that is slow still gains in an hour at full heat, as warm as outdoors; VTherm's half kelvin in 15
# min accuses it. Less is asked of a warmer one, and beyond half the heating's strength only that it falls slowly.
WATCH_RISE_CK_H = 12
WATCH_VOTES = 2  # an airing of ten minutes spoils one window
WATCH_LEAVE_PERMILLE = 500
WATCH_STUCK_CK = 50
WATCH_DUTY_PERMILLE = 900
WATCH_BELOW_CK = 100
# [K] The longest run of full heat that brings nothing, in any weather: a warmest and a coldest hour of the day
# are in it. The heating is half dead or too weak, or the thermometer hangs where no heat comes.
WATCH_RUN_MS = 129_600_000
WATCH_RUN_CK = 50
ATTEMPTS_MAX = 5  # [V] of driving the output again
KICK_MS = 30_000

# -- the meter of electric heaters
METER_IDLE_DW = 100  # a contactor and a display may take so much; a tenth of the rated power where that is more
METER_IDLE_MS = 300_000  # of a closed relay
ENERGY_STEP_MAX_WH = 1_000_000  # [K] a month of 1.4 kW without a reading; more is another meter
ENERGY_MAX_WH = 0xFFFFFFFF

# -- orders: heating that is off shows it by then
OFF_SHOWN_MS = 600_000

# -- exercise
EXERCISE_DAYS = 7
EXERCISE_NO_CLOCK_MS = 8 * 86_400_000
EXERCISE_CLEAR_S = 7200  # from the next occupied hour

# -- valve: a smaller step wears it for nothing
VALVE_STEP_PERCENT = 5
OUTPUT_SILENT_MS = 180_000  # three samples without a boiler's status, or with a valve's converter that accepts nothing
VALVE_BLIND_PERCENT = 2  # and so much above the safe duty: noise of the outdoor sensor moves nothing
# An outdoor sensor that was there and has been silent for so long has failed.
OUTDOOR_SILENT_MS = 3_600_000

# -- a technician's test: so long of heat, and the water as warm as no radiator or floor minds
TEST_MS = 120_000
TEST_FLOW_CK = 5000

# -- boiler
BOILER_LOST_MS = 10_000  # boilers leave OpenTherm mode after 5 to 15 s
BRIDGE_LOST_MS = 10_000  # [G] reports each frame
LEASE_REFRESH_MS = 15_000  # [G] a control set-point is forgotten after just over a minute: three may get lost
ANSWER_MS = 2_000  # [G] answers at once; a report may stand before it
SH_AGAIN_MS = 60_000  # [G] keeps it in EEPROM: never written but when it differs, and only so often:
SH_TRIES = 4
SH_REST_MS = 86_400_000
SH_UNSEEN_MS = 600_000  # [G] shows it every 16 s
FAULT_EVERY_MS = 60_000
CONFIG_EVERY_MS = 3_600_000
ROOM_INFLUENCE = 6  # [K] of flow for each of the room: what makers of boilers set at first
FLOW_MIN_CK = 1000
FLOW_MAX_CK = 9000
FLOW_DEFAULT_MAX_CK = 7000
LINE_BYTES_MAX = 40  # of a report or an answer; the gateway's longest greeting is shorter
LINES_MAX = 16  # waiting to be written
