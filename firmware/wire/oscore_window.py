"""Replay windows (RFC 8613 sections 3.2.2 and 7.4) as data: a Window goes in, another comes out.

LOST stands for a window that a restart has taken. Nothing is fresh then until a request has brought back an
Echo value (RFC 8613 appendix B.1.2, RFC 9175): `after` makes the first window from it.
"""

from collections import namedtuple

# Section 3.2.2's default, and one word. The sender may be that many messages ahead of the oldest still
# accepted.
WINDOW_BITS = 32

# highest: the highest Partial IV accepted, -1 before the first. seen: bit n is set when highest - n was
# accepted.
Window = namedtuple("Window", ("highest", "seen"))

# Only of a context that was derived just now and has never received anything.
NEW = Window(-1, 0)
LOST = None

_SEEN_MASK = (1 << WINDOW_BITS) - 1


def is_fresh(window, number: int) -> bool:
    """Whether the Partial IV `number` may still be accepted."""
    if number > window.highest:
        return True
    age = window.highest - number
    return age < WINDOW_BITS and not window.seen >> age & 1


def accept(window, number: int):
    """The Window after the message `number`, whose tag was found to hold."""
    assert is_fresh(window, number)
    ahead = number - window.highest
    if ahead <= 0:
        return Window(window.highest, window.seen | 1 << -ahead)
    if ahead >= WINDOW_BITS:
        return Window(number, 1)
    return Window(number, (window.seen << ahead | 1) & _SEEN_MASK)


def after(number: int):
    """The Window in which `number` and all before it are past: from the request that brought a good Echo,
    or from the highest number that a journal holds."""
    return Window(number, _SEEN_MASK)
