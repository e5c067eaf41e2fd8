"""Replaces the chip's `onewire` on a desk: returns the wire that the board's twin has on this pin."""


def OneWire(pin):  # noqa: N802 - the chip's name
    """Returns the wire on a pin, with its `reset`, `readbyte` and `writebyte`."""
    return pin.wire()
