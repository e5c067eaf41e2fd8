"""The night as a picture: lamps lit against lamps wanted, power, what waited in the cabinets, rooms and water where
there are any, and by which bearer each cabinet spoke. One self-contained SVG."""

from html import escape
from itertools import pairwise
from typing import NamedTuple

from policy import civil
from simulator.options import districts
from simulator.report import village
from simulator.report.result import Result, Sight
from simulator.report.text import WORDS

_WIDTH, _LEFT, _RIGHT = 1040, 70, 20
_PANEL, _GAP, _TOP = 150, 46, 60
_LABELS = {
    "fr": (
        "lampes saines allumées (trait : consigne)",
        "puissance, kW",
        "enregistrements en attente dans les armoires",
        "salle la plus froide (trait : la plus chaude), °C",
        "eau des espaces verts, L/min",
    ),
    "en": (
        "sound lamps lit (line: policy)",
        "power, kW",
        "records waiting in the cabinets",
        "coldest room (line: warmest), °C",
        "water of the green spaces, L/min",
    ),
}
_BEARERS = {
    "fr": ("liaison de chaque armoire", {"fibre": "fibre", "mobile": "4G", None: "aucune"}),
    "en": ("link of each cabinet", {"fibre": "fibre", "mobile": "4G", None: "none"}),
}
_BEARER_COLOURS = {"fibre": "#7fb77e", "mobile": "#8f6bb3", None: "#d8e1e8"}
_BAND, _BAND_GAP = 14, 6
_COLOURS = {"fibre": "#d9822b", "power": "#c23030", "ingest": "#5c7080", "broker": "#182026"}


def svg(result: Result, language: str) -> str:
    """The whole picture as text."""
    sights = result.sights
    begin, end = sights[0].unix_s, sights[-1].unix_s
    labels = _LABELS[language]
    panels = _panels(result)
    bands = _TOP + len(panels) * (_PANEL + _GAP)
    village_top = bands + len(sights[0].carriers) * (_BAND + _BAND_GAP) + _GAP
    height = village_top + village.band_height() + _GAP // 2
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}"'
        ' font-family="sans-serif" font-size="13">',
        f'<rect width="{_WIDTH}" height="{height}" fill="white"/>',
        f'<text x="{_LEFT}" y="24" font-size="17">{escape(_title(result, language))}</text>',
    ]
    for number, panel in enumerate(panels):
        # The line is drawn over the panel: a street that stayed dark must not push it out.
        peak = max(panel.values + panel.line) or 1
        top = _TOP + number * (_PANEL + _GAP)
        parts += _panel(top, labels[panel.label], panel.values, peak, sights, begin, end, panel.scale)
        parts += _cuts(result, top, begin, end, number == 0, language)
        if panel.line:
            parts.append(_line(top, panel.line, peak, sights, begin, end))
    parts += _bearers(result, bands, begin, end, language)
    parts += village.band(
        result.village, lambda at_s: _x(at_s, begin, end), top=village_top, begin=begin, end=end, language=language
    )
    parts.append("</svg>")
    return "\n".join(parts)


class _Curves(NamedTuple):
    """One panel: which label, the filled curve, a line over it or nothing, and what 1 on the axis is."""

    label: int
    values: list[int]
    line: list[int]
    scale: int


def _panels(result: Result) -> list[_Curves]:
    sights = result.sights
    panels = [
        _Curves(0, [sight.lit for sight in sights], [sight.wanted for sight in sights], 1),
        _Curves(1, [sight.power_dw // 10 for sight in sights], [], 1000),
        _Curves(2, [sight.waiting for sight in sights], [], 1),
    ]
    if result.rooms.rooms:
        coldest, warmest = [sight.coldest_ck for sight in sights], [sight.warmest_ck for sight in sights]
        panels.append(_Curves(3, coldest, warmest, 100))
    if result.greens.spaces and result.greens.ml:
        panels.append(_Curves(4, [sight.flow_ml_min for sight in sights], [], 1000))
    return panels


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


def _bearers(result: Result, top: int, begin: int, end: int, language: str) -> list[str]:
    """One band a cabinet: what carried its records, from look to look."""
    label, names = _BEARERS[language]
    parts = [f'<text x="{_LEFT}" y="{top - 6}">{escape(label)}</text>']
    x = _LEFT + 240
    for bearer, name in names.items():
        colour = _BEARER_COLOURS[bearer]
        parts.append(f'<rect x="{x}" y="{top - 17}" width="12" height="12" fill="{colour}"/>')
        parts.append(f'<text x="{x + 18}" y="{top - 6}">{escape(name)}</text>')
        x += 90
    for index, district in enumerate(districts(result.options.lamps)):
        y = top + index * (_BAND + _BAND_GAP)
        name = escape(f"{district.commune}/{district.name}")
        parts.append(f'<text x="{_LEFT - 5}" y="{y + 11}" text-anchor="end" font-size="10">{name}</text>')
        for bearer, from_s, to_s in _spells(result.sights, index):
            at, to = _x(from_s, begin, end), _x(to_s, begin, end)
            parts.append(
                f'<rect x="{at:.1f}" y="{y}" width="{to - at:.1f}" height="{_BAND}" fill="{_BEARER_COLOURS[bearer]}"/>'
            )
    return parts


def _spells(sights: list[Sight], index: int) -> list[tuple[str | None, int, int]]:
    """(bearer, from, to) of one cabinet, neighbours that are alike put together."""
    spells: list[tuple[str | None, int, int]] = []
    for sight, following in pairwise(sights):
        bearer = sight.carriers[index]
        if spells and spells[-1][0] == bearer:
            spells[-1] = (bearer, spells[-1][1], following.unix_s)
        else:
            spells.append((bearer, sight.unix_s, following.unix_s))
    return spells


def _line(top: int, values: list[int], peak: int, sights: list[Sight], begin: int, end: int) -> str:
    points = " ".join(
        f"{_x(sight.unix_s, begin, end):.1f},{top + _PANEL - _PANEL * value / peak:.1f}"
        for sight, value in zip(sights, values, strict=True)
    )
    return f'<polyline fill="none" stroke="#0f6894" stroke-width="1.5" points="{points}"/>'


def _cuts(result: Result, top: int, begin: int, end: int, named: bool, language: str) -> list[str]:
    parts = []
    start = result.options.start_unix_s
    # One digger may cut several fibres: one shade, one name.
    alike = {(cut.what, cut.from_s, cut.to_s): cut for cut in result.drawn.cuts}
    for row, cut in enumerate(alike.values()):
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
