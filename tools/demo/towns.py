"""Gives each equipment of a simulated territory its place in a town, and writes it as a register through the import.

A register is what a commune would hand over: a GeoPackage, which is written here, then read and imported as
`bocage centre register import` does.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from simulator.cabinet.commune import BEHUARD
from simulator.cabinet.village import FEEDERS
from simulator.estates.streets import District
from simulator.hosts.gateway import GatewayHost
from simulator.options import Options, districts, shares
from simulator.territory import Territory
from simulator.town import plan
from simulator.town.plan import Building, FeederWanted, Town
from simulator.world.chance import Prng
from tools.centre.register import geopackage, mapping, register, statements
from tools.centre.register.equipment import (
    CABINET,
    COMMUNE,
    FEEDER,
    GREEN_SPACE,
    LIGHT,
    ROOM,
    Equipment,
    Key,
    Version,
    cabinet_of,
    first_second,
)
from tools.centre.store import database
from tools.demo.commune import File

# A feeder of a village carries some thirty lights: 16 A of LED drivers and their inrush.
_FEEDER_LIGHTS = 30
# What the zones of a green space are, in the order of their node (`simulator.estates.greens`).
_ZONES = (("pelouse", "Pelouse"), ("massif", "Massif fleuri"), ("arbustes", "Arbustes"))
# By the use of a room (`simulator.estates.rooms`): where it is, its id and its name.
_ROOMS = {
    "classe": ("school", "ecole-classe", "École, classe {}"),
    "école": ("school", "maternelle-classe", "École maternelle, classe {}"),
    "mairie": ("hall", "mairie-salle", "Mairie, salle {}"),
    "bureau": ("hall", "mairie-bureau", "Mairie, bureau {}"),
    "salle": ("hall", "salle-des-fetes", "Salle des fêtes"),
}
_METRES_APART = 6e-5  # rooms of one building stand beside each other on the map, in degrees


class Commune(NamedTuple):
    """Holds a commune of the territory with its town. `gateways`: in the order of its cabinets;
    `file`: what a register of the commune's own says, in place of a town."""

    insee: str
    name: str
    town: Town | None
    gateways: tuple[GatewayHost, ...]
    file: File | None = None


def draw(options: Options) -> dict[str, Town]:
    """Returns the town of each commune that has nodes, by its INSEE code, as the seed draws it."""
    prng = Prng(options.seed).split("towns")
    places, greens = districts(options), shares(options).greens
    found = {}
    for insee, indices in _together(places).items():
        first = places[indices[0]]
        found[insee] = plan.draw(
            prng.split(insee),
            latitude_e4=first.latitude_e4,
            longitude_e4=first.longitude_e4,
            cabinets=[_feeders(places[index].lamps) for index in indices],
            greens=sum(greens[index] for index in indices),
        )
    return found


def wired(options: Options, towns: dict[str, Town]) -> Options:
    """Returns the options with the feeders of these towns, whose contactors the gateways drive."""
    given = list(districts(options))
    for insee, indices in _together(given).items():
        for index, cabinet in zip(indices, towns[insee].cabinets, strict=True):
            feeders = tuple((feeder.name, len(feeder.lights)) for feeder in cabinet.feeders)
            given[index] = given[index]._replace(feeders=feeders)
    return replace(options, given=tuple(given))


def communes(territory: Territory, towns: dict[str, Town], file: File | None = None) -> list[Commune]:
    """Returns the communes of a territory, each with its town, or the one of a file."""
    places = districts(territory.options)
    found = []
    for insee, indices in _together(places).items():
        gateways = tuple(territory.gateways[index] for index in indices)
        found.append(Commune(insee, places[indices[0]].commune, towns.get(insee), gateways, file))
    return [*found, village(territory)]


def village(territory: Territory) -> Commune:
    """Returns the commune that has a cabinet only, with its town."""
    assert territory.village is not None, "a whole territory has it"
    host = territory.village.host
    town = plan.draw(
        Prng(territory.options.seed).split("towns").split(BEHUARD.insee),
        latitude_e4=BEHUARD.latitude_e4,
        longitude_e4=BEHUARD.longitude_e4,
        cabinets=[[FeederWanted(feeder.lamps, feeder.name) for feeder in FEEDERS]],
        greens=sum(one.settings.node in host.nodes for one in territory.greens.hosts),
    )
    return Commune(BEHUARD.insee, BEHUARD.name, town, (host,))


def write(territory: Territory, found: Sequence[Commune], path: Path, connection: database.Connection) -> None:
    """Writes the register as a GeoPackage and imports that into the warehouse."""
    day_s = first_second(territory.options.start_unix_s)
    geopackage.write(path, versions(territory, found))
    known = mapping.known()
    table = geopackage.read(path, known)
    stated, faults = statements.read(table, known, statements.Context(None, day_s))
    assert not faults, faults
    with database.transaction(connection):
        planned = register.plan_of(connection, stated, table.columns.heading)
        register.apply(connection, planned)


def versions(territory: Territory, found: Sequence[Commune]) -> Iterator[Version]:
    """Returns all equipment, as it is from the day on which the run begins."""
    day_s = first_second(territory.options.start_unix_s)
    for one in found:
        of_file = one.file and one.file.equipment(_lamps(territory, gateway) for gateway in one.gateways)
        for kind, id, equipment in of_file or _equipment(territory, one):
            yield Version(Key(one.insee, kind, id), day_s, None, equipment)


