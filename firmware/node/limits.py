"""Bounds of the node application, each with its reason. Values only, no code."""

# Records waiting for their 2.04. 96 telemetry records are a day of quarter hours; at about 90 bytes of heap each the
# outbox stays below 12 kB on the chip.
OUTBOX_RECORDS_MAX = 120
# Places that telemetry may never take, then places that events may never take either.
OUTBOX_EVENT_RESERVE = 16
OUTBOX_ALARM_RESERVE = 8
# Gap ranges waiting to become records; beyond it the two nearest are merged into one that covers both.
GAPS_PENDING_MAX = 8

# --- log on flash (node.record_log): for kinds with a file system to spare
# 7 days of a record each 5 minutes, one of health each hour and what happens are 58 segments of 4 KiB of an irrigation
# node of eight zones, the most talkative kind (tests/node/test_silent_week.py); the others are the reserves and what is
# being replaced. 288 KiB: of the 960 KiB that the port's smallest layout has for files, where the program is frozen; of
# 6 MiB on the reference module, where two programs and the rescue take 2 MiB.
LOG_SEGMENTS_MAX = 72
# Segments that telemetry may never take, then those that events may never take either: some 80 alarms in each.
LOG_EVENT_SEGMENTS = 6
LOG_ALARM_SEGMENTS = 2
# A file system that says it is full leaves the log this much before it is used at all.
LOG_SEGMENTS_MIN = 6 + LOG_EVENT_SEGMENTS + LOG_ALARM_SEGMENTS
# Read at once for one payload: PAYLOAD_BYTES_MAX and one record (256 bytes at most) more.
LOG_READ_BYTES = 512
# Boots that one dropped segment may name: half of what fits, so that dropping always makes room.
LOG_GAPS_MAX = 40
# A street in contact writes nothing: only after that much silence what waits in RAM goes to flash, and not oftener than
# LOG_EVERY_MS. What a power cut can take in a long silence is one such period.
LOG_SILENT_MS = 1_800_000
LOG_EVERY_MS = 3_600_000
# An alarm waits a shorter while in RAM alone: two transmissions of CoAP have failed.
LOG_ALARM_SILENT_MS = 60_000
# Half of the outbox: the rest takes what is made while flash is slow to make room.
LOG_RECORDS = OUTBOX_RECORDS_MAX // 2
# So many do not wait for the hour in a silence (as long a one as an alarm waits), for they are 2 kB of a heap; but a
# busy node leaves alarms their share of the writes.
LOG_SILENT_RECORDS = 12
LOG_FULL_EVERY_MS = 600_000
# A flash that takes no write is asked again after this.
LOG_RETRY_MS = 600_000
# While the log makes room for a record it is asked again after this.
LOG_ROOM_MS = 1_000
# Between two payloads of an earlier time: 7 days of one node are 500 payloads, a quarter hour; a street of 50 that
# comes back adds 25 exchanges a second less than a gateway takes, and what is new goes first.
BACKLOG_PAUSE_MS = 2_000

# --- settings (node.settings_slots)
# With a calendar or a watering programme some 2 KiB; a slot of it is one erase block.
SETTINGS_BYTES_MAX = 4000
# Brackets in brackets: a calendar has six; the parser's stack bears some tens.
SETTINGS_DEPTH_MAX = 12
# Starts that may crash under new settings before the last good ones are taken: one less than lead to the rescue
# (esp32.guard.STRIKES_MAX), or a wrong number in a file would cost a building an hour of it.
SETTINGS_CRASHES_MAX = 2
# So long without a crash, and settings are good: longer than a boot, a first report and an agreement on keys take.
SETTINGS_PROVEN_MS = 600_000

# --- wear of flash (node.checkpoint): 100,000 erasures of a block, 10 years
# One an hour, one before each planned restart, and what a trade must not lose: the end of each of its programmes, a
# burst, a drought order. A season's day takes 26.
CHECKPOINTS_A_DAY = 36
# Of a chip that has just woken from deep sleep, whose ledger is new: 96 wakings a day of a trade that always asks are
# 384 writes, 18,000 erasures of each of 156 blocks in ten years.
CHECKPOINTS_A_WAKING = 4
# What flash or its budget refused is tried again after this.
CHECKPOINT_AGAIN_MS = 600_000
# A write waits so long for the end of a pulse: a capacitor that charges takes ten seconds.
WRITE_PATIENCE_MS = 15_000
# In a silence that never ends: 24 times three lanes, or six times that where much happens, their alarms, and what makes
# room. 10 years of it are 880,000 erasures over at least 156 free blocks: 5,600 of each.
LOG_WRITES_A_DAY = 240

# More records than these in one turn, and what is to be sealed waits for the next one: each takes a chip 6 ms.
MADE_MAX = 2

# Bytes of CBOR in one payload: a datagram less CoAP header, token, OSCORE option with both nonces, path and tag (at
# most 50 bytes).
PAYLOAD_BYTES_MAX = 200

# Retry of a payload that failed for good at the CoAP layer: the gateway is away, so ask gently.
RETRY_FIRST_MS = 5_000
RETRY_LAST_MS = 300_000

# A lamp without a clock burns by day too: it asks for the time, with nothing else to say, as often as this.
ASK_TIME_MS = 20_000

# An order of the gateway's that waits is asked for at once; for so long the lamp gets no darker meanwhile. Two lost
# datagrams and their retransmissions.
ORDER_HOLD_MS = 20_000
# An override that has no lease when it comes: the next answer brings one. Then it is told why it rests.
LEASE_PATIENCE_MS = 10_000
# After a lease that ran out under an override, the next must hold so long before it counts again: no flapping street.
LEASE_DWELL_MS = 30_000

