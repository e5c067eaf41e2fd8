"""Defines the tables of the ingests: which are at work, bounds of cabinets, boots of strangers, what was placed.

Must not read or write a row.
"""

TABLES = """
-- The light that a technician stated last for a node, at a cabinet of a commune (NULL: none), when, and in which
-- record. decided = 1: the register says the same, or a person has answered.
CREATE TABLE placed (
    node BLOB NOT NULL PRIMARY KEY, insee TEXT NOT NULL, light TEXT, street TEXT, stated_unix_s BIGINT NOT NULL,
    by_node BLOB NOT NULL, by_boot BIGINT NOT NULL, by_sequence BIGINT NOT NULL, decided BIGINT NOT NULL
);
-- What a cabinet has brought on a lane on the last day (of UTC, from 1970-01-01) that it sent anything.
CREATE TABLE brought (
    cabinet TEXT NOT NULL, lane TEXT NOT NULL, day BIGINT NOT NULL, bytes BIGINT NOT NULL,
    PRIMARY KEY (cabinet, lane)
);
-- How many records of a cabinet are in `apart`; counting them takes longer than a batch.
CREATE TABLE apart_counts (cabinet TEXT NOT NULL PRIMARY KEY, records BIGINT NOT NULL);
-- Boots of a node that were a stranger's, as a person says: what is of them is kept in `apart`.
CREATE TABLE disowned (
    node BLOB NOT NULL PRIMARY KEY, first_boot BIGINT NOT NULL, last_boot BIGINT NOT NULL,
    decided_unix_s BIGINT NOT NULL
);
-- The ingests at work, by account: since when, when each was last heard of, and how many messages it has committed. One
-- that stops in order removes its row.
CREATE TABLE ingests (
    name TEXT NOT NULL PRIMARY KEY, since_unix_s BIGINT NOT NULL, seen_unix_s BIGINT NOT NULL, messages BIGINT NOT NULL
);
"""
