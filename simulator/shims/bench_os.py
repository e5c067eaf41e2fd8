"""Replaces the VM's `os` in virtual time: its random numbers are the same in every run. MicroPython only."""

from os import *  # noqa: F403 - what is not replaced below is the VM's own

_state = [4711]


def urandom(count):
    """Returns bytes of a linear congruence."""
    found = bytearray(count)
    for at in range(count):
        _state[0] = (_state[0] * 1_103_515_245 + 12_345) & 0x7FFFFFFF
        found[at] = _state[0] >> 16 & 255
    return bytes(found)
