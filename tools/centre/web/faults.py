"""Lists what is broken in a commune by cause, the latest first: since when, where, what follows from it, what to do."""

from collections import Counter
from typing import Any

from gateway.language import N_, NC_, NN_, Phrases, events
from tools.centre.condition import words as fault_words
from tools.centre.condition.faults import Faults
from tools.centre.condition.groups import Group, group, lights_behind
from tools.centre.registry.equipment import LIGHT
from tools.centre.web.access import commune, opened
from tools.centre.web.health import alone
from tools.centre.web.page import Pager, picture, shown
from tools.centre.web.pictures import Picture

WORDS = Phrases({
    "title": N_("Faults in {commune}"),
    "count": NN_("{count} cause", "{count} causes"),
    "none": N_("No fault is open."),
    "none.last": N_("No fault is open. The last one ended {when}."),
    "lights": NN_("{count} light on it", "{count} lights on it"),
    "others": NN_("{count} other fault of this cause", "{count} other faults of this cause"),
    "to_do": N_("To do: {remedy}"),
    "taken": N_("In hand of {person}"),
    "free": NC_("fault", "Nobody has it in hand"),
    "on_map": N_("Show on the map"),
    "received": N_("time unknown, received {when}"),
})  # fmt: skip


def faults(request: Any, insee: str) -> Any:
    own = commune(request, insee)
    # All that the person may see: a cause may lie beyond the border.
    with opened(request.areas) as connection:
        known = Faults(connection)
        groups = [one for one in group(known.open()) if one.is_of(insee)]
        ended_s = None if groups else _last_end(known, insee, now_s=request.now_s)
    lights = _lights(picture(request, own))
    pager = Pager.of(request.GET.get("page", ""), len(groups))
    rows = [_row(one, insee, lights, request.language) for one in groups[pager.slice]]
    return shown(
        request, "faults.html", WORDS, commune=own, tab="faults", rows=rows, found=len(groups), ended_unix_s=ended_s,
        pager=pager, alone=alone(request, own),
    )  # fmt: skip


def _lights(whole: Picture) -> Counter[tuple[str | None, str | None]]:
    counted: Counter[tuple[str | None, str | None]] = Counter()
    for one in whole.lights:
        counted[one.state.cabinet, one.state.feeder] += 1
        if one.state.feeder is not None:
            counted[one.state.cabinet, None] += 1
    return counted


def _last_end(known: Faults, insee: str, *, now_s: int) -> int | None:
    """Returns when the last fault of the commune ended, of this week's."""
    week = known.between(now_s - 7 * 86_400, now_s)
    return max((one.end_unix_s for one in week if one.commune == insee and one.end_unix_s is not None), default=None)


def _row(one: Group, insee: str, lights: Counter[tuple[str | None, str | None]], language: str) -> dict[str, Any]:
    first = one.first
    place = first.place
    is_light = place is not None and place.key[:2] == (insee, LIGHT) and not first.names_feeder
    return {
        "key": f"{first.node.hex()}-{first.begin[0]}-{first.begin[1]}",
        "since_unix_s": first.since_unix_s,
        "received_unix_s": first.received_unix_s,
        "where": fault_words.where_text(first, language),
        "sentence": fault_words.sentence(first, language),
        "lights": lights_behind(one, lights),
        "others": [fault_words.short_text(other, language) for other in one.others],
        "remedy": events.remedy(first.code, language),
        "taken": first.acknowledged,
        "notes": [(note.written_unix_s, note.author, note.words) for note in first.notes],
        "light": place.key.id if place is not None and is_light else None,
    }
