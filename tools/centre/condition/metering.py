"""Knows which meters measure a light, feeder, street, cabinet or commune, by the register, and sums them.

A feeder is measured by its cabinet, whose register says by `zone` which of the cabinet's channels it is; without that,
its lights are summed. A cabinet is measured by the Linky meter, or its feeders are summed; a commune is its cabinets.
"""

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from tools.centre.condition.usage import NOTHING, Usage, Usages, total
from tools.centre.register.equipment import CABINET, COMMUNE, FEEDER, LIGHT, Version, place_of_feeder
from tools.centre.register.register import Register

STREET = "street"
Row = dict[str, Any]


class Metering:
    """Knows which meters measure what, as the register has it at one instant, and sums them."""

    def __init__(self, register: Register, usages: Usages, insee: str | None, at_s: int) -> None:
        self._register = register
        self._usages = usages
        self._found: dict[str, list[Version]] = defaultdict(list)
        for version in register.versions(insee=insee, at_unix_s=at_s):
            self._found[version.key.kind].append(version)
        self._lights: dict[tuple[str | None, str | None], list[Version]] = defaultdict(list)
        for version in self._found[LIGHT]:
            self._lights[version.equipment.cabinet, version.equipment.feeder].append(version)
        self._feeders: dict[str, list[Version]] = defaultdict(list)
        for version in self._found[FEEDER]:
            self._feeders[_place(version)[0]].append(version)

    def rows(self, kind: str, period_s: int) -> Iterator[Row]:
        if kind == STREET:
            streets: dict[tuple[str, str], list[Version]] = defaultdict(list)
            for version in self._found[LIGHT]:
                streets[version.key.insee, version.equipment.street or ""].append(version)
            for (insee, street), lights in sorted(streets.items()):
                yield _row(insee, street, None, None, total(map(self._of, lights)), period_s)
            return
        for version in self._found[kind]:
            key, equipment = version.key, version.equipment
            yield _row(key.insee, equipment.street, key.id, equipment.name, self._of(version), period_s)

    def _of(self, version: Version) -> Usage:
        kind, node = version.key.kind, version.equipment.node
        if kind == FEEDER:
            return self._of_feeder(version)
        if kind == CABINET:
            return self._of_cabinet(version)
        if kind == COMMUNE:
            return total(self._of(one) for one in self._found[CABINET] if one.key.insee == version.key.insee)
        return NOTHING._replace(meters=1) if node is None else self._usages.of((node, 0))

    def _of_feeder(self, version: Version) -> Usage:
        cabinet, feeder = _place(version)
        if version.equipment.zone is not None:
            found = self._own(cabinet, version.equipment.zone)
            if found.heard:
                return found
        return total(map(self._of, self._lights[cabinet, feeder]))

    def _of_cabinet(self, version: Version) -> Usage:
        found = self._own(version.key.address, 0)
        return found if found.heard else total(map(self._of, self._feeders[version.key.address]))

    def _own(self, cabinet: str, channel: int) -> Usage:
        """Returns what the gateways of a cabinet measured on a channel; several, where one was exchanged."""
        found = self._usages.of_all((gateway, channel) for gateway in self._register.gateway_ids(cabinet))
        return found._replace(meters=1)


def _place(feeder: Version) -> tuple[str, str]:
    return place_of_feeder(feeder.key.insee, feeder.key.id, feeder.equipment.cabinet)


def _row(
    insee: str, street: str | None, id: str | None, name: str | None, usage: Usage, period_s: int
) -> Row:
    return {
        "commune": insee,
        "street": street,
        "id": id,
        "name": name,
        "kwh": usage.amount / 1000 if usage.covered_s else None,
        "coverage_percent": round(usage.coverage(period_s), 1),
        "meters": usage.meters,
        "meters_heard": usage.heard,
    }
