"""Draws how costs grow with a size, on logarithmic axes: a straight line at 45° is a cost that grows like the size."""

from collections.abc import Sequence
from html import escape
from math import log
from typing import NamedTuple

_WIDTH, _HEIGHT, _LEFT, _RIGHT, _TOP, _BOTTOM = 640, 380, 70, 110, 40, 50
_LABEL = 14  # a label's height


class Line(NamedTuple):
    """Holds one cost: its label ("": none), colour, (size, value) of its points, and whether it is dashed."""

    label: str
    colour: str
    points: Sequence[tuple[int, float]]
    is_dashed: bool = False


def draw(title: str, axis: str, lines: Sequence[Line], low: float, right: int = _RIGHT) -> str:
    """Returns the picture as SVG; values below `low` stand on its bottom, `right` is the room for labels."""
    sizes = sorted({size for line in lines for size, _ in line.points})
    high = max(value for line in lines for _, value in line.points)

    def x(size: int) -> float:
        return _LEFT + (_WIDTH - _LEFT - right) * _log_share(size, sizes[0], sizes[-1])

    def y(value: float) -> float:
        return _HEIGHT - _BOTTOM - (_HEIGHT - _TOP - _BOTTOM) * _log_share(max(low, value), low, high)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" font-family="sans-serif"'
        f' font-size="13"><rect width="{_WIDTH}" height="{_HEIGHT}" fill="white"/>'
    ]
    for size in sizes:
        parts.append(f'<text x="{x(size):.0f}" y="{_HEIGHT - 28}" text-anchor="middle">{size}</text>')
    power = low
    while power <= high:
        parts.append(
            f'<line x1="{_LEFT}" x2="{_WIDTH - right}" y1="{y(power):.0f}" y2="{y(power):.0f}" stroke="#d8e1e8"/>'
            f'<text x="{_LEFT - 8}" y="{y(power) + 4:.0f}" text-anchor="end">{power:g}</text>'
        )
        power *= 10
    above = float(_HEIGHT)
    for line in sorted(lines, key=lambda one: one.points[-1][1]):
        points = [(x(size), y(value)) for size, value in line.points]
        told = " ".join(f"{at_x:.1f},{at_y:.1f}" for at_x, at_y in points)
        dashes = ' stroke-dasharray="6 4"' if line.is_dashed else ""
        parts.append(f'<polyline fill="none" stroke="{line.colour}" stroke-width="2"{dashes} points="{told}"/>')
        parts += [f'<circle cx="{at_x:.1f}" cy="{at_y:.1f}" r="3" fill="{line.colour}"/>' for at_x, at_y in points]
        last_x, last_y = points[-1]
        if line.label:
            above = min(above - _LABEL, last_y + 4)
            label = escape(line.label)
            parts.append(f'<text x="{last_x + 8:.0f}" y="{above:.0f}" fill="{line.colour}">{label}</text>')
    parts.append(f'<text x="{_LEFT}" y="22" font-size="15">{escape(title)}</text>')
    parts.append(f'<text x="{_LEFT}" y="{_HEIGHT - 8}">{escape(axis)}</text></svg>')
    return "\n".join(parts) + "\n"


def _log_share(value: float, low: float, high: float) -> float:
    """Returns where a value lies between two others, 0 to 1, on a logarithmic axis."""
    return log(value / low) / log(high / low) if high > low else 0.5
