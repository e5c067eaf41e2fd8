"""The heartbeat ledger: the hardware watchdog is fed only while every named task shows life.

A loop that spins but no longer reads its meter or sets its output must end in a reset to safe outputs just as one
that hangs. Must not know what the tasks do.
"""


class Ledger:
    """Which task beat when. A task is stale after `silence_max_ms` without a beat."""

    def __init__(self):
        self._tasks = {}

    def add(self, name, silence_max_ms, *, now_ms):
        """Watch a task from now on."""
        self._tasks[name] = [silence_max_ms, now_ms]

    def beat(self, name, *, now_ms):
        """The task has just done its work."""
        self._tasks[name][1] = now_ms

    def stale(self, *, now_ms):
        """Names of the tasks that were silent for too long, sorted."""
        if self.margin_ms(now_ms=now_ms) >= 0:
            return ()
        return sorted([name for name in self._tasks if self._left_ms(name, now_ms) < 0])

    def margin_ms(self, *, now_ms) -> int:
        """What is left to the task that is nearest to its end; negative when one is stale."""
        least_ms = None
        for name in self._tasks:
            left_ms = self._left_ms(name, now_ms)
            if least_ms is None or left_ms < least_ms:
                least_ms = left_ms
        return least_ms

    def _left_ms(self, name, now_ms):
        silence_max_ms, beat_ms = self._tasks[name]
        return silence_max_ms - (now_ms - beat_ms)


class Watchdog:
    """Feeds `wdt` (a `machine.WDT`) while the ledger is fresh, and says once what went stale."""

    def __init__(self, wdt, ledger, *, say=print):
        self._wdt = wdt
        self._ledger = ledger
        self._say = say
        self._starving = False

    def feed(self, *, now_ms) -> bool:
        """True when the watchdog was fed. Once starved it stays so: a half-dead node is reset, not nursed."""
        stale = self._ledger.stale(now_ms=now_ms)
        if stale and not self._starving:
            self._starving = True
            self._say("watchdog: silent for too long: " + ", ".join(stale))
        if self._starving:
            return False
        self._wdt.feed()
        return True
