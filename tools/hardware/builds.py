"""Checks a build: what would burn, shock, fail or stay unconnected is refused with its reason and remedy.

Must not judge a value by itself: tools/hardware/files.py does that, and only sound files come here.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from policy.fault import Fault
from tools.hardware.build_schema import EXPOSED, OTHER_ROLES, PLACES, SECTIONS_MA
from tools.hardware.files import Facts, uses

MAINS = "mains"
SELV = "selv"
# What a supply may be asked for, in percent of its rating.
_LOAD_PERCENT_MAX = 80


def check_build(build: Mapping[str, Any], facts: Facts) -> Iterator[Fault]:
    """Checks the facts of one build against one another and against the node that it carries."""
    found = list(_check_nodes(build, facts))
    yield from found
    if found:  # without its node an item has no terminals to judge
        return
    domains = terminals(build, facts)
    found = list(_check_ends(build, domains))
    yield from found
    yield from _check_unreached(build, facts)
    yield from _check_place(build, set(domains.values()))
    yield from _check_budget(build)
    if not found:  # a wire to nowhere has no domain
        yield from _check_domains(build, domains)
        yield from _check_fuses(build, domains)


def terminals(build: Mapping[str, Any], facts: Facts) -> dict[str, str]:
    """Returns {"item.terminal": "mains" or "selv"} of all items."""
    found = {}
    for name, item in build["item"].items():
        for terminal in wanted_terminals(item, facts):
            found[f"{name}.{terminal}"] = SELV
        for domain in (SELV, MAINS):
            for terminal in item.get(domain, ()):
                found[f"{name}.{terminal}"] = domain
    return found


def wanted_terminals(item: Mapping[str, Any], facts: Facts) -> dict[str, str]:
    """Returns {"J1.COM": name of its use} of what is fitted on an item's node, its supply among them; empty for other
    items."""
    if "node" not in item:
        return {}
    node = facts.nodes[item["node"]]
    fitted = item.get("fitted", [])
    replaced = {node[name].get("fitted", "").removeprefix("instead of ") for name in fitted}
    found = {f"{node['supply']['connector']}.{end}": "supply" for end in node.get("supply", {}).get("terminals", ())}
    for name, use in uses(node).items():
        if name in fitted or ("fitted" not in use and name not in replaced):
            found |= {f"{use['connector']}.{terminal}": name for terminal in use.get("terminals", ())}
    return found


def budgets(build: Mapping[str, Any]) -> dict[str, tuple[int, int, dict[str, tuple[int, int]]]]:
    """Returns {supply: (rated mA, volts in mV, {consumer: (typical mA, peak mA)})}: a consumer belongs to the supply of
    its voltage."""
    items = build["item"]
    return {
        name: (
            supply["supply_ma"],
            supply["volts_mv"],
            {
                other: (item["typical_ma"], item["peak_ma"])
                for other, item in items.items()
                if "peak_ma" in item and "typical_ma" in item and item.get("volts_mv") == supply["volts_mv"]
            },
        )
        for name, supply in items.items()
        if "supply_ma" in supply and "volts_mv" in supply
    }


def _check_nodes(build: Mapping[str, Any], facts: Facts) -> Iterator[Fault]:
    roles = (*facts.nodes, *OTHER_ROLES)
    if build["role"] not in roles:
        yield Fault("role", f"is {build['role']!r}", f"give one of {', '.join(roles)}")
    for name, item in build["item"].items():
        if "node" not in item:
            continue
        node = facts.nodes.get(item["node"])
        if node is None:
            yield Fault(f"item.{name}.node", f"{item['node']!r} is no node", "name a file of hardware/nodes")
            continue
        for key in ("fitted", "unwired"):
            for use in item.get(key, ()):
                if use not in uses(node) and (key, use) != ("unwired", "supply"):
                    yield Fault(f"item.{name}.{key}", f"{use!r} is no use of {item['node']}", "name one that is")


def _check_ends(build: Mapping[str, Any], domains: Mapping[str, str]) -> Iterator[Fault]:
    """Finds wires and inlets at terminals that are not there, and terminals that a node does not have."""
    for number, wire in enumerate(build["wire"], 1):
        for key in ("from", "to"):
            if wire[key] not in domains:
                yield Fault(f"wire {number}.{key}", f"{wire[key]!r} is no terminal", "name ITEM.TERMINAL of an item")
    for name, item in build["item"].items():
        for terminal in item.get("inlet", ()):
            if f"{name}.{terminal}" not in domains:
                yield Fault(f"item.{name}.inlet", f"{terminal!r} is no terminal of it", "name one of its own")


def _check_unreached(build: Mapping[str, Any], facts: Facts) -> Iterator[Fault]:
    reached = {wire[key] for wire in build["wire"] for key in ("from", "to")}
    for name, item in build["item"].items():
        wanted = wanted_terminals(item, facts)
        for terminal in item.get(MAINS, []) + item.get(SELV, []):
            if "node" in item and terminal not in wanted:
                problem = f"{terminal!r} is no terminal of what is fitted on {item['node']}"
                yield Fault(f"item.{name}", problem, "name one of hardware/nodes, or fit its use")
            wanted.setdefault(terminal, "")
        for terminal, use in wanted.items():
            if f"{name}.{terminal}" not in reached and use not in item.get("unwired", ()):
                problem = f"no wire reaches {terminal}" + (f" of {use}" if use else "")
                yield Fault(f"item.{name}", problem, "wire it, or leave it out (`unwired` for a use of a node)")


def _check_place(build: Mapping[str, Any], domains: set[str]) -> Iterator[Fault]:
    enclosure = build["enclosure"]
    place, ip = enclosure["place"], enclosure.get("ip", "")
    least = PLACES[place]
    digits = tuple(int(digit) for digit in ip.removeprefix("IP") if digit.isdecimal())
    if place != "bench" and (len(digits) != 2 or digits[0] < least[0] or digits[1] < least[1]):
        yield Fault("enclosure.ip", f"is {ip!r}", f"{place} needs IP{least[0]}{least[1]} or better")
    if MAINS not in domains:
        return
    if place == "bench":
        yield Fault("item", "has mains terminals", "a bench build has no mains: feed it by USB or a plug-in supply")
    if place in EXPOSED and not any(item.get("surge") for item in build["item"].values()):
        yield Fault("item", "has no surge protection", f"mains in a {place} need an item with surge = true")


def _check_budget(build: Mapping[str, Any]) -> Iterator[Fault]:
    counted = set()
    for name, (supply_ma, _volts_mv, consumers) in budgets(build).items():
        counted |= set(consumers)
        peak_ma = sum(peak for _typical, peak in consumers.values())
        if peak_ma * 100 > supply_ma * _LOAD_PERCENT_MAX:
            problem = f"gives {supply_ma} mA, and its consumers may take {peak_ma} mA at once"
            yield Fault(f"item.{name}.supply_ma", problem, f"keep them below {_LOAD_PERCENT_MAX} % of it")
    for name, item in build["item"].items():
        if ("peak_ma" in item or "typical_ma" in item) and name not in counted:
            problem = "has a current, and no supply of its voltage, or not both currents"
            yield Fault(f"item.{name}", problem, "give volts_mv, typical_ma and peak_ma, and a supply of that volts_mv")


def _check_domains(build: Mapping[str, Any], domains: Mapping[str, str]) -> Iterator[Fault]:
    for number, wire in enumerate(build["wire"], 1):
        if domains[wire["from"]] != domains[wire["to"]]:
            problem = f"joins {domains[wire['from']]} ({wire['from']}) to {domains[wire['to']]} ({wire['to']})"
            yield Fault(f"wire {number}", problem, "keep the mains and what people touch apart")


def _check_fuses(build: Mapping[str, Any], domains: Mapping[str, str]) -> Iterator[Fault]:
    """Finds what an inlet feeds before a fuse, and wires thinner than their fuse allows: the largest of the build for
    the mains, the one at their end for the others."""
    items = build["item"]
    inlets = {f"{name}.{end}": name for name, item in items.items() for end in item.get("inlet", ())}
    for name, item in items.items():
        if "inlet" in item and MAINS in item and "upstream_ma" not in item:
            yield Fault(f"item.{name}.upstream_ma", "is missing", "give the protection that the network has before it")
    for number, wire in enumerate(build["wire"], 1):
        ends = (wire["from"], wire["to"])
        source = next((inlets[end] for end in ends if end in inlets), "")
        others = {end.partition(".")[0] for end in ends} - {source}
        if source and not any("fuse_ma" in items[name] for name in others):
            yield Fault(f"wire {number}", f"feeds {', '.join(others)} before a fuse", f"lead {source} to a fuse first")
        if source and "upstream_ma" in items[source]:
            rated = items[source]["upstream_ma"]
        else:
            domain = domains[wire["from"]]
            near = items if domain == MAINS else {end.partition(".")[0] for end in ends}
            rated = max((items[name].get("fuse_ma", 0) for name in near if domain in items[name]), default=0)
        if rated > SECTIONS_MA[wire["mm2"]]:
            problem = f"is {wire['mm2']} mm2 behind {rated} mA, and may have {SECTIONS_MA[wire['mm2']]} mA"
            yield Fault(f"wire {number}.mm2", problem, "take a thicker wire or a smaller fuse")
