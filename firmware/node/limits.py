"""Lists the bounds of the node application, each with its reason. Values only, no code."""

# Records waiting for their 2.04. 96 telemetry records are a day of quarter hours; at about 90 bytes of heap each the
# outbox stays below 12 kB on the chip.
OUTBOX_RECORDS_MAX = 120
# Places that telemetry may never take, then places that events may never take either.
OUTBOX_EVENT_RESERVE = 16
OUTBOX_ALARM_RESERVE = 8
# Gap ranges waiting to become records; beyond it the two nearest are merged into one that covers both.
GAPS_PENDING_MAX = 8

# --- log on flash (node.record_log): for kinds with a file system to spare
# 7 days of a record each 5 minutes, a health record each hour and the events take 58 segments of 4 KiB on an irrigation
# node of eight zones, the kind with the most records (tests/node/test_silent_week.py); the others are the reserves and
# segments being replaced. 288 KiB: of the 960 KiB that the port's smallest layout has for files, where the program is
# frozen; of 6 MiB on the reference module, where two programs and the rescue take 2 MiB.
LOG_SEGMENTS_MAX = 72
# Segments that telemetry may never take, then those that events may never take either: some 80 alarms in each.
LOG_EVENT_SEGMENTS = 6
LOG_ALARM_SEGMENTS = 2
# When the file system reports that it is full, the log shrinks, but not below this.
LOG_SEGMENTS_MIN = 6 + LOG_EVENT_SEGMENTS + LOG_ALARM_SEGMENTS
# Bytes read at once for one payload: PAYLOAD_BYTES_MAX and one more record (256 bytes at most).
LOG_READ_BYTES = 512
# Boots that one dropped segment may name: half of what fits, so that dropping always makes room.
LOG_GAPS_MAX = 40
# While the gateway answers, nothing is written: only after this much silence records go from RAM to flash, and not
# oftener than LOG_EVERY_MS. In a long silence a power cut can destroy one such period.
LOG_SILENT_MS = 1_800_000
LOG_EVERY_MS = 3_600_000
# An alarm is only in RAM for a shorter time: two transmissions of CoAP have failed.
LOG_ALARM_SILENT_MS = 60_000
# Half of the outbox: the rest is for records made while flash is slow to make room.
LOG_RECORDS = OUTBOX_RECORDS_MAX // 2
# In a silence as long as an alarm waits, this many records do not wait for the hour, since they take 2 kB of heap; but
# a busy node must leave alarms their share of the writes.
LOG_SILENT_RECORDS = 12
LOG_FULL_EVERY_MS = 600_000
# A write that the flash refused is tried again after this.
LOG_RETRY_MS = 600_000
# While the log makes room for a record, the write is tried again after this.
LOG_ROOM_MS = 1_000
# The pause between two payloads of earlier records: 7 days of one node are 500 payloads, a quarter hour; a street of 50
# that comes back adds 25 exchanges a second, less than a gateway can serve, and new records go first.
BACKLOG_PAUSE_MS = 2_000

# --- settings (node.settings_slots)
# Settings with a calendar or a watering programme take some 2 KiB; a slot is one erase block.
SETTINGS_BYTES_MAX = 4000
# Depth of nested brackets: a calendar has six; the parser's stack bears some tens.
SETTINGS_DEPTH_MAX = 12
# Starts that may crash under new settings before the last good ones are used: one fewer than lead to the rescue
# (esp32.guard.STRIKES_MAX); otherwise a wrong number in a file would cost a building an hour in rescue.
SETTINGS_CRASHES_MAX = 2
# After this long without a crash settings are good: longer than a boot, a first report and an agreement on keys take.
SETTINGS_PROVEN_MS = 600_000

