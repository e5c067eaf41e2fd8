"""Draws the night of each feeder as a bar from noon to noon, and gives the same in words for people who cannot see it;
feeders with the same night share one.

Hours are placed by Unix time, so on the two nights of the change an hour is missing or twice as wide. Light is a
filled block whose height is its level; a command's end is a tick.
"""

from gateway.core.status import FeederStatus
from gateway.show.explain import moments
from gateway.show.explain.night import Row, Tonight, tonight
from gateway.show.explain.why import state_words
from gateway.show.page.html import Child, Safe, join, tag
from gateway.show.page.view import View
from policy import civil

_WIDTH, _TOP, _HEIGHT = 360, 4, 40
_LABELS_Y = 62
_HOURS = (12, 15, 18, 21, 0, 3, 6, 9, 12)


def tonight_screen(view: View) -> Safe:
    """Shows every night, noon to noon, with the feeders that have it."""
    cabinet = view.cabinet
    if cabinet is None or not cabinet.feeders:
        return tag("p", view.text("now.none"), class_="notice")
    nights: dict[Tonight | None, list[FeederStatus]] = {}
    for feeder in cabinet.feeders:
        nights.setdefault(tonight(cabinet, feeder, view.unix_s, view.language), []).append(feeder)
    known = next((found for found in nights if found is not None), None)
    lead = None
    if known is not None:
        lead = tag("p", view.text("tonight.lead", day=moments.date(known.start_s, view.language)))
    return join(lead, [_night(view, alike) for alike in nights.values()])


def bar(view: View, alike: list[FeederStatus]) -> Safe:
    """Shows the bar of feeders with one and the same night, and its changes in words."""
    assert view.cabinet is not None
    found = tonight(view.cabinet, alike[0], view.unix_s, view.language)
    if found is None:
        return tag("p", view.text("tonight.unknown"), class_="notice")
    changes = _changes(view, found, is_permanent=alike[0].is_permanent)
    notes = [tag("li", note, class_="note") for note in found.notes]
    listed = tag("ol", [tag("li", *one) for one in changes], notes, class_="night")
    return join(_svg(view, ", ".join(feeder.name for feeder in alike), found), listed)


def _night(view: View, alike: list[FeederStatus]) -> Safe:
    links = [tag("a", feeder.name, href=f"/feeder/{feeder.place}") for feeder in alike]
    return tag("section", tag("h2", [join(", " if index else "", link) for index, link in enumerate(links)]),
               bar(view, alike), class_="card")  # fmt: skip


def _changes(view: View, found: Tonight, *, is_permanent: bool) -> list[tuple[Child, ...]]:
    """Returns (time, state and reason) of every row; of a permanent feeder, that it is powered: its lamps dim apart."""
    rows: list[tuple[Child, ...]] = []
    for row in found.rows:
        state = "" if row.level is None else state_words(row.level > 0, view.language)
        if is_permanent and row.level:
            state = view.text("tonight.powered")
        shown = tag("p", tag("strong", state), " " if state else None, tag("span", row.words))
        rows.append((tag("b", moments.clock(row.unix_s, view.language)), " ", shown))
    return rows


def _svg(view: View, names: str, found: Tonight) -> Safe:
    words = ", ".join(
        f"{moments.clock(row.unix_s, view.language)} {state_words(row.level > 0, view.language)}"
        for row in found.rows
        if row.level is not None
    )
    return tag(
        "svg",
        tag("rect", y=_TOP, width=_WIDTH, height=_HEIGHT, rx=4, class_="sky"),
        _hours(found),
        _blocks(found),
        [_tick(found, row) for row in found.rows if row.level is None],
        _now(view, found),
        viewBox=f"0 0 {_WIDTH} {_LABELS_Y + 4}",
        class_="night-svg",
        role="img",
        aria_label=view.text("tonight.bar", name=names, changes=words),
    )


def _blocks(found: Tonight) -> list[Safe]:
    levels = [row for row in found.rows if row.level is not None]
    blocks = []
    for index, row in enumerate(levels):
        if not row.level:
            continue
        end_s = levels[index + 1].unix_s if index + 1 < len(levels) else found.end_s
        x, height = _x(found, row.unix_s), round(_HEIGHT * row.level / 100, 1)
        width = round(_x(found, end_s) - x, 1)
        blocks.append(tag("rect", x=x, y=_TOP + _HEIGHT - height, width=width, height=height, class_="light"))
    return blocks


def _hours(found: Tonight) -> list[Safe]:
    evening = civil.local_from_unix(moments.ZONE, found.start_s).civil_day
    marks = []
    for index, hour in enumerate(_HOURS):
        day = evening if index < 4 else evening + 1
        x = _x(found, civil.unix_from_local(moments.ZONE, day, 3600 * hour))
        anchor = "start" if index == 0 else "end" if index == len(_HOURS) - 1 else "middle"
        marks.append(tag("line", x1=x, x2=x, y1=_TOP, y2=_TOP + _HEIGHT, class_="hour"))
        if hour % 6 == 0:  # more would be too small to be read on a phone
            marks.append(tag("text", f"{hour} h", x=x, y=_LABELS_Y, text_anchor=anchor))
    return marks


def _tick(found: Tonight, row: Row) -> Safe:
    """Draws a tick visible on light and on dark: one stroke over a wider one."""
    x = _x(found, row.unix_s)
    return join(
        tag("line", x1=x, x2=x, y1=_TOP, y2=_TOP + _HEIGHT, class_=f"command {side}") for side in ("under", "over")
    )


def _now(view: View, found: Tonight) -> Child:
    if view.unix_s is None or not found.start_s <= view.unix_s < found.end_s:
        return None
    x = _x(found, view.unix_s)
    return tag("line", x1=x, x2=x, y1=0, y2=_TOP + _HEIGHT + 4, class_="now")


def _x(found: Tonight, unix_s: int) -> float:
    return round(_WIDTH * (unix_s - found.start_s) / (found.end_s - found.start_s), 1)
