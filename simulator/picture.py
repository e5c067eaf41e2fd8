"""The night as a picture: lamps lit against lamps wanted, power, and what waited in the cabinets. One
self-contained SVG."""

from html import escape

from policy import civil
from simulator.report import WORDS
from simulator.territory import Result, Sight

_WIDTH, _LEFT, _RIGHT = 1040, 70, 20
_PANEL, _GAP, _TOP = 150, 46, 60
_LABELS = {
    "fr": (
        "lampes saines allumées (trait : consigne)",
        "puissance, kW",
        "enregistrements en attente dans les armoires",
    ),
    "en": ("sound lamps lit (line: policy)", "power, kW", "records waiting in the cabinets"),
}
_COLOURS = {"fibre": "#d9822b", "power": "#c23030", "ingest": "#5c7080", "broker": "#182026"}


def svg(result: Result, language: str) -> str:
    """The whole picture as text."""
    sights = result.sights
    begin, end = sights[0].unix_s, sights[-1].unix_s
    labels = _LABELS[language]
    series = (
        [sight.lit for sight in sights],
        [sight.power_dw // 10 for sight in sights],
        [sight.waiting for sight in sights],
    )
    height = _TOP + 3 * (_PANEL + _GAP)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}"'
        ' font-family="sans-serif" font-size="13">',
        f'<rect width="{_WIDTH}" height="{height}" fill="white"/>',
        f'<text x="{_LEFT}" y="24" font-size="17">{escape(_title(result, language))}</text>',
    ]
    wanted = [sight.wanted for sight in sights]
    for number, (label, values) in enumerate(zip(labels, series, strict=True)):
        # Policy is drawn over the first panel: a street that stayed dark must not push it out.
        peak = max(values + wanted if number == 0 else values) or 1
        top = _TOP + number * (_PANEL + _GAP)
        scale = 1000 if number == 1 else 1
        parts += _panel(top, label, values, peak, sights, begin, end, scale)
        parts += _cuts(result, top, begin, end, number == 0, language)
        if number == 0:
            parts.append(_line(top, wanted, peak, sights, begin, end))
    parts.append("</svg>")
    return "\n".join(parts)


def _title(result: Result, language: str) -> str:
    words, verdict = WORDS[language], result.verdict
    return (
        f"{words['title']}, {words['seed']} {result.options.seed} : {verdict.made} {words['made']}, "
        f"{verdict.lost} {words['lost']}, {verdict.duplicated} {words['duplicated']}"
    )


def _x(unix_s: int, begin: int, end: int) -> float:
    return _LEFT + (_WIDTH - _LEFT - _RIGHT) * (unix_s - begin) / max(1, end - begin)


def _panel(
    top: int, label: str, values: list[int], peak: int, sights: list[Sight], begin: int, end: int, scale: int
) -> list[str]:
    points = " ".join(
        f"{_x(sight.unix_s, begin, end):.1f},{top + _PANEL - _PANEL * value / peak:.1f}"
        for sight, value in zip(sights, values, strict=True)
    )
    bottom = top + _PANEL
    first, last = _x(begin, begin, end), _x(end, begin, end)
    parts = [
        f'<text x="{_LEFT}" y="{top - 6}">{escape(label)}</text>',
        f'<polygon fill="#f2b824" fill-opacity="0.75" points="{first:.1f},{bottom} {points} {last:.1f},{bottom}"/>',
        f'<line x1="{_LEFT}" y1="{bottom}" x2="{_WIDTH - _RIGHT}" y2="{bottom}" stroke="#394b59"/>',
        f'<text x="{_LEFT - 8}" y="{top + 12}" text-anchor="end">{peak / scale:g}</text>',
        f'<text x="{_LEFT - 8}" y="{bottom}" text-anchor="end">0</text>',
    ]
    hour = begin - begin % 10800 + 10800
    while hour < end:
        local = civil.local_from_unix(civil.PARIS, hour)
        x = _x(hour, begin, end)
        parts.append(f'<line x1="{x:.1f}" y1="{bottom}" x2="{x:.1f}" y2="{bottom + 5}" stroke="#394b59"/>')
        parts.append(f'<text x="{x:.1f}" y="{bottom + 18}" text-anchor="middle">{local.second // 3600} h</text>')
        hour += 10800
    return parts


def _line(top: int, values: list[int], peak: int, sights: list[Sight], begin: int, end: int) -> str:
    points = " ".join(
        f"{_x(sight.unix_s, begin, end):.1f},{top + _PANEL - _PANEL * value / peak:.1f}"
        for sight, value in zip(sights, values, strict=True)
    )
    return f'<polyline fill="none" stroke="#0f6894" stroke-width="1.5" points="{points}"/>'


def _cuts(result: Result, top: int, begin: int, end: int, named: bool, language: str) -> list[str]:
    parts = []
    start = result.options.start_unix_s
    for row, cut in enumerate(result.drawn.cuts):
        x, to = _x(start + cut.from_s, begin, end), _x(start + cut.to_s, begin, end)
        colour = _COLOURS[cut.what]
        parts.append(
            f'<rect x="{x:.1f}" y="{top}" width="{max(2, to - x):.1f}" height="{_PANEL}"'
            f' fill="{colour}" fill-opacity="0.22"/>'
        )
        if named:
            name = escape(WORDS[language][cut.what])
            parts.append(f'<text x="{x + 3:.1f}" y="{top + 16 + 16 * (row % 4)}" fill="{colour}">{name}</text>')
    return parts
