"""Holds every bound of the concentrator, with its reason. Values only, no code."""

# ESP-NOW has room for 20 peers; one is kept for broadcast, which a later tool may want.
RADIO_PEERS_MAX = 19
# Nodes whose counts are kept: what a chip has room for beside everything else. With more nodes the counts of
# those not heard for longest begin anew; nothing else depends on it.
COUNTED_PEERS_MAX = 64

# Datagrams that wait for the air. One takes 5 to 100 ms there, so these are a second and a half at worst and
# 4 kB; the gateway's own queues are longer and know better what is too old.
DOWN_MAX = 16
# A credit is told when the gateway believes in this many places fewer than there are, or when all are free.
CREDIT_STEP = 4
# Frames that wait for the line; the line carries this in half a second at 115,200 baud. The oldest goes.
UP_BYTES_MAX = 4096

# The radio's driver reports each frame within its retries, 100 ms or so. A frame without a report for this
# long has fallen out of the driver's pool (esp-idf issue 18682).
DONE_MAX_MS = 2_000
# Frames in a row that the driver does not take: its pool is empty, or it does not know its peers any more.
REFUSED_MAX = 3
# The radio is begun anew no sooner after the last time, doubling: beginning costs what is in the air.
REINIT_FIRST_MS = 2_000
REINIT_LAST_MS = 60_000
# After so many times in a row without a frame that completes the chip is restarted. It switches nothing.
REINITS_MAX = 4

HEALTH_MS = 60_000

# A new program is good when it has run for so long, was asked by the gateway and has its radio.
TRIAL_MIN_MS = 60_000
# After this it is not: the gateway's own restart, an update of its system included, takes less.
TRIAL_MAX_MS = 600_000
