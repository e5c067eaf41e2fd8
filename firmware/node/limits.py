"""Every bound of the node application, with its reason. Values only."""

# Records waiting for their 2.04. 96 telemetry records are a day of quarter hours; at about 90 bytes of heap each the
# outbox stays below 12 kB on the chip.
OUTBOX_RECORDS_MAX = 120
# Places that telemetry may never take, then places that events may never take either.
OUTBOX_EVENT_RESERVE = 16
OUTBOX_ALARM_RESERVE = 8
# Gap ranges waiting to become records; beyond it the two nearest are merged into one that covers both.
GAPS_PENDING_MAX = 8
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
# After that without an answer the clock is in holdover.
SYNCED_FOR_MS = 7_200_000
# An answer that would leave more than that is no better than none for a lamp (a street may be a quarter hour late).
UNCERTAINTY_USABLE_S = 900
# Earlier than 2026 a gateway's clock was never set; DESIGN forbids guessing.
UNIX_S_MIN = 1_767_225_600

# A street is lit within 2 minutes of its time (DESIGN section 9): the calendar is asked at least as often as this,
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
# What the gateway tells is asked for so often: a drought order may take a quarter of an hour to reach a lawn. What it
# said holds for as long as it said, so a silent gateway changes nothing at once.
DIRECTIVES_EVERY_MS = 900_000
# After a cut all nodes of a district would ask in the same seconds for ever: their periods differ by so much.
DIRECTIVES_SPREAD_S = 60
# A gateway that was silent or had no clock is asked again no sooner than this, twice as late each time.
DIRECTIVES_RETRY_FIRST_MS = 60_000
# One that knows no directives (4.04) will not learn them before somebody gives it another release.
DIRECTIVES_UNKNOWN_MS = 21_600_000
