"""One week of a heated room as an SVG picture: set-point, temperature, outdoors, heat. No script, no font of its
own."""

from typing import NamedTuple

WIDTH, HEIGHT, LEFT, TOP, PLOT = 1000, 380, 50, 46, 240
_LOW_C, _HIGH_C = -8, 24
_WEEK_S = 7 * 86400
_DAYS = ("lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche")


class Point(NamedTuple):
    """Seconds after Monday 0:00; temperatures in 0.01 °C."""

    second: int
    air_ck: int
    setpoint_ck: int
    demand_permille: int
    outdoor_ck: int
    occupied: bool


def picture(points: list[Point]) -> str:
    """The SVG text."""
    day = (WIDTH - LEFT) / 7
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
        'font-family="sans-serif" font-size="12">',
        "<title>Une semaine de classe en janvier : consigne, température, chauffe</title>",
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>',
        '<text x="50" y="18" font-size="15">Une semaine de classe en janvier : consigne (pointillé), '
        "pièce (trait plein), dehors (fin), chauffe (bas)</text>",
        '<text x="50" y="36" fill="#666">A school week in January: set-point (dashed), room (solid), outdoors (thin), '
        "heat (bottom); occupied hours shaded</text>",
    ]
    parts += [
        f'<rect x="{_x(start):.1f}" y="{TOP}" width="{_x(end) - _x(start):.1f}" height="{PLOT}" fill="#f3ead2"/>'
        for start, end in _spans(points)
    ]
    for celsius in range(_LOW_C + 3, _HIGH_C + 1, 5):
        y = _y(100 * celsius)
        parts.append(f'<line x1="{LEFT}" x2="{WIDTH}" y1="{y:.1f}" y2="{y:.1f}" stroke="#ddd"/>')
        parts.append(f'<text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{celsius} °C</text>')
    for index, name in enumerate(_DAYS):
        parts.append(f'<text x="{LEFT + (index + 0.5) * day:.1f}" y="{HEIGHT - 8}" text-anchor="middle">{name}</text>')
    bars = TOP + PLOT + 60
    parts.append(f'<path d="{_bars(points, bars)}" fill="#c0563b"/>')
    parts.append(_line([(p.second, p.outdoor_ck) for p in points], 'stroke="#5b7f9c" stroke-width="1"'))
    parts.append(_line([(p.second, p.setpoint_ck) for p in points], 'stroke="#333" stroke-dasharray="4 3"'))
    parts.append(_line([(p.second, p.air_ck) for p in points], 'stroke="#b3202c" stroke-width="2"'))
    return "\n".join([*parts, "</svg>", ""])


def _x(second: float) -> float:
    return LEFT + (WIDTH - LEFT) * second / _WEEK_S


def _y(value_ck: float) -> float:
    return TOP + PLOT * (_HIGH_C - value_ck / 100) / (_HIGH_C - _LOW_C)


def _line(pairs: list[tuple[int, int]], style: str) -> str:
    points = " ".join(f"{_x(second):.1f},{_y(value):.1f}" for second, value in pairs)
    return f'<polyline points="{points}" fill="none" {style}/>'


def _bars(points: list[Point], base: int) -> str:
    """Mean heat of each hour."""
    hours: dict[int, list[int]] = {}
    for point in points:
        hours.setdefault(point.second // 3600, []).append(point.demand_permille)
    width = (WIDTH - LEFT) / 168
    path = []
    for hour, given in sorted(hours.items()):
        height = 50 * sum(given) / len(given) / 1000
        if height > 0:
            path.append(f"M{_x(3600 * hour):.1f} {base}v{-height:.1f}h{width:.1f}V{base}z")
    return "".join(path)


def _spans(points: list[Point]) -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    start = None
    for point in points:
        if point.occupied and start is None:
            start = point.second
        elif not point.occupied and start is not None:
            found.append((start, point.second))
            start = None
    return found
