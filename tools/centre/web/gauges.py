"""Draws what a room or a green space measures as a mark of the map, as SVG within a square of 32. Pure.

A thermometer is an arc from the set-point, a dot, to what is measured, with the degrees in it; a drop is as full as the
root zone is, with the millimetres that it lacks. Colours are of the style sheet, by the state that stands beside it.
All that is written here are numbers, so nothing has to be escaped.
"""

from math import cos, pi, sin

from tools.centre.web.limits import DEPLETION_DMM

# The ends of the arc: below and above what a public room is heated to.
_COLDEST_CK, _WARMEST_CK = 500, 2500
_TURN = 1.5 * pi
_R = 12
_DROP = "M0-15C5-8 10-2 10 4A10 10 0 0 1-10 4C-10-2-5-8 0-15Z"
_TOP, _BOTTOM = -15, 14


def thermometer(measured_ck: int | None, setpoint_ck: int | None) -> str:
    """Returns an arc from the set-point to the measured temperature; without these, what is known of them."""
    parts = [f'<path class="track" d="{_arc(0, 1)}"/>']
    if measured_ck is not None and setpoint_ck is not None:
        parts.append(f'<path class="span" d="{_arc(*sorted(map(_share, (measured_ck, setpoint_ck))))}"/>')
    if setpoint_ck is not None:
        x, y = _point(_share(setpoint_ck))
        parts.append(f'<circle class="wanted" cx="{x}" cy="{y}" r="3"/>')
    return "".join(parts) + _text("" if measured_ck is None else f"{round(measured_ck / 100)}°", 4)


def drop(depletion_dmm: int | None) -> str:
    """Returns a drop that is as full as the root zone; of a meter, which has none, an empty one."""
    parts = [f'<path class="track" d="{_DROP}"/>']
    if depletion_dmm is not None:
        empty = min(1.0, depletion_dmm / DEPLETION_DMM)
        level = round(_TOP + empty * (_BOTTOM - _TOP), 1)
        # The drop again, cut off above the level by the frame of an svg within.
        frame = f'x="-16" y="{level}" width="32" height="{16 - level}" viewBox="-16 {level} 32 {16 - level}"'
        parts.append(f'<svg {frame}><path class="fill" d="{_DROP}"/></svg>')
    lacks = "" if depletion_dmm is None else f'{round(depletion_dmm / 10)}<tspan class="unit" x="0" dy="7">mm</tspan>'
    return "".join(parts) + _text(lacks, 4)


def framed(drawn: str, shown: str) -> str:
    """Returns a mark as an element, of the colour of a state."""
    return f'<svg class="gauge {shown}" viewBox="-16 -16 32 32" aria-hidden="true" focusable="false">{drawn}</svg>'


def _text(figure: str, y: int) -> str:
    return figure and f'<text y="{y}" text-anchor="middle">{figure}</text>'


def _share(temperature_ck: int) -> float:
    return min(1.0, max(0.0, (temperature_ck - _COLDEST_CK) / (_WARMEST_CK - _COLDEST_CK)))


def _point(share: float) -> tuple[float, float]:
    turn = 0.75 * pi + share * _TURN
    return round(_R * cos(turn), 1), round(_R * sin(turn), 1)


def _arc(begin: float, end: float) -> str:
    (x, y), (end_x, end_y) = _point(begin), _point(end)
    is_large = (end - begin) * _TURN > pi
    return f"M{x} {y}A{_R} {_R} 0 {int(is_large)} 1 {end_x} {end_y}"
