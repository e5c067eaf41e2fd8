"""Defines the tables of the roll-up (`tools.centre.rollup`). Must not read or write a row.

They hold no fact of their own: all follow from `records`, `anchors` and `doubts`, and may be emptied and made again.

Hours are those of UTC, which in France are also those of legal time, since its offsets are whole hours: an hour is
named by the Unix second with which it begins, so that the hour that happens twice in October is two. Days are those
of France, of 23 to 25 hours, because people light, heat, water and pay by them; the names say so: `hour_unix_s`,
`day_local`.
"""

_FIGURES = """
    energy_wh BIGINT, energy_s BIGINT, energy_bridged_wh BIGINT,
    water_l BIGINT, water_s BIGINT, water_bridged_l BIGINT,
    temperature_ck_s BIGINT, temperature_s BIGINT, lit_s BIGINT, unlit_s BIGINT,"""

TABLES = f"""
-- The newest record of a node, by (boot, sequence), which the node itself gave; and its newest readings, those of its
-- own health left out, -1 and NULL while there are none; of these, what a list of lights shows.
CREATE TABLE latest (
    node BLOB NOT NULL PRIMARY KEY, boot BIGINT NOT NULL, sequence BIGINT NOT NULL,
    seconds BIGINT NOT NULL, quality BIGINT NOT NULL, uncertainty_s BIGINT NOT NULL,
    gateway BIGINT NOT NULL, received_unix_s BIGINT NOT NULL,
    readings_boot BIGINT NOT NULL, readings_sequence BIGINT NOT NULL,
    readings_seconds BIGINT, readings_quality BIGINT, readings_uncertainty_s BIGINT, readings BLOB,
    power_dw BIGINT, level_percent BIGINT
) /* updated often */;

-- Of a node, a day of France (from 1970-01-01) and a boot: between which sequences readings of that day are found; is
-- 1: some came since the day was computed.
CREATE TABLE day_spans (
    node BLOB NOT NULL, day BIGINT NOT NULL, boot BIGINT NOT NULL, first BIGINT NOT NULL, last BIGINT NOT NULL,
    dirty BIGINT NOT NULL,
    PRIMARY KEY (node, day, boot)
) WITHOUT ROWID /* updated often */;
CREATE INDEX day_spans_dirty ON day_spans (node, day) WHERE dirty = 1;
-- Readings of a boot, from one sequence to another, whose day has to be found: they came without a clock, or an anchor
-- or a doubt may have changed their times.
CREATE TABLE unplaced (
    node BLOB NOT NULL, boot BIGINT NOT NULL, first BIGINT NOT NULL, last BIGINT NOT NULL,
    PRIMARY KEY (node, boot)
);

-- `channel`: of the registers, 0 for the only one of a lamp. `…_s`: the seconds in which a quantity is known: a
-- register counted through them, a temperature or a lamp was read often enough. `…_bridged_*`: the part of an amount
-- that was used since a reading of an earlier hour, too far back to divide it. NULL: no such quantity is measured.
CREATE TABLE hours (
    hour_unix_s BIGINT NOT NULL, node BLOB NOT NULL, channel BIGINT NOT NULL,{_FIGURES}
    PRIMARY KEY (hour_unix_s, node, channel)
) WITHOUT ROWID;
-- The same of a day; bridged is what was used since a reading of an earlier day, at `…_bridged_from_unix_s`, and
-- `…_bridged_s` that time: a sum over days that it lies in knows both. The least and most temperature that was read.
CREATE TABLE days (
    day_local TEXT NOT NULL, node BLOB NOT NULL, channel BIGINT NOT NULL,{_FIGURES}
    energy_bridged_s BIGINT, energy_bridged_from_unix_s BIGINT,
    water_bridged_s BIGINT, water_bridged_from_unix_s BIGINT,
    temperature_least_ck BIGINT, temperature_most_ck BIGINT,
    PRIMARY KEY (day_local, node, channel)
) WITHOUT ROWID;
CREATE INDEX days_nodes ON days (node, day_local);
-- What people call an hour; each day that has readings has all its hours here.
CREATE TABLE calendar (
    hour_unix_s BIGINT NOT NULL PRIMARY KEY,
    hour_utc TEXT NOT NULL, hour_local TEXT NOT NULL, day_local TEXT NOT NULL
);
CREATE INDEX calendar_days ON calendar (day_local);
CREATE INDEX calendar_utc ON calendar (hour_utc);
CREATE INDEX calendar_local ON calendar (hour_local);
"""
