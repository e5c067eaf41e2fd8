"""Every limit of the cabinet's core, with its reason; what happens beyond stands where it is used."""

# A cabinet of a French village has two to six feeders, a city's twelve.
FEEDERS_MAX = 24

# The calendar runs by a clock that is known so well: a month of drift without any network. Beyond, a photocell is the
# better witness of dusk.
CLOCK_VALID_S = 300
# From there on a doubt is decided on the safe side: of the levels that may be right the brightest.
CLOCK_EXACT_S = 60
# A carried clock is used without a photocell until then: twilight makes a quarter of an hour harmless. 100 days of
# drift.
CLOCK_USABLE_S = 900
# A clock so long after the end of the policy's validity is taken for a broken one (a dead battery, a bad NTP server).
CLOCK_BEYOND_POLICY_S = 5 * 366 * 86_400

# nodes.md: on at 35 lx for a minute, off at 55 lx for two; headlights and clouds pass by.
CELL_ON_LX = 35
CELL_OFF_LX = 55
CELL_ON_MS = 60_000
CELL_OFF_MS = 120_000
# The longest night in metropolitan France has 16 hours: a cell that says the same for so long is covered, or lit by a
# lamp.
CELL_STUCK_MS = 20 * 3_600_000

# A cell that is silent for a moment has not changed its mind.
CELL_SILENT_MS = 30_000

# The shell looks every second. What it saw so long ago decides nothing any more: a photocell, the hand switch.
BLIND_MS = 60_000

# After a start nothing is ordered for so long while no time is known: NTP needs some seconds.
START_MS = 60_000

# The timer relay of the hardware watchdog drops after 60 s: five pulses may be lost, and the street is lit within 2
# minutes.
WATCHDOG_MS = 10_000

# The centre's lease: asked for at this pace, and for so long. By the byte (4G) it is asked for more seldom: 140 bytes
# each.
LEASE_EVERY_MS = 60_000
LEASE_S = 300
LEASE_METERED_EVERY_MS = 600_000
LEASE_METERED_S = 1_800
# After a lease that ran out, what the centre wants counts again only when the next has held so long: no flapping
# street.
LEASE_DWELL_MS = 30_000

# Orders known at one time; a commune has a handful.
ORDERS_MAX = 64
# Of one person at one time, emergencies apart: nobody's mistake or stolen key crowds out the others.
ORDERS_OF_ONE_MAX = 16
# What nodes are told by signed commands, apart from those: weather, drought, load shedding, days of a commune.
DIRECTIVES_MAX = 32
# Ids of what is over are remembered until they expire, so that a repeated command never runs twice.
ORDERS_GONE_MAX = 1_024
# Refusals of nobody known are told once per reason in so long, with their number: a flood must not push an order that
# is open out of the audit log, nor wear the card out.
REFUSALS_EVERY_MS = 600_000
# Lines that the card refused wait here for better days.
AUDIT_WAITING_MAX = 64
AUDIT_RETRY_MS = 10_000
# A person at the cabinet: a test lights a feeder for so long at most; a lock-out that is forgotten ends.
TEST_S_MAX = 300
LOCK_MS = 8 * 3_600_000

# Watts that agree with a command are looked for during this time.
MEASURE_MS = 60_000
# Of the normal power: above, it burns; below, it is dark. Between: neither.
LIT_PERCENT = 50
DARK_PERCENT = 5
# The meter's own noise, a photocell's standby: 3 W.
BURNING_FLOOR_DW = 30

# Watts, verdicts: how long a thing must be so before it is said.
CONTACTOR_MS = 10_000
BURNING_MS = 60_000
FAILURE_MS = 60_000
CABLE_MS = 30_000
LAMPS_MS = 600_000
# Illuminations of Advent hang for five weeks; whoever adds lamps changes the configuration, which forgets what was
# learnt.
HIGHER_NIGHTS = 45
# Lamps that dim by themselves burn fully in the first hour of the night: then they are counted.
SELF_DIMMING_JUDGED_MS = 3_600_000
# LED drivers reach their power in a minute, discharge lamps in five.
WARM_UP_MS = 300_000
# Several lamps at one instant are a cable: this many, and this share of the feeder.
CABLE_LAMPS = 3
CABLE_PERCENT = 20
# Looks that are apart by more are not one instant.
INSTANT_MS = 15_000
METER_SILENT_MS = 120_000
DOOR_MS = 2_000
SUPPLY_MS = 2_000

# Readings of every feeder go up at this pace, as a lamp's do.
TELEMETRY_S = 900

# The audit log: a few entries a night of 200 bytes; files of a year, sixteen of them.
AUDIT_FILE_BYTES_MAX = 256 * 1024
AUDIT_FILES_MAX = 16
# Once soon after each start: a cabinet that restarts every day tells it all the same.
AUDIT_FIRST_HEAD_MS = 120_000
AUDIT_HEAD_MS = 86_400_000
# Signed policies kept: the one in force, the one to come, one for a damaged file.
POLICY_FILES_MAX = 4
