"""Work in a thread before an agent serves: its outcome, its errors, and a stop that does not wait for it."""

import asyncio
import threading

import pytest

from gateway.core.heartbeats import Heartbeats
from gateway.io.disk import WatchedDisk
from gateway.shell.startup import in_thread

PATIENCE_S = 60


def run(work, *, stop_at=None, meanwhile=lambda: None, every_s=PATIENCE_S):
    """(outcome, number of calls of `meanwhile`); `stop_at`: the call that asks to stop."""

    async def main():
        stop = asyncio.Event()
        calls = []

        def count():
            calls.append(1)
            if len(calls) == stop_at:
                stop.set()
            meanwhile()

        outcome = await asyncio.wait_for(in_thread(work, stop=stop, every_s=every_s, meanwhile=count), PATIENCE_S)
        return outcome, len(calls)

    return asyncio.run(main())


def test_the_outcome_of_the_thread_comes_back():
    outcome, calls = run(lambda: threading.current_thread().name)
    assert outcome == "startup" and calls >= 1


def test_its_error_is_raised_where_it_is_awaited():
    def fail():
        raise OSError(28, "no space left")

    with pytest.raises(OSError, match="no space left"):
        run(fail)


def test_a_stop_does_not_wait_for_the_work():
    never = threading.Event()
    outcome, _ = run(never.wait, stop_at=1)
    assert outcome is None
    never.set()


def test_systemd_is_told_again_and_again_while_it_lasts():
    done = threading.Event()
    calls = []

    def meanwhile():
        calls.append(1)
        if len(calls) == 5:
            done.set()

    outcome, count = run(done.wait, meanwhile=meanwhile, every_s=0.001)
    assert outcome is True and count >= 5


def test_work_that_ends_after_the_stop_disturbs_nobody():
    release = threading.Event()

    async def main():
        stop = asyncio.Event()
        stop.set()
        assert await in_thread(release.wait, stop=stop, every_s=PATIENCE_S, meanwhile=lambda: None) is None
        release.set()
        for thread in threading.enumerate():
            if thread.name == "startup":
                await asyncio.to_thread(thread.join, PATIENCE_S)
        await asyncio.sleep(0)

    asyncio.run(main())


def test_a_sync_must_be_reported_only_while_it_is_asked_for(tmp_path):
    heartbeats = Heartbeats()
    reports = []
    disk = WatchedDisk(tmp_path, lambda ticket, error: reports.append((ticket, error)), heartbeats, "sync")
    assert heartbeats.expected() == []
    disk.append("a", b"x")
    disk.sync(["a"], 1)
    disk.sync(["a"], 2)
    assert heartbeats.expected() == ["sync"] and disk.unreported == 2
    disk.reported()
    assert heartbeats.expected() == ["sync"]
    disk.reported()
    assert heartbeats.expected() == [] and disk.unreported == 0
    disk.close()
    assert reports == [(1, None), (2, None)]
