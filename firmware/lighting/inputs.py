"""Holds the keys under which a streetlight's ports report inputs that are no quantity of the wire. Values only.

The keys lie below 0, and `trade` removes them from a sample before anything is recorded.
"""

# Answer byte of QUERY STATUS (IEC 62386-102); the bits are in lighting.dali.
GEAR_STATUS = -1
# Flags of the gear or of its light source, present in rounds that read them: (bits in the order of
# lighting.dali_banks.FLAGS, mask of the bits that were read).
GEAR_FLAGS = -2
# (lighting.dali_banks.Asset, its Ratings or None), present once after it has been read.
ASSET = -3
# 1: the gear has an energy bank, 0: it has none; absent while that is not known.
METER = -4

KEYS = (GEAR_STATUS, GEAR_FLAGS, ASSET, METER)
