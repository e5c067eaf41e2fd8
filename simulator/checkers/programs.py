"""Checks campaigns of programs: every node always runs one good program, and no campaign goes where it must not.

It is told what boards do and what gateways serve, knows the images that there are, and computes the sun itself. It
knows nothing of campaigns, policies or calendars in the code under test.

    a board starts from a folder that holds exactly one image, of a number not below one that it has confirmed
    a lamp is served and restarts by day on a permanent feeder, in the middle of the night on a switched one, an hour
    from sunset and sunrise; a board with valves restarts while all are shut
    nothing is served that is not above what the board runs
    after the canaries nobody is served before each of them has run its program for the soak
    soon after a canary has failed, or more boards than allowed, nobody is served any more, and none restarts into it
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from policy import sun
from wire import image

_SUNSET_CDEG = 9000 - sun.sunset_zenith_cdeg
_MARGIN_S = 3600
# The sun crosses the horizon this near to what a table says; a block may be under way when an hour ends.
_TOLERANCE_S = 180
# A node that has come back to its program reports after its spread, over a link that loses datagrams.
REPORTED_S = 1800


class Rules(NamedTuple):
    """Holds what the person who began the campaign decided for one kind of node."""

    canaries: int
    soak_s: int
    failures_max: int


class Board(NamedTuple):
    """Describes a board under watch. `has_day`: a lamp that is served by day (True), by night (False); None: no lamp.
    `flowing()`: its valves that are open."""

    name: str
    kind: str
    has_day: bool | None = None
    flowing: Callable[[], list[int]] = list


class ProgramsChecker:
    """Judges boards and gateways as they act; `violations` holds a line for the first of each kind and board.

    `images`: for each number its files by path. `site`: latitude and longitude in 0.0001 degree."""

    def __init__(
        self, now_s: Callable[[], int], site: tuple[int, int], images: Mapping[int, Mapping[str, bytes]], rules: Rules
    ) -> None:
        self._now_s = now_s
        self._site = site
        self._images = images
        self._rules = rules
        self.boards: dict[bytes, Board] = {}
        self.running: dict[bytes, int] = {}
        self._confirmed: dict[bytes, dict[int, int]] = {}  # when each number was confirmed
        self._tried: dict[bytes, int] = {}
        self._served: dict[str, list[bytes]] = {}  # boards of a kind, in the order in which they were served first
        self._failed: dict[str, dict[bytes, int]] = {}
        self.violations: dict[tuple[str, bytes], str] = {}
        self.served = self.starts = 0

    # --- boards ---------------------------------------------------------------------------------------------------

    def started(self, node: bytes, number: int, files: dict[str, Any], *, is_rescue: bool, cause: str) -> None:
        self.starts += 1
        held = {path.partition("/")[2]: data for path, data in files.items() if data is not None}
        held.pop(image.MANIFEST_NAME, None)
        if is_rescue or held != self._images.get(number):
            self._wrong("runs no whole program", node)
        if number < max(self._confirmed[node], default=0):
            self._wrong("runs an older program than it has confirmed", node)
        tried = self._tried.get(node)
        if tried is not None and number != tried:
            del self._tried[node]
            self._fails(node)
        elif cause == "crash" and self._now_s() - self._confirmed[node].get(number, 0) < self._rules.soak_s:
            self._fails(node)
        if number not in self._confirmed[node]:
            self._tried[node] = number
        self.running[node] = number

    def confirmed(self, node: bytes, number: int) -> None:
        self._confirmed[node][number] = self._now_s()
        self._tried.pop(node, None)

    def restarts(self, node: bytes) -> None:
        if not self._is_hour(node):
            self._wrong("restarts outside its hours", node)
        if self.boards[node].flowing():
            self._wrong("restarts in a watering", node)
        if self._is_over(self.boards[node].kind):
            self._wrong("restarts after too many failures", node)

    def watch(self, node: bytes, board: Board, number: int) -> None:
        """Watches a board from now on, which has confirmed this number."""
        self.boards[node], self.running[node], self._confirmed[node] = board, number, {number: 0}

    # --- gateways -------------------------------------------------------------------------------------------------

    def offered(self, node: bytes, number: int) -> None:
        """Judges that a gateway has served this node a part of an image."""
        self.served += 1
        kind = self.boards[node].kind
        if number <= self.running[node]:
            self._wrong("is served a program that is not newer", node)
        if not self._is_hour(node):
            self._wrong("is served outside its hours", node)
        served = self._served.setdefault(kind, [])
        if node not in served:
            canaries = served[: self._rules.canaries]
            is_canary = len(canaries) < self._rules.canaries
            served.append(node)
            if not is_canary and not all(self._has_soaked(other, number) for other in canaries):
                self._wrong("is served before the canaries have run it", node)
        if self._is_over(kind):
            self._wrong("is served after too many failures", node)

    def _is_over(self, kind: str) -> bool:
        """Returns whether failures must have ended the campaign of this kind by now."""
        failed = self._failed.get(kind, {})
        canaries = self._served.get(kind, [])[: self._rules.canaries]
        enough = [at_s for other, at_s in failed.items() if other in canaries]
        enough += sorted(failed.values())[self._rules.failures_max :]
        return bool(enough) and self._now_s() > min(enough) + REPORTED_S

    # --- inside ---------------------------------------------------------------------------------------------------

    def _has_soaked(self, node: bytes, number: int) -> bool:
        at_s = self._confirmed[node].get(number)
        return at_s is not None and self._now_s() - at_s >= self._rules.soak_s - _TOLERANCE_S

    def _fails(self, node: bytes) -> None:
        self._failed.setdefault(self.boards[node].kind, {}).setdefault(node, self._now_s())

    def _is_hour(self, node: bytes) -> bool:
        has_day = self.boards[node].has_day
        if has_day is None:
            return True
        around_s = _MARGIN_S - _TOLERANCE_S
        instants = (self._now_s() + offset_s for offset_s in (-around_s, 0, around_s))
        return all((sun.elevation_cdeg(at_s, *self._site) > _SUNSET_CDEG) == has_day for at_s in instants)

    def _wrong(self, what: str, node: bytes) -> None:
        text = f"{self.boards[node].name} {what} at {self._now_s()}"
        self.violations.setdefault((what, node), text)
