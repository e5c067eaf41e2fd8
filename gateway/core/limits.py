"""Holds every limit of the gateway core, with its reason; what happens beyond it is described where it is used.

Long because all limits of the core are together: a reader finds everything that is bounded in one place.
"""

# --- Clock (gateway/io/clock.py) ----------------------------------------------------------------------------------

# 2026-11-01T00:00:00Z, raised with every release: a clock that shows a time before this software was made is wrong.
RELEASED_UNIX_S = 1_793_491_200

# --- Journal (gateway/core/custody/journal.py) ----------------------------------------------------------------------

# One record is one node datagram (250 bytes) with room for the gateway's own reports. Must fit u16 (file
# format).
JOURNAL_RECORD_BYTES_MAX = 16 * 1024

# Segments are freed as a whole: small enough that space comes back soon, large enough that a full journal is a few
# hundred files.
JOURNAL_SEGMENT_BYTES_MAX = 1024 * 1024

# A week of 300 nodes at one 200-byte record a minute is 640 MB; the partition for it is 1 GiB on the
# reference card.
JOURNAL_BYTES_MAX = 768 * 1024 * 1024

# Kept for alarms alone: 150,000 alarms of 200 bytes.
JOURNAL_ALARM_RESERVE_BYTES = 32 * 1024 * 1024

# Records kept in memory, by lane, until their sync is reported (they are written again after a sync error). A
# card may stall for seconds: this is 2 s of 5,000 records/s of 200 bytes.
JOURNAL_PENDING_BYTES_MAX = 2 * 1024 * 1024

# One index entry per so many records: a read skips at most this many, a million waiting records cost 32 kB.
JOURNAL_MARK_RECORDS = 256

# One read of the disk. Must exceed the longest record with its overhead.
JOURNAL_READ_BYTES = 64 * 1024

# How far a reader searches for the next record behind damage: four segments, a second's reading of a slow card.
JOURNAL_SKIP_BYTES_MAX = 4 * JOURNAL_SEGMENT_BYTES_MAX

# A file is as long as twice its records, and at most so many bytes longer; always whole blocks. Each lengthening costs
# the file system some five blocks of its own, the zeros are written once: at 530 bytes a flush, 64 kB cost 4 % of all.
JOURNAL_AHEAD_BYTES_MAX = 64 * 1024

# After a failed read, the smallest piece given up: the usual block of file systems and cards.
JOURNAL_BLOCK_BYTES = 4096

# Reads of a segment that may fail before its unreadable blocks are declared lost. A card that resets is back
# sooner.
JOURNAL_READ_FAILURES_MAX = 5

# Damaged files kept for a technician; beyond, the oldest goes and is counted.
JOURNAL_QUARANTINE_FILES_MAX = 16
JOURNAL_QUARANTINE_BYTES_MAX = 8 * 1024 * 1024

# Entries of each list in a recovery report; beyond, they are only counted.
JOURNAL_REPORT_ENTRIES_MAX = 1000

# Files that could not be written nor deleted; beyond, no new segment is tried until one can be deleted.
JOURNAL_LITTER_FILES_MAX = 4

# The inventory in the state folder: 24 bytes a segment and 33 a stream. Half of it holds all segments of a full
# journal, the rest 1,000 starts. Beyond, the oldest streams are listed without digests, then not at all.
INVENTORY_BYTES_MAX = 64 * 1024

# --- Inbox (gateway/core/inbox/inbox.py) --------------------------------------------------------------------------

# Identities remembered per node, to spare the uplink what a node sends twice. Beyond, the warehouse decides.
INBOX_REMEMBERED_PER_NODE_MAX = 128

# Nodes remembered; ten times the largest district. The least recently heard goes first.
INBOX_NODES_MAX = 5000
# From the first change of what a node is and runs to the write that keeps it: the lamps of a dusk are one write.
KNOWN_NODES_SAVE_MS = 60_000

