"""Defines the tables of what is broken. Must not read or write a row.

Faults, feeders and campaigns are derived from records, in their transaction, and hold no fact of their own: a fault
names the records that begin it, state it last and end it (NULL: it lasts). `fault_notes` is what people did about it; a
note names a record that states the fault, so that it stays attached when an earlier record arrives late.

A node that was exchanged cannot end its faults. The register and the node in its place do: REPLACED.
"""

# The instant at which another node took the place of a node {0} that serves nothing any more, by the register; NULL
# where there is none, or the other has not been heard since.
REPLACED = """(SELECT MAX(new.from_unix_s) FROM equipment AS old
    JOIN equipment AS new ON new.insee = old.insee AND new.kind = old.kind AND new.id = old.id
        AND new.from_unix_s = old.until_unix_s AND new.node <> old.node
    JOIN latest AS heard ON heard.node = new.node AND heard.received_unix_s >= new.from_unix_s
    WHERE old.node = {0} AND NOT EXISTS (
        SELECT 1 FROM equipment AS still WHERE still.node = {0} AND still.until_unix_s IS NULL))"""

TABLES = """
-- part: what distinguishes two faults of one code at one node (feeder, zone, sensor), in CBOR.
CREATE TABLE faults (
    node BLOB NOT NULL, boot BIGINT NOT NULL, sequence BIGINT NOT NULL,
    code BIGINT NOT NULL, part BLOB NOT NULL,
    last_boot BIGINT NOT NULL, last_sequence BIGINT NOT NULL,
    end_boot BIGINT, end_sequence BIGINT,
    PRIMARY KEY (node, boot, sequence)
);
CREATE INDEX faults_open ON faults (node) WHERE end_boot IS NULL;
CREATE INDEX faults_ends ON faults (node, end_boot, end_sequence);
-- What a cabinet said last of each of its contactors (`feederSwitched`): 1, closed; and when, as the record has it.
CREATE TABLE feeders (
    node BLOB NOT NULL, feeder TEXT NOT NULL, boot BIGINT NOT NULL, sequence BIGINT NOT NULL,
    seconds BIGINT NOT NULL, quality BIGINT NOT NULL, received_unix_s BIGINT NOT NULL, closed BIGINT NOT NULL,
    PRIMARY KEY (node, feeder)
);
-- What a gateway said last of its campaign for a kind of node (`campaign`): the record has it.
CREATE TABLE campaigns (
    node BLOB NOT NULL, product TEXT NOT NULL, boot BIGINT NOT NULL, sequence BIGINT NOT NULL,
    PRIMARY KEY (node, product)
);
-- changes_hands: 1, from then on the fault is in the hands of `holder` ('': nobody's); 0, a comment, and holder is ''.
-- repaired: 1, its author says that it is repaired, which no measurement has said; 0, that it is not; -1, neither.
CREATE TABLE fault_notes (
    node BLOB NOT NULL, boot BIGINT NOT NULL, sequence BIGINT NOT NULL,
    written_unix_s BIGINT NOT NULL, author TEXT NOT NULL, changes_hands BIGINT NOT NULL, holder TEXT NOT NULL,
    words TEXT NOT NULL, repaired BIGINT NOT NULL,
    PRIMARY KEY (node, boot, sequence, written_unix_s, author, changes_hands, holder, words, repaired)
);
"""
