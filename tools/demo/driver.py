"""Drives a story by the wall clock: one thread owns its world, others ask it by a queue.

A story is `tools.demo.story.Story`, a territory that lives, or `tools.demo.replay.Replay`, a night of records. It has
`now_ms`, `unix_s`, `run_until`, `dusk_ms`, `snapshot` and `close`, and a night `seek`.
The thread makes the story (`make`), for SQLite's connections belong to the thread that opened them, then lets time
pass in steps. Between two steps it does what was asked for. `state` is a snapshot that any thread may read.
"""

import queue
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, NamedTuple

from tools.demo.pace import Pace

# One step of virtual time: longer than it takes to answer a press of a button, at the speed that is reached.
_STEP_MS = 60_000
# How often the world is turned where time passes slowly: a lamp's light changes no sooner than that on the screen.
_REST_S = 0.1
# At full speed the thread gives way to the web's after each step: else a page waits for CPython's switch of threads,
# 5 ms at each of its many turns.
_GIVE_WAY_S = 0.002
# Commands are done between two steps; a report may take a minute.
_ANSWER_S = 120
_HURRY_BEFORE_MS = 30_000


class State(NamedTuple):
    """Holds what the bar shows of a moment.

    `until_s`: the instant to which time hurries, or None. `speed` None: as fast as it goes. `reached`: times real time.
    `waits`: the clock will stop at the first dusk, until a person starts it again.
    """

    unix_s: int
    speed: float | None
    is_paused: bool
    reached: float
    until_s: int | None
    waits: bool
    story: Any


class Driver:
    """Runs a story in a thread of its own. `start` returns when the story is made; `close` ends the thread.

    waits: before the first dusk time stands still until `go_on` is called, or a speed is chosen: who comes a minute
    late sees the lamps light up all the same.
    """

    def __init__(self, make: Callable[[], Any], *, speed: float | None, waits: bool = False) -> None:
        self._make = make
        self._speed = speed
        self._waits = waits
        self._asked: queue.SimpleQueue[tuple[Future, Callable[[Any], Any]]] = queue.SimpleQueue()
        self._stop = threading.Event()
        self._made: Future[None] = Future()
        self._thread = threading.Thread(target=self._run, name="world", daemon=True)
        self._until_ms: int | None = None
        self._story: Any
        self._pace: Pace
        self.state: State

    def start(self) -> None:
        """Starts the thread; raises what the making of the story raised."""
        self._thread.start()
        self._made.result()

    def close(self) -> None:
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()

    def ask(self, act: Callable[[Any], Any]) -> Any:
        """Calls `act` with the story, in its thread, between two steps; returns or raises what it does."""
        future: Future[Any] = Future()
        self._asked.put((future, act))
        return future.result(timeout=_ANSWER_S)

    def unix_s(self) -> float:
        """Returns the virtual now, for the pages."""
        return self.state.unix_s

    # --- time, from any thread ----------------------------------------------------------------------------------

    def run(self, speed: float | None) -> None:
        """Lets time pass at a speed, from now."""
        self.ask(lambda story: self._set(None, speed))

    def pause(self) -> None:
        self.ask(lambda story: self._set_pause())

    def go_on(self) -> None:
        """Lets time pass at the speed that it had, or hurry on where it hurries."""
        self.ask(lambda story: self._set(self._until_ms, self._speed))

    def hurry_to_dusk(self) -> None:
        """Lets time pass as fast as it goes until half a minute before the next dusk, then at the former speed."""
        self.ask(lambda story: self._set(story.dusk_ms() - _HURRY_BEFORE_MS, self._speed))

    def seek(self, unix_s: int) -> str:
        """Leads a night that is played again to an instant, from which it goes on as it went; returns the path of its
        warehouse then."""

        def lead(story: Any) -> str:
            is_paused = self._pace.is_paused
            story.seek(unix_s)
            self._set(None, self._speed)
            if is_paused:
                self._set_pause()
            return str(story.path)

        return str(self.ask(lead))

    # --- in the thread of the world -----------------------------------------------------------------------------

    def begin(self, *, wall_ms: int) -> None:
        """Makes the story; tests call this and `turn` without a thread."""
        self._story = self._make()
        self._pace = Pace(speed=self._speed, wall_ms=wall_ms, world_ms=self._story.now_ms)
        self._set(self._story.dusk_ms() - _HURRY_BEFORE_MS, self._speed, wall_ms=wall_ms, waits=self._waits)

    def turn(self, *, wall_ms: int) -> bool:
        """Does what was asked for and one step of time; returns True when it was a whole one, so there may be more."""
        while not self._asked.empty():
            future, act = self._asked.get()
            try:
                future.set_result(act(self._story))
            except Exception as error:  # it is the asker's
                future.set_exception(error)
        story, pace = self._story, self._pace
        before_ms = story.now_ms
        target_ms = pace.target_ms(wall_ms=wall_ms, world_ms=before_ms, step_ms=_STEP_MS)
        if self._until_ms is not None and not pace.is_paused:
            target_ms = min(before_ms + _STEP_MS, self._until_ms)
        story.run_until(target_ms)
        if self._until_ms is not None and story.now_ms >= self._until_ms:
            if self._waits:
                self._set_pause()
            else:
                self._set(None, self._speed, wall_ms=wall_ms)
        pace.measure(wall_ms=wall_ms, passed_ms=story.now_ms - before_ms)
        self._snap()
        return story.now_ms - before_ms >= _STEP_MS or self._until_ms is not None

    def _set(
        self, until_ms: int | None, speed: float | None, *, wall_ms: int | None = None, waits: bool = False
    ) -> None:
        self._waits = waits
        self._until_ms = None if until_ms is None or until_ms <= self._story.now_ms else until_ms
        self._speed = speed
        wall_ms = _wall_ms() if wall_ms is None else wall_ms
        self._pace.run(speed, wall_ms=wall_ms, world_ms=self._story.now_ms)
        self._snap()  # who asked is shown it at once, and not after the next step

    def _set_pause(self) -> None:
        self._pace.pause()
        self._until_ms = None
        self._snap()

    def _snap(self) -> None:
        pace, story = self._pace, self._story
        until_s = None if self._until_ms is None else story.unix_s + (self._until_ms - story.now_ms) // 1000
        how = pace.speed, pace.is_paused, pace.reached, until_s, self._waits
        self.state = State(story.unix_s, *how, story.snapshot())

    def _run(self) -> None:
        try:
            self.begin(wall_ms=_wall_ms())
        except BaseException as error:
            self._made.set_exception(error)
            return
        self._made.set_result(None)
        while not self._stop.is_set():
            more = self.turn(wall_ms=_wall_ms())
            self._stop.wait(_GIVE_WAY_S if more else _REST_S)
        self._story.close()


def _wall_ms() -> int:
    return time.monotonic_ns() // 1_000_000