# A node's fair use of a day (gateway/core/inbox/fair_use.py). In the simulator's nights no node makes more than 4
# alarms, 36 events and 6.2 kB of readings a day; these are for its worst day. A lamp whose mains flap as fast as its
# votes let it report (begun after 3 samples, ended after 5, a minute each) makes 240 alarms in a night of 16 h. An
# irrigation node that was cut off for a week has 252 events, and at most its whole log on flash, 288 KiB, beside the
# readings of the day.
FAIR_USE_ALARMS_A_DAY = 256
FAIR_USE_EVENTS_A_DAY = 512
FAIR_USE_READING_BYTES_A_DAY = 320 * 1024
# What is beyond is kept up to so many times the fair use: a lamp that is only loud loses little, and a thief costs the
# card, the radio's answers and the warehouse no more than this.
FAIR_USE_TIMES_MAX = 4
# The nodes beyond it, 50 bytes each, INBOX_NODES_MAX at most.
FAIR_USE_FILE_BYTES_MAX = 256 * 1024

# Requests whose records wait for the flush. A node has two open exchanges, so this is every node of a district.
INBOX_WAITING_MAX = 2000

# Bytes of an undecodable payload kept in its `raw` record, which must fit one record (wire.limits.CBOR_BYTES_MAX).
# More than any bearer of ours carries.
RAW_BYTES_MAX = 512

# --- Uplink (gateway/core/uplink/uplink.py) ------------------------------------------------------------------------

# Records and journal bytes in one batch. 50 records are about 1.5 kB deflated for a street of lights.
UPLINK_BATCH_RECORDS_MAX = 50
# The densest record grows 7.1-fold as SenML: 233 kB, which stays below wire.limits.BATCH_BYTES_MAX.
UPLINK_BATCH_BYTES_MAX = 32 * 1024

# A street of lights makes a batch of that size in a minute; a small one need not be fresher.
UPLINK_BATCH_AGE_S = 60

# Shapes of telemetry records (which readings, clock set or not) whose layout is remembered (uplink/batch.py).
# A fleet has a few dozen; a node that invents more costs time and no memory.
PACK_SHAPES_MAX = 256

# Batches ahead of the receipts, all streams together; alarms may use the places that others may not.
UPLINK_WINDOW_MAX = 16
UPLINK_ALARM_WINDOW = 4

# Of each stream: digests of the payloads sent last (the longest window, and each of it twice), and pieces that receipts
# cover beyond the first that they do not (telemetry that is spared leaves holes; what is forgotten is sent again).
UPLINK_DIGESTS_MAX = 200
UPLINK_SPANS_MAX = 64
# How often what was freed is held and sent again for a warehouse that has gone back: by then an operator has tried
# another backup, and a stranger with the broker gains three open segments (some 2 MB) an hour, and no more than this
# many in all.
UPLINK_GIVE_AGAIN_PERIOD_MS = 3_600_000
UPLINK_GIVE_AGAIN_MAX = 16

# Batches that reached the warehouse altered, before it is told; receipts of before a restart may look like a few.
ALTERED_BATCHES_MIN = 8
# How often each reason for which a receipt was refused is reported.
RECEIPT_REFUSED_PERIOD_MS = 3_600_000

# How long the answer to a stream's question (an empty batch) may take before data is sent without it.
UPLINK_QUERY_WAIT_MS = 5_000

# While the warehouse is silent only the oldest batch is sent again, less and less often (4G costs).
UPLINK_SILENCE_FIRST_MS = 30_000
UPLINK_SILENCE_LAST_MS = 900_000

# After a PUBACK that refuses (not authorised, quota, unspecified): the lane pauses.
UPLINK_HOLD_MS = 60_000

# Reconnection, with jitter down to half: a broker that restarts must not be stormed by 72 communes.
UPLINK_RECONNECT_FIRST_MS = 1_000
UPLINK_RECONNECT_LAST_MS = 120_000
# A connection that lasts less than this was no success: the back-off continues to grow.
UPLINK_STABLE_MS = 30_000

# --- Refused messages (gateway/core/refused_store.py) -------------------------------------------------------------

REFUSED_FILE_BYTES_MAX = 256 * 1024
REFUSED_FILES_MAX = 4
# Bytes of one refused datagram kept: more than any bearer carries. And characters of its sender's address.
REFUSED_BYTES_MAX = 1500
REFUSED_SOURCE_MAX = 100
# Lines a minute: a hostile flood must not wear the card out. Beyond, it is only counted.
REFUSED_PER_MINUTE_MAX = 60

# --- Node link (gateway/core/link/) ---------------------------------------------------------------------------

# Telemetry waits so long for others to share its flush: half of the second in which a node expects its answer.
LINK_COMMIT_MS = 500

