"""Defines the tables of the warehouse and opens its file. Must not read or write a row.

A row is one record, not one reading: four to eight times smaller, and a record is atomic. Times are integers; a node's
id is eight bytes; the lane is an index in `wire.event.LANES`; the gateway is a number, for which the view `readable`
gives commune and name. The version of these tables is kept in the database: a change raises it.

Tables and statements are written once, in what SQLite 3.40 and PostgreSQL 17 have in common: BIGINT and BLOB,
ON CONFLICT, RETURNING, `flag = 1`. `INTEGER PRIMARY KEY AUTOINCREMENT` is a number that is never given again, and
`WITHOUT ROWID` keeps rows in the order of their key where an engine can.
"""

from gateway.language import N_
from tools.centre.store import (
    condition_tables,
    database,
    ingest_tables,
    readings,
    retention_tables,
    rollup_tables,
    runs,
    scope_tables,
    views,
)

VERSION = 23

_TABLES = """
CREATE TABLE records (
    node BLOB NOT NULL, boot BIGINT NOT NULL, sequence BIGINT NOT NULL,
    seconds BIGINT NOT NULL, quality BIGINT NOT NULL, uncertainty_s BIGINT NOT NULL,
    lane BIGINT NOT NULL, body BLOB NOT NULL,
    gateway BIGINT NOT NULL, received_unix_s BIGINT NOT NULL,
    PRIMARY KEY (node, boot, sequence)
) WITHOUT ROWID;

-- The same identity with another body or stamp: kept beside, once each.
CREATE TABLE conflicts (
    node BLOB NOT NULL, boot BIGINT NOT NULL, sequence BIGINT NOT NULL,
    seconds BIGINT NOT NULL, quality BIGINT NOT NULL, uncertainty_s BIGINT NOT NULL,
    lane BIGINT NOT NULL, body BLOB NOT NULL,
    gateway BIGINT NOT NULL, received_unix_s BIGINT NOT NULL,
    PRIMARY KEY (node, boot, sequence, body, seconds, quality, uncertainty_s)
) WITHOUT ROWID;

-- Who carried: an id, bound to the commune and name of its first topic. bound = 0: an operator undid it.
CREATE TABLE gateways (
    gateway INTEGER PRIMARY KEY AUTOINCREMENT, id BLOB NOT NULL, insee TEXT NOT NULL, name TEXT NOT NULL,
    first_seen_unix_s BIGINT NOT NULL, bound BIGINT NOT NULL DEFAULT 1
);
CREATE UNIQUE INDEX gateway_ids ON gateways (id) WHERE bound = 1;
CREATE UNIQUE INDEX gateway_names ON gateways (insee, name) WHERE bound = 1;

-- The cabinets (insee-name) that may speak for a node, or for a gateway: itself.
CREATE TABLE serving (
    node BLOB NOT NULL, cabinet TEXT NOT NULL, since_unix_s BIGINT NOT NULL,
    PRIMARY KEY (node, cabinet)
) WITHOUT ROWID;
CREATE INDEX serving_cabinets ON serving (cabinet);
-- The newest boot of a node, and the latest instant at which it can have begun; NULL: not known.
CREATE TABLE boots (
    node BLOB PRIMARY KEY, boot BIGINT NOT NULL, began_unix_s BIGINT
) WITHOUT ROWID;
-- Records about a node (`about`) from a cabinet that is not its own: they count for nothing until a person decides.
CREATE TABLE apart (
    number INTEGER PRIMARY KEY AUTOINCREMENT, cabinet TEXT NOT NULL, about BLOB NOT NULL,
    node BLOB NOT NULL, boot BIGINT NOT NULL, sequence BIGINT NOT NULL,
    seconds BIGINT NOT NULL, quality BIGINT NOT NULL, uncertainty_s BIGINT NOT NULL,
    lane BIGINT NOT NULL, body BLOB NOT NULL,
    gateway BIGINT NOT NULL, received_unix_s BIGINT NOT NULL
);
CREATE UNIQUE INDEX apart_once ON apart
    (cabinet, about, node, boot, sequence, body, seconds, quality, uncertainty_s);
-- Records whose time cannot be: ahead of their receipt, older than this software, or doubted by their gateway.
CREATE TABLE doubts (
    node BLOB NOT NULL, boot BIGINT NOT NULL, sequence BIGINT NOT NULL,
    PRIMARY KEY (node, boot, sequence)
) WITHOUT ROWID;

-- Of the records of a stream: when the first was received, and the latest time that one of them states for certain;
-- held_end: the first position that its gateway did not have yet, by its own latest word.
CREATE TABLE prefixes (
    gateway BIGINT NOT NULL, epoch BLOB NOT NULL, lane BIGINT NOT NULL,
    next_position BIGINT NOT NULL, extended_unix_s BIGINT NOT NULL,
    first_received_unix_s BIGINT NOT NULL, latest_unix_s BIGINT NOT NULL, held_end BIGINT NOT NULL,
    PRIMARY KEY (gateway, epoch, lane)
) WITHOUT ROWID;
CREATE TABLE spans (
    gateway BIGINT NOT NULL, epoch BLOB NOT NULL, lane BIGINT NOT NULL,
    first BIGINT NOT NULL, last BIGINT NOT NULL,
    PRIMARY KEY (gateway, epoch, lane, first)
) WITHOUT ROWID;
-- Positions that a prefix jumped over: the gateway no longer held them. `hole` and `gap` records say why.
CREATE TABLE skips (
    gateway BIGINT NOT NULL, epoch BLOB NOT NULL, lane BIGINT NOT NULL,
    first BIGINT NOT NULL, last BIGINT NOT NULL, received_unix_s BIGINT NOT NULL,
    PRIMARY KEY (gateway, epoch, lane, first)
) WITHOUT ROWID;

CREATE TABLE gaps (
    by_node BLOB NOT NULL, by_boot BIGINT NOT NULL, by_sequence BIGINT NOT NULL,
    about BLOB NOT NULL, boot BIGINT NOT NULL, first BIGINT NOT NULL, last BIGINT, why TEXT NOT NULL,
    PRIMARY KEY (about, boot, first, by_node, by_boot, by_sequence)
) WITHOUT ROWID;
CREATE TABLE anchors (
    by_node BLOB NOT NULL, by_boot BIGINT NOT NULL, by_sequence BIGINT NOT NULL,
    about BLOB NOT NULL, boot BIGINT NOT NULL, uptime_s BIGINT NOT NULL, unix_s BIGINT NOT NULL,
    uncertainty_s BIGINT NOT NULL,
    PRIMARY KEY (about, boot, uptime_s, by_node, by_boot, by_sequence)
) WITHOUT ROWID;

CREATE TABLE refused (
    number INTEGER PRIMARY KEY AUTOINCREMENT, topic TEXT NOT NULL, reason TEXT NOT NULL,
    length BIGINT NOT NULL, payload BLOB NOT NULL, received_unix_s BIGINT NOT NULL
);
-- What a person must look into: one line for a kind, the cabinet that it came from, and what it is about.
CREATE TABLE alarms (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL, cabinet TEXT NOT NULL, subject TEXT NOT NULL, detail TEXT NOT NULL,
    first_unix_s BIGINT NOT NULL, last_unix_s BIGINT NOT NULL, times BIGINT NOT NULL,
    UNIQUE (kind, cabinet, subject)
);
CREATE TABLE counters (name TEXT PRIMARY KEY, value BIGINT NOT NULL) WITHOUT ROWID;

-- The register, in versions: what each equipment was from one midnight of France to another (NULL: it still is). Its
-- words are those of `tools.centre.register.equipment`; power in 0.1 W, position in degrees of WGS84.
CREATE TABLE equipment (
    insee TEXT NOT NULL, kind TEXT NOT NULL, id TEXT NOT NULL, from_unix_s BIGINT NOT NULL, until_unix_s BIGINT,
    name TEXT, street TEXT, post TEXT, lamp TEXT, power_dw BIGINT,
    longitude DOUBLE PRECISION, latitude DOUBLE PRECISION, cabinet TEXT, feeder TEXT, node BLOB, zone BIGINT,
    PRIMARY KEY (insee, kind, id, from_unix_s)
) WITHOUT ROWID;
-- With the key it has all by which a view finds what a node served at an instant: no row is read for its commune.
CREATE INDEX equipment_nodes ON equipment (node, until_unix_s, zone);

CREATE VIEW readable AS
    SELECT hex(records.node) AS node, boot, sequence, seconds, quality, uncertainty_s,
        CASE lane WHEN 0 THEN 'alarm' WHEN 1 THEN 'event' ELSE 'telemetry' END AS lane,
        insee, name AS gateway, received_unix_s, body
    FROM records JOIN gateways ON gateways.gateway = records.gateway;
"""

_ALL = (
    _TABLES, ingest_tables.TABLES, condition_tables.TABLES, rollup_tables.TABLES, retention_tables.TABLES,
    runs.TABLES, scope_tables.TABLES, readings.TABLES, views.VIEWS,
)  # fmt: skip
SCHEMA = database.Schema(N_("a warehouse"), VERSION, "".join(_ALL))


def open_to_write(path: str, synchronous: str = "FULL") -> database.Connection:
    """Returns a connection that may write, and makes the file where there is none; ":memory:" lives as long as the
    connection.

    `synchronous` FULL is custody: a commit is on the disk. NORMAL and OFF are for simulated worlds.
    """
    return database.open_to_write(SCHEMA, path, synchronous)


def open_to_read(path: str) -> database.Connection:
    """Returns a connection that cannot write; database.Error when there is no such file."""
    return database.open_to_read(SCHEMA, path)