def ground(commune: Commune) -> dict[str, Any]:
    """Returns what a map draws under the lights, as GeoJSON (RFC 7946)."""
    if commune.file is not None:
        streets = [_feature("street", "LineString", line, name) for name, line in commune.file.streets()]
        return {"type": "FeatureCollection", "features": streets}
    town = commune.town
    assert town is not None
    features = [_feature("street", "LineString", line, name) for name, line in town.streets]
    features.append(_feature("water", "Polygon", [town.river]))
    features += [_feature("house", "Polygon", [house]) for house in town.houses]
    for kind, buildings in (("building", (town.church, town.hall, town.school)), ("green", town.greens)):
        features += [_feature(kind, "Polygon", [one.outline], one.name) for one in buildings]
    return {"type": "FeatureCollection", "features": features}


# --- inside -------------------------------------------------------------------------------------------------------


def _together(places: Sequence[District]) -> dict[str, list[int]]:
    """Returns the indices of each commune's cabinets."""
    found: dict[str, list[int]] = defaultdict(list)
    for index, place in enumerate(places):
        found[place.insee].append(index)
    return found


def _feeders(lights: int) -> list[FeederWanted]:
    count = -(-lights // _FEEDER_LIGHTS)
    return [FeederWanted(lights * (at + 1) // count - lights * at // count) for at in range(count)]


def _equipment(territory: Territory, commune: Commune) -> Iterator[tuple[str, str, Equipment]]:
    assert commune.town is not None
    yield COMMUNE, commune.insee, Equipment(name=commune.name)
    number = 0
    for place, gateway in enumerate(commune.gateways):
        name = gateway.options.name
        cabinet = commune.town.cabinets[place]
        nodes = _plain_lamps() if commune.insee == BEHUARD.insee else _lamps(territory, gateway)
        yield CABINET, name, _at(cabinet.at, name=f"Armoire {cabinet.street}", street=cabinet.street)
        own: dict[str, Any] = {"cabinet": cabinet_of(commune.insee, name)}
        for feeder in cabinet.feeders:
            street = feeder.lights[0].street
            yield FEEDER, f"{name}/{feeder.name}", Equipment(name=feeder.name, street=street, feeder=feeder.name, **own)
            for light in feeder.lights:
                number += 1
                node, power_dw = next(nodes)
                yield LIGHT, f"{number:04}", _at(
                    light.at, street=light.street, lamp="LED", power_dw=power_dw,
                    feeder=feeder.name, node=node, **own,
                )  # fmt: skip
    for gateway in commune.gateways:
        yield from _rooms(territory, commune, gateway)
    yield from _greens(territory, commune)


def _lamps(territory: Territory, gateway: GatewayHost) -> Iterator[tuple[bytes | None, int]]:
    for host, lamp in zip(territory.streets.hosts, territory.lamps, strict=True):
        if host.settings.node in gateway.nodes:
            yield host.settings.node, lamp.data.nominal_dw


def _plain_lamps() -> Iterator[tuple[bytes | None, int]]:
    for feeder in FEEDERS:
        for _ in range(feeder.lamps):
            yield None, 10 * feeder.lamp_w


def _rooms(territory: Territory, commune: Commune, gateway: GatewayHost) -> Iterator[tuple[str, str, Equipment]]:
    numbers: dict[str, int] = defaultdict(int)
    town = commune.town
    mine = [commune.gateways.index(gateway), len(commune.gateways)]
    for host, heated in zip(territory.rooms.hosts, territory.rooms.rooms, strict=True):
        if host.settings.node in gateway.nodes:
            word = heated.use.word
            where, id, name = _ROOMS[word]
            number = mine[0] + 1 + mine[1] * numbers[word]
            numbers[word] += 1
            building: Building = getattr(town, where)
            longitude, latitude = building.at
            at = longitude + (number - 1) * _METRES_APART, latitude - (word in ("école", "bureau")) * _METRES_APART
            own = {"street": building.street, "node": host.settings.node}
            cabinet = cabinet_of(commune.insee, gateway.options.name)
            yield ROOM, f"{id}-{number}", _at(at, name=name.format(number), cabinet=cabinet, **own)


def _greens(territory: Territory, commune: Commune) -> Iterator[tuple[str, str, Equipment]]:
    town = commune.town
    assert town is not None
    places = iter(town.greens)
    for gateway in commune.gateways:
        cabinet = cabinet_of(commune.insee, gateway.options.name)
        for host in territory.greens.hosts:
            if host.settings.node in gateway.nodes:
                place = next(places)
                number = town.greens.index(place) + 1
                for zone, (id, name) in enumerate(_ZONES, 1):
                    own = {"street": place.street, "node": host.settings.node, "zone": zone, "cabinet": cabinet}
                    corner = place.outline[zone - 1]
                    at = (place.at[0] * 2 + corner[0]) / 3, (place.at[1] * 2 + corner[1]) / 3
                    yield GREEN_SPACE, f"vert-{number}-{id}", _at(at, name=f"{place.name}, {name.lower()}", **own)


def _at(at: tuple[float, float], **known: Any) -> Equipment:
    return Equipment(longitude=round(at[0], 7), latitude=round(at[1], 7), **known)


def _feature(kind: str, shape: str, coordinates: Any, name: str | None = None) -> dict[str, Any]:
    properties = {"kind": kind, "name": name} if name else {"kind": kind}
    return {"type": "Feature", "properties": properties, "geometry": {"type": shape, "coordinates": coordinates}}
