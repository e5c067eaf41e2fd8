"""Every limit of the reference centre, with its reason; what happens beyond stands where it is used."""

# --- payloads ----------------------------------------------------------------------------------------------

# Journal positions: what a gateway counts in a lifetime of its card, and SQLite's integers hold.
POSITION_MAX = (1 << 53) - 1

# Enough for the envelope, which comes first in a pack: it is read alone when the rest is refused.
PEEK_BYTES_MAX = 512

# --- prefixes ----------------------------------------------------------------------------------------------

# Batches stored ahead of a prefix, by (gateway, epoch, lane). A gateway keeps a few in flight; beyond, the
# span farthest ahead is forgotten (its rows stay), and the gateway sends it again.
SPANS_MAX = 64

# (epoch, lane) remembered for one gateway: three lanes and a start an hour for two weeks. Beyond, the one
# extended longest ago is forgotten; should it come back, it starts at its `oldest`, which loses nothing.
STREAMS_PER_GATEWAY_MAX = 1024

# --- what an operator looks at -----------------------------------------------------------------------------

# Refused payloads kept as they came, a ring: the oldest goes first.
REFUSED_ROWS_MAX = 1000
REFUSED_BYTES_MAX = 16 * 1024 * 1024
# Kept of one refused payload; a batch of ours is far below, and its length is noted.
REFUSED_PAYLOAD_BYTES_MAX = 64 * 1024
# A topic that is none of ours may be as long as MQTT allows.
TOPIC_CHARACTERS_MAX = 200
# Different (kind, subject) of alarms; beyond, the one raised longest ago goes first.
ALARMS_MAX = 10_000

# --- reading -----------------------------------------------------------------------------------------------

# Added to an anchor's uncertainty by time away from it: a crystal in a cabinet between -20 and 60 degrees
# Celsius, with its ageing.
DRIFT_PPM = 100

# --- ingest ------------------------------------------------------------------------------------------------

# Messages the broker may have in flight to us, and so also the most that one transaction takes. 128 batches
# of BATCH_BYTES_MAX are 32 MiB.
GROUP_MESSAGES_MAX = 128
# A message beyond is not delivered to us: four times what a gateway may send. It stays in its journal.
PACKET_BYTES_MAX = 1024 * 1024
# The broker keeps our session, and what queues in it, while we are away: a long week-end and a failed part.
SESSION_EXPIRY_S = 7 * 86400
# Watermarks waiting for a broker that is away; beyond, they are not sent: the gateways ask again.
PUBLICATIONS_WAITING_MAX = 1000
# Between attempts to reach the broker, or to write after the disk refused; the longest stays well below the
# keep-alive, which is not served meanwhile.
RETRY_DELAY_MIN_S = 0.5
RETRY_DELAY_MAX_S = 15.0
# How long a writer waits for another; a transaction takes milliseconds.
BUSY_TIMEOUT_MS = 5000
