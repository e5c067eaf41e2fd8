"""Draws the night that a policy wants, by the feeders that have the same: spans of light, from noon to noon."""

from typing import NamedTuple

from policy import civil
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
