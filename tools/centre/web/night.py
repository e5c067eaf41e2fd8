"""Draws the night that a policy wants, by the feeders that have the same: spans of light, from noon to noon.

What people have ordered lies over it.
"""

from collections.abc import Sequence
from typing import NamedTuple

from policy import civil, sun
from policy.document import Policy
from tools.centre.web import words
from tools.policy.description import feeder_nights

_NOON_S = 43_200
# Width of a drawing; its height is the style's.
WIDTH = 1000


class Ordered(NamedTuple):
    """Holds an order as a night shows it. target: a feeder or a group; None: all, or those of a cabinet. where: its
    place in short, "" for all."""

    from_s: int
    until_s: int
    target: str | None
    is_dark: bool
    where: str = ""


class Plan(NamedTuple):
    """Holds what some feeders do in one night. names: of their groups, "" where all feeders do the same; spans: texts
    such as 17:14-23:00; bars: (x, width) of each; ordered: (order, x, width) of each; at: where now is."""

    names: str
    is_permanent: bool
    spans: tuple[str, ...]
    bars: tuple[tuple[int, int], ...]
    ordered: tuple[tuple[Ordered, int, int], ...]
    at: int


class Wanted(NamedTuple):
    """States whether a feeder is to be lit at an instant, since when and until when; Unix seconds, None: longer than a
    day. is_extinction: it is dark between two spans of light of one night."""

    is_lit: bool
    since_s: int | None
    until_s: int | None
    is_extinction: bool = False


def wanted(policy: Policy, *, now_s: int) -> dict[str, Wanted]:
    """Returns what a policy wants now of each feeder that it switches, by the feeder's name."""
    evening, site = evening_of(now_s), policy.lighting.site
    dusk_s = sun.crossing_s(evening, site.latitude_e4, site.longitude_e4, rising=False)
    dawn_s = sun.crossing_s(evening + 1, site.latitude_e4, site.longitude_e4, rising=True)
    found = {}
    for nights in zip(*(feeder_nights(policy, evening + day) for day in (-1, 0, 1)), strict=True):
        if nights[0].rule is None:
            continue  # always powered
        spans = [span for one in nights for span in one.lit]
        edges = [at_s for span in spans for at_s in span]
        edges = [at_s for at_s in edges if edges.count(at_s) == 1]  # a span may go on over noon
        since_s = max((at_s for at_s in edges if at_s <= now_s), default=None)
        until_s = min((at_s for at_s in edges if at_s > now_s), default=None)
        is_lit = any(span.from_s <= now_s < span.to_s for span in spans)
        is_within = None not in (dusk_s, dawn_s, since_s, until_s) and dusk_s <= since_s and until_s <= dawn_s
        found[nights[0].feeder.name] = Wanted(is_lit, since_s, until_s, is_within and not is_lit)
    return found


def evening_of(unix_s: int) -> int:
    """Returns the civil day whose evening belongs to the night of this instant, noon to noon."""
    return int(civil.local_from_unix(civil.PARIS, unix_s - _NOON_S).civil_day)


def is_morning(unix_s: int) -> bool:
    """Returns whether the night of this instant began on the day before."""
    return evening_of(unix_s) < civil.local_from_unix(civil.PARIS, unix_s).civil_day


def is_day(policy: Policy, *, now_s: int) -> bool:
    """Returns whether the sun is up where a policy is in force."""
    site, today = policy.lighting.site, civil.local_from_unix(civil.PARIS, now_s).civil_day
    dawn_s, dusk_s = (
        sun.crossing_s(today, site.latitude_e4, site.longitude_e4, rising=rising) for rising in (True, False)
    )
    return None not in (dawn_s, dusk_s) and bool(dawn_s <= now_s < dusk_s)


def dark_and_night_s(policy: Policy, evening: int, between: tuple[int, int] | None = None) -> tuple[int, int]:
    """Returns how long this night is, from sunset to sunrise, and for how much of it the policy leaves a feeder that it
    switches dark, in the mean; seconds, dark first. (0, 0) where there is no such feeder, or no sunset. `between`:
    only what of it lies between two Unix seconds."""
    site = policy.lighting.site
    dusk_s = sun.crossing_s(evening, site.latitude_e4, site.longitude_e4, rising=False)
    dawn_s = sun.crossing_s(evening + 1, site.latitude_e4, site.longitude_e4, rising=True)
    switched = [one.lit for one in feeder_nights(policy, evening) if one.rule is not None]
    if dusk_s is None or dawn_s is None or not switched:
        return 0, 0
    if between is not None:
        dusk_s, dawn_s = max(dusk_s, between[0]), min(dawn_s, between[1])
    night_s = max(0, dawn_s - dusk_s)
    lit_s = sum(max(0, min(span.to_s, dawn_s) - max(span.from_s, dusk_s)) for lit in switched for span in lit)
    return night_s - lit_s // len(switched), night_s


def plans(policy: Policy, ordered: Sequence[Ordered] = (), *, now_s: int) -> list[Plan]:
    """Returns the different nights of the commune's feeders, with the orders that touch them."""
    evening = evening_of(now_s)
    first_s, last_s = (civil.unix_from_local(civil.PARIS, day, _NOON_S) for day in (evening, evening + 1))

    def x(unix_s: int) -> int:
        return int(WIDTH * (min(max(unix_s, first_s), last_s) - first_s) // (last_s - first_s))

    groups: dict[tuple, set[str]] = {}
    targets: dict[tuple, set[str | None]] = {}
    for one in feeder_nights(policy, evening):
        key = one.rule is None, one.lit
        groups.setdefault(key, set()).add(one.feeder.group)
        targets.setdefault(key, {None}).update((one.feeder.group, one.feeder.name))
    tonight = [one for one in ordered if one.until_s > first_s and one.from_s < last_s]
    return [
        Plan(
            ", ".join(sorted(names)) if len(groups) > 1 else "",
            is_permanent,
            tuple(f"{words.clock(span.from_s)}-{words.clock(span.to_s)}" for span in lit),
            tuple((x(span.from_s), x(span.to_s) - x(span.from_s)) for span in lit),
            tuple(
                (one, x(one.from_s), x(one.until_s) - x(one.from_s))
                for one in tonight
                if one.target in targets[is_permanent, lit] and not is_permanent
            ),
            x(now_s),
        )
        for (is_permanent, lit), names in groups.items()
    ]
