"""Models what the kernel of a simulated Pi knows of UTC: good by NTP, wrong, or nothing; and what that is worth.

A Pi has no battery-backed clock: after a boot it knows the time when a network has given it. Without a network the
kernel widens its uncertainty by 500 ppm, and at 16 s declares itself unsynchronised. The shell has a rule of its own
(`gateway.io.clock`): a clock that is before the release of this software counts as none.
"""

from typing import NamedTuple

from gateway.core.limits import RELEASED_UNIX_S

# Set and right; set and right within a wide uncertainty; set and wrong; not set.
RIGHT, VAGUE, WRONG, NOTHING = "right", "vague", "wrong", "nothing"
_TEN_YEARS_S = 3_652 * 86_400
_KERNEL_PPM, _KERNEL_S_MAX = 500, 16


class Word(NamedTuple):
    """Holds Unix ms or None, ± s, and what that is worth: one of RIGHT, VAGUE, WRONG, NOTHING."""

    unix_ms: int | None
    uncertainty_s: int
    worth: str


_NONE = Word(None, 0, NOTHING)


class SystemClock:
    """Gives NTP's time while there is a network, and the kernel's for a few hours after."""

    def __init__(self) -> None:
        self._synced_ms: int | None = None

    def boot(self) -> None:
        """Starts the machine anew, without a time."""
        self._synced_ms = None

    def read(self, unix_ms: int, *, has_network: bool) -> Word:
        """Returns the clock's Word. `unix_ms` is the true time."""
        if has_network:
            self._synced_ms = unix_ms
        if self._synced_ms is None:
            return _NONE
        uncertainty_s = 1 + (unix_ms - self._synced_ms) * _KERNEL_PPM // 1_000_000_000
        return Word(unix_ms, uncertainty_s, RIGHT) if uncertainty_s <= _KERNEL_S_MAX else _NONE


class Absent(SystemClock):
    """Is a clock that is never set: it starts in 1970, and that time is refused."""

    def read(self, unix_ms: int, *, has_network: bool) -> Word:
        stated_ms = unix_ms % 86_400_000
        return _NONE if stated_ms < 1000 * RELEASED_UNIX_S else Word(stated_ms, 1, WRONG)


class TenYearsAhead(SystemClock):
    """Models a broken time server from one instant to another (true Unix ms): it reports ± 1 s and is ten years off."""

    def __init__(self, from_ms: int, to_ms: int) -> None:
        super().__init__()
        self._from_ms, self._to_ms = from_ms, to_ms

    def read(self, unix_ms: int, *, has_network: bool) -> Word:
        if self._from_ms <= unix_ms < self._to_ms:
            return Word(unix_ms + 1000 * _TEN_YEARS_S, 1, WRONG)
        return super().read(unix_ms, has_network=has_network)


class Drifting(SystemClock):
    """Models a machine whose network was lost days ago.

    At the run's start the clock is `error_ms` off and good to ± `doubt_s`; then no network comes again, and after a
    boot no time is known at all.
    """

    def __init__(self, error_ms: int, doubt_s: int) -> None:
        super().__init__()
        self.error_ms, self.doubt_s = error_ms, doubt_s
        self._boots = 0
        self._is_set = False

    def boot(self) -> None:
        self._boots += 1

    def read(self, unix_ms: int, *, has_network: bool) -> Word:
        if self._boots > 1 or self._is_set:
            return _NONE
        self._is_set = True
        return Word(unix_ms + self.error_ms, self.doubt_s, VAGUE)
