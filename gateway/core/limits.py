"""Every limit of the gateway core, with its reason; what happens beyond stands where it is used."""

# --- Journal (gateway/core/journal.py) ----------------------------------------------------------------------

# One record is one node datagram (250 bytes) with room for the gateway's own reports. Must fit u16 (file
# format).
JOURNAL_RECORD_BYTES_MAX = 16 * 1024

# Freed as a whole: small enough that space comes back soon, large enough that a full journal is a few hundred
# files.
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

# --- Inbox (gateway/core/inbox.py) --------------------------------------------------------------------------

# Identities remembered per node, to spare the uplink what a node sends twice. Beyond, the warehouse decides.
INBOX_REMEMBERED_PER_NODE_MAX = 128

# Nodes remembered; ten times the largest district. The least recently heard goes first.
INBOX_NODES_MAX = 5000

# Requests whose records wait for the flush. A node has two open exchanges, so this is every node of a district.
INBOX_WAITING_MAX = 2000

# Bytes of an undecodable payload kept in its `raw` record, which must fit one record (wire.limits.CBOR_BYTES_MAX).
# More than any bearer of ours carries.
RAW_BYTES_MAX = 512

# --- Uplink (gateway/core/uplink.py) ------------------------------------------------------------------------

# Records and journal bytes in one batch. 50 records are about 1.5 kB deflated for a street of lights.
UPLINK_BATCH_RECORDS_MAX = 50
# The densest record grows 7.1-fold as SenML: 233 kB, which stays below wire.limits.BATCH_BYTES_MAX.
UPLINK_BATCH_BYTES_MAX = 32 * 1024

# Batches ahead of the watermark, all streams together; alarms may use the places that others may not.
UPLINK_WINDOW_MAX = 16
UPLINK_ALARM_WINDOW = 4

# How long the answer to "how far do you hold my records" may take before data goes without it.
UPLINK_QUERY_WAIT_MS = 5_000

# While the warehouse is silent only the oldest batch is sent again, ever more rarely (4G costs).
UPLINK_SILENCE_FIRST_MS = 30_000
UPLINK_SILENCE_LAST_MS = 900_000

# After a PUBACK that refuses (not authorised, quota, unspecified): the lane rests.
UPLINK_HOLD_MS = 60_000

# Reconnection, with jitter down to half: a broker that restarts must not be stormed by 72 communes.
UPLINK_RECONNECT_FIRST_MS = 1_000
UPLINK_RECONNECT_LAST_MS = 120_000
# A connection that lasts less than this was no success: the back-off goes on growing.
UPLINK_STABLE_MS = 30_000

# --- What was refused (gateway/core/refused.py) -------------------------------------------------------------

REFUSED_FILE_BYTES_MAX = 256 * 1024
REFUSED_FILES_MAX = 4
# Bytes of one refused datagram kept: more than any bearer carries. And characters of who sent it.
REFUSED_BYTES_MAX = 1500
REFUSED_SOURCE_MAX = 100
# Lines a minute: a hostile flood must not wear the card out. Beyond, it is only counted.
REFUSED_PER_MINUTE_MAX = 60

# --- Link server (gateway/core/gateway.py) ------------------------------------------------------------------

# Dusk on a switched feeder: every lamp of a district asks within minutes.
LINK_EXCHANGES_MAX = 8192
LINK_OUTGOING_MAX = 4096
