"""Words of why a lamp has its level, as they stand in `levelChanged` events, beside those of wire.node_order.

The reason that goes with a word: of an order its id; of the calendar the integer of policy.lighting; of the photocell
the lx that decided; of presence the triggers of the last hour; else 0.
"""

LOCK = "lock"  # a technician at the node: dark, whatever is ordered
TEST = "test"  # the same one sees what the lamp can
BOOT = "boot"  # mains have come: lit before anything is known
CALENDAR = "calendar"  # the time is known, to a minute or as the brightest of what may be right
CARRIED = "carried"  # a clock of long ago and no photocell: the brightest of what may be right
PHOTOCELL = "photocell"  # earlier than the calendar at dusk, or later at dawn
CELL_ALONE = "photocell-alone"  # no usable time: dark or not
FEEDER = "feeder"  # a switched feeder has mains around dusk or dawn: its cabinet wants light
PRESENCE = "presence"
NO_TIME = "no-time"  # neither clock nor cell: the fail-safe level
