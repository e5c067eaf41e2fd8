"""One thing that nodes are told, and whom it aims at. Pure: keeps nothing.

A scope is all nodes (None), a kind of node (`irrigation`), a group of the configuration, or one node by its id in
hexadecimal. Of several that say the same code to a node, the narrowest scope wins, then the one that began last. One
that ends gives way to what it hid: a day of work in closed holidays leaves them closed.

Weather of a day (`directive.OF_A_DAY`) is of the day that goes with it, or else of the one before it was first to hold;
it ends with the day after its own, for who does not ask for its date takes it for yesterday's.
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from policy import civil
from wire import directive

_NODE_DIGITS = 16
ALL, KIND, GROUP, NODE = range(4)


class Told(NamedTuple):
    """`id`: 8 bytes, its name for good. `author` and `reason` are a person's words. `values`: {code of wire.directive:
    value}. `begins_s`, `expires_s`: Unix seconds; `ends_ms`: at the latest, on our monotonic clock, None before the
    first good time."""

    id: bytes
    is_local: bool
    author: str
    reason: str
    scope: str | None
    values: Mapping[int, int]
    begins_s: int
    expires_s: int
    ends_ms: int | None = None

    def is_over(self, *, unix_s: int | None, now_ms: int) -> bool:
        """By UTC or by the monotonic clock, whichever comes first: UTC may be put back."""
        is_past = unix_s is not None and unix_s >= self.expires_s
        return is_past or (self.ends_ms is not None and now_ms >= self.ends_ms)


class Asker(NamedTuple):
    """A node that asks. `kind` as it says itself, None when it does not; `groups`: those it is in."""

    node: bytes
    kind: str | None
    groups: frozenset[str]


def rank(scope: str | None, asker: Asker) -> int | None:
    """How narrowly a scope aims at a node; None: not at all."""
    if scope is None:
        return ALL
    if scope == asker.node.hex():
        return NODE
    if scope in asker.groups:
        return GROUP
    return KIND if scope == asker.kind else None


def is_node(scope: str) -> bool:
    """Whether a scope is a node's id."""
    return len(scope) == _NODE_DIGITS and all(letter in "0123456789abcdef" for letter in scope)


def weather_day(one: Told) -> int:
    """The civil day of what it says of a day's weather."""
    begun = civil.local_from_unix(civil.PARIS, one.begins_s).civil_day
    return int(one.values.get(directive.WEATHER_DAY, begun - 1))


def weather_ends_s(one: Told) -> int:
    """When what it says of a day's weather is no more yesterday's."""
    return int(civil.unix_from_local(civil.PARIS, weather_day(one) + 2, 0))


def without_old_weather(one: Told, unix_s: int) -> Told:
    """The same, less the weather of a day that is over for longer than a day."""
    if not any(code in one.values for code in directive.OF_A_DAY) or unix_s < weather_ends_s(one):
        return one
    dated = (*directive.OF_A_DAY, directive.WEATHER_DAY)
    return one._replace(values={code: value for code, value in one.values.items() if code not in dated})


def winners(known: Iterable[Told], asker: Asker) -> dict[int, Told]:
    """By code, what holds for a node, of those that have begun and are not over."""
    found: dict[int, tuple[tuple[int, int], Told]] = {}
    for one in known:
        place = rank(one.scope, asker)
        if place is None:
            continue
        weight = (place, one.begins_s)
        for code in one.values:
            # Of two that began in the same second the later in the list.
            if code not in found or weight >= found[code][0]:
                found[code] = (weight, one)
    return {code: one for code, (_, one) in found.items()}
