"""Draws the last hours of an equipment as SVG: what it measured as a line, what was wanted behind it, gaps hatched; and
what was used day by day as bars.

It needs no script, prints, scales, and says in a sentence what it shows. Colours are of the style sheet. A line ends
where a gap begins. Pure.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from policy import civil
from tools.centre.web.history import History, Point

WIDTH, HEIGHT = 720, 200
_LEFT, _RIGHT, _TOP, _BOTTOM = 44, 8, 8, 24
_TICK_H = 3
_BARS_HEIGHT, _BARS_TOP = 120, 18
# Scales of the axis of watts; a lamp of a street has 15 to 250.
_TOPS_W = (5, 10, 20, 30, 40, 60, 80, 100, 150, 200, 300, 400, 600, 1000, 2000, 5000, 10_000)


# The least that an axis of degrees spans, and what it grows by, in 0.01 °C: its middle is a whole degree.
_DEGREES_CK = 400


class Scale(NamedTuple):
    """Gives the values at the foot and at the top of a plot, how many make one of `unit`, and that."""

    low: int
    high: int
    factor: int
    unit: str

    def share(self, value: int) -> float:
        return (value - self.low) / (self.high - self.low)


PERCENT = Scale(0, 100, 1, "%")


def of_watts(known: History, nominal_dw: int | None) -> Scale:
    highest_w = max([nominal_dw or 0, *(one.measured or 0 for one in known.points)]) / 10
    top_w = next((one for one in _TOPS_W if one >= highest_w), highest_w)
    return Scale(0, round(10 * top_w), 10, "W")


def of_degrees(known: History) -> Scale:
    both = [value for one in known.points for value in (one.measured, one.wanted) if value is not None]
    low = min(both, default=0) // _DEGREES_CK * _DEGREES_CK
    steps = max(1, -(-(max(both, default=0) - low) // _DEGREES_CK))
    return Scale(low, low + steps * _DEGREES_CK, 100, "°C")


class Plot(NamedTuple):
    """Holds what the template draws, in units of WIDTH × HEIGHT. hours: (x, text); ticks: (y, text)."""

    lines: tuple[str, ...]
    wanted: tuple[str, ...]
    gaps: tuple[tuple[float, float], ...]
    unpowered: tuple[tuple[float, float], ...]
    hours: tuple[tuple[float, str], ...]
    ticks: tuple[tuple[float, str], ...]
    unit: str
    last: tuple[float, float] | None
    left: int = _LEFT
    right: int = WIDTH - _RIGHT
    top: int = _TOP
    bottom: int = HEIGHT - _BOTTOM
    width: int = WIDTH
    height: int = HEIGHT

    @property
    def inner_height(self) -> int:
        return self.bottom - self.top


def plot(known: History, measured: Scale, wanted: Scale) -> Plot:
    def x(unix_s: int) -> float:
        share = (unix_s - known.since_s) / (known.now_s - known.since_s)
        return round(_LEFT + share * (WIDTH - _LEFT - _RIGHT), 1)

    def y(share: float) -> float:
        return round(HEIGHT - _BOTTOM - share * (HEIGHT - _TOP - _BOTTOM), 1)

    runs = list(_runs(known))
    lines = [[(x(one.unix_s), y(measured.share(one.measured))) for one in run if one.measured is not None]
             for run in runs]  # fmt: skip
    steps = [[(x(one.unix_s), y(wanted.share(one.wanted))) for one in run if one.wanted is not None] for run in runs]
    drawn = [line for line in lines if line]
    return Plot(
        lines=tuple(_joined(line) for line in drawn),
        wanted=tuple(_stepped(line) for line in steps if len(line) > 1),
        gaps=tuple((x(begin), round(x(end) - x(begin), 1)) for begin, end in known.gaps),
        unpowered=tuple((x(begin), round(x(end) - x(begin), 1)) for begin, end in known.unpowered),
        hours=tuple((x(at), text) for at, text in _hours(known.since_s, known.now_s)),
        ticks=tuple(
            (y(share), f"{(measured.low + share * (measured.high - measured.low)) / measured.factor:g}")
            for share in (0, 0.5, 1)
        ),
        unit=measured.unit,
        last=drawn[-1][-1] if drawn else None,
    )


class Bars(NamedTuple):
    """Holds bars that the template draws. bars: (x, y, height, x of the middle, text above); hatched: x of days without
    news; days: (x of the middle, day of the month)."""

    bars: tuple[tuple[float, float, float, float, str], ...]
    hatched: tuple[float, ...]
    days: tuple[tuple[float, str], ...]
    bar_width: float
    top: int = _BARS_TOP
    bottom: int = _BARS_HEIGHT - _BOTTOM
    width: int = WIDTH
    height: int = _BARS_HEIGHT

    @property
    def inner_height(self) -> int:
        return self.bottom - self.top


def bars(days: Sequence[tuple[int, float | None]]) -> Bars:
    """Returns a bar for each day (of `policy.civil`) with its amount; None: nothing was heard of it."""
    highest = max((amount or 0 for _, amount in days), default=0) or 1
    step = WIDTH / len(days)
    inner = _BARS_HEIGHT - _BOTTOM - _BARS_TOP
    drawn, hatched, under = [], [], []
    for n, (day, amount) in enumerate(days):
        x, middle = round(n * step + step / 6, 1), round((n + 0.5) * step, 1)
        under.append((middle, str(civil.civil_from_days(day)[2])))
        if amount is None:
            hatched.append(x)
        else:
            height = round(amount / highest * inner, 1)
            y = round(_BARS_HEIGHT - _BOTTOM - height, 1)
            drawn.append((x, y, height, middle, f"{amount:.0f}" if amount else ""))
    return Bars(tuple(drawn), tuple(hatched), tuple(under), round(step * 2 / 3, 1))


def _runs(known: History) -> Iterator[list[Point]]:
    """Returns the points without those before the plot, apart where a gap or a time without mains lies between."""
    breaks = [begin for begin, _ in (*known.gaps, *known.unpowered)]
    run: list[Point] = []
    for point in known.points:
        if point.unix_s < known.since_s:
            continue
        if run and any(run[-1].unix_s <= begin < point.unix_s for begin in breaks):
            yield run
            run = []
        run.append(point)
    if run:
        yield run


def _joined(line: list[tuple[float, float]]) -> str:
    return " ".join(f"{x:g},{y:g}" for x, y in line)


def _stepped(line: list[tuple[float, float]]) -> str:
    """Returns a path that holds each level until the next."""
    (x, y), *rest = line
    return f"M{x:g} {y:g}" + "".join(f"H{x:g}V{y:g}" for x, y in rest)


def _hours(since_s: int, now_s: int) -> Iterator[tuple[int, str]]:
    """Returns the whole hours of the civil clock at which the axis has a tick."""
    for unix_s in range(since_s - since_s % 3600 + 3600, now_s, 3600):
        hour = civil.local_from_unix(civil.PARIS, unix_s).second // 3600
        if hour % _TICK_H == 0:
            yield unix_s, f"{hour:02}:00"