# Dusk on a switched feeder: every lamp of a district asks within minutes.
LINK_EXCHANGES_MAX = 8192
LINK_OUTGOING_MAX = 4096

# Our nonces that a node may answer with: it asks once, its request is doubled on the way, and once more.
LINK_OFFERS_MAX = 4

# A node drains a day of records, eight a request, one flush at a time: four a second. Ten times that is a fault.
LINK_REQUESTS_PER_S = 40
LINK_BURST_S = 2

# Orders pushed to nodes: ten a second, so that 1,000 nodes have theirs in 100 s by some 2 kB/s of datagrams. In flight:
# a dead node takes a place for 93 s (CoAP gives up); a quarter of a district may be dead without delaying the others.
LINK_PUSH_EVERY_MS = 100
LINK_PUSHES_MAX = 256
# An order whose end has moved later by more than this is sent again: a clock was corrected.
LINK_ORDER_LATER_MS = 60_000

# OSCORE ids without a key here: a district's worth of nodes that wait to be adopted.
LINK_UNKNOWN_MAX = 256
# Those of them listed in health: a line of the log must not grow with their number.
LINK_UNKNOWN_TOLD_MAX = 16

# --- Signs of life (gateway/core/heartbeats.py) -------------------------------------------------------------

# The loop, the sync threads, one connection a bearer, probe, modem; names are literals in the shell.
HEARTBEAT_TASKS_MAX = 16

# --- Bearers (gateway/core/bearers/bearer.py) -----------------------------------------------------------------------

# A silent cut must move traffic within about 15 s: 5 s until the next probe, 3 failures of 2.5 s, a handshake.
# Three in a row: at 30 % loss one way one probe in eleven fails (two SYN in 2.5 s), three running once in 1,400.
BEARER_PROBE_MS = 5_000
BEARER_PROBE_TIMEOUT_MS = 2_500
BEARER_FAILURES_MAX = 3
# The names of those that are down: of every bearer that a file may configure.
BEARERS_FILE_BYTES_MAX = 4096
# A probe that the shell does not report counts as failed after this.
BEARER_PROBE_ANSWER_MS = 2 * BEARER_PROBE_TIMEOUT_MS
# A probe is four packets, 224 bytes. Every 10 minutes: 1 MB a month on the metered standby. The first one
# soon after the start: a technician who has just inserted the SIM waits for it.
BEARER_METERED_PROBE_MS = 600_000
BEARER_METERED_FIRST_MS = 30_000
# The metered bearer is down: from once a minute to the usual rate; its recovery is confirmed at this rate.
BEARER_METERED_DOWN_MS = 60_000
BEARER_METERED_CONFIRM_MS = 20_000
# Up again after so many good probes in a row over so long: a cable that is being worked on is not up.
BEARER_GOOD_PROBES = 3
BEARER_GOOD_MS = 60_000

# --- Connection (gateway/core/bearers/connection.py) ----------------------------------------------------------------

# More than TCP, TLS and CONNACK take over 4G in a bad cell; beyond, the attempt is given up.
CONNECTION_ATTEMPT_MS = 30_000
# Two changes of bearer are never closer than this: a handshake each way is 8 kB, so at worst 1 MB an hour.
CONNECTION_DWELL_MS = 30_000
# Return to a better bearer: not before this; doubled whenever the return does not last as long as it was
# waited for. Half an hour is the longest that a healthy fibre stays unused.
CONNECTION_RETURN_FIRST_MS = 120_000
CONNECTION_RETURN_LAST_MS = 1_800_000
# Failures in a row over a bearer whose probes are good, before another bearer is tried for comparison; and how
# long that one rests when it fails as well, for then it is the broker and each attempt costs 8 kB of 4G.
CONNECTION_FAILURES_MAX = 3
CONNECTION_OPINION_MS = 600_000
# A bearer is back while no connection carries: spread over this, for 72 communes notice the return at once.
CONNECTION_BACK_SPREAD_MS = 5_000

# --- Budget of a metered bearer (gateway/core/bearers/budget.py) ----------------------------------------------------

