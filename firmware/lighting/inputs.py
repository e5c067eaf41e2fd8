"""Keys of readings that a streetlight's ports hand to its trade and that never leave the node: below 0, where no
quantity of the wire is. `trade` takes them out of a sample before anything is recorded. Values only."""

# Byte of QUERY STATUS (IEC 62386-102), bits of lighting.dali.
GEAR_STATUS = -1
# What the gear says of itself or of its light source, in the rounds that read it: (bits in the order of
# lighting.dali_banks.FLAGS, those of them that are spoken of).
GEAR_FLAGS = -2
# (lighting.dali_banks.Asset, its Ratings or None), when it has been read.
ASSET = -3
# 1: the gear has a bank of energy, 0: it has none; absent while nobody knows.
METER = -4
# There while the converter chip that dims does not take what it is told.
OUTPUT_SILENT = -5

KEYS = (GEAR_STATUS, GEAR_FLAGS, ASSET, METER, OUTPUT_SILENT)
