"""Defines the view `readings` and the table of quantities that it names. Must not read or write a row.

The engine itself opens the bodies, which are CBOR maps of integers (RFC 8949): no copy of a reading is kept, and what
is shown is what is held. A day is found by `latest` and `day_spans`, a node by `latest`; readings whose time is not
known, or is doubted, have no day and are not shown.
"""

from tools.centre.limits import DRIFT_PPM
from wire import event, quantity, quantity_table, record

_TELEMETRY = event.LANES.index(event.TELEMETRY)
_OCTETS = f"X'{bytes(range(256)).hex()}'"


def _byte(at: str) -> str:
    """Returns the octet at a place of `r.body`; SQLite has no function for it."""
    return f"(instr({_OCTETS}, substr(r.body, {at}, 1)) - 1)"


def _word(*octets: int) -> str:
    """Returns the unsigned integer in octets at these distances from a head."""
    return " + ".join(f"{_byte(f'at + {one}')} * {256 ** (len(octets) - n)}" for n, one in enumerate(octets, 1))


# A head is one octet: major type times 32, and the argument, or that this follows in 1, 2, 4 or 8 octets.
_NEXT = "at + CASE head % 32 WHEN 24 THEN 2 WHEN 25 THEN 3 WHEN 26 THEN 5 WHEN 27 THEN 9 ELSE 1 END"
_ARGUMENT = f"""CASE head % 32 WHEN 24 THEN {_word(1)} WHEN 25 THEN {_word(1, 2)} WHEN 26 THEN {_word(1, 2, 3, 4)}
    WHEN 27 THEN {_word(*range(1, 9))} ELSE head % 32 END"""
_FIRST = "CASE WHEN substr(r.body, 1, 1) = X'B8' THEN 3 ELSE 2 END"
# The body as JSON, key by key; each step adds an integer to `said`. A value below 0 is written as -1 - n.
STEPS = "body_steps"
_JSON = f"""WITH RECURSIVE {STEPS} (at, head, place, said) AS (
        SELECT {_FIRST}, {_byte(_FIRST)}, 0, '{{'
        UNION ALL SELECT {_NEXT}, {_byte(_NEXT)}, place + 1, said || CASE WHEN place % 2 = 0
            THEN CASE WHEN place > 0 THEN ',"' ELSE '"' END || ({_ARGUMENT}) || '":'
            ELSE CASE WHEN head < 32 THEN {_ARGUMENT} ELSE -1 - ({_ARGUMENT}) END END
        FROM {STEPS} WHERE at <= length(r.body))
    SELECT said || '}}' FROM {STEPS} WHERE at > length(r.body)"""

OPENED_BY_SQLITE = f"json_each(({_JSON}))"
# PostgreSQL has no such functions of octets, and keeps one of ours with the tables: there it is others' too.
OPENED_BY_POSTGRES = "opened(r.body)"
POSTGRES_FUNCTION = """
CREATE FUNCTION opened(body bytea) RETURNS TABLE (key BIGINT, value BIGINT)
    LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
    at integer := CASE get_byte(body, 0) WHEN 184 THEN 2 ELSE 1 END;
    head integer; octets integer; number bigint; is_key boolean := true;
BEGIN
    WHILE at < length(body) LOOP
        head := get_byte(body, at);
        octets := CASE head % 32 WHEN 24 THEN 1 WHEN 25 THEN 2 WHEN 26 THEN 4 WHEN 27 THEN 8 ELSE 0 END;
        number := CASE octets WHEN 0 THEN head % 32 ELSE 0 END;
        FOR one IN at + 1 .. at + octets LOOP
            number := number * 256 + get_byte(body, one);
        END LOOP;
        at := at + 1 + octets;
        IF is_key THEN
            key := number;
        ELSE
            value := CASE WHEN head < 32 THEN number ELSE -1 - number END;
            RETURN NEXT;
        END IF;
        is_key := NOT is_key;
    END LOOP;
END $$;
"""

# As `archive.Moments`: of each sender and uptime the latest anchor; of these the least doubt, the nearest, the first.
_AWAY = "abs(r.seconds - a.uptime_s)"
_ANCHORED = f"""SELECT at_s FROM (SELECT a.unix_s + r.seconds - a.uptime_s AS at_s, a.uptime_s AS uptime_s,
        {_AWAY} AS away_s, a.uncertainty_s + ({_AWAY} * {DRIFT_PPM} + 999999) / 1000000 AS doubt_s
        FROM anchors AS a WHERE a.about = r.node AND a.boot = r.boot AND NOT EXISTS (SELECT 1 FROM anchors AS b
            WHERE b.about = a.about AND b.boot = a.boot AND b.uptime_s = a.uptime_s AND b.by_node = a.by_node
            AND (b.by_boot, b.by_sequence) > (a.by_boot, a.by_sequence))) AS anchored
    ORDER BY doubt_s, away_s, uptime_s, at_s LIMIT 1"""

_KEY = "CAST(j.key AS INTEGER)"
# A day is found by its midnight: the hour that begins at 00:00 is 22:00 or 23:00 of UTC, and is there once a day.
FROM = f"""FROM (SELECT l.node AS node, m.day_local AS day_local, CAST(j.value AS DOUBLE PRECISION) AS value,
        {_KEY} % {quantity.CHANNEL_STEP} AS code, {_KEY} / {quantity.CHANNEL_STEP} AS channel,
        CASE WHEN r.quality <> {record.UNSET} THEN r.seconds ELSE ({_ANCHORED}) END AS at_s
        FROM calendar AS m CROSS JOIN latest AS l CROSS JOIN day_spans AS d CROSS JOIN records AS r
        CROSS JOIN {OPENED_BY_SQLITE} AS j
        WHERE substr(m.hour_local, 12, 5) = '00:00' AND d.node = l.node AND d.day = (m.hour_unix_s + 7200) / 86400
        AND r.node = d.node AND r.boot = d.boot AND r.sequence BETWEEN d.first AND d.last
        AND r.lane = {_TELEMETRY} AND NOT EXISTS (SELECT 1 FROM doubts
            WHERE doubts.node = r.node AND doubts.boot = r.boot AND doubts.sequence = r.sequence)) AS f
    JOIN calendar AS k ON k.hour_unix_s = f.at_s - f.at_s % 3600 AND k.day_local = f.day_local
    LEFT JOIN quantities AS q ON q.code = f.code"""

_QUANTITIES = ", ".join(f"({one.code}, '{one.name}', '{one.unit}', 1e{-one.exponent})" for one in quantity_table.TABLE)
TABLES = f"""
-- What readings are (`wire.quantity`): a value is an integer, divided by `scale`.
CREATE TABLE quantities (
    code BIGINT NOT NULL PRIMARY KEY, name TEXT NOT NULL, unit TEXT NOT NULL, scale DOUBLE PRECISION NOT NULL
);
INSERT INTO quantities VALUES {_QUANTITIES};
CREATE INDEX latest_texts ON latest (lower(hex(node)));
"""