# Reserved at a time, as sequence numbers are: the share of a budget that one power cut can cost, within what is
# worth a write. 1 MiB is 5 minutes of draining on 4G.
BUDGET_BLOCK_SHARE = 256
BUDGET_BLOCK_BYTES_MIN = 64 * 1024
BUDGET_BLOCK_BYTES_MAX = 1024 * 1024
# Files of one line written a day; beyond, the block doubles with each, up to 1 GiB: 30 GB a day are within the
# bound. Beyond that (a clock that leaps from month to month) nothing is written until the next day.
BUDGET_WRITES_PER_DAY = 200
BUDGET_DOUBLINGS_MAX = 10
BUDGET_WRITES_PER_DAY_MAX = 240
# One line of four integers and a checksum; a longer one is not ours.
BUDGET_FILE_BYTES_MAX = 300
# Older lines kept, for a card that loses the newest.
BUDGET_FILES_KEPT = 3
# Shares in thousandths. The last twentieth is for alarms: 25 MB of 500 are more than ten alarms a minute all month.
BUDGET_HOLD_PERMILLE = 950
# At any pace, the last seventh is for what cannot wait; without a clock the pace is unknown: earlier.
BUDGET_THIN_PERMILLE = 850
BUDGET_THIN_BLIND_PERMILLE = 700
# Below a quarter the pace is not judged: one outage of fibre early in the month is what a budget is for.
BUDGET_FREE_PERMILLE = 250
# Projected use at the month's end: thin from the first figure on, until it has fallen to the second.
BUDGET_PACE_THIN_PERMILLE = 1250
BUDGET_PACE_ALL_PERMILLE = 1050
# Projected use below which the bearer carries what nodes send beyond their fair use as well: it takes at most half of
# what the month would leave over, and never makes telemetry wait.
BUDGET_PACE_SURPLUS_PERMILLE = 500
# A projection from less than a day would exaggerate one transfer.
BUDGET_PACE_MIN_S = 86_400
# Assumed when files exist and none can be read: hold would stop telemetry for a month over one bad block, 0
# could pay the month twice.
BUDGET_UNKNOWN_PERMILLE = 700

# --- Time of records (gateway/core/wallclock.py, inbox/anchors.py, inbox/plausibility.py) ---------------------------

# How long a node can hold a record that it could not send: the store-and-forward that a node is built for.
NODE_HOLD_S_MAX = 7 * 86400

# A crystal without correction, ours or a node's, in a cabinet between -20 and 60 degrees Celsius, with its ageing.
CLOCK_DRIFT_PPM = 100
# A new reading of the system clock may differ from the carried time by both uncertainties and the whole seconds on both
# sides; beyond, it is a correction.
CLOCK_STEP_MARGIN_S = 2
# A system clock that is good by the configuration's word alone may step by so much: a hand that sets a battery-backed
# clock to the second or to the hour, never a battery that died. Beyond, it is not good.
CLOCK_JUMP_S_MAX = 86_400
# `clockStepped` records in an hour: a time source that hunts must not fill the journal. Beyond, steps are counted.
CLOCK_STEPS_PER_HOUR_MAX = 4

# Boots of one node whose beginning is remembered: a lamp on a switched feeder has one a day, and a week without our
# clock is a long repair. With INBOX_NODES_MAX nodes of one boot each this is 3 MB.
TIMEMAP_BOOTS_PER_NODE_MAX = 8
# Two uptimes that far apart that give the same bound prove it: less than a quarter hour, the period of telemetry, and
# long beside TIMEMAP_AGREE_S: one lost datagram costs 6 s (ACK_TIMEOUT 4 s with its jitter).
TIMEMAP_SPREAD_S = 600
TIMEMAP_AGREE_S = 10
# The wait of a record that nothing held: two lost datagrams are 18 s, an exchange under way before it 10 s more.
TIMEMAP_WAIT_S = 30
# A working node learns the time and makes its own anchor: it asks every 20 s, every 5 min after failures. Twice
# that, from when both our clock is good and the boot is known.
TIMEMAP_GRACE_MS = 600_000
# A boot that is not proven waits for a proof until it has been silent for four periods of telemetry.
TIMEMAP_SILENT_MS = 3_600_000
# Anchors that we make for one boot: the first, a proven one, and two corrections of our clock.
TIMEMAP_STATEMENTS_MAX = 4
# Anchors made in one poll, and the pause to the next: a district of 500 is anchored in 8 s, and no poll takes a
# millisecond more for it. Otherwise open boots are checked once a minute.
TIMEMAP_PER_TURN_MAX = 64
TIMEMAP_PAUSE_MS = 1_000
TIMEMAP_CHECK_MS = 60_000

