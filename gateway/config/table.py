"""Reads fields of one table of the configuration, and collects their faults.

A fault has a place, a problem and a remedy, which the catalogue translates; all faults of a
file are listed at once. A faulty field yields a harmless value, so that the rest is checked as well.
"""

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from gateway.language import N_, NC_, translate
from wire import limits as wire_limits

IS = NC_("fault", "is {value}")
IS_MISSING = NC_("fault", "is missing")
_LAID_OUT = N_("{place}: {problem}; {remedy}")


class Fault(NamedTuple):
    """Describes a fault. `place`: "[link] bind" for the field `bind` of [link]. `problem` and `remedy` are sentences of
    the catalogue with `values` in them."""

    place: str
    problem: str
    remedy: str
    values: Mapping[str, object]

    def text(self, language: str) -> str:
        """Returns the fault on one line, in one of the languages."""
        problem = translate(self.problem, language, **self.values)
        remedy = translate(self.remedy, language, **self.values)
        return translate(_LAID_OUT, language, place=self.place, problem=problem, remedy=remedy)


class Table:
    """Reads one table. `name` as the file writes it, "[link]" or "[[bearer]] 2"; `faults` is shared by all tables of a
    file. With `prefix` it is an item of a list in another table."""

    def __init__(self, name: str, plain: Any, faults: list[Fault], prefix: str = "") -> None:
        self.name = name
        self.is_there = isinstance(plain, dict)
        self.plain: dict[str, Any] = plain if isinstance(plain, dict) else {}
        self.faults = faults
        self._prefix = prefix

    def item(self, field: str, index: int, plain: Any) -> "Table":
        """Returns the table at `index` in the list `field`."""
        return Table(self.name, plain, self.faults, f"{self._prefix}{field}[{index}].")

    def place(self, field: str) -> str:
        return f"{self.name} {self._prefix}{field}"

    def fault(self, field: str, problem: str, remedy: str, **values: object) -> None:
        self.faults.append(Fault(self.place(field), problem, remedy, values))

    def refuse(self, field: str, remedy: str, **values: object) -> None:
        """Adds a fault: the field is missing, or has a value that it must not have."""
        value = self.plain.get(field)
        self.fault(field, IS_MISSING if value is None else IS, remedy, value=repr(value), **values)

    def unknown(self, known: tuple[str, ...]) -> None:
        """Adds a fault for each field whose name is not in `known`."""
        for field in self.plain:
            if field not in known:
                self.fault(
                    field,
                    NC_("fault", "is not a field"),
                    N_("remove it; known are {known}"),
                    known=", ".join(sorted(known)),
                )

    # --- values -----------------------------------------------------------------------------------------------------

    def integer(self, field: str, low: int, high: int, default: int | None = None) -> int:
        """Returns an integer; without a `default` it must be given."""
        value = self.plain.get(field, default)
        if type(value) is not int or not low <= value <= high:
            self.refuse(field, N_("give an integer from {low} to {high}"), low=low, high=high)
            return low if default is None else default
        return value

    def choice(self, field: str, allowed: tuple[Any, ...], default: Any) -> Any:
        value = self.plain.get(field, default)
        if type(value) is not type(default) or value not in allowed:
            names = ", ".join(str(one).lower() if isinstance(one, bool) else str(one) for one in allowed)
            self.refuse(field, N_("give one of {allowed}"), allowed=names)
            return default
        return value

    def boolean(self, field: str, default: bool) -> bool:
        return bool(self.choice(field, (False, True), default))

    def text(self, field: str, is_good: Callable[[str], Any], remedy: str, **values: object) -> str:
        """Returns a text that must be given."""
        value = self.plain.get(field)
        if not isinstance(value, str) or not is_good(value):
            self.refuse(field, remedy, **values)
            return ""
        return value

    def optional(self, field: str, is_good: Callable[[str], Any], remedy: str, **values: object) -> str | None:
        return None if self.plain.get(field) is None else self.text(field, is_good, remedy, **values)

    def path(self, field: str) -> str | None:
        return self.optional(field, _is_absolute, N_("give an absolute path, or remove it"))

    def address(self, field: str, default_port: int) -> tuple[str, int]:
        """Returns (host, port) of `host:port`, or of a host alone."""
        value = self.plain.get(field)
        if isinstance(value, str) and re.fullmatch(r"\S+", value):
            host, colon, port = value.rpartition(":")
            if not colon:
                return value, default_port
            # An IPv6 address must be in brackets, or its last group could be read as a port.
            is_host = re.fullmatch(r"[^\[\]:]+|\[[^\[\]]+\]", host)
            if is_host and re.fullmatch("[0-9]{1,5}", port) and int(port) <= 65535:
                return host.strip("[]"), int(port)
        self.refuse(field, N_('give "host:port", as "192.0.2.1:{port}"'), port=default_port)
        return "", 0

    def node_id(self, field: str) -> bytes:
        remedy = N_("give the 16 hex digits minted for this gateway")
        return id_from_hex(self.text(field, lambda text: id_from_hex(text) is not None, remedy)) or b""


def id_from_hex(text: Any) -> bytes | None:
    """Returns a node's id from its 16 hex digits; None for any other value."""
    if not isinstance(text, str) or len(text) != 2 * wire_limits.NODE_ID_BYTES:
        return None
    # Not left to fromhex alone: it skips spaces.
    return bytes.fromhex(text) if re.fullmatch("[0-9a-fA-F]+", text) else None


def is_file(text: str) -> bool:
    return Path(text).is_file()


def _is_absolute(text: str) -> bool:
    return text.startswith("/")
