"""States for each table which of its rows a person may see: one condition of SQL a table, for both engines.

The conditions ask three relations, which are filled for the person (`tools.centre.scope.reader`): `scope_areas` (a
commune, or '*' where all are granted; a trade, `any` or `every`), `scope_nodes` (a node, between which times and days,
and whether that is always) and `scope_cabinets`. The last two are empty for who sees the whole territory.

* Equipment belongs to its commune, and by its kind to a trade. Communes and cabinets are seen with any trade.
* A node belongs to what it serves, as the register has it at the time of the record; before and after, to what it
  served first or last.
* A contractor sees the lights of a street, or equipment by name, with the records of its nodes while they served it,
  and what every person of a commune sees: its name, and the cabinets that carry these nodes.
* A gateway belongs to its cabinet, and what it records is of lighting: feeders, mains, door. Where it tells of gaps it
  names nodes of other trades by their ids.
* A node that the register does not know belongs to the communes of the cabinets that carry it, and is seen with all
  trades there.
* A meter that hangs on a cabinet is of lighting, any other is of water: Bocage makes no third.
* What concerns the warehouse itself, strangers and clones is for who sees the whole territory.
* The journal is for who was granted the journal; what concerns the whole territory concerns each of its communes.

A table without a rule cannot be read by a person.
"""

from tools.centre.limits import STAMP_AHEAD_S_MAX, STAMP_UNIX_S_MIN
from tools.centre.register.equipment import CABINET, COMMUNE, FEEDER, GREEN_SPACE, LIGHT, METER, ROOM
from tools.centre.scope.grants import ALL, ANY, EVERY, HEATING, JOURNAL, LIGHTING, OF_PLACE, OF_STREET, TICKET, WATERING
from wire import record

# Beyond all instants.
ALWAYS_S = 1 << 62
# When a record was made, by its own word where that can be, or else by its receipt.
AT_S = f"""CASE WHEN quality <> {record.UNSET} AND seconds >= {STAMP_UNIX_S_MIN}
    AND seconds <= received_unix_s + {STAMP_AHEAD_S_MAX} THEN seconds ELSE received_unix_s END"""


def area(insee: str, trade: str) -> str:
    """Returns the condition that a person may see a trade of a commune; both are expressions of SQL."""
    return f"EXISTS (SELECT 1 FROM scope_areas AS a WHERE a.insee = {insee} AND a.trade = {trade})"


def trade_of(kind: str, cabinet: str, *, cabinets: str) -> str:
    """Returns the trade of an equipment, an expression of SQL. `cabinets`: of a cabinet."""
    return f"""CASE {kind} WHEN '{COMMUNE}' THEN '{ANY}' WHEN '{CABINET}' THEN '{cabinets}'
        WHEN '{FEEDER}' THEN '{LIGHTING}' WHEN '{LIGHT}' THEN '{LIGHTING}' WHEN '{ROOM}' THEN '{HEATING}'
        WHEN '{GREEN_SPACE}' THEN '{WATERING}'
        WHEN '{METER}' THEN CASE WHEN {cabinet} IS NULL THEN '{WATERING}' ELSE '{LIGHTING}' END END"""


def is_open(e: str, *, cabinets: str) -> str:
    """Returns the condition that a person may see an equipment, of a table or alias `e`: by its trade, by its name, or
    as a light of a street. `cabinets`: the trade of a cabinet."""
    # Three questions of two equalities each: PostgreSQL hashes such, and asks any other for each row.
    by_trade = trade_of(f"{e}.kind", f"{e}.cabinet", cabinets=cabinets)
    by_name = f"'{OF_PLACE}' || {e}.kind || '/' || {e}.id"
    by_street = f"CASE {e}.kind WHEN '{LIGHT}' THEN '{OF_STREET}' || {e}.street WHEN '{COMMUNE}' THEN '{TICKET}' END"
    return f"({' OR '.join(area(f'{e}.insee', trade) for trade in (by_trade, by_name, by_street))})"


def _node(column: str) -> str:
    return f"EXISTS (SELECT 1 FROM scope_nodes AS s WHERE s.node = {column})"


def _node_now(column: str) -> str:
    return f"EXISTS (SELECT 1 FROM scope_nodes AS s WHERE s.node = {column} AND s.until_unix_s = {ALWAYS_S})"


def _node_between(column: str, at: str, unit: str) -> str:
    # Most nodes never moved, and PostgreSQL hashes them: of two bounds each row would be a step in an index.
    own = f"EXISTS (SELECT 1 FROM scope_nodes AS s WHERE s.node = {column} AND s.is_always = {{}})"
    return f"""{own.format(1)} OR {own.format(0)} AND EXISTS (SELECT 1 FROM scope_nodes AS s WHERE s.node = {column}
        AND s.from_{unit} <= {at} AND {at} < s.until_{unit})"""


