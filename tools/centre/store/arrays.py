"""Gives statements all rows of their values at once, as arrays in PostgreSQL's own form. Must not know a table.

psycopg writes a list as text, element by element in Python: half of what a record costs the client.
"""

import struct
from collections.abc import Iterable, Sequence
from functools import cache
from itertools import chain, repeat
from typing import Any

from psycopg import pq
from psycopg.adapt import Dumper

BASES = {"blob": "bytea"}
# What an array is given as (PostgreSQL 17, `array_recv`): its dimensions, then each element with its length.
_ARRAY, _ABSENT = struct.Struct(">iiIii"), struct.pack(">i", -1)
_INTEGER, _LENGTH = struct.Struct(">iq"), struct.Struct(">i")


class _Array(bytes):
    """Is an array as the server receives it. `of`: its elements' type, `oid`: its own (pg_type)."""

    of: int
    oid: int

    def __new__(cls, values: Sequence[Any]) -> "_Array":
        head = _ARRAY.pack(1, None in values, cls.of, len(values), 1)
        return super().__new__(cls, head + b"".join(cls.elements(values)))

    @staticmethod
    def elements(values: Sequence[Any]) -> Iterable[bytes]:
        raise NotImplementedError


class Integers(_Array):
    of, oid = 20, 1016

    @staticmethod
    def elements(values: Sequence[Any]) -> Iterable[bytes]:
        if None in values:
            return [_ABSENT if value is None else _INTEGER.pack(8, value) for value in values]
        return map(_INTEGER.pack, repeat(8), values)


class Blobs(_Array):
    of, oid = 17, 1001

    @staticmethod
    def elements(values: Sequence[Any]) -> Iterable[bytes]:
        if None in values:
            return [_ABSENT if value is None else _LENGTH.pack(len(value)) + value for value in values]
        return chain.from_iterable(zip(map(_LENGTH.pack, map(len, values)), values, strict=True))


class Texts(Blobs):
    of, oid = 25, 1009

    @staticmethod
    def elements(values: Sequence[Any]) -> Iterable[bytes]:
        return Blobs.elements([None if value is None else value.encode() for value in values])


KINDS = {"bigint": Integers, "blob": Blobs, "text": Texts}
_TYPES = {int: "bigint", bytes: "blob", str: "text"}


class ArrayDumper(Dumper):
    """Hands an array to psycopg as it is."""

    format = pq.Format.BINARY

    def __init__(self, kind: type[_Array], context: Any = None) -> None:
        super().__init__(kind, context)
        self.oid = kind.oid

    def dump(self, array: _Array) -> bytes:
        return array


def columns_of(rows: Sequence[Sequence[Any]]) -> tuple[tuple[str, ...], list[_Array]]:
    """Returns the types of the columns of rows, of which the first has no NULL, and the columns."""
    columns = list(zip(*rows, strict=True))
    types = tuple(_TYPES[type(column[0])] for column in columns)
    return types, [KINDS[name](column) for name, column in zip(types, columns, strict=True)]


def _asked_of(statement: str, types: Sequence[str]) -> tuple[str, str]:
    """Returns a statement with the columns of `asked` in the place of its values, and what that is: arrays."""
    first, *others = statement.split("?")
    casts = ", ".join(f"CAST(%s AS {BASES.get(name, name)}[])" for name in types)
    names = ", ".join(f"value_{place}" for place in range(len(types)))
    where = first + "".join(f"asked.value_{place}{other}" for place, other in enumerate(others))
    return where.replace("%", "%%"), f"unnest({casts}) WITH ORDINALITY AS asked ({names}, place)"


@cache
def asked(statement: str, types: Sequence[str]) -> Any:
    """Returns the question that answers `statement` for each row of arrays of these types, after the row's number."""
    question, asked = _asked_of(statement, types)
    return f"SELECT asked.place, found.* FROM {asked} CROSS JOIN LATERAL ({question}) AS found"


@cache
def deleted(table: str, condition: str, types: Sequence[str]) -> Any:
    """Returns what deletes the rows that meet a condition with any row of arrays of these types."""
    where, asked = _asked_of(condition, types)
    return f"DELETE FROM {table} USING {asked} WHERE {where}"
