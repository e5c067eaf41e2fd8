"""Reads a position as people write it, and checks whether it lies in France and in the part of the world of that
commune's department. A wrong sign or two swapped numbers means an hour of lamps at noon.
"""

import re
from typing import NamedTuple


class Region(NamedTuple):
    """Describes a part of France as a box in degrees, with a margin of some kilometres. `insee`: how codes of its
    communes begin."""

    name: str
    insee: tuple[str, ...]
    south: float
    north: float
    west: float
    east: float

    def holds(self, latitude: float, longitude: float) -> bool:
        return self.south <= latitude <= self.north and self.west <= longitude <= self.east


METROPOLITAN = Region("France métropolitaine", (), 41.2, 51.2, -5.3, 9.7)
OVERSEAS = (
    Region("Guadeloupe", ("971",), 15.7, 16.7, -61.9, -60.9),
    Region("Martinique", ("972",), 14.3, 15.0, -61.3, -60.7),
    Region("Guyane", ("973",), 2.0, 6.0, -54.7, -51.5),
    Region("La Réunion", ("974",), -21.5, -20.7, 55.1, 56.0),
    Region("Saint-Pierre-et-Miquelon", ("975",), 46.6, 47.3, -56.6, -56.0),
    Region("Mayotte", ("976",), -13.1, -12.5, 44.9, 45.4),
    Region("Saint-Barthélemy", ("977",), 17.8, 18.0, -63.0, -62.7),
    Region("Saint-Martin", ("978",), 17.9, 18.2, -63.3, -62.9),
    Region("Wallis-et-Futuna", ("986",), -14.5, -13.1, -178.3, -176.0),
    Region("Polynésie française", ("987",), -28.0, -7.5, -155.0, -134.0),
    Region("Nouvelle-Calédonie", ("988",), -23.0, -17.5, 158.0, 172.5),
)

# One number: decimal degrees with point or comma, or degrees, minutes, seconds; then perhaps a point of the compass.
# O is ouest.
_DECIMAL = r"[+\-−]?[0-9]{1,3}(?:[.,][0-9]+)?°?"
_SEXAGESIMAL = r"[0-9]{1,3}\s*°\s*[0-9]{1,2}(?:[.,][0-9]+)?\s*['’′]\s*(?:[0-9]{1,2}(?:[.,][0-9]+)?\s*(?:\"|''|″|”)\s*)?"
_ONE = rf"({_SEXAGESIMAL}|{_DECIMAL})\s*([NSEWO]?)"
_PAIR = re.compile(rf"\s*{_ONE}\s*(?:[,;]\s|\s|[;/])\s*{_ONE}\s*", re.IGNORECASE)
_PAIR_POINTS = re.compile(r"\s*([+\-−]?[0-9]{1,3}(?:\.[0-9]+)?)\s*,\s*([+\-−]?[0-9]{1,3}(?:\.[0-9]+)?)\s*")


def parse(text: str) -> tuple[float, float] | None:
    """Returns (latitude, longitude) in degrees to four decimals (11 m), or None when that is no position."""
    if pair := _PAIR_POINTS.fullmatch(text):
        return _position(_degrees(pair[1], ""), _degrees(pair[2], ""))
    pair = _PAIR.fullmatch(text)
    if pair is None:
        return None
    first, second = pair[2].upper(), pair[4].upper()
    # With compass letters the two may come in either order; only one letter of the two is a slip.
    if first and second and first in "EWO" and second in "NS":
        return _position(_degrees(pair[3], second), _degrees(pair[1], first))
    if bool(first) != bool(second) or (first and (first not in "NS" or second not in "EWO")):
        return None
    return _position(_degrees(pair[1], first), _degrees(pair[3], second))


def region_of(insee: str) -> Region:
    """Returns the part of France that a commune's code belongs to."""
    return next((region for region in OVERSEAS if insee.startswith(region.insee)), METROPOLITAN)


def objection(latitude: float, longitude: float, insee: str) -> tuple[str, dict[str, str]] | None:
    """Returns why a cabinet of this commune cannot be there: a word of `words` and its values; None when it may."""
    region = region_of(insee)
    if region.holds(latitude, longitude):
        return None
    if region.holds(longitude, latitude):
        return "site.swapped", {}
    for mirrored in ((latitude, -longitude), (-latitude, longitude)):
        if region.holds(*mirrored):
            return "site.sign", {"region": region.name}
    other = next((one for one in (METROPOLITAN, *OVERSEAS) if one.holds(latitude, longitude)), None)
    if other is None:
        return "site.abroad", {"region": region.name}
    return "site.elsewhere", {"region": other.name, "insee": insee, "expected": region.name}


def _degrees(text: str, compass: str) -> float:
    numbers = [float(number.replace(",", ".")) for number in re.findall(r"[0-9]+(?:[.,][0-9]+)?", text)]
    value = sum(number / 60**place for place, number in enumerate(numbers))
    is_negative = text.strip()[0] in "-−" or (compass != "" and compass in "SWO")
    return -value if is_negative else value


def _position(latitude: float, longitude: float) -> tuple[float, float] | None:
    if abs(latitude) > 90 or abs(longitude) > 180:
        return None
    return round(latitude, 4), round(longitude, 4)
