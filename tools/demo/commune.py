"""Reads the lights of a real commune from its GeoPackage, as its register would be imported, to run a node in each.

Nodes, cabinets and watts are simulated: a file knows which lamp stands where, and not which node serves it. Lights hang
on the cabinets and feeders that the file names, or else on one of ours and a feeder a street. Only the lights nearest
to the middle are taken where there are more than the demonstration runs. What the file lacks is said (`missing`).
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from math import dist
from pathlib import Path
from statistics import median
from typing import NamedTuple

from gateway.language import N_, NN_, Message, Sentence
from policy.limits import feeders_max
from simulator.estates.streets import District
from tools.centre.condition.walk import Spot, in_walking_order
from tools.centre.register import changes, geopackage, mapping, statements
from tools.centre.register.equipment import CABINET, COMMUNE, FEEDER, LIGHT, Equipment, Key, cabinet_of
from tools.centre.register.history import nearest
from tools.centre.register.table import Unreadable, unreadable
from wire.command import NAME_BYTES_MAX

# Of a feeder that no file names; see `towns`.
_FEEDER_LIGHTS = 30
_NO_LIGHT = N_("has no street light with a position")
_GIVE_LIGHTS = N_("lines of the kind light, with points: see `bocage centre register import --help`")
_MISSING: dict[str, Message] = {
    "taken": NN_("{count} light of {all} is taken; more with --lamps",
                 "{count} lights of {all} are taken; more with --lamps"),
    "position": NN_("{count} light has no position and is left out",
                    "{count} lights have no position and are left out"),
    "street": NN_("{count} light names no street", "{count} lights name no street"),
    "cabinet": NN_("{count} light names no cabinet: it hangs on one of the demonstration",
                   "{count} lights name no cabinet: they hang on one of the demonstration"),
    "feeder": NN_("{count} light names no feeder: each street has one of its own",
                  "{count} lights name no feeder: each street has one of its own"),
    "others": NN_("{count} line is no street light of this commune and is left out",
                  "{count} lines are no street lights of this commune and are left out"),
}  # fmt: skip


class Light(NamedTuple):
    """Holds a light of the file, and the feeder that it hangs on here."""

    id: str
    equipment: Equipment
    feeder: str


class Cabinet(NamedTuple):
    """Holds a cabinet, named as its gateway is, with its lights in the order of its cables, feeder by feeder."""

    name: str
    equipment: Equipment
    lights: tuple[Light, ...]


class File(NamedTuple):
    """Holds what a file says of a commune. missing: sentences of what it lacks."""

    insee: str
    name: str
    cabinets: tuple[Cabinet, ...]
    missing: tuple[Sentence, ...]

    def districts(self) -> tuple[District, ...]:
        """Returns the cabinets as the simulator runs them: under a policy, unless they have more feeders than one may
        name."""
        is_governed = len({light.feeder for cabinet in self.cabinets for light in cabinet.lights}) <= feeders_max
        found = []
        for at, cabinet in enumerate(self.cabinets):
            longitude, latitude = cabinet.equipment.longitude, cabinet.equipment.latitude
            assert longitude is not None and latitude is not None
            place = round(latitude * 10_000), round(longitude * 10_000)
            fed = Counter(light.feeder for light in cabinet.lights) if is_governed else {"": len(cabinet.lights)}
            lamps = len(cabinet.lights)
            found.append(
                District(self.insee, self.name, cabinet.name, *place, lamps, at % 2 == 0, tuple(fed.items()))
            )
        return tuple(found)

    def equipment(self, nodes: Iterable[Iterator[tuple[bytes | None, int]]]) -> Iterator[tuple[str, str, Equipment]]:
        """Yields the register; nodes: of each cabinet, its nodes with their watts."""
        yield COMMUNE, self.insee, Equipment(name=self.name)
        for cabinet, own in zip(self.cabinets, nodes, strict=True):
            yield CABINET, cabinet.name, cabinet.equipment
            address = cabinet_of(self.insee, cabinet.name)
            for feeder in dict.fromkeys(light.feeder for light in cabinet.lights):
                yield FEEDER, f"{cabinet.name}/{feeder}", Equipment(name=feeder, feeder=feeder, cabinet=address)
            for light in cabinet.lights:
                node, power_dw = next(own)
                own_light = light.equipment._replace(cabinet=address, feeder=light.feeder, node=node, power_dw=power_dw)
                yield LIGHT, light.id, own_light

    def streets(self) -> Iterator[tuple[str, list[tuple[float, float]]]]:
        """Yields the streets that have two lights or more, as lines from light to light."""
        found: dict[str, list[Equipment]] = defaultdict(list)
        for cabinet in self.cabinets:
            for light in cabinet.lights:
                if light.equipment.street:
                    found[light.equipment.street].append(light.equipment)
        for street, lights in found.items():
            order = in_walking_order([Spot(street, one.longitude, one.latitude) for one in lights])
            if len(order) > 1:
                yield street, [_at(lights[n]) for n in order]


def read(path: Path, *, insee: str | None, lamps_max: int, unix_s: int) -> File:
    """Returns the lights of the commune that has most of them; Unreadable with what is wrong in the file.

    insee: of lines that name none; unix_s: the first second of the day on which the demonstration begins."""
    known = mapping.known()
    table = geopackage.read(path, known)
    stated, faults = statements.read(table, known, statements.Context(insee, unix_s))
    planned = None if faults else changes.plan({}, stated, (), table.columns.heading)
    if planned is None or planned.faults:
        raise Unreadable(tuple(faults) if planned is None else planned.faults)
    stand = {key: found for key, history in planned.histories.items() if (found := nearest(history, unix_s))}
    lights: dict[str, list[tuple[Key, Equipment]]] = defaultdict(list)
    for key, equipment in stand.items():
        if key.kind == LIGHT:
            lights[key.insee].append((key, equipment))
    placed = {of: [one for one in some if _is_placed(one[1])] for of, some in lights.items()}
    chosen = max(placed, key=lambda of: len(placed[of]), default=None)
    if chosen is None or not placed[chosen]:
        raise unreadable(_NO_LIGHT, _GIVE_LIGHTS)
    taken = _middle_most(placed[chosen], lamps_max)
    commune = stand.get(Key(chosen, COMMUNE, chosen))
    counts = {
        "taken": len(taken) if len(taken) < len(placed[chosen]) else 0,
        "position": len(lights[chosen]) - len(placed[chosen]),
        "street": sum(not one.street for _, one in taken),
        "cabinet": sum(not one.cabinet for _, one in taken),
        "feeder": sum(not one.feeder for _, one in taken),
        "others": sum(not (key.insee == chosen and key.kind in (LIGHT, CABINET, FEEDER, COMMUNE)) for key in stand),
    }
    whole = len(placed[chosen])
    missing = tuple(Sentence(_MISSING[word], {"count": count, "all": whole}) for word, count in counts.items() if count)
    name = (commune.name if commune else None) or chosen
    return File(chosen, name, tuple(_cabinets(chosen, taken, stand)), missing)


def _cabinets(insee: str, taken: Sequence[tuple[Key, Equipment]], stand: dict[Key, Equipment]) -> Iterator[Cabinet]:
    by_cabinet: dict[str, list[tuple[Key, Equipment]]] = defaultdict(list)
    for key, equipment in taken:
        by_cabinet[equipment.cabinet or ""].append((key, equipment))
    labels: dict[str, str] = {}
    for number, (address, some) in enumerate(sorted(by_cabinet.items()), 1):
        order = in_walking_order([Spot(one.street, one.longitude, one.latitude) for _, one in some])
        fed: dict[str, int] = defaultdict(int)
        lights = []
        for key, equipment in (some[n] for n in order):
            feeder = equipment.feeder or equipment.street or "départ"
            part = fed[feeder] // _FEEDER_LIGHTS
            fed[feeder] += 1
            own = feeder if equipment.feeder or not part else f"{feeder} {part + 1}"
            lights.append(Light(key.id, equipment, _label(own, labels)))
        rank = {feeder: place for place, feeder in enumerate(dict.fromkeys(light.feeder for light in lights))}
        lights.sort(key=lambda light: rank[light.feeder])
        named = stand.get(Key(insee, CABINET, address.partition("-")[2]), Equipment())
        longitude, latitude = _at(named) if _is_placed(named) else _at(lights[0].equipment)
        street = named.street or lights[0].equipment.street
        own_name = named.name or address or f"Armoire {number}"
        cabinet = Equipment(name=own_name, street=street, longitude=longitude, latitude=latitude)
        yield Cabinet(f"cab-{number}", cabinet, tuple(lights))


def _label(name: str, labels: dict[str, str]) -> str:
    """Returns a feeder's name as short as a policy has it; `labels`: those that are given already."""
    if name not in labels:
        cut, number = name, 1
        while len(cut.encode()) > NAME_BYTES_MAX or cut in labels.values():
            number += cut in labels.values()
            end = f" {number}" if number > 1 else ""
            cut = name.encode()[: NAME_BYTES_MAX - len(end)].decode(errors="ignore").strip() + end
        labels[name] = cut
    return labels[name]


def _middle_most(lights: list[tuple[Key, Equipment]], count: int) -> list[tuple[Key, Equipment]]:
    """Returns so many lights, those nearest to the middle of all."""
    middle = tuple(median(axis) for axis in zip(*(_at(one) for _, one in lights), strict=True))
    return sorted(lights, key=lambda one: dist(middle, _at(one[1])))[:count]


def _is_placed(equipment: Equipment) -> bool:
    return equipment.longitude is not None and equipment.latitude is not None


def _at(equipment: Equipment) -> tuple[float, float]:
    assert equipment.longitude is not None and equipment.latitude is not None
    return equipment.longitude, equipment.latitude
