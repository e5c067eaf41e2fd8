"""Decides what a cabinet does with the centre's plan of programs for nodes: the file `nodes.json` beside the packages.

The plan says for each kind of node which image is wanted, in which cabinets, and how the campaign goes in each. It
needs no signature of its own beside TLS: nodes take what the territory's key has signed, and never a lower number. A
campaign that a technician began here after the centre's stays. Must not know files or the network.
"""

from typing import Any, NamedTuple

from gateway.core.campaigns.campaign import Plan
from gateway.core.custody.disk import parse_json
from wire.image import NUMBER_MAX

FILE = "nodes.json"
_PLANS_MAX = 8
_NAMES_MAX = 20_000
# name: (lowest, highest); the commands of both sides keep them (`bocage gateway images`, `bocage centre programs`).
BOUNDS = {
    "number": (1, NUMBER_MAX),
    "canaries": (0, 1000),
    "soak_s": (0, 30 * 86_400),
    "failures_max": (0, 1000),
    "pace_percent": (1, 100),
}

# What is to be done. LOWER: nothing, for a higher number is held here.
FETCH, BEGIN, STOP, LOWER = "fetch", "begin", "stop", "lower"


class Wanted(NamedTuple):
    """Holds what the centre wants of one kind of node. `plan.begun_s`: when the centre began it; `cabinets` None: all;
    `stopped_s`: when a person or failures ended it."""

    plan: Plan
    cabinets: frozenset[str] | None
    stopped_s: int | None = None

    @property
    def file(self) -> str:
        """Return the name of the image's file at the centre."""
        return f"{self.plan.product}-{self.plan.number}.img"


def parse(text: bytes) -> list[Wanted]:
    """Return what the centre has written (tools/centre/agents/programs.py). ValueError names the field."""
    plain: Any = parse_json(text)
    if not isinstance(plain, list) or len(plain) > _PLANS_MAX or not all(isinstance(one, dict) for one in plain):
        raise ValueError("form")
    return [_parse(one, one.get("stages")) for one in plain]


def _parse(plain: dict[str, Any], stages: Any) -> Wanted:
    for name, (low, high) in BOUNDS.items():
        if type(plain.get(name)) is not int or not low <= plain[name] <= high:
            raise ValueError(name)
    if not isinstance(plain.get("product"), str) or not isinstance(stages, dict):
        raise ValueError("product" if isinstance(stages, dict) else "stages")
    begun_s, since_s, names = (stages.get(name) for name in ("begun_unix_s", "since_unix_s", "cabinets"))
    if type(begun_s) is not int or type(since_s) is not int or not 0 < begun_s <= since_s:
        raise ValueError("begun_unix_s")
    if names is not None and (not isinstance(names, list) or len(names) > _NAMES_MAX):
        raise ValueError("cabinets")
    plan = Plan(plain["product"], begun_s=begun_s, **{name: plain[name] for name in BOUNDS})
    cabinets = None if names is None else frozenset(map(str, names))
    return Wanted(plan, cabinets, since_s if stages.get("state") == "stopped" else None)


def decide(wanted: Wanted, cabinet: str, *, held: int | None, local: Plan | None) -> str | None:
    """Return what this cabinet has to do; None: nothing. `held`: the number of the image that is offered here; `local`:
    the plan of its campaign."""
    number = wanted.plan.number
    if wanted.stopped_s is not None:
        if local is None or local.is_stopped or local.number != number:
            return None
        return STOP if local.begun_s < wanted.stopped_s else None
    if wanted.cabinets is not None and cabinet not in wanted.cabinets:
        return None
    if held is not None and held > number:
        return LOWER
    if held != number:
        return FETCH
    return None if local is not None and local.begun_s >= wanted.plan.begun_s else BEGIN