def _node_at(column: str) -> str:
    # Of rows that are read one by one, by their key: a list of all nodes would be hashed for a few of them.
    return f"""EXISTS (SELECT 1 FROM scope_nodes AS s WHERE s.node = {column}
        AND s.from_unix_s <= {AT_S} AND {AT_S} < s.until_unix_s)"""


def _of_record(table: str) -> str:
    """Returns the condition that the record which a row names is seen; `records` is asked as the person sees it."""
    return f"""EXISTS (SELECT 1 FROM records AS r WHERE r.node = {table}.node AND r.boot = {table}.boot
        AND r.sequence = {table}.sequence)"""


def opened_by(rule: str) -> str:
    """Returns the trade that opens rows by this rule: JOURNAL, EVERY (of the whole territory), or else ANY, that of
    what a row is about."""
    if f"'{JOURNAL}'" in rule:
        return JOURNAL
    return EVERY if rule.endswith(EVERYTHING) else ANY


# Who sees the whole territory: asked once for a question, and then no row is judged.
EVERYTHING = f"EXISTS (SELECT 1 FROM scope_areas AS a WHERE a.insee = '{ALL}' AND a.trade = '{EVERY}')"
_CARRIED = "{0}.gateway IN (SELECT gateway FROM gateways)"
# Each rule names a column: SQLite would ask its authorizer about a table that is counted, and of which no column is
# used, as if no view stood before it.
_TERRITORY = f"{{}} >= '' AND {EVERYTHING}"

# Of the control file (`tools.centre.control.file`): orders by their trade, policies and cabinets with any.
CONTROL_RULES = {
    "commands": area("commands.insee", "commands.trade"),
    "sendings": "EXISTS (SELECT 1 FROM commands AS c WHERE c.id = sendings.command)",
    "outcomes": "EXISTS (SELECT 1 FROM commands AS c WHERE c.id = outcomes.command)",
    "gateways": area("gateways.insee", f"'{ANY}'"),
    "policies": area("policies.insee", f"'{ANY}'"),
    "keysets": area("keysets.insee", f"'{ANY}'"),
    "counters": _TERRITORY.format("counters.name"),
}

_OF_EQUIPMENT = {
    "records": _node_at("records.node"),
    "conflicts": _node_at("conflicts.node"),
    "latest": _node_between("latest.node", AT_S, "unix_s"),
    "hours": _node_between("hours.node", "hours.hour_unix_s", "unix_s"),
    "days": _node_between("days.node", "days.day_local", "day"),
    "faults": _of_record("faults"),
    "fault_notes": _of_record("fault_notes"),
    "feeders": _node_at("feeders.node"),
    "campaigns": _of_record("campaigns"),
    "gaps": _node("gaps.about"),
    "anchors": _node("anchors.about"),
    "doubts": _node("doubts.node"),
    "boots": _node_now("boots.node"),
    "serving": _node_now("serving.node"),
    "placed": _node_now("placed.node"),
    "day_spans": _node("day_spans.node"),
    "unplaced": _node("unplaced.node"),
    "gateways": "EXISTS (SELECT 1 FROM scope_cabinets AS c WHERE c.cabinet = gateways.insee || '-' || gateways.name)",
    "prefixes": _CARRIED.format("prefixes"),
    "spans": _CARRIED.format("spans"),
    "skips": _CARRIED.format("skips"),
    "equipment": is_open("equipment", cabinets=ANY)
    + f""" OR equipment.kind = '{CABINET}' AND EXISTS (SELECT 1 FROM scope_cabinets AS c
        WHERE c.cabinet = equipment.insee || '-' || equipment.id)""",
    "disowned": _node("disowned.node"),
    "purged": _node("purged.node"),
    "purged_nodes": _node("purged_nodes.node"),
}
RULES = {
    **{table: f"{EVERYTHING} OR {rule}" for table, rule in _OF_EQUIPMENT.items()},
    "calendar": "calendar.hour_unix_s >= 0",
    "apart": _TERRITORY.format("apart.cabinet"),
    "refused": _TERRITORY.format("refused.topic"),
    "alarms": _TERRITORY.format("alarms.kind"),
    "counters": _TERRITORY.format("counters.name"),
    "brought": _TERRITORY.format("brought.cabinet"),
    "apart_counts": _TERRITORY.format("apart_counts.cabinet"),
    "ingests": _TERRITORY.format("ingests.name"),
    "runs": _TERRITORY.format("runs.name"),
    "quantities": "quantities.code >= 0",
    "retention": "retention.days >= 0",
    "grants": f"""EXISTS (SELECT 1 FROM scope_areas AS a
        WHERE a.insee IN (grants.insee, '{ALL}') AND a.trade = '{JOURNAL}')""",
    "journal": f"""EXISTS (SELECT 1 FROM scope_areas AS a
        WHERE (a.insee IN (journal.insee, '{ALL}') OR journal.insee = '') AND a.trade = '{JOURNAL}')""",
}