# Beyond both uncertainties: the whole seconds on both sides, and what a node's clock slews between two answers.
TIME_MARGIN_S = 10
# A stated uncertainty never exceeds a day (wire.limits.UNCERTAINTY_S_MAX); a clock in long holdover may be worse.
TIME_BEHIND_MARGIN_S = 86400
# `timeDoubtful` records in an hour, and (node, boot, kind) remembered as reported: when our own clock is the wrong one,
# every node of a district is in doubt at once, and twenty are reported.
DOUBTS_PER_HOUR_MAX = 20
DOUBTS_REMEMBERED_MAX = 4096
# `conflict` records in an hour: a node that lost its boot counter repeats every identity. Beyond, they are counted, and
# the warehouse finds them all the same.
CONFLICTS_PER_HOUR_MAX = 60

# --- Records of our own (gateway/core/own_records.py) ---------------------------------------------------------------

# Records that a full journal refused and that are reported once only: the boot, our own anchor with its corrections,
# the four steps of an hour. Tried again as often as thinning may have made room.
OWN_WAITING_MAX = 16
OWN_RETRY_MS = 2_000

# --- Room for the journal (gateway/core/custody/space.py) ------------------------------------------------------------

# Left free on the partition beside one segment: the file system's own needs, the state folder, and what other programs
# write between two readings of the free space.
JOURNAL_FREE_MARGIN_BYTES = 4 * 1024 * 1024

# Given up on a full card, a few blocks at a time: room for a thousand alarms of 200 bytes, or for the gap records of a
# segment; where another program takes each byte that comes free, for the alarms that fit into 32 pairs of blocks.
JOURNAL_BALLAST_BYTES = 256 * 1024

# The last of the cap, for records that explain why others are let go: without it a journal full of alarms could make
# no room any more. Several thousand gap records.
JOURNAL_EXPLAIN_BYTES = 512 * 1024

# Free space is read this often at most. A statfs costs microseconds; other programs fill a partition in minutes.
JOURNAL_CHECK_EVERY_MS = 10_000

# --- Thinning (gateway/core/custody/thinning.py) --------------------------------------------------------------------

# Segments of room with which thinning begins: one is written anew while its original stays, and input continues during
# the two syncs that this takes (1 MiB is a second of 5,000 records/s of 200 bytes).
THINNING_HEADROOM_SEGMENTS = 2

# Each level keeps every other record of what the level before left: at the third, one in eight. A fourth would leave a
# meter of one reading a minute with four an hour: then whole segments go instead, the oldest first.
THINNING_LEVEL_MAX = 3

# Records read, or lines made, in one step: 1 ms on a desk, some ten on a Pi 3; no alarm waits longer for the loop.
THINNING_STEP_RECORDS_MAX = 100

# (node, reading keys, level) whose turn is remembered from segment to segment: a district of 5,000 nodes with two
# kinds of readings. Beyond, one record more is kept.
THINNING_TURNS_MAX = 32_768

# Bytes of one gap record with its overhead: a segment whose records free less than their gaps need is left.
THINNING_GAP_BYTES = 80

# Segments that one release may take so that they share their gap records: two full ones hold 26,000 of these, enough
# for 5,000 nodes with two reasons each; its lists take some 3 MB meanwhile. And small ones, as of a small card.
THINNING_TOGETHER_BYTES_MAX = 2 * 1024 * 1024
THINNING_TOGETHER_SEGMENTS_MAX = 64

# Times that the journal may refuse a joined gap record, THINNING_RETRY_MS apart, before the joining is given up.
THINNING_TOGETHER_REFUSALS_MAX = 3

# After an error of the disk or a refused record. A card that resets is back sooner.
THINNING_RETRY_MS = 2_000

# How long the state disk may take to report the ledger's sync before a replaced file is deleted without it.
THINNING_LEDGER_WAIT_MS = 10_000

# --- Loss ledger (gateway/core/custody/ledger.py) -------------------------------------------------------------------

# 8 MiB: every other record of some 80 segments of a street of lights. Beyond, the oldest lines go; totals stay.
LEDGER_FILE_BYTES_MAX = 256 * 1024
LEDGER_FILES_MAX = 32

