"""Defines the tables of what is kept for how long, and of what was purged. Must not read or write a row.

Of a purged record its identity stays: what a gateway sends again must be acknowledged, and must not come back as new.
"""

TABLES = """
-- For how many days a class of facts is kept; a class that is not here has its default. Of hours: what is purged.
CREATE TABLE retention (
    class TEXT NOT NULL PRIMARY KEY, days BIGINT NOT NULL, purged_unix_s BIGINT NOT NULL
);
-- Of a node: the day of France before which readings were purged (from 1970-01-01, as `days` names it, and its first
-- second), so that figures of earlier days are not computed anew; and the last record, in its order, that was purged.
CREATE TABLE purged_nodes (
    node BLOB NOT NULL PRIMARY KEY, day BIGINT NOT NULL, day_local TEXT NOT NULL, begins_unix_s BIGINT NOT NULL,
    purged_boot BIGINT NOT NULL, purged_sequence BIGINT NOT NULL
);
-- Sequences of a boot: all of them that are not held were held, and are purged.
CREATE TABLE purged (
    node BLOB NOT NULL, boot BIGINT NOT NULL, first BIGINT NOT NULL, last BIGINT NOT NULL,
    PRIMARY KEY (node, boot, first)
) WITHOUT ROWID;
"""
