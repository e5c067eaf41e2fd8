"""The collector in virtual time: stands for the VM's `gc`, and runs when the heap is full. On a desk's heap, many times
a chip's, a run after every few kilobytes is nearly all that a turn takes. MicroPython only.
"""

from gc import *  # noqa: F403 - what is not replaced below is the VM's own


def threshold(amount=-1):
    """Ignores the chip's threshold."""
