"""What the street should get, by true UTC: policy, orders that were given, and what can be known where a clock is
missing. For `street`; knows no gateway code.

    KNOWN     the agent runs and has been told the time: policy and orders
    NIGHTLY   it runs without a clock, but with a photocell: lit in the dark, dark by day; in twilight and in the
              hours of extinction either is right
    ORDINARY  nobody runs, or nobody knows the time: the hardware fallback holds the ordinary hours. Where
              policy or orders want otherwise, nothing is judged: no hardware could know
"""

from collections.abc import Sequence
from typing import NamedTuple

from policy import lighting, sun

KNOWN, NIGHTLY, ORDINARY = "known", "nightly", "ordinary"
# True elevation, 0.01°: below it the brightest sky has less than 4 lx; above it the darkest clouds leave 175 lx.
_NIGHT_CDEG, _DAY_CDEG = -600, 0
_LOOK_S = 30


class Order(NamedTuple):
    """An emergency or an override that the workload gave: from, to (Unix s). `feeder` None: all of them."""

    feeder: int | None
    lit: bool
    from_s: int
    to_s: int


class Wanting:
    """A `street.Wants`. `calendars`, by feeder: of the policy and of the hardware fallback; None: always lit.

    `doubt_s`: how far the agent's clock may be off UTC by the story; a want that is so close to a change is not judged.
    With NIGHTLY it means that the agent may go by either, its clock or its photocell.
    Let the checker `pass_to` now before `mode`, `doubt_s` or `orders` are changed.
    """

    def __init__(
        self, site: lighting.Site, calendars: Sequence[tuple[lighting.Calendar, lighting.Calendar] | None]
    ) -> None:
        self.mode = ORDINARY
        self.doubt_s = 0
        self.orders: list[Order] = []
        self._site = site
        self._plans = [
            None if pair is None else (lighting.Plan(pair[0], site), lighting.Plan(pair[1], site)) for pair in calendars
        ]

    def __call__(self, feeder: int, unix_s: int) -> tuple[bool | None, int]:
        plans = self._plans[feeder]
        if plans is None:
            return True, unix_s + 86_400
        policy, ordinary = plans
        wanted, until_s = self._ordered(feeder, policy, unix_s)
        if self.mode == KNOWN and not self.doubt_s:
            return wanted, until_s
        if self.mode == KNOWN:
            return self._sure(feeder, policy, unix_s)
        if self.mode == NIGHTLY:
            nightly = self._nightly(wanted, until_s, unix_s)
            return nightly if not self.doubt_s else _agreed(nightly, self._sure(feeder, policy, unix_s))
        return _agreed((wanted, until_s), _plain(ordinary, unix_s))

    def _ordered(self, feeder: int, plan: lighting.Plan, unix_s: int) -> tuple[bool, int]:
        """By policy and by the orders given; the latest order wins."""
        wanted, until_s = _plain(plan, unix_s)
        for order in self.orders:
            if order.feeder not in (None, feeder):
                continue
            if order.from_s <= unix_s < order.to_s:
                wanted, until_s = order.lit, min(until_s, order.to_s)
            elif unix_s < order.from_s:
                until_s = min(until_s, order.from_s)
        return wanted, until_s

    def _sure(self, feeder: int, plan: lighting.Plan, unix_s: int) -> tuple[bool | None, int]:
        """The want that holds all over what the clock may say; no window of a policy is shorter than the doubt."""
        wanted, until_s = self._ordered(feeder, plan, unix_s - self.doubt_s)
        later, later_until_s = self._ordered(feeder, plan, unix_s + self.doubt_s)
        return wanted if wanted == later else None, min(until_s + self.doubt_s, later_until_s - self.doubt_s)

    def _nightly(self, wanted: bool, until_s: int, unix_s: int) -> tuple[bool | None, int]:
        looked_s = unix_s - unix_s % _LOOK_S
        height = sun.elevation_cdeg(looked_s, self._site.latitude_e4, self._site.longitude_e4)
        until_s = min(until_s, looked_s + _LOOK_S)
        is_sure = height < _NIGHT_CDEG if wanted else height >= _DAY_CDEG
        return wanted if is_sure else None, until_s


def _agreed(one: tuple[bool | None, int], other: tuple[bool | None, int]) -> tuple[bool | None, int]:
    """Where both want the same; otherwise nobody can say."""
    return one[0] if one[0] == other[0] else None, min(one[1], other[1])


def _plain(plan: lighting.Plan, unix_s: int) -> tuple[bool, int]:
    wanted = plan.wanted(unix_s)
    return wanted.level_percent > 0, wanted.until_s
