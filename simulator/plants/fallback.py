"""Models the hardware that lights the street when no agent pulses: a timer relay and an astronomical clock.

The relay connects the coils to the agent's outputs while it is pulsed, and to the clock otherwise. The clock is the
commune's old one: a quartz of its own that is never corrected, sunset and sunrise of the place, the ordinary hours of
extinction, legal time from its own table of last Sundays. It knows no exception, no command and no network. It must
share nothing with the policy's resolver, whose faults it would hide.
"""

from typing import NamedTuple

from policy import civil, lighting, sun

# The setting of the timer relay.
RELAY_MS = 60_000
_NOON_S = 43_200
_ALWAYS = 0b1111111


class Programme(NamedTuple):
    """Describes the ordinary hours of light.

    Lit from sunset + `dusk_min` to `off_min` (minutes of legal time, None: all night), and from `on_min` to sunrise +
    `dawn_min`. `off_min` at 720 or later is in the evening, below it after midnight.
    """

    dusk_min: int = 0
    off_min: int | None = None
    on_min: int = 0
    dawn_min: int = 0

    def steps(self) -> tuple[lighting.Step, ...]:
        """Returns the same hours as a program of a policy."""
        middle = ()
        if self.off_min is not None:
            middle = (
                lighting.Step(lighting.CLOCK, self.off_min, 0, 0),
                lighting.Step(lighting.CLOCK, self.on_min, 100, 0),
            )
        dusk = lighting.Step(lighting.SUNSET, self.dusk_min, 100, 0)
        return (dusk, *middle, lighting.Step(lighting.SUNRISE, self.dawn_min, 0, 0))

    def calendar(self) -> lighting.Calendar:
        """Returns a policy with these hours and nothing else."""
        return lighting.Calendar((lighting.Rule(_ALWAYS, 0, 0, 0),), (self.steps(),))


class WatchdogRelay:
    """Models an off-delay timer: pulled in it holds for `RELAY_MS` after each pulse.

    Dropped it needs two pulses within that time to pull in, so that one glitch of a starting board switches nothing.
    """

    def __init__(self) -> None:
        self.is_pulled = False
        self._pulsed_ms: int | None = None

    def pulse(self, *, now_ms: int) -> None:
        """Gives one edge on its input."""
        if self._pulsed_ms is not None and now_ms - self._pulsed_ms < RELAY_MS:
            self.is_pulled = True
        self._pulsed_ms = now_ms

    def due_ms(self) -> int | None:
        """Returns the instant at which it will drop."""
        return None if not self.is_pulled or self._pulsed_ms is None else self._pulsed_ms + RELAY_MS

    def move(self, *, now_ms: int) -> None:
        """Drops the relay if its time has come."""
        due_ms = self.due_ms()
        if due_ms is not None and now_ms >= due_ms:
            self.drop()

    def drop(self) -> None:
        """Drops the relay when its own supply is gone or its time has come."""
        self.is_pulled = False
        self._pulsed_ms = None


class AstronomicalClock:
    """Models the cabinet's old clock.

    `error_ms`: how far it is ahead of UTC at `set_unix_ms`; it gains `drift_ppm` from then on.
    """

    def __init__(
        self,
        programme: Programme,
        *,
        latitude_e4: int,
        longitude_e4: int,
        set_unix_ms: int,
        error_ms: int = 0,
        drift_ppm: int = 0,
    ) -> None:
        self._programme = programme
        self._latitude_e4, self._longitude_e4 = latitude_e4, longitude_e4
        self._set_ms, self._error_ms, self._drift_ppm = set_unix_ms, error_ms, drift_ppm
        self._evening: int | None = None
        self._edges: list[tuple[int, bool]] = []

    def shown_ms(self, unix_ms: int) -> int:
        """Returns the UTC that its display would show."""
        return unix_ms + self._error_ms + (unix_ms - self._set_ms) * self._drift_ppm // 1_000_000

    def is_lit(self, unix_ms: int) -> bool:
        """Returns True while its contact is closed."""
        shown_s = self.shown_ms(unix_ms) // 1000
        lit = False
        for edge_s, closes in self._edges_of(shown_s):
            if edge_s <= shown_s:
                lit = closes
        return lit

    def until_ms(self, unix_ms: int) -> int:
        """Returns the first instant (true UTC) after this one at which its contact may move."""
        shown_s = self.shown_ms(unix_ms) // 1000
        for edge_s, _ in self._edges_of(shown_s):
            if edge_s > shown_s:
                return self._true_ms(1000 * edge_s)
        assert self._evening is not None
        return self._true_ms(1000 * civil.unix_from_local(civil.PARIS, self._evening + 1, _NOON_S))

    def _true_ms(self, shown_ms: int) -> int:
        """Returns the first true millisecond at which the clock shows at least `shown_ms`."""
        since_set = shown_ms - self._error_ms - self._set_ms
        true_ms = self._set_ms + since_set * 1_000_000 // (1_000_000 + self._drift_ppm) - 1
        while self.shown_ms(true_ms) < shown_ms:
            true_ms += 1
        return true_ms

    def _edges_of(self, shown_s: int) -> list[tuple[int, bool]]:
        """Returns the edges of its contact from noon to noon, by the time it shows: (Unix s, closes)."""
        local = civil.local_from_unix(civil.PARIS, shown_s)
        evening = local.civil_day - (local.second < _NOON_S)
        if evening != self._evening:
            self._evening, self._edges = evening, self._night(evening)
        return self._edges

    def _night(self, evening: int) -> list[tuple[int, bool]]:
        programme = self._programme
        dusk_s = self._sun(evening, rising=False) + 60 * programme.dusk_min
        dawn_s = self._sun(evening + 1, rising=True) + 60 * programme.dawn_min
        if programme.off_min is None:
            windows = [(dusk_s, dawn_s)]
        else:
            off_day = evening + (programme.off_min < 720)
            off_s = civil.unix_from_local(civil.PARIS, off_day, 60 * programme.off_min)
            on_s = civil.unix_from_local(civil.PARIS, evening + 1, 60 * programme.on_min)
            windows = [(dusk_s, min(off_s, dawn_s)), (max(on_s, dusk_s), dawn_s)]
        return [edge for begin, end in windows if begin < end for edge in ((begin, True), (end, False))]

    def _sun(self, day: int, *, rising: bool) -> int:
        at_s = sun.crossing_s(day, self._latitude_e4, self._longitude_e4, rising=rising)
        assert at_s is not None, "the sun sets and rises every day in metropolitan France"
        return at_s
