"""Keeps the folder of a workshop: for each node its settings and its key, and one list that a spreadsheet opens.

    nodes.csv      node, kind, place, mac, written, program, replaces; no secret; written whole
    ID.json        the settings, which hold the node's secret
    ID.key         the key, for `bocage gateway adopt`

Only their owner may read these files.

A node's id is the workshop's prefix of four bytes, drawn once, the number of the bench, and a counter: it is never used
twice, for a second node under one id would lock the first one out.
"""

import argparse
import csv
import io
import json
import re
import secrets
from pathlib import Path
from typing import Any, NamedTuple

from gateway.core.link.sessions import NodeKey
from gateway.io import files
from gateway.language import N_
from gateway.shell import keys as node_keys
from tools.command_line import Refused
from tools.node.faults import of_path
from wire.oscore_context import usual_kid

LIST = "nodes.csv"
_COLUMNS = ("node", "kind", "place", "mac", "written", "program", "replaces")
_PREFIX_BYTES = 4
_COUNTER_BYTES = 3
_ID = re.compile("[0-9a-f]{16}")


def add_folder(parser: argparse.ArgumentParser) -> None:
    """Adds `--folder`, where a workshop keeps its nodes."""
    parser.add_argument("--folder", type=Path, default=Path("nodes"), help="of the workshop (default: %(default)s)")


class Row(NamedTuple):
    """Holds one node of the list. `mac`: of the module that was written last, "" before; `written`: when, in UTC;
    `program`: the number of its application; `replaces`: the node in whose place it stands."""

    node: str
    kind: str
    place: str
    mac: str = ""
    written: str = ""
    program: str = ""
    replaces: str = ""


class Workshop:
    """Reads and writes the folder. `bench`: 0 to 255, the byte of an id that says who minted it."""

    def __init__(self, folder: Path, *, bench: int = 1) -> None:
        self._folder = folder
        self._bench = bench

    def rows(self) -> list[Row]:
        """Returns the list, in the order in which the nodes were made; Refused for one that cannot be read."""
        path = self._folder / LIST
        try:
            with open(path, newline="", encoding="utf-8-sig") as file:
                first = file.readline()
                file.seek(0)
                found = list(csv.reader(file, delimiter=delimiter(first)))
        except FileNotFoundError:
            return []
        except (OSError, ValueError, csv.Error) as error:
            raise of_path(path, error) from error
        if not found or found[0] != list(_COLUMNS) or any(len(row) != len(_COLUMNS) for row in found):
            raise Refused(N_("{path}: its first line must be {columns}"), path=path, columns=",".join(_COLUMNS))
        for line, row in enumerate(found[1:], 2):
            if not _ID.fullmatch(row[0]):
                message = N_(
                    "{path}:{line}: {node} is no id of 16 hex digits: a spreadsheet may have changed it; the names of "
                    "the files beside it are the ids"
                )
                raise Refused(message, path=path, line=line, node=repr(row[0]))
        return [Row(*row) for row in found[1:]]

    def in_use(self) -> list[Row]:
        """Returns the list without the nodes that others have replaced."""
        rows = self.rows()
        replaced = {row.replaces for row in rows}
        return [row for row in rows if row.node not in replaced]

    def add(self, plain: dict[str, Any], place: str, *, replaces: str = "") -> tuple[NodeKey, Path]:
        """Writes the key of a new node and its settings, which are `plain` with that key, then its line in the list;
        returns the key and the path of the settings."""
        rows = self.rows()
        key = self.new_key()
        settings = self.settings_path(key.node.hex())
        self._folder.mkdir(parents=True, exist_ok=True)
        node_keys.save(self.key_path(key.node.hex()), key)
        whole = with_key(plain, key)
        files.write(settings, json.dumps(whole, indent=1, ensure_ascii=False).encode() + b"\n", gives=False)
        self._write([*rows, Row(key.node.hex(), plain["kind"], place, replaces=replaces)])
        return key, settings

    def new_key(self) -> NodeKey:
        """Returns the key of the next node: an id that no other node has, and a fresh secret. The id of a key that a
        power cut has left without a line in the list counts as taken."""
        kept = (path.stem for path in self._folder.glob(f"*{node_keys.SUFFIX}") if _ID.fullmatch(path.stem))
        taken = [bytes.fromhex(name) for name in (*(row.node for row in self.rows()), *kept)]
        prefix = taken[0][:_PREFIX_BYTES] if taken else secrets.token_bytes(_PREFIX_BYTES)
        head = prefix + bytes((self._bench,))
        counter = max((int.from_bytes(node[len(head) :]) for node in taken if node.startswith(head)), default=0) + 1
        node = head + counter.to_bytes(_COUNTER_BYTES)
        return NodeKey(node, usual_kid(node), secrets.token_bytes(node_keys.SECRET_BYTES))

    def find(self, word: str) -> Row:
        """Returns the one node in use whose id ends with these digits; Refused when there is none, or more than one."""
        found = [row for row in self.in_use() if word and row.node.endswith(word.lower())]
        if not found:
            message = N_("{word}: no node in use of {path} ends so; see them all: bocage node list")
            raise Refused(message, word=repr(word), path=self._folder / LIST)
        if len(found) > 1:
            told = ", ".join(row.node for row in found[:4])
            message = N_("{word}: {count} nodes of {path} end so ({told}); give more digits of the id")
            raise Refused(message, word=repr(word), count=len(found), path=self._folder / LIST, told=told)
        return found[0]

    def note(self, changed: Row) -> None:
        """Writes the line of a node anew."""
        self._write([changed if row.node == changed.node else row for row in self.rows()])

    def settings_path(self, node: str) -> Path:
        return self._folder / f"{node}.json"

    def key_path(self, node: str) -> Path:
        return self._folder / f"{node}{node_keys.SUFFIX}"

    def _write(self, rows: list[Row]) -> None:
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows([_COLUMNS, *rows])
        files.write(self._folder / LIST, text.getvalue().encode(), gives=False)


def delimiter(first: str) -> str:
    """Returns what stands between the cells of a table, by its first line: French spreadsheets write semicolons."""
    return ";" if ";" in first else ","


def with_key(plain: dict[str, Any], key: NodeKey) -> dict[str, Any]:
    """Returns settings with the id and the secret of this key, in the place of those that they had."""
    own = {"node": key.node.hex(), "kid": key.kid.hex(), "master_secret": key.master_secret.hex()}
    return {**plain, **own}
