"""Draws a night as one self-contained SVG.

It shows lamps lit against lamps wanted, power, rooms and water where there are any, the records waiting in the
cabinets, and each cabinet's bearer. Each absence is named above the panels, in dark letters on white, and shaded within
them.
"""

from html import escape
from itertools import pairwise
from typing import NamedTuple

from gateway.language import N_, NC_, Phrases, translate
from policy import civil
from simulator.options import Cut, districts
from simulator.report import text, village
from simulator.report.result import Result, Snapshot

WORDS = Phrases(
    {
        "title": N_("A simulated night (seed {seed}): {lamps} street lights, {energy}, {saved} % saved by dimming"),
        "subtitle": N_("records: {made} made, {lost} lost, {duplicated} counted twice"),
        "lit": N_("sound lamps lit (line: policy)"),
        "power": N_("power of the lamps, kW"),
        "waiting": N_("records waiting in the cabinets"),
        "rooms": N_("coldest room (line: warmest), °C"),
        "water": N_("water of the green spaces, L/min"),
        "bearers": N_("link of each cabinet"),
        "fibre": NC_("link", "fibre"),
        "mobile": "4G",
        "none": NC_("link", "none"),
        "hour": N_("{hour}:00"),
    }
)
_WIDTH, _LEFT, _RIGHT = 1040, 110, 20
_PANEL, _GAP, _TOP = 130, 46, 80
# Rows of the absences, between the title and the first panel.
_ROW = 18
_BAND, _BAND_GAP = 14, 6
_FILL, _LINE, _AXIS, _INK = "#f2b824", "#0f6894", "#394b59", "#182026"
_SHADES = {"fibre": "#d9822b", "power": "#c23030", "ingest": "#5c7080", "broker": "#182026", "hostile": "#8a1f6b",
           "stolen": "#b5651d", "deleted": "#7a1f1f", "opened": "#6b2d5c"}  # fmt: skip
_BEARER_COLOURS = {"fibre": "#7fb77e", "mobile": "#8f6bb3", None: "#d8e1e8"}
_SHORT_S = 12 * 3600
# Of a large territory, the first ones.
_BANDS_MAX = 21


def svg(result: Result, language: str) -> str:
    """Returns the whole picture as text."""
    frame = _Frame(result.snapshots[0].unix_s, result.snapshots[-1].unix_s)
    cuts = _distinct(result.drawn.cuts)[:_BANDS_MAX]
    top = _TOP + _ROW * len(cuts)
    panels = _panels(result)
    bearers_top = top + len(panels) * (_PANEL + _GAP) + 10
    village_top = bearers_top + min(len(result.snapshots[0].carriers), _BANDS_MAX) * (_BAND + _BAND_GAP) + _GAP
    height = village_top + village.band_height() + _GAP // 2
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}"'
        f' font-family="sans-serif" font-size="13" fill="{_INK}">',
        f'<rect width="{_WIDTH}" height="{height}" fill="white"/>',
        *_titles(result, language),
        *_away(result, cuts, frame, language),
    ]
    for place, panel in enumerate(panels):
        panel_top = top + place * (_PANEL + _GAP)
        parts += _shades(result, cuts, frame, panel_top)
        parts += _panel(panel, result.snapshots, frame, panel_top, language)
    parts += _bearers(result, frame, bearers_top, language)
    parts += village.band(
        result.village, frame.x, top=village_top, begin=frame.begin, end=frame.end, language=language
    )
    parts.append("</svg>")
    return "\n".join(parts)


class _Frame(NamedTuple):
    """Holds the time that the picture shows, in Unix s."""

    begin: int
    end: int

    def x(self, unix_s: int) -> float:
        """Returns the place of an instant; an instant outside lies at the edge."""
        at_s = min(max(unix_s, self.begin), self.end)
        return _LEFT + (_WIDTH - _LEFT - _RIGHT) * (at_s - self.begin) / max(1, self.end - self.begin)