# A line with more is cut into several: a torn line costs little, and no line makes a reader expand it for long.
LEDGER_LINE_BYTES_MAX = 4096
LEDGER_LINE_NUMBERS_MAX = 65_536

# Lines kept in memory while the state disk refuses them; beyond, the oldest is only in the totals.
LEDGER_WAITING_LINES_MAX = 2000

# Reasons with a total of their own: ours are three, the others are words of the centre. Beyond, they share one.
LEDGER_REASONS_MAX = 64

# Lines recognised when a release is listed again after a cut: those of a segment that held all 5,000 nodes.
LEDGER_REMEMBERED_MAX = 16_384

# --- Modem (gateway/core/bearers/modem.py, at.py) -------------------------------------------------------------------

# Bytes in a line of a modem: the longest answers here are below 100; a longer line is garbage.
MODEM_LINE_BYTES_MAX = 256
# Characters of an operator's name that are kept: 3GPP TS 27.007 allows 16 of the long form, some send more.
MODEM_TEXT_MAX = 40
# An answer to a question, and to the two commands that talk to the network or restart the modem.
MODEM_ANSWER_MS = 5_000
MODEM_SLOW_ANSWER_MS = 120_000
# One round of questions: signal for the status page. After a question without answer, the rest waits until a late
# answer can no longer be mistaken for the next one's.
MODEM_ROUND_MS = 60_000
MODEM_RETRY_MS = 15_000
# Questions in a row without answer before the modem counts as silent and its values as unknown.
MODEM_SILENT_MAX = 3
# Changes that wait to be reported; a modem that changes all the time must not use up memory.
MODEM_CHANGES_MAX = 32
# The reset ladder: a cell that is being worked on needs no reset; a modem that restarts may take 20 to 50 minutes
# to register again (openwrt/packages#23590), so nothing follows a restart sooner than an hour.
MODEM_RESELECT_WAIT_MS = 600_000
MODEM_RESTART_WAIT_MS = 1_200_000
MODEM_POWER_WAIT_MS = 3_600_000
MODEM_POWER_WAIT_LAST_MS = 14_400_000
# Resets of any kind. A modem that six resets did not repair waits for a person, with one try every few hours.
MODEM_RESETS_PER_DAY_MAX = 6
# Up for less than this is no recovery: the ladder continues where it was.
MODEM_STEADY_MS = 600_000

# --- Modem port (gateway/io/modem.py) -----------------------------------------------------------------------

# A port that is gone is opened again less and less often; a USB modem takes 5 to 30 s to be there again.
MODEM_REOPEN_FIRST_MS = 1_000
MODEM_REOPEN_LAST_MS = 60_000

# --- Radio concentrator (gateway/core/concentrator.py) --------------------------------------------------------

# ASK is sent this often until HELLO comes; the concentrator's start takes a second or two.
RADIO_ASK_MS = 1_000
# The same for a concentrator that is silent or foreign, or absent.
RADIO_ASK_SLOWLY_MS = 15_000
# The concentrator reports its health every minute: two reports may be lost on the line.
RADIO_SILENT_MS = 150_000
# Its places are free again after a second and a half at worst; after this, a message was lost on the line.
RADIO_CREDIT_WAIT_MS = 2_000
# Datagrams that wait for one node, whose CoAP has two exchanges; in all, 64 kB.
RADIO_QUEUE_MAX = 4
RADIO_WAITING_MAX = 256
# A datagram that waited so long has been sent again.
RADIO_WAIT_MAX_MS = 15_000
# A concentrator answers a chunk in a few turns of its loop; then it or the answer was lost.
RADIO_UPDATE_WAIT_MS = 2_000
# For a concentrator that is on trial, or has never reported what it runs.
RADIO_UPDATE_SLOWLY_MS = 60_000
# Nodes whose signal is remembered: a gateway serves 1,000.
RADIO_NODES_MAX = 1_000

# --- Directives (gateway/core/directives/) ------------------------------------------------------------------

# Directives given at the cabinet at one time: a technician's mistake must not fill the card or the status.
DIRECTIVES_LOCAL_MAX = 32
# Groups of the configuration; a commune has some dozens of buildings and greens.
GROUPS_MAX = 64
# With a clock that may be wrong by more it is not known when a directive ends: the cabinet's rule for carried time.
DIRECTIVES_DOUBT_S_MAX = 300
# 32 of the cabinet's own and as many signed ones take 40 kB.
DIRECTIVES_FILE_BYTES_MAX = 131_072
# After a write that the card refused.
DIRECTIVES_RETRY_MS = 10_000

