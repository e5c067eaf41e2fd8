"""Draws the night that a policy wants, by the feeders that have the same: spans of light, from noon to noon."""

from typing import NamedTuple

from policy import civil, sun
from policy.document import Policy
from tools.centre.web import words
from tools.policy.description import feeder_nights

_NOON_S = 43_200
# Width of a drawing; its height is the style's.
WIDTH = 1000


class Plan(NamedTuple):
    """Holds what some feeders do in one night. names: of their groups, "" where all feeders do the same; spans: texts
    such as 17:14-23:00; bars: (x, width) of each; at: where now is."""

    names: str
    is_permanent: bool
    spans: tuple[str, ...]
    bars: tuple[tuple[int, int], ...]
    at: int


def evening_of(unix_s: int) -> int:
    """Returns the civil day whose evening belongs to the night of this instant, noon to noon."""
    return int(civil.local_from_unix(civil.PARIS, unix_s - _NOON_S).civil_day)


def dark_and_night_s(policy: Policy, evening: int) -> tuple[int, int]:
    """Returns how long this night is, from sunset to sunrise, and for how much of it the policy leaves a feeder that it
    switches dark, in the mean; seconds, dark first. (0, 0) where there is no such feeder, or no sunset."""
    site = policy.lighting.site
    dusk_s = sun.crossing_s(evening, site.latitude_e4, site.longitude_e4, rising=False)
    dawn_s = sun.crossing_s(evening + 1, site.latitude_e4, site.longitude_e4, rising=True)
    switched = [one.lit for one in feeder_nights(policy, evening) if one.rule is not None]
    if dusk_s is None or dawn_s is None or not switched:
        return 0, 0
    lit_s = sum(max(0, min(span.to_s, dawn_s) - max(span.from_s, dusk_s)) for lit in switched for span in lit)
    return dawn_s - dusk_s - lit_s // len(switched), dawn_s - dusk_s


def plans(policy: Policy, *, now_s: int) -> list[Plan]:
    """Returns the different nights of the commune's feeders."""
    evening = evening_of(now_s)
    first_s, last_s = (civil.unix_from_local(civil.PARIS, day, _NOON_S) for day in (evening, evening + 1))

    def x(unix_s: int) -> int:
        return int(WIDTH * (min(max(unix_s, first_s), last_s) - first_s) // (last_s - first_s))

    groups: dict[tuple, set[str]] = {}
    for one in feeder_nights(policy, evening):
        groups.setdefault((one.rule is None, one.lit), set()).add(one.feeder.group)
    return [
        Plan(
            ", ".join(sorted(names)) if len(groups) > 1 else "",
            is_permanent,
            tuple(f"{words.clock(span.from_s)}-{words.clock(span.to_s)}" for span in lit),
            tuple((x(span.from_s), x(span.to_s) - x(span.from_s)) for span in lit),
            x(now_s),
        )
        for (is_permanent, lit), names in groups.items()
    ]