# --- wear of flash (node.checkpoint): 100,000 erasures of a block, 10 years
# One an hour, one before each planned restart, and one when a trade has state that it must not lose: the end of each of
# its programmes, a burst, a drought order. A day in season takes 26.
CHECKPOINTS_A_DAY = 36
# The budget of a chip that has just woken from deep sleep, whose counts begin again: 96 wakings a day of a trade that
# always asks are 384 writes, 18,000 erasures of each of 156 blocks in ten years.
CHECKPOINTS_A_WAKING = 4
# A checkpoint that flash or its budget refused is tried again after this.
CHECKPOINT_AGAIN_MS = 600_000
# How long a write waits for the end of a pulse: charging a capacitor takes ten seconds.
WRITE_PATIENCE_MS = 15_000
# For a silence that never ends: 24 times three lanes, or six times that where much happens, the alarms, and the writes
# that make room. 10 years of it are 880,000 erasures over at least 156 free blocks: 5,600 of each.
LOG_WRITES_A_DAY = 240

# When more records than this are made in one turn, sealing a request waits for the next turn: each record takes a chip
# 6 ms.
MADE_MAX = 2

# Bytes of CBOR in one payload: a datagram less CoAP header, token, OSCORE option with both nonces, path and tag (at
# most 50 bytes).
PAYLOAD_BYTES_MAX = 200

# Retry of a payload that failed for good at the CoAP layer: the gateway is away, so try seldom.
RETRY_FIRST_MS = 5_000
RETRY_LAST_MS = 300_000

# A lamp without a clock burns by day too: it asks for the time this often, even with nothing to send.
ASK_TIME_MS = 20_000

# A node whose clock may be wrong by more than this does not judge an order's age or expiry by it.
CERTAIN_S = 30
# The node asks for a waiting order at once; for this long the lamp gets no darker meanwhile. It allows for two lost
# datagrams and their retransmissions.
ORDER_HOLD_MS = 20_000
# How long an override that arrives without a lease may wait for one, which the next answer brings; then it is reported
# as resting.
LEASE_PATIENCE_MS = 10_000
# After a lease expired under an override, the next must hold this long before it counts: the street must not flap.
LEASE_DWELL_MS = 30_000

# The crystal of an ESP32 module over the temperature range of a lamp post: the uncertainty grows by it between
# synchronisations.
CLOCK_DRIFT_PPM = 50
# A rate is learned from answers this far apart, whose doubt leaves 25 ppm open at most; from eight of them, which span
# a week.
RATE_APART_S = 86_400
RATE_DOUBT_MS = 1_100
RATE_POINTS = 8
# No crystal is further off than this: such a rate is not learned.
RATE_PPM_MAX = 200
# Learned at one end of a swing of ± 10 ppm with temperature, used at the other (AT cut, -20 to 60 °C).
RATE_SWING_PPM = 20
# The oscillator of deep sleep (150 kHz RC, calibrated by the port at each start): 9 to 11 s an hour were measured in
# the field, 3,000 ppm; three times that while it is not learned. A learned rate still moves with temperature and
# supply.
SLEEP_PPM_MAX = 10_000
SLEEP_SWING_PPM = 1_000
# A sleep rate is learned over at least this much sleep.
SLEEP_APART_S = 3_000
# A clock chip on its battery: DS3231, ± 3.5 ppm from -40 to 85 °C (data sheet, 19-5170), and its ageing.
CHIP_DRIFT_PPM = 5
# A chip's time that may be further off is of no use here; the gateway's comes within minutes.
CARRIED_UNCERTAINTY_S_MAX = 900
# After this long without an answer the clock is in holdover.
SYNCED_FOR_MS = 7_200_000
# For a lamp, an answer with a larger uncertainty is no better than none (a street may be a quarter hour late).
UNCERTAINTY_USABLE_S = 900
# A time before 2026 is that of a clock that was never set; a guessed time is forbidden.
UNIX_S_MIN = 1_767_225_600
# After 2060 no node of today is in service: a time such as 2100 is also that of a clock that was never set.
UNIX_S_MAX = 2_840_140_800

# A street is lit within 2 minutes of its time (invariant 3): the calendar is evaluated at least this often, however
# seldom the meter is read.
DECIDE_MS = 60_000

