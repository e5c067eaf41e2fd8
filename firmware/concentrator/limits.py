"""Lists the bounds of the concentrator, each with its reason. Values only, no code."""

# ESP-NOW has room for 20 peers; one is kept for broadcast, which a later tool may want.
RADIO_PEERS_MAX = 19
# Nodes whose counts are kept: as many as a chip has room for beside everything else. With more nodes the counts of
# those that were silent longest begin again; nothing else depends on it.
COUNTED_PEERS_MAX = 64

# Datagrams that wait to be sent by radio. One takes 5 to 100 ms, so these take a second and a half at worst, and 4 kB;
# the gateway's own queues are longer and know better which datagrams are too old.
DOWN_MAX = 16
# A CREDIT is sent when the gateway knows of this many free places fewer than there are, or when all are free.
CREDIT_STEP = 4
# Bytes of frames that wait for the line, which carries them in half a second at 115,200 baud. The oldest is dropped.
UP_BYTES_MAX = 4096

# The radio's driver reports each frame within its retries, 100 ms or so. A frame without a report for this
# long has fallen out of the driver's pool (esp-idf issue 18682).
DONE_MAX_MS = 2_000
# Frames in a row that the driver does not accept: its pool is empty, or it does not know its peers any more.
REFUSED_MAX = 3
# The least time between two starts of the radio, which doubles: a start costs the frame in the air.
REINIT_FIRST_MS = 2_000
REINIT_LAST_MS = 60_000
# After this many starts in a row without a completed frame the chip is restarted. It switches no outputs.
REINITS_MAX = 4

HEALTH_MS = 60_000

# A new program is good when it has run this long, has received ASK from the gateway and has started its radio.
TRIAL_MIN_MS = 60_000
# After this long without that it has failed: the gateway's own restart, an update of its system included, takes less.
TRIAL_MAX_MS = 600_000
