"""Checks that (invariant 5) no valve is open past its deadline and no zone is watered in a forbidden window.

A burst must close the master within 60 s.

Reads the pipes of the world (what is open, what flows), at true local time and at a law that the scenario gives as
plain hours. Of the node it knows only what it announced: the events of its valves, each with the seconds after which
the valve shuts. Knows no programme, no balance and no code under test. What the mains or a stuck valve do to water
while the node has no power, or against its pulses, is counted and not judged.
"""

from typing import Any, NamedTuple

from policy import civil
from simulator.plants.pipes import Pipes
from wire import event

# A pulse takes a tenth of a second, and a second pulse may come before it; the world is checked once a second.
DEADLINE_GRACE_S = 3
# All latching valves are shut within 2 s of the start of the node's program.
BOOT_GRACE_S = 3
BURST_S = 60


class Forbidden(NamedTuple):
    """Describes hours in which a zone (0: every zone) may not be watered, minutes after 00:00 local, from a date on."""

    zone: int
    from_min: int
    to_min: int
    first_s: int = 0
    last_s: int = 1 << 40


# Hours without water by drought level, for each use as policy.watering numbers them (lawns, beds, kitchen gardens,
# sports, shrubs, young plantings): the ministry's guide of 2023, written down a second time, so that a slip of
# policy.watering is found. What "crise" forbids to kitchen gardens and sports beyond the level before is the
# prefecture's order: the scenario gives it, as a Forbidden of its own. Minutes after 00:00 local.
_ALWAYS, _DAYTIME, _AFTERNOON = (0, 1440), (540, 1200), (660, 1080)
_DROUGHT_HOURS = {
    2: (_AFTERNOON,) * 6,
    3: (_ALWAYS, _ALWAYS, _DAYTIME, _DAYTIME, _DAYTIME, _DAYTIME),
    4: (_ALWAYS, _ALWAYS, _DAYTIME, _DAYTIME, _ALWAYS, _ALWAYS),
}


def drought_law(level: int, uses: list[int]) -> list[Forbidden]:
    """Returns the hours that a level of drought forbids; `uses`: of each zone, as policy.watering numbers them."""
    if level not in _DROUGHT_HOURS:
        return []
    hours = [_DROUGHT_HOURS[level][use] for use in uses]
    return [Forbidden(zone, from_min, to_min) for zone, (from_min, to_min) in enumerate(hours, 1)]


class WaterChecker:
    """Judges the water of one node.

    Call `check` once a second while water flows, and `announced` with each event of the node.
    """

    def __init__(self, pipes: Pipes, law: list[Forbidden], *, powered_s: int) -> None:
        self._pipes = pipes
        self._law = law
        self._until: dict[int, int] = {}
        self._powered_s: int | None = powered_s
        self._burst_s: int | None = None
        self._since: dict[tuple[str, int], int] = {}
        self._reported: set[tuple[str, int]] = set()
        self.violations: list[str] = []
        self.forbidden_s = 0
        self.unpowered_s = 0
        self.checks = 0

    def announced(self, unix_s: int, code: int, detail: Any) -> None:
        """Accepts an event of the node, at its true instant."""
        if code != event.VALVE_SWITCHED:
            return
        output, opens, _rule, _reason, for_s = detail
        if opens:
            self._until[output] = unix_s + for_s
        else:
            self._until.pop(output, None)

    def power(self, unix_s: int | None) -> None:
        """Records that the node starts at this instant, or (None) has no power: what it announced is void."""
        self._powered_s = unix_s
        self._until.clear()

    def check(self, unix_s: int, seconds: int = 1) -> None:
        """Judges this instant, which stands for `seconds`."""
        self.checks += 1
        if self._powered_s is None:
            self.unpowered_s += seconds if self._pipes.flow_ml_min() else 0
            return
        for output, is_open in enumerate(self._pipes.open[: len(self._pipes.flows) + 1]):
            if not is_open:
                self._since.pop(("unannounced", output), None)
            elif output not in self._pipes.stuck:
                self._judge_deadline(output, unix_s)
        flowing = self._pipes.flowing()
        if flowing and self._law:
            self._judge_law(flowing, unix_s, seconds)
        self._judge_burst(flowing, unix_s)

    def _judge_deadline(self, output: int, unix_s: int) -> None:
        until = self._until.get(output)
        booting = self._powered_s is not None and unix_s - self._powered_s <= BOOT_GRACE_S
        if until is None:
            # An event may be reported a turn after its pulse; a start may find a valve open.
            if not booting and self._held_for(("unannounced", output), unix_s) > DEADLINE_GRACE_S:
                self._report("unannounced", output, f"valve {output} is open and nobody said so, at {unix_s}")
            return
        self._since.pop(("unannounced", output), None)
        if unix_s > until + DEADLINE_GRACE_S:
            self._report(
                "deadline", output, f"valve {output} is open {unix_s - until} s past its deadline, at {unix_s}"
            )

    def _judge_law(self, flowing: list[int], unix_s: int, seconds: int) -> None:
        minute = civil.local_from_unix(civil.PARIS, unix_s).second // 60
        for rule in self._law:
            if not (rule.first_s <= unix_s < rule.last_s and rule.from_min <= minute < rule.to_min):
                continue
            for zone in flowing:
                if rule.zone in (0, zone) and zone not in self._pipes.stuck:
                    self.forbidden_s += seconds
                    self._report("forbidden", zone, f"zone {zone} is watered in a forbidden hour, at {unix_s}")

    def _judge_burst(self, flowing: list[int], unix_s: int) -> None:
        """Judges a broken pipe: the time counts from when water comes out of it."""
        running = [zone for zone in self._pipes.burst if self._pipes.burst[zone] and zone in flowing]
        if not running:
            self._burst_s = None
            return
        if self._burst_s is None:
            self._burst_s = unix_s
        if unix_s - self._burst_s > BURST_S:
            self._report("burst", running[0], f"burst of zone {running[0]} runs for {unix_s - self._burst_s} s")

    def _held_for(self, key: tuple[str, int], unix_s: int) -> int:
        return unix_s - self._since.setdefault(key, unix_s)

    def _report(self, what: str, output: int, text: str) -> None:
        if (what, output) not in self._reported:
            self._reported.add((what, output))
            self.violations.append(text)