SAMPLES_KEPT = 5
STAGGER_S = 10

# --- starts, trials and updates ---------------------------------------------------------------------------------
# A start is good after turning this long; most faults of a new program show in the first minutes.
GOOD_START_MS = 600_000
# How long an image may be on trial: a gateway that restarts, or that a technician works on, is back before.
TRIAL_MAX_MS = 7_200_000
# The gateway is asked for a new image a quarter of an hour after a start, and then four times a day: one exchange of
# 100 bytes each. In rescue mode it asks oftener: it has nothing else to do.
UPDATE_FIRST_MS = 900_000
UPDATE_CHECK_MS = 21_600_000
UPDATE_CHECK_RESCUE_MS = 120_000
UPDATE_RESCUE_FIRST_MS = 10_000
# A gateway may ask for patience: for this at least, and for UPDATE_CHECK_MS at most.
UPDATE_WAIT_MIN_MS = 60_000
# The pause between two blocks, since nodes share the radio channel. 100 kB take three minutes.
UPDATE_PACE_MS = 200
UPDATE_RETRY_FIRST_MS = 5_000
UPDATE_RETRY_LAST_MS = 300_000
# How late a report may be before the link counts as lost: its retransmissions on a slow bearer.
LINK_PATIENCE_MS = 120_000
# The outbox should be empty before a planned restart; a gateway that accepts nothing is not waited for.
RESTART_PATIENCE_MS = 60_000
# The last lines of the log in one datagram.
LOG_ANSWER_BYTES_MAX = 180
# Public keys of the people who may sign a node's program.
UPDATE_KEYS_MAX = 4
# The period of asking for directives: a drought order may take a quarter of an hour to reach a lawn. A directive holds
# for the time it names, so a silent gateway changes nothing at once.
DIRECTIVES_EVERY_MS = 900_000
# Their periods differ by up to this, or after a power cut all nodes of a district would ask in the same seconds for
# ever.
DIRECTIVES_SPREAD_S = 60
# A gateway that was silent or had no clock is asked again no sooner than this; the delay doubles each time.
DIRECTIVES_RETRY_FIRST_MS = 60_000
# A gateway that does not know directives (4.04) will not do so before it gets another release.
DIRECTIVES_UNKNOWN_MS = 21_600_000

# -- the technician's button: the longest test of a trade: an irrigation node's eight zones, a minute each, with a
# margin.
TEST_MAX_MS = 600_000

# --- sleep (node.sleeper): battery nodes
# How long a node stays awake after a power-on: keys, time, directives and orders arrive in it, and the technician who
# fitted it sees its light.
AWAKE_AFTER_START_MS = 300_000
# The button was pressed: the technician waits for the light, and presses again.
AWAKE_FOR_HAND_MS = 60_000
# Starting the chip takes 1.6 s at 40 mA: a shorter sleep costs more than it saves.
SLEEP_MIN_MS = 20_000
# A gateway that was silent is tried again after this; the delay doubles each time: a minute awake with the radio on, in
# vain, takes the energy of 200 ordinary wakings. An alarm is worth more.
SILENT_FIRST_MS = 900_000
SILENT_ALARM_FIRST_MS = 300_000
SILENT_LAST_MS = 14_400_000
SILENT_MAX = 8  # doublings that are counted
# A sleeping node repeats a request twice, not four times: it has its next waking, and the log on flash.
SLEEPER_RETRANSMISSIONS = 2
# Bytes of the image in RTC memory (rtc.TRADE less its head and the bytes that the shell puts before it).
IMAGE_BYTES_MAX = 976

# --- the clock chip (node.clock_chip)
# It is set from a time with this doubt at most, when it is off by more than CHIP_OFF_S, or its age makes its doubt
# exceed CHIP_STALE_S.
CHIP_SET_DOUBT_S = 2
CHIP_OFF_S = 3
CHIP_STALE_S = 15
# The shortest time between two settings: each is a write into a clock that others may use, and loses up to a second.
CHIP_SET_APART_S = 86_400
