"""Is the trade of a streetlight: the light of one lamp, its faults and its energy. Portable and sans-IO: no pin, no
clock, no record.
"""
