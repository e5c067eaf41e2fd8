"""Defines the views for other people's tools: a SQL client, a spreadsheet, pandas. Must not read or write a row.

They have no blob and no code: names come from the register, units stand in the columns, each hour has its UTC and its
legal time. Ask by `hour_unix_s`, `hour_utc`, `hour_local` or `day_local`: these are indexed. What a column means is
said by `tools.centre.rollup.dictionary`, which a test compares with what stands here.
"""

from tools.centre.store import readings
from tools.centre.store.condition_tables import REPLACED
from wire import event_table

_NODE = "lower(hex({}))"
_COMMUNE = """(SELECT c.name FROM equipment AS c WHERE c.kind = 'commune' AND c.insee = {}
        AND c.until_unix_s IS NULL ORDER BY c.id LIMIT 1)"""
_PLACE = f"""e.insee AS insee, {_COMMUNE.format("e.insee")} AS commune,
    e.kind AS kind, e.id AS id, e.name AS name, e.street AS street, e.cabinet AS cabinet, e.feeder AS feeder"""
# What the node served then; of a node with zones, what the channel's number names.
_SERVED = """LEFT JOIN equipment AS e ON e.node = f.node AND e.from_unix_s <= {0}
    AND (e.until_unix_s IS NULL OR e.until_unix_s > {0}) AND (e.zone IS NULL OR e.zone = f.channel)"""



def _quotient(integer: str, divisor: str) -> str:
    """Returns a quotient that is a double on both engines: `x / 10.0` is an exact decimal in PostgreSQL."""
    return f"CAST({integer} AS DOUBLE PRECISION) / {divisor}"


_ENERGY = f"""{_quotient("f.energy_wh", "1000")} AS kwh, {_quotient("f.energy_bridged_wh", "1000")} AS kwh_bridged,
    {_quotient("f.lit_s", "3600")} AS lit_hours, {_quotient("f.unlit_s", "3600")} AS unlit_hours"""
_WATER = "f.water_l AS litres, f.water_bridged_l AS litres_bridged"
_TEMPERATURE = f"""{_quotient("f.temperature_ck_s", "360000")} AS degree_hours,
    {_quotient("f.temperature_least_ck", "100")} AS temperature_least_c,
    {_quotient("f.temperature_ck_s", "100")} / f.temperature_s AS temperature_mean_c,
    {_quotient("f.temperature_most_ck", "100")} AS temperature_most_c"""
_SILENCE = """,
    f.{0}_bridged_s AS bridged_s, f.{0}_bridged_from_unix_s AS bridged_from_unix_s"""


def _hourly(name: str, figures: str, quantity: str, amount: str) -> str:
    # In SQLite a CROSS JOIN is done as it is written: an equipment's hours are steps in the key of `hours`, one for
    # each of the calendar that is asked for.
    return f"""CREATE VIEW {name} AS SELECT
    k.hour_unix_s AS hour_unix_s, k.hour_utc AS hour_utc, k.hour_local AS hour_local, k.day_local AS day_local,
    {_PLACE}, {_NODE.format("f.node")} AS node, f.channel AS channel,
    {figures}, f.{quantity}_s AS covered_s, {_quotient(f"f.{quantity}_s", "3600")} AS coverage
    FROM calendar AS k CROSS JOIN hours AS f {_SERVED.format("k.hour_unix_s")}
    WHERE f.hour_unix_s = k.hour_unix_s AND f.{amount} IS NOT NULL;
"""


def _daily(name: str, figures: str, quantity: str, amount: str) -> str:
    return f"""CREATE VIEW {name} AS SELECT
    f.day_local AS day_local, {_PLACE}, {_NODE.format("f.node")} AS node, f.channel AS channel,
    {figures}, f.{quantity}_s AS covered_s, {_quotient(f"f.{quantity}_s", "k.day_s")} AS coverage
    FROM days AS f JOIN (SELECT day_local, min(hour_unix_s) AS begins_unix_s, 3600 * count(*) AS day_s FROM calendar
        GROUP BY day_local) AS k ON k.day_local = f.day_local {_SERVED.format("k.begins_unix_s")}
    WHERE f.{amount} IS NOT NULL;
"""


def _minute(unix_s: str) -> str:
    """Returns the two digits of an instant's minute, in words that SQLite and PostgreSQL both have."""
    return f"substr(CAST(100 + ({unix_s} % 3600) / 60 AS TEXT), 2, 2)"


def _texts(unix_s: str, calendar: str, name: str) -> str:
    return f"""{unix_s} AS {name}_unix_s, substr({calendar}.hour_utc, 1, 14) || {_minute(unix_s)} || 'Z' AS {name}_utc,
    substr({calendar}.hour_local, 1, 14) || {_minute(unix_s)} || substr({calendar}.hour_local, 17) AS {name}_local"""


