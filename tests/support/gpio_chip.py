"""A GPIO chip with the face of the package `gpiod` (libgpiod 2), as far as the gateway uses it; to be handed in where
the gateway would import that.

Levels are electrical: True is high. It refuses what the kernel refuses: a line that is held already, a chip that is not
there.
"""

import errno
from dataclasses import dataclass
from enum import Enum
from threading import Lock
from types import SimpleNamespace
from typing import Any


class Value(Enum):
    INACTIVE = 0
    ACTIVE = 1


class Direction(Enum):
    AS_IS = 1
    INPUT = 2
    OUTPUT = 3


class Bias(Enum):
    AS_IS = 1
    UNKNOWN = 2
    DISABLED = 3
    PULL_UP = 4
    PULL_DOWN = 5


@dataclass
class LineSettings:
    direction: Direction = Direction.AS_IS
    bias: Bias = Bias.AS_IS
    active_low: bool = False
    output_value: Value = Value.INACTIVE


class BenchGpiod:
    """`levels`: of all lines, low at first; a test sets those of inputs. `changes`: (line, level) of every level that
    an output took, the first included. `gone`: the chip is not there. `busy`: lines that another program holds."""

    line = SimpleNamespace(Value=Value, Direction=Direction, Bias=Bias)
    LineSettings = LineSettings

    def __init__(self, path: str = "/dev/gpiochip0", lines: int = 54) -> None:
        self.levels = dict.fromkeys(range(lines), False)
        self.changes: list[tuple[int, bool]] = []
        self.gone = False
        self.busy: set[int] = set()
        self.held: dict[int, LineSettings] = {}
        self._path = path
        self._lock = Lock()

    def request_lines(self, path: str, *, consumer: str | None = None, config: dict[int, LineSettings]) -> Any:
        """As gpiod.request_lines."""
        with self._lock:
            if self.gone or path != self._path:
                raise FileNotFoundError(errno.ENOENT, "No such file or directory", path)
            for line in config:
                if line not in self.levels:
                    raise ValueError("line offset of out range")
                if line in self.held or line in self.busy:
                    raise OSError(errno.EBUSY, "Device or resource busy")
            self.held.update(config)
        for line, settings in config.items():
            if settings.direction is Direction.OUTPUT:
                self.drive(line, (settings.output_value is Value.ACTIVE) != settings.active_low)
        return _Request(self, list(config))

    def drive(self, line: int, level: bool) -> None:
        """An output takes a level."""
        with self._lock:
            self.levels[line] = level
            self.changes.append((line, level))


class _Request:
    def __init__(self, chip: BenchGpiod, lines: list[int]) -> None:
        self._chip = chip
        self._lines = lines

    def get_value(self, line: int) -> Value:
        settings = self._settings(line)
        return Value.ACTIVE if self._chip.levels[line] != settings.active_low else Value.INACTIVE

    def set_value(self, line: int, value: Value) -> None:
        settings = self._settings(line)
        if settings.direction is not Direction.OUTPUT:
            raise PermissionError(errno.EPERM, "Operation not permitted")
        self._chip.drive(line, (value is Value.ACTIVE) != settings.active_low)

    def release(self) -> None:
        """The kernel of a Raspberry Pi leaves an output as it is."""
        for line in self._lines:
            self._chip.held.pop(line, None)

    def _settings(self, line: int) -> LineSettings:
        if self._chip.gone:
            raise OSError(errno.ENODEV, "No such device")
        return self._chip.held[line]
