"""Reads the two clocks of a gateway: monotonic milliseconds for every deadline, and UTC with its uncertainty from the
kernel.

Linux keeps an estimate of its own clock error (`adjtimex`), which NTP clients update; a clock that
has had none since its start is "unsynchronised". A wrong clock given to 300 lamps is worse than none, so
then there is none, unless the configuration declares the system clock good by other means (a
battery-backed clock, a bench). A clock that shows a time before this software was written is wrong, even if the
configuration vouches for it; so is one that jumps while nothing but the configuration vouches for it, which
`gateway.core.wallclock` judges.
"""

import ctypes
import time
from typing import NamedTuple

from gateway.core import limits

_STA_UNSYNC = 0x40
_TIME_ERROR = 5
TRUSTED_UNCERTAINTY_S = 2


class _Timex(ctypes.Structure):
    """Mirrors struct timex of <sys/timex.h>, as far as it is read here; the tail is room for the rest."""

    _fields_ = (
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long),
        ("status", ctypes.c_int),
        ("tail", ctypes.c_byte * 512),
    )


def monotonic_ms() -> int:
    """Returns milliseconds that never go back; they have no relation to UTC."""
    return time.monotonic_ns() // 1_000_000


class Utc(NamedTuple):
    """Holds a reading of the system clock: Unix milliseconds, None while it is not good, and ± s. `is_disciplined`: a
    time source corrects it, so it is not good by the configuration's word alone."""

    unix_ms: int | None
    uncertainty_s: int
    is_disciplined: bool


def utc(*, trust: bool) -> Utc:
    """Returns the system clock; `trust`: the configuration declares it good."""
    unix_ms = time.time_ns() // 1_000_000
    kernel_s = _kernel_uncertainty_s()
    uncertainty_s = TRUSTED_UNCERTAINTY_S if trust else kernel_s
    if uncertainty_s is None or unix_ms < 1000 * limits.RELEASED_UNIX_S:
        return Utc(None, 0, kernel_s is not None)
    return Utc(unix_ms, uncertainty_s, kernel_s is not None)


def _kernel_uncertainty_s() -> int | None:
    try:
        adjtimex = ctypes.CDLL(None, use_errno=True).adjtimex
    except (OSError, AttributeError):
        return None
    state = _Timex()
    if adjtimex(ctypes.byref(state)) in (-1, _TIME_ERROR) or state.status & _STA_UNSYNC:
        return None
    return int(state.maxerror) // 1_000_000 + 1