# Crystal of an ESP32 module over the temperature range of a lamp post; grows the uncertainty between synchronisations.
CLOCK_DRIFT_PPM = 50
# A rate is learned from answers this far apart, whose doubt leaves 25 ppm open at most; eight of them, a week of days.
RATE_APART_S = 86_400
RATE_DOUBT_MS = 1_100
RATE_POINTS = 8
# A crystal that is further off is no crystal: nothing is learned.
RATE_PPM_MAX = 200
# Learned at one end of a swing of ± 10 ppm with temperature, used at the other (AT cut, -20 to 60 °C).
RATE_SWING_PPM = 20
# The oscillator of deep sleep (150 kHz RC, calibrated by the port at each start): 9 to 11 s an hour were seen in the
# field, 3,000 ppm; three times that, unlearned. Learned it still moves with temperature and supply.
SLEEP_PPM_MAX = 10_000
SLEEP_SWING_PPM = 1_000
# A sleep rate is learned over at least so much sleep.
SLEEP_APART_S = 3_000
# A clock chip on its battery: DS3231, ± 3.5 ppm from -40 to 85 °C (data sheet, 19-5170), and its ageing.
CHIP_DRIFT_PPM = 5
# A chip's time that may be further off is of no use to anybody here; the gateway's comes within minutes.
CARRIED_UNCERTAINTY_S_MAX = 900
# After that without an answer the clock is in holdover.
SYNCED_FOR_MS = 7_200_000
# An answer that would leave more than that is no better than none for a lamp (a street may be a quarter hour late).
UNCERTAINTY_USABLE_S = 900
# Earlier than 2026 a gateway's clock was never set; a guessed time is forbidden.
UNIX_S_MIN = 1_767_225_600
# Later than 2060 no node of today hangs on its pole: 2100 is a clock that was never set, too.
UNIX_S_MAX = 2_840_140_800

# A street is lit within 2 minutes of its time (invariant 3): the calendar is asked at least as often as this,
# however rarely the meter is read.
DECIDE_MS = 60_000

SAMPLES_KEPT = 5
STAGGER_S = 10

# --- starts, trials and updates ---------------------------------------------------------------------------------
# A program that has turned so long has shown that it can; most faults of a new one show in the first minutes.
GOOD_START_MS = 600_000
# Patience with an image on trial: a gateway that restarts, or a technician at work on it, is back before.
TRIAL_MAX_MS = 7_200_000
# The gateway is asked for a new image a quarter of an hour after a start, and then four times a day: one exchange of
# 100 bytes each. In rescue there is nothing else to do.
UPDATE_FIRST_MS = 900_000
UPDATE_CHECK_MS = 21_600_000
UPDATE_CHECK_RESCUE_MS = 120_000
UPDATE_RESCUE_FIRST_MS = 10_000
# Between two blocks: a radio channel is everybody's. 100 kB take three minutes.
UPDATE_PACE_MS = 200
UPDATE_RETRY_FIRST_MS = 5_000
UPDATE_RETRY_LAST_MS = 300_000
# What a report may take beyond its time before the link counts as lost: its retransmissions, on a slow bearer.
LINK_PATIENCE_MS = 120_000
# What is in the outbox should leave before a restart of one's own; a gateway that takes nothing is not waited for.
RESTART_PATIENCE_MS = 60_000
# The last lines of the log in one datagram.
LOG_ANSWER_BYTES_MAX = 180
# Public keys of those who may sign a node's program.
UPDATE_KEYS_MAX = 4
# Directives are asked for so often: a drought order may take a quarter of an hour to reach a lawn. What it
# said holds for as long as it said, so a silent gateway changes nothing at once.
DIRECTIVES_EVERY_MS = 900_000
# After a cut all nodes of a district would ask in the same seconds for ever: their periods differ by so much.
DIRECTIVES_SPREAD_S = 60
# A gateway that was silent or had no clock is asked again no sooner than this, twice as late each time.
DIRECTIVES_RETRY_FIRST_MS = 60_000
# One that knows no directives (4.04) will not learn them before it gets another release.
DIRECTIVES_UNKNOWN_MS = 21_600_000

# -- the technician's button: how long a trade's test lasts at most: an irrigation node's eight zones, a
# minute each, and then some.
TEST_MAX_MS = 600_000

# --- sleep (node.sleeper): battery nodes
# After a power-on a node stays awake for so long: keys, time, directives and orders come in it, and the technician who
# fitted it sees its light.
AWAKE_AFTER_START_MS = 300_000
# The button was pressed: the technician waits for the light, and presses again.
AWAKE_FOR_HAND_MS = 60_000
# Starting the chip takes 1.6 s at 40 mA: a shorter sleep costs more than it saves.
SLEEP_MIN_MS = 20_000
# A gateway that was silent is tried again after this, twice as late each time: an awake minute of radio for nothing is
# the energy of 200 ordinary wakings. An alarm is worth more.
SILENT_FIRST_MS = 900_000
SILENT_ALARM_FIRST_MS = 300_000
SILENT_LAST_MS = 14_400_000
SILENT_MAX = 8  # doublings that are counted
# A sleeping node repeats a request twice, not four times: it has its next waking, and the log on flash.
SLEEPER_RETRANSMISSIONS = 2
# Bytes of the image in RTC memory (rtc.TRADE less its head and what the shell puts before it).
IMAGE_BYTES_MAX = 976

# --- the clock chip (node.clock_chip)
# It is set from a time that is no worse than this, when it is off by more, or its age makes its doubt so large.
CHIP_SET_DOUBT_S = 2
CHIP_OFF_S = 3
CHIP_STALE_S = 15
# At most once in so long: it is a write into a clock that others may use, and each loses up to a second.
CHIP_SET_APART_S = 86_400
