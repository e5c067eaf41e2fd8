"""Defines the tables by which the ingest bounds what a cabinet may bring. Must not read or write a row."""

TABLES = """
-- What a cabinet has brought on a lane on the last day (of UTC, from 1970-01-01) that it sent anything.
CREATE TABLE brought (
    cabinet TEXT NOT NULL, lane TEXT NOT NULL, day BIGINT NOT NULL, bytes BIGINT NOT NULL,
    PRIMARY KEY (cabinet, lane)
);
-- How many records of a cabinet are in `apart`; counting them takes longer than a batch.
CREATE TABLE apart_counts (cabinet TEXT NOT NULL PRIMARY KEY, records BIGINT NOT NULL);
"""
