"""The trade of a streetlight: what one lamp must be, whether it is, and what it has burnt. Portable, no pin, no
clock.
"""
