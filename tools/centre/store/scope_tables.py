"""Defines the tables of grants, and the journal of who read or did what. Must not read or write a row.

A grant opens a commune (INSEE code, or '*': all) and a trade (or '*': all three; `journal`: the right to read the
journal) to a person while `from_unix_s <= now < until_unix_s` (NULL: until it is withdrawn). The words are those of
`tools.centre.scope.grants`. The journal is added to and purged by age; no line is changed.
"""

TABLES = """
CREATE TABLE grants (
    person TEXT NOT NULL, insee TEXT NOT NULL, trade TEXT NOT NULL,
    from_unix_s BIGINT NOT NULL, until_unix_s BIGINT,
    given_by TEXT NOT NULL, given_unix_s BIGINT NOT NULL,
    PRIMARY KEY (person, insee, trade, from_unix_s)
);
-- insee '': the whole territory. about: in words of the command line.
CREATE TABLE journal (
    at_unix_s BIGINT NOT NULL, person TEXT NOT NULL, deed TEXT NOT NULL, insee TEXT NOT NULL, about TEXT NOT NULL,
    PRIMARY KEY (at_unix_s, person, deed, insee, about)
);
"""