class _Curves(NamedTuple):
    """Holds one panel of the picture: label, filled curve, a line over it or [], unit and start of the axis."""

    label: str
    values: list[int]
    line: list[int]
    scale: int
    floor: int = 0


def _panels(result: Result) -> list[_Curves]:
    snapshots = result.snapshots
    panels = [
        _Curves("lit", [one.lit for one in snapshots], [one.wanted for one in snapshots], 1),
        _Curves("power", [one.power_dw // 10 for one in snapshots], [], 1000),
    ]
    if result.rooms.rooms:
        coldest, warmest = [one.coldest_ck for one in snapshots], [one.warmest_ck for one in snapshots]
        # From 10 °C on the axis shows what programmes do; colder rooms extend it downwards.
        panels.append(_Curves("rooms", coldest, warmest, 100, min(1000, min(coldest) // 500 * 500)))
    if result.greens.spaces and result.greens.ml:
        panels.append(_Curves("water", [one.flow_ml_min for one in snapshots], [], 1000))
    panels.append(_Curves("waiting", [one.waiting for one in snapshots], [], 1))
    return panels


def _titles(result: Result, language: str) -> list[str]:
    verdict = result.verdict
    title = WORDS.text(
        "title",
        language,
        seed=result.options.seed,
        lamps=result.options.lamps,
        energy=text.kwh(result.true_wh, language),
        saved=text.saved_percent(result) or 0,
    )
    subtitle = WORDS.text(
        "subtitle", language, lost=verdict.lost, made=verdict.made, duplicated=verdict.duplicated
    )
    return [
        f'<text x="{_LEFT}" y="24" font-size="17">{escape(title)}</text>',
        f'<text x="{_LEFT}" y="43">{escape(subtitle)}</text>',
    ]


def _distinct(cuts: list[Cut]) -> list[Cut]:
    """Merges cuts by one digger, who may cut several fibres: one shade, one name."""
    return list({(cut.what, cut.from_s, cut.to_s): cut for cut in cuts}.values())


def _away(result: Result, cuts: list[Cut], frame: _Frame, language: str) -> list[str]:
    """Returns a row for each absence: its bar with its name beside it."""
    parts = []
    for row, cut in enumerate(cuts):
        y = _TOP - 22 + _ROW * row
        left, right = (frame.x(result.options.start_unix_s + at_s) for at_s in (cut.from_s, cut.to_s))
        width = max(3, right - left)
        name = escape(text.WORDS.text(cut.what, language))
        fits = left + width < _LEFT + (_WIDTH - _LEFT) * 0.6
        x, anchor = (left + width + 6, "start") if fits else (left - 6, "end")
        parts += [
            f'<rect x="{left:.1f}" y="{y}" width="{width:.1f}" height="10" fill="{_SHADES[cut.what]}"/>',
            f'<text x="{x:.1f}" y="{y + 10}" text-anchor="{anchor}">{name}</text>',
        ]
    return parts


def _shades(result: Result, cuts: list[Cut], frame: _Frame, top: int) -> list[str]:
    """Shades the absences behind the curves of one panel."""
    parts = []
    for cut in cuts:
        left, right = (frame.x(result.options.start_unix_s + at_s) for at_s in (cut.from_s, cut.to_s))
        parts.append(
            f'<rect x="{left:.1f}" y="{top}" width="{max(3, right - left):.1f}" height="{_PANEL}"'
            f' fill="{_SHADES[cut.what]}" fill-opacity="0.22"/>'
        )
    return parts


def _panel(panel: _Curves, snapshots: list[Snapshot], frame: _Frame, top: int, language: str) -> list[str]:
    # The line counts for the peak too: it is drawn over the curve, and a street that stayed dark must not push it out.
    peak = max(panel.values + panel.line) or 1
    span = max(1, peak - panel.floor)
    bottom = top + _PANEL
    left, right = frame.x(frame.begin), frame.x(frame.end)
    curve = _points([value - panel.floor for value in panel.values], span, snapshots, frame, top)
    shown, floor = (text.number(value / panel.scale, language) for value in (peak, panel.floor))
    parts = [
        f'<text x="{_LEFT}" y="{top - 6}">{escape(WORDS.text(panel.label, language))}</text>',
        f'<polygon fill="{_FILL}" fill-opacity="0.75" points="{left:.1f},{bottom} {curve} {right:.1f},{bottom}"/>',
        f'<line x1="{_LEFT}" y1="{bottom}" x2="{_WIDTH - _RIGHT}" y2="{bottom}" stroke="{_AXIS}"/>',
        f'<text x="{_LEFT - 8}" y="{top + 12}" text-anchor="end">{shown}</text>',
        f'<text x="{_LEFT - 8}" y="{bottom}" text-anchor="end">{floor}</text>',
        *_ticks(frame, bottom, language),
    ]
    if panel.line:
        line = _points([value - panel.floor for value in panel.line], span, snapshots, frame, top)
        parts.append(f'<polyline fill="none" stroke="{_LINE}" stroke-width="1.5" points="{line}"/>')
    return parts


def _points(values: list[int], span: int, snapshots: list[Snapshot], frame: _Frame, top: int) -> str:
    return " ".join(
        f"{frame.x(snapshot.unix_s):.1f},{top + _PANEL - _PANEL * value / span:.1f}"
        for snapshot, value in zip(snapshots, values, strict=True)
    )


def _ticks(frame: _Frame, bottom: int, language: str) -> list[str]:
    """Draws local hours under a panel."""
    parts = []
    step_s = 3600 if frame.end - frame.begin < _SHORT_S else 3 * 3600
    for at_s in range(frame.begin - frame.begin % step_s + step_s, frame.end, step_s):
        hour = civil.local_from_unix(civil.PARIS, at_s).second // 3600
        x = frame.x(at_s)
        label = escape(WORDS.text("hour", language, hour=hour))
        parts += [
            f'<line x1="{x:.1f}" y1="{bottom}" x2="{x:.1f}" y2="{bottom + 5}" stroke="{_AXIS}"/>',
            f'<text x="{x:.1f}" y="{bottom + 18}" text-anchor="middle">{label}</text>',
        ]
    return parts


def _bearers(result: Result, frame: _Frame, top: int, language: str) -> list[str]:
    """Draws one band a cabinet: the bearer of its records, from snapshot to snapshot."""
    parts = [f'<text x="{_LEFT}" y="{top - 6}">{escape(WORDS.text("bearers", language))}</text>']
    x = _LEFT + 240
    for bearer, colour in _BEARER_COLOURS.items():
        name = escape(translate(WORDS.messages[bearer or "none"], language))
        parts.append(f'<rect x="{x}" y="{top - 17}" width="12" height="12" fill="{colour}"/>')
        parts.append(f'<text x="{x + 18}" y="{top - 6}">{name}</text>')
        x += 90
    for index, district in enumerate(districts(result.options)[:_BANDS_MAX]):
        y = top + index * (_BAND + _BAND_GAP)
        name = escape(f"{district.commune}/{district.name}")
        parts.append(f'<text x="{_LEFT - 8}" y="{y + 12}" text-anchor="end">{name}</text>')
        for bearer, from_s, to_s in _spells(result.snapshots, index):
            left, right = frame.x(from_s), frame.x(to_s)
            colour = _BEARER_COLOURS[bearer]
            parts.append(
                f'<rect x="{left:.1f}" y="{y}" width="{right - left:.1f}" height="{_BAND}" fill="{colour}"/>'
            )
    return parts


def _spells(snapshots: list[Snapshot], index: int) -> list[tuple[str | None, int, int]]:
    """Returns (bearer, from, to) of one cabinet, with equal neighbours merged."""
    spells: list[tuple[str | None, int, int]] = []
    for snapshot, following in pairwise(snapshots):
        bearer = snapshot.carriers[index]
        if spells and spells[-1][0] == bearer:
            spells[-1] = (bearer, spells[-1][1], following.unix_s)
        else:
            spells.append((bearer, snapshot.unix_s, following.unix_s))
    return spells
