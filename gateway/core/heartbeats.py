"""Keeps which tasks must give a sign of life, and which are late. The watchdog is fed only while none is late.

A running process proves nothing: its loop may turn while the thread that syncs the journal hangs in the
kernel, and then nodes wait for ever. So each task that can hang alone has a line here with its own allowed
silence, for as long as something is expected of it: the sync thread while a sync is requested, the broker's
thread while a connection is open.

It must hold no clock and decide nothing about late tasks: the shell logs them and stops feeding the watchdog.
"""

from typing import NamedTuple

from gateway.core import limits


class LateTask(NamedTuple):
    """Names a task whose last sign of life is longer ago than it may be."""

    name: str
    silence_ms: int
    allowed_ms: int


class _Task(NamedTuple):
    heard_ms: int
    allowed_ms: int


class Heartbeats:
    """Holds a bounded ledger, one line per task. `beat` for a name that is not expected is a bug of ours."""

    def __init__(self) -> None:
        self._tasks: dict[str, _Task] = {}

    def expect(self, name: str, allowed_ms: int, *, now_ms: int) -> None:
        """Expect a sign of life of `name` at least every `allowed_ms` from now on; this call counts as its first
        sign."""
        assert allowed_ms > 0
        assert name in self._tasks or len(self._tasks) < limits.HEARTBEAT_TASKS_MAX, name
        self._tasks[name] = _Task(now_ms, allowed_ms)

    def beat(self, name: str, *, now_ms: int) -> None:
        """Note a sign of life of `name`."""
        self._tasks[name] = self._tasks[name]._replace(heard_ms=now_ms)

    def forget(self, name: str) -> None:
        """Expect nothing of `name` any more; harmless if nothing was expected."""
        self._tasks.pop(name, None)

    def late(self, *, now_ms: int) -> list[LateTask]:
        """Return the late tasks, the longest overdue first."""
        found = [
            LateTask(name, now_ms - task.heard_ms, task.allowed_ms)
            for name, task in self._tasks.items()
            if now_ms - task.heard_ms > task.allowed_ms
        ]
        return sorted(found, key=lambda late: late.allowed_ms - late.silence_ms)

    def expected(self) -> list[str]:
        """Return the names of the tasks that are expected, for status and tests."""
        return sorted(self._tasks)
