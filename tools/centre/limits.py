"""Holds every limit of the reference centre, with its reason; the module that uses a limit states what happens beyond
it."""

# --- payloads ----------------------------------------------------------------------------------------------

# Journal positions: more than a gateway counts in the lifetime of its card, and within SQLite's integers.
POSITION_MAX = (1 << 53) - 1

# Enough for the envelope, which comes first in a pack: it is read alone when the rest is refused.
PEEK_BYTES_MAX = 512

# Shapes of telemetry records (which readings, with or without a clock) that are read at once; a fleet has a few dozen.
# Each is compiled once, in a millisecond, so what a stranger can make the ingest compile has a bound. Beyond, records
# take ten times as long.
PLAIN_SHAPES_MAX = 256

# --- prefixes ----------------------------------------------------------------------------------------------

# Batches stored ahead of a prefix, by (gateway, epoch, lane). A gateway keeps a few in flight; beyond, the
# span farthest ahead is forgotten (its rows stay), and the gateway sends it again.
SPANS_MAX = 64

# (epoch, lane) remembered for one gateway: three lanes and a start an hour for two weeks. Beyond, the one
# extended longest ago is forgotten; should it come back, it starts at its `oldest`, which loses nothing.
STREAMS_PER_GATEWAY_MAX = 1024

# --- what an operator reads -----------------------------------------------------------------------------

# Refused payloads kept as they came, a ring: the oldest goes first.
REFUSED_ROWS_MAX = 1000
REFUSED_BYTES_MAX = 16 * 1024 * 1024
# Kept of one refused payload; a batch of ours is far below, and its length is noted.
REFUSED_PAYLOAD_BYTES_MAX = 64 * 1024
# A topic that is none of ours may be as long as MQTT allows.
TOPIC_CHARACTERS_MAX = 200
# Alarms of one kind from one cabinet that are named; what comes beyond is one line more, `others`. None displaces
# another, so all alarms are bounded by GATEWAYS_MAX.
ALARMS_PER_CABINET_MAX = 16

# --- who speaks for whom --------------------------------------------------------------------------------------

# Nodes bound to one cabinet at first sight: as many as a gateway remembers, ten times the largest district. Beyond, its
# batches are refused for its identity: it holds its records until a person has looked.
NODES_PER_CABINET_MAX = 5000
# Records kept apart from one cabinet: a week of 300 nodes at a quarter of an hour. Beyond, the same.
APART_RECORDS_MAX = 200_000
# What a cabinet may bring in a day: its rows' bodies, and what a row has besides. A district of 300 lights makes 4 MB
# a day, so this is months of an outage, or ten days of the largest cabinet's; one that was broken into needs months to
# fill a disk. Beyond, its batches are refused for `quota`: it holds them until the next day.
BROUGHT_BYTES_A_DAY_MAX = 512 * 1024 * 1024
# The same of its alarms, and of its events: twice the fair use of 300 nodes (256 and 512 a day, gateway.core.limits).
BROUGHT_URGENT_BYTES_A_DAY_MAX = 48 * 1024 * 1024
ROW_BYTES = 64
# Nodes remembered between transactions: a territory of 60,000, some 25 MB. Beyond, all are forgotten and read again.
NODES_REMEMBERED_MAX = 100_000
# Values of one statement that looks for rows with any of them; a constant, so that SQLite compiles it once.
VALUES_PER_QUESTION = 64

# --- time that is doubted -------------------------------------------------------------------------------------

# A stamp may lie ahead of its receipt by its own uncertainty and this, for our own clock and the way.
STAMP_AHEAD_S_MAX = 300
# 2026-01-01: a synchronised stamp before this software was written is wrong.
STAMP_UNIX_S_MIN = 1_767_225_600
# Two boots of a node, or two epochs of a gateway, overlap when records of both prove it by more than this.
OVERLAP_S_MIN = 300

# --- reading -----------------------------------------------------------------------------------------------

# Added to an anchor's uncertainty, in proportion to the time between it and the record: the drift of a crystal in a
# cabinet between -20 and 60 degrees Celsius, with its ageing.
DRIFT_PPM = 100

# --- ingest ------------------------------------------------------------------------------------------------

