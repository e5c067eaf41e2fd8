"""The chip's `onewire` on a desk: the wire that the board's twin has on this pin."""


def OneWire(pin):  # noqa: N802 - the chip's name
    """`reset`, `readbyte`, `writebyte`."""
    return pin.wire()
