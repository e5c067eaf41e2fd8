"""The chip's `onewire` on a desk: the wire that the board's twin has on this pin."""


def OneWire(pin):  # noqa: N802 - the chip's name
    """Gives `reset`, `readbyte` and `writebyte` of the wire on a pin."""
    return pin.wire()
