"""Draws the last hours of a light as SVG: measured watts as a line, the ordered level behind it, gaps hatched.

It needs no script, prints, scales, and says in a sentence what it shows. Colours are of the style sheet. A line ends
where a gap begins. Pure.
"""

from collections.abc import Iterator
from typing import NamedTuple

from policy import civil
from tools.centre.condition.visits import Reading
from tools.centre.web.history import History

WIDTH, HEIGHT = 720, 200
_LEFT, _RIGHT, _TOP, _BOTTOM = 44, 8, 8, 24
_TICK_H = 3
# Scales of the axis of watts; a lamp of a street has 15 to 250.
_TOPS_W = (5, 10, 20, 30, 40, 60, 80, 100, 150, 200, 300, 400, 600, 1000, 2000, 5000, 10_000)


class Plot(NamedTuple):
    """Holds what the template draws, in units of WIDTH × HEIGHT. hours: (x, text); watts: (y, text)."""

    lines: tuple[str, ...]
    level: tuple[str, ...]
    gaps: tuple[tuple[float, float], ...]
    unpowered: tuple[tuple[float, float], ...]
    hours: tuple[tuple[float, str], ...]
    watts: tuple[tuple[float, str], ...]
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


def plot(known: History, nominal_dw: int | None) -> Plot:
    highest_w = max([nominal_dw or 0, *(one.power_dw or 0 for one in known.points)]) / 10
    top_w = next((one for one in _TOPS_W if one >= highest_w), highest_w)

    def x(unix_s: int) -> float:
        share = (unix_s - known.since_s) / (known.now_s - known.since_s)
        return round(_LEFT + share * (WIDTH - _LEFT - _RIGHT), 1)

    def y(share: float) -> float:
        return round(HEIGHT - _BOTTOM - share * (HEIGHT - _TOP - _BOTTOM), 1)

    runs = list(_runs(known))
    lines = [[(x(one.unix_s), y(one.power_dw / 10 / top_w)) for one in run if one.power_dw is not None] for run in runs]
    levels = [[(x(one.unix_s), y(one.level_percent / 100)) for one in run if one.level_percent is not None]
              for run in runs]  # fmt: skip
    drawn = [line for line in lines if line]
    return Plot(
        lines=tuple(_joined(line) for line in drawn),
        level=tuple(_stepped(line) for line in levels if len(line) > 1),
        gaps=tuple((x(begin), round(x(end) - x(begin), 1)) for begin, end in known.gaps),
        unpowered=tuple((x(begin), round(x(end) - x(begin), 1)) for begin, end in known.unpowered),
        hours=tuple((x(at), text) for at, text in _hours(known.since_s, known.now_s)),
        watts=tuple((y(share), f"{top_w * share:g}") for share in (0, 0.5, 1)),
        last=drawn[-1][-1] if drawn else None,
    )


def _runs(known: History) -> Iterator[list[Reading]]:
    """Returns the points without those before the plot, apart where a gap or a time without mains lies between."""
    breaks = [begin for begin, _ in (*known.gaps, *known.unpowered)]
    run: list[Reading] = []
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
