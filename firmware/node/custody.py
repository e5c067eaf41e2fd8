"""The words of custody on a node: a record that waits, and a loss that must be told."""

from collections import namedtuple

# `data` is the encoded record: immutable from here to the warehouse. `gap`: the Gap that a gap record tells, else
# None; a gap record that is dropped gives its Gap back, or the loss would go untold. `place`: where the log on flash
# has it, or None for a record that is in RAM alone; a record with a place may be of an earlier boot.
Entry = namedtuple("Entry", ("sequence", "data", "gap", "place"))
# Of `boot`, from `first` to `last` (None: to its end): what you do not hold will not come.
Gap = namedtuple("Gap", ("first", "last", "why", "boot"))

# Why it will not come.
THINNED = "thinned"
DROPPED = "dropped"
DAMAGED = "damaged"