# Messages the broker may have in flight to us, and so also the most that one transaction holds.
GROUP_MESSAGES_MAX = 128
# In one transaction, for which an alarm waits: 1,000 records of lights, 40 ms of a processor. A record costs as much in
# one of 6,000, and a fifth more in one of 500. A longer message has a transaction of its own.
GROUP_BYTES_MAX = 32 * 1024
# Four times what a gateway may send. A longer message is not delivered to us, and stays in the gateway's journal.
PACKET_BYTES_MAX = 1024 * 1024
# The broker keeps our session, and what queues in it, while we are away: a long week-end and a failed part.
SESSION_EXPIRY_S = 7 * 86400
# The same where several ingests share the messages: what is dealt to one that does not come back waits no longer.
SHARED_SESSION_EXPIRY_S = 600
# Receipts waiting for a broker that is away; beyond, they are not sent: the gateways send again.
PUBLICATIONS_WAITING_MAX = 1000
# Between attempts to reach the broker, or to write after the disk refused; the longest stays well below the
# keep-alive, which is not served meanwhile.
RETRY_DELAY_MIN_S = 0.5
RETRY_DELAY_MAX_S = 15.0
# One a core of a server; beyond, they wait for the one writer of the warehouse.
INGESTS_MAX = 16
# How often an ingest says that it is at work, and after how long without a word it is missing.
INGEST_SEEN_EVERY_S = 30
INGEST_SEEN_S_MAX = 120
# How long a writer waits for another; a transaction takes milliseconds.
BUSY_TIMEOUT_MS = 5000
# How long a database on a server may take to accept a connection.
CONNECT_TIMEOUT_S = 5
# After so long without a word client and server take each other for unreachable: else a link that is cut holds a client
# for a quarter of an hour (tcp(7)), and the lock of a writer that is gone for two hours.
SERVER_SILENT_S = 20
# Of the control file and the warehouse: who comes and goes in a room stands in them, and orders with their authors. A
# reader, such as a dashboard, is of their group.
FILE_MODE = 0o640
# Of the screens' outbox: roll-up and control are of its group, and who reads a file of SQLite writes its index.
OUTBOX_MODE = 0o660

# --- the authority ---------------------------------------------------------------------------------------------

# The authority outlives a contract and a generation of cabinets; a successor would be a visit to each.
AUTHORITY_DAYS = 25 * 365
# Of a cabinet, and of the centre's own: the longest that public authorities once gave (CA/Browser Forum, ballot 193).
CERTIFICATE_DAYS = 825
# Of a request for a certificate (PEM): one of EC P-256 has 450.
REQUEST_BYTES_MAX = 4096
# A cabinet that has asked for so long is told to a person: the authority signs each night.
RENEWAL_S_MAX = 3 * 86_400
# For so long after its last word a request is still waiting: cabinets ask once in six hours.
RENEWAL_ASKS_S = 2 * 86_400
# From so many days before its end on a certificate is renewed by the centre, or by a person who is told.
RENEW_DAYS = 90
# Of nights in which a cabinet renews by its link, before a person is told.
RENEW_NIGHTS = 14

# --- an installed centre ---------------------------------------------------------------------------------------

# A backup a night, and one that failed.
BACKUP_AGE_H_MAX = 50
# The purge follows the backup.
PURGE_AGE_H_MAX = BACKUP_AGE_H_MAX
# Hours and days are computed each minute; after an outage of a territory that takes minutes.
ROLLUP_AGE_H_MAX = 2
# Part of the disk: a backup beside the warehouse needs room for its copy.
DISK_FREE_MIN = 0.15
# Debian's updates of a cabinet: a campaign a month, or after 30 days by itself (gateway/core/self_update.py); and a
# fortnight for those that go first, for the days that a campaign takes, and for days without fibre.
SYSTEM_AGE_DAYS_MAX = 45
# A cabinet sends each quarter of an hour; twice that is a silence.
SILENCE_S_MAX = 1800

# --- who may see what --------------------------------------------------------------------------------------

# Who read what about persons and who did what: a year, which a yearly audit needs, and no longer, for those who work
# are persons too (reference: operator audit).
JOURNAL_KEPT_S = 366 * 86_400

# --- the register ------------------------------------------------------------------------------------------

# Characters of one cell: screens are drawn for street names of 80.
EQUIPMENT_TEXT_MAX = 120
# A feeder of 400 lamps of 250 W; beyond, somebody wrote milliwatts.
EQUIPMENT_WATTS_MAX = 100_000
# Zones of one node: what a channel of `wire.quantity` can number.
EQUIPMENT_ZONE_MAX = 255
# Lines of one file: 60,000 lights with eight changes each.
REGISTER_ROWS_MAX = 500_000
# Of one CSV, which is read into memory: those lines of 500 bytes.
REGISTER_BYTES_MAX = 256 * 1024 * 1024
# Changes that are printed; beyond, their number. Programs (--json) get all.
REGISTER_LINES_SHOWN_MAX = 100