# --- Cabinet (gateway/core/cabinet/) --------------------------------------------------------------------------

# A cabinet of a French village has two to six feeders, a city's twelve.
CABINET_FEEDERS_MAX = 24

# The calendar is followed by a clock known to this: a month of drift without any network. Beyond, a photocell is the
# better witness of dusk.
CLOCK_VALID_S = 300
# Above this, doubt is decided on the safe side: the brightest of the levels that may be right.
CLOCK_EXACT_S = 60
# A carried clock is used without a photocell up to this: twilight makes a quarter of an hour harmless. 100 days of
# drift.
CLOCK_USABLE_S = 900
# A clock so long after the end of the policy's validity counts as broken (a dead battery, a bad NTP server).
CLOCK_BEYOND_POLICY_S = 5 * 366 * 86_400

# nodes.md: on at 35 lx for a minute, off at 55 lx for two; headlights and clouds have no effect.
PHOTOCELL_ON_LX = 35
PHOTOCELL_OFF_LX = 55
PHOTOCELL_ON_MS = 60_000
PHOTOCELL_OFF_MS = 120_000
# The longest night in metropolitan France has 16 hours: a cell with the same reading for so long is covered, or lit by
# a lamp.
PHOTOCELL_STUCK_MS = 20 * 3_600_000

# A cell that is silent for less than this keeps its state.
PHOTOCELL_SILENT_MS = 30_000

# The shell observes every second. An older observation decides nothing any more: a photocell, the hand switch.
CABINET_BLIND_MS = 60_000

# After a start no contactor is ordered for so long while no time is known: NTP needs some seconds.
CABINET_START_MS = 60_000

# The timer relay of the hardware watchdog drops after 60 s: five pulses may be lost, and the street is lit within 2
# minutes.
CABINET_WATCHDOG_MS = 10_000

# The centre's lease: how often it is requested, and for how long. On metered bearers (4G) it is requested less often:
# 140 bytes each.
LEASE_EVERY_MS = 60_000
LEASE_S = 300
LEASE_METERED_EVERY_MS = 600_000
LEASE_METERED_S = 1_800
# After a lease that expired, overrides count again only when the next has been held for so long: a street must not
# flicker.
LEASE_DWELL_MS = 30_000

# Orders known at one time; a commune has a handful.
ORDERS_MAX = 64
# Orders of one person at one time, except emergencies: one mistake or stolen key must not displace the others.
ORDERS_OF_ONE_MAX = 16
# Signed directives for nodes, apart from those: weather, drought, load shedding, days of a commune.
DIRECTIVES_SIGNED_MAX = 32
# Ids of orders that are over are remembered until they expire, so that a repeated command never runs twice.
ORDERS_GONE_MAX = 1_024
# Refusals of unknown signers are reported once per reason in so long, with their number: a flood must not push an
# open order out of the audit log, nor wear the card out.
REFUSALS_EVERY_MS = 600_000
# Lines that the card refused wait in memory until it accepts them.
AUDIT_WAITING_MAX = 64
AUDIT_RETRY_MS = 10_000
# A technician's orders: a test lights a feeder for so long at most (a round by day of every lamp takes half an hour); a
# lock-out that is forgotten ends.
LOCAL_TEST_S_MAX = 1_800
LOCAL_LOCK_MS = 8 * 3_600_000

# A lamp that shows itself to a technician takes 20 s (lighting.limits), and a node that doubts the order asks once
# more; what it measured is then on its way for some seconds. It is shown to him, and goes with what he states, for a
# quarter of an hour: after that he is at the next pole.
IDENTIFY_S = 30
IDENTIFY_ANSWER_MS = 15_000
IDENTIFIED_MS = 900_000
# The lights named at one cabinet's page: ten times the largest cabinet. Nodes on one screen of a phone.
PLACEMENTS_MAX = 1_000
SIGHTS_MAX = 50

