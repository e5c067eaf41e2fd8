"""Reads the folder `tell` of the agent's data: a technician's directives from this cabinet, one file each, until the
agent has them on its own disk.

`bocage gateway tell` writes a file there whole, by rename; the agent checks every few seconds. The right to write there
is the right to give directives (the folder is the agent's, so root and the agent's user). A file is deleted when the
agent holds its directive durably, or has refused it: after a power cut in between it is found again, and giving the
same directive twice changes nothing. It decides nothing about directives.
"""

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from gateway.core.custody.disk import parse_json
from gateway.core.directives.directive import Directive, parse_directive
from gateway.core.directives.directives import Directives
from gateway.io import clock, files
from wire import command
from wire.line import is_line

FOLDER = "tell"
_BYTES_MAX = 2_048
# Read in one turn; the rest waits for the next.
_FILES_MAX = 64


class TellStore:
    """Passes on the files of the folder. `poll` is called every few seconds; `log` writes a line of the log."""

    def __init__(
        self,
        data: Path,
        directives: Directives,
        log: Callable[..., None],
        *,
        now_ms: Callable[[], int] = clock.monotonic_ms,
    ) -> None:
        self._now_ms = now_ms
        self._folder = data / FOLDER
        self._directives = directives
        self._log = log
        self._done: set[Path] = set()

    def poll(self) -> None:
        """Accept new files; delete those whose directives are safe."""
        try:
            found = sorted(self._folder.glob("*.json"))[:_FILES_MAX]
        except OSError:
            return
        fresh = [path for path in found if path not in self._done]
        for path in fresh:
            self._accept(path)
        # Files accepted in this turn are not on the disk yet.
        if not fresh and self._done and self._directives.is_safe:
            for path in sorted(self._done):
                self._release(path)

    def _accept(self, path: Path) -> None:
        try:
            with path.open("rb") as file:
                plain: Any = parse_json(file.read(_BYTES_MAX))
            if "clear" in plain:
                name, who = bytes.fromhex(plain["clear"]), plain["who"]
                if not is_line(who, command.AUTHOR_BYTES_MAX):
                    raise ValueError("who")
                self._directives.clear(name, who, now_ms=self._now_ms())
            else:
                self._directives.accept(parse_directive(plain), now_ms=self._now_ms())
        except FileNotFoundError:
            return
        except (OSError, ValueError, KeyError, TypeError) as error:
            self._directives.refuse(path.name[:40], now_ms=self._now_ms())
            self._log("tell-unreadable", file=path.name[:80], error=str(error)[:80])
        self._done.add(path)

    def _release(self, path: Path) -> None:
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            self._log("tell-unreadable", file=path.name[:80], error=str(error)[:80])
            return
        self._done.discard(path)


def put(data: Path, one: Directive) -> None:
    """Write a directive for the agent. OSError."""
    plain = {
        "id": one.id.hex(),
        "author": one.author,
        "reason": one.reason,
        "scope": one.scope,
        "values": {str(code): value for code, value in one.values.items()},
        "begins_s": one.begins_s,
        "expires_s": one.expires_s,
    }
    _put(data, one.id.hex(), plain)


def clear(data: Path, name: bytes, who: str) -> None:
    """Ask the agent to clear a directive given here. OSError."""
    _put(data, f"{name.hex()}-clear", {"clear": name.hex(), "who": who})


def waiting(data: Path) -> list[str]:
    """Return the names of files that the agent has not processed yet. OSError when this user may not read them."""
    folder = data / FOLDER
    return sorted(path.name for path in folder.glob("*.json")) if folder.exists() else []


def _put(data: Path, name: str, plain: dict[str, Any]) -> None:
    folder = data / FOLDER
    if not folder.exists():
        folder.mkdir(mode=0o700, parents=True)
        files.give(folder)
    # The name sorts the files in the order in which they were written.
    path = folder / f"{time.time_ns() // 1_000_000:015}-{name}.json"
    files.write(path, json.dumps(plain).encode(), gives=True)
