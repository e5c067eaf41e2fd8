"""Replaces the VM's `gc` in virtual time: it runs only when the heap is full. MicroPython only.

On a desk's heap, many times a chip's, a run after every few kilobytes would be nearly all that a turn takes.
"""

from gc import *  # noqa: F403 - what is not replaced below is the VM's own


def threshold(amount=-1):
    """Ignores the chip's threshold."""
