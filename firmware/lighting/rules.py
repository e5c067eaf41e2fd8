"""Words of why a lamp has its level, as they stand in `levelChanged` events, beside those of wire.node_order.

The reason that goes with a word: of an order its id; of the calendar the integer of policy.lighting; of the photocell
the lx that decided; of presence the triggers of the last hour; else 0.
"""

from node.trade import LOCK, TEST
from wire import node_order

BOOT = "boot"  # mains have come: lit before anything is known
CALENDAR = "calendar"  # the time is known, to a minute or as the brightest of what may be right
CARRIED = "carried"  # a clock of long ago and no photocell: the brightest of what may be right
PHOTOCELL = "photocell"  # earlier than the calendar at dusk, or later at dawn
CELL_ALONE = "photocell-alone"  # no usable time: dark or not
FEEDER = "feeder"  # a switched feeder has mains around dusk or dawn, or at a time unknown: its cabinet wants light
PRESENCE = "presence"
NO_TIME = "no-time"  # neither clock nor cell: the fail-safe level

# A person decided: what it lit is not held for another order, and nothing of it is a ramp. TEST: a technician at the
# node wants to see the lamp lit; LOCK: one has locked it.
BY_HAND = node_order.RULES + (TEST, LOCK)