# Watts that agree with a command must be measured within this time.
OUTCOME_MEASURE_MS = 60_000
# The same for lamps with controllers: one that missed the push learns of it with its next report, a quarter of an hour
# later, and is measured within two minutes more.
OUTCOME_LAMPS_MS = 1_200_000
# A lamp that rises is judged a minute after the change, and sampled within another; by then most have reported it.
OUTCOME_RISEN_MS = 180_000
# What one lamp may state that it draws, in 0.1 W: a stadium's floodlight has 2 kW.
LAMP_DW_MAX = 100_000
# Percent of the normal power: above the first a feeder is lit, below the second it is dark. Between: neither.
POWER_LIT_PERCENT = 50
POWER_DARK_PERCENT = 5
# The meter's own noise, a photocell's standby: 3 W.
POWER_FLOOR_DW = 30

# How long a fault in watts or feedback must last before it is reported.
ALARM_CONTACTOR_MS = 10_000
ALARM_BURNING_MS = 60_000
ALARM_FAILURE_MS = 60_000
ALARM_CABLE_MS = 30_000
ALARM_LAMPS_MS = 600_000
# Illuminations of Advent hang for five weeks; a commune that adds lamps changes the configuration, which resets the
# learnt power.
NORMAL_HIGHER_NIGHTS = 45
# Lamps that dim by themselves burn fully in the first hour of the night: then they are counted.
SELF_DIMMING_JUDGED_MS = 3_600_000
# LED drivers reach their power in a minute, discharge lamps in five.
LAMPS_WARM_UP_MS = 300_000
# Several lamps at one instant are a cable: this many, and this share of the feeder.
ALARM_CABLE_LAMPS = 3
ALARM_CABLE_PERCENT = 20
# Observations that are further apart are not one instant.
ALARM_INSTANT_MS = 15_000
ALARM_METER_SILENT_MS = 120_000
ALARM_DOOR_MS = 2_000
ALARM_SUPPLY_MS = 2_000

# Readings of every feeder are reported at this pace, as a lamp's are.
CABINET_TELEMETRY_S = 900

# The audit log: a few entries a night of 200 bytes; files of a year, sixteen of them.
AUDIT_FILE_BYTES_MAX = 256 * 1024
AUDIT_FILES_MAX = 16
# The head is reported once soon after each start, so that a cabinet that restarts every day reports it all the same.
AUDIT_FIRST_HEAD_MS = 120_000
AUDIT_HEAD_MS = 86_400_000
# Signed policies kept: the one in force, the one to come, one for a damaged file.
POLICY_FILES_MAX = 4

# --- campaigns of programs for nodes -----------------------------------------------------------------------------
# What a plan has unless a person says otherwise: so many nodes first, for a day and a night; the second failure halts.
CAMPAIGN_CANARIES = 3
CAMPAIGN_SOAK_S = 86_400
CAMPAIGN_FAILURES = 1
# The share of a bearer's air that transfers may take; readings and alarms of the same nodes need the rest.
CAMPAIGN_PACE_PERCENT = 10
# The air that one block takes, question and answer with the usual repetitions: ESP-NOW at 250 kbit/s, RS-485 at
# 19,200 Bd, Wi-Fi; a wire has one node. A node pauses 200 ms between blocks (node.limits.UPDATE_PACE_MS).
CAMPAIGN_EXCHANGE_AIR_MS = {"radio": 20, "bus": 130, "wire": 60, "udp": 3}
CAMPAIGN_EXCHANGE_EVERY_MS = 200
# A transfer without a question for this long has ended; the node resumes at the file that it was at.
CAMPAIGN_SILENT_MS = 600_000
# A node that must wait asks again after this, or at its hour; six hours are its own period.
CAMPAIGN_AGAIN_S = 900
CAMPAIGN_WAIT_S_MAX = 21_600
# Within this each node that takes programs has asked, four times a day. One that has not was made without the key of
# who signs them, or is dead: a campaign does not wait for it to be done.
CAMPAIGN_ASKED_S = 2 * 86_400
# From "ready" to the outcome of a node's trial: the hour of the restart may be a day away, three trials take six hours,
# and a gateway may be cut off for a day.
CAMPAIGN_TRYING_S = 3 * 86_400
CAMPAIGN_POLL_MS = 60_000
# Progress on the card: 60 bytes a node, INBOX_NODES_MAX at most, for a few kinds.
CAMPAIGN_FILE_BYTES_MAX = 1024 * 1024
