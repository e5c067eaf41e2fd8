"""States what the views for other people's tools hold, in the words of the trade; a row a column, made from the schema.

Views and columns are those that the schema makes; a test fails when one has no words here, or words no column. The
version is that of the tables (`store.schema.VERSION`).
"""

from collections.abc import Iterator
from contextlib import closing
from typing import NamedTuple

from gateway.language import N_, Message, translate
from tools.centre.store import schema, views

VIEWS: dict[str, Message] = {
    "lights": N_("Every light that stands, from the register, with what it last measured"),
    "equipment_faults": N_("Faults of equipment, with begin and end; the newest state of each"),
    "readings": N_("Every reading whose time is known, of lights, feeders, rooms and meters; ask by day or equipment"),
    "hourly_energy": N_("Energy by hour, of each light, feeder and meter that counts it"),
    "daily_energy": N_("Energy by day of France, of 23 to 25 hours"),
    "daily_water": N_("Water by day of France"),
    "daily_temperature": N_("Temperatures of rooms and green spaces by day of France"),
}
# What a column is measured in; without one it is a word, a number or a text.
_UNITS = {
    "kwh": "kWh",
    "kwh_bridged": "kWh",
    "watts": "W",
    "measured_watts": "W",
    "ordered_percent": "%",
    "lit_hours": "h",
    "unlit_hours": "h",
    "covered_s": "s",
    **dict.fromkeys(("hour_unix_s", "measured_unix_s", "received_unix_s", "begin_unix_s", "end_unix_s"), "s"),
    "litres": "L",
    "litres_bridged": "L",
    "bridged_s": "s",
    "bridged_from_unix_s": "s",
    "degree_hours": "°C·h",
    **dict.fromkeys(("temperature_least_c", "temperature_mean_c", "temperature_most_c"), "°C"),
    "longitude": "°",
    "latitude": "°",
}
COLUMNS: dict[str, Message] = {
    "hour_unix_s": N_("Beginning of the hour, Unix time; indexed"),
    "hour_utc": N_("Beginning of the hour, in UTC, ISO 8601; indexed"),
    "hour_local": N_("Beginning of the hour, in legal time, ISO 8601; October's double hour is two; indexed"),
    "day_local": N_("Day of France, ISO 8601; indexed"),
    "insee": N_("INSEE code of the commune"),
    "commune": N_("Name of the commune, from the register"),
    "kind": N_("What the equipment is: light, feeder, cabinet, room…; a sum over lights and their feeder counts twice"),
    "id": N_("Number of the equipment within its commune"),
    "name": N_("Name of the equipment; empty columns: the node was not in the register then"),
    "street": N_("Street, from the register"),
    "post": N_("Number on the post"),
    "lamp": N_("Type of lamp"),
    "watts": N_("Power by the register"),
    "longitude": N_("Longitude, WGS84"),
    "latitude": N_("Latitude, WGS84"),
    "cabinet": N_("Cabinet that feeds it"),
    "feeder": N_("Feeder of the cabinet"),
    "node": N_("Id of the node that measures, 16 hexadecimal digits"),
    "channel": N_("Number of the register or sensor within the node; 0: its only one"),
    "quantity": N_("What was measured, by its name in SenML: power, energy, temp, volume…"),
    "value": N_("What was measured, in the unit beside it"),
    "unit": N_("Unit by SenML (RFC 8428): W, Wh, Cel, m3; /: a share, 0 to 1"),
    "kwh": N_("What the meter counted, the bridged part included: the sum over hours or days is the meter's"),
    "kwh_bridged": N_("Part of it that was used since a reading of an earlier hour or day, too far back to divide it"),
    "lit_hours": N_("Time in which the measured power was that of a lit lamp"),
    "unlit_hours": N_("Time in which it was not"),
    "covered_s": N_("Time of this hour or day through which the meter counted, or the temperature was read"),
    "coverage": N_("Covered part of the time, 0 to 1; without power by day a lamp's noon is not covered, its day is"),
    "bridged_s": N_("Length of the silence before, from an earlier day: with covered_s, covered time of several days"),
    "bridged_from_unix_s": N_("Begin of that silence, Unix time; leave it out of a sum that begins later"),
    "litres": N_("What the meter counted, the bridged part included"),
    "litres_bridged": N_("Part of it that was used since a reading of an earlier day"),
    "degree_hours": N_("Sum of the temperature over the covered hours; below a base of B: B × covered hours less this"),
    "temperature_least_c": N_("Least that was read on that day"),
    "temperature_mean_c": N_("Mean over the covered time"),
    "temperature_most_c": N_("Most that was read on that day"),
    "measured_watts": N_("Power that the node measured last"),
    "ordered_percent": N_("Level that the lamp was ordered to give then"),
    "measured_unix_s": N_("When it was measured, Unix time; empty: the clock was not set"),
    "measured_utc": N_("When it was measured, in UTC, ISO 8601"),
    "measured_local": N_("When it was measured, in legal time, ISO 8601"),
    "received_unix_s": N_("When the newest record came to the warehouse, Unix time"),
    "fault": N_("Name of the fault, as TALQ has it where TALQ has one"),
    "begin_unix_s": N_("Begin of the fault, Unix time; empty: the clock was not set"),
    "begin_utc": N_("Begin of the fault, in UTC, ISO 8601"),
    "begin_local": N_("Begin of the fault, in legal time, ISO 8601"),
    "end_unix_s": N_("End of the fault, Unix time; empty: it lasts, or the clock was not set"),
    "end_utc": N_("End of the fault, in UTC, ISO 8601"),
    "end_local": N_("End of the fault, in legal time, ISO 8601"),
    "is_open": N_("1: it lasts; 0: it has ended, or its node was replaced"),
}


class Row(NamedTuple):
    """Describes one column of one view."""

    view: str
    column: str
    unit: str
    meaning: str


def rows(language: str) -> Iterator[Row]:
    """Returns a row for each column, in the order of the schema."""
    with closing(schema.open_to_write(":memory:")) as connection:
        for view in views.STATEMENTS:
            columns = connection.execute(f"SELECT * FROM {view} WHERE 1 = 0").description
            for column, *_ in columns:
                yield Row(view, column, _UNITS.get(column, ""), translate(COLUMNS[column], language))
