"""Unpredictable numbers from the chip's random generator (`os.urandom`): tokens, message ids, jitter.

An ESP32's generator is truly random only while the radio is on. Must not serve for keys.
"""


def below(urandom):
    """`random_below` of the portable code: n -> integer in [0, n), each as likely as the others."""

    def random_below(bound):
        assert bound > 0
        width = 1
        while 1 << 8 * width < bound:
            width += 1
        usable = (1 << 8 * width) - (1 << 8 * width) % bound
        while True:
            value = int.from_bytes(urandom(width), "little")
            if value < usable:
                return value % bound

    return random_below