def _event_names() -> str:
    return " ".join(f"WHEN {one.code} THEN '{one.name}'" for one in event_table.TABLE)


# Known only where the clock was set, and not doubted.
_TIME = """LEFT JOIN records AS {0} ON {0}.node = f.node AND {0}.boot = f.{1}boot AND {0}.sequence = f.{1}sequence
    AND {0}.quality <> 0 AND NOT EXISTS (SELECT 1 FROM doubts WHERE doubts.node = {0}.node
        AND doubts.boot = {0}.boot AND doubts.sequence = {0}.sequence)
    LEFT JOIN calendar AS {0}_k ON {0}_k.hour_unix_s = {0}.seconds - {0}.seconds % 3600"""

_MEASURED = "CASE WHEN l.readings_quality <> 0 AND u.node IS NULL THEN l.readings_seconds END"
_LIGHTS = f"""CREATE VIEW lights AS SELECT
    e.insee AS insee, {_COMMUNE.format("e.insee")} AS commune, e.id AS id, e.name AS name, e.street AS street,
    e.post AS post, e.lamp AS lamp, {_quotient("e.power_dw", "10")} AS watts,
    e.longitude AS longitude, e.latitude AS latitude,
    e.cabinet AS cabinet, e.feeder AS feeder, NULLIF({_NODE.format("e.node")}, '') AS node,
    {_quotient("l.power_dw", "10")} AS measured_watts, l.level_percent AS ordered_percent,
    {_texts(_MEASURED, "k", "measured")}, l.received_unix_s AS received_unix_s
    FROM equipment AS e LEFT JOIN latest AS l ON l.node = e.node
    LEFT JOIN doubts AS u ON u.node = l.node AND u.boot = l.readings_boot AND u.sequence = l.readings_sequence
    LEFT JOIN calendar AS k ON k.hour_unix_s = l.readings_seconds - l.readings_seconds % 3600
        AND l.readings_quality <> 0 AND u.node IS NULL
    WHERE e.kind = 'light' AND e.until_unix_s IS NULL;
"""

_FAULTS = f"""CREATE VIEW equipment_faults AS SELECT
    CASE f.code {_event_names()} ELSE 'event-' || CAST(f.code AS TEXT) END AS fault,
    {_texts("b.seconds", "b_k", "begin")}, {_texts("d.seconds", "d_k", "end")},
    CASE WHEN f.end_boot IS NULL AND {REPLACED.format("f.node")} IS NULL THEN 1 ELSE 0 END AS is_open,
    COALESCE(e.insee, g.insee) AS insee, {_COMMUNE.format("COALESCE(e.insee, g.insee)")} AS commune,
    e.kind AS kind, e.id AS id, e.name AS name, e.street AS street,
    COALESCE(e.cabinet, g.insee || '-' || g.name) AS cabinet, e.feeder AS feeder, {_NODE.format("f.node")} AS node
    FROM faults AS f JOIN records AS r ON r.node = f.node AND r.boot = f.boot AND r.sequence = f.sequence
    JOIN gateways AS g ON g.gateway = r.gateway
    {_TIME.format("b", "")} {_TIME.format("d", "end_")}
    LEFT JOIN equipment AS e ON e.node = f.node AND e.zone IS NULL
        AND e.from_unix_s <= COALESCE(b.seconds, r.received_unix_s)
        AND (e.until_unix_s IS NULL OR e.until_unix_s > COALESCE(b.seconds, r.received_unix_s));
"""

_READINGS = f"""CREATE VIEW readings AS SELECT
    f.day_local AS day_local, {_texts("f.at_s", "k", "measured")}, {_PLACE}, {_NODE.format("f.node")} AS node,
    COALESCE(q.name, 'q' || CAST(f.code AS TEXT)) AS quantity, f.channel AS channel,
    f.value / COALESCE(q.scale, 1) AS value, q.unit AS unit
    {readings.FROM} {_SERVED.format("f.at_s")};
"""

STATEMENTS = {
    "lights": _LIGHTS,
    "equipment_faults": _FAULTS,
    "readings": _READINGS,
    "hourly_energy": _hourly("hourly_energy", _ENERGY, "energy", "energy_wh"),
    "daily_energy": _daily("daily_energy", _ENERGY + _SILENCE.format("energy"), "energy", "energy_wh"),
    "daily_water": _daily("daily_water", _WATER + _SILENCE.format("water"), "water", "water_l"),
    "daily_temperature": _daily("daily_temperature", _TEMPERATURE, "temperature", "temperature_ck_s"),
}
VIEWS = "".join(STATEMENTS.values())