# --- what is broken ----------------------------------------------------------------------------------------

# A node may notice a lost feeder before its cabinet does, which waits for 60 to 300 s (gateway.core.limits).
CAUSE_AHEAD_S = 600
# What is lost together begins within this, one after the other: cabinets wait differently, and 4G returns in steps.
TOGETHER_S = 900
# Lamps of one feeder with one fault that are told as one; two neighbours may fail by chance.
LAMPS_TOGETHER_MIN = 3
# Without a record for so long a node is unknown: three reports of 15 minutes and their spread were missed.
SILENT_S = 3600
# The same of green spaces, whose nodes live on a battery and report more rarely.
SILENT_BATTERY_S = 6 * 3600
# A node finds a lit lamp healthy within this: five minutes to warm up, three samples, a report of a quarter of an hour.
JUDGED_S = 1500
# Below this level the watts of a healthy lamp and of a dead one are too close to be judged (firmware/lighting/limits).
JUDGED_PERCENT_MIN = 20
# A round is of a working day: what was measured repaired within it is shown with what is still to do.
ROUND_S = 12 * 3600
# Communes whose places are nearer to each other than that are walked in one round: some minutes by van.
ROUND_NEAR_M = 4_000
# Characters of a note about a fault, and of its author.
NOTE_TEXT_MAX = 500
# Notes of one person within a day on the screens: ten times a bad night's.
NOTES_OF_ONE_MAX = 500
# Tickets that one person gives contractors within a day on the screens; and how long one may last: a season's works.
TICKETS_OF_ONE_MAX = 50
TICKET_S_MAX = 92 * 86_400
# The web keeps a note for as long: no roll-up is away for a year, and the warehouse has it by then.
NOTES_KEPT_S = 366 * 86_400

# --- on duty -----------------------------------------------------------------------------------------------

# Between two looks at what is open; what a person waits for lasts minutes.
DUTY_EVERY_S = 15
# Without a look for so long nobody is told of anything: some channels that hang, and a restart.
DUTY_LATE_S = 600
# The substitute is told when nobody has it in hand after this, unless the configuration says otherwise (minutes).
DUTY_MINUTES, DUTY_MINUTES_MAX = 15, 240
# A cause counts as mended once it has been over for so long: a loose contact comes and goes.
FIXED_AFTER_S = 600
# Messages to one person within the time; beyond, one summary of all that is new, and the next after that time.
FLOOD_MAX, FLOOD_S = 5, 900
# A message that could not be sent is tried again at doubling delays, some six hours in all, then given up and counted.
SEND_DELAY_MIN_S, SEND_DELAY_MAX_S, SEND_TRIES_MAX = 30, 1800, 18
# How long a mail server or a gateway of SMS may take for one answer.
SEND_TIMEOUT_S = 20
# Messages of one look; the others go at the next, and the decisions are made between.
SENDINGS_MAX = 20
# Of an SMS, four parts of 153 signs (3GPP TS 23.038; in UCS-2 nine of 67); beyond it is cut, the address is not.
SMS_CHARACTERS_MAX = 600
# Causes that a summary names, and the list of the morning.
SUMMARY_NAMES_MAX, MORNING_NAMES_MAX = 5, 40
# A cabinet that was last heard longer ago is out of service: no night is disturbed for it.
OUT_OF_SERVICE_S = 7 * 86_400
# Part of the disk that is left when somebody is woken: some days of records, where `status` has long warned.
DISK_FREE_WAKING = 0.05
# What was told to whom, and the weeks of a rota, are kept for a year, as the journal is.
DUTY_KEPT_S = 366 * 86_400
# Weeks ahead that a rota may hold, and persons that it names: a territory's, and no file that grows.
ROTA_WEEKS_MAX = 54
ROTA_PEOPLE_MAX = 500
ROTA_ROWS_MAX = 20_000

# --- roll-up: hours and days -------------------------------------------------------------------------------

# Two readings farther apart do not say in which hour something was used: a node that reports each hour, and its spread.
APART_S_MAX = 5400
# A lamp or a feeder is lit above this (0.1 W), as its node and its cabinet judge it: beyond the standby of a control
# gear, below one lamp at its lowest level.
LIT_DW = 30
# Records that are read at once while the reading before or after a day is looked for; most often it is the next one.
ROLLUP_FIRST_PAGE = 2
ROLLUP_PAGE = 32
# Days of nodes of one transaction: some 40 ms, in which the ingest waits.
ROLLUP_DAYS = 128
# So many are shared with a helper, in pieces of so many: a piece takes 6 ms, its way there and back a twentieth of it;
# in pieces of 8 a server takes a quarter longer.
ROLLUP_SHARED_MIN = 32
ROLLUP_PIECE = 16
# How long the roll-up leaves the database to the ingest after each transaction, and between two looks for marks.
ROLLUP_PAUSE_S = 0.02
ROLLUP_EVERY_S = 60

