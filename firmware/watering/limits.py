"""Holds every bound of the irrigation trade, with its reason. Values only."""

# -- plausible weather for a site in metropolitan France
AIR_CK_MIN = -3500
AIR_CK_MAX = 4800
WIND_DMS_MAX = 500
WIND_UNKNOWN_DMS = 20  # at 2 m where it is not measured: the mean of 2000 stations (FAO-56, table 4)
RAIN_CMM_MAX = 30_000  # 300 mm in a day: the worst cévenol storms; beyond it the gauge counts its own dripping
ET0_CMM_MAX = 1200
# A day counts as measured when its samples cover this much of it; else minimum and maximum are those of a part of a
# day.
COVERED_S_MIN = 18 * 3600
# A longer gap between samples is a hole in the day, not weather.
SAMPLE_GAP_MAX_S = 2 * 3600
# Days without a clock that are replaced by climatology; after more of them the root zone is dry.
DAYS_MISSED_MAX = 21
# The gateway's ET0 and rain of yesterday take some hours to come: the day is closed at this local hour.
CLOSE_HOUR = 3

# -- valves
OUTPUTS_MAX = 10  # master, eight zones, pump
# No valve stays open for longer on one order, even if the programme asks for it; a cycle is shorter, and a new one
# renews.
OPEN_S_MAX = 4 * 3600
# All latching outputs are pulsed shut within 2 s of a start, the master first; a second round follows.
BOOT_CLOSE_MS = 2000
BOOT_ROUNDS = 2
# A valve that still passes water is pulsed shut again this often; then a technician must attend to it.
CLOSE_AGAIN_MAX = 3
# A latching coil draws from the store, which recharges between two pulses.
PULSE_MS_MIN = 20
PULSE_MS_MAX = 200
PULSE_GAP_MS_MIN = 20
PULSE_GAP_MS_MAX = 2000
SELECT_MS = 20  # a selector's contacts before current flows through them
LEAD_S_MAX = 120

# -- runs
SOAK_S_MIN = 1800
SOAK_S_MAX = 7200
# A start that could not take place (no clock, wind, power cut) is made up for within this time, then skipped.
LATE_S = 3 * 3600
# A program that must be done by its hour begins no earlier than this before it; a night's watering fits.
PLANNED_S_MAX = 12 * 3600
# A zone that wind or an empty store holds back waits this long beyond what its program takes, then its turn is skipped.
HOLD_S = 3600
# No programme starts twice within this time, even if the clock is wrong.
BETWEEN_STARTS_MS = 12 * 3_600_000
# A programme marked as run later than tomorrow was marked under a wrong clock.
MARK_AHEAD_DAYS = 1
# Shorter cycles wet the pipe, not the soil.
CYCLE_S_MIN = 60

# -- lock-outs
FREEZE_CK = 400  # no watering below this, measured now
FREEZE_AHEAD_CK = 200  # nor when less than this is forecast within six hours
WIND_DMS = 80
RAIN_SKIP_DMM = 20
# A rain sensor's contact counts after it was wet for this long, and water waits this long after it was last wet: an
# hour at least, for a node that sleeps samples it every quarter hour; a week at most, for no lawn waits longer for a
# sensor.
RAIN_ON_S_MAX = 600
RAIN_OFF_H_MIN = 1
RAIN_OFF_H_MAX = 168
# Rain that is written to flash at once: the amount that skips a run, then each centimetre more. The worst storm has 30.
RAIN_KEPT_CMM = 1000
# Soil probes that a board carries; a voltage this far beyond dry or wet is a broken wire.
SOIL_PROBES_MAX = 2
SOIL_BEYOND_PERCENT = 20
SOIL_SPAN_MV_MIN = 100
# Older readings decide nothing.
READING_MAX_MS = 1_800_000

# -- flow
SETTLE_S = 90  # a line fills
SPIN_DOWN_S = 30  # a meter's wheel runs on, a valve closes slowly
LOW_PERCENT = 60
HIGH_PERCENT = 125
BURST_PERCENT = 150
WRONG_FOR_S = 60
BURST_FOR_S = 15
# A burst is judged sooner than anything else: with its 15 s the master is shut within a minute of the opening.
BURST_SETTLE_S = 30
# Flow is the mean over this time, or over twice that where a coarse meter gave fewer pulses than this.
FLOW_WINDOW_S = 15
FLOW_PULSES_MIN = 8
# What a meter must give at a zone's design flow, so that a burst is detected in time.
METER_PULSES_PER_MIN_MIN = 15
SAMPLES_KEPT = 16
CLEAN_RUNS_MIN = 3  # their median is a zone's nominal flow
CLEAN_S_MIN = 180
# The expected flow of a zone stays this near to its flow when it was new: else a leak that grows by some percent a
# week, or drippers that clog, would be learned as usual. Beyond it the drift is reported.
DRIFT_PERCENT = 15
DRIFT_OVER_PERCENT = 10  # and ends within this
# No reference is further from the design than the flow of a clean run may be.
REFERENCE_PERCENT_MIN = LOW_PERCENT
REFERENCE_PERCENT_MAX = HIGH_PERCENT
LEAK_DETECTIONS = 6
LEAK_ML = 5000
LEAK_WITHIN_S = 600
NIGHT_LEAK_S = 7200
# A run that is watched is sampled this often: a burst must be detected in 15 s.
WATCH_MS = 5_000
# A closed installation with a meter is sampled often enough to detect 5 L in 10 minutes.
IDLE_MS = 60_000
# The most that a board's meter input lets through (hardware/nodes/irrigation.toml, hz_max): a count that grows faster
# counts as this. The settings are checked so that it is a burst: twice what the main or a zone gives lies below it.
PULSES_PER_S_MAX = 400
METER_HEADROOM = 2

# -- coils, mA at 50 ms. 24 V AC as OpenSprinkler's defaults; a 9 V latching coil of 4 to 8 ohm draws 1 to 2 A. A short
# passes the bridge's own limit, 3.2 A and 8 % less at its least (DRV8871; hardware/nodes/irrigation.toml).
AC_OPEN_MA = 100
AC_SHORT_MA = 1200
LATCH_OPEN_MA = 250
LATCH_SHORT_MA = 2500
# A coil whose current differs from the learned one by this much, this often in a row, begins to fail.
CHANGED_PERCENT = 40
CHANGED_TIMES = 3

# -- battery
# A node that sleeps wakes this often for its weather and its pipe.
SLEEP_MAX_MS = 900_000
# It is awake this long before a start: to charge the capacitor, and because the oscillator that measured its sleep
# errs.
LEAD_MS = 20_000
# The capacitor: 9400 uF to 12 V at 0.5 A of a boost converter take 0.3 s; the converter gives less on a cold cell. Then
# its voltage is read. Bridges work from 6.5 V on (DRV8871); the capacitor bears 35 V, and its divider is read to 34 V.
CHARGE_MS = 3_000
BOOST_MV_MIN = 7_000
BOOST_MV_MAX = 30_000
BATTERY_OPEN_MV = 3500  # Li-ion under load; below it nothing opens
BATTERY_SHUT_MV = 3300  # and below it open valves are shut: a weak cell falls from here to its cut-off within a run
BATTERY_LOW_MV = 3600
BATTERY_WELL_MV = 3750
BATTERY_MV_MAX = 4500
# Pulses shut that must remain affordable for each valve that is open: one to shut it, one to repeat it.
RESERVED_PULSES = 2
