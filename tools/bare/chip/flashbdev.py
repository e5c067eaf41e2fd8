"""Replaces the port's module of this name on the bare machine: the partition with the file system. Runs there only."""

# mypy: ignore-errors
# The modules of MicroPython are not those that mypy knows.

from umachine import FLASH as bdev  # noqa: F401, N811 - the port's name