# --- for how long facts are kept, in days ---------------------------------------------------------------------

# Thirteen months: a year can be compared with the one before (reference, section 4).
KEPT_READINGS_DAYS = 396
# Temperatures of rooms by hour show habits of those who live there: for operation by hour, beyond by day (CNIL).
KEPT_ROOMS_DAYS = 396
# Energy by hour, for contracts and savings of several years.
KEPT_HOURS_DAYS = 3653
# Faults and works on equipment: a contract's and a guarantee's five years.
KEPT_EVENTS_DAYS = 1827
# A cabinet's card holds weeks of records; what comes later would be purged as it comes.
KEPT_DAYS_MIN = 30
# Records of one transaction of a purge: some 30 ms, in which the ingest waits.
PURGE_RECORDS = 2000
# How long a purge leaves the database to the ingest after each transaction.
PURGE_PAUSE_S = 0.02
# A part in so many of a file may be free, for the records of the next days: of thirteen months three weeks.
FREE_ROOM_PARTS = 20
# Given back at once: some 2 MB, in which the ingest waits for less than 10 ms.
GIVE_BACK_PAGES = 500

# --- control: leases, policies, commands -------------------------------------------------------------------

# The longest lease that is granted by default: what a gateway on 4G asks for, every ten minutes; on fibre it asks for
# five minutes each minute.
LEASE_S = 1800
# Bounds of `--lease-s`. Below, one lost message ends a lease; above, a cabinet obeys a centre that is gone for more
# than a day.
LEASE_S_MIN = 60
LEASE_S_MAX = 86_400

# A gateway sends "online" or "offline" on `s`.
STATE_BYTES_MAX = 16

# Gateways remembered: 72 communes with a cabinet at every crossroads. Beyond, a new one is counted and not served.
GATEWAYS_MAX = 20_000
# Nonces remembered of one gateway: an ask that another has overtaken is not answered.
NONCES_MAX = 8

# Commands of one commune that are not over; a gateway knows as many. Beyond, a new one is refused to the person.
COMMANDS_OPEN_MAX = 64
# Commands of one key that were signed in a browser and are not over: a telephone that is stolen crowds out nobody. A
# cabinet knows as many of one person.
COMMANDS_OF_ONE_MAX = 16
# Orders or notes that are brought from the web at a time: less than a second of a daemon that checks signatures.
OUTBOX_ROWS_MAX = 100
# An outbox that cannot be read is tried again after this.
OUTBOX_TRY_S = 10
# The web keeps an order for as long after its end: who looks for it by then looks into the control file.
OUTBOX_KEPT_S = 7 * 86_400
# A command and its author are kept for a year after it is over (reference: operator audit).
COMMANDS_KEPT_S = 366 * 86_400
# Outcomes kept of one command from one gateway: 24 feeders, seven outcomes each, and the cabinet's own.
OUTCOMES_PER_GATEWAY_MAX = 200
# Versions kept of one commune's policy, and of its key set; the newest stay.
POLICIES_KEPT_MAX = 64
# Held decoded, some 50 kB each at most: those of a territory of sixty communes.
POLICIES_DECODED_MAX = 64
KEYSETS_KEPT_MAX = 64

# A gateway that asks is sent the commands it has not answered, but not twice within RESEND_S_MIN; for one that keeps
# asking without answering (a key that it does not know yet) the delay doubles, up to RESEND_S_MAX.
RESEND_S_MIN = 2
RESEND_S_MAX = 3600
# A gateway that keeps naming an older policy than the one it was sent gets it again, at doubling delays (16 KiB each).
POLICY_RESEND_S_MIN = 30
POLICY_RESEND_S_MAX = 3600
# Publications whose PUBACK is awaited; beyond, nothing new is published, and a broker that acknowledges nothing is
# disconnected.
PUBLICATIONS_UNACKNOWLEDGED_MAX = 500
# A refusal with the same reason is logged once in this time; all are counted.
REFUSALS_LOGGED_EVERY_S = 60
# Period at which the control daemon checks for new commands: a part of the five seconds from a command to measured
# watts.
CONTROL_POLL_S = 0.1
# An override of more feeders than this is shown to the person and confirmed first.
CONFIRM_FEEDERS_MAX = 8
