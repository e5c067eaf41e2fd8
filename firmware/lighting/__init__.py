"""Holds the trade of a streetlight: the light of one lamp, its faults and its energy.

Portable and sans-IO: touches no pin, no clock and no record.
"""
